"""The broker meets limits of its own: its disk is full, or it holds the program to a quota."""

import time

import pytest
from rig import host
from rig.broker import Broker
from rig.fault_table import RECOVERS
from rig.job import Job
from rig.ledger import Ledger

RECORDS, PAD = 3000, 1000  # of each of two partitions: 6 MB together
CLIENT = "held-to-a-quota"


class BrokerOnDisk(Broker):
    """Its records and its own metadata are on this file system."""

    def __init__(self, directory, disk):
        self.disk = disk
        super().__init__(directory)

    def further_properties(self, controller_port):
        return f"log.dirs={self.disk}/data\n"

    def wait_dead(self, timeout=60):
        self.process.wait(timeout)
        self.stop()


@pytest.fixture
def small_broker(tmp_path):
    image = host.Image(tmp_path / "kafka.img", 96, "mkfs.ext4", "-q", "-m", "0")
    with image.mounted(tmp_path / "disk") as disk, BrokerOnDisk(tmp_path / "kafka", disk) as broker:
        yield broker


@pytest.mark.fault(
    "the broker's disk full and freed",
    made="all blocks taken of the ext4 that has the broker's log directory, while a producer writes; the broker ends, and is "
    "started again when there is space",
    outcome=f"{RECOVERS}; every record that Kafka has acknowledged is read",
)
def test_a_broker_whose_disk_is_full_and_freed(program, lake, small_broker):
    job = Job(program, lake, small_broker)
    ledger = Ledger(job)
    job.create_topic(partitions=2)
    process = job.start(TRIGGER="0 seconds")
    with ledger.growing(2):
        process.wait_until(lambda: job.lake.batches("matches"), what="a batch")
        ballast = host.fill(small_broker.disk)
        small_broker.wait_dead()
        process.wait_log(r"Connection refused|brokers are down", 60)
        ballast.unlink()
        small_broker.start()
    job.wait_committed(process, small_broker.end_offsets(job.topics["matches"]), timeout=90)
    process.stop()
    assert not process.lines("CRITICAL")
    ledger.assert_settled()
    job.assert_exact()


@pytest.mark.fault(
    "client quota of Kafka",
    made="consumer_byte_rate of 200 kB a second for the program's client.id, as kafka-configs sets it; removed later",
    outcome=f"{RECOVERS}; until then it is slower, without an error",
)
def test_a_quota_only_costs_time(job):
    ledger = Ledger(job)
    job.create_topic(partitions=2)
    for partition in (0, 1):
        ledger.send(RECORDS, partition, pad=PAD)
    job.broker.set_quota(CLIENT, consumer_byte_rate=200_000)
    process = job.start(TRIGGER="0 seconds", MAX_OFFSETS_PER_TRIGGER=0, KAFKA_CONF_client_id=CLIENT)
    process.wait_until(lambda: job.lake.batches("matches", "offsets"), what="a plan")
    time.sleep(10)  # Kafka lets pass what the quota allows for ten seconds: a third of the records
    assert process.poll() is None and job.lake.batches("matches") == []
    job.broker.set_quota(CLIENT, consumer_byte_rate=None)
    job.wait_committed(process, job.broker.end_offsets(job.topics["matches"]), timeout=60)
    process.stop()
    assert not process.lines(r"\| (ERROR|CRITICAL) \|")
    ledger.assert_settled()
    job.assert_exact()
