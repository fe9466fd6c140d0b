"""The topic changes while a batch of it is being read: it is deleted and created again, gets partitions, or
loses records."""

import time

import pytest
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType
from rig.broker import must_be_delivered
from rig.fault_table import RECOVERS
from rig.ledger import Ledger
from test_kafka_network import RECORDS, batch_in_progress, finish

RENEWED = "was deleted and created again"
GONE = "of the planned batch are gone from the topic"
NAMES = {1: "fewer", 2: "the same", 3: "more"}
STOPS = {"FAIL_ON_DATA_LOSS": "true"}
CONTINUES = {"FAIL_ON_DATA_LOSS": "false"}


def recreated(partitions):
    """Both outcomes of a topic that comes back with so many partitions; it had two."""
    kind = f"topic created again with {NAMES[partitions]} partitions"
    if partitions == 2:
        kind = "topic created again with the same partitions"
    made = "deleted and created again during a batch"
    return [
        pytest.param(
            partitions,
            STOPS,
            marks=pytest.mark.fault(kind, made=made, outcome=f"exit code 6: {GONE}"),
            id=f"{partitions}-stops",
        ),
        pytest.param(
            partitions,
            CONTINUES,
            marks=pytest.mark.fault(
                kind,
                made=f"{made}, FAIL_ON_DATA_LOSS=false",
                outcome=f"{RECOVERS}; the new topic is read from its beginning, unread records of the old one are lost",
            ),
            id=f"{partitions}-continues",
        ),
    ]


@pytest.mark.parametrize(("partitions", "settings"), [*recreated(1), *recreated(2), *recreated(3)])
def test_a_topic_created_again_during_a_batch(proxied_job, fault, partitions, settings):
    """The batch had not been committed, so no record of the old topic is in the table."""
    job = proxied_job
    old, process = batch_in_progress(job, rate=400_000, **settings)
    topic = job.topics["matches"]
    job.broker.delete_topic(topic)
    process.wait_log("does not exist|nknown topic", 60)
    job.create_topic(partitions=partitions)
    job.broker.proxy.heal()
    new = Ledger(job)
    for partition in range(partitions):
        new.send(100, partition, letter="N")
    if settings is STOPS:
        fault.assert_ended(process)
        fault.assert_ended(job.start())  # a start finds the same, whenever it comes
        job.run(**CONTINUES)
    else:
        ends = {partition: 100 for partition in range(partitions)}
        job.wait_committed(process, ends, timeout=60)
        process.stop()
    text = new.assert_settled()
    assert "lost" in text and len(old.sent) == 2 * RECORDS


@pytest.mark.fault(
    "topic created again with more partitions, while the program is stopped",
    made="deleted and created again between two runs",
    outcome=f"exit code 6: {RENEWED}",
)
def test_a_topic_created_again_with_more_partitions_between_two_runs(proxied_job, fault):
    job = proxied_job
    first = Ledger(job)
    job.create_topic(partitions=2)
    for partition in (0, 1):
        first.send(100, partition, letter="A")
    job.run()
    job.create_topic_again(partitions=4)
    for partition in range(4):
        first.send(30, partition, letter="B")
    fault.assert_ended(job.start(TRIGGER="availableNow"))
    job.run(**CONTINUES)
    first.assert_settled()


@pytest.mark.short
@pytest.mark.fault(
    "partitions added during a batch",
    made="two partitions become four, with records at once; STARTING_OFFSETS=latest",
    outcome=RECOVERS,
)
def test_partitions_added_during_a_batch_are_read_from_their_start(proxied_job):
    job = proxied_job
    ledger = Ledger(job)
    job.create_topic(partitions=2)
    job.run(STARTING_OFFSETS="latest")
    for partition in (0, 1):
        ledger.send(RECORDS, partition, pad=1000)
    job.broker.proxy.slow(rate=1_500_000)
    process = job.start(TRIGGER="0 seconds", MAX_OFFSETS_PER_TRIGGER=0, STARTING_OFFSETS="latest")
    process.wait_until(lambda: job.lake.batches("matches", "offsets"), what="a plan")
    job.broker.add_partitions(job.topics["matches"], 4)
    for partition in range(4):
        ledger.send(100, partition, letter="N")
    assert job.lake.batches("matches") == []
    finish(job, ledger, process)


def expire(job, left):
    """Kafka's own retention removes the oldest segments, until about `left` bytes are left; the new start."""
    topic = job.topics["matches"]
    before = job.broker.start_offsets(topic)
    entry = ConfigEntry("retention.bytes", str(left), incremental_operation=AlterConfigOpType.SET)
    change = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    for future in job.broker.admin.incremental_alter_configs([change]).values():
        future.result(30)
    deadline = time.monotonic() + 60
    while job.broker.start_offsets(topic) == before:
        assert time.monotonic() < deadline, "retention removed nothing"
        time.sleep(0.1)
    time.sleep(1)  # what it still removes
    return job.broker.start_offsets(topic)[0]


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param(
            STOPS,
            marks=pytest.mark.fault(
                "retention overtakes the reader",
                made="retention removes segments of which a batch has read a part",
                outcome="exit code 6: set FAIL_ON_DATA_LOSS=false to continue without",
            ),
            id="stops",
        ),
        pytest.param(
            CONTINUES,
            marks=pytest.mark.fault(
                "retention overtakes the reader",
                made="the same, FAIL_ON_DATA_LOSS=false",
                outcome=f"{RECOVERS}; the removed offsets are counted as lost",
            ),
            id="continues",
        ),
    ],
)
def test_retention_that_overtakes_the_reader_during_a_batch(proxied_job, fault, settings):
    job, proxy = proxied_job, proxied_job.broker.proxy
    ledger = Ledger(job)
    job.create_topic(segment_bytes=1 << 20, file_delete_delay_ms=100)
    for _ in range(4):
        ledger.send(RECORDS // 2, pad=1000)
    proxy.slow(rate=300_000)
    before = proxy.sent
    process = job.start(TRIGGER="0 seconds", MAX_OFFSETS_PER_TRIGGER=0, SPARK_DRIVER_MEMORY="64m", **settings)
    process.wait_until(lambda: proxy.sent - before > 600_000, what="a part of the batch")
    start = expire(job, 2_500_000)
    assert 0 < start < len(ledger.sent)
    assert job.lake.batches("matches") == []
    proxy.heal()
    if settings is STOPS:
        fault.assert_ended(process, timeout=90)
        process = job.start(TRIGGER="0 seconds", MAX_OFFSETS_PER_TRIGGER=0, **CONTINUES)
    job.wait_committed(process, {0: len(ledger.sent)}, timeout=60)
    process.stop()
    text = ledger.assert_settled(lost=ledger.sent[:start])
    assert f" {start} " in text and "every offset is" in text


@pytest.mark.fault(
    "record above the fetch limit", made="20 MB in one record; a fetch asks for 1 MB", outcome=RECOVERS
)
def test_a_record_above_the_fetch_limit_is_read(proxied_job):
    job = proxied_job
    ledger = Ledger(job)
    job.create_topic(max_message_bytes=40_000_000)
    ledger.send(10)
    ledger.send(1, pad=20_000_000, message_max_bytes=40_000_000)
    ledger.send(10)
    job.run(SPARK_DRIVER_MEMORY="512m", SPARK_MASTER_URL="local[1]")
    ledger.assert_settled()


@pytest.mark.fault(
    "record above the memory",
    made="20 MB in one record, SPARK_DRIVER_MEMORY=64m; with 512m it is read",
    outcome="exit code 2: raise SPARK_DRIVER_MEMORY",
)
def test_a_record_above_the_memory(proxied_job, fault):
    job = proxied_job
    ledger = Ledger(job)
    job.create_topic(max_message_bytes=40_000_000)
    ledger.send(10)
    ledger.send(1, pad=20_000_000, message_max_bytes=40_000_000)
    ledger.send(10)
    process = job.start(TRIGGER="availableNow", SPARK_DRIVER_MEMORY="64m", SPARK_MASTER_URL="local[2]")
    fault.assert_ended(process)
    assert process.lines(r"CRITICAL.*partition 0 at offset 10: ")
    job.run(SPARK_DRIVER_MEMORY="512m", SPARK_MASTER_URL="local[1]")
    ledger.assert_settled()


@pytest.mark.fault(
    "producer that stops in a transaction",
    made="a transaction is left open; Kafka aborts it after its timeout",
    outcome=RECOVERS,
)
def test_a_producer_that_stops_in_a_transaction(proxied_job):
    job = proxied_job
    ledger = Ledger(job)
    topic = job.create_topic()
    producer = job.broker.producer(transactional_id=topic, transaction_timeout_ms=5000)
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(topic, '{"match_id": "T"}', partition=0, on_delivery=must_be_delivered)
    assert producer.flush(30) == 0
    ledger.send(50)
    process = job.start(TRIGGER="0 seconds")
    job.wait_committed(process, {0: 52}, timeout=60)  # 51 records and the marker
    process.stop()
    ledger.assert_settled()
