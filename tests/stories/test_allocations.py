"""Every allocation of a start and of two batches fails once, in turn, whichever library makes it: the program ends
with exit code 12, or does without. The next start completes the table in any case.

The story takes a sample, always the same, unless ALLOCATIONS=all."""

import collections
import os
import random
import re
import shutil
import signal
import subprocess

import pytest
from rig.lake import Lake
from rig.paths import GEN

LIMIT = 12  # the exit code: out of memory, a restart continues
PARTITIONS, RECORDS = 2, 30  # per partition
SAMPLE = 120
# librdkafka ends the process itself if it has no memory, and says so in its own way.
LIBRARY_ENDS = re.compile(r" rd\w*\.[ch]:\d+: \w+: Assertion ")


@pytest.fixture
def fails_at(program, tmp_path):
    """Runs the program on a capture with one allocation that fails; 0: none."""
    for partition in range(PARTITIONS):
        command = [GEN, "--stdout", "--quiet", "--type", "matches", "--count", RECORDS]
        command += ["--start", partition * RECORDS, "--malformed", 5]
        with open(tmp_path / f"esports-matches-{partition}.ndjson", "wb") as out:
            subprocess.run([str(word) for word in command], stdout=out, check=True)

    def run(number, lake, **settings):
        process = program.start(
            "--job",
            "matches",
            KAFKA_BOOTSTRAP_SERVERS=f"file:{tmp_path}",
            DATA_LAKE_PATH=lake.root,
            TRIGGER="availableNow",
            MAX_OFFSETS_PER_TRIGGER=RECORDS,
            SPARK_MASTER_URL="local[1]",
            LD_PRELOAD=GEN.with_name("failing_malloc.so"),
            FAIL_MALLOC_AT=number,
            **settings,
        )
        process.wait_exit()
        return process

    return run


def assert_whole(lake):
    lake.assert_holds("matches", {partition: RECORDS for partition in range(PARTITIONS)})
    lake.assert_listed("matches")


def chosen(count):
    """The numbers of the allocations that fail."""
    if os.environ.get("ALLOCATIONS") == "all":
        return range(1, count + 1)
    return sorted(random.Random(1).sample(range(1, count + 1), SAMPLE))


def how_it_ended(process):
    """Its exit code, which must be one that is expected."""
    code = process.poll()
    if code == -signal.SIGABRT and LIBRARY_ENDS.search(process.errors()):
        return LIMIT
    assert code in (0, LIMIT), process.tail()
    assert code == 0 or re.search(r"out of memory|Cannot allocate memory|cannot start", process.errors() + process.log()), process.tail()
    return code


def test_an_allocation_that_fails_ends_the_program_with_12_or_does_no_harm(fails_at, tmp_path):
    lake = Lake(tmp_path / "lake")
    assert fails_at(0, lake, FAIL_MALLOC_COUNT=lake.root / "count").poll() == 0
    assert_whole(lake)
    ends = collections.Counter()

    for number in chosen(int((lake.root / "count").read_text())):
        shutil.rmtree(lake.root)
        ends[how_it_ended(fails_at(number, lake))] += 1
        assert fails_at(0, lake).poll() == 0, number
        assert_whole(lake)
    print(dict(ends))
    assert ends[LIMIT] > ends[0] > 0
