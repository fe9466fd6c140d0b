"""Under a service manager: ready, status, watchdog and stop over a real notification socket."""

import contextlib
import fcntl
import os
import pathlib
import pty
import signal

import pytest
from rig.broker import free_ports
from rig.supervisor import Supervisor, frozen, quiet_for, threads_named, wait_ended
from rig.web import Web


@pytest.mark.sanitized
def test_it_is_ready_when_its_queries_run_and_says_what_they_do_and_that_it_stops(job, tmp_path):
    job.create_topic()
    with Supervisor(tmp_path) as supervisor:
        process = job.start(
            "--job", "all", TRIGGER="0 seconds", SHUTDOWN_TIMEOUT="20s", **supervisor.settings
        )
        supervisor.wait(process, "STATUS=match_stream: ")
        # The players' topic is not there yet: more time is asked for, nothing is promised.
        supervisor.wait(process, "EXTEND_TIMEOUT_USEC=60000000")
        process.wait_log("player_stream.*Waiting for Kafka")
        assert supervisor.told("READY") == []

        job.create_topic("players")
        supervisor.wait(process, "READY=1")
        job.produce(['{"match_id": "M1"}'] * 3)
        status = supervisor.wait(process, "STATUS=match_stream: Waiting for data to arrive, batch 0, 3 rows")
        assert "; player_stream: Waiting for data to arrive" in status
        assert supervisor.told("STOPPING") == []

        process.stop()
        told = supervisor.told()
    assert told.count("READY=1") == 1
    assert told.index("STOPPING=1") > told.index("READY=1")
    assert "EXTEND_TIMEOUT_USEC=25000000" in told  # SHUTDOWN_TIMEOUT and five seconds
    assert not supervisor.told("WATCHDOG")


def test_a_run_that_ends_by_itself_was_ready_first(job, tmp_path):
    job.create_topic()
    job.produce(['{"match_id": "M1"}'])
    with Supervisor(tmp_path) as supervisor:
        job.run(**supervisor.settings)
        told = [line for line in supervisor.told() if line in ("READY=1", "STOPPING=1")]

    assert told[:2] == ["READY=1", "STOPPING=1"]


def test_a_run_that_does_not_start_is_never_ready(job, tmp_path):
    with Supervisor(tmp_path) as supervisor:
        job.run(KAFKA_STARTUP_TIMEOUT="1s", exit_code=4, **supervisor.settings)

        assert supervisor.told("READY") == []


def test_it_stops_cleanly_as_the_first_process_of_a_container(job, tmp_path):
    """The kernel keeps from process 1 every signal that it does not ask for."""
    job.create_topic()
    job.produce(['{"match_id": "M1"}'])
    outer = job.start(under=("unshare", "--pid", "--fork", "--mount-proc"), TRIGGER="0 seconds")
    job.wait_committed(outer, {0: 1})

    (first,) = pathlib.Path(f"/proc/{outer.pid}/task/{outer.pid}/children").read_text().split()
    assert f"NSpid:\t{first}\t1\n" in pathlib.Path(f"/proc/{first}/status").read_text()
    os.kill(int(first), signal.SIGTERM)

    outer.wait_exit(30, 0)
    job.assert_exact()


@pytest.mark.parametrize("thread", ["match_stream", "worker"])
def test_the_watchdog_is_fed_as_long_as_driver_and_workers_make_progress(job, tmp_path, thread):
    job.create_topics()
    with Supervisor(tmp_path, watchdog_s=2) as supervisor:
        process = job.start(
            "--job", "all", TRIGGER="0 seconds", SPARK_MASTER_URL="local", **supervisor.settings
        )
        supervisor.wait(process, "READY=1")
        supervisor.wait(process, "WATCHDOG=1", count=3)

        (stuck,) = threads_named(process.pid, thread)
        with frozen(stuck):
            job.produce(['{"match_id": "M1"}'])  # something to do for the worker
            process.wait_log("Query match_stream shows no activity")
            assert quiet_for(lambda: supervisor.told("WATCHDOG"), 1.5)
            fed = len(supervisor.told("WATCHDOG"))

        supervisor.wait(process, "WATCHDOG=1", count=fed + 2)
        job.wait_committed(process, {0: 1})
        process.stop()


@contextlib.contextmanager
def full_pipe():
    """The end to write to; the other one is not read."""
    reader, writer = os.pipe()
    os.write(writer, bytes(fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)))
    try:
        yield writer
    finally:
        os.close(writer)
        os.close(reader)


@pytest.mark.sanitized
def test_a_log_that_nobody_reads_stops_neither_data_nor_page_nor_signals(job):
    job.create_topic()
    (port,) = free_ports(1)
    with full_pipe() as output:
        process = job.start(output=output, TRIGGER="0 seconds", STATUS_INTERVAL="1s", SPARK_UI_PORT=port)
        for count in range(1, 4):
            job.produce(['{"match_id": "M1"}'])
            job.wait_committed(process, {0: count})

        web = Web(process, port=port)
        assert web.get("/healthz").status == 200
        assert "esports_stream_log_dropped_lines_total 0\n" in web.get("/metrics").text
        process.stop()
    job.assert_exact()


def test_a_second_signal_ends_a_run_whose_log_nobody_reads(job, tmp_path):
    job.create_topic()
    with full_pipe() as output, Supervisor(tmp_path) as supervisor:
        process = job.start(output=output, TRIGGER="0 seconds", **supervisor.settings)
        supervisor.wait(process, "READY=1")
        (stuck,) = threads_named(process.pid, "match_stream")
        with frozen(stuck):
            process.terminate()
            supervisor.wait(process, "STOPPING=1")
            process.terminate()
            wait_ended(stuck)
        process.wait_exit(30, 128 + signal.SIGTERM)


def test_a_terminal_that_goes_away_stops_it_cleanly(job):
    job.create_topic()
    terminal, output = pty.openpty()
    heard = ("env", "--default-signal=HUP")  # also where these tests run under nohup
    process = job.start(under=heard, output=output, TRIGGER="0 seconds", TERM="xterm")
    os.close(output)
    job.produce(['{"match_id": "M1"}'])
    job.wait_committed(process, {0: 1})

    os.close(terminal)

    process.wait_exit(30, 0)
    job.assert_exact()


def test_signals_that_its_starter_ignores_do_not_stop_it(job):
    """As under nohup, and in the background of a shell's script."""
    job.create_topic()
    shell = ("sh", "-c", 'trap "" HUP INT; exec "$@"', "sh")
    process = job.start(under=shell, TRIGGER="0 seconds")
    process.wait_log("Waiting for data to arrive")
    process.signal(signal.SIGHUP)
    process.signal(signal.SIGINT)
    job.produce(['{"match_id": "M1"}'])
    job.wait_committed(process, {0: 1})
    process.stop()
    assert not process.lines("signal=(HUP|INT)")


def test_with_its_output_closed_no_file_of_ours_takes_its_place(job):
    """The numbers of stdout and stderr would be those of the next files that are opened."""
    job.create_topic()
    process = job.start(under=("sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"), TRIGGER="0 seconds")
    job.produce(['{"match_id": "M1"}'])
    job.wait_committed(process, {0: 1})
    for number in range(3):
        assert os.readlink(f"/proc/{process.pid}/fd/{number}") == "/dev/null"
    process.stop()
    job.assert_exact()
