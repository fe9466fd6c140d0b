"""Tables that are partitioned by numbers, flags and dates, or not at all."""

import datetime
import json
import re

import duckdb
import pytest
from rig import readers
from rig.lake import Lake
from rig.paths import ROOT

EXAMPLES = ROOT / "tests" / "unit" / "pipeline" / "sink" / "test_sink_parquet.c"
TYPES = {
    "BOOL": "BOOLEAN",
    "INT8": "TINYINT",
    "INT16": "SMALLINT",
    "INT32": "INT",
    "INT64": "BIGINT",
    "DATE": "DATE",
}
NUMBERS = {"INT32_MIN": -(2**31), "INT32_MAX": 2**31 - 1, "INT64_MIN": -(2**63), "INT64_MAX": 2**63 - 1}


def literal(kind, value):
    """The number as a value of a type in Spark's SQL; a date is days since 1970."""
    number = NUMBERS[value] if value in NUMBERS else int(value)
    if kind == "DATE":
        return f"date_from_unix_date(CAST({number}L AS INT))"
    return f"CAST({number}BD AS {TYPES[kind]})"


def test_directories_of_every_type_are_named_as_spark_names_them(spark, tmp_path):
    """The examples are those of the unit test."""
    examples = re.findall(r'\{TYPE_(\w+), (\S+), "(c=[^"]+)"\}', EXAMPLES.read_text())
    assert {kind for kind, _, _ in examples} == TYPES.keys()
    for number, (kind, value, name) in enumerate(examples):
        table = tmp_path / str(number)
        frame = spark.sql(f"SELECT 1 AS id, {literal(kind, value)} AS c")
        frame = frame.unionByName(spark.sql(f"SELECT 2 AS id, CAST(NULL AS {TYPES[kind]}) AS c"))
        frame.write.partitionBy("c").parquet(str(table))
        found = {path.name for path in table.glob("c=*")}
        assert found == {name, "c=__HIVE_DEFAULT_PARTITION__"}, (kind, value)


# ---- through a table's life ---------------------------------------------------------------------

MATCHES = [
    {"game_number": 420, "status": "finished"},
    {"game_number": -7, "status": "live"},
    {"game_number": None, "status": None},
    {"game_number": 420, "status": "live"},
    {"game_number": 0, "status": "finished"},
]


class Story:
    def __init__(self, job, partition_by):
        self.job = job
        self.topic = job.create_topic(partitions=2)
        self.rows = 0
        self.rejects = 0
        job.settings["MATCHES_PARTITION_BY"] = partition_by

    def produce(self, rejects=0):
        for partition in range(2):
            records = [{"match_id": f"m{self.rows + n}", **row} for n, row in enumerate(MATCHES)]
            self.job.produce([json.dumps(record) for record in records], partition=partition)
            self.rows += len(records)
        self.job.produce(['{"status": "nobody"}'] * rejects)
        self.rejects += rejects

    def operate(self, *command, exit_code=0, **settings):
        process = self.job.start(*command, "--job", "matches", **settings)
        process.wait_exit(60, exit_code)
        return process.log() + process.errors()

    def assert_once(self, spark):
        self.job.assert_exact()
        table = self.job.lake.table("matches")
        assert spark.count(table) == (self.rows, self.rows)

    def directories(self):
        table = self.job.lake.table("matches")
        return {str(path.parent.relative_to(table)) for path in self.job.lake.files(table)}


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("partition_by", "directories"),
    [
        (
            "game_number,is_completed",
            {
                "game_number=420/is_completed=true",
                "game_number=420/is_completed=false",
                "game_number=-7/is_completed=false",
                "game_number=0/is_completed=true",
                "game_number=__HIVE_DEFAULT_PARTITION__/is_completed=__HIVE_DEFAULT_PARTITION__",
            },
        ),
        ("none", {"."}),
    ],
)
def test_such_a_table_is_written_handed_over_and_operated_on_as_any_other(
    job, spark, spark4, tmp_path, partition_by, directories
):
    story = Story(job, partition_by)
    names = partition_by.split(",") if partition_by != "none" else []
    story.produce(rejects=2)
    job.run()
    assert story.directories() == directories
    story.assert_once(spark4)
    types, rows = readers.with_spark(spark, job.lake.table("matches"))
    assert types["game_number"] == "int"
    read = [row["game_number"] for row in rows if row["partition"] == 0]
    assert read == [row["game_number"] for row in MATCHES]

    # Only the same columns continue, and the message says how.
    refused = story.operate(exit_code=2, TRIGGER="availableNow", MATCHES_PARTITION_BY="status")
    assert "different partition columns than this start (status); set *_PARTITION_BY, or PARTITIONED BY in its query file, to them (`none` if it has none)" in refused
    assert "(expected " in refused

    # Spark resumes, and we do.
    story.produce()
    spark4.run_job(job, partition_by=names)
    story.produce()
    job.run()
    story.assert_once(spark4)
    assert story.directories() == directories

    # Commands without the setting find the columns in the table.
    bare = {"MATCHES_PARTITION_BY": None}
    lines = story.operate("tail", "--rows", "1000", "--json", **bare).splitlines()
    shown = [json.loads(line) for line in lines if line.startswith("{")]
    assert len(shown) == story.rows
    values = {(row["game_number"], row["is_completed"]) for row in shown}
    assert values == {(420, True), (-7, False), (None, None), (420, False), (0, True)}
    assert "every offset is present exactly once" in story.operate("verify", **bare)
    (found,) = json.loads(f"[{story.operate('checkpoint', 'show', '--json', **bare)}]")
    assert found["faults"] == []
    assert "0 failed" in story.operate("doctor")

    said = story.operate("--explain")
    assert ("partitioned   " + ("by " + "/".join(names) if names else "no") + "\n") in said
    assert ("partition values" in said) == bool(names)

    # A missing file is found.
    (lost, *_) = job.lake.files(job.lake.table("matches"))
    lost.rename(tmp_path / "lost")
    assert lost.name in story.operate("verify", exit_code=5)
    (tmp_path / "lost").rename(lost)

    assert "rewound to batch 0" in story.operate("rewind", "--to-batch", "0")
    job.lake.assert_holds("matches", job.lake.planned_ends("matches", 0))
    job.run()
    story.assert_once(spark4)

    moved = tmp_path / "moved"
    job.lake.root.rename(moved)
    job.lake = Lake(moved)
    job.settings["DATA_LAKE_PATH"] = moved
    assert "is now at" in story.operate("relocate")
    story.produce()
    job.run()
    story.assert_once(spark4)

    # Rejects become rows: without an identifier, they are matches of their own.
    said = story.operate("rejects", "replay", "--yes", PARSE_MODE="permissive")
    story.rows += story.rejects
    assert spark4.count(job.lake.table("matches")) == (story.rows, story.rows), said

    # Without its log and with a new one.
    log = job.lake.table("matches") / "_spark_metadata"
    assert "no longer has a sink log" in story.operate("release")
    assert not log.exists()
    story.produce()
    job.run()
    story.operate("adopt")
    assert log.exists()
    job.lake.assert_listed("matches")
    assert spark4.count(job.lake.table("matches")) == (story.rows, story.rows)
    assert "every offset is present exactly once" in story.operate("verify")


def test_how_readers_read_such_columns(job, spark):
    """A directory's name has no type: readers guess it, unless the type is given."""
    job.create_topic()
    values = [1, 2**40, None]
    records = [
        {"match_id": f"m{n}", "status": status, "ingestion_timestamp": value}
        for n, (status, value) in enumerate(zip(["finished", "live", None], values))
    ]
    job.produce([json.dumps(record) for record in records])
    job.run(MATCHES_PARTITION_BY="ingestion_timestamp,is_completed")

    table = str(job.lake.table("matches"))
    frame = spark.read.parquet(table)
    types = dict(frame.dtypes)
    assert (types["ingestion_timestamp"], types["is_completed"]) == ("bigint", "string")
    told = spark.read.schema("match_id STRING, is_completed BOOLEAN, ingestion_timestamp BIGINT")
    rows = [tuple(row) for row in told.parquet(table).orderBy("match_id").collect()]
    assert rows == [("m0", True, 1), ("m1", False, 2**40), ("m2", None, None)]
    source = f"read_parquet('{table}/**/*.parquet', hive_partitioning = true"
    chosen = "SELECT typeof(ingestion_timestamp), typeof(is_completed), is_completed FROM"
    rows = duckdb.sql(f"{chosen} {source}) ORDER BY match_id").fetchall()
    assert rows[0] == ("BIGINT", "VARCHAR", "true")
    typed = f"{source}, hive_types = {{'is_completed': BOOLEAN}})"
    rows = duckdb.sql(f"{chosen} {typed} ORDER BY match_id").fetchall()
    assert rows == [("BIGINT", "BOOLEAN", True), ("BIGINT", "BOOLEAN", False), ("BIGINT", "BOOLEAN", None)]


def test_dates_are_read_as_dates(spark, tmp_path):
    """As our directories are named; what a query can write comes with query files."""
    days = ["2024-01-02", "1969-12-31", "9999-12-31"]
    for number, day in enumerate(days):
        spark.sql(f"SELECT {number} AS id").write.parquet(str(tmp_path / "t" / f"day={day}"))
    frame = spark.read.parquet(str(tmp_path / "t"))
    assert dict(frame.dtypes)["day"] == "date"
    rows = {row.id: row.day for row in frame.collect()}
    assert rows == {n: datetime.date.fromisoformat(day) for n, day in enumerate(days)}
