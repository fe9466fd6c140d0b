"""How a Spark of the user's is started on a cluster: what it lacks, who does not answer, what is left
when the program is gone."""

import os
import pathlib
import re
import signal
import subprocess
import time

import pytest
from rig import processes
from rig.broker import free_ports
from rig.cluster import connector_jars, spark_home
from rig.paths import java_home

HOME = spark_home()
CLUSTER = "local-cluster[1,1,1024]"


@pytest.fixture
def settings(tmp_path):
    """On a cluster of processes of this machine, with the distribution of the tests."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    return {
        "SPARK_HOME": HOME,
        "SPARK_MASTER_URL": CLUSTER,
        "SPARK_CONF_spark_jars": connector_jars(),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_LOCAL_DIRS": tmp_path / "local",
        "SPARK_DRIVER_MEMORY": "512m",
        "SPARK_EXECUTOR_MEMORY": "512m",
        "SPARK_CONNECT_TIMEOUT": "10 minutes",  # what is reported early is reported long before
        "JAVA_HOME": java_home(),
        "TMPDIR": temporary,
    }


def start_server(job, settings, **more):
    """The program, and the pid of its Spark, once that is up."""
    process = job.start(TRIGGER="0 seconds", **{**settings, **more})
    line = process.wait_log(r"\| spark \| INFO \| Spark is up", timeout=100)
    return process, int(re.search(r"pid=(\d+)", line)[1])


def old_distribution(tmp_path):
    """What an unpacked Spark 3.5 looks like."""
    home = tmp_path / "spark-3.5.7-bin-hadoop3"
    (home / "bin").mkdir(parents=True)
    (home / "jars").mkdir()
    (home / "bin" / "spark-submit").write_text("#!/bin/sh\ntouch started\n")
    (home / "bin" / "spark-submit").chmod(0o755)
    (home / "jars" / "spark-core_2.12-3.5.7.jar").touch()
    return home


@pytest.mark.parametrize(
    ("lack", "words"),
    [
        ("home", "SPARK_HOME is not set: set it to a Spark 4 distribution"),
        ("version", "is Spark 3.5.7 for Scala 2.12, but this program needs Spark 4 for Scala 2.13"),
        ("connector", "SPARK_CONF_spark_jars_packages=org.apache.spark:spark-sql-kafka-0-10_2.13:4."),
        ("jar", "spark.jars names '/no/such/connector.jar', which does not exist"),
        ("java", "JAVA_HOME is '/no/such/java'"),
    ],
)
def test_what_is_missing_is_reported_before_anything_is_started(job, settings, tmp_path, lack, words):
    settings |= {
        "home": {"SPARK_HOME": None},
        "version": {"SPARK_HOME": old_distribution(tmp_path)},
        "connector": {"SPARK_CONF_spark_jars": None},
        "jar": {"SPARK_CONF_spark_jars": "/no/such/connector.jar"},
        "java": {"JAVA_HOME": "/no/such/java"},
    }[lack]

    process = job.run(exit_code=9, **settings)

    (line,) = process.lines(r"\| CRITICAL \|")
    assert words in line
    assert not process.lines("Starting Spark")
    assert not list(settings["TMPDIR"].iterdir())


@pytest.mark.parametrize("host", ["127.0.0.1", "no-such-host.invalid"])
def test_a_master_that_does_not_answer_is_reported_with_its_cause(job, settings, host):
    (port,) = free_ports(1)
    master = f"spark://{host}:{port}"

    process = job.run(exit_code=9, timeout=100, **{**settings, "SPARK_MASTER_URL": master})

    line = process.lines(r"\| CRITICAL \|")[-1]
    assert f"cannot reach Spark's master '{master}' (SPARK_MASTER_URL)" in line
    assert "Connection refused" in line if host == "127.0.0.1" else "UnknownHostException" in line
    # After the first attempt: Spark itself would have tried twice more, for a minute.
    assert len(process.lines(r"\| WARNING \| .*Failed to connect to master")) == 1
    assert not [command for command in processes.command_lines().values() if master in command]
    assert not list(settings["TMPDIR"].iterdir())


@pytest.fixture
def standalone_master(tmp_path):
    """Of a standalone cluster without a worker: its URL."""
    port, page = free_ports(2)
    command = [HOME / "bin" / "spark-class", "org.apache.spark.deploy.master.Master"]
    with open(tmp_path / "master.log", "wb") as log:
        process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port), "--webui-port", str(page)],
            env={**os.environ, "SPARK_HOME": str(HOME), "JAVA_HOME": java_home()},
            stdout=log,
            stderr=log,
        )
    url = f"spark://127.0.0.1:{port}"
    deadline = time.monotonic() + 60
    while f"Starting Spark master at {url}" not in (tmp_path / "master.log").read_text():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.1)
    yield url
    process.kill()
    process.wait()


def test_it_is_up_once_its_master_has_accepted_it(job, settings, standalone_master):
    job.create_topic()
    process, _ = start_server(job, settings, SPARK_MASTER_URL=standalone_master)

    up = process.lines("Spark is up")[0]
    accepted = process.lines("Connected to Spark cluster with app ID")[0]
    assert process.log().index(accepted) < process.log().index(up)


def test_what_spark_says_when_it_ends_is_the_reason(job, settings):
    process = job.run(
        exit_code=9, timeout=100, **{**settings, "SPARK_CONF_spark_driver_port": "none"}
    )

    line = process.lines(r"\| CRITICAL \|")[-1]
    assert "ended with exit code 1 before it was ready" in line
    assert "spark.driver.port" in line


def test_nothing_that_can_be_seen_has_a_secret_and_its_own_end_ends_the_program(job, settings):
    job.create_topic()
    process, server = start_server(
        job, settings, SPARK_CONF_spark_hadoop_fs_s3a_secret_key="never-to-be-seen"
    )

    environment = pathlib.Path(f"/proc/{server}/environ").read_bytes().decode()
    (token,) = re.findall(r"SPARK_CONNECT_AUTHENTICATE_TOKEN=([0-9a-f]{64})\0", environment)
    everything = "\n".join([*processes.command_lines().values(), process.log(), process.errors()])
    assert str(HOME) in everything
    assert "never-to-be-seen" not in everything
    assert token not in everything
    assert not list(settings["TMPDIR"].glob("esports-stream-*"))

    os.kill(server, signal.SIGKILL)
    process.wait_exit(60, exit_code=9)

    assert "was killed by signal 9 (KILL)" in process.lines(r"\| CRITICAL \|")[-1]
    processes.wait_dead(processes.command_lines(server), 5)
