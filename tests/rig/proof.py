"""After a fault: that every record is there once, by three accounts that owe nothing to each other."""

import duckdb


def count_rows(lake, kind):
    """(rows of table and rejects, different (partition, offset) among them), by DuckDB."""
    files = lake.files(lake.table(kind)) + lake.files(lake.rejects(kind))
    if not files:
        return 0, 0
    return duckdb.execute(
        "SELECT count(*), count(DISTINCT (\"partition\", \"offset\")) FROM read_parquet($1, union_by_name = true)",
        [[str(path) for path in files]],
    ).fetchone()


def assert_verified(job, kind="matches", exit_code=0):
    """`esports-stream verify`, for as far as the newest commit."""
    process = job.program.run("verify", "--job", kind, timeout=120, exit_code=exit_code, **job.settings)
    if exit_code == 0:
        last = process.log().splitlines()[-1]
        assert last.endswith("every offset is present exactly once"), process.tail()
    return process


def prove(job, produced=None, kind="matches"):
    """The program is at rest and has read the topic, or is run once more to read its end. `produced`: how many records
    the test has sent, without transactions; None: as many as the broker's offsets say."""
    ends = job.broker.end_offsets(job.topics[kind])
    assert produced in (None, sum(ends.values())), (produced, ends)
    lake = job.lake
    lake.assert_holds(kind, ends)
    assert lake.leftovers(kind) == []
    if (lake.table(kind) / "_spark_metadata").exists():
        lake.assert_listed(kind)
    assert count_rows(lake, kind) == (sum(ends.values()),) * 2
    assert_verified(job, kind)
