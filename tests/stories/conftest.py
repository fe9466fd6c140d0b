"""What every story gets: a broker and a Spark that all share, and a program and a lake of its own."""

import os
import pathlib
import subprocess
import sys
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "bench")]
os.environ["TZ"] = "UTC"  # what the readers return as local time
time.tzset()

from rig.cluster import Cluster, ConnectServer  # noqa: E402
from rig.debian13 import Debian13  # noqa: E402
from rig.fixtures import broker, job, lake  # noqa: E402, F401
from rig.lake import Lake  # noqa: E402
from rig.program import Program  # noqa: E402
from rig.spark import open_session  # noqa: E402
from rig.spark_process import SparkProcess  # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--program", default="build/release/esports-stream", help="binary under test")
    parser.addoption("--on-debian-13", action="store_true", help="run it with Debian 13's libraries")


@pytest.fixture(scope="session")
def spark(tmp_path_factory):
    session = open_session(tmp_path_factory.mktemp("spark"))
    yield session
    session.stop()


@pytest.fixture(scope="session")
def spark35(tmp_path_factory):
    """Spark 3.5, in a process of its own; up from the first request on."""
    with SparkProcess("3.5", tmp_path_factory.mktemp("spark35")) as process:
        yield process


@pytest.fixture(scope="session")
def spark4(tmp_path_factory):
    """Spark 4 in a process of its own: `spark`, the session in this process, can't be killed."""
    with SparkProcess("4", tmp_path_factory.mktemp("spark4")) as process:
        yield process


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    """A Spark cluster of two workers; up from the first request on."""
    with Cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


# Of a server whose administrator chose another SQL than the one that the program's texts are written in.
OTHER_DEFAULTS = {
    "spark_sql_ansi_enabled": "true",
    "spark_sql_caseSensitive": "true",
    "spark_sql_parser_escapedStringLiterals": "true",
    "spark_sql_legacy_sizeOfNull": "false",
    "spark_sql_legacy_timeParserPolicy": "LEGACY",
    "spark_sql_json_enablePartialResults": "false",
    "spark_sql_session_timeZone": "Asia/Tokyo",
}


@pytest.fixture(scope="session")
def connect_server(cluster, tmp_path_factory):
    """A Spark Connect server on the cluster: one core of each of its first two workers."""
    directory = tmp_path_factory.mktemp("connect")
    with ConnectServer(directory, cluster.url, spark_cores_max=2, **OTHER_DEFAULTS) as server:
        yield server


@pytest.fixture
def small_disk(tmp_path):
    """A file system of its own, of 8 MB."""
    mount = tmp_path / "disk"
    mount.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", mount], check=True)
    yield mount
    subprocess.run(["umount", "--lazy", mount], check=True)


@pytest.fixture
def full(job, small_disk):
    """A job with work for several megabytes on a disk that has half a megabyte left."""
    job.lake = Lake(small_disk / "lake")
    job.settings["DATA_LAKE_PATH"] = job.lake.root
    topic = job.create_topic(partitions=2)
    job.broker.generate(topic, "matches", 40000, 2)
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(15 << 19))
    return ballast


@pytest.fixture
def program(request, tmp_path):
    kind = Debian13 if request.config.getoption("--on-debian-13") else Program
    program = kind(ROOT / request.config.getoption("--program"), tmp_path / "runs")
    yield program
    program.end_all()
