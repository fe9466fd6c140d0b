"""The shortest way through everything."""

import pytest

MATCH = '{"match_id": "M1", "status": "finished", "match_duration": 1830}'


@pytest.mark.sanitized
def test_one_record_travels_from_the_broker_to_spark(job, spark):
    job.create_topic()
    job.produce([MATCH])

    job.run()

    assert job.lake.batches("matches", "offsets") == [0]
    assert job.lake.batches("matches", "commits") == [0]
    (row,) = spark.read.parquet(str(job.lake.table("matches"))).collect()
    assert (row.match_id, row.status, row.duration_minutes) == ("M1", "finished", 30)
    assert (row.is_completed, row.partition, row.offset) == (True, 0, 0)
