"""The Debian package: installed, run, upgraded and removed by dpkg, with and without systemd."""

import gzip
import os
import pathlib
import re
import signal
import subprocess
import time

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]

SETTINGS = "/etc/esports-stream/esports-stream.env"
LAKE = "/var/lib/esports-stream"
UNIT = "esports-stream.service"
AS_SERVICE = ("setpriv", "--reuid=esports-stream", "--regid=esports-stream", "--clear-groups")

# What dpkg, adduser and systemctl write for every package.
BOOKKEEPING = re.compile(r"/var/(lib/dpkg|log|cache|backups)/|/etc/(passwd|group|shadow|gshadow|subuid|subgid)-?$"
                         r"|/etc/\.pwd\.lock$")


def test_lintian_finds_nothing_in_the_package(package):
    done = subprocess.run(
        ["lintian", "--no-cfg", "--fail-on", "error,warning", "--allow-root", package],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == ""


def anchors(text):
    """The fragments that web viewers generate from the headings of a Markdown document."""
    titles = re.findall(r"^#+ +(.*)$", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S), re.M)
    titles = [re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", title) for title in titles]
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def broken_links(document):
    text = document.read_text()
    for target in re.findall(r"!?\[[^]]*\]\(([^)\s]+)\)", re.sub(r"^```.*?^```|`[^`\n]*`", "", text, flags=re.M | re.S)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, fragment = target.partition("#")
        found = document.parent / path if path else document
        if not found.exists():
            yield f"{document.name}: {target}"
        elif fragment and fragment not in anchors(found.read_text()):
            yield f"{document.name}: {target}: no such heading"


def test_every_link_in_its_documents_leads_somewhere_in_the_package(unpacked):
    documents = sorted((unpacked / "usr/share").rglob("*.md"))
    names = {str(path.relative_to(unpacked / "usr/share/doc/esports-stream")) for path in documents if "doc" in path.parts}
    assert {"README.md", "CHANGELOG.md", "SECURITY.md", "docs/upgrading.md", "docs/internals/batches.md"} <= names
    assert sum(path.read_text().count("](") for path in documents) > 100
    assert [link for path in documents for link in broken_links(path)] == []


def shipped_texts(root):
    """{name: text} of the files that are text, except Markdown: unit, settings, rules, chart, manual."""
    for path in sorted(root.rglob("*")):
        if path.is_symlink() or not path.is_file() or path.suffix in (".md", ".png", ".svg") or path.name == "NOTICE":
            continue
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        if not data.startswith(b"\x7fELF"):
            yield str(path.relative_to(root)), data.decode().replace("\\-", "-")


def is_missing(root, name):
    """Of a document, from the directory of the documents or from the root, with a heading or without."""
    path, _, fragment = name.partition("#")
    document = root / path[1:] if path.startswith("/") else root / "usr/share/doc/esports-stream" / path
    return not document.exists() or bool(fragment) and fragment not in anchors(document.read_text())


def test_every_file_that_its_unit_and_its_settings_name_is_in_the_package(unpacked):
    made = {LAKE}  # by the maintainer scripts
    of_the_host = {  # examples
        "/etc/esports-stream/kafka-ca.pem",
        "/etc/esports-stream/queries",
        "/etc/prometheus/esports-stream.token",
    }
    texts = dict(shipped_texts(unpacked))
    named = [(file, name) for file, text in texts.items() for name in re.findall(r"[\w/.-]+\.md\b(?:#[\w-]+)?", text)]
    assert {"esports-stream.env", "alerts.yml", "values.yaml", "esports-stream.1.gz"} <= {pathlib.Path(file).name for file, _ in named}
    assert [(file, name) for file, name in named if is_missing(unpacked, name.removeprefix("//"))] == []
    # With the title of a section.
    for file, text in texts.items():
        for document, title in re.findall(r'([\w/.-]+\.md), "([^"]+)"', text):
            assert not is_missing(unpacked, f"{document}#{title.lower().replace(' ', '-')}"), (file, document, title)
    paths = {(file, path.rstrip("./")) for file, text in texts.items()
             for path in re.findall(r"(?<![\w.])/(?:usr|etc|var|lib)/[\w./-]*esports-stream\b[\w./-]*", text)}
    assert {SETTINGS, LAKE, "/usr/bin/esports-stream"} <= {path for _, path in paths}
    assert [(file, path) for file, path in sorted(paths)
            if path not in made | of_the_host and not (unpacked / path[1:]).exists()] == []

    (unit,) = unpacked.rglob("*.service")
    (documentation,) = re.findall(r"^Documentation=(.*)$", unit.read_text(), re.M)
    for uri in documentation.split():
        scheme, _, place = uri.partition(":")
        manual = re.sub(r"(.+)\((\d)\)", r"/usr/share/man/man\2/\1.\2.gz", place)
        assert scheme in ("file", "man") and (unpacked / manual.lstrip("/")).exists(), uri


def test_the_documented_installation_names_the_file_that_make_package_writes(package):
    (target,) = re.findall(r"^package:.*\n(?:\t.*\n)*?\t@cpack .* -B (\S+)$", (ROOT / "Makefile").read_text(), re.M)
    commands = re.findall(r"^    (make package|apt-get install \S+)", (ROOT / "docs/operations.md").read_text(), re.M)
    architecture = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True).stdout.strip()
    name = package.name.replace(f"_{architecture}.", "_amd64.")
    assert commands[:2] == ["make package", f"apt-get install ./{target}/{name}"]


def test_it_has_the_rules_the_dashboard_and_the_chart(unpacked):
    share = unpacked / "usr/share/esports-stream"
    for name in ("prometheus", "grafana", "helm"):
        kept = {path.relative_to(ROOT / "deploy") for path in (ROOT / "deploy" / name).rglob("*") if path.is_file()}
        assert kept and kept == {path.relative_to(share) for path in (share / name).rglob("*") if path.is_file()}
        assert (unpacked / "usr/share/doc/esports-stream/deploy" / name).is_dir()  # where the documents link to
    rules = yaml.safe_load((share / "prometheus/alerts.yml").read_text())
    assert len(rules["groups"]) > 0


def test_it_has_the_query_files_where_the_documents_link_to(unpacked):
    documents = unpacked / "usr/share/doc/esports-stream"
    kept = {path.relative_to(ROOT) for path in (ROOT / "queries").rglob("*.sql")}
    assert pathlib.Path("queries/examples/riot.sql") in kept
    assert kept == {path.relative_to(documents) for path in (documents / "queries").rglob("*") if path.is_file()}


def test_its_completions_are_for_the_installed_program(unpacked):
    share = unpacked / "usr/share"
    scripts = {
        "bash": share / "bash-completion/completions/esports-stream",
        "zsh": share / "zsh/vendor-completions/_esports-stream",
        "fish": share / "fish/vendor_completions.d/esports-stream.fish",
    }
    for shell, script in scripts.items():
        assert "'/usr/bin/esports-stream'" in script.read_text()
        printed = subprocess.run([ROOT / "build/release/esports-stream", "completion", shell], capture_output=True, text=True)
        assert script.read_text() == re.sub(r"'[^']*/build/release/esports-stream'", "'/usr/bin/esports-stream'", printed.stdout)
        subprocess.run([shell, "-n", script], check=True)
    for other in ("match_stream", "player_stream"):
        assert os.readlink(scripts["bash"].with_name(other)) == "esports-stream"
        assert os.readlink(scripts["fish"].with_name(f"{other}.fish")) == "esports-stream.fish"


def test_it_installs_runs_and_leaves_only_data(machine, package):
    machine.put(package, "/tmp/package.deb")
    machine.run("dpkg", "-i", "/tmp/package.deb")

    assert machine.run("stat", "-c", "%U:%G %a", SETTINGS, LAKE).splitlines() == [
        "root:esports-stream 640",
        "esports-stream:esports-stream 750",
    ]
    # systemd knows every key of the unit, and every file that it names exists.
    assert machine.run("systemd-analyze", "verify", f"/lib/systemd/system/{UNIT}") == ""
    # As shipped, one setting is missing. The settings are read from the file.
    refused = machine.try_run("esports-stream", "--env-file", SETTINGS)
    assert refused.returncode == 2
    assert "KAFKA_BOOTSTRAP_SERVERS" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1, refused.stderr
    demo = machine.run(*AS_SERVICE, "esports-stream", "--demo", "--data-lake-path", f"{LAKE}/demo")
    assert "malformed" in demo
    assert machine.run("match_stream", "--version") == machine.run("esports-stream", "--version")
    # Bash finds the completion by the command's name. The completion calls the installed program.
    asked = "source /usr/share/bash-completion/completions/match_stream; COMP_WORDS=(match_stream --jo) COMP_CWORD=1; _esports_stream"
    assert machine.run("bash", "-c", f"{asked}; echo ${{COMPREPLY[@]}}").split() == ["--job"]

    machine.run("dpkg", "-r", "esports-stream")
    assert machine.try_run("sh", "-c", "command -v esports-stream").returncode != 0
    assert machine.run("ls", SETTINGS)
    machine.run("dpkg", "-P", "esports-stream")
    left = [path for path in machine.changes() if not BOOKKEEPING.search(path)]
    assert left and all(path.startswith(f"{LAKE}/demo/") for path in left), left
    machine.run("getent", "passwd", "esports-stream")  # owns the data


def test_without_data_a_purge_leaves_no_trace(machine, package):
    before = machine.run("getent", "passwd")
    machine.put(package, "/tmp/package.deb")
    machine.run("dpkg", "-i", "/tmp/package.deb")
    machine.run("dpkg", "-P", "esports-stream")

    assert [path for path in machine.changes() if not BOOKKEEPING.search(path)] == []
    assert machine.run("getent", "passwd") == before
    assert machine.try_run("ls", LAKE, "/etc/esports-stream").stdout == ""


def test_the_service_runs_hardened_is_watched_upgraded_and_stopped(booted, broker, package, newer_package):
    broker.create_topic("esports-matches")
    broker.create_topic("esports-players")
    booted.put(package, "/root/package.deb")
    booted.put(newer_package, "/root/newer.deb")
    booted.run("dpkg", "-i", "/root/package.deb")
    assert booted.show(UNIT, "ActiveState", "UnitFileState") == {
        "ActiveState": "inactive",
        "UnitFileState": "disabled",
    }

    # Invalid settings: the service reports them, and systemd does not restart it in a loop.
    assert booted.try_run("systemctl", "start", UNIT).returncode != 0
    booted.wait_unit(UNIT, ActiveState="failed", ExecMainStatus="2", NRestarts="0")

    booted.append(SETTINGS, f"KAFKA_BOOTSTRAP_SERVERS={broker.bootstrap}\nTRIGGER=0 seconds\n")
    booted.run("systemctl", "reset-failed", UNIT)
    booted.run("systemctl", "enable", "--now", UNIT)  # returns when it is ready
    broker.produce("esports-matches", ['{"match_id": "M1", "status": "live"}'])
    _wait_status(booted, "match_stream: Waiting for data to arrive, batch 0, 1 row,")
    files = booted.run("find", f"{LAKE}/processed", "-name", "*.parquet", "-printf", "%u:%g %m\n")
    assert files == "esports-stream:esports-stream 640\n"

    # The watchdog kills a service that hangs, and systemd starts it again.
    booted.run("mkdir", "-p", f"/run/systemd/system/{UNIT}.d")
    booted.append(f"/run/systemd/system/{UNIT}.d/test.conf", "[Service]\nWatchdogSec=2\nRestartSec=0\n")
    booted.run("systemctl", "daemon-reload")
    booted.run("systemctl", "restart", UNIT)
    booted.run("systemctl", "kill", "--kill-whom=main", f"--signal={signal.SIGSTOP.name}", UNIT)
    booted.wait_unit(UNIT, NRestarts="1", ActiveState="active")
    assert "Watchdog timeout" in booted.run("journalctl", "-u", UNIT, "--no-pager")

    # An upgrade keeps the settings and restarts the running service.
    settings = booted.run("cat", SETTINGS)
    before = booted.show(UNIT, "MainPID")
    booted.run("dpkg", "-i", "/root/newer.deb")
    booted.wait_unit(UNIT, ActiveState="active", Result="success")
    assert booted.show(UNIT, "MainPID") != before
    assert booted.run("cat", SETTINGS) == settings
    broker.produce("esports-matches", ['{"match_id": "M2", "status": "live"}'])
    _wait_status(booted, "batch 1, 1 row,")

    booted.run("systemctl", "stop", UNIT)
    booted.wait_unit(UNIT, ActiveState="inactive", Result="success", ExecMainStatus="0")
    booted.run("systemctl", "start", UNIT)
    booted.run("dpkg", "-P", "esports-stream")
    assert booted.try_run("pgrep", "-f", "^/usr/bin/esports-stream").stdout == ""
    assert booted.try_run("systemctl", "is-enabled", UNIT).returncode != 0
    assert booted.run("find", f"{LAKE}/processed", "-name", "*.parquet").count("\n") == 2


def _wait_status(machine, words):
    deadline = time.monotonic() + 30
    while words not in (status := machine.show(UNIT, "StatusText")["StatusText"]):
        assert time.monotonic() < deadline, status
        time.sleep(0.05)
