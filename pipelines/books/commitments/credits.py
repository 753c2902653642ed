"""Prepaid credits: drawn by priority, then by expiry; what is left of each, when it runs out and what will expire.

One that was granted costs nothing, so that what it pays is a saving.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Any

from pipelines.books.commitments.usage import (
    WINDOW_DAYS,
    ZERO,
    Day,
    Standing,
    Use,
    not_loaded,
    proportional,
    reasons,
    unpriced,
    unused_rows,
    used_rows,
)
from pipelines.config.commitments import PrepaidCredit
from pipelines.warehouse.tables.mart_commitments import CREDIT

_LONGEST_DAYS = 36_500
"""A credit that lasts longer has no day on which it runs out."""
_MONEY = Decimal("1e-18")


def in_order(declared: tuple[PrepaidCredit, ...]) -> list[PrepaidCredit]:
    """Credits in the order in which they are drawn."""
    return sorted(declared, key=lambda item: (item.priority, item.to_date or date.max, item.from_date, item.commitment))


@dataclass
class SellerCredits:
    """The credits of one seller over the days, which come in order."""

    seller: str
    items: list[PrepaidCredit]
    """In the order in which they are drawn."""
    balances: dict[str, Decimal] = field(default_factory=dict)
    _pace: deque[tuple[date, Decimal]] = field(default_factory=deque)
    """What there was to pay on the last days."""
    _ran_out: dict[str, date] = field(default_factory=dict)
    _unloaded: set[date] = field(default_factory=set)
    _first: date = date.max
    """The first day that is known."""

    def stand(self, today: Day) -> dict[str, Standing]:
        """Pay the day's usage from the credits; takes what they pay off what is left to pay. Standings by commitment."""
        uses = [use for use in today.of_seller(self.seller) if use.open_usd > 0]
        self._first = min(self._first, today.day)
        if today.is_loaded:
            self._pace.append((today.day, sum((use.open_usd for use in uses), ZERO)))
        else:
            self._unloaded.add(today.day)
        while self._pace and (today.day - self._pace[0][0]).days >= WINDOW_DAYS:
            self._pace.popleft()
        running = [item for item in self.items if item.runs_on(today.day)]
        found = {item.commitment: self._draw(item, today, uses) for item in running}
        left = {item.commitment: self.balances.get(item.commitment, item.usd) for item in self.items}
        ahead = forecast(self.items, left, today.day, self._mean())
        for item in running:
            found[item.commitment].row.update(ahead.get(item.commitment, {}))
        return found

    def _mean(self) -> Fraction:
        """What there is to pay a day."""
        total = sum((Fraction(usd) for _, usd in self._pace), Fraction(0))
        return total / len(self._pace) if self._pace else Fraction(0)

    def _draw(self, item: PrepaidCredit, today: Day, uses: list[Use]) -> Standing:
        name = item.commitment
        payers = [use for use in uses if use.open_usd]
        balance = self.balances.get(name, item.usd)
        used = min(balance, sum((use.open_usd for use in payers), ZERO))
        usage: list[dict[str, Any]] = []
        if used:
            parts = proportional(used, [Fraction(use.open_usd) for use in payers])
            usage += used_rows(item, CREDIT, payers, parts, parts)
            for use, part in zip(payers, parts, strict=True):
                use.open_usd -= part
            if used == balance:
                self._ran_out[name] = today.day
        balance -= used
        unused = balance if item.to_date == today.day + timedelta(days=1) else ZERO
        self.balances[name] = balance - unused
        row = {
            "purchased_usd": used + unused,
            "used_usd": used,
            "unused_usd": unused,
            "utilisation": float((item.usd - balance) / item.usd),
            "covered_usd": used,
            "balance_usd": balance - unused,
            "runs_out_on": self._ran_out.get(name),
            "expires_on": item.to_date,
            "expiring_usd": ZERO,
            "reason": self._reason(item, today),
        }
        usage += unused_rows(item, CREDIT, unused, today.of_seller(self.seller))
        if item.granted:
            usage = [part | {"effective_cost_usd": ZERO} for part in usage]
        return Standing(row, usage)

    def _reason(self, item: PrepaidCredit, today: Day) -> str | None:
        missing = max(0, (self._first - item.from_date).days) + sum(
            1 for day in self._unloaded if item.from_date <= day
        )
        at_most = f"{not_loaded(missing, 'it')}, so that the balance is at most this" if missing else None
        return reasons(at_most, unpriced(today.of_seller(self.seller)))


def forecast(
    items: list[PrepaidCredit], balances: Mapping[str, Decimal], day: date, pace: Fraction
) -> dict[str, dict[str, Any]]:
    """For each credit that lasts beyond `day`: runs_out_on and expiring_usd, where `pace` USD a day are to be paid from then on.

    Time is in days from the end of `day`. `items` are in the order in which they are drawn.
    """
    first = day + timedelta(days=1)
    left = {item.commitment: Fraction(balances[item.commitment]) for item in items}
    begins = {item.commitment: max(0, (item.from_date - first).days) for item in items}
    ends = {item.commitment: (item.to_date - first).days if item.to_date else _LONGEST_DAYS for item in items}
    found: dict[str, dict[str, Any]] = {}
    events = sorted({0, *begins.values(), *(end for end in ends.values() if end > 0)})
    for start, end in zip(events, [*events[1:], events[-1]], strict=True):
        now = Fraction(start)
        for name in (item.commitment for item in items):
            if left[name] and begins[name] <= start < ends[name] and pace and now < end:
                spent = min(left[name], pace * (end - now))
                left[name] -= spent
                now += spent / pace
                if not left[name]:
                    found[name] = {"runs_out_on": day + timedelta(days=max(1, ceil(now))), "expiring_usd": ZERO}
    for item in items:
        name = item.commitment
        if name not in found and balances[name]:
            expiring = _decimal(left[name]) if item.to_date and ends[name] >= 0 else None
            found[name] = {"runs_out_on": None, "expiring_usd": expiring}
    return found


def _decimal(value: Fraction) -> Decimal:
    return (Decimal(value.numerator) / Decimal(value.denominator)).quantize(_MONEY)
