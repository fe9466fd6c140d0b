"""TLS, passwords and ACLs, with a real broker that wants them; the settings are those of
docs/operations.md."""

import json
import pathlib

import confluent_kafka
import pytest
from confluent_kafka.admin import ResourceType
from rig.broker import must_be_delivered
from rig.job import Job
from rig.secure_broker import PASSWORD, USER, SecureBroker

SCRAM = "SCRAM-SHA-512"
# The librdkafka that the tests' Python client brings: Debian 12's can't log in at Kafka 4 by SCRAM.
NEWER = pathlib.Path(confluent_kafka.__file__).parents[1] / "confluent_kafka.libs"


@pytest.fixture(scope="module")
def secure_broker(tmp_path_factory):
    with SecureBroker(tmp_path_factory.mktemp("secure-kafka") / "broker") as broker:
        yield broker


@pytest.fixture
def secure_job(program, lake, secure_broker):
    job = Job(program, lake, secure_broker)
    job.create_topic(partitions=2)
    job.produce(['{"match_id": "M1"}', "no JSON"])
    job.produce(['{"match_id": "M2"}'], partition=1)
    return job


@pytest.fixture
def newer_librdkafka(tmp_path):
    (library,) = NEWER.glob("librdkafka*.so.1")
    (tmp_path / "librdkafka.so.1").symlink_to(library)
    return {"LD_LIBRARY_PATH": f"{tmp_path}:{NEWER}"}


def with_password(broker, mechanism="PLAIN", password=PASSWORD, authority=None):
    return {
        "KAFKA_BOOTSTRAP_SERVERS": broker.sasl,
        "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "KAFKA_SSL_CA_LOCATION": authority or broker.authority,
        "KAFKA_SASL_MECHANISM": mechanism,
        "KAFKA_SASL_USERNAME": USER,
        "KAFKA_SASL_PASSWORD": password,
    }


def with_certificate(broker):
    return {
        "KAFKA_BOOTSTRAP_SERVERS": broker.tls,
        "KAFKA_SECURITY_PROTOCOL": "SSL",
        "KAFKA_SSL_CA_PEM": broker.authority.read_text(),
        "KAFKA_SSL_CERTIFICATE_LOCATION": broker.client_certificate,
        "KAFKA_SSL_KEY_LOCATION": broker.client_key,
    }


@pytest.mark.parametrize("settings_of", [with_password, with_certificate])
def test_describe_and_read_on_the_topic_are_all_it_needs(secure_job, secure_broker, settings_of):
    secure_broker.grant(secure_job.topics["matches"], "DESCRIBE", "READ")

    process = secure_job.run(**settings_of(secure_broker))

    secure_job.assert_exact()
    assert PASSWORD not in process.log()


def test_scram_works_with_a_newer_librdkafka_and_without_it_the_reason_is_told(
    secure_job, secure_broker, newer_librdkafka
):
    secure_broker.grant(secure_job.topics["matches"], "READ")
    settings = with_password(secure_broker, SCRAM)

    line = refused(secure_job, **settings)
    assert "librdkafka before 2.6.1 cannot use SCRAM with Kafka 4" in line

    secure_job.run(**settings, **newer_librdkafka)
    secure_job.assert_exact()


def test_the_settings_are_taken_from_a_file_and_never_shown(secure_job, secure_broker, tmp_path):
    secure_broker.grant(secure_job.topics["matches"], "READ")  # DESCRIBE is in it
    file = tmp_path / "esports-stream.env"
    settings = with_password(secure_broker)
    file.write_text("".join(f"{name}='{value}'\n" for name, value in settings.items()))
    file.chmod(0o600)

    secure_job.run("--env-file", str(file), KAFKA_BOOTSTRAP_SERVERS=None)

    secure_job.assert_exact()
    explained = secure_job.run(
        "--explain", "--env-file", str(file), KAFKA_BOOTSTRAP_SERVERS=None
    ).log()
    assert "sasl.username" in explained and USER in explained
    assert "p4ss" not in explained


def refused(job, **settings):
    """What is logged of a start that waits for Kafka for a second and then gives up."""
    process = job.run(KAFKA_STARTUP_TIMEOUT="1s", exit_code=4, **settings)
    (line,) = process.lines("CRITICAL.*match_stream|match_stream.*CRITICAL")
    assert not job.lake.files(job.lake.root)
    return line


def test_a_wrong_password_is_told(secure_job, secure_broker):
    line = refused(secure_job, **with_password(secure_broker, password="wrong"))

    assert "Authentication failed" in line and "wrong" not in line


def test_an_authority_that_is_not_trusted_is_told(secure_job, secure_broker):
    line = refused(secure_job, **with_password(secure_broker, authority=secure_broker.other_authority))

    assert "certificate verify failed" in line


def test_a_name_that_the_certificate_does_not_have_is_told(secure_job, secure_broker):
    settings = with_password(secure_broker)
    settings["KAFKA_BOOTSTRAP_SERVERS"] = settings["KAFKA_BOOTSTRAP_SERVERS"].replace("127.0.0.1", "localhost")

    line = refused(secure_job, **settings)

    assert "certificate verify failed" in line


def test_a_listener_of_another_kind_is_told(secure_job, secure_broker):
    line = refused(secure_job, KAFKA_BOOTSTRAP_SERVERS=secure_broker.sasl)

    assert "check that KAFKA_SECURITY_PROTOCOL matches the listener" in line


def test_a_missing_certificate_is_told(secure_job, secure_broker):
    settings = with_certificate(secure_broker)
    del settings["KAFKA_SSL_CERTIFICATE_LOCATION"], settings["KAFKA_SSL_KEY_LOCATION"]

    assert "the broker requires a client certificate: set KAFKA_SSL_CERT" in refused(secure_job, **settings)


def test_a_topic_without_any_acl_is_told(secure_job, secure_broker):
    line = refused(secure_job, **with_password(secure_broker))

    assert "access denied. Grant the user DESCRIBE and READ on the topic" in line


def test_a_topic_that_may_be_described_but_not_read_is_waited_for(secure_job, secure_broker):
    topic = secure_job.topics["matches"]
    secure_broker.grant(topic, "DESCRIBE")
    process = secure_job.start(TRIGGER="availableNow", **with_password(secure_broker))
    process.wait_log(f"{topic}.*Topic authorization failed; grant the user DESCRIBE and READ.*; retrying the batch")

    secure_broker.grant(topic, "READ")

    process.wait_exit(30, 0)
    secure_job.assert_exact()


def test_a_group_without_an_acl_is_a_warning_and_read_on_it_is_all_it_needs(secure_job, secure_broker):
    topic, group = secure_job.topics["matches"], f"{secure_job.topics['matches']}-group"
    secure_broker.grant(topic, "DESCRIBE", "READ")
    settings = with_password(secure_broker) | {"KAFKA_COMMIT_GROUP": group}

    process = secure_job.run(**settings)
    (line,) = process.lines(r"\| WARNING \| .*group=")
    assert f"'{group}': access denied. Grant the user READ on the group" in line
    secure_job.assert_exact()

    secure_broker.grant(group, "READ", kind=ResourceType.GROUP)
    secure_job.run(**settings)
    assert secure_broker.group_offsets(group, topic) == {0: 2, 1: 1}


def copy_records(job, broker):
    """What was read, in another cluster at the same offsets with the same timestamps."""
    lake = job.lake
    rows = [row for of in (lake.table, lake.rejects) for row in lake.rows(of("matches"))]
    producer = broker.producer()
    for row in sorted(rows, key=lambda row: row["offset"]):
        producer.produce(
            job.topics["matches"],
            '{"match_id": "copy"}',
            partition=row["partition"],
            timestamp=round(row["kafka_timestamp"].timestamp() * 1000),
            on_delivery=must_be_delivered,
        )
    assert producer.flush(60) == 0


def test_a_checkpoint_goes_on_with_the_kafka_cluster_of_its_offsets_alone(
    secure_job, secure_broker, broker
):
    secure_job.run()
    topic, batches = secure_job.topics["matches"], secure_job.lake.batches("matches")
    note = secure_job.lake.checkpoint("matches") / "kafka"
    broker.create_topic(topic, 2)
    copy_records(secure_job, broker)
    broker.produce(topic, ['{"match_id": "M3"}'])
    here, there = (one.admin.list_topics(timeout=30).cluster_id for one in (secure_broker, broker))
    elsewhere = {"KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap}

    def command(*words, exit_code=0, **settings):
        settings = {**secure_job.settings, **settings}
        process = secure_job.program.run(
            *words, "--job", "matches", exit_code=exit_code, **settings
        )
        return process.log() + process.errors()

    refusals = [
        secure_job.run(exit_code=5, **elsewhere).log(),
        command("doctor", exit_code=5, **elsewhere),
        command("verify", exit_code=5, **elsewhere),
    ]
    for said in refusals:
        assert f"belong to Kafka cluster {here}, but KAFKA_BOOTSTRAP_SERVERS leads to cluster {there}" in said
        assert "MirrorMaker" in said and f"adopt --cluster {there}" in said
    assert secure_job.lake.batches("matches") == batches
    assert json.loads(command("checkpoint", "show", "--json"))["kafkaClusterId"] == here
    assert f"cluster {here}, the same as in the checkpoint" in command("doctor")

    note.unlink()  # as an older version leaves it
    secure_job.run()
    noted = note.read_text()
    assert here in noted

    said = command("adopt", "--cluster", there, "--dry-run")
    assert f"would belong to Kafka cluster {there} (until now: {here})" in said
    assert "partition 0 from 2, partition 1 from 1" in said
    assert note.read_text() == noted
    assert "would belong" not in command("adopt", "--cluster", there)
    assert "nothing to do" in command("adopt", "--cluster", there)
    broker.produce(topic, ['{"match_id": "M4"}'], partition=1)
    secure_job.run(**elsewhere)
    secure_job.lake.assert_holds("matches", broker.end_offsets(topic))
    secure_job.run(exit_code=5)
    assert "has a sink log" in command("adopt", "--dry-run")  # the log's, without --cluster
