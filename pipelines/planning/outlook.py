"""Where spend will end: rows of mart.spend_forecast, and what budgets need of the days ahead.

The forecast of a series is `forecast.py`; what is known ahead (announced prices, commitments) is handed in.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from pipelines.config.budgets import Period
from pipelines.planning.forecast import LEAST_DAYS, LEAST_DAYS_OF_INTERVAL, Foresight, foresee
from pipelines.planning.known_ahead import Announced, Known
from pipelines.planning.series import Series, spent
from pipelines.planning.smoothing import Floats
from pipelines.planning.spans import span_of

QUANTILES = {"low_95_usd": 0.025, "low_50_usd": 0.25, "high_50_usd": 0.75, "high_95_usd": 0.975}
_DECIMALS = 6
"""Of a foreseen amount: what a person would not read is no figure."""


@dataclass(frozen=True)
class Ahead:
    """What is known and foreseen of one series in one period, at the end of a day.

    `running` are the foreseen sums of the days after it, `quantiles` those of their quantiles, by name; None if there are none.
    `missing` says which days are not loaded.
    """

    from_date: date
    to_date: date
    days_ahead: int
    spent_usd: Decimal
    unpriced_requests: int
    history_days: int
    running: Floats | None
    quantiles: dict[str, Floats] | None
    announced_usd: Decimal | None
    method: str | None
    error: float | None
    naive_error: float | None
    origins: int | None
    reason: str | None

    def at_end(self, name: str | None = None) -> Decimal | None:
        """The spend of the whole period: expected, or one of its quantiles."""
        sums = self.running if name is None else (self.quantiles or {}).get(name)
        return None if sums is None else self.spent_usd + money(sums[-1])


def money(value: float) -> Decimal:
    """A foreseen amount."""
    return Decimal(f"{value:.{_DECIMALS}f}")


def look_ahead(series: Series, day: date, period: Period, announced: Sequence[Announced] = ()) -> list[Ahead]:
    """What is known and foreseen of every series in the period that `day` is in, in the order of `series.keys`."""
    from_date, to_date = span_of(period, day)
    days_ahead = (to_date - day).days - 1
    known = spent(series, from_date, day + timedelta(days=1))
    plain = foresee(series.history, day, days_ahead)
    factors = _factors(series, day, days_ahead, announced)
    seen = plain if factors is None else foresee(series.history, day, days_ahead, factors)
    quantiles = {name: seen.quantile(probability) for name, probability in QUANTILES.items()}
    first = series.history.first
    absent = _absent(series, max(from_date, first), day)
    begun = f"nothing before {first} is loaded: the figures are of the days since" if first > from_date else None
    found = []
    for column, key in enumerate(series.keys):
        usd, unpriced = known.get(key, (Decimal(0), 0))
        running = None if absent or np.isnan(seen.sums[-1, column]) else seen.sums[:, column]
        has_interval = running is not None and not np.isnan(seen.spread[-1, column])
        history_days = int(series.history.seen[series.history.place(day), column])
        found.append(
            Ahead(
                from_date,
                to_date,
                days_ahead,
                usd,
                unpriced,
                history_days,
                running,
                {name: values[:, column] for name, values in quantiles.items()} if has_interval else None,
                money(seen.sums[-1, column] - plain.sums[-1, column]) if running is not None else None,
                *_measured(seen, column, running is not None),
                absent or _few(history_days) or begun,
            )
        )
    return found


def _measured(
    seen: Foresight, column: int, is_foreseen: bool
) -> tuple[str | None, float | None, float | None, int | None]:
    if not is_foreseen:
        return None, None, None, None
    errors = (
        float(values[column]) if np.isfinite(values[column]) else None for values in (seen.error, seen.naive_error)
    )
    return (seen.method[column], *errors, int(seen.origins[column]))  # type: ignore[return-value]


def _factors(series: Series, day: date, days_ahead: int, announced: Sequence[Announced]) -> Floats | None:
    """What price changes make of each day ahead, (days ahead, series); None if none is known."""
    place = {key: column for column, key in enumerate(series.keys)}
    changes = [change for change in announced if change.key in place and day < change.from_date]
    if not changes or not days_ahead:
        return None
    factors = np.ones((days_ahead, len(series.keys)))
    for change in changes:
        factors[max((change.from_date - day).days - 1, 0) :, place[change.key]] += change.share
    return np.maximum(factors, 0.0)


def _absent(series: Series, from_date: date, day: date) -> str | None:
    days = [from_date + timedelta(days=n) for n in range((day - from_date).days + 1)]
    absent = [each for each in days if each not in series.loaded]
    if not absent:
        return None
    if len(absent) == 1:
        days_are = "1 day of the period is not loaded"
    else:
        days_are = f"{len(absent)} days of the period are not loaded"
    return f"{days_are}: modelmeter daily --from {absent[0]} --to {absent[-1]}"


def _few(days: int) -> str | None:
    loaded = "1 day is loaded" if days == 1 else f"{days} days are loaded"
    if days < LEAST_DAYS:
        return f"{loaded}: a forecast needs {LEAST_DAYS}"
    if days < LEAST_DAYS_OF_INTERVAL:
        return f"{loaded}: an interval needs {LEAST_DAYS_OF_INTERVAL}"
    return None


def forecast_row(
    key: tuple[str, str], period: Period, ahead: Ahead, known: Sequence[Known], commitment_usd: Decimal | None = None
) -> dict[str, Any]:
    """One row of mart.spend_forecast."""
    day = ahead.to_date - timedelta(days=ahead.days_ahead + 1)
    scope, value = key
    mine = [item for item in known if item.concerns(key, day, ahead.to_date)]
    return {
        "event_date": day,
        "scope": scope,
        "scope_value": value,
        "period": period,
        "period_from": ahead.from_date,
        "period_to": ahead.to_date,
        "spent_usd": ahead.spent_usd,
        "days_ahead": ahead.days_ahead,
        "forecast_usd": ahead.at_end(),
        **{name: ahead.at_end(name) for name in QUANTILES},
        "announced_usd": ahead.announced_usd,
        "commitment_usd": commitment_usd,
        "known_ahead": json.dumps([item.described() for item in mine]) if mine else None,
        "method": ahead.method,
        "backtest_error": ahead.error,
        "naive_error": ahead.naive_error,
        "backtest_origins": ahead.origins,
        "history_days": ahead.history_days,
        "unpriced_requests": ahead.unpriced_requests,
        "reason": ahead.reason,
    }
