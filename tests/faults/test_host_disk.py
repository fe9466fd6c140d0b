"""A disk under a running query: full, over quota, without inodes, forbidden, read-only, frozen, gone. Real file systems
refuse the calls; nothing is simulated."""

import os
import shutil

import pytest
from rig import host, processes
from rig.lake import Lake
from rig.proof import prove

RECORDS = 2000  # of each of the two loads, before and in the fault
BOUND = {"under": host.WITHOUT_PRIVILEGES}


class Running:
    """A query on a file system of its own that has committed its first load."""

    def __init__(self, job, place, **start):
        self.job = job
        self.place = place
        self.sent = 0
        job.lake = Lake(place / "lake")
        job.settings["DATA_LAKE_PATH"] = job.lake.root
        self.topic = job.create_topic(partitions=2)
        self.send()
        self.process = job.start(TRIGGER="0 seconds", **start)
        self.await_all()

    def send(self, count=RECORDS):
        self.job.broker.generate(self.topic, "matches", count, 2, "--malformed", 5, start=self.sent)
        self.sent += count

    def await_all(self):
        self.job.wait_committed(self.process, self.job.broker.end_offsets(self.topic))

    def await_retry(self, text):
        return self.process.wait_log(rf"\| ERROR \| .*{text}.*; retrying")

    def prove_after_recovery(self):
        self.await_all()
        self.process.stop()
        prove(self.job, self.sent)

    def prove_after_restart(self):
        self.job.run()
        prove(self.job, self.sent)


@pytest.fixture
def ext4(tmp_path):
    """Real blocks, real delayed allocation, and nothing kept for root."""
    image = host.Image(tmp_path / "ext4.img", 64, "mkfs.ext4", "-q", "-m", "0")
    with image.mounted(tmp_path / "disk", "errors=remount-ro") as place:
        yield place


@pytest.fixture
def memory_disk(tmp_path):
    with host.tmpfs(tmp_path / "disk", size="32m") as place:
        yield place


@pytest.mark.short
@pytest.mark.fault("disk full and freed", "ext4 in a file, all blocks taken while the query runs", "recovers by itself")
def test_a_disk_that_fills_up_under_a_query_and_is_freed(job, ext4):
    running = Running(job, ext4)
    ballast = host.fill(ext4)
    running.send()
    running.await_retry("No space left on device")
    ballast.unlink()
    running.prove_after_recovery()


@pytest.mark.fault(
    "disk full for longer than WRITE_RETRY_TIMEOUT",
    "ext4 in a file, all blocks taken while the query runs",
    "exit code 7: No space left on device",
)
def test_a_disk_that_stays_full_under_a_query(job, ext4, fault):
    running = Running(job, ext4, WRITE_RETRY_TIMEOUT="1 second")
    ballast = host.fill(ext4)
    running.send()
    fault.assert_ended(running.process)
    ballast.unlink()
    running.prove_after_restart()


@pytest.fixture
def quota_disk(tmp_path):
    """btrfs, the one file system whose quotas every kernel of Debian's kind has; they bind a process without CAP_SYS_RESOURCE."""
    image = host.Image(tmp_path / "btrfs.img", 160, "mkfs.btrfs", "-q", "--mixed")
    with image.mounted(tmp_path / "disk") as place:
        host.must("btrfs", "quota", "enable", place)
        host.must("btrfs", "subvolume", "create", place / "volume")
        yield place / "volume"


@pytest.mark.fault("quota reached and raised", "a btrfs subvolume whose quota is lowered to what is used", "recovers by itself")
def test_a_quota_that_is_reached_and_raised(job, quota_disk):
    running = Running(job, quota_disk, **BOUND)
    host.must("btrfs", "filesystem", "sync", quota_disk)
    host.must("btrfs", "qgroup", "limit", "16k", quota_disk)
    running.send()
    running.await_retry("Disk quota exceeded")
    number = host.must("btrfs", "inspect-internal", "rootid", quota_disk).strip()
    host.must("btrfs", "qgroup", "limit", "none", f"0/{number}", quota_disk.parent)
    running.prove_after_recovery()


@pytest.mark.short
@pytest.mark.fault("no inodes left, then freed", "tmpfs whose nr_inodes are taken by empty files", "recovers by itself")
def test_a_disk_without_inodes(job, tmp_path):
    with host.tmpfs(tmp_path / "disk", size="32m", nr_inodes=2000) as place:
        running = Running(job, place)
        hoard = place / "hoard"
        hoard.mkdir()
        for number in range(os.statvfs(place).f_favail):
            (hoard / str(number)).touch()
        running.send()
        running.await_retry("No space left on device")
        shutil.rmtree(hoard)
        running.prove_after_recovery()


@pytest.mark.short
@pytest.mark.fault(
    "permissions taken and given back",
    "chmod 0 on the directories of checkpoint, table and rejects in turn; the program has no CAP_DAC_OVERRIDE",
    "recovers by itself",
)
def test_permissions_that_are_taken_and_given_back(job, memory_disk):
    running = Running(job, memory_disk, **BOUND)
    lake = job.lake
    for directory in (lake.checkpoint("matches") / "offsets", lake.table("matches"), lake.rejects("matches")):
        mode = directory.stat().st_mode
        directory.chmod(0)
        running.send()
        running.await_retry(f"{directory}.*Permission denied: give user 0 access to it")
        directory.chmod(mode)
        running.await_all()
    running.prove_after_recovery()


@pytest.mark.fault(
    "permissions missing at a start",
    "chmod 0 on the table before the start; the program has no CAP_DAC_OVERRIDE",
    "exit code 2: Permission denied: give user 0 access to it",
)
def test_permissions_that_are_missing_at_a_start(job, memory_disk, fault):
    running = Running(job, memory_disk, **BOUND)
    running.process.stop()
    table = job.lake.table("matches")
    mode = table.stat().st_mode
    table.chmod(0)
    running.send()
    fault.assert_ended(job.start(TRIGGER="availableNow", **BOUND))
    table.chmod(mode)
    running.prove_after_restart()


@pytest.mark.fault(
    "file system turned read-only by its own error",
    "ext4 with errors=remount-ro, and an error reported to it (trigger_fs_error)",
    "exit code 7: Read-only file system: mount it read-write",
)
def test_a_file_system_that_turns_read_only(job, tmp_path, fault):
    image = host.Image(tmp_path / "ext4.img", 64, "mkfs.ext4", "-q", "-m", "0")
    with image.mounted(tmp_path / "disk", "errors=remount-ro") as place:
        running = Running(job, place, WRITE_RETRY_TIMEOUT="1 second")
        device = image.device_of(place)
        with open(f"/sys/fs/ext4/{device}/trigger_fs_error", "w") as file:
            file.write("a test of this file system's user\n")
        running.send()
        fault.assert_ended(running.process)
    host.must("sh", "-c", 'e2fsck -p -f "$0" || [ $? = 1 ]', image.path)  # 1: errors were corrected
    with image.mounted(place):
        running.prove_after_restart()


@pytest.mark.short
@pytest.mark.fault(
    "read-only remount, and back",
    "a read-only bind mount of the lake over itself (a plain remount is refused by the kernel while the lock is open)",
    "recovers by itself",
)
def test_a_lake_that_is_read_only_for_a_while(job, memory_disk):
    running = Running(job, memory_disk)
    with host.mounted(memory_disk, "--bind", memory_disk):
        host.must("mount", "-o", "remount,ro,bind", memory_disk)
        running.send()
        running.await_retry("Read-only file system: mount it read-write")
    running.prove_after_recovery()


@pytest.mark.short
@pytest.mark.fault("file system frozen, as for a snapshot", "fsfreeze --freeze on ext4 for some seconds", "recovers by itself")
def test_a_file_system_that_is_frozen(job, ext4):
    running = Running(job, ext4)
    host.must("fsfreeze", "--freeze", ext4)
    try:
        running.send()
        running.process.wait_until(lambda: processes.is_blocked(running.process.pid), what="a blocked thread")
    finally:
        host.must("fsfreeze", "--unfreeze", ext4)
    running.prove_after_recovery()


# ---- gone ----

GONE = "was removed, moved, replaced or unmounted while the query ran"


def tree(place):
    return sorted(path.relative_to(place) for path in place.rglob("*"))


@pytest.mark.short
@pytest.mark.fault("staging directory deleted under it", "rm -r of _staging of the table and of the rejects", "recovers by itself")
def test_staging_that_is_deleted(job, memory_disk):
    running = Running(job, memory_disk)
    for table in (job.lake.table("matches"), job.lake.rejects("matches")):
        shutil.rmtree(table / "_staging")
    running.send()
    running.await_retry("_staging.*No such file or directory")
    for table in (job.lake.table("matches"), job.lake.rejects("matches")):
        (table / "_staging").mkdir()
    running.prove_after_recovery()


@pytest.mark.fault(
    "lake, checkpoint, table or rejects deleted under it",
    "rm -r of each in turn, while records arrive; then all restored from a copy of the stopped lake",
    f"exit code 5: {GONE}",
)
@pytest.mark.parametrize("what", ["lake", "checkpoint", "table", "rejects"])
def test_a_directory_that_is_deleted(job, memory_disk, what, fault):
    running = Running(job, memory_disk)
    running.process.stop()
    backup = memory_disk / "backup"
    shutil.copytree(job.lake.root, backup, symlinks=True)
    running.process = job.start(TRIGGER="0 seconds")
    running.send()
    running.await_all()

    victim = {
        "lake": job.lake.root,
        "checkpoint": job.lake.checkpoint("matches"),
        "table": job.lake.table("matches"),
        "rejects": job.lake.rejects("matches"),
    }[what]
    shutil.rmtree(victim)
    running.send()
    fault.assert_ended(running.process)
    assert not victim.exists()  # it does not begin another one in its place

    shutil.rmtree(job.lake.root, ignore_errors=True)
    shutil.copytree(backup, job.lake.root, symlinks=True)
    running.prove_after_restart()


@pytest.mark.short
@pytest.mark.fault(
    "backup restored under the running query", "the lake is moved away and a copy of it put in its place", f"exit code 5: {GONE}"
)
def test_a_lake_that_is_replaced(job, memory_disk, fault):
    running = Running(job, memory_disk)
    running.process.stop()
    shutil.copytree(job.lake.root, memory_disk / "backup", symlinks=True)
    running.process = job.start(TRIGGER="0 seconds")
    running.send()
    running.await_all()

    job.lake.root.rename(memory_disk / "old")
    (memory_disk / "backup").rename(job.lake.root)
    before = tree(job.lake.root)
    running.send()
    fault.assert_ended(running.process)
    assert tree(job.lake.root) == before
    running.prove_after_restart()


@pytest.mark.short
@pytest.mark.fault(
    "file system unmounted under it", "umount --lazy of the lake's file system, mounted again later", f"exit code 5: {GONE}"
)
def test_a_lake_that_is_unmounted(job, tmp_path, fault):
    place = tmp_path / "disk"
    image = host.Image(tmp_path / "ext4.img", 64, "mkfs.ext4", "-q", "-m", "0")
    with image.mounted(place):
        running = Running(job, place)
    running.send()
    fault.assert_ended(running.process)
    assert tree(place) == []  # it does not begin another lake on the disk below
    with image.mounted(place):
        running.prove_after_restart()
