"""Checks that cost which is passed on neither grows nor shrinks: mart.chargeback against mart.daily_charge."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from psycopg import Connection

from pipelines.quality.accounting import SAMPLE_SIZE
from pipelines.quality.outcome import ExpectationOutcome
from pipelines.warehouse.tables.mart_charges import COSTS

_SUMS = ", ".join(f"sum({cost})" for cost in COSTS)
_PAID = f"select event_date, {_SUMS}, sum(unpriced_requests) from mart.chargeback"
_CHARGED = (
    f"select event_date, {_SUMS}, "
    "coalesce(sum(quantity) filter (where meter = 'request' and unpriced_reason is not null), 0) from mart.daily_charge"
)


def chargeback_agrees(connection: Connection[Any], from_date: date, to_date: date) -> ExpectationOutcome:
    """Each cost and the unpriced requests of mart.chargeback sum to those of the charges, per day, to the last decimal.

    `observed` is the window's effective cost in USD, as text.
    """
    paid, charged = (_by_day(connection, query, from_date, to_date) for query in (_PAID, _CHARGED))
    names = (*COSTS, "unpriced_requests")
    wrong = []
    for day in sorted(paid.keys() | charged.keys()):
        nothing = ("no row",) * len(names)
        for name, there, truth in zip(names, paid.get(day, nothing), charged.get(day, nothing), strict=True):
            if there != truth:
                wrong.append({"day": str(day), "sum": name, "there": str(there), "in mart.daily_charge": str(truth)})
                break
    total = sum((sums[COSTS.index("effective_cost_usd")] or Decimal(0) for sums in charged.values()), Decimal(0))
    return ExpectationOutcome(
        name="chargeback_agrees",
        description="The amounts that teams, projects and cost centres pay add up to the charges.",
        severity="blocking",
        success=not wrong,
        observed=f"{total:f}",
        unexpected_count=len(wrong),
        sample=tuple(wrong[:SAMPLE_SIZE]),
    )


def _by_day(connection: Connection[Any], query: str, from_date: date, to_date: date) -> dict[date, tuple[Any, ...]]:
    windowed = f"{query} where event_date >= %s and event_date < %s group by event_date"
    return {day: tuple(sums) for day, *sums in connection.execute(windowed.encode(), (from_date, to_date)).fetchall()}
