"""Limits of the machine: they are named, waited for where they may pass, and end the program with an
exit code after which a service manager starts it again."""

import itertools
import resource
import signal

LIMIT = 12  # the exit code
FULL = 7

# Another user than root, whom no limit of processes binds, but who gets at root's files.
BOUND = ("setpriv", "--reuid=54321", "--inh-caps=+dac_override", "--ambient-caps=+dac_override")


def raise_limit(process, which):
    """To what its hard limit allows."""
    _, most = resource.prlimit(process.pid, which)
    resource.prlimit(process.pid, which, (most, most))


def test_too_few_threads_of_any_number_end_with_12_and_name_the_limit(job):
    """From none up, so that each place that starts one fails once, librdkafka's among them."""
    job.create_topic()
    job.produce(['{"match_id": "M1"}'])
    for threads in itertools.count(1):
        process = job.start(
            under=(*BOUND, "prlimit", f"--nproc={threads}"),
            TRIGGER="availableNow",
            SPARK_MASTER_URL="local[1]",
            WRITE_RETRY_TIMEOUT="0 seconds",
        )
        if process.wait_exit() == 0:
            break
        assert process.poll() == LIMIT, process.tail()
        assert process.lines(rf"CRITICAL.*RLIMIT_NPROC .* is {threads} threads"), process.tail()
    assert threads > 5
    job.assert_exact()


def test_too_little_address_space_ends_with_12_and_names_the_limit(job):
    job.create_topic()
    for mebibytes in (40, 50, 60):
        process = job.start(
            under=("prlimit", f"--as={mebibytes << 20}"), SPARK_MASTER_URL="local[4]"
        )
        process.wait_exit(exit_code=LIMIT)
        text = process.log() + process.errors()
        assert f"RLIMIT_AS (ulimit -v, LimitAS=) is {mebibytes} MiB" in text, process.tail()


def test_too_few_open_files_are_retried(job):
    job.create_topic()
    job.produce(['{"match_id": "M1"}'])
    process = job.start(under=("prlimit", "--nofile=8:1024"), TRIGGER="availableNow")
    process.wait_log(r"\| ERROR \| .*Too many open files: RLIMIT_NOFILE .* is 8 open files")

    raise_limit(process, resource.RLIMIT_NOFILE)

    process.wait_exit(exit_code=0)
    job.assert_exact()


def test_too_few_open_files_for_connections_end_with_12_and_name_the_limit(job):
    """Enough for the topic's listing, or not even for that: never a wait without end."""
    job.create_topic()
    job.produce(['{"match_id": "M1"}'])
    sockets = 0
    for files in (13, 14):
        process = job.start(
            under=("prlimit", f"--nofile={files}"),
            TRIGGER="availableNow",
            SPARK_MASTER_URL="local[1]",
            WRITE_RETRY_TIMEOUT="0 seconds",
        )
        process.wait_exit(exit_code=LIMIT)
        assert process.lines(rf"CRITICAL.*RLIMIT_NOFILE .* is {files} open files"), process.tail()
        sockets += bool(process.lines("CRITICAL.*create socket"))
    assert sockets


def test_a_file_size_limit_is_as_a_full_disk(job):
    topic = job.create_topic(partitions=2)
    job.broker.generate(topic, "matches", 40000, 2)
    limited = {"under": ("prlimit", "--fsize=65536:unlimited"), "TRIGGER": "availableNow"}
    named = r"File too large: RLIMIT_FSIZE .* is 65536 bytes"

    process = job.start(WRITE_RETRY_TIMEOUT="0 seconds", **limited)
    process.wait_exit(exit_code=FULL)
    assert process.lines(rf"CRITICAL.*{named}")

    process = job.start(**limited)
    process.wait_log(rf"\| ERROR \| .*{named}")
    raise_limit(process, resource.RLIMIT_FSIZE)
    process.wait_exit(exit_code=0)
    job.assert_exact()


def test_the_limit_of_cpu_time_ends_it_cleanly(job):
    job.create_topic()
    job.produce(['{"match_id": "M1"}'])
    process = job.start(TRIGGER="0 seconds")
    job.wait_committed(process, {0: 1})

    process.signal(signal.SIGXCPU)  # as the kernel does, once a second
    process.signal(signal.SIGXCPU)

    process.wait_exit(exit_code=LIMIT)
    assert process.lines("CRITICAL.*RLIMIT_CPU")
    job.assert_exact()
