"""A standalone Spark cluster on loopback, of the distribution in the pyspark wheel: a master and
workers, each a process of its own; Spark Connect servers on any master; TLS in front of one.

    with Cluster(directory / "cluster") as cluster:
        with ConnectServer(directory / "connect", cluster.url) as server:
            ...                            # SPARK_MASTER_URL=server.url
            cluster.workers[0].kill()      # as a machine that loses power: its executors with it
            cluster.add_worker()

Every process dies with the thread that started it, so none is left, no matter how the tests end:
start them from the main thread."""

import ctypes
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time

from . import processes
from .broker import free_ports
from .paths import JARS, ROOT, java_home

NGHTTPX = ROOT / ".cache" / "nghttp2-proxy" / "usr" / "sbin"
MEMORY = "700m"  # of a worker, for its one executor
SMALL = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]  # quick to start, and few threads
PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None)


def spark_home():
    """The wheel's folder is a whole distribution, except for conf/. CLUSTER_SPARK_HOME: another one."""
    if "CLUSTER_SPARK_HOME" in os.environ:
        return pathlib.Path(os.environ["CLUSTER_SPARK_HOME"])
    (found,) = (ROOT / ".venv" / "lib").glob("python3*/site-packages/pyspark")
    return found


def connector_jars():
    """For spark.jars: what reads Kafka is not in the distribution. CLUSTER_SPARK_JARS: a directory
    of those for another one."""
    directory = pathlib.Path(os.environ.get("CLUSTER_SPARK_JARS", JARS / "spark"))
    return ",".join(str(path) for path in sorted(directory.glob("*.jar")))


def environment(directory):
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "TZ": "UTC",
        "LC_ALL": "C.UTF-8",  # or Java has no names of files beyond ASCII: no directory status=é
        "JAVA_HOME": java_home(),
        "SPARK_HOME": str(spark_home()),
        "SPARK_SCALA_VERSION": "2.13",  # a worker started without the scripts asks for it
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_LOCAL_DIRS": str(directory / "local"),
    }


class Daemon:
    """A process that leads a group of its own, with a log; ended with all of its group."""

    def __init__(self, directory, name):
        self.directory = directory
        self.name = name
        self.log_file = directory / f"{name}.log"
        self._process = None

    @property
    def pid(self):
        return self._process.pid

    @property
    def runs(self):
        return self._process is not None and self._process.poll() is None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def log(self):
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def _launch(self, command, variables):
        assert self._process is None, f"{self.name} runs"
        self.directory.mkdir(parents=True, exist_ok=True)
        with open(self.log_file, "wb") as log:
            self._process = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=variables,
                cwd=self.directory,
                start_new_session=True,
                preexec_fn=lambda: _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL),
            )

    def wait_log(self, pattern, timeout=60):
        """Waits for a line; gives the match."""
        return self.wait_until(lambda: re.search(pattern, self.log()), timeout, f"/{pattern}/")

    def wait_until(self, condition, timeout, what):
        deadline = time.monotonic() + timeout
        while True:
            ended = self._process.poll() is not None
            if found := condition():
                return found
            if ended or time.monotonic() > deadline:
                raise RuntimeError(f"{self.name}: no {what}\n{self.log()[-6000:]}")
            time.sleep(0.02)

    def kill(self):
        """SIGKILL to it and its children, as a machine that loses power."""
        if self._process is None:
            return
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._process.wait(30)
        self._process = None

    def stop(self):
        """SIGTERM, and SIGKILL to what is left of the group."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            pass
        self.kill()

    def pause(self):
        """Freezes the whole group: connections stay open, nothing answers."""
        processes.pause(*processes.command_lines(self.pid))

    def resume(self):
        os.killpg(self.pid, signal.SIGCONT)

    def resident_mb(self):
        """Of its whole group."""
        statuses = (pathlib.Path(f"/proc/{pid}/status") for pid in processes.command_lines(self.pid))
        sizes = (re.search(r"VmRSS:\s+(\d+)", status.read_text()) for status in statuses)
        return sum(int(size.group(1)) >> 10 for size in sizes)


def java(heap, *options):
    jars = spark_home() / "jars" / "*"
    return [f"{java_home()}/bin/java", f"-Xmx{heap}", *SMALL, *options, "-cp", jars]


class Master(Daemon):
    def __init__(self, directory):
        super().__init__(directory, "master")
        (self.port,) = free_ports(1)
        self.url = f"spark://127.0.0.1:{self.port}"

    def begin(self):
        options = ["-Dspark.master.rest.enabled=false"]
        command = ["org.apache.spark.deploy.master.Master", "--host", "127.0.0.1"]
        command += ["--port", self.port, "--webui-port", 0]
        self._launch([*java("256m", *options), *command], environment(self.directory))

    def start(self):
        self.begin()
        self.wait_log("New state: ALIVE")
        return self


class Worker(Daemon):
    """`hidden`: a directory that is empty for it and its executors, as on a machine that does not
    mount it (root only)."""

    def __init__(self, directory, number, master, cores=1, memory=MEMORY, hidden=None):
        super().__init__(directory / f"worker-{number}", "worker")
        self._master = master
        self._size = ["--cores", cores, "--memory", memory]
        self._hidden = hidden

    def begin(self):
        command = [*java("256m"), "org.apache.spark.deploy.worker.Worker", "--host", "127.0.0.1"]
        command += ["--port", 0, "--webui-port", 0, "--work-dir", self.directory / "work"]
        command += [*self._size, self._master]
        if self._hidden is not None:
            mount = 'mount -t tmpfs tmpfs "$0" && exec "$@"'
            command = ["unshare", "--mount", "sh", "-c", mount, self._hidden, *command]
        self._launch(command, environment(self.directory))

    def start(self):
        self.begin()
        self.wait_log("Successfully registered with master")
        return self

    def executors(self):
        """Process ids of its executors."""
        group = processes.command_lines(self.pid).items() if self._process else ()
        return sorted(pid for pid, command in group if "CoarseGrainedExecutorBackend" in command)

    def finished_tasks(self, application="*"):
        """How many tasks its executors have finished, by their logs."""
        logs = (self.directory / "work").glob(f"{application}/*/stderr")
        return sum(log.read_text(errors="replace").count(": Finished task ") for log in logs)


class Cluster:
    """Use as a context, or start() and stop(); stop() leaves no process and no copies of jars."""

    def __init__(self, directory, workers=2, cores=1, memory=MEMORY):
        self.directory = directory
        self.master = Master(directory)
        self.url = self.master.url
        self._count = workers
        self._size = {"cores": cores, "memory": memory}
        self.workers = []  # in order of their start, also those that were killed

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def start(self):
        try:
            self.master.start()
            workers = [self._new_worker() for _ in range(self._count)]
            for worker in workers:  # side by side
                worker.begin()
            for worker in workers:
                worker.wait_log("Successfully registered with master")
        except BaseException:
            self.stop()
            raise
        return self

    def _new_worker(self, **options):
        number = len(self.workers)
        worker = Worker(self.directory, number, self.url, **{**self._size, **options})
        self.workers.append(worker)
        return worker

    def add_worker(self, **options):
        """Options: cores, memory, hidden."""
        return self._new_worker(**options).start()

    def executors(self):
        return [pid for worker in self.workers for pid in worker.executors()]

    def alive(self):
        return [worker for worker in self.workers if worker.runs]

    def mend(self):
        """As many workers as at the start, in place of those that were killed."""
        while len(self.alive()) < self._count:
            self.add_worker()

    def applications(self):
        """Ids of the applications that the master has accepted, in order."""
        return re.findall(r"Registered app .* with ID (\S+)", self.master.log())

    def stop(self):
        for worker in self.workers:
            worker.kill()  # what they would do in order does not matter to anybody
        self.master.kill()
        for place in ("*/work/*/*/*.jar", "*/local"):
            for path in self.directory.glob(place):
                shutil.rmtree(path) if path.is_dir() else path.unlink()


class ConnectServer(Daemon):
    """On any master; after kill() or stop() it may be started again, on the same port. Options of
    Spark are given with underscores for dots."""

    def __init__(self, directory, master, token=None, heap="600m", executor_memory="600m", **conf):
        super().__init__(directory, "connect")
        self.master = master
        self.token = token
        (self.port,) = free_ports(1)
        self._heap = heap
        self._conf = {
            "spark.connect.grpc.binding.address": "127.0.0.1",
            "spark.connect.grpc.binding.port": self.port,
            "spark.executor.memory": executor_memory,
            "spark.executor.extraJavaOptions": " ".join(SMALL),
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.ui.enabled": "false",
            "spark.sql.warehouse.dir": directory / "warehouse",
            **{name.replace("_", "."): value for name, value in conf.items()},
        }

    @property
    def url(self):
        token = f"/;token={self.token}" if self.token else ""
        return f"sc://127.0.0.1:{self.port}{token}"

    def begin(self):
        command = [spark_home() / "bin" / "spark-submit", "--master", self.master]
        command += ["--driver-memory", self._heap, "--driver-java-options", " ".join(SMALL)]
        for name, value in self._conf.items():
            command += ["--conf", f"{name}={value}"]
        command += ["--jars", connector_jars()]
        command += ["--class", "org.apache.spark.sql.connect.service.SparkConnectServer"]
        variables = environment(self.directory)
        if self.token:
            variables["SPARK_CONNECT_AUTHENTICATE_TOKEN"] = self.token
        self._launch([*command, "spark-internal"], variables)

    def start(self):
        self.begin()
        self.wait_log("Spark Connect server started at")
        return self


class TlsFront(Daemon):
    """HTTP/2 over TLS in front of a Connect server, as at the edge of a real cluster."""

    def __init__(self, directory, server, certificate, key):
        super().__init__(directory, "nghttpx")
        (self.port,) = free_ports(1)
        self._server = server
        self._certificate, self._key = certificate, key

    @property
    def url(self):
        token = f";token={self._server.token}" if self._server.token else ""
        return f"sc://127.0.0.1:{self.port}/;use_ssl=true{token}"

    def start(self):
        command = ["nghttpx", "--conf=/dev/null", "--single-process", "--workers=1", "--no-ocsp"]
        command += [f"--frontend=127.0.0.1,{self.port}"]
        command += [f"--backend=127.0.0.1,{self._server.port};;proto=h2"]
        command += ["--accesslog-file=/dev/null", self._key, self._certificate]
        self._launch(command, {"PATH": f"{NGHTTPX}:{os.environ['PATH']}:/usr/sbin"})

        def listens():
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self.port)) == 0

        self.wait_until(listens, 10, "open port")
        return self
