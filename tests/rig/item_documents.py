"""Documents in the shape of match-v5, a query file that explodes and filters them, and an account of
what must be in its table: computed here from the documents alone."""

import dataclasses
import json
import random

WHERE_KILLS = 20  # rows with so many kills or more are left out

FILE = """\
CREATE TABLE riot (
  metadata STRUCT<matchId: STRING>,
  info STRUCT<queueId: INT, participants: ARRAY<STRUCT<puuid: STRING, kills: INT, items: ARRAY<INT>>>>
) USING kafka OPTIONS (subscribe '${KAFKA_TOPIC_RIOT:-riot}');

CREATE STREAMING TABLE items (
  match_id STRING NOT NULL, pos INT, slot INT, puuid STRING, kills INT, item INT, queue_id INT
)
PARTITIONED BY (queue_id)
AS SELECT metadata.matchId AS match_id, pos, slot, p.puuid, p.kills, item, info.queueId AS queue_id
FROM STREAM riot
LATERAL VIEW posexplode(info.participants) x AS pos, p
LATERAL VIEW OUTER posexplode(p.items) y AS slot, item
WHERE p.kills < 20;
"""


def document(number, count=None, seed=0):
    """The value of record `number`: None, a part of a document, or a document. Twelve kinds of
    records follow one another. `count`: of participants."""
    chance = random.Random(f"{seed}-{number}")
    kind = number % 12 if count is None else None
    if kind == 1:
        return None
    if kind == 2:
        return b'{"metadata": {"matchId": "M-%d"}, "info": {"participants": [{' % number
    participants = [
        {
            "puuid": f"P-{number}-{position}",
            "kills": 99 if kind == 3 else chance.randrange(0, 30),
            "items": [1000 + slot for slot in range(chance.randrange(0, 4))] or chance.choice([None, []]),
        }
        for position in range(count or chance.randrange(1, 17))
    ]
    if kind == 4:
        participants[len(participants) // 2] = "odd"
    if kind == 5:
        participants = []
    if kind == 6:
        participants = None
    if kind == 7 and len(participants) > 1:
        participants[1] = None  # an element that is null: its columns are, so that WHERE leaves it out
    metadata = {} if kind == 8 else {"matchId": f"M-{number}"}
    info = {"queueId": number % 3 or None, "participants": participants}
    return json.dumps({"metadata": metadata, "info": info, "other": {"x": [number] * 3}}).encode()


@dataclasses.dataclass
class Account:
    """What records become: rows by name, (partition, offset, position, slot), and the others by
    (partition, offset)."""

    rows: set = dataclasses.field(default_factory=set)
    rejects: set = dataclasses.field(default_factory=set)
    empty: set = dataclasses.field(default_factory=set)
    filtered: set = dataclasses.field(default_factory=set)

    def add(self, partition, offset, value, permissive=False):
        """`permissive`: as PARSE_MODE says; what cannot be read has no participants then."""
        try:
            found = json.loads(value or b"")
        except ValueError:
            found = {}
        participants = found.get("info", {}).get("participants")
        if permissive and "odd" in (participants or []):
            participants = None
        if not permissive and ("matchId" not in found.get("metadata", {}) or "odd" in (participants or [])):
            self.rejects.add((partition, offset))
        elif not participants:
            self.empty.add((partition, offset))
        elif kept := {
            (partition, offset, position, slot)
            for position, one in enumerate(participants)
            if one is not None and one["kills"] < WHERE_KILLS
            for slot in (range(len(one["items"])) if one["items"] else [None])
        }:
            self.rows |= kept
        else:
            self.filtered.add((partition, offset))
        return self


def account_of(values, permissive=False):
    """Of {partition: its records' values}."""
    account = Account()
    for partition, records in values.items():
        for offset, value in enumerate(records):
            account.add(partition, offset, value, permissive)
    return account
