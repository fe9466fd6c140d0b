"""Our program as a user runs it: a process with an environment, a log and an exit code."""

import fcntl
import os
import re
import signal
import subprocess
import termios
import time

from . import processes

# What a sanitizer prints when it found something; it is never what a story expects.
FINDINGS = re.compile(r"(ERROR|WARNING): \w+Sanitizer|: runtime error: ")
SANITIZER_EXIT = 99
SANITIZERS = {
    "ASAN_OPTIONS": f"exitcode={SANITIZER_EXIT}:detect_leaks=1",
    "LSAN_OPTIONS": f"exitcode={SANITIZER_EXIT}",
    "UBSAN_OPTIONS": f"print_stacktrace=1:exitcode={SANITIZER_EXIT}",
    "TSAN_OPTIONS": f"exitcode={SANITIZER_EXIT}:halt_on_error=1",
}


class Program:
    """How the binary under test is started; settings are its environment variables."""

    def __init__(self, binary, directory):
        self.binary = binary
        self.directory = directory  # logs of the processes go here
        self.started = []
        directory.mkdir(parents=True, exist_ok=True)

    def start(self, *arguments, name=None, under=(), output=None, **settings):
        """`name`: the command's other name, such as match_stream; `under`: the command that runs
        it, such as strace with its options; `output`: a descriptor for stdout and stderr, with which
        there is no log to look at; of a terminal, it is the program's own."""
        binary = self.binary.with_name(name) if name else self.binary
        keep = {key: os.environ[key] for key in ("PATH", "HOME", "TMPDIR") if key in os.environ}
        # Without a page, unless the story is about it: 4040 is one port, and stories are many.
        settings = {"SPARK_UI_PORT": 0, **settings}
        given = {key: str(value) for key, value in settings.items() if value is not None}
        log = self.directory / f"run-{len(self.started)}"
        process = Process([*under, binary, *arguments], {**keep, **SANITIZERS, **given}, log, output)
        self.started.append(process)
        return process

    def run(self, *arguments, timeout=60, exit_code=0, **settings):
        """Runs to the end, which must be with this exit code."""
        process = self.start(*arguments, **settings)
        process.wait_exit(timeout, exit_code)
        return process

    def end_all(self):
        """Kills what a story left running, and shows what a sanitizer found."""
        for process in self.started:
            if process.poll() is None:
                process.kill()
        found = [one.tail() for one in self.started if FINDINGS.search(one.errors())]
        assert not found, found[0]


def _own_terminal():
    """Between fork and exec: the first process of a session on the terminal that is its stdout."""
    os.setsid()
    fcntl.ioctl(1, termios.TIOCSCTTY, 0)


class Process:
    def __init__(self, command, environment, log, output=None):
        self._log = log.with_suffix(".log")
        self._errors = log.with_suffix(".err")
        self.command = [str(word) for word in command]
        with open(self._log, "wb") as out, open(self._errors, "wb") as err:
            self._process = subprocess.Popen(
                self.command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out if output is None else output,
                stderr=err if output is None else output,
                preexec_fn=_own_terminal if output is not None and os.isatty(output) else None,
            )
        self.pid = self._process.pid

    def poll(self):
        return self._process.poll()

    def log(self):
        return self._log.read_text(errors="replace")

    def errors(self):
        return self._errors.read_text(errors="replace")

    def lines(self, pattern):
        """The log lines that match."""
        return [line for line in self.log().splitlines() if re.search(pattern, line)]

    def tail(self):
        return f"{self.command}\n--- stdout\n{self.log()[-6000:]}\n--- stderr\n{self.errors()[-6000:]}"

    def wait_exit(self, timeout=60, exit_code=None):
        try:
            code = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {timeout} s: {self.tail()}") from None
        if exit_code is not None:
            assert code == exit_code, f"exit code {code}, expected {exit_code}: {self.tail()}"
        return code

    def wait_log(self, pattern, timeout=30, count=1):
        """Waits until `count` log lines match; gives the last of them."""
        return self.wait_until(
            lambda: len(self.lines(pattern)) >= count and self.lines(pattern)[-1],
            timeout,
            f"{count} log line(s) like /{pattern}/",
        )

    def wait_until(self, condition, timeout=30, what="the condition"):
        """Polls until true, as long as the program runs."""
        deadline = time.monotonic() + timeout
        while True:
            ended = self.poll() is not None
            if found := condition():
                return found
            assert not ended, f"ended with {self.poll()} before {what}: {self.tail()}"
            assert time.monotonic() < deadline, f"no {what} in {timeout} s: {self.tail()}"
            time.sleep(0.02)

    def signal(self, number):
        self._process.send_signal(number)

    def pause(self):
        """Freezes the program, as if it hangs."""
        processes.pause(self.pid)

    def resume(self):
        self.signal(signal.SIGCONT)

    def terminate(self):
        self.signal(signal.SIGTERM)

    def kill(self):
        self._process.kill()
        self._process.wait()

    def stop(self, timeout=30):
        """SIGTERM, and the exit 0 that must follow."""
        self.terminate()
        self.wait_exit(timeout, 0)
