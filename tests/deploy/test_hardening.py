"""How the binary is protected against its own faults, in the build and in the package, as readelf sees it; and
what it is made of, by its SPDX document."""

import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "build/release/esports-stream"


def output_of(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(params=["built", "packaged"])
def binary(request):
    if request.param == "built":
        return PROGRAM
    return request.getfixturevalue("unpacked") / "usr/bin/esports-stream"


def test_it_is_loaded_at_a_random_address(binary):
    assert re.search(r"Type: +DYN \(Position-Independent Executable file\)", output_of("readelf", "-hW", binary))
    assert re.search(r"FLAGS_1.*\bPIE\b", output_of("readelf", "-dW", binary))


def test_addresses_of_functions_are_read_only_once_it_runs(binary):
    dynamic = output_of("readelf", "-dW", binary)
    assert re.search(r"\(FLAGS\).*\bBIND_NOW\b", dynamic) and re.search(r"FLAGS_1.*\bNOW\b", dynamic)
    assert "GNU_RELRO" in output_of("readelf", "-lW", binary)


def test_no_memory_is_writable_and_executable(binary):
    segments = re.findall(r"^ +(LOAD|GNU_STACK) .* ([R ][W ][E ]) 0x", output_of("readelf", "-lW", binary), re.M)
    flags = {kind: {given for name, given in segments if name == kind} for kind in ("LOAD", "GNU_STACK")}
    assert flags["GNU_STACK"] == {"RW "} and {"R E", "RW "} <= flags["LOAD"]
    assert not [given for given in flags["LOAD"] if "W" in given and "E" in given]
    assert "TEXTREL" not in output_of("readelf", "-dW", binary)


def test_it_finds_an_overwritten_stack_and_an_overflowing_copy(binary):
    needed = output_of("readelf", "--dyn-syms", "-W", binary)
    assert "__stack_chk_fail@GLIBC" in needed
    checked = set(re.findall(r"__(\w+)_chk@GLIBC", needed)) - {"stack"}
    assert {"memcpy", "vsnprintf"} <= checked and len(checked) >= 5, checked


def test_it_looks_for_libraries_in_the_systems_directories_only(binary):
    assert not re.search(r"\((RPATH|RUNPATH)\)", output_of("readelf", "-dW", binary))


FLAGS = {"x86_64": "-fcf-protection=full", "aarch64": "-mbranch-protection=standard"}


def marks(binary):
    """What of CET, or of BTI and PAC, the linked program is marked with."""
    found = re.findall(r"feature: (.*)", output_of("readelf", "-nW", binary))
    return {mark.strip() for line in found for mark in line.split(",")}


def test_jumps_are_protected_where_the_compiler_and_the_start_files_make_it_possible(binary, tmp_path):
    """The linker marks a program only if the C library's start files are marked, which Debian's are not: a program
    of one line shows what is possible here."""
    flag = FLAGS[output_of("uname", "-m").strip()]
    (tmp_path / "one.c").write_text("int main(void) { return 0; }\n")
    output_of("gcc", flag, tmp_path / "one.c", "-o", tmp_path / "one")
    assert marks(tmp_path / "one") == marks(binary)


def packages(document):
    """{name: {field: value}} of a document in the tag-value form."""
    found = {}
    for block in document.split("\n\n")[1:]:
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        found[fields["PackageName"]] = fields
    return found


def test_the_spdx_document_lists_what_is_linked_and_embedded_with_version_and_licence(unpacked):
    document = (unpacked / "usr/share/doc/esports-stream/esports-stream.spdx").read_text()
    binary = unpacked / "usr/bin/esports-stream"
    found = packages(document)
    linked = set(re.findall(r"\(NEEDED\).*\[(.*)\]", output_of("readelf", "-dW", binary)))
    assert len(linked) > 10
    dynamic = set(re.findall(r"^Relationship: SPDXRef-esports-stream DYNAMIC_LINK SPDXRef-(.*)$", document, re.M))
    embedded = set(re.findall(r"^Relationship: SPDXRef-esports-stream CONTAINS SPDXRef-(.*)$", document, re.M))
    assert dynamic == linked and embedded == {"Chart.js", "-kurkle-color"}
    assert set(found) == {"esports-stream", "Chart.js", "@kurkle/color", *linked}
    # Each with the version of the package that is installed here, which it was built against.
    resolved = dict(re.findall(r"^\s+(\S+) => (\S+)", output_of("ldd", binary), re.M))
    for name in linked & set(resolved):
        path = pathlib.Path(resolved[name]).resolve()
        owners = subprocess.run(["dpkg", "-S", path, str(path).removeprefix("/usr")], capture_output=True, text=True)
        package = re.match(r"[^:]+", owners.stdout).group(0)
        version = output_of("dpkg-query", "-W", "-f", "${Version}", package)
        assert found[name]["PackageVersion"] == version, name
        assert found[name]["ExternalRef"].startswith(f"PACKAGE-MANAGER purl pkg:deb/debian/{package}@")
    # And the licences of NOTICE.
    notice = (ROOT / "NOTICE").read_text()
    for name, fields in found.items():
        if name == "esports-stream":
            assert fields["PackageLicenseDeclared"] == "Apache-2.0" and fields["PackageVersion"] in document.splitlines()[3]
            continue
        label = "libc" if name.startswith("ld-linux") else name.split(".so")[0]
        (row,) = [line for line in notice.splitlines() if re.match(rf"(\S+ +.*\b{label}\.so|{re.escape(name)} )", line)]
        assert fields["PackageLicenseDeclared"] in row, (name, row)


def test_the_spdx_document_is_the_same_whenever_it_is_built(tmp_path):
    made = (ROOT / "build/release/esports-stream.spdx").read_bytes()
    version = re.search(rb"DocumentName: esports-stream-(\S+)", made).group(1).decode()
    script = "/usr/share/javascript/chart.js/chart.min.js"
    output_of(ROOT / "scripts/make-sbom.sh", PROGRAM, version, ROOT, "gcc", script, tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == made
