"""Backups of a running lake: those that the handbook describes, by its own commands; and those that it warns of: files copied
one by one, or a checkpoint and a table of different times. Such a lake is refused, or right; never a wrong table."""

import collections
import itertools
import os
import random
import re
import shutil
import subprocess
import time

import pytest
from rig.lake import Lake
from rig.machine import Machine
from rig.paths import ROOT
from rig.proof import assert_verified, count_rows, prove

STATE = 5  # the exit code
LOAD = {"TRIGGER": "0 seconds", "MAX_OFFSETS_PER_TRIGGER": 400}


def commands_of(*headings):
    """The shell blocks of a section of the handbook, or of one below it."""
    text = (ROOT / "docs/operations.md").read_text()
    for heading in headings:
        text = text.partition(f"\n{heading}\n")[2]
        assert text, heading
        level = heading.partition(" ")[0]
        text = re.split(rf"^#{{1,{len(level)}}} ", text, maxsplit=1, flags=re.M)[0]
    blocks = re.findall(r"(?:^    .*\n)+", text, re.M)
    return [re.sub(r"^    ", "", block, flags=re.M) for block in blocks]


def fingerprint(root):
    """All names and sizes but those of the locks, which say who looked last."""
    return sorted(
        (str(path.relative_to(root)), path.lstat().st_size if path.is_file() else -1)
        for path in root.rglob("*")
        if path.name not in ("lock", "_lock")
    )


def restore(backup, lake):
    shutil.rmtree(lake, ignore_errors=True)
    shutil.copytree(backup, lake, symlinks=True)


def assert_refused_or_right(job, **settings):
    """What docs/operations.md says of a restore: `verify` first, then the start. "refused": by the start, which changes
    nothing; "warned": by `verify`, which names what is missing, and nothing is there twice; "right": each record is there
    once."""
    before = fingerprint(job.lake.root)
    look = job.program.run("verify", "--job", "matches", exit_code=None, **job.settings)
    assert look.poll() in (0, STATE), look.tail()
    process = job.start(TRIGGER="availableNow", **settings)
    code = process.wait_exit(60)
    if code == STATE:
        assert fingerprint(job.lake.root) == before, process.tail()
        (line,) = process.lines(r"\| CRITICAL \|")
        assert "backup" in line, line
        return "refused"
    assert code == 0, process.tail()
    rows, different = count_rows(job.lake, "matches")
    assert rows == different, f"{rows - different} rows are there twice: {process.tail()}"
    if look.poll() == STATE and different < sum(job.broker.end_offsets(job.topics["matches"]).values()):
        assert "missing" in look.errors(), look.tail()
        assert_verified(job, exit_code=STATE)
        return "warned"
    prove(job)
    return "right"


@pytest.mark.short
@pytest.mark.fault(
    "backup copied file by file while it runs (cp -r)",
    "cp -r under load, several times; each copy is put in the place of the lost lake",
    "recovers by itself; or it is refused with exit code 5 and nothing is changed; or `verify` before the start ends with 5 and names what is missing",
)
def test_a_copy_of_the_running_lake(job, tmp_path):
    topic = job.create_topic(partitions=2)
    copies = 4
    with job.broker.growing({"matches": topic}, 8000, 2):
        process = job.start(**LOAD)
        for number in range(copies):
            process.wait_log("written successfully", count=10 * number + 3)
            subprocess.run(["cp", "-r", job.lake.root, tmp_path / f"copy-{number}"], check=False, capture_output=True)
        process.kill()
    outcomes = []
    for number in range(copies):
        restore(tmp_path / f"copy-{number}", job.lake.root)
        outcomes.append(assert_refused_or_right(job))
    print(outcomes)


def parts_of(lake):
    """What a copy takes one after the other, relative to the lake."""
    places = (lake.checkpoint("matches"), lake.table("matches"), lake.rejects("matches"))
    return {path.relative_to(lake.root) for place in places for path in place.glob("*")}


@pytest.mark.short
@pytest.mark.timeout(900)
@pytest.mark.fault(
    "backup copied directory by directory while it runs",
    "each directory of checkpoint, table and rejects is of one of two moments of a run, drawn at random; COPIES such lakes",
    "recovers by itself; or it is refused with exit code 5 and nothing is changed; or `verify` before the start ends with 5 and names what is missing",
)
def test_a_copy_whose_directories_are_of_two_moments(job, tmp_path):
    draw = random.Random(os.environ.get("COPIES_SEED", "1"))
    topic = job.create_topic(partitions=2)
    job.broker.generate(topic, "matches", 4000, 2, "--malformed", 5)
    process = job.start(**LOAD)
    process.wait_log("written successfully")
    moments = []
    for number in range(20):
        time.sleep(draw.uniform(0, 0.05))
        process.pause()
        moments.append(Lake(tmp_path / f"copy-{number}"))
        shutil.copytree(job.lake.root, moments[-1].root, symlinks=True)
        process.resume()
    process.kill()
    outcomes = collections.Counter()
    for _ in range(int(os.environ.get("COPIES", 12))):
        first = draw.randrange(len(moments) - 1)
        two = moments[first], moments[min(first + draw.choice((1, 1, 2, 5)), len(moments) - 1)]
        shutil.rmtree(job.lake.root)
        for part in sorted(parts_of(two[0]) | parts_of(two[1])):
            source = draw.choice(two).root / part
            if source.is_dir():
                shutil.copytree(source, job.lake.root / part, symlinks=True)
            elif source.exists():
                (job.lake.root / part).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, job.lake.root / part)
        outcomes[assert_refused_or_right(job)] += 1
    print(dict(outcomes))


@pytest.mark.timeout(900)
@pytest.mark.fault(
    "checkpoint older or newer than the table, or than the rejects",
    "each combination of the three from copies of three moments, with a sink log and without",
    "recovers by itself; or it is refused with exit code 5 and nothing is changed; or `verify` before the start ends with 5 and names what is missing",
)
@pytest.mark.parametrize("sink_log", ["auto", "off"])
def test_parts_of_different_backups(job, tmp_path, sink_log):
    topic = job.create_topic(partitions=2)
    job.broker.generate(topic, "matches", 8000, 2, "--malformed", 5)
    process = job.start(**LOAD, SINK_LOG=sink_log)
    moments = range(3)
    for number in moments:
        process.wait_log("written successfully", count=5 * number + 2)
        process.pause()
        shutil.copytree(job.lake.root, tmp_path / f"copy-{number}", symlinks=True)
        process.resume()
    process.kill()
    outcomes = {}
    for parts in itertools.product(moments, repeat=3):
        for number, name in zip(parts, ("checkpoints", "processed", "rejected")):
            restore(tmp_path / f"copy-{number}" / name, job.lake.root / name)
        outcomes[parts] = assert_refused_or_right(job, SINK_LOG=sink_log)
    assert {outcomes[number, number, number] for number in moments} == {"right"}
    print(outcomes)


@pytest.mark.short
@pytest.mark.fault(
    "backup of the running lake, without systemd",
    "the handbook's commands: the process is stopped by SIGSTOP, its files are linked, it continues; later it is restored",
    "recovers by itself",
)
def test_a_backup_of_a_running_process_by_the_handbook(job, tmp_path):
    topic = job.create_topic(partitions=2)
    job.broker.generate(topic, "matches", 40000, 2, "--malformed", 5)
    process = job.start(**LOAD)
    (block,) = (text for text in commands_of("## Back up and restore") if "kill -STOP" in text)
    block = re.sub(r"^(pid|lake|backup)=.*\n", "", block, flags=re.M)
    for number in range(3):
        process.wait_log("written successfully", count=10 * number + 3)
        place = {"pid": str(process.pid), "lake": str(job.lake.root), "backup": str(tmp_path / f"{number}.tar")}
        done = subprocess.run(
            ["bash", "-eu", "-c", block], env={"PATH": "/usr/bin:/bin", **place}, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
    process.kill()
    for number in range(3):
        shutil.rmtree(job.lake.root)
        job.lake.root.mkdir()
        subprocess.run(["tar", "-C", job.lake.root, "-xpf", tmp_path / f"{number}.tar"], check=True)
        assert_verified(job)
        job.run()
        prove(job)


UNIT = """\
[Service]
Type=notify
ExecStart=/usr/bin/esports-stream --job matches --await-termination --env-file /etc/esports-stream/esports-stream.env
"""


@pytest.mark.fault(
    "backup and restore of the service",
    "the handbook's commands on a machine with systemd: freeze, link, thaw, copy; then stop, restore, verify, start",
    "recovers by itself",
)
def test_a_backup_of_the_service_by_the_handbook(request, broker, tmp_path):
    binary = ROOT / request.config.getoption("--program")
    broker.ensure_started()
    topic = broker.create_topic("service", 2)
    settings = {
        "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap,
        "KAFKA_TOPIC_MATCHES": topic,
        "DATA_LAKE_PATH": "/var/lib/esports-stream",
        "SPARK_UI_PORT": 0,
        **LOAD,
    }
    backup, restoring = (
        text for text in commands_of("## Back up and restore") if "systemctl" in text and ("freeze" in text or "mv " in text)
    )
    with Machine(tmp_path / "machine", systemd=True) as machine:
        machine.run("mkdir", "-p", "/etc/esports-stream", "/var/lib/esports-stream", "/backup")
        machine.run("ln", "-sf", binary, "/usr/bin/esports-stream")
        machine.append("/etc/systemd/system/esports-stream.service", UNIT)
        lines = "".join(f"{name}='{value}'\n" for name, value in settings.items())
        machine.append("/etc/esports-stream/esports-stream.env", lines)
        machine.run("systemctl", "daemon-reload")
        machine.run("systemctl", "start", "esports-stream")
        broker.generate(topic, "matches", 40000, 2, "--malformed", 5)
        machine.run("bash", "-eu", "-c", backup)
        broker.generate(topic, "matches", 2000, 2, "--malformed", 5, start=40000)
        machine.wait_unit("esports-stream", ActiveState="active", SubState="running")
        said = machine.run("bash", "-eu", "-c", restoring, timeout=120)
        assert "every offset is present exactly once" in said
        machine.run("systemctl", "stop", "esports-stream")
        command = "set -a; . /etc/esports-stream/esports-stream.env; exec esports-stream --job matches --trigger availableNow"
        machine.run("bash", "-c", command)
        said = machine.run("esports-stream", "verify", "--job", "matches", "--env-file", "/etc/esports-stream/esports-stream.env")
        assert "every offset is present exactly once" in said
        shutil.copytree(f"/proc/{machine.pid}/root/var/lib/esports-stream", tmp_path / "lake", symlinks=True)
    lake = Lake(tmp_path / "lake")
    lake.assert_holds("matches", broker.end_offsets(topic))
    assert count_rows(lake, "matches") == (42000, 42000)
