#!/usr/bin/env python3
"""Both jobs from Kafka to Parquet, by our program and by Spark's file sink, side by side on this
machine: COUNT match and COUNT player records, 5 % of them malformed, in one run to the end.

Prints a table and writes bench/results/<date>-<commit>.json and .md. Absolute figures belong to
the machine; quote the ratios."""

import argparse
import datetime
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

import duckdb  # noqa: E402
from rig.broker import Broker  # noqa: E402
from rig.paths import JARS, java_home  # noqa: E402
from rig.spark import open_session  # noqa: E402

PARTITIONS = 4
MALFORMED_PERCENT = 5
TOPICS = {"matches": "esports-matches", "players": "esports-players"}
PROGRAM = ROOT / "build" / "release" / "esports-stream"


def our_command(broker, lake):
    return [PROGRAM, "--job", "all", "--trigger", "availableNow"], {
        "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap,
        "DATA_LAKE_PATH": str(lake),
        "LOG_LEVEL": "WARNING",
    }


def spark_command(broker, lake):
    jars = ",".join(str(path) for path in sorted((JARS / "spark").glob("*.jar")))
    command = [sys.executable, ROOT / "bench" / "spark_job.py", "--brokers", broker.bootstrap]
    for kind, topic in TOPICS.items():
        command += [f"--topic-{kind}", topic]
    command += ["--lake", lake, "--jars", jars]
    return command, {"JAVA_HOME": java_home(), "SPARK_LOCAL_IP": "127.0.0.1"}


def broker_cpu_s(broker):
    with open(f"/proc/{broker.process.pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def batches_s(lake):
    """From the first plan to the last commit of both queries."""
    plans = [path.stat().st_mtime for path in lake.glob("checkpoints/*/offsets/[0-9]*")]
    commits = [path.stat().st_mtime for path in lake.glob("checkpoints/*/commits/[0-9]*")]
    return round(max(commits) - min(plans), 3)


def measure(name, make_command, broker, work, count):
    lake, result = work / "lake", work / "measured.json"
    command, settings = make_command(broker, lake)
    before = broker_cpu_s(broker)
    with open(work / "log", "wb") as log:
        done = subprocess.run(
            [sys.executable, ROOT / "bench" / "measure.py", result, *command],
            env={**os.environ, **settings},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    if done.returncode != 0:
        sys.exit(f"{name} ended with {done.returncode}:\n{(work / 'log').read_text()[-3000:]}")
    figures = json.loads(result.read_text())
    broker_s = broker_cpu_s(broker) - before
    figures.update(
        name=name,
        records=2 * count,
        batches_s=batches_s(lake),
        broker_cpu_s=round(broker_s, 2),
        others_cpu_s=round(figures.pop("busy_s") - figures["cpu_s"] - broker_s, 2),
        out_mb=round(sum(p.stat().st_size for p in lake.glob("**/*.parquet")) / 1e6, 1),
    )
    figures["rows_per_s"] = round(figures["records"] / figures["wall_s"])
    figures["rows_per_s_in_batches"] = round(figures["records"] / figures["batches_s"])
    figures["cpu_s_per_million"] = round(figures["cpu_s"] / figures["records"] * 1e6, 2)
    return figures


def check_with_duckdb(lake, kind, count):
    """Table and rejects hold each offset of the topic once."""
    paths = [f"{lake}/{folder}/{kind}/**/*.parquet" for folder in ("processed", "rejected")]
    with duckdb.connect() as connection:
        found = connection.sql(
            f'SELECT count(*), count(DISTINCT (partition, "offset")), min("offset"), max("offset")'
            f" FROM (SELECT partition, \"offset\" FROM read_parquet('{paths[0]}') UNION ALL"
            f" SELECT partition, \"offset\" FROM read_parquet('{paths[1]}'))"
        ).fetchall()[0]
    wanted = (count, count, 0, (count - 1) // PARTITIONS)
    if found != wanted:
        sys.exit(f"{kind}: DuckDB counts {found}, not {wanted}")


def check_with_spark(spark, lake, kind, count):
    keys = [
        spark.read.parquet(f"{lake}/{folder}/{kind}").select("partition", "offset")
        for folder in ("processed", "rejected")
    ]
    both = keys[0].unionAll(keys[1])
    found = (both.count(), both.distinct().count())
    if found != (count, count):
        sys.exit(f"{kind}: Spark counts {found}, not {count} of each")


def check(lake, count, work):
    spark = open_session(work)
    for kind in TOPICS:
        check_with_duckdb(lake, kind, count)
        check_with_spark(spark, lake, kind, count)
    spark.stop()
    print(f"table and rejects hold each of the {2 * count} offsets once, by DuckDB and by Spark")


COLUMNS = {
    "name": "program",
    "wall_s": "wall s",
    "rows_per_s": "rows/s",
    "batches_s": "plan to commit s",
    "rows_per_s_in_batches": "rows/s in it",
    "cpu_s": "CPU s",
    "cpu_s_per_million": "CPU s/M rows",
    "rss_peak_mb": "peak RSS MB",
    "out_mb": "Parquet MB",
    "others_cpu_s": "others' CPU s",
}


def as_table(runs):
    lines = [" | ".join(COLUMNS.values()), " | ".join("---" for _ in COLUMNS)]
    lines += [" | ".join(str(run[column]) for column in COLUMNS) for run in runs]
    return "\n".join(f"| {line} |" for line in lines)


def as_ratios(runs):
    """Ours against Spark, each by its best run."""
    best = {}
    for run in runs:
        if run["wall_s"] < best.get(run["name"], run)["wall_s"] or run["name"] not in best:
            best[run["name"]] = run
    ours, spark = best["esports-stream"], best["spark"]
    return (
        f"{ours['rows_per_s'] / spark['rows_per_s']:.1f} x the rows/s of the whole run, "
        f"{ours['rows_per_s_in_batches'] / spark['rows_per_s_in_batches']:.1f} x from plan to "
        f"commit, {spark['cpu_s'] / ours['cpu_s']:.1f} x less CPU, "
        f"{spark['rss_peak_mb'] / ours['rss_peak_mb']:.1f} x less memory"
    )


def commit():
    words = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
    return subprocess.run(words, capture_output=True, text=True).stdout.strip() or "unknown"


def machine():
    with open("/proc/cpuinfo") as file:
        model = next((line for line in file if line.startswith("model name")), ": unknown")
    return f"{os.cpu_count()} x {model.split(':', 1)[1].strip()}, Linux {os.uname().release}"


def write_results(runs, count):
    day = datetime.date.today().isoformat()
    path = ROOT / "bench" / "results" / f"{day}-{commit()}"
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {"machine": machine(), "commit": commit(), "count": count, "runs": runs}
    path.with_name(path.name + ".json").write_text(json.dumps(document, indent=2) + "\n")
    path.with_name(path.name + ".md").write_text(
        f"{count} match and {count} player records, {MALFORMED_PERCENT} % malformed, "
        f"{PARTITIONS} partitions each, one broker on the same machine ({machine()}).\n\n"
        f"{as_table(runs)}\n\n{as_ratios(runs)}\n"
    )
    return path


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000, help="records of each kind")
    parser.add_argument("--rounds", type=int, default=1, help="runs of each, taken in turns")
    options = parser.parse_args()

    with tempfile.TemporaryDirectory(prefix="esports-bench-") as directory:
        work = pathlib.Path(directory)
        broker = Broker(work / "kafka").start()
        try:
            for kind, topic in TOPICS.items():
                broker.create_topic(topic, PARTITIONS)
                bad = ("--malformed", MALFORMED_PERCENT)
                broker.generate(topic, kind, options.count, PARTITIONS, *bad)
            runs = []
            for number in range(options.rounds):
                for name, command in (("esports-stream", our_command), ("spark", spark_command)):
                    place = work / f"{name}-{number}"
                    place.mkdir()
                    runs.append(measure(name, command, broker, place, options.count))
                    print(f"{name}: {runs[-1]['rows_per_s']} rows/s", flush=True)
            check(work / "esports-stream-0" / "lake", options.count, work)
        finally:
            broker.stop()
    print(as_table(runs))
    print(as_ratios(runs))
    print(f"results: {write_results(runs, options.count)}.md")


if __name__ == "__main__":
    main()
