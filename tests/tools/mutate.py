#!/usr/bin/python3
"""Which lines of a source file a unit test does not check.

    tests/tools/mutate.py src/streaming/kafka/planner.c test_planner [--preset dev] [--lines 90-130]

Changes one operator or number at a time: comparisons, && and ||, + and -, and integer and floating constants. Each
mutant is compiled outside of the build, linked to the test in front of the library, and run. Mutants that pass are
printed: either a case is missing, or the mutant behaves like the original. The source and the build stay as they are;
the test must be built."""

import argparse
import json
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
TIME_LIMIT_S = 30  # a mutant that runs longer is noticed, too

TEXT = re.compile(r"/\*.*?\*/|//[^\n]*|^\s*#[^\n]*|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'", re.S | re.M)
TOKEN = re.compile(r"->|<<=?|>>=?|\+\+|--|\+=|-=|\*=|<=|>=|==|!=|&&|\|\||[<>]|(?<=\s)[+-](?=\s)|"
                   r"(?<![\w.])\d+\.\d+|(?<![\w.])\d+(?![\w.])")
OTHERS = {
    "<": ["<=", ">="], "<=": ["<", ">"], ">": [">=", "<="], ">=": [">", "<"], "==": ["!="], "!=": ["=="],
    "&&": ["||"], "||": ["&&"], "+": ["-"], "-": ["+"], "+=": ["-="], "-=": ["+="], "*=": ["+="],
}


def mutants(source):
    """(offset, token, its replacement) of each mutant."""
    code = TEXT.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), source)
    for found in TOKEN.finditer(code):
        token = found[0]
        if token[0].isdigit():
            others = [f"({token} + 1)"] if "." in token else [str(int(token) + 1)]
        else:
            others = OTHERS.get(token, [])
        for other in others:
            yield found.start(), token, other


def compile_command(build, source):
    """As the build compiles the source, except for what it reads and writes."""
    for entry in json.loads((build / "compile_commands.json").read_text()):
        if pathlib.Path(entry["file"]) == source:
            words = shlex.split(entry["command"])
            return [word for word in words[:words.index("-o")] if word not in ("-Werror", "ccache")]
    sys.exit(f"mutate.py: {source} is not compiled in {build}")


def link_command(build, target):
    commands = subprocess.run(["ninja", "-t", "commands", target], cwd=build, capture_output=True, text=True, check=True)
    words = shlex.split(commands.stdout.splitlines()[-1])
    return [word for word in words if word not in (":", "&&", "ccache")]


class Trial:
    """Compiles, links and runs one text after the other."""

    def __init__(self, build, source, target, folder, limit_s=TIME_LIMIT_S):
        self.build, self.limit_s = build, limit_s
        self.mutant, self.object, self.program = folder / "mutant.c", folder / "mutant.o", folder / "test"
        self.compile = [*compile_command(build, source), "-o", self.object, "-c", self.mutant]
        link = link_command(build, target)
        at = link.index("-o")
        self.link = [*link[:at], self.object, "-o", self.program, *link[at + 2:]]

    def run(self, text):
        """"invalid", "killed" or "survived"."""
        self.mutant.write_text(text)
        for command in (self.compile, self.link):
            if subprocess.run(command, cwd=self.build, capture_output=True, check=False).returncode != 0:
                return "invalid"
        try:
            done = subprocess.run([self.program], capture_output=True, timeout=self.limit_s, check=False)
        except subprocess.TimeoutExpired:
            return "killed"
        return "survived" if done.returncode == 0 else "killed"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("test")
    parser.add_argument("--preset", default="dev")
    parser.add_argument("--lines", default="1-1000000", help="only mutants of these lines: 90-130")
    options = parser.parse_args()
    source = options.source.resolve()
    text = source.read_text()
    first, last = map(int, options.lines.split("-"))
    counts = {"killed": 0, "survived": 0, "invalid": 0}
    with tempfile.TemporaryDirectory() as folder:
        trial = Trial(ROOT / "build" / options.preset, source, options.test, pathlib.Path(folder))
        if trial.run(text) != "survived":
            sys.exit(f"mutate.py: {options.test} does not pass as it is")
        for offset, token, other in mutants(text):
            number = text.count("\n", 0, offset) + 1
            if not first <= number <= last:
                continue
            fate = trial.run(text[:offset] + other + text[offset + len(token):])
            counts[fate] += 1
            if fate == "survived":
                print(f"{number}: {token} -> {other}: {text.splitlines()[number - 1].strip()}", flush=True)
    print(f"{options.source}: {counts['killed']} killed, {counts['survived']} survived, "
          f"{counts['invalid']} do not compile")


if __name__ == "__main__":
    main()
