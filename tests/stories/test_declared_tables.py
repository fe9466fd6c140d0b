"""Tables of a user's own query files, run by the program as it runs its built-in ones."""

import json

import duckdb
import pyarrow.dataset
import pytest
from rig.broker import free_ports
from rig.web import Web

FILE = """\
CREATE TABLE trade_records (
  id STRING, venue STRING, price DOUBLE, amount INT, at TIMESTAMP
) USING kafka OPTIONS (subscribe '${KAFKA_TOPIC_TRADES:-trades}',
  sample.id 'T-{#}', sample.venue 'A|B', sample.price '0.50..9.00', sample.amount '1..9',
  sample.at '2024-06-01T00:00:00Z..2024-06-30T23:59:59Z');

CREATE STREAMING TABLE trades (
  id STRING NOT NULL, venue STRING, price DOUBLE, amount INT, at TIMESTAMP,
  kafka_timestamp TIMESTAMP, partition INT, offset BIGINT, processing_timestamp TIMESTAMP,
  total DOUBLE COMMENT 'price times amount'COLUMN
)
PARTITIONED BY (venue)
TBLPROPERTIES (parseMode = '${TRADES_MODE:-reject}')
AS SELECT *, price * amount AS total FROM STREAM trade_records;
"""


def record(number, **fields):
    values = {"id": f"T-{number}", "venue": "AB"[number % 2], "price": 1.5, "amount": number, **fields}
    return json.dumps(values).encode()


class Declared:
    """A job with one table of a file in addition to the built-in ones."""

    def __init__(self, job, directory):
        self.job = job
        self.file = directory / "queries" / "trades.sql"
        self.file.parent.mkdir()
        self.declare()
        self.topic = job.topics["matches"].replace("matches", "trades")
        job.topics["trades"] = self.topic
        job.settings |= {"QUERIES_PATH": self.file.parent, "KAFKA_TOPIC_TRADES": self.topic}
        job.broker.create_topic(self.topic, 2)

    def declare(self, *changes):
        """Writes the file, with each (text, other text) replaced."""
        text = FILE
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        self.file.write_text(text.replace("COLUMN", ""))

    def ask(self, *words, exit_code=0, **settings):
        process = self.job.program.run(*words, exit_code=exit_code, **{**self.job.settings, **settings})
        return process.errors() if exit_code == 2 else process.log()

    def rows(self):
        return sorted(self.job.lake.rows(self.job.lake.table("trades")), key=lambda row: row["amount"])


@pytest.fixture
def declared(job, tmp_path):
    return Declared(job, tmp_path)


def test_a_table_of_a_file_runs_and_every_command_knows_it(declared):
    job = declared.job
    job.produce([record(number) for number in range(10)], "trades")
    job.produce([record(10), b"not JSON", json.dumps({"venue": "A"}).encode()], "trades", 1)

    job.run("--job", "trades")

    job.assert_exact("trades")
    rows = declared.rows()
    assert [row["total"] for row in rows] == [1.5 * number for number in range(11)]
    assert {(row["venue"], row["amount"] % 2) for row in rows} == {("A", 0), ("B", 1)}
    assert not job.lake.table("matches").exists()

    proof = json.loads(declared.ask("verify", "--job", "trades", "--json"))
    assert (proof["proven"], proof["query"], proof["topic"]) == (True, "trades", declared.topic)
    newest = [json.loads(line) for line in declared.ask("tail", "--job", "trades", "--json").splitlines()]
    assert len(newest) == 10
    assert {row["venue"] for row in newest} == {"A", "B"}
    assert "malformed_json" in declared.ask("rejects", "ls", "--job", "trades")
    assert "not JSON" in declared.ask("rejects", "show", "1:1", "--job", "trades")
    assert "price * amount" in declared.ask("schema", "--job", "trades", "--format", "markdown")
    assert "`total` DOUBLE COMMENT 'price times amount'" in declared.ask("schema", "--job", "trades")
    (state,) = [json.loads(line) for line in declared.ask("status", "--job=trades", "--json", exit_code=10).splitlines()]
    assert state["query"] == "trades"
    assert f"topic {declared.topic}" in declared.ask("doctor", "--job", "trades")
    explained = json.loads(declared.ask("--job", "trades", "--explain", "--json"))
    (query,) = explained["queries"]
    assert query["properties"] == [{"name": "parseMode", "value": "reject", "origin": f"{declared.file}:13"}]

    # The identifier is not needed any more: rows of nulls, which are a batch of their own.
    declared.ask("rejects", "replay", "--job", "trades", "--yes", TRADES_MODE="permissive")
    assert [row["id"] for row in job.lake.rows(job.lake.table("trades"))].count(None) == 2
    assert json.loads(declared.ask("verify", "--job", "trades", "--json"))["proven"]
    declared.ask("rewind", "--job", "trades", "--to-batch", "0", "--yes")
    assert len(declared.rows()) == 11


def test_jobs_are_a_list_and_all_is_every_table(declared):
    job = declared.job
    job.produce([record(1)], "trades")
    for kind in ("matches", "players"):
        job.create_topic(kind)
        job.broker.generate(job.topics[kind], kind, 20, 1)

    job.run("--job", "trades,players")
    assert job.lake.batches("trades") == job.lake.batches("players") == [0]
    assert not job.lake.table("matches").exists()
    job.run("--job", "all")
    for kind in ("trades", "matches", "players"):
        job.assert_exact(kind)

    proofs = [json.loads(line) for line in declared.ask("verify", "--json", "--job", "players,trades").splitlines()]
    assert [proof["query"] for proof in proofs] == ["player_stream", "trades"]
    states = [json.loads(line) for line in declared.ask("status", "--json", exit_code=10).splitlines()]
    assert [state["query"] for state in states] == ["match_stream", "player_stream", "trades"]
    tailed = declared.ask("tail", "--json", "-n", "1", "--job", "trades,matches").splitlines()
    assert ["match_id" in line for line in tailed] == [True, False]
    lists = declared.ask("rejects", "ls", "--job", "trades,players")
    assert "trades" in lists
    assert "player_stream" in lists


def test_a_running_table_is_on_the_page_and_in_the_metrics(declared):
    job = declared.job
    job.produce([record(number) for number in range(5)] + [b"not JSON"], "trades")

    process = job.start("--job", "trades", TRIGGER="1 second", SPARK_UI_PORT=free_ports(1)[0])

    web = Web(process)
    job.wait_committed(process, {0: 6, 1: 0}, "trades")
    process.wait_until(lambda: web.query("trades")["totals"]["rows"] == 5, what="the rows in the API")
    columns = {column["name"] for column in web.query("trades", "/schema")["columns"]}
    assert {"venue", "total"} <= columns
    metrics = web.get("/metrics").text
    assert 'esports_stream_accepted_records_total{query="trades"} 5' in metrics
    assert 'query="match_stream"' not in metrics
    (state,) = [json.loads(line) for line in declared.ask("status", "--job=trades", "--json").splitlines()]
    assert state["query"] == "trades"
    process.terminate()
    process.wait_exit(exit_code=0)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--job", "trads"], "--job: invalid value 'trads' (did you mean trades?)"),
        (["--job", "trades,matches,trades"], "--job: 'trades' is listed twice"),
        (["rewind", "--to-batch", "1", "--job", "trades,matches"], "rewind needs --job with one query"),
        (["sample", "--job", "trades,matches"], "sample needs --job with one query"),
        (["tail", "--follow", "--job", "trades,matches"], "--follow needs --job"),
        (["--trades-partition-by", "nothing", "--job", "trades"], "the table has no column 'nothing'"),
    ],
)
def test_a_wrong_list_is_refused(declared, words, expected):
    assert expected in declared.ask(*words, exit_code=2)


def test_mistakes_in_files_end_the_start_with_their_place(declared):
    job = declared.job
    declared.declare(("price * amount", "price * amonut"))
    assert f"{declared.file}:14:22: " in job.run("--job", "trades", exit_code=2).errors()
    declared.declare(("'${TRADES_MODE:-reject}'", "'strict'"))
    assert (
        f"{declared.file}:13:16: parseMode: invalid value 'strict' (expected reject, permissive or failfast)"
        in job.run("--job", "trades", exit_code=2).errors()
    )
    link = declared.file.parent.parent / "link"
    job.lake.root.mkdir(exist_ok=True)
    link.symlink_to(job.lake.root)
    declared.declare(("parseMode", f"rejectsPath = '{link}/processed/trades', parseMode"))
    assert f"'{link}/processed/trades' is inside '" in job.run("--job", "trades", exit_code=2).errors()
    declared.declare()
    (declared.file.parent / "again.sql").write_text(declared.file.read_text())
    assert f"{declared.file}:7:24: the table 'trades' is also in {declared.file.parent}/again.sql:7" in declared.ask(
        "status", exit_code=2
    )


def test_a_new_nullable_column_is_accepted_and_readers_merge_the_schemas(declared, spark):
    job, table = declared.job, declared.job.lake.table("trades")
    job.produce([record(number) for number in range(4)], "trades")
    job.run("--job", "trades")
    more = ("COLUMN", ", is_large BOOLEAN"), ("AS total FROM", "AS total, amount > 4 AS is_large FROM")
    declared.declare(*more)
    job.produce([record(number) for number in range(4, 8)], "trades")

    log = job.run("--job", "trades").log()

    assert "The table has more columns than before" in log
    assert "The table has more columns than before" not in job.run("--job", "trades").log()
    job.assert_exact("trades")
    assert json.loads(declared.ask("verify", "--job", "trades", "--json"))["proven"]
    tailed = [json.loads(line) for line in declared.ask("tail", "--job", "trades", "--json").splitlines()]
    wanted = [None, None, None, None, False, True, True, True]
    assert [row["is_large"] for row in sorted(tailed, key=lambda row: row["amount"])] == wanted

    merged = spark.read.option("mergeSchema", "true").parquet(str(table)).orderBy("amount")
    assert [row["is_large"] for row in merged.collect()] == wanted
    found = duckdb.sql(
        f"SELECT is_large FROM read_parquet('{table}/**/*.parquet', hive_partitioning = true, union_by_name = true)"
        " ORDER BY amount"
    )
    assert [row[0] for row in found.fetchall()] == wanted
    dataset = pyarrow.dataset.dataset(str(table), partitioning="hive")
    schema = pyarrow.unify_schemas(
        [dataset.schema] + [fragment.physical_schema for fragment in dataset.get_fragments()]
    )
    rows = pyarrow.dataset.dataset(str(table), schema=schema, partitioning="hive").to_table().sort_by("amount")
    assert rows["is_large"].to_pylist() == wanted


def test_other_changes_between_runs_are_refused_with_what_to_do(declared):
    job = declared.job
    job.produce([record(number) for number in range(4)], "trades")
    job.run("--job", "trades")
    before = job.lake.files(job.lake.root)
    changes = {
        "column 'amount' was INT and is BIGINT now": [("amount INT", "amount BIGINT")],
        "column 'total' is now called 'sum'": [("total DOUBLE", "sum DOUBLE"), ("AS total", "AS sum")],
        "column 'total' was dropped": [
            (",\n  total DOUBLE COMMENT 'price times amount'COLUMN", ""),
            (", price * amount AS total", ""),
        ],
        "column 'price' has another place now": [
            ("price DOUBLE, amount INT, at TIMESTAMP,\n", "amount INT, price DOUBLE, at TIMESTAMP,\n")
        ],
        "column 'c' is new and NOT NULL": [
            ("COLUMN", ", c INT NOT NULL"),
            ("AS total FROM", "AS total, amount AS c FROM"),
        ],
    }
    for refusal, change in changes.items():
        declared.declare(*change)
        log = job.run("--job", "trades", exit_code=5).log()
        assert refusal in log
        assert "Undo the change, or give the table another name" in log
        for command in ("verify", "doctor"):  # not that rows or batches are at fault
            asked = job.program.run(command, "--job", "trades", exit_code=5, **job.settings)
            assert refusal in asked.errors() + asked.log()
    declared.declare(("PARTITIONED BY (venue)\n", ""))
    assert "the table has different partition columns than this start" in job.run("--job", "trades", exit_code=2).log()
    declared.declare()
    job.broker.create_topic(declared.topic + "-b", 1)
    log = job.run("--job", "trades", exit_code=5, KAFKA_TOPIC_TRADES=declared.topic + "-b").log()
    assert f"the topic was '{declared.topic}' and is '{declared.topic}-b' now" in log

    assert job.lake.files(job.lake.root) == before
    job.run("--job", "trades")  # as it was
    declared.declare(("TABLE trades (", "TABLE new_trades ("), ("amount INT", "amount BIGINT"))
    job.run("--job", "new_trades")
    job.topics["new_trades"] = declared.topic
    job.assert_exact("new_trades")


NESTED = """
CREATE TABLE deep (meta STRUCT<id: STRING>, info STRUCT<queue: INT, players: ARRAY<STRUCT<name: STRING, kills: INT>>>)
USING kafka OPTIONS (subscribe 'deep', sample.info.queue '420|440');
CREATE STREAMING TABLE deep_matches (id STRING NOT NULL, queue INT) PARTITIONED BY (queue)
AS SELECT meta.id, info.queue FROM STREAM deep;
CREATE STREAMING TABLE deep_queues (queue INT) AS SELECT info.queue FROM STREAM deep;
"""


def test_the_demo_and_samples_need_no_options(declared):
    (declared.file.parent / "deep.sql").write_text(NESTED)
    demo = {"DATA_LAKE_PATH": "", "KAFKA_BOOTSTRAP_SERVERS": ""}

    shown = declared.ask("--demo", "--job", "deep_queues,trades,deep_matches", **demo)

    assert "tail --job deep_matches" in shown
    assert "--demo --live --job deep_matches,deep_queues,trades" in shown
    assert {"queue=420", "queue=440"} <= set(shown.split())
    lines = declared.ask("sample", "--job", "trades", "-n", "30").splitlines()
    assert len(lines) == 30
    assert {"id", "venue", "price", "amount", "at"} <= set(json.loads(lines[0]))
    deep = [json.loads(line) for line in declared.ask("sample", "--job", "deep_matches", "-n", "15").splitlines()]
    assert {record["info"]["queue"] for record in deep} == {420, 440}
    assert any(player["kills"] > 0 for record in deep for player in record["info"]["players"])
    (declared.file.parent / "deep.sql").write_text(NESTED.replace("420|440", "5..1"))
    assert "sample.info.queue '5..1' is not something that INT can be drawn from" in declared.ask(
        "sample", "--job", "deep_matches", exit_code=2
    )
