#!/usr/bin/env python3
"""A month in minutes: the real program, real Kafka, real files, and a clock that runs ahead between two batches
(tests/rig/moved_time.py). Every trigger of the month makes its batch.

    after    DAYS days with a trigger of 1 minute, date partitions and COMPACT=closed. One process, which is killed
             and restarted at random moments, also between one and two in the morning, while directories are
             compacted. One record in an hour is one to two days late
    before   BEFORE_HOURS hours with the defaults of version 0.3.0: a trigger of 10 seconds, partitions by status, no
             compaction; the files of a month are these times as many hours as a month has

Once a day at a random moment, and at the end, every offset is proven to be there once: by `esports-stream verify`, and
by DuckDB's count of the files that `esports-stream files` names. The month ends with the aggregates of DuckDB and Spark
over all closed days, compared with the same rows in ideal files, which are made of the same topic in one batch. The
program's memory, threads and descriptors are written down at the end of each day.

Fails if a promise does not hold: FILES_MOST files outside the current day, SLOWER_MOST times the ideal files;
or if the program needs more on the last day than on the second."""

import argparse
import contextlib
import json
import pathlib
import shutil
import statistics
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "bench")]

import duckdb  # noqa: E402
from rig.broker import Broker  # noqa: E402
from rig.moved_time import DAY_S, SECOND, MovedTime  # noqa: E402

PROGRAM = ROOT / "build" / "release" / "esports-stream"
FILES_MOST, SLOWER_MOST = 3000, 2.0
QUIET_HOURS = 4  # after which the files of the day before have been compacted
AFTER = {"MATCHES_PARTITION_BY": "ingest_date,status", "COMPACT": "closed"}
BEFORE = {"MATCHES_PARTITION_BY": "status", "COMPACT": "off"}
AGGREGATE = "SELECT status, count(*), sum(team_1_kills), count(DISTINCT match_id) FROM {} WHERE {} GROUP BY status ORDER BY status"


def tree(directory):
    """Files below a directory, and their bytes in MB."""
    sizes = [path.stat().st_size for path in directory.glob("**/*") if path.is_file()]
    return len(sizes), round(sum(sizes) / 1e6, 1)


def files_outside(run, directory):
    """Parquet files of a table that are not of the current day; without date partitions: all."""
    return sum(f"ingest_date={run.today()}" not in path.parts for path in run.lake.files(directory))


def prove(run):
    """Every offset once; how long `verify` took."""
    began = time.monotonic()
    run.command("verify")
    took = time.monotonic() - began
    assert run.account() == (run.records(), run.records()), (run.account(), run.records())
    return round(took, 2)


def figures(run):
    """What lies on the disk now."""
    lake = run.lake
    log_files, log_mb = tree(lake.table("matches") / "_spark_metadata")
    checkpoint_files, checkpoint_mb = tree(lake.checkpoint("matches"))
    return {
        "table files": len(lake.files(lake.table("matches"))),
        "table files outside the current day": files_outside(run, lake.table("matches")),
        "rejects files": len(lake.files(lake.rejects("matches"))),
        "rejects files outside the current day": files_outside(run, lake.rejects("matches")),
        "table MB": tree(lake.table("matches"))[1],
        "_spark_metadata files": log_files,
        "_spark_metadata MB": log_mb,
        "checkpoint files": checkpoint_files,
        "checkpoint MB": checkpoint_mb,
        **run.resources(),
    }


# ---- the readers ----


def aggregates(session, table, where):
    """{reader: function that gives the aggregate}"""
    files = f"read_parquet('{table}/**/*.parquet', hive_partitioning = true)"

    def with_spark():
        session.read.parquet(str(table)).createOrReplaceTempView("t")
        return [tuple(row) for row in session.sql(AGGREGATE.format("t", where)).collect()]

    return {"DuckDB": lambda: duckdb.sql(AGGREGATE.format(files, where)).fetchall(), "Spark": with_spark}


def seconds(read, rounds):
    """What it gives, and the median of how long it takes, after a first time."""
    found, times = sorted(map(str, read())), []
    for _ in range(rounds):
        began = time.monotonic()
        again = sorted(map(str, read()))
        times.append(time.monotonic() - began)
        assert again == found
    return found, round(statistics.median(times), 2)


def make_ideal(run, lake):
    """The same topic in one batch."""
    settings = {"DATA_LAKE_PATH": lake, "TRIGGER": "availableNow", "SPARK_MASTER_URL": "local", **BEFORE}
    run.run_once(**settings, MAX_OFFSETS_PER_TRIGGER=0)
    return lake / "processed" / "matches"


def compare_readers(run, work, where, where_ideal, rounds=3):
    """{reader: (seconds, seconds with ideal files, their ratio)}; `where`: which rows of the table count."""
    from rig.spark import open_session

    ideal = make_ideal(run, work / "ideal")
    session = open_session(work.parent / "spark", memory="2g", spark_ui_showConsoleProgress="false")
    of_table = aggregates(session, run.lake.table("matches"), where)
    of_ideal = aggregates(session, ideal, where_ideal)
    found = {}
    for name in of_table:
        (rows, took), (same, ideal_took) = seconds(of_table[name], rounds), seconds(of_ideal[name], rounds)
        assert rows == same, (name, rows, same)
        found[name] = (took, ideal_took, round(took / max(ideal_took, 0.01), 2))
    session.stop()
    print(f"{len(list(ideal.glob('**/*.parquet')))} ideal files; {found}", flush=True)
    shutil.rmtree(ideal)
    return found


# ---- the runs ----


def interruptions(run, days, kills, restarts):
    """{(day, trigger): how}. Every second kill is while directories are compacted."""
    per_day = run.triggers_per_day()
    compaction = range(3600 // run.trigger_s, 7200 // run.trigger_s)
    found = {(run.random.randrange(days), run.random.randrange(per_day)): "restart" for _ in range(restarts)}
    for number in range(kills):
        trigger = run.random.choice(compaction) if number % 2 else run.random.randrange(per_day)
        found[run.random.randrange(days), trigger] = "kill"
    return found


def live_a_day(run, day, interrupted):
    """Every trigger of a day. The offsets are proven once: how long `verify` took, and the files outside the current day
    then, if it was not in the first hours, in which those of the day before are still there."""
    proven, found = run.random.randrange(run.triggers_per_day()), {"interrupted": 0}
    for number in range(run.triggers_per_day()):
        how = interrupted.get((day, number))
        run.step(kill_after_s=run.random.uniform(0, 0.04) if how == "kill" else None)
        if how == "restart":
            run.restart()
        found["interrupted"] += how is not None
        if number == proven:
            found["verify s"] = prove(run)
            files = files_outside(run, run.lake.table("matches"))
            found["files outside the current day"] = files if run.hour() >= QUIET_HOURS else None
    return {**found, **run.resources()}


def run_after(work, broker, options, settings):
    run = MovedTime(work, PROGRAM, broker, "after", trigger_s=options.trigger_s, rate=options.rate, **settings)
    run.start()
    days, began = [], time.monotonic()
    run.step()
    interrupted = interruptions(run, options.days, options.kills, options.restarts)
    for day in range(options.days):
        days.append(live_a_day(run, day, interrupted))
        print(f"day {day + 1}: {time.monotonic() - began:.0f} s; {days[-1]}", flush=True)
    run.settle()
    found = {"records": run.records(), "verify s": prove(run), **figures(run), "days": days}
    midnight = f"kafka_timestamp < TIMESTAMP '{run.today()} 00:00:00+00:00'"
    where = f"ingest_date < DATE '{run.today()}'" if "ingest_date" in settings["MATCHES_PARTITION_BY"] else midnight
    found["readers"] = compare_readers(run, work, where, midnight)
    run.end()
    return found


def run_before(work, broker, hours, rate):
    run = MovedTime(work, PROGRAM, broker, "before", trigger_s=10, rate=rate, **BEFORE)
    run.start()
    for _ in range(hours * 360):
        run.step()
    found = {"records": run.records(), "verify s": prove(run), **figures(run)}
    print(f"before, {hours} hours: {found}", flush=True)
    found["readers"] = compare_readers(run, work, "true", "true", rounds=1)
    run.end()
    return found


GROWS = ("records", "table files", "rejects files", "table MB", "_spark_metadata MB")  # with time


def as_text(after, before, days, hours):
    text = f"| | before: {hours} hours | before, {days} days: forecast | after: {days} days |\n|---|---|---|---|\n"
    for name, value in after.items():
        if not isinstance(value, (int, float)):
            continue
        was, times = before.get(name), days * 24 / hours if hours else 0
        forecast = f"{was * times:,.0f}" if was is not None and name in GROWS else ""
        text += f"| {name} | {'' if was is None else f'{was:,}'} | {forecast} | {value:,} |\n"
    for name, (took, ideal, ratio) in after["readers"].items():
        was = before["readers"][name] if before else None
        text += f"| aggregate, {name} | "
        text += f"{f'{was[0]} s, {was[2]} × ideal files' if was else ''} | | {took} s, {ratio} × ideal files ({ideal} s) |\n"
    seen = [day["files outside the current day"] for day in after["days"]]
    text += f"\nForecast: the hours that were measured, times {days * 24 / hours:.0f}." if hours else ""
    text += f"\nFiles outside the current day at a random moment of each day: {', '.join(map(str, seen))}.\n"
    text += f"Kills and restarts of each day: {', '.join(str(day['interrupted']) for day in after['days'])}.\n"
    for kind in ("rss_mb", "peak_mb", "threads", "descriptors"):
        text += f"{kind} at the end of each day: {', '.join(str(day[kind]) for day in after['days'])}.\n"
    return text


def failures(after):
    found = [
        f"{name}: {after[name]:,} files, at most {FILES_MOST:,} are promised"
        for name in ("table files outside the current day", "rejects files outside the current day")
        if after[name] >= FILES_MOST
    ]
    for number, day in enumerate(after["days"]):
        if (day["files outside the current day"] or 0) >= FILES_MOST:
            found.append(f"day {number + 1}: {day['files outside the current day']:,} files outside the current day")
    second, last = after["days"][min(1, len(after["days"]) - 1)], after["days"][-1]
    for kind, more in (("rss_mb", 32), ("threads", 0), ("descriptors", 4)):
        if last[kind] > second[kind] + more:
            found.append(f"{kind}: {second[kind]} on the second day, {last[kind]} on the last")
    return found + [
        f"{name}: {ratio} × ideal files, at most {SLOWER_MOST} are promised"
        for name, (_, _, ratio) in after["readers"].items()
        if ratio > SLOWER_MOST
    ]


def measure(work, options):
    settings = dict(AFTER, **dict(pair.split("=", 1) for pair in options.set))
    with Broker(work / "kafka") as broker:
        before = run_before(work / "before", broker, options.before_hours, options.rate) if options.before_hours else {}
        shutil.rmtree(work / "before", ignore_errors=True)
        after = run_after(work / "after", broker, options, settings)
    return after, before


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--before-hours", type=int, default=24, help="0: leave it out")
    parser.add_argument("--trigger-s", type=int, default=60, help="seconds, which must divide a day")
    parser.add_argument("--rate", type=int, default=5, help="records a second")
    parser.add_argument("--kills", type=int, default=12, help="of the whole run; half of them during compaction")
    parser.add_argument("--restarts", type=int, default=3, help="of the whole run")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="another setting of the program")
    parser.add_argument("--keep", metavar="DIRECTORY", help="work there and keep it")
    options = parser.parse_args()

    from run import commit, machine

    measured = commit()
    with contextlib.ExitStack() as stack:
        work = options.keep or stack.enter_context(tempfile.TemporaryDirectory(prefix="esports-month-"))
        began = time.monotonic()
        after, before = measure(pathlib.Path(work), options)
        took = time.monotonic() - began
    text = as_text(after, before, options.days, options.before_hours)
    text += f"\n{options.rate} records a second; measured in {took / 60:.0f} minutes ({machine()}, {measured}; `bench/month.py`)\n"
    print(text)
    wrong = failures(after)
    if wrong:
        sys.exit("\n".join(wrong))
    results = ROOT / "bench" / "results" / "month"
    results.with_suffix(".md").write_text(text)
    results.with_suffix(".json").write_text(json.dumps({"after": after, "before": before}, indent=1) + "\n")


if __name__ == "__main__":
    main()
