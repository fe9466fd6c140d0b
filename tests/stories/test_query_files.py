"""Query files compared with real Spark: the text that a plan prints for Spark has the plan's types there, and what
cannot be null here cannot be null there."""

import json
import subprocess

import pytest
from rig.paths import ROOT
from rig.plans import plans_of

DATA = ROOT / "tests" / "data" / "sql"
KAFKA = (
    "`key` BINARY, `value` BINARY, `topic` STRING, `partition` INT, `offset` BIGINT, `timestamp` TIMESTAMP,"
    " `timestampType` INT, `headers` ARRAY<STRUCT<key: STRING, value: BINARY>>, `processing_timestamp` TIMESTAMP NOT NULL"
)


@pytest.fixture
def spark_without_ansi(spark):
    before = spark.conf.get("spark.sql.ansi.enabled")
    spark.conf.set("spark.sql.ansi.enabled", "false")
    yield spark
    spark.conf.set("spark.sql.ansi.enabled", before)


def compare(spark, plan):
    """The columns whose type or nullability is another in Spark."""
    record = f"`r` {plan.schema}, " if plan.schema != "STRUCT<>" else ""
    spark.createDataFrame([], record + KAFKA).createOrReplaceTempView("kafka_records")
    columns = plan.columns
    types = ", ".join(f"CAST(NULL AS {column['type']})" for column in columns)
    theirs = spark.sql(plan.select("kafka_records")).schema.fields
    ours = spark.sql(f"SELECT {types}").schema.fields
    return [
        (column["name"], column["sql"], their.dataType, their.nullable)
        for column, their, our in zip(columns, theirs, ours, strict=True)
        if their.dataType != our.dataType or their.nullable != column["nullable"]
    ]


def check(request, *arguments):
    program = ROOT / request.config.getoption("--program")
    return subprocess.run([program, "check", *arguments], capture_output=True, text=True, check=False, env={})


def test_check_ends_with_0_for_correct_files_and_with_2_for_others(request, tmp_path):
    built_in = check(request, ROOT / "queries", "--json")
    assert (built_in.returncode, built_in.stderr) == (0, "")
    assert [json.loads(line)["table"] for line in built_in.stdout.splitlines()] == ["matches", "players"]
    wrong = tmp_path / "wrong.sql"
    wrong.write_text("CREATE STREAMING TABLE t AS\nSELECT valeu FROM STREAM kafka('x');\n")
    refused = check(request, wrong)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == f"esports-stream: check: {wrong}:2:8: unknown name 'valeu'; did you mean 'value'?\n"


def test_expressions_for_spark_have_the_types_of_the_plan(spark_without_ansi, tmp_path):
    expressions = (DATA / "expressions.txt").read_text().splitlines()
    assert len(expressions) > 90
    file = tmp_path / "expressions.sql"
    selected = ",\n".join(f"{expression} AS x{number}" for number, expression in enumerate(expressions))
    file.write_text((DATA / "expressions.sql").read_text().split("\n", 1)[1].replace("@", selected))
    (plan,) = plans_of(file)
    assert len(plan.columns) == len(expressions) + 5
    assert compare(spark_without_ansi, plan) == []


FILES = sorted((ROOT / "queries").rglob("*.sql")) + sorted((DATA / "queries").glob("*.sql"))


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_a_query_file_has_the_same_columns_in_spark(spark_without_ansi, file):
    for plan in plans_of(file):
        assert compare(spark_without_ansi, plan) == []
