"""The handbook's table of faults says what the tests do."""

import pathlib
import shutil
import subprocess
import sys

import pytest
from conftest import ROOT

DOCUMENT = ROOT / "docs/internals/faults.md"


@pytest.mark.table
def test_the_document_lists_each_fault_with_the_outcome_that_its_test_asserts(tmp_path):
    copy = tmp_path / "faults.md"
    shutil.copy(DOCUMENT, copy)
    here = pathlib.Path(__file__).parent
    collect = [sys.executable, "-m", "pytest", here, "--collect-only", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*map(str, collect), f"--write-fault-table={copy}"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert copy.read_text() == DOCUMENT.read_text(), (
        f"write it again: .venv/bin/python -m pytest tests/faults --collect-only -q --write-fault-table={DOCUMENT}"
    )
