"""The shortest way through everything."""

MATCH = """{"match_id": "M1", "status": "finished", "match_duration": 1830}"""


def test_one_record_travels_from_the_broker_to_spark(broker, program, lake, topics, spark):
    topic = broker.create_topic(topics["KAFKA_TOPIC_MATCHES"])
    broker.produce(topic, [MATCH])

    program.run(
        "--job",
        "matches",
        "--trigger",
        "availableNow",
        KAFKA_BOOTSTRAP_SERVERS=broker.bootstrap,
        **topics,
        **lake.settings,
    )

    assert lake.batches("matches", "offsets") == [0]
    assert lake.batches("matches", "commits") == [0]
    (row,) = spark.read.parquet(str(lake.table("matches"))).collect()
    assert (row.match_id, row.status, row.duration_minutes) == ("M1", "finished", 30)
    assert (row.is_completed, row.partition, row.offset) == (True, 0, 0)
