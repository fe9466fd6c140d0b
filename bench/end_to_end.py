#!/usr/bin/env python3
"""Both jobs from Kafka to Parquet, by our program and by Spark's file sink, and the bare consumer that
only reads: side by side on this machine, COUNT match and COUNT player records in lz4, 5 % of them
malformed, in one run to the end, from process start to exit.

Every program gets the whole machine in turn. Medians count; Spark, which takes minutes, runs
SPARK_ROUNDS times. Absolute figures belong to the machine; quote the ratios."""

import argparse
import json
import os
import pathlib
import statistics
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
DRAIN = ROOT / "build" / "release" / "bench" / "drain"


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


def drain_command(broker, lake):
    return [DRAIN, broker.bootstrap, PARTITIONS, *TOPICS.values()], {}


def broker_cpu_s(broker):
    with open(f"/proc/{broker.process.pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def batches_s(lake):
    """From the first plan to the last commit of both queries."""
    plans = [path.stat().st_mtime for path in lake.glob("checkpoints/*/offsets/[0-9]*")]
    if not plans:
        return None  # the bare consumer
    commits = [path.stat().st_mtime for path in lake.glob("checkpoints/*/commits/[0-9]*")]
    return round(max(commits) - min(plans), 3)


def measure(name, make_command, broker, work, count):
    lake, result = work / "lake", work / "measured.json"
    command, settings = make_command(broker, lake)
    before = broker_cpu_s(broker)
    with open(work / "log", "wb") as log:
        done = subprocess.run(
            [str(word) for word in (sys.executable, ROOT / "bench" / "measure.py", result, *command)],
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
    if figures["batches_s"]:
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


def median_of(runs):
    """One run of each program whose figures are the medians of its runs."""
    found = {}
    for name in dict.fromkeys(run["name"] for run in runs):
        own = [run for run in runs if run["name"] == name]
        found[name] = {
            column: statistics.median(run[column] for run in own)
            for column in COLUMNS
            if column != "name" and own[0].get(column) is not None
        }
        found[name].update(name=name, rounds=len(own))
    return found


def as_table(medians):
    lines = [" | ".join(COLUMNS.values()), " | ".join("---" for _ in COLUMNS)]
    lines += [
        " | ".join(str(run.get(column, "")) for column in COLUMNS) for run in medians.values()
    ]
    return "\n".join(f"| {line} |" for line in lines)


def as_ratios(medians):
    ours, drain = medians["esports-stream"], medians["bare consumer"]
    text = f"{100 * ours['rows_per_s'] / drain['rows_per_s']:.0f} % of the bare consumer's rows/s"
    spark = medians.get("spark")
    if spark is None:
        return text
    return (
        f"compared with Spark: {ours['rows_per_s'] / spark['rows_per_s']:.1f} x the rows/s of the whole run, "
        f"{ours['rows_per_s_in_batches'] / spark['rows_per_s_in_batches']:.1f} x from plan to "
        f"commit, {spark['cpu_s'] / ours['cpu_s']:.1f} x less CPU, "
        f"{spark['rss_peak_mb'] / ours['rss_peak_mb']:.1f} x less memory, "
        f"{100 * ours['out_mb'] / spark['out_mb']:.0f} % of its file size; {text}"
    )


def make_topics(broker, count, style):
    for kind, topic in TOPICS.items():
        broker.create_topic(topic, PARTITIONS)
        options = ("--malformed", MALFORMED_PERCENT, "--style", style, "--compression", "lz4")
        broker.generate(topic, kind, count, PARTITIONS, *options)


def measure_all(work, count, rounds, spark_rounds, style="python"):
    """The medians by program, as median_of() has them."""
    broker = Broker(work / "kafka").start()
    try:
        make_topics(broker, count, style)
        runs = []
        for number in range(max(rounds, spark_rounds)):
            programs = {"esports-stream": our_command, "bare consumer": drain_command}
            if number >= rounds:
                programs = {}
            if number < spark_rounds:
                programs["spark"] = spark_command
            for name, command in programs.items():
                place = work / f"{name.replace(' ', '-')}-{number}"
                place.mkdir()
                runs.append(measure(name, command, broker, place, count))
                print(f"{name}: {runs[-1]['rows_per_s']} rows/s", flush=True)
        check(work / "esports-stream-0" / "lake", count, work)
    finally:
        broker.stop()
    return median_of(runs)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2_500_000, help="records of each kind")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--spark-rounds", type=int, default=1)
    parser.add_argument("--style", choices=("python", "compact"), default="python")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="esports-bench-") as directory:
        medians = measure_all(
            pathlib.Path(directory), options.count, options.rounds, options.spark_rounds, options.style
        )
    print(as_table(medians))
    print(as_ratios(medians))


if __name__ == "__main__":
    main()
