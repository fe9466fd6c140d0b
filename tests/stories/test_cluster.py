"""On a Spark cluster: the same rows, rejects, directories and lines, no matter what is killed.

The cluster has a master, two workers of one core each, and a Spark Connect server that holds both
cores; what needs an executor of its own adds a worker."""

import base64
import collections
import gzip
import json
import os
import random
import re
import signal
import time

import pyarrow.parquet
import pytest
from rig import processes
from rig.broker import free_ports
from rig.cluster import SMALL, ConnectServer, TlsFront, connector_jars, spark_home
from rig.job import Job
from rig.lake import QUERIES, Lake
from rig.paths import ROOT, java_home
from rig.secure_broker import Certificates
from rig.tcp_proxy import TcpProxy
from rig.web import Web

pytestmark = pytest.mark.timeout(180)

PARTITIONS = 4
TOKEN = "what-only-friends-know"
BATCH_LINE = re.compile(
    r"Batch \d+ written successfully \| batch_id=(?P<batchId>\d+) \| rows=(?P<rows>\d+) "
    r"\| rejects=(?P<rejects>\d+) \| absent=(?P<absent>\d+) \| lost=(?P<lost>\d+) "
    r"\| files=(?P<files>\d+) .*\| lag=(?P<lagAfter>\d+)"
)


@pytest.fixture
def remote(cluster, connect_server):
    """The settings that make the shared cluster the place, which is whole when a story begins."""
    cluster.mend()
    if not connect_server.runs:
        connect_server.start()
    deadline = time.monotonic() + 60
    while len(cluster.executors()) < 2:
        assert time.monotonic() < deadline, "the cluster has no two executors"
        time.sleep(0.05)
    return {"SPARK_MASTER_URL": connect_server.url, "SPARK_CONNECT_TIMEOUT": "60 seconds"}


@pytest.fixture
def spare(cluster, remote):
    """One more worker, whose core nobody has; its application must be somebody else's."""
    worker = cluster.add_worker()
    yield worker
    worker.kill()


@pytest.fixture
def distribution(tmp_path):
    """The wheel's, without its work/, where a local-cluster puts its executors' directories."""
    home = tmp_path / "spark"
    home.mkdir()
    for name in ("bin", "jars"):
        (home / name).symlink_to(spark_home() / name)
    return home


def own_server(master, home=None):
    """Settings with which the program starts a Spark of its own on a master."""
    return {
        "SPARK_MASTER_URL": master,
        "SPARK_HOME": home or spark_home(),
        "JAVA_HOME": java_home(),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_DRIVER_MEMORY": "600m",
        "SPARK_EXECUTOR_MEMORY": "600m",
        "SPARK_CONF_spark_jars": connector_jars(),
        "SPARK_CONF_spark_ui_enabled": "false",
        "SPARK_CONF_spark_driver_extraJavaOptions": " ".join(SMALL),
        "SPARK_CONF_spark_executor_extraJavaOptions": " ".join(SMALL),
    }


# Three of them become rows: "a", "d" and "e".
AWKWARD = [
    '{"match_id": "a", "status": "live"}',
    '{"match_id": "b", "game_number": ',  # cut off
    "not JSON",
    '[{"match_id": "c"}]',
    None,  # a tombstone
    "",
    " \t\n",
    "null",
    '{"status": "live"}',
    '{"match_id": null, "status": "live"}',
    '{"match_id": "d", "game_number": "one"}',
    '{"match_id": "e", "game_number": 1}',
    "{}",
    '{"match_id": "f", "status": "no\\u0000directory"}',
]


def logged_batches(process):
    found = map(BATCH_LINE.search, process.log().splitlines())
    return [{name: int(value) for name, value in one.groupdict().items()} for one in found if one]


def wait_batches(job, process, count, timeout=60):
    """Until so many more batches are committed than now."""

    def newest():
        return max(job.lake.batches("matches"), default=-1)

    goal = newest() + count
    process.wait_until(lambda: newest() >= goal, timeout, f"{count} more commits")


# ---- the same table -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def corpus(broker):
    """{kind: topic} with every awkward message of the conformance corpus."""
    producer = broker.producer(message_max_bytes=16 << 20)
    topics = {}
    for kind in QUERIES:
        topics[kind] = broker.create_topic(
            f"corpus-{kind}", PARTITIONS, max_message_bytes=16 << 20
        )
        directory = ROOT / "tests" / "conformance" / kind
        text = gzip.decompress((directory / "input.tsv.gz").read_bytes())
        lines = (text + (directory / "found.tsv").read_bytes()).splitlines()
        for number, line in enumerate(lines):
            _, _, value = line.split(b"\t")
            value = None if value == rb"\N" else base64.b64decode(value)
            producer.produce(topics[kind], value, partition=number % PARTITIONS)
            producer.poll(0)
    assert producer.flush(60) == 0
    return topics


def job_on(program, lake, broker, topics):
    job = Job(program, lake, broker)
    job.topics = topics
    for kind, topic in topics.items():
        job.settings[f"KAFKA_TOPIC_{kind.upper()}"] = topic
    return job


def comparable(lake, directory):
    """{(partition, offset): row}, with the directory that it is in, without the time of processing;
    doubles to the last bit, timestamps of any year."""
    found = {}
    for path in lake.files(directory):
        table = pyarrow.parquet.ParquetFile(path).read().drop_columns("processing_timestamp")
        for number, field in enumerate(table.schema):
            if pyarrow.types.is_timestamp(field.type):
                micros = table.column(number).cast("int64")
                table = table.set_column(number, field.name, micros)
        for row in table.to_pylist():
            key = row["partition"], row["offset"]
            assert key not in found, key
            found[key] = {
                name: repr(value) if isinstance(value, float) else value
                for name, value in row.items()
            }
            found[key]["directory"] = str(path.parent.relative_to(directory))
    return found


def columns(lake, directory):
    schema = pyarrow.parquet.ParquetFile(lake.files(directory)[0]).schema_arrow
    return {field.name: str(field.type) for field in schema}


def assert_same(ours, ours_in, sparks, sparks_in):
    expected, found = comparable(ours, ours_in), comparable(sparks, sparks_in)
    assert expected.keys() == found.keys(), sorted(expected.keys() ^ found.keys())[:10]
    for key, row in expected.items():
        other = {name: (value, found[key].get(name)) for name, value in row.items()}
        other = {name: both for name, both in other.items() if both[0] != both[1]}
        assert not other and row.keys() == found[key].keys(), (key, str(other)[:2000])
    assert columns(ours, ours_in) == columns(sparks, sparks_in)


def form(line):
    return re.sub(r"\d+", "N", line.partition(" | ")[2])


@pytest.mark.parametrize("mode", ["reject", "permissive"])
def test_a_cluster_makes_the_same_table_and_the_same_rejects_of_the_corpus(
    program, broker, cluster, remote, corpus, tmp_path, mode
):
    native = job_on(program, Lake(tmp_path / "native"), broker, corpus)
    clustered = job_on(program, Lake(tmp_path / "clustered"), broker, corpus)
    before = {worker: worker.finished_tasks() for worker in cluster.alive()}

    ours = native.run("--job", "all", PARSE_MODE=mode, KAFKA_COMMIT_GROUP=f"native-{mode}")
    remote["KAFKA_COMMIT_GROUP"] = f"spark-{mode}"
    sparks = clustered.run("--job", "all", PARSE_MODE=mode, timeout=120, **remote)

    for kind in QUERIES:
        for job in (native, clustered):
            job.assert_exact(kind)
        for engine in ("native", "spark"):
            committed = broker.group_offsets(f"{engine}-{mode}", corpus[kind])
            assert committed == broker.end_offsets(corpus[kind])
        one, other = native.lake, clustered.lake
        assert_same(one, one.table(kind), other, other.table(kind))
        assert_same(one, one.rejects(kind), other, other.rejects(kind))
        logger = QUERIES[kind]
        lines = [process.lines(rf"{logger} \| .*Batch 0 written") for process in (ours, sparks)]
        assert [len(each) for each in lines] == [1, 1]
        assert form(lines[0][0]) == form(lines[1][0])
        counts = [BATCH_LINE.search(each[0]).groupdict() for each in lines]
        for name in ("rows", "rejects", "absent", "lost", "lagAfter"):
            assert counts[0][name] == counts[1][name], (kind, name, lines)
    for worker, tasks in before.items():
        assert worker.finished_tasks() > tasks, f"{worker.directory} has done nothing"


@pytest.mark.parametrize("partition_by", ["game_number,is_completed", "none"])
def test_a_cluster_partitions_by_numbers_and_flags_or_not_at_all_as_we_do(
    program, broker, remote, tmp_path, partition_by
):
    topic = {"matches": broker.create_topic(f"by-{partition_by.replace(',', '-')}", 2)}
    broker.generate(topic["matches"], "matches", 500, 2, "--malformed", 5)
    broker.produce(topic["matches"], [*AWKWARD, '{"match_id": "g", "game_number": -2147483648}'])
    native = job_on(program, Lake(tmp_path / "native"), broker, topic)
    clustered = job_on(program, Lake(tmp_path / "clustered"), broker, topic)

    native.run(MATCHES_PARTITION_BY=partition_by)
    clustered.run(MATCHES_PARTITION_BY=partition_by, timeout=120, **remote)

    one, other = native.lake, clustered.lake
    clustered.assert_exact()
    assert_same(one, one.table("matches"), other, other.table("matches"))
    assert_same(one, one.rejects("matches"), other, other.rejects("matches"))
    settings = {**clustered.settings, "MATCHES_PARTITION_BY": partition_by}
    program.run("verify", "--job", "matches", **settings)


DECLARED = """
CREATE TABLE r (id STRING, q INT, timestamp BIGINT, s STRUCT<k: INT, n: STRING>, info STRUCT<list: ARRAY<STRUCT<k: INT, n: STRING>>,
  map: MAP<STRING, ARRAY<INT>>>) USING kafka OPTIONS (subscribe '{topic}');
CREATE STREAMING TABLE one (id STRING NOT NULL, pos INT, k INT, n STRING, q INT, s INT, ms BIGINT) PARTITIONED BY (q) AS
  SELECT id, pos, p.k, p.n, q, s.k AS s, timestamp AS ms FROM STREAM r LATERAL VIEW posexplode(info.list) x AS pos, p
  WHERE p.k > 1 OR p.n IS NULL;
CREATE STREAMING TABLE optional (id STRING NOT NULL, k INT, half BIGINT NOT NULL) AS
  SELECT id, p.k, coalesce(q, 4) DIV 2 AS half FROM STREAM r LATERAL VIEW OUTER explode(info.list) x AS p;
CREATE STREAMING TABLE anyone AS
  SELECT id, kk, v FROM STREAM r LATERAL VIEW explode(info.map) x AS kk, vs LATERAL VIEW OUTER posexplode(vs) y AS at, v
  WHERE coalesce(v, 0) < 3;
CREATE STREAMING TABLE flat (name STRING, k INT) PARTITIONED BY (name) AS
  SELECT concat('n-', s.n) AS name, s.k FROM STREAM r WHERE q > 1 OR id IS NULL;
CREATE STREAMING TABLE raw AS SELECT value, topic FROM STREAM kafka('{topic}') WHERE offset % 3 <> 1;
"""
TABLES = ("one", "optional", "anyone", "flat", "raw")


def awkward_documents(count, seed):
    """Records of DECLARED's topic: most of them of the right form, parts of which are replaced."""
    chosen = random.Random(seed)
    odd = ["null", "5", '"x"', "[]", "{}", "[5]", '{"k":1}', "tru", "01", '"\\q"', "1.5", "[{}]", "true", ""]

    def value(usual):
        return chosen.choice(odd) if chosen.random() < 0.12 else usual()

    def member(key, usual):
        return f'"{key}":{value(usual)}'

    def some(*members):
        kept = [one() for one in members if chosen.random() < 0.85]
        if chosen.random() < 0.1:
            kept.append(members[0]())  # twice
        return "{" + ",".join(kept) + "}"

    def number():
        return str(chosen.randint(0, 4))

    def element():
        return value(lambda: some(lambda: member("k", number), lambda: member("n", lambda: '"n"')))

    def many(one, most=3):
        return "[" + ",".join(one() for _ in range(chosen.randint(0, most))) + "]"

    def numbers():
        return value(lambda: many(lambda: value(number)))

    def info():
        maps = lambda: some(lambda: '"a":' + numbers(), lambda: '"b":' + numbers())  # noqa: E731
        return some(lambda: member("list", lambda: many(element)), lambda: member("map", maps))

    def document():
        text = some(
            lambda: member("id", lambda: f'"{chosen.choice("abc")}"'),
            lambda: member("q", number),
            lambda: member("s", lambda: some(lambda: member("k", number), lambda: member("n", lambda: '"n"'))),
            lambda: member("info", info),
            lambda: member("other", number),
        )
        if chosen.random() < 0.05:
            text = text[: chosen.randint(0, len(text))]
        return chosen.choice(["", None, "[]", "null", " "]) if chosen.random() < 0.03 else text

    return [document() for _ in range(count)]


def all_rows(lake, directory):
    """How often each row is there, without the time of processing."""
    found = collections.Counter()
    for path in lake.files(directory):
        for row in pyarrow.parquet.ParquetFile(path).read().to_pylist():
            del row["processing_timestamp"]
            found[str(path.parent.relative_to(directory)), *map(repr, sorted(row.items()))] += 1
    return found


def rejected(lake, directory):
    return collections.Counter(key for path in lake.files(directory) for key in reject_keys(path))


def reject_keys(path):
    table = pyarrow.parquet.ParquetFile(path).read(["partition", "offset"])
    return zip(*(table.column(name).to_pylist() for name in ("partition", "offset")))


def test_declared_tables_have_the_same_rows_rejects_and_counts_on_a_cluster(program, broker, remote, tmp_path):
    topic = broker.create_topic("declared", 2)
    seed, count = int(os.environ.get("FUZZ_SEED") or 41), int(os.environ.get("FUZZ_COUNT") or 1500)
    for partition in range(2):
        broker.produce(topic, awkward_documents(count // 2, seed + partition), partition)
    (tmp_path / "queries.sql").write_text(DECLARED.replace("{topic}", topic))
    settings = {"QUERIES_PATH": tmp_path / "queries.sql"}
    native = job_on(program, Lake(tmp_path / "native"), broker, {})
    clustered = job_on(program, Lake(tmp_path / "clustered"), broker, {})

    jobs = ("--job", ",".join(TABLES))
    ours = native.run(*jobs, **settings)
    sparks = clustered.run(*jobs, timeout=150, **settings, **remote)

    for table in TABLES:
        one, other = native.lake, clustered.lake
        assert rejected(one, one.rejects(table)) == rejected(other, other.rejects(table)), table
        expected, found = all_rows(one, one.table(table)), all_rows(other, other.table(table))
        assert expected == found, (table, list((expected - found).items())[:3], list((found - expected).items())[:3])
        lines = [process.lines(rf"\| {table} \| .*Batch 0 written")[0] for process in (ours, sparks)]
        counts = [re.findall(r"\b(rows|rejects|absent|records|empty|filtered|filtered_rows)=(\d+)", line) for line in lines]
        assert counts[0] == counts[1], (table, lines)
        numbers = {name: int(value) for name, value in counts[0]}
        assert numbers["rows"] == sum(expected.values())
        if table in ("one", "anyone"):
            assert min(numbers[name] for name in ("rejects", "records", "empty", "filtered", "filtered_rows")) > 0
    assert not re.search("do not add up|different number", sparks.log())

    # To the other engine, and back to the own one.
    for step, (to_native, to_clustered) in enumerate([(remote, {}), ({}, {})], 2):
        for partition in range(2):
            broker.produce(topic, awkward_documents(200, seed + 10 * step + partition), partition)
        native.run(*jobs, timeout=150, **settings, **to_native)
        clustered.run(*jobs, timeout=150, **settings, **to_clustered)
        for table in TABLES:
            one, other = native.lake, clustered.lake
            assert rejected(one, one.rejects(table)) == rejected(other, other.rejects(table)), (step, table)
            assert all_rows(one, one.table(table)) == all_rows(other, other.table(table)), (step, table)

    for run in (native, clustered):  # what Spark's batches do not say is unproven, not a fault
        run.program.run("verify", *jobs, exit_code=0, **{**run.settings, **settings})


def test_every_property_that_a_session_fixes_is_one_of_sparks(spark):
    """And takes the value: a name with a mistake would be accepted, and mean nothing."""
    source = ROOT / "src" / "streaming" / "cluster" / "spark" / "spark_session.c"
    fixed = re.findall(r'\{"(spark\.[\w.]+)", "(\w+)"\}', source.read_text())
    assert len(fixed) >= 12
    known = getattr(getattr(spark._jvm.org.apache.spark.sql.internal, "SQLConf$"), "MODULE$")
    for name, value in [*fixed, ("spark.sql.no.such", "1")]:
        entry = known.getConfigEntry(name)
        assert (entry is None) == (name == "spark.sql.no.such"), name
        if entry is not None:
            entry.valueConverter().apply(value)


# ---- what is killed -----------------------------------------------------------------------------


def test_a_worker_that_dies_in_a_batch_costs_neither_the_batch_nor_a_record(job, cluster, remote):
    count = 200000
    topic = job.create_topic(partitions=PARTITIONS)
    job.broker.generate(topic, "matches", count, PARTITIONS, "--malformed", 5)
    victim, survivor = (worker for worker in cluster.alive() if worker.executors())
    before = survivor.finished_tasks()

    process = job.start(TRIGGER="availableNow", **remote)
    table = job.lake.table("matches")
    process.wait_until(lambda: job.lake.files(table), 60, "a first file")
    assert job.lake.batches("matches") == []
    victim.kill()
    process.wait_exit(90, 0)

    (batch,) = logged_batches(process)
    assert batch["rows"] + batch["rejects"] == count and batch["rejects"] > 0
    assert survivor.finished_tasks() >= before + PARTITIONS - 1
    job.assert_exact()


@pytest.mark.timeout(300)
def test_back_and_forth_under_load_with_kills_on_both_sides_every_offset_is_there_once(
    job, connect_server, remote
):
    topic = job.create_topic(partitions=PARTITIONS)
    here = {"TRIGGER": "500 milliseconds", "MAX_OFFSETS_PER_TRIGGER": 4000}
    there = {**here, **remote}
    with job.broker.growing({"matches": topic}, 1500, PARTITIONS):

        def begin(settings, batches=2):
            process = job.start(**settings)
            wait_batches(job, process, batches)
            return process

        begin(here).stop()
        begin(there).kill()  # the query continues in Spark, and is stopped before another one begins
        connect_server.pause()
        refused = job.start(**here)
        refused.wait_exit(60, 9)
        assert refused.lines("CRITICAL.*may still")
        connect_server.resume()
        begin(here).kill()
        begin(there).stop()
        begin(here).kill()

        process = begin({**there, "SPARK_CONNECT_TIMEOUT": "8 seconds"})
        connect_server.kill()
        process.wait_exit(45, 9)
        connect_server.start()
        begin(here).stop()

    job.run(timeout=120, **remote)
    job.run()
    job.assert_exact()
    newest = job.lake.batches("matches", "offsets")[-1]
    assert job.lake.batches("matches")[-1] == newest
    assert job.lake.keys(job.lake.rejects("matches"))
    job.program.run("verify", "--job", "matches", **job.settings)


def test_a_kill_of_the_program_right_after_its_start_leaves_nothing_that_a_start_can_not_settle(
    job, remote
):
    """Somewhere between its note in the checkpoint and its first batch."""
    topic = job.create_topic(partitions=2)
    job.broker.generate(topic, "matches", 2000, 2, "--malformed", 5)
    for pause in (0.1, 0.4, 1.2, 2.5):
        process = job.start(TRIGGER="1 second", **remote)
        time.sleep(pause)
        process.kill()
    job.run(timeout=90, **remote)
    job.assert_exact()


# ---- a server of our own ------------------------------------------------------------------------


def test_on_a_local_cluster_the_topic_is_read_and_no_process_is_left(job, distribution):
    """In an environment without a locale, in which Java would have no directory for 終."""
    topic = job.create_topic(partitions=2)
    job.broker.generate(topic, "matches", 1998, 2, "--malformed", 5)
    job.produce([json.dumps({"match_id": name, "status": name}) for name in ("é", "終")])
    before = job.broker.end_offsets(topic)[1]
    job.produce(AWKWARD, partition=1)
    process = job.start(
        TRIGGER="availableNow", **own_server("local-cluster[2,1,700]", distribution)
    )
    process.wait_until(lambda: job.lake.batches("matches"), 90, "a first batch")
    started = processes.descendants(process.pid)
    process.wait_exit(60, 0)

    processes.wait_dead(started, 5)
    (batch,) = logged_batches(process)
    assert batch["rows"] + batch["rejects"] == 2000 + len(AWKWARD) and batch["absent"] == 0
    for directory, rows in ((job.lake.table("matches"), 3), (job.lake.rejects("matches"), 11)):
        found = job.lake.keys(directory)
        awkward = [offset for partition, offset in found if partition == 1 and offset >= before]
        assert len(awkward) == rows, directory
    assert not process.lines("Spark (skipped|wrote) a different number")
    for name in ("é", "終"):
        assert job.lake.files(job.lake.table("matches") / f"status={name}")
    job.assert_exact()


def test_sigterm_ends_a_server_of_our_own_in_order_and_its_application_with_it(
    job, cluster, spare
):
    topic = job.create_topic(partitions=2)
    job.broker.generate(topic, "matches", 2000, 2, "--malformed", 5)
    process = job.start(TRIGGER="1 second", **own_server(cluster.url))
    wait_batches(job, process, 1, 90)
    application = cluster.applications()[-1]
    started = processes.descendants(process.pid) | set(spare.executors())
    assert len(started) >= 2

    process.stop()

    processes.wait_dead(started, 10)
    cluster.master.wait_log(rf"Removing app {application}", 10)
    assert spare.finished_tasks(application) > 0
    job.assert_exact()


def test_sigkill_of_the_program_kills_its_server_at_once_and_the_next_start_resumes(
    job, cluster, spare
):
    topic = job.create_topic(partitions=2)
    job.broker.generate(topic, "matches", 2000, 2, "--malformed", 5)
    process = job.start(TRIGGER="1 second", **own_server(cluster.url))
    wait_batches(job, process, 1, 90)
    server, executors = processes.descendants(process.pid), spare.executors()
    assert server and executors

    process.kill()

    processes.wait_dead(server, 2)
    processes.wait_dead(executors, 15)
    job.broker.generate(topic, "matches", 500, 2, start=2000)
    job.run()
    job.assert_exact()


# ---- the way to it ------------------------------------------------------------------------------


def test_a_break_of_the_network_to_the_server_does_not_end_the_query(job, connect_server, remote):
    topic = job.create_topic(partitions=2)
    with TcpProxy(("127.0.0.1", connect_server.port)) as proxy:

        def away():
            proxy.refuse()
            time.sleep(1)
            proxy.accept()

        def silent():
            proxy.freeze()
            time.sleep(1)
            proxy.cut()
            proxy.thaw()

        remote["SPARK_MASTER_URL"] = f"sc://127.0.0.1:{proxy.port}"
        (port,) = free_ports(1)
        process = job.start(TRIGGER="500 milliseconds", SPARK_UI_PORT=port, **remote)
        web = Web(process)
        run_ids = set()
        for number, happens in enumerate([proxy.cut, away, silent, proxy.cut]):
            job.broker.generate(topic, "matches", 100, 2, start=100 * number)
            job.wait_committed(process, job.broker.end_offsets(topic), timeout=60)
            run_ids.add(web.query()["runId"])
            happens()
        committed = job.lake.batches("matches")
        process.wait_log(f"Batch {committed[-1]} written", 30)
        process.stop()

    assert len(run_ids) == 1
    assert len(process.lines("Started on Spark")) == 1
    assert [batch["batchId"] for batch in logged_batches(process)] == committed
    job.assert_exact()


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """A server that asks for a token, behind TLS: (its front, our authority, another)."""
    directory = tmp_path_factory.mktemp("guarded")
    authority = Certificates(directory, "ca")
    pair = authority.sign("server", "spark", "subjectAltName=IP:127.0.0.1")
    other = Certificates(directory, "other").authority
    with ConnectServer(directory / "connect", "local[2]", token=TOKEN) as server:
        with TlsFront(directory / "front", server, *pair) as front:
            yield front, authority.authority, other


def test_with_the_right_token_over_tls_it_runs_and_nobody_gets_to_see_the_token(job, guarded):
    front, authority, _ = guarded
    topic = job.create_topic(partitions=2)
    job.broker.generate(topic, "matches", 1000, 2, "--malformed", 5)
    settings = {"SPARK_MASTER_URL": front.url, "SSL_CERT_FILE": authority}
    process = job.run(timeout=90, **settings)
    assert logged_batches(process)
    job.assert_exact()
    explained = job.program.run("--explain", **{**job.settings, **settings})
    examined = job.program.run("doctor", "--job", "matches", **{**job.settings, **settings})
    assert examined.lines("Spark Connect session.*Spark 4.* accepts a session")
    for one in (process, explained, examined):
        assert TOKEN not in one.log() + one.errors()


@pytest.mark.parametrize("wrong", ["token", "no token", "authority", "no TLS"])
def test_a_wrong_token_or_an_unknown_authority_is_refused_in_seconds(job, guarded, wrong):
    front, authority, other = guarded
    job.create_topic()
    url = {
        "token": front.url.replace(TOKEN, "a-guess"),
        "no token": front.url.partition(";token")[0],
        "authority": front.url,
        "no TLS": f"sc://127.0.0.1:{front.port}",
    }[wrong]
    certificates = other if wrong == "authority" else authority
    patience = "2 seconds" if wrong == "no TLS" else "10 seconds"
    process = job.start(
        SPARK_MASTER_URL=url, SSL_CERT_FILE=certificates, SPARK_CONNECT_TIMEOUT=patience
    )
    process.wait_exit(9, 9)
    settings = {**job.settings, "SPARK_MASTER_URL": url, "SSL_CERT_FILE": certificates}
    examined = job.program.start("doctor", "--job", "matches", **settings)
    examined.wait_exit(30, 9)
    (line, *_) = process.lines("CRITICAL")
    cause = {"authority": "certificate", "no TLS": ""}.get(wrong, "token")
    assert cause in line.lower()
    assert TOKEN not in process.log() + process.errors()


def test_nobody_there_is_exit_code_9_with_a_message_that_names_the_place(job):
    (port,) = free_ports(1)
    job.create_topic()
    there = {"SPARK_MASTER_URL": f"sc://127.0.0.1:{port}", "SPARK_CONNECT_TIMEOUT": "3 seconds"}
    for place in (there, own_server(f"spark://127.0.0.1:{port}")):
        process = job.start(**place)
        process.wait_exit(40, 9)
        (line, *_) = process.lines("CRITICAL")
        assert str(port) in line
    job.run()  # what was refused has left nothing that a start must ask about


def test_a_node_without_the_lake_is_found_at_the_start_or_by_its_first_file_if_it_joins_later(
    job, cluster, spare, tmp_path_factory
):
    topic = job.create_topic(partitions=2)
    job.lake.root.mkdir()
    with ConnectServer(tmp_path_factory.mktemp("blind"), cluster.url) as server:
        server.wait_log("Registered executor")
        running = job.start(TRIGGER="200 milliseconds", SPARK_MASTER_URL=server.url)
        running.wait_log("Started on Spark", 60)
        blind = cluster.add_worker(hidden=job.lake.root)
        try:
            for produced in range(0, 60000, 200):  # one batch after another, for a minute
                if running.poll() is not None:
                    break
                job.broker.generate(topic, "matches", 200, 2, "--malformed", 5, start=produced)
                time.sleep(0.2)
            running.wait_exit(20, 5)
            planned = job.lake.batches("matches", "offsets")
            starting = job.start(SPARK_MASTER_URL=server.url)
            starting.wait_exit(60, 9)
        finally:
            blind.kill()
    (line, *_) = starting.lines("CRITICAL")
    assert "mount" in line and str(job.lake.root) in line
    assert job.lake.batches("matches", "offsets") == planned

    line = running.lines("CRITICAL")[-1]
    batch = re.search(r"does not mount the lake.*rewind --to-batch (\d+)", line)[1]
    job.program.run("rewind", "--job", "matches", "--to-batch", batch, **job.settings)
    job.run()
    job.assert_exact()


def test_offsets_that_retention_has_taken_end_it_as_they_do_here(job, remote):
    topic = job.create_topic()
    job.broker.generate(topic, "matches", 100)
    job.run()
    job.broker.generate(topic, "matches", 100, start=100)
    job.broker.delete_records(topic, {0: 150})

    process = job.run(exit_code=6, timeout=90, **remote)
    assert "FAIL_ON_DATA_LOSS=false" in process.lines("CRITICAL")[-1]

    job.run(FAIL_ON_DATA_LOSS="false", timeout=90, **remote)
    job.lake.assert_holds("matches", {0: 200}, absent={(0, offset) for offset in range(100, 150)})


def test_a_timestamp_that_ends_sparks_query_is_taken_by_the_own_engine_in_between(job, remote):
    limits = {f"message_timestamp_{side}_max_ms": (1 << 63) - 1 for side in ("before", "after")}
    topic = job.create_topic(**limits)
    job.produce(['{"match_id": "a"}'])
    producer = job.broker.producer()
    producer.produce(topic, '{"match_id": "b"}', timestamp=1700000000000000000)  # nanoseconds
    assert producer.flush(60) == 0

    refused = job.run(exit_code=8, timeout=90, **remote)
    job.run()
    job.produce(['{"match_id": "c"}'])
    job.run(timeout=90, **remote)

    said = refused.lines("CRITICAL")[0]
    assert "long overflow" in said and "SPARK_MASTER_URL=local[*]" in said
    job.assert_exact()
    (reject,) = job.lake.rows(job.lake.rejects("matches"))
    assert (reject["offset"], reject["reason"]) == (1, "kafka_timestamp")


# ---- what is seen -------------------------------------------------------------------------------


def test_failfast_is_refused_before_anything_is_started(job):
    process = job.start(PARSE_MODE="failfast", SPARK_MASTER_URL="spark://127.0.0.1:1")
    process.wait_exit(10, 2)
    assert re.search("PARSE_MODE.*failfast", process.errors())
    assert not job.lake.root.exists()


def test_dates_and_batches_that_wait_for_more_are_those_of_the_native_engine(job, remote, tmp_path):
    limits = {f"message_timestamp_{side}_max_ms": (1 << 63) - 1 for side in ("before", "after")}
    topic = job.create_topic(**limits)
    moments = [-1, 1774738799999, 1774738800000, 253402214399999, 253402214400000, 1700000000000000]

    def produce():
        producer = job.broker.producer()
        for moment in moments:
            producer.produce(topic, '{"match_id": "a", "status": "live"}', timestamp=moment)
        assert producer.flush(60) == 0

    job.settings |= {"MATCHES_PARTITION_BY": "ingest_date,status", "SPARK_SQL_SESSION_TIMEZONE": "Europe/Berlin"}
    produce()
    (port,) = free_ports(1)
    held = {"MIN_OFFSETS_PER_TRIGGER": 10, "MAX_TRIGGER_DELAY": "1 hour", "TRIGGER": "500 milliseconds"}
    process = job.start(LAG_INTERVAL="1 second", SPARK_UI_PORT=port, **held, **remote)
    web = Web(process)
    process.wait_log("Batch 0 written", 60)  # the first trigger of a start takes what there is
    produce()
    process.wait_until(lambda: web.query()["heldBack"] == {"offsets": 4, "until": None}, 30, "a batch that waits")
    assert web.query()["message"] == "Waiting for 4 more offsets or until MAX_TRIGGER_DELAY is over"
    produce()
    job.wait_committed(process, {0: 3 * len(moments)}, timeout=60)
    process.wait_log("Batch 1 written", 60)
    process.stop(60)

    job.assert_exact()
    here = tmp_path / "here"
    job.run(DATA_LAKE_PATH=here)

    def directories(lake):
        table = lake.table("matches")
        return {str(path.parent.relative_to(table)) for path in lake.files(table)}

    assert directories(job.lake) == directories(Lake(here))
    assert directories(job.lake) == {
        f"ingest_date={day}/status=live" for day in ("1970-01-01", "2026-03-28", "2026-03-29", "9999-12-31")
    }
    rejects = job.lake.keys(job.lake.rejects("matches"))
    assert {offset % len(moments) for _, offset in rejects} == {4, 5} and len(rejects) == 6


def test_the_api_says_of_a_query_on_a_cluster_what_it_says_of_one_here(job, connect_server, remote):
    topic = job.create_topic(partitions=2)
    odd = ["nonsense", "", '{"match_id": null}', b'\xff\x00"<script>', "[1]"]
    job.produce([*odd, '{"match_id": "a", "status": "live"}'])
    job.broker.generate(topic, "matches", 500, 2)
    (port,) = free_ports(1)
    process = job.start(TRIGGER="1 second", LAG_INTERVAL="1 second", SPARK_UI_PORT=port, **remote)
    web = Web(process)
    process.wait_log("Batch 0 written", 60)
    job.broker.generate(topic, "matches", 500, 2, start=500)
    job.wait_committed(process, job.broker.end_offsets(topic))
    process.wait_log(f"Batch {job.lake.batches('matches')[-1]} written")  # and counted

    def at_rest():
        query = web.query()
        return query["state"] == "waiting" and query["lag"]["records"] == 0 and query

    query = process.wait_until(at_rest)
    metadata = json.loads((job.lake.checkpoint("matches") / "metadata").read_text())
    rows = len(job.lake.rows(job.lake.table("matches")))
    rejects = job.lake.rows(job.lake.rejects("matches"))
    assert query["id"] == metadata["id"] and query["isActive"] and query["lastError"] is None
    assert query["runId"] and query["trigger"] == "1 second" and query["sinkLog"]
    batches, logged = web.query(view="/batches")["batches"], logged_batches(process)
    totals = query["totals"]
    assert (totals["rows"], totals["rejects"], totals["batches"]) == (rows, len(rejects), len(batches))
    assert len(batches) == len(logged) >= 2
    for batch, line in zip(batches, logged):
        for name in ("batchId", "rows", "rejects", "absent", "lost", "files", "lagAfter"):
            assert batch[name] == line[name], (name, batch, line)
    reasons = collections.Counter(row["reason"] for row in rejects)
    assert web.query(view="/rejects")["byReason"] == reasons
    lines = process.lines(r"match_stream \| (WARNING|INFO) \| \d+ records? rejected \| .* \| first=")
    told = re.findall(r"(\w+)=(\d+)", " ".join(line.split(" | ")[4] for line in lines))
    assert sum(int(count) for _, count in told) == len(rejects)
    assert {reason for reason, _ in told} == set(reasons)
    assert len(lines) == sum(batch["rejects"] > 0 for batch in batches)
    progress = web.query(view="/progress")
    assert [one["batchId"] for one in progress] == [batch["batchId"] for batch in batches]
    for one, batch in zip(progress, batches):
        (source,) = one["sources"]
        ends = source["endOffset"][topic]
        planned = job.lake.planned_ends("matches", one["batchId"])
        assert {int(key): end for key, end in ends.items()} == planned
        assert one["numInputRows"] == batch["rows"] + batch["rejects"]
    assert web.get("/readyz").status == 200 and web.get("/metrics").status == 200

    # The driver waits for Spark, and the lag is known all the same.
    assert query["lag"]["unknownSince"] is None and query["freshness"]["newestRecordAt"] is None
    connect_server.pause()
    job.broker.generate(topic, "matches", 300, 2, start=1000)
    process.wait_until(lambda: web.query()["lag"]["records"] == 300, 30, "the lag behind a Spark that hangs")
    connect_server.resume()
    job.wait_committed(process, job.broker.end_offsets(topic), timeout=60)
    process.wait_until(lambda: web.query()["lag"]["records"] == 0, 30, "the lag to be gone")

    job.produce(['{"matchId": "M1"}'] * 3)
    keys = r"keys=matchId \(3\) \| identifier=match_id \| expected=match_id, "
    process.wait_log(rf"ERROR \| No record of batch \d+ became a row.* {keys}")
    process.wait_log(r"\| rows=0 \| rejects=3 \|.*\| unknown_keys=3 \|")
    process.signal(signal.SIGTERM)
    process.wait_exit(30, 0)
    job.assert_exact()


def test_a_batch_whose_sink_log_file_lists_the_whole_table_has_its_own_files_counted(job, remote, tmp_path):
    """And a file that is gone is reported as here."""
    topic = job.create_topic()
    job.broker.generate(topic, "matches", 90, 1)
    job.run(MAX_OFFSETS_PER_TRIGGER=10)
    before = set(job.lake.files(job.lake.table("matches")))
    assert job.lake.batches("matches")[-1] == 8
    job.broker.generate(topic, "matches", 20, 1, start=90)
    gone = min(before)
    gone.rename(tmp_path / gone.name)

    process = job.run(**remote, timeout=120)

    (said,) = process.lines(r"match_stream \| ERROR \| 1 file that the sink log lists is missing from table ")
    assert gone.name in said
    (tmp_path / gone.name).rename(gone)
    (batch,) = logged_batches(process)
    assert (job.lake.table("matches") / "_spark_metadata/9.compact").exists()
    assert batch["batchId"] == 9 and batch["rows"] == 20
    assert batch["files"] == len(set(job.lake.files(job.lake.table("matches"))) - before) > 0
    job.assert_exact()
