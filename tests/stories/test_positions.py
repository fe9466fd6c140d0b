"""A query's position no longer fits its topic, in every pair of circumstances: what real Spark does,
what we do, and why the two differ where they do. Two small models predict both. Each case compares
the predictions with what was observed. `make positions` runs all combinations."""

import collections
import itertools
import os
import re
import typing

import pytest
from rig.debian13 import Debian13
from rig.paths import ROOT
from rig.positions import (
    Case,
    OurReader,
    Send,
    SparkReader,
    Topic,
    all_cases,
    isolation,
    numbered,
    pairs,
    pairwise,
    run_all,
    steps,
    stops_at_loss,
)
from rig.program import Program

WHICH = os.environ.get("POSITIONS", "")  # "all", or a part of the names of the cases
TABLE = ROOT / "build" / "positions.md"
THREADS = 12
GROUP = 32  # cases at a time
# What Spark reports when it stops.
DATA_LOSS = re.compile("Some data may have been lost|are gone|offset was changed")
# A plan of Spark's that goes back although nothing is lost.
BESIDES = [Case("open transaction commits", "stopped", "1", "read_committed", "stop")]


def chosen_cases():
    if WHICH == "all":
        return all_cases()
    if WHICH:
        return [case for case in all_cases() if WHICH in case.name]
    return list(dict.fromkeys([*pairwise(all_cases()), *BESIDES]))


CASES = chosen_cases()


class Outcome(typing.NamedTuple):
    """Per run: "ok" or "stops", and where the newest plan ends; then all records that were sent, in
    order, how many rows each has, and how many offsets are counted as lost."""

    results: list
    positions: list
    sent: list
    times: dict
    lost: int = None

    def rows(self):
        """'A0 100 once, B0 30 never'."""
        words = {0: "never", 1: "once", 2: "twice"}
        runs = itertools.groupby(self.sent, key=lambda id: (id.split("-")[0], self.times[id]))
        counted = [(which, often, len(list(ids))) for (which, often), ids in runs]
        return ", ".join(f"{which} {count} {words[often]}" for which, often, count in counted)

    def told(self):
        return self.results, self.positions, self.rows()

    def seen(self, often):
        return {id for id in self.sent if self.times[id] == often}


class Model:
    """What both models share: three runs, and reading from a position to an end."""

    def __init__(self, case):
        self.case = case
        self.topic = Topic(case.partitions)
        self.position = {}
        self.times = collections.Counter()
        self.lost = 0
        self.has_stopped = False  # at a data loss

    def outcome(self):
        results, positions = [], []
        for step, events in enumerate(steps(self.case)):
            for event in events:
                self.topic.apply(event)
            stops = stops_at_loss(self.case, step)
            continued = self.run(isolation(self.case, step), stops)
            self.has_stopped = not continued
            results.append("ok" if continued else "stops")
            positions.append(dict(self.position))
        return Outcome(results, positions, self.topic.sent, self.times, self.lost)

    def take(self, partition, first, end, level):
        """Reads a range. Offsets that retention has deleted are lost."""
        self.times.update(self.topic.read(partition, first, end, level))
        self.lost += max(0, min(self.topic.starts[partition], end) - first)
        self.position[partition] = end


class Spark(Model):
    """A plan ends at each partition's end, no matter where that is. Its batch reads from the previous
    plan's end to this one."""

    def __init__(self, case):
        super().__init__(case)
        self.read_to = {}  # by the previous plan

    def run(self, level, stops):
        """If it stopped with a plan, that plan still exists and runs first."""
        return (not self.has_stopped or self.run_plan(level, stops)) and self.plan(level, stops)

    def plan(self, level, stops):
        self.read_to = self.position
        self.position = {one: self.topic.end(one, level) for one in self.topic.logs}
        return self.run_plan(level, stops)

    def run_plan(self, level, stops):
        firsts = {one: self.read_to.get(one, 0) for one in {**self.position, **self.read_to}}
        if stops and not all(self.is_whole(one, first) for one, first in firsts.items()):
            return False
        for partition, end in self.position.items():
            self.take(partition, firsts[partition], end, level)
        return True

    def is_whole(self, partition, first):
        end = self.position.get(partition, -1)
        return first <= end and (first == end or self.topic.starts[partition] <= first)


class Ours(Model):
    """docs/internals/positions.md."""

    def __init__(self, case):
        super().__init__(case)
        self.incarnation = 0

    def run(self, level, stops):
        """A separate plan moves the positions that do not fit. It is durable before the query stops
        because of it."""
        before, starts = self.position, self.topic.starts
        if not self.has_stopped:
            self.position = self.fitting()
        moves = self.has_stopped or self.position != before
        self.incarnation = self.topic.incarnation
        if stops and (moves or any(self.position.get(one, 0) < starts[one] for one in starts)):
            return False
        for partition in self.topic.logs:
            first, end = self.position.get(partition, 0), self.topic.end(partition, level)
            if first <= end:  # otherwise it waits for a transaction
                self.take(partition, first, end, level)
        return True

    def fitting(self):
        """A recreated topic is recognised by its absence, by that of a partition, or by the timestamp of a
        record that is also in the table. An end before a position is not sufficient."""
        logs = self.topic.logs
        gone = self.position.keys() - logs.keys()
        compared = [log for one, log in logs.items() if log and self.position.get(one)]
        if self.topic.incarnation > self.incarnation:
            if self.case.way == "running" or gone or compared:
                return dict.fromkeys(self.position.keys() - gone, 0)
        return {one: min(self.position[one], len(logs[one])) for one in self.position}


def spark_outcome(case):
    return Spark(case).outcome()


def our_outcome(case):
    return Ours(case).outcome()


def observed(reader):
    events = itertools.chain(*steps(reader.case))
    sent = [id for event in events for id in getattr(event, "ids", ())]
    results = ["ok" if result == "ok" else "stops" for result in reader.results]
    return Outcome(results, reader.positions, sent, reader.times())


def why_we_differ(spark, ours):
    """None: we do the same as Spark."""
    if spark.told() == ours.told():
        return None
    if ours.results[1] == "stops" and spark.results[1] == "ok":
        return "Spark does not notice that the topic was recreated"
    if spark.results[1] == "stops" and ours.results[1] == "ok":
        return "what was read is still there, behind an open transaction: we wait for its end"
    if spark.seen(2):
        return "Spark goes back to the last stable offset and reads again: we wait"
    if spark.seen(0) > ours.seen(0):
        return "a topic that is known to be new is read from its beginning"
    if spark.results[1] == "stops":
        return "Spark publishes the plan with which it stops; one of ours only moves positions"
    return "?"


@pytest.fixture(scope="module")
def readers(request, broker, spark, tmp_path_factory):
    """{case: (Spark, ours)}: each has run its case."""
    directory = tmp_path_factory.mktemp("positions")
    kind = Debian13 if request.config.getoption("--on-debian-13") else Program
    program = kind(ROOT / request.config.getoption("--program"), directory / "runs")
    found = {}
    for at in range(0, len(CASES), GROUP):
        group = CASES[at : at + GROUP]
        for case in group:
            ours = OurReader(program, our_outcome(case), case, broker, directory)
            found[case] = SparkReader(spark, case, broker, directory), ours
        run_all([reader for case in group for reader in found[case]], THREADS)
    if WHICH:
        write_table(found)
    yield found
    program.end_all()


def write_table(found):
    """What was observed, and where it differs from what was expected."""
    lines = [
        "| topic | query | partitions | isolation | data loss | Spark: runs; positions; rows |"
        " ours | why they differ |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for case, readers in found.items():
        spark, ours = map(observed, readers)
        wanted = spark_outcome(case), our_outcome(case)
        cells = [cell(*both) for both in zip((spark, ours), wanted)]
        same = "the same" if cells[0] == cells[1] else cells[1]
        line = [*case, cells[0], same, why_we_differ(*wanted) or ""]
        lines.append(f"| {' | '.join(line)} |")
    TABLE.write_text("\n".join(lines) + "\n")


def cell(seen, wanted):
    positions = [" ".join(str(end) for end in ends.values()) for ends in seen.positions]
    text = f"{', '.join(seen.results)}; {' → '.join(positions)}; {seen.rows()}"
    return text if seen.told() == wanted.told() else f"**not as expected:** {text}"


def test_the_cases_have_every_pair_of_circumstances():
    wanted = set().union(*map(pairs, all_cases()))
    assert set().union(*map(pairs, pairwise(all_cases()))) == wanted
    assert len(pairwise(all_cases())) < 40


def test_we_are_nowhere_worse_than_spark():
    for case in all_cases():
        spark, ours = spark_outcome(case), our_outcome(case)
        assert why_we_differ(spark, ours) != "?", case
        assert not ours.seen(2), case
        assert ours.seen(0) <= spark.seen(0) or ours.results[-1] == "stops", case


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_spark_does(readers, case):
    reader, _ = readers[case]
    assert observed(reader).told() == spark_outcome(case).told(), reader.results
    assert all(result == "ok" or DATA_LOSS.search(result) for result in reader.results)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_we_do(readers, case):
    _, reader = readers[case]
    wanted = our_outcome(case)
    assert observed(reader).told() == wanted.told(), reader.process.tail()
    assert set(reader.results) <= {"ok", "exit 6"}
    code, sums, told = reader.verified()
    assert (code, sums["lost"]) == (0, wanted.lost), told
    assert sums["rows"] == sum(reader.times().values()), told


# The two programs swap lakes. No test uses the lakes afterwards.


def moved(outcome):
    """Whether a position went back or disappeared."""
    pairs = itertools.pairwise(outcome.positions)
    return any(later.get(one, -1) < at for first, later in pairs for one, at in first.items())


SPARK_STOPPED = [case for case in CASES if spark_outcome(case).results[-1] == "stops"]
WE_MOVED = [case for case in CASES if moved(our_outcome(case))]


@pytest.mark.parametrize("case", SPARK_STOPPED, ids=lambda case: case.name)
def test_we_resume_with_the_plan_with_which_spark_stopped(readers, case):
    theirs, ours = readers[case]
    wanted = spark_outcome(case._replace(loss="stop then continue"))

    process = ours.take_over(theirs)

    assert observed(theirs).rows() == wanted.rows(), process.tail()
    assert theirs.position() == wanted.positions[-1]


@pytest.mark.parametrize("case", WE_MOVED, ids=lambda case: case.name)
def test_spark_resumes_where_we_moved_to(readers, case):
    """If we have stopped, Spark continues and moves there itself."""
    theirs, ours = readers[case]
    has_stopped = ours.results[-1] != "ok"
    wanted = our_outcome(case._replace(loss="stop then continue") if has_stopped else case)
    for partition in range(case.partitions):
        ours.topic.apply(Send(partition, numbered("D", partition, 5)))

    theirs.take_over(ours, fails_on_data_loss=str(not has_stopped).lower())

    news = {id: 1 for partition in range(case.partitions) for id in numbered("D", partition, 5)}
    assert ours.times() == {**wanted.times, **news}


def test_a_missing_topic_ends_a_running_query_of_spark(broker, spark, tmp_path):
    case = Case("recreated empty", "running", "1", "read_committed", "continue")
    reader = SparkReader(spark, case, broker, tmp_path)
    reader.topic.apply(Send(0, numbered("A", 0, 10)))
    reader.run()
    assert reader.results == ["ok"]

    reader.topic.delete()

    assert "UnknownTopicOrPartition" in reader.wait()
