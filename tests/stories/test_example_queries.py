"""The query files of queries/examples on documents in the shapes of their providers, compared with real Spark: each
value, its type, its directory, and which records are rejects."""

import collections
import json
import re

import pyarrow.parquet
import pytest
from rig import documents
from rig.lake import Lake
from rig.paths import ROOT
from rig.plans import plans_of
from rig.program import Program
from rig.spark import session_of_a_cluster

EXAMPLES = ROOT / "queries" / "examples"
FILES = sorted(EXAMPLES.glob("*.sql"))
PLANS = {plan.name: plan for file in FILES for plan in plans_of(file)}
# Which topic a file reads, by the variable that names it.
VARIABLES = {
    plan.name: re.search(r"\$\{(\w+):-", file.read_text()).group(1) for file in FILES for plan in plans_of(file)
}


class Run:
    """One run of all example tables on one broker, to the end of their topics."""

    def __init__(self, program, lake, broker):
        self.program, self.lake, self.broker = program, lake, broker
        self.topics = {variable: f"examples-{number}" for number, variable in enumerate(documents.TOPICS)}
        self.values = {}  # topic: its records, of one partition
        for seed, (variable, make) in enumerate(documents.TOPICS.items()):
            topic = broker.create_topic(self.topics[variable])
            self.values[topic] = documents.records(make, seed)
            broker.produce(topic, self.values[topic])
        self.settings = {
            "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap,
            "DATA_LAKE_PATH": lake.root,
            "QUERIES_PATH": EXAMPLES,
            **self.topics,
        }
        self.process = program.start("--job", ",".join(PLANS), TRIGGER="availableNow", **self.settings)
        self.process.wait_exit(60, 0)

    def command(self, *words, table, exit_code=0):
        return self.program.run(*words, "--job", table, exit_code=exit_code, **self.settings).log()

    def topic(self, table):
        return self.topics[VARIABLES[table]]


@pytest.fixture(scope="module")
def run(request, tmp_path_factory, broker):
    directory = tmp_path_factory.mktemp("examples")
    program = Program(ROOT / request.config.getoption("--program"), directory / "runs")
    yield Run(program, Lake(directory / "lake"), broker)
    program.end_all()


@pytest.fixture(scope="module")
def session(spark):
    with session_of_a_cluster(spark) as session:
        yield session


def view_of_records(session, plan, run):
    """What from_json returns for each record of the topic, along with Kafka's columns, as a view."""
    source = session.read.format("kafka").options(
        **{"kafka.bootstrap.servers": run.broker.bootstrap, "subscribe": run.topic(plan.name)}
    )
    source.load().createOrReplaceTempView("source")
    session.sql(
        f"SELECT from_json(CAST(value AS STRING), '{plan.schema}') AS r, *, timestamp AS processing_timestamp FROM source"
    ).createOrReplaceTempView("records")
    return "records"


def reads_as_object(value):
    try:
        return isinstance(json.loads(value), dict)
    except (TypeError, ValueError):
        return False


def is_present(document, path):
    """Whether something that is not null is at the path or, in its place, above it."""
    for key in path:
        if not isinstance(document, dict):
            break
        document = document.get(key)
    return document is not None


def expected_rejects(session, plan, run, records):
    """The offsets of records that are not objects, of those that lack what is NOT NULL, and of those whose exploded
    array is there but not readable."""
    values = run.values[run.topic(plan.name)]
    found = {offset for offset, value in enumerate(values) if not reads_as_object(value)}
    missing = " OR ".join(f"{sql} IS NULL" for sql in plan.required)
    exploded = plan.exploded[0] if plan.exploded else "NULL"
    rows = session.sql(f"SELECT offset, {missing} AS missing, {exploded} IS NULL AS unread FROM {records}").collect()
    path = re.findall(r"`(\w+)`", exploded)[1:]
    for row in rows:
        unreadable = plan.exploded and row.unread and row.offset not in found
        if row.missing or (unreadable and is_present(json.loads(values[row.offset]), path)):
            found.add(row.offset)
    return found


def shape(frame):
    return {field.name: field.dataType.simpleString() for field in frame.schema}


def rows_by_place(plan, frame):
    """{(offset, position, …): row}"""
    rows = [row.asDict() for row in frame.collect()]
    found = {tuple(row[name] for name in ("offset", *plan.positions)): row for row in rows}
    assert len(found) == len(rows)
    return found


def directories(root):
    """{directory: its rows}"""
    found = collections.Counter()
    for path in root.rglob("*.parquet"):
        if not any(part.startswith("_") for part in path.relative_to(root).parts):
            found[str(path.parent.relative_to(root))] += pyarrow.parquet.ParquetFile(path).metadata.num_rows
    return {directory: rows for directory, rows in found.items() if rows > 0}


def differences(plan, ours, theirs):
    """Which columns differ, with the first place and both values."""
    found = {}
    for place, row in theirs.items():
        for name in plan.order:
            if name != "processing_timestamp" and row[name] != ours[place][name]:
                found.setdefault(name, (place, row[name], ours[place][name]))
    return found


@pytest.mark.timeout(300)
@pytest.mark.parametrize("table", PLANS)
def test_an_example_makes_the_rows_of_spark(run, session, table, tmp_path):
    plan = PLANS[table]
    records = view_of_records(session, plan, run)
    rejects = expected_rejects(session, plan, run, records)
    rejected = [row["offset"] for row in run.lake.rows(run.lake.rejects(table))]
    assert sorted(rejected) == sorted(rejects)

    frame = session.sql(plan.select(records))
    frame = frame.where(~frame["offset"].isin(sorted(rejects))).select(*plan.order)
    ours = session.read.parquet(str(run.lake.table(table)))
    kept = [name for name in plan.order if name not in plan.partitions] + plan.partitions
    assert ours.columns == kept and shape(ours) == shape(frame)
    theirs, rows = rows_by_place(plan, frame), rows_by_place(plan, ours)
    assert len(theirs) > 40 and theirs.keys() == rows.keys()
    assert differences(plan, rows, theirs) == {}

    frame.write.partitionBy(*plan.partitions).parquet(str(tmp_path / "spark"))
    assert directories(run.lake.table(table)) == directories(tmp_path / "spark")


@pytest.mark.sanitized
@pytest.mark.parametrize("table", PLANS)
def test_an_example_is_verified_and_shown(run, table):
    plan = PLANS[table]
    (found,) = map(json.loads, run.command("verify", "--json", table=table).splitlines())
    assert (found["proven"], found["faults"], found["topic"]) == (True, 0, run.topic(table))
    rows = [json.loads(line) for line in run.command("tail", "--rows", "5", "--json", table=table).splitlines()]
    assert len(rows) == 5 and all(sorted(row) == sorted(plan.order) for row in rows)
    (found,) = map(json.loads, run.command("status", "--json", table=table, exit_code=10).splitlines())
    assert found["checkpoint"]["faults"] == [] and found["checkpoint"]["topic"] == run.topic(table)


def test_check_accepts_the_examples_with_comments_on_all_their_columns(run):
    found = {}
    for line in run.program.run("check", EXAMPLES, "--json").log().splitlines():
        table = json.loads(line)
        found[table["table"]] = table
    assert found.keys() == PLANS.keys()
    kafka = {"kafka_timestamp", "partition", "offset", "processing_timestamp"}
    for name, table in found.items():
        bare = [one["name"] for one in table["columns"] if not one["comment"] and one["name"] not in kafka]
        assert bare == [] and table["comment"], name


def test_matches_from_riot_have_the_columns_and_directories_of_the_built_in_table(run):
    built_in = plans_of(ROOT / "queries" / "matches.sql")[0]
    other = PLANS["matches_from_riot"]
    assert (other.order, other.partitions) == (built_in.order, built_in.partitions)
    types = [{column["name"]: column["type"] for column in plan.columns} for plan in (built_in, other)]
    assert types[0] == types[1]


def test_sparks_parser_takes_the_statements_of_all_query_files(session):
    parser = session._jsparkSession.sessionState().sqlParser()
    for file in [*FILES, *sorted((ROOT / "queries").glob("*.sql"))]:
        *statements, rest = re.split(r";$", file.read_text(), flags=re.M)
        assert len(statements) > 1 and rest.strip() == ""
        for statement in statements:
            parser.parsePlan(statement)
