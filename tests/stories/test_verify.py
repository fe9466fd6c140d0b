"""`esports-stream verify` in realistic cases: rejects, transactions, a batch of Spark's, losses and
duplicates planted by hand, and a query that runs at the same time."""

import json
import re
import shutil
import subprocess
import urllib.parse

import pyarrow.parquet
import pytest
import spark_job
from rig.paths import GEN

COLUMNS = ["from", "to", "rows", "rejects", "absent", "lost", "missing", "duplicate", "unproven"]


def verify(job, exit_code=0, **settings):
    """({partition: {column: number}}, process)."""
    process = job.start("verify", "--job", "matches", **settings)
    process.wait_exit(30, exit_code)
    lines = [re.fullmatch(r"  +(\d+)((?: +\d+)+)", line) for line in process.log().splitlines()]
    found = {
        int(line[1]): dict(zip(COLUMNS, map(int, line[2].split()), strict=True))
        for line in lines
        if line
    }
    return found, process


def transact(job, topic, count, commit, partition=0):
    producer = job.broker.producer(transactional_id=topic)
    producer.init_transactions(30)
    ends = job.broker.end_offsets(topic)
    producer.begin_transaction()
    for number in range(count):
        record = json.dumps({"match_id": f"t-{number}", "status": "live"})
        producer.produce(topic, record, partition=partition)
    producer.flush(30)
    producer.commit_transaction(30) if commit else producer.abort_transaction(30)
    job.broker.wait_end_offsets(topic, {**ends, partition: ends[partition] + count + 1})


def total(found, column):
    return sum(numbers[column] for numbers in found.values())


def entries(job, batch):
    """The entries of a batch in the sink log, and the file that they are in."""
    path = job.lake.table("matches") / "_spark_metadata" / str(batch)
    return path, path.read_text().splitlines()


def file_of(entry):
    return urllib.parse.unquote(json.loads(entry)["path"].removeprefix("file://"))


def offsets_in(path):
    rows = pyarrow.parquet.ParquetFile(path).read(columns=["partition", "offset"])
    return set(zip(rows["partition"].to_pylist(), rows["offset"].to_pylist()))


def named(process, word):
    """Each (partition, offset) that is named by the lines with this word."""
    found = set()
    for line in process.lines(rf"^  {word}: partition"):
        match = re.search(r"partition (\d+), offsets? (\d+)(?: to (\d+))?", line)
        last = int(match[3] or match[2])
        found |= {(int(match[1]), offset) for offset in range(int(match[2]), last + 1)}
    return found


@pytest.fixture
def three_batches(job, spark):
    """Our batch, Spark's, ours: with rejects, and with committed and aborted transactions."""
    topic = job.create_topic(partitions=2)
    job.broker.generate(topic, "matches", 1000, 2, "--malformed", 5)
    transact(job, topic, 5, commit=True)
    transact(job, topic, 3, commit=False)
    job.run()
    job.broker.generate(topic, "matches", 60, 2, "--malformed", 20, start=1000)
    transact(job, topic, 4, commit=True, partition=1)
    query = spark_job.start(
        spark, "matches", job.broker.bootstrap, topic, str(job.lake.root)
    )
    query.awaitTermination()
    job.broker.generate(topic, "matches", 300, 2, "--malformed", 5, start=1060)
    job.run()
    assert job.lake.batches("matches") == [0, 1, 2]
    assert job.lake.batches("matches", "manifests") == [0, 2]
    return job


def test_planted_faults_are_found_and_nothing_else(three_batches):
    job = three_batches
    topic = job.topics["matches"]
    ends = job.broker.end_offsets(topic)
    readable = job.broker.readable(topic)

    found, process = verify(job)
    assert {partition: numbers["to"] for partition, numbers in found.items()} == ends
    dropped = process.lines("  note: 1 record of Spark's batches .* null or blank")
    assert total(found, "rows") + total(found, "rejects") == len(readable) - len(dropped)
    assert total(found, "rejects") > 0
    assert total(found, "absent") == sum(ends.values()) - len(readable) + len(dropped)
    assert sum(ends.values()) - len(readable) == 3 + 3  # markers, and the aborted records
    assert process.log().splitlines()[-1] == "match_stream: every offset is present exactly once"

    for batch in (1, 2):  # without a manifest, and with one
        log, lines = entries(job, batch)
        kept = log.read_text()
        victim = file_of(lines[-1])
        lost = offsets_in(victim)
        shutil.move(victim, f"{victim}.aside")
        log.write_text("\n".join(lines[:-1]))
        found, process = verify(job, exit_code=5)
        assert total(found, "missing") == len(lost)
        assert len(lost) > 50 or named(process, "missing") == lost
        assert named(process, "missing") <= lost
        assert total(found, "duplicate") == 0
        assert f"{len(lost)} offset{'s' * (len(lost) != 1)} missing" in process.errors().splitlines()[-1]

        shutil.move(f"{victim}.aside", victim)
        copy = victim.replace("part-", "part-9")
        shutil.copy(victim, copy)
        log.write_text(kept)
        found, process = verify(job, exit_code=5)
        assert len(process.lines("  wrong: .*is not in the sink log")) == 1
        assert total(found, "duplicate") == 0

        entry = json.loads(lines[-1])
        entry["path"] = entry["path"].replace("part-", "part-9")
        log.write_text("\n".join([*lines, json.dumps(entry)]))
        found, process = verify(job, exit_code=5)
        assert total(found, "duplicate") == len(lost) and total(found, "missing") == 0
        assert process.lines("  wrong: ") == []
        assert named(process, "duplicate") <= lost
        assert process.lines(f"  duplicate: .*{re.escape(copy.rpartition('/')[2])}")

        (job.lake.root / copy).unlink()
        log.write_text(kept)
    verify(job)

    # Once the second copies are removed, as docs/verify.md says, the query continues.
    job.broker.generate(topic, "matches", 100, 2, start=1360)
    job.run()
    verify(job)


def test_offsets_of_sparks_batch_that_the_broker_has_deleted_cannot_be_proved(three_batches):
    job = three_batches
    job.broker.delete_records(job.topics["matches"], job.lake.planned_ends("matches", 1))

    found, process = verify(job)
    # The transaction's marker, and a blank value, which Spark drops.
    assert total(found, "unproven") == 2
    assert total(found, "missing") == 0
    assert "every offset is present exactly once, except 2 of Spark's" in process.log().splitlines()[-1]


@pytest.mark.capture
def test_a_query_that_runs_at_the_same_time_causes_no_false_alarm(program, lake, tmp_path):
    (tmp_path / "capture").mkdir()
    for partition in range(2):
        command = [GEN, "--stdout", "--quiet", "--type", "matches", "--count", "8000"]
        with open(tmp_path / "capture" / f"esports-matches-{partition}.ndjson", "wb") as out:
            subprocess.run([*command, "--malformed", "5"], stdout=out, check=True)
    settings = {
        "KAFKA_BOOTSTRAP_SERVERS": f"file:{tmp_path / 'capture'}",
        "DATA_LAKE_PATH": lake.root,
        "LOG_LEVEL": "ERROR",
    }
    query = program.start(
        "--job", "matches", TRIGGER="availableNow", MAX_OFFSETS_PER_TRIGGER=100, **settings
    )
    query.wait_until(lambda: lake.batches("matches"), what="a batch")
    horizons = set()
    while query.poll() is None:
        process = program.run("verify", "--job", "matches", **settings)
        assert "every offset is present exactly once" in process.log()
        horizons |= set(re.findall(r"up to batch (\d+)", process.log()))
    query.wait_exit(exit_code=0)
    assert len(horizons) > 3
    assert lake.batches("matches")[-1] == 159
    assert len(lake.batches("matches", "manifests")) == 101
    assert len(lake.batches("matches", "coverage")) == 1
    process = program.run("verify", "--job", "matches", **settings)
    assert re.search(r"0 +0 +8000 +\d+ +\d+ +0 +0 +0 +0 +0\n", process.log())


def test_without_a_broker_or_a_checkpoint_it_says_so(job, program):
    process = job.start("verify", "--job", "matches")
    process.wait_exit(30, 5)
    assert "does not exist: check DATA_LAKE_PATH and CHECKPOINT_PATH" in process.errors()
    assert not job.lake.root.exists()

    job.create_topic()
    job.produce(['{"match_id": "1"}'])
    job.run()
    process = job.start("verify", "--job", "matches", KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1", KAFKA_STARTUP_TIMEOUT="1s")
    process.wait_exit(30, 4)
    process = job.start("verify", "--job", "matches", KAFKA_BOOTSTRAP_SERVERS=None)
    process.wait_exit(30, 2)
    assert "KAFKA_BOOTSTRAP_SERVERS" in process.errors()
