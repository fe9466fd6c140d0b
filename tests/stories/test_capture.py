"""The whole engine on captured records, without a broker: also under the thread sanitizer, which
cannot look into librdkafka."""

import concurrent.futures
import subprocess

import pyarrow.parquet
import pytest
from rig import item_documents
from rig.broker import free_ports
from rig.lake import QUERIES
from rig.paths import GEN
from rig.web import Web

pytestmark = [pytest.mark.capture, pytest.mark.sanitized]

PARTITIONS = 4
RECORDS = 5000  # per partition


@pytest.fixture
def capture(tmp_path):
    """The settings of a run on both topics' captures."""
    directory = tmp_path / "capture"
    directory.mkdir()
    for kind in ("matches", "players"):
        for partition in range(PARTITIONS):
            command = [GEN, "--stdout", "--quiet", "--type", kind, "--count", RECORDS]
            command += ["--start", partition * RECORDS, "--malformed", 5]
            with open(directory / f"esports-{kind}-{partition}.ndjson", "wb") as out:
                subprocess.run([str(word) for word in command], stdout=out, check=True)
    return {
        "KAFKA_BOOTSTRAP_SERVERS": f"file:{directory}",
        "SPARK_MASTER_URL": "local[4]",
        "MAX_OFFSETS_PER_TRIGGER": 3000,
        "STATUS_INTERVAL": "1s",
    }


def assert_exact(lake):
    for kind in ("matches", "players"):
        lake.assert_holds(kind, {partition: RECORDS for partition in range(PARTITIONS)})
        lake.assert_listed(kind)
        assert lake.leftovers(kind) == []


def test_a_capture_is_read_to_its_end(program, lake, capture):
    program.run(TRIGGER="availableNow", DATA_LAKE_PATH=lake.root, **capture)

    assert_exact(lake)


def test_a_run_that_is_stopped_and_started_reads_it_too(program, lake, capture):
    capture["DATA_LAKE_PATH"] = lake.root
    process = program.start(TRIGGER="0 seconds", **capture)
    process.wait_until(lambda: lake.batches("players"), what="a batch")
    process.stop()

    process = program.start(TRIGGER="0 seconds", **{**capture, "MAX_OFFSETS_PER_TRIGGER": 0})
    ends = {partition: RECORDS for partition in range(PARTITIONS)}
    for kind in ("matches", "players"):
        process.wait_until(
            lambda: lake.batches(kind) and lake.planned_ends(kind, lake.batches(kind)[-1]) == ends,
            60,
            f"all {kind}",
        )
    process.stop()

    assert_exact(lake)


def test_a_capture_is_read_while_it_is_watched(program, lake, capture):
    """Every view again and again, from two callers at once."""
    process = program.start(
        TRIGGER="100 ms", DATA_LAKE_PATH=lake.root, SPARK_UI_PORT=free_ports(1)[0], **capture
    )
    web = Web(process)
    views = ("", "/progress", "/batches", "/history", "/rejects", "/files", "/schema")

    def watch(name):
        rows = 0
        while rows < PARTITIONS * RECORDS * 9 // 10:  # the rest is rejects
            for view in views:
                web.query(name, view)
            web.json("/api/v1/queries")
            assert web.get("/readyz").status == 200
            rows = web.query(name)["totals"]["rows"]

    with concurrent.futures.ThreadPoolExecutor() as pool:
        for done in [pool.submit(watch, name) for name in QUERIES.values()]:
            done.result(100)
    process.wait_until(lambda: sum(lake.account("matches").values()) == PARTITIONS * RECORDS)
    process.wait_until(lambda: sum(lake.account("players").values()) == PARTITIONS * RECORDS)
    process.stop()
    assert_exact(lake)


def test_a_query_that_explodes_and_filters_has_the_rows_that_the_documents_say(program, lake, tmp_path):
    """Four workers, whose batches are cut in the middle of files; both modes."""
    values = {
        partition: [item_documents.document(1000 * partition + number) or b"" for number in range(200)]
        for partition in range(PARTITIONS)
    }
    for partition, lines in values.items():
        (tmp_path / f"riot-{partition}.ndjson").write_bytes(b"".join(line + b"\n" for line in lines))
    file = tmp_path / "items.sql"
    file.write_text(item_documents.FILE)
    names = ["partition", "offset", "pos", "slot"]
    for mode in ("reject", "permissive"):
        lake.root = tmp_path / mode
        program.run(
            "--job",
            "items",
            QUERIES_PATH=file,
            TRIGGER="availableNow",
            PARSE_MODE=mode,
            KAFKA_BOOTSTRAP_SERVERS=f"file:{tmp_path}",
            DATA_LAKE_PATH=lake.root,
            SPARK_MASTER_URL="local[4]",
            MAX_OFFSETS_PER_TRIGGER=170,
        )
        account = item_documents.account_of(values, permissive=mode == "permissive")
        rows = []
        for path in lake.files(lake.table("items")):
            table = pyarrow.parquet.ParquetFile(path).read(columns=names)
            rows += zip(*(table[name].to_pylist() for name in names))
        assert len(rows) == len(account.rows) and set(rows) == account.rows
        if mode == "reject":
            assert set(lake.keys(lake.rejects("items"))) == account.rejects
        lake.assert_listed("items")
        assert lake.leftovers("items") == []
