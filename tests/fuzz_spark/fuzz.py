#!/usr/bin/env python3
"""Differential fuzzing: rows by us against rows by real Spark 4, every column bit for bit, and the
partition directory. `make fuzz-spark` runs rounds of it; the stories run one round of each query.

A difference prints the message and both rows, and appends a case to build/fuzz-spark/<query>.tsv
and .jsonl, ready to be appended to found.tsv and found.jsonl in tests/conformance/<query>/."""

import argparse
import base64
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:1] = [str(ROOT / "tests"), str(ROOT / "bench")]

from fuzz_spark import messages, oracle  # noqa: E402

FOUND = ROOT / "build" / "fuzz-spark"
SHOWN = 20  # differences that are printed in full


class Round:
    """`count` messages from one seed, for one query."""

    def __init__(self, kind, seed, count):
        self.kind = kind
        self.seed = seed
        self.messages = messages.generate(random.Random(f"{kind} {seed}"), kind, count)
        self.ids = [f"{kind[0]}f{seed}-{number}" for number in range(count)]

    def evaluate(self, spark, directory):
        """Writes Spark's rows for the messages; returns the files that `conformance` reads."""
        lines, self.now_ms = oracle.evaluate(spark, self.kind, self.messages, directory)
        self.inputs, self.expected = directory / "input.tsv", directory / "expected.jsonl"
        with open(self.inputs, "w") as inputs, open(self.expected, "w") as expected:
            for number, line in enumerate(lines):
                print(self.input_line(number), file=inputs)
                case = {"id": self.ids[number], "cat": "fuzz", **line}
                print(json.dumps(case, ensure_ascii=False), file=expected)
        self.rows = sum(line["emitted"] for line in lines)
        # Something of the message was read. `status` is derived in one of the queries.
        read = [name for name, _ in messages.columns(self.kind) if name != "status"]
        rows = [line["row"] for line in lines if line["emitted"]]
        self.parsed = sum(any(row[name] is not None for name in read) for row in rows)

    def input_line(self, number):
        message = self.messages[number]
        value = "\\N" if message is None else base64.b64encode(message).decode()
        return f"{self.ids[number]}\tfuzz\t{value}"

    def compare(self, conformance, mode, *only):
        """Runs `conformance`: (exit code, its output)."""
        command = [conformance, "-n", str(self.now_ms), self.kind, mode, self.inputs, self.expected]
        done = subprocess.run([*command, *only], capture_output=True)
        return done.returncode, (done.stdout + done.stderr).decode(errors="replace")

    def differences(self, conformance):
        """[(id, what is said of it)], empty if all rows are equal in both modes."""
        found = {}
        for mode in ("permissive", "reject"):
            code, output = self.compare(conformance, mode)
            for line in output.split("\n"):
                name = line.split(":")[0].split(" ")[0]
                if name in self.ids:
                    found.setdefault(name, []).append(f"{mode}: {line}")
            if code != 0 and not found:
                raise AssertionError(f"conformance ended with {code}: {output[-4000:]}")
        return found

    def report(self, conformance, found):
        FOUND.mkdir(parents=True, exist_ok=True)
        numbers = {name: number for number, name in enumerate(self.ids)}
        wanted = self.expected.read_text().split("\n")
        for shown, (name, said) in enumerate(found.items()):
            number = numbers[name]
            with open(FOUND / f"{self.kind}.tsv", "a") as inputs:
                print(self.input_line(number), file=inputs)
            with open(FOUND / f"{self.kind}.jsonl", "a") as expected:
                print(wanted[number], file=expected)
            if shown < SHOWN:
                print(f"\n{name}: {self.messages[number]!r:.2000}", *said, sep="\n  ")
                print(f"  Spark's row: {wanted[number]:.3000}")
                print(f"  our row: {self.compare(conformance, 'permissive', name)[1]:.3000}")


def run_round(spark, conformance, kind, seed, count, directory):
    """The number of messages whose rows differ."""
    started = time.monotonic()
    one = Round(kind, seed, count)
    one.evaluate(spark, directory)
    found = one.differences(conformance)
    one.report(conformance, found)
    print(
        f"FUZZ_SEED={seed} {kind}: {count} messages, {one.rows} rows, {one.parsed} with values, "
        f"{len(found)} differ, {time.monotonic() - started:.1f} s",
        flush=True,
    )
    return len(found)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conformance", type=pathlib.Path, required=True, help="the program")
    parser.add_argument("--seed", type=int, help="of the first round; default: the time")
    parser.add_argument("--count", type=int, default=4000, help="messages of each query and round")
    parser.add_argument("--rounds", type=int, default=0, help="0: until the time is over")
    parser.add_argument("--seconds", type=float, default=300)
    options = parser.parse_args()

    from rig.spark import open_session

    seed = int(time.time()) if options.seed is None else options.seed
    deadline = time.monotonic() + options.seconds
    rounds = differ = 0
    with tempfile.TemporaryDirectory(prefix="fuzz-spark-") as name:
        directory = pathlib.Path(name)
        spark = open_session(directory, memory="2g")
        while rounds < options.rounds if options.rounds else time.monotonic() < deadline:
            for kind in ("matches", "players"):
                differ += run_round(
                    spark, options.conformance, kind, seed + rounds, options.count, directory
                )
            rounds += 1
        spark.stop()
    print(f"{rounds} rounds, {2 * rounds * options.count} messages, {differ} differ")
    if differ:
        print(f"the cases are in {FOUND}")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
