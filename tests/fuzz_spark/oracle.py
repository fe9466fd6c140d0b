"""Spark's rows for messages, as lines of the conformance corpus."""

import datetime
import time

import pyarrow
import pyarrow.parquet
import spark_job

FROM_KAFKA = ["kafka_timestamp", "partition", "offset", "processing_timestamp"]
EPOCH = datetime.datetime(1970, 1, 1)


class Refused(Exception):
    """Spark stops at one of the messages."""


def evaluate(spark, kind, messages, directory):
    """One dict per message, as a line of expected.jsonl without id and category; and the time, in
    milliseconds since 1970, by which Spark resolved times without a day."""
    while True:
        now = time.time()
        rows = evaluate_once(spark, kind, messages, directory)
        if int(now) // 86400 == int(time.time()) // 86400:
            return [line(rows.get(number)) for number in range(len(messages))], int(now * 1000)


def evaluate_once(spark, kind, messages, directory):
    """{number of the message: its row}, with the timestamps as "us" and the directory as "dir"."""
    from pyspark.sql import functions as f

    table = pyarrow.table(
        {
            "value": pyarrow.array(messages, pyarrow.binary()),
            "timestamp": pyarrow.array([EPOCH] * len(messages), pyarrow.timestamp("us", "UTC")),
            "partition": pyarrow.array([0] * len(messages), pyarrow.int32()),
            "offset": pyarrow.array(range(len(messages)), pyarrow.int64()),
        }
    )
    source, target = directory / "messages.parquet", directory / "rows.parquet"
    pyarrow.parquet.write_table(table, source)
    rows = spark_job.rows(spark.read.parquet(str(source)), kind)
    times = [name for name, its_type in rows.dtypes if its_type == "timestamp"]
    chosen = [f.unix_micros(name).alias(name) if name in times else name for name in rows.columns]
    rows.select(chosen).write.mode("overwrite").parquet(str(target))

    found = {}
    name_of = spark._jvm.org.apache.spark.sql.catalyst.catalog.ExternalCatalogUtils
    known = {}
    for row in pyarrow.parquet.read_table(target).to_pylist():
        parts = [(column, row[column]) for column in spark_job.JOBS[kind][3]]
        for part in parts:
            if part not in known:
                known[part] = name_of.getPartitionPathString(*part)
        row["dir"] = "/".join(known[part] for part in parts)
        row["us"] = {n: row[n] for n in times if n not in FROM_KAFKA and row[n] is not None}
        found[row["offset"]] = {name: row[name] for name in row if name not in FROM_KAFKA}
    return found


def line(row):
    if row is None:
        return {"emitted": False}
    us, directory = row.pop("us"), row.pop("dir")
    row = {name: plain(iso(value) if name in us else value) for name, value in row.items()}
    return {"emitted": True, "row": row, "us": us, "dir": directory}


def plain(value):
    """JSON has no such numbers."""
    if isinstance(value, float):
        if value != value:
            return "NaN"
        if value in (float("inf"), float("-inf")):
            return "Infinity" if value > 0 else "-Infinity"
    return value


def iso(micros):
    """For people; beyond Python's years just the number. The comparison takes `us`."""
    try:
        moment = EPOCH + datetime.timedelta(microseconds=micros)
    except OverflowError:
        return str(micros)
    return moment.isoformat(timespec="microseconds") + "Z"
