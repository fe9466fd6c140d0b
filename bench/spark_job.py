#!/usr/bin/env python3
"""The same job in Spark, 3.5 or 4: Kafka JSON to partitioned Parquet tables with Structured
Streaming's file sink, or by foreachBatch, which keeps no sink log. The bench compares it with
our program; the stories hand checkpoints to it and take them back."""

import argparse
import os
import time

from pyspark.sql import functions as f

MATCH_FIELDS = """
    match_id string, game_id string, platform_game_id string, tournament_id string,
    tournament_name string, game_version string, patch string, team_1_id string,
    team_1_name string, team_2_id string, team_2_name string, winner_id string,
    winner_name string, match_duration int, team_1_kills int, team_2_kills int, team_1_gold int,
    team_2_gold int, team_1_towers int, team_2_towers int, status string, started_at timestamp,
    finished_at timestamp, match_type string, game_number int, data_source string,
    ingestion_timestamp bigint"""

PLAYER_FIELDS = """
    player_id string, summoner_name string, game_name string, tag_line string,
    first_name string, last_name string, nickname string, nationality string,
    current_team_id string, current_team_name string, role string, active boolean,
    professional boolean, total_games int, total_wins int, total_losses int, win_rate double,
    avg_kills double, avg_deaths double, avg_assists double, kda_ratio double,
    avg_cs_per_min double, avg_gold_per_min double, last_match_date timestamp,
    recent_form string, data_source string, profile_updated_at timestamp,
    ingestion_timestamp bigint"""

MATCH_DERIVED = {
    "duration_minutes": "CAST(match_duration / 60 AS INT)",
    "is_completed": "status = 'finished'",
}

PLAYER_DERIVED = {
    "calculated_win_rate": "CASE WHEN total_games > 0 AND win_rate IS NULL"
    " THEN round(total_wins / total_games * 100, 2) ELSE win_rate END",
    "calculated_kda": "CASE WHEN kda_ratio IS NULL AND avg_deaths > 0"
    " THEN round((avg_kills + avg_assists) / avg_deaths, 2)"
    " WHEN kda_ratio IS NULL AND avg_deaths = 0 THEN 99.99D ELSE kda_ratio END",
    "status": "CASE WHEN active = true THEN 'active' WHEN active = false THEN 'inactive'"
    " ELSE 'unknown' END",
    "full_name": "CONCAT_WS(' ', first_name, last_name)",
    "has_activity": "total_games > 0",
}

JOBS = {
    "matches": ("match_stream", MATCH_FIELDS, MATCH_DERIVED, ["status"]),
    "players": ("player_stream", PLAYER_FIELDS, PLAYER_DERIVED, ["status", "role"]),
}


def rows(records, job):
    """The table's rows of a data frame of Kafka records, batch or streaming."""
    _, fields, derived, _ = JOBS[job]
    parsed = records.select(
        f.from_json(f.col("value").cast("string"), fields, {"mode": "PERMISSIVE"}).alias("data"),
        f.col("timestamp").alias("kafka_timestamp"),
        "partition",
        "offset",
    )
    table = parsed.filter("data IS NOT NULL").select(
        "data.*",
        "kafka_timestamp",
        "partition",
        "offset",
        f.current_timestamp().alias("processing_timestamp"),
    )
    for name, expression in derived.items():
        table = table.withColumn(name, f.expr(expression))
    return table


def start(
    spark,
    job,
    brokers,
    topic,
    lake,
    trigger="availableNow",
    max_offsets=0,
    sink="file",
    linger=0,
    source=(),
    query_name=None,
    partition_by=None,
):
    """Starts the query on a lake laid out as our program's. `linger`: seconds between the files of a
    foreachBatch batch and its commit, for callers that end it there. `source`: further options
    of the source. `query_name`: where one session runs the job more than once at a time.
    `partition_by`: other columns than usual."""
    name, _, _, usual = JOBS[job]
    partition_by = usual if partition_by is None else partition_by
    table = os.path.join(lake, "processed", job)
    reader = spark.readStream.format("kafka").options(
        **{
            "kafka.bootstrap.servers": brokers,
            "subscribe": topic,
            "startingOffsets": "earliest",
            "failOnDataLoss": "false",
            **dict(source),
        }
    )
    if max_offsets:
        reader = reader.option("maxOffsetsPerTrigger", max_offsets)
    table_rows = rows(reader.load(), job)
    if "ingest_date" in partition_by:  # the column that our program adds: docs/spark-compatibility.md
        table_rows = table_rows.withColumn("ingest_date", f.to_date("kafka_timestamp"))
    writer = table_rows.writeStream.queryName(query_name or name)
    writer = writer.option("checkpointLocation", os.path.join(lake, "checkpoints", name))
    if sink == "foreachBatch":

        def append(batch, _):
            batch.write.mode("append").partitionBy(*partition_by).parquet(table)
            time.sleep(linger)

        writer = writer.foreachBatch(append)
    else:
        writer = writer.format("parquet").option("path", table).partitionBy(*partition_by)
    if trigger == "availableNow":
        return writer.trigger(availableNow=True).start()
    return writer.trigger(processingTime=trigger).start()


def open_session(jars, memory="2g"):
    """A Spark that has the whole machine; `jars`: paths, separated by commas."""
    from pyspark.sql import SparkSession

    spark = (
        SparkSession.builder.appName("bench")
        .master("local[*]")
        .config("spark.jars", jars)
        .config("spark.driver.memory", memory)
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", "10")
        .config("spark.serializer", "org.apache.spark.serializer.KryoSerializer")
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("WARN")
    return spark


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--brokers", required=True)
    parser.add_argument("--job", choices=[*JOBS, "all"], default="all")
    parser.add_argument("--topic-matches", default="esports-matches")
    parser.add_argument("--topic-players", default="esports-players")
    parser.add_argument("--lake", required=True)
    parser.add_argument("--sink", choices=["file", "foreachBatch"], default="file")
    parser.add_argument("--trigger", default="availableNow", help="or an interval: '1 second'")
    parser.add_argument("--max-offsets", type=int, default=0, help="of a batch; 0: no limit")
    parser.add_argument("--jars", required=True)
    parser.add_argument("--memory", default="2g")
    options = parser.parse_args()

    spark = open_session(options.jars, options.memory)
    topics = {"matches": options.topic_matches, "players": options.topic_players}
    how = {"trigger": options.trigger, "max_offsets": options.max_offsets, "sink": options.sink}
    queries = [
        start(spark, job, options.brokers, topics[job], options.lake, **how)
        for job in (JOBS if options.job == "all" else [options.job])
    ]
    for query in queries:
        query.awaitTermination()
    spark.stop()


if __name__ == "__main__":
    main()
