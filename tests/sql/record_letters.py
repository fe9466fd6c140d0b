"""Records upper() and lower() of every character in real Spark 4, as src/base/letter_table.h.

    .venv/bin/python tests/sql/record_letters.py

Spark takes ICU's tables, which are newer than those of any library in Debian.
"""

import pathlib
import sys
import tempfile

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))

from rig.spark import open_session  # noqa: E402

TABLE = TESTS.parent / "src" / "base" / "letter_table.h"
CHARACTERS = [c for c in range(1, 0x110000) if not 0xD800 <= c <= 0xDFFF]
# A sigma is final behind a letter with case, and characters between them can be ignored.
ASKED = ["c", "upper(t) u", "lower(t) l", "endswith(lower(t || 'Σ'), 'ς') cased", "endswith(lower('A' || t || 'Σ'), 'ς') behind"]


def ask(session, directory):
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = directory / "characters.parquet"
    pq.write_table(pa.table({"c": pa.array(CHARACTERS, pa.int32()), "t": [chr(c) for c in CHARACTERS]}), path)
    return session.read.parquet(str(path)).selectExpr(*ASKED).toArrow().to_pylist()


def runs(pairs):
    """[first, last, step, how far the other case is]."""
    found = []
    for c, other in pairs:
        distance = ord(other) - c
        step = c - found[-1][1] if found else 0
        if found and found[-1][3] == distance and (step == found[-1][2] or (found[-1][0] == found[-1][1] and step <= 2)):
            found[-1][1:3] = [c, step]
        else:
            found.append([c, c, 1, distance])
    return found


def ranges(characters):
    found = []
    for c in characters:
        if found and found[-1][1] == c - 1:
            found[-1][1] = c
        else:
            found.append([c, c])
    return found


def lines(entries):
    """As many entries in a line as fit."""
    line = "   "
    for entry in entries:
        if len(line) + len(entry) + 2 > 100:
            yield line
            line = "   "
        line += f" {entry},"
    yield line


def print_table(name, kind, entries, file):
    print(f"\nstatic const struct {kind} {name}[] = {{", file=file)
    for line in lines(entries):
        print(line, file=file)
    print("};", file=file)


def print_runs(name, pairs, file):
    found = runs([(c, other) for c, other in pairs if len(other) == 1])
    print_table(name, "case_run", [f"{{0x{a:X}, 0x{b:X}, {step}, {far}}}" for a, b, step, far in found], file)


def print_longer(name, pairs, file):
    longer = [(c, [f"0x{ord(one):X}" for one in other]) for c, other in pairs if len(other) > 1]
    print_table(name, "case_longer", [f"{{0x{c:X}, {{{', '.join(other)}}}}}" for c, other in longer], file)


def print_ranges(name, characters, file):
    print_table(name, "case_range", [f"{{0x{a:X}, 0x{b:X}}}" for a, b in ranges(characters)], file)


def main():
    with tempfile.TemporaryDirectory() as directory:
        session = open_session(pathlib.Path(directory), threads=1)
        rows = ask(session, pathlib.Path(directory))
        session.stop()
    upper = [(row["c"], row["u"]) for row in rows if row["u"] != chr(row["c"])]
    lower = [(row["c"], row["l"]) for row in rows if row["l"] != chr(row["c"])]
    with open(TABLE, "w") as file:
        print("/* letter_table.h: recorded from Spark 4.2 (Unicode 17) by tests/sql/record_letters.py; for letter_case.c", file=file)
        print(" * alone, which says what the tables mean. */", file=file)
        print("#ifndef BASE_LETTER_TABLE_H\n#define BASE_LETTER_TABLE_H\n\n#include <stdint.h>\n", file=file)
        print("struct case_run {\n    uint32_t first, last, step;\n    int32_t distance;\n};\n", file=file)
        print("struct case_longer {\n    uint32_t character, becomes[3];\n};\n", file=file)
        print("struct case_range {\n    uint32_t first, last;\n};\n\n/* clang-format off */", file=file)
        print_runs("upper_runs", upper, file)
        print_runs("lower_runs", lower, file)
        print_longer("upper_longer", upper, file)
        print_longer("lower_longer", lower, file)
        print_ranges("cased", [row["c"] for row in rows if row["cased"]], file)
        print_ranges("ignored", [row["c"] for row in rows if row["behind"] and not row["cased"]], file)
        print("/* clang-format on */\n\n#endif", file=file)


if __name__ == "__main__":
    main()
