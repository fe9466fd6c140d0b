"""Files of ours, of Spark and of pyarrow, merged: every reader finds their rows in the result, and the
rows lie in it by partition and offset."""

import datetime
import json
import subprocess

import duckdb
import polars
import pyarrow
import pyarrow.compute
import pyarrow.parquet
import pytest

from conftest import ROOT, TOOLS

MERGE = TOOLS.parent / "tools" / "merge_directory"
STAGE = TOOLS.parents[1] / "bench" / "merge_stage"
KEYS = [("partition", "ascending"), ("offset", "ascending")]
UTC = datetime.timezone.utc


def read(path):
    return pyarrow.parquet.read_table(path, coerce_int96_timestamp_unit="us", partitioning=None)


def in_form(table, schema):
    """With the schema's columns and types; those that are missing are null."""
    columns = []
    for field in schema:
        if field.name in table.column_names:
            column = table[field.name]
            if pyarrow.types.is_timestamp(field.type) and column.type.tz is None:
                column = column.cast(pyarrow.timestamp("us")).cast(field.type)
            columns.append(column.cast(field.type))
        else:
            columns.append(pyarrow.nulls(table.num_rows, field.type))
    return pyarrow.table(columns, schema=pyarrow.schema([field.with_nullable(True) for field in schema]))


def merge(job, directory, staging, *options):
    staging.mkdir()
    words = [MERGE, job, directory, staging, *options]
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), sorted(staging.glob("*.parquet"))


def far_moments(table):
    """Timestamps that nanoseconds since 1970 cannot say."""
    far = [datetime.datetime(1, 1, 1, tzinfo=UTC), datetime.datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)]
    at = table.schema.get_field_index("started_at")
    moments = far + table["started_at"].to_pylist()[2:]
    return table.set_column(at, table.schema.field(at), [pyarrow.array(moments, table.schema.field(at).type)])


@pytest.fixture(scope="module")
def inputs(tmp_path_factory, spark):
    """Ours; then as Spark and pyarrow write them, in several forms; and all their rows."""
    directory = tmp_path_factory.mktemp("inputs")
    subprocess.run([STAGE, directory, "12", "300"], check=True)
    ours = sorted(directory.glob("*.parquet"))
    spark.conf.set("spark.sql.parquet.outputTimestampType", "INT96")
    for number, codec in enumerate(["snappy", "zstd", "lz4_raw", "none"]):
        frame = spark.read.parquet(str(ours[number]))
        columns = frame.columns[::-1] if number % 2 else frame.columns[3:] + frame.columns[:3]
        frame = frame.select([name for name in columns if number != 2 or name != "patch"])
        written = directory / f"spark-{number}"
        frame.coalesce(1).write.option("compression", codec).parquet(str(written))
        next(written.glob("*.parquet")).rename(directory / f"spark-{number}.parquet")
    spark.conf.set("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
    forms = [
        {"use_dictionary": False, "data_page_version": "2.0"},
        {"use_dictionary": False, "column_encoding": {"offset": "DELTA_BINARY_PACKED"}},
        {"row_group_size": 50, "compression": "zstd"},
        {"use_deprecated_int96_timestamps": True},
    ]
    for number, form in enumerate(forms):
        table = read(ours[4 + number])
        if number < 3:
            table = far_moments(table)
        pyarrow.parquet.write_table(table, directory / f"pyarrow-{number}.parquet", **form)
    for path in ours[:8]:
        path.unlink()
    return directory


@pytest.fixture(scope="module")
def schema(inputs):
    return read(next(inputs.glob("part-*.parquet"))).schema


@pytest.fixture(scope="module")
def rows(inputs, schema):
    tables = [in_form(read(path), schema) for path in inputs.glob("*.parquet")]
    return pyarrow.concat_tables(tables).sort_by(KEYS)


@pytest.fixture(scope="module")
def merged(inputs, tmp_path_factory):
    told, files = merge("matches", inputs, tmp_path_factory.mktemp("merged") / "staging")
    assert (told["inputs"], told["files"], len(files)) == (12, 1, 1)
    return files[0]


def test_pyarrow_finds_the_rows_in_order(merged, rows, schema):
    found = read(merged)
    assert found.schema.names == schema.names
    assert found.schema.types == schema.types
    assert in_form(found, schema).equals(rows)


def test_duckdb_finds_the_rows_in_order(merged, rows, schema):
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        found = connection.execute("SELECT * FROM read_parquet(?)", [str(merged)]).to_arrow_table()
        assert in_form(found, schema).equals(rows)
        few = connection.execute(
            "SELECT count(*) FROM read_parquet(?) WHERE partition = 2 AND \"offset\" < 100", [str(merged)]
        )
        expected = pyarrow.compute.and_(
            pyarrow.compute.equal(rows["partition"], 2), pyarrow.compute.less(rows["offset"], 100)
        )
        assert few.fetchone()[0] == pyarrow.compute.sum(expected).as_py() > 0


def test_polars_finds_the_rows_in_order(merged, rows, schema):
    assert in_form(polars.read_parquet(merged).to_arrow(), schema).equals(rows)


def test_spark_finds_the_rows(merged, rows, schema, spark):
    found = spark.read.parquet(str(merged)).toArrow()
    assert in_form(found.sort_by(KEYS), schema).equals(rows)


@pytest.mark.parametrize("codec", ["none", "zstd", "lz4"])
def test_int96_and_codecs_have_the_same_rows(inputs, rows, schema, codec, tmp_path):
    _, files = merge("matches", inputs, tmp_path / "staging", 48, 128, codec, "int96")
    metadata = pyarrow.parquet.read_metadata(files[0])
    names = {"none": "UNCOMPRESSED", "zstd": "ZSTD", "lz4": "LZ4"}
    chunks = [metadata.row_group(0).column(column) for column in range(metadata.num_columns)]
    assert {chunk.physical_type for chunk in chunks if chunk.path_in_schema == "started_at"} == {"INT96"}
    assert names[codec] in {chunk.compression for chunk in chunks}
    assert in_form(read(files[0]), schema).equals(rows)


def test_merging_what_was_merged_changes_nothing(merged, rows, schema, tmp_path):
    told, files = merge("matches", merged.parent, tmp_path / "staging")
    assert told["rows"] == rows.num_rows
    assert in_form(read(files[0]), schema).equals(rows)


def test_rejects_are_merged_too(tmp_path):
    moment = pyarrow.timestamp("us", tz="UTC")
    schema = pyarrow.schema(
        [
            ("topic", pyarrow.string()), ("partition", pyarrow.int32()), ("offset", pyarrow.int64()),
            ("kafka_timestamp", moment), ("key", pyarrow.binary()), ("value", pyarrow.binary()),
            ("reason", pyarrow.string()), ("detail", pyarrow.string()), ("position", pyarrow.int64()),
            ("processing_timestamp", moment),
        ]
    )  # fmt: skip
    rejects = [
        {
            "topic": "t", "partition": number % 3, "offset": number, "kafka_timestamp": None, "key": b"",
            "value": bytes([number % 256, 0, 255]) * number, "reason": "not_json", "detail": "No JSON",
            "position": number % 7, "processing_timestamp": datetime.datetime(2026, 1, 1, tzinfo=UTC),
        }
        for number in range(200)
    ]  # fmt: skip
    directory = tmp_path / "rejects"
    directory.mkdir()
    for number in range(10):
        table = pyarrow.Table.from_pylist(rejects[number::10], schema)
        pyarrow.parquet.write_table(table, directory / f"{number}.parquet")
    _, files = merge("rejects", directory, tmp_path / "staging")
    expected = pyarrow.Table.from_pylist(rejects, schema).sort_by(KEYS)
    assert in_form(read(files[0]), schema).equals(expected)


def test_a_column_that_the_table_lacks_is_refused(inputs, tmp_path):
    path = next(inputs.glob("part-*.parquet"))
    table = read(path)
    directory = tmp_path / "other"
    directory.mkdir()
    table = table.append_column("mine", pyarrow.array(range(table.num_rows)))
    pyarrow.parquet.write_table(table, directory / "x.parquet")
    (tmp_path / "staging").mkdir()
    done = subprocess.run([MERGE, "matches", directory, tmp_path / "staging"], capture_output=True, text=True)
    assert done.returncode == 1
    assert "x.parquet' has a column 'mine' that the table does not have" in done.stderr
    assert not list((tmp_path / "staging").iterdir())
