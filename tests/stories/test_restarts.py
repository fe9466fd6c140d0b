"""No matter what ends the program, or when: the next start continues as if nothing had happened."""

import random
import signal
import time

import pyarrow.parquet
import pytest
from rig.lake import QUERIES

PARTITIONS = 4


@pytest.mark.sanitized
def test_a_restart_resumes_where_the_last_run_ended(job):
    topic = job.create_topic(partitions=2)
    job.broker.generate(topic, "matches", 300, 2)
    job.run()
    job.broker.generate(topic, "matches", 200, 2, start=300)
    job.run()
    job.run()  # nothing new: no batch

    assert job.lake.batches("matches") == [0, 1]
    assert job.lake.planned_ends("matches", 0) == {0: 150, 1: 150}
    assert job.lake.planned_ends("matches", 1) == {0: 250, 1: 250}
    job.assert_exact()


@pytest.mark.sanitized
@pytest.mark.timeout(240)
def test_after_twenty_kills_at_random_moments_nothing_is_lost_and_nothing_is_there_twice(job):
    """Both queries, while both topics grow. Between the kills every visible file is whole."""
    moments = random.Random(7)
    job.create_topics(PARTITIONS)
    with job.broker.growing(job.topics, 4000, PARTITIONS):
        for number in range(20):
            before = plans(job.lake)
            process = job.start("--job", "all", TRIGGER="0 seconds", MAX_OFFSETS_PER_TRIGGER=1000)
            if number % 2:  # somewhere in a batch, or else somewhere in the start
                process.wait_until(lambda: plans(job.lake) > before, what="a new plan")
            time.sleep(moments.uniform(0, 0.4))
            assert process.poll() is None, process.tail()
            process.kill()
            assert_whole(job.lake)

    job.run("--job", "all")
    for kind in job.topics:
        assert len(job.lake.batches(kind)) > 2
        job.assert_exact(kind)


def plans(lake):
    return sum(max(lake.batches(kind, "offsets"), default=-1) for kind in QUERIES)


def assert_whole(lake):
    for kind in QUERIES:
        for path in lake.files(lake.table(kind)) + lake.files(lake.rejects(kind)):
            pyarrow.parquet.ParquetFile(path)
        assert twice(lake.account(kind)) == []


def twice(counter):
    return [key for key, times in counter.items() if times > 1]


@pytest.mark.sanitized
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_under_load_ends_with_0_in_time_and_loses_nothing(job, number):
    topic = job.create_topic(partitions=PARTITIONS)
    job.broker.generate(topic, "matches", 100000, PARTITIONS, "--malformed", 5)
    process = job.start(TRIGGER="0 seconds", MAX_OFFSETS_PER_TRIGGER=1000, SHUTDOWN_TIMEOUT="5s")
    process.wait_until(lambda: job.lake.batches("matches"), what="a first batch")

    process.signal(number)

    process.wait_exit(7, 0)
    assert job.lake.leftovers("matches") == []
    assert len(job.lake.batches("matches")) < 100  # of 100: it did stop
    job.run()
    job.assert_exact()


def stuck_in_a_batch(job):
    """A process in the middle of a batch whose broker has stopped answering."""
    topic = job.create_topic(partitions=PARTITIONS)
    job.broker.generate(topic, "matches", 300000, PARTITIONS)
    process = job.start(TRIGGER="0 seconds", MAX_OFFSETS_PER_TRIGGER=0, SHUTDOWN_TIMEOUT="3s")
    process.wait_until(lambda: job.lake.batches("matches", "offsets"), what="a plan")
    job.broker.pause()
    return process


def test_a_batch_that_cannot_finish_is_abandoned_at_the_shutdown_timeout(job):
    process = stuck_in_a_batch(job)
    try:
        process.terminate()
        process.wait_exit(6, 0)
    finally:
        job.broker.resume()

    assert job.lake.leftovers("matches") == []
    job.run()
    job.assert_exact()


def test_a_second_signal_stops_at_once(job):
    process = stuck_in_a_batch(job)
    try:
        process.terminate()
        process.wait_log("Stopping after the running batches")
        process.terminate()
        process.wait_exit(10, 128 + signal.SIGTERM)  # at the SHUTDOWN_TIMEOUT it would be 0
    finally:
        job.broker.resume()

    job.run()
    job.assert_exact()


@pytest.mark.sanitized
def test_a_second_instance_is_refused_and_names_the_holder(job):
    topic = job.create_topic()
    first = job.start(TRIGGER="0 seconds")
    job.broker.generate(topic, "matches", 10)
    job.wait_committed(first, {0: 10})

    second = job.run(exit_code=3)

    assert str(first.pid) in second.log() + second.errors()
    # The lock of one query is enough to start nothing.
    job.create_topic("players")
    job.run("--job", "all", exit_code=3)
    assert not job.lake.batches("players", "offsets")
    first.stop()
    job.run()
    job.assert_exact()


def test_a_killed_instance_leaves_no_lock_behind(job):
    topic = job.create_topic()
    job.broker.generate(topic, "matches", 10)
    first = job.start(TRIGGER="0 seconds")
    job.wait_committed(first, {0: 10})
    first.kill()

    job.run()
    job.assert_exact()
