"""Lakes that earlier releases wrote (tests/tools/keep_lake.py), under today's program."""

import json
import tarfile

import pytest
from rig.broker import must_be_delivered
from rig.lake import QUERIES, Lake
from rig.paths import ROOT

KEPT = sorted(path.name.removeprefix("lake-").removesuffix(".tar.xz") for path in (ROOT / "tests/data").glob("lake-*.xz"))
# Not compared: when a row was written, which its record does not decide, and the sentence for a
# reject, which a release may reword. Its reason and its position are compared.
WRITTEN = {"processing_timestamp", "detail"}


def unpack(version, root):
    """The kept lake, at another absolute path."""
    with tarfile.open(ROOT / "tests/data" / f"lake-{version}.tar.xz") as archive:
        archive.extractall(root.parent)
    for path in root.rglob("*"):
        if path.is_file() and path.suffix != ".parquet":
            path.write_bytes(path.read_bytes().replace(b"@LAKE@", str(root).encode()))


def produce_again(job, version):
    """The same records at the same offsets, with the same times; those are ahead of a clock that is late."""
    records = [json.loads(line) for line in (ROOT / "tests/data" / f"lake-{version}.jsonl").open()]
    for topic in job.topics.values():
        partitions = 1 + max(one["partition"] for one in records if one["topic"] == topic)
        job.broker.create_topic(topic, partitions, message_timestamp_after_max_ms=1 << 62)
    producer = job.broker.producer()
    for one in records:
        producer.produce(**one, on_delivery=must_be_delivered)
        producer.poll(0)
    assert producer.flush(60) == 0


def contents(lake, kind):
    """Every row of the table, and every reject that no row was made of, by partition, offset and Kafka's
    timestamp: a topic that was created again has the same offsets, but not at the same time."""

    def by_place(directory):
        found = lake.rows(directory)
        by = {(row["partition"], row["offset"], row["kafka_timestamp"]): row for row in found}
        assert len(by) == len(found)
        return by

    rows, rejects = by_place(lake.table(kind)), by_place(lake.rejects(kind))
    found = rejects | rows
    return {
        place: {name: value for name, value in row.items() if name not in WRITTEN} for place, row in found.items()
    }


def accept_cluster(job, kind):
    """The lake's topics are in another Kafka cluster now, with the same records at the same offsets."""
    if (job.lake.checkpoint(kind) / "kafka").exists():  # since 0.2.0
        cluster = job.broker.admin.list_topics(timeout=30).cluster_id
        job.program.run("adopt", "--job", kind, "--cluster", cluster, **job.settings)


def check_contents(job, kind, kept, now, fresh):
    """Everything that was kept is unchanged, the two new records are there, and today's program makes
    the same rows and rejects of all records that are still in Kafka."""
    made = contents(fresh, kind)
    places = [(part, at) for part, end in job.broker.end_offsets(job.topics[kind]).items() for at in range(end)]
    assert sorted(place[:2] for place in made) == sorted(places)
    assert now.keys() == kept.keys() | made.keys() and len(now) == len(kept) + 2
    assert kept.items() <= now.items()
    both = kept.keys() & made.keys()
    assert len(both) == len(made) - 2
    assert {place: made[place] for place in both} == {place: kept[place] for place in both}


@pytest.mark.parametrize("version", KEPT)
def test_a_lake_of_an_earlier_release_opens_runs_on_and_verifies(job, version):
    job.topics = {kind: f"{kind}-of-{version}" for kind in QUERIES}
    job.settings |= {f"KAFKA_TOPIC_{kind.upper()}": topic for kind, topic in job.topics.items()}
    unpack(version, job.lake.root)
    produce_again(job, version)
    kept = {kind: contents(job.lake, kind) for kind in QUERIES}
    newest = {kind: job.lake.batches(kind, "manifests")[-1] for kind in QUERIES}
    for kind in QUERIES:
        accept_cluster(job, kind)

    # Read-only callers first: on the files as that release left them.
    verified = job.program.run("verify", "--job", "players", **job.settings)
    assert verified.lines("^player_stream: every offset is present exactly once$")
    for kind in QUERIES:
        job.produce([f'{{"{kind[:-1]}_id": "new"}}', "no JSON"], kind, partition=1)
    job.run("--job", "all")

    verified = job.program.run("verify", "--job", "all", **job.settings)
    for kind, query in QUERIES.items():
        assert verified.lines(f"^{query}: every offset is present exactly once$")
        assert job.lake.batches(kind)[-1] == newest[kind] + 1  # one batch for the new records
        job.lake.assert_listed(kind)
    fresh = Lake(job.lake.root.with_name("fresh"))
    for kind, mode in (("matches", "permissive"), ("players", "reject")):
        job.run("--job", kind, DATA_LAKE_PATH=fresh.root, PARSE_MODE=mode)
        check_contents(job, kind, kept[kind], contents(job.lake, kind), fresh)


def test_a_kept_lake_has_every_kind_of_file_of_its_release():
    """Manifests of versions 1 and 2, with replayed rejects; since 0.2.0 also of version 4, from a topic that was
    created again."""
    for version in KEPT:
        with tarfile.open(ROOT / "tests/data" / f"lake-{version}.tar.xz") as archive:
            manifests = {
                archive.extractfile(member).readline() for member in archive if "/manifests/" in member.name
            }
        assert manifests == {b"v1\n", b"v2\n"} | ({b"v4\n"} if version != "0.1.0" else set()), version
