"""The sample files, written once, and one Spark for all tests (python -m pytest tests/parquet).

BUILD_DIR names the build with the tools, build/release unless it is set."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from rig.spark import open_session  # noqa: E402

TOOLS = ROOT / os.environ.get("BUILD_DIR", "build/release") / "tests" / "parquet"


class Sample:
    """A file of ours, and the values it must have."""

    def __init__(self, path, rows):
        self.path = path
        self.kind, self.codec, self.timestamp, self.integers = path.stem.split("-")
        self.rows = rows

    def column(self, index):
        return [row[index] for row in self.rows]


@pytest.fixture(scope="session")
def samples(tmp_path_factory):
    directory = tmp_path_factory.mktemp("samples")
    subprocess.run([TOOLS / "parquet_samples", directory], check=True)
    samples = []
    for path in sorted(directory.glob("*.jsonl")):
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        samples += [Sample(file, rows) for file in sorted(directory.glob(f"{path.stem}-*"))]
    return samples


@pytest.fixture(scope="session")
def dump():
    def dump(path):
        done = subprocess.run([TOOLS / "parquet_dump", path], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    return dump


@pytest.fixture(scope="session")
def spark(tmp_path_factory):
    session = open_session(tmp_path_factory.mktemp("spark"))
    yield session
    session.stop()
