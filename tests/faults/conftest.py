"""Real faults against the release binary, real Kafka and real file systems (make faults).

Each test has the marker fault(kind, made, outcome). The outcome is either "recovers by itself", which may continue after a
semicolon, or "exit code N: MESSAGE". The fixture `fault` gives the test its own words, so that what a test asserts is what
the table in docs/internals/faults.md says (test_table.py compares them; --write-fault-table writes it)."""

import os
import pathlib
import sys
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "bench")]
os.environ["TZ"] = "UTC"  # what the readers return as local time
time.tzset()

from rig import fault_table  # noqa: E402
from rig.fixtures import broker, job, lake  # noqa: E402, F401
from rig.job import Job  # noqa: E402
from rig.program import Program  # noqa: E402
from rig.proxied_broker import ProxiedBroker  # noqa: E402
from rig.three_brokers import ThreeBrokers  # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--program", default="build/release/esports-stream", help="binary under test")
    parser.addoption(
        "--write-fault-table",
        metavar="FILE",
        type=pathlib.Path,
        help="write the table of the collected faults into this document; run with --collect-only",
    )


@pytest.hookimpl(tryfirst=True)  # before -k and -m leave tests out
def pytest_collection_modifyitems(config, items):
    rows = fault_table.rows_of(items)
    document = config.getoption("--write-fault-table")
    if document is not None:
        document.write_text(fault_table.replaced(document.read_text(), rows))


@pytest.fixture
def fault(request):
    """What the test says of its fault."""
    return fault_table.Fault.of(request.node)


@pytest.fixture
def program(request, tmp_path):
    program = Program(ROOT / request.config.getoption("--program"), tmp_path / "runs")
    yield program
    program.end_all()


@pytest.fixture(scope="session")
def proxied_broker(tmp_path_factory):
    with ProxiedBroker(tmp_path_factory.mktemp("kafka") / "proxied") as broker:
        yield broker


@pytest.fixture
def proxied_job(program, lake, proxied_broker):
    """The program reaches Kafka through `job.broker.proxy` only; the test itself does without."""
    job = Job(program, lake, proxied_broker.ensure_started())
    job.settings["KAFKA_BOOTSTRAP_SERVERS"] = job.broker.proxied
    yield job
    job.broker.ensure_started()


@pytest.fixture(scope="session")
def three_brokers(tmp_path_factory):
    with ThreeBrokers(tmp_path_factory.mktemp("kafka") / "three") as brokers:
        yield brokers


@pytest.fixture
def three_job(program, lake, three_brokers):
    return Job(program, lake, three_brokers.ensure_started())
