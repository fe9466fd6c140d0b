"""Days in seconds: what a run of days leaves with date partitions and COMPACT=closed. The program's clock is moved
(tests/tools/moved_clock.c); its files, Kafka and the readers are real. bench/month.py runs a whole month."""

import duckdb
import pytest
from rig.moved_time import LATE_FILES_MOST, MovedTime

KIND = "matches"
DAYS = 3
TRIGGER_S = 600
STATUSES = 4  # that the generated records have, null included


@pytest.fixture
def run(request, tmp_path, program, broker):
    run = MovedTime(
        tmp_path / "month",
        program.binary,
        broker.ensure_started(),
        "matches-of-days",
        trigger_s=TRIGGER_S,
        rate=0.2,
        MATCHES_PARTITION_BY="ingest_date,status",
        COMPACT="closed",
    )
    yield run
    run.end()


def live_days(run, days, kill_at):
    """`kill_at`: numbers of triggers."""
    for number in range(days * run.triggers_per_day()):
        run.step(kill_after_s=run.random.uniform(0, 0.03) if number in kill_at else None)


def rows_of_closed_days(run, spark):
    """By DuckDB, which lists directories, and by Spark, which reads the sink log."""
    where = f"WHERE ingest_date < DATE '{run.today()}'"
    select = "SELECT count(*), count(DISTINCT (partition, {0}offset{0})), sum({0}offset{0}) FROM {1} " + where
    files = f"read_parquet('{run.lake.table(KIND)}/**/*.parquet', hive_partitioning = true)"
    by_duckdb = duckdb.sql(select.format('"', files)).fetchall()
    spark.read.parquet(str(run.lake.table(KIND))).createOrReplaceTempView("days")
    return by_duckdb, [tuple(row) for row in spark.sql(select.format("`", "days")).collect()]


def test_days_that_are_over_are_compacted_while_the_program_is_killed_and_restarted(run, spark):
    per_day = run.triggers_per_day()
    hour = 3600 // TRIGGER_S
    after_midnight = [day * per_day + run.random.randrange(hour, 2 * hour) for day in range(1, DAYS)]
    run.start()
    live_days(run, 1, [run.random.randrange(per_day)])
    first = run.resources()
    live_days(run, DAYS - 1, [number - per_day for number in after_midnight])  # while directories are compacted
    run.restart()
    run.settle()

    run.command("verify")
    assert run.account() == (run.records(), run.records())
    run.lake.assert_listed(KIND)
    closed = run.files_of_closed_days()
    assert len({leaf.parent for leaf in closed}) >= DAYS
    assert max(closed.values()) <= LATE_FILES_MOST
    assert len(run.lake.files(run.lake.table(KIND))) - sum(closed.values()) > STATUSES  # the current day is left alone
    by_duckdb, by_spark = rows_of_closed_days(run, spark)
    assert by_duckdb == by_spark
    now = run.resources()
    assert (now["threads"], now["descriptors"]) <= (first["threads"], first["descriptors"] + 2)
