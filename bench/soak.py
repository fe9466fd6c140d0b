#!/usr/bin/env python3
"""Endurance: the real program on real Kafka and a real file system, for as long as MINUTES says.

    endurance   records at a fifth of the top speed, which is measured first; a fault every few seconds; small files are
                merged and old dates expire. In the first half the program is killed and restarted, too. In the second
                half one process has to live through everything else, so that a leak would show
    overload    the program is held to a tenth of a processor, or a third of what the load needs if that is less: its lag
                grows, its memory does not, and it catches up
    partitions  a topic of 2,000 partitions
    batches     10,000 batches of one record

Time passes faster than on the wall: the program's clock and the records' timestamps move on by six hours every few
seconds (tests/rig/moved_time.py), so that a day lasts a minute. The lake is on a file system of its own (a loop device;
root privileges needed), which is filled to make a disk full.

Fails if a figure grows (bench/flat.py), a promise of a part does not hold, `verify` finds a fault, or DuckDB does not find
every offset once in the files that `esports-stream files` names. Writes bench/results/soak.md if nothing failed."""

import argparse
import contextlib
import json
import os
import pathlib
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "bench")]

import duckdb  # noqa: E402
import flat  # noqa: E402
import soak_limits  # noqa: E402
from confluent_kafka import Consumer, TopicPartition  # noqa: E402
from rig.broker import Broker, free_ports  # noqa: E402
from rig.cpu_limit import CpuLimit  # noqa: E402
from rig.lake import Lake  # noqa: E402
from rig.moved_time import DAY_S, SECOND, Clock  # noqa: E402
from rig.paths import GEN  # noqa: E402
from rig.program import Program  # noqa: E402
from rig.tcp_proxy import TcpProxy  # noqa: E402
from rig.web import Web  # noqa: E402

PROGRAM = ROOT / "build" / "release" / "esports-stream"
PARTITIONS = 4
OVERLOAD_SHARE = 0.5  # of the top speed, which is low on a machine that does other work, too
HELD_MOST = 0.1  # of a processor, in an overload
OVERLOAD_MORE_MB = 40  # its batches are larger: they fill the row groups of both workers, of 16 MB each
BUDGET_MB = 256
RETENTION_DAYS = 2
JUMP_S = 6 * 3600
RECOVERY_S = 120  # until two batches are committed after a fault
RESERVED_MB = 12_000  # of the lake's file system; the file behind it only takes what is in use
SETTINGS = {
    "MATCHES_PARTITION_BY": "ingest_date,status",
    "COMPACT": "1 hour",
    "RETENTION": f"{RETENTION_DAYS} days",
    "REWIND_RETENTION": "1 day",
    "TRIGGER": "1 second",
    "SPARK_DRIVER_MEMORY": f"{BUDGET_MB}m",
    "SPARK_MASTER_URL": "local[2]",
    "LOG_LEVEL": "WARNING",
}
# {figure: (growth over the run as a ratio of its level, or at least so much in its own unit)}
OF_THE_PROCESS = {"RSS MB": (0.1, 8), "descriptors": (0.1, 3), "threads": (0, 1)}
OF_THE_DISK = {
    "commit ms": (0.25, 5),
    "checkpoint MB": (0.1, 0.2),
    "checkpoint files": (0.1, 20),
    "sink log MB": (0.25, 0.2),
    "sink log files": (0.1, 20),
    "table files": (0.25, 20),
}


class ProxiedBroker(Broker):
    """With a second listener, whose clients get to it through a proxy: `proxy`, at `proxied`."""

    def __init__(self, directory):
        self._behind, port = free_ports(2)
        self.proxied = f"127.0.0.1:{port}"
        super().__init__(directory)
        self.proxy = TcpProxy(("127.0.0.1", self._behind), port)

    def further_properties(self, controller_port):
        return (
            f"listeners=PLAINTEXT://127.0.0.1:{self.port},PROXIED://127.0.0.1:{self._behind},"
            f"CONTROLLER://127.0.0.1:{controller_port}\n"
            f"advertised.listeners=PLAINTEXT://127.0.0.1:{self.port},PROXIED://{self.proxied}\n"
            "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT\n"
            "inter.broker.listener.name=PLAINTEXT\nlog.retention.check.interval.ms=20000\n"
        )


class Disk:
    """A file system of its own, which can be filled."""

    def __init__(self, directory):
        self.place, self._image = directory / "disk", directory / "disk.img"
        self._ballast = self.place / "ballast"

    def __enter__(self):
        self.place.mkdir()
        with open(self._image, "wb") as file:
            file.truncate(RESERVED_MB << 20)
        subprocess.run(["mkfs.ext4", "-q", "-F", "-m", "0", self._image], check=True)
        subprocess.run(["mount", "-o", "loop,discard", self._image, self.place], check=True)
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", "--lazy", self.place], check=True)
        self._image.unlink()

    def fill(self):
        with open(self._ballast, "wb") as file:
            size, step = 0, RESERVED_MB << 20
            while step >= 4096:
                try:
                    os.posix_fallocate(file.fileno(), size, step)
                    size += step
                except OSError:
                    step //= 2

    def free(self):
        self._ballast.unlink()


def tree(directory):
    """(files, bytes) below a directory that may change meanwhile."""
    files = size = 0
    for place, _, names in os.walk(directory):
        for name in names:
            with contextlib.suppress(OSError):
                size += os.lstat(os.path.join(place, name)).st_size
                files += 1
    return files, size


def threads_wait_for(pid):
    """Of each thread its name, its state and where in the kernel it waits; for a run that does not continue."""
    found = []
    for task in sorted(pathlib.Path(f"/proc/{pid}/task").iterdir()):
        with contextlib.suppress(OSError):
            state = (task / "stat").read_text().rpartition(")")[2].split()[0]
            found.append(f"{(task / 'comm').read_text().strip()} {state} {(task / 'wchan').read_text()}")
    return "; ".join(found)


class Run:
    """The program, its load and its lake."""

    def __init__(self, work, broker, topic, clock=None, bootstrap=None, lake=None, **settings):
        work.mkdir(parents=True, exist_ok=True)
        self.broker, self.topic, self.clock = broker, topic, clock
        self.lake = Lake(lake or work / "lake")
        self._program = Program(PROGRAM, work / "runs")
        self._load = None
        self.process = None
        self.settings = {
            **SETTINGS,
            "KAFKA_BOOTSTRAP_SERVERS": bootstrap or broker.bootstrap,
            "KAFKA_TOPIC_MATCHES": topic,
            "DATA_LAKE_PATH": self.lake.root,
            "SPARK_UI_PORT": free_ports(1)[0],
            **(clock.environment if clock else {}),
            **settings,
        }

    def start(self):
        self.process = self._program.start("--job", "matches", "--await-termination", **self.settings)

    def end(self):
        self.stop_load()
        self._program.end_all()

    def command(self, *arguments):
        return self._program.run(*arguments, "--job", "matches", timeout=3600, **self.settings).log()

    def load(self, rate):
        words = [GEN, "--type", "matches", "--count", 1 << 40, "--malformed", 1, "--rate", rate, "--quiet"]
        words += ["-X", "log_level=2", "--brokers", self.broker.bootstrap, "--topic", self.topic, "--partitions", PARTITIONS, "--compression", "lz4"]
        environment = {**os.environ, **(self.clock.environment if self.clock else {})}
        self._load = subprocess.Popen([str(word) for word in words], env=environment)

    def stop_load(self):
        """The topic does not grow any more. True: it grew until now."""
        if self._load is None:
            return False
        alive = self._load.poll() is None
        self._load.kill()
        self._load.wait()
        self._load = None
        return alive

    def web(self, timeout=2):
        return Web(self.process, port=self.settings["SPARK_UI_PORT"]), timeout

    def newest(self):
        """Number of the newest committed batch; -1: none."""
        return max(self.lake.batches("matches"), default=-1)

    def await_batches(self, count=2, most_s=RECOVERY_S):
        """How long the next `count` commits took."""
        began, wanted = time.monotonic(), self.newest() + count
        self.process.wait_until(lambda: self.newest() >= wanted, most_s, f"{count} batches")
        return time.monotonic() - began

    def committed(self):
        """Offsets below which all is committed, summed over the partitions."""
        while True:
            with contextlib.suppress(FileNotFoundError):  # it is an old one by now
                newest = self.newest()
                return sum(self.lake.planned_ends("matches", newest).values()) if newest >= 0 else 0

    def lag(self):
        return sum(self.broker.end_offsets(self.topic).values()) - self.committed()

    def await_end(self, most_s=600):
        self.process.wait_until(lambda: self.lag() == 0, most_s, "commit of the topic's end")

    # ---- the proof ----

    def kept_from(self):
        """{partition: first offset of the dates that cannot have expired}, by the broker."""
        if self.clock is None:
            return {partition: 0 for partition in range(PARTITIONS)}
        today = self.clock.now() // (DAY_S * SECOND)
        midnight_ms = (today - RETENTION_DAYS + 1) * DAY_S * 1000
        consumer = Consumer({"bootstrap.servers": self.broker.bootstrap, "group.id": "soak"})
        asked = [TopicPartition(self.topic, partition, midnight_ms) for partition in range(PARTITIONS)]
        found = {one.partition: one.offset for one in consumer.offsets_for_times(asked, timeout=60)}
        consumer.close()
        return found

    def prove(self):
        """Every offset is there once, or its date has expired. By `verify`, and by DuckDB over the files of the table."""
        ends, kept_from = self.broker.end_offsets(self.topic), self.kept_from()
        began = time.monotonic()
        document = json.loads(self.command("verify", "--json"))
        took = time.monotonic() - began
        assert document["proven"] and document["faults"] == 0, document
        expired = dict.fromkeys(ends, 0)
        for one in document["partitions"]:
            assert one["lost"] == 0, one
            expired[one["partition"]] += one.get("expired", 0)
        lists = [self.command("files", "--json", *which) for which in ((), ("--rejects",))]
        files = [json.loads(line)["path"] for text in lists for line in text.splitlines()]
        for partition, end in ends.items():
            rows, offsets, newest, kept = duckdb.execute(
                'SELECT count(*), count(DISTINCT "offset"), max("offset"), count(*) FILTER ("offset" >= $2) '
                "FROM read_parquet($1, union_by_name = true) WHERE partition = $3",
                [files, kept_from[partition], partition],
            ).fetchone()
            found = f"partition {partition} to {end}: {rows} rows, {offsets} offsets, newest {newest}, {expired[partition]} expired"
            assert rows == offsets and newest == end - 1, found
            assert kept == end - kept_from[partition], f"{found}; {kept} from {kept_from[partition]} on"
            assert rows + expired[partition] == end, found
        return {"records": sum(ends.values()), "expired": sum(expired.values()), "verify s": round(took, 1)}


# ---- what is written down ----


class Sampler(threading.Thread):
    """Writes down figures of a run until close(). A figure that cannot be read at a moment has no sample there."""

    def __init__(self, run, every_s):
        super().__init__(daemon=True)
        self._run, self._every_s = run, every_s
        self._over = threading.Event()
        self._commits = (0.0, 0.0)
        self.samples = {}  # {figure: [(seconds, value)]}
        self.began = time.monotonic()
        self.start()

    def run(self):
        while not self._over.wait(self._every_s):
            for read in (self._of_process, self._of_commits, self._of_disk):
                with contextlib.suppress(OSError, ValueError, KeyError):  # it is being restarted, or it is frozen
                    now = time.monotonic() - self.began
                    for name, value in read().items():
                        self.samples.setdefault(name, []).append((now, value))

    def close(self):
        self._over.set()
        self.join()

    def _of_process(self):
        place = f"/proc/{self._run.process.pid}"
        with open(f"{place}/status") as file:
            status = dict(line.split(":", 1) for line in file)
        return {
            "RSS MB": int(status["VmRSS"].split()[0]) / 1024,
            "descriptors": len(os.listdir(f"{place}/fd")),
            "threads": int(status["Threads"]),
        }

    def _of_commits(self):
        """Mean of the batches since the last sample."""
        web, timeout = self._run.web()
        text = web.get("/metrics", timeout=timeout).text
        label = r'esports_stream_batch_operation_duration_seconds_{}\{{[^}}]*operation="commit"[^}}]*\}} (\S+)'
        total, count = (float(re.search(label.format(kind), text).group(1)) for kind in ("sum", "count"))
        before, self._commits = self._commits, (total, count)
        if count <= before[1]:  # none, or another process
            return {}
        return {"commit ms": (total - before[0]) / (count - before[1]) * 1000}

    def _of_disk(self):
        lake = self._run.lake
        checkpoint, log = tree(lake.checkpoint("matches")), tree(lake.table("matches") / "_spark_metadata")
        return {
            "checkpoint files": checkpoint[0],
            "checkpoint MB": checkpoint[1] / 1e6,
            "sink log files": log[0],
            "sink log MB": log[1] / 1e6,
            "table files": len(lake.files(lake.table("matches"))),
        }

    def lines(self, limits, begin_s):
        """{figure: its line from a moment on}"""
        return {
            name: flat.line([one for one in self.samples.get(name, []) if one[0] >= begin_s], *limit)
            for name, limit in limits.items()
        }


# ---- faults ----


class Faults:
    """What can happen, each with its end. After it the program works as before."""

    def __init__(self, run, disk, seed):
        self._run, self._disk, self._broker = run, disk, run.broker
        self._random = random.Random(seed)
        self.recovered = {}  # {fault: [seconds]}
        self._bag = []

    def broker_restarted(self):
        self._broker.stop()
        self._broker.start()

    def broker_killed(self):
        self._broker.kill()
        self._broker.start()

    def broker_paused(self):
        self._broker.pause()
        time.sleep(self._random.uniform(1, 4))
        self._broker.resume()

    def connections_reset(self):
        for _ in range(self._random.randrange(1, 4)):
            self._broker.proxy.cut()
            time.sleep(self._random.uniform(0, 0.5))

    def connections_lost_in_a_request(self):
        self._broker.proxy.cut_after(self._random.randrange(1, 2000))
        time.sleep(1)

    def connections_refused(self):
        self._broker.proxy.refuse()
        time.sleep(self._random.uniform(1, 3))
        self._broker.proxy.accept()

    def network_silent(self):
        self._broker.proxy.freeze()
        time.sleep(self._random.uniform(1, 5))
        self._broker.proxy.thaw()

    def disk_full(self):
        self._disk.fill()
        time.sleep(self._random.uniform(1, 4))
        self._disk.free()

    def program_paused(self):
        self._run.process.pause()
        time.sleep(self._random.uniform(1, 4))
        self._run.process.resume()

    def program_killed(self):
        self._run.process.kill()
        self._run.start()

    def program_stopped(self):
        self._run.process.stop()
        self._run.start()

    ENDS_THE_PROCESS = (program_killed, program_stopped)
    OTHERS = (
        broker_restarted,
        broker_killed,
        broker_paused,
        connections_reset,
        connections_lost_in_a_request,
        connections_refused,
        network_silent,
        disk_full,
        program_paused,
    )

    def next(self, may_end):
        """One of each kind in a random order, then again."""
        if not self._bag:
            self._bag = list(self.OTHERS + (self.ENDS_THE_PROCESS * 2 if may_end else ()))
            self._random.shuffle(self._bag)
        fault = self._bag.pop()
        fault(self)
        try:
            took = self._run.await_batches()
        except AssertionError as error:
            raise AssertionError(f"{fault.__name__}: {threads_wait_for(self._run.process.pid)}\n{error}") from error
        self.recovered.setdefault(fault.__name__.replace("_", " "), []).append(took)
        time.sleep(self._random.uniform(0.5, 3))

    def empty_bag(self):
        self._bag = []

    def as_text(self):
        text = "| fault | times | seconds until two batches were committed: median | most |\n|---|---|---|---|\n"
        for name, took in sorted(self.recovered.items()):
            text += f"| {name} | {len(took)} | {statistics.median(took):.1f} | {max(took):.1f} |\n"
        return text


# ---- the parts ----


def top_speed(work, broker, records):
    """Records a second, of an existing topic, from start to exit."""
    topic = broker.create_topic("speed", PARTITIONS)
    broker.generate(topic, "matches", records, PARTITIONS, "--compression", "lz4", "--malformed", 1)
    run = Run(work, broker, topic, TRIGGER="availableNow", COMPACT="off", RETENTION="off", SPARK_UI_PORT=0)
    began = time.monotonic()
    run.command()
    took = time.monotonic() - began
    broker.delete_topic(topic)
    return records / took


def pass_time(run, wait_s=10):
    """Six hours. A look at the table that lasts for hours would put off the next one."""
    web, timeout = run.web()
    deadline = time.monotonic() + wait_s
    with contextlib.suppress(OSError, AssertionError, KeyError, ValueError):
        while time.monotonic() < deadline and web.query()["care"]["busy"]:
            time.sleep(0.02)
    run.clock.move_to(run.clock.now() + JUMP_S * SECOND)


def live(run, faults, until, day_s, may_end):
    faults.empty_bag()
    next_jump = time.monotonic()
    while time.monotonic() < until:
        if time.monotonic() >= next_jump:
            pass_time(run)
            run.await_batches(1)
            next_jump = time.monotonic() + day_s * JUMP_S / DAY_S
        faults.next(may_end)


def endurance(work, broker, top, options):
    """(text, failures); `top`: records a second."""
    rate = int(top * options.share)
    total_s = options.minutes * 60
    day_s = max(12, min(60, total_s / 12))
    clock = Clock(work / "clock")
    topic = broker.create_topic(
        "soak", PARTITIONS, message_timestamp_after_max_ms=2**62, retention_bytes=1 << 30, segment_bytes=1 << 26
    )
    with Disk(work) as disk:
        run = Run(work / "soak", broker, topic, clock, broker.proxied, disk.place / "lake")
        faults = Faults(run, disk, options.seed)
        try:
            run.start()
            run.load(rate)
            run.await_batches(3)
            sampler = Sampler(run, 1 if total_s < 1200 else 2)
            first_day = clock.now() // (DAY_S * SECOND)
            live(run, faults, time.monotonic() + total_s / 2, day_s, may_end=True)
            run.process.stop()
            run.start()
            run.await_batches()
            second_half = time.monotonic() - sampler.began
            live(run, faults, time.monotonic() + total_s / 2, day_s, may_end=False)
            sampler.close()
            assert run.stop_load(), "the generator ended"
            run.await_end()
            proof = run.prove()
            run.process.stop()
        finally:
            run.end()
        days = clock.now() // (DAY_S * SECOND) - first_day
    lines = sampler.lines(OF_THE_PROCESS, second_half + total_s * 0.1)
    lines |= sampler.lines(OF_THE_DISK, total_s / 4)
    text = f"{options.minutes:g} minutes, {days} days of the program's time, {rate:,} records a second ({options.share:.0%} of the top "
    text += f"speed, which was measured in the same run); {proof['records']:,} records, of which {proof['expired']:,} have expired. `verify` is clean "
    text += f"({proof['verify s']} s). DuckDB finds every other offset once.\n\n{flat.as_text(lines)}\n"
    text += "RSS, descriptors and threads are of the process that lived through the second half.\n\n" + faults.as_text()
    return text, [f"{name} grows: {one}" for name, one in lines.items() if one.verdict == "grows"]


def watch(run, seconds):
    """[(seconds, RSS MB)] and [(seconds, lag)], once a second."""
    began, memory, lags = time.monotonic(), [], []
    while (now := time.monotonic() - began) < seconds:
        memory.append((now, soak_limits.rss_mb(run.process.pid)))
        lags.append((now, run.lag()))
        time.sleep(1)
    return memory, lags


def cpu_s(pid):
    with open(f"/proc/{pid}/stat") as file:
        user, system = file.read().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def overload(work, broker, top, options):
    rate = int(top * OVERLOAD_SHARE)
    topic = broker.create_topic("overload", PARTITIONS)
    run = Run(work / "overload", broker, topic, RETENTION="off", COMPACT="off")
    try:
        run.start()
        run.load(rate)
        run.await_batches(options.hold_s // 4)
        cpu_began_s, began = cpu_s(run.process.pid), time.monotonic()
        before = watch(run, 10)
        needed = (cpu_s(run.process.pid) - cpu_began_s) / (time.monotonic() - began)
        share = round(max(0.01, min(HELD_MOST, needed / 3)), 3)  # a hundredth is the least that the kernel takes
        with CpuLimit(run.process.pid, share) as limit:
            held, lags = watch(run, options.hold_s)
            throttled = limit.throttled()
        began = time.monotonic()
        run.process.wait_until(lambda: run.lag() < rate * 3, 600, "the lag of a few triggers")
        caught_up_s = time.monotonic() - began
        assert run.stop_load(), "the generator ended"
        run.await_end()
        run.prove()
        peak = soak_limits.peak_mb(run.process.pid)
        run.process.stop()
    finally:
        run.end()
    line = flat.line([one for one in held if one[0] >= options.hold_s / 5], 0.1, OVERLOAD_MORE_MB)
    thirds = [statistics.median(lag for _, lag in lags[i * len(lags) // 3 : (i + 1) * len(lags) // 3]) for i in range(3)]
    wrong = []
    if not thirds[0] < thirds[1] < thirds[2] or throttled == 0:
        wrong.append(f"overload: the program kept up with {share} of a processor: {lags}")
    if line.verdict == "grows" or peak > BUDGET_MB:
        wrong.append(f"overload: memory grows: {line}, peak {peak} MB")
    text = f"{rate:,} records a second, {options.hold_s} s with {share} of a processor; it needs {needed:.2f}. The lag before: {before[1][-1][1]:,}; in each third "
    text += f"of that time: {', '.join(f'{one:,.0f}' for one in thirds)} offsets. It was gone after {caught_up_s:.0f} s. Memory before: "
    text += f"{before[0][-1][1]:.0f} MB; meanwhile:\n\n{flat.as_text({'RSS MB': line})}\n"
    text += f"Peak of the process, catching up included: {peak:.0f} MB of {BUDGET_MB}. `verify` and DuckDB find every offset once.\n"
    return text, wrong


PARTS = {
    "endurance": endurance,
    "overload": overload,
    "partitions": lambda work, broker, top, options: soak_limits.many_partitions(work, broker, options.partitions),
    "batches": lambda work, broker, top, options: soak_limits.many_batches(work, options.batches),
}
TITLES = {
    "endurance": "Endurance",
    "overload": "Overload",
    "partitions": "Many partitions",
    "batches": "Many batches of one record",
}


def measure(work, options):
    """(text, failures)"""
    text, wrong, top = "", [], 0
    with ProxiedBroker(work / "kafka") as broker, broker.proxy:
        if {"endurance", "overload"} & set(options.parts):
            top = top_speed(work / "speed", broker, options.records)
        for part in options.parts:
            found, failed = PARTS[part](work / part, broker, top, options)
            print(f"## {TITLES[part]}\n\n{found}", flush=True)
            text += f"## {TITLES[part]}\n\n{found}\n"
            wrong += failed
    return text, wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60, help="of the part `endurance`")
    parser.add_argument("--hold-s", type=int, default=60, help="how long `overload` holds the program back")
    parser.add_argument("--partitions", type=int, default=2000)
    parser.add_argument("--batches", type=int, default=10_000)
    parser.add_argument("--records", type=int, default=2_000_000, help="that the top speed is measured with")
    parser.add_argument("--share", type=float, default=0.2, help="of the top speed, which is the load of endurance")
    parser.add_argument("--seed", type=int, default=1, help="of the order of faults")
    parser.add_argument("--parts", type=lambda text: text.split(","), default=list(PARTS), help=",".join(PARTS))
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "bench" / "results" / "soak.md")
    options = parser.parse_args()

    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by a signal"))  # and cleans up
    from run import commit, machine

    measured, began = commit(), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="esports-soak-") as work:
        for part in options.parts:
            (pathlib.Path(work) / part).mkdir()
        text, wrong = measure(pathlib.Path(work), options)
    if wrong:
        sys.exit("\n".join(wrong))
    text += f"Seed {options.seed}; measured in {(time.monotonic() - began) / 60:.0f} minutes ({machine()}, {measured}; `bench/soak.py`)\n"
    options.output.write_text(text)


if __name__ == "__main__":
    main()
