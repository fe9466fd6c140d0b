"""What Kafka has on its disk is damaged: the program names the place, and reads nothing else in its stead."""

import struct

import pytest
from rig.broker import free_ports
from rig.fault_table import RECOVERS
from rig.ledger import Ledger

BATCHES, EACH = 6, 10  # record batches, and records of each
DAMAGED = 3  # the batch that is damaged
FIRST, AFTER = DAMAGED * EACH, (DAMAGED + 1) * EACH  # its offsets
DELETE = {"FAIL_ON_DATA_LOSS": "false"}
HEADER = 61  # bytes of a record batch before its records
LENGTH, MAGIC, CRC, ATTRIBUTES = 8, 16, 17, 21  # where these are in it


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def sealed(batch):
    """With the checksum that its bytes have now."""
    struct.pack_into(">I", batch, CRC, crc32c(batch[ATTRIBUTES:]))


def change_a_record(batch):
    batch[HEADER + 20] ^= 1


def change_the_format(batch):
    batch[MAGIC] = 9


def change_the_length(batch):
    struct.pack_into(">i", batch, LENGTH, 1 << 30)


def change_the_lengths_of_records(batch):
    batch[HEADER] = 0xFF
    sealed(batch)


def change_the_codec(batch):
    batch[ATTRIBUTES + 1] |= 4  # says zstd; the bytes are not compressed
    sealed(batch)


def rewrite(segment, change):
    """Changes the batch that begins at offset FIRST."""
    with open(segment, "r+b") as file:
        while header := file.read(12):
            first, size = struct.unpack(">qi", header)
            if first == FIRST:
                file.seek(-12, 1)
                batch = bytearray(file.read(12 + size))
                file.seek(-len(batch), 1)
                change(batch)
                file.write(batch)
                return
            file.seek(size, 1)
    raise AssertionError(f"no batch at {FIRST} in {segment}")


def filled(job):
    ledger = Ledger(job)
    job.create_topic()
    for _ in range(BATCHES):
        ledger.send(EACH, linger_ms=1000)
    return ledger


def row(change, made, outcome):
    return pytest.param(
        change, marks=pytest.mark.fault("record batch damaged on the broker's disk", made, outcome), id=change.__name__
    )


@pytest.mark.parametrize(
    "change",
    [
        row(change_a_record, "a bit of a record, while the broker is stopped", "exit code 6: kafka-delete-records"),
        row(change_the_codec, "the codec, with a right checksum", "exit code 6: kafka-delete-records"),
        row(change_the_format, "the number of the format", "exit code 2: kafka-delete-records"),
    ],
)
def test_a_damaged_batch_is_named_and_can_be_left_out(proxied_job, fault, change):
    job = proxied_job
    ledger = filled(job)
    job.broker.stop()
    rewrite(job.broker.segment(job.topics["matches"]), change)
    job.broker.start()

    process = job.start(TRIGGER="availableNow")
    fault.assert_ended(process)
    assert process.lines(rf"CRITICAL.*partition 0 at offset {FIRST}: ")
    fault.assert_ended(job.start(TRIGGER="availableNow", **DELETE))  # no setting skips it
    assert job.lake.batches("matches") == []

    job.broker.delete_records(job.topics["matches"], {0: AFTER})  # what the message says
    job.run(**DELETE)
    ledger.assert_settled(lost=ledger.sent[:AFTER])


@pytest.mark.fault(
    "record batch damaged on the broker's disk",
    "the length of a record, with a right checksum: librdkafka gives no records and no error",
    f"{RECOVERS}; when the batch is deleted; until then the query waits and says so once a minute",
)
def test_a_batch_without_readable_records(proxied_job):
    job = proxied_job
    ledger = filled(job)
    job.broker.stop()
    rewrite(job.broker.segment(job.topics["matches"]), change_the_lengths_of_records)
    job.broker.start()

    process = job.start(TRIGGER="0 seconds", SPARK_UI_PORT=free_ports(1)[0], **DELETE)
    process.wait_log(r"\| ERROR \| No record arrived for the running batch", 150)
    status = job.program.run("status", "--job", "matches", exit_code=11, **job.settings)
    assert "retrying" in status.log()

    job.broker.delete_records(job.topics["matches"], {0: AFTER})
    job.wait_committed(process, {0: len(ledger.sent)}, timeout=90)
    process.stop()
    ledger.assert_settled(lost=ledger.sent[:AFTER])


@pytest.mark.fault(
    "broker that ends its log at the damage",
    "the length of a batch is damaged, and the broker takes what is before it for the whole log",
    f"{RECOVERS}; what the broker dropped before it was read leaves no trace in Kafka",
)
def test_a_broker_that_ends_its_log_at_the_damage(proxied_job):
    job = proxied_job
    ledger = filled(job)
    job.broker.stop()
    rewrite(job.broker.segment(job.topics["matches"]), change_the_length)
    job.broker.start()
    assert job.broker.end_offsets(job.topics["matches"]) == {0: FIRST}
    job.run()
    ledger.assert_settled(lost=ledger.sent[FIRST:])
    job.assert_exact()


@pytest.mark.fault(
    "broker that cut its own log",
    made="it was killed, its segment is damaged, and it drops the damaged end when it starts; the query had read that",
    outcome="exit code 6: was truncated below the offsets already read",
)
def test_a_broker_that_cuts_its_damaged_log_after_a_crash(proxied_job, fault):
    job = proxied_job
    ledger = filled(job)
    job.run()
    job.broker.kill()
    rewrite(job.broker.segment(job.topics["matches"]), change_a_record)
    job.broker.start()
    assert job.broker.end_offsets(job.topics["matches"]) == {0: FIRST}

    fault.assert_ended(job.start(TRIGGER="availableNow"))
    ledger.send(EACH, letter="N")
    job.run(**DELETE)
    ledger.assert_settled()  # the rows of before, and the new records at the same offsets
