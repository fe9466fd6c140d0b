"""The Kafka source alone, through kafka_probe: which offsets each range gives, no matter how ranges follow
one another, and what it says when it is stuck."""

import os
import random
import re
import subprocess
import time
import uuid

import pytest
from conftest import ROOT

PROBE = ROOT / "build" / "release" / "tests" / "tools" / "kafka_probe"
TXN_PRODUCER = PROBE.with_name("txn_producer")


class Source:
    def __init__(self, broker):
        self.broker = broker
        self.topic = f"source-{uuid.uuid4().hex[:8]}"

    def start(self, *arguments, **environment):
        mode, *rest = map(str, arguments)
        names = {f"PROBE_{name.upper()}": str(value) for name, value in environment.items()}
        return subprocess.Popen(
            [PROBE, self.broker.bootstrap, mode, self.topic, *rest],
            env={**os.environ, **names},
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments, exit_code=0, timeout=60, **environment):
        process = self.start(*arguments, **environment)
        output = process.communicate(timeout=timeout)[0]
        assert process.returncode == exit_code, output
        return output

    def script(self, *lines, identifier="-", codec="lz4"):
        """Puts records on the topic (tests/tools/txn_producer.c)."""
        subprocess.run(
            [TXN_PRODUCER, self.broker.bootstrap, self.topic, identifier],
            input="\n".join(lines) + "\n",
            text=True,
            check=True,
            env={**os.environ, "PRODUCER_CODEC": codec},
            stderr=subprocess.DEVNULL,
        )

    def ranges(self, *ranges, **environment):
        """[(range, set of offsets)] of ranges (partition, start, end), read in order."""
        output = self.run("read", *(":".join(map(str, one)) for one in ranges), **environment)
        return parse(output)


def parse(output):
    found = []
    for place, runs in re.findall(r"^range (\S+) offsets=(\S*) ", output, re.M):
        offsets = set()
        for run in filter(None, runs.split(",")):
            first, last = map(int, run.split("-"))
            offsets.update(range(first, last + 1))
        found.append((tuple(map(int, place.split(":"))), offsets))
    return found


def assert_ranges(found, readable):
    for (partition, start, end), offsets in found:
        wanted = {offset for part, offset in readable if part == partition}
        assert offsets == wanted & set(range(start, end)), (partition, start, end)


@pytest.fixture
def source(broker):
    return Source(broker.ensure_started())


def cuts(end, seed):
    """Ranges that follow one another from 0 to `end`, then ranges anywhere."""
    chance = random.Random(seed)
    places = sorted({0, end, *chance.sample(range(end), min(end, 12))})
    rows = [(0, first, last) for first, last in zip(places, places[1:])]
    rows += [(0, *sorted(chance.sample(range(end + 1), 2))) for _ in range(25)]
    return rows




def test_ranges_cut_anywhere_between_markers_and_aborted_records(source):
    source.broker.create_topic(source.topic)
    lines = []
    for count, end in ((10, "commit"), (5, "abort"), (7, "commit"), (3, "abort"), (1, "abort"),
                       (1, "commit"), (300, "abort"), (2, "commit"), (4, "abort")):
        lines += ["begin", f"put 0 {count} 100", end]
    source.script(*lines, identifier=source.topic)
    end = 333 + 9  # records, and markers
    source.broker.wait_end_offsets(source.topic, {0: end})
    readable = source.broker.readable(source.topic)
    assert len(readable) == 20

    assert_ranges(source.ranges(*cuts(end, 1)), readable)
    assert_ranges(source.ranges(*cuts(end, 2), rest=1), readable)

    everything = source.ranges((0, 0, end), conf="isolation.level=read_uncommitted")
    assert len(everything[0][1]) == 333


def test_an_open_transaction_makes_it_wait_and_say_so(source):
    source.broker.create_topic(source.topic)
    source.script("begin", "put 0 10", "commit", identifier="first")
    source.broker.wait_end_offsets(source.topic, {0: 11})
    producer = source.broker.producer(transactional_id=source.topic)
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(source.topic, "x", partition=0)
    producer.flush(30)
    assert "partition 0 log_start=0 end=11\n" in source.run("list")
    uncommitted = source.run("list", conf="isolation.level=read_uncommitted")
    assert "partition 0 log_start=0 end=12\n" in uncommitted

    process = source.start("read", "0:0:11", "0:11:13")
    while "waiting for the topic to reach offset 13; it ends at 11" not in process.stdout.readline():
        assert process.poll() is None
    producer.commit_transaction(30)

    assert parse(process.communicate(timeout=30)[0]) == [((0, 11, 13), {11})]
    assert process.returncode == 0


def test_ranges_cut_anywhere_in_the_holes_of_compaction(source):
    source.broker.create_topic(
        source.topic,
        cleanup_policy="compact",
        segment_ms=100,
        min_cleanable_dirty_ratio=0.01,
        max_compaction_lag_ms=200,
    )
    for first in (0, 100, 0):
        source.script(f"put 0 150 100 {first}")
        time.sleep(0.3)
    deadline = time.monotonic() + 60
    while len(source.broker.readable(source.topic)) > 260:
        assert time.monotonic() < deadline, "the broker did not compact the topic"
        source.script("put 0 1 100 9999")
        time.sleep(0.3)
    time.sleep(1)  # what the cleaner still does
    end = source.broker.end_offsets(source.topic)[0]

    readable = source.broker.readable(source.topic)
    found = source.ranges(*cuts(end, 3))
    if source.broker.readable(source.topic) == readable:  # else the cleaner ran meanwhile
        assert_ranges(found, readable)
    assert len(found) == len(cuts(end, 3))


def test_a_range_before_the_log_start_is_data_loss_and_others_are_not(source):
    source.broker.create_topic(source.topic)
    source.script("put 0 1000 100")
    source.broker.delete_records(source.topic, {0: 500})

    output = source.run("read", "0:499:510", "0:500:510", "0:100:1000", "0:510:1000",
                        "0:1001:1005", keep_going=1)

    losses = re.findall(r"^error kind=data_loss .* at offset (\d+): .* starts at 500 and ends at 1000", output,
                        re.M)
    assert losses == ["499", "100", "1001"]
    assert parse(output) == [((0, 500, 510), set(range(500, 510))),
                             ((0, 510, 1000), set(range(510, 1000)))]


@pytest.mark.timeout(180)
def test_a_broker_that_dies_while_it_is_read_from_costs_no_record_and_gives_none_twice(source):
    source.broker.create_topic(source.topic, 3)
    source.script(*(f"put {partition} 40000 700" for partition in range(3)))
    process = source.start("drain", 100, memory=2_000_000, rest=1, timeout=100)
    while not process.stdout.readline().startswith("listed"):
        assert process.poll() is None
    source.broker.kill()
    time.sleep(2)
    source.broker.start()

    output = process.communicate(timeout=120)[0]

    assert re.search("^wait: .*refused", output, re.M)
    assert "done: 120000 records" in output  # the probe itself checks their order
    assert process.returncode == 0


def test_a_topic_deleted_while_it_waits_fails_and_lets_the_program_end(source):
    source.broker.create_topic(source.topic, 2)
    source.script("put 0 10")
    process = source.start("read", "0:0:10", "0:10:20", "1:0:5", keep_going=1)
    assert process.stdout.readline().startswith("range 0:0:10")
    for future in source.broker.admin.delete_topics([source.topic]).values():
        future.result(30)

    output = process.communicate(timeout=60)[0]

    assert len(re.findall("^error kind=broker .*does not exist|^error kind=broker .*nknown", output, re.M)) == 2
    assert process.returncode == 0


@pytest.mark.parametrize("memory", [1_000_000, 64_000_000])
def test_a_hot_partition_is_not_delayed_by_idle_ones(source, memory):
    source.broker.create_topic(source.topic, 6)
    source.script("put 3 60000 700", *(f"put {partition} 5 700" for partition in (0, 1, 2, 4, 5)))
    began = time.monotonic()

    output = source.run("drain", 20000, memory=memory)

    assert "done: 60025 records" in output
    # Seconds at most; a minute and more when a full queue is only looked at once a second.
    assert time.monotonic() - began < 25


@pytest.mark.timeout(240)
def test_a_record_batch_beyond_the_memory_stops_the_range_with_its_place(source):
    """The third such answer stops it: librdkafka reports an error that it has reported only every 30 seconds."""
    source.broker.create_topic(source.topic, max_message_bytes=40_000_000)
    source.script("put 0 3", "flush", "put 0 1 20000000", "flush", "put 0 3", codec="none")

    process = source.start("read", "0:0:7", batch=4_000_000, timeout=150)
    output = process.communicate(timeout=180)[0]
    assert process.returncode == 1
    assert re.search(r"error kind=config .*at offset 3: .*SPARK_DRIVER_MEMORY", output)

    assert source.ranges((0, 0, 7), memory=1_000_000) == [((0, 0, 7), set(range(7)))]


def test_new_partitions_show_up_and_missing_topics_are_named(source):
    missing = source.run("list", exit_code=1)
    assert f"topic '{source.topic}' does not exist" in missing
    source.broker.create_topic(source.topic)
    assert "partition 0 log_start=0 end=0\n" in source.run("list")
    source.broker.add_partitions(source.topic, 2)
    assert "partition 1 log_start=0 end=0\n" in source.run("list")
