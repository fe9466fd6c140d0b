"""A real Apache Kafka broker (KRaft, one node) on loopback, with its own ports and directory."""

import base64
import contextlib
import os
import signal
import socket
import struct
import subprocess
import time
import uuid

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    ConsumerGroupTopicPartitions,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic, OffsetSpec

from . import processes
from .paths import GEN, JARS, RIG, java_home

PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
log.dirs={directory}/data
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=3000
auto.create.topics.enable=false
socket.request.max.bytes=134217728
log.retention.ms=-1
log.retention.bytes=-1
log.cleaner.backoff.ms=100
log.initial.task.delay.ms=100
log.cleaner.dedupe.buffer.size=4194304
"""


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def new_cluster():
    return base64.urlsafe_b64encode(b"\0" + uuid.uuid4().bytes[1:]).decode().rstrip("=")


def must_be_delivered(error, _):
    """For on_delivery: poll() or flush() raises what this does."""
    assert error is None, error


class Broker:
    """start, stop, kill (data stays), start again; topics, records, offsets."""

    java_options = ()  # what a kind of broker adds

    def __init__(self, directory, cluster=None):
        """`cluster`: the id of the cluster that it belongs to; a new one by default."""
        self.directory = directory
        self.port, controller_port = free_ports(2)
        self.bootstrap = f"127.0.0.1:{self.port}"
        self.process = None
        self._java = os.path.join(java_home(), "bin", "java")
        self._properties = directory / "server.properties"
        self._log = directory / "broker.log"
        directory.mkdir(parents=True)
        self._properties.write_text(
            PROPERTIES.format(port=self.port, controller_port=controller_port, directory=directory)
            + self.further_properties(controller_port)
        )
        self._run("kafka.tools.StorageTool", "format", "-t", cluster or new_cluster(), "-c", self._properties)
        self._admin = None

    def further_properties(self, controller_port):
        """What a kind of broker adds; a line that comes later wins."""
        return ""

    def _command(self, *arguments):
        return [
            self._java,
            "-Xms64m",
            "-Xmx512m",
            "-XX:+UseSerialGC",
            f"-Dlog4j2.configurationFile={RIG / 'log4j2.xml'}",
            *self.java_options,
            "-cp",
            f"{JARS / 'kafka'}/*",
            *map(str, arguments),
        ]

    def _run(self, *arguments):
        done = subprocess.run(self._command(*arguments), capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"{arguments[0]} failed:\n{done.stdout}{done.stderr}")

    def start(self):
        self.launch()
        return self.wait_started()

    def launch(self):
        assert self.process is None
        with open(self._log, "wb") as log:
            self.process = subprocess.Popen(
                self._command("kafka.Kafka", self._properties),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_started(self):
        deadline = time.monotonic() + 90
        while "Kafka Server started" not in self._log.read_text():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the broker did not start:\n{self._log.read_text()[-4000:]}")
            time.sleep(0.05)
        return self

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def ensure_started(self):
        """For a broker that tests share: one that failed may have left it stopped."""
        if self.process is None:
            self.start()
        return self

    def stop(self):
        self._end(signal.SIGTERM)

    def kill(self):
        self._end(signal.SIGKILL)

    def pause(self):
        """Freezes the broker, as if its machine hangs: connections stay open, nothing answers."""
        processes.pause(self.process.pid)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def _end(self, how):
        if self.process is None:
            return
        self.process.send_signal(how)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    @property
    def admin(self):
        if self._admin is None:
            self._admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 2})
        return self._admin

    def create_topic(self, name, partitions=1, replicas=1, **config):
        """Options with underscores for dots: cleanup_policy="compact"."""
        options = {key.replace("_", "."): str(value) for key, value in config.items()}
        topic = NewTopic(name, num_partitions=partitions, replication_factor=replicas, config=options)
        for future in self.admin.create_topics([topic]).values():
            future.result(30)
        self.wait_leaders(name, partitions)
        return name

    def delete_topic(self, name):
        for future in self.admin.delete_topics([name]).values():
            future.result(30)
        deadline = time.monotonic() + 30
        while name in self.admin.list_topics(timeout=10).topics:
            assert time.monotonic() < deadline, f"topic {name} is not gone"
            time.sleep(0.02)

    def wait_leaders(self, name, partitions):
        """A partition is there when its leader is, which is a moment after its creation."""
        deadline = time.monotonic() + 30
        while True:
            found = self.admin.list_topics(name, timeout=10).topics[name]
            leaders = [one for one in found.partitions.values() if one.leader >= 0]
            if found.error is None and len(leaders) == partitions:
                return
            assert time.monotonic() < deadline, f"topic {name} has no leaders"
            time.sleep(0.02)

    def cut_log(self, name, partition, end):
        """While the broker is stopped: the partition ends here, at the beginning of a record batch, as
        after the election of a replica that had no more."""
        directory = self.directory / "data" / f"{name}-{partition}"
        segment, first = directory / f"{0:020}.log", None
        with open(segment, "r+b") as file:
            while header := file.read(12):
                first, size = struct.unpack(">qi", header)
                if first >= end:
                    file.truncate(file.tell() - len(header))
                    break
                file.seek(size, os.SEEK_CUR)
        assert first == end, (segment, first, end)
        for index in (*directory.glob("*.index"), *directory.glob("*.timeindex")):
            index.unlink()

    def add_partitions(self, name, total):
        for future in self.admin.create_partitions([NewPartitions(name, total)]).values():
            future.result(30)
        self.wait_leaders(name, total)

    def set_quota(self, client_id, **quotas):
        """consumer_byte_rate=200_000: of all clients with this id; None: no quota any more."""
        words = ["--bootstrap-server", self.bootstrap, "--alter", "--entity-type", "clients", "--entity-name", client_id]
        for name, value in quotas.items():
            words += ["--delete-config", name] if value is None else ["--add-config", f"{name}={value}"]
        self._run("kafka.admin.ConfigCommand", *words)

    def delete_records(self, name, before):
        """Raises the log start: `before` maps partition to its new first offset."""
        wanted = [TopicPartition(name, part, offset) for part, offset in before.items()]
        for future in self.admin.delete_records(wanted).values():
            future.result(30)

    def _offsets(self, name, spec, timeout=30):
        deadline = time.monotonic() + timeout
        while True:
            try:
                return self._ask_offsets(name, spec)
            except KafkaException as error:
                # A broker that has just started may know less than this client does.
                if error.args[0].code() != KafkaError.UNKNOWN_LEADER_EPOCH or time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def _ask_offsets(self, name, spec):
        parts = self.admin.list_topics(name, timeout=30).topics[name].partitions
        asked = {TopicPartition(name, part): spec for part in parts}
        answers = self.admin.list_offsets(
            asked, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=30
        )
        return {key.partition: future.result(30).offset for key, future in answers.items()}

    def end_offsets(self, name):
        """{partition: the offset after the last one}, transaction markers included."""
        return self._offsets(name, OffsetSpec.latest())

    def wait_end_offsets(self, name, ends, timeout=30):
        """Until the topic ends there: a transaction's marker is written after its end is reported."""
        deadline = time.monotonic() + timeout
        while self.end_offsets(name) != ends:
            assert time.monotonic() < deadline, (self.end_offsets(name), ends)
            time.sleep(0.05)

    def start_offsets(self, name):
        return self._offsets(name, OffsetSpec.earliest())

    def group_offsets(self, group, name):
        """{partition: the offset that a consumer group has committed}; {}: none."""
        asked = [ConsumerGroupTopicPartitions(group)]
        deadline = time.monotonic() + 30
        while True:
            (answer,) = self.admin.list_consumer_group_offsets(asked).values()
            try:
                found = answer.result(30).topic_partitions
                break
            except KafkaException as error:  # the group's coordinator is being elected
                assert error.args[0].code() == KafkaError.COORDINATOR_LOAD_IN_PROGRESS, error
                assert time.monotonic() < deadline, error
            time.sleep(0.05)
        return {one.partition: one.offset for one in found if one.topic == name}

    def wait_group_offsets(self, group, name, offsets, timeout=30):
        deadline = time.monotonic() + timeout
        while self.group_offsets(group, name) != offsets:
            assert time.monotonic() < deadline, (self.group_offsets(group, name), offsets)
            time.sleep(0.05)

    @contextlib.contextmanager
    def member(self, group, name):
        """Meanwhile the group has a member, which has its partitions."""
        consumer = Consumer({"bootstrap.servers": self.bootstrap, "group.id": group, "enable.auto.commit": False})
        consumer.subscribe([name])
        deadline = time.monotonic() + 30
        while not consumer.assignment():
            assert time.monotonic() < deadline, f"no member of {group}"
            consumer.poll(0.1)
        try:
            yield
        finally:
            consumer.close()

    def readable(self, name):
        """Every (partition, offset) that a consumer of committed records gets: an account that owes
        nothing to our program."""
        consumer = Consumer(
            {
                "bootstrap.servers": self.bootstrap,
                "group.id": "account",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "auto.offset.reset": "earliest",
                "isolation.level": "read_committed",
            }
        )
        parts = self.admin.list_topics(name, timeout=30).topics[name].partitions
        consumer.assign([TopicPartition(name, part, OFFSET_BEGINNING) for part in parts])
        found, open_parts = set(), set(parts)
        while open_parts:
            message = consumer.poll(30)
            assert message is not None, f"nothing more from {name}, open: {open_parts}"
            if not message.error():
                found.add((message.partition(), message.offset()))
            elif message.error().code() == KafkaError._PARTITION_EOF:
                open_parts.discard(message.partition())
            else:
                raise RuntimeError(message.error())
        consumer.close()
        return found

    def producer(self, **config):
        options = {key.replace("_", "."): value for key, value in config.items()}
        return Producer({"bootstrap.servers": self.bootstrap, "linger.ms": 5, **options})

    def produce(self, topic, values, partition=0, when_ms=0):
        """Sends each value (str, bytes or None), or (key, value), in order to one partition; when_ms: with this
        timestamp (0: the present time)."""
        producer = self.producer()
        for item in values:
            key, value = item if isinstance(item, tuple) else (None, item)
            producer.produce(topic, value, key, partition, on_delivery=must_be_delivered, timestamp=when_ms)
            producer.poll(0)
        assert producer.flush(60) == 0

    def generate(self, topic, kind, count, partitions=1, *options, start=0):
        """`count` generated records, number i to partition i % partitions; kind: matches, players."""
        command = [GEN, "--type", kind, "--count", count, "--start", start]
        command += ["--brokers", self.bootstrap, "--topic", topic, "--partitions", partitions]
        subprocess.run([str(word) for word in [*command, "--quiet", *options]], check=True)

    @contextlib.contextmanager
    def growing(self, topics, rate, partitions):
        """Meanwhile each of {kind: topic} gets `rate` records a second, some of them malformed."""
        words = [GEN, "--count", 1 << 30, "--malformed", 5, "--rate", rate, "--quiet"]
        words += ["--brokers", self.bootstrap, "--partitions", partitions]
        running = [
            subprocess.Popen([str(word) for word in [*words, "--type", kind, "--topic", topic]])
            for kind, topic in topics.items()
        ]
        try:
            yield
            assert [one.poll() for one in running] == [None] * len(running)
        finally:
            for one in running:
                one.terminate()
                one.wait(30)
        time.sleep(0.5)  # what is on its way
