#!/usr/bin/env python3
"""`esports-stream verify` on a table of COUNT rows, compared with DuckDB's count of the distinct (partition,
offset) of the same files: our own files, and the same rows in files as another writer makes them
(pyarrow: dictionaries first, then plain values, pages of format 1, snappy, as parquet-mr).

The records are as small as can be, since verify reads only two columns."""

import argparse
import json
import os
import pathlib
import re
import resource
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]

import duckdb  # noqa: E402
import pyarrow.parquet  # noqa: E402

PARTITIONS = 4
PROGRAM = ROOT / "build" / "release" / "esports-stream"


def run_program(work, lake, *arguments, **settings):
    environment = {
        "KAFKA_BOOTSTRAP_SERVERS": f"file:{work / 'capture'}",
        "DATA_LAKE_PATH": str(lake),
        "LOG_LEVEL": "WARNING",
        **settings,
    }
    command = [PROGRAM, *arguments, "--job", "matches"]
    started = time.monotonic()
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{command}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout, time.monotonic() - started


def make_lake(work, count, rows_per_file):
    (work / "capture").mkdir()
    line = b'{"match_id":"m","status":"live"}\n'
    for partition in range(PARTITIONS):
        path = work / "capture" / f"esports-matches-{partition}.ndjson"
        path.write_bytes(line * (count // PARTITIONS))
    run_program(
        work,
        work / "lake",
        TRIGGER="availableNow",
        SPARK_MASTER_URL="local",
        MAX_OFFSETS_PER_TRIGGER=str(rows_per_file),
    )


def make_foreign_lake(work):
    """The same table, each file written by pyarrow; sizes in the logs are adjusted."""
    subprocess.run(["cp", "-r", work / "lake", work / "foreign"], check=True)
    sizes = {}
    for path in (work / "foreign" / "processed").glob("**/*.parquet"):
        rows = pyarrow.parquet.ParquetFile(path).read()
        pyarrow.parquet.write_table(rows, path, compression="snappy", use_dictionary=True)
        sizes[path.name] = path.stat().st_size
    old, new = str(work / "lake"), str(work / "foreign")
    logs = [path for path in (work / "foreign").glob("**/_spark_metadata/*") if path.is_file()]
    manifests = list((work / "foreign").glob("checkpoints/*/manifests/*"))
    for path in logs + manifests:
        version, *lines = path.read_text().replace(old, new).splitlines()
        documents = [json.loads(text) for text in lines]
        for document in documents:
            for entry in document.get("files", [document]):
                entry["size"] = sizes[entry["path"].rpartition("/")[2]]
        path.write_text("\n".join([version, *map(json.dumps, documents)]))


def verify(work, lake, workers, count):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    text, wall = run_program(work, lake, "verify", SPARK_MASTER_URL=f"local[{workers}]")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    scan = re.search(r" (\d+) rows in ([0-9.]+) s", text)
    if int(scan[1]) != count or "every offset is present exactly once" not in text:
        sys.exit(f"verify found something else:\n{text}")
    return {
        "name": f"verify, {workers} worker{'s' if workers > 1 else ''}",
        "wall_s": round(wall, 3),
        "cpu_s": round(
            after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 3
        ),
        "rows_per_s": round(count / wall),
    }


def count_with_duckdb(lake, threads, count):
    with duckdb.connect(config={"threads": threads}) as connection:
        began, used = time.monotonic(), time.process_time()
        found = connection.sql(
            'SELECT count(DISTINCT (partition, "offset"))'
            f" FROM read_parquet('{lake}/processed/**/*.parquet')"
        ).fetchall()[0][0]
        wall, cpu = time.monotonic() - began, time.process_time() - used
    if found != count:
        sys.exit(f"DuckDB counts {found}, not {count}")
    return {
        "name": f"DuckDB {duckdb.__version__}, {threads} thread{'s' if threads > 1 else ''}",
        "wall_s": round(wall, 3),
        "cpu_s": round(cpu, 3),
        "rows_per_s": round(count / wall),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000_000, help="rows")
    parser.add_argument("--rows-per-file", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3, help="the best of these counts")
    options = parser.parse_args()
    count = options.count // PARTITIONS * PARTITIONS
    cores = len(os.sched_getaffinity(0))

    with tempfile.TemporaryDirectory(prefix="esports-bench-") as directory:
        work = pathlib.Path(directory)
        make_lake(work, count, options.rows_per_file)
        make_foreign_lake(work)
        print("| files | program | wall s | CPU s | rows/s |\n|---|---|---|---|---|")
        for name in ("lake", "foreign"):
            lake = work / name
            files = list(lake.glob("processed/**/*.parquet"))
            size = sum(path.stat().st_size for path in files) / 1e6
            for measure in (
                lambda: verify(work, lake, 1, count),
                lambda: verify(work, lake, cores, count),
                lambda: count_with_duckdb(lake, 1, count),
                lambda: count_with_duckdb(lake, cores, count),
            ):
                runs = [measure() for _ in range(options.rounds)]
                best = min(runs, key=lambda run: run["wall_s"])
                whose = "ours" if name == "lake" else "pyarrow's"
                print(
                    f"| {len(files)} of {whose}, {size:.0f} MB | {best['name']} | {best['wall_s']}"
                    f" | {best['cpu_s']} | {best['rows_per_s']:,} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
