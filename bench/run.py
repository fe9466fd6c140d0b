#!/usr/bin/env python3
"""make bench: every measurement, one after the other, each compared with its peer or its limit.

Prints what it finds and writes it to bench/results/<date>-<commit>.md and .json, with the machine and
the commands; draws docs/performance.svg. A part alone: --parts end_to_end,latency,…"""

import argparse
import datetime
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import capture
import cluster
import end_to_end
import latency
import memory
import merge
import participants
import readers
import scaling
import stages

ROOT = pathlib.Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results"


def command_output(*command):
    """What a measuring program printed; it has its own table."""
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{words} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    shown = [word.removeprefix(f"{ROOT}/") for word in words]
    return f"    {' '.join(shown)}\n\n```\n{done.stdout.strip()}\n```", None


def script(name, *arguments):
    return command_output(sys.executable, f"bench/{name}.py", *arguments)


def part_end_to_end(work, options):
    medians = end_to_end.measure_all(work, options.count, options.rounds, options.spark_rounds)
    text = f"{options.count} match and {options.count} player records, lz4, {end_to_end.MALFORMED_PERCENT} % malformed\n\n"
    return text + f"{end_to_end.as_table(medians)}\n\n{end_to_end.as_ratios(medians)}", medians


def part_latency(work, options):
    figures = latency.measure(work)
    return "\n".join(f"- {name}: {value}" for name, value in figures.items()), figures


def part_capture(work, options):
    found = capture.measure(work, 1_000_000, options.rounds)
    return capture.as_text(found), found


def part_participants(work, options):
    found = participants.measure(work, options.rounds, options.spark_rounds)
    return participants.as_text(found), found


def part_readers(work, options):
    found = readers.measure(work, options.count, options.rounds)
    return readers.as_text(found), found


def part_memory(work, options):
    found = memory.measure(work)
    return memory.as_text(found), found


def part_merge(work, options):
    found = merge.measure(work, options.rounds)
    return merge.as_text(found), found


def part_cluster(work, options):
    found = cluster.measure(work)
    return cluster.as_text(found), found


PARTS = {
    "end_to_end": ("From Kafka to committed Parquet", part_end_to_end),
    "latency": ("Waiting", part_latency),
    "capture": ("A capture, without a broker", part_capture),
    "participants": ("Participants of match-v5 documents", part_participants),
    "stages": ("Where a record's time goes", lambda work, options: (stages.measure(work), None)),
    "decode": (
        "Decoding alone, compared with simdjson On-Demand",
        lambda work, options: command_output("build/release/bench/stages", "decode", 20000, 30),
    ),
    "parquet": ("Parquet alone, compared with Arrow C++", lambda work, options: script("parquet_stage")),
    "scaling": (
        "Scaling",
        lambda work, options: (scaling.measure(work, options.most_rows), None),
    ),
    "readers": ("Small files and their readers", part_readers),
    "memory": ("The budget under pressure", part_memory),
    "merge": ("Merging small files", part_merge),
    "cluster": ("A Spark cluster for comparison", part_cluster),
    "sink_log": ("Sink logs of many entries", lambda work, options: script("sink_log")),
    "verify": ("verify", lambda work, options: script("verify")),
}


def commit():
    words = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
    return subprocess.run(words, capture_output=True, text=True).stdout.strip() or "unknown"


def machine():
    with open("/proc/cpuinfo") as file:
        model = next((line for line in file if line.startswith("model name")), ": unknown")
    return f"{os.cpu_count()} x {model.split(':', 1)[1].strip()}, Linux {os.uname().release}"


BAR = '''  <text x="150" y="{y}" text-anchor="end">{name}</text>
  <rect x="160" y="{top}" width="{width:.1f}" height="16" fill="{fill}"/>
  <text x="{end:.1f}" y="{y}">{value}</text>
'''


def draw(medians):
    """docs/performance.svg: rows/s and CPU seconds per million rows of each program."""
    fills = {"esports-stream": "#2a78d6", "bare consumer": "#9aa0a6", "spark": "#d9730d"}
    body, y = "", 24
    for column, title in (("rows_per_s", "rows/s"), ("cpu_s_per_million", "CPU s per million rows")):
        body += f'  <text x="10" y="{y}" font-weight="bold">{title}</text>\n'
        most = max(run[column] for run in medians.values())
        for name, run in medians.items():
            y += 24
            width = 380 * run[column] / most
            value = f"{run[column]:,}"
            body += BAR.format(y=y, top=y - 12, name=name, width=width, fill=fills[name], end=168 + width, value=value)
        y += 40
    (ROOT / "docs" / "performance.svg").write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="640" height="{y - 16}" '
        f'font-family="sans-serif" font-size="13">\n'
        f'  <rect width="100%" height="100%" fill="white"/>\n{body}</svg>\n'
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", default=",".join(PARTS), help="comma-separated (default: all)")
    parser.add_argument("--count", type=int, default=2_500_000, help="records of each kind")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--spark-rounds", type=int, default=1)
    parser.add_argument("--most-rows", type=int, default=10_000_000, help="of the scaling part")
    options = parser.parse_args()

    measured = commit()  # now: measuring writes files of its own
    text = f"# Measured {datetime.date.today()}\n\ncommit {measured}; {machine()}; `make bench`\n"
    figures = {}
    for name in options.parts.split(","):
        title, measure = PARTS[name]
        print(f"== {title}", flush=True)
        with tempfile.TemporaryDirectory(prefix="esports-bench-") as directory:
            found, figures[name] = measure(pathlib.Path(directory), options)
        print(found, flush=True)
        text += f"\n## {title}\n{found}\n"
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{datetime.date.today()}-{measured}"
    path.with_name(path.name + ".md").write_text(text)
    path.with_name(path.name + ".json").write_text(json.dumps(figures, indent=1) + "\n")
    if figures.get("end_to_end"):
        draw(figures["end_to_end"])
    print(f"results: {path.relative_to(ROOT)}.md")


if __name__ == "__main__":
    main()
