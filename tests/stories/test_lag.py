"""How many records wait, and whether that is known: everything that shows it says the same."""

import json
import re

import pytest
from rig.broker import free_ports
from rig.receiver import Receiver
from rig.web import Web

WAITING = 50_000
HEALTHY, DEGRADED = "healthy", "degraded"


def samples(web, name):
    lines = web.get("/metrics").text.splitlines()
    return [float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(f"esports_stream_{name}{{")]


def wait_lag(process, web, records, timeout=60):
    def reached():
        query = web.query()
        return query if query["lag"]["records"] == records else None

    return process.wait_until(reached, timeout, f"a lag of {records}")


def status_of(job, exit_code=0):
    """What `status` prints, and what it prints with --json."""
    text, shown = (
        job.run("status", *form, "--job", "matches", exit_code=exit_code).log() for form in ([], ["--json"])
    )
    return text, json.loads(shown)["status"]


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver


@pytest.mark.timeout(180)
def test_the_lag_is_known_under_a_long_trigger_until_the_broker_is_killed_and_once_it_is_back(
    job, receiver, tmp_path
):
    topic = job.create_topic(partitions=2)
    job.broker.generate(topic, "matches", 100, 2)
    process = job.start(
        TRIGGER="24 hours",
        LAG_INTERVAL="1 second",
        ALERT_AFTER="2 seconds",
        STATUS_INTERVAL="1s",
        SPARK_UI_PORT=free_ports(1)[0],
    )
    web = Web(process)
    job.wait_committed(process, {0: 50, 1: 50})
    newest = wait_lag(process, web, 0)["newestBatch"]["newestRecordAt"]

    job.broker.generate(topic, "matches", WAITING, 2, start=100)
    query = wait_lag(process, web, WAITING)
    assert query["lag"]["unknownSince"] is None and query["lag"]["unknownBecause"] is None
    assert query["freshness"]["newestRecordAt"] == newest and query["freshness"]["ageSeconds"] >= 0
    assert sum(samples(web, "lag_records")) == WAITING
    assert 0 <= samples(web, "newest_record_age_seconds")[0] < 100
    text, status = status_of(job)
    assert f"lag         {WAITING} records, " in text and f"newest committed record at {newest}, " in text
    assert status["lag"]["records"] == WAITING
    process.wait_log(rf"Query match_stream status .* \| lag={WAITING}$")

    retrying = job.start(
        TRIGGER="1 second",
        LAG_INTERVAL="1 second",
        ALERT_AFTER="8 seconds",
        ALERT_WEBHOOK_URL=receiver.url,
        DATA_LAKE_PATH=tmp_path / "other",
    )
    retrying.wait_log("Batch 0 written")

    job.broker.kill()
    query = wait_lag(process, web, None)
    lag = query["lag"]
    assert lag["catchUpSeconds"] is None and lag["unknownSince"] is not None
    assert {(one["topicEnd"], one["position"], one["lag"]) for one in lag["partitions"]} == {(None, 50, None)}
    assert query["rates"] == {"inputRowsPerSecond": None, "processedRowsPerSecond": None}
    assert samples(web, "lag_records") == samples(web, "topic_end_offset") == []
    assert samples(web, "lag_age_seconds")[0] > 5 and samples(web, "committed_offset") == [50, 50]

    def said():
        return web.query()["health"]["state"] == DEGRADED and web.query()

    query = process.wait_until(said, 30, "the verdict")
    assert query["lag"]["unknownSince"] == lag["unknownSince"]
    assert "end offsets have been unknown for" in query["health"]["reason"]
    assert query["lag"]["unknownBecause"] in query["health"]["reason"] and "Kafka" in query["health"]["reason"]
    text, status = status_of(job, exit_code=13)
    assert f"lag         unknown since {lag['unknownSince']}: " in text and "0 records" not in text
    assert status["lag"]["records"] is None
    clock = re.search(r"T(\d\d:\d\d:\d\d)", lag["unknownSince"]).group(1)
    process.wait_log(rf"Query match_stream status .*message=Waiting for next trigger \| lag_unknown_since={clock}$")

    (notification,) = receiver.wait_events(["failing"])
    assert notification["lag"] is None and notification["lagUnknownSince"] is not None

    job.broker.start()
    query = wait_lag(process, web, WAITING)
    assert query["lag"]["unknownSince"] is None
    process.wait_until(lambda: web.query()["health"]["state"] == HEALTHY, 30, "health")
    _, notification = receiver.wait_events(["failing", "recovered"])
    assert notification["lag"] == 0 and notification["lagUnknownSince"] is None and "waiting records: 0" in notification["text"]
    process.stop()
    retrying.stop()
    assert job.lake.batches("matches") == [0]  # no trigger has fired meanwhile
