#!/usr/bin/env python3
"""How long a record waits: start to first commit, produced to visible at a steady rate, and what an
idle program costs. One query, a real broker, fsync on.

Visible is when the batch's commits/N is there: files and sink log are in place before that."""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

import pyarrow.parquet  # noqa: E402
from rig.broker import Broker  # noqa: E402
from rig.lake import Lake  # noqa: E402

PROGRAM = ROOT / "build" / "release" / "esports-stream"
PARTITIONS = 4
WARM_UP_S = 10
TICKS = os.sysconf("SC_CLK_TCK")


def start(broker, topic, lake, trigger):
    settings = {
        "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap,
        "KAFKA_TOPIC_MATCHES": topic,
        "DATA_LAKE_PATH": str(lake.root),
        "TRIGGER": trigger,
        "LOG_LEVEL": "WARNING",
    }
    return subprocess.Popen([PROGRAM, "--job", "matches"], env={**os.environ, **settings})


def stop(process):
    process.terminate()
    if process.wait(30) != 0:
        sys.exit(f"the program ended with {process.returncode}")


def committed_at(lake, batch):
    return (lake.checkpoint("matches") / "commits" / str(batch)).stat().st_mtime


def first_commit_ms(broker, work, rounds):
    """From exec to the commit of a batch of 100 records that the topic already has."""
    topic = broker.create_topic("first", PARTITIONS)
    broker.generate(topic, "matches", 100, PARTITIONS)
    found = []
    for number in range(rounds):
        lake = Lake(work / f"first-{number}")
        began = time.time()
        process = start(broker, topic, lake, "availableNow")
        if process.wait(60) != 0:
            sys.exit(f"the program ended with {process.returncode}")
        found.append((committed_at(lake, 0) - began) * 1000)
    return found


def ingested_ms(lake, batch):
    """When the records of a batch were produced, by their own timestamps (ms since 1970)."""
    log = lake.table("matches") / "_spark_metadata" / str(batch)
    if not log.exists():
        return []  # a compact file: other batches of the same rate stand for it
    found = []
    for line in log.read_text().splitlines()[1:]:
        path = urllib.parse.unquote(json.loads(line)["path"].removeprefix("file://"))
        column = pyarrow.parquet.ParquetFile(path).read(columns=["ingestion_timestamp"])
        found += column["ingestion_timestamp"].to_pylist()
    return found


def reached(lake, ends):
    batches = lake.batches("matches")
    return bool(batches) and lake.planned_ends("matches", batches[-1]) == ends


def delays_ms(broker, work, rate, seconds):
    """Each record's way from being produced to being visible."""
    topic = broker.create_topic("live", PARTITIONS)
    lake = Lake(work / "live")
    process = start(broker, topic, lake, "0 seconds")
    # A broker that has just started compiles its own code for a while, on the same processors.
    broker.generate(topic, "matches", rate * WARM_UP_S, PARTITIONS, "--rate", rate)
    while not reached(lake, broker.end_offsets(topic)):
        time.sleep(0.2)
    warm_up = lake.batches("matches")[-1]
    load = threading.Thread(
        target=broker.generate, args=(topic, "matches", rate * seconds, PARTITIONS, "--rate", rate)
    )
    load.start()
    visible = {}  # batch: when; looked at while it runs, since old commits are removed
    while load.is_alive() or not reached(lake, broker.end_offsets(topic)):
        for batch in lake.batches("matches"):
            if batch not in visible:
                visible[batch] = committed_at(lake, batch) * 1000
        time.sleep(0.2)
    stop(process)
    found = []
    counted = {batch: when for batch, when in visible.items() if batch > warm_up}
    for batch, when in counted.items():
        found += [when - produced for produced in ingested_ms(lake, batch)]
    return sorted(found), len(counted)


def idle(broker, work, seconds):
    """Share of a core, and resident MB, of a program that has nothing to do."""
    topic = broker.create_topic("idle", PARTITIONS)
    process = start(broker, topic, Lake(work / "idle"), "0 seconds")
    time.sleep(5)

    def cpu_s():
        with open(f"/proc/{process.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    before = cpu_s()
    time.sleep(seconds)
    share = (cpu_s() - before) / seconds
    with open(f"/proc/{process.pid}/status") as file:
        rss = next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))
    stop(process)
    return share, rss / 1000


def fsync_ms(work):
    """The disk's own share: the median of a small write and fsync."""
    found = []
    for number in range(50):
        with open(work / f"fsync-{number}", "wb") as file:
            file.write(b"x" * 4096)
            file.flush()
            began = time.monotonic()
            os.fsync(file.fileno())
            found.append((time.monotonic() - began) * 1000)
    return statistics.median(found)


def measure(work, rate=10_000, seconds=20, idle_seconds=30, rounds=9):
    broker = Broker(work / "kafka-latency").start()
    try:
        first = first_commit_ms(broker, work, rounds)
        delays, batches = delays_ms(broker, work, rate, seconds)
        share, rss = idle(broker, work, idle_seconds)
    finally:
        broker.stop()
    return {
        "first_commit_ms": round(statistics.median(first), 1),
        "rate_per_s": rate,
        "batches": batches,
        "visible_p50_ms": round(delays[len(delays) // 2], 1),
        "visible_p99_ms": round(delays[len(delays) * 99 // 100], 1),
        "visible_max_ms": round(delays[-1], 1),
        "idle_percent_of_a_core": round(share * 100, 2),
        "idle_rss_mb": round(rss, 1),
        "fsync_median_ms": round(fsync_ms(work), 2),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=10_000, help="records a second")
    parser.add_argument("--seconds", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="esports-bench-") as directory:
        figures = measure(pathlib.Path(directory), options.rate, options.seconds)
    for name, value in figures.items():
        print(f"{name:24} {value}")


if __name__ == "__main__":
    main()
