"""Records what real Spark 4 says of expressions, for tests/unit/sql.

    .venv/bin/python tests/sql/record.py          rewrites tests/data/sql/*.tsv

types.tsv has the type of each function for each pair of types, and whether Spark takes the result
for nullable where no argument is. rows.tsv has the rows of expressions.py, expressions.tsv the
values of its expressions for each of these rows; nested_rows.tsv and nested.tsv the same of
nested.py, over arrays, maps and structs, and nested_views.tsv those of exploded rows. ANSI is off, the time zone is UTC.

A value is written as: \\N (null), ! (Spark throws), a number (dates: days, timestamps:
microseconds, decimals: unscaled), true, false, or a text with \\xHH for control characters and
backslashes.
"""

import decimal
import itertools
import logging
import pathlib
import sys
import tempfile
import time

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))

from rig.spark import open_session  # noqa: E402

from sql import expressions, nested  # noqa: E402

DATA = TESTS / "data" / "sql"
TYPES = (
    "BOOLEAN TINYINT SMALLINT INT BIGINT FLOAT DOUBLE DECIMAL(10,2) DECIMAL(38,10) STRING BINARY"
    " DATE TIMESTAMP TIMESTAMP_NTZ VOID"
).split()
# The name in our table, and how Spark's SQL has it. The first argument of if and case is BOOLEAN.
ONE = {
    "not": "NOT {}",
    "negative": "-{}",
    "isnull": "{} IS NULL",
    "isnotnull": "{} IS NOT NULL",
    **{
        name: name + "({})"
        for name in (
            "abs btrim ceil coalesce concat day floor hour length lower ltrim month round rtrim"
            " timestamp_millis timestamp_seconds to_date to_timestamp trim unix_timestamp upper"
            " year"
        ).split()
    },
}
TWO = {
    **{name: "{} " + name + " {}" for name in "= <=> < <= > >= + - * / % div and or".split()},
    "in": "{} IN ({})",
    **{
        name: name + "({}, {})"
        for name in (
            "coalesce concat concat_ws greatest least nullif startswith substring"
        ).split()
    },
}
CHOICES = {"if": "if(a0, {}, {})", "case": "CASE WHEN a0 THEN {} ELSE {} END"}


def spark_type(name):
    from pyspark.sql.types import NullType, StructType

    return NullType() if name == "VOID" else StructType.fromDDL("x " + name).fields[0].dataType


def asker(session):
    """Says of an expression over columns a0, b0, a1, …, of each type one pair, what its type is."""
    from pyspark.sql.types import StructField, StructType

    fields = [
        StructField(f"{letter}{i}", spark_type(name), name == "VOID")
        for i, name in enumerate(TYPES)
        for letter in "ab"
    ]
    frame = session.createDataFrame(session.sparkContext.emptyRDD(), StructType(fields))

    def ask(expression):
        try:
            field = frame.selectExpr(f"{expression} AS x").schema.fields[0]
        except Exception:
            return "-"
        return field.dataType.simpleString().upper() + ("" if field.nullable else "!")

    return ask


def type_lines(session):
    ask = asker(session)
    for name, form in ONE.items():
        for i, one in enumerate(TYPES):
            yield name, one, ask(form.format(f"a{i}"))
    for (i, one), (j, other) in itertools.product(enumerate(TYPES), repeat=2):
        for name, form in TWO.items():
            yield name, f"{one} {other}", ask(form.format(f"a{i}", f"b{j}"))
        for name, form in CHOICES.items():
            yield name, f"BOOLEAN {one} {other}", ask(form.format(f"a{i}", f"b{j}"))
        if other != "VOID":
            yield "cast", f"{one} {other}", ask(f"CAST(a{i} AS {other})")


# ---- values ----

RAW = {"DATE": "INT", "TIMESTAMP": "BIGINT", "TIMESTAMP_NTZ": "BIGINT"}
TYPED = {
    "DATE": "date_from_unix_date({})",
    "TIMESTAMP": "timestamp_micros({})",
    "TIMESTAMP_NTZ": "CAST(timestamp_micros({}) AS TIMESTAMP_NTZ)",
}
COLLECTED = {
    "date": "unix_date({})",
    "timestamp": "unix_micros({})",
    "timestamp_ntz": "unix_micros(CAST({} AS TIMESTAMP))",
}


def raw_value(value, name):
    if value is None or not name.startswith("DECIMAL"):
        return value
    scale = int(name.rstrip(")").split(",")[1])
    return decimal.Decimal(value).scaleb(-scale, decimal.Context(prec=40))


def value_frame(session):
    from pyspark.sql.types import IntegerType, StructField, StructType

    columns = expressions.COLUMNS
    fields = [
        StructField(name, spark_type(RAW.get(kind, kind))) for name, kind in columns.items()
    ]
    rows = [
        [*(raw_value(v, kind) for v, kind in zip(row, columns.values())), number]
        for number, row in enumerate(expressions.rows())
    ]
    frame = session.createDataFrame(rows, StructType([*fields, StructField("row", IntegerType())]))
    typed = [f"{TYPED.get(kind, '{}').format(name)} AS {name}" for name, kind in columns.items()]
    return frame.coalesce(1).selectExpr(*typed, "row")


def shown(value, kind):
    if value is None:
        return r"\N"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, decimal.Decimal):
        return str(int(value.scaleb(kind.scale, decimal.Context(prec=80))))
    if isinstance(value, str):
        return "".join(f"\\x{ord(c):02x}" if c < " " or c in "\\\x7f" else c for c in value)
    return repr(value)


def collect(frame, form, kind, first, count):
    """The values of rows [first, first + count); a row for which Spark throws has "!"."""
    from py4j.protocol import Py4JJavaError
    from pyspark.errors import PySparkException

    some = frame.filter(f"row >= {first} AND row < {first + count}")
    try:
        found = some.selectExpr("row", f"{form} AS x").collect()
        return [shown(row.x, kind) for row in sorted(found, key=lambda row: row.row)]
    except (PySparkException, Py4JJavaError):
        if count == 1:
            return ["!"]
    half = count // 2
    return [
        *collect(frame, form, kind, first, half),
        *collect(frame, form, kind, first + half, count - half),
    ]


def nested_frame(session):
    schema = ", ".join(f"{name} {nested.ddl(kind)}" for name, kind in nested.COLUMNS.items())
    record = ("STRUCT", nested.COLUMNS)
    rows = [(number, nested.as_json(row, record)) for number, row in enumerate(nested.rows())]
    frame = session.createDataFrame(rows, "row INT, value STRING").coalesce(1)
    return frame.selectExpr("row", f"from_json(value, '{schema}') AS r").selectExpr("row", "r.*")


def nested_row_lines():
    yield nested.COLUMNS.keys()
    yield (nested.ddl(kind) for kind in nested.COLUMNS.values())
    for row in nested.rows():
        yield [nested.as_text(value) for value in row.values()]


def view_lines(session):
    """What is exploded, an expression, its type, and its values for all rows in their order."""
    nested_frame(session).cache().createOrReplaceTempView("r")
    for views, positions, listed in nested.VIEWS:
        for expression in listed.split(" | "):
            query = f"SELECT row, {', '.join(positions.split())}, {expression} AS x FROM r {views}"
            frame = session.sql(query)
            field = frame.schema.fields[-1]
            kind = field.dataType.simpleString().upper() + ("" if field.nullable else "!")
            rows = sorted(frame.collect(), key=lambda row: [-1 if at is None else at for at in row[:-1]])
            yield views, expression, kind, *(shown(row.x, field.dataType) for row in rows)


def value_lines(frame, listed, count):
    frame = frame.cache()
    for expression in listed:
        try:
            field = frame.selectExpr(f"{expression} AS x").schema.fields[0]
        except Exception:
            yield expression, "-"
            continue
        kind = field.dataType.simpleString().upper() + ("" if field.nullable else "!")
        start = time.monotonic()
        form = COLLECTED.get(field.dataType.simpleString(), "{}").format(f"({expression})")
        yield expression, kind, *collect(frame, form, field.dataType, 0, count)
        print(f"{time.monotonic() - start:6.2f} s  {expression}", flush=True)


def row_lines():
    yield expressions.COLUMNS.keys()
    yield expressions.COLUMNS.values()
    for row in expressions.rows():
        yield [shown(value, None) for value in row]


def write(name, lines):
    with open(DATA / name, "w") as file:
        for line in lines:
            file.write("\t".join(line) + "\n")
            file.flush()


def main():
    logging.disable(logging.CRITICAL)  # of refused expressions there are many
    with tempfile.TemporaryDirectory() as directory:
        session = open_session(
            pathlib.Path(directory), threads=1, spark_sql_ansi_enabled="false", spark_ui_showConsoleProgress="false"
        )
        session.sparkContext.setLogLevel("OFF")
        what = sys.argv[1:] or ["types", "expressions", "nested"]
        if "types" in what:
            write("types.tsv", type_lines(session))
        if "expressions" in what:
            write("rows.tsv", row_lines())
            frame = value_frame(session)
            listed = expressions.expressions()
            write("expressions.tsv", value_lines(frame, listed, len(expressions.TEXTS)))
        if "nested" in what:
            session.conf.set("spark.sql.optimizer.enableJsonExpressionOptimization", "false")
            write("nested_rows.tsv", nested_row_lines())
            write("nested_views.tsv", view_lines(session))
            listed, count = nested.expressions(), len(nested.rows())
            write("nested.tsv", value_lines(nested_frame(session), listed, count))
        session.stop()


if __name__ == "__main__":
    main()
