"""Exactly once for queries whose records become any number of rows: documents of many kinds, and an
account of what must be there that is computed from the documents alone."""

import collections
import json
import random
import threading
import time

import pyarrow.parquet
import pytest
from rig import item_documents

PARTITIONS = 4
KIND = "items"
NAMES = ("partition", "offset", "pos", "slot")


class Riot:
    """A job with the tables of item_documents.FILE, and what its topic has: {partition: values}."""

    def __init__(self, job, directory):
        self.job = job
        self.lake = job.lake
        self.file = directory / "items.sql"
        self.declare()
        self.topic = job.topics["matches"].replace("matches", "riot")
        job.topics[KIND] = self.topic
        job.settings |= {"QUERIES_PATH": self.file, "KAFKA_TOPIC_RIOT": self.topic}
        self.values = collections.defaultdict(list)
        self.known = {}  # names of rows, by file: what has a name never changes

    def declare(self, *changes):
        text = item_documents.FILE
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        self.file.write_text(text)

    def create(self, partitions):
        self.job.broker.create_topic(self.topic, partitions)

    def produce(self, values, partition=0):
        self.job.broker.produce(self.topic, values, partition)
        self.values[partition] += values

    def fill(self, count, partitions=2, start=0):
        for partition in range(partitions):
            numbers = range(start + partition, start + count, partitions)
            self.produce([item_documents.document(number) for number in numbers], partition)

    def run(self, *arguments, **settings):
        return self.job.run("--job", KIND, *arguments, **settings)

    def ask(self, *words, exit_code=0, **settings):
        process = self.job.program.run(
            *words, "--job", KIND, exit_code=exit_code, **{**self.job.settings, **settings}
        )
        return process.log()

    def names_in(self, directory, names):
        found = collections.Counter()
        for path in self.lake.files(directory):
            if path.name not in self.known:
                rows = pyarrow.parquet.ParquetFile(path).read(columns=names)
                self.known[path.name] = list(zip(*(rows[name].to_pylist() for name in names)))
            found.update(self.known[path.name])
        assert max(found.values(), default=1) == 1, "a row is there twice"
        return set(found)

    def rows(self, kind=KIND):
        return self.names_in(self.lake.table(kind), NAMES)

    def rejects(self):
        return self.names_in(self.lake.rejects(KIND), ("partition", "offset"))

    def account(self, ends=None, permissive=False):
        values = {
            partition: values if ends is None else values[: ends.get(partition, 0)]
            for partition, values in self.values.items()
        }
        return item_documents.account_of(values, permissive)

    def proof(self):
        """What `verify` says, which must be that all is there."""
        proof = json.loads(self.ask("verify", "--json"))
        assert proof["proven"] and proof["faults"] == 0, proof
        return {one["partition"]: one for one in proof["partitions"]}

    def assert_accounted(self):
        """Everything that was produced is a row or a reject, or, as `verify` says, neither."""
        account = self.account()
        assert self.rows() == account.rows
        assert self.rejects() == account.rejects
        for partition, told in self.proof().items():
            of = {
                name: sum(key[0] == partition for key in getattr(account, name))
                for name in ("rows", "rejects", "empty", "filtered")
            }
            assert of == {name: told[name] for name in of}
            assert told["end"] == len(self.values[partition]) == told["records"] + sum(
                told[name] for name in ("rejects", "empty", "filtered")
            )
        self.lake.assert_listed(KIND)
        assert self.lake.leftovers(KIND) == []


@pytest.fixture
def riot(job, tmp_path):
    return Riot(job, tmp_path)


class Growth:
    """Meanwhile the topic gets documents."""

    def __init__(self, riot):
        self.riot = riot
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        numbers = 0
        while not self.ended.is_set():
            for partition in range(PARTITIONS):
                self.riot.produce(
                    [item_documents.document(number) for number in range(numbers, numbers + 10)], partition
                )
                numbers += 10
            time.sleep(0.02)

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()


@pytest.mark.timeout(240)
def test_after_twenty_kills_every_position_is_there_once(riot):
    """After each kill, all of the committed batches is there, and `verify` finds no fault."""
    moments = random.Random(7)
    lake = riot.lake
    riot.create(PARTITIONS)
    with Growth(riot):
        for number in range(20):
            before = max(lake.batches(KIND, "offsets"), default=-1)
            process = riot.job.start("--job", KIND, TRIGGER="0 seconds", MAX_OFFSETS_PER_TRIGGER=100)
            if number % 2:
                process.wait_until(lambda: max(lake.batches(KIND, "offsets"), default=-1) > before)
            time.sleep(moments.uniform(0, 0.3))
            assert process.poll() is None, process.tail()
            process.kill()
            assert_committed(riot)
    riot.run()
    assert len(lake.batches(KIND)) > 5
    riot.assert_accounted()


def assert_committed(riot):
    batches = riot.lake.batches(KIND)
    if not batches:
        return
    ends = riot.lake.planned_ends(KIND, batches[-1])
    account = riot.account(ends)
    assert {row for row in riot.rows() if row[1] < ends[row[0]]} == account.rows
    assert {key for key in riot.rejects() if key[1] < ends[key[0]]} == account.rejects
    riot.proof()


def rewrite(path, change):
    """Gives a Parquet file other rows: `change` gets and gives an Arrow table."""
    reader = pyarrow.parquet.ParquetFile(path)
    table = change(reader.read())
    reader.close()
    pyarrow.parquet.write_table(table, path)


def adjust(riot, path):
    """Both logs have the file's size as it is now."""
    size = path.stat().st_size
    for log in (riot.lake.table(KIND) / "_spark_metadata", riot.lake.checkpoint(KIND) / "manifests"):
        for entry in log.glob("[0-9]*"):
            lines = entry.read_text().split("\n")
            for i, line in enumerate(lines):
                if path.name in line:
                    lines[i] = change_entry(json.loads(line), path.name, size)
            entry.write_text("\n".join(lines))


def change_entry(entry, name, size):
    entry.pop("crc32", None)  # as an older version would have written it
    for file in [entry] if "files" not in entry else entry["files"]:
        if file["path"].endswith(name):
            file["size"] = size
    return json.dumps(entry, separators=(",", ":"))


class Planter:
    """Changes the rows of one file, and tells what `verify` says then."""

    def __init__(self, riot):
        self.riot = riot
        self.path = max(riot.lake.files(riot.lake.table(KIND)), key=lambda path: path.stat().st_size)
        self.bytes = self.path.read_bytes()
        self.rows = pyarrow.parquet.ParquetFile(self.path).read(columns=NAMES).to_pylist()

    def find(self, wanted):
        """The number of a row for which `wanted(row before, row, row behind)` is true."""
        rows = self.rows
        return next(i for i in range(1, len(rows) - 1) if wanted(rows[i - 1], rows[i], rows[i + 1]))

    def verify(self, change):
        """With other rows in the file: (what it finds in the rows, of the file, and all of it)."""
        table = pyarrow.parquet.ParquetFile(pyarrow.BufferReader(self.bytes)).read()
        pyarrow.parquet.write_table(change(table), self.path)
        adjust(self.riot, self.path)
        proof = json.loads(self.riot.ask("verify", "--json", exit_code=5))
        assert not proof["proven"]
        said = [one["text"] for one in proof["findings"] if one["kind"] != "wrong"]
        (wrong,) = [one["text"] for one in proof["findings"] if one["kind"] == "wrong"]
        assert self.path.name in wrong
        self.path.write_bytes(self.bytes)
        adjust(self.riot, self.path)
        return said, wrong, proof

    def without(self, lost):
        return self.verify(lambda table: table.take([i for i in range(len(self.rows)) if i != lost]))

    def with_row(self, like, lost=None, **values):
        """With a row more, at the end; or in the place of another one."""

        def add(table):
            row = table.slice(like, 1).to_pylist()[0] | values
            table = table.take([i for i in range(len(self.rows)) if i != lost])
            return pyarrow.concat_tables([table, pyarrow.Table.from_pylist([row], table.schema)])

        return self.verify(add)


def is_inner(before, row, behind):
    """A row in the middle of its participant, who is not the first."""
    places = {(one["partition"], one["offset"], one["pos"]) for one in (before, row, behind)}
    return len(places) == 1 and row["pos"] > 0


def is_last(_, row, behind):
    return row["offset"] != behind["offset"] and row["pos"] > 0


@pytest.mark.parametrize("where", [True, False])
def test_a_planted_loss_duplicate_or_row_is_found(riot, where):
    """Rows of one file are changed, and the logs say its new size. Without a WHERE, lost positions
    are named; with it, the manifests' counts show that there are losses."""
    if not where:
        riot.declare(("\nWHERE p.kills < 20", ""))
    riot.create(2)
    riot.fill(120)
    riot.run()
    riot.proof()
    planter = Planter(riot)
    inner, last = planter.find(is_inner), planter.find(is_last)
    row, end = planter.rows[inner], planter.rows[last]
    place = f"partition {row['partition']}, offset {row['offset']}"
    range_text = f"partition {row['partition']}, offsets 0 to 59: the manifests count "
    count = sum(name[0] == row["partition"] for name in riot.rows())

    (said,), file, _ = planter.without(inner)
    assert f"has {len(planter.rows) - 1} rows, but its manifest says {len(planter.rows)}" in file
    if where:
        assert said == f"{range_text}{count} rows, but the files have {count - 1}"
    else:
        assert said == f"{place}: the row with pos {row['pos']}, slot {row['slot']}"
    (said,), _, _ = planter.without(last)  # no position follows it
    assert said == f"{range_text}{count} rows, but the files have {count - 1}"

    (said, name), _, proof = planter.with_row(inner)
    assert proof["duplicate"] == 1
    assert said.startswith(f"{place}, in ") and planter.path.name in said
    assert name == f"{place}: the row with pos {row['pos']}, slot {row['slot']} is there more than once"

    (said,), _, _ = planter.with_row(last, pos=end["pos"] + 1, slot=None)
    assert said == f"{range_text}{count} rows, but the files have {count + 1}"
    empty = min(offset for partition, offset in riot.account().empty if partition == row["partition"])
    (said,), _, _ = planter.with_row(last, offset=empty, pos=0, slot=None)
    assert said.startswith(f"partition {row['partition']}, offsets 0 to 59: the manifests count ")
    assert "offsets without a row, but only" in said
    (said,), file, _ = planter.with_row(last, lost=last, offset=60, pos=0, slot=None)
    assert said == f"{range_text}{count} rows, but the files have {count - 1}"
    assert f"has partition {row['partition']}, offset 60, which is in no committed batch" in file
    riot.proof()


PLAIN = item_documents.FILE.replace("pos INT, slot INT, puuid STRING, kills INT, item INT, ", "").replace(
    "pos, slot, p.puuid, p.kills, item, ", ""
)
PLAIN = PLAIN[: PLAIN.index("LATERAL VIEW")] + ";"


def first_lines(directory):
    """Versions of files, in the order of their batches."""
    paths = sorted(directory.glob("[0-9]*"), key=lambda path: int(path.name))
    return [path.read_text().splitlines()[0] for path in paths]


def test_a_where_can_come_and_go_and_views_cannot(riot):
    """Manifests of batches with and without WHERE, and coverage of both, are verified together."""
    riot.create(2)
    checkpoint = riot.lake.checkpoint(KIND)
    account = {"rows": 0, "rejects": 0, "filtered": 0}

    def run(condition, batches, kept):
        riot.file.write_text(PLAIN[:-1] + condition + ";")
        start = len(riot.values[0])
        riot.fill(4 * batches, start=2 * start)
        riot.run(MAX_OFFSETS_PER_TRIGGER=4)
        for partition, values in riot.values.items():
            for offset, value in enumerate(values[start:]):
                one = item_documents.Account().add(partition, offset, value)
                accepted = not one.rejects or b'"odd"' in (value or b"")  # an array that is not read
                queue = json.loads(value)["info"]["queueId"] if accepted else None
                account["rejects"] += not accepted
                account["rows"] += accepted and kept(queue)
                account["filtered"] += accepted and not kept(queue)
        proof = riot.proof().values()
        told = {name: sum(one.get(name, 0) for one in proof) for name in account}
        assert told == account
        return len(next(iter(proof)))

    fields = run("", 3, lambda _: True)
    assert run("WHERE info.queueId = 1", 6, lambda queue: queue == 1) == fields + 3
    assert run("", 3, lambda _: True) == fields + 3  # earlier batches have filtered records
    assert first_lines(checkpoint / "manifests") == ["v1"] * 3 + ["v5"] * 6 + ["v1"] * 3
    run("WHERE info.queueId IS NULL", 102, lambda queue: queue is None)
    assert first_lines(checkpoint / "coverage") == ["v4"]
    assert "every row is present exactly once, and every offset is explained" in riot.ask("verify")

    riot.file.write_text(PLAIN[:-1] + "LATERAL VIEW explode(info.participants) x AS p;")
    before = riot.lake.files(riot.lake.root)
    assert "the positions of LATERAL VIEW are others: none before, position now" in riot.run(exit_code=5).log()
    assert riot.lake.files(riot.lake.root) == before
    run("", 1, lambda _: True)


TAGS = """\
CREATE TABLE posts (id STRING, tags ARRAY<INT>) USING kafka OPTIONS (subscribe '${KAFKA_TOPIC_RIOT}');
CREATE STREAMING TABLE items (id STRING NOT NULL, tag STRING)
AS SELECT id, CAST(tag AS STRING) AS tag FROM STREAM posts
LATERAL VIEW posexplode(filter(tags, tag -> tag IS NOT NULL)) x AS pos, tag WHERE length(CAST(tag AS STRING)) < 5;
"""


@pytest.mark.sanitized
def test_rejects_of_an_exploding_query_are_resolved_once(riot, tmp_path):
    """By a change of the file and by permissive mode: as rows, empty, or filtered."""
    riot.file.write_text(TAGS)
    riot.create(2)
    riot.produce([b'{"id": "a", "tags": [1, 2]}', b'{"id": "b", "tags": [1, "x", "longer", "y"]}', b"{"])
    riot.produce([b'{"id": "c", "tags": ["longer"]}', b'{"tags": [7, 8]}', None, b'{"id": "d"}'], 1)
    riot.run()
    names = ("partition", "offset", "position", "tag")

    def rows():
        return sorted(riot.names_in(riot.lake.table(KIND), names))

    def told(name):
        return [one[name] for one in riot.proof().values()]

    first = [(0, 0, 0, "1"), (0, 0, 1, "2")]
    assert rows() == first
    assert riot.rejects() == {(0, 1), (0, 2), (1, 0), (1, 1), (1, 2)}
    assert "bad_field" in riot.ask("rejects", "ls") and told("empty") == [0, 1]

    riot.file.write_text(TAGS.replace("ARRAY<INT>", "ARRAY<STRING>"))
    replay = ("rejects", "replay", "--yes")
    assert "would be resolved: 2 (bad_field 2)" in riot.ask(*replay, "--dry-run")
    assert "resolved: 2 (bad_field 2)" in riot.ask(*replay)
    fixed = first + [(0, 1, 0, "1"), (0, 1, 1, "x"), (0, 1, 3, "y")]
    assert rows() == fixed
    assert (told("rejects"), told("filtered"), told("empty")) == ([1, 2], [0, 1], [0, 1])
    assert "resolved: 0" in riot.ask(*replay)

    said = riot.ask(*replay, PARSE_MODE="permissive")  # a null value stays a reject
    assert "resolved: 2" in said and "still rejected: 1 (null_value 1)" in said
    permitted = fixed + [(1, 1, 0, "7"), (1, 1, 1, "8")]
    assert rows() == permitted
    assert (told("rejects"), told("filtered"), told("empty")) == ([0, 1], [0, 1], [1, 1])
    assert riot.rejects() == {(0, 1), (0, 2), (1, 0), (1, 1), (1, 2)}  # their rows stay

    riot.run()
    moved = riot.lake.root.rename(tmp_path / "moved")
    riot.lake.root = riot.job.settings["DATA_LAKE_PATH"] = moved
    riot.ask("relocate", "--yes")
    assert rows() == permitted
    assert told("empty") == [1, 1]
    riot.ask("rewind", "--to-batch", "1", "--yes")
    assert rows() == fixed and told("rejects") == [1, 2]
    riot.ask("rewind", "--to-batch", "0", "--yes")
    assert rows() == first and told("rejects") == [2, 3]
    riot.ask(*replay, PARSE_MODE="permissive")
    assert rows() == permitted
    riot.produce([b'{"id": "e", "tags": ["z"]}'])
    riot.run()
    assert rows() == sorted([*permitted, (0, 3, 0, "z")])
    assert told("end") == [4, 4]


DEEP = """\
CREATE TABLE grid (id STRING, a ARRAY<STRUCT<b: ARRAY<STRUCT<c: MAP<STRING, INT>>>>>)
USING kafka OPTIONS (subscribe '${KAFKA_TOPIC_RIOT}');
CREATE STREAMING TABLE items (id STRING NOT NULL, i INT, j INT, k INT, name STRING, value INT)
AS SELECT id, i, j, k, name, value FROM STREAM grid LATERAL VIEW posexplode(a) x AS i, one
LATERAL VIEW OUTER posexplode(one.b) y AS j, two LATERAL VIEW OUTER posexplode(two.c) z AS k, name, value
WHERE value IS NULL OR value % 3 <> 0;
"""


@pytest.mark.sanitized
def test_large_records_in_little_memory(riot):
    """A record has more rows than a slice, and slices end in the middle of records. Each of two
    workers has many ranges, whose counts are their own."""
    chance = random.Random(3)
    riot.create(8)
    for partition in range(8):
        counts = [5000, 3, 2000] if partition == 1 else [chance.randrange(1, 40) for _ in range(30)]
        riot.produce(
            [item_documents.document(13 * number + 100, count) for number, count in enumerate(counts)], partition
        )
        riot.produce([item_documents.document(number) for number in range(12)], partition)
    padded = json.loads(item_documents.document(1, 2000))
    for one in padded["info"]["participants"]:
        one["challenges"] = {"text": "x" * 400}
    assert 900_000 < len(json.dumps(padded)) < 1_000_000
    riot.produce([json.dumps(padded).encode()] * 4, 2)
    least = {"SPARK_MASTER_URL": "local[2]", "SPARK_DRIVER_MEMORY": "64m"}
    assert "64m" in riot.job.run("--job", KIND, exit_code=2, **{**least, "SPARK_DRIVER_MEMORY": "63m"}).errors()
    riot.run(MAX_OFFSETS_PER_TRIGGER=200, **least)
    riot.assert_accounted()


@pytest.mark.sanitized
def test_rows_of_three_views_are_complete(riot):
    riot.file.write_text(DEEP)
    riot.create(3)
    chance, wanted, number = random.Random(5), set(), 0
    for partition in range(3):
        values = []
        for offset in range(40):
            number += 1
            a = [
                {"b": [{"c": {f"n{k}": chance.randrange(20) for k in range(chance.randrange(4))}} for _ in range(chance.randrange(4))]}
                for _ in range(chance.choice([0, 1, 2, 30]))
            ]
            values.append(json.dumps({"id": str(number), "a": a}).encode())
            for i, one in enumerate(a):
                for j, two in enumerate(one["b"]) if one["b"] else [(None, {"c": None})]:
                    for k, value in enumerate(two["c"].values()) if two["c"] else [(None, None)]:
                        if value is None or value % 3:
                            wanted.add((partition, offset, i, j, k, value))
        riot.produce(values, partition)
    riot.run(MAX_OFFSETS_PER_TRIGGER=50, SPARK_MASTER_URL="local[2]")
    assert riot.names_in(riot.lake.table(KIND), ("partition", "offset", "i", "j", "k", "value")) == wanted
    assert sum(one["rows"] for one in riot.proof().values()) == len(wanted)


TEXTS = """\
CREATE TABLE posts (id STRING, body STRING, words ARRAY<STRUCT<word: STRING>>)
USING kafka OPTIONS (subscribe '${KAFKA_TOPIC_RIOT}');
CREATE STREAMING TABLE items (id STRING NOT NULL, pos INT, body STRING, text STRING)
AS SELECT id, pos, body, concat(body, w.word) AS text FROM STREAM posts
LATERAL VIEW posexplode(filter(words, w -> concat(body, w.word) <> 'x')) x AS pos, w
WHERE length(concat(body, w.word)) % 10 <> 3;
"""


@pytest.mark.sanitized
def test_rows_that_repeat_a_large_text_need_little_memory(riot):
    """60 MB of computed texts, with 11 MB for a worker: slices are computed and written in parts."""
    riot.file.write_text(TEXTS)
    riot.create(2)
    wanted = {}
    for partition in range(2):
        values = []
        for offset in range(6):
            body = "abcdef"[offset] * (20_000 + partition)
            words = ["w" * (position % 10) for position in range([250, 0, 1, 300, 3, 0][offset])]
            values.append(json.dumps({"id": "i", "body": body, "words": [{"word": word} for word in words]}).encode())
            wanted |= {
                (partition, offset, position): body + word
                for position, word in enumerate(words)
                if (len(body) + len(word)) % 10 != 3
            }
            values.append(json.dumps({"id": "i", "body": "short", "words": [{"word": "w"}] * 3}).encode())
        riot.produce(values, partition)
    riot.run(SPARK_MASTER_URL="local[2]", SPARK_DRIVER_MEMORY="64m")
    rows = riot.lake.rows(riot.lake.table(KIND))
    found = {(row["partition"], row["offset"] // 2, row["pos"]): row["text"] for row in rows if row["offset"] % 2 == 0}
    assert found == wanted
    assert all(row["text"].startswith(row["body"]) for row in rows)
    assert sum(row["text"] == "shortw" for row in rows) == 36
    assert sum(one["rows"] for one in riot.proof().values()) == len(wanted) + 36


def test_topics_that_lose_records_or_are_created_again(riot):
    """Rows of one record are in several files, because elements decide about their directories."""
    riot.declare(("\nWHERE p.kills < 20", ""), ("PARTITIONED BY (queue_id)", "PARTITIONED BY (item)"))
    riot.create(2)
    for column, why in {"slot": "it must be in every file", "puuid": "it is STRING and depends on LATERAL VIEW"}.items():
        errors = riot.run(exit_code=2, ITEMS_PARTITION_BY=column).errors()
        assert f"column '{column}' cannot partition the table: {why}" in errors
    riot.fill(60)
    log = riot.run(MAX_OFFSETS_PER_TRIGGER=14).log()
    assert " | records_per_second=" in log and " | rows_per_second=" not in log
    riot.proof()
    assert len({row["item"] for row in riot.lake.rows(riot.lake.table(KIND))}) == 4
    riot.fill(60, start=60)
    riot.job.broker.delete_records(riot.topic, {0: 45, 1: 40})
    riot.run(FAIL_ON_DATA_LOSS="false")
    assert [one["lost"] for one in riot.proof().values()] == [15, 10]

    riot.job.broker.delete_topic(riot.topic)
    riot.create(2)
    riot.values.clear()
    riot.fill(60)
    riot.run(FAIL_ON_DATA_LOSS="false")
    assert "resolved: 37 " in riot.ask("rejects", "replay", "--yes", PARSE_MODE="permissive")
    assert riot.lake.batches(KIND)[-2:] == [8, 9]  # a replay's batch is of one incarnation
    proof = json.loads(riot.ask("verify", "--json"))
    assert proof["proven"]
    assert [(one["incarnation"], one["partition"], one["rejects"]) for one in proof["partitions"]] == [
        (0, 0, 0), (0, 1, 8), (1, 0, 0), (1, 1, 5)
    ]
    for one in proof["partitions"]:
        whole = one["records"] + one["rejects"] + one["empty"] + one["filtered"] + one["lost"]
        assert whole == one["end"] - one["start"]
    (note,) = [one["text"] for one in proof["findings"] if one["kind"] == "note"]
    assert note == "37 rejects were replayed: the records count once, with their rows or without"
