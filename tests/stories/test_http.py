"""The page's server: it reports what the queries did, and no caller can disturb them."""

import base64
import collections
import contextlib
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import threading

import pytest
from rig.broker import Broker, free_ports
from rig.job import Job
from rig.web import Web

SPARK_PROGRESS = pathlib.Path(__file__).parents[1] / "data" / "spark4-progress.json"
MATCH = '{"match_id": "M%d", "status": "%s"}'
TOKEN = "a-token-of-some-length"

BATCH_LINE = re.compile(
    r"Batch \d+ written successfully \| batch_id=(?P<batchId>\d+) \| rows=(?P<rows>\d+) "
    r"\| rejects=(?P<rejects>\d+) \| absent=(?P<absent>\d+) \| lost=(?P<lost>\d+) "
    r"\| files=(?P<files>\d+) \| unknown_keys=(?P<unknown>\d+) \| duration_ms=(?P<took>\d+) "
    r"\| rows_per_second=\d+ \| lag=(?P<lagAfter>\d+)"
)


def port():
    return free_ports(1)[0]


def matches(count, start=0):
    states = ("finished", "live", "not_started")
    return [MATCH % (number, states[number % 3]) for number in range(start, start + count)]


def logged_batches(process):
    found = map(BATCH_LINE.search, process.log().splitlines())
    return [{name: int(value) for name, value in one.groupdict().items()} for one in found if one]


def wait_ready(process, web, status, timeout=60):
    """Polls /readyz until it has this status; it is healthy throughout."""

    def ready():
        assert web.get("/healthz").status == 200
        answer = web.get("/readyz")
        return answer if answer.status == status else None

    return process.wait_until(ready, timeout, f"/readyz {status}")


@pytest.fixture
def seen(job):
    """A job that has run two batches with rows, rejects, field faults and unknown keys."""
    topic = job.create_topic(partitions=2)
    odd = ["nonsense", "", '{"match_id": null}', b'\xff\x00"<script>', "[1]", "x" * 5000]
    faulty = ['{"match_id": "F", "match_duration": "long", "colour": 1, "size": 2}'] * 3
    job.produce([*matches(40), *odd])
    job.produce([*matches(20, 100), *faulty], partition=1)
    process = job.start(TRIGGER="1 second", SPARK_UI_PORT=port(), STATUS_INTERVAL="1s")
    web = Web(process)
    process.wait_log("Batch 0 written")
    job.produce(matches(10, 200), partition=1)
    job.wait_committed(process, job.broker.end_offsets(topic))

    def at_rest():
        return web.query()["lag"]["records"] == 0 and web.query()["state"] == "waiting"

    process.wait_until(at_rest)
    return job, process, web


def check_batches(job, process, web):
    batches = web.query(view="/batches")["batches"]
    logged = logged_batches(process)
    assert len(batches) == len(logged) >= 2
    for batch, line in zip(batches, logged):
        for name in ("batchId", "rows", "rejects", "absent", "lost", "files", "lagAfter"):
            assert batch[name] == line[name], (name, batch, line)
        assert sum(batch["unknownKeys"].values()) == line["unknown"]
        assert sum(batch["rejectsByReason"].values()) == batch["rejects"]
        durations = dict(batch["durationMs"])
        total = durations.pop("total")
        assert total == pytest.approx(sum(durations.values()), abs=0.1)
        assert total >= line["took"], "planning is a part of it"
        assert batch["startedAt"] <= batch["timestamp"] <= batch["committedAt"]
        ends = job.lake.planned_ends("matches", batch["batchId"])
        for one in batch["ranges"]:
            assert ends[one["partition"]] == one["end"]
            assert one["rows"] + one["rejects"] + one["absent"] == one["end"] - one["start"]
    newest = batches[-1]["batchId"]
    assert web.query(view=f"/batches?after={newest - 1}")["batches"] == [batches[-1]]
    assert web.query(view=f"/batches?after={newest}")["batches"] == []
    assert web.query()["newestBatch"] == batches[-1]
    return batches


def check_rejects(job, web):
    """Compares with the rejects table, byte by byte."""
    table = job.lake.rows(job.lake.rejects("matches"))
    rejects = web.query(view="/rejects")
    assert rejects["byReason"] == collections.Counter(row["reason"] for row in table)
    assert len(rejects["samples"]) == len(table)
    samples = {(one["partition"], one["offset"]): one for one in rejects["samples"]}
    for row in table:
        sample = samples[row["partition"], row["offset"]]
        for name in ("topic", "reason", "detail", "position"):
            assert sample[name] == row[name]
        assert sample["valueSize"] == len(row["value"])
        assert base64.b64decode(sample["valueBase64"]) == row["value"][:2048]
        processed = row["processing_timestamp"].strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
        assert sample["processedAt"] == processed + "Z"


@pytest.mark.sanitized
def test_the_api_reports_what_the_query_did(seen):
    job, process, web = seen
    batches = check_batches(job, process, web)
    check_rejects(job, web)

    query = web.query()
    rows = len(job.lake.rows(job.lake.table("matches")))
    sizes = list(job.lake.listed("matches").values())
    totals = query["totals"]
    assert (totals["rows"], totals["rejects"], totals["batches"]) == (rows, 6, len(batches))
    assert (totals["files"], totals["bytes"]) == (len(sizes), sum(sizes))
    assert totals["inputBytes"] == sum(batch["inputBytes"] for batch in batches)
    metadata = (job.lake.checkpoint("matches") / "metadata").read_text()
    assert query["id"] == json.loads(metadata)["id"]
    assert query["topic"] == job.topics["matches"]
    assert query["table"] == str(job.lake.table("matches"))
    assert query["trigger"] == "1 second" and query["sinkLog"] and query["lastError"] is None
    ends = job.broker.end_offsets(job.topics["matches"])
    lag = {one["partition"]: (one["topicEnd"], one["position"]) for one in query["lag"]["partitions"]}
    assert lag == {partition: (end, end) for partition, end in ends.items()}

    files = web.query(view="/files")
    assert files["count"] == sum(bucket["files"] for bucket in files["buckets"]) == len(sizes)
    schema = web.query(view="/schema")
    faults = {one["name"]: one["faults"] for one in schema["columns"] if one["faults"]}
    assert faults == {"match_duration": 3}
    assert schema["unknownKeys"] == {"colour": 3, "size": 3}
    history = web.query(view="/history?minutes=60")
    assert history["stepSeconds"] == 10
    assert sum(point["rows"] for point in history["points"]) == rows
    assert sum(point["batches"] for point in history["points"]) == len(batches)
    assert web.query(view="/history?minutes=1440")["stepSeconds"] == 60

    everything = web.json("/api/v1/queries")
    assert [one["name"] for one in everything["queries"]] == ["match_stream"]
    assert everything["program"]["pid"] == process.pid
    memory = everything["memory"]
    assert sum(part["bytes"] for part in memory["parts"]) == memory["residentBytes"]
    settings = {one["name"]: one for one in web.json("/api/v1/settings")}
    assert settings["TRIGGER"]["value"] == "1 second"
    assert settings["TRIGGER"]["origin"] == "environment"
    assert settings["PARSE_MODE"]["origin"] == "default"
    process.stop()
    job.assert_exact()


def shape(value):
    """Names of the members. Strings, numbers and null count as equal, and so do the names of the topics."""
    if isinstance(value, dict):
        return {"topic" if re.match(r"t1$|matches-", name) else name: shape(one)
                for name, one in value.items()}
    return [shape(one) for one in value[:1]] if isinstance(value, list) else None


def test_progress_has_sparks_fields_and_says_the_same_as_the_offset_log(seen):
    job, process, web = seen
    progress = web.query(view="/progress")
    expected = [shape(one) for one in json.loads(SPARK_PROGRESS.read_text())]
    for one in progress:  # the first one has no start, in Spark and here
        assert shape(one) == expected[min(one["batchId"], 1)]
        (source,) = one["sources"]
        ends = source["endOffset"][job.topics["matches"]]
        assert {int(key): end for key, end in ends.items()} == job.lake.planned_ends(
            "matches", one["batchId"]
        )
        batch = web.query(view=f"/batches?after={one['batchId'] - 1}")["batches"][0]
        assert one["numInputRows"] == batch["rows"] + batch["rejects"]
        assert one["inputRowsPerSecond"] == batch["inputRowsPerSecond"]
        assert one["sink"]["description"] == f"FileSink[file:{job.lake.table('matches')}]"
        assert abs(sum(one["durationMs"].values()) - one["batchDuration"]) <= 6  # each of them is truncated
    starts = [one["sources"][0]["startOffset"] for one in progress]
    assert starts == [None, *(one["sources"][0]["endOffset"] for one in progress[:-1])]


def status(job, exit_code):
    return job.run("status", "--job", "matches", exit_code=exit_code).log()


@pytest.mark.sanitized
def test_not_ready_while_the_broker_is_away_but_healthy(program, lake, tmp_path):
    with Broker(tmp_path / "own-broker") as broker:
        job = Job(program, lake, broker)
        topic = job.create_topic()
        job.produce(matches(10))
        process = job.start(TRIGGER="0 seconds", SPARK_UI_PORT=port())
        web = Web(process)
        job.wait_committed(process, {0: 10})
        assert wait_ready(process, web, 200).text == "ready\n"

        broker.kill()

        answer = wait_ready(process, web, 503)
        assert answer.text.startswith("match_stream: retrying: ") and broker.bootstrap in answer.text
        query = web.query()
        assert query["state"] == "retrying" and query["message"] == "Waiting for Kafka"
        assert query["lastError"]["retrying"] and query["lastError"]["text"] in answer.text
        assert query["totals"]["rows"] == 10
        assert query["retry"]["attempts"] > 0 and query["recovered"] is None
        following = query["retry"]["nextAttemptAt"]  # None: it runs
        assert following is None or query["retry"]["since"] <= following
        assert query["retry"]["until"] is None and query["retry"]["limit"] is None
        assert re.search(r"^  retrying +since .*, the next one is (at .*|running); no limit$", status(job, 11), re.M)

        broker.start()

        wait_ready(process, web, 200)
        job.produce(matches(10, 10))
        job.wait_committed(process, broker.end_offsets(topic))
        query = web.query()
        assert query["lastError"]["retrying"] is False and query["retry"] is None
        assert query["recovered"]["from"] == "retrying" and broker.bootstrap in query["recovered"]["reason"]
        assert query["recovered"]["since"] < query["recovered"]["at"] and query["recovered"]["lastedMs"] > 0
        assert re.search(r"^  recovered +at .* after .* s: .*" + broker.bootstrap, status(job, 0), re.M)
        outage = [line for line in process.lines(r"\| ERROR \|") if "match_stream" in line]
        assert len(outage) == 1 and re.search(
            r"Waiting for Kafka: .* \| since=[-\d]+ [:\d]+ \| attempt=1 \| retry_in_ms=500 \| until=no limit$",
            outage[0],
        )
        process.stop()
        job.assert_exact()


def test_not_ready_once_a_query_has_failed_while_the_other_finishes(job):
    """Each sync is slow, so that the other query is still running its batch."""
    job.create_topics()
    job.produce(["nonsense"])
    job.broker.generate(job.topics["players"], "players", 200)
    slow = ("strace", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "-e", "trace=fsync")
    slow += ("-e", "inject=fsync:delay_enter=100000")
    process = job.start("--job", "all", under=slow, SPARK_UI_PORT=port(), PARSE_MODE="failfast",
                        SPARK_MASTER_URL="local[2]", SHUTDOWN_TIMEOUT="60s")
    answer = wait_ready(process, Web(process), 503)
    assert answer.text.startswith("match_stream: failed: the record at topic")
    process.wait_exit(90, 8)
    job.lake.assert_holds("players", {0: 200})


class Nuisance:
    """Hostile callers. Each continues until it is asked to stop."""

    def __init__(self, port):
        self.address = ("127.0.0.1", port)

    def connect(self):
        return socket.create_connection(self.address, 30)

    def garbage(self, count):
        """Invalid requests. The server closes each connection, or we do."""
        for number in range(count):
            noise = os.urandom(300) if number % 2 else b"GET / HTTP/9.9\r\nA\r\n: b\r\n\r\n"
            with contextlib.suppress(OSError), self.connect() as one:
                one.sendall(noise + b"\r\n\r\n")
                if number % 100 == 0:
                    one.recv(4096)

    def crowd(self, count):
        """More connections than the server keeps open. They send nothing."""
        held = contextlib.ExitStack()
        for _ in range(count):
            with contextlib.suppress(OSError):
                held.enter_context(self.connect())
        return held

    def drip(self, stop):
        """Slowloris: endless headers, one byte at a time."""
        with contextlib.ExitStack() as held:
            slow = []
            while not stop.wait(0.02):
                with contextlib.suppress(OSError):
                    if len(slow) < 100:
                        slow.append(held.enter_context(self.connect()))
                        slow[-1].sendall(b"GET /healthz HTTP/1.1\r\nX: ")
                for one in list(slow):
                    try:
                        one.sendall(b"x")
                    except OSError:
                        slow.remove(one)


def test_no_caller_disturbs_the_stream(job):
    topic = job.create_topic(partitions=2)
    process = job.start(TRIGGER="0 seconds", SPARK_UI_PORT=port())
    web = Web(process)
    nuisance, stop = Nuisance(web.port), threading.Event()
    dripping = threading.Thread(target=nuisance.drip, args=(stop,))
    shouting = threading.Thread(target=nuisance.garbage, args=(10000,))
    dripping.start()
    shouting.start()
    committed = []
    try:
        with nuisance.crowd(300):
            while shouting.is_alive() or len(committed) < 5:
                start = 200 * len(committed)
                job.produce(matches(100, start), partition=0)
                job.produce(matches(100, start + 100), partition=1)
                ends = job.broker.end_offsets(topic)
                job.wait_committed(process, ends)
                committed.append(ends)
                shouting.join(0.2)
            process.wait_until(lambda: answers(web), 30, "an answer despite the crowd")
    finally:
        stop.set()
        dripping.join()
        shouting.join()
    process.wait_until(lambda: web.query()["totals"]["rows"] == 200 * len(committed), 30, "all rows")
    process.stop()
    job.assert_exact()


def answers(web):
    """The server makes room in a full table, but another caller may get the free place."""
    with contextlib.suppress(OSError):
        return web.get("/healthz", timeout=5).status == 200
    return False


@pytest.fixture
def namespace():
    """A network namespace, as (its name, our address in it)."""
    name, ours, theirs = "esports-test", "198.18.77.1", "198.18.77.2"

    def ip(*words):
        subprocess.run(["ip", *words], check=True)

    def remove():
        subprocess.run(["ip", "link", "del", "esports0"], stderr=subprocess.DEVNULL)
        subprocess.run(["ip", "netns", "del", name], stderr=subprocess.DEVNULL)

    remove()
    ip("netns", "add", name)
    try:
        ip("link", "add", "esports0", "type", "veth", "peer", "name", "esports1", "netns", name)
        ip("addr", "add", f"{ours}/30", "dev", "esports0")
        ip("link", "set", "esports0", "up")
        ip("-n", name, "addr", "add", f"{theirs}/30", "dev", "esports1")
        ip("-n", name, "link", "set", "esports1", "up")
        yield name, ours
    finally:
        remove()


def status_from(namespace, port, path, *headers):
    """The status that a caller in the other network gets; None if it cannot connect."""
    name, address = namespace
    script = (
        "import http.client, sys\n"
        "host, port, path, *headers = sys.argv[1:]\n"
        "one = http.client.HTTPConnection(host, int(port), timeout=5)\n"
        "try: one.request('GET', path, headers=dict(line.split(': ') for line in headers))\n"
        "except OSError: sys.exit('no way')\n"
        "print(one.getresponse().status)\n"
    )
    command = ["ip", "netns", "exec", name, sys.executable, "-c", script, address, port, path]
    done = subprocess.run([*map(str, command), *headers], capture_output=True, text=True)
    assert done.returncode == 0 or "no way" in done.stderr, done.stderr
    return int(done.stdout) if done.returncode == 0 else None


def say(port, request):
    """All that the server answers until it hangs up, or says nothing more for a second."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as caller:
        caller.sendall(request)
        caller.settimeout(1)
        answer = b""
        with contextlib.suppress(TimeoutError, ConnectionResetError):
            while piece := caller.recv(65536):
                answer += piece
        return answer


# Another request, which must never be answered: /smuggled is a path that does not exist, 404.
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
AMBIGUOUS = {
    "two lengths": b"Content-Length: 0\r\nContent-Length: %d\r\n" % len(SMUGGLED),
    "two lengths that agree": b"Content-Length: 0\r\nContent-Length: 0\r\n",
    "a list of lengths": b"Content-Length: 0, %d\r\n" % len(SMUGGLED),
    "a length with a sign": b"Content-Length: +0\r\n",
    "a length in hexadecimal": b"Content-Length: 0x0\r\n",
    "a length that overflows": b"Content-Length: 18446744073709551616\r\n",
    "length and chunks": b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n" % len(SMUGGLED),
    "no length and chunks": b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n",
    "chunks": b"Transfer-Encoding: chunked\r\n",
    "unknown coding": b"Transfer-Encoding: xchunked\r\n",
    "two codings": b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n",
    "a blank before the colon": b"Content-Length : %d\r\n" % len(SMUGGLED),
    "a folded line": b"X-Note: a\r\n Content-Length: %d\r\n" % len(SMUGGLED),
    "a folded length": b"Content-Length:\r\n %d\r\n" % len(SMUGGLED),
    "a bare CR": b"X-Note: a\rContent-Length: %d\r\n" % len(SMUGGLED),
    "a bare LF": b"X-Note: a\nContent-Length: %d\r\n" % len(SMUGGLED),
    "NUL": b"X-Note: a\0b\r\nContent-Length: %d\r\n" % len(SMUGGLED),
    "two hosts": b"Host: evil.example\r\n",
    "no name": b": x\r\nContent-Length: %d\r\n" % len(SMUGGLED),
}


# The library overlooks these headers: the request is answered, and nothing that follows it.
IGNORED = ("a blank before the colon", "a folded line", "a folded length", "a bare CR", "no name")


def test_no_request_can_be_hidden_in_another_one(job):
    job.create_topic()
    process = job.start(SPARK_UI_PORT=port())
    web = Web(process)
    for name, header in AMBIGUOUS.items():
        for method in (b"GET", b"POST"):
            request = method + b" /healthz HTTP/1.1\r\nHost: localhost\r\n" + header + b"\r\n" + SMUGGLED
            answer = say(web.port, request)
            statuses = re.findall(rb"HTTP/1\.1 (\d+)", answer)
            assert b"404" not in statuses and b"Not Found" not in answer, (name, method, answer)
            # The library answers twice when it cannot read a length, and hangs up.
            assert len(set(statuses)) == 1, (name, method, answer)
            if name not in IGNORED:
                assert int(statuses[0]) in (400, 405, 413), (name, method, answer)
    process.stop()


def test_a_page_of_another_site_reads_nothing_under_its_own_name(job):
    job.create_topic()
    process = job.start(SPARK_UI_PORT=port(), SPARK_UI_HOST="0.0.0.0", UI_HOSTS="lake.example.org,lake")
    web = Web(process)
    paths = ("/", "/api/v1/queries", "/api/v1/settings", "/nothing")
    for host in ("evil.example", "evil.example:80", "localhost.evil.example", "127.0.0.1.evil.example", "lake.evil", "[::1"):
        for path in paths:
            answer = web.get(path, Host=host)
            assert answer.status == 403 and "UI_HOSTS" in answer.json["error"], (host, path, answer)
        for probe in ("/healthz", "/readyz", "/metrics"):
            assert web.get(probe, Host=host).status in (200, 503), (host, probe)
    for host in ("localhost:1", "127.0.0.1", "[::1]:4040", "192.168.1.5:4040", "[fd00::1]", "Lake.Example.ORG:4040", "lake", "lake."):
        assert web.get("/api/v1/queries", Host=host).status == 200, host
    process.stop()


def test_another_network_has_access_only_if_the_settings_allow_it(job, namespace):
    job.create_topic()
    closed = job.start(SPARK_UI_PORT=port())
    assert Web(closed).get("/healthz").status == 200
    assert status_from(namespace, Web(closed).port, "/healthz") is None
    closed.stop()

    process = job.start(SPARK_UI_PORT=port(), SPARK_UI_HOST="0.0.0.0", UI_TOKEN=TOKEN)
    there = Web(process).port
    assert status_from(namespace, there, "/healthz") == 200
    assert status_from(namespace, there, "/api/v1/queries") == 401
    assert status_from(namespace, there, "/api/v1/queries", f"Authorization: Bearer {TOKEN}") == 200
    assert not process.lines("open to the network without a token")
    process.stop()

    process = job.start(SPARK_UI_PORT=port(), SPARK_UI_HOST="0.0.0.0")
    web, rejects = Web(process), "/api/v1/queries/match_stream/rejects"
    assert process.lines("WARNING .*open to the network without a token.*action=set UI_TOKEN")
    process.wait_until(lambda: web.get("/readyz").status == 200, 60, "ready")
    assert web.get(rejects).status == 200
    assert status_from(namespace, web.port, rejects) == 403
    for path in "/", "/metrics", "/api/v1/queries", "/api/v1/queries/match_stream/batches":
        assert status_from(namespace, web.port, path) == 200
    process.stop()


@pytest.mark.sanitized
def test_if_the_port_is_taken_the_next_one_is_used(job):
    job.create_topic()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        first = taken.getsockname()[1]
        process = job.start(SPARK_UI_PORT=first)
        web = Web(process)
        assert first < web.port <= first + 16
        assert process.lines(f"WARNING .*could not bind on port {first}. Attempting port {first + 1}")
        assert web.query()["topic"] == job.topics["matches"]
        process.stop()


def test_without_any_port_the_stream_runs(job):
    job.create_topic()
    job.produce(matches(10))
    process = job.run(SPARK_UI_PORT=port(), SPARK_UI_HOST="192.0.2.1")
    assert process.lines(r"WARNING .*The queries run without page and API.*192\.0\.2\.1.*action=set SPARK_UI_HOST")
    job.assert_exact()
    assert not job.run(SPARK_UI_PORT=0).lines("SparkUI|without page")


@pytest.mark.sanitized
def test_with_a_token_only_health_is_open(job):
    job.create_topic()
    process = job.start(SPARK_UI_PORT=port(), UI_TOKEN=TOKEN)
    stranger, friend = Web(process), Web(process, token=TOKEN)
    for path, open_to_all in (
        ("/healthz", True),
        ("/readyz", True),
        ("/api/v1/queries", False),
        ("/api/v1/queries/match_stream/rejects", False),
        ("/api/v1/settings", False),
    ):
        assert friend.get(path).status == 200
        answer = stranger.get(path)
        assert answer.status == (200 if open_to_all else 401)
        assert open_to_all or answer.headers["WWW-Authenticate"] == "Bearer"
        assert TOKEN not in friend.get(path).text
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        answer = friend.get("/api/v1/queries", method)
        assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")
    head = friend.get("/api/v1/queries", "HEAD")
    assert (head.status, head.body) == (200, b"") and int(head.headers["Content-Length"]) > 500
    assert TOKEN not in process.log()
    process.stop()
