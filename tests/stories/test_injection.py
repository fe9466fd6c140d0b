"""Bytes from outside cannot forge a line, drive a terminal or leave the table: bytes of records, names of files and
directories, no matter which command or page shows them."""

import json
import os
import pty
import re
import threading

import pytest
from rig.broker import free_ports
from rig.web import Web

# Sets the window's title, clears the screen, begins a line, turns the direction of writing, C1, DEL.
DRIVES = "\x1b]0;owned\x07\x1b[2J\r\n2026-01-01 00:00:00 | main | CRITICAL | forged\u202e\u2066\u200f\x9b31m\u2028\x7f"
FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
OUR_COLOURS = re.compile("\x1b\\[(0|2|(1;)?3[0-9])m")

COMMANDS = (
    ["tail"], ["rejects", "ls"], ["rejects", "show", "0:1"], ["verify"], ["doctor"], ["status"], ["checkpoint", "show"],
    ["files", "--no-pin"], ["adopt", "--accept", "--dry-run"], ["compact", "--dry-run"], ["rewind", "--to-batch", "0", "--dry-run"],
    ["relocate", "--dry-run"], ["--explain"],
)


def on_terminal(job, words, **settings):
    """What a command writes to its terminal, as bytes."""
    terminal, output = pty.openpty()
    process = job.start(*words, "--job", "matches", output=output, TERM="xterm", **settings)
    os.close(output)
    seen = bytearray()

    def read():
        try:
            while piece := os.read(terminal, 65536):
                seen.extend(piece)
        except OSError:
            pass  # the other side is closed

    reader = threading.Thread(target=read)
    reader.start()
    process.wait_exit(60)
    reader.join(30)
    os.close(terminal)
    return bytes(seen)


def assert_harmless(shown, what):
    text = shown.decode()  # all of it is UTF-8
    text = OUR_COLOURS.sub("", text.replace("\r\n", "\n"))
    found = FORBIDDEN.findall(text)
    assert not found, (what, found, text)


@pytest.fixture
def hostile(job):
    """A query that has read such records, next to files with such names."""
    job.create_topic()
    job.produce([
        json.dumps({"match_id": f"M1{DRIVES}", "status": f"live{DRIVES}", f"key{DRIVES}": 1, "duration_seconds": DRIVES}),
        b"\x1b[2J\xff\xfe" + DRIVES.encode(),
        json.dumps({"match_id": f"M2{DRIVES}\0", "status": "with\0NUL"}),
        json.dumps({"match_id": "M3", "status": f"{DRIVES[:20]}\u202e"}),
    ])
    return job


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_record_forges_a_line_of_the_log(hostile, form):
    process = hostile.run(LOG_FORMAT=form)
    hostile.assert_exact()
    hostile.produce([b"\x1b[2J" + DRIVES.encode()])
    failed = hostile.run(LOG_FORMAT=form, PARSE_MODE="failfast", exit_code=8)
    lines = (process.log() + failed.log()).removesuffix("\n").split("\n")
    for line in lines:
        assert not FORBIDDEN.findall(line), line
        if form == "json":
            assert json.loads(line)["level"] in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
        else:
            assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \| [\w.]+ \| (DEBUG|INFO|WARNING|ERROR|CRITICAL) \| ", line), line
    # Names come from outside, too: this topic is not there, and its name is not one.
    other = hostile.start(LOG_FORMAT=form, KAFKA_BOOTSTRAP_SERVERS=f"nobody{DRIVES[:9]}:1", KAFKA_STARTUP_TIMEOUT="1s")
    other.wait_exit(60)
    assert not FORBIDDEN.findall((other.log() + other.errors()).replace("\n", "")), other.tail()


def test_no_command_drives_the_terminal(hostile):
    hostile.run()
    hostile.produce(['{"match_id": "M4", "status": "live"}'])
    hostile.run()
    table = hostile.lake.root / "processed/matches"
    directory = table / f"status=x{DRIVES[:9]}"
    directory.mkdir()
    for name in (b"\x1b[2J\nforged\xff.parquet", "turned\u202e.parquet".encode(), "c1\u009b2J.parquet".encode()):
        (directory / os.fsdecode(name)).write_bytes(b"PAR1 nothing")
    (hostile.lake.root / "checkpoints/match_stream/manifests/9").write_text(f"v1\n{DRIVES}")
    for words in COMMANDS:
        assert_harmless(on_terminal(hostile, words), words)


def test_no_setting_drives_the_terminal(job):
    for name in ("TRIGGER", "PARSE_MODE", "KAFKA_TOPIC_MATCHES", "DATA_LAKE_PATH", "SPARK_UI_HOST", "KAFKA_BOOTSTRAP_SERVERS", "QUERIES_PATH"):
        for words in (["--explain"], ["doctor"]):
            value = DRIVES if name != "DATA_LAKE_PATH" else f"/tmp/{DRIVES}"
            assert_harmless(on_terminal(job, words, **{name: value}), (name, words))


def test_errors_have_no_control_characters_where_the_output_is_a_file_either(hostile):
    hostile.run()
    manifest = hostile.lake.root / f"checkpoints/match_stream/manifests/{os.fsdecode(b'9')}"
    manifest.write_text(f'v2\n{{"{DRIVES}": 1}}')
    table = hostile.lake.root / "processed/matches"
    (table / f"status=live{DRIVES[:9]}").symlink_to("/")
    for words in (["verify"], ["checkpoint", "show"], ["status"], ["doctor"]):
        process = hostile.start(*words, "--job", "matches")
        process.wait_exit(60)
        assert not FORBIDDEN.findall(process.errors()), process.tail()


def test_the_api_and_metrics_say_the_bytes_as_data(hostile):
    process = hostile.start(TRIGGER="1 second", SPARK_UI_PORT=free_ports(1)[0])
    web = Web(process)
    hostile.wait_committed(process, {0: 4})
    for path in ("/metrics", "/readyz", "/api/v1/queries", *(f"/api/v1/queries/match_stream{view}" for view in ("", "/rejects", "/schema", "/files", "/progress"))):
        answer = web.get(path)
        assert answer.status == 200
        text = answer.body.decode()
        if path in ("/metrics", "/readyz"):
            assert not FORBIDDEN.findall(text), (path, text)
        else:
            assert "\x1b" not in text and "\n2026" not in text and json.loads(text) is not None
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    process.stop()


VALUES = (
    "..", ".", "../..", "/etc", "a/b", "a\\b", "Live", "LIVE", "live", "live.", "live ", " live", "con", "NUL", "a:b", "a%2Fb", "%2e%2e", "a=b",
    "~", "-rf", "*", "\x01", "\x7f", "\u202e", "e\u0301", "\u00e9", "x" * 240, "\u4eac" * 80, "__HIVE_DEFAULT_PARTITION__", "_hidden", ".parquet",
)


def test_partition_values_become_the_directories_that_spark_makes_and_none_leaves_the_table(job, spark, tmp_path):
    job.create_topic()
    job.produce([json.dumps({"match_id": f"M{number}", "status": value}) for number, value in enumerate(VALUES)])
    job.produce([json.dumps({"match_id": "long", "status": "x" * 260}), json.dumps({"match_id": "nul", "status": "a\0b"})])

    job.run()

    job.assert_exact()
    table = job.lake.root / "processed/matches"
    ours = {path.name for path in table.iterdir() if path.is_dir() and path.name.startswith("status=")}
    rows = [(f"M{number}", value) for number, value in enumerate(VALUES)]
    theirs = tmp_path / "spark"
    spark.createDataFrame(rows, "match_id string, status string").write.partitionBy("status").parquet(str(theirs))
    assert ours == {path.name for path in theirs.iterdir() if path.is_dir()}
    assert len(job.lake.rows(job.lake.rejects("matches"))) == 2
    # Nothing anywhere else: what is new in the lake is in these directories.
    assert {path.name for path in job.lake.root.iterdir()} == {"processed", "checkpoints", "rejected"}
