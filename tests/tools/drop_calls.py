#!/usr/bin/python3
"""Which calls of a source file a test does not miss.

    tests/tools/drop_calls.py src/streaming/table/exchange.c test_change_crash [--call 'sync'] [--preset dev]

Takes one call at a time out of the source: it is not made, and counts as done. Without --call, those whose name has
"sync" in it. Each mutant is compiled, linked and run as by mutate.py. Mutants that pass are printed with their line:
either the test misses a case, or something else does the same, which a reader of the list has to explain."""

import argparse
import pathlib
import re
import sys
import tempfile

from mutate import ROOT, TEXT, Trial


def call_end(code, start):
    """Behind the bracket that closes the one at `start`."""
    depth = 0
    for at in range(start, len(code)):
        depth += {"(": 1, ")": -1}.get(code[at], 0)
        if depth == 0:
            return at + 1
    raise ValueError("a call that does not end")


def calls(source, name):
    """(start, end) of each call of a function with such a name, but no definition."""
    code = TEXT.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), source)
    for found in re.finditer(r"\b\w*(?:%s)\w*(?=\()" % name, code):
        if not re.search(r"\b(?:bool|void|int)\s$", code[: found.start()]):
            yield found.start(), call_end(code, found.end())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("test")
    parser.add_argument("--call", default="sync", help="part of the names, as a regular expression")
    parser.add_argument("--preset", default="dev")
    parser.add_argument("--limit", type=float, default=600, help="seconds, after which a mutant counts as noticed")
    options = parser.parse_args()
    source = options.source.resolve()
    text = source.read_text()
    counts = {"killed": 0, "survived": 0, "invalid": 0}
    with tempfile.TemporaryDirectory() as folder:
        build = ROOT / "build" / options.preset
        trial = Trial(build, source, options.test, pathlib.Path(folder), options.limit)
        if trial.run(text) != "survived":
            sys.exit(f"drop_calls.py: {options.test} does not pass as it is")
        for start, end in calls(text, options.call):
            fate = trial.run(text[:start] + "(true)" + text[end:])
            counts[fate] += 1
            number = text.count("\n", 0, start) + 1
            print(f"{number}: {fate}: {' '.join(text[start:end].split())}", flush=True)
    print(f"{options.source}: {counts['killed']} noticed, {counts['survived']} not noticed, "
          f"{counts['invalid']} do not compile")


if __name__ == "__main__":
    main()
