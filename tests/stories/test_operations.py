"""Operations on a stopped query: adopt, release, relocate, rewind. Spark checks the results."""

import datetime
import json
import os
import shutil

import pyarrow
import pytest
from pyarrow import parquet
from rig.lake import Lake

KIND = "matches"
VERSIONS = {"3.5": "spark35", "4": "spark4"}


class Topic:
    """A growing topic. The table must have each offset once, read through the log and through a glob."""

    def __init__(self, job, partitions=2):
        self.job = job
        self.partitions = partitions
        self.name = job.create_topic(partitions=partitions)
        self.count = 0

    def grow(self, count):
        self.job.broker.generate(self.name, KIND, count, self.partitions, start=self.count)
        self.count += count

    def assert_once(self, *sparks):
        lake = self.job.lake
        lake.assert_holds(KIND, self.job.broker.end_offsets(self.name))
        for spark in sparks:
            assert spark.count(lake.table(KIND)) == (self.count, self.count)


def operate(job, *command, exit_code=0, **settings):
    """Runs one command and returns what it printed."""
    process = job.start(*command, "--job", "matches", **settings)
    process.wait_exit(60, exit_code)
    return process.log() + process.errors()


def kill_in_commit_window(job, spark):
    """Leaves a foreachBatch batch with all files in place but without a commit."""
    lake = job.lake
    success = lake.table(KIND) / "_SUCCESS"
    before = success.stat().st_mtime_ns
    spark.start_job(job, sink="foreachBatch", linger=60)

    def written():
        planned, done = lake.batches(KIND, "offsets"), lake.batches(KIND)
        return planned[-1] > done[-1] and success.stat().st_mtime_ns > before

    spark.kill_when(written)
    assert lake.batches(KIND, "offsets")[-1] == lake.batches(KIND)[-1] + 1


def orphans(job):
    return list((job.lake.table(KIND) / "_orphans").glob("**/*.orphan"))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("version", VERSIONS)
def test_a_foreach_batch_table_is_adopted_and_released(job, request, version):
    """Young (C < 9) and old (C >= 9), each time after a kill between a batch's files and its commit."""
    spark = request.getfixturevalue(VERSIONS[version])
    topic = Topic(job)
    log = job.lake.table(KIND) / "_spark_metadata"

    topic.grow(300)
    spark.run_job(job, sink="foreachBatch", max_offsets=100)
    topic.grow(60)
    kill_in_commit_window(job, spark)
    assert job.lake.batches(KIND)[-1] == 2
    assert sum(job.lake.keys(job.lake.table(KIND)).values()) == 360  # 300 of them in committed batches
    said = operate(job, "adopt")
    assert "as of batch 2" in said and len(orphans(job)) > 0
    assert sorted(os.listdir(log)) == ["0", "1", "2"]
    job.lake.assert_holds(KIND, job.lake.planned_ends(KIND, 2))
    job.lake.assert_listed(KIND)
    job.run()
    topic.grow(50)
    spark.run_job(job)  # the file sink
    topic.assert_once(spark)
    job.lake.assert_listed(KIND)

    assert "no longer has a sink log" in operate(job, "release")
    assert not log.exists()
    topic.grow(350)
    job.run(MAX_OFFSETS_PER_TRIGGER=50)  # without a sink log, as in the job
    assert not log.exists()
    topic.grow(50)
    spark.run_job(job, sink="foreachBatch")
    topic.grow(60)
    set_aside = len(orphans(job))
    kill_in_commit_window(job, spark)
    newest = job.lake.batches(KIND)[-1]
    assert newest >= 12
    assert f"as of batch {newest}" in operate(job, "adopt")
    assert "nothing to do" in operate(job, "adopt")
    assert len(orphans(job)) > set_aside
    assert sorted(os.listdir(log)) == sorted(
        ["9.compact", *[str(batch) for batch in range(10, newest + 1)]]
    )
    topic.grow(600)
    job.run(MAX_OFFSETS_PER_TRIGGER=100)  # across 19.compact
    topic.grow(100)
    spark.run_job(job)
    topic.assert_once(spark)
    job.lake.assert_listed(KIND)
    assert (log / "19.compact").exists()


@pytest.mark.timeout(300)
def test_a_glob_does_not_see_a_batch_that_was_killed_before_its_files_were_in_place(job, spark4):
    topic = Topic(job)
    topic.grow(100)
    spark4.run_job(job, sink="foreachBatch")
    topic.grow(40000)
    spark4.start_job(job, sink="foreachBatch")
    temporary = job.lake.table(KIND) / "_temporary"
    spark4.kill_when(lambda: any(temporary.glob("0/_temporary/*/*/*.parquet")))
    job.run()
    topic.assert_once(spark4)


def test_a_log_that_disagrees_is_not_released(job):
    topic = Topic(job)
    topic.grow(50)
    job.run()
    table = job.lake.table(KIND)
    (path, *_) = job.lake.files(table)
    # Without offsets, so that no start may mistake it for the leftover of a crash.
    strange = path.with_name("part-of-somebody-else.parquet")
    parquet.write_table(pyarrow.table({"match_id": ["m-1"]}), strange)
    said = operate(job, "release", exit_code=5)
    assert f"{strange.name}' exists but is not listed" in said
    strange.unlink()
    operate(job, "release")
    job.run()
    topic.assert_once()


def tree(root):
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.glob("**/*"))
        if path.is_file() and path.name not in ("lock", "_lock")
    }


@pytest.mark.timeout(600)
def test_a_moved_lake_is_refused_until_relocated_and_then_continues(job, spark35, spark4, tmp_path):
    topic = Topic(job)
    topic.grow(600)
    job.run(MAX_OFFSETS_PER_TRIGGER=60)  # 0..9, so across 9.compact
    topic.grow(60)
    spark4.run_job(job)
    topic.grow(60)
    job.run()

    moved = tmp_path / "an other place"
    job.lake.root.rename(moved)
    job.lake = Lake(moved)
    job.settings["DATA_LAKE_PATH"] = moved
    before = tree(moved)
    said = operate(job, "release", exit_code=5)
    assert "esports-stream relocate" in said
    job.run(exit_code=5)
    assert tree(moved) == before
    (lost, *_) = job.lake.files(job.lake.table(KIND))
    lost.rename(tmp_path / "lost")
    assert lost.name in operate(job, "relocate", exit_code=5)
    (tmp_path / "lost").rename(lost)
    assert tree(moved) == before

    assert "is now at" in operate(job, "relocate")
    topic.assert_once(spark35, spark4)
    job.lake.assert_listed(KIND)
    topic.grow(60)
    spark35.run_job(job)
    topic.grow(60)
    job.run()
    topic.assert_once(spark35, spark4)
    shutil.rmtree(moved)


@pytest.mark.timeout(600)
def test_batches_of_both_programs_are_rewound_and_run_again(job, spark35, spark4):
    """A rewind past a compact file, over batches of our program and of Spark. Then each resumes."""
    topic = Topic(job)
    table = job.lake.table(KIND)
    topic.grow(250)
    job.run(MAX_OFFSETS_PER_TRIGGER=50)  # 0..4
    topic.grow(300)
    spark4.run_job(job, max_offsets=50)  # 5..10, so 9.compact is Spark's
    topic.grow(100)
    job.run(MAX_OFFSETS_PER_TRIGGER=50)  # 11 and 12
    assert job.lake.batches(KIND)[-1] == 12

    for to_batch, resumed_by in ((10, "ours"), (7, "spark"), (3, "ours")):
        said = operate(job, "rewind", "--to-batch", str(to_batch))
        assert f"rewound to batch {to_batch}" in said
        ends = job.lake.planned_ends(KIND, to_batch)
        assert spark35.count(table) == (sum(ends.values()),) * 2
        job.lake.assert_holds(KIND, ends)
        job.lake.assert_listed(KIND)
        if resumed_by == "ours":
            job.run(MAX_OFFSETS_PER_TRIGGER=50)
        else:
            spark35.run_job(job, max_offsets=50)
        topic.assert_once(spark35)
    assert list((table / "_rewound").glob("**/*.rewound"))
    assert not list((table / "_rewound").glob("**/*.parquet"))
    job.lake.assert_listed(KIND)


@pytest.mark.timeout(600)
def test_an_adopted_table_is_rewound_by_the_rows_in_its_files(job, spark4):
    topic = Topic(job)
    topic.grow(650)
    spark4.run_job(job, sink="foreachBatch", max_offsets=50)  # 0..12
    operate(job, "adopt")
    topic.grow(50)
    job.run()
    for to_batch in (11, 6):
        assert f"rewound to batch {to_batch}" in operate(job, "rewind", "--to-batch", str(to_batch))
        ends = job.lake.planned_ends(KIND, to_batch)
        assert spark4.count(job.lake.table(KIND)) == (sum(ends.values()),) * 2
        job.lake.assert_holds(KIND, ends)
        job.lake.assert_listed(KIND)
        if to_batch == 11:
            job.run(MAX_OFFSETS_PER_TRIGGER=50)
        else:
            spark4.run_job(job, max_offsets=50)
        topic.assert_once(spark4)
        job.lake.assert_listed(KIND)

    operate(job, "release")
    operate(job, "rewind", "--to-batch", "8")  # no sink log; some of the batches are Spark's
    job.lake.assert_holds(KIND, job.lake.planned_ends(KIND, 8))
    job.run()
    topic.assert_once(spark4)


def test_mistakes_on_the_command_line_are_usage_errors(job):
    for words, what in (
        (["--to-batch", "3"], "--to-batch can only be used with the command rewind"),
        (["adopt", "--to-batch", "3"], "--to-batch can only be used with the command rewind"),
        (["rewind", "--job", "matches"], "rewind needs --to-batch N or --to-time TIME"),
        (["rewind", "--job", "matches", "--to-batch", "1", "--to-time", "1h"], "not both"),
        (["rewind", "--to-batch", "3"], "rewind needs --job"),
        (["rewind", "--job", "all", "--to-batch", "3"], "rewind needs --job"),
    ):
        process = job.program.run(*words, exit_code=2, **job.settings)
        assert what in process.errors() + process.log()
    operate(job, "adopt", exit_code=2)  # never ran


def test_a_running_query_is_left_alone(job):
    topic = Topic(job)
    topic.grow(20)
    running = job.start(TRIGGER="0 seconds")
    job.wait_committed(running, {0: 10, 1: 10})
    for command in (["adopt"], ["release"], ["relocate"], ["rewind", "--to-batch", "0"]):
        assert str(running.pid) in operate(job, *command, exit_code=3)
    running.stop()
    topic.assert_once()


def noted(job):
    """What the history of the checkpoint knows, by batch."""
    files = (job.lake.checkpoint(KIND) / "history").iterdir()
    texts = [path.read_text().split("\n", 1)[1] for path in files if path.name.isdigit()]
    return {entry["batch"]: entry for text in texts for entry in json.loads(text)["entries"]}


@pytest.mark.timeout(600)
def test_batches_whose_plans_are_gone_are_rewound_and_run_again(job, spark35, spark4):
    """Hundreds of batches back, over Spark's with INT96 files, after Spark has deleted the plans."""
    topic = Topic(job)
    lake, table = job.lake, job.lake.table(KIND)
    topic.grow(600)
    job.run(MAX_OFFSETS_PER_TRIGGER=4)
    ours = lake.batches(KIND)[-1]
    assert ours > 110
    topic.grow(40)
    spark4.run_job(job, max_offsets=20)
    sparks = lake.batches(KIND)[-1]
    topic.grow(480)
    job.run(MAX_OFFSETS_PER_TRIGGER=4)
    topic.grow(20)
    history = tree(lake.checkpoint(KIND) / "history")
    spark35.run_job(job)
    assert lake.batches(KIND, "offsets")[0] > sparks
    assert tree(lake.checkpoint(KIND) / "history") == history
    entries = noted(job)
    assert entries[sparks]["spark"] and entries[ours]["ranges"]

    at = datetime.datetime.fromtimestamp(entries[91]["timestampMs"] / 1000, datetime.timezone.utc)
    for target, newest, resumed_by in (
        (["--to-batch", str(sparks)], sparks, "ours"),
        (["--to-time", at.isoformat(timespec="milliseconds")], 90, "spark"),
        (["--to-batch", "20"], 20, "ours"),
    ):
        said = operate(job, "rewind", *target)
        assert f"rewound to batch {newest}" in said
        ends = {int(partition): end for partition, end in entries[newest]["ends"].items()}
        assert lake.planned_ends(KIND, newest) == ends
        assert spark4.count(table) == (sum(ends.values()),) * 2
        lake.assert_holds(KIND, ends)
        lake.assert_listed(KIND)
        operate(job, "verify")
        if resumed_by == "ours":
            job.run(MAX_OFFSETS_PER_TRIGGER=50)
        else:
            spark35.run_job(job, max_offsets=50)
        topic.assert_once(spark35)
        lake.assert_listed(KIND)
    job.run()
    operate(job, "verify")

    job.broker.delete_records(topic.name, {0: 40})
    said = operate(job, "rewind", "--to-batch", "3", exit_code=2)
    assert "partition 0 needs offset" in said and "the first that Kafka has is 40" in said
    assert "The oldest batch that can stay is" in said
    topic.assert_once()
    said = operate(job, "rewind", "--to-batch", "3", "--no-kafka-check")
    assert "rewound to batch 3" in said
