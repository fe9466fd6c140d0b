"""Under a service manager: ready, status, watchdog and stop over a real notification socket."""

import os
import pathlib
import signal

import pytest
from rig.supervisor import Supervisor, frozen, quiet_for, threads_named


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
def test_the_watchdog_is_fed_as_long_as_driver_and_workers_get_on(job, tmp_path, thread):
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
            process.wait_log("Query match_stream gives no sign of life")
            assert quiet_for(lambda: supervisor.told("WATCHDOG"), 1.5)
            fed = len(supervisor.told("WATCHDOG"))

        supervisor.wait(process, "WATCHDOG=1", count=fed + 2)
        job.wait_committed(process, {0: 1})
        process.stop()
