"""The vocabulary of a suite: what can be expected of the rows of a table, and what follows from its description alone.

A rule is data and imports no Great Expectations, which takes seconds; `run.py` beside this module turns rules into
expectations, and `suites.py` says which table has which.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from pipelines.quality.outcome import Severity
from pipelines.warehouse.tables import Column, Table

SuiteName = Literal[
    "core_request",
    "core_price",
    "core_rate_card",
    "core_benchmark_score",
    "core_reported_cost",
    "mart_daily_model_spend",
]

_FLOOR = "There is at least one row. A table without one says nothing: look whether its files have arrived."
_NUMBERS = ("integer", "bigint", "smallint", "double precision", "numeric(38,18)", "numeric(38,12)")


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
class OneOf(Rule):
    """Every value of `column` that is not null is one of `values`."""

    column: str
    values: tuple[str, ...]


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

    `shown` are the columns by which a person finds a wrong row; the primary key is mostly an id that says nothing.
    """

    name: SuiteName
    table: Table
    shown: tuple[str, ...]
    rules: tuple[Rule, ...]

    def __post_init__(self) -> None:
        names = [rule.name for rule in self.rules]
        if len(set(names)) != len(names):
            raise ValueError(f"suite {self.name}: a rule is named twice: {sorted(names)}")


def described(
    table: Table,
    *,
    key: Collection[str] = (),
    may_be_negative: Collection[str] = (),
    may_be_empty: bool = False,
) -> tuple[Rule, ...]:
    """The rules that follow from the description of a table.

    A floor, which only warns (a day without requests and a company without a leaderboard are to be closed too), unless the
    table `may_be_empty`; one row per key (`key`, or the primary key), no null where none is allowed, no negative quantity (every
    column with a unit, less `may_be_negative`; money apart from counts), and closed lists of values.
    """
    keys = tuple(key or table.primary_key)
    filled = [column.name for column in table.columns if not column.nullable]
    quantities = [c for c in table.columns if c.unit and c.type in _NUMBERS and c.name not in may_be_negative]
    money = [column.name for column in quantities if "USD" in (column.unit or "")]
    counts = [column.name for column in quantities if column.name not in money]
    rules: list[Rule] = [
        *([] if may_be_empty else [RowFloor(name="has_rows", description=_FLOOR, severity="warning")]),
        Unique(name="key_is_unique", description=f"One row per {', '.join(keys)}.", columns=keys),
        NoRow(
            name="filled",
            description="Every column that must have a value has one.",
            where=f"num_nulls({', '.join(filled)}) > 0",
        ),
    ]
    if counts:
        rules.append(_not_negative("counts_not_negative", "No count, duration or share is negative.", counts))
    if money:
        rules.append(_not_negative("money_not_negative", "No cost or rate is negative.", money))
    return (*rules, *(_one_of(column) for column in table.columns if column.accepted))


def _not_negative(name: str, description: str, columns: list[str]) -> NoRow:
    smallest = columns[0] if len(columns) == 1 else f"least({', '.join(columns)})"
    return NoRow(name=name, description=description, where=f"{smallest} < 0")


def _one_of(column: Column) -> OneOf:
    return OneOf(
        name=f"{column.name}_accepted",
        description=f"{column.name} is one of {', '.join(column.accepted)}.",
        column=column.name,
        values=column.accepted,
    )
