"""The scene of stories and faults alike; a conftest.py imports what it offers, and has `program` of its own."""

import shutil

import pytest

from .broker import Broker
from .job import Job
from .lake import Lake


@pytest.fixture(scope="session")
def broker(tmp_path_factory):
    with Broker(tmp_path_factory.mktemp("kafka") / "broker") as broker:
        yield broker


@pytest.fixture
def lake(tmp_path):
    yield Lake(tmp_path / "lake")
    shutil.rmtree(tmp_path / "lake", ignore_errors=True)


@pytest.fixture
def job(program, lake, broker):
    return Job(program, lake, broker.ensure_started())
