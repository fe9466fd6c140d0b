#!/usr/bin/env python3
"""Records the corpus again: what real Spark 4 reads with from_json from documents with nested
objects and values of every type (schemas.json). Writes cases.jsonl.gz.

The first line is the time, in milliseconds since 1970, by which Spark resolved times without a day.
Each other line is a case: its schema, the document ("text", or "bytes" in Base64 where it is not
UTF-8) and the row, one value per path; no row: from_json itself is null."""

import base64
import decimal
import gzip
import json
import pathlib
import random
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:1] = [str(ROOT / "tests"), str(ROOT / "bench"), str(HERE)]

import documents  # noqa: E402
from fuzz_spark.oracle import plain  # noqa: E402

# Of a column, what is recorded where the value itself has no exact form in JSON.
EXACT = {
    "TIMESTAMP": "unix_micros({})",
    "TIMESTAMP_NTZ": "unix_micros(cast({} as timestamp))",
    "DATE": "unix_date({})",
    "FLOAT": "cast({} as double)",
    "BINARY": "hex({})",
    "DECIMAL": "cast({} as string)",
}


def ddl(columns):
    """The columns as one type, fields in declared order."""
    tree = {}
    for path, its_type in columns:
        level = tree
        for name in path[:-1]:
            level = level.setdefault(name, {})
        level[path[-1]] = its_type

    def struct(level):
        fields = [
            f"`{name}`: {struct(kind) if isinstance(kind, dict) else kind}"
            for name, kind in level.items()
        ]
        return f"STRUCT<{', '.join(fields)}>"

    return struct(tree)


def exact(path, its_type):
    name = "data." + ".".join(f"`{part}`" for part in path)
    return EXACT.get(its_type.partition("(")[0], "{}").format(name)


def shown(value, its_type):
    """Of a number with zeros only, Spark's text may have an exponent."""
    if its_type.startswith("DECIMAL") and value is not None:
        return format(decimal.Decimal(value), "f")
    return plain(value)


def evaluate(spark, columns, values, directory):
    """A row per document."""
    import pyarrow
    import pyarrow.parquet
    from pyspark.sql import functions as f

    table = pyarrow.table(
        {
            "id": pyarrow.array(range(len(values)), pyarrow.int64()),
            "value": pyarrow.array(values, pyarrow.binary()),
        }
    )
    source, target = directory / "documents.parquet", directory / "rows.parquet"
    pyarrow.parquet.write_table(table, source)
    read = spark.read.parquet(str(source))
    data = f.from_json(f.col("value").cast("string"), ddl(columns)).alias("data")
    chosen = [f.expr(exact(*column)).alias(f"c{at}") for at, column in enumerate(columns)]
    rows = read.select("id", data).select("id", f.expr("data is null").alias("none"), *chosen)
    rows.write.mode("overwrite").parquet(str(target))
    found = {row["id"]: row for row in pyarrow.parquet.read_table(target).to_pylist()}
    for number in range(len(values)):
        row = found[number]
        found_there = [shown(row[f"c{at}"], kind) for at, (_, kind) in enumerate(columns)]
        yield None if row["none"] else found_there


def case(schema, value, row):
    try:
        document = {"text": value.decode()}
    except UnicodeDecodeError:
        document = {"bytes": base64.b64encode(value).decode()}
    made = {"schema": schema, **document}
    return made if row is None else {**made, "row": row}


def record(spark, directory):
    schemas = json.loads((HERE / "schemas.json").read_text())
    for name, columns in schemas.items():
        values = list(documents.generate(random.Random(name), name, columns))
        for value, row in zip(values, evaluate(spark, columns, values, directory), strict=True):
            yield case(name, value, row)


def main():
    from rig.spark import open_session

    with tempfile.TemporaryDirectory() as directory:
        directory = pathlib.Path(directory)
        spark = open_session(
            directory,
            threads=1,
            spark_sql_ansi_enabled="false",
        )
        # Without the rule that would cut the schema to one path, which changes values.
        spark.conf.set("spark.sql.optimizer.enableJsonExpressionOptimization", "false")
        spark.conf.set("spark.sql.caseSensitive", "true")  # of the paths, both `e` and `E`
        while True:
            now = time.time()
            cases = list(record(spark, directory))
            if int(now) // 86400 == int(time.time()) // 86400:
                break
        spark.stop()
    with gzip.GzipFile(HERE / "cases.jsonl.gz", "wb", mtime=0) as out:
        for line in [{"now_ms": int(now * 1000)}, *cases]:
            out.write((json.dumps(line, separators=(",", ":")) + "\n").encode())
    print(f"{len(cases)} cases")


if __name__ == "__main__":
    main()
