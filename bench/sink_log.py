#!/usr/bin/env python3
"""What a sink log of 10, 10,000 and 1,000,000 entries costs: a commit, the commit that publishes a
compact file, a start and its memory, by our program's store (bench/sink_log_commits.c) and by Spark's
file sink on a log like it, and what it costs Spark to plan a read of the table.

Commits come every PAUSE milliseconds: a compact file is made meanwhile. Prints a table and writes
bench/results/sink_log.json and .md."""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))
sys.path.insert(0, str(ROOT / "bench"))

from rig.spark import open_session  # noqa: E402
from run import commit, machine  # noqa: E402

PROGRAM = ROOT / "build" / "release" / "bench" / "sink_log_commits"
BATCHES = 24  # 10 to 33: two compactions
SIZES = (10, 10_000, 1_000_000)
ENTRY = (
    '\n{{"path":"file://{table}/status=live/part-{task:05}-00000000-0000-0000-0000-{number:012}'
    '.c000.snappy.parquet","size":7809,"isDir":false,"modificationTime":1795366885757,'
    '"blockReplication":1,"blockSize":33554432,"action":"add"}}'
)


def summary(name, entries, commits_ms, **more):
    """`commits_ms`: {batch: milliseconds}."""
    off = [ms for batch, ms in commits_ms.items() if (batch + 1) % 10 != 0]
    compactions = [ms for batch, ms in commits_ms.items() if (batch + 1) % 10 == 0]
    return {
        "name": name,
        "entries": entries,
        "commit_ms": round(statistics.median(off), 2),
        "publish_ms": round(statistics.median(compactions), 2),
        **more,
    }


def ours(entries, pause_ms):
    with tempfile.TemporaryDirectory(prefix="sink-log-") as directory:
        command = [PROGRAM, directory, entries, BATCHES, pause_ms]
        words = [str(word) for word in command]
        out = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    lines = [line.split() for line in out.splitlines()]
    figures = {line[0]: int(line[1]) for line in lines if line[0] != "batch"}
    return summary(
        "esports-stream",
        entries,
        {int(line[1]): int(line[2]) / 1000 for line in lines if line[0] == "batch"},
        start_ms=round(figures["start"] / 1000, 1),
        search_ms=round(figures["search"] / 1000, 1),
        peak_mb=round(figures["peak_kb"] / 1024, 1),
    )


def run_stream(spark, place, last):
    """Spark's stream up to batch `last`; gives {batch: ms of its sink's part} and when it began."""
    rows = (
        spark.readStream.format("rate-micro-batch")
        .option("rowsPerBatch", 10)
        .option("numPartitions", 1)
        .load()
        .selectExpr("value", "'live' AS status")
    )
    began = time.monotonic()
    query = (
        rows.writeStream.format("parquet")
        .partitionBy("status")
        .option("path", str(place / "table"))
        .option("checkpointLocation", str(place / "checkpoint"))
        .trigger(processingTime="0 seconds")
        .start()
    )
    first = None
    while query.lastProgress is None or query.lastProgress["batchId"] < last:
        if query.exception() is not None:
            raise query.exception()
        time.sleep(0.02)
        if first is None and query.lastProgress is not None:
            first = time.monotonic() - began
    took = {p["batchId"]: p["durationMs"]["addBatch"] for p in query.recentProgress}
    query.stop()
    return took, first


def peak_mb(pid):
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) // 1024 for line in file if line.startswith("VmHWM:"))


def sparks(spark, entries, place):
    place.mkdir()
    run_stream(spark, place, 9)
    log = place / "table" / "_spark_metadata" / "9.compact"
    log.with_name(".9.compact.crc").unlink(missing_ok=True)
    with open(log, "a") as file:
        for number in range(10, entries):
            file.write(ENTRY.format(table=place / "table", task=number % 100, number=number))
    began = time.monotonic()
    table = spark.read.schema("value BIGINT, status STRING").parquet(str(place / "table"))
    table.rdd.getNumPartitions()
    plan_ms = (time.monotonic() - began) * 1000
    took, first = run_stream(spark, place, 20)
    return summary(
        f"Spark {spark.version}",
        entries,
        took,
        start_ms=round(first * 1000, 1),
        plan_ms=round(plan_ms, 1),
        peak_mb=peak_mb(spark.sparkContext._gateway.proc.pid),
    )


COLUMNS = {
    "name": "program",
    "entries": "entries",
    "commit_ms": "commit ms",
    "publish_ms": "commit that compacts ms",
    "start_ms": "start ms",
    "search_ms": "start with a search of the log ms",
    "plan_ms": "read planning ms",
    "peak_mb": "peak MB",
}


def as_table(runs):
    lines = [" | ".join(COLUMNS.values()), " | ".join("---" for _ in COLUMNS)]
    lines += [" | ".join(str(run.get(column, "")) for column in COLUMNS) for run in runs]
    return "\n".join(f"| {line} |" for line in lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pause", type=int, default=250, help="milliseconds between our commits")
    parser.add_argument("--without-spark", action="store_true")
    options = parser.parse_args()
    runs = []
    for entries in SIZES:
        runs.append(ours(entries, options.pause))
        print(f"{runs[-1]}", flush=True)
    if not options.without_spark:
        with tempfile.TemporaryDirectory(prefix="sink-log-spark-") as directory:
            place = pathlib.Path(directory)
            spark = open_session(place, memory="4g")
            for entries in SIZES:
                runs.append(sparks(spark, entries, place / str(entries)))
                print(f"{runs[-1]}", flush=True)
            spark.stop()
    path = ROOT / "bench" / "results" / "sink_log"
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {"machine": machine(), "commit": commit(), "pause_ms": options.pause, "runs": runs}
    path.with_suffix(".json").write_text(json.dumps(document, indent=2) + "\n")
    path.with_suffix(".md").write_text(
        f"Sink logs with the given number of entries; medians of {BATCHES} batches of one file, one every "
        f"{options.pause} ms ({machine()}, {commit()}). A commit of ours is everything from the "
        "manifest to commits/N, of Spark's its addBatch: the write of the file and of the log. A start "
        "of Spark's reaches to its first batch.\n\n" + as_table(runs) + "\n"
    )
    print(as_table(runs))
    print(f"results: {path.relative_to(ROOT)}.md")


if __name__ == "__main__":
    main()
