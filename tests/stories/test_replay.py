"""`rejects replay`: rejects become rows once, no matter which program runs next, or when it is killed."""

import datetime
import json

import pytest
from rig import faults
from rig.faults import Fault, Point
from rig.lake import Lake

KIND = "matches"
CHECKPOINT = "checkpoints/match_stream"
FOREACH_BATCH = {"sink": "foreachBatch"}

# Where the replay, batch 1, is killed; whether its rows stay when Spark is the next to start, which
# runs a batch that its sink does not have as one of no records.
WINDOWS = {
    "before its manifest": (f"{CHECKPOINT}/manifests/.1.tmp", False),
    "before its sink log entry": ("processed/matches/_spark_metadata/.1.tmp", False),
    "before its commit": (f"{CHECKPOINT}/commits/.1.tmp", True),
}


class Topic:
    """Two partitions of matches, every fifth of which can't become a row."""

    def __init__(self, job):
        self.job = job
        self.name = job.create_topic(partitions=2)
        self.count = 0

    def grow(self, count):
        self.job.broker.generate(self.name, KIND, count, 2, "--malformed", 20, start=self.count)
        self.count += count


def replay(job, *options, mode="permissive", exit_code=0, **settings):
    """What it says with --json."""
    words = ("rejects", "replay", "--job", KIND, "--json", *options)
    process = job.start(*words, PARSE_MODE=mode, **settings)
    process.wait_exit(60, exit_code)
    return json.loads(process.log()) if process.log() else None


def verify(job):
    """Every offset is there once; how many as rows, how many as rejects that are not resolved."""
    process = job.start("verify", "--job", KIND)
    process.wait_exit(60, 0)
    assert process.log().splitlines()[-1] == "match_stream: every offset is present exactly once"
    lines = [line.split() for line in process.lines(r"^ +\d+ +\d+ +\d+ ")]
    return sum(int(line[3]) for line in lines), sum(int(line[4]) for line in lines)


def batch_time(job, batch):
    """When it was planned, as --until has it."""
    lines = (job.lake.checkpoint(KIND) / "offsets" / str(batch)).read_text().splitlines()
    stamp = json.loads(lines[1])["batchTimestampMs"]
    moment = datetime.datetime.fromtimestamp(stamp / 1000, datetime.timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def kill_at(job, path, tmp_path):
    """A replay is killed where it is about to make this file."""
    words = faults.injecting(
        Fault(Point("openat", path, 1), "signal=KILL"), job.lake.root, tmp_path / "strace"
    )
    process = job.program.start(
        "rejects", "replay", "--job", KIND, under=[*words, "-f"],
        **{**job.settings, "PARSE_MODE": "permissive"},
    )
    process.wait_exit(60)
    assert faults.was_reached(tmp_path / "strace")


def rows_of(lake):
    """Rows as text, without the time of their batch."""
    rows = lake.rows(lake.table(KIND))
    for row in rows:
        del row["processing_timestamp"]
    return sorted(repr(sorted(row.items())) for row in rows)


@pytest.mark.timeout(300)
def test_replayed_rows_are_those_of_a_run_that_took_them_and_spark_resumes(job, spark4, tmp_path):
    topic = Topic(job)
    topic.grow(300)
    job.run()
    rows, rejects = verify(job)
    assert rows + rejects == 300 and rejects > 30

    assert replay(job, mode="reject")["rows"] == 0
    dry = replay(job, "--dry-run")
    assert job.lake.batches(KIND, "offsets") == [0]
    done = replay(job)
    assert done == {**dry, "dryRun": False, "batches": 1, "firstBatch": 1}
    assert done["rows"] + done["stillRejected"] == done["unresolved"] == rejects
    assert done["rows"] > 0
    assert verify(job) == (rows + done["rows"], done["stillRejected"])
    assert sum(job.lake.keys(job.lake.rejects(KIND)).values()) == rejects  # their rows stay
    assert replay(job)["rows"] == 0
    listed = job.start("rejects", "ls", "--job", KIND, "--json", "--rows", "1")
    listed.wait_exit(30, 0)
    listed = json.loads(listed.log())
    assert (listed["rejects"], listed["replayed"]) == (done["stillRejected"], done["rows"])
    assert listed["byReason"] == done["stillRejectedByReason"]

    # The same topic, taken as Spark takes it from the start.
    other = Lake(tmp_path / "permissive")
    job.run(PARSE_MODE="permissive", DATA_LAKE_PATH=other.root)
    assert rows_of(job.lake) == rows_of(other)

    count = rows + done["rows"]
    assert spark4.count(job.lake.table(KIND)) == (count, count)
    topic.grow(50)
    spark4.run_job(job)  # continues after the replay
    assert job.lake.batches(KIND) == [0, 1, 2]
    topic.grow(50)
    job.run()
    rows, rejects = verify(job)
    done = replay(job)
    assert done["firstBatch"] == 4
    assert verify(job) == (rows + done["rows"], rejects - done["rows"])
    assert spark4.count(job.lake.table(KIND)) == (rows + done["rows"],) * 2
    job.lake.assert_listed(KIND)
    assert job.lake.leftovers(KIND) == []


@pytest.mark.timeout(300)
@pytest.mark.parametrize("window", WINDOWS)
def test_spark_may_be_the_next_to_start_after_a_kill(job, spark4, tmp_path, window):
    path, stays = WINDOWS[window]
    topic = Topic(job)
    topic.grow(200)
    job.run()
    kill_at(job, path, tmp_path)
    topic.grow(50)
    spark4.run_job(job)  # batch 1, which it finds planned, and batch 2
    assert job.lake.batches(KIND) == [0, 1, 2]
    topic.grow(50)
    job.run()
    job.lake.assert_listed(KIND)
    verify(job)
    of_first = replay(job, "--dry-run", "--until", batch_time(job, 1))
    assert (of_first["rows"] == 0) == stays
    replay(job)
    assert replay(job, "--dry-run")["rows"] == 0
    rows, rejects = verify(job)
    assert spark4.count(job.lake.table(KIND)) == (rows, rows)
    assert job.lake.leftovers(KIND) == []


@pytest.mark.timeout(300)
def test_the_foreach_batch_job_may_be_the_next_to_start_after_a_kill(job, spark4, tmp_path):
    topic = Topic(job)
    topic.grow(100)
    spark4.run_job(job, **FOREACH_BATCH)  # so that the table has no sink log
    topic.grow(100)
    job.run()
    before = verify(job)
    path = f"{CHECKPOINT}/commits/.2.tmp"  # its files are in place
    kill_at(job, path, tmp_path)
    spark4.run_job(job, **FOREACH_BATCH)
    assert job.lake.batches(KIND) == [0, 1, 2]
    job.run()
    assert not (job.lake.table(KIND) / "_spark_metadata").exists()
    assert verify(job) == before  # taken back: Spark has committed a batch of nothing
    done = replay(job)
    assert done["firstBatch"] == 3 and done["rows"] > 0
    assert verify(job) == (before[0] + done["rows"], before[1] - done["rows"])


def test_filters_choose_and_a_running_query_is_left_alone(job):
    topic = Topic(job)
    topic.grow(200)
    job.run()
    everything = replay(job, "--dry-run")
    parts = [replay(job, "--dry-run", "--partition", str(number)) for number in (0, 1)]
    assert sum(part["rows"] for part in parts) == everything["rows"]
    reasons = everything["rowsByReason"]
    for reason, count in reasons.items():
        assert replay(job, "--dry-run", "--reason", reason)["rows"] == count

    low = replay(job, "--partition", "1", "--offsets", "..49")
    assert 0 < low["rows"] < parts[1]["rows"]
    rest = replay(job, "--partition", "1", "--offsets", "50..")
    assert low["rows"] + rest["rows"] == parts[1]["rows"]
    assert replay(job)["rows"] == parts[0]["rows"]
    verify(job)

    running = job.start(TRIGGER="0 seconds")
    running.wait_log("Resuming")
    process = job.start("rejects", "replay", "--job", KIND)
    process.wait_exit(30, 3)
    assert str(running.pid) in process.errors()
    assert replay(job, "--dry-run")["rows"] == 0
    running.stop()


def test_failfast_stops_at_the_first_that_still_fails(job):
    topic = Topic(job)
    topic.grow(100)
    job.run()
    process = job.start("rejects", "replay", "--job", KIND, PARSE_MODE="failfast")
    process.wait_exit(30, 8)
    assert "still cannot become a row" in process.errors()
    assert job.lake.batches(KIND, "offsets") == [0]
