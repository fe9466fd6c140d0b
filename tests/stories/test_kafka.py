"""What happens in Kafka: transactions, compaction, retention, brokers and topics that come and go."""

import collections
import ctypes
import re
import time

import pytest
from rig.broker import free_ports, must_be_delivered
from rig.debian13 import Debian13
from rig.job import Job
from rig.lake import without_checksum
from rig.web import Web

MATCH = '{"match_id": "M%d", "status": "finished"}'


def matches(count, start=0):
    return [MATCH % number for number in range(start, start + count)]


@pytest.mark.sanitized
def test_only_committed_transactions_are_read(job):
    topic = job.create_topic()
    producer = job.broker.producer(transactional_id=topic)
    producer.init_transactions(30)
    for count, commit in ((10, True), (5, False), (7, True), (3, False)):
        producer.begin_transaction()
        for value in matches(count):
            producer.produce(topic, value, partition=0)
        producer.flush(30)
        if commit:
            producer.commit_transaction(30)
        else:
            producer.abort_transaction(30)

    # 0..9 committed, 10 marker, 11..15 aborted, 16 marker, 17..23 committed, then nothing to read.
    job.broker.wait_end_offsets(topic, {0: 29})
    absent = {(0, offset) for offset in (10, *range(11, 17), *range(24, 29))}
    job.run()
    job.assert_exact(absent=absent)

    # An open transaction is not read, and does not delay the end of the run.
    producer.begin_transaction()
    for value in matches(4):
        producer.produce(topic, value, partition=0)
    producer.flush(30)
    job.run()
    assert len(job.lake.batches("matches")) == 1
    producer.commit_transaction(30)
    job.broker.wait_end_offsets(topic, {0: 34})
    job.run()
    job.assert_exact(absent=absent | {(0, 33)})


@pytest.mark.sanitized
def test_offsets_removed_by_compaction_are_not_a_loss(job):
    topic = job.create_topic(
        cleanup_policy="compact",
        segment_ms=100,
        min_cleanable_dirty_ratio=0.01,
        max_compaction_lag_ms=200,
        delete_retention_ms=100,
    )
    values = matches(300)
    for _ in range(2):
        job.produce([(f"k{number % 20}", value) for number, value in enumerate(values)])
        time.sleep(0.3)
    job.produce([("last", MATCH % 999)])
    deadline = time.monotonic() + 60
    while len(job.broker.readable(topic)) > 100:
        assert time.monotonic() < deadline, "the broker did not compact the topic"
        job.produce([("last", MATCH % 999)])
        time.sleep(0.3)
    left = job.broker.readable(topic)

    job.run()

    # The cleaner may have continued in the meantime. Everything that is readable now must be in the
    # table, and nothing else than what was readable before.
    (end,) = job.broker.end_offsets(topic).values()
    seen = job.lake.account("matches")
    assert job.broker.readable(topic) <= seen.keys() <= left
    assert max(seen.values()) == 1
    assert job.lake.planned_ends("matches", 0) == {0: end}


@pytest.mark.timeout(180)
def test_a_query_waits_for_a_broker_that_goes_away(job):
    topic = job.create_topic(partitions=2)
    job.broker.generate(topic, "matches", 100, 2)
    process = job.start(TRIGGER="0 seconds")
    job.wait_committed(process, {0: 50, 1: 50})

    job.broker.kill()
    process.wait_log(r"\| match_stream \| ERROR \| .*Kafka", timeout=40)
    assert len(process.lines(r"\| ERROR \|")) <= 2  # one per minute, not one per trigger
    job.broker.start()
    job.broker.generate(topic, "matches", 100, 2, start=100)

    job.wait_committed(process, {0: 100, 1: 100}, timeout=60)
    process.stop()
    job.assert_exact()


def test_without_a_broker_the_program_waits_and_then_ends_with_4(job):
    (port,) = free_ports(1)
    began = time.monotonic()

    process = job.run(
        exit_code=4, KAFKA_BOOTSTRAP_SERVERS=f"127.0.0.1:{port}", KAFKA_STARTUP_TIMEOUT="4 seconds"
    )

    assert 3 < time.monotonic() - began < 12
    assert process.lines(rf"\| WARNING \| .*127.0.0.1:{port}.*refused.*attempt=1")


def test_a_query_waits_for_a_missing_topic_and_reads_it_once_it_exists(job):
    process = job.start(TRIGGER="0 seconds")
    process.wait_log(rf"{job.topics['matches']}.*attempt=")

    job.create_topic()
    job.produce(matches(10))

    job.wait_committed(process, {0: 10})
    process.stop()
    job.assert_exact()


def test_a_topic_that_never_comes_ends_with_4(job):
    process = job.run(exit_code=4, KAFKA_STARTUP_TIMEOUT="2s")

    assert job.topics["matches"] in process.log()


def test_a_topic_with_a_similar_name_is_suggested(job):
    job.broker.create_topic("esport-tournaments", 1)
    settings = {"KAFKA_TOPIC_MATCHES": "esports-tournaments", "KAFKA_STARTUP_TIMEOUT": "1s"}
    meant = "'esports-tournaments' does not exist .*did you mean 'esport-tournaments'\\?"

    assert job.run(exit_code=4, **settings).lines(
        f"CRITICAL .* Query failed: .*{meant} Set KAFKA_TOPIC_MATCHES$"
    )
    doctor = job.run("doctor", "--job", "matches", exit_code=4, **settings).log()
    assert re.search(meant, doctor) and "fix: set KAFKA_TOPIC_MATCHES=esport-tournaments\n" in doctor


def test_partitions_added_during_a_run_are_read_from_their_start(job):
    topic = job.create_topic()
    job.produce(matches(10))
    process = job.start(TRIGGER="0 seconds", STARTING_OFFSETS="earliest")
    job.wait_committed(process, {0: 10})

    job.broker.add_partitions(topic, 3)
    job.produce(matches(5, 10), partition=1)
    job.produce(matches(6, 20), partition=2)

    job.wait_committed(process, {0: 10, 1: 5, 2: 6})
    process.stop()
    job.assert_exact()


def lose(job):
    """A topic whose offsets 100..149 were deleted before they were read."""
    topic = job.create_topic()
    job.produce(matches(100))
    job.run()
    job.produce(matches(100, 100))
    job.broker.delete_records(topic, {0: 150})


def test_a_gap_made_by_retention_stops_the_query_by_default(job):
    lose(job)

    process = job.run(exit_code=6)

    assert "FAIL_ON_DATA_LOSS" in process.log()  # what to do
    assert process.lines(r"CRITICAL.*\b100\b.*\b150\b|CRITICAL.*partition"), process.tail()
    assert job.lake.batches("matches") == [0]


@pytest.mark.sanitized
def test_a_gap_made_by_retention_is_skipped_with_a_warning_on_request(job):
    lose(job)

    process = job.run(FAIL_ON_DATA_LOSS="false")

    assert process.lines(r"\| ERROR \| Data loss")
    lost = {(0, offset) for offset in range(100, 150)}
    job.assert_exact(absent=lost)
    assert len(job.lake.account("matches")) == 150


def test_records_deleted_before_the_first_start_are_not_a_loss(job):
    topic = job.create_topic()
    job.produce(matches(100))
    job.broker.delete_records(topic, {0: 60})

    job.run()

    job.assert_exact(starts={0: 60})


def test_latest_begins_at_the_end_of_the_topic_and_remembers_it(job):
    job.create_topic()
    job.produce(matches(10))
    job.run(STARTING_OFFSETS="latest")
    assert job.lake.batches("matches") == []

    job.produce(matches(5, 10))
    job.run(STARTING_OFFSETS="latest")

    job.assert_exact(starts={0: 10})


def test_starting_offsets_can_be_given_per_partition(job):
    topic = job.create_topic(partitions=3)
    for partition in range(3):
        job.produce(matches(10), partition=partition)

    given = '{"%s": {"0": 4, "1": -2, "2": -1}}' % topic
    job.run(STARTING_OFFSETS=given)

    job.assert_exact(starts={0: 4, 1: 0, 2: 10})


def test_a_batch_takes_from_every_partition_in_proportion_to_its_backlog(job):
    job.create_topic(partitions=3)
    job.produce(matches(300), partition=0)
    job.produce(matches(100), partition=1)

    job.run(MAX_OFFSETS_PER_TRIGGER=40)

    assert job.lake.batches("matches") == list(range(10))
    assert job.lake.planned_ends("matches", 0) == {0: 30, 1: 10, 2: 0}
    assert job.lake.planned_ends("matches", 9) == {0: 300, 1: 100, 2: 0}
    assert (job.lake.table("matches") / "_spark_metadata" / "9.compact").exists()
    job.assert_exact()


def test_available_now_does_not_read_records_that_arrive_after_its_start(job):
    job.create_topic()
    job.produce(matches(200))
    process = job.start(TRIGGER="availableNow", MAX_OFFSETS_PER_TRIGGER=2)
    process.wait_until(lambda: job.lake.batches("matches", "offsets"), what="a plan")
    job.produce(matches(50, 200))

    process.wait_exit(60, 0)

    last = job.lake.batches("matches")[-1]
    assert job.lake.planned_ends("matches", last) == {0: 200}


def produce_one_batch(job, records, size, codec):
    """Produces `records` matches of `size` bytes in a single record batch."""
    producer = job.broker.producer(
        compression_type=codec,
        linger_ms=10000,
        batch_size=1 << 30,
        batch_num_messages=1000000,
        message_max_bytes=1000000000,
        queue_buffering_max_kbytes=1 << 20,
    )
    pad = "abcdefghij" * (size // 10)
    for number in range(records):
        value = '{"match_id": "M%d", "status": "live", "pad": "%s"}' % (number, pad)
        producer.produce(job.topics["matches"], value, partition=0, on_delivery=must_be_delivered)
    assert producer.flush(60) == 0


@pytest.mark.sanitized
def test_a_zstd_batch_that_decompresses_to_more_than_a_response_may_have_is_read(job):
    job.create_topic()
    job.produce(matches(3))
    produce_one_batch(job, 8000, 1000, "zstd")  # about 34 kB
    job.produce(matches(3))

    job.run(SPARK_DRIVER_MEMORY="128m", SPARK_MASTER_URL="local[2]")

    job.assert_exact()


def test_a_zstd_batch_that_decompresses_to_more_than_the_memory_ends_with_2_and_its_place(job):
    job.create_topic()
    job.produce(matches(3))
    produce_one_batch(job, 100, 1000000, "zstd")

    process = job.run(exit_code=2, SPARK_DRIVER_MEMORY="64m", SPARK_MASTER_URL="local[2]")

    assert process.lines(r"CRITICAL.*partition 0 at offset 3: .*raise SPARK_DRIVER_MEMORY")
    assert process.lines("retrying the batch") == []


def test_a_damaged_batch_is_fetched_three_times_and_ends_with_6_and_its_place(job):
    topic = job.create_topic()
    for value in matches(4):
        job.produce([value])  # one record batch per value
    (segment,) = (job.broker.directory / "data" / f"{topic}-0").glob("*.log")
    with open(segment, "r+b") as file:
        where = file.read().index(b'"M2"')
        file.seek(where + 1)
        file.write(b"X")

    process = job.run(exit_code=6)
    examined = job.program.run("doctor", "--job", "matches", exit_code=6, **job.settings)

    assert re.search(r"partition 0 at offset 2: .*CRC.*kafka-delete-records", examined.log())
    assert "READ on the topic" not in examined.log()
    assert len(process.lines(r"\| ERROR \| .*retrying the batch")) == 1  # not one per second
    assert process.lines(r"CRITICAL.*3 attempts.*partition 0 at offset 2: .*CRC.*kafka-delete-records")


# ---- positions that do not fit the topic ------------------------------------------------------


def generation(letter, count, start=0):
    return [f'{{"match_id": "{letter}{n}", "status": "live"}}' for n in range(start, start + count)]


def generations(job):
    """{letter: number of rows}; each identifier must be in the table once."""
    seen = [row["match_id"] for row in job.lake.rows(job.lake.table("matches"))]
    assert len(set(seen)) == len(seen)
    return collections.Counter(name[0] for name in seen)


def incarnations(job):
    """What `verify` reports per partition: {(incarnation, partition): (from, to, rows, lost)}."""
    lines = job.verify().splitlines()
    rows = [[int(word) for word in line.split()] for line in lines if re.fullmatch(r"[\d ]+", line)]
    return {(row[0], row[1]): (row[2], row[3], row[4], row[7]) for row in rows}


@pytest.mark.sanitized
def test_a_topic_created_again_is_read_from_its_beginning(job):
    job.create_topic()
    job.produce(generation("A", 100))
    job.run()

    job.create_topic_again()
    job.produce(generation("B", 30))
    process = job.run(exit_code=6)
    line = process.lines("CRITICAL")[0]
    assert "created again" in line and "FAIL_ON_DATA_LOSS=false" in line
    assert job.lake.batches("matches", "offsets") == [0, 1]  # the plan is kept
    process = job.program.run("doctor", "--job", "matches", exit_code=6, **job.settings)
    assert "partition 0 ends at offset 30, before the next offset 100" in process.log()
    process = job.run(FAIL_ON_DATA_LOSS="false")
    assert "from offset 100 to 0" in process.lines("WARNING.*created again")[0]
    job.produce(generation("B", 40, 30))
    job.run()
    assert generations(job) == {"A": 100, "B": 70}
    assert job.lake.planned_ends("matches", 1) == {0: 0}  # a separate batch moves the position

    job.create_topic_again()  # still empty when it is first polled
    job.run(FAIL_ON_DATA_LOSS="false")
    job.produce(generation("C", 150))
    job.run()
    assert generations(job) == {"A": 100, "B": 70, "C": 150}

    job.create_topic_again()  # longer than what was read: its records or its id give it away
    job.produce(generation("D", 160))
    job.run(exit_code=6)
    assert job.run(FAIL_ON_DATA_LOSS="false").lines("WARNING.*created again")
    assert generations(job) == {"A": 100, "B": 70, "C": 150, "D": 160}
    assert incarnations(job) == {
        (0, 0): (0, 100, 100, 0),
        (1, 0): (0, 70, 70, 0),
        (2, 0): (0, 150, 150, 0),
        (3, 0): (0, 160, 160, 0),
    }
    job.lake.assert_listed("matches")


def produce_at_once(job, values):
    """All with the same timestamp, so that it does not show to which topic a record belongs."""
    producer = job.broker.producer()
    for value in values:
        producer.produce(job.topics["matches"], value, timestamp=1_700_000_000_000, on_delivery=must_be_delivered)
    assert producer.flush(60) == 0


def test_by_its_id_a_longer_topic_created_again_while_stopped_is_another(program, lake, broker, tmp_path):
    on_13 = Debian13(program.binary, tmp_path / "runs-on-13")
    job = Job(on_13, lake, broker)
    job.create_topic()
    produce_at_once(job, generation("A", 100))
    job.run()
    doctor = on_13.run("doctor", "--job", "matches", **job.settings)
    assert re.search(r"OK +topic id.*, the same as in the checkpoint", doctor.log())
    job.create_topic_again()
    produce_at_once(job, generation("B", 160))

    assert re.search("its id is .*, not ", job.run(exit_code=6).lines("CRITICAL")[0])
    doctor = on_13.run("doctor", "--job", "matches", exit_code=6, **job.settings)
    assert re.search("created again.*: its id is .*, not ", doctor.log())
    assert job.run(FAIL_ON_DATA_LOSS="false").lines("WARNING.*created again")

    assert generations(job) == {"A": 100, "B": 160}
    on_13.end_all()


def test_by_its_id_a_topic_created_again_before_the_first_batch_is_another(program, lake, broker, tmp_path):
    """The first offsets, at the end of the topic, are those of the old one."""
    on_13 = Debian13(program.binary, tmp_path / "runs-on-13")
    job = Job(on_13, lake, broker)
    job.create_topic()
    produce_at_once(job, generation("A", 100))
    job.run(STARTING_OFFSETS="latest")
    assert not list(job.lake.checkpoint("matches").glob("offsets/*"))
    job.create_topic_again()
    produce_at_once(job, generation("B", 160))

    assert re.search("its id is .*, not ", job.run(exit_code=6).lines("CRITICAL")[0])
    assert job.run(FAIL_ON_DATA_LOSS="false").lines("WARNING.*created again")

    assert generations(job) == {"B": 160}
    on_13.end_all()


def test_a_start_without_ids_leaves_no_id_of_a_topic_that_was_deleted(program, lake, broker, tmp_path):
    on_13 = Debian13(program.binary, tmp_path / "runs-on-13")
    job = Job(on_13, lake, broker)
    job.create_topic()
    job.produce(generation("A", 100))
    job.run()
    job.create_topic_again()
    job.produce(generation("B", 150))
    job.program = program  # with Debian 12's librdkafka, if the stories run on Debian 12
    assert job.run(FAIL_ON_DATA_LOSS="false").lines("created again; it is read from its beginning")
    job.produce(generation("B", 10, 150))

    job.program = on_13
    job.run()

    assert generations(job) == {"A": 100, "B": 160}
    on_13.end_all()


def test_without_ids_a_warning_says_that_such_a_topic_is_not_noticed(job):
    """With a checkpoint that has no id yet; librdkafka before 2.3 never has one."""
    job.create_topic()
    produce_at_once(job, generation("A", 100))
    job.run()
    for manifest in (job.lake.checkpoint("matches") / "manifests").iterdir():
        manifest.write_text(without_checksum(re.sub(r',"topicId":"[^"]*"', "", manifest.read_text())))
    job.create_topic_again()
    produce_at_once(job, generation("B", 160))

    assert len(job.run().lines("WARNING.*It is unknown whether the topic was deleted and created again while the query was stopped")) == 1

    doctor = job.program.run("doctor", "--job", "matches", **job.settings).log()
    assert re.search(r"OK +topic id", doctor)
    if ctypes.CDLL("librdkafka.so.1").rd_kafka_version() < 0x020300FF:
        assert "can only be recognised by its records" in doctor


def test_partitions_that_were_gone_come_back_at_their_beginning(job):
    job.create_topic(partitions=3)
    for partition in range(3):
        job.produce(generation("ADG"[partition], 100), partition=partition)
    job.run()

    job.create_topic_again(partitions=1)
    job.produce(generation("B", 10))
    process = job.run(exit_code=6)
    line = process.lines("CRITICAL")[0]
    assert "partition 1 is gone" in line and "partition 2 is gone" in line
    job.run(FAIL_ON_DATA_LOSS="false")
    assert job.lake.planned_ends("matches", 2) == {0: 10}

    job.broker.add_partitions(job.topics["matches"], 3)
    job.produce(generation("H", 50), partition=2)
    job.run()
    assert generations(job) == {"A": 100, "D": 100, "G": 100, "B": 10, "H": 50}
    assert incarnations(job) == {
        **{(0, partition): (0, 100, 100, 0) for partition in range(3)},
        (1, 0): (0, 10, 10, 0),
        (1, 1): (0, 0, 0, 0),
        (1, 2): (0, 50, 50, 0),
    }


def test_a_topic_that_disappears_during_a_run_is_another_one_when_it_comes_back(job):
    job.create_topic()
    job.produce(generation("A", 100))
    port = free_ports(1)[0]
    process = job.start(TRIGGER="1 hour", FAIL_ON_DATA_LOSS="false", SPARK_UI_PORT=port)
    job.wait_committed(process, {0: 100})
    job.produce(generation("A", 20, 100))
    end = f'esports_stream_topic_end_offset{{query="match_stream",partition="0"}} 120'
    web = Web(process)
    process.wait_until(lambda: end in web.get("/metrics").text, what="a look at the topic")

    job.broker.delete_topic(job.topics["matches"])
    process.wait_log("topic.* does not exist")
    job.create_topic()
    job.produce(generation("B", 150))
    job.wait_committed(process, {0: 150})

    process.stop()
    assert generations(job) == {"A": 100, "B": 150}
    assert incarnations(job) == {(0, 0): (0, 120, 100, 20), (1, 0): (0, 150, 150, 0)}


@pytest.mark.sanitized
def test_a_query_waits_for_an_open_transaction_below_its_position(job):
    topic = job.create_topic(partitions=2)
    producer = job.broker.producer(transactional_id=topic)
    producer.init_transactions(30)
    job.produce(generation("A", 10))
    producer.begin_transaction()
    for value in generation("T", 10):
        producer.produce(topic, value, partition=0)
    producer.flush(30)
    job.produce(generation("B", 10))
    job.run(KAFKA_CONF_ISOLATION_LEVEL="read_uncommitted")
    assert job.lake.planned_ends("matches", 0) == {0: 30, 1: 0}

    job.produce(generation("C", 5))
    job.produce(generation("D", 5), partition=1)
    process = job.run()
    (line,) = process.lines("WARNING.*last stable offset")
    assert "last stable offset" in line and "offset 10, but the next offset is 30" in line
    assert job.lake.planned_ends("matches", 1) == {0: 30, 1: 5}  # the other partition continues

    process = job.start(TRIGGER="0 seconds")
    process.wait_log("WARNING.*Waiting for a transaction to end")
    producer.commit_transaction(30)
    job.broker.wait_end_offsets(topic, {0: 36, 1: 5})
    job.wait_committed(process, {0: 36, 1: 5})
    process.stop()
    assert generations(job) == {"A": 10, "T": 10, "B": 10, "C": 5, "D": 5}
    job.assert_exact(absent={(0, 35)})


@pytest.mark.parametrize("codec", ["lz4", "zstd", "snappy", "gzip"])
def test_every_compression_of_kafka_is_read(job, codec):
    topic = job.create_topic(partitions=2)
    job.broker.generate(topic, "matches", 1000, 2, "--compression", codec)

    job.run()

    job.assert_exact()


@pytest.mark.sanitized
def test_each_batch_and_a_rewind_are_committed_to_the_consumer_group(job):
    topic = job.create_topic(partitions=2)
    group = f"{topic}-group"
    settings = {"KAFKA_COMMIT_GROUP": group}
    job.produce(matches(5))
    process = job.start(TRIGGER="0 seconds", **settings)
    job.broker.wait_group_offsets(group, topic, {0: 5, 1: 0})
    job.produce(matches(3), partition=1)
    job.broker.wait_group_offsets(group, topic, {0: 5, 1: 3})
    process.stop()

    rewind = job.start("rewind", "--job", "matches", "--to-batch", "0", **settings)
    rewind.wait_exit(30, 0)
    assert f"consumer group '{group}' was reset to these offsets" in rewind.log()
    assert job.broker.group_offsets(group, topic) == {0: 5, 1: 0}

    job.run(**settings)
    assert job.broker.group_offsets(group, topic) == {0: 5, 1: 3}
    job.assert_exact()


def test_a_group_with_live_members_is_a_warning_and_their_offsets_stay(job):
    topic = job.create_topic()
    group = f"{topic}-group"
    job.produce(matches(5))
    with job.broker.member(group, topic):
        process = job.run(KAFKA_COMMIT_GROUP=group)
        (line,) = process.lines(r"\| WARNING \| ")
        assert f"group={group}" in line and "has active members" in line
        assert job.broker.group_offsets(group, topic) == {}
    job.assert_exact()

    job.run(KAFKA_COMMIT_GROUP=group)  # no new records, but the group does not have the offsets yet
    assert job.broker.group_offsets(group, topic) == {0: 5}
