"""`files`: the files of a table at one moment, read by DuckDB, pyarrow and Polars while files leave the table; and
what becomes of manifests' names once files were compacted or changed by somebody else."""

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


def files(job, *options, **settings):
    return lines(job.program.run("files", "--job", KIND, *options, **{**job.settings, **settings}))


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
                job.run("compact", timeout=120)
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
            assert job.program.run("verify", "--job", KIND, **job.settings)  # no false fault meanwhile
    finally:
        end.set()
        looper.join()
    assert not failures
    assert len(files(job, "--no-pin")) < len(paths)  # and files left the table
    assert "every offset is present exactly once" in job.verify()


def test_what_was_compacted_is_read_where_it_is_kept_and_then_where_its_rows_are(job):
    job.create_topic(partitions=2)
    run_batches(job, 20)
    job.produce(["no json", "[]"])
    job.run()
    topic = job.topics[KIND]

    def tail():
        return [json.loads(line) for line in lines(job.run("tail", "--rows", "40", "--json"))]

    def rejects():
        return json.loads(job.run("rejects", "ls", "--json").log())

    before, rejected = tail(), rejects()
    assert len(before) == 40
    job.run("compact", timeout=120)
    assert tail() == before
    for aside in (job.lake.table(KIND).parent, job.lake.rejects(KIND).parent):
        shutil.rmtree(aside / f".{KIND}.aside")
    assert tail() == before
    assert rejects() == rejected
    shown = json.loads(job.run("checkpoint", "show", "--json").log())
    assert [one["kind"] for one in shown["changes"]] == ["compaction"] * len(shown["changes"])
    assert all(one["finished"] and one["left"] > one["added"] for one in shown["changes"])
    assert "compaction" in job.run("checkpoint", "show").log()
    job.produce(['{"match_id": "M-late", "status": "live"}'])
    assert not job.run(MISSING_FILES="stop").lines("missing from table")
    assert "every offset is present exactly once" in job.verify()
    assert topic
