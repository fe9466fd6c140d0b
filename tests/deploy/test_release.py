"""What a release consists of: one version everywhere, one licence, and a list of what changes."""

import email.utils
import json
import os
import pathlib
import re
import subprocess

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "build" / "release" / "esports-stream"

# The newest version of our files on disk that each release writes. A change of one raises the
# program's version: the new release gets a row here and in docs/upgrading.md, older rows stay.
ON_DISK = {
    "0.1.0": {"MANIFEST_VERSION": 3, "COVERAGE_VERSION": 2, "NOTE_VERSION": 1},
    "0.2.0": {"MANIFEST_VERSION": 4, "COVERAGE_VERSION": 3, "NOTE_VERSION": 1},
    "0.3.0": {"MANIFEST_VERSION": 5, "COVERAGE_VERSION": 4, "NOTE_VERSION": 1},
    "0.4.0": {
        "MANIFEST_VERSION": 5,
        "COVERAGE_VERSION": 5,
        "NOTE_VERSION": 1,
        "CHANGE_VERSION": 1,
        "HISTORY_VERSION": 1,
    },
    "0.5.0": {
        "MANIFEST_VERSION": 5,
        "COVERAGE_VERSION": 5,
        "NOTE_VERSION": 1,
        "CHANGE_VERSION": 1,
        "HISTORY_VERSION": 1,
    },
}


def read(name):
    return (ROOT / name).read_text()


def output_of(*command):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=True).stdout


def version():
    return re.search(r"^project\(esports-stream VERSION (\S+) ", read("CMakeLists.txt"), re.M).group(1)


def tracked(*patterns):
    return output_of("git", "-C", ROOT, "ls-files", *patterns).splitlines()


def test_program_package_chart_and_documents_have_one_version(package):
    chart = yaml.safe_load(read("deploy/helm/esports-stream/Chart.yaml"))
    found = {
        "--version": output_of(PROGRAM, "--version").removeprefix("esports-stream ").strip(),
        "package": output_of("dpkg-deb", "--field", package, "Version").strip(),
        "deploy/debian/changelog": re.match(r"esports-stream \((\S+)\)", read("deploy/debian/changelog")).group(1),
        "chart": chart["version"],
        "the chart's program": chart["appVersion"],
        "CHANGELOG.md": re.search(r"^## (\S+)", read("CHANGELOG.md"), re.M).group(1),
        "ARCHITECTURE.md": re.search(r"^Version (\S+) writes ", read("ARCHITECTURE.md"), re.M).group(1),
        "docs/upgrading.md": re.search(r"^## From \S+ to (\S+)", read("docs/upgrading.md"), re.M).group(1),
    }
    assert found == {place: version() for place in found}
    major, minor, _ = version().split(".")
    assert f"| {major}.{minor}.x | yes |" in read("SECURITY.md")


def test_every_version_has_the_date_of_its_release_everywhere():
    headings = re.findall(r"^## (.*)$", read("CHANGELOG.md"), re.M)
    entries = re.findall(r"^esports-stream \((\S+)\)|^ -- .*>  (.*)$", read("deploy/debian/changelog"), re.M)
    versions, dates = [entry[0] for entry in entries[::2]], [entry[1] for entry in entries[1::2]]
    days = [email.utils.parsedate_to_datetime(date).date().isoformat() for date in dates]
    assert len(headings) >= 2 and headings == [f"{name} - {day}" for name, day in zip(versions, days, strict=True)]
    (manual,) = re.findall(r'^\.TH \S+ 1 "(\S+)" ', read("docs/esports-stream.1"), re.M)
    assert manual == days[0]


def test_no_document_and_no_manifest_names_another_version():
    """Image tags, names of packages, examples of output. Documents about the past may."""
    past = {"CHANGELOG.md", "docs/upgrading.md", "deploy/debian/changelog", "SECURITY.md"}
    named = {}
    for name in tracked("*.md", "*.1", "deploy"):
        for found in re.findall(r"esports\\?-stream(?:[:_ ]|\\? )(\d+\.\d+\.\d+)", read(name)):
            named.setdefault(name, set()).add(found)
    assert {"docs/operations.md", "docs/esports-stream.1", "deploy/docker/docker-compose.yml"} <= named.keys()
    assert {name: found for name, found in named.items() if name not in past and found != {version()}} == {}


def test_a_version_of_the_program_writes_one_version_of_each_file_on_disk():
    """Versions of files are constants in one header; documents list them by release."""
    header = read("src/streaming/store/disk_versions.h")
    written = {name: int(number) for name, number in re.findall(r"^ +(\w+_VERSION) = (\d+),", header, re.M)}
    assert written == ON_DISK[version()]
    for release, files in ON_DISK.items():
        none = {"CHANGE_VERSION": 0, "HISTORY_VERSION": 0}
        row = (
            "| {} | v{MANIFEST_VERSION} | v{COVERAGE_VERSION} | v{NOTE_VERSION} "
            "| v{CHANGE_VERSION} | v{HISTORY_VERSION} |"
        ).format(release, **(none | files)).replace("v0", "-")
        assert row in read("docs/upgrading.md"), row
        kept = ROOT / "tests/data" / f"lake-{release}.tar.xz"  # for tests/stories/test_upgrades.py
        assert kept.exists() or release == version(), kept
    assert "Version {} writes manifests up to v{MANIFEST_VERSION} and coverage up to v{COVERAGE_VERSION}".format(
        version(), **written
    ) in " ".join(read("ARCHITECTURE.md").split())


def numbers(release):
    return [int(number) for number in release.split(".")]


def test_deprecated_metrics_are_in_upgrading_until_the_release_that_removes_them():
    promised = re.findall(r"^\| `(\w+)` \|.* deprecated and will be removed in ([\d.]+) \|$", read("docs/upgrading.md"), re.M)
    metrics = read("docs/metrics.md")
    deprecated = re.findall(r"^\| `(\w+)` \|.*\| Deprecated since [\d.]+, removed in ([\d.]+): ", metrics, re.M)
    assert promised and len(deprecated) == metrics.count("Deprecated")
    assert deprecated == [(name, release) for name, release in promised if numbers(release) > numbers(version())]


def linked():
    """Shared objects that the program itself names: libzstd.so.1."""
    return set(re.findall(r"NEEDED +(\S+)", output_of("objdump", "-p", PROGRAM)))


def test_the_notice_names_every_library_that_is_linked_or_embedded():
    notice = read("NOTICE")
    needed = {name.split(".so")[0] for name in linked() if not name.startswith("ld-linux")}
    assert len(needed) > 10
    rows = {
        name.strip().removesuffix(".so")
        for line in notice.splitlines()
        if len(columns := re.split(r" {2,}", line)) >= 4
        for name in columns[1].split(",")
    } - {"shared object"}
    assert needed <= rows, needed - rows
    # And those that CMake asks for, with the same names.
    wanted = re.findall(r"IMPORTED_TARGET (?:lib)?([a-z0-9-]+)", read("CMakeLists.txt"))
    wanted += [name.lower() for name in re.findall(r"^find_library\(\w+ (\w+)", read("CMakeLists.txt"), re.M)]
    assert len(wanted) == 12
    assert [name for name in wanted if name not in notice.lower()] == []
    # Each with a licence that SPDX knows.
    licences = {re.split(r" {2,}", line)[2] for line in notice.splitlines() if re.match(r"^[\w-]+ +lib\S+\.so", line)}
    assert all(re.fullmatch(r"[\w.+-]+( (OR|WITH) [\w.+-]+)*", licence) for licence in licences), licences
    embedded = set(re.findall(r"^/\*!\n \* (\S+) v", pathlib.Path("/usr/share/javascript/chart.js/chart.min.js").read_text(), re.M))
    assert embedded and all(f"\n{name} " in notice for name in embedded), embedded


def test_the_licence_is_the_same_everywhere(unpacked):
    assert "Apache License\n                           Version 2.0, January 2004" in read("LICENSE")
    assert os.readlink(ROOT / "LICENSES/Apache-2.0.txt") == "../LICENSE"
    assert 'SPDX-License-Identifier = "Apache-2.0"' in read("REUSE.toml")
    assert 'org.opencontainers.image.licenses="Apache-2.0"' in read("deploy/docker/Dockerfile")
    chart = yaml.safe_load(read("deploy/helm/esports-stream/Chart.yaml"))
    assert chart["annotations"]["artifacthub.io/license"] == "Apache-2.0"
    documents = unpacked / "usr/share/doc/esports-stream"
    assert "\nLicense: Apache-2.0\n" in (documents / "copyright").read_text()
    assert (documents / "NOTICE").read_text() == read("NOTICE")


def test_templates_of_issues_are_forms():
    for path in (ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml"):
        form = yaml.safe_load(path.read_text())
        if path.name == "config.yml":
            continue
        assert {"name", "description", "body"} <= form.keys()
        identifiers = [item["id"] for item in form["body"] if item["type"] != "markdown"]
        assert len(identifiers) == len(set(identifiers)) > 0
        json.dumps(form)  # only what JSON has, no dates
