"""Small files become few, and old dates leave: while the query runs and while it does not, under real
readers, killed in the middle, and with Spark as the next writer."""

import json
import random
import re
import signal
import time

import pytest
from rig import readers

FILE = """\
CREATE TABLE sale_records (id STRING, shop STRING, amount INT, at TIMESTAMP) USING kafka OPTIONS (subscribe 'TOPIC');
CREATE STREAMING TABLE sales (
  id STRING NOT NULL, shop STRING, amount INT,
  kafka_timestamp TIMESTAMP, partition INT, offset BIGINT, processing_timestamp TIMESTAMP,
  day DATE
)
PARTITIONED BY (day, shop)
TBLPROPERTIES (OWN)
AS SELECT id, shop, amount, kafka_timestamp, partition, offset, processing_timestamp, CAST(at AS DATE) AS day
FROM STREAM sale_records;
"""

OLD, NEWER, FUTURE = "2026-11-01", "2026-11-02", "2099-01-01"
READERS = [readers.with_pyarrow, readers.with_duckdb, readers.with_polars]


class Table:
    """A job, one table of it, and what is asked of that table."""

    def __init__(self, job, kind, partitions=2):
        self.job, self.kind = job, kind
        self.directory = job.lake.table(kind)
        self.topic = job.topics[kind]
        job.broker.create_topic(self.topic, partitions)

    def files(self):
        return self.job.lake.files(self.directory)

    def ask(self, *words, exit_code=0, **settings):
        """A command's output."""
        settings = {**self.job.settings, "LOG_LEVEL": "WARNING", **settings}
        return self.job.program.run(*words, "--job", self.kind, exit_code=exit_code, **settings).log()

    def start(self, **settings):
        return self.job.start("--job", self.kind, **{"TRIGGER": "0 seconds", **settings})

    def fill(self, **settings):
        """All records of the topic, in many small batches."""
        self.job.run("--job", self.kind, **{"MAX_OFFSETS_PER_TRIGGER": 50, **settings})

    def ends(self):
        return self.job.broker.end_offsets(self.topic)

    def assert_exact(self):
        self.job.assert_exact(self.kind)
        self.assert_proven()

    def assert_proven(self):
        proof = self.ask("verify", "--json")
        assert json.loads(proof)["proven"], proof

    def assert_readers_agree(self, expected):
        for reader in READERS:
            assert reader(self.directory) == expected, reader.__name__


@pytest.fixture
def matches(job):
    return Table(job, "matches")


@pytest.fixture
def sales(job, tmp_path):
    return make_sales(job, tmp_path)


def make_sales(job, directory, properties="parseMode = 'reject'"):
    job.topics["sales"] = job.topics["matches"].replace("matches", "sales")
    path = directory / "sales.sql"
    path.write_text(FILE.replace("TOPIC", job.topics["sales"]).replace("OWN", properties))
    job.settings["QUERIES_PATH"] = path
    return Table(job, "sales", 1)


def sale(number, day):
    return json.dumps({"id": f"S-{number}", "shop": "AB"[number % 2], "amount": number, "at": f"{day}T12:00:00Z"})


def numbers_of(line):
    """[files before, files after, rows] of a line about a compaction."""
    found = re.search(r"compacted (\d+) files? .* into (\d+) files? .*, (\d+) rows?, in", line)
    return [int(number) for number in found.groups()]


def test_a_command_merges_files_while_the_query_runs_and_while_it_does_not(matches, spark):
    job = matches.job
    job.broker.generate(matches.topic, "matches", 600, 2, "--malformed", "3")
    process = matches.start(MAX_OFFSETS_PER_TRIGGER=50)
    job.wait_committed(process, matches.ends())
    files, before = len(matches.files()), readers.with_pyarrow(matches.directory)
    rejects = len(job.lake.files(job.lake.rejects("matches")))
    planned = matches.ask("compact", "--dry-run")
    assert "status=live: would merge" in planned
    assert len(matches.files()) == files

    said = matches.ask("compact").splitlines()
    assert not (job.lake.checkpoint("matches") / "request").exists()
    assert not (job.lake.checkpoint("matches") / "answer").exists()
    merged, made, _ = numbers_of(said[0])
    assert merged - made == files - len(matches.files())
    assert made == len(list(matches.directory.glob("status=*")))
    assert f"compacted {rejects} files" in said[1]
    matches.assert_readers_agree(before)
    assert readers.with_spark(spark, matches.directory)[1] == before[1]
    line = process.wait_log(r"Files were merged \| of=table")
    assert f"files_before={merged} | files_after={made}" in line

    # The query runs on, and a later compact file of the log has what was merged.
    job.broker.generate(matches.topic, "matches", 600, 2, start=600)
    job.wait_committed(process, matches.ends())
    process.stop()
    matches.assert_exact()

    files, before = len(matches.files()), readers.with_pyarrow(matches.directory)
    said = matches.ask("compact").splitlines()
    merged, made, _ = numbers_of(said[0])
    assert merged - made == files - len(matches.files())
    matches.assert_readers_agree(before)
    assert readers.with_spark(spark, matches.directory)[1] == before[1]
    assert "no small files to merge" in matches.ask("compact", "--older-than", "1 day")
    assert "younger than --older-than" in matches.ask("compact", "--older-than", "1 day", "--dry-run")
    job.broker.generate(matches.topic, "matches", 100, 2, start=1200)
    job.run()
    matches.assert_exact()


def test_nothing_is_merged_before_the_log_has_a_compact_file(matches):
    matches.job.broker.generate(matches.topic, "matches", 50, 2)
    matches.fill()
    assert "nothing can be done before batch 9" in matches.ask("compact")


def test_live_files_are_merged_while_batches_continue(matches):
    job = matches.job
    process = matches.start(COMPACT="1 second", MAX_OFFSETS_PER_TRIGGER=20)
    process.wait_log("COMPACT merges files that are younger than 7 days")
    for number in range(100):  # a batch fills the log's next compact file, so that more can be merged
        job.broker.generate(matches.topic, "matches", 100, 2, start=100 * number)
        job.wait_committed(process, matches.ends())
        if len(process.lines(r"Files were merged \| of=table")) >= 2:
            break
    process.wait_log(r"Files were merged \| of=table", count=2)
    process.stop()
    matches.assert_exact()
    merged = sum(int(re.search(r"files_before=(\d+)", line)[1]) for line in process.lines("Files were merged"))
    assert merged > 20
    assert process.lines("Cannot take care") == []


def test_a_closed_date_is_merged_at_the_end_of_a_run(job, tmp_path):
    sales = make_sales(job, tmp_path, "compact = 'closed'")
    job.produce([sale(n, [OLD, NEWER, FUTURE][n % 3]) for n in range(600)], "sales")
    sales.fill(MAX_OFFSETS_PER_TRIGGER=30)  # 20 batches: those to 19 are in a compact file of the log
    counts = {day: len(job.lake.files(sales.directory / f"day={day}")) for day in (OLD, NEWER, FUTURE)}
    assert counts == {OLD: 2, NEWER: 2, FUTURE: 40}
    sales.assert_exact()
    sales.fill()
    sales.assert_exact()


def test_the_date_of_the_kafka_timestamp_is_over_too(matches):
    job = matches.job
    producer = job.broker.producer()
    days_ago = int(time.time() * 1000) - 5 * 24 * 3600 * 1000
    for number in range(400):
        record = {"match_id": f"m{number}", "status": "ab"[number % 2]}
        stamp = 0 if number % 4 == 0 else days_ago  # 0: now
        producer.produce(matches.topic, json.dumps(record), partition=0, timestamp=stamp)
    producer.flush()
    dates = {"COMPACT": "closed", "MATCHES_PARTITION_BY": "ingest_date,status"}
    matches.fill(MAX_OFFSETS_PER_TRIGGER=20, **dates)  # 20 batches
    counts = sorted(len(job.lake.files(path)) for path in matches.directory.glob("ingest_date=*/status=*"))
    assert counts == [1, 1, 20]  # of today only one status
    job.assert_exact()
    assert json.loads(matches.ask("verify", "--json", **dates))["proven"]


def test_spark_continues_after_a_compaction_and_we_after_spark(matches, spark4):
    job = matches.job
    job.broker.generate(matches.topic, "matches", 600, 2)
    matches.fill()
    matches.ask("compact")
    matches.assert_exact()
    for number in (1, 2):  # Spark reads the compact file that was written in place, and makes the next one
        job.broker.generate(matches.topic, "matches", 60, 2, start=600 * number)
        spark4.run_job(job)
        matches.assert_exact()
        job.broker.generate(matches.topic, "matches", 300, 2, start=600 * number + 100)
        matches.fill()
        matches.assert_exact()
        matches.ask("compact")
        matches.assert_exact()


def test_a_kill_in_the_middle_of_a_compaction_loses_and_repeats_nothing(matches):
    job = matches.job
    job.broker.generate(matches.topic, "matches", 600, 2)
    matches.fill()
    random.seed(17)
    for number in range(6):
        inject = f"renameat2:signal=KILL:when={random.randint(1, 8)}"
        strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=renameat2", "-e", f"inject={inject}"]
        settings = {**job.settings, "COMPACT_TARGET_FILE_SIZE": "128m"}
        process = job.program.start("compact", "--job", "matches", under=strace, **settings)
        process.wait_exit(60)
        assert process.poll() in (0, -signal.SIGKILL)
        job.broker.generate(matches.topic, "matches", 60, 2, start=600 + 60 * number)
        matches.fill(MAX_OFFSETS_PER_TRIGGER=10)
        matches.assert_exact()
    matches.ask("compact")
    matches.assert_exact()


def test_a_damaged_file_is_named_once_and_the_others_are_merged(matches):
    job = matches.job
    job.broker.generate(matches.topic, "matches", 600, 2)
    matches.fill()
    damaged = job.lake.files(matches.directory / "status=live")[0]
    bytes_before = damaged.read_bytes()
    damaged.write_bytes(bytes_before[:8] + b"x" * 200 + bytes_before[208:])

    process = matches.start(COMPACT="1 second")
    process.wait_log(r"Files were merged \| of=table")
    process.wait_log("A file cannot be merged, and is left alone")  # perhaps by a later pass
    (line,) = process.lines("A file cannot be merged, and is left alone")
    assert damaged.name in line
    process.stop()
    assert damaged.exists()
    process = job.program.start("compact", "--job", "matches", **job.settings)
    process.wait_exit(60, 5)
    assert damaged.name in process.log()
    assert "1 file could not be merged" in process.errors()
    damaged.write_bytes(bytes_before)
    matches.ask("compact")
    assert not damaged.exists()
    matches.assert_exact()


def test_a_directory_that_is_a_link_is_named_once_and_the_others_are_merged(matches):
    job = matches.job
    job.broker.generate(matches.topic, "matches", 600, 2)
    matches.fill()
    leaf, elsewhere = matches.directory / "status=live", matches.directory.parent / "elsewhere"
    leaf.rename(elsewhere)
    leaf.symlink_to(elsewhere)
    linked = sorted(elsewhere.iterdir())

    process = matches.start(COMPACT="1 second")
    process.wait_log(r"Files were merged \| of=table")
    process.wait_log("Files of a directory cannot be merged, and are left alone")
    (line,) = process.lines("Files of a directory cannot be merged, and are left alone")
    assert "status=live' is not a directory itself" in line
    process.stop()
    planned = job.program.run("compact", "--job", "matches", "--dry-run", exit_code=5, **job.settings)
    assert "status=live: would merge" not in planned.log()
    process = job.program.run("compact", "--job", "matches", exit_code=5, **job.settings)
    assert "1 directory could not be merged" in process.errors()
    assert sorted(elsewhere.iterdir()) == linked and leaf.is_symlink()
    matches.assert_proven()

    leaf.unlink()
    elsewhere.rename(leaf)
    matches.ask("compact")
    matches.assert_exact()


def test_a_file_system_that_does_not_move_directories_is_noticed_before_anything_is_recorded(matches):
    """An overlay does not move directories of its lower layers, as those that an image brings; new ones it does."""
    job = matches.job
    job.broker.generate(matches.topic, "matches", 600, 2)
    matches.fill()
    root, upper = job.lake.root, job.lake.root.parent / "upper"
    upper.mkdir()
    script = f"""
        mount -t tmpfs tmpfs {upper} && mkdir {upper}/layer {upper}/work || exit 90
        mount -t overlay overlay -o lowerdir={root},upperdir={upper}/layer,workdir={upper}/work {root} || exit 91
        "$0" compact --job matches && exit 92
        echo "ended with $?"
        [ ! -e {job.lake.checkpoint("matches")}/changes ] || exit 93
        "$0" verify --job matches && "$0" --job matches --trigger availableNow && "$0" verify --job matches"""
    job.broker.generate(matches.topic, "matches", 60, 2, start=600)
    process = job.program.start(under=["unshare", "-m", "sh", "-c", script], **{**job.settings, "COMPACT": "1 second"})
    process.wait_exit(60, 0)
    text = process.log() + process.errors()
    assert "ended with 5" in text and "directories could not be merged" in text
    assert text.count("lower layer of an overlay") >= 3
    assert text.count("every offset is present exactly once") == 2
    # Elsewhere the same lake can be compacted.
    matches.ask("compact")
    job.run()
    matches.assert_exact()


def test_a_date_behind_a_link_waits_and_the_others_expire(sales):
    job = sales.job
    job.produce([sale(number, f"2026-01-0{1 + number % 2}") for number in range(40)], "sales")
    sales.fill(MAX_OFFSETS_PER_TRIGGER=2)
    leaf = next(path for path in sales.directory.glob("*=2026-01-01/*") if path.is_dir())
    elsewhere = sales.directory.parent / "elsewhere"
    leaf.rename(elsewhere)
    leaf.symlink_to(elsewhere)
    said = sales.ask("expire", "--before", FUTURE)
    assert "2026-01-01: waits: " in said and "is not a directory itself" in said
    assert "2026-01-02" in said and not list(sales.directory.glob("*=2026-01-02/*/*.parquet"))
    assert list(elsewhere.iterdir())


def test_ctrl_c_ends_a_compaction_that_waits_and_says_so(matches):
    job = matches.job
    job.broker.generate(matches.topic, "matches", 600, 2)
    process = matches.start(MAX_OFFSETS_PER_TRIGGER=50)
    job.wait_committed(process, matches.ends())
    process.pause()
    for number in (signal.SIGINT, signal.SIGTERM):
        waiting = job.program.start("compact", "--job", "matches", **job.settings)
        waiting.wait_until((job.lake.checkpoint("matches") / "request").exists, what="its request")
        waiting.signal(number)
        waiting.wait_exit(30, 128 + number)
        assert f"ended by {number.name} before it was done" in waiting.errors()
        assert not (job.lake.checkpoint("matches") / "request").exists()
    process.resume()
    matches.ask("compact")
    process.stop()
    matches.assert_exact()


@pytest.mark.parametrize("end", ["stop", "pause"])
def test_files_are_merged_while_the_query_waits_for_kafka(matches, end):
    job = matches.job
    job.broker.generate(matches.topic, "matches", 600, 2)
    process = matches.start(MAX_OFFSETS_PER_TRIGGER=50)
    job.wait_committed(process, matches.ends())
    ends, files, before = matches.ends(), len(matches.files()), readers.with_pyarrow(matches.directory)
    getattr(job.broker, end)()
    try:
        process.wait_log("Waiting for Kafka")
        merged, made, _ = numbers_of(matches.ask("compact").splitlines()[0])
        assert merged - made == files - len(matches.files()) > 0
        matches.assert_readers_agree(before)
        assert "no small files to merge" in matches.ask("compact")
    finally:
        job.broker.start() if end == "stop" else job.broker.resume()
    assert matches.ends() == ends
    job.broker.generate(matches.topic, "matches", 60, 2, start=600)
    job.wait_committed(process, matches.ends(), timeout=60)
    process.stop()
    matches.assert_exact()


def test_old_dates_expire_and_late_rows_make_them_again(sales):
    job = sales.job
    job.produce([sale(n, [OLD, NEWER, FUTURE][n % 3]) for n in range(600)], "sales")
    sales.fill(MAX_OFFSETS_PER_TRIGGER=30)
    kept = {key for key, day in days_of(sales).items() if day == FUTURE}

    said = sales.ask("expire", "--before", "2026-11-02", "--dry-run")
    assert "day=2026-11-01: 40 files" in said
    assert "wait: the newest was committed on" in said  # today, and not before that day
    said = sales.ask("expire", "--before", "2099-01-01", "--dry-run")
    assert "day=2026-11-01: 40 files" in said
    assert "would expire" in said
    assert set(days_of(sales).values()) == {OLD, NEWER, FUTURE}

    process = sales.start()
    process.wait_log("Resuming from the checkpoint")  # from here on the query has the lock
    said = sales.ask("expire", "--before", "2099-01-01")
    assert "expired 80 files" in said
    assert "day=2026-11-01, day=2026-11-02" in said
    assert set(days_of(sales)) == kept
    process.wait_log("Dates have expired")
    newest = [json.loads(line) for line in sales.ask("tail", "--rows", "1000", "--json").splitlines()]
    assert {(row["partition"], row["offset"]) for row in newest} == kept  # although the others are still kept

    job.produce([sale(1000, OLD)], "sales")
    job.wait_committed(process, sales.ends(), "sales")
    process.stop()
    assert sorted(set(days_of(sales).values())) == [OLD, FUTURE]
    sales.assert_proven()
    (partition,) = json.loads(sales.ask("verify", "--json"))["partitions"]
    assert partition["end"] == 601


def days_of(table):
    """{(partition, offset): day} by DuckDB."""
    _, rows = readers.with_duckdb(table.directory)
    return {(row["partition"], row["offset"]): str(row["day"]) for row in rows}


def test_a_retention_reports_dates_that_cannot_be_and_keeps_them(job, tmp_path):
    sales = make_sales(job, tmp_path, "retention = '30 days'")
    job.produce([sale(n, ["1970-01-01", FUTURE][n % 2]) for n in range(300)], "sales")
    sales.fill(MAX_OFFSETS_PER_TRIGGER=20)
    process = sales.start()
    line = process.wait_log("Partitions do not expire")
    assert "day=1970-01-01, day=2099-01-01" in line
    process.stop()
    assert set(days_of(sales).values()) == {"1970-01-01", FUTURE}
