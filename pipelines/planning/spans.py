"""The calendar spans that budgets and forecasts are for, as half-open ranges of UTC days."""

from __future__ import annotations

from datetime import date, timedelta

from pipelines.config.budgets import Period


def span_of(period: Period, day: date) -> tuple[date, date]:
    """First day of the period that `day` is in, and the first day after it. A week begins on Monday."""
    match period:
        case "day":
            return day, day + timedelta(days=1)
        case "week":
            first = day - timedelta(days=day.weekday())
            return first, first + timedelta(days=7)
        case "month":
            return _months(day.replace(day=1), 1)
        case "quarter":
            return _months(day.replace(month=day.month - (day.month - 1) % 3, day=1), 3)
        case "year":
            return day.replace(month=1, day=1), date(day.year + 1, 1, 1)


def _months(first: date, count: int) -> tuple[date, date]:
    after = first.month - 1 + count
    return first, date(first.year + after // 12, after % 12 + 1, 1)
