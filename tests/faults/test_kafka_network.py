"""A bad network between the program and Kafka: the program waits, says why, and reads on."""

import http.server
import itertools
import threading

import pytest
from rig.broker import free_ports
from rig.fault_table import RECOVERS
from rig.ledger import Ledger

# librdkafka's own limits, so that a silence of seconds is longer than each of them.
IMPATIENT = {
    "KAFKA_CONF_socket_timeout_ms": 3000,
    "KAFKA_CONF_socket_connection_setup_timeout_ms": 2000,
}
RECORDS, PAD = 3000, 1000  # of each of two partitions: 6 MB together


def batch_in_progress(job, rate=2_000_000, records=RECORDS, **settings):
    """(ledger, process): one batch of all records is being read, at `rate` bytes a second."""
    ledger = Ledger(job)
    job.create_topic(partitions=2)
    for partition in (0, 1):
        ledger.send(records, partition, pad=PAD)
    proxy = job.broker.proxy
    proxy.slow(rate=rate)
    before = proxy.sent
    process = job.start(TRIGGER="0 seconds", MAX_OFFSETS_PER_TRIGGER=0, **settings)
    process.wait_until(lambda: proxy.sent - before > records * PAD // 3, what="a part of the batch")
    assert job.lake.batches("matches", "offsets") == [0] and job.lake.batches("matches") == []
    return ledger, process


def finish(job, ledger, process, timeout=90):
    """The network is in order again, and so are the tables, soon after."""
    job.broker.proxy.heal()
    job.wait_committed(process, job.broker.end_offsets(job.topics["matches"]), timeout=timeout)
    process.stop()
    assert not process.lines("CRITICAL")
    ledger.assert_settled()
    job.assert_exact()


@pytest.mark.fault("latency", made="each piece of an answer comes 300 ms late", outcome=RECOVERS)
def test_latency_only_costs_time(proxied_job):
    job = proxied_job
    ledger = Ledger(job)
    job.create_topic(partitions=2)
    job.broker.proxy.slow(delay=0.3)
    process = job.start(TRIGGER="0 seconds", **IMPATIENT)
    for partition in (0, 1):
        ledger.send(RECORDS, partition)
    finish_slow = job.broker.end_offsets(job.topics["matches"])
    job.wait_committed(process, finish_slow, timeout=90)
    finish(job, ledger, process)


@pytest.mark.short
@pytest.mark.fault(
    "connections reset", made="RST on every connection, five times during a batch", outcome=RECOVERS
)
def test_connections_that_are_reset_during_a_batch(proxied_job):
    job = proxied_job
    ledger, process = batch_in_progress(job)
    ends = 0
    for _ in range(5):
        made = job.broker.proxy.connections
        ends += job.broker.proxy.reset()
        process.wait_until(lambda: job.broker.proxy.connections > made, what="a new connection")
    assert ends >= 5
    finish(job, ledger, process)


@pytest.mark.short
@pytest.mark.fault(
    "half-open connections",
    made="connections stay open and carry nothing any more; new ones work",
    outcome=RECOVERS,
)
def test_connections_that_are_half_open_are_given_up(proxied_job):
    job = proxied_job
    ledger, process = batch_in_progress(job, **IMPATIENT)
    made = job.broker.proxy.connections
    assert job.broker.proxy.forget() >= 1
    process.wait_until(lambda: job.broker.proxy.connections > made, what="a new connection")
    finish(job, ledger, process)


@pytest.mark.short
@pytest.mark.fault(
    "black hole", made="no byte gets through for longer than every timeout of the client", outcome=RECOVERS
)
def test_a_black_hole_during_a_batch_is_waited_out(proxied_job):
    job = proxied_job
    ledger, process = batch_in_progress(job, LAG_INTERVAL="1 second", **IMPATIENT)
    made = job.broker.proxy.connections
    job.broker.proxy.freeze()
    process.wait_until(lambda: job.broker.proxy.connections >= made + 3, 60, "three new connections")
    assert job.lake.batches("matches") == []
    finish(job, ledger, process)


@pytest.mark.timeout(360)
@pytest.mark.fault(
    "black hole of minutes", made="the same for 150 seconds, with the client's own timeouts", outcome=RECOVERS
)
def test_a_black_hole_of_minutes_is_reported_and_waited_out(proxied_job):
    job = proxied_job
    ledger, process = batch_in_progress(job, SPARK_UI_PORT=free_ports(1)[0])
    job.broker.proxy.freeze()
    process.wait_log(r"\| ERROR \| .*No record arrived for the running batch.*seconds=1[2-9]\d", 200)
    assert len(process.lines(r"\| ERROR \|")) <= 5  # one a minute
    status = job.program.run("status", "--job", "matches", exit_code=11, **job.settings)
    assert "retrying" in status.log(), status.tail()
    finish(job, ledger, process, timeout=150)


@pytest.mark.fault(
    "connections refused", made="nothing listens at the broker's port during a batch", outcome=RECOVERS
)
def test_connections_that_are_refused_during_a_batch(proxied_job):
    job = proxied_job
    ledger, process = batch_in_progress(job)
    job.broker.proxy.refuse()
    process.wait_log(r"\| DEBUG \| .*refused", 30)
    finish(job, ledger, process)


@pytest.mark.fault(
    "connections not answered", made="the kernel drops each SYN, as a firewall does", outcome=RECOVERS
)
def test_connections_that_are_not_answered_during_a_batch(proxied_job):
    job = proxied_job
    ledger, process = batch_in_progress(job, **IMPATIENT)
    job.broker.proxy.ignore()
    process.wait_log(r"\| DEBUG \| .*(setup timed out|timed out)", 60)
    finish(job, ledger, process)


@pytest.mark.fault(
    "a slow network",
    made="200 kB a second",
    outcome=RECOVERS,
)
def test_a_slow_network_only_costs_time(proxied_job):
    job = proxied_job
    ledger, process = batch_in_progress(job, rate=200_000, records=800)
    ends = job.broker.end_offsets(job.topics["matches"])
    job.wait_committed(process, ends, timeout=60)
    finish(job, ledger, process)


@pytest.mark.timeout(400)
@pytest.mark.fault(
    "a network too slow for the client's timeout",
    made="100 kB a second, and socket.timeout.ms so short that an answer takes longer",
    outcome=f"{RECOVERS}; when the network is faster, or with a longer KAFKA_CONF_socket_timeout_ms",
)
def test_a_network_in_which_an_answer_takes_longer_than_the_timeout(proxied_job):
    job = proxied_job
    ledger, process = batch_in_progress(job, rate=100_000, records=800, **IMPATIENT)
    process.wait_log(r"\| ERROR \| No record arrived .*KAFKA_CONF_socket_timeout_ms", 150)
    process.stop()
    assert job.lake.batches("matches") == []

    process = job.start(TRIGGER="0 seconds", MAX_OFFSETS_PER_TRIGGER=0)
    job.wait_committed(process, job.broker.end_offsets(job.topics["matches"]), timeout=90)
    finish(job, ledger, process)


@pytest.mark.fault(
    "black hole at a start",
    made="connections are taken, and no byte comes for KAFKA_STARTUP_TIMEOUT",
    outcome="exit code 4: no answer from Kafka",
)
def test_a_black_hole_at_a_start(proxied_job, fault):
    job = proxied_job
    job.create_topic()
    job.broker.proxy.freeze()
    fault.assert_ended(job.start(KAFKA_STARTUP_TIMEOUT="5 seconds", **IMPATIENT))
    job.broker.proxy.heal()
    ledger = Ledger(job)
    ledger.send(10)
    job.run()
    ledger.assert_settled()


@pytest.mark.fault(
    "another server at the broker's address",
    made="an HTTP server answers the client's requests",
    outcome="exit code 4: no answer from Kafka",
)
def test_a_server_that_is_not_kafka(proxied_job, fault):
    job = proxied_job
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"127.0.0.1:{server.server_address[1]}"
        process = job.start(KAFKA_BOOTSTRAP_SERVERS=address, KAFKA_STARTUP_TIMEOUT="4 seconds", **IMPATIENT)
        fault.assert_ended(process)
        server.shutdown()
    assert "receive.message.max.bytes" not in process.log()


class Damage:
    """Changes one byte in each of the first `times` pieces that have `needle` in them."""

    def __init__(self, needle, times, where=2):
        self._needle, self._left, self._where = needle, times, where
        self.done = 0

    def __call__(self, data):
        at = data.find(self._needle)
        if at < 0 or self._left == 0:
            return data
        self._left -= 1
        self.done += 1
        at += self._where
        return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


@pytest.mark.short
@pytest.mark.fault(
    "bytes damaged on the way", made="a bit of a record changes in the first two answers", outcome=RECOVERS
)
def test_bytes_that_are_damaged_twice_on_their_way_are_fetched_again(proxied_job):
    job = proxied_job
    ledger = Ledger(job)
    job.create_topic()
    ledger.send(50)
    damage = Damage(b'"match_id"', 2)
    job.broker.proxy.alter(damage)
    process = job.run()
    assert damage.done == 2
    assert process.lines(r"\| ERROR \| .*CRC.*retrying the batch")
    ledger.assert_settled()


@pytest.mark.fault(
    "bytes damaged on the way, always",
    made="a bit of a record changes in every answer",
    outcome="exit code 6: CRC",
)
def test_bytes_that_are_damaged_each_time(proxied_job, fault):
    job = proxied_job
    ledger = Ledger(job)
    job.create_topic()
    ledger.send(50)
    job.broker.proxy.alter(Damage(b'"match_id"', 1 << 30))
    fault.assert_ended(job.start(TRIGGER="availableNow"))
    job.broker.proxy.heal()
    job.run()
    ledger.assert_settled()


class WrongSizes:
    """The size in front of an answer becomes one that no answer has; the first `times` large answers."""

    def __init__(self, times):
        self._left = times
        self.done = 0

    def __call__(self, data):
        size = int.from_bytes(data[:4], "big")
        if self._left == 0 or not 4096 < size < 4_000_000:
            return data
        self._left -= 1
        self.done += 1
        return b"\x7f" + data[1:]


@pytest.mark.fault(
    "size of an answer damaged on the way", made="the size of an answer becomes 2 GB, twice", outcome=RECOVERS
)
def test_the_size_of_an_answer_that_is_damaged_twice(proxied_job):
    job = proxied_job
    ledger = Ledger(job)
    job.create_topic()
    ledger.send(200, pad=PAD)
    wrong = WrongSizes(2)
    job.broker.proxy.alter(wrong)
    job.run()
    assert wrong.done == 2
    ledger.assert_settled()


@pytest.mark.timeout(240)
@pytest.mark.fault(
    "all of these, one after the other",
    made="a topic that grows, and 40 faults of ten of these kinds",
    outcome=RECOVERS,
)
def test_faults_of_all_kinds_one_after_the_other(proxied_job):
    job, proxy = proxied_job, proxied_job.broker.proxy
    ledger = Ledger(job)
    job.create_topic(partitions=4)
    process = job.start(TRIGGER="0 seconds", MAX_OFFSETS_PER_TRIGGER=2000, **IMPATIENT)
    faults = itertools.cycle(
        [
            (proxy.reset, 0.5),
            (proxy.cut, 0.3),
            (proxy.forget, 1),
            (proxy.freeze, 4),
            (lambda: proxy.slow(delay=0.1), 1),
            (lambda: proxy.slow(rate=200_000), 1),
            (proxy.refuse, 1),
            (proxy.ignore, 3),
            (lambda: proxy.alter(Damage(b'"match_id"', 1)), 1),
            (lambda: proxy.alter(WrongSizes(1)), 1),
        ]
    )
    with ledger.growing(4, rate=800):
        for fault, seconds in itertools.islice(faults, 40):
            fault()
            threading.Event().wait(seconds)
            proxy.heal()
            assert process.poll() is None, process.tail()
    finish(job, ledger, process)


@pytest.mark.fault(
    "name of a broker not known",
    made="the bootstrap address has a name that does not resolve",
    outcome="exit code 4: no answer from Kafka",
)
def test_a_name_that_does_not_resolve(proxied_job, fault):
    (port,) = free_ports(1)
    fault.assert_ended(
        proxied_job.start(
            KAFKA_BOOTSTRAP_SERVERS=f"kafka.invalid:{port}", KAFKA_STARTUP_TIMEOUT="3 seconds"
        )
    )
