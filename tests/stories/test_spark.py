"""One checkpoint, one table, two programs: Spark takes over from us, and we from Spark."""

import pytest
import spark_job


def run_spark(job, spark):
    query = spark_job.start(
        spark, "matches", job.broker.bootstrap, job.topics["matches"], str(job.lake.root)
    )
    query.awaitTermination()


def rows_by_spark(job, spark):
    """(rows, distinct offsets) through the sink log."""
    frame = spark.read.parquet(str(job.lake.table("matches")))
    return frame.count(), frame.select("partition", "offset").distinct().count()


def test_spark_resumes_our_checkpoint_and_we_resume_sparks(job, spark):
    topic = job.create_topic(partitions=2)
    job.broker.generate(topic, "matches", 200, 2)
    job.run()
    assert rows_by_spark(job, spark) == (200, 200)

    job.broker.generate(topic, "matches", 100, 2, start=200)
    run_spark(job, spark)
    assert rows_by_spark(job, spark) == (300, 300)
    assert job.lake.batches("matches") == [0, 1]

    job.broker.generate(topic, "matches", 50, 2, start=300)
    job.run()
    assert rows_by_spark(job, spark) == (350, 350)
    assert job.lake.batches("matches") == [0, 1, 2]
    job.lake.assert_holds("matches", job.broker.end_offsets(topic))


def test_we_resume_a_checkpoint_that_spark_began(job, spark):
    topic = job.create_topic(partitions=2)
    job.broker.generate(topic, "matches", 200, 2)
    run_spark(job, spark)
    metadata = (job.lake.checkpoint("matches") / "metadata").read_text()

    job.broker.generate(topic, "matches", 100, 2, start=200)
    job.run()

    assert rows_by_spark(job, spark) == (300, 300)
    assert (job.lake.checkpoint("matches") / "metadata").read_text() == metadata
    job.lake.assert_holds("matches", job.broker.end_offsets(topic))


def test_a_second_writer_in_spark_stops_us_with_cause_and_fix_and_nothing_is_twice(job, spark):
    """Spark takes no lock: the first plan of a batch is the only one."""
    topic = job.create_topic()
    job.broker.generate(topic, "matches", 100, 1)
    process = job.start(TRIGGER="0 seconds")
    job.wait_committed(process, {0: 100})
    process.pause()
    job.broker.generate(topic, "matches", 50, 1, start=100)
    run_spark(job, spark)
    process.resume()

    process.wait_exit(exit_code=5)

    (line,) = process.lines("match_stream.*CRITICAL")
    assert f"'{job.lake.checkpoint('matches')}/offsets/1' already exists" in line
    assert "Spark, or another instance of this program" in line and "then start the other again" in line
    job.broker.generate(topic, "matches", 30, 1, start=150)
    job.run()
    assert rows_by_spark(job, spark) == (180, 180)
    job.assert_exact()


@pytest.mark.parametrize("sink", ["file", "foreachBatch"])
@pytest.mark.parametrize("version", ["3.5", "4"])
def test_either_spark_runs_the_job_with_either_sink(job, request, version, sink):
    spark = request.getfixturevalue({"3.5": "spark35", "4": "spark4"}[version])
    topic = job.create_topic(partitions=2)
    job.broker.generate(topic, "matches", 200, 2)

    spark.run_job(job, sink=sink, max_offsets=120)

    table = job.lake.table("matches")
    assert spark.count(table) == (200, 200)
    assert (table / "_spark_metadata").exists() == (sink == "file")
    assert job.lake.batches("matches") == [0, 1]
