"""Records what real Spark 4 says of expressions, for tests/unit/sql.

    .venv/bin/python tests/sql/record.py          rewrites tests/data/sql/*.tsv

types.tsv has the type of each function for each pair of types, and whether Spark takes the result
for nullable where no argument is. expressions.tsv has the values of the expressions listed in
expressions.txt for each row of rows.txt. ANSI is off, the time zone is UTC.
"""

import itertools
import logging
import pathlib
import sys
import tempfile

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))

from rig.spark import open_session  # noqa: E402

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


def write(name, lines):
    text = "".join("\t".join(line) + "\n" for line in lines)
    (DATA / name).write_text(text)


def main():
    logging.disable(logging.CRITICAL)  # of refused expressions there are many
    with tempfile.TemporaryDirectory() as directory:
        session = open_session(
            pathlib.Path(directory), threads=1, spark_sql_ansi_enabled="false"
        )
        what = sys.argv[1:] or ["types", "expressions"]
        if "types" in what:
            write("types.tsv", type_lines(session))
        session.stop()


if __name__ == "__main__":
    main()
