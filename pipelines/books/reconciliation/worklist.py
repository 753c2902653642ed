"""What to look at first: rows of mart.reconciliation beyond the tolerance, and sellers by month."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import polars as pl

from pipelines.books.reconciliation.causes import ZERO
from pipelines.config.reconciliation import Reconciliation
from pipelines.warehouse.tables.mart_reconciliation import CAUSES, NOT_COMPARED, WAITING

_CAUSES = [f"{cause}_usd" for cause in CAUSES]
_WAITING = [f"{cause}_usd" for cause in WAITING]


def work_list(rows: pl.DataFrame, rules: Reconciliation) -> pl.DataFrame:
    """The rows of a month that differ beyond the tolerance, or have a bill without a rate; most money first."""
    worth = [
        row["reason"] == "currency_without_rate"
        or (
            row["difference_usd"] is not None
            and not rules.tolerance_of(row["provider_id"]).accepts(_to_look_into(row), row["billed_usd"] or ZERO)
        )
        for row in rows.select("provider_id", "difference_usd", "billed_usd", "reason", *_WAITING).iter_rows(named=True)
    ]
    order = pl.coalesce(pl.col("difference_usd").abs(), pl.col("billed_amount").abs())
    return rows.filter(pl.Series(worth, dtype=pl.Boolean)).sort(
        order, "event_date", "provider_id", "model_id", "meter", descending=[True] + [False] * 4
    )


def by_seller(rows: pl.DataFrame) -> pl.DataFrame:
    """One row per month and seller: what is compared, what is not, the difference and its causes.

    Amounts are those of rows that can be compared; `not_compared_usd` is computed, and no bill holds it yet; `not_loaded_usd` is
    billed for days that are not loaded.
    """
    compared = pl.col("reason").is_null() | ~pl.col("reason").is_in(NOT_COMPARED)
    sums = rows.with_columns(month=pl.col("event_date").dt.strftime("%Y-%m"), is_compared=compared)
    return (
        sums.group_by("month", "provider_id")
        .agg(
            pl.col("computed_usd").filter("is_compared").sum(),
            pl.col("logged_usd").filter("is_compared").sum(),
            pl.col("billed_usd").filter("is_compared").sum(),
            pl.col("difference_usd").sum(),
            *(pl.col(cause).sum() for cause in _CAUSES),
            not_compared_usd=pl.col("computed_usd").filter(~pl.col("is_compared")).sum(),
            not_loaded_usd=pl.col("billed_usd").filter(pl.col("reason") == "not_loaded").sum(),
            without_rate=(pl.col("reason") == "currency_without_rate").sum(),
            bill_lines=pl.col("bill_lines").filter("is_compared").sum(),
        )
        .sort("month", "provider_id")
    )


def _to_look_into(row: Mapping[str, Any]) -> Decimal:
    """The difference without what only waits for a later export, or for a run of its days."""
    difference: Decimal = row["difference_usd"]
    return difference - sum((row[name] or ZERO for name in _WAITING), ZERO)


def largest_cause(row: Mapping[str, Any]) -> str:
    """The cause of the largest amount, over or under; empty where there is none."""
    amounts: dict[str, Decimal] = {cause: abs(row[f"{cause}_usd"] or ZERO) for cause in CAUSES}
    name = max(amounts, key=lambda cause: amounts[cause])
    return name if amounts[name] else ""


def beyond_tolerance(rows: pl.DataFrame, rules: Reconciliation) -> list[str]:
    """A line for each month and seller whose bills differ, or can't be converted."""
    found = []
    for row in by_seller(rows).iter_rows(named=True):
        where = f"{row['provider_id']} in {row['month']}"
        if row["without_rate"]:
            found.append(f"{where}: {row['without_rate']} rows are billed in a currency without an exchange rate")
        if not rules.tolerance_of(row["provider_id"]).accepts(_to_look_into(row), row["billed_usd"]):
            found.append(
                f"{where}: billed {row['billed_usd']:f} USD, computed {row['computed_usd']:f}, difference "
                f"{row['difference_usd']:f}, most of it {largest_cause(row)}"
            )
    return found
