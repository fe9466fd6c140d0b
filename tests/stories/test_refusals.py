"""What must not be continued: files of a checkpoint or a sink log that are corrupt, cut short, empty,
of another program or of an unknown version; a checkpoint that is gone, or one too many; a lake
that was moved. Each is refused with an exit code and what to do, and nothing is changed."""

import hashlib
import json
import os
import re
import shutil
import subprocess

import pytest
from rig.lake import Lake, without_checksum
from rig.paths import GEN, ROOT
from rig.program import Program

STATE = 5  # the exit code
LAST = 11  # batches 0 to 11: the sink log is 9.compact, 10, 11
RECORDS = 4  # of a batch

CHECKPOINT = "checkpoints/match_stream"
SINK_LOG = "processed/matches/_spark_metadata"


def environment(capture, lake, **settings):
    return {
        "KAFKA_BOOTSTRAP_SERVERS": f"file:{capture}",
        "DATA_LAKE_PATH": lake,
        "TRIGGER": "availableNow",
        "MAX_OFFSETS_PER_TRIGGER": RECORDS,
        "SPARK_MASTER_URL": "local[1]",
        **settings,
    }


@pytest.fixture(scope="module")
def capture(tmp_path_factory):
    directory = tmp_path_factory.mktemp("capture")
    command = [GEN, "--stdout", "--quiet", "--type", "matches", "--count", RECORDS * (LAST + 2)]
    command += ["--malformed", 20]
    with open(directory / "esports-matches-0.ndjson", "wb") as out:
        subprocess.run([str(word) for word in command], stdout=out, check=True)
    return directory


@pytest.fixture(scope="module")
def pristine(request, tmp_path_factory, capture):
    """A lake after batch LAST, with records left for one batch more, and a copy of it: the logs hold
    its path, so each story gets it at the same place."""
    root = tmp_path_factory.mktemp("pristine")
    name = "esports-matches-0.ndjson"
    lines = (capture / name).read_bytes().splitlines(keepends=True)
    (root / "capture").mkdir()
    (root / "capture" / name).write_bytes(b"".join(lines[: RECORDS * (LAST + 1)]))
    program = Program(ROOT / request.config.getoption("--program"), root / "runs")
    program.run("--job", "matches", **environment(root / "capture", root / "lake"))
    shutil.copytree(root / "lake", root / "copy")
    return root


@pytest.fixture
def healthy(pristine):
    for name in ("lake", "moved", "link"):
        path = pristine / name
        path.unlink() if path.is_symlink() else shutil.rmtree(path, ignore_errors=True)
    shutil.copytree(pristine / "copy", pristine / "lake")
    lake = Lake(pristine / "lake")
    assert lake.batches("matches")[-1] == LAST
    return lake


def fingerprint(root):
    """{path: hash} of all files, without the last holder of the locks."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if path.is_dir():
            found[name] = "directory"
        elif path.name not in ("lock", "_lock"):
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def assert_refused(program, root, settings, words, exit_code=STATE):
    before = fingerprint(root)
    process = program.start("--job", "matches", **settings)
    code = process.wait_exit()
    assert code == exit_code, f"exit code {code}: {process.tail()}"
    text = process.log() + process.errors()
    for word in words:
        assert word in text, f"no '{word}' in: {process.tail()}"
    assert fingerprint(root) == before


def cut(text):
    return text[: len(text) * 2 // 3]


def cut_in_a_line(text):
    return text[:-5]


def emptied(text):
    return b""


def garbled(text):
    return b"\x00\xff\x07 not ours" + text[:20]


def newer(text):
    return text.replace(b"v1", b"v7", 1)


# What is done to which file, and a word of the refusal in addition to the file's name.
DAMAGE = [
    *[
        (f"{CHECKPOINT}/{name}", change)
        for name in (f"offsets/{LAST}", f"commits/{LAST}", f"manifests/{LAST}")
        for change in (cut, emptied, garbled, newer)
    ],
    *[(f"{CHECKPOINT}/metadata", change) for change in (cut, emptied, garbled)],
    *[
        (f"{SINK_LOG}/{name}", change)
        for name in (f"{LAST}", f"{LAST - 1}", "9.compact")
        for change in (cut, emptied, garbled, newer)
    ],
]


@pytest.mark.parametrize(
    "name, change",
    DAMAGE,
    ids=[f"{name.split('/', 1)[1]}-{change.__name__}" for name, change in DAMAGE],
)
def test_a_damaged_file_is_refused(program, healthy, capture, name, change):
    path = healthy.root / name
    damaged = change(path.read_bytes())
    path.unlink()
    path.write_bytes(damaged)
    settings = environment(capture, healthy.root)
    assert_refused(program, healthy.root, settings, [path.name, "restore"])


def accept(program, capture, lake, batches):
    """A start continues up to batch `batches`, and nothing is lost or twice."""
    program.run("--job", "matches", **environment(capture, lake.root))
    assert lake.batches("matches")[-1] == batches
    lake.assert_listed("matches")
    assert not lake.leftovers("matches")
    lake.assert_holds("matches", {0: RECORDS * (batches + 1)})


def remove(*paths):
    """As the messages say: a file, and the checksum that Spark leaves next to it."""
    for path in paths:
        path.unlink()
        path.with_name(f".{path.name}.crc").unlink(missing_ok=True)


def plan_as_spark_and_lose_power(lake, content=b""):
    """Spark's next plan, and its checksum; a power cut has taken what was not synced."""
    plan = lake.root / CHECKPOINT / f"offsets/{LAST + 1}"
    plan.write_bytes(content)
    plan.with_name(f".{plan.name}.crc").write_bytes(b"crc\0")
    return plan


@pytest.mark.parametrize("content", [b"", b"v1\n{\"batch", b"\0" * 200], ids=["empty", "cut", "zeros"])
def test_a_plan_that_power_took_before_its_batch_was_committed_may_go(
    program, healthy, capture, content
):
    plan = plan_as_spark_and_lose_power(healthy, content)
    settings = environment(capture, healthy.root)
    words = [f"nothing of batch {LAST + 1} is committed: remove this file", plan.parent / f".{plan.name}.crc"]
    assert_refused(program, healthy.root, settings, map(str, words))
    shown = program.start("checkpoint", "show", "--job", "matches", **settings)
    shown.wait_exit()
    assert words[0] in shown.log()

    remove(plan)

    accept(program, capture, healthy, LAST + 1)


@pytest.mark.parametrize("change", [cut, emptied, garbled])
def test_a_damaged_commit_is_written_again_as_the_message_says(program, healthy, capture, change):
    commit = healthy.root / CHECKPOINT / f"commits/{LAST}"
    commit.write_bytes(change(commit.read_bytes()))
    settings = environment(capture, healthy.root)
    process = program.run("--job", "matches", exit_code=STATE, **settings)
    (command,) = set(re.findall("`(printf .*?)`", process.log()))

    subprocess.run(["sh", "-c", command], check=True)

    assert commit.read_bytes() == b'v1\n{"nextBatchWatermarkMs":0}'
    accept(program, capture, healthy, LAST + 1)


@pytest.mark.parametrize("change", [cut_in_a_line, emptied, garbled])
def test_a_damaged_newest_file_of_the_sink_log_is_written_again(program, healthy, capture, change):
    log = healthy.root / SINK_LOG / str(LAST)
    log.write_bytes(change(log.read_bytes()))
    commit = healthy.root / CHECKPOINT / f"commits/{LAST}"
    settings = environment(capture, healthy.root)
    words = ["written again from the manifest", f"remove it and '{commit}'"]
    assert_refused(program, healthy.root, settings, words)

    remove(log, commit)

    accept(program, capture, healthy, LAST + 1)


def test_a_file_of_the_sink_log_that_power_took_before_its_commit_may_go(program, healthy, capture):
    plan = healthy.root / CHECKPOINT / f"offsets/{LAST + 1}"
    before = (plan.with_name(str(LAST))).read_text()
    last = RECORDS * (LAST + 1)
    plan.write_text(without_checksum(before.replace(f'"0":{last}', f'"0":{last + RECORDS}')))
    log = healthy.root / SINK_LOG / str(LAST + 1)
    log.touch()
    settings = environment(capture, healthy.root)
    words = [log.name, "its batch is not committed and is run again"]
    assert_refused(program, healthy.root, settings, words)

    remove(log)

    accept(program, capture, healthy, LAST + 1)


def test_a_damaged_metadata_is_written_again_as_the_message_says(program, healthy, capture):
    metadata = healthy.root / CHECKPOINT / "metadata"
    metadata.write_bytes(b"")
    settings = environment(capture, healthy.root)
    assert_refused(program, healthy.root, settings, ["the table's file _esports_stream"])

    owner = json.loads((healthy.root / "processed/matches/_esports_stream").read_text())
    metadata.write_text(json.dumps({"id": owner["query"]}))

    accept(program, capture, healthy, LAST + 1)


# One file or directory is gone.
MISSING = {
    f"{CHECKPOINT}/metadata": "`metadata` is missing",
    f"{CHECKPOINT}/offsets/{LAST}": "ahead of the newest plan",
    f"{CHECKPOINT}/offsets": "has planned no batch",
    f"{SINK_LOG}/{LAST}": "does not contain a committed batch",
    f"{SINK_LOG}/{LAST - 1}": "is missing",
    f"{SINK_LOG}/9.compact": "is missing",
    SINK_LOG: "sink log is missing",
    "processed": "sink log is missing",
    CHECKPOINT: "belongs to another checkpoint",
}


@pytest.mark.parametrize("name", MISSING)
def test_a_missing_part_is_refused(program, healthy, capture, name):
    path = healthy.root / name
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    settings = environment(capture, healthy.root)
    assert_refused(program, healthy.root, settings, [MISSING[name]])


def test_lines_of_the_newest_batch_that_the_sink_log_lost_are_missed(program, healthy, capture):
    path = healthy.root / SINK_LOG / str(LAST)
    path.write_bytes(path.read_bytes().rsplit(b"\n", 1)[0])
    settings = environment(capture, healthy.root)
    assert_refused(program, healthy.root, settings, ["does not name exactly its files", "To fix:"])


@pytest.mark.parametrize("change", [cut, emptied, garbled, newer])
def test_a_damaged_first_offset_is_refused_while_it_counts(
    program, healthy, capture, tmp_path, change
):
    """sources/0/0 counts until batch 0 is committed; later nobody reads it."""
    shutil.rmtree(healthy.root)
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "esports-matches-0.ndjson").touch()
    program.run("--job", "matches", **environment(empty, healthy.root))
    path = healthy.root / CHECKPOINT / "sources/0/0"
    path.write_bytes(change(path.read_bytes()))
    settings = environment(capture, healthy.root)
    words = ["sources/0/0", "nothing is committed yet", "remove the directories"]
    assert_refused(program, healthy.root, settings, words)

    for name in ("sources/0", "offsets"):
        shutil.rmtree(healthy.root / CHECKPOINT / name)

    accept(program, capture, healthy, LAST + 1)


def test_a_second_checkpoint_on_a_table_is_refused(program, healthy, capture):
    settings = environment(capture, healthy.root, CHECKPOINT_PATH=healthy.root / "others")
    words = ["belongs to another checkpoint", f"{healthy.root}/{CHECKPOINT}", "To fix:"]
    assert_refused(program, healthy.root, settings, words)


def test_another_topic_is_refused(program, healthy, capture, tmp_path):
    os.link(capture / "esports-matches-0.ndjson", tmp_path / "other-0.ndjson")
    settings = environment(tmp_path, healthy.root, KAFKA_TOPIC_MATCHES="other")
    assert_refused(program, healthy.root, settings, ["esports-matches", "set the topic back"])


def test_a_moved_lake_is_refused(program, healthy, capture):
    moved = healthy.root.with_name("moved")
    healthy.root.rename(moved)
    settings = environment(capture, moved)
    assert_refused(program, moved, settings, ["esports-stream relocate"])
    moved.rename(healthy.root)
    program.run("--job", "matches", **environment(capture, healthy.root))
    Lake(healthy.root).assert_listed("matches")


def test_a_moved_lake_of_spark_is_refused(program, healthy, capture):
    """Without manifests only the sink log's own paths tell."""
    moved = healthy.root.with_name("moved")
    healthy.root.rename(moved)
    shutil.rmtree(moved / CHECKPOINT / "manifests")
    settings = environment(capture, moved)
    assert_refused(program, moved, settings, ["files in another directory", "esports-stream relocate"])
