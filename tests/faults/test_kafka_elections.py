"""Three brokers: leaders change, brokers are lost, and an election loses records that were acknowledged."""

import time

import pytest
from rig.debian13 import Debian13
from rig.fault_table import RECOVERS
from rig.job import Job
from rig.ledger import Ledger

LOSSLESS = {"min_insync_replicas": 2}
LOSSY = {"replicas": 2, "min_insync_replicas": 1, "unclean_leader_election_enable": "true"}
CUT = "was truncated below the offsets already read, as after an unclean leader election"
REGROWN = "was truncated, as after an unclean leader election, and has grown past the next offset again"
CONTINUES = {"FAIL_ON_DATA_LOSS": "false"}


def settle(job, ledger, process):
    job.wait_committed(process, job.broker.end_offsets(job.topics["matches"]), timeout=90)
    process.stop()
    assert not process.lines("CRITICAL")
    ledger.assert_settled()
    job.assert_exact()


def wait_batch(job, process):
    seen = job.lake.batches("matches")[-1:]
    process.wait_until(lambda: job.lake.batches("matches")[-1:] != seen, 90, "a new batch")


@pytest.mark.short
@pytest.mark.fault(
    "leader killed", made="SIGKILL while the topic grows, then started again", outcome=RECOVERS
)
def test_a_leader_that_is_killed(three_job):
    job = three_job
    ledger = Ledger(job)
    topic = job.create_topic(partitions=3, **LOSSLESS)
    process = job.start(TRIGGER="0 seconds", MAX_OFFSETS_PER_TRIGGER=300)
    with ledger.growing(3):
        wait_batch(job, process)
        leader = job.broker.partition(topic).leader
        job.broker.nodes[leader].kill()
        job.broker.wait_partition(lambda one: one.leader not in (leader, -1), topic)
        wait_batch(job, process)
        job.broker.nodes[leader].start()
    settle(job, ledger, process)


@pytest.mark.timeout(400)
@pytest.mark.fault(
    "rolling restart", made="each broker is restarted in turn while the topic grows", outcome=RECOVERS
)
def test_a_rolling_restart(three_job):
    job = three_job
    ledger = Ledger(job)
    topic = job.create_topic(partitions=3, **LOSSLESS)
    process = job.start(TRIGGER="0 seconds", MAX_OFFSETS_PER_TRIGGER=300)
    with ledger.growing(3):
        for node in job.broker.nodes.values():
            node.stop()
            wait_batch(job, process)
            node.start()
            job.broker.wait_in_sync(topic, 3)
    settle(job, ledger, process)


@pytest.mark.fault(
    "leaders move", made="three times, a leader is frozen until another broker leads, while the topic grows", outcome=RECOVERS
)
@pytest.mark.timeout(600)
def test_leaders_that_move(three_job):
    job = three_job
    ledger = Ledger(job)
    topic = job.create_topic(partitions=3, **LOSSLESS)
    process = job.start(TRIGGER="0 seconds", MAX_OFFSETS_PER_TRIGGER=300)
    with ledger.growing(3):
        for number in range(3):
            away = job.broker.partition(topic, number % 3).leader
            job.broker.nodes[away].pause()
            try:
                job.broker.wait_partition(lambda one: one.leader not in (away, -1), topic, number % 3)
            finally:
                job.broker.nodes[away].resume()
            job.broker.wait_in_sync(topic, 3)
    settle(job, ledger, process)


@pytest.mark.fault(
    "all brokers killed", made="SIGKILL to all three at once, then started again", outcome=RECOVERS
)
def test_all_brokers_killed_at_once(three_job):
    job = three_job
    ledger = Ledger(job)
    topic = job.create_topic(partitions=3, **LOSSLESS)
    process = job.start(TRIGGER="0 seconds", MAX_OFFSETS_PER_TRIGGER=300)
    with ledger.growing(3):
        wait_batch(job, process)
        job.broker.stop()
        job.broker.ensure_started()
        job.broker.wait_in_sync(topic, 3)
        wait_batch(job, process)
    settle(job, ledger, process)


def leave_the_follower_behind(job, ledger, count=50):
    """It misses the last records, because it is away: (leader, follower)."""
    topic = job.topics["matches"]
    found = job.broker.wait_partition(lambda one: len(one.isrs) == 2, topic)
    leader = found.leader
    (follower,) = set(found.replicas) - {leader}
    job.broker.nodes[follower].kill()
    job.broker.wait_partition(lambda one: one.isrs == [leader], topic)
    ledger.send(count, letter="L", pad=1000)
    return leader, follower


def elect_the_follower(job, follower):
    """The leader is away by now, so that Kafka takes what is left, as the topic allows."""
    job.broker.nodes[follower].start()
    job.broker.wait_partition(lambda one: one.leader == follower, job.topics["matches"])


def two_replicas(job):
    ledger = Ledger(job)
    job.create_topic(**LOSSY)
    ledger.send(100, letter="A")
    return ledger


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param(
            {},
            marks=pytest.mark.fault(
                "unclean election",
                "a replica without the newest records becomes the leader while the query runs",
                f"exit code 6: {CUT}",
            ),
            id="stops",
        ),
        pytest.param(
            CONTINUES,
            marks=pytest.mark.fault(
                "unclean election",
                "the same, FAIL_ON_DATA_LOSS=false",
                f"{RECOVERS}; the query continues at the new end, rows of records that Kafka lost stay",
            ),
            id="continues",
        ),
    ],
)
def test_an_unclean_election_while_the_query_runs(three_job, fault, settings):
    job = three_job
    ledger = two_replicas(job)
    process = job.start(TRIGGER="0 seconds", **settings)
    job.wait_committed(process, {0: 100})
    leader, follower = leave_the_follower_behind(job, ledger)
    job.wait_committed(process, {0: 150})

    job.broker.nodes[leader].kill()
    elect_the_follower(job, follower)
    if settings:
        job.wait_committed(process, {0: 100}, timeout=60)  # the positions went back
    else:
        fault.assert_ended(process)
        process = job.start(TRIGGER="0 seconds", **CONTINUES)
        job.wait_committed(process, {0: 100}, timeout=60)
    job.broker.nodes[leader].start()
    ledger.send(70, letter="N")
    job.wait_committed(process, {0: 170}, timeout=60)
    process.stop()
    text = ledger.assert_settled()  # the 50 lost ones had been read
    assert "incarnation" in text


@pytest.mark.fault(
    "unclean election, unread records",
    made="the lost records were not read yet",
    outcome=f"{RECOVERS}; what Kafka lost before it was read leaves no trace in Kafka",
)
def test_an_unclean_election_that_loses_unread_records(three_job):
    job = three_job
    ledger = two_replicas(job)
    job.run()
    leader, follower = leave_the_follower_behind(job, ledger)
    job.broker.nodes[leader].kill()
    elect_the_follower(job, follower)
    job.broker.nodes[leader].start()
    ledger.send(70, letter="N")

    job.run()
    ledger.assert_settled(lost=[one for one in ledger.sent if one[0] == "L"])
    job.assert_exact()


@pytest.mark.parametrize("way", ["stopped", "unreachable", "unreachable on debian 13"])
@pytest.mark.fault(
    "unclean election, log grown again",
    made="before the query sees the topic again, it has more records than were read",
    outcome=f"exit code 6: {REGROWN}",
)
def test_an_unclean_election_whose_log_has_grown_again(three_job, fault, tmp_path, way):
    job = three_job
    if way.endswith("13"):
        job.program = Debian13(job.program.binary, tmp_path / "on-13")
    ledger = two_replicas(job)
    process = job.start(TRIGGER="0 seconds")
    job.wait_committed(process, {0: 100})
    leader, follower = leave_the_follower_behind(job, ledger)
    job.wait_committed(process, {0: 150})
    if way == "stopped":
        process.stop()
    job.broker.nodes[leader].kill()
    if way != "stopped":
        process.wait_log("Waiting for Kafka", 60)
        process.pause()
    elect_the_follower(job, follower)
    job.broker.nodes[leader].start()
    ledger.send(120, letter="N")  # from offset 100 on
    if way == "stopped":
        process = job.start(TRIGGER="0 seconds")
    else:
        process.resume()
    fault.assert_ended(process)
    job.run(**CONTINUES)
    ledger.assert_settled(lost=[one for one in ledger.sent if one[0] == "N"][:50])
    job.program.end_all()


@pytest.mark.fault(
    "unclean election during a batch",
    made="the log ends before what the batch has read, and has grown past it; with Debian 13's librdkafka",
    outcome=f"{RECOVERS}; the batch is read again from its beginning",
)
def test_an_unclean_election_during_a_batch(three_job, tmp_path):
    job = three_job
    on_13 = Debian13(job.program.binary, tmp_path / "on-13")
    job.program = on_13
    job.settings["KAFKA_BOOTSTRAP_SERVERS"] = job.broker.proxied
    ledger = Ledger(job)
    job.create_topic(**LOSSY)
    ledger.send(1000, letter="A", pad=1000)
    leader, follower = leave_the_follower_behind(job, ledger, 3000)
    for node in job.broker.nodes.values():
        node.proxy.slow(rate=400_000)
    before = job.broker.nodes[leader].proxy.sent
    process = job.start(TRIGGER="0 seconds", MAX_OFFSETS_PER_TRIGGER=0)
    process.wait_until(lambda: job.broker.nodes[leader].proxy.sent - before > 2_000_000, what="half of the batch")
    assert job.lake.batches("matches") == []

    process.pause()  # so that it does not see the topic while it is shorter
    job.broker.nodes[leader].kill()
    elect_the_follower(job, follower)
    ledger.send(5000, letter="N", pad=1000)  # from offset 1000 on
    process.resume()
    for node in job.broker.nodes.values():
        node.proxy.heal()
    job.wait_committed(process, {0: 6000}, timeout=90)
    process.stop()
    ledger.assert_settled(lost=[one for one in ledger.sent if one[0] == "L"])
    on_13.end_all()


@pytest.mark.fault(
    "partition without a leader",
    made="all replicas of one partition are away for a while; others have a leader",
    outcome=f"{RECOVERS}; until then no partition of the topic is read",
)
def test_a_partition_without_a_leader(three_job):
    job = three_job
    ledger = Ledger(job)
    topic = job.create_topic(partitions=3, replicas=1)
    process = job.start(TRIGGER="0 seconds")
    for partition in range(3):
        ledger.send(50, partition)
    job.wait_committed(process, {0: 50, 1: 50, 2: 50})
    away = job.broker.partition(topic, 0).leader
    job.broker.nodes[away].kill()
    process.wait_log(r"\| ERROR \| .*Waiting for Kafka", 60)
    time.sleep(1)
    job.broker.nodes[away].start()
    job.broker.wait_partition(lambda one: one.leader == away, topic)
    for partition in range(3):
        ledger.send(50, partition)
    settle(job, ledger, process)


@pytest.mark.fault(
    "one of three bootstrap brokers", made="the other two do not exist", outcome=RECOVERS
)
def test_one_bootstrap_broker_is_sufficient(three_job, program, lake):
    job = Job(program, lake, three_job.broker)
    node = next(iter(job.broker.nodes.values()))
    job.settings["KAFKA_BOOTSTRAP_SERVERS"] = f"127.0.0.1:1,{node.bootstrap},127.0.0.1:2"
    ledger = Ledger(job)
    job.create_topic(partitions=3)
    for partition in range(3):
        ledger.send(50, partition)
    job.run()
    ledger.assert_settled()
