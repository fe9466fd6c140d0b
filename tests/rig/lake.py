"""A data lake on disk: where the program writes, what it has written, and an independent account of it."""

import collections
import json
import os
import pathlib
import re
import urllib.parse

import pyarrow
import pyarrow.parquet

SPARK_DRAFT = re.compile(r"^\..*\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.tmp$")
CHECKSUM = re.compile(r',"crc32":"[0-9a-f]{8}"(?=})')
QUERIES = {"matches": "match_stream", "players": "player_stream"}


def without_checksum(text):
    """A file of ours that was changed, as an older version would have written it."""
    return CHECKSUM.sub("", text)


class Lake:
    def __init__(self, root):
        self.root = root

    def table(self, kind):
        return self.root / "processed" / kind

    def rejects(self, kind):
        return self.root / "rejected" / kind

    def checkpoint(self, kind):
        return self.root / "checkpoints" / QUERIES.get(kind, kind)

    def files(self, directory):
        """Every file that a globbing reader takes: **/*.parquet."""
        found = []
        for place, _, names in os.walk(directory):  # which may change meanwhile
            found += [pathlib.Path(place, name) for name in names if name.endswith(".parquet")]
        return sorted(found)

    def batches(self, kind, log="commits"):
        """Ids in offsets/, commits/ or manifests/, ascending."""
        directory = self.checkpoint(kind) / log
        names = [path.name for path in directory.glob("*")] if directory.exists() else []
        return sorted(int(name) for name in names if name.isdigit())

    def planned_ends(self, kind, batch):
        """{partition: end offset} of one batch, from the offset log."""
        lines = (self.checkpoint(kind) / "offsets" / str(batch)).read_text().splitlines()
        (ends,) = json.loads(lines[2]).values()
        return {int(partition): end for partition, end in ends.items()}

    def leftovers(self, kind):
        """What must not be there once the program has come to rest: staged and temporary files. What
        a Spark that was killed leaves of its own is none: checksums, and temporary names with a UUID."""
        found = []
        for directory in (self.table(kind), self.rejects(kind), self.checkpoint(kind)):
            for path in directory.glob("**/*"):
                staged = "_staging" in path.parts
                temporary = path.name.endswith(".tmp") or path.name.startswith(".")
                if path.suffix == ".crc" or SPARK_DRAFT.search(path.name):
                    continue
                if path.is_file() and (staged or temporary):
                    found.append(path)
        return found

    def keys(self, directory):
        """Counter of (partition, offset) over all rows that a globbing reader sees."""
        seen = collections.Counter()
        for path in self.files(directory):
            rows = pyarrow.parquet.ParquetFile(path).read(columns=["partition", "offset"])
            seen.update(zip(rows["partition"].to_pylist(), rows["offset"].to_pylist()))
        return seen

    def rows(self, directory):
        """All rows of a table, by pyarrow, partition columns included, as a list of dicts."""
        files = self.files(directory)
        if not files:
            return []
        tables = []
        for path in files:
            table = pyarrow.parquet.ParquetFile(path).read()
            for part in path.relative_to(directory).parts[:-1]:
                name, value = part.split("=", 1)
                value = None if value == "__HIVE_DEFAULT_PARTITION__" else value
                table = table.append_column(name, pyarrow.array([value] * len(table), "string"))
            tables.append(table)
        return pyarrow.concat_tables(tables).to_pylist()

    def account(self, kind):
        """Counter of (partition, offset) over table and rejects together."""
        return self.keys(self.table(kind)) + self.keys(self.rejects(kind))

    def assert_holds(self, kind, ends, starts=None, absent=()):
        """Every offset below `ends` ({partition: end}) is there once, and nothing else is."""
        starts = starts or {}
        wanted = {
            (partition, offset)
            for partition, end in ends.items()
            for offset in range(starts.get(partition, 0), end)
        } - set(absent)
        seen = self.account(kind)
        twice = sorted(key for key, times in seen.items() if times > 1)
        missing = sorted(wanted - seen.keys())
        strange = sorted(seen.keys() - wanted)
        assert not twice and not missing and not strange, (
            f"{kind}: {len(twice)} twice {twice[:5]}, {len(missing)} missing {missing[:5]}, "
            f"{len(strange)} unexpected {strange[:5]}"
        )

    def listed(self, kind):
        """{path: size} of the files that the sink log lists, read as Spark does: from the newest
        compact file on."""
        log = self.table(kind) / "_spark_metadata"
        names = {path.name.removesuffix(".compact"): path for path in log.glob("[0-9]*")}
        batches = sorted((int(name), path) for name, path in names.items())
        compact = [batch for batch, path in batches if path.suffix == ".compact"]
        files = {}
        for batch, path in batches:
            if compact and batch < compact[-1]:
                continue
            version, *entries = path.read_text().splitlines()
            assert version == "v1"
            for entry in map(json.loads, entries):
                path = urllib.parse.unquote(entry["path"].removeprefix("file://"))
                assert path not in files, f"listed twice: {path}"
                files[path] = entry["size"]
        return files

    def assert_listed(self, kind):
        """The sink log lists exactly the files that a globbing reader takes, with their sizes."""
        found = {str(path): path.stat().st_size for path in self.files(self.table(kind))}
        assert self.listed(kind) == found
