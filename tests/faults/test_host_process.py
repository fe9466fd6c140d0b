"""The process itself: descriptors and memory taken from it while it runs, frozen, its clock moved, another one with it."""

import itertools
import json
import os
import re
import resource
import shutil
import signal
import time

import pytest
from rig import host
from rig.broker import Broker, free_ports
from rig.job import Job
from rig.moved_time import Clock
from rig.paths import GEN
from rig.proof import assert_verified, prove
from rig.web import Web

HOUR_S = 3600
YEAR_S = 365 * 86400
FAKETIME = "/usr/lib/{}/faketime/libfaketimeMT.so.1"


def running(job, records=2000, partitions=2, **start):
    """A query that has committed its first records."""
    topic = job.create_topic(partitions=partitions)
    job.broker.generate(topic, "matches", records, partitions, "--malformed", 5)
    process = job.start(**{"TRIGGER": "0 seconds", **start})
    await_all(job, process)
    return topic, process


def await_all(job, process, timeout=60):
    job.wait_committed(process, job.broker.end_offsets(job.topics["matches"]), timeout=timeout)


# ---- limits ----


@pytest.mark.short
@pytest.mark.fault("open files limited, and raised", "prlimit of RLIMIT_NOFILE to 3 while the query runs", "recovers by itself")
def test_open_files_that_are_limited(job):
    topic, process = running(job)
    before = resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (3, resource.prlimit(process.pid, resource.RLIMIT_NOFILE)[1]))
    job.broker.generate(topic, "matches", 2000, 2, start=2000)
    process.wait_log(r"\| ERROR \| .*Too many open files: RLIMIT_NOFILE .* is 3 open files.*; retrying")
    resource.prlimit(process.pid, resource.RLIMIT_NOFILE, before)
    await_all(job, process)
    process.stop()
    prove(job, 4000)


@pytest.mark.fault(
    "open files limited for longer than WRITE_RETRY_TIMEOUT",
    "prlimit of RLIMIT_NOFILE to 3 while the query runs",
    "exit code 12: RLIMIT_NOFILE",
)
def test_open_files_that_stay_limited(job, fault):
    topic, process = running(job, WRITE_RETRY_TIMEOUT="1 second")
    resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (3, 1024))
    job.broker.generate(topic, "matches", 2000, 2, start=2000)
    fault.assert_ended(process)
    job.run()
    prove(job, 4000)


@pytest.mark.fault(
    "address space limited", "prlimit of RLIMIT_AS to what is used while the query runs", "exit code 12: RLIMIT_AS"
)
def test_address_space_that_is_limited(job, fault):
    topic, process = running(job)
    with open(f"/proc/{process.pid}/statm") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    resource.prlimit(process.pid, resource.RLIMIT_AS, (used, used))
    job.broker.generate(topic, "matches", 200000, 2, start=2000)
    process.wait_exit(60, fault.exit_code)
    assert fault.message in process.log() + process.errors(), process.tail()
    job.run()
    prove(job, 202000)


@pytest.mark.short
@pytest.mark.fault(
    "memory of the control group gone",
    "the group's limit is lowered until the kernel kills the process (SIGKILL)",
    "recovers by itself; the next start, as a service manager makes it, continues",
)
def test_memory_of_the_control_group_that_is_gone(job):
    with host.ControlGroup(256 << 20) as group:
        topic, process = running(job, under=group.under())
        job.broker.generate(topic, "matches", 20000, 2, start=2000)
        group.choke()
        process.wait_exit(60, -signal.SIGKILL)
        assert group.kills() == 1
    assert_verified(job)
    job.run()
    prove(job, 22000)


# ---- frozen ----


@pytest.mark.fault(
    "frozen for longer than every timeout (SIGSTOP)",
    "SIGSTOP in the middle of a batch; meanwhile its clocks pass an hour (tests/tools/moved_clock.c), and its connections end",
    "recovers by itself",
)
@pytest.mark.parametrize("connections", [pytest.param("stay", marks=pytest.mark.short), "end"])
def test_a_process_that_is_frozen_for_an_hour(job, tmp_path, connections):
    clock = Clock(tmp_path / "clock")
    topic, process = running(job, MAX_OFFSETS_PER_TRIGGER=1000, **clock.environment)
    for number in range(2):
        newest = job.lake.batches("matches", "offsets")[-1]
        job.broker.generate(topic, "matches", 10000, 2, start=2000 + 10000 * number)
        ends = job.broker.end_offsets(topic)
        process.wait_until(lambda: job.lake.batches("matches", "offsets")[-1] > newest, what="a new plan")
        process.pause()
        clock.move_to(clock.now() + HOUR_S * 10**9)
        if connections == "end":
            job.broker.stop()
            job.broker.start()
            job.broker.wait_leaders(topic, 2)
        process.resume()
        job.wait_committed(process, ends, timeout=60)
    process.stop()
    prove(job, 22000)


@pytest.mark.fault(
    "frozen for longer than every timeout, in real time",
    "SIGSTOP for 15 s; the program's timeouts are 1 s, and the broker closes connections that are idle for 2 s",
    "recovers by itself",
)
def test_a_process_that_is_frozen_in_real_time(program, lake, tmp_path):
    with Impatient(tmp_path / "broker") as broker:
        job = Job(program, lake, broker)
        short = dict.fromkeys(("WRITE_RETRY_TIMEOUT", "KAFKA_STARTUP_TIMEOUT", "SHUTDOWN_TIMEOUT"), "1 second")
        topic, process = running(job, MAX_OFFSETS_PER_TRIGGER=1000, **short)
        for number in range(3):
            broker.generate(topic, "matches", 10000, 2, start=2000 + 10000 * number)
            process.pause()
            time.sleep(5)
            process.resume()
            await_all(job, process)
        process.stop()
        prove(job, 32000)


class Impatient(Broker):
    def further_properties(self, controller_port):
        return "connections.max.idle.ms=2000\n"


# ---- the clock ----


class WallClock:
    """The wall clock of the program alone, which the test sets forward and back; Debian's libfaketime.

    Not tests/tools/moved_clock.c: that one moves the monotonic clock along, goes forward only, and leaves librdkafka's clock
    alone. Somebody who sets a clock changes the wall clock of the whole process, both ways, and no monotonic one."""

    def __init__(self, path):
        self._path = path  # in the lake: the program reads it as long as it runs, and is confined
        path.parent.mkdir(exist_ok=True)
        machine = os.uname().machine
        library = FAKETIME.format(f"{machine}-linux-gnu")
        assert os.path.exists(library), f"{library} is missing: scripts/setup-test.sh installs libfaketime"
        self.environment = {
            "LD_PRELOAD": f"{GEN.with_name('c11_waits.so')} {library}",
            "FAKETIME_TIMESTAMP_FILE": path,
            "FAKETIME_NO_CACHE": 1,
            "FAKETIME_DONT_FAKE_MONOTONIC": 1,
            # Its workaround for an old glibc ends each wait on a monotonic clock at once.
            "FAKETIME_FORCE_MONOTONIC_FIX": 0,
        }
        self.set(0)

    def set(self, seconds):
        draft = self._path.with_suffix(".draft")
        draft.write_text(f"{seconds:+d}s\n")
        draft.rename(self._path)


def batch_times(job):
    """processing_timestamp of the batches, in their order."""
    checkpoint = job.lake.checkpoint("matches")
    found = []
    for batch in job.lake.batches("matches", "offsets"):
        words = re.search(r'"batchTimestampMs":(\d+)', (checkpoint / "offsets" / str(batch)).read_text())
        found.append(int(words[1]))
    return found


@pytest.mark.short
@pytest.mark.fault(
    "clock set back an hour, and a year ahead, and right again",
    "libfaketime: the wall clock of the program alone, while it commits batches",
    "recovers by itself",
)
def test_a_clock_that_is_set(job):
    clock = WallClock(job.lake.root / "clock")
    topic, process = running(job, **clock.environment)
    sent = 2000
    for distance in (-HOUR_S, YEAR_S, 0):
        clock.set(distance)
        for _ in range(2):
            job.broker.generate(topic, "matches", 1000, 2, start=sent)
            sent += 1000
            await_all(job, process)
    assert process.lines("The clock is behind the newest batch")
    process.stop()
    times = batch_times(job)
    assert len(times) >= 7
    assert times == sorted(set(times))  # each later than all before: a rewind relies on it
    ahead_ms = YEAR_S * 1000
    assert times[-1] - times[0] > ahead_ms - 60_000
    prove(job, sent)


@pytest.mark.fault(
    "clock a year ahead at a start, right at the next",
    "libfaketime: the wall clock of the program alone",
    "recovers by itself",
)
def test_a_clock_that_is_wrong_at_a_start(job):
    clock = WallClock(job.lake.root / "clock")
    topic = job.create_topic(partitions=2)
    sent = 0
    for distance in (0, YEAR_S, -HOUR_S, 0):
        clock.set(distance)
        job.broker.generate(topic, "matches", 1000, 2, "--malformed", 5, start=sent)
        sent += 1000
        job.run(**clock.environment)
    times = batch_times(job)
    assert times == sorted(set(times))
    prove(job, sent)


@pytest.mark.parametrize(
    "when",
    [
        pytest.param(
            when,
            marks=pytest.mark.fault(
                f"clock a year ahead {when}, with RETENTION",
                "libfaketime: the wall clock of the program alone; then a restart, and then records that agree with it",
                "recovers by itself; no date expires while records contradict the clock",
            ),
        )
        for when in ("from the start", "set while it runs")
    ],
)
def test_a_clock_that_is_a_year_ahead_lets_nothing_expire(job, when):
    clock = WallClock(job.lake.root / "clock")
    topic = job.create_topic(message_timestamp_after_max_ms=2**62)
    settings = {"MATCHES_PARTITION_BY": "ingest_date,status", "RETENTION": "30 days", **clock.environment}
    short = {**settings, "TRIGGER": "availableNow"}
    table, now_s = job.lake.table("matches"), int(time.time())
    sent = itertools.count()

    def send(count, at_s=now_s):
        records = [json.dumps({"match_id": f"m{next(sent)}", "status": "live"}) for _ in range(count)]
        job.broker.produce(topic, records, when_ms=at_s * 1000)

    def dates():
        return sorted(path.name for path in table.glob("ingest_date=*") if any(path.rglob("*.parquet")))

    for days in (2, 1, 0):
        send(10, now_s - days * 86400)
    job.run(MAX_OFFSETS_PER_TRIGGER=1, **short)  # 30 batches, all in a compact file of the sink log
    before = dates()
    assert len(before) == 3

    clock.set(YEAR_S if when == "from the start" else 0)
    every_second = {"TRIGGER": "0 seconds", "COMPACT": "1 second", "SPARK_UI_PORT": free_ports(1)[0]}
    process = job.start(**{**settings, **every_second})
    web = Web(process)
    process.wait_until(lambda: web.query()["care"]["nextLookAt"], what="a look at the dates")
    send(1)
    await_all(job, process)
    clock.set(YEAR_S)
    line = process.wait_log(r"WARNING \| Dates wait to expire until the clock is believed")
    assert before[0] in line and ("which was set" in line) == (when == "set while it runs")
    assert before[0] in web.query()["care"]["expiries"]["waitForClock"]
    send(1)
    await_all(job, process)
    process.stop()
    # Now the newest commits have the wrong time, too, and agree with the clock.
    for count in (0, 1):
        send(count)
        assert not job.run(**short).lines("Dates have expired")
    assert dates() == before
    prove(job, next(sent))

    # A topic whose records are of that year proves the clock right: that the query was stopped for a year.
    send(1, now_s + YEAR_S)
    assert job.run(**short).lines("Dates have expired")
    assert dates()[0] == before[2]  # with files that may not leave yet
    verified = job.program.run("verify", "--job", "matches", **job.settings).log()
    assert "every offset is present exactly once, except 20 offsets whose rows have expired" in verified


# ---- two of them ----


@pytest.mark.short
@pytest.mark.fault(
    "second instance while the first is frozen",
    "the first is stopped by SIGSTOP in the middle of a batch, and continues later",
    "exit code 3: is locked: another instance runs this query",
)
def test_a_second_instance_while_the_first_is_frozen(job, fault):
    """The lock is the kernel's: no lease runs out while its holder is frozen, and none has to when it is killed."""
    topic, first = running(job, MAX_OFFSETS_PER_TRIGGER=1000)
    job.broker.generate(topic, "matches", 20000, 2, start=2000)
    newest = job.lake.batches("matches", "offsets")[-1]
    for number in range(4):
        first.wait_until(lambda: job.lake.batches("matches", "offsets")[-1] > newest + number, what="a new plan")
        first.pause()
        before = sorted(job.lake.root.rglob("*"))
        fault.assert_ended(job.start(TRIGGER="availableNow"))
        assert sorted(job.lake.root.rglob("*")) == before
        assert_verified(job)
        first.resume()
    await_all(job, first)
    job.broker.generate(topic, "matches", 20000, 2, start=22000)
    first.pause()
    first.kill()
    job.run()
    prove(job, 42000)


@pytest.mark.short
@pytest.mark.fault(
    "second instance on a copy of the checkpoint",
    "the checkpoint is copied while the first instance runs, or is frozen; the table is the same",
    "exit code 3: is locked: another process writes this table",
)
@pytest.mark.parametrize("frozen", [False, True], ids=["runs", "frozen"])
def test_a_second_instance_on_a_copied_checkpoint(job, tmp_path, frozen, fault):
    topic, first = running(job, MAX_OFFSETS_PER_TRIGGER=1000)
    copy = tmp_path / "copy"
    for number in range(3):
        newest = job.lake.batches("matches", "offsets")[-1]
        job.broker.generate(topic, "matches", 10000, 2, start=2000 + 10000 * number)
        if frozen:
            first.wait_until(lambda: job.lake.batches("matches", "offsets")[-1] > newest, what="a new plan")
            first.pause()
        else:
            await_all(job, first)
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(job.lake.root / "checkpoints", copy)
        fault.assert_ended(job.start(TRIGGER="availableNow", CHECKPOINT_PATH=copy))
        first.resume()
        await_all(job, first)
    first.stop()
    prove(job, 32000)
