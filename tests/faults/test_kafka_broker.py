"""The broker is killed, stopped or frozen while the program reads from it."""

import time

import pytest
from rig.fault_table import RECOVERS
from rig.ledger import Ledger
from test_kafka_network import IMPATIENT, batch_in_progress, finish


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(
            "kill",
            marks=[
                pytest.mark.short,
                pytest.mark.fault("broker killed", made="SIGKILL during a batch, then started again", outcome=RECOVERS),
            ],
        ),
        pytest.param(
            "stop",
            marks=pytest.mark.fault("broker restarted", made="SIGTERM during a batch, then started again", outcome=RECOVERS),
        ),
    ],
)
def test_a_broker_that_is_away_for_a_while_during_a_batch(proxied_job, end):
    job = proxied_job
    ledger, process = batch_in_progress(job)
    getattr(job.broker, end)()
    job.broker.start()
    finish(job, ledger, process)


@pytest.mark.fault(
    "broker frozen", made="SIGSTOP during a batch, for longer than every timeout of the client", outcome=RECOVERS
)
def test_a_broker_that_is_frozen_during_a_batch(proxied_job):
    job = proxied_job
    ledger, process = batch_in_progress(job, **IMPATIENT)
    job.broker.pause()
    try:
        process.wait_log(r"\| DEBUG \| .*(timed out|does not answer)", 60)
        assert job.lake.batches("matches") == []
    finally:
        job.broker.resume()
    finish(job, ledger, process)


@pytest.mark.timeout(300)
@pytest.mark.fault(
    "broker frozen for minutes", made="SIGSTOP for 150 seconds, with the client's own timeouts", outcome=RECOVERS
)
def test_a_broker_that_is_frozen_for_minutes(proxied_job):
    job = proxied_job
    ledger, process = batch_in_progress(job)
    job.broker.pause()
    try:
        time.sleep(150)
        assert process.poll() is None and job.lake.batches("matches") == []
    finally:
        job.broker.resume()
    finish(job, ledger, process, timeout=120)


@pytest.mark.fault(
    "broker frozen at a start",
    made="SIGSTOP before the program starts, for KAFKA_STARTUP_TIMEOUT",
    outcome="exit code 4: no answer from Kafka",
)
def test_a_broker_that_is_frozen_at_a_start(proxied_job, fault):
    job = proxied_job
    job.create_topic()
    job.broker.pause()
    try:
        fault.assert_ended(job.start(KAFKA_STARTUP_TIMEOUT="5 seconds", **IMPATIENT))
    finally:
        job.broker.resume()


@pytest.mark.timeout(900)  # on a busy machine a broker starts in half a minute
@pytest.mark.fault(
    "broker killed again and again", made="eight times while the topic grows and the program reads", outcome=RECOVERS
)
def test_a_broker_that_is_killed_again_and_again(proxied_job):
    job = proxied_job
    ledger = Ledger(job)
    job.create_topic(partitions=3)
    process = job.start(TRIGGER="0 seconds", MAX_OFFSETS_PER_TRIGGER=500)
    with ledger.growing(3, rate=600):
        for _ in range(8):
            seen = job.lake.batches("matches")[-1:]
            process.wait_until(lambda: job.lake.batches("matches")[-1:] != seen, 60, "a new batch")
            job.broker.kill()
            job.broker.start()
    finish(job, ledger, process)
