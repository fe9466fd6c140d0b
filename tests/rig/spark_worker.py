"""The inside of spark_process.py: one Spark session that answers each line of JSON with another."""

import json
import os
import pathlib
import sys

from pyspark.sql import functions as f

ROOT = pathlib.Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    sys.path[:1] = [str(ROOT / "tests"), str(ROOT / "bench")]

from rig.spark import open_session  # noqa: E402

import spark_job  # noqa: E402


def run_job(spark, **arguments):
    spark_job.start(spark, **arguments).awaitTermination()


def start_job(spark, **arguments):
    spark_job.start(spark, **arguments)


def stop_jobs(spark):
    for query in spark.streams.active:
        query.stop()


def count(spark, table):
    """(rows, distinct offsets)."""
    both = "count(*)", "count(DISTINCT partition, offset)"
    (row,) = spark.read.parquet(table).selectExpr(*both).collect()
    return tuple(row)


def schema(spark, table):
    """Names, types and nullability, as in printSchema."""
    return json.loads(spark.read.parquet(table).schema.json())


def rows(spark, table, vectorized=True):
    """In order of partition and offset, timestamps in microseconds since 1970; without the time of
    processing, which is another in each run."""
    spark.conf.set("spark.sql.parquet.enableVectorizedReader", str(vectorized).lower())
    frame = spark.read.parquet(table).drop("processing_timestamp")
    times = [name for name, its_type in frame.dtypes if its_type == "timestamp"]
    for name in times:
        frame = frame.withColumn(name, f.unix_micros(name))
    return [json.loads(row) for row in frame.orderBy("partition", "offset").toJSON().collect()]


TASKS = {
    task.__name__: task for task in (run_job, start_job, stop_jobs, count, schema, rows)
}


def main():
    version, directory, config = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what Spark prints belongs to the log
    spark = open_session(pathlib.Path(directory), version=version, **json.loads(config))
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {"result": TASKS[request.pop("task")](spark, **request)}
        except Exception as error:  # every failure of Spark is an answer
            answer = {"error": str(error)}
        print(json.dumps(answer), file=answers, flush=True)
    stop_jobs(spark)
    spark.stop()


if __name__ == "__main__":
    main()
