"""Records that cannot become rows: they are kept with their reason and never block other records."""

import json
import re

import pytest
import spark_job
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

    # One WARNING for all of them, and a DEBUG line for each.
    (line,) = process.lines(r"\| (WARNING|ERROR) \|")
    assert line.endswith(
        "| match_stream | WARNING | 16 records rejected | null_value=1 blank_value=2 malformed_json=4"
        " not_an_object=4 missing_identifier=2 null_identifier=1 partition_value=2 | first=0:1"
        " | see=esports-stream rejects ls --job matches"
    ), line
    for offset, (_, reason) in enumerate(REJECTED, start=1):
        (line,) = process.lines(rf"\boffset={offset}\b.*\b{reason}\b")
        assert "| match_stream | DEBUG | Record rejected |" in line
        assert f"topic={job.topics['matches']}" in line and "partition=0" in line
    assert re.search(r"unknown_keys=0\b", process.log())


def test_a_batch_without_a_row_is_an_error_that_names_the_received_and_the_expected_keys(job):
    job.create_topic()
    wrong = [json.dumps({"matchId": f"M{n}", "status": "live"}) for n in range(5000)]
    job.produce([*wrong, '{"match_id": null, "colour": 1}'])

    process = job.run()

    job.assert_exact()
    assert len(job.lake.keys(job.lake.rejects("matches"))) == 5001
    warning, error = process.lines(r"\| (WARNING|ERROR|CRITICAL) \|")  # no matter how many records
    assert "WARNING | 5001 records rejected | missing_identifier=5000 null_identifier=1 |" in warning
    assert "ERROR | No record of batch 0 became a row" in error
    keys = "keys=matchId (5000), status (5000), colour (1), match_id (1)"
    assert f"| {keys} | identifier=match_id | expected=match_id, " in error
    assert process.lines(r"\| rows=0 \| rejects=5001 \|.*\| unknown_keys=5001 \|")

    job.produce([None])  # a tombstone has no value to read: neither a warning nor an error
    process = job.run()
    assert not process.lines(r"\| (WARNING|ERROR|CRITICAL) \|")
    assert process.lines(r"\| INFO \| 1 record rejected \| null_value=1 \| first=0:5001 \|")


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
    job.run()  # another mode continues
    job.assert_exact()


def test_a_value_of_the_wrong_type_is_null_in_its_row_and_counted(job):
    job.create_topic()
    value = '{"match_id": "M1", "match_duration": "long", "team_1_kills": 3, "team_2_kills": []}'
    job.produce([value, '{"match_id": "M2"} {"match_id": "M3"}'])

    process = job.run()

    (line,) = process.lines(r"\| WARNING \| .*became null")  # one line for all columns
    assert "2 values of the wrong type became null" in line, line
    assert line.endswith("columns=match_duration (1), team_2_kills (1)"), line
    assert process.lines(r"\| WARNING \| .*after.* value"), process.tail()
    row, _ = job.lake.rows(job.lake.table("matches"))
    assert (row["match_duration"], row["duration_minutes"], row["team_1_kills"]) == (None, None, 3)


@pytest.mark.sanitized
def test_a_record_of_fifty_megabytes_and_one_of_ten_thousand_levels_are_handled(job):
    topic = job.create_topic(max_message_bytes=64 << 20)
    deep = '{"match_id": "deep", "x": ' + "[" * 10000 + "]" * 10000 + "}"
    # Spark limits a string to 20 million characters, but not a record.
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


INT64_MAX = (1 << 63) - 1
NANOSECONDS = 1700000000000000000

# Producer timestamps in milliseconds. -62135596800000 is the earliest date of .NET, 1582-10-15 is the
# first day of the Gregorian calendar, and 1700000000000000 is a time in microseconds.
TAKEN = [-1, -2, -1000, -62135596800000, -12219292800000, -12219292800001, -99999999999999]
TAKEN += [1700000000000, 1700000000000000, INT64_MAX // 1000, -(INT64_MAX // 1000)]
OVERFLOWING = [NANOSECONDS, INT64_MAX, -INT64_MAX - 1, INT64_MAX // 1000 + 1]


def produce_at(job, topic, timestamps, partition=0):
    producer = job.broker.producer()
    for timestamp in timestamps:
        producer.produce(topic, GOOD, partition=partition, timestamp=timestamp)
    assert producer.flush(60) == 0


def create_topic_of_any_time(job, topic, partitions=1):
    limits = {f"message_timestamp_{side}_max_ms": INT64_MAX for side in ("before", "after")}
    return job.broker.create_topic(topic, partitions, **limits)


def times(spark, table):
    frame = spark.read.parquet(str(table)).selectExpr("offset", "unix_micros(kafka_timestamp)")
    return dict(map(tuple, frame.collect()))


@pytest.mark.sanitized
def test_any_timestamp_is_read_as_in_spark_and_rejected_where_sparks_query_ends(job, spark):
    topic = create_topic_of_any_time(job, job.topics["matches"], partitions=2)
    produce_at(job, topic, TAKEN)
    produce_at(job, topic, OVERFLOWING, partition=1)
    alone = create_topic_of_any_time(job, f"{topic}-taken")
    produce_at(job, alone, TAKEN)
    theirs = job.lake.root / "spark"
    spark_job.start(spark, "matches", job.broker.bootstrap, alone, str(theirs)).awaitTermination()
    wanted = times(spark, theirs / "processed" / "matches")
    assert wanted[0] == -1000 and wanted[3] == -62135424000000000  # 0001-01-03
    assert len(wanted) == len(TAKEN)

    process = job.run()

    job.assert_exact()
    assert times(spark, job.lake.table("matches")) == wanted
    _, rejects = readers.with_duckdb(job.lake.rejects("matches"))
    assert [row["partition"] for row in rejects] == [1] * len(OVERFLOWING)
    for row, timestamp in zip(rejects, OVERFLOWING, strict=True):
        assert (row["reason"], row["kafka_timestamp"]) == ("kafka_timestamp", None)
        assert str(timestamp) in row["detail"] and row["value"] == GOOD.encode()
        assert process.lines(rf"DEBUG.*\bkafka_timestamp\b.* {timestamp} "), process.tail()
    assert process.lines(rf"WARNING.* kafka_timestamp={len(OVERFLOWING)} \| first=1:0 \|")
    for offset in (0, len(OVERFLOWING) - 1):
        record = spark.read.format("kafka").options(
            **{
                "kafka.bootstrap.servers": job.broker.bootstrap,
                "assign": json.dumps({topic: [1]}),
                "startingOffsets": json.dumps({topic: {"1": offset}}),
                "endingOffsets": json.dumps({topic: {"1": offset + 1}}),
            }
        )
        with pytest.raises(Exception, match="long overflow"):
            record.load().collect()

    other = job.lake.root / "int96"
    job.run(DATA_LAKE_PATH=other, PARQUET_TIMESTAMP_TYPE="INT96", PARSE_MODE="permissive")
    assert times(spark, other / "processed" / "matches") == wanted
    replayed = job.program.run("rejects", "replay", "--job", "matches", **job.settings)
    assert f"kafka_timestamp {len(OVERFLOWING)}" in replayed.log()
    assert not job.lake.batches("matches")[1:]
    produce_at(job, topic, [NANOSECONDS])  # in the longest partition, which doctor reads
    doctor = job.program.run("doctor", "--job", "matches", **job.settings)
    assert "is out of range: the record will be rejected" in doctor.log(), doctor.log()


def test_the_timestamp_of_a_reject_is_that_of_spark_before_and_after_a_replay(job, spark):
    topic = create_topic_of_any_time(job, job.topics["matches"])
    producer = job.broker.producer()
    for timestamp in TAKEN:
        producer.produce(topic, "[1]", partition=0, timestamp=timestamp)
    assert producer.flush(60) == 0
    job.run()
    rejected = times(spark, job.lake.rejects("matches"))
    assert rejected[0] == -1000 and rejected[3] == -62135424000000000

    replay = {**job.settings, "PARSE_MODE": "permissive"}
    job.program.run("rejects", "replay", "--job", "matches", **replay)

    assert times(spark, job.lake.table("matches")) == rejected
