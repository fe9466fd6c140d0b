#!/usr/bin/env python3
"""CPU nanoseconds that each stage takes of a record, alone: the source by a bare librdkafka consumer of
an lz4 topic, the others in memory. Encoding is writing without a codec; compressing is what snappy
adds to it. Commits are a batch's, not a record's (sink_log.py, latency.py)."""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from rig.broker import Broker  # noqa: E402

BUILD = ROOT / "build" / "release" / "bench"
RECORDS = 500_000
PARTITIONS = 4


def source_ns(work):
    with Broker(work / "kafka") as broker:
        for kind in ("matches", "players"):
            broker.create_topic(kind, PARTITIONS)
            broker.generate(kind, kind, RECORDS, PARTITIONS, "--compression", "lz4")
        drain = [BUILD / "drain", broker.bootstrap, PARTITIONS, "matches", "players"]
        command = [sys.executable, ROOT / "bench" / "measure.py", work / "drain.json", *drain]
        spent = []
        for _ in range(3):
            subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)
            spent.append(json.loads((work / "drain.json").read_text())["cpu_s"])
    return min(spent) / (2 * RECORDS) * 1e9


def decode_ns():
    done = subprocess.run([BUILD / "stages", "decode", "20000", "15"], capture_output=True, text=True)
    return float(re.search(r"decode +([\d.]+) ns/record", done.stdout)[1])


def rows_ns(kind, codec):
    """(deriving, writing) of a row."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as directory:
        command = [BUILD / "parquet_stage", directory, kind, "250000", "1024", "7", codec]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    numbers = re.search(r"ns/row ([\d.]+).*derive ns/row ([\d.]+)", done.stdout, re.S)
    return float(numbers[2]), float(numbers[1])


def measure(work):
    lines = ["| stage | matches, ns/record | players, ns/record |", "|---|---|---|"]
    source = source_ns(work)
    lines.append(f"| source (librdkafka, its threads included) | {source:.0f} | {source:.0f} |")
    lines.append(f"| decode, keys in order | {decode_ns():.0f} | |")
    stage = {}
    for kind in ("matches", "players"):
        derive, encode = rows_ns(kind, "none")
        stage[kind] = derive, encode, rows_ns(kind, "snappy")[1] - encode
    for number, name in enumerate(("derive", "route, encode, write", "compress (snappy)")):
        values = " | ".join(f"{stage[kind][number]:.0f}" for kind in ("matches", "players"))
        lines.append(f"| {name} | {values} |")
    return "\n".join(lines)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="esports-bench-") as made:
        print(measure(pathlib.Path(made)))
