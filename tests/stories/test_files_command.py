"""`files`: the files of a table at one moment, read by DuckDB, pyarrow and Polars while files leave the table; and
what happens to the names in manifests once files were compacted or changed by somebody else."""

import json
import pathlib
import shutil
import threading
import urllib.parse

import duckdb
import polars
import pyarrow.dataset
import pyarrow.parquet
import pytest
from rig.lake import Lake

KIND = "matches"


def lines(process):
    return process.log().splitlines()


def command(job, *words, exit_code=0, **settings):
    words = [*words, "--job", KIND]
    return job.program.run(*words, timeout=120, exit_code=exit_code, **{**job.settings, **settings})


def files(job, *options, **settings):
    return lines(command(job, "files", *options, **settings))


def run_batches(job, count, each=10, start=0):
    """Batches of `each` records from two partitions, and a reject in each batch."""
    topic = job.topics[KIND]
    job.broker.generate(topic, KIND, count * each, 2, start=start)
    job.run(MAX_OFFSETS_PER_TRIGGER=each, timeout=120)


def count_with(reader, paths):
    if reader == "duckdb":
        query = f"select count(*), count(distinct (partition, \"offset\")) from read_parquet({paths}, hive_partitioning = true)"
        return duckdb.sql(query).fetchall()[0]
    if reader == "pyarrow":
        frame = pyarrow.dataset.dataset(paths, partitioning="hive").to_table(columns=["partition", "offset", "status"])
    else:
        frame = polars.scan_parquet(paths, hive_partitioning=True, glob=False)
        frame = frame.select("partition", "offset", "status").collect().to_arrow()
    return len(frame), len(set(zip(frame["partition"].to_pylist(), frame["offset"].to_pylist())))


def value_of(path):
    value = urllib.parse.unquote(pathlib.Path(path).parent.name.split("=")[1])
    return None if value == "__HIVE_DEFAULT_PARTITION__" else value


READERS = ("duckdb", "pyarrow", "polars")


def test_the_files_that_are_named_hold_the_same_rows_while_the_table_is_compacted_in_a_loop(job):
    job.create_topic(partitions=2)
    run_batches(job, 20)
    rejected = ["no json"] * 3
    job.produce(rejected)
    job.run()
    table = job.lake.table(KIND)

    # Live paths, which hold until the next compaction, are those of the sink log.
    live = files(job, "--no-pin")
    assert sorted(live) == sorted(job.lake.listed(KIND))
    paths = files(job)
    aside = table.parent / f".{KIND}.aside" / "reads"
    assert len(paths) == len(live) and all(pathlib.Path(path).is_relative_to(aside) for path in paths)
    assert sorted(path.split("/", len(aside.parts) + 1)[-1] for path in paths) == sorted(
        str(pathlib.Path(path).relative_to(table)) for path in live
    )
    shown = [json.loads(line) for line in files(job, "--json")]
    assert sum(one["rows"] for one in shown) == 200
    assert [one["bytes"] for one in shown] == [pathlib.Path(one["path"]).stat().st_size for one in shown]
    assert all(one["partition"] == {"status": value_of(one["path"])} for one in shown)
    (sql,) = files(job, "--sql")
    assert duckdb.sql(f"select count(*), count(distinct status) from {sql}").fetchall()[0][0] == 200
    assert str(duckdb.sql(f"select status from {sql}").types[0]) == "VARCHAR"
    (reject,) = {json.loads(line)["rows"] for line in files(job, "--json", "--rejects")}
    assert reject == 3

    end, failures = threading.Event(), []

    def compact_in_a_loop():
        start = 200
        try:
            while not end.is_set():
                command(job, "compact")
                run_batches(job, 10, start=start)
                start += 100
        except BaseException as failure:
            failures.append(failure)
            raise

    looper = threading.Thread(target=compact_in_a_loop)
    looper.start()
    try:
        for _ in range(6):
            for reader in READERS:
                assert count_with(reader, paths) == (200, 200)
            now = files(job)
            counts = {count_with(reader, now) for reader in READERS}
            assert len(counts) == 1
            (count,) = counts
            assert count[0] == count[1] >= 200
            assert command(job, "verify")  # no false fault meanwhile
    finally:
        end.set()
        looper.join()
    assert not failures
    assert len(files(job, "--no-pin")) < len(paths)  # and files left the table
    assert "every offset is present exactly once" in job.verify()


def test_what_was_compacted_is_read_where_it_is_kept_and_then_where_its_rows_are(job):
    job.create_topic(partitions=2)
    run_batches(job, 20)
    for value in ("no json", "[]"):
        job.produce([value])
        job.run()

    def tail():
        return [json.loads(line) for line in lines(command(job, "tail", "--rows", "40", "--json"))]

    def rejects():
        return json.loads(command(job, "rejects", "ls", "--json").log())

    before, rejected = tail(), rejects()
    assert len(before) == 40
    command(job, "compact")
    assert tail() == before
    for aside in (job.lake.table(KIND).parent, job.lake.rejects(KIND).parent):
        shutil.rmtree(aside / f".{KIND}.aside")
    assert tail() == before
    assert rejects() == rejected
    shown = json.loads(command(job, "checkpoint", "show", "--json").log())
    assert [one["kind"] for one in shown["changes"]] == ["compaction"] * len(shown["changes"])
    assert all(one["finished"] and one["left"] > one["added"] for one in shown["changes"])
    assert "compaction" in command(job, "checkpoint", "show").log()
    job.produce(['{"match_id": "M-late", "status": "live"}'])
    assert not job.run(MISSING_FILES="stop").lines("missing from table")
    assert "every offset is present exactly once" in job.verify()

def rewrite(path, keep):
    """The file as another program writes it again, with its first rows only."""
    rows = pyarrow.parquet.ParquetFile(path).read()
    pyarrow.parquet.write_table(rows.slice(0, keep), path)
    return len(rows) - keep


def test_a_table_that_somebody_else_has_changed_is_found_and_accepted_as_it_is(job, spark):
    job.create_topic(partitions=2)
    run_batches(job, 14)
    table = job.lake.table(KIND)
    job.run("--job", KIND)
    paths = sorted(job.lake.files(table), key=lambda path: -pyarrow.parquet.ParquetFile(path).metadata.num_rows)
    leaf = paths[0].parent
    gone, resized, *merged = [path for path in paths if path.parent == leaf][:5]
    lost = pyarrow.parquet.ParquetFile(gone).metadata.num_rows
    gone.unlink()
    lost += rewrite(resized, 1)
    rows = pyarrow.concat_tables(pyarrow.parquet.ParquetFile(path).read() for path in merged)
    pyarrow.parquet.write_table(rows, leaf / "merged.parquet")
    for path in merged:
        path.unlink()
    assert lost >= 2

    # A start finds it, verify names it, and both say what to do.
    process = job.run()
    (said,) = process.lines(r"ERROR \| ")
    assert f"{1 + len(merged)} files that the sink log lists are missing" in said
    assert "1 with another size, 1 that the sink log does not list" in said and "adopt --accept" in said
    assert "MISSING_FILES=stop" in job.run(MISSING_FILES="stop", exit_code=5).log()
    found = command(job, "verify", exit_code=5)
    assert "has another size" in found.log() or "but its log says" in found.log()
    assert "merged.parquet" in found.log()
    with pytest.raises(Exception, match="does not exist"):
        spark.read.parquet(str(table)).count()

    preview = command(job, "adopt", "--accept", "--dry-run").log()
    assert "would be taken as it is" in preview and f"Would be lost {lost} offsets" in preview
    assert gone.exists() is False and job.lake.listed(KIND)
    done = command(job, "adopt", "--accept").log()
    assert f"Lost {lost} offsets:" in done and "partition " in done and "Of batches: " in done
    assert "nothing to accept" in command(job, "adopt", "--accept").log()
    job.lake.assert_listed(KIND)
    assert spark.read.parquet(str(table)).count() == 140 - lost
    account = command(job, "verify").log()
    assert f"except {lost} offsets whose rows were lost, which was accepted" in account
    report = json.loads(command(job, "verify", "--json").log())
    assert sum(one["accepted"] for one in report["partitions"]) == lost and report["faults"] == 0

    # The query continues, and so do Spark and compactions.
    job.broker.generate(job.topics[KIND], KIND, 60, 2, start=140)
    assert not job.run(MISSING_FILES="stop", MAX_OFFSETS_PER_TRIGGER=20).lines("missing from table")
    command(job, "compact")
    assert spark.read.parquet(str(table)).count() == 200 - lost
    assert f"except {lost} offsets" in job.verify()
    assert "acceptance" in command(job, "checkpoint", "show").log()

    # A rewind also takes back what an acceptance has brought in, and then nothing comes twice.
    def newest(path):
        return max(pyarrow.parquet.ParquetFile(path).read(["processing_timestamp"])[0].to_pylist())

    path = max(job.lake.files(table), key=newest)
    pyarrow.parquet.write_table(pyarrow.parquet.ParquetFile(path).read(), path.parent / "again.parquet")
    path.unlink()
    assert "No offset is lost" in command(job, "adopt", "--accept").log()
    before = max(job.lake.batches(KIND)) - 1
    command(job, "rewind", "--to-batch", str(before))
    job.run()
    assert spark.read.parquet(str(table)).count() == 200 - lost
    job.lake.assert_listed(KIND)
    assert f"except {lost} offsets" in job.verify()


def test_a_copied_lake_is_reported_once_by_each_command_with_both_places(job, tmp_path):
    job.create_topic(partitions=2)
    run_batches(job, 12)
    command(job, "compact")
    old, copy = job.lake, Lake(tmp_path / "copy")
    shutil.copytree(old.root, copy.root)
    job.lake, job.settings["DATA_LAKE_PATH"] = copy, copy.root
    for words in ("verify", "tail", "files", "checkpoint show", "status", "rejects ls"):
        process = job.program.start(*words.split(), "--job", KIND, **job.settings)
        process.wait_exit(60, None)
        said = process.log() + process.errors()
        assert said.count("relocate") == 1, (words, said)
        assert str(old.root) in said and str(copy.root) in said, (words, said)
        assert "missing" not in said, (words, said)
    checks = [json.loads(line) for line in lines(command(job, "doctor", "--json", exit_code=5))]
    (failed,) = [check for check in checks if check.get("verdict") == "FAIL"]
    assert "relocate" in failed["fix"] and str(old.root) in failed["text"] and str(copy.root) in failed["text"]
    moved = command(job, "relocate").log()
    assert "change's record" in moved
    for words in ("verify", "tail", "files", "checkpoint show", "rejects ls"):
        command(job, *words.split())
    shutil.rmtree(old.root)  # nothing depends on the old place
    job.run()
    assert "every offset is present exactly once" in job.verify()


def test_a_compacted_table_loses_its_sink_log_and_gets_one_again(job, spark):
    job.create_topic(partitions=2)
    run_batches(job, 12)
    command(job, "compact")
    command(job, "release")
    assert "every offset is present exactly once" in job.verify()
    run_batches(job, 3, start=120)
    command(job, "compact")
    assert "every offset is present exactly once" in job.verify()
    assert len(files(job)) == len(job.lake.files(job.lake.table(KIND)))
    command(job, "adopt")
    job.lake.assert_listed(KIND)
    assert "every offset is present exactly once" in job.verify()
    assert spark.read.parquet(str(job.lake.table(KIND))).count() == 150
