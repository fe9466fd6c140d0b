"""The commands other than running the queries: what they print, for people and for programs, is true."""

import base64
import fcntl
import json
import os
import pathlib
import platform
import pty
import re
import select
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import termios
import time

import pytest
from rig.broker import free_ports

ROOT = pathlib.Path(__file__).resolve().parents[2]
KIND = "matches"
GOOD = [json.dumps({"match_id": f"m{n}", "status": "live", "team_1_kills": n}) for n in range(20)]
BAD = b'{"match_id": "cut \x1b[31m\xff'


@pytest.fixture
def played(job):
    """Twenty rows in two batches, and four rejects in the second."""
    job.create_topic(partitions=2)
    job.produce(GOOD[:10])
    job.run()
    job.produce(GOOD[10:], partition=1)
    job.produce(["[1]", BAD, "{}", b" "], partition=0)
    job.run()
    return job


SIGNALS_BOTH = {signal.SIGINT, signal.SIGTERM}


def caught(pid):
    """Which of the two signals the process has a handler for."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    (mask,) = re.findall(r"SigCgt:\s*(\w+)", status)
    return {one for one in SIGNALS_BOTH if int(mask, 16) >> (one - 1) & 1}


def command(job, *arguments, **settings):
    return job.start(*arguments, "--job", KIND, **settings)


def ask(job, *arguments, exit_code=0, **settings):
    """What the command printed to stdout."""
    process = command(job, *arguments, **settings)
    process.wait_exit(60, exit_code)
    return process.log()


def ask_json(job, *arguments, **settings):
    """Its output as JSON; accepts `exit_code` too."""
    return [json.loads(line) for line in ask(job, *arguments, "--json", **settings).splitlines()]


def refused(job, *arguments, exit_code, **settings):
    """What the command wrote to stderr; it writes nothing to stdout."""
    process = command(job, *arguments, **settings)
    process.wait_exit(60, exit_code)
    assert process.log() == ""
    return process.errors()


# ---- tail ----


@pytest.mark.sanitized
def test_tail_shows_the_newest_rows_with_all_columns(played):
    rows = ask_json(played, "tail", "--rows", "12")
    table = {(row["partition"], row["offset"]): row for row in played.lake.rows(played.lake.table(KIND))}
    assert [row["match_id"] for row in rows][-10:] == [f"m{n}" for n in range(10, 20)]
    for row in rows:
        other = table[row["partition"], row["offset"]]
        assert row.keys() == other.keys()
        for name, value in other.items():
            shown = value.strftime("%Y-%m-%dT%H:%M:%S") if hasattr(value, "strftime") else value
            assert row[name] == shown or row[name].startswith(shown), name

    text = ask(played, "tail", "--rows", "3")
    lines = text.splitlines()
    assert lines[0].split()[:2] == ["match_id", "status"] and len(lines) == 4
    assert lines[-1].split()[0] == "m19" and "\x1b" not in text


def test_years_beyond_four_digits_are_printed_as_in_iso_8601(job):
    job.create_topic()
    years = ["-0001", "0000", "9999", "+10000"]
    job.produce([json.dumps({"match_id": year, "started_at": f"{year}-01-01T00:00:00Z"}) for year in years])
    job.run()
    printed = {row["match_id"]: row["started_at"] for row in ask_json(job, "tail")}
    assert printed == {year: f"{year}-01-01T00:00:00Z" for year in years}


def test_tail_follows_the_commits_until_ctrl_c(played):
    tail = command(played, "tail", "--rows", "1", "--follow", "--json")
    tail.wait_log('"m19"')
    played.produce([json.dumps({"match_id": "fresh", "status": "finished"})])
    played.run()
    assert json.loads(tail.wait_log("fresh"))["status"] == "finished"
    tail.signal(signal.SIGINT)
    tail.wait_exit(30, 0)
    assert len(tail.log().splitlines()) == 2 and tail.errors() == ""


def test_a_second_ctrl_c_ends_tail_while_nobody_reads_it(played):
    reader, writer = os.pipe()
    os.write(writer, bytes(fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)))
    tail = command(played, "tail", "--follow", output=writer)
    # Once it has handled the first signal, it has printed and blocks in write().
    for left in (SIGNALS_BOTH, SIGNALS_BOTH - {signal.SIGINT}):
        tail.wait_until(lambda expected=left: caught(tail.pid) == expected, what="its signals")
        tail.signal(signal.SIGINT)
    tail.wait_exit(30, -signal.SIGINT)
    os.close(writer)
    os.close(reader)


@pytest.mark.timeout(300)
def test_tail_follows_spark(played, spark4):
    played.broker.generate(played.topics[KIND], KIND, 40, 2)
    tail = command(played, "tail", "--rows", "0", "--follow", "--json")
    spark4.run_job(played)
    # Only offsets after our own 20 records and 4 rejects.
    wanted = set(played.lake.keys(played.lake.table(KIND))) - {(0, n) for n in range(10)}
    wanted -= {(1, n) for n in range(10)}
    tail.wait_until(lambda: len(tail.log().splitlines()) == len(wanted), 30, "Spark's rows")
    rows = [json.loads(line) for line in tail.log().splitlines()]
    assert {(row["partition"], row["offset"]) for row in rows} == wanted
    tail.stop()


def test_a_reader_that_goes_away_ends_a_command_quietly(played):
    settings = {key: str(value) for key, value in played.settings.items()}
    for words in (["sample", "--rows", "1000000"], ["tail", "--follow"]):
        words = [played.program.binary, *words, "--job", KIND]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": settings}
        with subprocess.Popen(words, **pipes) as process:
            assert process.stdout.readline() != b""
            process.stdout.close()
            assert process.stderr.read() == b""
            assert process.wait(30) == 0


# ---- rejects ----


@pytest.mark.sanitized
def test_rejects_are_counted_by_the_key_that_is_asked_for(played):
    (found,) = ask_json(played, "rejects", "ls")
    assert found["rejects"] == 4
    wanted = {"not_an_object": 1, "malformed_json": 1, "missing_identifier": 1, "blank_value": 1}
    assert found["byReason"] == wanted
    place = {"partition": 0, "rejects": 4, "firstOffset": 10, "lastOffset": 13}
    assert place.items() <= found["byPartition"][0].items()
    assert [one["offset"] for one in found["newest"]] == [13, 12, 11, 10]
    assert base64.b64decode(found["newest"][2]["valueBase64"]) == BAD

    text = ask(played, "rejects", "ls", "--reason", "malformed_json")
    assert "0:11" in text and "not_an_object" not in text and "\x1b" not in text

    for options, count in (
        (["--partition", "0", "--offsets", "12.."], 2),
        (["--offsets", "..11"], 2),
        (["--offsets", "11"], 1),
        (["--partition", "1"], 0),
        (["--since", "1h"], 4),
        (["--until", "1h"], 0),
        (["--since", "2020-01-01", "--until", "2021-01-01T00:00:00Z"], 0),
    ):
        assert ask_json(played, "rejects", "ls", *options)[0]["rejects"] == count, options
    assert "--since: invalid value 'noon' (expected a timestamp" in refused(
        played, "rejects", "ls", "--since", "noon", exit_code=2
    )


@pytest.mark.sanitized
def test_the_bytes_of_a_reject_are_shown_safely_as_json_or_raw(played):
    text = ask(played, "rejects", "show", "0:11")
    assert "malformed_json" in text and "\x1b" not in text
    assert r"\x1b[31m\xff" in text

    (found,) = ask_json(played, "rejects", "show", "0:11")
    assert base64.b64decode(found["valueBase64"]) == BAD and found["valueSize"] == len(BAD)

    words = [played.program.binary, "rejects", "show", "0:11", "--job", KIND, "--raw"]
    settings = {key: str(value) for key, value in played.settings.items()}
    assert subprocess.run(words, env=settings, capture_output=True, check=True).stdout == BAD

    said = refused(played, "rejects", "show", "0:3", exit_code=2)
    assert "partition 0, offset 3" in said and "rejects ls" in said
    assert "PARTITION:OFFSET" in refused(played, "rejects", "show", "three", exit_code=2)


# ---- checkpoint, status ----


@pytest.mark.sanitized
def test_checkpoint_show_says_the_query_s_position_and_who_runs_it(played):
    (found,) = ask_json(played, "checkpoint", "show")
    assert found["lock"] == {"held": False, "holder": None}
    assert found["offsets"]["newest"] == found["commits"]["newest"] == 1
    assert found["commits"]["by"] == "esports-stream"
    sums = {name: sum(one[name] for one in found["partitions"]) for name in ("rows", "rejects")}
    assert sums == {"rows": 20, "rejects": 4}
    assert found["next"] == "the next start plans the next batch" and found["faults"] == []

    query = played.start(TRIGGER="0 seconds")
    played.wait_committed(query, {0: 14, 1: 10})
    held = played.lake.checkpoint(KIND) / "lock"
    query.wait_until(lambda: str(query.pid) in held.read_text(), 30, "its name in the lock")
    (found,) = ask_json(played, "checkpoint", "show")
    assert found["lock"]["held"] and f"pid={query.pid} " in found["lock"]["holder"]
    assert found["state"] is None  # a moment between two steps is not shown as a state
    query.stop()

    (played.lake.checkpoint(KIND) / "offsets" / "1").write_text("v1\n{")
    process = command(played, "checkpoint", "show")
    process.wait_exit(30, 5)
    assert "offsets/1' cannot be used" in process.log()


def test_an_unfinished_rewind_is_named_where_its_plans_are_missing(played):
    newest = max(played.lake.batches(KIND, "offsets"))
    (played.lake.checkpoint(KIND) / "offsets" / str(newest)).unlink()
    process = command(played, "verify")
    process.wait_exit(30, 5)
    assert "is missing: restore it from a backup" in process.errors()
    (played.lake.checkpoint(KIND) / "rewind").write_text("")
    process = command(played, "verify")
    process.wait_exit(30, 5)
    assert "a rewind is not finished" in process.errors() and "backup" not in process.errors()


def test_checkpoint_show_says_what_a_start_would_refuse(played):
    (played.lake.checkpoint(KIND) / "metadata").unlink()
    (played.lake.checkpoint(KIND) / "rewind").write_text("")
    text = ask(played, "checkpoint", "show")
    assert "none: the query has not started yet" in text


@pytest.mark.sanitized
def test_status_shows_what_the_running_process_does(played):
    (found,) = ask_json(played, "status", exit_code=10)
    assert (found["running"], found["ready"], found["status"]) == (False, False, None)
    assert found["health"] == "stopped"
    assert found["checkpoint"]["commits"]["newest"] == 1
    assert "match_stream: not running. From its checkpoint:" in ask(played, "status", exit_code=10)

    token = "a-token-of-some-length"
    (port,) = free_ports(1)
    query = played.start(TRIGGER="0 seconds", UI_TOKEN=token, SPARK_UI_PORT=port)
    query.wait_log("Successfully started service 'SparkUI'")
    played.produce([json.dumps({"match_id": "more"})] * 5)
    played.wait_committed(query, {0: 19, 1: 10})

    def settled():
        (found,) = ask_json(played, "status", UI_TOKEN=token)
        newest = found["status"]["newestBatch"]
        lag = found["status"]["lag"]["records"]
        return newest and newest["batchId"] == 2 and lag == 0 and found

    found = query.wait_until(settled, 30, "the batch in its status")
    assert (found["running"], found["ready"], found["reason"]) == (True, True, None)
    assert found["health"] == found["status"]["health"]["state"] == "healthy"
    assert found["status"]["totals"]["rows"] == 5
    text = ask(played, "status", UI_TOKEN=token)
    assert re.search(r"batch +2, committed at \S+Z: 5 rows, 0 rejects", text), text
    assert "lag         0 records" in text and f"pid={query.pid} " in text

    (found,) = ask_json(played, "status", exit_code=11)  # without the token
    assert found["running"] and not found["ready"] and "UI_TOKEN" in found["reason"]
    assert found["health"] == "unknown"
    query.pause()
    (found,) = ask_json(played, "status", UI_TOKEN=token, exit_code=11)
    assert found["running"] and "does not respond" in found["reason"]
    query.resume()
    query.stop()
    assert ask_json(played, "status", exit_code=10)[0]["running"] is False


def test_status_of_a_process_without_a_port_is_what_the_checkpoint_says(played):
    query = played.start(TRIGGER="0 seconds", SPARK_UI_PORT="0")
    played.wait_committed(query, {0: 14, 1: 10})
    query.wait_log("Resuming from the checkpoint")
    text = ask(played, "status")
    assert "It has no HTTP port" in text and f"pid={query.pid} " in text
    query.stop()


def test_looking_commands_know_what_the_checkpoint_knows(job, tmp_path):
    """Topic, paths and partition columns of a run come from its checkpoint unless they are set."""
    table, columns = tmp_path / "fast", "status,match_id"
    job.create_topic()
    job.produce([*GOOD[:5], "[1]"])
    job.run(PROCESSED_DATA_PATH=table, MATCHES_PARTITION_BY=columns)
    bare = dict.fromkeys(["KAFKA_TOPIC_MATCHES", "KAFKA_TOPIC_PLAYERS", "DATA_LAKE_PATH"])
    bare |= {"CHECKPOINT_PATH": job.lake.root / "checkpoints"}

    (found,) = ask_json(job, "checkpoint", "show", **bare)
    assert found["origins"] == dict.fromkeys(["topic", "table", "rejects"], "checkpoint")
    assert (found["topic"], found["faults"]) == (job.topics[KIND], [])
    assert found["table"]["path"] == f"{table}/{KIND}"
    assert found["next"] == "the next start plans the next batch"
    (found,) = ask_json(job, "status", exit_code=10, **bare)
    assert found["checkpoint"]["faults"] == [] and found["checkpoint"]["topic"] == job.topics[KIND]
    assert [row["match_id"] for row in ask_json(job, "tail", **bare)] == [f"m{n}" for n in range(5)]
    assert ask_json(job, "rejects", "ls", **bare)[0]["rejects"] == 1
    assert ask_json(job, "rejects", "show", "0:5", **bare)[0]["reason"] == "not_an_object"
    assert ask_json(job, "rejects", "replay", "--dry-run", **bare)[0]["unresolved"] == 1
    process = command(job, "verify", **bare)
    process.wait_exit(60, 0)
    assert "every offset is present exactly once" in process.log()
    assert f"The topic is '{job.topics[KIND]}', as the checkpoint says" in process.errors()
    assert "KAFKA_TOPIC_MATCHES is not set" in process.errors()
    assert "a run without it would use 'esports-matches'" in process.errors()

    # An explicit setting takes precedence, and the contradiction is reported.
    process = command(job, "checkpoint", "show", **bare | {"KAFKA_TOPIC_MATCHES": "another"})
    process.wait_exit(60, 5)
    assert f"but the checkpoint says '{job.topics[KIND]}'; KAFKA_TOPIC_MATCHES is set" in process.errors()
    assert "but the query reads 'another': set the topic back" in process.log()
    (found,) = ask_json(job, "checkpoint", "show", **bare | {"DATA_LAKE_PATH": job.lake.root})
    assert found["origins"]["rejects"] == "setting" and found["faults"] == []


def test_a_copied_lake_is_not_read_at_its_old_path(played, tmp_path):
    copy = shutil.copytree(played.lake.root, tmp_path / "copy")
    said = refused(played, "tail", exit_code=5, DATA_LAKE_PATH=copy)
    assert f"'{copy}/processed/{KIND}'" in said and "relocate" in said
    status = command(played, "status", DATA_LAKE_PATH=copy)
    status.wait_exit(60, 10)
    (fault,) = [line for line in status.log().splitlines() if "fault: " in line]  # once
    assert re.search(r"manifests/\d+': if the lake was moved, run `esports-stream relocate`", fault), fault
    one = findings(played, exit_code=5, DATA_LAKE_PATH=copy)["checkpoint match_stream"]
    assert one["fix"].startswith("if the lake was moved, run `esports-stream relocate --job matches`"), one


def test_a_lake_that_does_not_exist_is_not_taken_for_a_new_one(played, tmp_path):
    nowhere = tmp_path / "nowhere"
    said = refused(played, "tail", exit_code=5, DATA_LAKE_PATH=nowhere)
    assert f"'{nowhere}/checkpoints/match_stream' does not exist: check DATA_LAKE_PATH" in said
    status = command(played, "status", DATA_LAKE_PATH=nowhere)
    status.wait_exit(60, 10)
    assert "the checkpoint's directory does not exist" in status.log()
    assert "is not set" not in status.errors()

    # In a shell without the setting.
    status = command(played, "status", DATA_LAKE_PATH=None)
    status.wait_exit(60, 10)
    default = "/workspaces/esport-bigdata-pipeline/data"
    (line,) = [line for line in status.errors().splitlines() if "DATA_LAKE_PATH is not set" in line]
    assert f"the default path '{default}' is used" in line
    assert ("WARNING" in line and ", which does not exist; set" in line) == (
        not pathlib.Path(default).exists()
    )
    one = findings(played, DATA_LAKE_PATH=None)["DATA_LAKE_PATH"]
    assert one["verdict"] == "WARN" and one["text"].startswith("not set: data goes to the default path")


# ---- schema, sample ----


@pytest.mark.timeout(240)
def test_schema_is_what_spark_reads(played, spark):
    from pyspark.sql.types import StructType

    table = spark.read.parquet(str(played.lake.table(KIND))).schema
    wanted = {field.name: field.dataType for field in table}
    ddl = StructType.fromDDL(ask(played, "schema"))
    assert {field.name: field.dataType for field in ddl} == wanted
    (line,) = ask(played, "schema", "--format", "json").splitlines()
    struct = StructType.fromJson(json.loads(line))
    assert {field.name: field.dataType for field in struct} == wanted
    assert [field.nullable for field in struct] == [field.nullable for field in ddl]
    assert "## processed/matches" in ask(played, "schema", "--format", "markdown")


def test_samples_are_records_that_become_rows(job):
    job.create_topic()
    lines = ask(job, "sample", "--rows", "40", "--seed", "7").splitlines()
    assert len(lines) == 40 and all(json.loads(line) for line in lines)
    assert lines == ask(job, "sample", "--rows", "40", "--seed", "7").splitlines()
    assert lines[1:] != ask(job, "sample", "--rows", "40").splitlines()[1:]
    job.produce(lines)
    job.run()
    assert len(ask_json(job, "tail", "--rows", "40")) >= 38


def test_verify_says_the_same_to_programs(played):
    (found,) = ask_json(played, "verify")
    assert (found["query"], found["topic"]) == ("match_stream", played.topics[KIND])
    assert (found["throughBatch"], found["proven"], found["faults"], found["missing"]) == (1, True, 0, 0)
    ends = {one["partition"]: (one["start"], one["end"]) for one in found["partitions"]}
    assert ends == {0: (0, 14), 1: (0, 10)}
    assert sum(one["rows"] for one in found["partitions"]) == 20
    assert found["read"]["bySinkLog"] and found["findings"] == []

    gone = min(played.lake.table(KIND).glob("*=*/*.parquet"))
    gone.rename(played.lake.root / "gone")
    (found,) = ask_json(played, "verify", exit_code=5)
    assert not found["proven"] and found["faults"] == found["counts"]["wrong"] + found["counts"]["missing"]
    assert any(one["kind"] == "wrong" and gone.name in one["text"] for one in found["findings"])
    assert found["missing"] == 10


# ---- doctor ----


def findings(job, *arguments, exit_code=0, **settings):
    found = ask_json(job, "doctor", *arguments, exit_code=exit_code, **settings)
    return {one["check"]: one for one in found}


def verdicts(found, *checks):
    return [found[check]["verdict"] for check in checks]


@pytest.mark.sanitized
def test_the_doctor_finds_nothing_wrong_with_a_healthy_lake(played):
    topic, root, table = played.topics[KIND], played.lake.root, played.lake.table(KIND)
    before = sorted(root.glob("**/*"))
    found = findings(played)
    assert verdicts(
        found,
        f"broker {played.broker.bootstrap}",
        "isolation",
        f"topic {topic}",
        f"newest record {topic}",
        f"progress {topic}",
        f"writable {root}/checkpoints",
        f"sync {root}",
        "file limit",
        "checkpoint match_stream",
        f"compaction {table}",
        f"compaction {played.lake.rejects(KIND)}",
        f"files {table}",
    ) == ["OK"] * 12
    files, directories = len(played.lake.files(table)), len(list(table.glob("status=*")))
    assert found[f"files {table}"]["text"] == (
        f"{files} files, {files} of them small; a compaction would leave {directories}"
    )
    assert "the file system can exchange and link files (COMPACT and" in found[f"compaction {table}"]["text"]
    assert "2 partitions, 24 offsets" in found[f"topic {topic}"]["text"]
    assert found[f"progress {topic}"]["text"].startswith("0 offsets")
    assert sorted(root.glob("**/*")) == before  # it leaves nothing behind


def test_the_doctor_names_dates_that_never_expire_and_old_pins(job):
    job.create_topic()
    job.settings["MATCHES_PARTITION_BY"] = "ingest_date"
    for when in (0, 978307200):  # now; 2001-01-01
        job.broker.produce(job.topics[KIND], GOOD[:6], when_ms=1000 * when)
    job.run(MAX_OFFSETS_PER_TRIGGER=1)  # twelve batches: the sink log has a compact file
    table = job.lake.table(KIND)
    before = sorted(job.lake.root.glob("**/*"))
    found = findings(job, RETENTION="30 days")[f"retention {table}"]
    assert found["verdict"] == "WARN" and "producers' clocks" in found["fix"]
    assert "will never expire" in found["text"] and "ingest_date=2001-01-01" in found["text"]
    assert sorted(job.lake.root.glob("**/*")) == before

    ask(job, "files")
    aside = table.with_name(f".{table.name}.aside") / "reads"
    assert f"pins {aside}" not in findings(job)
    (pin,) = aside.iterdir()
    os.utime(pin, (0, 0))
    found = findings(job)[f"pins {aside}"]
    assert found["verdict"] == "WARN" and found["text"].startswith("1 list that `esports-stream files` has pinned is")


def test_the_doctor_names_the_error_that_a_run_would_fail_with(played, tmp_path):
    topic = played.topics[KIND]
    found = findings(played, exit_code=4, KAFKA_TOPIC_MATCHES="nobody-made-this")
    one = found["topic nobody-made-this"]
    assert one["verdict"] == "FAIL" and "does not exist" in one["text"]
    assert one["fix"] == "create the topic, or correct KAFKA_TOPIC_MATCHES"
    summary = found["summary"]
    assert (summary["verdict"], summary["exitCode"]) == (None, 4)
    assert summary["failed"] == 2  # the checkpoint belongs to another topic, too
    assert (summary["fixFirst"], summary["fix"]) == ("topic nobody-made-this", one["fix"])
    assert summary["failed"] + summary["warnings"] + summary["ok"] == len(found) - 1
    found = findings(played, exit_code=4, KAFKA_TOPIC_MATCHES=f"{topic}s")
    assert found[f"topic {topic}s"]["fix"] == f"set KAFKA_TOPIC_MATCHES={topic}"
    text = ask(played, "doctor", exit_code=4, KAFKA_TOPIC_MATCHES=f"{topic}s").splitlines()
    assert re.fullmatch(r"2 failed, \d+ warnings?, \d+ OK", text[-2]), text[-2:]
    assert text[-1] == f"Fix first: topic {topic}s: set KAFKA_TOPIC_MATCHES={topic}"

    in_the_way = tmp_path / "a file"
    in_the_way.touch()
    found = findings(played, exit_code=2, DATA_LAKE_PATH=in_the_way / "lake")
    assert verdicts(found, f"directory {in_the_way}/lake") == ["FAIL"]

    found = findings(played, exit_code=2, SPARK_DRIVER_MEMORY="1t")
    assert "raise the limit" in found["memory"]["fix"]
    assert verdicts(findings(played, KAFKA_CONF_ISOLATION_LEVEL="read_uncommitted"), "isolation") == [
        "WARN"
    ]

    played.produce([GOOD[0]] * 10)
    played.broker.delete_records(topic, {0: 20})
    found = findings(played, exit_code=6)
    assert "the next offsets, 14 to 19, are gone from Kafka" in found[f"progress {topic}"]["text"]


def test_the_doctor_decodes_the_newest_records(job):
    topic = job.topics[KIND]
    records, newest = f"records {topic}", f"newest record {topic}"
    job.create_topic(partitions=2)
    found = findings(job)
    assert found[records]["text"] == "the topic is empty" and newest not in found

    job.produce([json.dumps({"matchId": n, "status": "live"}) for n in range(5)], partition=1)
    one = findings(job, exit_code=8)[records]
    assert one["verdict"] == "FAIL"
    assert one["text"].startswith("0 of the newest 5 would become rows, 5 would be rejected: ")
    assert "missing_identifier 5; the first: partition 1, offset 0: the object has no" in one["text"]
    assert "keys that are not columns: matchId (5); expected keys: match_id, " in one["text"]
    assert "KAFKA_TOPIC_MATCHES" in one["fix"] and "'match_id'" in one["fix"]

    # The newest of each partition, followed by an aborted transaction.
    job.produce(GOOD * 10, partition=0)
    job.produce([json.dumps({"match_id": f"n{n}", "extra": n}) for n in range(49)], partition=1)
    job.produce(["[1]"], partition=1)
    producer = job.broker.producer(transactional_id=topic)
    producer.init_transactions(30)
    producer.begin_transaction()
    for n in range(300):
        producer.produce(topic, b"aborted", partition=0)
    producer.flush(30)
    producer.abort_transaction(30)
    job.broker.wait_end_offsets(topic, {0: 501, 1: 55})
    found = findings(job)
    assert verdicts(found, records, newest) == ["OK", "OK"]
    assert found[records]["text"].startswith("99 of the newest 100 would become rows, 1 would be ")
    assert "not_an_object 1" in found[records]["text"] and "extra (49)" in found[records]["text"]
    one = findings(job, exit_code=8, PARSE_MODE="failfast")[records]
    assert one["verdict"] == "FAIL" and "failfast stops at the first" in one["text"]

    job.produce([b" "] * 10, partition=1)
    one = findings(job)[records]
    assert one["verdict"] == "WARN" and "blank_value 10" in one["text"]


def test_missing_time_zones_and_authorities_are_reported(job):
    job.create_topic()
    job.produce(['{"match_id": "a", "started_at": "2024-06-01T10:00:00 Europe/Paris"}'])
    hide = 'for path in $0; do mount -t tmpfs none $path; done; exec "$@"'
    bare = "unshare", "--mount", "sh", "-ec", hide
    missing = "no time zone data in /usr/share/zoneinfo/"

    run = job.start(TRIGGER="availableNow", under=(*bare, "/usr/share/zoneinfo"))
    run.wait_exit(30, 0)
    doctor = job.program.run(
        "doctor",
        "--job",
        "matches",
        under=(*bare, "/usr/share/zoneinfo /etc/ssl/certs"),
        **{**job.settings, "ALERT_WEBHOOK_URL": "https://127.0.0.1:1/"},
    )

    paris = job.program.run(
        "doctor",
        exit_code=2,
        under=(*bare, "/usr/share/zoneinfo"),
        **{**job.settings, "SPARK_SQL_SESSION_TIMEZONE": "Europe/Paris"},
    )

    assert "no time zones in /usr/share/zoneinfo: install the package tzdata" in paris.errors()
    assert run.lines(f"WARNING.*{missing}.*install the package tzdata"), run.tail()
    assert run.lines(r"WARNING.*1 value of the wrong type became null .* columns=started_at \(1\)"), run.tail()
    assert missing in doctor.log() and "install the package ca-certificates" in doctor.log()
    healthy = job.program.run("doctor", "--job", "matches", **job.settings).log()
    assert "available by name" in healthy and missing not in healthy and "authorities" not in healthy


# Root, but without the right to access other users' files.
PLAIN_USER = ("setpriv", "--inh-caps=-all", "--bounding-set=-all")


def partition_of(job):
    return min(path.parent for path in job.lake.table(KIND).glob("*=*/*.parquet"))


def test_the_doctor_finds_a_directory_that_we_may_not_write_to(played):
    root, partition = played.lake.table(KIND), partition_of(played)
    count = sum(path.is_dir() and not path.is_symlink() for path in root.rglob("*")) + 1
    found = findings(played, under=PLAIN_USER)
    assert verdicts(found, f"directories {root}") == ["OK"]
    assert found[f"directories {root}"]["text"].startswith(f"{count} checked")

    os.chown(partition, 54321, 54321)
    one = findings(played, exit_code=7, under=PLAIN_USER)[f"directories {root}"]
    os.chown(partition, 0, 0)
    assert one["verdict"] == "FAIL"
    assert f"user 0 cannot write to 1 of {count}, such as '{partition}'" in one["text"]

    commits = played.lake.checkpoint(KIND) / "commits"
    os.chown(commits, 54321, 54321)
    one = findings(played, exit_code=7, under=PLAIN_USER)[f"directories {commits.parent}"]
    os.chown(commits, 0, 0)
    assert f"'{commits}'" in one["text"] and "chown" in one["fix"]


def test_the_doctor_tries_every_directory_that_a_run_writes_to(played, small_disk):
    table, rejects = played.lake.table(KIND), played.lake.rejects(KIND)
    checkpoint = played.lake.checkpoint(KIND)
    (table / "_staging" / "7").mkdir(parents=True)
    for root, inner in [
        (table, table / "_staging"),
        (table, table / "_staging" / "7"),
        (rejects, rejects),
        (checkpoint, checkpoint / "offsets"),
    ]:
        os.chown(inner, 54321, 54321)
        one = findings(played, exit_code=7, under=PLAIN_USER)[f"directories {root}"]
        os.chown(inner, 0, 0)
        assert f"such as '{inner}': Permission denied" in one["text"] and "chown" in one["fix"]

    aside = rejects.rename(rejects.with_name("aside"))
    os.chown(rejects.parent, 54321, 54321)
    one = findings(played, exit_code=7, under=PLAIN_USER)[f"directories {rejects}"]
    os.chown(rejects.parent, 0, 0)
    assert f"user 0 cannot create it in '{rejects.parent}'" in one["text"]
    assert one["fix"].startswith(f"as root: mkdir -p '{rejects}' && chown -R 0 '{rejects}'; or set DATA_LAKE_PATH ")
    aside.rename(rejects)

    subprocess.run(["mount", "--bind", small_disk, rejects], check=True)
    try:
        ballast = (small_disk / "ballast").open("wb")
        with pytest.raises(OSError), ballast:
            ballast.write(bytes(9 << 20))
        found = findings(played, exit_code=7)
    finally:
        subprocess.run(["umount", rejects], check=True)
    one = found[f"directories {rejects}"]
    assert "No space left on device" in one["text"] and "free some space" in one["fix"]
    assert found[f"free space {rejects}"]["verdict"] == "FAIL"


def test_what_cannot_be_read_is_shown_as_unknown(played):
    commits = played.lake.checkpoint(KIND) / "commits"
    os.chown(commits, 54321, 54321)
    commits.chmod(0o700)
    shown = ask(played, "status", exit_code=10, under=PLAIN_USER)
    process = command(played, "checkpoint", "show", "--json", under=PLAIN_USER)
    process.wait_exit(60, 5)
    os.chown(commits, 0, 0)
    assert re.search(r"^  commits +commits/: cannot be read$", shown, re.M), shown
    assert shown.count("  fault: ") == 1 and "not committed" not in shown
    found = json.loads(process.log())
    assert found["commits"] == dict.fromkeys(("files", "first", "newest", "committedAt", "by"))
    assert found["partitions"] is None and found["offsets"]["newest"] == 1 and len(found["faults"]) == 1


def test_a_query_without_a_batch_has_nothing_to_rewind(job):
    job.create_topic()
    job.run()
    said = refused(job, "rewind", "--to-batch", "0", exit_code=2)
    assert "no batch is committed yet" in said
    assert "coverage" not in ask(job, "checkpoint", "show")


def test_verify_says_that_it_waits_for_kafka(played):
    away = f"127.0.0.1:{free_ports(1)[0]}"
    said = refused(played, "verify", exit_code=4, KAFKA_BOOTSTRAP_SERVERS=away, KAFKA_STARTUP_TIMEOUT="4s")
    assert re.search(rf"WARNING \| Waiting for Kafka: .*{away}.* \| limit=KAFKA_STARTUP_TIMEOUT$", said, re.M), said


def test_the_doctor_gives_away_no_directory_that_exists(played, tmp_path):
    """`chown -R USER /` would be the fix for a default lake that an ordinary user cannot create."""
    home, lake = tmp_path / "home", tmp_path / "home" / "deep" / "lake"
    home.mkdir()
    os.chown(home, 54321, 54321)
    found = findings(played, exit_code=2, under=PLAIN_USER, DATA_LAKE_PATH=lake)
    os.chown(home, 0, 0)
    failed = [one for one in found.values() if one["verdict"] == "FAIL"]
    assert len(failed) == 6
    for one in failed:
        assert f"&& chown -R 0 '{lake.parent}'; or set " in one["fix"], one


def test_the_doctor_asks_the_running_query(played):
    table, (port,) = played.lake.table(KIND), free_ports(1)
    settings = {"SPARK_UI_PORT": port, "UI_TOKEN": "a-token-of-some-length"}
    query = played.start(TRIGGER="0 seconds", **settings)
    query.wait_until(lambda: "http=" in (played.lake.checkpoint(KIND) / "lock").read_text())
    found = findings(played, **settings)
    assert verdicts(found, f"port {port}", "query match_stream") == ["OK", "OK"]
    assert "this program's own process" in found[f"port {port}"]["text"]
    assert f"pid={query.pid} " in found[f"port {port}"]["text"]
    unknown = findings(played, SPARK_UI_PORT=port)["query match_stream"]
    assert unknown["verdict"] == "WARN" and "UI_TOKEN" in unknown["text"]

    subprocess.run(["mount", "--bind", table, table], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", table], check=True)
        played.produce([GOOD[0]])
        query.wait_log("Read-only file system")
        found = findings(played, exit_code=7, **settings)
    finally:
        subprocess.run(["umount", "--lazy", table], check=True)
    one = found["query match_stream"]
    assert one["verdict"] == "FAIL" and one["text"].startswith("retrying: ")
    one = found[f"directories {table}"]
    assert "Read-only file system" in one["text"] and "mount" in one["fix"]
    query.stop()


@pytest.mark.parametrize("kind", ["tmpfs", "bind"])
def test_the_doctor_finds_a_directory_on_another_disk(played, tmp_path, kind):
    """A bind mount is the same disk, but rename() cannot leave it either."""
    root, partition = played.lake.table(KIND), partition_of(played)
    mount = ["-t", "tmpfs", "tmpfs"] if kind == "tmpfs" else ["--bind", tmp_path]
    subprocess.run(["mount", *mount, partition], check=True)
    try:
        one = findings(played, exit_code=7)[f"directories {root}"]
    finally:
        subprocess.run(["umount", partition], check=True)
    assert one["verdict"] == "FAIL"
    assert "on another file system or mount" in one["text"] and f"'{partition}'" in one["text"]
    assert "renamed into place" in one["fix"]


def test_the_doctor_follows_a_link_and_finds_a_file_in_place_of_a_partition(played, small_disk):
    root, partition = played.lake.table(KIND), partition_of(played)
    aside = partition.rename(played.lake.root / "aside")
    try:
        partition.symlink_to(small_disk)
        linked = findings(played, exit_code=7)[f"directories {root}"]
        partition.unlink()
        partition.touch()
        file = findings(played, exit_code=7)[f"directories {root}"]
        partition.unlink()
    finally:
        aside.rename(partition)
    assert "on another file system" in linked["text"] and f"'{partition}'" in linked["text"]
    assert file["text"] == f"'{partition}' must be a directory"
    assert file["fix"] == "move it away"


@pytest.mark.parametrize("limit", ["--nofile=6", "--as"])
def test_the_doctor_names_a_limit_instead_of_its_consequences(played, limit, pytestconfig):
    if limit == "--as":  # enough for the libraries, which are larger in Debian 13, and not for all threads
        version = platform.freedesktop_os_release().get("VERSION_ID")
        limit += "=110000000" if version == "13" or pytestconfig.getoption("--on-debian-13") else "=85000000"
    found = findings(played, exit_code=12, under=("prlimit", limit))
    limits = [one for one in found.values() if "RLIMIT_" in one["text"]]
    assert limits
    unnamed = [one for one in limits if not one["fix"].startswith("raise the limit")]
    assert not unnamed


def test_the_doctor_does_not_wait_for_a_broker_that_never_answers(job):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        servers = [f"127.0.0.1:{port}" for port in (silent.getsockname()[1], *free_ports(1))]
        asked = [
            command(job, "doctor", "--json", KAFKA_BOOTSTRAP_SERVERS=server) for server in servers
        ]
        for process in asked:
            process.wait_exit(60, 4)
    found = [
        {one["check"]: one for one in map(json.loads, process.log().splitlines())} for process in asked
    ]
    topic = f"topic {job.topics[KIND]}"
    kafka = found[0][f"Kafka {servers[0]}"]
    assert verdicts(found[0], f"broker {servers[0]}", topic) == ["OK", "SKIP"]
    assert kafka["verdict"] == "FAIL" and "accepts connections but does not answer" in kafka["text"]
    assert "log, CPU and disk" in kafka["fix"] and "ACL" not in kafka["fix"] + kafka["text"]
    assert verdicts(found[1], f"broker {servers[1]}", topic) == ["FAIL", "SKIP"]
    assert found[1][topic]["text"] == "skipped: the broker cannot be reached"
    assert [found[n]["summary"]["failed"] for n in (0, 1)] == [1, 1]
    assert "refused" in found[1][f"broker {servers[1]}"]["text"]


# ---- terminals and shells ----


class Terminal:
    """A program on a terminal of its own."""

    def __init__(self, command, columns=0, **environment):
        self.shown = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            try:
                fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
                os.execvpe(command[0], command, environment)
            finally:
                os._exit(127)

    def type(self, text):
        os.write(self.fd, text.encode())

    def read_until(self, pattern, timeout=30):
        deadline = time.monotonic() + timeout
        while not (found := re.search(pattern, self.shown)):
            assert time.monotonic() < deadline, self.shown
            if not select.select([self.fd], [], [], 0.1)[0]:
                continue
            try:
                self.shown += os.read(self.fd, 65536)
            except OSError:  # the program has ended
                return re.search(pattern, self.shown)
        return found

    def close(self):
        os.close(self.fd)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def on_terminal(job, **environment):
    settings = {"LOG_LEVEL": "ERROR", "TERM": "xterm", **environment}
    settings |= {key: str(value) for key, value in job.settings.items()}
    terminal = Terminal([str(job.program.binary), "doctor", "--job", KIND], **settings)
    terminal.read_until(rb"checkpoint match_stream.*\n")
    terminal.close()
    return terminal.shown


def test_only_terminals_that_accept_colour_get_it(job):
    job.create_topic()
    assert b"\x1b[32mOK" in on_terminal(job)
    assert b"\x1b" not in on_terminal(job, NO_COLOR="1")
    assert b"\x1b" not in on_terminal(job, TERM="dumb")


def lines_on_terminal(job, columns, *arguments, **environment):
    """What the command prints on a terminal of this width."""
    settings = {key: str(value) for key, value in job.settings.items()}
    settings |= {"LOG_LEVEL": "ERROR", "TERM": "dumb", "SPARK_UI_PORT": "0", **environment}
    terminal = Terminal([str(job.program.binary), *arguments, "--job", KIND], columns, **settings)
    terminal.read_until(rb"\Z(?!)")  # until it ends
    terminal.close()
    return terminal.shown.decode().splitlines()


def test_output_keeps_to_the_width_of_the_terminal(job):
    job.create_topic()
    job.produce([json.dumps({"match_id": "a-long-name-" * 3, "status": "live"}), '["' + "x" * 60 + '"]'])
    job.run()
    whole, wide, narrow = (
        ask(job, "tail").splitlines(),
        lines_on_terminal(job, 72, "tail"),
        lines_on_terminal(job, 40, "tail"),
    )
    assert len(whole[0]) > 72 and lines_on_terminal(job, 300, "tail") == whole
    assert max(map(len, wide)) == 72 and len(wide) == 2
    assert wide[0].split() == whole[0].split() and wide[1].startswith("a-long-na") and "…" in wide[1]
    assert lines_on_terminal(job, 300, "tail", COLUMNS="72") == wide
    assert narrow[0].split() == ["match_id", "status", "partition", "offset"]
    assert narrow[2].startswith("(hidden to fit the terminal: duration_minutes, is_completed;")

    listed = lines_on_terminal(job, 72, "rejects", "ls")
    (newest,) = [line for line in listed if line.startswith("  0:1 ")]
    assert len(newest) == 72 and newest.count("…") == 2 and "not_an_object" in newest
    (newest,) = [line for line in ask(job, "rejects", "ls").splitlines() if line.startswith("  0:1 ")]
    assert newest.endswith('  ["' + "x" * 60 + '"]') and "…" not in newest  # whole in a pipe
    assert re.search(r" \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z ", newest), newest
    (newest,) = [
        line for line in lines_on_terminal(job, 300, "rejects", "ls") if line.startswith("  0:1 ")
    ]
    assert newest.endswith('  ["' + "x" * 45 + "…"), newest  # at most 48 characters

    found = lines_on_terminal(job, 72, "doctor")
    assert max(len(line) for line in found if "/" not in line) <= 72
    (last,) = [n for n, line in enumerate(found) if line.startswith("Fix first: ")]
    assert all(line.startswith(" " * 11) for line in found[last + 1 :])
    found = found[:last]
    indent = min(len(line) - len(line.lstrip()) for line in found if line.startswith(" "))
    assert max(map(len, ask(job, "doctor").splitlines())) > 72 and 20 < indent < 40


def run_on_terminal(job, **environment):
    settings = {"TERM": "xterm", "TRIGGER": "availableNow", **environment}
    settings |= {key: str(value) for key, value in job.settings.items()}
    terminal = Terminal([str(job.program.binary), "--job", KIND], **settings)
    terminal.read_until(rb"All queries have ended.*\n")
    terminal.close()
    return terminal.shown


def test_log_levels_are_coloured_on_a_terminal_that_accepts_colour(job):
    job.create_topic()
    job.produce(["bad"])
    shown = run_on_terminal(job)
    assert b"| \x1b[33mWARNING\x1b[0m | 1 record rejected" in shown
    assert b"| \x1b[31mERROR\x1b[0m | No record of batch 0 became a row" in shown
    for refusing in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        shown = run_on_terminal(job, **refusing)
        assert b"| INFO | All queries have ended" in shown, shown
    assert "\x1b" not in job.run().log()  # the log goes to a file
    assert "| \x1b[32mINFO\x1b[0m | All queries have ended" in job.run(FORCE_COLOR="1").log()
    assert "\x1b" not in job.run(FORCE_COLOR="1", NO_COLOR="1").log()


SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], "{name}() {{ printf 'ran <%s>\\n' \"$*\"; }}"),
    "zsh": (
        ["zsh", "-f", "-i"],
        "autoload -U compinit; compinit -u -D; {name}() {{ print -r -- 'ran <'\"$*\"'>' }}",
    ),
    "fish": (["fish", "--no-config", "-i"], "function {name}; echo 'ran <'\"$argv\"'>'; end"),
}
TYPED = {
    "rejects sh\t0:1": "rejects show 0:1",
    "checkpoint s\t": "checkpoint show",
    "completion zs\t": "completion zsh",
    "tail --fol\t": "tail --follow",
    "schema --format markd\t": "schema --format markdown",
    "--job pla\t": "--job players",
    "--parquet-compression zs\t": "--parquet-compression zstd",
    "rewind --to-b\t7": "rewind --to-batch 7",
    "--parquet-compression=zs\t": "--parquet-compression=zstd",
    "tail --data-lake-path /etc/hostn\t": "tail --data-lake-path /etc/hostname",
    "--env-file=/etc/host\tname": "--env-file=/etc/hostname",
    "check /etc/hostn\t": "check /etc/hostname",
    "tail -f\t --json": "tail -f --json",
    "docs --he\t": "docs --help",
    "hel\tsett\t": "help settings",
    "help rejects sh\t": "help rejects show",
}


@pytest.mark.parametrize("shell", SHELLS)
def test_the_shell_completes_commands_options_and_values(program, tmp_path, shell):
    """Typed into the real shell. The command that it then runs prints its arguments."""
    name, script = program.binary.name, tmp_path / "completion"
    script.write_bytes(
        subprocess.run([program.binary, "completion", shell], capture_output=True, check=True).stdout
    )
    words, setup = SHELLS[shell]
    environment = {"TERM": "dumb", "HOME": str(tmp_path), "PATH": os.environ["PATH"], "PS1": "$ "}
    terminal = Terminal(words, **environment)
    try:
        terminal.type(setup.format(name=name) + f"; source {script}; {name} is\\ ready\r")
        terminal.read_until(rb"ran <is ready>")
        for typed, completed in TYPED.items():
            terminal.shown = b""
            terminal.type(f"{name} {typed}\r")
            found = terminal.read_until(rb"ran <([^>]*)>")
            assert found[1].decode().strip() == completed, typed
    finally:
        terminal.close()


def test_completing_an_empty_word_lists_the_commands(program, tmp_path):
    """Options only after a dash: nobody would find the commands among more than 50 options."""
    name, script = program.binary.name, tmp_path / "completion"
    script.write_bytes(
        subprocess.run([program.binary, "completion", "bash"], capture_output=True, check=True).stdout
    )
    environment = {"TERM": "dumb", "HOME": str(tmp_path), "PATH": os.environ["PATH"], "PS1": "$ "}
    terminal = Terminal(["bash", "--norc", "--noprofile", "-i"], **environment)
    try:
        terminal.type(f"source {script}; bind 'set completion-query-items 0'; bind 'set page-completions off'; echo rea''dy\r")
        terminal.read_until(rb"\nready")
        for typed, listed, absent in (
            ("", rb"\bverify\b", rb"--"),
            ("rejects ", rb"\bshow\b", rb"--"),
            ("-", rb"--trigger\b", rb"\bverify\b"),
        ):
            terminal.shown = b""
            terminal.type(f"{name} {typed}\t\t")
            terminal.read_until(listed)
            terminal.type("\x15echo do''ne\r")
            terminal.read_until(rb"\ndone")
            assert not re.search(absent, terminal.shown), (typed, terminal.shown)
    finally:
        terminal.close()


def test_commands_that_change_something_ask_first_on_a_terminal(job):
    """Each possible answer. No question without a terminal, or with --yes."""
    job.create_topic()
    for i in range(4):
        job.produce([f'{{"match_id": "M{i}"}}'])
        job.run()
    rewind = ["rewind", "--job", KIND, "--to-batch"]
    settings = {"TERM": "dumb", **{key: str(value) for key, value in job.settings.items()}}

    def answer(batch, reply, *options):
        terminal = Terminal([str(job.program.binary), *rewind, batch, *options], **settings)
        if reply:
            terminal.read_until(rb"Do this now\? \[y/N\] ")
            terminal.type(reply)
        terminal.read_until(rb"(?!)", 60)  # until it ends
        status = os.waitpid(terminal.pid, 0)[1]
        os.close(terminal.fd)
        return os.waitstatus_to_exitcode(status), terminal.shown.decode()

    for reply in "n\r", "\r", "yesterday\r", "\x04":
        code, shown = answer("2", reply)
        assert "would rewind to batch 2. Batch 3 would be undone. 1 table file and" in shown
        assert code == 1 and "rewind: nothing was changed" in shown
    assert job.lake.batches(KIND) == [0, 1, 2, 3]
    code, shown = answer("2", "y\r")
    assert code == 0 and "rewound to batch 2." in shown
    assert job.lake.batches(KIND) == [0, 1, 2]
    code, shown = answer("9", None)  # no question before a refusal
    assert code == 2 and "is not committed" in shown and "Do this" not in shown
    code, shown = answer("1", None, "--dry-run")
    assert code == 0 and "would rewind to batch 1" in shown and "Do this" not in shown
    assert job.lake.batches(KIND) == [0, 1, 2]
    code, shown = answer("1", None, "-y")
    assert code == 0 and "rewound to batch 1." in shown and "Do this" not in shown
    assert "rewound to batch 0." in job.run(*rewind, "0").log()  # no terminal


@pytest.mark.parametrize(
    "arguments, said",
    [
        (("tial",), "did you mean tail?"),
        (("rejects", "lss"), "did you mean rejects ls?"),
        (("rejects",), "rejects needs a command: ls, show"),
        (("tail", "--row", "3"), "did you mean --rows?"),
        (("tail", "--rows", "many"), "--rows: invalid value 'many' (expected a whole number"),
        (("tail", "--raw"), "--raw can only be used with the command rejects show"),
        (("adopt", "--demo"), "--demo cannot be used with the command adopt"),
        (("tail", "--follow"), "--follow needs --job"),
        (("rejects", "show", "0:1", "--job", "all"), "rejects show needs --job"),
        (("rejects", "ls", "--reason", "malformed"), "expected null_value, blank_value"),
        (("completion", "bsh"), "did you mean bash?"),
        (("--job", "all", "tail"), "the command must come first"),
    ],
)
def test_a_misspelt_word_is_refused_with_a_suggestion(program, arguments, said):
    process = program.start(*arguments)
    process.wait_exit(30, 2)
    assert said in process.errors() and process.log() == ""


def test_the_help_of_a_command_lists_its_options(program):
    text = program.run("rejects", "ls", "--help").log()
    assert program.run("help", "rejects", "ls").log() == text
    family = program.run("rejects", "--help").log()
    assert family == program.run("help", "rejects").log()
    for word in ("rejects ls", "rejects show PARTITION:OFFSET", "rejects replay"):
        assert word in family
    assert "rejects ls [--rows N]" in text and "--reason REASON" in text
    assert "--to-batch" not in text and "SPARK_DRIVER_MEMORY" not in text


def test_the_help_of_every_command_begins_with_how_it_is_called_and_has_the_common_options(program):
    synopses = re.findall(r"^## (.*)\n\n    (esports-stream .*)$", (ROOT / "docs/commands.md").read_text(), re.M)
    commands = {name: synopsis for name, synopsis in synopses if not name.startswith("--")}
    assert len(commands) > 10
    texts = {name: program.run("help", *name.split()).log() for name in commands}
    for name, text in texts.items():
        usage = " ".join(text.partition("\n\n")[0].split())
        assert usage == f"Usage: {commands[name]}", name
    texts["rejects"] = program.run("help", "rejects").log()
    members = [synopsis for name, synopsis in commands.items() if name.startswith("rejects ")]
    assert " ".join(texts["rejects"].partition("\n\n")[0].split()) == f"Usage: {' '.join(members)}"
    for name, text in texts.items():
        common = text.partition("\nWith every command\n")[2]
        assert re.findall(r"^  (--[a-z-]+)", common, re.M) == ["--job", "--env-file", "--version", "--help"], name


def test_the_first_screen_of_help_has_every_option_of_a_run(program):
    """Those of `help settings` that are not settings, apart from the ones that every program has."""
    screen, settings = program.run("--help").log(), program.run("help", "settings").log()
    options = set(re.findall(r"^  (--[a-z-]+)", settings.partition("\n\n")[0], re.M))
    assert {"--for", "--live", "--demo", "--job"} <= options
    missing = {option for option in options if f"  {option}" not in screen}
    assert missing == {"--json", "--version", "--help"}
    assert len(screen.splitlines()) < 50 and max(map(len, screen.splitlines())) <= 80


@pytest.mark.parametrize("output", [">/dev/full", ">&-"])
def test_output_that_cannot_be_written_ends_with_the_exit_code_of_a_disk_error(program, output):
    closed = ("sh", "-c", f'exec "$@" {output}', "sh")
    for words in (
        ["--help"],
        ["--version"],
        ["--explain"],
        ["tail", "--help"],
        ["docs", "man"],
        ["schema"],
        ["sample", "--job", "matches"],
        ["completion", "bash"],
    ):
        settings = {"KAFKA_BOOTSTRAP_SERVERS": "x:1", "DATA_LAKE_PATH": "/lake"}
        process = program.start(*words, under=closed, **settings)
        process.wait_exit(30, 7)
        assert "cannot write the output: " in process.errors(), words


PLACEHOLDERS = {"N": "0", "41": "0", "4120": "0", "2026-11-28T00:00:00Z": "2099-01-01T00:00:00Z", "ID": "x", "REASON": "null_value", "TIME": "1h", "PARTITION:OFFSET": "0:1", "FROM..TO": "0..1"}


def documented_commands():
    """{how a document calls the program, placeholders filled in: document}"""
    printed = {"configuration.md", "commands.md", "metrics.md", "schema.md"}
    pages = [ROOT / "README.md", *(path for path in sorted((ROOT / "docs").glob("*.md")) if path.name not in printed)]
    found = {}
    for page in pages:
        code = re.findall(r"^    (.*)$|`([^`\n]+)`", page.read_text().replace("\\\n", " "), re.M)
        for block, span in code:
            call = re.match(r"(?:[A-Z_]+=\S+ )*esports-stream ([^|#;&<>]+)", block or span)
            words = shlex.split(call[1].replace("…", " ")) if call else []
            mentioned = not block and not any(word.startswith("-") for word in words)
            if words and not mentioned and "[" not in call[1]:  # a name, or a synopsis
                found.setdefault(tuple(PLACEHOLDERS.get(word, word) for word in words), page.name)
    return found


def test_every_command_of_the_documents_is_one_that_the_program_takes(program, tmp_path):
    names = {name.split()[0] for name in re.findall(r"^## ([a-z]+.*)$", (ROOT / "docs/commands.md").read_text(), re.M)}
    (tmp_path / "records").mkdir()
    for topic in ("esports-matches", "esports-players"):
        (tmp_path / "records" / f"{topic}-0.ndjson").write_text('{"match_id": "m1", "player_id": "p1"}\n')
    (tmp_path / "settings.env").touch()
    settings = {"KAFKA_BOOTSTRAP_SERVERS": f"file:{tmp_path}/records", "DATA_LAKE_PATH": tmp_path / "lake"}
    settings["MATCHES_PARTITION_BY"] = "ingest_date,status"  # for `expire`
    program.start("--trigger", "availableNow", **settings).wait_exit(60, 0)
    calls, wrong = documented_commands(), {}
    for words, page in calls.items():
        words = [str(ROOT / "queries/matches.sql") if word.endswith(".sql") else word for word in words]
        if "--env-file" in words:
            at = words.index("--env-file")
            words[at + 1 : at + 2] = [str(tmp_path / "settings.env")]
        runs = words[0] not in names | {"help"}
        declared = {"QUERIES_PATH": ROOT / "queries/examples"} if "riot" in " ".join(words) else {}
        process = program.start(*words, *(["--explain"] if runs else []), **settings, **declared)
        if process.wait_exit(60) == 2:
            wrong[f"{page}: {' '.join(words)}"] = process.errors()
    assert set(calls.values()) >= {"README.md", "operations.md", "kafka.md", "reading.md"} and len(calls) > 20
    assert wrong == {}
