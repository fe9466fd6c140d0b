"""Records what real Spark 4 says of expressions over arrays, maps and structs, for tests/unit/sql.

    .venv/bin/python tests/sql/record_nested.py          rewrites tests/data/sql/nested*.tsv

nested_rows.tsv and nested.tsv have the rows and values of nested.py, nested_views.tsv the values of
exploded rows. ANSI is off, the time zone is UTC. record.py says how a value is written.
"""

import decimal
import logging
import pathlib
import sys
import tempfile
import time

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))

from rig.spark import open_session  # noqa: E402

from sql import nested  # noqa: E402

DATA = TESTS / "data" / "sql"
COLLECTED = {
    "date": "unix_date({})",
    "timestamp": "unix_micros({})",
    "timestamp_ntz": "unix_micros(CAST({} AS TIMESTAMP))",
}


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
        session.conf.set("spark.sql.optimizer.enableJsonExpressionOptimization", "false")
        write("nested_rows.tsv", nested_row_lines())
        write("nested_views.tsv", view_lines(session))
        listed, count = nested.expressions(), len(nested.rows())
        write("nested.tsv", value_lines(nested_frame(session), listed, count))
        session.stop()


if __name__ == "__main__":
    main()
