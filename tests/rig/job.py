"""One story's scene: our program, a lake and two topics that no other story uses."""

import itertools

from .lake import QUERIES

numbers = itertools.count()


class Job:
    def __init__(self, program, lake, broker):
        self.program = program
        self.lake = lake
        self.broker = broker
        number = next(numbers)
        self.topics = {kind: f"{kind}-{number}" for kind in QUERIES}
        self.settings = {
            "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap,
            "KAFKA_TOPIC_MATCHES": self.topics["matches"],
            "KAFKA_TOPIC_PLAYERS": self.topics["players"],
            "DATA_LAKE_PATH": lake.root,
            "LOG_LEVEL": "DEBUG",
        }

    def create_topics(self, partitions=1, **config):
        for topic in self.topics.values():
            self.broker.create_topic(topic, partitions, **config)

    def create_topic(self, kind="matches", partitions=1, **config):
        return self.broker.create_topic(self.topics[kind], partitions, **config)

    def create_topic_again(self, kind="matches", partitions=1):
        """Deleted and created: another topic of the same name."""
        self.broker.delete_topic(self.topics[kind])
        return self.create_topic(kind, partitions)

    def produce(self, values, kind="matches", partition=0):
        self.broker.produce(self.topics[kind], values, partition)

    def start(self, *arguments, **settings):
        """--job matches, unless the arguments name another job."""
        if "--job" not in arguments and "name" not in settings:
            arguments = ("--job", "matches", *arguments)
        return self.program.start(*arguments, **{**self.settings, **settings})

    def run(self, *arguments, exit_code=0, timeout=60, **settings):
        """Reads the whole topic and ends."""
        process = self.start(*arguments, **{"TRIGGER": "availableNow", **settings})
        process.wait_exit(timeout, exit_code)
        return process

    def wait_committed(self, process, ends, kind="matches", timeout=30):
        """Waits until the newest committed batch ends at `ends`, {partition: end}."""

        def reached():
            batches = self.lake.batches(kind)
            return bool(batches) and self.lake.planned_ends(kind, batches[-1]) == ends

        process.wait_until(reached, timeout, f"{kind} committed to {ends}")

    def verify(self, exit_code=0):
        """The program's own account; {incarnation: rows and rejects}."""
        process = self.program.run(
            "verify", "--job", "matches", exit_code=exit_code, **self.settings
        )
        return process.log()

    def assert_exact(self, kind="matches", starts=None, absent=()):
        """Table and rejects hold every offset of the topic once, by the broker's account of it, and
        nothing is left over."""
        self.lake.assert_holds(kind, self.broker.end_offsets(self.topics[kind]), starts, absent)
        self.lake.assert_listed(kind)
        left = self.lake.leftovers(kind)
        assert not left, left
