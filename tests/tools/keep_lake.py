"""Keeps a lake as a released program leaves it, for tests/stories/test_upgrades.py.

    .venv/bin/python tests/tools/keep_lake.py --program PATH_OF_THAT_RELEASE/esports-stream

It writes tests/data/lake-VERSION.tar.xz and the records that the lake was made of,
tests/data/lake-VERSION.jsonl. The absolute path of the lake, which is in the sink log and in our own
files, becomes @LAKE@.

The lake holds what a later release must understand: batches folded into a coverage file, a compact
file of the sink log, rejects, a replay of rejects, merged files (from 0.4.0 on), a batch that was killed after its
manifest, and two incarnations of the players' topic (the lake of 0.1.0, which did not know of them, has one)."""

import argparse
import json
import pathlib
import subprocess
import sys
import tarfile
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition  # noqa: E402
from rig import faults  # noqa: E402
from rig.broker import Broker  # noqa: E402
from rig.faults import Fault, Point  # noqa: E402
from rig.job import Job  # noqa: E402
from rig.lake import Lake, without_checksum  # noqa: E402
from rig.program import Program  # noqa: E402

PLACE = b"@LAKE@"
PARTITIONS = 2


def records(broker, topic):
    """Every record of the topic, in the order of its partitions and offsets."""
    consumer = Consumer({"bootstrap.servers": broker.bootstrap, "group.id": "keep", "enable.auto.commit": False})
    for partition, end in broker.end_offsets(topic).items():
        consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING)])
        for offset in range(end):
            message = consumer.poll(30)
            assert message is not None and not message.error() and message.offset() == offset
            key, value = message.key(), message.value()
            yield {
                "topic": topic,
                "partition": partition,
                "timestamp": message.timestamp()[1],
                "key": None if key is None else key.decode(),
                "value": None if value is None else value.decode(),
            }
    consumer.close()


def write_lake(job, tmp):
    settings = {"MAX_OFFSETS_PER_TRIGGER": 1}
    for kind in job.topics:
        job.broker.generate(job.create_topic(kind, PARTITIONS), kind, 24, PARTITIONS, "--malformed", 15)
        job.produce([None, ("a key", "[1, 2]"), '{"no": "identifier"}'], kind)
    for partition in range(PARTITIONS):  # more than the hundred batches whose manifests are kept
        job.produce([f'{{"match_id": "{n}", "status": "live"}}' for n in range(95)], partition=partition)
    job.run("--job", "all", timeout=300, **settings)
    # The players' topic is created again and is shorter, so that no topic ids are needed to notice it.
    job.broker.generate(job.create_topic_again("players", PARTITIONS), "players", 8, PARTITIONS, start=100)
    job.produce(['{"no": "identifier"}'], "players")
    job.run("--job", "players", FAIL_ON_DATA_LOSS="false", **settings)
    newest = job.lake.checkpoint("players") / "manifests" / str(job.lake.batches("players", "manifests")[-1])
    assert newest.read_text().startswith("v4\n")
    job.program.run("rejects", "replay", "--job", "matches", **{**job.settings, "PARSE_MODE": "permissive"})
    job.program.run("compact", "--job", "matches", **job.settings)
    job.produce([f'{{"match_id": "late {n}", "status": "live"}}' for n in range(3)])
    # Killed behind a manifest: the next start finishes this batch.
    commit = f"checkpoints/match_stream/commits/.{job.lake.batches('matches')[-1] + 1}.tmp"
    words = faults.injecting(Fault(Point("openat", commit, 1), "signal=KILL"), job.lake.root, tmp / "strace")
    process = job.start(under=[*words, "-f"], TRIGGER="availableNow")
    process.wait_exit(60)
    assert job.lake.batches("matches", "manifests")[-1] > job.lake.batches("matches")[-1]
    assert job.lake.batches("matches", "coverage")


def keep(lake, to):
    """The lake as an archive: the same bytes for the same lake. Another path needs other checksums,
    so the files that have the path go without."""
    for path in lake.root.rglob("*"):
        content = path.read_bytes() if path.is_file() and path.suffix != ".parquet" else b""
        if str(lake.root).encode() in content:
            moved = content.replace(str(lake.root).encode(), PLACE).decode()
            path.write_bytes(without_checksum(moved).encode())

    def plain(member):
        member.uid = member.gid = member.mtime = 0
        member.uname = member.gname = ""
        return member

    with tarfile.open(to, "w:xz", preset=9) as archive:
        archive.add(lake.root, "lake", filter=plain)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--program", type=pathlib.Path, required=True)
    program = parser.parse_args().program.resolve()
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    with tempfile.TemporaryDirectory() as directory:
        tmp = pathlib.Path(directory)
        with Broker(tmp / "broker") as broker:
            job = Job(Program(program, tmp / "runs"), Lake(tmp / "lake"), broker)
            job.topics = {kind: f"{kind}-of-{version}" for kind in job.topics}
            job.settings |= {f"KAFKA_TOPIC_{kind.upper()}": name for kind, name in job.topics.items()}
            write_lake(job, tmp)
            lines = [json.dumps(one) for name in job.topics.values() for one in records(broker, name)]
        keep(job.lake, ROOT / "tests/data" / f"lake-{version}.tar.xz")
    (ROOT / "tests/data" / f"lake-{version}.jsonl").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
