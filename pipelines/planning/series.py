"""Daily series of spend by scope: sums of charges (rows of mart.spend_series), and those rows as arrays.

What is foreseen of them is `forecast.py`; scopes of budgets are the charges that a budget is for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import polars as pl

from pipelines.config.budgets import Budget
from pipelines.config.mistakes import did_you_mean
from pipelines.config.patterns import regex_of
from pipelines.planning.forecast import History
from pipelines.warehouse.tables.mart_planning import SPEND_SERIES

BUDGET, TOTAL = "budget", "total"
FIELD_OF = {
    "seller": "provider_id",
    "model": "model_id",
    "team": "team",
    "project": "project",
    "cost_centre": "cost_centre",
}
"""The column of charges that a scope is cut by."""

_SUMS = ("effective_cost_usd", "requests", "unpriced_requests")


def spend_series(charges: pl.DataFrame, budgets: Sequence[Budget]) -> pl.DataFrame:
    """Rows of mart.spend_series from charges by day, seller, model and attribution.

    What a budget is for has a row on each day of `charges`, so that a day without one is a day that was made before the budget.
    """
    found = [_summed(charges, TOTAL, pl.lit(""))]
    found += [_summed(charges, scope, pl.col(field)) for scope, field in FIELD_OF.items()]
    days = charges.select("event_date").unique()
    for what, budget in {budget.what: budget for budget in budgets}.items():
        rows = _summed(charges.filter(meets(budget)), BUDGET, pl.lit(what))
        blank = days.with_columns(scope=pl.lit(BUDGET), scope_value=pl.lit(what))
        filled = blank.join(rows, on=["event_date", "scope", "scope_value"], how="left")
        found.append(filled.with_columns(pl.col(name).fill_null(0) for name in _SUMS))
    return pl.concat([rows.select(SPEND_SERIES.polars_schema.names()).cast(SPEND_SERIES.polars_schema) for rows in found]).sort(SPEND_SERIES.primary_key)  # fmt: skip


def meets(budget: Budget) -> pl.Expr:
    """Whether a charge is one that the budget is for."""
    conditions = [pl.col(field).str.contains(regex_of(text)) for field, text in budget.when.items()]
    return pl.all_horizontal(*conditions) if conditions else pl.lit(value=True)


def _summed(charges: pl.DataFrame, scope: str, value: pl.Expr) -> pl.DataFrame:
    keyed = charges.with_columns(scope=pl.lit(scope), scope_value=value)
    return keyed.group_by("event_date", "scope", "scope_value").agg(pl.col(name).sum() for name in _SUMS)


def unknown_names(budgets: Sequence[Budget], known: Mapping[str, Sequence[str]]) -> list[str]:
    """Budgets that name what no charge has, each in one line with what was perhaps meant. `known` are values by field."""
    found = []
    for budget in budgets:
        for field, text in budget.when.items():
            if any(re.fullmatch(regex_of(text), value) for value in known[field]):
                continue
            found.append(f"budget {budget.budget}: no charge has {field} {text}{did_you_mean(text, known[field])}")
    return found


@dataclass(frozen=True)
class Series:
    """Series of spend as arrays: `keys` are (scope, value) of each column, `history` their days up to `last`.

    `rows` are the rows of mart.spend_series that they are made of, for exact sums.
    """

    keys: list[tuple[str, str]]
    history: History
    loaded: frozenset[date]
    rows: pl.DataFrame

    @property
    def last(self) -> date:
        """The newest day."""
        return self.history.first + timedelta(days=self.history.days - 1)


def arrays(rows: pl.DataFrame, loaded: Sequence[date]) -> Series | None:
    """Rows of mart.spend_series as arrays over the days that are known; None without any. A day without a row of a key spent nothing."""
    days = sorted(set(loaded))
    if not days or rows.is_empty():
        return None
    first, last = days[0], days[-1]
    keys = rows.select("scope", "scope_value").unique().sort("scope", "scope_value").rows()
    place = {key: number for number, key in enumerate(keys)}
    y = np.full(((last - first).days + 1, len(keys)), np.nan)
    y[[(day - first).days for day in days]] = 0.0
    for day, scope, value, usd in rows.select("event_date", "scope", "scope_value", "effective_cost_usd").iter_rows():
        y[(day - first).days, place[scope, value]] = float(usd)
    return Series(keys, History(first, y), frozenset(days), rows)


def spent(series: Series, from_date: date, to_date: date) -> dict[tuple[str, str], tuple[Decimal, int]]:
    """Exact spend and unpriced requests of the days [from_date, to_date) by key."""
    within = series.rows.filter(pl.col("event_date").is_between(from_date, to_date, closed="left"))
    sums = within.group_by("scope", "scope_value").agg(pl.col("effective_cost_usd", "unpriced_requests").sum())
    return {(scope, value): (usd, unpriced) for scope, value, usd, unpriced in sums.iter_rows()}
