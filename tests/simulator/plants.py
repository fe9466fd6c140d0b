#!/usr/bin/env python3
"""Builds a simulator for each planted bug of plants/plants.toml and checks that it finds the bug.

Only the changed file is compiled again, and the program linked: an object that is named comes before the same one in a library.
"""

import argparse
import json
import re
import shlex
import subprocess
import sys
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def compile_command(build, source):
    for entry in json.loads((build / "compile_commands.json").read_text()):
        if Path(entry["file"]) == source:
            return shlex.split(entry["command"]), entry["directory"]
    raise SystemExit(f"{source} is not compiled")


def link_command(build):
    """The last command that ninja runs for the simulator, without what comes around it."""
    lines = subprocess.run(
        ["ninja", "-C", build, "-t", "commands", "tests/simulator/simulate"],
        capture_output=True, text=True, check=True).stdout.splitlines()
    line = next(line for line in reversed(lines) if " -o tests/simulator/simulate " in line)
    return shlex.split(re.sub(r"^: && | && :$", "", line))


def build_variant(build, directory, number, plant):
    """The simulator with this bug."""
    source = ROOT / plant["file"]
    text = source.read_text()
    if text.count(plant["old"]) != 1:
        raise SystemExit(f"{plant['name']}: its text is in {plant['file']} {text.count(plant['old'])} times (expected once)")
    changed = directory / f"{number}-{source.name}"
    changed.write_text(f'#line 1 "{source}"\n' + text.replace(plant["old"], plant["new"]))
    command, where = compile_command(build, source)
    made = directory / f"{number}.o"
    command[command.index("-o") + 1] = str(made)
    command[-1] = str(changed)
    command += ["-I", str(source.parent), "-w"]
    subprocess.run(command, cwd=where, check=True)
    link = link_command(build)
    program = directory / f"simulate-{number}"
    link[link.index("-o") + 1] = str(program)
    named = f"/{plant['file'].removeprefix('src/')}.o"  # the program's files of base/disk are named, not in a library
    if any(word.endswith(named) for word in link):
        link = [str(made) if word.endswith(named) else word for word in link]
    else:
        link.insert(link.index("-o"), str(made))
    linked = subprocess.run(link + ["-Wl,-S"], cwd=build, capture_output=True, text=True)
    if linked.returncode != 0:
        raise SystemExit(f"{plant['name']}: cannot be linked:\n{linked.stderr[-2000:]}")
    return program


def try_plant(build, directory, number, plant, jobs):
    program = build_variant(build, directory, number, plant)
    began = time.monotonic()
    run = subprocess.run(
        [program, "--lives", str(plant["lives"]), "--seed", "1", "--jobs", str(jobs), "--no-shrink"],
        capture_output=True, text=True)
    program.unlink()
    seed = re.search(r"^seed (\d+): (.*)$", run.stdout, re.M)
    lives = re.search(r"^ *(\d+)  lives", run.stdout, re.M)
    return {
        "name": plant["name"],
        "found": run.returncode == 1 and seed is not None,
        "lives": int(lives.group(1)) + 1 if lives else 0,
        "within": plant["lives"],
        "seconds": time.monotonic() - began,
        "text": seed.group(0)[:160] if seed else run.stdout[-300:] + run.stderr[-300:],
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=Path, default=ROOT / "build/simulator")
    parser.add_argument("--only", help="plants whose name contains this")
    arguments = parser.parse_args()
    plants = tomllib.loads((ROOT / "tests/simulator/plants/plants.toml").read_text())["plant"]
    chosen = [plant for plant in plants if not arguments.only or arguments.only in plant["name"]]
    directory = arguments.build / "plants"
    directory.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(
            lambda numbered: try_plant(arguments.build, directory, numbered[0], numbered[1], 1), enumerate(chosen)))
    for result in results:
        state = f"found after {result['lives']} lives" if result["found"] else f"NOT FOUND in {result['within']} lives"
        print(f"{state:30} {result['seconds']:6.1f} s  {result['name']}\n    {result['text']}")
    return 0 if all(result["found"] for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
