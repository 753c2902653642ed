"""Free tiers: the first tokens of a day or month that a seller takes nothing for, shared by all who used some on the day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from pipelines.books.allocation import split
from pipelines.books.commitments.usage import ZERO, Day, Standing, Use, not_loaded, reasons, unpriced, used_rows
from pipelines.config.commitments import FreeTier
from pipelines.warehouse.tables.mart_commitments import FREE_TIER


@dataclass
class Allowance:
    """One free tier over the days, which come in order."""

    item: FreeTier
    _period: date | None = None
    _left: Fraction = Fraction(0)
    _unloaded: int = 0

    def stand(self, today: Day) -> Standing:
        """Take the tokens that are free off what is left to pay: of those that throughput did not serve, the same part of everybody's."""
        item = self.item
        period = item.period_of(today.day)
        if self._period != period:
            self._period, self._left, self._unloaded = period, Fraction(item.tokens), (today.day - period).days
        self._unloaded += not today.is_loaded
        uses = [use for use in today.of_seller(item.provider_id) if use.model_id in item.models]
        came = sum((_open_tokens(use) for use in uses), Fraction(0))
        free = min(self._left, came)
        self._left -= free
        covered = [_take(use, free / came) for use in uses] if came else []
        known = [None if use.unpriced_requests else part for use, part in zip(uses, covered, strict=bool(came))]
        missing = unpriced(uses)
        row: dict[str, Any] = {
            **dict.fromkeys(("purchased_usd", "used_usd", "unused_usd"), ZERO),
            "utilisation": float(1 - self._left / item.tokens),
            "capacity_tokens": float(item.tokens),
            "used_tokens": float(free),
            "overage_tokens": float(came - free),
            "expires_on": item.to_date,
            "reason": reasons(not_loaded(self._unloaded, "the month"), missing),
        }
        if not missing:
            row |= dict.fromkeys(("covered_usd", "saving_usd"), sum(covered, ZERO))
        return Standing(row, used_rows(item, FREE_TIER, uses if came else [], [ZERO] * len(covered), known))


def _open_tokens(use: Use) -> Fraction:
    """The use's tokens that nothing has served yet."""
    tokens = Fraction(use.input_tokens + use.output_tokens)
    return tokens * Fraction(use.open_token_usd) / Fraction(use.token_usd) if use.token_usd else tokens


def _take(use: Use, share: Fraction) -> Decimal:
    """What the share of the use's open tokens costs; taken off what is left to pay."""
    free, _ = split(use.open_token_usd, [share.numerator, share.denominator - share.numerator])
    use.open_usd -= free
    use.open_token_usd -= free
    return free
