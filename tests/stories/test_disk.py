"""A disk that is full: the program waits and loses nothing, or stops and says so."""

import subprocess

import pytest
from rig.broker import free_ports
from rig.lake import Lake
from rig.web import Web

MEGABYTE = 1 << 20


@pytest.fixture
def small_disk(tmp_path):
    """A file system of its own, of 8 MB."""
    mount = tmp_path / "disk"
    mount.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", mount], check=True)
    yield mount
    subprocess.run(["umount", "--lazy", mount], check=True)


@pytest.fixture
def full(job, small_disk):
    """A job with work for several megabytes on a disk that has half a megabyte left."""
    job.lake = Lake(small_disk / "lake")
    job.settings["DATA_LAKE_PATH"] = job.lake.root
    topic = job.create_topic(partitions=2)
    job.broker.generate(topic, "matches", 40000, 2)
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(15 * MEGABYTE // 2))
    return ballast


@pytest.mark.sanitized
def test_a_full_disk_is_waited_for(job, full):
    process = job.start(TRIGGER="availableNow", SPARK_UI_PORT=free_ports(1)[0])
    process.wait_log(r"\| ERROR \| .*No space left on device.*", count=2)
    assert job.lake.files(job.lake.table("matches")) == []
    answer = Web(process).get("/readyz")
    assert answer.status == 503 and "No space left on device" in answer.text

    full.unlink()

    process.wait_exit(40, 0)
    job.assert_exact()


def test_a_disk_that_stays_full_ends_with_7_and_the_next_start_goes_on(job, full):
    process = job.run(exit_code=7, WRITE_RETRY_TIMEOUT="2 seconds")
    assert process.lines(r"CRITICAL.*No space left on device")
    assert job.lake.files(job.lake.table("matches")) == []

    full.unlink()

    job.run()
    job.assert_exact()


@pytest.mark.sanitized
def test_a_signal_ends_the_wait_for_space(job, full):
    process = job.start(TRIGGER="availableNow")
    process.wait_log(r"\| ERROR \| .*No space left on device.*")

    process.stop(timeout=10)

    full.unlink()
    job.run()
    job.assert_exact()
