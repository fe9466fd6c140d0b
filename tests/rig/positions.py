"""Cases in which a query's position in a topic no longer fits the topic. Each case is played step by
step at a real broker and in a model of it. Real Spark and our program read it, each with topics of
its own.

A case has three steps, and a query runs after each. First it reads the topic. Then something happens
to the topic, and the query polls it again. Then more records arrive, and the query continues."""

import collections
import concurrent.futures
import itertools
import json
import re
import time
import typing

import pyarrow.parquet
import spark_job
from pyspark.errors import StreamingQueryException

from .lake import Lake

PATIENCE = 20  # seconds that our program has to reach the expected position
AFFECTED = 0  # the partition that is changed, if not the whole topic
ELSEWHERE = 1  # the partition with new records when the query polls again


class Case(typing.NamedTuple):
    situation: str
    way: str  # whether the query is stopped or running during the change
    layout: str  # partitions of the topic, and whether another partition has new records
    isolation: str
    loss: str  # failOnDataLoss, FAIL_ON_DATA_LOSS

    @property
    def name(self):
        return "-".join(self).replace(" ", "_")

    @property
    def partitions(self):
        return int(self.layout[0])

    @property
    def news(self):
        return self.layout.endswith("news")


DIMENSIONS = Case(
    (
        "recreated shorter",
        "recreated empty",
        "recreated longer",
        "recreated with fewer partitions",
        "truncated",
        "records deleted",
        "open transaction commits",
        "open transaction aborts",
    ),
    ("stopped", "running"),
    ("1", "3", "3 with news"),
    ("read_committed", "read_uncommitted"),
    ("continue", "stop", "stop then continue"),  # the last one: only the last run continues
)


def all_cases():
    cases = itertools.starmap(Case, itertools.product(*DIMENSIONS))
    return [case for case in cases if case.partitions > 1 or "fewer" not in case.situation]


def pairs(case):
    """Every pair of values of the case."""
    return set(itertools.combinations(zip(Case._fields, case), 2))


def pairwise(cases):
    """A few of the cases that together have every pair of values. Chosen greedily: each time the case
    with the most pairs that are still missing."""
    missing = set().union(*map(pairs, cases))
    chosen = []
    while missing:
        best = max(cases, key=lambda case: len(pairs(case) & missing))
        chosen.append(best)
        missing -= pairs(best)
    return chosen


# What happens to a topic.


class Send(typing.NamedTuple):
    partition: int
    ids: list


class Begin(typing.NamedTuple):
    """A transaction that stays open."""

    partition: int
    ids: list


class End(typing.NamedTuple):
    partition: int
    commit: bool


class Recreate(typing.NamedTuple):
    partitions: int


class AddPartitions(typing.NamedTuple):
    total: int


class Cut(typing.NamedTuple):
    """The log now ends here, as after the election of a replica that was behind."""

    partition: int
    end: int


class DeleteRecords(typing.NamedTuple):
    partition: int
    before: int


def numbered(generation, partition, count, first=0):
    """Ids of records: generation A is the first, B comes after the topic was recreated, C is the last,
    T belongs to the transaction."""
    return [f"{generation}{partition}-{number}" for number in range(first, first + count)]


def whole(partition):
    """100 records in two batches, so that a log can be cut between them."""
    return [
        Send(partition, numbered("A", partition, 30)),
        Send(partition, numbered("A", partition, 70, 30)),
    ]


def steps(case):
    """Three lists of events."""
    every = range(case.partitions)
    first, look, last = whole(AFFECTED), [], []
    if case.situation.startswith("open transaction"):
        first = [
            Send(AFFECTED, numbered("A", AFFECTED, 10)),
            Begin(AFFECTED, numbered("T", AFFECTED, 10)),
            Send(AFFECTED, numbered("A", AFFECTED, 10, 10)),
        ]
        last = [End(AFFECTED, case.situation.endswith("commits"))]
    elif case.situation == "truncated":
        look = [Cut(AFFECTED, 30)]
    elif case.situation == "records deleted":
        ahead = [Send(AFFECTED, numbered("A", AFFECTED, 50, 100)), DeleteRecords(AFFECTED, 130)]
        # A running query might have read them.
        look = ahead if case.way == "stopped" else [DeleteRecords(AFFECTED, 100)]
    elif case.situation == "recreated with fewer partitions":
        count = 130 if case.news else 30
        look = [Recreate(1), Send(AFFECTED, numbered("B", AFFECTED, count))]
        last = [AddPartitions(case.partitions)]
    else:
        look = recreation(case)
    for partition in every[1:]:
        first = first + whole(partition)
    if case.news and not case.situation.startswith("recreated"):
        look = [*look, Send(ELSEWHERE, numbered("A", ELSEWHERE, 30, 100))]
    last = last + [Send(partition, numbered("C", partition, 70)) for partition in every]
    return first, look, last


def isolation(case, step):
    """A query that stopped beyond the last stable offset had read uncommitted records."""
    in_transaction = case.situation.startswith("open transaction")
    beyond = in_transaction and case.way == "stopped" and step == 0
    return "read_uncommitted" if beyond else case.isolation


def stops_at_loss(case, step):
    return case.loss == "stop" or (case.loss == "stop then continue" and step < 2)


def recreation(case):
    """New records in a recreated topic: one partition has more than was read before."""
    longest = {"shorter": 30, "empty": 0, "longer": 150}[case.situation.split()[1]]
    counts = {partition: min(longest, 100) for partition in range(case.partitions)}
    counts[AFFECTED] = longest
    if case.news:
        counts[ELSEWHERE] = 130
    sent = [Send(partition, numbered("B", partition, count)) for partition, count in counts.items()]
    return [Recreate(case.partitions), *(send for send in sent if send.ids)]


# The model: what is in the topic, and what a query can see of it.


class Entry(typing.NamedTuple):
    id: str  # None: a transaction's marker
    transaction: str = ""  # "open", "committed" or "aborted"


class Topic:
    def __init__(self, partitions):
        self.incarnation = 0
        self.logs = {partition: [] for partition in range(partitions)}
        self.starts = collections.Counter()
        self.sent = []

    def apply(self, event):
        match event:
            case Send(partition, ids):
                self.logs[partition] += map(Entry, ids)
                self.sent += ids
            case Begin(partition, ids):
                self.logs[partition] += [Entry(id, "open") for id in ids]
                self.sent += ids
            case End(partition, commit):
                state = "committed" if commit else "aborted"
                log = self.logs[partition]
                ended = [one._replace(transaction=state) if one.transaction else one for one in log]
                self.logs[partition] = [*ended, Entry(None)]
            case Recreate(partitions):
                self.incarnation += 1
                self.logs = {partition: [] for partition in range(partitions)}
            case AddPartitions(total):
                for partition in range(total):
                    self.logs.setdefault(partition, [])
            case Cut(partition, end):
                del self.logs[partition][end:]
            case DeleteRecords(partition, before):
                self.starts[partition] = before

    def end(self, partition, isolation):
        """Up to where a query may read: under read_committed, the last stable offset."""
        log = self.logs[partition]
        unstable = [offset for offset, entry in enumerate(log) if entry.transaction == "open"]
        return min([len(log), *(unstable if isolation == "read_committed" else [])])

    def read(self, partition, first, end, isolation):
        """Ids of the records that a consumer gets."""
        hidden = "aborted" if isolation == "read_committed" else None
        entries = self.logs[partition][max(first, self.starts[partition]) : end]
        return [one.id for one in entries if one.id is not None and one.transaction != hidden]


# The topic at the broker.


class RealTopic:
    def __init__(self, broker, name, partitions):
        self.broker = broker
        self.name = name
        self._transaction = None
        self._create(partitions)

    def _create(self, partitions):
        self.broker.create_topic(self.name, partitions)
        self._is_there = True

    def delete(self):
        """Done before the topic is created again, or by the creation itself."""
        if self._is_there:
            self.broker.delete_topic(self.name)
        self._is_there = False

    def apply(self, event):
        match event:
            case Send(partition, ids):
                self.broker.produce(self.name, map(value, ids), partition)
            case Begin(partition, ids):
                self._begin(partition, ids)
            case End(partition, commit):
                self._end(partition, commit)
            case Recreate(partitions):
                self.delete()
                self._create(partitions)
            case AddPartitions(total):
                self.broker.add_partitions(self.name, total)
            case Cut(partition, end):
                self.broker.cut_log(self.name, partition, end)
            case DeleteRecords(partition, before):
                self.broker.delete_records(self.name, {partition: before})

    def _begin(self, partition, ids):
        self._transaction = self.broker.producer(
            transactional_id=self.name, transaction_timeout_ms=600000
        )
        self._transaction.init_transactions(30)
        self._transaction.begin_transaction()
        for id in ids:
            self._transaction.produce(self.name, value(id), partition=partition)
        assert self._transaction.flush(30) == 0

    def _end(self, partition, commit):
        ends = self.broker.end_offsets(self.name)
        if commit:
            self._transaction.commit_transaction(30)
        else:
            self._transaction.abort_transaction(30)
        self._transaction = None
        self.broker.wait_end_offsets(self.name, {**ends, partition: 31})


def value(id):
    return json.dumps({"match_id": id, "status": "live"})


# The readers.


class Reader:
    """A query with a topic and a lake of its own. For each run it keeps "ok" or how the run failed, and
    where the newest plan ends afterwards."""

    def __init__(self, case, broker, directory):
        self.case = case
        self.broker = broker
        self.topic = RealTopic(broker, f"{type(self).__name__}.{case.name}", case.partitions)
        self.lake = Lake(directory / self.topic.name)
        self.results = []
        self.positions = []

    def isolation(self):
        return isolation(self.case, len(self.results))

    def fails_on_data_loss(self):
        return str(stops_at_loss(self.case, len(self.results))).lower()

    def trigger(self):
        return "availableNow" if self.case.way == "stopped" else "1 second"

    def run(self):
        """One step: a stopped query is started, a running query continues. If the query has ended, it is
        started with the opposite reaction to a data loss."""
        step = len(self.results)
        changes = stops_at_loss(self.case, step) != stops_at_loss(self.case, 0)
        if step == 0 or self.case.way == "stopped" or (changes and self.has_ended()):
            self.start()
        self.results.append(self.wait())
        self.positions.append(self.position())

    def is_committed(self):
        plans, commits = (self.lake.batches("matches", log) for log in ("offsets", "commits"))
        return plans[-1:] == commits[-1:]

    def position(self):
        newest = self.lake.batches("matches", "offsets")[-1:]
        return self.lake.planned_ends("matches", *newest) if newest else {}

    def times(self):
        """How many rows each record has: {id: rows}."""
        times = collections.Counter()
        for path in self.lake.listed("matches"):
            rows = pyarrow.parquet.ParquetFile(path).read(columns=["match_id"])
            times.update(rows["match_id"].to_pylist())
        return times


class SparkReader(Reader):
    def __init__(self, spark, case, broker, directory):
        super().__init__(case, broker, directory)
        self._spark = spark
        self._query = None

    def start(self):
        self._query = self._start(self, self.trigger(), self.fails_on_data_loss())

    def _start(self, reader, trigger, fails_on_data_loss):
        return spark_job.start(
            self._spark,
            "matches",
            self.broker.bootstrap,
            reader.topic.name,
            str(reader.lake.root),
            trigger=trigger,
            source={
                "failOnDataLoss": fails_on_data_loss,
                "kafka.isolation.level": self.isolation(),
            },
            query_name=reader.topic.name,
        )

    def take_over(self, reader, fails_on_data_loss):
        """Continues with our checkpoint and table."""
        self._start(reader, "availableNow", fails_on_data_loss).awaitTermination()

    def has_ended(self):
        return not self._query.isActive

    def wait(self):
        """Until the query has read everything in the topic, or failed."""
        try:
            if self.case.way == "stopped":
                self._query.awaitTermination()
            else:
                for _ in range(2):  # the first may find it in the middle of a poll
                    self._query.processAllAvailable()
        except StreamingQueryException as error:
            return str(error)
        return "ok"

    def stop(self):
        self._query.stop()


class OurReader(Reader):
    """`expected`: its results and positions."""

    def __init__(self, program, expected, case, broker, directory):
        super().__init__(case, broker, directory)
        self._program = program
        self._expected = expected
        self.process = None

    def settings(self, reader=None):
        """`reader`: whose topic and lake, if not its own."""
        reader = reader or self
        return {
            "KAFKA_BOOTSTRAP_SERVERS": self.broker.bootstrap,
            "KAFKA_TOPIC_MATCHES": reader.topic.name,
            "DATA_LAKE_PATH": reader.lake.root,
            "FAIL_ON_DATA_LOSS": self.fails_on_data_loss(),
            "KAFKA_CONF_isolation_level": self.isolation(),
        }

    def start(self):
        settings = {"TRIGGER": self.trigger(), **self.settings()}
        self.process = self._program.start("--job", "matches", **settings)

    def has_ended(self):
        return self.process.poll() is not None

    def wait(self):
        """Until the query has ended or, if it should continue, until it has reached the expected position.
        Gives up after PATIENCE."""
        step = len(self.results)
        continues = self.case.way == "running" and self._expected.results[step] == "ok"
        deadline = time.monotonic() + PATIENCE
        while not self.has_ended() and time.monotonic() < deadline:
            expected = self._expected.positions[step]
            if continues and self.is_committed() and self.position() == expected:
                break
            time.sleep(0.05)
        code = self.process.poll()
        return "ok" if code in (None, 0) else f"exit {code}"

    def take_over(self, reader):
        """Continues with Spark's checkpoint and table, no matter what was lost."""
        settings = {"FAIL_ON_DATA_LOSS": "false", "TRIGGER": "availableNow"}
        return self._program.run("--job", "matches", **{**self.settings(reader), **settings})

    def wait_until_missed(self):
        """Until a running query has noticed that its topic is missing."""
        if self.case.way == "running":
            self.process.wait_log("topic.* does not exist")

    def stop(self):
        if not self.has_ended():
            self.process.stop()

    def verified(self):
        """(exit code, {column: its sum over the partitions}, output) of `verify`."""
        done = self._program.start("verify", "--job", "matches", **self.settings())
        code = done.wait_exit()
        (header,) = done.lines(r"^ +(incarnation +)?partition ")
        lines = [line.split() for line in done.lines(r"^( +\d+)+$")]
        columns = zip(re.split(" {2,}", header.strip()), zip(*lines))
        return code, {name: sum(map(int, numbers)) for name, numbers in columns}, done.tail()


def run_all(readers, threads):
    """Takes all readers through all steps, `threads` of them at a time."""
    for step in range(3):
        disturb([(reader, steps(reader.case)[step]) for reader in readers])
        with concurrent.futures.ThreadPoolExecutor(threads) as pool:
            list(pool.map(lambda reader: reader.run(), readers))
    for reader in readers:
        reader.stop()


def disturb(todo):
    """Changes that the readers share come first: logs are cut while the broker is down. Our topics stay
    deleted until our program has noticed. Spark's do not: two seconds would end a running query."""
    cuts = [(reader, event) for reader, events in todo for event in events if is_cut(event)]
    if cuts:
        broker = cuts[0][0].broker
        broker.stop()
        for reader, event in cuts:
            reader.topic.apply(event)
        broker.start()
        for reader, _ in todo:
            broker.wait_leaders(reader.topic.name, reader.case.partitions)
    away = [reader for reader, events in todo if recreates(events)]
    ours = [reader for reader in away if isinstance(reader, OurReader)]
    for reader in ours:
        reader.topic.delete()
    for reader in ours:
        reader.wait_until_missed()
    for reader, events in todo:
        for event in events:
            if not is_cut(event):
                reader.topic.apply(event)


def is_cut(event):
    return isinstance(event, Cut)


def recreates(events):
    return any(isinstance(event, Recreate) for event in events)
