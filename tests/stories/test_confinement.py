"""What the program can no longer do once it has started, and what it still can."""

import ctypes
import os
import pathlib
import re
import signal

import pytest
from rig.broker import free_ports
from rig.web import Web

LANDLOCK_CREATE_RULESET, ASK_VERSION = 444, 1
MATCH = '{"match_id": "M%d", "status": "live"}'


def landlock_version():
    """What this kernel has; the tests of confinement need one."""
    version = ctypes.CDLL(None, use_errno=True).syscall(LANDLOCK_CREATE_RULESET, None, 0, ASK_VERSION)
    assert version >= 2, f"this kernel's Landlock is {version}: {os.strerror(ctypes.get_errno())}"
    return version


def of_threads(pid, name):
    """The values of a line of /proc/<pid>/task/*/status."""
    found = set()
    for status in pathlib.Path(f"/proc/{pid}/task").glob("*/status"):
        found |= set(re.findall(rf"^{name}:\s+(\S+)", status.read_text(), re.M))
    return found


def test_all_threads_are_confined_and_the_log_and_the_doctor_say_how_far(job):
    job.create_topic()
    job.produce([MATCH % 1])
    process = job.start(TRIGGER="1 second", SPARK_UI_PORT=free_ports(1)[0])
    web = Web(process)
    job.wait_committed(process, {0: 1})

    assert of_threads(process.pid, "Seccomp") == {"2"} and of_threads(process.pid, "NoNewPrivs") == {"1"}
    assert len(list(pathlib.Path(f"/proc/{process.pid}/task").iterdir())) > 5
    level = f"Landlock {landlock_version()}"
    assert process.lines(rf"confinement=files: {level}; system calls: seccomp$")
    assert web.get("/").status == 200 and web.get("/metrics").status == 200
    names = {path.read_text().strip() for path in pathlib.Path(f"/proc/{process.pid}/task").glob("*/comm")}
    assert {"log", "http", "worker", "caretaker", "match_stream"} <= names
    process.stop()
    job.assert_exact()
    doctor = job.run("doctor", "--job", "matches").log()
    assert re.search(rf"OK +confinement +files: {level}; system calls: seccomp", doctor)


def test_one_setting_turns_it_off(job):
    job.create_topic()
    job.produce([MATCH % 1])
    process = job.run(CONFINEMENT="off")
    assert process.lines(r"confinement=none \(CONFINEMENT=off\)$")
    assert re.search(r"OK +confinement +none \(CONFINEMENT=off\)", job.run("doctor", "--job", "matches", CONFINEMENT="off").log())
    job.assert_exact()


@pytest.mark.parametrize(("confinement", "dumped"), [("on", False), ("off", True)])
def test_a_crash_leaves_a_core_dump_only_if_confinement_is_off(job, tmp_path, confinement, dumped):
    job.create_topic()
    shell = ("sh", "-c", f'cd {tmp_path} && ulimit -c unlimited && exec "$@"', "sh")
    process = job.start(under=shell, TRIGGER="1 second", CONFINEMENT=confinement)
    process.wait_log("Waiting for data to arrive")

    process.signal(signal.SIGSEGV)

    _, status = os.waitpid(process.pid, 0)
    assert os.WTERMSIG(status) == signal.SIGSEGV and os.WCOREDUMP(status) == dumped
    for core in tmp_path.glob("core*"):
        core.unlink()


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"SPARK_MASTER_URL": "local-cluster[1,1,1024]", "SPARK_HOME": "/opt/spark"}, "it starts a Spark server"),
        ({"KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT", "KAFKA_SASL_MECHANISM": "GSSAPI"}, "Kerberos starts kinit"),
    ],
)
def test_where_a_child_process_is_needed_the_log_says_that_nothing_is_confined(job, settings, reason):
    process = job.start(KAFKA_STARTUP_TIMEOUT="1s", **settings)
    process.wait_exit(60)
    assert process.lines(rf"confinement=none \({reason}\)$")


def listing(directory):
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*"))


# What a user who may write to the lake can plant, and what leads to it first.
LINKS = {
    "partition": "processed/matches/status=live",
    "staging": "processed/matches/_staging",
    "sink log": "processed/matches/_spark_metadata",
    "rejects": "rejected/matches",
    "plans": "checkpoints/match_stream/offsets",
    "manifests": "checkpoints/match_stream/manifests",
    "commits": "checkpoints/match_stream/commits",
}


@pytest.mark.parametrize("place", LINKS.values(), ids=LINKS.keys())
def test_a_link_that_leads_out_of_the_lake_is_not_followed(job, tmp_path, place):
    job.create_topic()
    job.produce([MATCH % 1, "nonsense"])
    job.run()
    outside = tmp_path / "outside"
    link = job.lake.root / place
    # The files move along, so that only the way to them is new.
    link.rename(outside) if link.exists() else outside.mkdir()
    link.symlink_to(outside)
    before = {path: path.stat().st_mtime_ns for path in outside.rglob("*")}
    job.produce([MATCH % 2, "nonsense"])

    process = job.start(TRIGGER="availableNow", WRITE_RETRY_TIMEOUT="1s")

    assert process.wait_exit(60) != 0
    assert {path: path.stat().st_mtime_ns for path in outside.rglob("*")} == before
    (line,) = process.lines(r"CRITICAL")
    assert str(link) in line and f"a symbolic link leads from there to '{outside}" in line, line


def test_the_lake_may_be_reached_by_a_link_of_the_settings(job, tmp_path):
    job.create_topic()
    job.produce([MATCH % 1])
    real = tmp_path / "another-disk"
    real.mkdir()
    job.lake.root.symlink_to(real)

    job.run()

    assert listing(real / "processed/matches")
    job.lake.assert_holds("matches", {0: 1})
    job.lake.root.unlink()
    job.lake.root.mkdir()
