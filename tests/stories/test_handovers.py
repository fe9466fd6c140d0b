"""One checkpoint and one table go from program to program: ours, Spark 3.5, Spark 4, and back."""

import json
import signal

import pyarrow.parquet
import pytest
from rig import spark_worker

PARTITIONS = 2
RECORDS = 100  # that each of them finds when it takes over
STATUSES = 3
SLOW_STATUSES = 60  # a batch that is to be killed has so many files that it takes its time

# In this order. "killed": SIGKILL in the middle of its batch, which the next one has to run again;
# ours between its manifest and its sink log entry, Spark when its first files are there.
PASSES = [
    ("ours", "runs"),
    ("spark35", "runs"),
    ("spark4", "runs"),
    ("ours", "runs"),
    ("spark35", "killed"),
    ("ours", "runs"),
    ("spark4", "runs"),
    ("ours", "killed"),
    ("spark4", "runs"),
    ("spark35", "runs"),
    ("ours", "runs"),
    ("spark4", "killed"),
    ("spark35", "runs"),
    ("ours", "runs"),
]


class Story:
    """The records, who has run, and what must be true of the directories after each of them."""

    def __init__(self, job, sparks):
        self.job = job
        self.sparks = sparks
        self.topic = job.create_topic(partitions=PARTITIONS)
        self.produced = 0
        self.table = job.lake.table("matches")
        self.checkpoint = job.lake.checkpoint("matches")

    def produce(self, count, statuses=STATUSES):
        for partition in range(PARTITIONS):
            numbers = range(self.produced + partition, self.produced + count, PARTITIONS)
            records = [{"match_id": f"m{n}", "status": f"s{n % statuses}"} for n in numbers]
            self.job.produce([json.dumps(record) for record in records], partition=partition)
        self.produced += count

    def next_batch(self):
        batches = self.job.lake.batches("matches", "offsets")
        return batches[-1] + 1 if batches else 0

    def sink_log(self, batch):
        ending = ".compact" if batch % 10 == 9 else ""
        return self.table / "_spark_metadata" / f"{batch}{ending}"

    def run(self, who):
        if who == "ours":
            self.job.run()
        else:
            self.sparks[who].run_job(self.job)

    def kill(self, who):
        """In the middle of its next batch."""
        batch = self.next_batch()
        if who == "ours":
            inject = "renameat2:error=EIO:signal=KILL"
            strace = ["strace", "-f", "-o", "/dev/null", "-P", self.sink_log(batch)]
            strace += ["-e", "trace=renameat2", "-e", f"inject={inject}"]
            self.job.run(under=strace, exit_code=-signal.SIGKILL)
            assert (self.checkpoint / "manifests" / str(batch)).exists()
        else:
            before = set(self.job.lake.files(self.table))
            self.sparks[who].begin_job(self.job)
            self.sparks[who].kill_when(lambda: set(self.job.lake.files(self.table)) - before)
            self.sparks[who].start()  # comes up while others run
        assert (self.checkpoint / "offsets" / str(batch)).exists()
        assert not self.sink_log(batch).exists()
        assert not (self.checkpoint / "commits" / str(batch)).exists()

    def identity(self):
        return json.loads((self.checkpoint / "metadata").read_text())["id"]

    def settings(self, batch):
        """The configuration map of the offset log."""
        lines = (self.checkpoint / "offsets" / str(batch)).read_text().splitlines()
        return json.loads(lines[1])["conf"]

    def assert_logs_are_complete(self):
        """Batch ids without a gap; compact files where they belong and only there."""
        newest = self.next_batch() - 1
        for log in ("offsets", "commits"):
            assert self.job.lake.batches("matches", log) == list(range(newest + 1))
        names = {path.name for path in self.sink_log(0).parent.glob("[0-9]*")}
        assert names == {self.sink_log(batch).name for batch in range(newest + 1)}


@pytest.fixture
def story(job, spark35, spark4):
    spark35.start()
    spark4.start()
    return Story(job, {"spark35": spark35, "spark4": spark4})


@pytest.mark.timeout(400)
def test_thirteen_hand_overs_three_of_them_after_a_kill_lose_and_repeat_nothing(story, spark):
    identity = None
    for who, how in PASSES:
        story.produce(RECORDS, SLOW_STATUSES if how == "killed" else STATUSES)
        if how == "killed":
            story.kill(who)
            continue
        story.run(who)

        identity = identity or story.identity()
        assert story.identity() == identity
        story.assert_logs_are_complete()
        assert spark_worker.count(spark, str(story.table)) == (story.produced, story.produced)
        if who == "ours":
            story.job.assert_exact()  # without the log, too
            newest = story.next_batch() - 1
            assert newest == 0 or story.settings(newest) == story.settings(newest - 1)

    assert story.next_batch() == len(PASSES)
    for reader in story.sparks.values():
        assert reader.count(story.table) == (story.produced, story.produced)


@pytest.mark.timeout(400)
def test_after_130_batches_of_ours_both_sparks_resume_and_keep_and_compact_as_we_do(story, spark):
    kept = 100  # spark.sql.streaming.minBatchesToRetain
    story.produce(260)
    story.job.run(MAX_OFFSETS_PER_TRIGGER=2)
    assert story.next_batch() == 130

    for number, who in enumerate(["ours", "spark35", "spark4", "ours"]):
        if number > 0:
            story.produce(RECORDS)
            story.run(who)
        newest = 129 + number
        for log in ("offsets", "commits"):
            assert story.job.lake.batches("matches", log) == list(range(newest - kept, newest + 1))
        names = {path.name for path in story.sink_log(0).parent.glob("[0-9]*")}
        assert {story.sink_log(batch).name for batch in range(119, newest + 1)} <= names
        assert names <= {story.sink_log(batch).name for batch in range(newest + 1)}
        assert len(story.job.lake.files(story.table)) == len(story.job.lake.listed("matches"))
        assert spark_worker.count(spark, str(story.table)) == (story.produced, story.produced)
    story.job.assert_exact()


def test_positions_that_went_back_are_the_same_for_spark(job, spark4):
    """Killed behind the manifest of the batch that moves them: Spark runs that batch again."""
    story = Story(job, {"spark4": spark4})
    story.produce(200)
    story.run("ours")
    job.create_topic_again(partitions=PARTITIONS)
    story.produce(60)
    job.settings["FAIL_ON_DATA_LOSS"] = "false"
    story.kill("ours")
    assert job.lake.planned_ends("matches", 1) == {0: 0, 1: 0}

    story.run("spark4")
    assert job.lake.planned_ends("matches", 2) == {0: 30, 1: 30}
    story.produce(20)
    story.run("ours")
    story.produce(20)
    story.run("spark4")

    names = []
    for path in job.lake.files(story.table):
        names += pyarrow.parquet.ParquetFile(path).read(["match_id"])["match_id"].to_pylist()
    assert sorted(names) == sorted(f"m{number}" for number in range(story.produced))
    text = job.verify()
    assert "every offset is present exactly once" in text
    assert [line.split()[:4] for line in text.splitlines()[2:6]] == [
        ["0", "0", "0", "100"],
        ["0", "1", "0", "100"],
        ["1", "0", "0", "50"],
        ["1", "1", "0", "50"],
    ]
