"""Provisioned throughput: its price of a day over who used it, what went beyond an hour's capacity, and whether it pays.

Capacity counts by the hour: what an hour leaves idle serves no other hour. Within an hour models share it in proportion to
their tokens. An hour's tokens cost what the model's tokens of the day cost on average.
"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from pipelines.books.allocation import split
from pipelines.books.commitments.usage import (
    WINDOW_DAYS,
    ZERO,
    Day,
    Standing,
    Use,
    proportional,
    unpriced,
    unused_rows,
    usage_row,
    used_rows,
)
from pipelines.config.commitments import HOURS_OF_A_DAY, ProvisionedThroughput, days_of_month
from pipelines.warehouse.tables.mart_commitments import PROVISIONED

_RATE = Decimal("1e-12")
_MILLION = 1_000_000


def price_of_day(item: ProvisionedThroughput, day: date) -> Decimal:
    """What its units cost on the day. The days of a month come to its price exactly."""
    if item.usd_per_unit_hour is not None:
        return item.units * item.usd_per_unit_hour * HOURS_OF_A_DAY
    return split(item.units * (item.usd_per_unit_month or ZERO), [1] * days_of_month(day))[day.day - 1]


@dataclass(frozen=True)
class _Served:
    """Weighted tokens of a day by model: those that came, and those within the capacity of their hour."""

    came: dict[str, Fraction]
    within: dict[str, Fraction]

    @cached_property
    def shares(self) -> dict[str, Fraction]:
        """The part of each model's tokens that was within."""
        found = {model: self.within[model] / came for model, came in self.came.items() if came}
        return defaultdict(Fraction, found)


@dataclass(frozen=True)
class _Past:
    """What counts of one day for whether the throughput pays."""

    hours: npt.NDArray[np.float64]
    """Weighted tokens by hour."""
    usd: Decimal | None
    """Their pay-as-you-go cost; None if requests have no price."""
    price: Decimal


@dataclass
class Throughput:
    """One commitment over the days, which come in order."""

    item: ProvisionedThroughput
    _past: deque[tuple[date, _Past]] = field(default_factory=deque)

    def stand(self, today: Day) -> Standing:
        """Serve the day's requests as far as the capacity goes; takes what they cost off what is left to pay."""
        item = self.item
        price = price_of_day(item, today.day)
        today.throughput_usd[item.provider_id] = today.throughput_usd.get(item.provider_id, ZERO) + price
        uses = [use for use in today.of_seller(item.provider_id) if use.model_id in item.models]
        served = self._serve(today)
        row: dict[str, Any] = {"purchased_usd": price}
        if reason := self._unknown(today, uses, served):
            return Standing(row | {"reason": reason}, [usage_row(item, PROVISIONED, "", price) | {"covered_usd": None}])
        within, came = sum(served.within.values(), Fraction(0)), sum(served.came.values(), Fraction(0))
        capacity = Fraction(self._capacity * HOURS_OF_A_DAY)
        used, unused = proportional(price, [within, capacity - within])
        covered, overage = self._priced(uses, served)
        weights = [use.tokens(item.output_weight) * served.shares[use.model_id] for use in uses]
        usage = unused_rows(item, PROVISIONED, unused, uses)
        if within:
            known = [None if use.unpriced_requests else part for use, part in zip(uses, covered, strict=True)]
            usage += used_rows(item, PROVISIONED, uses, proportional(used, weights), known)
        missing = unpriced(uses)
        row |= {
            "used_usd": used,
            "unused_usd": unused,
            "utilisation": float(within / capacity),
            "capacity_tokens": float(capacity),
            "used_tokens": float(within),
            "overage_tokens": float(came - within),
            "usd_per_used_mtok": _rate(Fraction(price) * _MILLION / within) if within else None,
            "reason": missing,
        }
        if not missing:
            total = sum(covered, ZERO)
            row |= {"covered_usd": total, "overage_usd": sum(overage, ZERO), "saving_usd": total - price}
        usd = None if missing else sum((use.token_usd for use in uses), ZERO)
        return Standing(row | self._worth(today, _Past(self._by_hour(today), usd, price)), usage)

    @property
    def _capacity(self) -> int:
        """Tokens of an hour; 0 where not declared."""
        return self.item.units * (self.item.capacity_per_unit_hour or 0)

    def _unknown(self, today: Day, uses: list[Use], served: _Served) -> str | None:
        """Why nobody knows what was used, with what mends it; None if it is known."""
        if not self._capacity:
            return (
                f"the capacity is not declared: add tokens_per_unit_hour to {self.item.commitment} in commitments.yaml"
            )
        if not today.is_loaded:
            return "the day is not loaded: modelmeter daily"
        used = {use.model_id for use in uses if use.input_tokens + use.output_tokens}
        if used != {model for model, tokens in served.came.items() if tokens}:
            return f"mart.hourly_demand lacks the day: modelmeter daily --from {today.day} --to {today.day}"
        return None

    def _serve(self, today: Day) -> _Served:
        hours: dict[int, dict[str, Fraction]] = defaultdict(lambda: defaultdict(Fraction))
        for arrival in today.arrivals:
            if arrival.provider_id == self.item.provider_id and arrival.model_id in self.item.models:
                tokens = arrival.input_tokens + arrival.output_tokens * Fraction(self.item.output_weight)
                hours[arrival.hour][arrival.model_id] += tokens
        served = _Served(defaultdict(Fraction), defaultdict(Fraction))
        for models in hours.values():
            total = sum(models.values(), Fraction(0))
            for model, tokens in models.items():
                served.came[model] += tokens
                served.within[model] += tokens * min(Fraction(1), self._capacity / total) if total else 0
        return served

    @staticmethod
    def _priced(uses: list[Use], served: _Served) -> tuple[list[Decimal], list[Decimal]]:
        """Cost of each use within the capacity and beyond it, which together are its cost."""
        covered, overage = [], []
        for use in uses:
            share = served.shares[use.model_id]
            within, beyond = split(use.token_usd, [share.numerator, share.denominator - share.numerator])
            use.open_usd -= within
            use.open_token_usd -= within
            covered.append(within)
            overage.append(beyond)
        return covered, overage

    def _by_hour(self, today: Day) -> npt.NDArray[np.float64]:
        hours = np.zeros(HOURS_OF_A_DAY)
        for arrival in today.arrivals:
            if arrival.provider_id == self.item.provider_id and arrival.model_id in self.item.models:
                hours[arrival.hour] += arrival.input_tokens + arrival.output_tokens * float(self.item.output_weight)
        return hours

    def _worth(self, today: Day, past: _Past) -> dict[str, Any]:
        """Break-even against pay-as-you-go, by the costs and the hourly arrivals of the last days."""
        self._past.append((today.day, past))
        while (today.day - self._past[0][0]).days >= WINDOW_DAYS:
            self._past.popleft()
        days = [past for _, past in self._past if past.usd is not None]
        hours = np.concatenate([past.hours for past in days]) if days else np.zeros(0)
        usd = float(sum((past.usd or ZERO for past in days), ZERO))
        if not hours.sum() or usd <= 0:
            return {}
        rate, unit = usd / hours.sum(), self._capacity / self.item.units
        unit_price = float(sum((past.price for past in days), ZERO)) / self.item.units
        return {
            "break_even_utilisation": float(past.price) / (rate * self._capacity * HOURS_OF_A_DAY),
            "units_that_pay": units_that_pay(hours, unit, unit_price / rate),
        }


def units_that_pay(hours: npt.NDArray[np.float64], unit: float, tokens: float) -> int:
    """How many units of `unit` tokens an hour pay, where one costs as much as `tokens` at pay-as-you-go over all `hours`.

    Each further unit serves less than the one before, so the last that pays is found by halving.
    """
    low, high = 0, int(np.ceil(hours.max() / unit))
    while low < high:
        middle = (low + high + 1) // 2
        if np.clip(hours - (middle - 1) * unit, 0, unit).sum() > tokens:
            low = middle
        else:
            high = middle - 1
    return low


def _rate(value: Fraction) -> Decimal:
    return (Decimal(value.numerator) / Decimal(value.denominator)).quantize(_RATE)
