#!/usr/bin/env python3
"""What small files cost readers: one aggregate over the same table of matches in four layouts.

    small      as the defaults of version 0.3.0 write COUNT rows at 50 messages/s: a batch every 10 seconds, and
               one file per batch and status. 2,500,000 rows are 14 hours and about 20,000 files
    by hand    the same rows, merged by DuckDB into a file per status
    compacted  the small files after `esports-stream compact`
    ideal      the same rows in one batch: a file per status

The aggregate is rows, a sum and a count of distinct values per status. DuckDB, pyarrow and Polars list the
directories, Spark reads the sink log where there is one. Medians of ROUNDS count, and their ratios to the ideal
files. All readers have two threads, and every file is in the page cache."""

import argparse
import contextlib
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "bench")]

from capture import PROGRAM, make_capture  # noqa: E402

BATCH = 500  # rows: 50 messages/s for 10 seconds
THREADS = 2
READERS = ("DuckDB", "pyarrow", "Polars", "Spark")


def program(lake, capture, *arguments, **settings):
    environment = {
        **os.environ,
        "KAFKA_BOOTSTRAP_SERVERS": f"file:{capture}",
        "DATA_LAKE_PATH": str(lake),
        "SPARK_UI_PORT": "0",
        "SPARK_MASTER_URL": "local",
        "LOG_LEVEL": "WARNING",
        **settings,
    }
    words = [str(PROGRAM), *arguments, "--job", "matches"]
    done = subprocess.run(words, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{words} ended with {done.returncode}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")


def files_of(table):
    return sorted(table.glob("**/*.parquet"))


def merge_by_hand(source, table):
    """Each directory of files becomes one file, by DuckDB, in the order of compaction."""
    import duckdb

    with duckdb.connect(config={"threads": THREADS}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for leaf in sorted({path.parent for path in files_of(source)}):
            target = table / leaf.relative_to(source)
            target.mkdir(parents=True)
            connection.execute(
                f"""COPY (FROM read_parquet('{leaf}/*.parquet', hive_partitioning = false) ORDER BY partition, "offset")
                TO '{target}/part-0.parquet' (FORMAT parquet, COMPRESSION snappy)"""
            )


def can_compact():
    return subprocess.run([PROGRAM, "help", "compact"], capture_output=True).returncode == 0


def make_tables(work, count):
    """{layout: table}, and how long each took to write."""
    capture = work / "capture"
    make_capture(capture, count)
    tables = {name: work / name / "processed" / "matches" for name in ("small", "by hand", "compacted", "ideal")}
    took = {}

    def timed(name, make):
        began = time.monotonic()
        make()
        took[name] = time.monotonic() - began

    def run(name, most):
        program(work / name, capture, "--trigger", "availableNow", MAX_OFFSETS_PER_TRIGGER=str(most))

    timed("small", lambda: run("small", BATCH))
    timed("ideal", lambda: run("ideal", 0))
    timed("by hand", lambda: merge_by_hand(tables["small"], tables["by hand"]))
    if can_compact():
        shutil.copytree(work / "small", work / "compacted", copy_function=os.link)
        program(work / "compacted", capture, "relocate", "--yes")
        timed("compacted", lambda: program(work / "compacted", capture, "compact"))
    else:
        del tables["compacted"]
    return tables, took


# ---- the readers: each gives {status: (rows, sum, distinct)} ----


def with_duckdb(table):
    import duckdb

    with duckdb.connect(config={"threads": THREADS}) as connection:
        found = connection.sql(
            f"""SELECT status, count(*), sum(team_1_kills), count(DISTINCT match_id)
            FROM read_parquet('{table}/**/*.parquet', hive_partitioning = true) GROUP BY status"""
        ).fetchall()
    return {status: (rows, int(total or 0), distinct) for status, rows, total, distinct in found}


def with_pyarrow(table):
    import pyarrow
    import pyarrow.dataset

    pyarrow.set_cpu_count(THREADS)
    rows = pyarrow.dataset.dataset(str(table), partitioning="hive").to_table(
        columns=["status", "team_1_kills", "match_id"]
    )
    found = rows.group_by("status").aggregate([([], "count_all"), ("team_1_kills", "sum"), ("match_id", "count_distinct")])
    return {
        row["status"]: (row["count_all"], row["team_1_kills_sum"] or 0, row["match_id_count_distinct"])
        for row in found.to_pylist()
    }


def with_polars(table):
    import polars

    found = (
        polars.scan_parquet(f"{table}/**/*.parquet", hive_partitioning=True)
        .group_by("status")
        .agg(
            polars.len(),
            polars.col("team_1_kills").cast(polars.Int64).sum(),
            polars.col("match_id").drop_nulls().n_unique(),
        )
        .collect()
    )
    return {status: (rows, total, distinct) for status, rows, total, distinct in found.rows()}


def with_spark(session, table):
    frame = session.read.parquet(str(table))
    frame.createOrReplaceTempView("t")
    found = session.sql("SELECT status, count(*), sum(team_1_kills), count(DISTINCT match_id) FROM t GROUP BY status")
    return {row[0]: (row[1], row[2] or 0, row[3]) for row in found.collect()}


@contextlib.contextmanager
def opened_readers(work):
    """{name: function of a table}"""
    from rig.spark import open_session

    os.environ["POLARS_MAX_THREADS"] = str(THREADS)
    session = open_session(work / "spark", memory="2g", threads=THREADS, spark_ui_showConsoleProgress="false")
    yield dict(zip(READERS, (with_duckdb, with_pyarrow, with_polars, lambda table: with_spark(session, table))))
    session.stop()


def seconds(read, table, expected):
    began = time.monotonic()
    found = read(table)
    took = time.monotonic() - began
    if found != expected:
        sys.exit(f"{table}: {found}, expected {expected}")
    return took


def measure(work, count, rounds):
    """{layout: {"files": …, "mb": …, "write_s": …, reader: median seconds}}"""
    tables, took = make_tables(work, count)
    found = {}
    with opened_readers(work) as readers:
        expected = with_duckdb(tables["ideal"])
        for read in readers.values():
            seconds(read, tables["ideal"], expected)  # imports, the JVM's first query
        for name, table in tables.items():
            files = files_of(table)
            found[name] = {"files": len(files), "mb": sum(path.stat().st_size for path in files) / 1e6}
            found[name]["write_s"] = took[name]
            for reader, read in readers.items():
                found[name][reader] = statistics.median(seconds(read, table, expected) for _ in range(rounds))
            print(f"{name}: {found[name]}", flush=True)
    return found


def as_text(found):
    text = "| layout | files | MB | " + " | ".join(READERS) + " |\n|---|---|---|" + "---|" * len(READERS) + "\n"
    for name, one in found.items():
        cells = [f"{one[reader]:.2f} s ({one[reader] / found['ideal'][reader]:.1f} ×)" for reader in READERS]
        text += f"| {name} | {one['files']:,} | {one['mb']:.0f} | " + " | ".join(cells) + " |\n"
    return text + "\nIn parentheses: the ratio to the ideal files. " + ", ".join(
        f"{name}: written in {one['write_s']:.0f} s" for name, one in found.items()
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2_500_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="esports-bench-") as directory:
        print(as_text(measure(pathlib.Path(directory), options.count, options.rounds)))


if __name__ == "__main__":
    main()
