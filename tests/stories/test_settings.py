"""The command line, settings, log and exit codes."""

import json
import re
import shutil
import subprocess

import pytest
from rig.broker import free_ports
from rig.lake import QUERIES, Lake
from rig.web import Web

LINE = re.compile(
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \| [\w.]+ \| (DEBUG|INFO|WARNING|ERROR|CRITICAL) \| .+"
)


@pytest.mark.sanitized
def test_wrong_settings_are_all_named_at_once_and_nothing_is_started(job):
    process = job.run(
        "--job",
        "sports",
        "--no-such-option",
        exit_code=2,
        KAFKA_BOOTSTRAP_SERVERS=None,
        PARSE_MODE="maybe",
        MAX_OFFSETS_PER_TRIGGER="-5",
        TRIGGER="10 parsecs",
        SPARK_DRIVER_MEMORY="much",
        PARQUET_COMPRESSION="zip",
        MATCHES_PARTITION_BY="started_at",
    )

    lines = process.errors().splitlines()
    for name in (
        "--job",
        "--no-such-option",
        "KAFKA_BOOTSTRAP_SERVERS",
        "PARSE_MODE",
        "MAX_OFFSETS_PER_TRIGGER",
        "TRIGGER",
        "SPARK_DRIVER_MEMORY",
        "PARQUET_COMPRESSION",
        "MATCHES_PARTITION_BY",
    ):
        assert len([line for line in lines if name in line]) >= 1, (name, process.tail())
    assert not job.lake.root.exists()


@pytest.mark.parametrize(
    ("settings", "code", "words"),
    [
        ({"SPARK_MASTER_URL": "spark://there"}, 2, "spark://HOST:PORT"),
        ({"SPARK_MASTER_URL": "everywhere"}, 2, "SPARK_MASTER_URL"),
        ({"SPARK_MASTER_URL": "yarn", "PARSE_MODE": "failfast"}, 2, "PARSE_MODE"),
        ({"SPARK_MASTER_URL": "yarn", "SINK_LOG": "off"}, 2, "SINK_LOG"),
        ({"SPARK_MASTER_URL": "yarn", "SPARK_CONF_spark_master": "x"}, 2, "spark.master"),
        ({"DATA_LAKE_PATH": "s3a://bucket/data"}, 2, "s3a"),
        ({"SPARK_DRIVER_MEMORY": "16m"}, 2, "SPARK_DRIVER_MEMORY"),
        ({"KAFKA_CONF_ENABLE_AUTO_COMMIT": "true"}, 2, "enable.auto.commit"),
        ({"KAFKA_CONF_NO_SUCH_THING": "1"}, 2, "no.such.thing"),
        ({"KAFKA_CONF_fetch_wait_max": "5"}, 2, "KAFKA_CONF_fetch_wait_max (environment): "),
        ({"KAFKA_TOPIC_PLAYERS": "same", "KAFKA_TOPIC_MATCHES": "same"}, 2, "same"),
        ({"STARTING_OFFSETS": "noon"}, 2, "STARTING_OFFSETS"),
        ({"KAFKA_BOOTSTRAP_SERVERS": "http://127.0.0.1:1"}, 2, "is not one of Kafka's protocols"),
        ({"DATA_LAKE_PATH": "~/lake"}, 2, "'~' is not expanded here"),
        ({"CHECKPOINT_PATH": "$HOME/lake"}, 2, "variables are not expanded here"),
        ({"PROCESSED_DATA_PATH": '"/data"'}, 2, "the quotes are part of the value"),
    ],
)
def test_a_setting_that_cannot_be_obeyed_is_refused(job, settings, code, words):
    for command in (), ("--explain",), ("doctor",):  # all three make the same checks
        process = job.run(*command, "--job", "all", exit_code=code, **settings)

        assert words in process.errors() + process.log()


def test_a_lake_that_is_a_file_is_refused(job):
    for words in (), ("--explain",), ("tail", "--job", "matches"), ("rewind", "--to-batch", "1", "--job", "matches"):
        process = job.run(*words, exit_code=2, DATA_LAKE_PATH="/etc/hostname")

        assert "DATA_LAKE_PATH (environment): '/etc/hostname' is not a directory" in process.errors()


@pytest.mark.parametrize("words", [("--for", "3s"), ("--demo", "--for", "3s"), ("--live",)])
def test_what_only_the_demo_does_starts_no_run(job, words):
    process = job.run(*words, exit_code=2)

    assert f"{words[-2] if '--for' in words else words[-1]} can only be used with --demo" in process.errors()
    assert not job.lake.root.exists()


def test_help_for_what_does_not_exist_names_it(program):
    process = program.start("help", "rejects", "foo")
    process.wait_exit(30, 2)
    assert "'rejects foo' is neither a command nor a topic" in process.errors()


@pytest.mark.parametrize("option", ["--data-lake-path", "--kafka-topic-matches"])
def test_an_option_without_a_value_is_refused_by_name(job, option):
    process = job.run(option, "", exit_code=2)

    assert f"({option}): invalid value '' (expected" in process.errors()


def test_brokers_can_have_a_protocol_and_a_trailing_comma(job):
    job.create_topic()
    job.produce(['{"match_id": "M1"}'])

    job.run(KAFKA_BOOTSTRAP_SERVERS=f"PLAINTEXT://{job.broker.bootstrap}, ,")

    job.assert_exact()


def test_a_flag_overrides_the_environment_which_overrides_the_file(job, tmp_path):
    job.create_topic()
    job.produce(['{"match_id": "M1"}'])
    file = tmp_path / "settings.env"
    file.write_text("# our settings\nTRIGGER='10 seconds'\nPARQUET_COMPRESSION=zstd\nLOG_LEVEL=ERROR\n")

    # TRIGGER: file < environment (availableNow, or it would not end) < flag.
    job.run("--env-file", str(file), "--trigger", "availableNow", TRIGGER="0 seconds")

    (path,) = job.lake.files(job.lake.table("matches"))
    assert path.name.endswith(".zstd.parquet")


def test_help_version_and_explain_start_nothing(job):
    help_text = job.run("--help").log()
    for name in ("--job", "--demo", "status", "rejects show", "help settings"):
        assert name in help_text
    lines = help_text.splitlines()
    assert len(lines) < 50 and max(map(len, lines)) <= 80  # one screen
    assert "\nExit codes" not in help_text
    settings = job.program.run("help", "settings").log()
    for name in ("--job", "--trigger", "--for", "MAX_OFFSETS_PER_TRIGGER", "PARSE_MODE"):
        assert name in settings
    assert "A second SIGINT" in job.program.run("help", "exit-codes").log()
    assert re.search(r"\d+\.\d+\.\d+", job.run("--version").log())

    explained = job.run(
        "--explain", "--job", "all", KAFKA_SASL_PASSWORD="hunter2", KAFKA_BOOTSTRAP_SERVERS="x:1"
    ).log()

    for word in ("MAX_OFFSETS_PER_TRIGGER", "environment", "default", "match_id", "local"):
        assert word in explained, word
    assert "hunter2" not in explained
    assert not job.lake.root.exists()


def test_a_call_without_settings_says_what_is_missing_and_how_to_begin(program):
    process = program.start()
    process.wait_exit(30, 2)
    said = process.errors()
    assert "KAFKA_BOOTSTRAP_SERVERS" in said and "esports-stream --demo" in said and "esports-stream --help" in said


@pytest.mark.parametrize(
    ("arguments", "settings", "kinds"),
    [
        (["--job", "all"], {}, {"matches", "players"}),
        (["--job", "matches", "--job", "players"], {}, {"matches", "players"}),
        (["--job", "match_stream"], {}, {"matches"}),
        (["--job", "players"], {}, {"players"}),
        (["--job", "players", "--await-termination"], {}, {"players"}),
        ([], {"name": "match_stream"}, {"matches"}),
        ([], {"name": "player_stream"}, {"players"}),
    ],
)
def test_a_job_runs_the_queries_that_it_names(job, arguments, settings, kinds):
    job.create_topics()
    job.produce(['{"match_id": "M1"}'])
    job.produce(['{"player_id": "P1"}'], kind="players")

    job.run(*arguments, **settings)

    assert {kind for kind in job.topics if job.lake.batches(kind)} == kinds


def test_a_misspelt_name_in_an_env_file_is_a_warning(job, tmp_path):
    """Also in a command, which would otherwise silently use another lake."""
    job.create_topic()
    file = tmp_path / "our.env"
    file.write_text("TRIGER=1 minute\nJAVA_HOME=/java\n")

    for words in (), ("tail", "--job", "matches"):
        process = job.run(*words, "--env-file", file)
        said = process.log() + process.errors()
        assert f"WARNING | unknown setting TRIGER ({file}:1) ignored; did you mean TRIGGER?" in said
        assert f"WARNING | unknown setting JAVA_HOME ({file}:2) ignored\n" in said


def test_a_default_lake_is_a_warning(job):
    """As a user who, unlike root, may not create the default directory."""
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    process = job.start(under=nobody, DATA_LAKE_PATH=None)
    process.wait_exit(60, 2)

    default = "/workspaces/esport-bigdata-pipeline/data"
    assert process.lines(f"WARNING .*DATA_LAKE_PATH is not set: data goes to the default path '{default}'")
    assert process.lines("CRITICAL .*Permission denied.*DATA_LAKE_PATH is not set.*: set it to a directory")


def test_the_log_has_the_wording_of_the_original_job(job):
    job.create_topics()
    job.produce(['{"match_id": "M1"}'])

    process = job.run("--job", "all")

    topic = job.topics["matches"]
    assert process.lines(rf"Initialized MatchStreamProcessor for topic: {topic}")
    assert process.lines(r"\| match_stream \| INFO \| Batch 0 written successfully \| batch_id=0")
    assert [line for line in process.log().splitlines() if not LINE.fullmatch(line)] == []


def test_an_idle_run_logs_where_data_comes_from_and_goes_to_and_then_only_its_status(job):
    job.create_topics()
    process = job.start("--job", "all", TRIGGER="500 milliseconds", STATUS_INTERVAL="1s", LOG_LEVEL="INFO")
    status = r"main \| INFO \| Query %s status \| is_active=True \| is_data_available=False \| message=.+"
    for query in QUERIES.values():
        process.wait_log(status % query, count=5)
    process.stop()

    start = [r"main \| INFO \| esports-stream \S+ \| engine=native \|.*"]
    for kind, query in QUERIES.items():
        lake, topic = job.lake, re.escape(job.topics[kind])
        places = rf"table={lake.table(kind)} \| rejects={lake.rejects(kind)} \| checkpoint={lake.checkpoint(kind)}"
        start += [
            rf"{query} \| INFO \| Reading from Kafka \| brokers={job.broker.bootstrap} \| topic={topic}",
            rf"{query} \| INFO \| Writing to the lake \| {places}",
            rf"{query} \| INFO \| Initialized \w+ for topic: {topic}",
            rf"{query} \| INFO \| Table care \| compact=off \|.*",
            rf"{query} \| INFO \| New query: no checkpoint yet \| topic={topic} \|.*",
        ]
    lines = [line.split(" | ", 1)[1] for line in process.log().splitlines()]
    for wanted in start:
        (found,) = [line for line in lines if re.fullmatch(wanted, line)]
        lines.remove(found)
    idle = [line for line in lines if not re.fullmatch(status % r"\w+", line)]
    assert len(idle) <= 4 and "Stopping after the running batches" in idle[0], idle  # the end of each query and of the program


def test_changes_of_status_are_logged_at_debug(job):
    job.create_topics()
    process = job.start("--job", "all", TRIGGER="1 second", STATUS_INTERVAL="1 hour")
    process.wait_log(r"Query match_stream status \| is_active=True \| is_data_available=False \|")
    job.produce(['{"match_id": "M1"}'] * 1000)

    process.wait_log(r"DEBUG \| Query match_stream status \| is_active=True \| is_data_available=True \|")
    process.stop()


def test_awaiting_termination_logs_no_status(job):
    job.create_topic()
    job.produce(['{"match_id": "M1"}'])
    process = job.start("--await-termination", TRIGGER="0 seconds", STATUS_INTERVAL="1s")
    job.wait_committed(process, {0: 1})
    process.stop()

    assert process.lines("status \\| is_active") == []


def test_the_log_can_be_json(job):
    job.create_topic()
    job.produce(['{"match_id": "M1"}', "bad\u2028\x07"])

    process = job.run(LOG_FORMAT="json")

    events = [json.loads(line) for line in process.log().splitlines()]
    (written,) = [one for one in events if "written successfully" in one["message"]]
    assert (written["logger"], written["level"]) == ("match_stream", "INFO")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT.*(Z|\+00:00)", written["timestamp"])
    assert str(written["batch_id"]) == "0"


def test_foreign_kafka_variables_are_named_once_and_ignored(job):
    job.create_topic()
    job.produce(['{"match_id": "M1"}'])

    process = job.run(KAFKA_PORT_9092_TCP_ADDR="10.0.0.1", KAFKA_HEAP_OPTS="-Xmx1g")

    assert len(process.lines("KAFKA_PORT_9092_TCP_ADDR")) == 1
    assert process.lines(r"\| INFO \|.*KAFKA_HEAP_OPTS")


def test_librdkafka_gets_its_properties_from_the_environment(job):
    job.create_topic()
    job.produce(['{"match_id": "M1"}'])

    job.run(KAFKA_CONF_CLIENT_ID="stories", KAFKA_CONF_FETCH_WAIT_MAX_MS="50")

    job.assert_exact()


@pytest.mark.sanitized
def test_the_demo_runs_to_its_end_and_shows_what_it_made(program, tmp_path):
    lake = tmp_path / "demo"

    shown = program.run("--demo", "--data-lake-path", str(lake), timeout=60).log()

    for word in ("finished", "Support", "malformed", "duckdb", "pandas", "spark", str(lake)):
        assert word.lower() in shown.lower(), (word, shown)
    for part in ("processed/matches", "processed/players", "rejected/matches"):
        assert list((lake / part).glob("**/*.parquet")), part
    assert not re.findall(r"\| (?:INFO|WARNING|ERROR) \|", shown)  # the log is shown only on request
    (blank, null) = (re.search(rf"{reason} +\d+ +(.*)\n", shown)[1] for reason in ("blank_value", "null_value"))
    assert blank.endswith(r"\t\r\n") and null == "(null)"


def test_the_next_steps_that_the_demo_prints_work_as_printed(program, tmp_path):
    shown = program.run("--demo", "--data-lake-path", str(tmp_path / "demo"), "--log-level", "INFO", timeout=60).log()

    assert "written successfully" in shown
    look = re.search(r"Next: .*?\n\n((?:  .*\n)+)", shown)[1]
    done = subprocess.run(["bash", "-euc", look], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for word in ("ESPORTSTMNT-", "blank_value", "ESPORTSTMNT-00000039"):
        assert word in done.stdout, (word, done.stdout)
    assert f"{program.binary} --demo --live" in shown


@pytest.mark.sanitized
def test_a_live_demo_runs_a_stream_and_its_page_until_its_time_is_over(program, tmp_path):
    lake = Lake(tmp_path / "demo")
    (port,) = free_ports(1)
    words = ["--demo", "--live", "--for", "6s", "--data-lake-path", str(lake.root)]
    process = program.start(*words, SPARK_UI_PORT=port)
    process.wait_log(rf"Status page:  http://127\.0\.0\.1:{port}$")
    assert "<html" in Web(process, port=port).get("/").text.lower()
    process.wait_until(lambda: len(lake.batches("matches")) >= 2, 20, "two batches")

    process.wait_exit(30, 0)

    rows = re.search(r"matches: (\d+) rows", process.log())[1]
    assert int(rows) > 2000  # more than at the start
    assert "--demo --live" not in process.log()


def test_a_checkpoint_whose_table_has_disappeared_stops_the_query(job):
    job.create_topic()
    job.produce(['{"match_id": "M1"}'])
    job.run()
    shutil.rmtree(job.lake.checkpoint("matches"))

    process = job.run(exit_code=5)

    assert process.lines("CRITICAL")
