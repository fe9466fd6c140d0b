"""Prints docs/internals/json-acceptance.md: which texts real Spark and we read as JSON, and the
rows that they give.

    acceptance_table.py CORPUS COMMAND…      COMMAND: conformance_nested, with what runs it
"""

import base64
import json
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import acceptance  # noqa: E402

HEAD = """# JSON that is accepted

Printed by `tests/conformance/nested/acceptance_table.py`; a test compares it. Spark's rows were recorded from Spark 4.2.0
(`from_json`, PERMISSIVE, ANSI off) by `record.py acceptance`; ours come from the decoder, in each of its ways.

A name begins with what RFC 8259 says of the text: `y_` it is JSON, `n_` it is not, `i_` the reader may choose. A value stands as the
members `v` (STRING) and `n` (DOUBLE) of a record, with a member `z` (INT) behind it: `{"v":TEXT,"n":TEXT,"z":1}`. A row shows `v`, `n`, `z`;
*null* stands for a record of which `from_json` makes null. Where a record cannot be read to its end, what was read before stays, as in
Spark; with `PARSE_MODE=reject`, the default, it is a reject unless its identifier was read.
"""
SHOWN_MAX = 60


def escaped(text):
    printed = "".join(c if " " <= c <= "~" and c not in "|`" else ascii_of(c) for c in text)
    return printed if len(printed) <= SHOWN_MAX else f"{printed[:SHOWN_MAX]}…"


def ascii_of(character):
    number = ord(character)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"


def document_of(line):
    if "text" in line:
        return escaped(line["text"])
    return escaped(base64.b64decode(line["bytes"]).decode("latin-1"))


def value_of(value):
    if isinstance(value, str):
        return f'"{escaped(value)}"'
    return "null" if value is None else escaped(json.dumps(value))


def row_of(row):
    return "*null*" if row is None else "`" + ", ".join(map(value_of, row)) + "`"


def ours(command, corpus, number):
    done = subprocess.run(
        [*command, "-", corpus, str(number)], capture_output=True, text=True, check=False
    )
    return done.returncode == 0


def main(corpus, *command):
    lines = [json.loads(line) for line in pathlib.Path(corpus).read_text().splitlines()]
    recorded = [line for line in lines if "schema" in line]
    names = [name for name, _ in acceptance.cases()]
    assert len(names) == len(recorded), "record.py acceptance must run again"
    print(HEAD)
    counts = {}
    rows = []
    for number, (name, line) in enumerate(zip(names, recorded, strict=True), 1):
        same = ours(command, corpus, number)
        row = row_of(line.get("row"))
        whole = line.get("row") is not None and line["row"][-1] == 1
        key = name[0]
        counts.setdefault(key, [0, 0, 0])
        counts[key][0] += 1
        counts[key][1] += whole
        counts[key][2] += same
        rows.append(
            f"| {name} | `{document_of(line)}` | {row} | {'the same' if same else '**differs**'} |"
        )
    print("| RFC 8259 | cases | rows of Spark with `z` = 1 | ours are the same |")
    print("|---|---:|---:|---:|")
    for key, words in (("y", "JSON"), ("n", "not JSON"), ("i", "the reader may choose")):
        print(f"| {words} (`{key}_`) | " + " | ".join(map(str, counts[key])) + " |")
    print("\n| case | record | Spark's row | ours |\n|---|---|---|---|")
    print("\n".join(rows))


main(*sys.argv[1:])
