"""The plans of a query file as Spark's SQL, by plan_dump."""

import json
import subprocess

from .paths import ROOT

PLAN_DUMP = ROOT / "build" / "release" / "tests" / "tools" / "plan_dump"


def plans_of(path):
    dumped = subprocess.run([PLAN_DUMP, path], capture_output=True, text=True, check=False)
    assert dumped.returncode == 0, dumped.stderr
    return [Plan(json.loads(line)) for line in dumped.stdout.splitlines()]


class Plan:
    def __init__(self, dumped):
        self.name = dumped["name"]
        self.schema = dumped["schema"]  # of from_json
        self.columns = dumped["columns"]  # in the order of the SELECT list
        self.order = dumped["order"]  # their names, in the table's order
        self.partitions = dumped["partitions"]
        self.views = dumped["views"]  # LATERAL VIEW …
        self.exploded = dumped["exploded"]  # what each of them explodes
        self.positions = dumped["positions"]  # the column of each
        self.where = dumped.get("where")

    @property
    def required(self):
        """The expressions of the NOT NULL columns."""
        return [column["sql"] for column in self.columns if column["required"]]

    def select(self, records):
        """The rows of this table, of a view with `r`, what from_json returns, and the columns of Kafka's source."""
        columns = ", ".join(f"{column['sql']} AS `{column['name']}`" for column in self.columns)
        where = [f"WHERE {self.where}"] if self.where else []
        return " ".join([f"SELECT {columns} FROM {records}", *self.views, *where])
