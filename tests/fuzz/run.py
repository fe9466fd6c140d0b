"""Runs the fuzz targets, measures what their corpora reach, and prints one table as Markdown.

    make fuzz SECONDS=300                    seconds of CPU for each target; six times as many for
                                             those that read what comes from most hands
    make fuzz SECONDS=60 FUZZ_TARGETS="http settings"
    make fuzz NUMBERS=100000000              numbers at random that are compared with strtod()
    make fuzz SECONDS=0                      only measures
    make fuzz FUZZ_KEEP=--record             adds to what all recorded runs reached together

A grown corpus stays in .cache/fuzz/<target> (or the directory FUZZ_GROWN), outside the tree, and the
next run continues with it.
--keep adds what it reaches beyond tests/fuzz/corpus/<target> to that, as few small inputs as will
do. --record keeps the sums of all runs in bench/results/fuzz.json, from the end of each process on,
and prints them as bench/results/fuzz.md. What a target stops at is a finding: its input is kept in build/fuzz/findings. Exits non-zero if
there is one.
"""

import argparse
import concurrent.futures
import dataclasses
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
FUZZ = ROOT / "tests" / "fuzz"
PROGRAMS = ROOT / "build" / "fuzz" / "tests" / "fuzz"
COVERED = ROOT / "build" / "coverage" / "tests" / "fuzz"
FINDINGS = ROOT / "build" / "fuzz" / "findings"
PROFILES = ROOT / "build" / "coverage" / "profiles"
RESULTS = ROOT / "bench" / "results" / "fuzz.json"
LARGE = 6  # times the seconds
FINDINGS_MAX = 10  # of one target in one run
PROCESS_SECONDS_MIN = 20
KEPT_SIZE_MAX = 16384  # bytes of an input that is committed
ARGUMENTS_MAX = 2000  # files on one command line


@dataclasses.dataclass
class Target:
    what: str
    sources: tuple[str, ...]  # whose coverage counts: what the target is for
    large: bool = False
    words: tuple[tuple[str, str], ...] = ()  # a file, and what in it is a word of the dictionary


SQL_WORDS = (
    ("src/sql/syntax/lexer.re", r"\b[A-Z]{2,}\b"),
    ("src/sql/syntax/grammar.y", r"\b[A-Z]{2,}\b"),
    ("docs/functions.md", r"`([a-z_]+)\("),
    ("docs/queries.md", r"`([A-Z][A-Z ]+)`"),
)
SETTING_WORDS = (
    ("docs/configuration.md", r"\b[A-Z]{2,}(?:_[A-Z]+)+\b"),
    ("docs/commands.md", r"--[a-z-]+"),
)
TARGETS = {
    "checkpoint": Target(
        "files of a checkpoint",
        (
            "streaming/offsets/incarnation.c",
            "streaming/offsets/offset_log.c",
            "streaming/store/checkpoint_notes.c",
            "streaming/store/coverage.c",
            "streaming/store/declaration.c",
            "streaming/store/file_json.c",
            "streaming/store/manifest.c",
            "streaming/store/range_json.c",
            "streaming/store/replay_counts.c",
            "streaming/store/resolved.c",
            "streaming/changes/change.c",
            "streaming/care/request.c",
            "streaming/history/history.c",
            "base/checksum.c",
        ),
        large=True,
    ),
    "connect": Target("answers of a Spark Connect server", ("streaming/cluster/connect/*.c",)),
    "decode": Target("records, by every instruction set", ("pipeline/json/*.c",), large=True),
    "expression": Target("values of expressions", ("sql/eval/*.c", "sql/functions/*.c")),
    "http": Target(
        "HTTP requests", ("surfaces/http/*.c", "surfaces/http/routes/*.c", "surfaces/api/*.c")
    ),
    "merge": Target(
        "Parquet files that are merged",
        ("pipeline/merge/*.c", "pipeline/parquet/read/*.c"),
        large=True,
    ),
    "numbers": Target(
        "numbers, decimals and dates in records",
        ("core/double_text.c", "core/double_digits.c", "core/decimal.c", "core/date_text.c"),
    ),
    "parquet": Target("Parquet footers and pages", ("pipeline/parquet/read/*.c",), large=True),
    "plan": Target("query files: names and types", ("sql/plan/*.c",), large=True, words=SQL_WORDS),
    "query": Target(
        "query files: tables", ("streaming/declare/*.c",), large=True, words=SQL_WORDS
    ),
    "settings": Target(
        "env files and options",
        ("surfaces/settings/*.c", "surfaces/program/command_line.c"),
        words=SETTING_WORDS,
    ),
    "sink_log": Target(
        "the sink log and its compact files",
        (
            "streaming/sink_log/sink_entry.c",
            "streaming/sink_log/sink_log.c",
            "streaming/sink_log/sink_log_file.c",
        ),
        large=True,
    ),
    "spark": Target(
        "what Spark reports and prints",
        ("streaming/cluster/engine/spark_progress.c", "streaming/cluster/spark/spark_log.c"),
    ),
    "sql": Target("query files: text", ("sql/syntax/*.c",), large=True, words=SQL_WORDS),
    "timestamp": Target("timestamps in records", ("core/timestamp.c",)),
}


@dataclasses.dataclass
class Outcome:
    seconds: float = 0  # of CPU
    inputs: int = 0
    findings: list = dataclasses.field(default_factory=list)


class Record:
    """The sums of all recorded runs. Written after each change, so that a run may be interrupted."""

    def __init__(self, path):
        self.path = path  # None: nothing is kept
        self.lock = threading.Lock()
        kept = path is not None and path.exists()
        self.sums = json.loads(path.read_text()) if kept else {"targets": {}, "numbers": {}}

    def add(self, section, **more):
        with self.lock:
            for key, value in more.items():
                section[key] = round(section.get(key, 0) + value, 1)
            self.write()

    def add_run(self, name, inputs, seconds, findings):
        target = self.sums["targets"].setdefault(name, {})
        self.add(target, inputs=inputs, seconds=seconds, findings=findings)

    def put_coverage(self, name, sums, corpus):
        with self.lock:
            target = self.sums["targets"].setdefault(name, {})
            target.update(coverage=sums, corpus=corpus)
            self.write()

    def write(self):
        if self.path is None:
            return
        self.path.write_text(json.dumps(self.sums, indent=1, sort_keys=True) + "\n")
        self.path.with_suffix(".md").write_text("# Fuzz targets\n\n" + INTRODUCTION + self.text())

    def text(self):
        return "\n".join([*self.numbers(), *self.table()]) + "\n"

    def numbers(self):
        sums = self.sums["numbers"]
        if sums:
            yield (
                f"{sums['count']:,.0f} random doubles and as many floats, written and read, against"
                f" strtod() and strtof(), in {sums['seconds']:,.0f} s: {sums['different']:.0f}"
                f" runs differ.\n"
            )

    def table(self):
        yield "| target | what it reads | inputs run | CPU minutes | findings | corpus | functions | lines | branches |"
        yield "|---|---|---:|---:|---:|---:|---:|---:|---:|"
        for name, target in TARGETS.items():
            sums = self.sums["targets"].get(name)
            if sums is None:
                continue
            covered = sums.get("coverage", {})
            shares = " | ".join(
                share(covered.get(part, (0, 0))) for part in ("functions", "lines", "branches")
            )
            yield (
                f"| {name} | {target.what} | {sums.get('inputs', 0):,.0f} |"
                f" {sums.get('seconds', 0) / 60:,.1f} | {sums.get('findings', 0):.0f} |"
                f" {sums.get('corpus', 0):,} | {shares} |"
            )


INTRODUCTION = """What all runs of `make fuzz FUZZ_KEEP=--record` reached together
([how](../../docs/internals/hostile-input.md)). Findings are inputs that a run stopped at; their
causes are fixed, and the inputs are in `tests/fuzz/corpus`. Functions, lines and branches are those
of the files that a target is for.

"""


def build(preset, *targets):
    configure = ["cmake", "--preset", preset, "-DBUILD_TESTING=ON", "--log-level=WARNING"]
    subprocess.run(configure, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    command = ["cmake", "--build", "--preset", preset, "--target", *targets]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def grown(name):
    directory = pathlib.Path(os.environ.get("FUZZ_GROWN", ROOT / ".cache" / "fuzz")) / name
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def dictionary(name, target):
    """A file of libFuzzer's, or None."""
    lines = []
    given = FUZZ / "dictionaries" / f"{name}.dict"
    if given.exists():
        lines.append(given.read_text())
    words = set()
    for path, pattern in target.words:
        words.update(re.findall(pattern, (ROOT / path).read_text()))
    lines += [f'"{word}"\n' for word in sorted(words)]
    if not lines:
        return None
    file = ROOT / "build" / "fuzz" / f"{name}.dict"
    file.write_text("".join(lines))
    return file


def run_measured(command):
    """The exit code, what was printed as errors, and the seconds of CPU."""
    with tempfile.TemporaryFile("w+", errors="replace") as errors:
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        return process.returncode, errors.read(), usage.ru_utime + usage.ru_stime


def run_once(name, target, seconds, outcome, record):
    """One process of libFuzzer, which ends at its time or at a finding."""
    FINDINGS.mkdir(parents=True, exist_ok=True)
    words = dictionary(name, target)
    command = [
        PROGRAMS / f"fuzz_{name}",
        f"-max_total_time={max(1, round(seconds))}",
        "-print_final_stats=1",
        "-timeout=30",
        "-rss_limit_mb=3000",
        f"-artifact_prefix={FINDINGS}/{name}-",
        *([f"-dict={words}"] if words else []),
        grown(name),
        FUZZ / "corpus" / name,
    ]
    code, errors, used = run_measured(command)
    executed = re.findall(r"stat::number_of_executed_units:\s*(\d+)", errors)
    progress = re.findall(r"^#(\d+)\s", errors, re.M)
    inputs = int((executed or progress or ["0"])[-1])
    outcome.seconds += used
    outcome.inputs += inputs
    record.add_run(name, inputs, used, findings=int(code != 0))
    if code == 0:
        return
    written = re.findall(r"Test unit written to (\S+)", errors)
    outcome.findings.append(written[-1] if written else f"exit {code}")
    log = FINDINGS / f"{name}-{len(outcome.findings)}.log"
    log.write_text(errors[-20000:])
    print(f"FINDING of {name}: {outcome.findings[-1]}; see {log}", flush=True)


def fuzz(name, target, seconds, record):
    """Processes end after seconds of real time, and may have had less of a CPU."""
    outcome = Outcome()
    wanted = seconds * (LARGE if target.large else 1)
    least = min(PROCESS_SECONDS_MIN, wanted)  # a process of less would only read the corpus
    while outcome.seconds < 0.95 * wanted and len(outcome.findings) < FINDINGS_MAX:
        run_once(name, target, max(least, wanted - outcome.seconds), outcome, record)
    print(f"{name}: {outcome.inputs:,} inputs in {outcome.seconds:.0f} s", flush=True)
    return outcome


def keep(name):
    """Adds to the committed corpus what reaches more than it."""
    command = [PROGRAMS / f"fuzz_{name}", "-merge=1", FUZZ / "corpus" / name, grown(name)]
    for path in grown(name).iterdir():
        if path.stat().st_size > KEPT_SIZE_MAX:
            path.unlink()
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)


# ---- coverage ----


def tool(name):
    found = shutil.which(name) or next(
        (str(path) for path in sorted(pathlib.Path("/usr/lib").glob(f"llvm-*/bin/{name}"))[::-1]),
        None,
    )
    if found is None:
        sys.exit(f"{name} is not installed: install the package llvm")
    return found


def replay(name):
    """The profile of all inputs of a target."""
    files = [path for at in (FUZZ / "corpus" / name, grown(name)) for path in sorted(at.iterdir())]
    PROFILES.mkdir(parents=True, exist_ok=True)
    parts = []
    for first in range(0, len(files), ARGUMENTS_MAX):
        part = PROFILES / f"{name}-{first}.profraw"
        subprocess.run(
            [COVERED / f"fuzz_{name}", *files[first : first + ARGUMENTS_MAX]],
            env={**os.environ, "LLVM_PROFILE_FILE": str(part)},
            cwd=ROOT,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        parts.append(part)
    merged = PROFILES / f"{name}.profdata"
    subprocess.run([tool("llvm-profdata"), "merge", "-o", merged, *parts], check=True)
    for part in parts:
        part.unlink()
    return merged, len(files)


def coverage(name, target):
    """(covered, all) of functions, lines and branches of the target's own files; and inputs."""
    merged, count = replay(name)
    command = [tool("llvm-cov"), "export", "-summary-only", f"-instr-profile={merged}"]
    printed = subprocess.run(
        [*command, COVERED / f"fuzz_{name}"], check=True, capture_output=True, text=True
    )
    sums = {part: [0, 0] for part in ("functions", "lines", "branches")}
    for file in json.loads(printed.stdout)["data"][0]["files"]:
        path = pathlib.PurePath(file["filename"])
        if not any(path.match("src/" + pattern) for pattern in target.sources):
            continue
        for part, pair in sums.items():
            pair[0] += file["summary"][part]["covered"]
            pair[1] += file["summary"][part]["count"]
    return sums, count


def share(pair):
    return f"{100 * pair[0] / pair[1]:.0f} % of {pair[1]:,}" if pair[1] else "-"


# ---- numbers ----


def compare_numbers(count):
    """On all processors, each with numbers of its own."""
    workers = os.cpu_count() or 1
    program = ROOT / "build" / "release" / "tests" / "fuzz" / "random_numbers"
    build("release", "random_numbers")
    started = time.monotonic()
    running = [
        subprocess.Popen([program, str(count // workers), str(1000 + i)]) for i in range(workers)
    ]
    ok = all([process.wait() == 0 for process in running])
    return ok, time.monotonic() - started


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--numbers", type=int, default=0)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "build" / "fuzz.md")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("targets", nargs="*", choices=list(TARGETS) + [[]], default=[])
    options = parser.parse_args()
    chosen = {name: TARGETS[name] for name in options.targets or TARGETS}
    programs = [f"fuzz_{name}" for name in chosen]
    record = Record(RESULTS if options.record else None)
    failed = False
    if options.numbers:
        ok, seconds = compare_numbers(options.numbers)
        failed = not ok
        record.add(
            record.sums["numbers"], count=options.numbers, seconds=seconds, different=int(failed)
        )
    outcomes = {}
    if options.seconds > 0:
        build("fuzz", *programs)
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            runs = {n: pool.submit(fuzz, n, t, options.seconds, record) for n, t in chosen.items()}
            outcomes = {name: run.result() for name, run in runs.items()}
        for name in chosen if options.keep else ():
            keep(name)
    build("coverage", *programs)
    for name, target in chosen.items():
        record.put_coverage(name, *coverage(name, target))
    options.output.write_text(record.text())
    print(record.text())
    if failed or any(outcome.findings for outcome in outcomes.values()):
        sys.exit("there are findings: build/fuzz/findings")


main()
