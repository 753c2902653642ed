"""Minimum spend by the month: what of it the seller's bills reach, and what is paid for nothing at the end of the month."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from pipelines.books.commitments.usage import ZERO, Day, Standing, not_loaded, reasons, unpriced, unused_rows, usage_row
from pipelines.config.commitments import MinimumSpend, days_of_month
from pipelines.warehouse.tables.mart_commitments import MINIMUM, USED


@dataclass
class Minimum:
    """One minimum over the days, which come in order. What provisioned throughput costs counts, as does what credits will pay."""

    item: MinimumSpend
    _month: date | None = None
    _left: Decimal = ZERO
    _unloaded: int = 0

    def stand(self, today: Day) -> Standing:
        """Count what the seller bills for the day; the last day of a month takes what is left of the month's minimum."""
        item = self.item
        if self._month != today.day.replace(day=1):
            self._month, self._left, self._unloaded = today.day.replace(day=1), item.usd_per_month, today.day.day - 1
        if not today.is_loaded:
            self._unloaded += 1
        uses = today.of_seller(item.provider_id)
        billed = sum((use.open_usd for use in uses), ZERO) + today.throughput_usd.get(item.provider_id, ZERO)
        used = max(ZERO, min(self._left, billed))
        self._left -= used
        unused = self._left if today.day.day == days_of_month(today.day) else ZERO
        row: dict[str, Any] = {
            "purchased_usd": used + unused,
            "used_usd": used,
            "unused_usd": unused,
            "utilisation": float(1 - self._left / item.usd_per_month),
            "balance_usd": self._left - unused,
            "expires_on": item.to_date,
            "reason": reasons(not_loaded(self._unloaded, "the month"), unpriced(uses)),
        }
        usage = [usage_row(item, MINIMUM, USED, used) | {"effective_cost_usd": ZERO}] if used else []
        return Standing(row, usage + unused_rows(item, MINIMUM, unused, uses))
