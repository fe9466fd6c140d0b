"""What the kernel of this machine is asked for, so that it really refuses the program something: file systems of their own,
limits, control groups. All need root with CAP_SYS_ADMIN. What the machine refuses is an error."""

import contextlib
import itertools
import os
import pathlib
import subprocess
import time

numbers = itertools.count()

# Root, but as everybody else is: permissions bind it, and so do quotas.
WITHOUT_PRIVILEGES = ("setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner,-sys_resource")


def must(*command):
    """Its output. The error of a command that fails has what the command said."""
    words = [str(word) for word in command]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 0, f"the machine refuses {words}: exit {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


@contextlib.contextmanager
def mounted(place, *options):
    """`options`: of mount(8), with the source. Unmounted at the end, even while a process has files open there."""
    place.mkdir(parents=True, exist_ok=True)
    must("mount", *options, place)
    try:
        yield place
    finally:
        must("umount", "--lazy", place)


def tmpfs(place, **options):
    """In memory: size="8m", nr_inodes=100."""
    return mounted(place, "-t", "tmpfs", "-o", ",".join(f"{key}={value}" for key, value in options.items()), "tmpfs")


class Image:
    """A file system in a file, on a loop device."""

    def __init__(self, path, megabytes, *make):
        """`make`: the command that makes the file system, without the file."""
        self.path = path
        with open(path, "wb") as file:
            file.truncate(megabytes << 20)
        must(*make, path)

    def mounted(self, place, options="defaults"):
        return mounted(place, "-o", f"loop,{options}", self.path)

    @staticmethod
    def device_of(place):
        """The name of its block device, such as loop3."""
        return must("findmnt", "--noheadings", "--output=SOURCE", "--target", place).strip().rpartition("/")[2]


def fill(directory):
    """Takes all space of a file system; the file to remove."""
    ballast = directory / "ballast"
    with open(ballast, "wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while file.write(bytes(size)) == size:
                    os.fsync(file.fileno())
    return ballast


class ControlGroup:
    """A control group that limits memory, of version 2 or, where version 1 has the controller, of that. Use as a context."""

    def __init__(self, memory_max):
        self._memory_max = memory_max
        self.version, root = self._find()
        self.place = root / f"esports-faults-{os.getpid()}-{next(numbers)}"
        limits = {2: ["memory.max", "memory.swap.max"], 1: ["memory.limit_in_bytes"]}
        self._limit, *self._swap = limits[self.version]

    @staticmethod
    def _find():
        """(version, directory) of the hierarchy that limits memory."""
        for line in pathlib.Path("/proc/mounts").read_text().splitlines():
            _, place, kind, options, *_ = line.split()
            place = pathlib.Path(place)
            if kind == "cgroup2" and "memory" in (place / "cgroup.controllers").read_text().split():
                return 2, place
            if kind == "cgroup" and "memory" in options.split(","):
                return 1, place
        raise AssertionError("the machine has no control group that limits memory")

    def __enter__(self):
        self.place.mkdir()
        if self.version == 2 and "memory" not in (self.place / "cgroup.controllers").read_text().split():
            (self.place.parent / "cgroup.subtree_control").write_text("+memory")
        for name in self._swap:
            with contextlib.suppress(FileNotFoundError):  # a kernel without swap
                (self.place / name).write_text("0")
        self.set_memory(self._memory_max)
        return self

    def set_memory(self, memory_max):
        (self.place / self._limit).write_text(str(memory_max))

    def choke(self, timeout=60):
        """Leaves its processes less memory than they have, or no more than that, until the kernel kills one."""
        usage = self.place / {2: "memory.current", 1: "memory.usage_in_bytes"}[self.version]
        deadline = time.monotonic() + timeout
        while self.kills() == 0:
            assert time.monotonic() < deadline, f"no process was killed; memory in use: {usage.read_text()}"
            used = int(usage.read_text())
            for limit in (used // 2, used * 3 // 4, used):
                with contextlib.suppress(OSError):  # version 1 refuses what it cannot reclaim
                    self.set_memory(limit)
                    break
            time.sleep(0.01)

    def under(self):
        """The command that starts a program in this group."""
        return ("sh", "-c", f'echo $$ >{self.place}/cgroup.procs && exec "$0" "$@"')

    def kills(self):
        """How many processes the kernel has killed for lack of memory."""
        names = {2: "memory.events", 1: "memory.oom_control"}
        lines = (self.place / names[self.version]).read_text().splitlines()
        return int(dict(line.split() for line in lines)["oom_kill"])

    def __exit__(self, kind, *_):
        for _ in range(100):
            try:
                self.place.rmdir()
                return
            except OSError:  # a process of it is still on its way out
                time.sleep(0.05)
        processes = (self.place / "cgroup.procs").read_text()
        assert kind, f"{self.place} has processes: {processes}"  # a test that failed has left its own
