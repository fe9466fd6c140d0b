"""Lakes that earlier releases wrote (tests/tools/keep_lake.py), under today's program."""

import json
import tarfile

import pytest
from rig.broker import must_be_delivered
from rig.lake import QUERIES, Lake
from rig.paths import ROOT

KEPT = sorted(path.name.removeprefix("lake-").removesuffix(".tar.xz") for path in (ROOT / "tests/data").glob("lake-*.xz"))
# Not compared: when a row was written, which its record does not decide, and the sentence for a
# reject, which a release may reword. Its reason and its position are compared.
WRITTEN = {"processing_timestamp", "detail"}


def unpack(version, root):
    """The kept lake, at another absolute path."""
    with tarfile.open(ROOT / "tests/data" / f"lake-{version}.tar.xz") as archive:
        archive.extractall(root.parent)
    for path in root.rglob("*"):
        if path.is_file() and path.suffix != ".parquet":
            path.write_bytes(path.read_bytes().replace(b"@LAKE@", str(root).encode()))


def produce_again(job, version):
    """The same records at the same offsets, with the same times; those are ahead of a clock that is late."""
    records = [json.loads(line) for line in (ROOT / "tests/data" / f"lake-{version}.jsonl").open()]
    for topic in job.topics.values():
        partitions = 1 + max(one["partition"] for one in records if one["topic"] == topic)
        job.broker.create_topic(topic, partitions, message_timestamp_after_max_ms=1 << 62)
    producer = job.broker.producer()
    for one in records:
        producer.produce(**one, on_delivery=must_be_delivered)
        producer.poll(0)
    assert producer.flush(60) == 0


def contents(lake, kind):
    """Every row of the table, and every reject that no row was made of, by partition and offset."""
    rows = {(row["partition"], row["offset"]): row for row in lake.rows(lake.table(kind))}
    assert len(rows) == sum(lake.keys(lake.table(kind)).values())
    rejects = {(row["partition"], row["offset"]): row for row in lake.rows(lake.rejects(kind))}
    found = rows | {place: reject for place, reject in rejects.items() if place not in rows}
    return {
        place: {name: value for name, value in row.items() if name not in WRITTEN} for place, row in found.items()
    }


def without_prose(found):
    """A reject's `detail` is for people: its wording may change from release to release."""
    return {place: {name: value for name, value in row.items() if name != "detail"} for place, row in found.items()}


@pytest.mark.parametrize("version", KEPT)
def test_a_lake_of_an_earlier_release_opens_runs_on_and_verifies(job, version):
    job.topics = {kind: f"{kind}-of-{version}" for kind in QUERIES}
    job.settings |= {f"KAFKA_TOPIC_{kind.upper()}": topic for kind, topic in job.topics.items()}
    unpack(version, job.lake.root)
    produce_again(job, version)
    kept = {kind: contents(job.lake, kind) for kind in QUERIES}
    newest = {kind: job.lake.batches(kind, "manifests")[-1] for kind in QUERIES}

    # Read-only callers first: on the files as that release left them.
    verified = job.program.run("verify", "--job", "players", **job.settings)
    assert verified.lines("^player_stream: every offset is present exactly once$")
    for kind in QUERIES:
        job.produce([f'{{"{kind[:-1]}_id": "new"}}', "no JSON"], kind, partition=1)
    job.run("--job", "all")

    verified = job.program.run("verify", "--job", "all", **job.settings)
    for kind, query in QUERIES.items():
        assert verified.lines(f"^{query}: every offset is present exactly once$")
        assert job.lake.batches(kind)[-1] == newest[kind] + 1  # one batch for the new records
        job.lake.assert_listed(kind)
        now = contents(job.lake, kind)
        places = {(part, at) for part, end in job.broker.end_offsets(job.topics[kind]).items() for at in range(end)}
        assert now.keys() == places
        assert kept[kind].items() <= now.items() and len(now) == len(kept[kind]) + 2
    # Today's program makes the same rows and rejects of these records.
    for kind, mode in (("matches", "permissive"), ("players", "reject")):
        fresh = Lake(job.lake.root.with_name("fresh"))
        job.run("--job", kind, DATA_LAKE_PATH=fresh.root, PARSE_MODE=mode)
        made = contents(fresh, kind)
        assert without_prose({place: made[place] for place in kept[kind]}) == without_prose(kept[kind])
