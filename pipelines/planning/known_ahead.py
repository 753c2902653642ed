"""What is known of the days ahead: prices that are announced, commitments that end. A forecast need not wait for either.

Rows of mart.price_change and mart.commitment_day come in, in the terms of the series go out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal

import polars as pl

from pipelines.config.budgets import Budget
from pipelines.planning.series import spend_series

Key = tuple[str, str]


@dataclass(frozen=True)
class Announced:
    """A price that will change: from `from_date` on each day of the series costs `share` of itself more, or less."""

    key: Key
    from_date: date
    share: float
    usd_per_day: Decimal
    what: str


@dataclass(frozen=True)
class Known:
    """Something that happens on `on`, with its money where that is known. It concerns the series of `keys`."""

    keys: frozenset[Key]
    on: date
    kind: Literal["price", "commitment"]
    what: str
    usd: Decimal | None

    def concerns(self, key: Key, day: date, to_date: date) -> bool:
        """Whether it lies ahead of `day`, in a period of the series that ends before `to_date`."""
        return key in self.keys and day < self.on < to_date

    def described(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "date": str(self.on),
            "kind": self.kind,
            "what": self.what,
            "usd": None if self.usd is None else f"{self.usd:f}",
        }


def announced_changes(
    changes: pl.DataFrame, charges: pl.DataFrame, days: int, budgets: Sequence[Budget]
) -> list[Announced]:
    """Changes of prices in the terms of the series, by what the charges of the last `days` loaded days were.

    `changes`: price_id_before, valid_from, change_share, summary. `charges`: the charges of those days by day, price_id, seller, model
    and attribution; the prices that do not change are among them.
    """
    if changes.is_empty() or charges.is_empty():
        return []
    whole = _by_key(charges, budgets)
    found = []
    for change in changes.iter_rows(named=True):
        touched = charges.filter(pl.col("price_id") == change["price_id_before"])
        if touched.is_empty() or change["change_share"] is None:
            continue
        for key, usd in _by_key(touched, budgets).items():
            if usd and whole[key]:
                share = change["change_share"] * float(usd / whole[key])
                per_day = usd / days * Decimal(repr(change["change_share"]))
                found.append(Announced(key, change["valid_from"], share, per_day, change["summary"]))
    return found


def _by_key(charges: pl.DataFrame, budgets: Sequence[Budget]) -> dict[Key, Decimal]:
    sums = spend_series(charges, budgets).group_by("scope", "scope_value").agg(pl.col("effective_cost_usd").sum())
    return {(scope, value): usd for scope, value, usd in sums.iter_rows()}


def as_known(announced: Sequence[Announced]) -> list[Known]:
    """Price changes as things that are known ahead; the money is that of one day."""
    found = [
        Known(frozenset({change.key}), change.from_date, "price", change.what, change.usd_per_day)
        for change in announced
    ]
    return sorted(found, key=lambda item: (item.on, item.what))
