"""The release binary under strace: killed, or refused with EIO or ENOSPC, at every system call on the
lake that a start, a batch and a batch that compacts the sink log make, one call by its number at a
time; started again with another number of workers; and compared with a run that was not disturbed.

`make test` takes a share of the kills and of the errors, because test_crash.c and its kin have each
call in process; `make crash-matrix` takes all."""

import concurrent.futures
import dataclasses
import itertools
import os
import pathlib
import queue
import re
import shutil
import subprocess

import pyarrow.parquet
import pytest
from rig import faults, item_documents
from rig.faults import Fault
from rig.lake import Lake
from rig.paths import GEN, ROOT
from rig.program import SANITIZERS
from rig.supervisor import threads_named

ALL = os.environ.get("CRASH_MATRIX") == "all"
KILL_SHARE = 1 if ALL else 3  # one kill in so many points
ERROR_SHARE = 1 if ALL else 7
PARTITIONS = 2
STEP = 4  # records of a partition in a batch
REPLAY_SHARE = 2  # test_replay_crash.c has every call of a replay
LANES = max(2, os.cpu_count() or 2)


def final_codes():
    """Exit codes after which systemd does not start the program again."""
    unit = (ROOT / "deploy/systemd/esports-stream.service").read_text()
    return [int(code) for code in re.search(r"^RestartPreventExitStatus=(.*)$", unit, re.M).group(1).split()]


FINAL_CODES = final_codes()


def batches_of(count):
    """How many records of a partition `count` batches take."""
    return count * STEP


@dataclasses.dataclass
class Query:
    """What the lanes run."""

    lines: list  # of each partition of its topic
    kind: str = "matches"
    topic: str = "esports-matches"
    names: tuple = ("partition", "offset")  # columns that name a row
    settings: dict = dataclasses.field(default_factory=dict)


class Lane:
    """A lake at a fixed path (the logs hold it), brought back to a snapshot before each run."""

    def __init__(self, root, program, query):
        self.root = root
        self.program = program
        self.query = query
        self.kind = query.kind
        self.lake = Lake(root / "lake")
        self.known = {}  # keys of data files, by name: what has a name never changes
        self.runs = 0
        (root / "capture").mkdir(parents=True)

    def capture(self, batches, partitions=PARTITIONS):
        """Lets the topic hold so many batches, or some of its partitions."""
        for partition, lines in enumerate(self.query.lines[:partitions]):
            path = self.root / "capture" / f"{self.query.topic}-{partition}.ndjson"
            kept = b"".join(lines[: batches_of(batches)])
            if path.exists() and kept.startswith(before := path.read_bytes()):
                with open(path, "ab") as file:  # as a reader that has it open needs it
                    file.write(kept[len(before) :])
            else:
                path.write_bytes(kept)

    def environment(self, workers, **settings):
        keep = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return {
            **keep,
            **SANITIZERS,
            "KAFKA_BOOTSTRAP_SERVERS": f"file:{self.root / 'capture'}",
            "DATA_LAKE_PATH": str(self.lake.root),
            "TRIGGER": "availableNow",
            "MAX_OFFSETS_PER_TRIGGER": str(STEP * PARTITIONS),
            "SPARK_MASTER_URL": f"local[{workers}]",
            **self.query.settings,
            **{name: str(value) for name, value in settings.items()},
        }

    def start(self, *before, workers=1, command=(), **settings):
        out = open(self.root / "log", "wb")
        return subprocess.Popen(
            [*before, str(self.program), *command, "--job", self.kind],
            env=self.environment(workers, **settings),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
        )

    def run(self, *before, **settings):
        return self.start(*before, **settings).wait(60)

    def must_run(self, **settings):
        code = self.run(**settings)
        assert code == 0, f"exit code {code}: {self.tail()}"

    def tail(self):
        return (self.root / "log").read_text(errors="replace")[-3000:]

    def keep(self, name):
        shutil.copytree(self.lake.root, self.root / name, copy_function=os.link)

    def restore(self, name):
        def link(source, target):  # a lock is written in place
            (shutil.copy if source.endswith("/lock") else os.link)(source, target)

        shutil.rmtree(self.lake.root, ignore_errors=True)
        if (self.root / name).exists():
            shutil.copytree(self.root / name, self.lake.root, copy_function=link)

    def keys(self, directory, names):
        """Sorted directories and names of all rows a globbing reader sees."""
        found = []
        for path in self.lake.files(directory):
            if path.name not in self.known:
                rows = pyarrow.parquet.ParquetFile(path).read(columns=names)
                self.known[path.name] = list(zip(*(rows[name].to_pylist() for name in names)))
            place = str(path.parent.relative_to(directory))
            found += [(place, *key) for key in self.known[path.name]]
        return sorted(found, key=lambda key: [-1 if part is None else part for part in key])

    def content(self):
        return (
            self.keys(self.lake.table(self.kind), self.query.names),
            self.keys(self.lake.rejects(self.kind), ("partition", "offset")),
        )

    def check(self, wanted, batches):
        batches = batches or len(self.lake.batches(self.kind, "offsets"))
        table, rejects = self.content()
        assert len(table) == len(set(table)), "rows are there twice"
        assert (table, rejects) == wanted, "rows differ from an undisturbed run's"
        self.lake.assert_listed(self.kind)
        for log in ("offsets", "commits", "manifests"):
            assert self.lake.batches(self.kind, log) == list(range(batches)), log
        assert self.lake.leftovers(self.kind) == []
        for table in (self.lake.table(self.kind), self.lake.rejects(self.kind)):
            assert not (table / "_orphans").exists(), "a file of ours was set aside"
            assert not any(table.glob("_staging/*")), "a staging directory is left"


@pytest.fixture(scope="module")
def capture():
    """Lines of each partition; a fifth of them can't become rows."""
    lines = []
    for partition in range(PARTITIONS):
        command = [GEN, "--stdout", "--quiet", "--type", "matches", "--count", batches_of(12)]
        command += ["--start", 1000 * partition, "--malformed", 20]
        words = [str(word) for word in command]
        out = subprocess.run(words, stdout=subprocess.PIPE, check=True).stdout
        lines.append(out.splitlines(keepends=True))
    return Query(lines)


def make_lanes(request, tmp_path_factory, query):
    root = pathlib.Path(__file__).resolve().parents[2]
    program = root / request.config.getoption("--program")
    lanes = []
    for number in range(LANES):
        lane = Lane(tmp_path_factory.mktemp(f"lane-{number}"), program, query)
        lanes.append(lane)
        for batches in (3, 8, 9):
            lane.capture(batches)
            lane.must_run()
            lane.keep(f"after-{batches}")
    return lanes


@pytest.fixture(scope="module")
def lanes(request, tmp_path_factory, capture):
    return make_lanes(request, tmp_path_factory, capture)


@pytest.fixture(scope="module")
def undisturbed(lanes):
    return contents_of(lanes)


def contents_of(lanes):
    """What table and rejects hold after so many batches."""
    contents = {}
    for batches in (2, 5, 11):
        lanes[0].restore("none")
        for path in (lanes[0].root / "capture").glob("*"):
            path.unlink()
        lanes[0].capture(batches)
        lanes[0].must_run()
        contents[batches] = lanes[0].content()
    return contents


def actions_of(points):
    """Killed at each point that matters, or at a share of them; EIO and ENOSPC likewise."""
    kills = [Fault(point, "signal=KILL") for point in points if ALL or point.changes]
    yield from kills[::KILL_SHARE]
    both = [Fault(point, f"error={name}") for point in points for name in ("EIO", "ENOSPC")]
    yield from both[::ERROR_SHARE]


def survive(lanes, what, all_faults, disturb, finish):
    """Runs all faults over the lanes; gives how many were reached."""
    free = queue.Queue()
    for lane in lanes:
        free.put(lane)

    def try_one(fault):
        lane = free.get()
        try:
            log = lane.root / "strace"
            log.unlink(missing_ok=True)
            disturb(lane, fault, log)
            reached = faults.was_reached(log)
            try:
                finish(lane)
            except AssertionError as error:
                raise AssertionError(f"{fault}: {error}") from None
            return reached
        finally:
            free.put(lane)

    all_faults = list(all_faults)
    with concurrent.futures.ThreadPoolExecutor(len(lanes)) as pool:
        reached = list(pool.map(try_one, all_faults))
    missed = [fault for fault, hit in zip(all_faults, reached) if not hit]
    points = {fault.point for fault, hit in zip(all_faults, reached) if hit}
    print(
        f"{what}: {sum(reached)} faults at {len(points)} points survived, {len(missed)} not reached: "
        f"{[str(fault) for fault in missed]}"
    )
    return points, missed


def run_points(lanes, undisturbed, what, start, batches, chosen=actions_of):
    """A run from snapshot `start` that makes all of `batches`, disturbed at each of its points."""

    def prepare(lane):
        for path in (lane.root / "capture").glob("*"):
            path.unlink()
        lane.restore(start)
        lane.capture(batches)

    def disturb(lane, fault, log):
        prepare(lane)
        # With no time to try again the program stops with its exit code; else it continues by itself.
        timeout = "0" if fault.action == "error=EIO" else "20s"
        words = [*faults.injecting(fault, lane.lake.root, log), "-f"]
        code = lane.run(*words, WRITE_RETRY_TIMEOUT=timeout)
        assert code not in FINAL_CODES, f"{fault}: exit code {code}: {lane.tail()}"

    def finish(lane):
        lane.capture(batches + 1)
        lane.must_run(workers=3)
        lane.check(undisturbed[batches + 1], batches + 1)
        if lane.kind != "matches":
            lane.must_run(command=("verify",))

    lane = lanes[0]
    prepare(lane)
    log = lane.root / "strace"
    assert lane.run(*faults.tracing(log), "-f") == 0
    points = faults.points_of(lane.lake.root, log)
    assert len(points) > 60, "the run was not seen"
    return survive(lanes, what, chosen(points), disturb, finish)


def assert_most_reached(points, missed):
    # The upkeep's thread runs while the batch does: the number of its pieces is not fixed.
    strange = [fault for fault in missed if ".compact.tmp" not in (fault.point.path or "")]
    assert len(strange) <= len(points) // 20, [str(fault) for fault in strange]


@pytest.mark.timeout(1800)
def test_a_new_query_survives_at_every_call(lanes, undisturbed):
    assert_most_reached(*run_points(lanes, undisturbed, "new query", "none", 1))


@pytest.mark.timeout(1800)
def test_a_restart_and_its_batch_survive_at_every_call(lanes, undisturbed):
    assert_most_reached(*run_points(lanes, undisturbed, "restart", "after-3", 4))


@pytest.mark.timeout(1800)
def test_a_compaction_survives_at_every_call(lanes, undisturbed):
    """Batch 8 lets the compact file be begun, batch 9 publishes it."""
    assert_most_reached(*run_points(lanes, undisturbed, "compaction", "after-8", 10))


@pytest.mark.timeout(1800)
def test_a_replay_of_rejects_survives_at_every_call(lanes):
    assert_most_reached(*replay_points(lanes, REPLAY_SHARE))


def replay_points(lanes, share):
    """Killed, or refused a call, then run again; or the query starts before that."""
    replay = {"command": ("rejects", "replay"), "PARSE_MODE": "permissive"}

    def prepare(lane):
        lane.restore("after-8")
        lane.capture(8)

    lane = lanes[0]
    prepare(lane)
    rows, rejects = lane.content()
    log = lane.root / "strace"
    assert lane.run(*faults.tracing(log), "-f", **replay) == 0
    points = faults.points_of(lane.lake.root, log)
    assert len(points) > 40, "the replay was not seen"
    wanted = lane.content()
    assert wanted[1] == rejects and len(wanted[0]) > len(rows)
    numbers = itertools.count()

    def disturb(lane, fault, log):
        prepare(lane)
        timeout = "0" if fault.action == "error=EIO" else "20s"
        words = [*faults.injecting(fault, lane.lake.root, log), "-f"]
        lane.run(*words, **replay, WRITE_RETRY_TIMEOUT=timeout)

    def finish(lane):
        if next(numbers) % 2 == 0:
            lane.must_run()
        lane.must_run(**replay)
        lane.check(wanted, None)
        lane.must_run(command=("verify",))

    share = 1 if ALL else share
    return survive(lanes, "replay", [*actions_of(points)][::share], disturb, finish)


@pytest.mark.timeout(1800)
def test_a_change_of_the_table_survives_at_every_call(lanes, undisturbed):
    """`compact` merges small files. Killed, or refused a call, it is run again; or the query starts
    before that, and finishes what was recorded."""
    compact = {"command": ("compact",)}

    def prepare(lane):
        lane.restore("after-9")
        lane.capture(10)
        if not (lane.root / "compacted-log").exists():  # batch 9 makes the compact file
            lane.must_run()
            lane.keep("compacted-log")
        lane.restore("compacted-log")

    lane = lanes[0]
    prepare(lane)
    wanted = lane.content()
    files = len(lane.lake.files(lane.lake.table(lane.kind)))
    log = lane.root / "strace"
    assert lane.run(*faults.tracing(log), "-f", **compact) == 0
    # The probe that it makes first, next to the table, has the process's number in its name.
    points = [point for point in faults.points_of(lane.lake.root, log) if "/probe-" not in (point.path or "")]
    assert {"link", "renameat2"} <= {point.call for point in points} and len(points) > 60
    lane.check(wanted, 10)
    fewest = len(lane.lake.files(lane.lake.table(lane.kind)))
    assert fewest < files
    numbers = itertools.count()

    def disturb(lane, fault, log):
        prepare(lane)
        timeout = "0" if fault.action == "error=EIO" else "20s"
        words = [*faults.injecting(fault, lane.lake.root, log), "-f"]
        lane.run(*words, **compact, WRITE_RETRY_TIMEOUT=timeout)

    def finish(lane):
        if next(numbers) % 2 == 0:
            lane.must_run(**compact)
            lane.check(wanted, 10)
            assert len(lane.lake.files(lane.lake.table(lane.kind))) == fewest
        lane.capture(11)
        lane.must_run(workers=3)
        lane.check(undisturbed[11], 11)

    assert_most_reached(*survive(lanes, "change of the table", actions_of(points), disturb, finish))


@pytest.mark.timeout(1800)
def test_a_worker_survives_at_every_call(lanes, undisturbed):
    """Its files have new names in each run, so it is watched alone, from before its batch."""

    def with_batch(lane, words, **settings):
        for path in (lane.root / "capture").glob("*"):
            path.unlink()
        lane.restore("after-9")
        lane.capture(9)
        process = lane.start(TRIGGER="0 seconds", **settings)
        faults.sleep_until(lambda: "Resuming" in lane.tail(), what="start")
        (worker,) = threads_named(process.pid, "worker")
        tracer = faults.attach(words, worker)
        lane.capture(10, partitions=1)  # all lines at once, so that they are one batch
        done = lane.lake.checkpoint("matches") / "commits" / "9"
        faults.sleep_until(lambda: done.exists() or process.poll() is not None, what="batch 9")
        if process.poll() is None:
            process.terminate()
        process.wait(20)
        tracer.wait(20)

    def disturb(lane, fault, log):
        with_batch(lane, faults.injecting(fault, lane.lake.root, log), WRITE_RETRY_TIMEOUT="20s")

    def finish(lane):
        lane.capture(11)
        lane.must_run(workers=3)
        lane.check(undisturbed[11], None)

    log = lanes[0].root / "strace"
    with_batch(lanes[0], faults.tracing(log))
    text = "".join(f"1 {line}\n" for line in log.read_text().splitlines())
    log.write_text(text)
    points = list(faults.worker_points_of(lanes[0].lake.root, log))
    assert {point.call for point in points} >= {"openat", "write", "fsync", "close"}
    reached, missed = survive(lanes, "worker", actions_of(points), disturb, finish)
    assert missed == []


# ---- a query whose records can have any number of rows ----

EXPLODING_SHARE = 5  # one kill in so many


@pytest.fixture(scope="module")
def exploding(request, tmp_path_factory):
    """Lanes of a query with two views and a WHERE, which have all kinds of records."""
    lines = [
        [(item_documents.document(1000 * partition + number) or b"") + b"\n" for number in range(batches_of(12))]
        for partition in range(PARTITIONS)
    ]
    file = tmp_path_factory.mktemp("queries") / "items.sql"
    file.write_text(item_documents.FILE)
    names = ("partition", "offset", "pos", "slot")
    return make_lanes(
        request, tmp_path_factory, Query(lines, "items", "riot", names, {"QUERIES_PATH": str(file)})
    )


@pytest.fixture(scope="module")
def exploded(exploding):
    """What the lanes must hold: as the documents say, not the program."""
    contents = contents_of(exploding)
    for batches, (rows, rejects) in contents.items():
        lines = exploding[0].query.lines
        account = item_documents.account_of(
            {partition: lines[partition][: batches_of(batches)] for partition in range(PARTITIONS)}
        )
        assert {row[1:] for row in rows} == account.rows and len(rows) == len(account.rows)
        assert [row[1:] for row in rejects] == sorted(account.rejects)
        assert account.empty and (batches < 3 or account.filtered)
    return contents


def kills_of(points):
    """A kill at a share of the points that matter; or every fault."""
    if ALL:
        yield from actions_of(points)
        return
    kills = [Fault(point, "signal=KILL") for point in points if point.changes]
    yield from kills[::EXPLODING_SHARE]


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("what", "start", "batches"),
    [("new query", "none", 1), ("restart", "after-3", 4), ("compaction", "after-8", 10)],
)
def test_a_query_that_explodes_and_filters_survives_kills(exploding, exploded, what, start, batches):
    assert_most_reached(*run_points(exploding, exploded, what, start, batches, kills_of))


@pytest.mark.timeout(1800)
def test_a_replay_of_an_exploding_query_survives(exploding):
    """In permissive mode, records without an identifier have rows, and others become empty."""
    points, missed = replay_points(exploding, 3 * REPLAY_SHARE)
    assert_most_reached(points, missed)
    lines = {partition: exploding[0].query.lines[partition][: batches_of(8)] for partition in range(PARTITIONS)}
    account = item_documents.account_of(lines, permissive=True)
    for lane in exploding:
        rows = [row[1:] for row in lane.content()[0]]
        assert len(rows) == len(set(rows)) and set(rows) == account.rows
