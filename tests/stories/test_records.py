"""Records that cannot become rows: kept with their reason, never in the way of the others."""

import json

import pytest
from rig import readers

GOOD = '{"match_id": "M1", "status": "live"}'

# value, reason
REJECTED = [
    (None, "null_value"),
    ("", "blank_value"),
    (" \t\r\n", "blank_value"),
    ("this is not json", "malformed_json"),
    ('{"match_id": "M2", "status":', "malformed_json"),
    ('{"match_id": "M3"', "malformed_json"),
    ("\0", "malformed_json"),
    ("[1, 2]", "not_an_object"),
    ('"text"', "not_an_object"),
    ("42", "not_an_object"),
    ("null", "not_an_object"),
    ("{}", "missing_identifier"),
    ('{"status": "live"}', "missing_identifier"),
    ('{"match_id": null}', "null_identifier"),
    ('{"match_id": "M4", "status": "a\\u0000b"}', "partition_value"),
    ('{"match_id": "M5", "status": "%s"}' % ("x" * 249), "partition_value"),
]


def produce(job):
    job.create_topic()
    job.produce([GOOD, *[(b"key", value) for value, _ in REJECTED], GOOD.replace("M1", "M9")])


@pytest.mark.sanitized
def test_a_malformed_record_is_kept_with_its_reason_and_its_bytes(job, spark):
    produce(job)

    process = job.run()

    job.assert_exact()
    assert sorted(row["match_id"] for row in job.lake.rows(job.lake.table("matches"))) == [
        "M1",
        "M9",
    ]
    _, rows = readers.with_duckdb(job.lake.rejects("matches"))
    assert [row["reason"] for row in rows] == [reason for _, reason in REJECTED]
    for row, (value, _) in zip(rows, REJECTED):
        assert row["value"] == (None if value is None else value.encode())
        assert (row["topic"], row["key"]) == (job.topics["matches"], b"key")
        assert row["detail"] and row["kafka_timestamp"] and row["processing_timestamp"]
    assert spark.read.parquet(str(job.lake.rejects("matches"))).count() == len(REJECTED)

    # One line each: an ERROR, or INFO where there was nothing to read.
    for offset, (_, reason) in enumerate(REJECTED, start=1):
        level = "INFO" if reason in ("null_value", "blank_value") else "ERROR"
        lines = process.lines(rf"\b{reason}\b.*\boffset={offset}\b|\boffset={offset}\b.*\b{reason}\b")
        assert len(lines) == 1, (offset, reason, process.tail())
        assert f"| match_stream | {level} |" in lines[0]
        assert f"topic={job.topics['matches']}" in lines[0] and "partition=0" in lines[0]


def test_many_rejects_do_not_flood_the_log_but_are_counted(job):
    job.create_topic()
    job.produce(["bad"] * 5000)

    process = job.run()

    job.assert_exact()
    assert len(job.lake.keys(job.lake.rejects("matches"))) == 5000
    lines = process.log().splitlines()
    assert len(lines) < 1000
    assert any("5000" in line or "suppressed" in line.lower() for line in lines), process.tail()


@pytest.mark.sanitized
def test_permissive_makes_the_rows_that_spark_makes(job):
    produce(job)

    job.run(PARSE_MODE="permissive")

    job.assert_exact()
    kept = {"null_value", "blank_value", "partition_value"}
    _, rejects = readers.with_duckdb(job.lake.rejects("matches"))
    assert [row["reason"] for row in rejects] == [why for _, why in REJECTED if why in kept]
    rows = job.lake.rows(job.lake.table("matches"))
    assert len(rows) == 2 + len([why for _, why in REJECTED if why not in kept])
    (alone,) = [row for row in rows if row["offset"] == 13]  # {"status": "live"}
    assert (alone["match_id"], alone["status"]) == (None, "live")


def test_failfast_stops_at_the_first_reject_and_names_its_place(job):
    job.create_topic()
    job.produce([GOOD, "bad", GOOD])

    process = job.run(exit_code=8, PARSE_MODE="failfast")

    (line, *_) = process.lines("CRITICAL|ERROR")
    assert job.topics["matches"] in process.log() and "1" in line
    assert not job.lake.batches("matches")
    job.run()  # in another mode it goes on
    job.assert_exact()


def test_a_value_of_the_wrong_type_is_null_in_its_row_and_counted(job):
    job.create_topic()
    value = '{"match_id": "M1", "match_duration": "long", "team_1_kills": 3}'
    job.produce([value, '{"match_id": "M2"} {"match_id": "M3"}'])

    process = job.run()

    assert process.lines(r"\| WARNING \| .*column=match_duration .*values=1\b"), process.tail()
    assert process.lines(r"\| WARNING \| .*after.* value"), process.tail()
    row, _ = job.lake.rows(job.lake.table("matches"))
    assert (row["match_duration"], row["duration_minutes"], row["team_1_kills"]) == (None, None, 3)


@pytest.mark.sanitized
def test_a_record_of_fifty_megabytes_and_one_of_ten_thousand_levels_are_handled(job):
    topic = job.create_topic(max_message_bytes=64 << 20)
    deep = '{"match_id": "deep", "x": ' + "[" * 10000 + "]" * 10000 + "}"
    # A string may have 20 million characters in Spark; a record more.
    large = json.dumps(
        {"match_id": "large", "match_type": "x" * (19 << 20), "y": ["z" * (1 << 20)] * 31}
    )
    producer = job.broker.producer(message_max_bytes=64 << 20)
    for value in (GOOD, deep, large, b'{"match_id": "utf \xff\xfe"}', GOOD):
        producer.produce(topic, value, partition=0)
    assert producer.flush(60) == 0

    job.run()

    job.assert_exact()
    rows = {row["offset"]: row for row in job.lake.rows(job.lake.table("matches"))}
    assert sorted(rows) == [0, 2, 3, 4]
    assert len(rows[2]["match_type"]) == 19 << 20
    assert rows[2]["match_id"] == "large" and rows[3]["match_id"] == "utf \ufffd\ufffd"
