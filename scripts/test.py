#!/usr/bin/python3
"""make test: every check, the cheapest first; a failed step does not stop the next. With the word
"check", make check: those that need neither JVM nor broker, in a few minutes.

The last line counts all tests, "N passed, N failed": each unit test, each lint check, each story in
each of its runs. Exits non-zero if one failed, was skipped, or could not run."""

import os
import pathlib
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as xml

ROOT = pathlib.Path(__file__).resolve().parents[1]
RESULTS = ROOT / "build" / "test-results"
FINDINGS_TOLD = 40  # lines of a lint check
UNIT_TESTS = re.compile(r"^\[==========\] Running (\d+) test\(s\)", re.M)
UNIT_TESTS_PASSED = re.compile(r"\[  PASSED  \] (\d+) test\(s\)")


def run(*command, keep=None, **environment):
    """True if the command succeeded. What it says also goes into the list `keep`, if given."""
    words = [str(word) for word in command]
    print(f"\n== {' '.join(words)}", flush=True)
    started = time.monotonic()
    options = {"cwd": ROOT, "env": {**os.environ, **environment}, "stdin": subprocess.DEVNULL}
    if keep is not None:
        options |= {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "errors": "replace"}
    with subprocess.Popen(words, **options) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            keep.append(line)
    print(f"== exit {process.returncode} after {time.monotonic() - started:.0f} s", flush=True)
    return process.returncode == 0


class Count:
    def __init__(self):
        self.passed = 0
        self.failed = []

    def add(self, name, ok):
        if ok:
            self.passed += 1
        else:
            self.failed.append(name)


def build(preset, *targets):
    return run("cmake", "--preset", preset, "-DBUILD_TESTING=ON", "--log-level=WARNING") and run(
        "cmake", "--build", "--preset", preset, *(["--target", *targets] if targets else [])
    )


def count_case(count, step, case):
    """One ctest test, or one story. A cmocka program says how many tests it holds."""
    name = f"{step}: {case.get('name')}"
    failed = case.find("failure") is not None or case.find("error") is not None
    skipped = case.find("skipped") is not None or case.get("status") == "disabled"
    output = case.findtext("system-out") or ""
    held = sum(map(int, UNIT_TESTS.findall(output)))
    passed = sum(map(int, UNIT_TESTS_PASSED.findall(output)))
    if held:
        count.passed += passed
        count.failed += [name] * max(held - passed, int(failed))
    else:
        count.add(name + (" (skipped)" if skipped else ""), not failed and not skipped)


def run_counted(count, step, results, *command, **environment):
    """A runner that writes JUnit results; no results, or no test in them, is a failure."""
    results.unlink(missing_ok=True)
    ok = run(*command, **environment)
    cases = list(xml.parse(results).getroot().iter("testcase")) if results.exists() else []
    before = len(count.failed)
    for case in cases:
        count_case(count, step, case)
    if not cases or (not ok and len(count.failed) == before):
        count.failed.append(f"{step}: did not run to its end")


def ctest(count, preset):
    results = RESULTS / f"unit-{preset}.xml"
    command = ["ctest", "--preset", preset, "--output-junit", results]
    command += ["--test-output-size-passed", "1000000", "--test-output-size-failed", "1000000"]
    run_counted(count, f"unit {preset}", results, *command, "-j", os.cpu_count())


def pytest(count, step, *options, **environment):
    results = RESULTS / f"{step.replace(' ', '-')}.xml"
    command = [".venv/bin/python", "-m", "pytest", f"--junit-xml={results}", *options]
    run_counted(count, step, results, *command, **environment)


def lint(count, check):
    """Its findings are printed again at the end: a log may be cut to its last lines."""
    found = []
    ok = run("scripts/lint.sh", check, keep=found)
    count.add("".join([f"lint {check}\n", *found[-FINDINGS_TOLD:]]).rstrip(), ok)


def stories(count, preset, *options):
    program = f"--program=build/{preset}/esports-stream"
    pytest(count, f"stories {preset}", "tests/stories", program, *options)


def check(count):
    """Seconds for what only reads the source, then minutes. True: the sanitized build is there."""
    for one in ("format", "includes", "rooms", "words", "links"):
        lint(count, one)
    built = build("dev")
    if built:
        ctest(count, "dev")
    else:
        count.failed.append("build dev")
    return built


def test_all(count):
    built = {"dev": check(count)}
    # Unit tests run under the sanitizers; the release build is for stories and readers.
    for preset, *targets in (
        ("tsan", "threads"),
        ("simulator", "simulate", "crash_tests"),
        ("release", "programs"),
    ):
        built[preset] = build(preset, *targets)
        if not built[preset]:
            count.failed.append(f"build {preset}")
    if built["tsan"]:
        ctest(count, "tsan")
    if built["simulator"]:
        ctest(count, "simulator")
    if built["dev"]:
        lint(count, "tidy")  # by what the build has compiled
    if built["release"]:
        pytest(count, "readers", "tests/parquet", BUILD_DIR="build/release")
        pytest(count, "deploy", "tests/deploy")
        stories(count, "release")
        pytest(count, "faults", "tests/faults", "-m", "short or table")
    if built["release"] and built["dev"]:
        stories(count, "dev", "-m", "sanitized")
    if built["release"] and built["tsan"]:
        stories(count, "tsan", "-m", "capture")


def main():
    started = time.monotonic()
    count = Count()
    RESULTS.mkdir(parents=True, exist_ok=True)
    if sys.argv[1:] == ["check"]:
        check(count)
    else:
        test_all(count)
    print(f"\nafter {time.monotonic() - started:.0f} s:")
    for name in count.failed:
        print(f"FAILED {name}")
    print(f"{count.passed} passed, {len(count.failed)} failed")
    return 1 if count.failed or count.passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
