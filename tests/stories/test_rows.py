"""Rows are Spark's rows, of thousands of awkward messages.

Always the same ones, so that a failure is owed to a change and not to luck; FUZZ_SEED chooses others,
and `make fuzz-spark` new ones each time."""

import json
import os

import pytest
from fuzz_spark import fuzz

SEED = int(os.environ.get("FUZZ_SEED") or 1795394876)
COUNT = int(os.environ.get("FUZZ_COUNT") or 4000)


@pytest.fixture
def conformance(request):
    program = fuzz.ROOT / request.config.getoption("--program")
    return program.parent / "tests" / "conformance" / "conformance"


@pytest.mark.parametrize("kind", ["matches", "players"])
def test_awkward_messages_become_the_same_rows_as_in_spark(
    conformance, tmp_path, spark, capsys, kind
):
    with capsys.disabled():  # the seed is wanted of every run
        assert fuzz.run_round(spark, conformance, kind, SEED, COUNT, tmp_path) == 0


@pytest.mark.parametrize("what", ["row", "us", "dir"])
def test_one_other_value_in_one_of_sparks_rows_is_noticed(conformance, tmp_path, spark, what):
    one = fuzz.Round("matches", SEED, 50)
    one.evaluate(spark, tmp_path)
    assert one.differences(conformance) == {}

    lines = [json.loads(line) for line in one.expected.read_text().split("\n") if line]
    changed = next(line for line in lines if line["emitted"] and line["us"])
    if what == "dir":
        changed["dir"] += "x"
    elif what == "us":
        name = next(iter(changed["us"]))
        changed["us"][name] += 1
    else:
        changed["row"]["game_id"] = f"not {changed['row']['game_id']}"
    one.expected.write_text("".join(json.dumps(line) + "\n" for line in lines))

    assert list(one.differences(conformance)) == [changed["id"]]
