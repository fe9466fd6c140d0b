"""The inside of spark_process.py: one Spark session that answers each line of JSON with another."""

import json
import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
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
    frame = spark.read.parquet(table)
    return frame.count(), frame.select("partition", "offset").distinct().count()


TASKS = {task.__name__: task for task in (run_job, start_job, stop_jobs, count)}


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
