"""Budgets, the end of the month and open anomalies as people read them: lines of the summary and of `modelmeter budgets`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import psycopg

from pipelines.finops import format as fmt

_FORECAST = """
    select forecast_usd, low_95_usd, high_95_usd, reason
    from mart.spend_forecast
    where event_date = %(day)s and scope = 'total' and period = 'month'
"""
BUDGETS = """
    select
        budget_id, owner, period, period_from, period_to, state, spent_usd, budget_usd, spent_share, daily_left_usd, forecast_usd,
        low_95_usd, high_95_usd, crosses_on, crosses_from, crosses_to, seller_limit_usd, seller_spent_usd, unpriced_requests, reason
    from mart.budget_status
    where event_date = %(day)s
    order by array_position(array['crossed', 'will_cross', 'threshold', 'unknown', 'within'], state), spent_share desc nulls last, budget_id
"""
"""The budgets at the end of a day, those that need a look first."""
_LIMITS = """
    select distinct on (provider_id, kind, scope, scope_id, period, limit_id)
        provider_id, kind, scope, scope_id, period, amount, currency, is_enforced, spent, observed_at::date
    from core.seller_limit
    where observed_at < %(day)s::date + 1
    order by provider_id, kind, scope, scope_id, period, limit_id, observed_at desc
"""
_ANOMALIES = """
    select excess_usd, explanation
    from mart.spend_anomaly
    where opened_on <= %(day)s and (ended_on is null or ended_on > %(day)s)
    order by excess_usd desc, scope, scope_value
"""
_SAID = {"crossed": "crossed", "will_cross": "will be crossed", "threshold": "past a threshold", "unknown": "without an exchange rate"}  # fmt: skip


@dataclass(frozen=True)
class PlanLine:
    """One line: what it is about, a figure, and what there is to say."""

    label: str
    figure: str
    note: str


@dataclass(frozen=True)
class BudgetStanding:
    """A budget at the end of a day (mart.budget_status)."""

    budget_id: str
    owner: str
    period: str
    period_from: date
    period_to: date
    state: str
    spent_usd: Decimal
    budget_usd: Decimal | None
    spent_share: float | None
    daily_left_usd: Decimal | None
    forecast_usd: Decimal | None
    low_95_usd: Decimal | None
    high_95_usd: Decimal | None
    crosses_on: date | None
    crosses_from: date | None
    crosses_to: date | None
    seller_limit_usd: Decimal | None
    seller_spent_usd: Decimal | None
    unpriced_requests: int
    reason: str | None

    @property
    def sentence(self) -> str:
        """How it stands, in words."""
        if self.state == "will_cross" and self.crosses_on is not None:
            is_earlier = self.crosses_from is not None and self.crosses_from < self.crosses_on
            early = f", {fmt.short_day(self.crosses_from)} at the earliest" if is_earlier and self.crosses_from else ""
            return f"will be crossed on {fmt.short_day(self.crosses_on)}{early}"
        if self.state == "crossed" and self.crosses_on is not None:
            return f"crossed since {fmt.short_day(self.crosses_on)}"
        return _SAID.get(self.state, "within")


def plan_lines(connection: psycopg.Connection[Any], day: date) -> list[PlanLine]:
    """The lines of a day: where the month ends, budgets that need a look, and what is dearer than expected."""
    lines = []
    forecast = connection.execute(_FORECAST, {"day": day}).fetchone()
    if forecast is not None:
        usd, low, high, reason = forecast
        is_open = low is not None and low != high
        interval = f"USD; {fmt.money(low)} to {fmt.money(high)} at 95 %" if is_open else reason or "USD"
        lines.append(PlanLine("month ends at", fmt.money(usd), interval))
    standing = budget_standing(connection, day)
    if standing:
        notable = [f"{one.budget_id} {one.sentence}" for one in standing if one.state != "within"]
        lines.append(PlanLine("budgets", fmt.count(len(standing)), "; ".join(notable) or "all within"))
    anomalies = connection.execute(_ANOMALIES, {"day": day}).fetchall()
    if anomalies:
        usd, explanation = anomalies[0]
        others = f" And {fmt.plural(len(anomalies) - 1, 'other')}." if anomalies[1:] else ""
        lines.append(
            PlanLine("anomalies", fmt.count(len(anomalies)), f"{fmt.money(usd)} USD so far: {explanation}{others}")
        )
    return lines


def budget_standing(connection: psycopg.Connection[Any], day: date | None) -> list[BudgetStanding]:
    """Every budget at the end of `day`, or of the newest day; those that need a look first."""
    if day is None:
        row = connection.execute("select max(event_date) from mart.budget_status").fetchone()
        day = row[0] if row else None
    return [BudgetStanding(*row) for row in connection.execute(BUDGETS, {"day": day}).fetchall()]


def seller_limits(connection: psycopg.Connection[Any], day: date) -> list[str]:
    """What sellers stated of their own limits and alerts by the end of a day, newest words of each, as sentences."""
    found = []
    for seller, kind, scope, scope_id, period, amount, currency, enforced, spent, seen in connection.execute(
        _LIMITS, {"day": day}
    ):
        if amount is None:
            continue
        where = scope if not scope_id else f"{scope} {scope_id}"
        state = "" if enforced is None else ", enforced" if enforced else ", not enforced"
        used = "" if spent is None else f", {spent:,.2f} spent"
        found.append(
            f"{seller}: {kind} of {amount:,.2f} {currency} a {period} for {where}{state}{used} (stated on {seen})"
        )
    return found
