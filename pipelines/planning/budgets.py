"""How budgets stand: rows of mart.budget_status from what was spent and what is foreseen.

Declarations are `pipelines.config.budgets`; the days ahead are `outlook.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Context, Decimal
from typing import Any

import numpy as np

from pipelines.config.budgets import Budget, SellerLimit
from pipelines.planning.outlook import QUANTILES, Ahead
from pipelines.planning.smoothing import Floats

_EXACT = Context(prec=76)
_UNIT = Decimal(1).scaleb(-18)


def in_usd(amount: Decimal, usd_per_unit: Decimal | None) -> Decimal | None:
    """An amount in USD; None if no rate is known."""
    return None if usd_per_unit is None else _EXACT.multiply(amount, usd_per_unit).quantize(_UNIT, context=_EXACT)


@dataclass(frozen=True)
class AtSeller:
    """The seller's own limit for the period of a budget, and what was spent there."""

    limit_usd: Decimal | None
    spent_usd: Decimal


def limit_for(budget: Budget, limits: Sequence[SellerLimit]) -> SellerLimit | None:
    """The limit of the seller that a budget names, for the same period."""
    seller = budget.when.get("provider_id")
    return next((limit for limit in limits if (limit.provider_id, limit.period) == (seller, budget.period)), None)


def status_row(
    budget: Budget,
    amount: Decimal | None,
    ahead: Ahead,
    by_day: Sequence[tuple[date, Decimal]],
    seller: AtSeller | None,
) -> dict[str, Any]:
    """One row of mart.budget_status. `amount` is that of the budget in USD, `by_day` the spend of the days of the period so far."""
    day = ahead.to_date - timedelta(days=ahead.days_ahead + 1)
    spent, forecast = ahead.spent_usd, ahead.at_end()
    share = None if amount is None else spent / amount
    passed = [threshold for threshold in budget.thresholds if share is not None and share >= threshold]
    return {
        "event_date": day,
        "budget_id": budget.budget,
        "owner": budget.owner,
        "what": budget.what,
        "period": budget.period,
        "period_from": ahead.from_date,
        "period_to": ahead.to_date,
        "amount": budget.amount,
        "currency": budget.currency,
        "budget_usd": amount,
        "day_usd": sum((usd for each, usd in by_day if each == day), Decimal(0)),
        "spent_usd": spent,
        "spent_share": None if share is None else float(share),
        **_pace(amount, spent, day, ahead),
        "forecast_usd": forecast,
        **{name: ahead.at_end(name) for name in QUANTILES},
        **_crossing(amount, day, ahead, by_day),
        "state": _state(amount, spent, forecast, has_passed=bool(passed)),
        "passed_threshold": float(passed[-1]) if passed else None,
        "seller_limit_usd": None if seller is None else seller.limit_usd,
        "seller_spent_usd": None if seller is None else seller.spent_usd,
        "unpriced_requests": ahead.unpriced_requests,
        "reason": ahead.reason if amount is not None else f"no exchange rate of {budget.currency}: add it to fx.yaml",
    }


def _pace(amount: Decimal | None, spent: Decimal, day: date, ahead: Ahead) -> dict[str, Decimal | None]:
    if amount is None:
        return dict.fromkeys(("remaining_usd", "even_pace_usd", "daily_left_usd"))
    days, gone = (ahead.to_date - ahead.from_date).days, (day - ahead.from_date).days + 1
    left = amount - spent
    return {
        "remaining_usd": left,
        "even_pace_usd": (amount * gone / days).quantize(_UNIT, context=_EXACT),
        "daily_left_usd": (left / ahead.days_ahead).quantize(_UNIT, context=_EXACT) if ahead.days_ahead else None,
    }


def _crossing(
    amount: Decimal | None, day: date, ahead: Ahead, by_day: Sequence[tuple[date, Decimal]]
) -> dict[str, date | None]:
    """The day on which the amount is crossed. A sum that only grows is past the amount by a day exactly if it is crossed by then,
    so the interval of the day follows from those of the sums."""
    if amount is None:
        return dict.fromkeys(("crosses_on", "crosses_from", "crosses_to"))
    total = Decimal(0)
    for each, usd in sorted(by_day):
        total += usd
        if total >= amount:
            return dict.fromkeys(("crosses_on", "crosses_from", "crosses_to"), each)
    left = float(amount - ahead.spent_usd)
    quantiles = ahead.quantiles or {}
    return {
        "crosses_on": _reached(ahead.running, left, day),
        "crosses_from": _reached(quantiles.get("high_95_usd"), left, day),
        "crosses_to": _reached(quantiles.get("low_95_usd"), left, day),
    }


def _reached(running: Floats | None, left: float, day: date) -> date | None:
    if running is None:
        return None
    reached = np.flatnonzero(np.maximum.accumulate(running) >= left)
    return day + timedelta(days=int(reached[0])) if len(reached) else None


def _state(amount: Decimal | None, spent: Decimal, forecast: Decimal | None, *, has_passed: bool) -> str:
    if amount is None:
        return "unknown"
    if spent >= amount:
        return "crossed"
    if forecast is not None and forecast >= amount:
        return "will_cross"
    return "threshold" if has_passed else "within"
