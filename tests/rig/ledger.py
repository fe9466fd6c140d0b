"""What a test has sent, and the account of it: an independent reader must find each record once."""

import collections
import threading

import duckdb

from .broker import must_be_delivered


class Ledger:
    """Of one topic. Each record has an id of its own, and counts once Kafka has acknowledged it."""

    def __init__(self, job, kind="matches"):
        self.job = job
        self.kind = kind
        self.sent = []

    def send(self, count, partition=0, letter="R", pad=0, **config):
        """The ids that were sent. `pad`: bytes that each record has more."""
        producer = self.job.broker.producer(**config)
        ids = [f"{letter}{len(self.sent) + number}" for number in range(count)]
        for one in ids:
            producer.produce(
                self.job.topics[self.kind], self._value(one, pad), partition=partition, on_delivery=must_be_delivered
            )
            producer.poll(0)
        assert producer.flush(60) == 0
        self.sent += ids
        return ids

    @staticmethod
    def _value(one, pad):
        return '{"match_id": "%s", "status": "live", "pad": "%s"}' % (one, "x" * pad)

    def growing(self, partitions, rate=500):
        return Growing(self, partitions, rate)

    def rows(self):
        """Counter of ids over the table, by DuckDB."""
        table = self.job.lake.table(self.kind)
        if not self.job.lake.files(table):
            return collections.Counter()
        with duckdb.connect() as connection:
            found = connection.sql(
                f"SELECT match_id, count(*) FROM read_parquet('{table}/**/*.parquet') GROUP BY match_id"
            ).fetchall()
        return collections.Counter(dict(found))

    def assert_settled(self, lost=()):
        """Each record that was sent has one row, except `lost`, which have none; no file is left over, and
        `verify` finds no fault. Returns what `verify` prints."""
        rows, wanted = self.rows(), set(self.sent) - set(lost)
        twice = sorted(one for one, times in rows.items() if times > 1)
        missing, strange = sorted(wanted - rows.keys()), sorted(rows.keys() - wanted)
        assert not twice and not missing and not strange, (
            f"{len(twice)} twice {twice[:5]}, {len(missing)} missing {missing[:5]}, "
            f"{len(strange)} unexpected {strange[:5]}"
        )
        self.job.lake.assert_listed(self.kind)
        left = self.job.lake.leftovers(self.kind)
        assert not left, left
        return self.job.verify()


class Growing:
    """Meanwhile the topic gets `rate` records a second in turn to its partitions, from a producer that waits
    for all replicas and writes no record twice."""

    def __init__(self, ledger, partitions, rate):
        self._ledger, self._partitions, self._rate = ledger, partitions, rate
        self._end = threading.Event()
        self._acknowledged, self._errors = [], []
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *failure):
        self._end.set()
        self._thread.join(150)
        assert not self._thread.is_alive()
        if failure[0] is None:
            assert not self._errors, self._errors[:3]
        self._ledger.sent += self._acknowledged

    def _note(self, one):
        def note(error, _):
            if error is None:
                self._acknowledged.append(one)
            else:
                self._errors.append(str(error))

        return note

    def _run(self):
        producer = self._ledger.job.broker.producer(enable_idempotence=True, acks="all")
        number = 0
        while not self._end.wait(0.05):
            for _ in range(max(1, self._rate // 20)):
                one = f"G{number}"
                producer.produce(
                    self._ledger.job.topics[self._ledger.kind],
                    self._ledger._value(one, 0),
                    partition=number % self._partitions,
                    on_delivery=self._note(one),
                )
                number += 1
            producer.poll(0)
        if producer.flush(120) != 0:
            self._errors.append("not delivered in time")
