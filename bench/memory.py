#!/usr/bin/env python3
"""The budget under pressure: SPARK_DRIVER_MEMORY of 64m, 256m and 1g with topics that need much memory, by two
workers, in a control group of 1.5 times the budget. The program may be slow; it may not die or take more.

    ordinary   8 partitions of generated matches
    hard       8 partitions, 1,000 different partition values, a megabyte of text in every thousandth record
    wide       the same in 500 partitions

Fails if the peak is above the budget, the kernel ended the program, or a row is missing.

And record batches that unpack to much, for each codec. One of up to half of the memory that is not fixed is read. Of
larger ones (docs/internals/batches.md), one of zstd is read, or ends the query with exit code 2 and a message that
names topic, partition and offset; librdkafka has no limit for one of gzip, snappy or lz4, so that the kernel may end
the program. That is written down, and is not a failure. Writes bench/results/memory.md."""

import contextlib
import itertools
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

import duckdb  # noqa: E402
from rig.broker import Broker  # noqa: E402

PROGRAM = ROOT / "build" / "release" / "esports-stream"
GEN = ROOT / "build" / "release" / "tests" / "tools" / "gen"
BUDGETS_MB = {"64m": 64, "256m": 256, "1g": 1024}
TOPICS = {"ordinary": 8, "hard": 8, "wide": 500}  # partitions
VALUES = 1000
ROUNDS = 3
LARGE = 1_000_000
OUT_OF_BUDGET = 2  # the exit code
FIXED_MB = 32  # of each budget (streaming.c)
LIMITED = "zstd"  # the only codec whose batches librdkafka unpacks within a limit
groups = itertools.count(1)


def hard_records(count):
    """Records have 1,000 different statuses, and every thousandth is a megabyte of text."""
    for number in range(count):
        record = {
            "match_id": f"match-{number:08d}",
            "status": f"status-{number * 7919 % VALUES:04d}",
            "tournament_name": f"tournament {number % 300}",
            "team_1_kills": number % 40,
            "started_at": "2025-03-01T12:00:00Z",
        }
        if number % 1000 == 0:
            record["game_version"] = "x" * LARGE
        yield json.dumps(record)


def produce_hard(broker, topic, partitions, count):
    command = [GEN, "--stdin", "--type", "matches", "--brokers", broker.bootstrap, "--topic", topic]
    command += ["--partitions", partitions, "-X", "message.max.bytes=2000000"]
    with subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, text=True) as process:
        for line in hard_records(count):
            process.stdin.write(line + "\n")
        process.stdin.close()
        if process.wait() != 0:
            sys.exit("gen failed")


# ---- the control group ----


class ControlGroup:
    """Of version 1 or 2, whichever has the memory controller, as a machine without swap: what does not fit is killed."""

    def __init__(self, limit):
        first = pathlib.Path("/sys/fs/cgroup/memory")
        self._is_1 = (first / "memory.limit_in_bytes").exists()
        self.path = (first if self._is_1 else pathlib.Path("/sys/fs/cgroup")) / f"esports-bench-{os.getpid()}-{next(groups)}"
        self.path.mkdir()
        (self.path / ("memory.limit_in_bytes" if self._is_1 else "memory.max")).write_text(str(limit))

    def enter(self, command):
        return ["sh", "-c", f'echo $$ >{self.path}/cgroup.procs; exec "$@"', "sh", *command]

    def kills(self):
        text = (self.path / ("memory.oom_control" if self._is_1 else "memory.events")).read_text()
        return int(re.search(r"^oom_kill (\d+)", text, re.M).group(1))

    def close(self):
        self.path.rmdir()


def run(broker, topic, budget, work):
    """Figures of a run to the end of the topic; `kills`: how often the kernel ended it."""
    lake, result = work / "lake", work / "measured.json"
    shutil.rmtree(lake, ignore_errors=True)
    settings = {
        "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap,
        "KAFKA_TOPIC_MATCHES": topic,
        "DATA_LAKE_PATH": str(lake),
        "SPARK_DRIVER_MEMORY": budget,
        "SPARK_MASTER_URL": "local[2]",
        "SPARK_UI_PORT": "0",
    }
    with contextlib.closing(ControlGroup(BUDGETS_MB[budget] * 3 * 2**20 // 2)) as group:
        program = group.enter([PROGRAM, "--job", "matches", "--trigger", "availableNow"])
        command = [sys.executable, ROOT / "bench" / "measure.py", result, *program]
        with open(work / "log", "w") as log:
            subprocess.run([str(word) for word in command], env={**os.environ, **settings}, stdout=log, stderr=log)
        kills = group.kills()
    figures = json.loads(result.read_text())
    rows = 0
    if list(lake.glob("processed/matches/**/*.parquet")):
        files = f"read_parquet('{lake}/processed/matches/**/*.parquet')"
        ((rows,),) = duckdb.sql(f"SELECT count(DISTINCT (partition, \"offset\")) FROM {files}").fetchall()
    kept = ("wall_s", "cpu_s", "rss_peak_mb", "exit_code")
    return {"rows": rows, **{name: figures[name] for name in kept}, "kills": kills}


def worst(runs):
    """A budget is kept always or not at all: the most of all rounds."""
    return {name: max(figures[name] for figures in runs) for name in runs[0]}


def fail_unless(kept, what, figures):
    if not kept:
        sys.exit(f"{what}: {figures}")


def measure_topics(broker, work, count):
    found = {}
    for topic, partitions in TOPICS.items():
        broker.create_topic(topic, partitions, max_message_bytes=2_000_000)
        if topic == "ordinary":
            broker.generate(topic, "matches", count, partitions, "--compression", "lz4")
        else:
            produce_hard(broker, topic, partitions, count)
        for budget, most_mb in BUDGETS_MB.items():
            runs = [run(broker, topic, budget, work) for _ in range(ROUNDS)]
            what = f"{topic}, {budget}"
            for figures in runs:
                fail_unless(figures["rows"] == count and figures["exit_code"] == 0, what, figures)
                fail_unless(figures["kills"] == 0 and figures["rss_peak_mb"] <= most_mb, what, figures)
            found[what] = {**worst(runs), "outcome": "read"}
            print(what, found[what], flush=True)
    return found


def produce_packed(broker, topic, codec, mebibytes):
    """One record batch that unpacks to so much, of records of a megabyte each."""
    producer = broker.producer(
        compression_type=codec, linger_ms=5000, batch_size=2**31 - 1, message_max_bytes=10**9, queue_buffering_max_kbytes=2**20
    )
    for number in range(mebibytes):
        value = json.dumps({"match_id": f"M{number}", "status": "live", "game_version": "x" * (2**20 - 64)})
        producer.produce(topic, value, partition=0)
    fail_unless(producer.flush(120) == 0, "not produced", (codec, mebibytes))


def packed_outcome(figures, mebibytes, log, topic):
    if figures["exit_code"] == 0 and figures["rows"] == mebibytes:
        return "read"
    if figures["exit_code"] == OUT_OF_BUDGET and re.search(rf"CRITICAL.*{topic}\D+0\b.*\b0\b", log):
        return "refused: exit code 2, with topic, partition and offset"
    return "killed by the kernel" if figures["kills"] else "failed"


def packed_outcomes(codec, mebibytes, budget):
    """The first letters of those that are documented."""
    if mebibytes <= (BUDGETS_MB[budget] - FIXED_MB) // 2:
        return ("read",)
    return ("read", "refused") if codec == LIMITED else ("read", "refused", "killed")


def measure_packed(broker, work):
    found = {}
    for codec in ("gzip", "snappy", "lz4", "zstd"):
        for budget, mebibytes in (("64m", 8), ("64m", 24), ("64m", 96), ("256m", 96)):
            what = f"{codec}: {mebibytes} MiB in one record batch, {budget}"
            topic = f"packed-{codec}-{mebibytes}-{budget}"
            broker.create_topic(topic, 1, max_message_bytes=10**8)
            produce_packed(broker, topic, codec, mebibytes)
            figures = run(broker, topic, budget, work)
            log = (work / "log").read_text()
            outcome = packed_outcome(figures, mebibytes, log, topic)
            fail_unless(outcome.startswith(packed_outcomes(codec, mebibytes, budget)), what, (figures, outcome, log[-2000:]))
            found[what] = {**figures, "outcome": outcome}
            print(what, found[what], flush=True)
    return found


def measure(work, count=100_000):
    """{run: figures}"""
    with Broker(work / "kafka") as broker:
        return {**measure_topics(broker, work, count), **measure_packed(broker, work)}


def as_text(found):
    lines = [
        "| records and budget | rows | wall s | CPU s | peak RSS MiB | exit code | killed by the kernel | outcome |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, one in found.items():
        lines.append(f"| {name} | " + " | ".join(str(value) for value in one.values()) + " |")
    return "\n".join(lines)


def main():
    from run import commit, machine

    measured = commit()
    with tempfile.TemporaryDirectory(prefix="esports-bench-") as directory:
        text = as_text(measure(pathlib.Path(directory)))
    print(text)
    (ROOT / "bench" / "results" / "memory.md").write_text(
        f"{text}\n\nOf topics, the most of {ROUNDS} runs ({machine()}, {measured}; `bench/memory.py`)\n"
    )


if __name__ == "__main__":
    main()
