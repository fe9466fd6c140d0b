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
from rig.lake import Lake

import spark_job

DAY_MS = 86_400_000
INT64_MAX = (1 << 63) - 1
FIRST, END = -719161 * DAY_MS, 2932896 * DAY_MS  # of the moments whose date can be a directory

# Daylight saving time that begins at midnight, a day that did not exist, offsets of half an hour
# and of seconds (before 1972, Liberia's), and both ends of the map.
ZONES = [
    "America/Sao_Paulo",
    "Pacific/Apia",
    "America/St_Johns",
    "Africa/Monrovia",
    "Pacific/Kiritimati",
    "-11:30",
]


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
