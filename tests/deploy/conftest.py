"""What the tests of the packages get: the Debian package, made from the release build, and machines to
try it on (python -m pytest tests/deploy)."""

import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from rig.broker import Broker  # noqa: E402
from rig.machine import Machine  # noqa: E402


@pytest.fixture(scope="session")
def broker(tmp_path_factory):
    with Broker(tmp_path_factory.mktemp("kafka") / "broker") as broker:
        yield broker


def make_package(directory, *options):
    """Runs CPack over build/release as it is."""
    config = ROOT / "build" / "release" / "CPackConfig.cmake"
    command = ["cpack", "--config", config, "-B", directory, *options]
    done = subprocess.run(map(str, command), cwd=ROOT / "build/release", capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (package,) = directory.glob("*.deb")
    return package


@pytest.fixture(scope="session")
def package(tmp_path_factory):
    return make_package(tmp_path_factory.mktemp("package"))


@pytest.fixture(scope="session")
def unpacked(package, tmp_path_factory):
    """The root of what the package installs."""
    root = tmp_path_factory.mktemp("unpacked")
    subprocess.run(["dpkg-deb", "--extract", package, root], check=True)
    return root


@pytest.fixture(scope="session")
def newer_package(tmp_path_factory):
    """The same program under the next version's name."""
    return make_package(tmp_path_factory.mktemp("newer"), "-R", "999.0.0")


@pytest.fixture
def machine(tmp_path):
    with Machine(tmp_path / "machine") as machine:
        yield machine


@pytest.fixture
def booted(tmp_path):
    with Machine(tmp_path / "machine", systemd=True) as machine:
        yield machine
