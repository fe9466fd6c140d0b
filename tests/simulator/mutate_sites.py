#!/usr/bin/env python3
"""Leaves out each call that changes the disk, and swaps it with the next one, in turn: the simulator must notice.

A call is known by its function in base/disk and that one's callers. What no life notices is a survivor. Each survivor has a line with
its reason in survivors.txt; one that has none fails.
"""

import argparse
import re
import subprocess
import sys
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def sites_of(program, lives):
    """The calls that change the disk and are made in these lives, and how often."""
    run = subprocess.run([program, "--lives", str(lives), "--jobs", "2", "--sites"], capture_output=True, text=True)
    if run.returncode != 0:
        raise SystemExit(f"the simulator fails without a planted bug:\n{run.stdout[-2000:]}{run.stderr[-2000:]}")
    return {match[2]: int(match[1]) for match in re.finditer(r"^ *(\d+)  site changes: (.*)$", run.stdout, re.M)}


def name_sites(texts):
    """Names that stay the same over builds: without where in a function a call is, with a number if there are several."""
    several = defaultdict(list)
    for text in sorted(texts):
        several[re.sub(r"\+[0-9a-f]+", "", text)].append(text)
    return {text: name if len(group) == 1 else f"{name} #{i + 1}" for name, group in several.items() for i, text in enumerate(group)}


def is_noticed(program, kind, text, lives, seed):
    run = subprocess.run(
        [program, "--lives", str(lives), "--seed", str(seed), "--no-shrink", "--plant", f"{kind}:{text}"],
        capture_output=True, text=True)
    if run.returncode not in (0, 1):
        raise SystemExit(f"{kind}:{text}: {run.stdout[-500:]}{run.stderr[-500:]}")
    return run.returncode == 1


def read_survivors():
    """Lines `left out | name | reason` or `swapped | name | reason`."""
    lines = (HERE / "survivors.txt").read_text().splitlines()
    rows = [[part.strip() for part in line.split("|", 2)] for line in lines if line and not line.startswith("#")]
    return {(kind, name): reason for kind, name, reason in rows}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", type=Path, default=ROOT / "build/simulator/tests/simulator/simulate")
    parser.add_argument("--lives", type=int, default=1000, help="for each planted call")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help="calls whose name contains this")
    arguments = parser.parse_args()
    calls = sites_of(arguments.program, arguments.lives)
    names = name_sites(calls)
    kinds = {"out": "left out", "swap": "swapped"}
    tried = [(kind, text) for text in names for kind in kinds if not arguments.only or arguments.only in names[text]]
    began = time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        noticed = list(pool.map(lambda plant: is_noticed(arguments.program, *plant, arguments.lives, arguments.seed), tried))
    known, unexplained, survivors = read_survivors(), 0, 0
    for (kind, text), is_found in zip(tried, noticed):
        if is_found:
            continue
        survivors += 1
        reason = known.get((kinds[kind], names[text]))
        unexplained += reason is None
        print(f"{kinds[kind]:8} | {names[text]} | {reason or 'NOT EXPLAINED'}   ({calls[text]} calls)")
    print(f"{len(names)} calls, {len(tried)} planted bugs, {len(tried) - survivors} noticed, {survivors} survivors, "
          f"{unexplained} of them not explained; {arguments.lives} lives each, {time.monotonic() - began:.0f} s")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
