#!/usr/bin/env python3
"""Typed expressions made at random, by us and by real Spark 4: types, values and what throws.

    .venv/bin/python tests/sql/compare.py --pairs 100000 --seed 1 [--zone Europe/Berlin]

Spark computes each expression twice: from the text that a cluster gets, which never throws, and as
a file has it, which may throw only where ours is a fault. A difference is printed.
"""

import argparse
import json
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from sql import generate  # noqa: E402

ROWS, BATCH = 40, 50
# As for the sessions of a cluster.
CONFIG = {
    "spark_sql_ansi_enabled": "false",
    "spark_sql_legacy_timeParserPolicy": "CORRECTED",
    "spark_sql_variable_substitute": "false",
    "spark_sql_parquet_datetimeRebaseModeInRead": "CORRECTED",
    "spark_sql_parquet_int96RebaseModeInRead": "CORRECTED",
}


# ---- values as texts (tests/unit/sql/eval/table.h) ----


def bytes_text(data):
    return "".join(chr(b) if 0x20 <= b < 0x7F and b != 0x5C else f"\\x{b:02x}" for b in data)


def shown(value, kind):
    if value is None:
        return r"\N"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        digits = 9 if kind == "FLOAT" else 17
        return "nan" if value != value else f"{value:.{digits}g}"
    return bytes_text(value.encode() if isinstance(value, str) else value) if isinstance(value, (str, bytes)) else str(value)


def write_rows(columns, rows, path):
    with open(path, "w") as file:
        for line in [columns.keys(), columns.values()]:
            print("\t".join(line), file=file)
        for row in rows:
            print("\t".join(shown(value, kind) for value, kind in zip(row, columns.values())), file=file)


class Ours:
    def __init__(self, tool, zone):
        self.tool, self.zone = tool, zone

    def functions(self):
        lines = subprocess.run([self.tool, "functions"], check=True, capture_output=True, text=True).stdout
        return [json.loads(line) for line in lines.splitlines()]

    def ask(self, what, path, texts):
        done = subprocess.run(
            [self.tool, what, path, self.zone], input="\x1e".join(texts).encode(), stdout=subprocess.PIPE, check=True
        )
        answers = done.stdout.decode().split("\x1e")[:-1]
        assert len(answers) == len(texts)
        return answers


class Expression:
    def __init__(self, text, answer):
        self.text = text
        self.type, self.printed, *values = answer.split("\t")
        self.faults = [row for row, value in enumerate(values) if value.startswith("\f")]
        self.values = [value.lstrip("\f") for value in values]

    def written(self):
        """As the file has it, for the rows where it must not throw."""
        return f"CASE WHEN row IN ({', '.join(map(str, self.faults))}) THEN NULL ELSE ({self.text}) END" if self.faults else self.text


# ---- real Spark ----

ARROW = {"date": "int32", "timestamp": "int64", "timestamp_ntz": "int64"}


def parquet(columns, rows, path):
    """With exactly these values, and their numbers as column `row`: Spark's own functions would not take
    all of them."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrays, names = [], list(columns)
    plain = {
        **{"BOOLEAN": pa.bool_(), "TINYINT": pa.int8(), "SMALLINT": pa.int16(), "INT": pa.int32(), "BIGINT": pa.int64()},
        **{"FLOAT": pa.float32(), "DOUBLE": pa.float64(), "STRING": pa.string(), "BINARY": pa.binary()},
    }
    raw = {
        "DATE": (pa.int32(), pa.date32()),
        "TIMESTAMP": (pa.int64(), pa.timestamp("us", "UTC")),
        "TIMESTAMP_NTZ": (pa.int64(), pa.timestamp("us")),
    }
    for k, kind in enumerate(columns.values()):
        values = [row[k] for row in rows]
        if kind in plain:
            arrays.append(pa.array(values, plain[kind]))
        elif kind in raw:
            arrays.append(pa.array(values, raw[kind][0]).view(raw[kind][1]))
        else:
            precision, scale = map(int, re.findall(r"\d+", kind))
            numbers = b"".join((value or 0).to_bytes(16, "little", signed=True) for value in values)
            present = pa.array([value is not None for value in values]).buffers()[1]
            kind = pa.decimal128(precision, scale)
            arrays.append(pa.Array.from_buffers(kind, len(values), [present, pa.py_buffer(numbers)]))
    arrays.append(pa.array(range(len(rows)), pa.int32()))
    pq.write_table(pa.table(dict(zip([*names, "row"], arrays))), path)


def column_texts(column, kind, shown=shown):
    """The values of a column of an Arrow table."""
    import pyarrow as pa

    column = column.combine_chunks()
    if pa.types.is_decimal(column.type):
        data, valid = column.buffers()[1], column.is_valid().to_pylist()
        numbers = (int.from_bytes(data[16 * k : 16 * k + 16], "little", signed=True) for k in range(len(column)))
        return [str(number) if ok else r"\N" for number, ok in zip(numbers, valid)]
    if kind in ARROW:
        column = column.view(ARROW[kind])
    if kind in ("string", "binary"):
        column = column.cast(pa.binary())  # not always UTF-8
    return [shown(value, kind.upper()) for value in column.to_pylist()]


class Spark:
    def __init__(self, session, path):
        self.session = session
        self.frame = session.read.parquet(str(path))

    def types(self, texts):
        """[type, with "!" if it cannot be null; or why it is refused]."""
        from pyspark.errors import PySparkException

        try:
            fields = self.frame.selectExpr(*[f"{text} AS x" for text in texts]).schema.fields
            return [field.dataType.simpleString().upper() + ("" if field.nullable else "!") for field in fields]
        except PySparkException as error:
            if len(texts) == 1:
                return ["- " + str(error)[:200]]
            half = len(texts) // 2
            return self.types(texts[:half]) + self.types(texts[half:])

    def values(self, texts):
        """[values of each row, or where it throws its message]."""
        from py4j.protocol import Py4JJavaError
        from pyspark.errors import PySparkException

        try:
            chosen = self.frame.selectExpr(*[f"{text} AS x{k}" for k, text in enumerate(texts)])
            table = chosen.toArrow()
            kinds = [field.dataType.simpleString() for field in chosen.schema.fields]
            return [column_texts(table.column(k), kind) for k, kind in enumerate(kinds)]
        except (PySparkException, Py4JJavaError) as error:
            if len(texts) == 1:
                return ["- " + str(error)[:300]]
            half = len(texts) // 2
            return self.values(texts[:half]) + self.values(texts[half:])


def same_value(ours, spark, kind):
    if ours == spark or kind.rstrip("!") not in ("FLOAT", "DOUBLE"):
        return ours == spark
    return ours.lstrip("-") == spark.lstrip("-") == "nan"


def differences(spark, expressions):
    """[(text, what differs)]."""
    found, kept = [], []
    written, printed = ([*spark.types([getattr(one, form) for one in expressions])] for form in ("text", "printed"))
    for one, kind, of_printed in zip(expressions, written, printed):
        # What has a guard can be null for us, and in the text for a cluster.
        # Spark's cast of a whole literal to the DECIMAL that it is compared with can be null for it.
        is_nullable = kind[-1] != "!" and " AS DECIMAL" not in one.printed
        if kind.rstrip("!") != one.type.rstrip("!") or (is_nullable and one.type[-1] == "!") or of_printed != one.type:
            found.append((one.text, f"is {one.type}, Spark says {kind}, and {of_printed} for\n    {one.printed}"))
        if kind[0] != "-" and of_printed[0] != "-":
            kept.append(one)
    for form in ("written", "printed"):
        forms = [one.written() if form == "written" else one.printed for one in kept]
        for one, text, values in zip(kept, forms, spark.values(forms)):
            if isinstance(values, str) and form == "written" and one.faults:
                continue  # a constant, which Spark computes before any row comes
            if isinstance(values, str):
                found.append((one.text, f"{form}: throws {values[1:]}\n    {text}"))
                continue
            for row, (ours, theirs) in enumerate(zip(one.values, values)):
                if form == "written" and row in one.faults:
                    continue
                if not same_value(ours, theirs, one.type):
                    found.append((one.text, f"{form}, row {row}: {theirs} in Spark, ours is {ours}\n    {text}"))
                    break
    return found


class Comparison:
    def __init__(self, session, tool, seed, zone, directory):
        self.session, self.zone, self.directory = session, zone, directory
        session.conf.set("spark.sql.session.timeZone", zone)
        self.draw = random.Random(f"{seed} {zone}")
        self.ours = Ours(tool, zone)
        self.path = directory / "rows.tsv"
        write_rows(generate.COLUMNS, [], self.path)
        self.generator = generate.Generator(
            self.draw, self.ours.functions(), lambda texts: self.ours.ask("types", self.path, texts)
        )
        self.count = self.pairs = 0
        self.used = set()

    def round(self, count):
        """The differences of one round of expressions on new rows."""
        rows = generate.rows(self.draw, ROWS)
        write_rows(generate.COLUMNS, rows, self.path)
        parquet(generate.COLUMNS, rows, self.directory / "rows.parquet")
        texts = [one.text for one in self.generator.round(count)]
        expressions = [Expression(*one) for one in zip(texts, self.ours.ask("values", self.path, texts))]
        spark = Spark(self.session, self.directory / "rows.parquet")
        found = []
        for k in range(0, len(expressions), BATCH):
            found += differences(spark, expressions[k : k + BATCH])
        self.count += len(expressions)
        self.pairs += len(expressions) * ROWS
        return found


LETTER_ROWS = 250
FORMS = ["upper(s)", "lower(s)"]


def around(c):
    """A character alone, and next to letters and a sigma, of which the last of a word is another one."""
    return f"{c}0AΣ{c}0a{c}Σ0{c}Σ0AΣ{c}a0"


def letters_that_differ(session, tool, directory):
    """Of all characters in the planes that have letters: [(form, row, Spark's, ours)]."""
    points = [*range(1, 0xD800), *range(0xE000, 0x20000), *range(0xE0000, 0xE0200)]
    rows = [["".join(around(chr(c)) for c in points[k::LETTER_ROWS])] for k in range(LETTER_ROWS)]
    write_rows({"s": "STRING"}, rows, directory / "rows.tsv")
    parquet({"s": "STRING"}, rows, directory / "rows.parquet")
    ours = [Expression(*one) for one in zip(FORMS, Ours(tool, "UTC").ask("values", directory / "rows.tsv", FORMS))]
    spark = Spark(session, directory / "rows.parquet").values(FORMS)
    return [
        (one.text, row, theirs, value)
        for one, values in zip(ours, spark)
        for row, (theirs, value) in enumerate(zip(values, one.values))
        if theirs != value
    ]


def main():
    from rig.spark import open_session

    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=100_000)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--zone", default="UTC")
    parser.add_argument("--count", type=int, default=500, help="expressions of a round")
    parser.add_argument("--build", default="build/dev")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        directory = pathlib.Path(directory)
        session = open_session(directory, threads=1, spark_ui_showConsoleProgress="false", **CONFIG)
        session.sparkContext.setLogLevel("ERROR")
        tool = ROOT / options.build / "tests" / "tools" / "sql_values"
        comparison = Comparison(session, tool, options.seed, options.zone, directory)
        start, total = time.monotonic(), 0
        while comparison.pairs < options.pairs:
            found = comparison.round(options.count)
            total += len(found)
            for text, what in found:
                print(f"{text}\n    {what}", flush=True)
            print(f"{comparison.count} expressions, {comparison.pairs} pairs, {total} differences,"
                  f" {time.monotonic() - start:.0f} s (seed {options.seed}, {options.zone})", flush=True)  # fmt: skip
        session.stop()
    return 1 if total else 0


if __name__ == "__main__":
    sys.exit(main())
