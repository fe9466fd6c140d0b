"""Faults by strace: the release binary is killed at, or refused, one system call on the lake.

A point is a call of an undisturbed run: its name, its path, and the how-many-eth of that name and
path it is. Names of data files are new in every run, so their calls are counted without a path:
renames and links are made by one thread only, and the worker's calls are counted by attaching to it
alone."""

import collections
import dataclasses
import re
import subprocess
import time

CALLS = (
    "openat,write,pwrite64,fsync,fdatasync,ftruncate,close,rename,renameat,renameat2,"
    "link,linkat,unlink,unlinkat,mkdir,mkdirat,rmdir"
)
CALL = re.compile(r"^(\d+) +(\w+)\((.*)")
DESCRIPTOR = re.compile(r"^\d+<([^>]*)>")
QUOTED = re.compile(r'"([^"]*)"')
OF_ONE_THREAD = ("renameat2", "link")
DATA_FILE = re.compile(r"/part-[0-9a-f-]+\.")


@dataclasses.dataclass(frozen=True)
class Point:
    call: str
    path: str | None  # relative to the lake; None: counted without one
    when: int
    attached: bool = False  # counted in the worker, from the moment it got the batch

    @property
    def changes(self):
        """Between two calls that change the disk it does not matter at which the process ends."""
        return self.call != "close" and (
            self.call != "openat" or self.attached or self.path.endswith((".tmp", "/lock"))
        )

    def __str__(self):
        return f"{self.call} {self.when} {self.path or ('of the worker' if self.attached else '')}"


@dataclasses.dataclass(frozen=True)
class Fault:
    point: Point
    action: str  # "signal=KILL", "error=EIO", "error=ENOSPC"

    def __str__(self):
        return f"{self.action} at {self.point}"


def calls_on(lake, log):
    """(thread, call, path relative to the lake) of each call in strace's log, in its order."""
    root = str(lake) + "/"
    for line in log.read_text(errors="replace").splitlines():
        if not (found := CALL.match(line)):
            continue
        thread, call, arguments = found.groups()
        path = DESCRIPTOR.match(arguments)
        if path is None or call.endswith("at") or call == "renameat2":
            path = QUOTED.search(arguments)
        if path is not None and path.group(1).startswith(root):
            yield thread, call, path.group(1).removeprefix(root)


def points_of(lake, log):
    """All points of an undisturbed run but those of its worker's calls on data files."""
    counts = collections.Counter()
    points = []
    for thread, call, path in calls_on(lake, log):
        if DATA_FILE.search(path) and call not in OF_ONE_THREAD:
            continue
        path = None if call in OF_ONE_THREAD else path
        counts[thread, call, path] += 1
        point = Point(call, path, counts[thread, call, path])
        if point not in points:
            points.append(point)
    return points


def worker_points_of(lake, log):
    """The points of one batch's worker, seen by attaching to it."""
    counts = collections.Counter()
    for _, call, path in calls_on(lake, log):
        counts[call] += 1
        yield Point(call, None, counts[call], attached=True)


def tracing(log, calls=CALLS):
    return ["strace", "-y", "-o", str(log), "-e", f"trace={calls}"]


def injecting(fault, lake, log):
    """strace's words for a fault."""
    point = fault.point
    options = ["-e", f"inject={point.call}:{fault.action}:when={point.when}"]
    if point.path is not None:
        options += ["-P", f"{lake}/{point.path}"]
    return [*tracing(log, point.call), *options]


def was_reached(log):
    text = log.read_text(errors="replace") if log.exists() else ""
    return "(INJECTED)" in text or "killed by SIGKILL" in text


def attach(words, thread):
    """strace on a running thread; returns when it is there."""
    process = subprocess.Popen([*words, "-p", str(thread)], stderr=subprocess.PIPE, text=True)
    line = process.stderr.readline()
    assert "attached" in line, line
    return process


def sleep_until(condition, timeout=20, what="the condition"):
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"no {what} in {timeout} s"
        time.sleep(0.005)
