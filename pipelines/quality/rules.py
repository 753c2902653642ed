"""The vocabulary of a suite: what can be expected of the rows of a table, and what follows from its description alone.

A rule is data and imports no Great Expectations, which takes seconds. `suites.py` lists the rules of each table, `run.py`
turns them into expectations.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from pipelines.quality.outcome import Severity
from pipelines.warehouse.tables import Table

SuiteName = Literal[
    "core_request",
    "core_price",
    "core_rate_card",
    "core_benchmark_score",
    "core_reported_cost",
]

_FLOOR = "There is at least one row. Where there is none, look whether the table's files have arrived."


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One expectation: a name that is unique in its suite, and what it means for the person who reads the failure."""

    name: str
    description: str
    severity: Severity = "blocking"


@dataclass(frozen=True, kw_only=True)
class RowFloor(Rule):
    """At least `minimum` rows: every other rule holds on no rows at all."""

    minimum: int = 1


@dataclass(frozen=True, kw_only=True)
class Unique(Rule):
    """No two rows are equal in `columns`."""

    columns: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class NoRow(Rule):
    """No row of `rows` satisfies the SQL predicate `where`.

    `rows` is what follows `from`; `{batch}` stands for the rows under test. A join must name its two sides `a` and
    `b`, and the columns shown are those of `a`.
    """

    where: str
    rows: str = "{batch}"


@dataclass(frozen=True)
class Suite:
    """The rules of one table. Where the table has a day column only the days asked for are tested, else every row.

    `shown` are the columns by which a person finds a wrong row; most primary keys are ids that mean nothing to a reader.
    """

    name: SuiteName
    table: Table
    shown: tuple[str, ...]
    rules: tuple[Rule, ...]

    def __post_init__(self) -> None:
        names = [rule.name for rule in self.rules]
        if len(set(names)) != len(names):
            raise ValueError(f"suite {self.name}: a rule is named twice: {sorted(names)}")


def described(table: Table, *, held_by_postgres: Collection[str] = (), may_be_empty: bool = False) -> tuple[Rule, ...]:
    """The rules that follow from the description of a table, where no constraint of Postgres enforces them already.

    A floor, which only warns (a day without requests and a company without a leaderboard must close too), unless the table
    `may_be_empty`; and no negative quantity (money apart from counts). `held_by_postgres` are the quantities that a
    constraint keeps from being negative.
    """
    quantities = [c for c in table.columns if c.is_unsigned and c.name not in held_by_postgres]
    money = [column.name for column in quantities if "USD" in (column.unit or "")]
    counts = [column.name for column in quantities if column.name not in money]
    rules: list[Rule] = [] if may_be_empty else [RowFloor(name="has_rows", description=_FLOOR, severity="warning")]
    if counts:
        rules.append(_not_negative("counts_not_negative", "No count, duration or share is negative.", counts))
    if money:
        rules.append(_not_negative("money_not_negative", "No cost or rate is negative.", money))
    return tuple(rules)


def _not_negative(name: str, description: str, columns: list[str]) -> NoRow:
    smallest = columns[0] if len(columns) == 1 else f"least({', '.join(columns)})"
    return NoRow(name=name, description=description, where=f"{smallest} < 0")
