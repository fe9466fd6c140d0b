"""A disk that is full: the program waits and loses nothing, or stops and says so."""

import os
import signal

import pytest
from rig import faults, processes
from rig.broker import free_ports
from rig.web import Web


@pytest.mark.sanitized
def test_a_full_disk_is_retried(job, full):
    process = job.start(TRIGGER="availableNow", SPARK_UI_PORT=free_ports(1)[0])
    process.wait_log(r"\| ERROR \| .*No space left on device.*", count=2)
    assert job.lake.files(job.lake.table("matches")) == []
    answer = Web(process).get("/readyz")
    assert answer.status == 503 and "No space left on device" in answer.text

    full.unlink()

    process.wait_exit(40, 0)
    job.assert_exact()


def test_a_disk_that_stays_full_ends_with_7_and_the_next_start_resumes(job, full):
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


@pytest.mark.parametrize("directory", ["offsets", "manifests"])
def test_a_directory_that_cannot_be_synced_ends_with_7_and_a_restart_continues(job, tmp_path, directory):
    """Whether the name of the plan, or of the commit, would survive a power failure is not known."""
    job.create_topic()
    job.produce(['{"match_id": "M1"}'])
    process = job.start(TRIGGER="0 seconds")
    job.wait_committed(process, {0: 1})
    path = job.lake.checkpoint("matches") / directory
    words = ("strace", "-f", "-o", tmp_path / "trace", "-P", path, "-e", "trace=fsync", "-e", "inject=fsync:error=EIO")
    tracer = faults.attach([str(word) for word in words], process.pid)

    job.produce(['{"match_id": "M2"}'])

    process.wait_exit(60, 7)
    tracer.wait(20)
    (line,) = process.lines("CRITICAL")
    assert f"'{path}/1' was written, but a power failure may undo this" in line
    assert "Input/output error" in line
    job.run()
    job.assert_exact()


@pytest.mark.parametrize(
    "call, path, error",
    [("mkdir", "", "ESTALE"), ("openat", "/lock", "ENOSPC"), ("flock", "/lock", "EIO")],
)
def test_a_disk_that_refuses_a_start_for_a_moment_is_retried(job, tmp_path, call, path, error):
    job.create_topic()
    job.produce(['{"match_id": "M1"}'])
    checkpoint = job.lake.root / "checkpoints/match_stream"
    strace = ("strace", "-f", "-o", tmp_path / "trace", "-P", f"{checkpoint}{path}")
    injected = ("-e", f"trace={call}", "-e", f"inject={call}:error={error}:when=1..2")

    process = job.start(
        under=(*strace, *injected), TRIGGER="0 seconds", SPARK_UI_PORT=free_ports(1)[0]
    )

    job.wait_committed(process, {0: 1})
    process.wait_until(lambda: " http=http://" in (checkpoint / "lock").read_text())
    (child,) = processes.descendants(process.pid)  # strace keeps signals to itself
    os.kill(child, signal.SIGTERM)
    process.wait_exit(exit_code=0)
    assert process.lines(rf"match_stream \| ERROR \| .*{checkpoint}{path}'.*; retrying")
    job.assert_exact()
