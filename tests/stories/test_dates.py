"""Tables that are partitioned by the date of Kafka's timestamp."""

import datetime
import json
import re
import zoneinfo

import duckdb
import polars
import pyarrow
import pyarrow.dataset
import pytest
import spark_job
from rig.lake import Lake

DAY_MS = 86_400_000
INT64_MAX = (1 << 63) - 1
FIRST, END = -719161 * DAY_MS, 2932896 * DAY_MS  # of the moments whose date can be a directory

# Daylight saving time that begins at midnight, a day that did not exist, an offset of seconds (before
# 1972), and one without a name.
ZONES = ["America/Sao_Paulo", "Pacific/Apia", "Africa/Monrovia", "-11:30"]


def milliseconds(text):
    return round(datetime.datetime.fromisoformat(text).timestamp() * 1000)


def around_midnights():
    """The milliseconds on both sides of the midnights of the zones on days of a change, and others."""
    moments = [-1, 0, 1, -DAY_MS, 1_700_000_000_000]
    for day in ("1960-06-01", "1972-01-07", "2011-12-30", "2011-12-31", "2018-11-04", "2024-02-29", "2026-10-25"):
        for zone in ZONES:
            try:
                its = zoneinfo.ZoneInfo(zone)
            except (ValueError, zoneinfo.ZoneInfoNotFoundError):
                its = datetime.timezone(-datetime.timedelta(hours=11, minutes=30))
            midnight = datetime.datetime.fromisoformat(day).replace(tzinfo=its)
            at = int(midnight.timestamp() * 1000)
            moments += [at - 1, at, at + 3_599_999, at + 3_600_000]
    return sorted(set(moments))


# Before 1582-10-15 Spark reads the milliseconds as days of the Julian calendar: two days more in the year 1.
TAKEN = [FIRST - 2 * DAY_MS, END - 1, *around_midnights()]
REJECTED = [FIRST - 2 * DAY_MS - 1, END, 1_700_000_000_000_000, INT64_MAX // 1000, -(INT64_MAX // 1000)]


def create_topic(job, partitions=1):
    limits = {f"message_timestamp_{side}_max_ms": INT64_MAX for side in ("before", "after")}
    return job.create_topic(partitions=partitions, **limits)


def produce_at(job, topic, timestamps, partition=0):
    producer = job.broker.producer()
    for number, timestamp in enumerate(timestamps):
        value = json.dumps({"match_id": f"m{number}", "status": ["live", "finished"][number % 2]})
        producer.produce(topic, value, partition=partition, timestamp=timestamp)
    assert producer.flush(60) == 0


def directories(lake, kind="matches"):
    """{offset in partition 0: the directory of its row}"""
    table, found = lake.table(kind), {}
    for path in lake.files(table):
        rows = pyarrow.parquet.ParquetFile(path).read(columns=["partition", "offset"]).to_pylist()
        for row in rows:
            if row["partition"] == 0:
                found[row["offset"]] = str(path.parent.relative_to(table))
    return found


def rejects_of(root, kind="matches"):
    columns = ["partition", "offset", "reason", "detail"]
    files = Lake(root).files(root / "rejected" / kind)
    return [row for path in files for row in pyarrow.parquet.ParquetFile(path).read(columns).to_pylist()]


@pytest.mark.timeout(240)
def test_each_row_is_in_the_directory_of_its_date_as_spark_writes_it_in_any_zone(job, spark, tmp_path):
    topic = create_topic(job, partitions=2)
    produce_at(job, topic, TAKEN)
    produce_at(job, topic, REJECTED, partition=1)
    alone = job.broker.create_topic(
        f"{topic}-taken", 1, **{f"message_timestamp_{side}_max_ms": INT64_MAX for side in ("before", "after")}
    )
    produce_at(job, alone, TAKEN)
    before = spark.conf.get("spark.sql.session.timeZone")
    for zone in ZONES:
        ours, theirs = tmp_path / f"ours {ZONES.index(zone)}", tmp_path / f"theirs {ZONES.index(zone)}"
        spark.conf.set("spark.sql.session.timeZone", zone)
        columns = ["ingest_date", "status"]
        started = spark_job.start(spark, "matches", job.broker.bootstrap, alone, str(theirs), partition_by=columns)
        started.awaitTermination()
        job.run(DATA_LAKE_PATH=ours, MATCHES_PARTITION_BY="ingest_date,status", SPARK_SQL_SESSION_TIMEZONE=zone)

        found = directories(Lake(ours))
        assert len(found) == len(TAKEN)
        assert found == directories(Lake(theirs)), zone
        assert all("ingest_date" not in pyarrow.parquet.read_schema(path).names for path in job.lake.files(ours / "processed"))
        rejects = rejects_of(ours)
        assert sorted(row["offset"] for row in rejects) == list(range(len(REJECTED)))
        assert {(row["partition"], row["reason"]) for row in rejects} == {(1, "partition_value")}
        assert all("'ingest_date': its year must be in 1 to 9999" in row["detail"] for row in rejects)
    spark.conf.set("spark.sql.session.timeZone", before)
    # One that is not partitioned so takes them.
    job.run()
    job.assert_exact()
    assert not job.lake.files(job.lake.rejects("matches"))


# ---- through a table's life ---------------------------------------------------------------------

DAYS = ["2026-11-27", "2026-11-28", "2026-11-29"]
BY_DATE = {"MATCHES_PARTITION_BY": "ingest_date,status"}
COPY = """\
COPY (
  SELECT *, CAST(kafka_timestamp AS DATE) AS ingest_date
  FROM read_parquet('OLD/**/*.parquet', hive_partitioning = true, hive_types_autocast = false)
) TO 'NEW' (FORMAT parquet, PARTITION_BY (ingest_date, status))"""


def produce_days(job, topic, count=10):
    """`count` matches on each day, half of them live; the producer's clock is at noon."""
    moments = [milliseconds(f"{day}T12:00:00+00:00") for day in DAYS]
    produce_at(job, topic, [moment for moment in moments for _ in range(count)])


def read_everywhere(spark, table):
    """{reader: (type of ingest_date, the dates of rows)}, as docs/reading.md shows the readers."""
    found = {}
    frame = spark.read.parquet(str(table))
    found["Spark"] = dict(frame.dtypes)["ingest_date"], [row[0] for row in frame.select("ingest_date").collect()]
    with duckdb.connect() as connection:
        relation = connection.sql(f"FROM read_parquet('{table}/**/*.parquet', hive_partitioning = true)")
        kind = dict(zip(relation.columns, relation.types))["ingest_date"]
        found["DuckDB"] = str(kind).lower(), [row[0] for row in relation.select("ingest_date").fetchall()]
    frame = polars.read_parquet(f"{table}/**/*.parquet", hive_partitioning=True)
    found["Polars"] = str(frame.schema["ingest_date"]).lower(), frame["ingest_date"].to_list()
    partitioning = pyarrow.dataset.partitioning(
        pyarrow.schema([("ingest_date", pyarrow.date32()), ("status", pyarrow.string())]), flavor="hive"
    )
    read = pyarrow.dataset.dataset(str(table), partitioning=partitioning).to_table()
    found["pyarrow"] = "date", read["ingest_date"].to_pylist()
    return found


def files_read(spark, table, day):
    """{reader: how many files it reads for the rows of one day}"""
    wanted = datetime.date.fromisoformat(day)
    frame = spark.read.parquet(str(table)).where(f"ingest_date = DATE '{day}'")
    plan = frame._jdf.queryExecution().executedPlan().toString()
    assert "PartitionFilters: [isnotnull(ingest_date" in plan
    read = {"Spark": len({row[0] for row in frame.selectExpr("input_file_name()").collect()})}
    with duckdb.connect() as connection:
        source = f"read_parquet('{table}/**/*.parquet', hive_partitioning = true)"
        explained = connection.sql(f"EXPLAIN ANALYZE SELECT max(match_id) FROM {source} WHERE ingest_date = DATE '{day}'")
        read["DuckDB"] = int(re.search(r"Total Files Read: (\d+)", explained.fetchall()[0][1])[1])
    partitioning = pyarrow.dataset.partitioning(
        pyarrow.schema([("ingest_date", pyarrow.date32()), ("status", pyarrow.string())]), flavor="hive"
    )
    dataset = pyarrow.dataset.dataset(str(table), partitioning=partitioning)
    read["pyarrow"] = len(list(dataset.get_fragments(pyarrow.dataset.field("ingest_date") == wanted)))
    return read


@pytest.mark.timeout(240)
def test_such_a_table_is_read_by_date_handed_over_to_spark_and_back_and_operated_on(job, spark, spark4, tmp_path):
    topic = create_topic(job)
    table = job.lake.table("matches")
    job.settings |= BY_DATE
    produce_days(job, topic)
    job.run()
    dates = sorted(datetime.date.fromisoformat(day) for day in DAYS for _ in range(10))
    for reader, (kind, rows) in read_everywhere(spark, table).items():
        assert (kind, sorted(rows)) == ("date", dates), reader
    assert files_read(spark, table, DAYS[1]) == {"Spark": 2, "DuckDB": 2, "pyarrow": 2}

    # Spark resumes with a column of its own, and we do (docs/spark-compatibility.md).
    produce_days(job, topic)
    spark4.run_job(job, partition_by=["ingest_date", "status"])
    produce_days(job, topic)
    job.run()
    job.assert_exact()
    assert set(directories(job.lake).values()) == {
        f"ingest_date={day}/status={status}" for day in DAYS for status in ("live", "finished")
    }
    # One of Spark's runs and two of ours: each with a file for each directory.
    assert len(job.lake.files(table)) == 18

    # Commands find the columns in the table.
    bare = {**job.settings, "MATCHES_PARTITION_BY": None}
    tail = job.program.run("tail", "--job", "matches", "--rows", "200", "--json", **bare).log()
    shown = [json.loads(line) for line in tail.splitlines() if line.startswith("{")]
    assert sorted(row["ingest_date"] for row in shown) == sorted(DAYS * 30)
    assert DAYS[2] in job.program.run("tail", "--job", "matches", **bare).log()
    verified = job.program.run("verify", "--job", "matches", **bare).log()
    assert "every offset is present exactly once" in verified
    explained = job.program.run("--explain", "--job", "matches", **job.settings).log()
    assert "partitioned   by ingest_date/status\n" in explained
    assert re.search(r"ingest_date +DATE +CAST\(kafka_timestamp AS DATE\)", explained)

    # Other partition columns are refused: the message names the way out, which is this.
    refused = job.run(exit_code=2, MATCHES_PARTITION_BY="status").log()
    assert "has different partition columns than this start (status)" in refused
    assert "contains the directory 'ingest_date=" in refused and "copy the rows" in refused
    plain = tmp_path / "plain"
    job.run(DATA_LAKE_PATH=plain, MATCHES_PARTITION_BY=None)
    copied = tmp_path / "copied"
    old, new = Lake(plain).table("matches"), copied / "processed" / "matches"
    new.parent.mkdir(parents=True)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(COPY.replace("OLD", str(old)).replace("NEW", str(new)))
    assert set(directories(Lake(copied)).values()) == set(directories(job.lake).values())
    assert Lake(copied).keys(new) == Lake(plain).keys(old)


QUERY = """\
CREATE TABLE trade_records (id STRING, venue STRING, price DOUBLE) USING kafka
OPTIONS (subscribe '${KAFKA_TOPIC_TRADES:-trades}');
CREATE STREAMING TABLE trades PARTITIONED BY (PARTITIONS) AS SELECT SELECTED FROM STREAM trade_records;
"""


def test_a_table_of_a_query_file_has_the_date_without_selecting_it(job, tmp_path):
    file = tmp_path / "trades.sql"
    topic = job.topics["matches"].replace("matches", "trades")
    job.broker.create_topic(topic, 1)
    produce_at(job, topic, [milliseconds("2026-03-29T00:59:59+00:00"), milliseconds("2026-03-28T23:00:00+00:00")])
    settings = {**job.settings, "QUERIES_PATH": file, "KAFKA_TOPIC_TRADES": topic, "TRIGGER": "availableNow"}
    settings |= {"SPARK_SQL_SESSION_TIMEZONE": "Europe/Berlin"}

    def declare(partitions, selected="id, venue"):
        file.write_text(QUERY.replace("PARTITIONS", partitions).replace("SELECTED", selected))

    def run(*words, exit_code=0, **others):
        process = job.program.run(*words, exit_code=exit_code, **{**settings, **others})
        return process.log() + process.errors()

    declare("Ingest_Date, venue")
    checked = run("check", str(file))
    assert "ingest_date" in checked and "null is possible in a partition column (venue)" in checked
    run("--job", "trades")
    lake = job.lake
    assert set(directories(lake, "trades").values()) == {
        "ingest_date=2026-03-29/venue=__HIVE_DEFAULT_PARTITION__"
    }
    assert "every offset is present exactly once" in run("verify", "--job", "trades")

    # By the setting, too; and the file's date can be left out by it.
    declare("venue")
    for number, (given, wanted) in enumerate({"ingest_date": "ingest_date=2026-03-29", "none": "."}.items()):
        other = tmp_path / f"other {number}"
        run("--job", "trades", TRADES_PARTITION_BY=given, DATA_LAKE_PATH=other)
        assert set(directories(Lake(other), "trades").values()) == {wanted}
        (path,) = Lake(other).files(Lake(other).table("trades"))
        assert "ingest_date" not in pyarrow.parquet.read_schema(path).names

    # A column of its own with this meaning is the same; with another one, it is in the way.
    declare("ingest_date", "id, to_date(kafka_timestamp) AS ingest_date")
    run("--job", "trades", DATA_LAKE_PATH=tmp_path / "selected")
    assert set(directories(Lake(tmp_path / "selected"), "trades").values()) == {"ingest_date=2026-03-29"}
    declare("ingest_date", "id, to_date(price) AS ingest_date".replace("price", "venue"))
    refused = run("check", str(file), exit_code=2)
    assert "'ingest_date' means CAST(kafka_timestamp AS DATE)" in refused and "another name (AS …)" in refused
    declare("venue", "id, venue, to_date(venue) AS ingest_date")
    assert "another name (AS …)" in run("--job", "trades", exit_code=2, TRADES_PARTITION_BY="ingest_date")
    declare("ingest_dat")
    assert "did you mean 'ingest_date'?" in run("check", str(file), exit_code=2)


# ---- values that readers take for something else ------------------------------------------------

GUESSED = {
    "numbers": [["1", "2"], ["01", "1.0"], ["1e5", "2"], ["1.5", "7"], ["99999999999999999999", "1"], ["+1", "2"],
                ["1d", "2f"], ["NaN", "Infinity"], ["0x10", "1"], ["1.", "2"], ["14.1", "__HIVE_DEFAULT_PARTITION__"]],
    "dates": [["2026-11-27", "2026-11-28"], ["2026-1-2", "2026-11-27"],
              ["2026-11-27 00%3A00%3A00", "2026-11-28 00%3A00%3A00"]],
    "truth values": [["true", "false"], ["True", "FALSE"]],
    None: [["live", "finished"], ["live", "2"], ["1_000", "2"], ["14.1.1", "14.2"], ["2026-11-27", "1"], ["e", "f"],
           ["v1", "v2"], ["Top", "__HIVE_DEFAULT_PARTITION__"], ["--", "-"]],
}  # fmt: skip


def is_text_everywhere(spark, table, values):
    """Whether Spark, DuckDB, Polars and pyarrow all read the column as the texts that it has."""
    wanted = sorted(value.replace("%3A", ":") for value in values if not value.startswith("__"))
    frame = spark.read.parquet(str(table))
    read = [[row[0] for row in frame.select("status").collect()]]
    with duckdb.connect() as connection:
        source = f"read_parquet('{table}/**/*.parquet', hive_partitioning = true)"
        read.append([row[0] for row in connection.sql(f"SELECT status FROM {source}").fetchall()])
    read.append(polars.read_parquet(f"{table}/**/*.parquet", hive_partitioning=True)["status"].to_list())
    read.append(pyarrow.dataset.dataset(str(table), partitioning="hive").to_table()["status"].to_pylist())
    texts = [[value for value in one if value is not None] for one in read]
    return all(all(isinstance(value, str) for value in one) and sorted(one) == wanted for one in texts)


def test_partition_values_that_some_reader_takes_for_another_type_are_told(program, spark, tmp_path):
    for kind, values in ((kind, values) for kind, all_values in GUESSED.items() for values in all_values):
        lake = tmp_path / " ".join([str(kind), *values]).replace("%", "_")
        table = Lake(lake).table("matches")
        for number, value in enumerate(values):
            directory = table / f"status={value}"
            directory.mkdir(parents=True)
            pyarrow.parquet.write_table(pyarrow.table({"x": [number]}), directory / "part-0.parquet")
        asked = program.run(
            "--explain", "--json", "--job", "matches", KAFKA_BOOTSTRAP_SERVERS="broker:9092", DATA_LAKE_PATH=lake
        )
        (query,) = json.loads(asked.log())["queries"]
        told = [re.search(r"look like ([a-z ]+), such as", text)[1] for text in query["partitionWarnings"]]
        assert told == ([kind] if kind else []), values
        assert is_text_everywhere(spark, table, values) == (kind is None), values
    doctor = program.start("doctor", "--job", "matches", KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1",
                           DATA_LAKE_PATH=tmp_path / "numbers 01 1.0", KAFKA_STARTUP_TIMEOUT="1 second")  # fmt: skip
    doctor.wait_exit(60)
    assert "partition column 'status' is STRING, but all of its values look like numbers" in doctor.log()
