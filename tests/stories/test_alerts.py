"""ALERT_WEBHOOK_URL: one notification when a query gets into trouble, one when it recovers."""

import json
import re
import time

import pytest
from rig.broker import free_ports
from rig.receiver import HANG, Receiver
from rig.secure_broker import Certificates

GOOD = '{"match_id": "M1"}'


@pytest.mark.sanitized
def test_a_receiver_that_fails_and_hangs_delays_no_batch_and_gets_every_notification(job, full):
    with Receiver([503, HANG]) as receiver:
        process = job.start(TRIGGER="1 second", ALERT_WEBHOOK_URL=receiver.url, ALERT_AFTER="2 seconds")
        process.wait_until(lambda: len(receiver.requests) == 2, 60, "an attempt that hangs")

        full.unlink()
        job.wait_committed(process, job.broker.end_offsets(job.topics["matches"]), timeout=60)
        assert receiver.notifications == []  # none was accepted in the meantime

        failing, recovered = receiver.wait_events(["failing", "recovered"])
        process.stop()

    assert (failing["severity"], recovered["severity"]) == ("critical", "info")
    assert "No space left on device" in failing["error"] and failing["error"] in failing["text"]
    assert recovered["recoveredFrom"] == "failing" and recovered["error"] is None
    assert failing["lag"] > 0 and failing["lagUnknownSince"] is None  # Kafka answers throughout
    assert recovered["since"] == failing["since"] and recovered["lastedSeconds"] >= 2
    assert re.search(r"has recovered after \d+ s \(it was failing\)", recovered["text"])
    retry = r"\| ERROR \| .*No space left on device.*; retrying"
    times = r" \| since=[-\d]+ [:\d]+ \| attempt=\d+ \| retry_in_ms=\d+ \| until=[-\d]+ [:\d]+ \(WRITE_RETRY_TIMEOUT\)$"
    assert len(process.lines(retry)) == len(process.lines(retry + times)) > 2
    (healed,) = process.lines(r"INFO \| Query match_stream has recovered \| from=retrying_without_success")
    assert re.search(r"lasted=\d+ s \| reason=.*No space left on device", healed)
    for notification in (failing, recovered):
        assert notification["query"] == "match_stream" and notification["topic"] == job.topics["matches"]
        assert notification["table"] == str(job.lake.table("matches"))
    statuses = [status for status, *_ in receiver.requests]
    assert statuses == [503, HANG, 200, 200]
    assert all(notification == failing for _, _, _, notification in receiver.requests[:3])
    assert {headers["Content-Type"] for _, _, headers, _ in receiver.requests} == {"application/json"}
    assert process.lines(r"webhook \| INFO \| Alert delivered \| alert=match_stream failing \|.*attempts=3")
    assert receiver.token not in process.log()
    job.assert_exact()


def test_a_failure_is_notified_once_and_the_start_that_recovers_notifies_its_end(job):
    job.create_topic()
    job.produce([GOOD, "nonsense"])
    with Receiver() as receiver:
        job.settings["ALERT_WEBHOOK_URL"] = receiver.url
        for _ in range(2):  # as a supervisor does
            process = job.run(PARSE_MODE="failfast", exit_code=8)
            (logged,) = process.lines("offset 1 cannot become a row")  # logged once, not by main again
            assert "| match_stream | CRITICAL | Query failed: " in logged
            assert process.lines(r"main \| INFO \| Stopped because a query has failed \| exit_code=8")
        (failed,) = receiver.notifications
        assert (failed["event"], failed["severity"]) == ("failed", "critical")
        assert "offset 1" in failed["error"] and "match_stream" in failed["text"]

        process = job.start(TRIGGER="1 second", PARSE_MODE="reject")
        _, recovered = receiver.wait_events(["failed", "recovered"])
        process.stop()
        assert (recovered["recoveredFrom"], recovered["batchId"]) == ("failed", 0)
        assert recovered["since"] == failed["since"]  # stored with the checkpoint
        assert recovered["lastedSeconds"] >= 0 and " has recovered after " in recovered["text"]

        job.run()  # nothing is left to notify
        assert receiver.events() == ["failed", "recovered"]
    job.assert_exact()


def test_a_query_with_more_input_than_it_can_process_is_behind_until_it_has_caught_up(job):
    topic = job.create_topic()
    limits = {"TRIGGER": "200 milliseconds", "MAX_OFFSETS_PER_TRIGGER": 20, "ALERT_AFTER": "2 seconds"}
    job.produce([GOOD] * 600)  # catching up with this is not a problem
    with Receiver() as receiver:
        process = job.start(ALERT_WEBHOOK_URL=receiver.url, **limits)
        job.wait_committed(process, {0: 600}, timeout=60)
        assert receiver.notifications == []

        while receiver.notifications == []:
            job.produce([GOOD] * 100)
            time.sleep(0.2)
        end = job.broker.end_offsets(topic)
        job.wait_committed(process, end, timeout=90)
        behind, recovered = receiver.wait_events(["falling_behind", "recovered"])
        process.stop()
    assert behind["severity"] == "warning" and behind["lag"] > 0 and behind["error"] is None
    assert str(behind["lag"]) in behind["text"] and topic in behind["text"]
    assert recovered["recoveredFrom"] == "falling_behind"
    (said,) = process.lines(r"WARNING \| Query match_stream is degraded \| reason=.* action=")
    assert behind["text"].split(": ", 1)[1][-40:] in said  # the log and the webhook give the same verdict
    assert process.lines(r"INFO \| Query match_stream has recovered \| from=falling_behind \| lasted=")


def test_a_query_is_notified_as_rejecting_until_few_records_are_rejected(job):
    job.create_topic()
    (port,) = free_ports(1)
    status = ("status", "--job", "matches", "--json")

    def health(exit_code):
        found = json.loads(job.program.run(*status, exit_code=exit_code, **job.settings).log())
        return found["status"]["health"], found["ready"]

    with Receiver() as receiver:
        settings = {"ALERT_WEBHOOK_URL": receiver.url, "SPARK_UI_PORT": port, "TRIGGER": "200 milliseconds"}
        job.produce([GOOD] * 190 + ["bad"] * 10)  # not more than 5 %
        process = job.start(**settings)
        job.wait_committed(process, {0: 200})
        process.stop()
        assert receiver.notifications == []

        job.produce([GOOD] * 180 + ['{"matchId": "M1"}'] * 20)
        process = job.start(**settings)
        (rejecting,) = receiver.wait_events(["rejecting"])
        said, ready = health(exit_code=13)
        process.stop()
        process = job.start(**settings)  # it knows which notifications were sent
        job.produce([GOOD] * 100)
        _, recovered = receiver.wait_events(["rejecting", "recovered"])
        assert health(exit_code=0)[0]["state"] == "healthy"
        process.stop()
        # The threshold is configurable.
        job.produce(["bad"] * 20 + [GOOD] * 20)
        process = job.start(**settings, ALERT_REJECTS_PERCENT=50)
        job.wait_committed(process, job.broker.end_offsets(job.topics["matches"]))
        assert health(exit_code=0)[0]["state"] == "healthy"
        process.stop()
    assert receiver.events() == ["rejecting", "recovered"]
    assert (rejecting["severity"], recovered["recoveredFrom"]) == ("warning", "rejecting")
    assert recovered["since"] == rejecting["since"]  # stored with the checkpoint
    assert recovered["lastedSeconds"] >= 0
    reason = "rejected 20 of the 200 records of the last 5 minutes"
    assert rejecting["text"] == f"match_stream is rejecting records: {reason}"
    assert ready and (said["state"], said["severity"], said["reason"]) == ("degraded", "warning", reason)
    assert "rejects ls" in said["action"]


def test_certificates_are_verified(job, tmp_path):
    job.create_topic()
    job.produce(["nonsense"])
    certificates = Certificates(tmp_path, "ca")
    certificate = certificates.sign("receiver", "receiver", "subjectAltName=IP:127.0.0.1")
    with Receiver(certificate=certificate) as receiver:
        settings = {"PARSE_MODE": "failfast", "ALERT_WEBHOOK_URL": receiver.url, "exit_code": 8}
        process = job.run(**settings)
        assert process.lines(r"webhook \| ERROR \| Alert dropped: delivery failed .*certificate")
        assert receiver.requests == []

        process = job.run(**settings, SSL_CERT_FILE=certificates.authority)
        assert receiver.events() == ["failed"]
    assert process.lines("Alert delivered")


def test_a_receiver_that_hangs_does_not_keep_the_program_from_ending(job):
    job.create_topic()
    job.produce(["nonsense"])
    with Receiver([HANG]) as receiver:
        job.run(PARSE_MODE="failfast", exit_code=8, ALERT_WEBHOOK_URL=receiver.url, timeout=30)
        assert len(receiver.requests) == 1


@pytest.mark.parametrize("url", ["hooks.example.com/T0K3N", "ftp://hooks.example.com/T0K3N"])
def test_a_url_that_cannot_receive_posts_is_refused_and_not_shown(job, url):
    process = job.run(exit_code=2, ALERT_WEBHOOK_URL=url)

    assert "ALERT_WEBHOOK_URL" in process.errors() and "https://" in process.errors()
    assert "T0K3N" not in process.errors()


def test_the_url_is_a_secret_and_not_an_option(job):
    explained = job.run("--explain", ALERT_WEBHOOK_URL="https://hooks.example.com/T0K3N").log()
    assert "ALERT_WEBHOOK_URL" in explained and "T0K3N" not in explained

    process = job.run("--alert-webhook-url", "https://hooks.example.com/T0K3N", exit_code=2)
    assert "T0K3N" not in process.errors()
