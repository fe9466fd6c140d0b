"""The client of Spark Connect against a real server, through connect_probe: its messages are Spark's, and a
query starts exactly once, no matter what happens to the connection."""

import ast
import json
import os
import re
import subprocess
import time
import urllib.parse

import pyarrow.dataset
import pyarrow.parquet
import pytest
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet
from rig.cluster import ConnectServer, TlsFront, spark_home
from rig.paths import ROOT
from rig.secure_broker import Certificates
from rig.tcp_proxy import TcpProxy

PROBE = ROOT / "build" / "release" / "tests" / "tools" / "connect_probe"
PROTO = spark_home() / "sql" / "connect" / "proto"
TOKEN = "s3cr3t"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with ConnectServer(tmp_path_factory.mktemp("connect"), "local[2]", token=TOKEN) as server:
        yield server


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates"), "ca")


class Probe:
    """What connect_probe prints, as it comes."""

    def __init__(self, url, *words, **settings):
        self._process = subprocess.Popen(
            [PROBE, url, *map(str, words)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PROBE_TIMEOUT": "30000", **settings},
        )
        self.text = ""

    def wait_for(self, pattern):
        while not re.search(pattern, self.text):
            line = self._process.stdout.readline()
            assert line, self.text
            self.text += line

    def end(self):
        self.text += self._process.communicate(timeout=60)[0]
        return self._process.returncode


def probe(url, *words, **settings):
    """(exit code, text)"""
    one = Probe(url, *words, **settings)
    return one.end(), one.text


def messages_of(messages, package):
    """{name: {field number: (name, label, type, what it is of)}}, nested messages by their path."""
    found = {}
    for message in messages:
        path = f"{package}.{message.name}"
        found[path] = {
            field.number: (field.name, field.label, field.type, field.type_name.lstrip("."))
            for field in message.field
        }
        found |= messages_of(message.nested_type, path)
    return found


def sparks_messages():
    """From the descriptors in the wheel. They are in Python modules as bytes; importing these would need
    gRPC for Python, too."""
    found = {}
    for path in PROTO.glob("*_pb2.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "AddSerializedFile":
                file = FileDescriptorProto.FromString(node.args[0].value)
                found |= messages_of(file.message_type, file.package)
    return found


def our_messages(tmp_path):
    out = tmp_path / "descriptors"
    source = ROOT / "src" / "streaming" / "cluster" / "connect"
    subprocess.run(
        ["protoc", f"--proto_path={source}", f"--descriptor_set_out={out}", "spark_connect.proto"], check=True
    )
    files = FileDescriptorSet.FromString(out.read_bytes()).file
    return {name: fields for file in files for name, fields in messages_of(file.message_type, file.package).items()}


def test_each_message_and_field_that_we_use_is_sparks(tmp_path):
    ours, sparks = our_messages(tmp_path), sparks_messages()
    assert len(ours) > 40
    for message, fields in ours.items():
        for number, field in fields.items():
            assert sparks[message][number] == field, (message, number)
    kinds = {field[2] for fields in ours.values() for field in fields.values()}
    assert FieldDescriptorProto.TYPE_MESSAGE in kinds and FieldDescriptorProto.TYPE_STRING in kinds


def committed_values(table):
    """Of the files that the sink log lists: what a stop has interrupted leaves others."""
    values = []
    for log in (table / "_spark_metadata").iterdir():
        for line in log.read_text().splitlines()[1:] if log.name.isdecimal() else ():
            file = urllib.parse.unquote(urllib.parse.urlparse(json.loads(line)["path"]).path)
            values += pyarrow.parquet.ParquetFile(file).read(["value"]).column("value").to_pylist()
    return sorted(values)


def test_a_query_is_started_watched_and_stopped(server, tmp_path):
    code, text = probe(server.url, "stream", tmp_path / "table", 8, PROBE_REPORTS="1")
    assert code == 0, text
    assert "version 4." in text and "exception=0" in text and "stopped active=0" in text
    assert re.search(r'"observedMetrics":\{"counts":\{"values":\[\d+\]', text), text
    values = committed_values(tmp_path / "table")
    assert values and values == list(range(len(values)))


def test_a_batch_overwrites_an_existing_one(server, tmp_path):
    for rows in (1000, 10):
        assert probe(server.url, "write", tmp_path / "numbers", rows)[0] == 0
    ids = pyarrow.dataset.dataset(tmp_path / "numbers").to_table().column("id").to_pylist()
    assert sorted(ids) == [0, 2, 4, 6, 8]


@pytest.mark.parametrize("loses", [True, False], ids=["request", "answer"])
def test_a_query_starts_once_wherever_the_connection_breaks(server, tmp_path, loses):
    """A second start under the same name would be refused by Spark."""
    with TcpProxy(("127.0.0.1", server.port)) as proxy:
        url = f"sc://127.0.0.1:{proxy.port}/;token={server.token}"
        breaks = 0
        for size in range(100, 3200, 450):
            proxy.cut_after(size, loses)
            code, text = probe(url, "stream", tmp_path / f"table-{size}", 0)
            assert code == 0, text
            assert len(re.findall("^started", text, re.M)) == 1
            assert text.count("WARNING | Connection to Spark lost") <= 1
            assert text.count("WARNING") == text.count("INFO | Connection to Spark restored")
            breaks += "WARNING" in text
        assert breaks > 2


def test_a_query_outlives_a_network_that_is_away(server, tmp_path):
    with TcpProxy(("127.0.0.1", server.port)) as proxy:
        watcher = Probe(f"sc://127.0.0.1:{proxy.port}/;token={server.token}", "stream", tmp_path / "table", 4)
        watcher.wait_for("reports=[1-9]")
        proxy.refuse()
        watcher.wait_for(r"WARNING \| Connection to Spark lost")
        proxy.accept()
        assert watcher.end() == 0, watcher.text
        assert "Connection to Spark restored" in watcher.text and "stopped active=0" in watcher.text


def test_a_network_that_swallows_everything_is_given_up_in_time(server, tmp_path):
    with TcpProxy(("127.0.0.1", server.port)) as proxy:
        url = f"sc://127.0.0.1:{proxy.port}/;token={server.token}"
        watcher = Probe(url, "stream", tmp_path / "table", 60, PROBE_TIMEOUT="6000")
        watcher.wait_for("reports=[1-9]")
        proxy.freeze()
        started = time.monotonic()
        assert watcher.end() == 1
        assert time.monotonic() - started < 30
        assert "failure=unreachable" in watcher.text and "has not answered for 6000 ms" in watcher.text


def test_to_stop_at_once_is_heard_while_nothing_comes(server, tmp_path):
    with TcpProxy(("127.0.0.1", server.port)) as proxy:
        url = f"sc://127.0.0.1:{proxy.port}/;token={server.token}"
        watcher = Probe(url, "stream", tmp_path / "table", 60, PROBE_TIMEOUT="600000", PROBE_STOP="10000")
        watcher.wait_for("reports=[1-9]")
        proxy.freeze()
        started = time.monotonic()
        assert watcher.end() == 1
        assert time.monotonic() - started < 30
        assert "error kind=stopped" in watcher.text


def test_the_cause_of_a_failed_query_is_reported(server, tmp_path):
    code, text = probe(server.url, "fail", tmp_path / "table")
    assert code == 0, text
    assert "exception=1 class=USER_RAISED_EXCEPTION Spark: [USER_RAISED_EXCEPTION] as asked for" in text
    assert "\tat " not in text


def test_what_spark_refuses_is_reported_with_its_class(server, tmp_path):
    code, text = probe(server.url, "sql", "nosuch", "1", tmp_path / "table")
    assert code == 1 and "failure=spark class=DATA_SOURCE_NOT_FOUND" in text, text
    assert "(cause: ClassNotFoundException: nosuch.DefaultSource)" in text
    code, text = probe(server.url, "sql", "rate", "1 + + * 2", tmp_path / "table")
    assert code == 1 and "failure=spark class=PARSE_SYNTAX_ERROR" in text, text
    code, text = probe(server.url, "set", "spark.driver.memory=1g")
    assert code == 1 and "class=CANNOT_MODIFY_CONFIG" in text, text


def test_a_token_that_is_not_the_servers_is_refused_at_once_and_not_printed(server):
    for url in (f"sc://127.0.0.1:{server.port}", f"sc://127.0.0.1:{server.port}/;token=wr0ng"):
        started = time.monotonic()
        code, text = probe(url, "version")
        assert code == 1 and "refused access" in text and "wr0ng" not in text, text
        assert time.monotonic() - started < 10


def test_tls_is_verified(server, certificates, tmp_path):
    good = certificates.sign("good", "spark", "subjectAltName=IP:127.0.0.1,DNS:localhost")
    other = certificates.sign("other", "spark", "subjectAltName=DNS:other.example")
    authority = {"SSL_CERT_FILE": str(certificates.authority)}
    options = f"/;use_ssl=true;token={server.token}"
    with TlsFront(tmp_path / "good", server, *good) as front:
        for host in ("127.0.0.1", "localhost"):
            code, text = probe(f"sc://{host}:{front.port}{options}", "stream", tmp_path / host, 2, **authority)
            assert code == 0, text
        code, text = probe(f"sc://127.0.0.1:{front.port}{options}", "version")
        assert code == 1 and "certificate of '127.0.0.1' was rejected" in text, text
        assert "SSL_CERT_FILE" in text
        code, text = probe(f"sc://127.0.0.1:{front.port}", "version", PROBE_TIMEOUT="1000")
        assert code == 1 and "use_ssl=true" in text, text
    with TlsFront(tmp_path / "other", server, *other) as front:
        for host in ("127.0.0.1", "localhost"):
            code, text = probe(f"sc://{host}:{front.port}{options}", "version", **authority)
            assert code == 1 and "mismatch" in text, text
    code, text = probe(f"sc://127.0.0.1:{server.port}{options}", "version")
    assert code == 1 and "does not speak TLS" in text, text


def test_a_server_that_restarts_has_lost_the_session_and_its_queries(tmp_path):
    with ConnectServer(tmp_path / "server", "local[2]", token=TOKEN) as server:
        watcher = Probe(server.url, "stream", tmp_path / "table", 120, PROBE_TIMEOUT="90000")
        watcher.wait_for("reports=[1-9]")
        server.kill()
        watcher.wait_for(r"WARNING \| Connection to Spark lost")
        server.start()
        assert watcher.end() == 1
        assert "failure=session_gone class=INVALID_HANDLE.SESSION_" in watcher.text
