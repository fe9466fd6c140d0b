"""How a Spark cluster computes a query file: the steps that the program sends, done by real Spark to records
as Kafka's source has them. What happens to each record, and what is counted."""

import datetime
import json
import subprocess
from collections import Counter

import pytest
from pyspark.sql import Observation
from pyspark.sql import functions as F
from rig.paths import ROOT
from rig.spark import session_of_a_cluster

STEPS_DUMP = ROOT / "build" / "release" / "tests" / "tools" / "steps_dump"
KAFKA = (
    "key BINARY, value BINARY, topic STRING, partition INT, offset BIGINT, timestamp TIMESTAMP, timestampType INT,"
    " headers ARRAY<STRUCT<key: STRING, value: BINARY>>"
)
NOW = datetime.datetime(2024, 6, 1, 12, tzinfo=datetime.timezone.utc)
TOPIC = """CREATE TABLE r (id STRING, timestamp BIGINT, value STRING, q INT, s STRUCT<k: INT, n: INT>, info STRUCT<list: ARRAY<STRUCT<k: INT, n: STRING>>,
  map: MAP<STRING, ARRAY<INT>>>) USING kafka OPTIONS (subscribe 'topic');\n"""


@pytest.fixture(scope="module")
def session(spark):
    with session_of_a_cluster(spark) as session:
        yield session


def steps_of(tmp_path, text, mode="reject"):
    path = tmp_path / "query.sql"
    path.write_text(TOPIC + text)
    dumped = subprocess.run([STEPS_DUMP, path, mode], capture_output=True, text=True, check=False)
    assert dumped.returncode == 0, dumped.stderr
    (line,) = dumped.stdout.splitlines()
    return json.loads(line)["steps"]


def kafka_rows(values):
    """Records at offsets 0, 1, … of partition 1."""
    encoded = [value.encode() if isinstance(value, str) else value for value in values]
    return [(None, value, "topic", 1, offset, NOW, 0, None) for offset, value in enumerate(encoded)]


def run(session, steps, rows):
    """The table's rows, and {observation: {name: count}}."""
    frame, observations = session.createDataFrame(rows, KAFKA), {}
    for step in steps:
        if step["kind"] == "select":
            frame = frame.selectExpr(*step["expressions"])
        elif step["kind"] == "where":
            frame = frame.where(step["expressions"][0])
        else:
            observations[step["name"]] = Observation(step["name"])
            frame = frame.observe(observations[step["name"]], *map(F.expr, step["expressions"]))
    made = frame.collect()
    counts = {name: count for one in observations.values() for name, count in one.get.items()}
    return made, counts


def outcomes(rows, values, rejects=(), empty=(), filtered=(), exploded=None):
    """The counts that there must be, of offsets."""
    exploded = len(rows) if exploded is None else exploded
    counts = {"records": len(values), "rejects": len(rejects), "empty": len(empty), "filtered": len(filtered)}
    return {**counts, "exploded": exploded, "rows": len(rows), "windows": [1 << 40] if rejects else []}


# Three are broken or arrays, one is a tombstone, one has no identifier, two have nothing to explode.
ELEVEN = [
    '{"id":"a","info":{"list":[{"k":1},{"k":2},{"k":3}]}}',
    '{"id":"b","info":{"list":[{"k":4}]}}',
    "{",
    '[{"id":"c"}]',
    "nonsense",
    None,
    '{"info":{"list":[{"k":5},{"k":6}]}}',
    '{"id":"d","info":{"list":[]}}',
    '{"id":"e"}',
    '{"id":"f","info":{"list":[{"k":"x"},{"k":8}]}}',
    '{"id":"g","info":{"list":[null]}}',
]
REJECTS = [2, 3, 4, 5, 6]
INNER = """CREATE STREAMING TABLE t (id STRING NOT NULL, pos INT, k INT) AS
SELECT id, pos, p.k FROM STREAM r LATERAL VIEW posexplode(info.list) x AS pos, p"""
OUTER = INNER.replace("VIEW ", "VIEW OUTER ")


def triples(rows):
    return [(row["offset"], row["pos"], row["k"]) for row in rows]


def test_each_record_is_counted_once_however_many_rows_it_has(session, tmp_path):
    rows, counts = run(session, steps_of(tmp_path, INNER), kafka_rows(ELEVEN))
    inner = [(0, 0, 1), (0, 1, 2), (0, 2, 3), (1, 0, 4), (9, 0, None), (9, 1, 8), (10, 0, None)]
    assert triples(rows) == inner
    assert counts == outcomes(inner, ELEVEN, REJECTS, empty=[7, 8])

    rows, counts = run(session, steps_of(tmp_path, OUTER), kafka_rows(ELEVEN))
    outer = sorted([*inner, (7, None, None), (8, None, None)])
    assert triples(rows) == outer
    assert counts == outcomes(outer, ELEVEN, REJECTS)


def test_counts_of_records_behind_the_explode_would_be_wrong(session, tmp_path):
    """So the test above sees the order of the steps."""
    steps = steps_of(tmp_path, INNER)
    (view,) = [at for at, step in enumerate(steps) if any("posexplode" in text for text in step["expressions"])]
    (observe,) = [at for at, step in enumerate(steps) if step.get("name") == "records"]
    assert observe < view
    steps.insert(observe, steps.pop(view))
    rows, counts = run(session, steps, kafka_rows(ELEVEN))
    assert len(rows) == 7  # those are the same
    assert (counts["records"], counts["rejects"]) == (9, 2)


def test_a_record_whose_rows_where_leaves_out_is_filtered(session, tmp_path):
    steps = steps_of(tmp_path, INNER + " WHERE p.k BETWEEN 2 AND 3 OR pos = 1")
    rows, counts = run(session, steps, kafka_rows(ELEVEN))
    kept = [(0, 1, 2), (0, 2, 3), (9, 1, 8)]
    assert triples(rows) == kept
    assert counts == outcomes(kept, ELEVEN, REJECTS, empty=[7, 8], filtered=[1, 10], exploded=7)


def test_where_sees_the_row_of_nulls_that_outer_adds(session, tmp_path):
    steps = steps_of(tmp_path, OUTER + " WHERE pos IS NULL AND p.k IS NULL")
    rows, counts = run(session, steps, kafka_rows(ELEVEN))
    kept = [(7, None, None), (8, None, None)]
    assert triples(rows) == kept
    assert counts == outcomes(kept, ELEVEN, REJECTS, filtered=[0, 1, 9, 10], exploded=9)


def test_where_on_the_record_alone_filters_records(session, tmp_path):
    steps = steps_of(tmp_path, INNER + " WHERE id < 'b' OR id > 'f'")
    rows, counts = run(session, steps, kafka_rows(ELEVEN))
    kept = [(0, 0, 1), (0, 1, 2), (0, 2, 3), (10, 0, None)]
    assert triples(rows) == kept
    assert counts == outcomes(kept, ELEVEN, REJECTS, empty=[7, 8], filtered=[1, 9], exploded=7)


NESTED = [
    '{"id":"a","info":{"list":[{"k":1},{"k":2}],"map":{"x":[1,2],"y":[],"x":[3]}}}',
    '{"id":"b","info":{"list":[{"k":1}],"map":{"y":[]}}}',
    '{"id":"c","info":{"list":[{"k":1}],"map":{}}}',
    '{"id":"d","info":{"list":[],"map":{"x":[1]}}}',
    '{"id":"e","info":{"list":[{"k":9}],"map":{"z":[9,8]}}}',
]


@pytest.mark.parametrize("outer", ["", "OUTER"])
def test_views_that_use_each_other_count_as_explode_does(session, tmp_path, outer):
    text = f"""CREATE STREAMING TABLE t (id STRING NOT NULL) AS SELECT id, position AS a, key_ AS b, number AS c
    FROM STREAM r LATERAL VIEW posexplode(info.map) m AS position, key_, numbers
    LATERAL VIEW {outer} posexplode(numbers) n AS at, number LATERAL VIEW explode(info.list) l AS p"""
    steps = steps_of(tmp_path, text.replace("(id STRING NOT NULL) ", "") + " WHERE p.k < 9 AND coalesce(number, 0) < 3")
    rows, counts = run(session, steps, kafka_rows(NESTED))
    numbers = [(0, 0, "x", 1), (0, 0, "x", 1), (0, 0, "x", 2), (0, 0, "x", 2)]
    if outer:
        numbers += [(0, 1, "y", None), (0, 1, "y", None), (1, 0, "y", None)]
    assert [(row["offset"], row["a"], row["b"], row["c"]) for row in rows] == numbers
    empty = [2, 3] if outer else [1, 2, 3]
    exploded = len(numbers) + 2 + 2  # the second x of a, and those of e
    assert counts == outcomes(numbers, NESTED, empty=empty, filtered=[4], exploded=exploded)


UNREADABLE = [
    '{"id":"a","info":{"list":[{"k":1},5]}}',
    '{"id":"b","info":{"list":{"k":1}}}',
    '{"id":"c","info":{"list":"x"},"q":1}',
    '{"id":"d","info":7}',
    '{"id":"e","info":{"list":[{"k":tru}]}}',
    '{"id":"f","info":{"list":null}}',
    '{"id":"g","info":{"list":[{"k":"x"}]}}',
    '{"id":"h","q":"x","info":{}}',
    '{"id":"i","info":{"list":[]},"extra":[{"k":1},5]}',
    '{"id":"j","info":{"list":5,"list":[{"k":1}]}}',
    '{"id":"k","info":null}',
]


def test_an_array_that_is_not_null_but_cannot_be_read_makes_the_record_a_reject(session, tmp_path):
    text = INNER.replace("p.k FROM", "p.k, q FROM").replace("k INT)", "k INT, q INT)")
    rows, counts = run(session, steps_of(tmp_path, text), kafka_rows(UNREADABLE))
    assert triples(rows) == [(6, 0, None), (9, 0, 1)]
    assert counts == outcomes(rows, UNREADABLE, rejects=[0, 1, 2, 3, 4], empty=[5, 7, 8, 10])
    rows, counts = run(session, steps_of(tmp_path, text, "permissive"), kafka_rows(UNREADABLE))
    assert triples(rows) == [(6, 0, None), (9, 0, 1)]
    assert counts == outcomes(rows, UNREADABLE, empty=[0, 1, 2, 3, 4, 5, 7, 8, 10])


WITHOUT_IDENTIFIER = [
    ("{}", True),
    (" \t\r\n{ \n } trailing", True),
    ('\n{"id":"a"}', True),
    ('{"id":5,"q":"x"}', True),  # one value cannot be read
    ('{"q":"x"}', True),
    ('{"id":"a","q":tru}', False),  # Spark keeps nothing of it
    ('{"other":1}', True),
    ('{"id":"a"} {"id":"b"}', True),
    ('{"id":"a"', False),
    ('{"id":"a",}', False),
    ("{,}", False),
    ("{", False),
    ('{id:"a"}', False),
    ('[{"id":"a"}]', False),
    ('"a"', False),
    ("null", False),
    ("5", False),
    ("", False),
    (" \t", False),
    (None, False),
    (b'{"id":"\xff"}', True),
    (b'{"id":"a"}\xe2', True),
    (b"{\xe2", False),
]


def test_without_an_identifier_everything_but_objects_is_a_reject(session, tmp_path):
    text = "CREATE STREAMING TABLE t AS SELECT id, q FROM STREAM r"
    values = [value for value, _ in WITHOUT_IDENTIFIER]
    rows, counts = run(session, steps_of(tmp_path, text), kafka_rows(values))
    accepted = [offset for offset, (_, ok) in enumerate(WITHOUT_IDENTIFIER) if ok]
    assert [row["offset"] for row in rows] == accepted
    assert counts == outcomes(accepted, values, set(range(len(values))) - set(accepted))
    plain = session.createDataFrame(kafka_rows(values), KAFKA).selectExpr(
        "from_json(CAST(value AS STRING), 'id STRING, q INT') AS r", "offset"
    )
    expected = {row["offset"]: (row["id"], row["q"]) for row in plain.select("r.*", "offset").collect()}
    assert {row["offset"]: (row["id"], row["q"]) for row in rows} == {at: expected[at] for at in accepted}


def test_names_of_fields_columns_and_kafka_do_not_clash(session, tmp_path):
    text = """CREATE STREAMING TABLE t (_parsed STRING NOT NULL, value BIGINT, key STRING, Timestamp TIMESTAMP, pos INT, _text INT) AS
    SELECT id AS _parsed, timestamp AS value, value AS key, kafka_timestamp AS Timestamp, q AS pos, p.k + pos AS _text
    FROM STREAM r LATERAL VIEW posexplode(info.list) x AS place, p WHERE place = 1"""
    value = '{"id":"a","timestamp":5,"value":"v","q":7,"info":{"list":[{"k":1},{"k":2}]}}'
    rows, counts = run(session, steps_of(tmp_path, text), kafka_rows([value]))
    (row,) = rows
    assert [row[name] for name in ("_parsed", "value", "key", "pos", "_text")] == ["a", 5, "v", 7, 9]
    assert row["Timestamp"] == row["kafka_timestamp"]
    assert counts == outcomes(rows, [value], exploded=2)


def test_not_null_can_be_any_column_and_partition_columns_must_fit_a_directory(session, tmp_path):
    text = """CREATE STREAMING TABLE t (half INT NOT NULL, name STRING, id STRING, double INT) PARTITIONED BY (name) AS
    SELECT q AS base, base DIV 2 AS half, concat(id, id) AS name, id, half * 2 AS double FROM STREAM r"""
    text = text.replace("half INT NOT", "base INT, half BIGINT NOT").replace("double INT", "double BIGINT")
    values = ['{"id":"a","q":5}', '{"id":"b"}', '{"id":"' + "x" * 200 + '","q":1}', '{"q":4}', '{"id":"\\u0000","q":1}', "[]"]
    rows, counts = run(session, steps_of(tmp_path, text), kafka_rows(values))
    assert [(row["offset"], row["base"], row["half"], row["name"], row["double"]) for row in rows] == [
        (0, 5, 2, "aa", 4),
        (3, 4, 2, None, 4),
    ]
    assert counts == outcomes(rows, values, rejects=[1, 2, 4, 5])


def test_values_that_are_not_parsed_are_rows_even_without_a_value(session, tmp_path):
    path = tmp_path / "raw.sql"
    path.write_text(
        "CREATE STREAMING TABLE raw AS SELECT key, value, topic, timestampType, headers[0].key AS first FROM STREAM kafka('topic') WHERE offset <> 2"
    )
    dumped = subprocess.run([STEPS_DUMP, path, "reject"], capture_output=True, text=True, check=True)
    steps = json.loads(dumped.stdout)["steps"]
    rows = kafka_rows(["{", None, "left out"])
    rows[0] = (b"k", *rows[0][1:7], [("h", b"v")])
    made, counts = run(session, steps, rows)
    assert [(row["key"], row["value"], row["topic"], row["timestampType"], row["first"]) for row in made] == [
        (bytearray(b"k"), bytearray(b"{"), "topic", 0, "h"),
        (None, None, "topic", 0, None),
    ]
    assert counts == outcomes(made, rows, filtered=[2], exploded=3)


PRUNED = [
    '{"id":"a","s":{"k":1,},"q":9}',
    '{"id":"b","q":9,"s":{"k":tru}}',
    '{"id":"c","q":9,"s":{"k":01}}',
    '{"q":9,"id":"d","s":{"k":tru',
    '{"id":"e","q":9,"s":{"k":1},"info":{"list":[{"k":3}]}}',
    '{"id":"f","s":{"k":tru},"q":9}',
]


@pytest.mark.parametrize("condition", ["q = 9", "q IS NOT NULL AND id >= 'a'"])
def test_conditions_do_not_change_what_from_json_returns(session, tmp_path, condition):
    """WHERE, and the conditions that Spark derives from explode, see the values of the whole schema. Spark's
    optimizer would cut it to a single field, for which Spark reads some records in another way."""
    schema = "STRUCT<id: STRING, q: INT, s: STRUCT<k: INT>, info: STRUCT<list: ARRAY<STRUCT<k: INT>>>>"
    frame = session.createDataFrame(kafka_rows(PRUNED), KAFKA)
    parsed = [f"from_json(CAST(value AS STRING), '{type}') AS {name}" for name, type in (("r", schema), ("one", "q INT"))]
    whole = frame.selectExpr(*parsed, "offset").collect()
    values = [(row["offset"], row["r"]["id"], row["r"]["q"]) for row in whole]
    expected = [value for value in values if None not in value]
    assert len(expected) < len(values)
    assert len(expected) > sum(row["one"]["q"] == 9 for row in whole)

    text = """CREATE STREAMING TABLE t (id STRING NOT NULL, q INT, k INT, size INT) AS
    SELECT id, q, s.k, size(info.list) AS size FROM STREAM r WHERE """
    rows, counts = run(session, steps_of(tmp_path, text + condition), kafka_rows(PRUNED))
    assert [(row["offset"], row["id"], row["q"]) for row in rows] == expected
    assert counts["rows"] == len(expected)

    text = """CREATE STREAMING TABLE t (id STRING, q INT, k INT, size INT) AS SELECT id, q, s.k, p.k AS size
    FROM STREAM r LATERAL VIEW OUTER explode(info.list) x AS p WHERE """
    rows, counts = run(session, steps_of(tmp_path, text + condition, "permissive"), kafka_rows(PRUNED))
    assert [(row["offset"], row["id"], row["q"]) for row in rows] == expected
    assert counts["rows"] == len(expected)


DATED = """CREATE STREAMING TABLE t PARTITIONED BY (ingest_date) AS SELECT id FROM STREAM r"""


def test_a_date_is_that_of_the_sessions_time_zone_and_others_are_rejects(session, tmp_path):
    utc, values = datetime.timezone.utc, ['{"id":"a"}'] * 5
    moments = [
        datetime.datetime(2026, 3, 29, 22, 30, tzinfo=utc),
        datetime.datetime(1969, 12, 31, 23, 59, 59, 999000, tzinfo=utc),
        datetime.datetime(9999, 12, 30, 22, 59, 59, 999999, tzinfo=utc),
        datetime.datetime(9999, 12, 31, 0, 0, 0, tzinfo=utc),
        datetime.datetime(2026, 3, 28, 23, 30, tzinfo=utc),
    ]
    rows = [(*row[:5], moment, *row[6:]) for row, moment in zip(kafka_rows(values), moments, strict=True)]
    zone = session.conf.get("spark.sql.session.timeZone")
    session.conf.set("spark.sql.session.timeZone", "Europe/Berlin")
    made, counts = run(session, steps_of(tmp_path, DATED), rows)
    session.conf.set("spark.sql.session.timeZone", zone)
    found = {row.offset: str(row.ingest_date) for row in made}
    assert found == {0: "2026-03-30", 1: "1970-01-01", 2: "9999-12-30", 4: "2026-03-29"}
    assert (counts["rejects"], counts["rows"]) == (1, 4)
