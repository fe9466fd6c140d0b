"""kill -9 many times in a row, under load, in each step of a batch, with `verify` after each.

A life of the program ends in the step that has been hit least so far: it is frozen at random moments until one is in that
step. Every fifth one is killed at a random moment, without that. Which step it was is read from the files on disk, and
compared with what the next start reports.

KILLS: how many in a row (500); KILLS_SEED: of the random moments (1)."""

import collections
import os
import random
import time

import pytest
from rig.proof import assert_verified, prove

KILLS = int(os.environ.get("KILLS", 500))
SEED = int(os.environ.get("KILLS_SEED", 1))
STEPS = ("plan", "run", "commit", "roll-forward")
AGAIN = r"Batch (\d+) was planned but not committed; it will run again"
FORWARD = r"Batch (\d+) was committed; rolling it forward"
RESUMED = f"Resuming from the checkpoint|{AGAIN}"  # the start is over: the next batch runs
SAID = {"run": AGAIN, "commit": AGAIN, "roll-forward": FORWARD}
SETTINGS = {"TRIGGER": "0 seconds", "MAX_OFFSETS_PER_TRIGGER": 100, "MATCHES_PARTITION_BY": "none", "LOG_LEVEL": "INFO"}
PARTITIONS = 2


def drafts(directory):
    """A file that is written under a hidden name first."""
    try:
        return [name for name in os.listdir(directory) if name.startswith(".")]
    except FileNotFoundError:
        return []


class Disk:
    """What the steps of a batch leave there."""

    def __init__(self, lake):
        self.lake = lake
        self.checkpoint = lake.checkpoint("matches")
        self.staging = [table / "_staging" for table in (lake.table("matches"), lake.rejects("matches"))]

    def newest(self, log):
        return max(self.lake.batches("matches", log), default=-1)

    def is_staged(self, batch):
        return any((staging / str(batch)).exists() for staging in self.staging)

    def step_of_death(self):
        """(step, batch). "between": nothing was begun that a start would have to finish."""
        planned, committed, manifest = map(self.newest, ("offsets", "commits", "manifests"))
        if manifest > committed or self.is_staged(manifest):
            return "roll-forward", manifest
        if planned > committed:
            return ("commit" if drafts(self.checkpoint / "manifests") else "run"), planned
        return ("plan" if drafts(self.checkpoint / "offsets") else "between"), planned + 1


class Lives:
    def __init__(self, job):
        self.job = job
        self.disk = Disk(job.lake)
        self.hits = collections.Counter()
        self.random = random.Random(SEED)
        self.died = ("between", 0)

    def aim(self):
        return min(STEPS, key=lambda step: self.hits[step])

    def live(self):
        """One process, from its start to its kill."""
        number = sum(self.hits.values())
        process = self.job.start(**SETTINGS)
        if number % 5 == 4:
            time.sleep(self.random.uniform(0, 0.4))
        else:
            self.await_step(process, self.aim())
        assert process.poll() is None, process.tail()
        process.kill()
        self.check_report(process)
        self.died = self.disk.step_of_death()
        self.hits[self.died[0] if process.lines(RESUMED) else "start"] += 1
        assert_verified(self.job)

    def await_step(self, process, step):
        """Freezes the process at random moments, until one is in this step. It is killed while it is frozen there."""
        process.wait_log(RESUMED, timeout=60)
        deadline = time.monotonic() + 120
        while True:
            time.sleep(self.random.uniform(0, 0.02))
            process.pause()
            if self.disk.step_of_death()[0] == step:
                return
            process.resume()
            assert time.monotonic() < deadline, f"never in {step}: {process.tail()}"

    def check_report(self, process):
        """What this start said of the death before it, if it got that far."""
        step, batch = self.died
        said = {kind: process.lines(pattern) for kind, pattern in (("again", AGAIN), ("forward", FORWARD))}
        if step in SAID and (said["again"] or said["forward"]):
            (line,) = process.lines(SAID[step])
            assert f"Batch {batch} " in line, (step, batch, line)
        if step in ("plan", "between"):
            assert not said["again"] and not said["forward"], (step, batch, said)


def kill_in_a_row(job, kills, each):
    topic = job.create_topic(partitions=PARTITIONS)
    job.broker.generate(topic, "matches", 200, PARTITIONS)
    with job.broker.growing({"matches": topic}, 600, PARTITIONS):
        job.run(**{**SETTINGS, "TRIGGER": "availableNow"})
        lives = Lives(job)
        while sum(lives.hits.values()) < kills or min(lives.hits[step] for step in STEPS) < each:
            assert sum(lives.hits.values()) < 2 * kills, lives.hits
            lives.live()
    job.run(**{**SETTINGS, "TRIGGER": "availableNow", "MAX_OFFSETS_PER_TRIGGER": 0})
    prove(job)
    records = sum(job.broker.end_offsets(topic).values())
    print(f"{sum(lives.hits.values())} kills ({dict(lives.hits)}), {records} records: 0 lost, 0 twice")


@pytest.mark.timeout(3600)
@pytest.mark.fault(
    "kill -9, 500 times in a row",
    "SIGKILL under load, at least 50 times in each of plan, run, commit and roll-forward, the rest at random; `verify` after each",
    "recovers by itself; the next start reports the step and continues",
)
def test_kills_in_a_row(job):
    kill_in_a_row(job, KILLS, KILLS // 10)


@pytest.mark.short
@pytest.mark.fault(
    "kill -9 in each step of a batch",
    "SIGKILL under load, in each of plan, run, commit and roll-forward; `verify` after each",
    "recovers by itself; the next start reports the step and continues",
)
def test_a_kill_in_each_step(job):
    kill_in_a_row(job, 8, 1)
