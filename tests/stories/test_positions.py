"""A query's position and a topic that no longer fits it, in every pair of circumstances: what real Spark does, what we
do, and why where that differs. `make positions` runs every combination and writes build/positions.md.

What both do is told by two small models of the rules; each case compares them with what was observed."""

import collections
import itertools
import os
import re
import typing

import pytest
from rig.paths import ROOT
from rig.positions import (
    OurReader,
    SparkReader,
    Topic,
    all_cases,
    isolation,
    pairs,
    pairwise,
    run_all,
    steps,
)
from rig.program import Program

WHICH = os.environ.get("POSITIONS", "")  # "all", or a part of the names of the cases
THREADS = 12
GROUP = 32  # cases at a time
# What Spark says when it stops: a partition is gone or ends before the position, or records are gone.
DATA_LOSS = re.compile("Some data may have been lost|are gone|offset was changed")


def chosen_cases():
    if WHICH == "all":
        return all_cases()
    return [case for case in all_cases() if WHICH in case.name] if WHICH else pairwise(all_cases())


CASES = chosen_cases()


class Outcome(typing.NamedTuple):
    """Per run: "ok" or "stops", and where the newest plan ends; then how often each record is there, in runs."""

    results: list
    positions: list
    rows: str
    lost: int  # offsets that are counted as lost


def told(sent, times):
    """'A0 100 once, B0 30 never'."""
    words = {0: "never", 1: "once", 2: "twice"}
    runs = itertools.groupby(sent, key=lambda id: (id.split("-")[0], times[id]))
    counted = [(which, often, len(list(ids))) for (which, often), ids in runs]
    return ", ".join(f"{which} {count} {words[often]}" for which, often, count in counted)


class Model:
    """What both have in common: the runs, and reading from a position to an end."""

    def __init__(self, case):
        self.case = case
        self.topic = Topic(case.partitions)
        self.position = {}
        self.times = collections.Counter()
        self.lost = 0
        self.ended = False

    def outcome(self):
        results, positions = [], []
        for step, events in enumerate(steps(self.case)):
            for event in events:
                self.topic.apply(event)
            result = self.run(isolation(self.case, step))
            results.append(result)
            positions.append(dict(self.position))
        return Outcome(results, positions, told(self.topic.sent, self.times), self.lost)

    def take(self, partition, first, end, level):
        """Reads a range; what retention has deleted of it is lost."""
        self.times.update(self.topic.read(partition, first, end, level))
        self.lost += max(0, min(self.topic.starts[partition], end) - first)
        self.position[partition] = end


class Spark(Model):
    """The plan ends at each partition's end, wherever that is; the batch reads what lies between."""

    def run(self, level):
        if self.ended:
            return "stops"
        before, topic = dict(self.position), self.topic
        self.position = {partition: topic.end(partition, level) for partition in topic.logs}
        doubt = before.keys() - self.position.keys() or any(
            end < before.get(partition, 0)
            or (before.get(partition, 0) < min(topic.starts[partition], end))
            for partition, end in self.position.items()
        )
        if doubt and self.case.loss == "stop":
            self.ended = True  # the plan is there, and stops every start
            return "stops"
        for partition, end in self.position.items():
            self.take(partition, before.get(partition, 0), end, level)
        return "ok"


class Ours(Model):
    """The rules of ARCHITECTURE.md, "Positions"."""

    def __init__(self, case, knows_ids):
        super().__init__(case)
        self.knows_ids = knows_ids
        self.incarnation = 0

    def is_known_to_be_new(self):
        if self.topic.incarnation == self.incarnation:
            return False
        if self.knows_ids or self.case.way == "running":
            return True
        return self.vanished() or any(
            0 < len(log) < self.position[partition] for partition, log in self.topic.logs.items()
        )

    def vanished(self):
        return self.position.keys() - self.topic.logs.keys()

    def run(self, level):
        if self.ended:
            return "stops"
        logs, starts = self.topic.logs, self.topic.starts
        is_new = self.is_known_to_be_new()
        shorter = {one for one in logs if len(logs[one]) < self.position.get(one, 0)}
        deleted = {one for one in logs if self.position.get(one, 0) < starts[one]}
        if self.case.loss == "stop" and (is_new or shorter or deleted or self.vanished()):
            self.ended = True
            return "stops"
        self.incarnation = self.topic.incarnation
        if is_new:
            self.position = {}
        for partition in shorter - {None} if not is_new else ():
            self.position[partition] = len(logs[partition])
        for partition in logs:
            first, end = self.position.get(partition, 0), self.topic.end(partition, level)
            if first <= end:  # or else it waits for a transaction
                self.take(partition, first, end, level)
        return "ok"


def why_we_differ(case):
    """Where we do not do as Spark, on purpose."""
    if case.situation.startswith("open transaction") and case.way == "stopped":
        if case.isolation == "read_committed":
            return "waits for the transaction; a position never goes back into what is in the log"
    return None


@pytest.fixture(scope="module")
def readers(request, broker, spark, tmp_path_factory):
    """{case: (Spark, ours)}: each has been through its case."""
    directory = tmp_path_factory.mktemp("positions")
    program = Program(ROOT / request.config.getoption("--program"), directory / "runs")
    found = {}
    for group in (CASES[at : at + GROUP] for at in range(0, len(CASES), GROUP)):
        found |= {
            case: (
                SparkReader(spark, case, broker, directory),
                OurReader(program, ours(case).positions, case, broker, directory),
            )
            for case in group
        }
        run_all([reader for case in group for reader in found[case]], THREADS)
    yield found
    program.end_all()


def spark_outcome(case):
    return Spark(case).outcome()


def ours(case):
    return Ours(case, False).outcome()


def seen(reader):
    """Of a reader, as its model has it."""
    topic = Topic(reader.case.partitions)
    for event in itertools.chain(*steps(reader.case)):
        topic.apply(event)
    observed = reader.observed()
    results = ["ok" if result == "ok" else "stops" for result in observed.results]
    return results, observed.positions, told(topic.sent, observed.times)


def test_the_cases_have_every_pair_of_circumstances():
    wanted = set().union(*map(pairs, all_cases()))
    if not WHICH:
        assert set().union(*map(pairs, CASES)) == wanted
    assert len(CASES) <= 40 or WHICH == "all"


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_spark_does(readers, case):
    reader, _ = readers[case]
    assert seen(reader) == spark_outcome(case)[:3], reader.results
    assert all(result == "ok" or DATA_LOSS.search(result) for result in reader.results)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_we_do(readers, case):
    _, reader = readers[case]
    wanted = ours(case)
    assert seen(reader) == wanted[:3], reader.process.tail()
    assert set(reader.results) <= {"ok", "exit 6"}
    code, sums = reader.verified()
    assert code == 0 and sums["lost"] == wanted.lost, reader.process.tail()
    assert sums["rows"] == sum(reader.observed().times.values())
