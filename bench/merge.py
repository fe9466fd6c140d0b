"""Merging small files: ours, DuckDB's and pyarrow's, of the same files, with one thread each.

    bench/merge.py [--rounds 3] [--only 3000|44]

Files are as a query leaves them in one directory of the matches table (merge_stage): 1,440 of about
3,000 rows, and 20,000 of about 44. Ours is merge_directory with 48 MiB, which proves its outputs, and
splits them at 128 MiB; the others write one file without a proof. CPU time is that of the whole process, the least of
the rounds. Memory is the most that was resident."""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "release"
SIZES = {"3000": (1440, 3940), "44": (20000, 58)}  # files, records of a batch

DUCKDB = """
import duckdb, sys
connection = duckdb.connect(config={"threads": 1})
connection.execute(
    f"COPY (SELECT * FROM read_parquet('{sys.argv[1]}/*.parquet') ORDER BY partition, \\"offset\\") "
    f"TO '{sys.argv[2]}/duckdb.parquet' (COMPRESSION snappy)"
)
"""

PYARROW = """
import pathlib, sys
import pyarrow, pyarrow.parquet
pyarrow.set_cpu_count(1)
pyarrow.set_io_thread_count(1)
paths = sorted(pathlib.Path(sys.argv[1]).glob("*.parquet"))
tables = [pyarrow.parquet.ParquetFile(path).read(use_threads=False) for path in paths]
table = pyarrow.concat_tables(tables).sort_by([("partition", "ascending"), ("offset", "ascending")])
pyarrow.parquet.write_table(table, f"{sys.argv[2]}/pyarrow.parquet", compression="snappy")
"""


def run(words):
    """CPU seconds, wall seconds and the most resident MB of a process; its output."""
    process = subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE, text=True)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{words} ended with {process.returncode}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, output


def rounds(words, out, count):
    best = None
    for _ in range(count):
        for path in out.iterdir():
            path.unlink()
        found = run(words)
        best = found if best is None or found[0] < best[0] else best
    size = sum(path.stat().st_size for path in out.iterdir())
    return best + (size,)


def measure_size(work, name, count):
    files, records = SIZES[name]
    source, out = work / f"files-{name}", work / f"out-{name}"
    source.mkdir()
    out.mkdir()
    run([BUILD / "bench" / "merge_stage", source, files, records])
    programs = {
        "esports-stream": [BUILD / "tests" / "tools" / "merge_directory", "matches", source, out],
        "DuckDB": [sys.executable, "-c", DUCKDB, source, out],
        "pyarrow": [sys.executable, "-c", PYARROW, source, out],
    }
    figures = {}
    for program, words in programs.items():
        cpu_s, peak_mb, output, size = rounds(words, out, count)
        if program == "esports-stream":
            rows = json.loads(output)["rows"]
        figures[program] = {
            "files": files,
            "rows": rows,
            "rows_per_cpu_s": round(rows / cpu_s),
            "cpu_s": round(cpu_s, 2),
            "peak_mb": round(peak_mb, 1),
            "bytes_per_row": round(size / rows, 1),
        }
    for figure in figures.values():
        figure["times_ours"] = round(figure["cpu_s"] / figures["esports-stream"]["cpu_s"], 1)
    return figures


def measure(work, count, names=tuple(SIZES)):
    return {name: measure_size(work, name, count) for name in names}


def as_text(found):
    text = "| files | rows | program | rows/s of CPU time | CPU s | times ours | peak MB | B/row |\n"
    text += "|--:|--:|---|--:|--:|--:|--:|--:|\n"
    for figures in found.values():
        for program, figure in figures.items():
            text += (
                f"| {figure['files']:,} | {figure['rows']:,} | {program} | {figure['rows_per_cpu_s']:,} "
                f"| {figure['cpu_s']} | {figure['times_ours']} | {figure['peak_mb']} | {figure['bytes_per_row']} |\n"
            )
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=SIZES)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="esports-bench-") as directory:
        names = [options.only] if options.only else list(SIZES)
        print(as_text(measure(pathlib.Path(directory), options.rounds, names)))


if __name__ == "__main__":
    main()
