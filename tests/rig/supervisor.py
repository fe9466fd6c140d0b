"""A service manager's end of sd_notify(3): a real AF_UNIX datagram socket, and what came over it."""

import contextlib
import ctypes
import os
import socket
import threading
import time


class Supervisor:
    """Use as a context; `settings` are the program's environment variables."""

    def __init__(self, directory, watchdog_s=None):
        path = str(directory / "notify")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(path)
        self._socket.settimeout(0.1)
        self._lock = threading.Lock()
        self._told = []
        self._open = True
        self.settings = {"NOTIFY_SOCKET": path}
        if watchdog_s is not None:
            self.settings["WATCHDOG_USEC"] = int(watchdog_s * 1_000_000)
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._open = False
        self._thread.join(10)
        self._socket.close()

    def _listen(self):
        while self._open:
            try:
                text = self._socket.recv(65536).decode()
            except TimeoutError:
                continue
            with self._lock:
                self._told += text.splitlines()

    def told(self, start=""):
        """Every assignment that begins so, in order."""
        with self._lock:
            return [line for line in self._told if line.startswith(start)]

    def wait(self, process, start, count=1, timeout=30):
        """Waits for `count` of them while the program runs; gives the last."""
        return process.wait_until(
            lambda: len(self.told(start)) >= count and self.told(start)[-1],
            timeout,
            f"{count} times {start}",
        )


def threads_named(pid, name):
    """The ids of a process's threads of this name."""
    found = []
    for thread in os.listdir(f"/proc/{pid}/task"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
            with open(f"/proc/{pid}/task/{thread}/comm", encoding="ascii") as comm:
                if comm.read().strip() == name:
                    found.append(int(thread))
    return found


def quiet_for(what, seconds):
    """True if the list that what() gives does not grow for so long."""
    before = len(what())
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if len(what()) > before:
            return False
        time.sleep(0.05)
    return True


PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT = 17, 0x4206, 0x4207
WALL = 0x40000000  # waitpid(): threads of others, too


def _ptrace(request, thread):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(request, thread, None, None) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


@contextlib.contextmanager
def frozen(thread):
    """Freezes one thread, as if it waits for a disk that does not answer; all others run.
    Its process may end meanwhile, but only wait_ended() lets it go."""
    _ptrace(PTRACE_SEIZE, thread)
    _ptrace(PTRACE_INTERRUPT, thread)
    os.waitpid(thread, WALL)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            _ptrace(PTRACE_DETACH, thread)


def wait_ended(thread, timeout=30):
    """Until a frozen thread has ended with its process."""
    deadline = time.monotonic() + timeout
    while os.waitpid(thread, WALL | os.WNOHANG)[0] == 0:
        assert time.monotonic() < deadline, f"thread {thread} is there after {timeout} s"
        time.sleep(0.02)
