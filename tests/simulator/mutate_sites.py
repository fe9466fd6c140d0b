#!/usr/bin/env python3
"""Leaves out each call that changes the disk, and swaps it with the next one, in turn: the simulator must notice.

A call is known by its function in base/disk and that one's callers. What no life notices is a survivor. Each survivor has a line with
its reason in survivors.txt; one that has none fails.
"""

import argparse
import fnmatch
import os
import re
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def plant_each(program, lives, seed):
    """(survives or noticed, left out or swapped, call, what is said) for each call that changes the disk."""
    run = subprocess.run(
        [program, "--each-call", "--lives", str(lives), "--seed", str(seed), "--jobs", str(os.cpu_count())],
        capture_output=True, text=True)
    if run.returncode != 0:
        raise SystemExit(f"the simulator fails without a planted bug:\n{run.stdout[-2000:]}{run.stderr[-2000:]}")
    return [[part.strip() for part in line.split(" | ", 3)] for line in run.stdout.splitlines() if " | " in line]


def name_calls(texts):
    """Names that stay the same over builds: without where in a function a call is, with a number if there are several."""
    several = defaultdict(list)
    for text in sorted(texts):
        several[re.sub(r"\+[0-9a-f]+", "", text)].append(text)
    return {text: name if len(group) == 1 else f"{name} #{i + 1}" for name, group in several.items() for i, text in enumerate(group)}


def read_survivors():
    """Lines `kind | name | reason`, where kind and name may have *."""
    lines = (HERE / "survivors.txt").read_text().splitlines()
    rows = [[part.strip() for part in line.split("|", 2)] for line in lines if line and not line.startswith("#")]
    return rows


def reason_of(survivors, kind, name):
    for known_kind, known_name, reason in survivors:
        if fnmatch.fnmatchcase(kind, known_kind) and fnmatch.fnmatchcase(name, known_name):
            return reason
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", type=Path, default=ROOT / "build/simulator/tests/simulator/simulate")
    parser.add_argument("--lives", type=int, default=1000, help="for each planted call")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    began = time.monotonic()
    planted = plant_each(arguments.program, arguments.lives, arguments.seed)
    names = name_calls({call for _, _, call, _ in planted})
    known, unexplained, survivors = read_survivors(), 0, 0
    for state, kind, call, said in sorted(planted, key=lambda row: names[row[2]]):
        if state == "noticed":
            continue
        survivors += 1
        reason = reason_of(known, kind, names[call])
        unexplained += reason is None
        print(f"{kind} | {names[call]} | {reason or f'NOT EXPLAINED ({said})'}")
    print(f"{len(names)} calls, {len(planted)} planted bugs, {len(planted) - survivors} noticed, {survivors} survivors, "
          f"{unexplained} of them not explained; {arguments.lives} lives each, {time.monotonic() - began:.0f} s")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
