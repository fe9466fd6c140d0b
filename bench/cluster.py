#!/usr/bin/env python3
"""The same topic read by the own engine and by a Spark cluster for comparison: a standalone master, two
workers with an executor of one core each, and a Connect server, all on this machine. Cluster and
server are up before the clock runs; both engines have two cores.

CPU is that of driver and executors, and of our own process, which starts, follows and writes the rejects."""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from rig.broker import Broker  # noqa: E402
from rig.cluster import Cluster, ConnectServer  # noqa: E402

PROGRAM = ROOT / "build" / "release" / "esports-stream"
PARTITIONS = 8
TICKS = os.sysconf("SC_CLK_TCK")
BATCH = re.compile(r"Batch (\d+) written .* rows=(\d+) \| rejects=(\d+) .* duration_ms=(\d+)")


def cpu_s(pids):
    """User and system time of processes that run."""
    total = 0
    for pid in pids:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def run(broker, topic, work, name, master, spark_pids=(), **settings):
    """The whole topic, by one engine."""
    settings = {
        "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap,
        "KAFKA_TOPIC_MATCHES": topic,
        "DATA_LAKE_PATH": str(work / name),
        "SPARK_MASTER_URL": master,
        "SPARK_UI_PORT": "0",
        "MAX_OFFSETS_PER_TRIGGER": "0",
        **settings,
    }
    result = work / "measured.json"
    command = [sys.executable, ROOT / "bench" / "measure.py", result, PROGRAM]
    command += ["--job", "matches", "--trigger", "availableNow"]
    before = cpu_s(spark_pids)
    done = subprocess.run(
        [str(word) for word in command], env={**os.environ, **settings}, check=True, stdout=subprocess.PIPE, text=True
    )
    own = json.loads(result.read_text())
    batches = [tuple(map(int, found)) for found in BATCH.findall(done.stdout)]
    return {
        "rows": sum(rows for _, rows, _, _ in batches),
        "rejects": sum(rejects for _, _, rejects, _ in batches),
        "wall_s": own["wall_s"],
        "batch_s": round(sum(ms for *_, ms in batches) / 1000, 2),
        "spark_cpu_s": round(cpu_s(spark_pids) - before, 2),
        "own_cpu_s": own["cpu_s"],
        "own_rss_mb": own["rss_peak_mb"],
    }


def measure(work, count=1_000_000):
    """{run: figures}; the second round on the cluster has its code compiled and its classes loaded."""
    found = {}
    with Broker(work / "kafka") as broker, Cluster(work / "cluster", cores=1) as cluster:
        topics = {}
        for kind, malformed in (("5 % malformed", "5"), ("none malformed", "0")):
            topics[kind] = broker.create_topic(f"bench-{malformed}", PARTITIONS)
            options = ["--compression", "lz4", "--malformed", malformed]
            broker.generate(topics[kind], "matches", count, PARTITIONS, *options)
        # Without the short-lived JVM options of the stories, which compile less.
        with ConnectServer(work / "connect", cluster.url, spark_executor_extraJavaOptions="-Dbench=true") as server:
            while len(cluster.executors()) < 2:
                time.sleep(0.05)
            pids = [server.pid, *cluster.executors()]
            for kind, topic in topics.items():
                found[f"own engine, {kind}"] = run(broker, topic, work, f"own-{topic}", "local[2]")
                for number in (1, 2):
                    name = f"cluster, {kind}, round {number}"
                    found[name] = run(broker, topic, work, f"spark-{topic}-{number}", server.url, pids)
    for name, one in found.items():
        if one["rows"] + one["rejects"] != count:
            sys.exit(f"{name}: {one} of {count}")
    return found


def as_text(found):
    names = list(next(iter(found.values())))
    lines = ["| | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for run_name, one in found.items():
        lines.append(f"| {run_name} | " + " | ".join(str(one[name]) for name in names) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="esports-bench-") as directory:
        print(as_text(measure(pathlib.Path(directory))))
