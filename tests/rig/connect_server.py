"""A Spark 4 Connect server in a process of its own, which asks for a token; nghttpx in front of it for TLS."""

import os
import signal
import subprocess
import time

from .broker import free_ports
from .paths import JARS, ROOT, java_home

SPARK_HOME = ROOT / ".venv" / "lib" / "python3.11" / "site-packages" / "pyspark"
SERVER = "org.apache.spark.sql.connect.service.SparkConnectServer"


class ConnectServer:
    """Config: Spark's options with underscores for dots."""

    def __init__(self, directory, token="s3cr3t", master="local[2]", **config):
        self.directory = directory
        self.token = token
        self.port = free_ports(1)[0]
        self.url = f"sc://127.0.0.1:{self.port}/;token={token}"
        self._master = master
        self._config = config
        self._process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.kill()

    def start(self):
        """Until it takes calls, at the same port each time."""
        self.directory.mkdir(parents=True, exist_ok=True)
        config = {
            "spark.jars": ",".join(str(path) for path in sorted((JARS / "spark").glob("*.jar"))),
            "spark.ui.enabled": "false",
            "spark.sql.shuffle.partitions": "2",
            "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
            "spark.connect.grpc.binding.address": "127.0.0.1",
            "spark.connect.grpc.binding.port": str(self.port),
            **{name.replace("_", "."): value for name, value in self._config.items()},
        }
        words = [word for name, value in config.items() for word in ("--conf", f"{name}={value}")]
        log = self.directory / "connect.log"
        log.unlink(missing_ok=True)
        environment = {
            "JAVA_HOME": java_home(),
            "SPARK_HOME": str(SPARK_HOME),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_CONNECT_AUTHENTICATE_TOKEN": self.token,
        }
        submit = [SPARK_HOME / "bin" / "spark-submit", "--master", self._master, "--driver-memory", "768m"]
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [*submit, *words, "--class", SERVER, "spark-internal"],
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.directory,
                env={**os.environ, **environment},
                start_new_session=True,
            )
        wait_for(log, "Spark Connect server started at", self._process)

    def kill(self):
        """At once, with what it has started."""
        if self._process is None:
            return
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = None


class TlsFront:
    """nghttpx: HTTP/2 over TLS, passed on in the clear to `port`. `certificate`: the files of certificate and
    key."""

    def __init__(self, directory, port, certificate):
        self._log = directory / f"nghttpx-{port}-{certificate[0].stem}.log"
        self._backend, self._certificate = port, certificate
        self.port = free_ports(1)[0]

    def __enter__(self):
        certificate, key = self._certificate
        words = ["--conf=/dev/null", "--workers=1", "--no-ocsp", f"-f127.0.0.1,{self.port}"]
        words += [f"-b127.0.0.1,{self._backend};;proto=h2", key, certificate]
        with self._log.open("wb") as output:
            self._process = subprocess.Popen(
                ["nghttpx", *words], stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )
        wait_for(self._log, "Created worker thread", self._process)
        return self

    def __exit__(self, *_):
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def wait_for(log, text, process, seconds=90):
    deadline = time.monotonic() + seconds
    while text not in log.read_text(errors="replace"):
        assert process.poll() is None and time.monotonic() < deadline, log.read_text(errors="replace")[-4000:]
        time.sleep(0.1)
