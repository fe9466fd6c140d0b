"""`adopt --accept` where records have many rows, and rejects are gone; and what `tail` shows
of files that were changed or rewound."""

import collections
import json

import pyarrow
import pyarrow.parquet
import pytest
from test_exploding import Riot

KIND = "matches"


def command(job, *words, exit_code=0, **settings):
    words = [*words, "--job", KIND]
    return job.program.run(*words, timeout=120, exit_code=exit_code, **{**job.settings, **settings})


def run_batches(job, count, each=10, start=0, **settings):
    job.broker.generate(job.topics[KIND], KIND, count * each, 2, "--malformed", "5", start=start)
    job.run(MAX_OFFSETS_PER_TRIGGER=each, timeout=120, **settings)


def rows_of(path):
    return pyarrow.parquet.ParquetFile(path).read()


def account(job, kind=KIND, column="accepted"):
    """{incarnation: offsets} of what `verify` counts so, and no fault."""
    report = json.loads(job.program.run("verify", "--json", "--job", kind, **job.settings).log())
    assert report["faults"] == 0 and report["proven"]
    found = collections.Counter()
    for one in report["partitions"]:
        found[one["incarnation"]] += one[column]
    return found


def test_losses_of_records_that_have_many_rows_are_counted_by_record(job, tmp_path):
    riot = Riot(job, tmp_path)
    riot.create(2)
    for number in range(12):
        riot.fill(20, start=20 * number)
        riot.run()
    files = job.lake.files(job.lake.table("items"))
    before, sizes = riot.rows(), {path: len(rows_of(path)) for path in files}
    gone, part = sorted(files, key=lambda path: -sizes[path])[:2]
    pyarrow.parquet.write_table(rows_of(part).slice(0, sizes[part] - 2), part)
    gone.unlink()
    riot.known.clear()
    left = riot.rows()
    lost = {(row[0], row[1]) for row in before - left}

    # Which records never had a row is not known by offset: those of the same ranges count, too.
    assert "never had a row" in riot.ask("adopt", "--accept")
    riot.known.clear()
    assert riot.rows() == left
    accepted = sum(account(job, "items").values())
    assert len(lost) <= accepted <= 240
    riot.fill(40, start=1000)
    riot.run()
    riot.ask("compact")
    assert sum(account(job, "items").values()) == accepted
    riot.known.clear()
    assert left < riot.rows()


def test_rejects_that_are_gone_are_accepted_too(job):
    job.create_topic(partitions=2)
    run_batches(job, 12)
    rejects = job.lake.files(job.lake.rejects(KIND))
    gone, kept = rejects[0], len(rejects) - 1
    lost = len(rows_of(gone))
    gone.unlink()
    assert f"Lost {lost} offset" in command(job, "adopt", "--accept").log()
    assert account(job) == {0: lost}
    assert len(job.lake.files(job.lake.rejects(KIND))) == kept
    run_batches(job, 2, start=500)
    command(job, "compact")
    command(job, "rejects", "replay", PARSE_MODE="permissive")
    assert account(job) == {0: lost}


# ---- what `tail` shows of such tables ----


def shown(job, rows):
    lines = command(job, "tail", "--rows", str(rows), "--json").log().splitlines()
    return [(row["partition"], row["offset"]) for row in map(json.loads, lines)]


def newest_by_time(job, count):
    """The keys of the newest rows, and the time of the last of them."""
    rows = job.lake.rows(job.lake.table(KIND))
    rows.sort(key=lambda row: (row["processing_timestamp"], row["kafka_timestamp"], row["partition"], row["offset"]))
    return [(row["partition"], row["offset"]) for row in rows[-count:]]


@pytest.mark.parametrize("sink_log", ["auto", "off"])
def test_tail_shows_rows_of_files_that_were_merged_by_others_and_accepted(job, sink_log):
    job.create_topic(partitions=2)
    job.settings["SINK_LOG"] = sink_log
    run_batches(job, 13)
    everything = 13 * 10
    before, newest = shown(job, everything), shown(job, 12)
    leaf = collections.Counter(path.parent for path in job.lake.files(job.lake.table(KIND))).most_common(1)[0][0]
    merged = sorted(leaf.glob("*.parquet"), key=lambda path: path.stat().st_mtime_ns)[-4:]
    pyarrow.parquet.write_table(pyarrow.concat_tables(map(rows_of, merged)), leaf / "merged.parquet")
    for path in merged:
        path.unlink()
    command(job, "adopt", "--accept")
    assert shown(job, 12) == newest and shown(job, everything) == before
    run_batches(job, 9, start=500)
    command(job, "compact")
    assert set(shown(job, everything + 90)) > set(before)
    assert shown(job, everything + 90)[: len(before)] == before


@pytest.mark.timeout(300)
def test_tail_shows_the_newest_rows_after_a_rewind_over_more_than_100_batches(job):
    job.create_topic(partitions=2)
    run_batches(job, 135, each=4)
    command(job, "rewind", "--to-batch", "25", "--no-kafka-check")
    assert shown(job, 30) == newest_by_time(job, 30)
    assert len(shown(job, 1000)) == len(newest_by_time(job, 1000))
    job.run(MAX_OFFSETS_PER_TRIGGER=20)
    command(job, "compact")
    assert shown(job, 30) == newest_by_time(job, 30)
    assert len(shown(job, 1000)) == len(newest_by_time(job, 1000))
