"""The faults of tests/faults as one table: what a test's marker says, and the document that repeats it."""

import dataclasses
import re

BEGIN, END = "<!-- faults: printed by --write-fault-table -->", "<!-- /faults -->"
RECOVERS = "recovers by itself"
EXIT = re.compile(r"exit code (\d+): (.+)")


@dataclasses.dataclass(frozen=True)
class Fault:
    kind: str  # "disk full and freed"
    made: str  # how the fault is made
    outcome: str
    test: str = ""  # its function

    def __post_init__(self):
        recovers = self.outcome == RECOVERS or self.outcome.startswith(f"{RECOVERS}; ")
        assert recovers or EXIT.fullmatch(self.outcome), f"not an outcome: {self.outcome}"

    @classmethod
    def of(cls, item):
        """Of a test that was collected; it must have the marker."""
        marker = item.get_closest_marker("fault")
        assert marker is not None, f"{item.nodeid} has no marker `fault`"
        return cls(**_named(marker), test=getattr(item, "originalname", item.name))

    @property
    def recovers(self):
        return self.outcome.startswith(RECOVERS)

    @property
    def exit_code(self):
        return int(EXIT.fullmatch(self.outcome)[1])

    @property
    def message(self):
        return EXIT.fullmatch(self.outcome)[2]

    def assert_ended(self, process, timeout=60):
        """With the exit code and the message of the table, in the line that says why."""
        process.wait_exit(timeout, self.exit_code)
        reasons = process.lines(r"\| CRITICAL \|") or process.errors().splitlines()
        assert any(self.message in line for line in reasons), (self.message, process.tail())


def _named(marker):
    names = ("kind", "made", "outcome")
    assert len(marker.args) <= len(names), marker
    given = {**dict(zip(names, marker.args)), **marker.kwargs}
    assert sorted(given) == sorted(names), marker
    return given


def rows_of(items):
    """Each fault once, in the order of files and tests."""
    rows = {}
    for item in items:
        if item.path.name != "test_table.py":
            fault = Fault.of(item)
            rows.setdefault((item.path.name, fault), None)
    return list(rows)


def _cell(text):
    return text.replace("|", "\\|")


def printed(rows):
    lines = ["| fault | how it is made | outcome | test |", "|---|---|---|---|"]
    for name, fault in rows:
        cells = (fault.kind, fault.made, fault.outcome, f"`{name}::{fault.test}`")
        lines.append("| " + " | ".join(map(_cell, cells)) + " |")
    return "\n".join(lines)


def replaced(text, rows):
    """The document with this table between its two marks."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    assert begin and end, f"the document has no {BEGIN} … {END}"
    return f"{before}{begin}\n{printed(rows)}\n{end}{after}"
