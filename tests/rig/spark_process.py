"""Spark 3.5 or 4 in a process of its own: it runs the job of bench/spark_job.py, reads tables, and
can be killed at any moment.

    with SparkProcess("3.5", directory) as spark:
        spark.run_job(job, "matches")                       # availableNow, to the end
        spark.start_job(job, "matches", trigger="0 seconds", sink="foreachBatch")
        spark.kill()                                        # SIGKILL to the JVM and its Python
        assert spark.count(table) == (200, 200)             # starts a new one
"""

import json
import os
import signal
import subprocess
import time

from .paths import ROOT

PYTHONS = {"3.5": ROOT / ".venv-spark35" / "bin" / "python", "4": ROOT / ".venv" / "bin" / "python"}
WORKER = ROOT / "tests" / "rig" / "spark_worker.py"


class SparkFailed(AssertionError):
    """What Spark answered instead of a result: the text of its exception."""


class SparkProcess:
    """Starts when it is first asked for something, and again after kill()."""

    def __init__(self, version, directory, **config):
        self.version = version
        self.directory = directory
        self._config = config  # Spark's options, with underscores for dots
        self._process = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def pid(self):
        """Of the process group, too: JVM and Python."""
        return self._process.pid

    def start(self):
        """Does not wait until it is up; the first request does."""
        if self._process is not None:
            return
        self.directory.mkdir(parents=True, exist_ok=True)
        command = [PYTHONS[self.version], WORKER, self.version, self.directory]
        with open(self.directory / "spark.log", "ab") as log:
            self._process = subprocess.Popen(
                [*command, json.dumps(self._config)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env={**os.environ, "TZ": "UTC"},
                start_new_session=True,
                text=True,
            )

    def send(self, task, **arguments):
        """Asks, and does not wait; receive() has the answer. For what is to be killed half-way."""
        self.start()
        print(json.dumps({"task": task, **arguments}), file=self._process.stdin, flush=True)

    def receive(self):
        line = self._process.stdout.readline()
        if not line:
            log = (self.directory / "spark.log").read_text(errors="replace")
            raise RuntimeError(f"Spark {self.version} ended: {log[-4000:]}")
        answer = json.loads(line)
        if "error" in answer:
            raise SparkFailed(answer["error"])
        return answer["result"]

    def ask(self, task, **arguments):
        """One function of spark_worker.py, by name. Paths and numbers as in JSON."""
        self.send(task, **arguments)
        return self.receive()

    def _job(self, job, kind, lake, options):
        lake = job.lake.root if lake is None else lake
        topic, brokers = job.topics[kind], job.broker.bootstrap
        return {"job": kind, "brokers": brokers, "topic": topic, "lake": str(lake), **options}

    def run_job(self, job, kind="matches", lake=None, **options):
        """Reads the whole topic and ends. Options: those of spark_job.start (sink, max_offsets)."""
        self.ask("run_job", **self._job(job, kind, lake, options))

    def begin_job(self, job, kind="matches", lake=None, **options):
        """As run_job, but does not wait: follow it with kill(), or receive()."""
        self.send("run_job", **self._job(job, kind, lake, options))

    def start_job(self, job, kind="matches", lake=None, **options):
        """Runs until stop_jobs() or kill(); trigger="0 seconds" is as fast as it can."""
        options = {"trigger": "0 seconds", **options}
        self.ask("start_job", **self._job(job, kind, lake, options))

    def stop_jobs(self):
        self.ask("stop_jobs")

    def count(self, table):
        """(rows, distinct offsets) as this Spark reads the table: by its sink log if it has one."""
        return tuple(self.ask("count", table=str(table)))

    def kill(self):
        """SIGKILL to all of it, as a machine that loses power: nothing is closed or finished."""
        if self._process is None:
            return
        os.killpg(self._process.pid, signal.SIGKILL)
        self._end()

    def kill_when(self, condition, timeout=60):
        """Kills at the first moment the condition holds; gives what it was."""
        deadline = time.monotonic() + timeout
        while not (found := condition()):
            ended = self._process.poll()
            assert ended is None, f"Spark {self.version} ended with {ended} before the moment"
            assert time.monotonic() < deadline, f"the moment did not come in {timeout} s"
            time.sleep(0.001)
        self.kill()
        return found

    def stop(self):
        if self._process is None:
            return
        self._process.stdin.close()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            pass
        try:
            os.killpg(self._process.pid, signal.SIGKILL)  # what may be left of the group
        except ProcessLookupError:
            pass
        self._end()

    def _end(self):
        self._process.wait(30)
        for stream in (self._process.stdin, self._process.stdout):
            try:
                stream.close()
            except BrokenPipeError:
                pass
        self._process = None
