"""Records what real Spark 4 says of expressions, for tests/unit/sql.

    .venv/bin/python tests/sql/record.py          rewrites tests/data/sql/*.tsv
    .venv/bin/python tests/sql/record.py new      adds expressions that expressions.tsv does not have

types.tsv has the type of each function for each pair of types, and whether Spark takes the result
for nullable where no argument is. rows.tsv has the rows of expressions.py, expressions.tsv the
values of its expressions for each of these rows; zone-*.tsv the same in other time zones. ANSI is
off, the time zone of the others is UTC.

A value is written as: \\N (null), ! (Spark throws), a number (dates: days, timestamps:
microseconds, decimals: unscaled), true, false, or a text with \\xHH for control characters and
backslashes.
"""

import itertools
import logging
import pathlib
import sys
import tempfile
import time

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))

from rig.spark import open_session  # noqa: E402

from sql import compare, expressions  # noqa: E402

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
            yield "try_cast", f"{one} {other}", ask(f"TRY_CAST(a{i} AS {other})")


# ---- values ----

def value_frame(session, columns, rows, directory):
    path = directory / f"rows-{len(columns)}.parquet"
    compare.parquet(columns, rows, path)
    return session.read.parquet(str(path))


def shown(value, kind):
    if isinstance(value, float):
        return repr(value)
    if not isinstance(value, (str, bytes)):
        return compare.shown(value, kind)
    text = value if isinstance(value, str) else value.decode(errors="surrogateescape")
    return "".join(f"\\x{ord(c):02x}" if c < " " or c in "\\\x7f" else c for c in text)


def collect(frame, expression, kind, first, count):
    """The values of rows [first, first + count); a row for which Spark throws has "!"."""
    from py4j.protocol import Py4JJavaError
    from pyspark.errors import PySparkException

    some = frame.filter(f"row >= {first} AND row < {first + count}")
    try:
        table = some.selectExpr(f"{expression} AS x").toArrow()
        return compare.column_texts(table.column(0), kind, shown)
    except (PySparkException, Py4JJavaError):
        if count == 1:
            return ["!"]
    half = count // 2
    return [
        *collect(frame, expression, kind, first, half),
        *collect(frame, expression, kind, first + half, count - half),
    ]


def value_lines(frame, expressions_of):
    count = frame.count()
    for expression in expressions_of:
        try:
            field = frame.selectExpr(f"{expression} AS x").schema.fields[0]
        except Exception:
            yield expression, "-"
            continue
        kind = field.dataType.simpleString()
        start = time.monotonic()
        yield expression, kind.upper() + ("" if field.nullable else "!"), *collect(frame, expression, kind, 0, count)
        print(f"{time.monotonic() - start:6.2f} s  {expression}", flush=True)


def kept_lines(frame, only_new):
    """Of all expressions; `only_new`: the file has the others already."""
    kept = {}
    if only_new:
        with open(DATA / "expressions.tsv", errors="surrogateescape", newline="\n") as file:
            kept = {line.split("\t")[0]: line.rstrip("\n").split("\t") for line in file}
    for expression in expressions.expressions():
        if expression in kept:
            yield kept[expression]
        else:
            yield from value_lines(frame, [expression])


def row_lines(columns, rows):
    yield columns.keys()
    yield columns.values()
    for row in rows:
        yield [shown(value, None) for value in row]


def record_zones(session, directory):
    rows = list(expressions.zone_rows())
    write("zone-rows.tsv", row_lines(expressions.ZONE_COLUMNS, rows))
    frame = value_frame(session, expressions.ZONE_COLUMNS, rows, directory)
    for zone in expressions.ZONES:
        session.conf.set("spark.sql.session.timeZone", zone)
        write(f"zone-{zone.replace('/', '-')}.tsv", value_lines(frame, expressions.zone_expressions()))
    session.conf.set("spark.sql.session.timeZone", "UTC")


def write(name, lines):
    with open(DATA / name, "w", errors="surrogateescape") as file:
        for line in lines:
            file.write("\t".join(line) + "\n")
            file.flush()


def main():
    logging.disable(logging.CRITICAL)  # of refused expressions there are many
    with tempfile.TemporaryDirectory() as directory:
        directory = pathlib.Path(directory)
        session = open_session(directory, threads=1, spark_ui_showConsoleProgress="false", **compare.CONFIG)
        session.sparkContext.setLogLevel("OFF")
        what = sys.argv[1:] or ["types", "expressions", "zones"]
        if "types" in what:
            write("types.tsv", type_lines(session))
        if "expressions" in what or "new" in what:
            rows = list(expressions.rows())
            write("rows.tsv", row_lines(expressions.COLUMNS, rows))
            frame = value_frame(session, expressions.COLUMNS, rows, directory)
            write("expressions.tsv", list(kept_lines(frame, "new" in what)))
        if "zones" in what:
            record_zones(session, directory)
        session.stop()


if __name__ == "__main__":
    main()
