"""What a real Prometheus scrapes, compared with what the queries did."""

import collections
import itertools
import json
import pathlib
import re
import subprocess
import time

import pytest
import yaml
from rig.broker import free_ports
from rig.prometheus import DEPLOY, Prometheus, promtool
from rig.web import Web

ROOT = pathlib.Path(__file__).resolve().parents[2]
DASHBOARD = ROOT / "deploy" / "grafana" / "dashboards" / "esports-stream.json"
ALERT_TESTS = ROOT / "tests" / "prometheus" / "alerts_test.yml"
HEALTH_CASES = ROOT / "build" / "release" / "tests" / "tools" / "health_cases"
TOKEN = "a-token-of-some-length"
numbers = itertools.count()


def matches(count):
    states = ("finished", "live", "not_started")
    made = [next(numbers) for _ in range(count)]
    return [json.dumps({"match_id": f"M{n}", "status": states[n % 3]}) for n in made]


ODD = ["nonsense", "", "[1]", '{"match_id": null}']
FAULTY = ['{"match_id": "F", "match_duration": "long", "colour": 1, "size": 2}'] * 3


@pytest.fixture
def watched(job, tmp_path):
    """Two queries that have done a bit of everything since a Prometheus started scraping them."""
    job.create_topics(partitions=2)
    process = job.start(
        "--job",
        "all",
        TRIGGER="1 second",
        SPARK_UI_PORT=free_ports(1)[0],
        UI_TOKEN=TOKEN,
        COMPACT="1 hour",
        KAFKA_CONF_STATISTICS_INTERVAL_MS=300,
    )
    web = Web(process, token=TOKEN)
    with Prometheus(tmp_path / "prometheus", f"127.0.0.1:{web.port}", TOKEN) as prometheus:
        prometheus.wait_value('up{job="esports-stream"}', 1)
        prometheus.wait_value('count(esports_stream_lag_records{query="match_stream"})', 2)
        for _ in range(3):
            job.produce([*matches(40), *ODD, *FAULTY])
            job.produce(matches(20), partition=1)
            job.produce(['{"player_id": "P1"}'] * 5, kind="players")
            time.sleep(1)  # another batch
        for kind, topic in job.topics.items():
            job.wait_committed(process, job.broker.end_offsets(topic), kind, timeout=60)
        records = 3 * (40 + len(ODD) + len(FAULTY) + 20 + 5)
        for name in ("committed_offset", "records_read_total", "accepted_records_total) + sum(esports_stream_rejects_total"):
            prometheus.wait_value(f"sum(esports_stream_{name})", records)
        prometheus.wait_value("sum(esports_stream_lag_records)", 0)
        prometheus.wait_value('count(esports_stream_forecast_files_per_day{query="match_stream"})', 3)
        prometheus.wait_value("count(esports_stream_table_files)", 4)
        # A few seconds after the last batch, the round-trip times are no longer known.
        prometheus.stand_still()
        yield job, process, web, prometheus
        process.stop()


def series(prometheus, name, *labels):
    """{values of the labels: value} of match_stream's series."""
    found = prometheus.query(f'{name}{{query="match_stream"}}')
    return {tuple(one[label] for label in labels): value for one, value in found}


def check_records(job, prometheus):
    lake = job.lake
    rows, rejects = lake.rows(lake.table("matches")), lake.rows(lake.rejects("matches"))
    assert series(prometheus, "esports_stream_rows_total") == {(): len(rows)} == {(): 3 * 63}
    by_reason = collections.Counter(row["reason"] for row in rejects)
    told = series(prometheus, "esports_stream_rejects_total", "reason")
    assert {reason: count for (reason,), count in told.items() if count} == by_reason
    assert len(told) == 9 and sum(told.values()) == 3 * len(ODD)  # 0 for those that have not occurred
    assert prometheus.value('esports_stream_rows_total{query="player_stream"}') == 15
    faults = series(prometheus, "esports_stream_field_faults_total", "column")
    assert {column: count for (column,), count in faults.items() if count} == {"match_duration": 9}
    assert series(prometheus, "esports_stream_unknown_keys_total") == {(): 18}
    assert series(prometheus, "esports_stream_records_read_total") == {(): 3 * 67}
    for name in ("absent_offsets", "lost_offsets", "retries"):
        assert series(prometheus, f"esports_stream_{name}_total") == {(): 0}, name


def check_batches(job, process, web, prometheus):
    batches = web.query(view="/batches")["batches"]
    assert series(prometheus, "esports_stream_batches_total") == {(): len(batches)}
    assert series(prometheus, "esports_stream_batch_id") == {(): batches[-1]["batchId"]}
    for name in ("batch_duration_seconds", "end_to_end_delay_seconds"):
        assert series(prometheus, f"esports_stream_{name}_count") == {(): len(batches)}
    (whole,) = series(prometheus, "esports_stream_batch_duration_seconds_sum").values()
    assert whole == pytest.approx(sum(one["durationMs"]["total"] for one in batches) / 1000, abs=0.01)
    parts = series(prometheus, "esports_stream_batch_operation_duration_seconds_sum", "operation")
    assert set(parts) == {
        (name,) for name in ("plan", "fetch", "decode", "derive", "encode", "write", "commit")
    }
    assert sum(parts.values()) == pytest.approx(whole, abs=0.001)
    for (name,), seconds in parts.items():
        assert seconds == pytest.approx(sum(one["durationMs"][name] for one in batches) / 1000, abs=0.01)
    (delay,) = series(prometheus, "esports_stream_end_to_end_delay_seconds_sum").values()
    assert 0 < delay / len(batches) < 100
    (committed,) = series(prometheus, "esports_stream_last_commit_timestamp_seconds").values()
    newest = job.lake.checkpoint("matches") / "commits" / str(batches[-1]["batchId"])
    assert committed == pytest.approx(newest.stat().st_mtime, abs=30)


def check_files(job, prometheus):
    sizes = [path.stat().st_size for path in job.lake.files(job.lake.table("matches"))]
    assert series(prometheus, "esports_stream_files_total") == {(): len(sizes)}
    assert series(prometheus, "esports_stream_small_files_total") == {(): len(sizes)}
    assert series(prometheus, "esports_stream_written_bytes_total") == {(): sum(sizes)}
    buckets = series(prometheus, "esports_stream_file_size_bytes_bucket", "le")
    assert len(buckets) == 9 and set(buckets.values()) == {len(sizes)}


def check_topic(job, prometheus):
    ends = job.broker.end_offsets(job.topics["matches"])
    wanted = {(str(partition),): end for partition, end in ends.items()}
    assert series(prometheus, "esports_stream_committed_offset", "partition") == wanted
    assert series(prometheus, "esports_stream_topic_end_offset", "partition") == wanted
    lag = series(prometheus, "esports_stream_lag_records", "partition")
    assert set(lag) == set(wanted) and set(lag.values()) == {0}


def check_process(job, process, prometheus):
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    resident = int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) * 1024
    assert prometheus.value("process_resident_memory_bytes") == pytest.approx(resident, rel=0.3)
    files = len(list(pathlib.Path(f"/proc/{process.pid}/fd").iterdir()))
    assert prometheus.value("process_open_fds") == pytest.approx(files, abs=5)
    assert prometheus.value("process_cpu_seconds_total") > 0
    assert prometheus.value("time() - process_start_time_seconds") == pytest.approx(60, abs=60)
    assert prometheus.value("esports_stream_memory_budget_bytes") == 2 << 30
    disk = prometheus.value('esports_stream_disk_size_bytes{place="data_lake"}')
    assert 0 < prometheus.value('esports_stream_disk_free_bytes{place="data_lake"}') <= disk
    states = series(prometheus, "esports_stream_query_state", "state")
    assert sum(states.values()) == 1 and len(states) == 6
    assert series(prometheus, "esports_stream_query_up") == {(): 1}


def check_kafka(job, prometheus):
    """Two queries take turns at the workers, so that at least one of them has read something."""
    read = prometheus.value('sum(esports_stream_input_bytes_total)')
    assert prometheus.value("sum(esports_stream_kafka_received_bytes_total)") > read > 0
    assert prometheus.value("max(esports_stream_kafka_brokers_up)") == 1
    assert 0 < prometheus.value("max(esports_stream_kafka_round_trip_seconds)") < 60
    assert prometheus.value("sum(esports_stream_kafka_request_timeouts_total)") == 0


def families(text):
    return dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M))


def expressions():
    """Every query of the dashboard, with its variables filled in, over the last hour."""
    dashboard = json.loads(DASHBOARD.read_text())
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            expression = target["expr"].replace("$__rate_interval", "1h")
            expression = expression.replace("$instance", ".*").replace("$query", ".*")
            assert "$" not in expression, expression
            yield panel["title"], target["legendFormat"], expression


def check_dashboard(prometheus):
    checked = 0
    for title, legend, expression in expressions():
        found = prometheus.query(expression)
        assert found, f"{title}: no data: {expression}"
        for labels, value in found:
            assert value == value, f"{title}: not a number: {expression}"
            wanted = set(re.findall(r"{{(\w+)}}", legend))
            assert wanted <= set(labels), f"{title}: {wanted} not in {labels}: {expression}"
        checked += 1
    assert checked > 40
    dashboard = json.loads(DASHBOARD.read_text())
    for variable in dashboard["templating"]["list"]:
        name, label = re.fullmatch(r"label_values\((\w+).*, (\w+)\)", variable["definition"]).groups()
        assert prometheus.ask(f"label/{label}/values", **{"match[]": name}), variable["name"]
    for annotation in dashboard["annotations"]["list"]:
        prometheus.query(annotation["expr"])


def check_rules(prometheus):
    rules = [rule for group in prometheus.ask("rules")["groups"] for rule in group["rules"]]
    assert {rule["health"] for rule in rules} == {"ok"}, rules
    alerts = [rule for rule in rules if rule["type"] == "alerting"]
    assert len(alerts) == len(alert_rules())
    # Half of the files are small and some records are rejected, but nothing has lasted.
    assert [alert["name"] for alert in alerts if alert["state"] == "firing"] == []


def check_deprecated(text, document):
    """A deprecated metric has the same value as its successor, and its help names that."""
    former = re.findall(r"^\| `(\w+)` \|.*\| Deprecated since [\d.]+, removed in [\d.]+: use (\w+)\. \|$", document, re.M)
    assert len(former) == document.count("Deprecated")
    samples = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    for name, new in former:
        assert new in families(text)
        old = {place: value for place, value in samples.items() if place.startswith(name)}
        assert old and old == {place.replace(new, name): value for place, value in samples.items() if place.startswith(new)}


def test_prometheus_sees_what_the_queries_did(watched):
    job, process, web, prometheus = watched
    check_records(job, prometheus)
    check_batches(job, process, web, prometheus)
    check_files(job, prometheus)
    check_topic(job, prometheus)
    check_process(job, process, prometheus)
    check_kafka(job, prometheus)
    check_dashboard(prometheus)
    check_rules(prometheus)

    text = web.get("/metrics").text
    promtool("check", "metrics", text=text)
    document = (ROOT / "docs" / "metrics.md").read_text()
    check_deprecated(text, document)
    assert families(text) == dict(re.findall(r"^\| `(\w+)` \| (\w+) \|", document, re.M))
    sampled = {re.match(r"\w+", line).group() for line in text.splitlines() if not line.startswith("#")}
    without = {f"esports_stream_last_compaction_{one}_seconds" for one in ("timestamp", "duration")}  # none was made
    assert not without & sampled
    for name, kind in families(text).items():
        if name in without:
            continue
        assert name + ("_count" if kind == "histogram" else "") in sampled, name


@pytest.mark.sanitized
def test_metrics_are_served_from_the_start_and_to_anyone_with_the_token(job):
    job.create_topic()
    process = job.start(
        TRIGGER="0 seconds", SPARK_UI_PORT=free_ports(1)[0], UI_TOKEN=TOKEN, KAFKA_CONF_STATISTICS_INTERVAL_MS=100
    )
    web = Web(process)
    assert web.get("/metrics").status == 401
    web = Web(process, token=TOKEN)
    for _ in range(50):
        answer = web.get("/metrics")
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        promtool("check", "metrics", text=answer.text)
        job.produce(matches(10))
        if 'kafka_brokers_up{worker="0"} 1' in answer.text or 'kafka_brokers_up{worker="1"} 1' in answer.text:
            break
    else:
        pytest.fail(f"no statistics of Kafka: {answer.text}")
    process.stop()


def alert_rules():
    groups = yaml.safe_load((DEPLOY / "alerts.yml").read_text())["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"] if "alert" in rule}


def test_each_alert_fires_when_it_should_and_not_in_near_misses():
    promtool("check", "config", DEPLOY / "prometheus.yml")
    promtool("check", "rules", DEPLOY / "alerts.yml")
    assert "SUCCESS" in promtool("test", "rules", ALERT_TESTS)

    tried = collections.defaultdict(set)
    for test in yaml.safe_load(ALERT_TESTS.read_text())["tests"]:
        for one in test["alert_rule_test"]:
            tried[one["alertname"]].add(bool(one["exp_alerts"]))
    assert dict(tried) == {name: {True, False} for name in alert_rules()}


def health_cases():
    """[(name, alerts, {series: [values]})] of tests/unit/surfaces/health/health_cases.h."""
    cases = []
    for line in subprocess.run([HEALTH_CASES], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines():
        if line.startswith("case "):
            name, alerts = line.removeprefix("case ").rsplit(" | ", 1)
            scrapes = 0
            cases.append((name, alerts.split(), collections.defaultdict(list)))
        elif line == "scrape":
            scrapes += 1
        else:
            series, value = line.rsplit(" ", 1)
            values = cases[-1][2][series.replace("{", '{job="esports-stream",instance="a:4040",', 1)]
            values.extend(["_"] * (scrapes - 1 - len(values)) + [value])
    return cases


def test_the_alerts_agree_with_the_judge_of_health(tmp_path):
    """In each case, the figures of /metrics fire exactly the alerts that the verdict asks for. A growing lag
    is excluded: that alert needs a forecast over 15 minutes."""
    others = "EsportsStreamDown|EsportsStreamLagGrowing"
    firing = f'count by (alertname) (ALERTS{{alertstate="firing", alertname!~"{others}"}})'
    tests, cases = [], health_cases()
    for name, alerts, series in cases:
        last = max(map(len, series.values())) - 1
        wanted = [{"labels": f'{{alertname="{alert}"}}', "value": 1} for alert in alerts]
        query = {"expr": firing, "eval_time": f"{15 * last}s", "exp_samples": wanted}
        inputs = [{"series": one, "values": " ".join(values)} for one, values in series.items()]
        tests.append({"name": name, "interval": "15s", "input_series": inputs, "promql_expr_test": [query]})
    rules = {"rule_files": [str(DEPLOY / "alerts.yml")], "evaluation_interval": "15s", "tests": tests}
    file = tmp_path / "cases.yml"
    file.write_text(yaml.safe_dump(rules))
    assert "SUCCESS" in promtool("test", "rules", file)
    assert len({alert for _, alerts, _ in cases for alert in alerts}) == 10


def test_each_alert_says_what_it_means_and_links_its_documentation():
    document = (ROOT / "docs" / "alerts.md").read_text()
    sections = dict(re.findall(r"^### (\w+)\n(.*?)(?=^#|\Z)", document, re.M | re.S))
    rules = alert_rules()
    assert set(sections) == set(rules)
    for name, rule in rules.items():
        assert rule["labels"]["severity"] in ("critical", "warning"), name
        assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}, name
        assert rule["annotations"]["runbook_url"] == f"docs/alerts.md#{name.lower()}"
        for part in ("**Means**", "**Look at**", "**Do**"):
            assert part in sections[name], (name, part)
        assert f"`{rule['labels']['severity']}`" in sections[name], name
