"""The files as Spark sees them: schema, statistics and indexes, pruning, streams, and a table that
holds files of both programs."""

import ast
import json
import pathlib
import re
import shutil
import textwrap

import duckdb
import pandas
import polars
import pyarrow.dataset
import pyarrow.parquet
import pytest
from rig import spark_worker
from rig.job import Job
from rig.lake import Lake
from rig.program import Program

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROWS = 50_000  # more than two pages of each column


def spark_table(job, spark, kind):
    """The same topic written by Spark, in a lake of its own."""
    lake = job.lake.root / "by-spark"
    spark_worker.run_job(
        spark,
        job=kind,
        brokers=job.broker.bootstrap,
        topic=job.topics[kind],
        lake=str(lake),
    )
    return lake / "processed" / kind


@pytest.mark.parametrize("kind", ["matches", "players"])
def test_spark_sees_the_schema_of_files_of_its_own(job, spark, spark35, kind):
    topic = job.create_topic(kind, partitions=2)
    job.broker.generate(topic, kind, 300, 2)
    job.run("--job", kind)
    by_spark = spark_table(job, spark, kind)

    ours, sparks = job.lake.table(kind), by_spark
    assert (
        spark.read.parquet(str(ours)).schema.json() == spark.read.parquet(str(sparks)).schema.json()
    )
    assert spark35.ask("schema", table=str(ours)) == spark35.ask("schema", table=str(sparks))


def test_partition_values_that_are_all_numbers_become_int_in_both(job, spark):
    topic = job.create_topic()
    job.produce([json.dumps({"match_id": f"m{n}", "status": f"0{n % 3}"}) for n in range(9)])
    job.run()
    by_spark = spark_table(job, spark, "matches")

    ours = spark.read.parquet(str(job.lake.table("matches")))
    sparks = spark.read.parquet(str(by_spark))
    assert dict(ours.dtypes)["status"] == dict(sparks.dtypes)["status"] == "int"
    assert topic and ours.schema.json() == sparks.schema.json()


@pytest.fixture
def reader(request, spark):
    """Spark's vectorised Parquet reader, or the one that goes row by row."""
    spark.conf.set("spark.sql.parquet.enableVectorizedReader", request.param)
    yield request.param
    spark.conf.unset("spark.sql.parquet.enableVectorizedReader")


both_readers = pytest.mark.parametrize("reader", ["true", "false"], indirect=True)


@both_readers
def test_both_of_sparks_readers_give_the_same_values(job, spark, reader):
    topic = job.create_topic("players", partitions=2)
    job.broker.generate(topic, "players", 500, 2)
    job.run("--job", "players")
    by_spark = spark_table(job, spark, "players")

    drop = "processing_timestamp"
    ours = spark.read.parquet(str(job.lake.table("players"))).drop(drop)
    sparks = spark.read.parquet(str(by_spark)).drop(drop)
    assert ours.count() == 500
    assert ours.exceptAll(sparks).take(3) == []


def pages_of(spark, path):
    """(first row, rows, offset, size) of every data page, by parquet-mr from our offset indexes."""
    jvm = spark._jvm
    file = jvm.org.apache.parquet.hadoop.util.HadoopInputFile.fromPath(
        jvm.org.apache.hadoop.fs.Path(str(path)), spark._jsc.hadoopConfiguration()
    )
    reader = jvm.org.apache.parquet.hadoop.ParquetFileReader.open(file)
    pages = []
    for block in reader.getFooter().getBlocks():
        start, count = block.getRowIndexOffset(), block.getRowCount()
        for column in block.getColumns():
            index = reader.readOffsetIndex(column)
            assert reader.readColumnIndex(column) is not None, column.getPath().toDotString()
            for number in range(index.getPageCount()):
                first = index.getFirstRowIndex(number)
                last = index.getLastRowIndex(number, count)
                where = index.getOffset(number), index.getCompressedPageSize(number)
                pages.append((start + first, last - first + 1, *where))
    reader.close()
    return pages


def wipe(path, ranges):
    with open(path, "r+b") as file:
        for offset, size in ranges:
            file.seek(offset)
            file.write(bytes(size))


def one_file(job, records=ROWS):
    """A table of one file, offset n in row n."""
    job.create_topic()
    job.produce(
        [
            json.dumps({"match_id": f"m{number:06d}", "status": "live", "team_1_kills": number})
            for number in range(records)
        ]
    )
    job.run(SPARK_MASTER_URL="local")  # one worker, one task
    (path,) = job.lake.files(job.lake.table("matches"))
    return path


@both_readers
@pytest.mark.parametrize("column", ["offset", "match_id", "team_1_kills"])
def test_pages_that_a_filter_rules_out_are_not_read(job, spark, reader, column):
    path = one_file(job)
    wanted = range(30_000, 30_010)
    needed = lambda first, rows: first < wanted.stop and first + rows > wanted.start  # noqa: E731
    pages = pages_of(spark, path)
    wipe(path, [where for first, rows, *where in pages if not needed(first, rows)])

    frame = spark.read.parquet(str(job.lake.table("matches")))
    low, high = (f"'m{n:06d}'" if column == "match_id" else n for n in (wanted[0], wanted[-1]))
    found = frame.filter(f"{column} BETWEEN {low} AND {high}").collect()

    assert sorted(row.offset for row in found) == list(wanted)
    assert {row.match_id for row in found} == {f"m{number:06d}" for number in wanted}
    with pytest.raises(Exception, match="(?i)parquet|page|corrupt"):
        frame.agg({"offset": "sum", "match_id": "max"}).collect()


@both_readers
def test_row_groups_that_a_filter_rules_out_are_not_read(job, spark, reader):
    """By the statistics of the footer alone: all of the other file's pages are gone."""
    path = one_file(job, 100)
    job.produce([json.dumps({"match_id": f"n{n}", "status": "live"}) for n in range(100)])
    job.run()
    wipe(path, [where for *_, offset, size in pages_of(spark, path) for where in [(offset, size)]])

    frame = spark.read.parquet(str(job.lake.table("matches")))
    assert frame.filter("offset >= 100").agg({"offset": "min"}).collect()[0][0] == 100
    assert frame.filter("match_id >= 'n'").agg({"match_id": "max"}).collect()[0][0] == "n99"
    assert len(frame.filter("team_1_kills IS NULL").select("offset").collect()) == 100
    with pytest.raises(Exception, match="(?i)parquet|page|corrupt"):
        frame.agg({"offset": "sum"}).collect()


def test_partitions_that_a_filter_rules_out_are_not_opened(job, spark):
    job.create_topic()
    job.produce(
        [json.dumps({"match_id": f"m{n}", "status": "ab"[n % 2]}) for n in range(20)]
        + [json.dumps({"match_id": "null"})]
    )
    job.run()
    table = job.lake.table("matches")
    frame = spark.read.parquet(str(table))
    for path in job.lake.files(table / "status=b"):
        path.unlink()

    assert frame.filter("status = 'a'").agg({"match_id": "max"}).collect()[0][0] == "m8"
    assert frame.filter("status IS NULL").select("match_id").collect()[0][0] == "null"
    with pytest.raises(Exception, match="(?i)not.exist|no such file"):
        frame.agg({"match_id": "max"}).collect()


def test_the_table_can_be_read_as_a_stream_that_grows(job, spark, tmp_path):
    topic = job.create_topic(partitions=2)
    seen = []

    def read():
        schema = spark.read.parquet(str(job.lake.table("matches"))).schema
        stream = spark.readStream.schema(schema).parquet(str(job.lake.table("matches")))
        writer = stream.writeStream.option("checkpointLocation", str(tmp_path / "reader"))
        take = lambda frame, _: seen.extend(frame.select("partition", "offset").collect())
        writer.foreachBatch(take).trigger(availableNow=True).start().awaitTermination()

    for start in (0, 100):
        job.broker.generate(topic, "matches", 100, 2, start=start)
        job.run()
        read()
        assert len(seen) == len(set(seen)) == start + 100


def encodings(table):
    """{column: what its pages are encoded with, in any file}"""
    found = {}
    for path in Lake(None).files(table):
        metadata = pyarrow.parquet.ParquetFile(path).metadata
        for group in range(metadata.num_row_groups):
            for column in map(metadata.row_group(group).column, range(metadata.num_columns)):
                found.setdefault(column.path_in_schema, set()).update(column.encodings)
    return found


@pytest.mark.parametrize("kind", ["matches", "players"])
def test_every_spark_reads_integers_stored_as_differences(job, spark, spark35, kind):
    topic = job.create_topic(kind, partitions=2)
    job.broker.generate(topic, kind, 6000, 2, "--malformed", 5)
    job.run("--job", kind)
    plain = job.lake.root / "plain"
    job.run("--job", kind, DATA_LAKE_PATH=plain, PARQUET_DELTA_ENCODING="false")
    plain, table = plain / "processed" / kind, job.lake.table(kind)
    stored = encodings(table)
    for column in ("offset", "kafka_timestamp", "ingestion_timestamp"):
        assert "DELTA_BINARY_PACKED" in stored[column], column
    assert not any("DELTA_BINARY_PACKED" in names for names in encodings(plain).values())

    wanted = spark_worker.rows(spark, str(plain))
    assert len(wanted) > 5000
    for vectorized in (True, False):
        assert spark_worker.rows(spark, str(table), vectorized) == wanted
        assert spark35.ask("rows", table=str(table), vectorized=vectorized) == wanted


# A table in which Spark's files have INT96 timestamps and ours MICROS.


@pytest.fixture(scope="module")
def mixtures(broker, tmp_path_factory, request, spark):
    """{who wrote first: (the table, one of the same records by us alone)}"""
    directory = tmp_path_factory.mktemp("mixtures")
    program = Program(ROOT / request.config.getoption("--program"), directory / "runs")
    made = {}
    for first in ("ours", "spark"):
        job = Job(program, Lake(directory / first), broker)
        topic = job.create_topic(partitions=2)
        for turn in (first, "spark" if first == "ours" else "ours"):
            start = 0 if turn == first else 200
            broker.generate(topic, "matches", 200, 2, start=start)
            if turn == "ours":
                job.run()
            else:
                spark_worker.run_job(
                    spark, job="matches", brokers=broker.bootstrap, topic=topic,
                    lake=str(job.lake.root),
                )  # fmt: skip
        alone = directory / f"{first}-alone"
        job.run(DATA_LAKE_PATH=alone)
        made[first] = job.lake.table("matches"), alone / "processed" / "matches"
    return made


@pytest.mark.parametrize("first", ["ours", "spark"])
def test_both_sparks_read_a_mixture_of_int96_and_micros_as_one(mixtures, spark, spark35, first):
    mixture, alone = map(str, mixtures[first])
    wanted = spark_worker.rows(spark, alone)
    assert len(wanted) == 400

    assert spark_worker.rows(spark, mixture) == wanted
    assert spark35.ask("rows", table=mixture) == wanted


@pytest.fixture(params=["MICROS", "INT96"])
def mixture(request, mixtures, tmp_path):
    """(the kind of the file that comes first by name, a table of one file of each)"""
    files = {"MICROS": {}, "INT96": {}}
    for path in Lake(None).files(mixtures["ours"][0]):
        schema = pyarrow.parquet.ParquetFile(path).schema
        times = schema.column(schema.names.index("kafka_timestamp"))
        files["INT96" if times.physical_type == "INT96" else "MICROS"][path.parent.name] = path
    directory = max(files["INT96"].keys() & files["MICROS"].keys())  # null's sorts before letters
    table = tmp_path / "mixture"
    (table / directory).mkdir(parents=True)
    for kind, by_directory in files.items():
        name = "a" if kind == request.param else "b"
        shutil.copyfile(by_directory[directory], table / directory / f"{name}.parquet")
    return request.param, table


def moments(spark, table):
    """kafka_timestamp in microseconds, by Spark."""
    return sorted(row["kafka_timestamp"] for row in spark_worker.rows(spark, str(table)))


# What docs/reading.md says.
def value_of(snippet, table, **names):
    """Of the last expression of a snippet of Python, which reads …/processed/matches."""
    *statements, last = ast.parse(re.sub(r"[\w/…-]*/processed/matches", str(table), textwrap.dedent(snippet))).body
    exec(compile(ast.Module(statements, []), "snippet", "exec"), names)
    return eval(compile(ast.Expression(last.value), "snippet", "eval"), names)


def of_spark(frame):
    return pandas.DataFrame([row.asDict() for row in frame.select("match_id", "status").collect()])


def test_every_reader_of_the_documents_reads_a_table_as_written_there(job, spark):
    job.create_topic()
    job.produce([json.dumps({"match_id": f"m{n}", "status": [None, "live", "done"][n % 3]}) for n in range(9)])
    job.run()
    table = job.lake.table("matches")
    page, readme = ((ROOT / name).read_text() for name in ("docs/reading.md", "README.md"))
    rows = re.findall(r"^\| (\w+) \| (?:`import ([\w.]+)`, then )?`([^`]*processed/matches[^`]*)`", page, re.M)
    modules = ["", "", "pyarrow.dataset", "pyarrow.dataset", ""]
    assert [row[:2] for row in rows] == list(zip(["Spark", "DuckDB", "pyarrow", "pandas", "Polars"], modules))
    found = {}
    for reader, module, snippet in rows:
        if reader == "DuckDB":
            snippet = f'duckdb.sql("""{snippet}""").df()'
        # Only what the reader and the snippet import has a name.
        names = {"spark": spark} if reader == "Spark" else {}
        imported = "".join(f"import {name}\n" for name in {reader.lower(), module} - {"", "spark"})
        found[reader] = value_of(imported + snippet, table, **names)
    found["Spark"] = of_spark(found["Spark"])
    found["pyarrow"] = found["pyarrow"].to_table().to_pandas()
    found["Polars"] = found["Polars"].to_pandas()
    (of_readme,) = re.findall(r"^    (spark\.read.*)$", readme, re.M)
    found["README, Spark"] = of_spark(value_of(of_readme, table, spark=spark))
    (of_readme,) = re.findall(r"^    (SELECT .*);", readme, re.M)
    found["README, DuckDB"] = value_of(f'duckdb.sql("""{of_readme}""").df()', table, duckdb=duckdb)
    wanted = [(f"m{n}", [None, "live", "done"][n % 3]) for n in range(9)]
    for reader, frame in found.items():
        pairs = zip(frame["match_id"], frame["status"].astype(object))
        assert sorted((key, None if pandas.isna(status) else status) for key, status in pairs) == wanted, reader
    with pytest.raises(pyarrow.ArrowException):  # why the document names a partitioning
        pandas.read_parquet(table)


def test_duckdb_reads_a_mixture_with_the_type_of_its_first_file(mixture, spark):
    first, table = mixture
    with duckdb.connect() as connection:
        found = connection.sql(
            "SELECT typeof(kafka_timestamp), epoch_us(kafka_timestamp) FROM"
            f" read_parquet('{table}/**/*.parquet', hive_partitioning = true) ORDER BY 2"
        ).fetchall()
    kind = "TIMESTAMP WITH TIME ZONE" if first == "MICROS" else "TIMESTAMP"
    assert {row[0] for row in found} == {kind}
    assert [row[1] for row in found] == moments(spark, table)


def test_pyarrow_and_pandas_read_a_mixture_with_the_type_of_its_first_file(mixture, spark):
    first, table = mixture
    found = pyarrow.dataset.dataset(str(table), partitioning="hive").to_table()
    kind = pyarrow.timestamp("us", "UTC") if first == "MICROS" else pyarrow.timestamp("ns")
    assert found.schema.field("kafka_timestamp").type == kind
    micros = found["kafka_timestamp"].cast(pyarrow.timestamp("us")).cast("int64")
    assert sorted(micros.to_pylist()) == moments(spark, table)

    column = pandas.read_parquet(table)["kafka_timestamp"]
    assert (column.dt.tz is not None) == (first == "MICROS")
    utc = column if first == "MICROS" else column.dt.tz_localize("UTC")
    micros = utc.astype("datetime64[us, UTC]").astype("int64")
    assert sorted(micros) == moments(spark, table)


def test_polars_reads_a_mixture_only_when_given_the_type(mixture, spark):
    first, table = mixture
    pattern = f"{table}/**/*.parquet"
    with pytest.raises(polars.exceptions.SchemaError):
        polars.read_parquet(pattern, hive_partitioning=True)

    (snippet,) = re.findall(r"^    moment = (?:.*\n(?:    |$))*", (ROOT / "docs/reading.md").read_text(), re.M)
    snippet = snippet.replace("one file of the table", str(next(table.glob("*/*.parquet"))))
    found = value_of(snippet, table, polars=polars).collect()
    assert sorted(found["kafka_timestamp"].dt.epoch("us")) == moments(spark, table)
