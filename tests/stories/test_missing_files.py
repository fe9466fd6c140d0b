"""Files of a table that are gone, and a lake that was copied: how a start and real Spark handle it."""

import re
import shutil

import pyarrow
import pytest
from pyarrow import parquet
from rig.broker import free_ports
from rig.lake import Lake
from rig.web import Web

KIND = "matches"


def status(job, exit_code=0):
    return job.run("status", "--job", "matches", exit_code=exit_code).log()


def merge_by_hand(paths, kept):
    """Writes the rows of the files into one and moves the files away."""
    merged = paths[0].with_name("merged.parquet")
    parquet.write_table(pyarrow.concat_tables(parquet.ParquetFile(path).read() for path in paths), merged)
    kept.mkdir()
    for path in paths:
        path.rename(kept / path.name)
    return merged


def test_files_that_were_merged_by_hand_are_reported_once_and_come_back_from_a_backup(job, spark, tmp_path):
    topic = job.create_topic()
    job.broker.generate(topic, KIND, 200, 1)
    job.run(MAX_OFFSETS_PER_TRIGGER=40)
    table, kept = job.lake.table(KIND), tmp_path / "kept"
    leaf = max(table.glob("status=*"), key=lambda directory: len(list(directory.iterdir())))
    paths = sorted(leaf.glob("*.parquet"))
    assert len(paths) > 3
    merged = merge_by_hand(paths, kept)
    with pytest.raises(Exception, match="does not exist"):
        spark.read.parquet(str(table)).count()

    job.broker.generate(topic, KIND, 20, 1, start=200)
    job.run(MISSING_FILES="stop", exit_code=5)
    assert job.lake.batches(KIND)[-1] == 4  # the records that wait were not touched

    process = job.start(TRIGGER="1 second", SPARK_UI_PORT=free_ports(1)[0])
    job.wait_committed(process, {0: 220})  # it continues
    said = process.wait_log(r"\| ERROR \| .* missing")
    assert f"{len(paths)} files that the sink log lists are missing from table '{table}': " in said
    assert len(re.findall(re.escape(leaf.name) + r"/part-[^,;]*\.parquet", said)) == 3
    assert "Restore them from a backup" in said
    web = Web(process)
    query = web.query()
    assert query["missingFiles"] == len(paths)
    assert (query["health"]["state"], query["health"]["severity"]) == ("degraded", "critical")
    shown = status(job, exit_code=13)
    assert re.search(rf"^  health +degraded since .*: {len(paths)} files of the table are missing: ", shown, re.M)
    assert re.search(r"^  action +Restore the files from a backup", shown, re.M)
    assert f'esports_stream_missing_files{{query="match_stream"}} {len(paths)}' in web.get("/metrics").text
    process.stop()
    assert len(process.lines("are missing")) == 1  # and not once more by the judge of health

    merged.unlink()
    for path in paths:
        (kept / path.name).rename(path)
    process = job.run(MISSING_FILES="stop")
    assert not process.lines("missing from table")
    job.assert_exact()
    assert spark.read.parquet(str(table)).count() == 220


def test_what_no_backup_has_comes_from_kafka_again_by_a_rewind(job):
    topic = job.create_topic()
    job.broker.generate(topic, KIND, 60, 1)
    job.run(MAX_OFFSETS_PER_TRIGGER=20)
    before = set(job.lake.files(job.lake.table(KIND)))
    job.broker.generate(topic, KIND, 40, 1, start=60)
    job.run(MAX_OFFSETS_PER_TRIGGER=20)
    lost = set(job.lake.files(job.lake.table(KIND))) - before
    for path in lost:
        path.unlink()
    assert job.run().lines(rf"ERROR \| .*{len(lost)} files? that the sink log lists")

    job.run("rewind", "--job", "matches", "--to-batch", "2")
    assert not job.run(MISSING_FILES="stop").lines("missing from table")
    job.assert_exact()


def test_a_table_without_a_sink_log_is_checked_by_its_manifests(job):
    job.settings["SINK_LOG"] = "off"
    job.create_topic()
    job.produce(['{"match_id": "M1", "status": "live"}'])
    job.run()
    (path,) = job.lake.files(job.lake.table(KIND))
    path.unlink()
    (said,) = job.run().lines(r"\| ERROR \| ")
    assert "1 file that the checkpoint's manifests name is missing" in said and f": status=live/{path.name}; " in said
    process = job.run(MISSING_FILES="stop", exit_code=5)
    assert process.lines(r"CRITICAL \| Query failed: MISSING_FILES=stop: 1 file that the")


def test_spark_reads_a_copied_lake_at_its_old_path_until_it_is_relocated(job, spark, tmp_path):
    job.create_topic()
    job.produce(['{"match_id": "M1", "status": "live"}'])
    job.run()
    old, copy = job.lake, Lake(tmp_path / "copy")
    shutil.copytree(old.root, copy.root)

    def read_from(path="", **options):
        frame = spark.read.options(**options).parquet(f"{copy.table(KIND)}{path}")
        assert frame.select("status", "match_id").collect() == [("live", "M1")]
        (source,) = {row[0] for row in frame.selectExpr("input_file_name()").collect()}
        return source

    assert f"{old.table(KIND)}/" in read_from()  # without an error
    assert f"{copy.table(KIND)}/" in read_from("/*/*.parquet", basePath=copy.table(KIND))
    job.lake, job.settings["DATA_LAKE_PATH"] = copy, copy.root
    job.run("relocate", "--job", "matches")
    assert f"{copy.table(KIND)}/" in read_from()
    job.assert_exact()
