#!/usr/bin/env python3
"""The table riot_participants of queries/examples/riot.sql, made of DOCUMENTS documents in the shape of Riot's
match-v5, about 200 MB: by our program and by Spark's file sink with the same query, from one Kafka topic in
turn; and by our program from a capture, without a broker, for the cost of a byte. Both tables are compared.

Medians of ROUNDS count; Spark runs SPARK_ROUNDS times. Rates are from the first plan to the last commit."""

import argparse
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "bench")]

import spark_job  # noqa: E402
from end_to_end import batches_s  # noqa: E402
from rig.broker import Broker  # noqa: E402
from rig.paths import JARS, java_home  # noqa: E402
from rig.plans import plans_of  # noqa: E402

BUILD = ROOT / "build" / "release"
QUERIES = ROOT / "queries" / "examples" / "riot.sql"
SESSION = ROOT / "src" / "streaming" / "cluster" / "spark" / "spark_session.c"
TABLE = "riot_participants"
TOPIC = "riot-matches"
PARTITIONS = 2
DOCUMENTS = 3000
LINES = BUILD / "bench" / "match_v5_lines"


def make_capture(directory, documents):
    """One file per partition of the topic; their size in MB."""
    directory.mkdir()
    each = documents // PARTITIONS
    for number in range(PARTITIONS):
        with open(directory / f"{TOPIC}-{number}.ndjson", "wb") as file:
            subprocess.run([LINES, str(number * each), str(each)], stdout=file, check=True)
    return sum(path.stat().st_size for path in directory.iterdir()) / 1e6


def fill(broker, capture):
    broker.create_topic(TOPIC, PARTITIONS)
    for number in range(PARTITIONS):
        producer = broker.producer(compression_type="lz4")
        for line in (capture / f"{TOPIC}-{number}.ndjson").read_bytes().splitlines():
            producer.produce(TOPIC, line, partition=number)
            producer.poll(0)
        assert producer.flush(60) == 0


def ours(source, lake):
    return [BUILD / "esports-stream", "--job", TABLE, "--trigger", "availableNow"], {
        "KAFKA_BOOTSTRAP_SERVERS": source,
        "DATA_LAKE_PATH": str(lake),
        "QUERIES_PATH": str(QUERIES),
        "SPARK_UI_PORT": "0",
        "LOG_LEVEL": "WARNING",
    }


def spark(source, lake):
    words = [sys.executable, pathlib.Path(__file__), "--spark", source, lake]
    return words, {"JAVA_HOME": java_home(), "SPARK_LOCAL_IP": "127.0.0.1"}


def run_spark(brokers, lake):
    """The process that is measured: the same query as a streaming query with Spark's file sink."""
    fixed = dict(re.findall(r'\{"(spark\.sql\.[\w.]+)", "(\w+)"\}', SESSION.read_text()))
    session = spark_job.open_session(",".join(str(path) for path in sorted((JARS / "spark").glob("*.jar"))))
    for name, value in fixed.items():
        session.conf.set(name, value)
    (plan,) = [plan for plan in plans_of(QUERIES) if plan.name == TABLE]
    source = session.readStream.format("kafka").options(
        **{"kafka.bootstrap.servers": brokers, "subscribe": TOPIC, "startingOffsets": "earliest"}
    )
    parsed = source.load().selectExpr(
        f"from_json(CAST(value AS STRING), '{plan.schema}') AS r", "*", "current_timestamp() AS processing_timestamp"
    )
    # Without NOT NULL: all documents have an identifier, and with a filter Spark parses each one more often.
    parsed.createOrReplaceTempView("records")
    writer = session.sql(plan.select("records")).select(*plan.order).writeStream
    writer = writer.option("checkpointLocation", f"{lake}/checkpoints/{TABLE}").partitionBy(*plan.partitions)
    query = writer.format("parquet").trigger(availableNow=True).start(f"{lake}/processed/{TABLE}")
    query.awaitTermination()
    session.stop()


def measure_one(name, command, settings, lake, work):
    shutil.rmtree(lake, ignore_errors=True)
    result, log = work / "measured.json", work / "log"
    words = [sys.executable, ROOT / "bench" / "measure.py", result, *command]
    with open(log, "wb") as file:
        done = subprocess.run(
            [str(word) for word in words], env={**os.environ, **settings}, stdout=file, stderr=file, check=False
        )
    if done.returncode != 0:
        sys.exit(f"{name} ended with {done.returncode}:\n{log.read_text()[-3000:]}")
    figures = json.loads(result.read_text())
    figures["batches_s"] = batches_s(lake)
    return figures


def compare(work):
    """Both tables have the same rows, by DuckDB; how many."""
    import duckdb

    columns = [name for name in plans_of(QUERIES)[1].order if name != "processing_timestamp"]
    text = ", ".join(f'"{name}"' for name in columns)
    read = "SELECT {} FROM read_parquet('{}/processed/riot_participants/**/*.parquet', hive_partitioning = true)"
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        tables = {name: read.format(text, work / name) for name in ("ours", "spark")}
        rows = [connection.sql(f"SELECT count(*) FROM ({table})").fetchall()[0][0] for table in tables.values()]
        first, second = tables.values()
        more = [
            connection.sql(f"SELECT count(*) FROM ({one} EXCEPT ALL {other})").fetchall()[0][0]
            for one, other in ((first, second), (second, first))
        ]
    if rows[0] != rows[1] or more != [0, 0]:
        sys.exit(f"the tables differ: {rows} rows, {more} of them only in one")
    return rows[0]


def measure(work, rounds, spark_rounds, documents=DOCUMENTS):
    """{"mb": …, "rows": …, "documents": …, program: medians}"""
    capture = work / "documents"
    found = {"documents": documents, "mb": make_capture(capture, documents)}
    runs = {"ours": [], "spark": [], "capture": []}
    with Broker(work / "kafka") as broker:
        fill(broker, capture)
        for number in range(max(rounds, spark_rounds)):
            turns = [("ours", ours, broker.bootstrap, rounds), ("capture", ours, f"file:{capture}", rounds)]
            for name, make, source, most in [*turns, ("spark", spark, broker.bootstrap, spark_rounds)]:
                if number < most:
                    runs[name].append(measure_one(name, *make(source, work / name), work / name, work))
                    print(f"{name}: {runs[name][-1]}", flush=True)
        found["rows"] = compare(work)
    names = ("wall_s", "batches_s", "cpu_s", "rss_peak_mb")
    for program, figures in runs.items():
        found[program] = {name: statistics.median(one[name] for one in figures) for name in names}
    return found


TITLES = {"ours": "esports-stream", "capture": "esports-stream, from a capture", "spark": "Spark 4.2, file sink"}


def as_text(found):
    text = f"{found['documents']} documents, {found['mb']:.0f} MB, {found['rows']} rows, the same in both tables\n\n"
    text += "| program | wall s | plan to commit s | rows/s in it | CPU s | MB per CPU s | peak RSS MB |\n|---|---|---|---|---|---|---|\n"
    for name, title in TITLES.items():
        one = found[name]
        text += (
            f"| {title} | {one['wall_s']:.2f} | {one['batches_s']:.2f} | {found['rows'] / one['batches_s']:,.0f} "
            f"| {one['cpu_s']:.2f} | {found['mb'] / one['cpu_s']:.0f} | {one['rss_peak_mb']:.0f} |\n"
        )
    own, peer = found["ours"], found["spark"]
    return text + (
        f"\n{peer['batches_s'] / own['batches_s']:.1f} x Spark's rows/s from plan to commit, "
        f"{peer['wall_s'] / own['wall_s']:.1f} x of the whole run, {peer['cpu_s'] / own['cpu_s']:.1f} x less CPU, "
        f"{peer['rss_peak_mb'] / own['rss_peak_mb']:.1f} x less memory"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=DOCUMENTS)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--spark-rounds", type=int, default=2)
    parser.add_argument("--spark", nargs=2, metavar=("BROKERS", "LAKE"), help="run Spark's query, and nothing else")
    options = parser.parse_args()
    if options.spark:
        run_spark(*options.spark)
        return
    with tempfile.TemporaryDirectory(prefix="esports-bench-") as directory:
        print(as_text(measure(pathlib.Path(directory), options.rounds, options.spark_rounds, options.documents)))


if __name__ == "__main__":
    main()
