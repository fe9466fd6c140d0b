"""A real Prometheus (Debian's) with the configuration of deploy/, that looks every second."""

import json
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

import yaml

from .broker import free_ports
from .paths import ROOT

DIRECTORY = ROOT / ".cache" / "prometheus" / "usr" / "bin"
DEPLOY = ROOT / "deploy" / "prometheus"


def promtool(*arguments, text=None):
    """What promtool says; it must find nothing wrong."""
    command = [DIRECTORY / "promtool", *arguments]
    done = subprocess.run([str(word) for word in command], input=text, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


class Prometheus:
    """Use as a context: scrapes `target` ("127.0.0.1:4040") and evaluates deploy's alerts."""

    def __init__(self, directory, target, token=None):
        directory.mkdir(parents=True)
        config = yaml.safe_load((DEPLOY / "prometheus.yml").read_text())
        config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        config["rule_files"] = [str(DEPLOY / name) for name in config["rule_files"]]
        (scrape,) = config["scrape_configs"]
        scrape["static_configs"] = [{"targets": [target]}]
        if token:
            scrape["authorization"] = {"credentials": token}
        self._config = directory / "prometheus.yml"
        self._config.write_text(yaml.safe_dump(config))
        self._log = directory / "prometheus.log"
        self._data = directory / "data"
        (port,) = free_ports(1)
        self._address = f"127.0.0.1:{port}"
        self._moment = {}

    def __enter__(self):
        command = [
            DIRECTORY / "prometheus",
            f"--config.file={self._config}",
            f"--storage.tsdb.path={self._data}",
            f"--web.listen-address={self._address}",
        ]
        with open(self._log, "wb") as log:
            self._process = subprocess.Popen(
                [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self._wait(self._is_ready, "Prometheus")
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait(30)

    def _is_ready(self):
        assert self._process.poll() is None, self._log.read_text()
        try:
            with urllib.request.urlopen(f"http://{self._address}/-/ready", timeout=10) as answer:
                return answer.status == 200
        except (urllib.error.URLError, ConnectionError):
            return False

    def _wait(self, condition, what, timeout=60):
        deadline = time.monotonic() + timeout
        while not (found := condition()):
            assert time.monotonic() < deadline, f"no {what}: {self._log.read_text()[-4000:]}"
            time.sleep(0.1)
        return found

    def ask(self, path, **arguments):
        url = f"http://{self._address}/api/v1/{path}?{urllib.parse.urlencode(arguments)}"
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{arguments}: {error.read().decode()}") from None

    def stand_still(self):
        """From now on every query is of this moment, however long it takes to ask them all."""
        self._moment = {"time": time.time()}

    def query(self, expression):
        """[(labels, value)]"""
        result = self.ask("query", query=expression, **self._moment)["result"]
        return [(one["metric"], float(one["value"][1])) for one in result]

    def value(self, expression):
        """Of one series."""
        found = self.query(expression)
        assert len(found) == 1, (expression, found)
        return found[0][1]

    def wait_value(self, expression, value, timeout=60):
        def reached():
            return [one for _, one in self.query(expression)] == [value]

        self._wait(reached, f"{expression} = {value}", timeout)
