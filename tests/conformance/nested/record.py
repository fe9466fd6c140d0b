#!/usr/bin/env python3
"""Records a corpus again: what real Spark 4 reads with from_json.

    record.py objects    documents with nested objects and values of every type (schemas.json):
                         cases.jsonl.gz
    record.py lists      documents with arrays, maps and objects in them (lists.py): lists.jsonl.gz
    record.py acceptance what is JSON and what is not (acceptance.py): acceptance.jsonl.gz

A line with "now_ms" has the time, in milliseconds since 1970, by which Spark resolved times without
a day; one with "columns" declares a schema. Each other line is a case: its schema, the document
("text", or "bytes" in Base64 where it is not UTF-8) and the row, one value per path; no row:
from_json itself is null. An array is a list, a map a list of [key, value], a struct a list of its
fields' values. So null, an absent element, NaN, -0.0 and a key that comes twice are all kept."""

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

import acceptance  # noqa: E402
import documents  # noqa: E402
import lists  # noqa: E402
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


def type_ddl(kind):
    if not isinstance(kind, dict):
        return kind
    if "array" in kind:
        return f"ARRAY<{type_ddl(kind['array'])}>"
    if "map" in kind:
        return f"MAP<STRING, {type_ddl(kind['map'])}>"
    return struct_ddl(kind["struct"])


def struct_ddl(fields):
    return f"STRUCT<{', '.join(f'`{name}`: {type_ddl(kind)}' for name, kind in fields)}>"


def ddl(columns):
    """The columns as one type, fields in declared order."""
    return struct_ddl(lists.root_fields(columns))


def exact_value(value, kind, depth=0):
    """An expression of the value's exact form: maps become arrays of entries."""
    one = f"e{depth}"
    if not isinstance(kind, dict):
        return EXACT.get(kind.partition("(")[0], "{}").format(value)
    if "array" in kind:
        return f"transform({value}, {one} -> {exact_value(one, kind['array'], depth + 1)})"
    if "map" in kind:
        of = exact_value(f"{one}.value", kind["map"], depth + 1)
        entry = f"named_struct('k', {one}.key, 'v', {of})"
        return f"transform(map_entries({value}), {one} -> {entry})"
    fields = ", ".join(
        f"'c{at}', {exact_value(f'{value}.`{name}`', of, depth)}"
        for at, (name, of) in enumerate(kind["struct"])
    )
    return f"if({value} is null, null, named_struct({fields}))"


def exact(path, its_type):
    return exact_value("data." + ".".join(f"`{part}`" for part in path), its_type)


def shown(value, kind):
    if value is None:
        return None
    if not isinstance(kind, dict):
        # Of a number with zeros only, Spark's text may have an exponent.
        return format(decimal.Decimal(value), "f") if kind.startswith("DECIMAL") else plain(value)
    if "array" in kind:
        return [shown(one, kind["array"]) for one in value]
    if "map" in kind:
        return [[entry["k"], shown(entry["v"], kind["map"])] for entry in value]
    return [shown(value[f"c{at}"], of) for at, (_, of) in enumerate(kind["struct"])]


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


def record(spark, directory, schemas, generate):
    for name, columns in schemas.items():
        values = list(generate(random.Random(name), name, columns))
        for value, row in zip(values, evaluate(spark, columns, values, directory), strict=True):
            yield case(name, value, row)


def corpus(which):
    """The file, the lines before the cases, the schemas and the generator of documents."""
    if which == "objects":
        schemas = json.loads((HERE / "schemas.json").read_text())
        return "cases.jsonl.gz", [], schemas, documents.generate
    is_lists = which == "lists"
    schemas = lists.schemas(random.Random("schemas")) if is_lists else acceptance.SCHEMAS
    declared = [{"name": name, "columns": columns} for name, columns in schemas.items()]
    generate = lists.generate if is_lists else acceptance.generate
    return f"{which}.jsonl.gz", declared, schemas, generate


def main():
    from rig.spark import open_session

    file, declared, schemas, generate = corpus(sys.argv[1])
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
            cases = list(record(spark, directory, schemas, generate))
            if int(now) // 86400 == int(time.time()) // 86400:
                break
        spark.stop()
    with gzip.GzipFile(HERE / file, "wb", mtime=0) as out:
        for line in [{"now_ms": int(now * 1000)}, *declared, *cases]:
            out.write((json.dumps(line, separators=(",", ":")) + "\n").encode())
    print(f"{len(cases)} cases")


if __name__ == "__main__":
    main()
