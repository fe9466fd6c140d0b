"""Every reader that people use finds the values, types, null counts and bounds that were written,
in every codec and both timestamp types; and our reader finds what the others write."""

import datetime
import decimal
import math
import struct

import duckdb
import polars
import pyarrow
import pyarrow.compute
import pyarrow.parquet
import pytest

NAMES = [
    "id", "name", "flag", "small", "wide", "ratio", "number", "word",
    "token", "long", "raw", "moment", "batch", "nothing", "no_number", "rare",
    "byte", "short", "share", "day", "local", "price", "amount", "huge", "longer",
]  # fmt: skip
SPARK_TYPES = [
    "bigint", "string", "boolean", "int", "bigint", "double", "double", "string",
    "string", "string", "binary", "timestamp", "timestamp", "string", "int", "string",
    "tinyint", "smallint", "float", "date", "timestamp_ntz",
    "decimal(7,2)", "decimal(16,4)", "decimal(38,10)", "decimal(20,0)",
]  # fmt: skip
ARROW_TYPES = {
    "bigint": "int64",
    "string": "string",
    "boolean": "bool",
    "int": "int32",
    "double": "double",
    "binary": "binary",
    "timestamp": "timestamp[us, tz=UTC]",
    "tinyint": "int8",
    "smallint": "int16",
    "float": "float",
    "date": "date32[day]",
    "timestamp_ntz": "timestamp[us]",
    "decimal(7,2)": "decimal128(7, 2)",
    "decimal(16,4)": "decimal128(16, 4)",
    "decimal(38,10)": "decimal128(38, 10)",
    "decimal(20,0)": "decimal128(20, 0)",
}
DUCKDB_TYPES = {
    "bigint": "BIGINT",
    "string": "VARCHAR",
    "boolean": "BOOLEAN",
    "int": "INTEGER",
    "double": "DOUBLE",
    "binary": "BLOB",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "tinyint": "TINYINT",
    "smallint": "SMALLINT",
    "float": "FLOAT",
    "date": "DATE",
    "timestamp_ntz": "TIMESTAMP",
    "decimal(7,2)": "DECIMAL(7,2)",
    "decimal(16,4)": "DECIMAL(16,4)",
    "decimal(38,10)": "DECIMAL(38,10)",
    "decimal(20,0)": "DECIMAL(20,0)",
}
REQUIRED = {"id", "name", "batch", "short", "amount"}
BOUND_SIZE_MAX = 64


def bits(number):
    return struct.unpack("<q", struct.pack("<d", number))[0]


def double(number):
    return struct.unpack("<d", struct.pack("<q", number))[0]


def float_bits(number):
    return struct.unpack("<i", struct.pack("<f", number))[0]


def single(number):
    return struct.unpack("<f", struct.pack("<i", number))[0]


def value(found, kind=None):
    """A Python value as the samples' .jsonl have it."""
    if found is not None and kind == "float":
        return float_bits(found)
    if isinstance(found, decimal.Decimal):
        sign, digits, _ = found.as_tuple()
        number = int("".join(map(str, digits)))
        return -number if sign else number
    if isinstance(found, bool):
        return int(found)
    if isinstance(found, float):
        return bits(found)
    if isinstance(found, str):
        return found.encode().hex()
    if isinstance(found, (bytes, bytearray)):
        return bytes(found).hex()
    return found


def pick(samples, *words, integers="delta"):
    words = (*words, integers)
    return next(s for s in samples if (s.kind, s.codec, s.timestamp, s.integers) == words)


def assert_same(sample, found):
    assert len(found) == len(sample.rows), sample.path.name
    for number, (ours, theirs) in enumerate(zip(sample.rows, found)):
        assert ours == theirs, f"{sample.path.name}, row {number}"


def arrow_rows(path):
    table = pyarrow.parquet.read_table(path, coerce_int96_timestamp_unit="us")
    columns = []
    for column in table.columns:
        kind = "float" if column.type == pyarrow.float32() else None
        if pyarrow.types.is_timestamp(column.type):
            column = column.cast(pyarrow.timestamp("us")).cast(pyarrow.int64())
        elif pyarrow.types.is_date(column.type):
            column = column.cast(pyarrow.int32())
        columns.append([value(found, kind) for found in column.to_pylist()])
    return table.schema, [list(row) for row in zip(*columns)]


def test_pyarrow_finds_types_and_values(samples):
    for sample in samples:
        schema, rows = arrow_rows(sample.path)
        for name, kind, field in zip(NAMES, SPARK_TYPES, schema):
            assert field.name == name
            assert field.nullable == (name not in REQUIRED)
            if not (kind == "timestamp" and sample.timestamp == "int96"):
                assert str(field.type) == ARROW_TYPES[kind]
        assert_same(sample, rows)


def test_duckdb_finds_types_and_values(samples):
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for sample in samples:
            file = connection.read_parquet(str(sample.path))
            expected = [DUCKDB_TYPES[kind] for kind in SPARK_TYPES]
            if sample.timestamp == "int96":  # which does not say that it is in UTC
                expected = [kind.removesuffix(" WITH TIME ZONE") for kind in expected]
            assert [str(kind) for kind in file.types] == expected
            forms = {
                "timestamp": "epoch_us({})",
                "timestamp_ntz": "epoch_us({})",
                "date": "date_diff('day', DATE '1970-01-01', {})",
            }
            columns = [
                forms.get(kind, "{}").format(name) for name, kind in zip(NAMES, SPARK_TYPES)
            ]
            rows = file.project(", ".join(columns)).fetchall()
            assert_same(sample, [list(map(value, row, SPARK_TYPES)) for row in rows])


def test_polars_finds_types_and_values(samples):
    for sample in samples:
        frame = polars.read_parquet(sample.path)
        columns = []
        for name, kind in zip(NAMES, SPARK_TYPES):
            column = frame[name]
            if kind == "timestamp" and sample.timestamp == "int96":
                # Polars reads INT96 as nanoseconds, which end in 2262 and begin in 1677.
                column = polars.Series([None] * len(column), dtype=polars.Int64)
            elif kind in ("timestamp", "timestamp_ntz"):
                zone = "UTC" if kind == "timestamp" else None
                assert column.dtype == polars.Datetime("us", zone)
                column = column.to_physical()
            elif kind == "date":
                assert column.dtype == polars.Date
                column = column.to_physical()
            columns.append([value(found, kind) for found in column.to_list()])
        rows = [list(row) for row in zip(*columns)]
        if sample.timestamp == "int96":
            for ours, theirs in zip(sample.rows, rows):
                theirs[11:13] = ours[11:13]
        assert_same(sample, rows)


@pytest.mark.parametrize("vectorised", [True, False])
def test_spark_finds_types_and_values(samples, spark, vectorised):
    spark.conf.set("spark.sql.parquet.enableVectorizedReader", str(vectorised).lower())
    for sample in samples:
        if sample.kind == "empty":
            frame = spark.read.parquet(str(sample.path))
            assert frame.dtypes == list(zip(NAMES, SPARK_TYPES))
    forms = {
        "timestamp": "unix_micros({0}) AS {0}",
        "timestamp_ntz": "unix_micros(CAST({0} AS TIMESTAMP)) AS {0}",
        "date": "unix_date({0}) AS {0}",
    }
    columns = [forms.get(kind, "{0}").format(name) for name, kind in zip(NAMES, SPARK_TYPES)]
    frame = spark.read.parquet(*[str(sample.path) for sample in samples])
    found = frame.selectExpr("input_file_name() AS file", *columns).toArrow()
    for sample in samples:
        mine = pyarrow.compute.ends_with(found["file"], sample.path.name)
        rows = found.filter(mine).sort_by("id").drop_columns("file").to_pydict().values()
        assert_same(sample, [list(map(value, row, SPARK_TYPES)) for row in zip(*rows)])


FILTERS = [
    ("ratio > 1000", lambda row: row[5] is not None and not double(row[5]) <= 1000),
    ("ratio = 0", lambda row: row[5] is not None and double(row[5]) == 0),
    ("ratio < 0", lambda row: row[5] is not None and double(row[5]) < 0),
    ("number > 999.9", lambda row: double(row[6]) > 999.9),
    ("id = 6", lambda row: row[0] == 6),
    ("id BETWEEN 31000 AND 31010", lambda row: 31000 <= row[0] <= 31010),
    ("wide IS NULL", lambda row: row[4] is None),
    ("nothing IS NOT NULL", lambda row: row[13] is not None),
    ("nothing IS NULL", lambda row: row[13] is None),
    ("rare >= 'rare 5'", lambda row: row[15] is not None and row[15] >= b"rare 5".hex()),
    ("word = ''", lambda row: row[7] == ""),
    ("long > 'zzzz'", lambda row: row[9] is not None and row[9] > b"zzzz".hex()),
    ("small = 2147483647", lambda row: row[3] == 2147483647),
    ("share > 1000", lambda row: row[18] is not None and not single(row[18]) <= 1000),
    ("share < 0", lambda row: row[18] is not None and single(row[18]) < 0),
    ("byte = -128", lambda row: row[16] == -128),
    ("short > 29990", lambda row: row[17] > 29990),
    ("day < DATE '1582-01-01'", lambda row: row[19] is not None and row[19] < -141713),
    ("price = 99999.99", lambda row: row[21] == 9999999),
    ("amount < -999999999999", lambda row: row[22] < -9999999999990000),
    ("huge > 9999999999999999999999999999",
     lambda row: row[23] is not None and row[23] > 99999999999999999999999999990000000000),
    ("longer <= -1", lambda row: row[24] is not None and row[24] <= -1),
    ("moment < timestamp '1000-01-01 00:00:00Z'",
     lambda row: row[11] is not None and row[11] < -30610224000000000),
]  # fmt: skip


@pytest.mark.parametrize("condition, holds", FILTERS, ids=[name for name, _ in FILTERS])
def test_statistics_and_indexes_hide_no_row(samples, spark, condition, holds):
    """NaN counts as larger than any number, in Spark and DuckDB; bounds must not say otherwise."""
    spark.conf.set("spark.sql.parquet.enableVectorizedReader", "true")
    for sample in samples:
        if sample.codec != "snappy" or sample.kind == "empty":
            continue
        expected = sum(map(holds, sample.rows))
        frame = spark.read.parquet(str(sample.path))
        assert frame.where(condition).count() == expected, sample.path.name
        if "moment" in condition and sample.timestamp == "int96":
            continue
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            condition_there = condition.replace("timestamp '", "timestamptz '")
            found = connection.sql(
                f"SELECT count(*) FROM read_parquet('{sample.path}') WHERE {condition_there}"
            ).fetchall()[0][0]
            assert found == expected, sample.path.name


def has_bounds(kind, values):
    """Not of NaN, nor where no text of 64 bytes is larger than all values."""
    if kind in ("double", "float"):
        number = double if kind == "double" else single
        return bool(values) and not any(math.isnan(number(found)) for found in values)
    return bool(values) and not (kind == "binary" and max(values).startswith("ff" * BOUND_SIZE_MAX))


def check_bounds(kind, values, statistics):
    low, high = statistics.min_raw, statistics.max_raw
    if kind.startswith("decimal") and isinstance(low, bytes):
        low, high = (int.from_bytes(bound, "big", signed=True) for bound in (low, high))
    if kind in ("double", "float"):
        values = [(double if kind == "double" else single)(found) for found in values]
        assert low != 0 or math.copysign(1, low) < 0
        assert high != 0 or math.copysign(1, high) > 0
    if kind in ("string", "binary"):
        low, high = value(low), value(high)
        if len(min(values)) > 2 * BOUND_SIZE_MAX:
            assert low < min(values) and min(values).startswith(low)
            low = min(values)
        if len(max(values)) > 2 * BOUND_SIZE_MAX:
            assert high > max(values) and len(high) <= 2 * BOUND_SIZE_MAX + 2
            high = max(values)
    assert (low, high) == (min(values), max(values))


def check_chunk(chunk, kind, values):
    present = [found for found in values if found is not None]
    assert chunk.num_values == len(values)
    assert chunk.statistics.null_count == len(values) - len(present)
    assert chunk.has_offset_index
    if chunk.physical_type == "INT96":
        assert not chunk.statistics.has_min_max and not chunk.has_column_index
        return
    assert chunk.statistics.has_min_max == has_bounds(kind, present)
    assert chunk.has_column_index == (has_bounds(kind, present) or not present)
    if has_bounds(kind, present):
        check_bounds(kind, present, chunk.statistics)


def test_statistics_are_those_of_the_values(samples):
    for sample in samples:
        metadata = pyarrow.parquet.read_metadata(sample.path)
        first = 0
        for group in range(metadata.num_row_groups):
            row_group = metadata.row_group(group)
            last = first + row_group.num_rows
            for index, kind in enumerate(SPARK_TYPES):
                check_chunk(row_group.column(index), kind, sample.column(index)[first:last])
            first = last
        assert first == metadata.num_rows == len(sample.rows)


def encodings(metadata):
    return {
        encoding
        for group in range(metadata.num_row_groups)
        for index in range(len(NAMES))
        for encoding in metadata.row_group(group).column(index).encodings
    }


def test_the_footer_is_like_spark_s(samples, spark, tmp_path):
    """Key-values, schema and encodings, compared with a file that Spark writes from the same rows."""
    for timestamp in ("micros", "int96"):
        sample = pick(samples, "groups", "snappy", timestamp, integers="plain")
        outputs = {"micros": "TIMESTAMP_MICROS", "int96": "INT96"}
        spark.conf.set("spark.sql.parquet.outputTimestampType", outputs[timestamp])
        directory = tmp_path / timestamp
        spark.read.parquet(str(sample.path)).coalesce(1).write.parquet(str(directory))
        theirs = pyarrow.parquet.read_metadata(next(directory.glob("*.parquet")))
        ours = pyarrow.parquet.read_metadata(sample.path)
        assert set(ours.metadata) == set(theirs.metadata)
        version = b"org.apache.spark.version"
        assert ours.metadata[version] == theirs.metadata[version]
        assert ours.format_version == theirs.format_version
        for index, name in enumerate(NAMES):
            mine, other = ours.schema.column(index), theirs.schema.column(index)
            assert mine.name == other.name == name
            assert mine.physical_type == other.physical_type
            assert str(mine.logical_type) == str(other.logical_type)
            assert mine.converted_type == other.converted_type
        sparks = {"PLAIN", "PLAIN_DICTIONARY", "RLE", "BIT_PACKED"}
        assert encodings(ours) == sparks
        delta = pick(samples, "groups", "snappy", timestamp)
        found = encodings(pyarrow.parquet.read_metadata(delta.path))
        assert found == sparks | {"DELTA_BINARY_PACKED"}


def test_our_reader_finds_the_values(samples, dump):
    for sample in samples:
        assert_same(sample, dump(sample.path))


CODECS = {"none": "uncompressed", "snappy": "snappy", "zstd": "zstd", "lz4_raw": "lz4_raw"}


@pytest.mark.parametrize("timestamp", ["micros", "int96", "millis"])
@pytest.mark.parametrize("codec", CODECS)
def test_our_reader_finds_what_spark_writes(samples, spark, dump, tmp_path, codec, timestamp):
    sample = pick(samples, "pages", "snappy", "micros")
    outputs = {"micros": "TIMESTAMP_MICROS", "int96": "INT96", "millis": "TIMESTAMP_MILLIS"}
    spark.conf.set("spark.sql.parquet.outputTimestampType", outputs[timestamp])
    frame = spark.read.parquet(str(sample.path)).coalesce(1)
    frame.write.option("compression", CODECS[codec]).parquet(str(tmp_path / "out"))
    expected = sample.rows
    if timestamp == "millis":
        expected = [
            [
                found // 1000 * 1000 if kind == "timestamp" and found is not None else found
                for kind, found in zip(SPARK_TYPES, row)
            ]
            for row in expected
        ]
    (file,) = (tmp_path / "out").glob("*.parquet")
    found = sorted(dump(file), key=lambda row: row[0])
    assert found == expected


@pytest.mark.parametrize("page", ["1.0", "2.0"])
def test_our_reader_finds_what_pyarrow_writes(samples, dump, tmp_path, page):
    sample = pick(samples, "pages", "snappy", "micros")
    table = pyarrow.parquet.read_table(sample.path)
    for codec in ("none", "snappy", "zstd", "lz4"):
        file = tmp_path / f"{codec}.parquet"
        pyarrow.parquet.write_table(table, file, compression=codec, data_page_version=page)
        assert dump(file) == sample.rows


@pytest.mark.parametrize("page", ["1.0", "2.0"])
def test_our_reader_finds_the_differences_that_pyarrow_writes(samples, dump, tmp_path, page):
    sample = pick(samples, "pages", "snappy", "micros")
    table = pyarrow.parquet.read_table(sample.path)
    integers = ("id", "small", "wide", "moment", "batch", "no_number", "byte", "short", "local")
    file = tmp_path / "delta.parquet"
    pyarrow.parquet.write_table(
        table,
        file,
        use_dictionary=False,
        column_encoding={name: "DELTA_BINARY_PACKED" for name in integers},
        data_page_version=page,
    )
    assert "DELTA_BINARY_PACKED" in encodings(pyarrow.parquet.read_metadata(file))
    assert dump(file) == sample.rows


def test_a_table_of_old_and_new_files_is_one_to_spark(samples, spark):
    files = [
        str(sample.path) for sample in samples if sample.kind == "small" and sample.codec == "zstd"
    ]
    assert len(files) == 2  # INT96 and microseconds
    frame = spark.read.parquet(*files)
    assert frame.count() == 14
    moments = {row[0] for row in frame.select("batch").distinct().collect()}
    assert len(moments) == 1 and isinstance(moments.pop(), datetime.datetime)
