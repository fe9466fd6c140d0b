"""The readers that people use, each with the path that the README shows, all to the same shape:
{column: type} in words of Spark, and rows as dicts in order of (partition, offset)."""

import datetime

import duckdb
import pandas
import polars
import pyarrow.dataset

WORDS = {
    "string": "string",
    "large_string": "string",
    "VARCHAR": "string",
    "String": "string",
    "int": "int",
    "int32": "int",
    "INTEGER": "int",
    "Int32": "int",
    "bigint": "bigint",
    "int64": "bigint",
    "BIGINT": "bigint",
    "Int64": "bigint",
    "double": "double",
    "DOUBLE": "double",
    "Float64": "double",
    "boolean": "boolean",
    "bool": "boolean",
    "BOOLEAN": "boolean",
    "Boolean": "boolean",
    "timestamp": "timestamp",
    "timestamp[us, tz=UTC]": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamp",
    "Datetime(time_unit='us', time_zone='UTC')": "timestamp",
    "date": "date",
    "DATE": "date",
    "date32[day]": "date",
    "Date": "date",
    "binary": "binary",
    "BLOB": "binary",
    "Binary": "binary",
}


def plain(value):
    if isinstance(value, datetime.datetime):
        if value.tzinfo is None:
            return value.replace(tzinfo=datetime.UTC)
        return value.astimezone(datetime.UTC)
    return bytes(value) if isinstance(value, bytearray) else value


def shape(types, rows):
    types = {name: WORDS[str(kind)] for name, kind in types.items()}
    rows = [{name: plain(value) for name, value in row.items()} for row in rows]
    return types, sorted(rows, key=lambda row: (row["partition"], row["offset"]))


def with_spark(session, directory):
    frame = session.read.parquet(str(directory))
    return shape(dict(frame.dtypes), [row.asDict() for row in frame.collect()])


def with_pyarrow(directory):
    table = pyarrow.dataset.dataset(str(directory), partitioning="hive").to_table()
    return shape({field.name: field.type for field in table.schema}, table.to_pylist())


def with_duckdb(directory):
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        found = connection.sql(
            f"FROM read_parquet('{directory}/**/*.parquet', hive_partitioning = true)"
        )
        types = dict(zip(found.columns, found.types))
        return shape(types, found.to_arrow_table().to_pylist())


def with_polars(directory):
    frame = polars.read_parquet(f"{directory}/**/*.parquet", hive_partitioning=True)
    return shape(dict(frame.schema), frame.to_dicts())


def rows_with_pandas(directory):
    # The default, a dictionary per partition column, cannot hold null.
    partitioning = pyarrow.dataset.partitioning(flavor="hive")
    return len(pandas.read_parquet(directory, partitioning=partitioning))
