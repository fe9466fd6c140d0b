"""What the tables hold, by every reader."""

import collections
import shutil

import pyarrow
import pyarrow.parquet
import pytest
import spark_job
from rig import readers

RECORDS = 2000
PARTITIONS = 4


def fill(job, malformed=5):
    job.create_topics(PARTITIONS)
    for kind, topic in job.topics.items():
        job.broker.generate(topic, kind, RECORDS, PARTITIONS, "--malformed", malformed)


@pytest.mark.sanitized
def test_the_first_run_puts_every_record_of_both_topics_into_table_or_rejects(job):
    fill(job)

    job.run("--job", "all")

    for kind in job.topics:
        job.assert_exact(kind)
        assert len(job.lake.keys(job.lake.rejects(kind))) > RECORDS / 50
        assert len(job.lake.keys(job.lake.table(kind))) > RECORDS * 9 / 10


@pytest.mark.parametrize("kind", ["matches", "players"])
def test_four_readers_see_the_same_values_types_and_nulls(job, spark, kind):
    fill(job)
    job.run("--job", "all")
    table = job.lake.table(kind)

    types, rows = readers.with_spark(spark, table)

    for read in (readers.with_pyarrow, readers.with_duckdb, readers.with_polars):
        other_types, other_rows = read(table)
        assert other_types == types, read.__name__
        assert nulls(other_rows) == nulls(rows), read.__name__
        assert other_rows == rows, read.__name__
    assert readers.rows_with_pandas(table) == len(rows)


def nulls(rows):
    return collections.Counter(name for row in rows for name in row if row[name] is None)


@pytest.mark.parametrize("kind", ["matches", "players"])
def test_the_rows_are_those_of_spark_for_the_same_records(job, spark, kind):
    fill(job, malformed=20)
    job.run("--job", "all")

    records = (
        spark.read.format("kafka")
        .option("kafka.bootstrap.servers", job.broker.bootstrap)
        .option("subscribe", job.topics[kind])
        .load()
    )
    wanted = spark_job.rows(records, kind).drop("processing_timestamp")
    wanted = wanted.filter(f"{wanted.columns[0]} IS NOT NULL")
    found = spark.read.parquet(str(job.lake.table(kind))).select(wanted.columns)

    assert found.exceptAll(wanted).take(3) == []
    assert wanted.exceptAll(found).take(3) == []


def test_all_rows_of_a_batch_carry_the_time_of_its_plan(job, spark):
    fill(job)
    job.run("--job", "all")

    frame = spark.read.parquet(str(job.lake.table("matches")))
    (time,) = [row[0] for row in frame.select("processing_timestamp").distinct().collect()]
    (planned,) = spark.read.json(
        spark.sparkContext.parallelize(
            (job.lake.checkpoint("matches") / "offsets" / "0").read_text().splitlines()[1:2]
        )
    ).collect()
    assert round(time.timestamp() * 1000) == planned.batchTimestampMs


def test_the_files_are_as_spark_names_and_marks_them(job):
    fill(job)
    job.run("--job", "all")

    for kind, depth in (("matches", 1), ("players", 2)):
        for path in job.lake.files(job.lake.table(kind)):
            parts = path.relative_to(job.lake.table(kind)).parts
            assert len(parts) == depth + 1
            assert path.match("part-*-*-*-*-*-*.c000.snappy.parquet")
            metadata = pyarrow.parquet.ParquetFile(path).metadata
            assert b"org.apache.spark.version" in metadata.metadata
            assert b"org.apache.spark.sql.parquet.row.metadata" in metadata.metadata
            columns = set(metadata.schema.names)
            assert not columns & ({"status"} if kind == "matches" else {"status", "role"})
            required = [
                name
                for index, name in enumerate(metadata.schema.names)
                if metadata.schema.column(index).max_definition_level == 0
            ]
            derived = ["full_name"] if kind == "players" else []
            assert sorted(required) == sorted(["processing_timestamp", *derived])


@pytest.mark.parametrize(
    ("codec", "ending", "named"),
    [
        ("snappy", ".snappy.parquet", "SNAPPY"),
        ("zstd", ".zstd.parquet", "ZSTD"),
        ("lz4_raw", ".lz4raw.parquet", "LZ4"),
        ("none", ".c000.parquet", "UNCOMPRESSED"),
    ],
)
def test_every_codec_gives_files_that_spark_reads(job, spark, codec, ending, named):
    job.create_topic()
    job.broker.generate(job.topics["matches"], "matches", 500)

    job.run(PARQUET_COMPRESSION=codec)

    job.assert_exact()
    files = job.lake.files(job.lake.table("matches"))
    assert all(path.name.endswith(ending) for path in files)
    used = set()
    for path in files:
        group = pyarrow.parquet.ParquetFile(path).metadata.row_group(0)
        used |= {group.column(index).compression for index in range(group.num_columns)}
    assert used <= {named, "UNCOMPRESSED"} and named in used
    assert spark.read.parquet(str(job.lake.table("matches"))).count() == 500


def test_int96_timestamps_are_read_as_the_same_times(job, spark):
    job.create_topic()
    job.broker.generate(job.topics["matches"], "matches", 300)

    job.run(PARQUET_TIMESTAMP_TYPE="INT96")

    (path, *_) = job.lake.files(job.lake.table("matches"))
    schema = pyarrow.parquet.ParquetFile(path).schema
    physical = {schema.column(i).name: schema.column(i).physical_type for i in range(len(schema))}
    for name in ("started_at", "finished_at", "kafka_timestamp", "processing_timestamp"):
        assert physical[name] == "INT96"
    before, _ = readers.with_spark(spark, job.lake.table("matches"))
    assert before["started_at"] == "timestamp"

    # The same records in a table of the other kind.
    other = job.lake.root / "other"
    job.run(DATA_LAKE_PATH=other)
    _, rows = readers.with_spark(spark, job.lake.table("matches"))
    _, micros = readers.with_spark(spark, other / "processed" / "matches")
    for row in rows + micros:
        del row["processing_timestamp"]
    assert rows == micros


def test_other_partition_columns_make_other_directories(job, spark):
    fill(job)

    job.run("--job", "all", MATCHES_PARTITION_BY="data_source,status", PLAYERS_PARTITION_BY="role")

    job.assert_exact("matches")
    job.assert_exact("players")
    table = job.lake.table("matches")
    assert (table / "data_source=riot_api" / "status=finished").is_dir()
    assert (table / "data_source=__HIVE_DEFAULT_PARTITION__").is_dir()
    assert (job.lake.table("players") / "role=Mid").is_dir()
    columns = spark.read.parquet(str(table)).columns
    assert columns[-2:] == ["data_source", "status"]

    refused = job.run(exit_code=2, MATCHES_PARTITION_BY="status")
    assert "data_source" in refused.log() + refused.errors()


def test_partition_values_are_escaped_as_spark_does(job, spark):
    job.create_topic()
    values = ["a/b", "c=d: 100%", "é x", "[q]^", "", None, "__HIVE_DEFAULT_PARTITION__", "tab\\t"]
    values.append("x.parquet")  # no file all the same
    job.produce(
        [
            '{"match_id": "%d", "status": %s}' % (i, "null" if v is None else f'"{v}"')
            for i, v in enumerate(values)
        ]
    )

    job.run()
    job.run()  # which looks at the directories

    job.verify()
    job.assert_exact()
    names = {path.parent.name for path in job.lake.files(job.lake.table("matches"))}
    assert {"status=a%2Fb", "status=c%3Dd%3A 100%25", "status=é x", "status=%5Bq%5D%5E"} <= names
    assert {"status=tab%09", "status=__HIVE_DEFAULT_PARTITION__"} <= names and len(names) == 7
    found = {
        int(row.match_id): row.status
        for row in spark.read.parquet(str(job.lake.table("matches"))).collect()
    }
    no_value = {4: None, 5: None, 6: None}
    assert found == {**dict(enumerate(values)), 7: "tab\t", **no_value}


# A column of ours, and what a file of somebody else has under its name. Whether Spark reads both
# together is asked of Spark; 3.5 answered the same, but refused TIMESTAMP_NTZ.
OTHER_TYPES = {
    "bigint": ("match_duration", pyarrow.int64()),
    "tinyint": ("match_duration", pyarrow.int8()),
    "text": ("match_duration", pyarrow.string()),
    "nulls": ("match_duration", pyarrow.null()),
    "int": ("ingestion_timestamp", pyarrow.int32()),
    "unsigned": ("ingestion_timestamp", pyarrow.uint32()),
    "int96": ("started_at", "int96"),
    "milliseconds": ("started_at", pyarrow.timestamp("ms", "UTC")),
    "no-zone": ("started_at", pyarrow.timestamp("us")),
    "bytes": ("match_id", pyarrow.binary()),
    "upper-case": ("match_id", "MATCH_ID"),
    "missing": ("match_type", None),
    "list": ("match_id", pyarrow.list_(pyarrow.string())),
    "struct": ("match_id", pyarrow.struct({"id": pyarrow.string()})),
}


def write_other(ours, column, other, path):
    """The file `ours` again with one column of another kind."""
    table = pyarrow.parquet.ParquetFile(ours).read()
    table = table.replace_schema_metadata(None)  # which has Spark's schema in words
    index = table.column_names.index(column)
    if other is None:
        table = table.remove_column(index)
    elif isinstance(other, pyarrow.DataType):
        values = table[column]
        empty = column == "match_duration" or pyarrow.types.is_nested(other)
        other_values = pyarrow.nulls(len(values), other) if empty else values
        table = table.set_column(index, column, other_values.cast(other))
    elif other != "int96":
        names = [other if name == column else name for name in table.column_names]
        table = table.rename_columns(names)
    pyarrow.parquet.write_table(table, path, use_deprecated_int96_timestamps=other == "int96")


def spark_reads_as_one(spark, ours, other, column, directory):
    """Spark takes the types from the first file by name: whichever that is, the table must be
    readable and the type the same."""
    types = set()
    for first, second in ((ours, other), (other, ours)):
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir()
        shutil.copy(first, directory / "a.parquet")
        shutil.copy(second, directory / "b.parquet")
        try:
            frame = spark.read.parquet(str(directory))
            names = [name for name in frame.columns if name.lower() == column]
            types |= {kind for name, kind in frame.dtypes if name in names}
            frame.select(names).collect()
        except Exception:  # of many kinds, by type and reader
            return False
    return len(types) == 1


def test_a_file_with_another_type_is_named_where_spark_can_not_read_it_with_ours(
    job, spark, tmp_path
):
    job.create_topic()
    job.produce(['{"match_id": "a", "status": "live", "ingestion_timestamp": 7}'])
    job.run(SINK_LOG="off")
    (ours,) = job.lake.files(job.lake.table("matches"))
    for name, (column, other) in OTHER_TYPES.items():
        write_other(ours, column, other, ours.with_name(f"other-{name}.parquet"))

    verify = job.program.run("verify", "--job", "matches", exit_code=5, **job.settings)
    said = verify.log()

    for name, (column, _) in OTHER_TYPES.items():
        other = ours.with_name(f"other-{name}.parquet")
        readable = spark_reads_as_one(spark, ours, other, column, tmp_path / "pair")
        told = (f"{other.name}' has column '{column}' as", f"{other.name}': column '{column}' is")
        assert not any(words in said for words in told) == readable, (name, said)


def test_a_table_with_another_type_is_not_written_to(job):
    job.create_topic()
    job.produce(['{"match_id": "a", "status": "live"}'])
    job.run(SINK_LOG="off")
    (ours,) = job.lake.files(job.lake.table("matches"))
    other = ours.with_name("other.parquet")
    write_other(ours, "match_duration", pyarrow.int64(), other)
    job.produce(['{"match_id": "b", "status": "live"}'])

    def assert_refused(path, *command):
        settings = {**job.settings, "TRIGGER": "availableNow"}
        process = job.program.run(*command, "--job", "matches", exit_code=5, **settings)
        said = process.log() + process.errors()
        assert f"{path}' has column 'match_duration' as BIGINT" in said, process.tail()
        assert "writes it as INT" in said and "new directories" in said
        assert job.lake.batches("matches") == [0]

    for command in ((), ("doctor",), ("adopt",), ("rejects", "replay")):
        assert_refused(other, *command)
    other.rename(job.lake.root / "set-aside")
    job.program.run("adopt", "--job", "matches", **job.settings)
    write_other(ours, "match_duration", pyarrow.int64(), ours)
    assert_refused(ours)  # by the log
    checkpoint = job.lake.checkpoint("matches")
    checkpoint.rename(job.lake.root / "gone")
    doctor = job.program.run("doctor", "--job", "matches", exit_code=5, **job.settings).log()
    assert f"{ours}' has column 'match_duration' as BIGINT" in doctor
    assert "verify" not in doctor, doctor  # which would find no checkpoint


def test_a_file_that_cannot_be_read_is_reported_and_not_adopted(job):
    job.create_topic()
    job.produce(['{"match_id": "a", "status": "live"}'])
    job.run(SINK_LOG="off")
    (ours,) = job.lake.files(job.lake.table("matches"))
    torn = ours.with_name("torn.parquet")
    torn.write_bytes(ours.read_bytes()[:-50])
    settings = {**job.settings, "TRIGGER": "availableNow"}

    adopt = job.program.run("adopt", "--job", "matches", exit_code=5, **settings)
    assert f"'{torn}' is not a complete Parquet file" in adopt.errors()
    assert "move it out of the table" in adopt.errors()
    doctor = job.program.run("doctor", "--job", "matches", **settings).log()
    assert "WARN" in doctor and f"'{torn}' is not a complete Parquet file" in doctor
    run = job.program.run("--job", "matches", **settings)  # harms no new file
    assert run.lines(f"WARNING.*'{torn}' is not a complete Parquet file"), run.tail()

    write_other(ours, "match_id", pyarrow.list_(pyarrow.string()), torn)
    for command in ((), ("doctor",), ("adopt",)):
        process = job.program.run(*command, "--job", "matches", exit_code=5, **settings)
        said = process.log() + process.errors()
        assert f"'{torn}' has column 'match_id' as a list, map or struct" in said
    torn.unlink()
    job.program.run("adopt", "--job", "matches", **settings)
