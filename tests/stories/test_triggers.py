"""MIN_OFFSETS_PER_TRIGGER and MAX_TRIGGER_DELAY, next to the options of Spark's source that they are named after."""

import json
import time

import pytest
import spark_job
from rig.broker import free_ports
from rig.lake import Lake
from rig.web import Web

HELD = {"MIN_OFFSETS_PER_TRIGGER": 100, "MAX_TRIGGER_DELAY": "1 hour", "TRIGGER": "200 milliseconds"}
OPTIONS = {"minOffsetsPerTrigger": 100, "maxTriggerDelay": "3600s"}


def records(count):
    return [json.dumps({"match_id": f"m{n}"}) for n in range(count)]


def wait_for(condition, what, timeout=60):
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def ends(lake):
    return [lake.planned_ends("matches", batch)[0] for batch in lake.batches("matches")]


@pytest.mark.timeout(180)
def test_batches_wait_for_as_many_offsets_as_in_spark_except_with_available_now(job, spark, tmp_path):
    topic = job.create_topic()
    (port,) = free_ports(1)
    theirs = Lake(tmp_path / "theirs")
    source = [*OPTIONS.items()]
    brokers = job.broker.bootstrap
    job.produce(records(10))
    query = spark_job.start(
        spark, "matches", brokers, topic, str(theirs.root), trigger="200 milliseconds", source=source, query_name="held"
    )
    process = job.start(SPARK_UI_PORT=port, **HELD)
    web = Web(process)

    # The first trigger of a start takes what there is.
    job.wait_committed(process, {0: 10})
    wait_for(lambda: ends(theirs) == [10], "Spark's first batch")
    job.produce(records(50))
    process.wait_until(lambda: web.query()["heldBack"], what="a batch that waits")
    shown = web.query()
    assert shown["heldBack"]["offsets"] == 50 and shown["heldBack"]["until"]
    assert shown["message"].startswith("Waiting for 50 more offsets or until ")
    assert shown["health"]["severity"] == "none" and shown["lag"]["records"] == 50
    job.produce(records(60))
    job.wait_committed(process, {0: 120})
    wait_for(lambda: ends(theirs)[-1] == 120, "Spark's second batch")
    assert ends(job.lake) == ends(theirs) == [10, 120]
    query.stop()
    job.produce(records(30))
    process.wait_until(lambda: web.query()["heldBack"], what="a batch that waits")
    process.stop()

    # availableNow takes everything here; Spark leaves what is less than the minimum.
    job.run(**{**HELD, "TRIGGER": "availableNow", "MAX_OFFSETS_PER_TRIGGER": 100})
    job.assert_exact()
    other = job.broker.create_topic(f"{topic}-other", 1)
    job.broker.produce(other, records(250))
    rest = Lake(tmp_path / "rest")
    started = spark_job.start(
        spark, "matches", brokers, other, str(rest.root), max_offsets=100, source=source, query_name="rest"
    )
    started.awaitTermination()
    assert ends(rest)[-1] < 250
    ours = tmp_path / "ours"
    job.run(**{**HELD, "TRIGGER": "availableNow", "MAX_OFFSETS_PER_TRIGGER": 100}, KAFKA_TOPIC_MATCHES=other, DATA_LAKE_PATH=ours)
    assert ends(Lake(ours)) == [100, 200, 250]

    # A minimum that no batch can have is refused by both.
    refused = job.start(**{**HELD, "MAX_OFFSETS_PER_TRIGGER": 99})
    refused.wait_exit(30, 2)
    assert "MIN_OFFSETS_PER_TRIGGER is 100, but MAX_OFFSETS_PER_TRIGGER is 99" in refused.errors()
    with pytest.raises(Exception, match="OffsetPerTrigger|OffsetsPerTrigger"):
        spark_job.start(
            spark, "matches", brokers, other, str(tmp_path / "none"), max_offsets=99, source=source, query_name="none"
        ).awaitTermination()
