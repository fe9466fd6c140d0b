"""librdkafka's settings for the brokers, translated for Java's client: real Spark gets them, and logs in
at a real broker that requires them."""

import json
import subprocess

import pytest
from rig.secure_broker import PASSWORD, USER, SecureBroker

KEY_PASSWORD = "key word \\ #1"


@pytest.fixture(scope="module")
def secure_broker(tmp_path_factory):
    with SecureBroker(tmp_path_factory.mktemp("secure-kafka") / "broker") as broker:
        broker.create_topic("secured")
        broker.grant("secured", "DESCRIBE", "READ")
        broker.produce("secured", ["1", "2", "3"])
        yield broker


def openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


def with_password(broker, _, mechanism="PLAIN", password=PASSWORD):
    return broker.sasl, {
        "security.protocol": "sasl_ssl",
        "ssl.ca.location": broker.authority,
        "sasl.mechanism": mechanism,
        "sasl.username": USER,
        "sasl.password": password,
    }


def with_scram(broker, directory):
    return with_password(broker, directory, "SCRAM-SHA-512")


def with_certificate(broker, _):
    return broker.tls, {
        "security.protocol": "ssl",
        "ssl.ca.pem": broker.authority.read_text(),
        "ssl.certificate.location": broker.client_certificate,
        "ssl.key.location": broker.client_key,
    }


def with_encrypted_key(broker, directory):
    key = directory / "encrypted.key"
    openssl("pkcs8", "-topk8", "-v1", "PBE-SHA1-3DES", "-in", broker.client_key, "-out", key, "-passout", f"pass:{KEY_PASSWORD}")
    servers, properties = with_certificate(broker, directory)
    return servers, {**properties, "ssl.key.location": key, "ssl.key.password": KEY_PASSWORD}


def with_keystore(broker, directory):
    store = directory / "client.p12"
    certificate = ["-in", broker.client_certificate, "-inkey", broker.client_key]
    openssl("pkcs12", "-export", *certificate, "-out", store, "-passout", f"pass:{KEY_PASSWORD}")
    return broker.tls, {
        "security.protocol": "ssl",
        "ssl.ca.location": broker.authority,
        "ssl.keystore.location": store,
        "ssl.keystore.password": KEY_PASSWORD,
    }


def count(spark, program, servers, properties):
    """How many records Spark reads with options of ours."""
    dump = program.binary.parent / "tests" / "tools" / "kafka_options_dump"
    words = [f"{name}={value}" for name, value in properties.items()]
    done = subprocess.run([dump, *words], capture_output=True, text=True, check=True)
    reader = spark.read.format("kafka").options(**json.loads(done.stdout))
    reader = reader.option("kafka.bootstrap.servers", servers).option("subscribe", "secured")
    return reader.load().count()


@pytest.mark.parametrize(
    "settings_of",
    [with_password, with_scram, with_certificate, with_encrypted_key, with_keystore],
)
def test_spark_logs_in_with_librdkafkas_settings(
    spark, program, secure_broker, tmp_path, settings_of
):
    servers, properties = settings_of(secure_broker, tmp_path)

    assert count(spark, program, servers, properties) == 3


def test_a_wrong_password_is_one_for_spark_too(spark, program, secure_broker, tmp_path):
    servers, properties = with_password(secure_broker, tmp_path, password="wrong")

    with pytest.raises(Exception, match="(?i)authentication"):
        count(spark, program, servers, properties)
