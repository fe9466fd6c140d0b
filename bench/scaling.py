#!/usr/bin/env python3
"""How time and memory go with the number of rows, of partition values and of workers: captures of
matches made into the table, without a broker. One run each; ns a row tell whether it is linear."""

import pathlib
import sys
import tempfile

import capture

ROWS = (10_000, 100_000, 1_000_000, 10_000_000)
PARTITION_BY = ("data_source", "status", "team_1_name", "tournament_id,team_1_name")
ROWS_BY_PARTITIONS = 1_000_000


def run(directory, lake, work, workers, **settings):
    command, defaults = capture.ours(directory, lake, workers)
    figures = capture.run(command, {**defaults, **settings}, lake, work)
    figures["files"] = sum(1 for _ in lake.glob("processed/**/*.parquet"))
    return figures


def line(what, workers, rows, figures):
    values = (
        f"{figures['wall_s']:.2f}",
        f"{figures['cpu_s'] / rows * 1e9:.0f}",
        f"{rows / figures['wall_s']:,.0f}",
        f"{figures['rss_peak_mb']:.0f}",
        figures["files"],
        f"{figures['out_mb'] * 1e6 / rows:.1f}",
    )
    return f"| {what} | {workers} | " + " | ".join(str(value) for value in values) + " |"


def measure(work, most_rows):
    lines = [
        "| | workers | wall s | CPU ns/row | rows/s | peak RSS MB | files | bytes/row |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lake = work / "lake"
    for rows in ROWS:
        if rows > most_rows:
            break
        directory = work / f"capture-{rows}"
        capture.make_capture(directory, rows)
        for workers in (1, 2):
            figures = run(directory, lake, work, workers)
            lines.append(line(f"{rows:,} rows", workers, rows, figures))
            print(lines[-1], flush=True)
        if rows == ROWS_BY_PARTITIONS:
            for columns in PARTITION_BY:
                figures = run(directory, lake, work, 2, MATCHES_PARTITION_BY=columns)
                lines.append(line(f"by {columns}", 2, rows, figures))
                print(lines[-1], flush=True)
        for path in directory.iterdir():
            path.unlink()
    return "\n".join(lines)


if __name__ == "__main__":
    most = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS[-1]
    with tempfile.TemporaryDirectory(prefix="esports-bench-") as made:
        measure(pathlib.Path(made), most)
