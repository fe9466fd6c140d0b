"""The Helm chart: linted and rendered with each of its values files, and what comes out checked by the schemas
of Kubernetes and Prometheus Operator, by the program, and against the manifests of deploy/kubernetes."""

import json
import pathlib
import re
import subprocess

import jsonschema
import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHART = ROOT / "deploy" / "helm" / "esports-stream"
HELM = ROOT / ".cache" / "helm" / "helm"
SERVICE_MONITOR = ROOT / ".cache" / "helm" / "servicemonitor.yaml"
PROGRAM = ROOT / "build" / "release" / "esports-stream"
VALUES = sorted((CHART / "ci").glob("*-values.yaml"))
MINIMAL = CHART / "ci/minimal-values.yaml"


def helm(command, *options, values=MINIMAL, exit_code=0):
    # Without a cluster, helm takes the version of Kubernetes that it was released for; ours was not released.
    words = [HELM, command, *(["esports-stream"] if command == "template" else []), CHART, "--kube-version", "1.31", *options]
    words += ["--values", values] if values else []
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    assert done.returncode == exit_code, done.stdout + done.stderr
    return done.stdout if exit_code == 0 else done.stdout + done.stderr


def rendered(*options, values=MINIMAL):
    """{kind: document}: the chart has no two of a kind."""
    documents = [one for one in yaml.safe_load_all(helm("template", *options, values=values)) if one]
    kinds = {one["kind"]: one for one in documents}
    assert len(kinds) == len(documents)
    return kinds


def manifest(name):
    return yaml.safe_load((ROOT / "deploy" / "kubernetes" / name).read_text())


@pytest.mark.parametrize("values", VALUES, ids=lambda path: path.stem)
def test_helm_and_kubernetes_accept_the_chart(values, tmp_path):
    assert "0 chart(s) failed" in helm("lint", "--strict", values=values)
    for kind, document in rendered(values=values).items():
        if kind == "ServiceMonitor":
            (version,) = (one for one in yaml.safe_load(SERVICE_MONITOR.read_text())["spec"]["versions"] if one["name"] == "v1")
            jsonschema.validate(document, closed(version["schema"]["openAPIV3Schema"]))
            continue
        path = tmp_path / f"{kind}.yaml"
        path.write_text(yaml.safe_dump(document))
        done = subprocess.run([ROOT / ".venv/bin/kubernetes-validate", "--strict", path], capture_output=True, text=True)
        assert done.returncode == 0 and "passed for resource" in done.stdout, done.stdout + done.stderr


def closed(schema):
    """The schema, as strict as the API server is with fieldValidation=Strict: no unknown members."""
    schema = dict(schema)
    if "properties" in schema:
        schema["properties"] = {name: closed(one) for name, one in schema["properties"].items()}
        schema.setdefault("additionalProperties", False)
    if "items" in schema:
        schema["items"] = closed(schema["items"])
    return schema


@pytest.mark.parametrize("values", VALUES, ids=lambda path: path.stem)
def test_every_setting_of_the_chart_is_one_that_the_program_takes(values, tmp_path):
    documents = rendered(values=values)
    settings = {**documents["ConfigMap"]["data"], **documents.get("Secret", {}).get("stringData", {})}
    settings.pop("KAFKA_SSL_CA_LOCATION", None)  # a file that exists in the pod only
    file = tmp_path / "settings.env"
    file.write_text("".join(f"{name}='{value}'\n" for name, value in settings.items()))
    words = ["env", "-i", PROGRAM, "--explain", "--env-file", file]
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    assert done.returncode == 0 and "Ignored" not in done.stdout + done.stderr, done.stdout + done.stderr
    known = set(re.findall(r"^\| `([A-Z_]+)`", (ROOT / "docs/configuration.md").read_text(), re.M))
    unknown = {name for name in settings if not name.startswith(("KAFKA_SASL_", "KAFKA_SSL_", "KAFKA_SEC"))} - known
    assert not unknown, unknown


def test_the_chart_runs_what_the_manifests_run():
    documents = rendered()
    ours, theirs = (one["spec"] for one in (documents["StatefulSet"], manifest("statefulset.yaml")))
    assert ours["replicas"] == theirs["replicas"] == 1
    assert ours["volumeClaimTemplates"] == theirs["volumeClaimTemplates"]
    pods = [one["template"]["spec"] for one in (ours, theirs)]
    (ours,), (theirs,) = (pod.pop("containers") for pod in pods)
    pods[0].pop("serviceAccountName")  # its own, without a token
    assert pods[0] == pods[1]
    secret = theirs["envFrom"].pop()  # optional there, made on request here
    assert secret["secretRef"]["optional"] is True
    # Both need an image of the user's registry and the user's brokers.
    (image,) = manifest("kustomization.yaml")["images"]
    theirs["image"] = theirs["image"].replace(image["name"], image["newName"])
    assert ours == theirs
    brokers = yaml.safe_load(MINIMAL.read_text())["settings"]
    settings = manifest("configmap.yaml")["data"]
    assert settings["KAFKA_BOOTSTRAP_SERVERS"] == ""
    assert documents["ConfigMap"]["data"] == {**settings, **brokers}
    service, wanted = documents["Service"]["spec"], manifest("service.yaml")["spec"]
    wanted["selector"]["app.kubernetes.io/instance"] = "esports-stream"
    assert service == wanted
    assert documents.keys() == {"StatefulSet", "ConfigMap", "Service", "ServiceAccount"}


def test_the_selectors_find_the_pod_and_the_service():
    documents = rendered("--set", "networkPolicy.enabled=true,serviceMonitor.enabled=true")
    labels = documents["StatefulSet"]["spec"]["template"]["metadata"]["labels"]
    for selector in (
        documents["StatefulSet"]["spec"]["selector"]["matchLabels"],
        documents["Service"]["spec"]["selector"],
        documents["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
    ):
        assert selector and selector.items() <= labels.items()
    monitor = documents["ServiceMonitor"]["spec"]
    service = documents["Service"]
    assert monitor["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert [one["port"] for one in monitor["endpoints"]] == [one["name"] for one in service["spec"]["ports"]]
    # The job that the alerts select.
    assert service["metadata"]["labels"][monitor["jobLabel"]] == "esports-stream"
    assert 'job="esports-stream"' in (ROOT / "deploy/prometheus/alerts.yml").read_text()


def test_the_network_policy_lets_in_the_page_and_out_dns_and_kafka():
    policy = rendered(values=CHART / "ci/network-policy-values.yaml")["NetworkPolicy"]["spec"]
    (ingress,) = policy["ingress"]
    assert ingress["ports"] == [{"port": "http", "protocol": "TCP"}]
    dns, kafka, extra = policy["egress"]
    assert {(one["port"], one["protocol"]) for one in dns["ports"]} == {(53, "UDP"), (53, "TCP")}
    assert [one["port"] for one in kafka["ports"]] == [9092, 9093, 9094]  # without a port it is 9092
    assert kafka["to"] and extra["ports"] == [{"port": 443, "protocol": "TCP"}]


def test_the_token_of_the_page_goes_to_prometheus_and_secrets_stay_out_of_the_config_map():
    documents = rendered(values=CHART / "ci/service-monitor-values.yaml")
    (endpoint,) = documents["ServiceMonitor"]["spec"]["endpoints"]
    assert endpoint["authorization"]["credentials"] == {"name": "esports-stream", "key": "UI_TOKEN"}
    assert documents["Secret"]["stringData"].keys() == {"UI_TOKEN"}
    pod = documents["StatefulSet"]["spec"]["template"]
    assert {"secretRef": {"name": "esports-stream"}} in pod["spec"]["containers"][0]["envFrom"]
    assert not any(name.startswith("prometheus.io/") for name in pod["metadata"]["annotations"])
    (endpoint,) = rendered("--set", "serviceMonitor.enabled=true")["ServiceMonitor"]["spec"]["endpoints"]
    assert "authorization" not in endpoint


def test_what_exists_is_used_and_not_made_again():
    documents = rendered(values=CHART / "ci/existing-values.yaml")
    assert documents.keys() == {"StatefulSet", "ConfigMap", "Service", "ServiceMonitor"}
    spec = documents["StatefulSet"]["spec"]
    assert "volumeClaimTemplates" not in spec
    pod = spec["template"]["spec"]
    assert pod["volumes"] == [{"name": "data", "persistentVolumeClaim": {"claimName": "lake"}}]
    assert {"secretRef": {"name": "kafka-credentials"}} in pod["containers"][0]["envFrom"]
    assert pod["serviceAccountName"] == "default" and pod["automountServiceAccountToken"] is False


def test_a_change_of_a_setting_or_of_the_secret_restarts_the_pod():
    def annotations(*options):
        return rendered(*options)["StatefulSet"]["spec"]["template"]["metadata"]["annotations"]

    before = annotations("--set", "secret.UI_TOKEN=a-token-of-some-length")
    assert annotations("--set", "secret.UI_TOKEN=a-token-of-other-length") != before
    assert annotations("--set", "settings.TRIGGER=2 minutes") != annotations()
    assert annotations() == annotations("--set", "serviceMonitor.labels.a=b")


@pytest.mark.parametrize(
    ("option", "reason"),
    [
        ("replicas=2", "replicas"),
        ("job=match_streams", "job"),
        ("settings.KAFKA_BOOTSTRAP_SERVERS=null", "settings.KAFKA_BOOTSTRAP_SERVERS is required: "),
        ("settings.KAFKA_BOOTSTRAP_SERVERS=", "settings.KAFKA_BOOTSTRAP_SERVERS is required: "),
        ("image.repository=", "image.repository is required: no image is published. Build it, push it"),
        ("settings.UI_TOKEN=a-token-of-some-length", "UI_TOKEN"),
        ("settings.trigger=1 minute", "trigger"),
        ("settings.DATA_LAKE_PATH=/lake", "persistence.mountPath"),
        ("settings.SPARK_UI_PORT=1", "service.port"),
        ("persistence.sizes=1Gi", "sizes"),
        ("service.port=http", "port"),
        ("existingSecret=a,secret.UI_TOKEN=b", "not both"),
    ],
)
def test_values_that_cannot_work_are_refused_by_name(option, reason):
    assert reason in helm("template", "--set", option, exit_code=1)


def test_the_documented_command_sets_what_the_chart_requires():
    for name in ("docs/operations.md", "deploy/helm/esports-stream/README.md"):
        commands = (ROOT / name).read_text().replace("\\\n", " ")
        (command,) = re.findall(r"^ *helm install esports-stream deploy/helm/esports-stream (.*)$", commands, re.M)
        options = command.split()
        assert helm("template", *options, values=None), name
        pushed = re.findall(r"docker push (\S+):(\S+)", commands)
        image = rendered(*options, values=None)["StatefulSet"]["spec"]["template"]["spec"]["containers"][0]["image"]
        assert [":".join(part) for part in pushed] == [image], name
    assert "settings.KAFKA_BOOTSTRAP_SERVERS is required" in helm("template", *options[:2], values=None, exit_code=1)
    assert "image.repository is required" in helm("template", *options[2:], values=None, exit_code=1)
    assert "0 chart(s) failed" in helm("lint", values=None)


def test_numbers_are_printed_in_full():
    settings = rendered("--set-json", 'settings.MAX_OFFSETS_PER_TRIGGER=20000000,settings.LOG_LEVEL="1e3"')["ConfigMap"]["data"]
    assert (settings["MAX_OFFSETS_PER_TRIGGER"], settings["LOG_LEVEL"]) == ("20000000", "1e3")
    assert "MAX_OFFSETS_PER_TRIGGER" in helm("template", "--set-json", "settings.MAX_OFFSETS_PER_TRIGGER=1.5", exit_code=1)


def test_the_schema_knows_each_value():
    schema = json.loads((CHART / "values.schema.json").read_text())
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    assert schema["properties"].keys() - {"global"} == values.keys()
    jsonschema.Draft7Validator.check_schema(schema)
    # And every key below: the defaults pass with unknown keys refused.
    jsonschema.validate(values, schema)
