"""The Parquet stage compared with Arrow C++: the same rows, in memory, one thread, already routed for Arrow.

    .venv/bin/python bench/parquet_stage.py [--rows N] [--rounds N] [--program build/release/bench/parquet_stage]

Ours also finds each row's file. Both write to memory (/dev/shm), without syncing; the CPU time of the thread is
taken, the least of all rounds, the two taking turns so that a busy machine is as busy for either.
"""

import argparse
import pathlib
import re
import subprocess
import tempfile
import time

import pyarrow as pa
import pyarrow.parquet as pq

ROOT = pathlib.Path(__file__).resolve().parent.parent


def ours(program: str, directory: str, job: str, rows: int, codec: str) -> tuple[float, int]:
    """ns per row and bytes of one run of three rounds, whose files stay in the directory."""
    for file in pathlib.Path(directory).iterdir():
        file.unlink()
    command = [program, directory, job, str(rows), "1024", "3", codec]
    out = subprocess.run(command, check=True, capture_output=True, text=True)
    found = re.search(r"ns/row ([\d.]+) .* bytes (\d+)", out.stdout)
    return float(found[1]), int(found[2])


def arrow(tables: list[pa.Table], directory: str, codec: str) -> tuple[float, int]:
    """ns and bytes of one round over all tables."""
    start = time.thread_time_ns()
    paths = []
    for i, table in enumerate(tables):
        paths.append(pathlib.Path(directory) / f"arrow-{i}.parquet")
        pq.write_table(table, paths[-1], compression=codec, use_dictionary=True)
    spent = time.thread_time_ns() - start
    size = sum(path.stat().st_size for path in paths)
    for path in paths:
        path.unlink()
    return spent, size


def compare(options: argparse.Namespace, job: str, codec: str) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as mine, tempfile.TemporaryDirectory(dir="/dev/shm") as theirs:
        best, size = ours(options.program, mine, job, options.rows, codec)
        tables = [pq.ParquetFile(path).read().combine_chunks() for path in sorted(pathlib.Path(mine).iterdir())]
        arrow_best, arrow_size = arrow(tables, theirs, codec)
        for _ in range(options.rounds):
            best = min(best, ours(options.program, mine, job, options.rows, codec)[0])
            arrow_best = min(arrow_best, arrow(tables, theirs, codec)[0])
        rows = options.rows
        print(f"{job:8} {codec:6} {rows} rows   ours {best:6.1f} ns/row {size / rows:6.2f} B/row   "
              f"Arrow {pa.__version__} {arrow_best / rows:6.1f} ns/row {arrow_size / rows:6.2f} B/row   "
              f"ratio {arrow_best / rows / best:.2f}x, size {size / arrow_size:.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=250_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--codecs", default="snappy")
    parser.add_argument("--program", default=str(ROOT / "build/release/bench/parquet_stage"))
    options = parser.parse_args()
    pa.set_cpu_count(1)
    for job in "matches", "players":
        for codec in options.codecs.split(","):
            compare(options, job, codec)


if __name__ == "__main__":
    main()
