"""docs/tutorial.md: each of its command blocks runs, in order, in one shell, and prints what the page shows."""

import os
import re
import subprocess

import pytest
from rig.paths import ROOT

PAGE = ROOT / "docs" / "tutorial.md"
PYTHON = ROOT / ".venv" / "bin"
TOPIC = "games"

# Kafka's own console producer is a script of its distribution, which is not installed here.
CONSOLE_PRODUCER = f"""#!{PYTHON / "python3"}
import sys
from confluent_kafka import Producer

options = dict(zip(sys.argv[1::2], sys.argv[2::2], strict=True))
producer = Producer({{"bootstrap.servers": options.pop("--bootstrap-server")}})
topic = options.pop("--topic")
assert options == {{}}
for line in sys.stdin:
    producer.produce(topic, line.rstrip("\\n"))
assert producer.flush(60) == 0
"""


def blocks():
    """[(commands, what the page shows of their output)]"""
    found = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE.read_text(), re.M | re.S)
    assert {kind for kind, _ in found} == {"sh", "text"}
    pairs = []
    for kind, text in found:
        if kind == "sh":
            pairs.append((text, ""))
        else:
            pairs[-1] = (pairs[-1][0], text)
    return pairs


@pytest.fixture
def shell(request, broker, tmp_path):
    """Runs commands as a reader has them: the program, Python and Kafka's tools on the PATH."""
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "esports-stream").symlink_to(ROOT / request.config.getoption("--program"))
    producer = tools / "kafka-console-producer.sh"
    producer.write_text(CONSOLE_PRODUCER)
    producer.chmod(0o755)
    values = {"kafka:9092": broker.ensure_started().bootstrap, "/data/lake": str(tmp_path / "lake")}

    def run(script):
        for written, value in values.items():
            assert written in script
            script = script.replace(written, value)
        path = f"{tools}:{PYTHON}:{os.environ['PATH']}"
        environment = {"PATH": path, "HOME": str(tmp_path), "TZ": "UTC", "PIP_NO_INDEX": "1", "SPARK_UI_PORT": "0"}
        words = ["bash", "-euo", "pipefail", "-c", script]
        return subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    return run


def test_the_tutorial_goes_from_a_topic_to_a_chart(shell, broker):
    broker.create_topic(TOPIC)
    pairs = blocks()
    assert len(pairs) == 10
    mark = "--- block"
    done = shell("".join(f"echo '{mark}'\n{commands}" for commands, _ in pairs))
    assert done.returncode == 0, done.stdout + done.stderr
    outputs = done.stdout.split(f"{mark}\n")[1:]
    for (commands, shown), output in zip(pairs, outputs, strict=True):
        missing = [line for line in shown.splitlines() if line not in output.splitlines()]
        assert missing == [], f"{commands}\nprinted:\n{output}"
    newest, chart = outputs[-2:]
    assert "M999" in newest
    days = re.findall(r"^│ (2025-05-\d\d) │ +(\d+) │ (█+)", chart, re.M)
    kills = sum(n % 17 + n % 11 for n in range(1000))
    assert len(days) == 11 and sum(int(count) for _, count, _ in days) == kills, chart
