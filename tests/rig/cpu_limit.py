"""A share of a processor for one process: a control group of version 1 or 2, whichever has the CPU controller here."""

import contextlib
import itertools
import os
import pathlib
import time

FIRST = pathlib.Path("/sys/fs/cgroup/cpu")
PERIOD_US = 100_000
numbers = itertools.count()


def _second():
    """The root of version 2, with the CPU controller for its children."""
    for line in pathlib.Path("/proc/mounts").read_text().splitlines():
        _, place, kind, *_ = line.split()
        root = pathlib.Path(place)
        if kind == "cgroup2" and "cpu" in (root / "cgroup.controllers").read_text().split():
            (root / "cgroup.subtree_control").write_text("+cpu")
            return root
    raise RuntimeError("no control group here has the CPU controller (version 1 or 2)")


class CpuLimit:
    """Use as a context. The process may have any number of threads; it gets all processors back at the end."""

    def __init__(self, pid, share):
        self._pid, self._quota_us = pid, int(share * PERIOD_US)
        self._is_1 = (FIRST / "cpu.cfs_quota_us").exists()
        self._root = FIRST if self._is_1 else _second()
        self._path = self._root / f"esports-cpu-{os.getpid()}-{next(numbers)}"

    def __enter__(self):
        self._path.mkdir()
        if self._is_1:
            (self._path / "cpu.cfs_period_us").write_text(str(PERIOD_US))
            (self._path / "cpu.cfs_quota_us").write_text(str(self._quota_us))
        else:
            (self._path / "cpu.max").write_text(f"{self._quota_us} {PERIOD_US}")
        (self._path / "cgroup.procs").write_text(str(self._pid))
        return self

    def throttled(self):
        """How often the kernel made it wait."""
        stat = dict(line.split() for line in (self._path / "cpu.stat").read_text().splitlines())
        return int(stat["nr_throttled"])

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            (self._root / "cgroup.procs").write_text(str(self._pid))
        for _ in range(100):
            with contextlib.suppress(OSError):  # a thread of it is still on its way out
                self._path.rmdir()
                return
            time.sleep(0.05)
        raise RuntimeError(f"{self._path} cannot be removed")
