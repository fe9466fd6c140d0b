"""Expressions have the types and values of real Spark, no matter how they are nested: typed ones made
at random from our own table of functions, on rows with values at the edges of their types. They are
always the same ones unless FUZZ_SEED and FUZZ_COUNT choose others; tests/sql/compare.py makes long
runs. And every character is a capital or small letter as in Spark."""

import os

import pytest
from rig.paths import ROOT
from sql import compare

SEED = os.environ.get("FUZZ_SEED") or "1795394876"
COUNT = int(os.environ.get("FUZZ_COUNT") or 200)


@pytest.fixture
def tool(request):
    program = ROOT / request.config.getoption("--program")
    return program.parent / "tests" / "tools" / "sql_values"


@pytest.fixture
def session(spark):
    """With a cluster's settings."""
    names = {name.replace("_", "."): value for name, value in compare.CONFIG.items()}
    before = {name: spark.conf.get(name, None) for name in [*names, "spark.sql.session.timeZone"]}
    for name, value in names.items():
        spark.conf.set(name, value)
    yield spark
    for name, value in before.items():
        if value is None:
            spark.conf.unset(name)
        else:
            spark.conf.set(name, value)


@pytest.mark.parametrize("zone", ["UTC", "Australia/Lord_Howe"])
def test_expressions_made_at_random_have_the_types_and_values_of_spark(session, tool, tmp_path, zone, capsys):
    comparison = compare.Comparison(session, tool, SEED, zone, tmp_path)
    found = comparison.round(COUNT)
    with capsys.disabled():  # the seed is wanted of every run
        print(f"\n{comparison.count} expressions on {compare.ROWS} rows each (seed {SEED}, {zone})")
    assert found == [], "\n".join(f"{text}\n    {what}" for text, what in found)
    assert comparison.count > COUNT / 2


def test_every_character_is_a_capital_or_small_letter_as_in_spark(session, tool, tmp_path):
    """Also next to letters and a sigma, which is final at the end of a word."""
    assert compare.letters_that_differ(session, tool, tmp_path) == []
