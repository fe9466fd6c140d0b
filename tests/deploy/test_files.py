"""The files of deploy/: each read by the strictest reader of its kind that is at hand, and what they say
to each other and to the program."""

import os
import pathlib
import re
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
TOOLS = ROOT / ".venv" / "bin"
KUBERNETES = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
UNIT = DEPLOY / "systemd" / "esports-stream.service"


def output_of(*command, **environment):
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, env={**os.environ, **environment}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def document(name):
    return yaml.safe_load((DEPLOY / name).read_text())


def setting_default(name):
    """A setting's default, as docs/configuration.md has it."""
    row = re.search(rf"^\| `{name}`[^|]*\| `([^`]*)`", (ROOT / "docs/configuration.md").read_text(), re.M)
    return row.group(1)


def seconds(duration):
    return int(duration.removesuffix(" seconds"))


def mebibytes(size):
    number, unit = re.fullmatch(r"(\d+)([mMgG])i?", size).groups()
    return int(number) * (1024 if unit in "gG" else 1)


def test_hadolint_finds_nothing_in_the_dockerfile():
    assert output_of(TOOLS / "hadolint", "--failure-threshold", "style", DEPLOY / "docker/Dockerfile") == ""


def test_the_image_is_made_of_files_that_are_not_kept_from_it():
    """Every local path that COPY and CMake's install() need passes .dockerignore."""
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"}
    wanted = {"deploy/docker/healthcheck.sh", "src", "tests/floor.c", "CMakeLists.txt", "CMakePresets.json", "cmake"}
    cmake = (ROOT / "CMakeLists.txt").read_text() + (ROOT / "cmake/package.cmake").read_text()
    wanted |= set(re.findall(r"(?<![/\w])(?:deploy/\w+|bench/results|[A-Z]+\.md|LICENSE|NOTICE)\b", cmake)) | {"docs", "queries"}
    wanted |= set(re.findall(r"scripts/[\w-]+\.sh", cmake))
    assert wanted <= allowed, wanted - allowed
    assert all((ROOT / path).exists() for path in allowed)


def test_the_image_is_given_every_script_that_its_build_runs():
    given = (ROOT / ".dockerignore").read_text().splitlines()
    build = [ROOT / "CMakeLists.txt", *(ROOT / "cmake").iterdir(), DEPLOY / "docker/Dockerfile"]
    named = {script for file in build for script in re.findall(r"scripts/[\w-]+\.\w+", file.read_text())}
    assert named
    assert {script for script in named if f"!{script}" not in given} == set()


def address_of(port):
    """Debian 12's docker-compose prints text, Debian 13's the parts of it."""
    return port["host_ip"] if isinstance(port, dict) else port.split(":")[0]


def source_of(volume):
    return volume["source"] if isinstance(volume, dict) else volume.split(":")[0]


def test_compose_takes_the_file_and_what_it_mounts_is_there():
    text = output_of("docker-compose", "-f", DEPLOY / "docker/docker-compose.yml", "config")
    services = yaml.safe_load(text)["services"]
    assert set(services) == {"kafka", "topics", "esports-stream", "prometheus", "grafana"}
    for name, service in services.items():
        assert name in ("topics", "esports-stream") or "healthcheck" in service, name
        # Nothing of it is offered to other machines.
        assert all(address_of(port) == "127.0.0.1" for port in service.get("ports", [])), name
        mounts = [source_of(volume) for volume in service.get("volumes", [])]
        assert [path for path in mounts if path.startswith("/") and not os.path.exists(path)] == []


@pytest.mark.parametrize("path", KUBERNETES, ids=lambda path: path.stem)
def test_kubernetes_takes_the_manifest(path):
    manifest = yaml.safe_load(path.read_text())
    if manifest["kind"] == "Kustomization":  # no part of the API's schema
        assert {ROOT / "deploy/kubernetes" / name for name in manifest["resources"]} == {
            other for other in KUBERNETES if other != path and "example" not in other.name
        }
        # The registry is the user's: a name without one would be taken from a public registry.
        (image,) = manifest["images"]
        used = document("kubernetes/statefulset.yaml")["spec"]["template"]["spec"]["containers"][0]["image"]
        assert used.partition(":")[0] == image["name"] and image["newName"].startswith("registry.example.com/")
        return
    assert "passed for resource" in output_of(TOOLS / "kubernetes-validate", "--strict", path)


def test_the_manifest_agrees_with_its_settings():
    settings = document("kubernetes/configmap.yaml")["data"]
    pod = document("kubernetes/statefulset.yaml")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["terminationGracePeriodSeconds"] > seconds(settings["SHUTDOWN_TIMEOUT"])
    start = container["startupProbe"]
    assert start["periodSeconds"] * start["failureThreshold"] > seconds(setting_default("KAFKA_STARTUP_TIMEOUT"))
    limit = mebibytes(container["resources"]["limits"]["memory"])
    assert mebibytes(settings["SPARK_DRIVER_MEMORY"]) <= 0.8 * limit
    (port,) = container["ports"]
    assert str(port["containerPort"]) == settings["SPARK_UI_PORT"]
    assert container["volumeMounts"][0]["mountPath"] == settings["DATA_LAKE_PATH"]
    dockerfile = (DEPLOY / "docker/Dockerfile").read_text()
    security = pod["securityContext"]
    assert f"USER {security['runAsUser']}:{security['runAsGroup']}" in dockerfile
    for name in ("docker/docker-compose.yml", "kubernetes/statefulset.yaml"):
        assert f"image: esports-stream:{_version()}" in (DEPLOY / name).read_text(), name


def _version():
    return re.search(r"project\(esports-stream VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text()).group(1)


def test_compose_and_unit_give_a_stop_the_time_it_takes():
    service = document("docker/docker-compose.yml")["services"]["esports-stream"]
    assert int(service["stop_grace_period"].removesuffix("s")) > seconds(setting_default("SHUTDOWN_TIMEOUT"))
    timeout = re.search(r"^TimeoutStopSec=(\d+)s$", UNIT.read_text(), re.M).group(1)
    assert int(timeout) > seconds(setting_default("SHUTDOWN_TIMEOUT"))


@pytest.fixture(scope="module")
def program(request):
    return ROOT / "build" / "release" / "esports-stream"


def explain(program, settings, tmp_path):
    """--explain of these settings alone: fails on wrong ones, warns of unknown ones."""
    file = tmp_path / "settings.env"
    file.write_text("".join(f"{name}='{value}'\n" for name, value in settings.items()))
    return output_of("env", "-i", program, "--explain", "--env-file", file)


def test_every_setting_in_deploy_is_one_that_the_program_takes(program, tmp_path):
    env_file = (DEPLOY / "systemd/esports-stream.env").read_text()
    shipped = dict(re.findall(r'^#?([A-Z_]+)="?([^"\n]+)"?$', env_file, re.M))
    shipped.pop("KAFKA_SSL_CA_LOCATION")  # a file of the host's, which --explain would look for here
    assert shipped["QUERIES_PATH"] == "/etc/esports-stream/queries"  # likewise
    shipped["QUERIES_PATH"] = tmp_path / "queries.sql"
    shipped["QUERIES_PATH"].write_text("CREATE STREAMING TABLE raw AS SELECT value FROM STREAM kafka('any-topic')")
    shipped["KAFKA_SASL_PASSWORD"] = "chosen"  # left empty there; without one librdkafka refuses
    secret = document("kubernetes/secret.example.yaml")["stringData"]
    secret.pop("KAFKA_SSL_CA_PEM")  # more than one line
    kubernetes = {**document("kubernetes/configmap.yaml")["data"], **secret}
    assert kubernetes["KAFKA_BOOTSTRAP_SERVERS"] == ""  # no broker is made up: the program asks for them
    kubernetes["KAFKA_BOOTSTRAP_SERVERS"] = "kafka.kafka.svc:9092"
    compose = yaml.safe_load(
        output_of("docker-compose", "-f", DEPLOY / "docker/docker-compose.yml", "config")
    )["services"]["esports-stream"]["environment"]
    known = set(re.findall(r"^\| `([A-Z_]+)`", (ROOT / "docs/configuration.md").read_text(), re.M))
    of_image = {"DATA_LAKE_PATH": "/data"}  # the Dockerfile's
    assert "DATA_LAKE_PATH=/data" in (DEPLOY / "docker/Dockerfile").read_text()
    for settings in (shipped, kubernetes, compose):
        text = explain(program, {**of_image, **settings}, tmp_path)
        # The examples are for the image's librdkafka; Debian 12's warns of SCRAM.
        text = re.sub(r"^Warning: librdkafka before 2\.6\.1 .*$", "", text, flags=re.M)
        assert "Warning" not in text and "Ignored" not in text, text
        unknown = {name for name in settings if not name.startswith(("KAFKA_SASL_", "KAFKA_SSL_", "KAFKA_SEC"))}
        assert unknown <= known, unknown - known


def test_the_unit_is_hardened_by_systemds_own_measure():
    # 13 of 1000: network, a static user, and a umask that lets a group read.
    output_of("systemd-analyze", "security", "--offline=true", "--threshold=13", UNIT)


def test_systemd_takes_the_drop_ins_of_the_documents(tmp_path):
    """systemd has no comments after a value: it would ignore the setting, with a line in its log only."""
    text = (ROOT / "docs/operations.md").read_text()
    drop_ins = [re.sub(r"^    ", "", found, flags=re.M) for found in re.findall(r"^    \[Service\]\n(?:    .*\n)+", text, re.M)]
    assert len(drop_ins) == 2
    for number, drop_in in enumerate(drop_ins):
        unit = tmp_path / f"{number}.service"
        unit.write_text(f"[Service]\nExecStart=/bin/true\n{drop_in}")
        assert output_of("systemd-analyze", "verify", "--man=no", unit) == ""


class Health(BaseHTTPRequestHandler):
    status = 200

    def do_GET(self):  # noqa: N802
        self.send_response(self.status if self.path == "/healthz" else 404)
        self.end_headers()

    def log_message(self, *_):
        pass


def test_the_images_health_check_asks_healthz():
    check = DEPLOY / "docker" / "healthcheck.sh"
    server = HTTPServer(("127.0.0.1", 0), Health)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    environment = {"PATH": "/usr/bin:/bin", "SPARK_UI_PORT": str(server.server_port)}

    def healthy():
        return subprocess.run([check], env=environment, capture_output=True).returncode == 0

    assert healthy()
    Health.status = 503
    assert not healthy()
    server.shutdown()
    server.server_close()
    assert not healthy()
    environment["SPARK_UI_PORT"] = "0"
    assert healthy()
