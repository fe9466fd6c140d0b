"""TLS, passwords and ACLs, with a real broker that requires them. The settings are those of
docs/operations.md."""

import copy
import ctypes
import json
import pathlib
import re

import pytest
import yaml
from confluent_kafka.admin import ResourceType
from rig.broker import free_ports, must_be_delivered
from rig.debian13 import Debian13
from rig.job import Job
from rig.paths import ROOT
from rig.secure_broker import PASSWORD, USER, SecureBroker
from rig.supervisor import Supervisor
from rig.token_server import AUDIENCE
from rig.web import Web

DEPLOY = ROOT / "deploy"
# On Debian 12 it is 2.0.2.
HOST_LIBRDKAFKA = ctypes.CDLL("librdkafka.so.1").rd_kafka_version()
LOGS_IN_BY_SCRAM = 0x020601FF


@pytest.fixture(scope="module")
def secure_broker(tmp_path_factory):
    with SecureBroker(tmp_path_factory.mktemp("secure-kafka") / "broker") as broker:
        yield broker


def with_records(job):
    job.create_topic(partitions=2)
    job.produce(['{"match_id": "M1"}', "no JSON"])
    job.produce(['{"match_id": "M2"}'], partition=1)
    return job


@pytest.fixture
def secure_job(program, lake, secure_broker):
    return with_records(Job(program, lake, secure_broker))


@pytest.fixture
def job_on_13(program, lake, secure_broker, tmp_path):
    """On Debian 13, with the token server's authority trusted."""
    on_13 = Debian13(program.binary, tmp_path / "runs-on-13", secure_broker.authority)
    yield with_records(Job(on_13, lake, secure_broker))
    on_13.end_all()


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


def test_confined_it_reaches_names_certificates_time_zones_and_the_service_manager(secure_job, secure_broker, tmp_path):
    secure_broker.grant(secure_job.topics["matches"], "READ")
    by_name = {
        "KAFKA_BOOTSTRAP_SERVERS": secure_broker.tls.replace("127.0.0.1", "localhost"),
        "KAFKA_CONF_SSL_ENDPOINT_IDENTIFICATION_ALGORITHM": "none",  # the certificate has only the address
        "KAFKA_SSL_CA_LOCATION": secure_broker.authority,
        "KAFKA_SSL_CA_PEM": None,
        "SPARK_SQL_SESSION_TIMEZONE": "Pacific/Chatham",
        "TRIGGER": "1 second",
    }
    with Supervisor(tmp_path) as supervisor:
        process = secure_job.start(**{**with_certificate(secure_broker), **by_name, **supervisor.settings})
        supervisor.wait(process, "READY=1")
        secure_job.wait_committed(process, {0: 2, 1: 1})
        process.stop()

    assert process.lines(r"confinement=files: Landlock \d+; system calls: seccomp")
    assert not process.lines("Time zones are missing")
    secure_job.assert_exact()


def with_scram_256(broker):
    return with_password(broker, "SCRAM-SHA-256")


def with_scram_512(broker):
    return with_password(broker, "SCRAM-SHA-512")


def with_tokens(broker, secret=PASSWORD):
    return {
        "KAFKA_BOOTSTRAP_SERVERS": broker.oauth,
        "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "KAFKA_SSL_CA_LOCATION": broker.authority,
        "KAFKA_SASL_MECHANISM": "OAUTHBEARER",
        "KAFKA_SASL_OAUTHBEARER_METHOD": "oidc",
        "KAFKA_SASL_OAUTHBEARER_CLIENT_ID": USER,
        "KAFKA_SASL_OAUTHBEARER_CLIENT_SECRET": secret,
        "KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL": broker.tokens.token_url,
    }


@pytest.mark.parametrize("settings_of", [with_password, with_certificate])
def test_describe_and_read_on_the_topic_are_sufficient(secure_job, secure_broker, settings_of):
    secure_broker.grant(secure_job.topics["matches"], "DESCRIBE", "READ")

    process = secure_job.run(**settings_of(secure_broker))

    secure_job.assert_exact()
    assert PASSWORD not in process.log()


@pytest.mark.parametrize("settings_of", [with_scram_256, with_scram_512, with_certificate, with_tokens])
def test_on_debian_13_every_login_method_works_with_a_current_kafka(job_on_13, secure_broker, settings_of):
    secure_broker.grant(job_on_13.topics["matches"], "READ")

    process = job_on_13.run(**settings_of(secure_broker))

    job_on_13.assert_exact()
    assert PASSWORD not in process.log()


def of_the_secret():
    """The Kafka settings in deploy/kubernetes/secret.example.yaml."""
    data = yaml.safe_load((DEPLOY / "kubernetes/secret.example.yaml").read_text())["stringData"]
    return {name: value for name, value in data.items() if name.startswith("KAFKA_")}


def of_the_env_file():
    """What the service's settings file suggests for brokers with TLS and a password."""
    text = (DEPLOY / "systemd/esports-stream.env").read_text()
    return dict(re.findall(r"^#(KAFKA_(?:SECURITY|SSL|SASL)_\w+)=(.*)$", text, re.M))


@pytest.mark.parametrize("example", [of_the_secret, of_the_env_file])
def test_on_debian_13_the_examples_log_in_once_they_are_filled_in(job_on_13, secure_broker, example):
    secure_broker.grant(job_on_13.topics["matches"], "READ")
    filled = {
        "KAFKA_SASL_PASSWORD": PASSWORD,
        "KAFKA_SSL_CA_PEM": secure_broker.authority.read_text(),
        "KAFKA_SSL_CA_LOCATION": secure_broker.authority,
    }
    settings = {name: filled.get(name, value) for name, value in example().items()}
    assert settings["KAFKA_SASL_MECHANISM"] == "SCRAM-SHA-512" and "KAFKA_SASL_USERNAME" in settings

    job_on_13.run(KAFKA_BOOTSTRAP_SERVERS=secure_broker.sasl, **settings)

    job_on_13.assert_exact()


def test_scram_works_with_kafka_4_or_the_reason_why_not_is_reported(secure_job, secure_broker):
    secure_broker.grant(secure_job.topics["matches"], "READ")
    settings = with_scram_512(secure_broker)
    reason = "librdkafka before 2.6.1 cannot log in to Kafka 4 with SCRAM"
    explained = secure_job.run("--explain", **settings).log()

    if HOST_LIBRDKAFKA >= LOGS_IN_BY_SCRAM:
        secure_job.run(**settings)
        secure_job.assert_exact()
        assert reason not in explained
    else:
        assert reason in refused(secure_job, **settings)
        assert f"Warning: {reason}" in explained


def test_tokens_work_or_are_refused_before_any_request(secure_job, secure_broker):
    settings = {**secure_job.settings, **with_tokens(secure_broker)}
    reason = "KAFKA_SASL_OAUTHBEARER_METHOD, environment: librdkafka 2.0.2 was built without OIDC"
    old = HOST_LIBRDKAFKA < LOGS_IN_BY_SCRAM

    for command in ("--explain", "doctor", "--await-termination"):
        process = secure_job.program.start(command, "--job", "matches", **{**settings, "TRIGGER": "1 second"})
        if old:
            process.wait_exit(30, 2)
            assert reason in process.errors()
        elif command == "--explain":
            process.wait_exit(30, 0)
            assert "built without" not in process.log()


def test_a_wrong_secret_is_reported(job_on_13, secure_broker):
    line = refused(job_on_13, **with_tokens(secure_broker, secret="wrong"))

    assert "unknown client or wrong secret" in line and "check KAFKA_SASL_OAUTHBEARER_CLIENT_ID" in line


def test_an_untrusted_authorization_server_is_reported(job_on_13, secure_broker, tmp_path):
    trusting = Debian13(job_on_13.program.binary, tmp_path / "other", secure_broker.other_authority)
    job_on_13.program = trusting

    line = refused(job_on_13, **with_tokens(secure_broker))

    assert "SSL certificate problem" in line and "add the authority of the token server" in line


def test_a_token_that_the_broker_refuses_is_reported(job_on_13, secure_broker):
    secure_broker.tokens.audience = "another"

    line = refused(job_on_13, **with_tokens(secure_broker))

    secure_broker.tokens.audience = AUDIENCE
    assert "the broker refuses the token" in line


def test_tokens_are_renewed_during_a_run(job_on_13, secure_broker):
    topic, tokens = job_on_13.topics["matches"], secure_broker.tokens
    secure_broker.grant(topic, "READ")
    tokens.answers.clear()
    tokens.lifetime = 3
    process = job_on_13.start(TRIGGER="0 seconds", **with_tokens(secure_broker))
    job_on_13.wait_committed(process, {0: 2, 1: 1})
    first = len(tokens.answers)

    # Each client has received new tokens since. The broker has closed the connections that used the
    # first ones: no connection may outlive its token.
    process.wait_until(lambda: len(tokens.answers) >= 3 * first, 60, "new tokens")
    job_on_13.produce(['{"match_id": "M3"}'])
    job_on_13.wait_committed(process, {0: 3, 1: 1})

    tokens.lifetime = 3600
    process.stop()
    job_on_13.assert_exact()
    assert {status for status, _ in tokens.answers} == {200}


def test_the_settings_are_read_from_a_file_and_never_shown(secure_job, secure_broker, tmp_path):
    secure_broker.grant(secure_job.topics["matches"], "READ")  # READ implies DESCRIBE
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


MARK = "S3CRET-MARK"
SECRETS = {
    "KAFKA_SASL_PASSWORD": f"{MARK}-1",
    "KAFKA_SSL_KEY_PASSWORD": f"{MARK}-2",
    "KAFKA_SSL_KEYSTORE_PASSWORD": f"{MARK}-3",
    "UI_TOKEN": f"{MARK}-5-0123456789",
    "ALERT_WEBHOOK_URL": f"http://127.0.0.1:1/hooks/{MARK}-6",
    "SPARK_CONF_spark_some_password": f"{MARK}-7",
}
PAGES = ("/", "/healthz", "/readyz", "/metrics", "/api/v1/queries", "/api/v1/settings", "/api/v1/queries/match_stream",
         "/api/v1/queries/match_stream/progress", "/api/v1/queries/match_stream/history", "/nothing")


def with_secrets(broker):
    return {**with_password(broker), **SECRETS, "LOG_LEVEL": "DEBUG", "ALERT_AFTER": "1 second"}


def test_no_secret_leaves_the_program_when_everything_fails(secure_job, secure_broker):
    """A wrong password, a webhook that nobody answers, and a look at everything that people see."""
    settings = with_secrets(secure_broker)
    process = secure_job.start(**{**settings, "SPARK_UI_PORT": free_ports(1)[0], "KAFKA_CONF_DEBUG": "all"})
    web = Web(process)
    process.wait_log("Authentication failed")
    pages = [web.get(path) for path in PAGES]
    pages += [web.get(path, Authorization=f"Bearer {SECRETS['UI_TOKEN']}") for path in PAGES]
    command_line = pathlib.Path(f"/proc/{process.pid}/cmdline").read_text()
    process.stop()
    failed = secure_job.run(exit_code=4, **{**settings, "KAFKA_STARTUP_TIMEOUT": "2s"})
    assert failed.lines(r"\| webhook \| WARNING \|")
    said = {"the run": process.log() + process.errors(), "its command line": command_line}
    said["a failed run"] = failed.log() + failed.errors()
    said |= {f"page {number}": page.text for number, page in enumerate(pages)}
    for words in (["--explain"], ["--explain", "--json"], ["doctor"], ["doctor", "--json"], ["status"], ["verify"],
                  ["checkpoint", "show", "--json"], ["help", "settings"], ["infer", "--topic", "x"]):
        for form in ("text", "json"):
            of = [] if words[0] in ("infer", "help") else ["--job", "matches"]
            one = secure_job.program.start(*words, *of, **{**secure_job.settings, **settings, "LOG_FORMAT": form})
            one.wait_exit(120)
            said[f"{words} {form}"] = one.log() + one.errors()
    said |= {str(path): path.read_text(errors="replace") for path in secure_job.lake.root.rglob("*") if path.is_file()}

    assert [name for name, text in said.items() if MARK in text] == []
    assert "sasl.password" in said["['--explain'] text"] and "********" in said["['--explain'] text"]
    settings_page = [page.text for page in pages if "KAFKA_SASL_PASSWORD" in page.text]
    assert settings_page and "********" in settings_page[0]


REFUSED = {
    "KAFKA_SASL_OAUTHBEARER_CLIENT_SECRET": MARK,  # on Debian 12
    "UI_TOKEN": MARK,  # too short
    "ALERT_WEBHOOK_URL": f"ftp://{MARK}/",
    "KAFKA_SSL_KEY_PEM": f"-----BEGIN {MARK}",
    "KAFKA_SSL_CERTIFICATE_PEM": f"-----BEGIN {MARK}",
    "KAFKA_SSL_KEYSTORE_PASSWORD": f"{MARK}\x01",
    "KAFKA_SASL_JAAS_CONFIG": f'x required password="{MARK}";',
    "SPARK_MASTER_URL": f"sc://127.0.0.1:1/;token={MARK};use_ssl=maybe",
    "SPARK_CONF_spark_connect_authenticate_token": MARK,
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_secret_that_is_refused_is_not_in_the_error(secure_job, secure_broker, name):
    settings = {**with_certificate(secure_broker), name: REFUSED[name], "KAFKA_STARTUP_TIMEOUT": "1s"}
    for words in ([], ["doctor"], ["--explain"]):
        process = secure_job.start(*words, "--job", "matches", **{"SPARK_CONNECT_TIMEOUT": "1s", "TRIGGER": "availableNow", **settings})
        process.wait_exit(60)
        assert MARK not in process.log() + process.errors(), process.tail()


@pytest.mark.parametrize("option", ["--ui-token", "--alert-webhook-url", "--spark-master-url"])
def test_a_secret_on_the_command_line_is_refused_and_not_repeated(secure_job, option):
    value = f"sc://127.0.0.1/;token={MARK}" if "master" in option else f"http://{MARK}.example/0123456789"
    for form in ([option, value], [f"{option}={value}"]):
        process = secure_job.run(*form, exit_code=2)
        assert MARK not in process.log() + process.errors() and option in process.errors()


def refused(job, **settings):
    """The log of a start that waits for Kafka for one second and then gives up."""
    process = job.run(KAFKA_STARTUP_TIMEOUT="1s", exit_code=4, **settings)
    (line,) = process.lines("CRITICAL.*match_stream|match_stream.*CRITICAL")
    assert not job.lake.files(job.lake.root)
    return line


def failures(job, **settings):
    """What `doctor` says to do about each check that fails."""
    doctor = job.run("doctor", "--json", "--job", "matches", exit_code=4, **settings)
    found = [json.loads(line) for line in doctor.log().splitlines()]
    return {one["check"]: one["fix"] for one in found if one["verdict"] == "FAIL"}


def test_a_wrong_password_is_reported(secure_job, secure_broker):
    line = refused(secure_job, **with_password(secure_broker, password="wrong"))

    assert "Authentication failed" in line and "wrong" not in line
    (fix,) = failures(secure_job, **with_password(secure_broker, password="wrong")).values()
    assert "KAFKA_SASL_" in fix and "acl" not in fix


def test_an_untrusted_authority_is_reported(secure_job, secure_broker):
    line = refused(secure_job, **with_password(secure_broker, authority=secure_broker.other_authority))

    assert "certificate verify failed" in line


def test_a_name_that_is_not_in_the_certificate_is_reported(secure_job, secure_broker):
    settings = with_password(secure_broker)
    settings["KAFKA_BOOTSTRAP_SERVERS"] = settings["KAFKA_BOOTSTRAP_SERVERS"].replace("127.0.0.1", "localhost")

    line = refused(secure_job, **settings)

    assert "certificate verify failed" in line


def test_a_listener_with_another_protocol_is_reported(secure_job, secure_broker):
    line = refused(secure_job, KAFKA_BOOTSTRAP_SERVERS=secure_broker.sasl)

    assert "KAFKA_SECURITY_PROTOCOL matches the listener" in line
    assert "api.version.request" not in line and "ms in state" not in line

    tls = {"KAFKA_BOOTSTRAP_SERVERS": secure_broker.bootstrap, "KAFKA_SECURITY_PROTOCOL": "SSL"}
    line = refused(secure_job, **tls)
    assert "this looks like a plaintext listener" in line and "KAFKA_SECURITY_PROTOCOL" in line
    (fix,) = failures(secure_job, **tls).values()
    assert fix.startswith("check that KAFKA_SECURITY_PROTOCOL matches the listener") and "acl" not in fix


def test_a_missing_certificate_is_reported(secure_job, secure_broker):
    settings = with_certificate(secure_broker)
    del settings["KAFKA_SSL_CERTIFICATE_LOCATION"], settings["KAFKA_SSL_KEY_LOCATION"]

    assert "the broker requires a client certificate: set KAFKA_SSL_CERT" in refused(secure_job, **settings)


def test_a_topic_without_any_acl_is_reported(secure_job, secure_broker):
    line = refused(secure_job, **with_password(secure_broker))

    assert "access denied. Grant the user DESCRIBE and READ on the topic" in line
    (fix,) = failures(secure_job, **with_password(secure_broker)).values()
    assert fix.startswith("kafka-acls.sh --add") and "KAFKA_SSL" not in fix


def test_a_query_waits_for_a_topic_that_it_may_describe_but_not_read(secure_job, secure_broker):
    topic = secure_job.topics["matches"]
    secure_broker.grant(topic, "DESCRIBE")
    process = secure_job.start(TRIGGER="availableNow", **with_password(secure_broker))
    process.wait_log(f"{topic}.*Topic authorization failed; grant the user DESCRIBE and READ.*; retrying the batch")

    secure_broker.grant(topic, "READ")

    process.wait_exit(30, 0)
    secure_job.assert_exact()


def test_a_group_without_an_acl_is_a_warning_and_read_on_the_group_is_sufficient(secure_job, secure_broker):
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
    """Copies the records to another cluster, with the same offsets and timestamps."""
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


def test_a_checkpoint_continues_only_with_the_kafka_cluster_of_its_offsets(
    secure_job, secure_broker, broker, tmp_path
):
    on_13 = Debian13(secure_job.program.binary, tmp_path / "runs-on-13")  # which supports topic ids

    def run_on_13(**settings):
        job = copy.copy(secure_job)
        job.program = on_13
        job.run(**settings)
        on_13.end_all()

    run_on_13()
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
    shown = json.loads(command("checkpoint", "show", "--json"))
    assert shown["kafkaClusterId"] == here and shown["topicId"] is not None
    assert f"{here}, the same as in the checkpoint" in command("doctor")

    note.unlink()  # as after an older version
    secure_job.run()
    noted = note.read_text()
    assert here in noted

    said = command("adopt", "--cluster", there, "--dry-run")
    assert f"would belong to Kafka cluster {there} (previously: {here})" in said
    assert "partition 0 from 2, partition 1 from 1" in said
    assert note.read_text() == noted
    said = command("adopt", "--cluster", there)
    assert "would be" not in said and "The topic's id was removed from 1 manifest:" in said
    assert json.loads(command("checkpoint", "show", "--json"))["topicId"] is None
    assert "nothing to do" in command("adopt", "--cluster", there)
    broker.produce(topic, ['{"match_id": "M4"}'], partition=1)
    run_on_13(**elsewhere)
    secure_job.lake.assert_holds("matches", broker.end_offsets(topic))
    assert json.loads(command("checkpoint", "show", "--json"))["topicId"] not in (None, shown["topicId"])
    secure_job.run(exit_code=5)
    assert "has a sink log" in command("adopt", "--dry-run")  # of the sink log, without --cluster
