"""Hardware of one's own (`deployments` of selfhost.yaml): its price of a day over who used it, and what stood idle.

It is paid for 24 hours of every day. Used hours follow from a throughput that selfhost.yaml declares: an hour counts as far as its tokens fill it. Without one they
are the hours in which the log has a call under way.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from pipelines.books.commitments.usage import (
    ZERO,
    Day,
    Standing,
    proportional,
    unpriced,
    unused_rows,
    usage_row,
    used_rows,
)
from pipelines.config.commitments import HOURS_OF_A_DAY, Commitment
from pipelines.warehouse.tables.mart_commitments import PROVISIONED


@dataclass(frozen=True)
class OwnHardware:
    """One deployment. `prices` has what each day costs, or why that is not known; `busy_hours` how long the log has calls under way on a day."""

    item: Commitment
    model_id: str
    prices: Mapping[date, Decimal | str]
    tokens_per_hour: Fraction | None
    """What it can serve; None if no throughput is declared."""
    counts_input: bool
    busy_hours: Mapping[date, Fraction]
    unknown: str | None = None
    """Why nobody knows who used it, on any day."""

    def stand(self, today: Day) -> Standing:
        """Share the day's price out: to who used it, in proportion to their tokens, and the idle rest."""
        price = self.prices.get(today.day, "its price is not known")
        if isinstance(price, str):
            return Standing({"reason": price}, [])
        row: dict[str, Any] = {"purchased_usd": price}
        reason = self.unknown or (None if today.is_loaded else "the day is not loaded: modelmeter daily")
        if reason:
            whole = usage_row(self.item, PROVISIONED, "", price) | {"covered_usd": None}
            return Standing(row | {"reason": reason}, [whole])
        uses = [use for use in today.of_seller(self.item.provider_id) if use.model_id == self.model_id]
        hours = min(self._used_hours(today), Fraction(HOURS_OF_A_DAY))
        weights = [self._tokens(use.input_tokens, use.output_tokens) for use in uses]
        if not sum(weights):
            hours = Fraction(0)
        used, unused = proportional(price, [hours, HOURS_OF_A_DAY - hours])
        usage = unused_rows(self.item, PROVISIONED, unused, uses)
        if hours:
            covered = [None if use.unpriced_requests else use.token_usd for use in uses]
            usage += used_rows(self.item, PROVISIONED, uses, proportional(used, weights), covered)
        missing = unpriced(uses)
        row |= {"used_usd": used, "unused_usd": unused, "utilisation": float(hours / HOURS_OF_A_DAY), "reason": missing}
        if self.tokens_per_hour is not None:
            row["capacity_tokens"] = float(self.tokens_per_hour * HOURS_OF_A_DAY)
        row["used_tokens"] = float(sum(weights, Fraction(0)))
        if not missing:
            total = sum((use.token_usd for use in uses), ZERO)
            row |= {"covered_usd": total, "saving_usd": total - price}
        for use in uses:
            use.open_usd -= use.open_token_usd
            use.open_token_usd = ZERO
        return Standing(row, usage)

    def _tokens(self, given: int, written: int) -> Fraction:
        return Fraction(given * self.counts_input + written)

    def _used_hours(self, today: Day) -> Fraction:
        if self.tokens_per_hour is None:
            return self.busy_hours.get(today.day, Fraction(0))
        hours: dict[int, Fraction] = defaultdict(Fraction)
        for arrival in today.arrivals:
            if (arrival.provider_id, arrival.model_id) == (self.item.provider_id, self.model_id):
                hours[arrival.hour] += self._tokens(arrival.input_tokens, arrival.output_tokens)
        return sum((min(Fraction(1), tokens / self.tokens_per_hour) for tokens in hours.values()), Fraction(0))
