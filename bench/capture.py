#!/usr/bin/env python3
"""A capture of COUNT match records (NDJSON, no broker) made into the partitioned table: by our
program with one worker and with two, and by DuckDB's COPY … PARTITION_BY with the same columns.

Every program gets the whole machine in turn, ROUNDS times; medians count."""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "bench"))

from spark_job import MATCH_FIELDS  # noqa: E402

PROGRAM = ROOT / "build" / "release" / "esports-stream"
GEN = ROOT / "build" / "release" / "tests" / "tools" / "gen"
PARTITIONS = 4
DUCKDB_TYPES = {"string": "VARCHAR", "int": "INTEGER", "bigint": "BIGINT", "timestamp": "TIMESTAMPTZ"}

DUCKDB = """
import sys, duckdb
source, target, columns = sys.argv[1:]
duckdb.execute(f'''COPY (
    SELECT *, now() AS processing_timestamp, match_duration // 60 AS duration_minutes,
           status = 'finished' AS is_completed
    FROM read_json('{source}/*.ndjson', format='newline_delimited', columns={columns},
                   ignore_errors=true)
) TO '{target}' (FORMAT parquet, PARTITION_BY (status), COMPRESSION snappy)''')
"""


def make_capture(directory, count):
    """The records in order, cut in as many files as a topic would have partitions."""
    directory.mkdir()
    each = count // PARTITIONS
    for number in range(PARTITIONS):
        command = [GEN, "--type", "matches", "--style", "python", "--stdout", "--quiet"]
        command += ["--count", each, "--start", number * each]
        with open(directory / f"esports-matches-{number}.ndjson", "wb") as file:
            subprocess.run([str(word) for word in command], stdout=file, check=True)


def ours(capture, lake, workers):
    settings = {
        "KAFKA_BOOTSTRAP_SERVERS": f"file:{capture}",
        "DATA_LAKE_PATH": str(lake),
        "SPARK_MASTER_URL": f"local[{workers}]",
        "MAX_OFFSETS_PER_TRIGGER": "0",
        "LOG_LEVEL": "WARNING",
    }
    return [PROGRAM, "--job", "matches", "--trigger", "availableNow"], settings


def duckdb(capture, lake):
    fields = (field.split() for field in MATCH_FIELDS.split(","))
    columns = {name: DUCKDB_TYPES[kind] for name, kind in fields}
    return [sys.executable, "-c", DUCKDB, capture, lake, columns], {}


def run(command, settings, lake, work):
    shutil.rmtree(lake, ignore_errors=True)
    result = work / "measured.json"
    words = [sys.executable, ROOT / "bench" / "measure.py", result, *command]
    subprocess.run([str(word) for word in words], env={**os.environ, **settings}, check=True)
    figures = json.loads(result.read_text())
    figures["out_mb"] = sum(path.stat().st_size for path in lake.glob("**/*.parquet")) / 1e6
    return figures


def measure(work, count, rounds):
    """{program: {figure: median}}"""
    capture, lake = work / "capture", work / "lake"
    make_capture(capture, count)
    programs = {
        "esports-stream, 1 worker": ours(capture, lake, 1),
        "esports-stream, 2 workers": ours(capture, lake, 2),
        "DuckDB": duckdb(capture, lake),
    }
    runs = {name: [] for name in programs}
    for _ in range(rounds):
        for name, (command, settings) in programs.items():
            runs[name].append(run(command, settings, lake, work))
    names = ("wall_s", "cpu_s", "rss_peak_mb", "out_mb")
    return {
        program: {name: statistics.median(one[name] for one in found) for name in names}
        for program, found in runs.items()
    }


def as_text(found):
    lines = ["| program | wall s | CPU s | peak RSS MB | Parquet MB |", "|---|---|---|---|---|"]
    for name, one in found.items():
        lines.append(f"| {name} | " + " | ".join(f"{value:.2f}" for value in one.values()) + " |")
    one, two, peer = found.values()
    lines.append(
        f"\n{peer['wall_s'] / two['wall_s']:.1f} x DuckDB's speed, {peer['cpu_s'] / two['cpu_s']:.1f} x less "
        f"CPU; two workers are {one['wall_s'] / two['wall_s']:.2f} x as fast as one"
    )
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="esports-bench-") as directory:
        found = measure(pathlib.Path(directory), options.count, options.rounds)
    print(as_text(found))


if __name__ == "__main__":
    main()
