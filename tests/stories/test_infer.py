"""`infer`: from a topic of unknown JSON to a query file that `check` accepts, and whose columns have the records' values."""

import datetime
import json
import pathlib
import subprocess
import uuid

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PLAN_DUMP = ROOT / "build" / "release" / "tests" / "tools" / "plan_dump"
START = 1717200000000  # 2024-06-01T00:00:00Z


def match(number):
    """A document in the shape of Riot's match-v5."""
    started = START + number * 3600000
    participants = [
        {"puuid": f"puuid-{number}-{n}", "kills": n, "win": n < 5, "challenges": {"kda": n / 3, "12Streak": n}}
        for n in range(10)
    ]
    return {
        "metadata": {"matchId": f"EUW1_{7000000000 + number}", "dataVersion": "2", "participants": ["a", "b"]},
        "info": {
            "gameId": 7000000000 + number,
            "queueId": (420, 440, 450)[number % 3],
            "gameStartTimestamp": started,
            "gameEndTimestamp": started + 1800000 if number % 2 else 0,
            "gameDuration": 1800 + number,
            "platformId": "EUW1",
            "averageRank": number / 7,
            "remake": number % 2 == 0,
            "playedOn": f"2024-06-{1 + number % 28:02}",
            "sentAt": f"2024-06-01T12:{number % 60:02}:00.5+02:00",
            "localTime": f"2024-06-01 12:{number % 60:02}",
            "teams": [{"teamId": side, "bans": [{"championId": number}]} for side in (100, 200)],
            "frames": {str(n): {"gold": n * 500} for n in range(1, 11)},
            "participants": participants,
        },
    }


ODD = [
    '{"Status": "a", "status": 1, "order by": 2, "`": 3, "offset": 4, "mixed": 1, "deep": {"list": [1, 2.5]}}',
    '{"status": "x", "mixed": {"a": 1}, "only null": null, "text": "*/ -- \\\\", "evil\\nkey": 1}',
]


def infer(job, topic, *arguments, exit_code=0, **settings):
    given = {**job.settings, "LOG_LEVEL": "WARNING", **settings}
    process = job.program.start("infer", "--topic", topic, *arguments, **given)
    process.wait_exit(60, exit_code)
    return process


def check(job, file):
    """The tables of the file, as `check --json` has them."""
    process = job.program.run("check", file, "--json")
    return {table["table"]: table for table in map(json.loads, process.log().splitlines())}


@pytest.fixture
def topic(job):
    return f"riot-matches-{uuid.uuid4().hex[:8]}"


@pytest.mark.sanitized
def test_a_topic_becomes_a_query_file_that_check_accepts(job, topic, tmp_path):
    job.broker.create_topic(topic, partitions=3)
    for partition in range(3):
        job.broker.produce(topic, [json.dumps(match(n)) for n in range(partition, 60, 3)], partition)
    job.broker.produce(topic, [None, "[1]", "{cut", " "], 0)
    process = infer(job, topic)
    text = process.log()
    assert process.errors() == ""
    file = tmp_path / "riot.sql"
    file.write_text(text)

    name = topic.replace("-", "_")
    tables = check(job, file)
    assert list(tables) == [name, f"{name}_teams", f"{name}_participants"]
    table, participants = tables[name], tables[f"{name}_participants"]
    types = {column["name"]: column["type"] for column in table["columns"]}
    assert table["topic"] == topic and table["partitionColumns"] == ["day"]
    assert [column["name"] for column in table["columns"] if column["notNull"]] == ["match_id"]
    assert types["game_id"] == "BIGINT" and types["game_duration"] == "INT" and types["average_rank"] == "DOUBLE"
    assert types["remake"] == "BOOLEAN" and types["played_on"] == "DATE"
    assert types["game_start_timestamp"] == types["game_end_timestamp"] == "TIMESTAMP"

    head = text.splitlines()
    assert head[0] == f"-- Inferred by esports-stream from 60 JSON objects of the topic '{topic}'"
    assert head[1].startswith("-- (64 records of 3 partitions, the newest of 20")
    assert [line for line in head if line.startswith("-- Not used: ")] == [
        "-- Not used: 1 record, not JSON.",
        "-- Not used: 1 record, JSON, but not an object.",
        "-- Not used: 1 record, blank.",
        "-- Not used: 1 record, null (tombstones).",
    ]
    columns = [column["name"] for column in participants["columns"]]
    assert columns[:7] == ["match_id", "day", "position", "puuid", "kills", "win", "kda"]
    assert participants["partitionColumns"] == ["day"]
    assert "LATERAL VIEW OUTER posexplode(info.participants)" in text
    assert "frames: MAP<STRING, STRUCT<" in text and "`12Streak`: INT" in text
    assert "EUW1_70000000" in text

    newest = infer(job, topic, "--rows", "6", "--no-values").log()
    assert "EUW1_" not in newest and "(6 records of 3 partitions" in newest


def test_records_of_odd_keys_and_types_give_a_file_that_check_accepts(job, topic, tmp_path):
    job.broker.create_topic(topic)
    job.broker.produce(topic, ODD)
    file = tmp_path / "odd.sql"
    file.write_text(infer(job, topic).log())
    (table,) = check(job, file).values()
    columns = {column["name"]: column for column in table["columns"]}
    names = [name for name in columns if name not in ("kafka_timestamp", "partition", "processing_timestamp")]
    assert names == ["status", "order_by", "field", "record_offset", "mixed", "only_null", "text", "offset"]
    assert columns["mixed"]["type"] == columns["status"]["type"] == "STRING"
    assert "deep" not in columns and "evil" not in file.read_text()


def test_a_topic_without_objects_gives_a_table_of_bytes_and_code_8(job, topic, tmp_path):
    job.broker.create_topic(topic, partitions=2)
    name = topic.replace("-", "_") + "_bytes"
    empty = infer(job, topic, exit_code=8)
    assert "there is no record of" in empty.errors()
    job.broker.produce(topic, [b"\x00\xff", "[1]"])
    bytes_only = infer(job, topic, exit_code=8)
    assert "none of the 2 records of" in bytes_only.errors()
    for process in (empty, bytes_only):
        file = tmp_path / "bytes.sql"
        file.write_text(process.log())
        types = {column["name"]: column["type"] for column in check(job, file)[name]["columns"]}
        assert types["key"] == types["value"] == "BINARY"


def test_what_cannot_be_read_is_an_error_and_prints_nothing(job, topic, tmp_path):
    job.broker.create_topic(topic)
    unknown = infer(job, topic + "s", exit_code=4)
    assert unknown.log() == "" and f"did you mean {topic}?" in unknown.errors()
    silent = infer(job, topic, exit_code=2, KAFKA_BOOTSTRAP_SERVERS=None)
    assert silent.log() == "" and "KAFKA_BOOTSTRAP_SERVERS is missing" in silent.errors()
    missing = infer(job, topic, tmp_path / "no.ndjson", exit_code=2)
    assert missing.log() == "" and "No such file or directory" in missing.errors()
    assert "--rows: 0 is not between" in infer(job, topic, "--rows", "0", exit_code=2).errors()


def test_records_can_come_from_files_and_standard_input_without_kafka(program, tmp_path):
    records = tmp_path / "records.ndjson"
    records.write_text("\n\n".join(json.dumps(match(n)) for n in range(5)) + "\r\n")
    named = program.run("infer", "--topic", "riot", records).log()
    piped = program.run("infer", "--topic", "riot", "-", under=("sh", "-c", f'exec "$0" "$@" < {records}')).log()
    assert named == piped and named.startswith("-- Inferred by esports-stream from 5 JSON objects")
    first = program.run("infer", "--topic", "riot", "--rows", "1", records, records).log()
    assert first.startswith("-- Inferred by esports-stream from 2 JSON objects")


def test_a_file_that_would_be_too_large_has_no_values(program, tmp_path):
    records, file = tmp_path / "large.ndjson", tmp_path / "large.sql"
    value = "\x85" * 20  # each is four characters per byte in a comment
    lines = ({f"o{i}": {f"k{j}": f"{n}{value}" for j in range(900)} for i in range(5)} for n in range(3))
    records.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    text = program.run("infer", "--topic", "large", records).log()
    assert "\\x85" not in text and len(text) < 1 << 20
    file.write_text(text)
    (table,) = map(json.loads, program.run("check", file, "--json").log().splitlines())
    assert len(table["columns"]) == 504


def test_columns_have_the_values_of_the_records_in_spark(program, spark, tmp_path):
    """Every document's values, read by real Spark with the inferred types."""
    records = tmp_path / "records.ndjson"
    documents = [match(n) for n in range(40)]
    records.write_text("".join(json.dumps(document) + "\n" for document in documents))
    file = tmp_path / "riot.sql"
    file.write_text(program.run("infer", "--topic", "riot", records).log())
    dumped = subprocess.run([PLAN_DUMP, file], capture_output=True, text=True, check=True).stdout
    plan = json.loads(dumped.splitlines()[0])
    columns = [column for column in plan["columns"] if "`r`" in column["sql"]]
    assert len(columns) == 14

    rows = spark.createDataFrame([(line,) for line in records.read_text().splitlines()], "value STRING")
    parsed = rows.selectExpr(f"from_json(value, '{plan['schema']}') AS r")
    result = parsed.selectExpr(*(f"{column['sql']} AS `{column['name']}`" for column in columns))
    declared = spark.sql("SELECT " + ", ".join(f"CAST(NULL AS {column['type']})" for column in columns)).schema
    assert [field.dataType for field in result.schema] == [field.dataType for field in declared]

    found = {row["match_id"]: row.asDict() for row in result.collect()}
    for document in documents:
        info, row = document["info"], found[document["metadata"]["matchId"]]
        started = datetime.datetime.fromtimestamp(info["gameStartTimestamp"] / 1000)
        ended = info["gameEndTimestamp"]
        assert row == {
            "match_id": document["metadata"]["matchId"],
            "data_version": "2",
            "game_id": info["gameId"],
            "queue_id": info["queueId"],
            "game_start_timestamp": started,
            "game_end_timestamp": datetime.datetime.fromtimestamp(ended / 1000) if ended else None,
            "game_duration": info["gameDuration"],
            "platform_id": info["platformId"],
            "average_rank": info["averageRank"],
            "remake": info["remake"],
            "played_on": datetime.date.fromisoformat(info["playedOn"]),
            "sent_at": datetime.datetime(2024, 6, 1, 10, int(info["sentAt"][14:16]), 0, 500000),
            "local_time": datetime.datetime.fromisoformat(info["localTime"]),
            "day": row["day"],
        }
        assert row["day"] == started.date()
