"""Months in minutes: our program with a clock that the test moves (tests/tools/moved_clock.c), real Kafka, real files.

The clock runs as usual while the program works. When a batch is committed, the test sends the records of the next
trigger, with Kafka timestamps of that time, and moves the clock on to where the trigger fires. So each batch is one
of the long run, as large as there, and the same process makes all of them."""

import atexit
import collections
import contextlib
import itertools
import json
import mmap
import os
import random
import signal
import struct
import subprocess
import time

import duckdb

from .broker import free_ports, must_be_delivered
from .lake import Lake
from .paths import GEN
from .program import Program
from .web import Web

PRELOAD = GEN.with_name("moved_clock.so")
SECOND = 1_000_000_000
DAY_S = 86400
LATE_FILES_MOST = 10  # in a directory whose date is over: what has been compacted, and what came later


class Clock:
    """The time that the program sees, also of its files. It begins a minute before a midnight, UTC."""

    MOVES_MAX = 1 << 20

    def __init__(self, path):
        with open(path, "w+b") as file:
            file.truncate(8 + 16 * self.MOVES_MAX)
            self._map = mmap.mmap(file.fileno(), 0)
        self._count = self._ahead = 0
        self.environment = {"LD_PRELOAD": str(PRELOAD), "CLOCK_FILE": str(path)}
        self.move_to((time.time_ns() // (DAY_S * SECOND) + 1) * DAY_S * SECOND - 60 * SECOND)

    def now(self):
        return time.time_ns() + self._ahead

    def move_to(self, moment):
        real = time.time_ns()
        self._ahead = max(self._ahead, moment - real)
        struct.pack_into("qq", self._map, 8 + 16 * self._count, real, self._ahead)
        self._count += 1
        struct.pack_into("q", self._map, 0, self._count)


class MovedTime:
    """One run: the program, its topic and its lake. `rate`: records a second of the program's time; `late`: whether one
    record in an hour has a timestamp of one to two days before; `settings`: of the program."""

    def __init__(self, directory, binary, broker, topic, trigger_s=60, rate=5, partitions=2, seed=1, late=True, **settings):
        directory.mkdir(parents=True, exist_ok=True)
        self.clock = Clock(directory / "clock")
        self.lake = Lake(directory / "lake")
        self.random = random.Random(seed)
        self.broker, self.topic, self.trigger_s = broker, topic, trigger_s
        self.produced = {partition: 0 for partition in range(partitions)}
        # Times far ahead of the broker's clock.
        broker.create_topic(topic, partitions, message_timestamp_after_max_ms=2**62)
        self._producer = broker.producer(linger_ms=0)
        self._each = int(rate * trigger_s)
        self._late = late
        self._late_hour = None  # of the newest late record
        self._values = self._make_values()
        self._program = Program(binary, directory / "runs")
        atexit.register(self._program.end_all)  # what is left by a run that failed
        self._settings = {
            "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap,
            "KAFKA_TOPIC_MATCHES": topic,
            "DATA_LAKE_PATH": self.lake.root,
            "TRIGGER": f"{trigger_s} seconds",
            "LOG_LEVEL": "WARNING",
            "SPARK_UI_PORT": free_ports(1)[0],
            **self.clock.environment,
            **settings,
        }
        self.process = None
        self._committed = -1

    @staticmethod
    def _make_values(count=20000, malformed=2):
        words = [GEN, "--type", "matches", "--count", count, "--malformed", malformed, "--stdout", "--quiet"]
        made = subprocess.run([str(word) for word in words], capture_output=True, check=True).stdout
        return itertools.cycle(made.splitlines())

    # ---- the program ----

    def start(self):
        self.process = self._program.start("--job", "matches", "--await-termination", **self._settings)

    def kill(self):
        self.process.signal(signal.SIGKILL)
        self.process.wait_exit()

    def restart(self):
        self.process.stop()
        self.start()

    def end(self):
        if self.process is not None and self.process.poll() is None:
            self.process.stop()
        self._program.end_all()
        atexit.unregister(self._program.end_all)

    def command(self, *arguments, exit_code=0, timeout=600, **settings):
        """What a command prints, which sees the same clock."""
        words = [*arguments, "--job", "matches"]
        run = self._program.run(*words, exit_code=exit_code, timeout=timeout, **{**self._settings, **settings})
        return run.log()

    def run_once(self, **settings):
        """The topic as it is now, by another process."""
        run = self._program.run("--job", "matches", timeout=600, **{**self._settings, **settings})
        return run.log()

    def files(self):
        """The files of the table and of the rejects, of one consistent state each."""
        lists = [self.command("files", "--json", *which) for which in ((), ("--rejects",))]
        return [json.loads(line)["path"] for text in lists for line in text.splitlines()]

    def account(self):
        """(rows of table and rejects, different offsets among them), by DuckDB."""
        ((rows, offsets),) = duckdb.execute(
            "SELECT count(*), count(DISTINCT (partition, \"offset\")) FROM read_parquet($1, union_by_name = true)",
            [self.files()],
        ).fetchall()
        return rows, offsets

    # ---- time ----

    def _lateness(self, moment):
        hour = moment // (3600 * SECOND)
        if not self._late or hour == self._late_hour:
            return 0
        self._late_hour = hour
        return self.random.randrange(DAY_S, 2 * DAY_S) * SECOND

    def _produce(self, until):
        """The records of the time up to there."""
        first = until - self.trigger_s * SECOND
        for number in range(self._each):
            partition = number % len(self.produced)
            moment = first + self.trigger_s * SECOND * number // self._each - self._lateness(first)
            self._producer.produce(
                self.topic, next(self._values), None, partition, must_be_delivered, timestamp=moment // 1_000_000
            )
            self.produced[partition] += 1
        assert self._producer.flush(60) == 0

    def _is_committed(self):
        """Whether the newest batch ends where the topic does."""
        commits = self.lake.checkpoint("matches") / "commits"
        while (commits / str(self._committed + 1)).exists():
            self._committed += 1
        return self._committed >= 0 and self.lake.planned_ends("matches", self._committed) == self.produced

    def _await(self, timeout=60):
        deadline = time.monotonic() + timeout
        while not self._is_committed():
            ended = self.process.poll()
            assert ended is None, f"ended with {ended}: {self.process.tail()}"
            if time.monotonic() > deadline:
                raise AssertionError(f"not committed to {self.produced}: {self.process.tail()}")
            time.sleep(0.0005)

    def _let_it_look(self, most_s=0.1):
        """A look at the table must not last for minutes because the clock is moved meanwhile: the next one would be put
        off for hours. A compaction takes longer, and batches are made meanwhile."""
        deadline = time.monotonic() + most_s
        web = Web(self.process, port=self._settings["SPARK_UI_PORT"])
        with contextlib.suppress(OSError):  # it has just been started
            while time.monotonic() < deadline and web.query()["care"]["busy"]:
                time.sleep(0.002)

    def step(self, kill_after_s=None):
        """Up to the next trigger and the commit of its batch; with `kill_after_s` the program is killed that long after
        the trigger, and started again."""
        period = self.trigger_s * SECOND
        until = (self.clock.now() // period + 1) * period
        self._produce(until)
        if self._settings.get("COMPACT", "off") != "off":
            self._let_it_look()
        self.clock.move_to(until)
        if kill_after_s is not None:
            time.sleep(kill_after_s)
            self.kill()
            self.start()
        self._await()

    def settle(self, hours=12):
        """Until the days that are over have been compacted, if the program does that: the day that is over last waits
        for an hour."""
        if self._settings.get("COMPACT", "off") == "off":
            return
        until = self.clock.now() + hours * 3600 * SECOND
        while self.clock.now() < until and max(self.files_of_closed_days().values()) > LATE_FILES_MOST:
            self.step()

    def files_of_closed_days(self):
        """{directory: how many files}, of the days that are over."""
        leaves = collections.Counter(path.parent for path in self.lake.files(self.lake.table("matches")))
        return {leaf: count for leaf, count in leaves.items() if f"ingest_date={self.today()}" not in leaf.parts}

    def triggers_per_day(self):
        return DAY_S // self.trigger_s

    def hour(self):
        """Of the day."""
        return self.clock.now() // (3600 * SECOND) % 24

    def today(self):
        """YYYY-MM-DD"""
        return time.strftime("%Y-%m-%d", time.gmtime(self.clock.now() / SECOND))

    def records(self):
        return sum(self.produced.values())

    # ---- what the program needs ----

    def resources(self):
        place = f"/proc/{self.process.pid}"
        with open(f"{place}/status") as file:
            status = dict(line.split(":", 1) for line in file)
        return {
            "rss_mb": int(status["VmRSS"].split()[0]) // 1024,
            "peak_mb": int(status["VmHWM"].split()[0]) // 1024,
            "threads": int(status["Threads"]),
            "descriptors": len(os.listdir(f"{place}/fd")),
        }
