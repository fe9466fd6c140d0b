#!/usr/bin/env python3
"""What readers find that read a table while one of its directories is exchanged, as compaction publishes it.

A directory of 20, or of 5,000, small files is exchanged in one step (renameat2 with RENAME_EXCHANGE) with one that has
the same rows in one file. This happens at a random moment while a reader reads the table again and again; then it is
undone while nobody reads. A read is right, or it is an error, or it is wrong: it ends without an error, but rows are
missing, or there are too many. Both are given per 1,000 exchanges: how often a reader is hit that reads all the time.

Listing alone is measured, too, because it is where rows are lost: a reader that lists names, looks at each file then,
and drops what it does not find, has lost the directory. Spark reads the sink log, which is written again before each
exchange. The table is unchanged otherwise, so every right read gives the same rows.

The second part does the same with the program: batches add small files, and a reader reads while `compact` runs, which
exchanges three directories each time. Here reads are counted. Readers that take a list get that of
`esports-stream files`."""

import argparse
import collections
import ctypes
import glob
import json
import os
import pathlib
import random
import re
import select
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "bench")]

RENAME_EXCHANGE = 2
AT_FDCWD = -100
ROWS = 10_000  # of the directory that is exchanged, and of the one that stays
FILES = (20, 5000)
PROGRAM = ROOT / "build" / "release" / "esports-stream"
WRONG, ERROR, RIGHT = "wrong", "error", "right"


# ---- the table ----


def write_rows(directory, first, count, files):
    """Rows `first` to `first` + `count` in so many files."""
    import pyarrow
    import pyarrow.parquet

    directory.mkdir(parents=True)
    each = count // files
    for number in range(files):
        begin = first + number * each
        table = pyarrow.table({"offset": pyarrow.array(range(begin, begin + each), "int64")})
        pyarrow.parquet.write_table(table, directory / f"part-{number:05}-{directory.name}.parquet")


def write_log(path, table, files):
    """The sink log of batch 0, which lists these files of the table, {name there: where it is now}."""
    lines = ["v1"]
    for name, place in files.items():
        entry = {
            "path": f"file://{table}/{name}",
            "size": place.stat().st_size,
            "isDir": False,
            "modificationTime": int(place.stat().st_mtime * 1000),
            "blockReplication": 1,
            "blockSize": 33554432,
            "action": "add",
        }
        lines.append(json.dumps(entry))
    path.write_text("\n".join(lines))


def make_table(work, files):
    """The table, next to it what is exchanged, and the logs of both states."""
    table, other = work / "table", work / "other"
    write_rows(table / "status=finished", 0, ROWS, 1)
    write_rows(table / "status=live", ROWS, ROWS, files)
    write_rows(other, ROWS, ROWS, 1)
    stays = {f"status=finished/{path.name}": path for path in (table / "status=finished").iterdir()}
    small = {f"status=live/{path.name}": path for path in (table / "status=live").iterdir()}
    merged = {f"status=live/{path.name}": path for path in other.iterdir()}
    write_log(work / "log-0", table, {**stays, **small})
    write_log(work / "log-1", table, {**stays, **merged})
    (table / "_spark_metadata").mkdir()
    (table / "_spark_metadata" / "0").write_bytes((work / "log-0").read_bytes())
    names = [{path.rsplit("/", 1)[1] for path in state} for state in (small, merged)]
    return table, names


# ---- the exchange, in a process of its own ----


def exchange_as_told(work):
    """For each line of the standard input: waits so many seconds, and exchanges, first the log, then the directory;
    "back" undoes it. Prints a line when it is done."""
    libc = ctypes.CDLL(None, use_errno=True)
    leaf, other = os.fsencode(work / "table" / "status=live"), os.fsencode(work / "other")
    log, draft = work / "table" / "_spark_metadata" / "0", work / "draft"
    for line in sys.stdin:
        back = line.strip() == "back"
        draft.unlink(missing_ok=True)
        os.link(work / f"log-{0 if back else 1}", draft)
        if not back:
            time.sleep(float(line))
        os.rename(draft, log)
        if libc.renameat2(AT_FDCWD, leaf, AT_FDCWD, other, RENAME_EXCHANGE) != 0:
            sys.exit(f"renameat2: {os.strerror(ctypes.get_errno())}")
        print("done", flush=True)


class Exchanger:
    def __init__(self, work):
        words = [sys.executable, __file__, "--exchange", str(work)]
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def after(self, seconds):
        self._process.stdin.write(f"{seconds}\n")
        self._process.stdin.flush()

    def is_done(self):
        return bool(select.select([self._process.stdout], [], [], 0)[0])

    def undo(self):
        """Once it is done."""
        assert self._process.stdout.readline() == "done\n"
        self._process.stdin.write("back\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "done\n"

    def end(self):
        self._process.stdin.close()
        self._process.wait()


# ---- listers give the names of a directory's files, readers (rows, distinct, least, greatest) ----


def list_arrow(table):
    import pyarrow.fs

    found = pyarrow.fs.LocalFileSystem().get_file_info(pyarrow.fs.FileSelector(str(table), recursive=True))
    return {one.base_name for one in found if one.is_file and "/status=live/" in one.path}


def list_duckdb(table):
    import duckdb

    found = duckdb.sql(f"FROM glob('{table}/**/*.parquet')").fetchall()
    return {name.rsplit("/", 1)[1] for (name,) in found if "/status=live/" in name}


def list_python(table):
    found = glob.glob(f"{table}/**/*.parquet", recursive=True)
    return {name.rsplit("/", 1)[1] for name in found if "/status=live/" in name}


AGGREGATE = 'SELECT count(*), count(DISTINCT "offset"), min("offset"), max("offset") FROM '
ALL_ROWS = (2 * ROWS, 2 * ROWS, 0, 2 * ROWS - 1)


def read_duckdb(table):
    import duckdb

    return duckdb.sql(f"{AGGREGATE} read_parquet('{table}/**/*.parquet', hive_partitioning = true)").fetchall()[0]


def read_pyarrow(table):
    import pyarrow.compute
    import pyarrow.dataset

    offsets = pyarrow.dataset.dataset(str(table), partitioning="hive").to_table()["offset"]
    return (
        len(offsets),
        pyarrow.compute.count_distinct(offsets).as_py(),
        *pyarrow.compute.min_max(offsets).as_py().values(),
    )


def read_polars(table):
    import polars

    offset = polars.col("offset")
    frame = polars.scan_parquet(f"{table}/**/*.parquet", hive_partitioning=True)
    return frame.select(polars.len(), offset.n_unique().alias("n"), offset.min().alias("a"), offset.max()).collect().row(0)


def spark_reader(work):
    from rig.spark import open_session

    session = open_session(work / "spark", spark_ui_showConsoleProgress="false")
    session.sparkContext.setLogLevel("OFF")

    def read(table):
        session.read.parquet(str(table)).createOrReplaceTempView("t")
        return tuple(session.sql(AGGREGATE.replace('"', "`") + "t").collect()[0])

    return read


def outcome(read, table, is_right):
    """And what the reader says of an error."""
    try:
        found = read(table)
    except (KeyboardInterrupt, AttributeError, TypeError, NameError):
        raise
    except BaseException as error:  # each reader has its own, and Polars may panic
        return ERROR, re.sub(r"(/tmp/|\.\.\.)\S+", "…", f"{type(error).__name__}: {error}")[:160]
    return (RIGHT, "") if is_right(found) else (WRONG, "")


def race(work, name, read, table, is_right, limit_s, most):
    """{"exchanges": …, right, error, wrong: how many of them}"""
    times = []
    for _ in range(3):
        began = time.monotonic()
        assert outcome(read, table, is_right) == (RIGHT, ""), name
        times.append(time.monotonic() - began)
    counts, said = {RIGHT: 0, ERROR: 0, WRONG: 0}, collections.Counter()
    exchanger, until = Exchanger(work), time.monotonic() + limit_s
    while time.monotonic() < until and sum(counts.values()) < most:
        exchanger.after(random.uniform(0, statistics.median(times)))
        ends = set()
        while not exchanger.is_done() or not ends:
            end, error = outcome(read, table, is_right)
            ends.add(end)
            said[error] += end == ERROR
        counts[WRONG if WRONG in ends else ERROR if ERROR in ends else RIGHT] += 1
        exchanger.undo()
    exchanger.end()
    found = {"exchanges": sum(counts.values()), **counts, "read_ms": round(1000 * statistics.median(times), 1)}
    found["errors"] = {text: times for text, times in said.most_common(3) if times > 0}
    print(f"{name}: {found}", flush=True)
    return found


LISTERS = {"Arrow, listing alone": list_arrow, "DuckDB glob(), listing alone": list_duckdb, "Python glob, listing alone": list_python}
READERS = {"DuckDB": read_duckdb, "pyarrow, pandas": read_pyarrow, "Polars": read_polars}


def measure(work, limit_s, most):
    """{name: {files: figures}}"""
    found = {name: {} for name in (*LISTERS, *READERS, "Spark")}
    for files in FILES:
        place = work / str(files)
        place.mkdir()
        table, names = make_table(place, files)
        for name, lister in LISTERS.items():
            found[name][files] = race(place, name, lister, table, lambda seen: seen in names, limit_s, most)
        for name, reader in READERS.items():
            found[name][files] = race(place, name, reader, table, lambda rows: rows == ALL_ROWS, limit_s, most)
    found["Spark"][20] = race(
        work / "20", "Spark", spark_reader(work), work / "20" / "table", lambda rows: rows == ALL_ROWS, limit_s, most
    )
    return found


def as_text(found):
    text = "| reader | files | exchanges | right | errors per 1,000 | wrong per 1,000 |\n"
    text += "|---|---|---|---|---|---|\n"
    for name, sizes in found.items():
        for files, one in sizes.items():
            errors, wrong = (f"{1000 * one[kind] / max(1, one['exchanges']):.0f}" for kind in (ERROR, WRONG))
            text += f"| {name} | {files:,} | {one['exchanges']:,} | {one[RIGHT]:,} | {errors} | {wrong} |\n"
    return text


# ---- the program's own compaction ----

LEAVES = ("finished", "live", "scheduled")
BATCHES, BATCH = 24, 60  # of a round: batches, and records of each


class Compacted:
    """A table of the program. Each round adds small files and compacts them while a reader reads."""

    def __init__(self, work):
        self.capture, self.lake = work / "capture", work / "lake"
        self.table = self.lake / "processed" / "matches"
        self.capture.mkdir()
        self.records = 0
        self._environment = {
            **os.environ,
            "KAFKA_BOOTSTRAP_SERVERS": f"file:{self.capture}",
            "DATA_LAKE_PATH": str(self.lake),
            "SPARK_UI_PORT": "0",
            "SPARK_MASTER_URL": "local",
            "LOG_LEVEL": "WARNING",
            "COMPACT_GRACE": "1 minute",
        }

    def _start(self, *arguments, **settings):
        words = [PROGRAM, *arguments, "--job", "matches"]
        environment = {**self._environment, **settings}
        return subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def run(self, *arguments, **settings):
        process = self._start(*arguments, **settings)
        output, _ = process.communicate()
        assert process.returncode == 0, output
        return output

    def add_files(self):
        with open(self.capture / "esports-matches-0.ndjson", "a") as file:
            for _ in range(BATCHES * BATCH):
                file.write(f'{{"match_id":"{self.records}","status":"{LEAVES[self.records % len(LEAVES)]}"}}\n')
                self.records += 1
        self.run("--trigger", "availableNow", MAX_OFFSETS_PER_TRIGGER=str(BATCH))

    def start_compaction(self):
        return self._start("compact")

    def paths(self):
        return [json.loads(line)["path"] for line in self.run("files", "--json").splitlines()]


def list_duckdb_of(paths):
    import duckdb

    return duckdb.sql(f"{AGGREGATE} read_parquet({paths})").fetchall()[0]


def list_pyarrow_of(paths):
    import pyarrow.compute
    import pyarrow.dataset

    offsets = pyarrow.dataset.dataset(paths).to_table(columns=["offset"])["offset"]
    return len(offsets), pyarrow.compute.count_distinct(offsets).as_py(), *pyarrow.compute.min_max(offsets).as_py().values()


def list_polars_of(paths):
    import polars

    offset = polars.col("offset")
    return polars.scan_parquet(paths).select(polars.len(), offset.n_unique().alias("n"), offset.min().alias("a"), offset.max()).collect().row(0)


def race_compaction(name, run, read, limit_s, most):
    counts, said, until = {RIGHT: 0, ERROR: 0, WRONG: 0}, collections.Counter(), time.monotonic() + limit_s
    exchanges = reads = 0
    while time.monotonic() < until and exchanges < most:
        run.add_files()
        expected = (run.records, run.records, 0, run.records - 1)
        compaction = run.start_compaction()
        while compaction.poll() is None or reads == 0:
            end, error = outcome(read, run.table, lambda rows: rows == expected)
            counts[end] += 1
            said[error] += end == ERROR
            reads += 1
        output = compaction.stdout.read()
        assert compaction.returncode == 0, output
        exchanges += len(LEAVES)
        small = [leaf for leaf in run.table.glob("status=*") if len(list(leaf.glob("*.parquet"))) > BATCHES // 2]
        assert not small, f"{small} were not compacted: {output}"
    found = {"exchanges": exchanges, **counts}
    found["errors"] = {text: times for text, times in said.most_common(3) if times > 0}
    print(f"compact, {name}: {found}", flush=True)
    return found


def measure_compaction(work, limit_s, most):
    """{reader: figures}; reads are counted, not exchanges."""
    run = Compacted(work)
    readers = dict(READERS)
    readers["Spark, by the sink log"] = spark_reader(work)
    for name, read in (("DuckDB", list_duckdb_of), ("pyarrow", list_pyarrow_of), ("Polars", list_polars_of)):
        readers[f"{name}, by the list of `files`"] = lambda _, read=read: read(run.paths())
    return {name: race_compaction(name, run, read, limit_s, most) for name, read in readers.items()}


def compaction_as_text(found):
    text = "| reader | directories compacted | right reads | errors | wrong reads |\n|---|---|---|---|---|\n"
    for name, one in found.items():
        text += f"| {name} | {one['exchanges']:,} | {one[RIGHT]:,} | {one[ERROR]:,} | {one[WRONG]:,} |\n"
    return text


PARTS = (
    ("exchange_race", "Reads of a table while one of its directories is exchanged", measure, as_text),
    ("compaction_race", "Reads of a table while `compact` runs", measure_compaction, compaction_as_text),
)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="at most, of each reader and number of files")
    parser.add_argument("--most", type=int, default=1000, help="exchanges, likewise")
    parser.add_argument("--part", choices=[name for name, *_ in PARTS], help="this one alone")
    parser.add_argument("--exchange", metavar="DIRECTORY", help="exchange as the standard input says, and nothing else")
    options = parser.parse_args()
    if options.exchange:
        exchange_as_told(pathlib.Path(options.exchange))
        return
    from run import commit, machine

    measured = commit()
    results = ROOT / "bench" / "results"
    for name, title, measure_one, text_of in PARTS:
        if options.part not in (None, name):
            continue
        with tempfile.TemporaryDirectory(prefix="esports-bench-") as directory:
            found = measure_one(pathlib.Path(directory), options.seconds, options.most)
        text = text_of(found)
        print(text)
        (results / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n")
        (results / f"{name}.md").write_text(f"{title} ({machine()}, {measured}; `bench/exchange_race.py`)\n\n{text}")


if __name__ == "__main__":
    main()
