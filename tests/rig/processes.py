"""What /proc says about processes and their threads, and how to freeze them."""

import contextlib
import os
import pathlib
import signal
import time

GONE = (FileNotFoundError, ProcessLookupError)  # it ended while it was looked at


def _stat(directory):
    """State, parent, group, … of a process or thread: what follows its name, which is in
    parentheses and may contain anything."""
    return (directory / "stat").read_text().rpartition(")")[2].split()


def _all():
    return pathlib.Path("/proc").glob("[0-9]*")


def command_lines(group=None):
    """{pid: command line} of the processes, of a group or all, that do not just wait to be reaped."""
    found = {}
    for directory in _all():
        with contextlib.suppress(*GONE):
            state, _, its_group, *_ = _stat(directory)
            if group in (None, int(its_group)) and state != "Z":
                words = (directory / "cmdline").read_bytes().replace(b"\0", b" ")
                found[int(directory.name)] = words.decode(errors="replace")
    return found


def descendants(pid):
    """Process ids of children, their children, and so on."""
    parents = {}
    for directory in _all():
        with contextlib.suppress(*GONE):
            parents[int(directory.name)] = int(_stat(directory)[1])
    found, newest = set(), {pid}
    while newest:
        newest = {child for child, parent in parents.items() if parent in newest}
        found |= newest
    return found


def _is_alive(pid):
    with contextlib.suppress(*GONE):
        return _stat(pathlib.Path(f"/proc/{pid}"))[0] != "Z"
    return False


def wait_dead(pids, timeout):
    deadline = time.monotonic() + timeout
    while left := [pid for pid in pids if _is_alive(pid)]:
        assert time.monotonic() < deadline, f"{left} run after {timeout} s"
        time.sleep(0.02)


def _thread_states(pid):
    found = set()
    for directory in pathlib.Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(*GONE):
            found.add(_stat(directory)[0])
    return found


def is_blocked(pid):
    """Whether one of its threads is in a call that not even a signal ends, as on a disk that does not answer."""
    return "D" in _thread_states(pid)


def pause(*pids, timeout=30):
    """Until SIGCONT none of their threads does anything. Sending the signal is not enough:
    a busy thread continues until the kernel gets to it."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    deadline = time.monotonic() + timeout
    while busy := [pid for pid in pids if _thread_states(pid) != {"T"}]:
        assert time.monotonic() < deadline, f"{busy} are not frozen after {timeout} s"
        time.sleep(0.001)
