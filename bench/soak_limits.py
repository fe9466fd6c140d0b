"""Parts of bench/soak.py: a topic of very many partitions, and very many batches of one record. Neither may cost more
per batch the longer it runs, beyond what is documented."""

import os
import pathlib
import statistics
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

import duckdb  # noqa: E402
from confluent_kafka.admin import NewTopic  # noqa: E402
from rig.lake import Lake  # noqa: E402
from rig.program import Program  # noqa: E402

PROGRAM = ROOT / "build" / "release" / "esports-stream"
BUDGET_MB = 256
SLOWER_MOST = 2  # times: a batch of the last fifth, compared with one of the second fifth
RSS_MORE_MB = 16  # in the same comparison
LOGGED = 100  # batches that offsets/ and commits/ keep, as Spark does


def _status_mb(pid, name):
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(name + ":")) / 1024


def rss_mb(pid):
    return _status_mb(pid, "VmRSS")


def peak_mb(pid):
    return _status_mb(pid, "VmHWM")


def sizes(directory):
    """{first directory below: bytes}"""
    found = {}
    for place, _, names in os.walk(directory):
        top = pathlib.Path(place).relative_to(directory).parts[:1]
        for name in names:
            try:
                size = os.lstat(os.path.join(place, name)).st_size
            except FileNotFoundError:  # it is an old one by now
                continue
            found["/".join(top)] = found.get("/".join(top), 0) + size
    return found


def newest_commit(lake):
    return max(lake.batches("matches"), default=-1)


def follow(process, lake, every):
    """What a run needs, every so many batches: [(batch, seconds, RSS MB, bytes of the checkpoint by directory)]; and its
    peak in MB."""
    found, began, peak = [], time.monotonic(), 0
    while process.poll() is None:
        newest = newest_commit(lake)
        if newest >= (found[-1][0] + every if found else 0):
            try:
                memory, peak = rss_mb(process.pid), peak_mb(process.pid)
            except (OSError, StopIteration):  # it has just ended
                break
            found.append((newest, time.monotonic() - began, memory, sizes(lake.checkpoint("matches"))))
        time.sleep(0.02)
    process.wait_exit(60, 0)
    return found, peak


def ms_a_batch(found, first, last):
    """Of the batches in this part of the run, from 0 to 1."""
    part = found[int(first * (len(found) - 1))], found[int(last * (len(found) - 1))]
    return (part[1][1] - part[0][1]) * 1000 / (part[1][0] - part[0][0])


def compare(name, found):
    """(text, failures): the last fifth of a run compared with the second, when all is warm."""
    early, late = found[len(found) // 5 : 2 * len(found) // 5], found[4 * len(found) // 5 :]
    took = ms_a_batch(found, 0.2, 0.4), ms_a_batch(found, 0.8, 1)
    memory = [statistics.median(one[2] for one in part) for part in (early, late)]
    kept = [statistics.median(sum(one[3].values()) - one[3].get("history", 0) for one in part) for part in (early, late)]
    history = [statistics.median(one[3].get("history", 0) for one in part) for part in (early, late)]
    batches = late[-1][0] - early[0][0]
    text = "| | second fifth | last fifth |\n|---|---|---|\n"
    text += f"| ms a batch | {took[0]:.1f} | {took[1]:.1f} |\n| RSS MB | {memory[0]:.1f} | {memory[1]:.1f} |\n"
    text += f"| checkpoint without history, kB | {kept[0] / 1e3:,.1f} | {kept[1] / 1e3:,.1f} |\n"
    text += f"| its history, kB | {history[0] / 1e3:,.1f} | {history[1] / 1e3:,.1f} |\n"
    wrong = []
    if took[1] > took[0] * SLOWER_MOST + 2:
        wrong.append(f"{name}: a batch took {took[0]:.1f} ms, {batches} batches later {took[1]:.1f}")
    if memory[1] > memory[0] + RSS_MORE_MB:
        wrong.append(f"{name}: {memory[0]:.0f} MB, {batches} batches later {memory[1]:.0f}")
    # offsets/, commits/ and manifests/ have up to 200 batches between two clean-ups.
    if kept[1] > kept[0] * 1.25 and found[-1][0] > 10 * LOGGED:
        wrong.append(f"{name}: {kept[0]:.0f} bytes in the checkpoint, {batches} batches later {kept[1]:.0f}")
    return text, wrong


def prove(program, lake, records, settings):
    program.run("verify", "--job", "matches", timeout=600, **settings)
    files = [str(path) for where in (lake.table("matches"), lake.rejects("matches")) for path in lake.files(where)]
    found = duckdb.execute(
        'SELECT count(*), count(DISTINCT (partition, "offset")) FROM read_parquet($1, union_by_name = true)', [files]
    ).fetchone()
    assert found == (records, records), (found, records)


def measure(work, name, records, batches, settings):
    lake, program = Lake(work / "lake"), Program(PROGRAM, work / "runs")
    settings = {
        "DATA_LAKE_PATH": lake.root,
        "SPARK_DRIVER_MEMORY": f"{BUDGET_MB}m",
        "SPARK_MASTER_URL": "local[2]",
        "TRIGGER": "availableNow",
        "LOG_LEVEL": "WARNING",
        "MAX_OFFSETS_PER_TRIGGER": records // batches,
        **settings,
    }
    began = time.monotonic()
    process = program.start("--job", "matches", **settings)
    try:
        found, peak = follow(process, lake, max(1, batches // 200))
    finally:
        program.end_all()
    took = time.monotonic() - began
    text, wrong = compare(name, found)
    newest = newest_commit(lake)
    if newest + 1 < batches:
        wrong.append(f"{name}: {newest + 1} batches, expected {batches}")
    if peak > BUDGET_MB:
        wrong.append(f"{name}: {peak:.0f} MB of {BUDGET_MB}")
    prove(program, lake, records, settings)
    by_directory = ", ".join(f"{place or 'files'} {size / 1e3:,.1f}" for place, size in sorted(sizes(lake.checkpoint("matches")).items()))
    text += f"\n{newest + 1:,} batches in {took:.0f} s; at most {peak:.0f} MB of {BUDGET_MB}. "
    text += f"The checkpoint at the end, in kB: {by_directory}. `verify` and DuckDB find every offset once.\n"
    return text, wrong


def create_wide_topic(broker, partitions):
    """The broker needs a moment for a thousand partitions."""
    topic = NewTopic("wide", num_partitions=partitions, replication_factor=1)
    for future in broker.admin.create_topics([topic], operation_timeout=300, request_timeout=300).values():
        future.result(300)
    deadline = time.monotonic() + 300
    while True:
        found = broker.admin.list_topics("wide", timeout=60).topics["wide"].partitions
        if len(found) == partitions and all(one.leader >= 0 for one in found.values()):
            return "wide"
        assert time.monotonic() < deadline, "the topic has no leaders"
        time.sleep(0.5)


def many_partitions(work, broker, partitions, batches=50, of_each=4):
    """Each batch has `of_each` records of every partition."""
    topic, records = create_wide_topic(broker, partitions), partitions * of_each * batches
    broker.generate(topic, "matches", records, partitions, "--malformed", 0)
    settings = {"KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap, "KAFKA_TOPIC_MATCHES": topic}
    text, wrong = measure(work, f"{partitions} partitions", records, batches, settings)
    return f"{partitions:,} partitions, {records // batches:,} records a batch.\n\n{text}", wrong


def many_batches(work, batches):
    """From a capture, so that the time is the program's own."""
    (work / "capture").mkdir(parents=True)
    lines = "".join(f'{{"match_id":"m{number}","status":"live"}}\n' for number in range(batches))
    (work / "capture" / "esports-matches-0.ndjson").write_text(lines)
    text, wrong = measure(work, "batches of one record", batches, batches, {"KAFKA_BOOTSTRAP_SERVERS": f"file:{work / 'capture'}"})
    return f"One record a batch, from a capture.\n\n{text}", wrong
