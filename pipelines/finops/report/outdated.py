"""Pages that stand although a day that they show has changed since: late lines came, or a price was corrected.

A page that is complete bears a mark: a hash of the days that it rests on, as `mart.spend_series` has them. Where the mark is another
than that of the days now, the page is to be written again. Which runs look is decided in `pipelines.daily.report`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg

from pipelines.finops.report.collect import first_day
from pipelines.finops.span import Span, spans_around

_DAYS = """
    select event_date, md5(string_agg(
        concat_ws('|', scope, scope_value, effective_cost_usd, requests, unpriced_requests), ',' order by scope, scope_value
    ))
    from mart.spend_series
    group by event_date
"""
_YEARS = """
    select event_date, md5(string_agg(
        concat_ws('|', budget_id, budget_usd, spent_usd, forecast_usd, state, crosses_on), ',' order by budget_id
    ))
    from mart.budget_status
    where period = 'year'
    group by event_date
"""
_MARK = re.compile(rb'<meta name="rests-on" content="([0-9a-f]+)">')
_HEAD_BYTES = 2_000


@dataclass(frozen=True)
class DayHashes:
    """A hash of each day's spend by seller, model, team, project, cost centre and budget, and of how the budgets of a year stood at its end.

    Other budgets and forecasts rest on the day's quarter.
    """

    days: Mapping[date, str] = field(default_factory=dict)
    of_year: Mapping[date, str] = field(default_factory=dict)


def day_hashes(connection: psycopg.Connection[Any]) -> DayHashes:
    """The hashes as the warehouse has them now."""
    return DayHashes(dict(connection.execute(_DAYS).fetchall()), dict(connection.execute(_YEARS).fetchall()))


def mark_of(span: Span, hashes: DayHashes) -> str:
    """The mark of a page: of its own days, those it is compared with, of a day those of its chart and of its quarter, and of budgets of a year."""
    days = hashes.days
    stretches = [(span.first, span.end), *((earlier.first, earlier.end) for earlier in span.earlier)]
    if span.kind == "day":
        stretches.append((min(first_day(span.last), Span.of_quarter(span.last).first), span.end))
    held = sorted(day for day in days if any(first <= day < end for first, end in stretches))
    marks = [*(f"{day}{days[day]}" for day in held), hashes.of_year.get(span.last, "")]
    return hashlib.sha256("".join(marks).encode()).hexdigest()[:16]


def outdated(reports: Path, hashes: DayHashes, after: date) -> Iterator[Span]:
    """The pages of days after `after`, and of months and quarters that end after it, which bear another mark than they would now.

    A page without a mark is left: one of a run that failed says what that run left undone.
    """
    days = hashes.days
    later = [day for day in days if day > after]
    # Days without requests have pages too. A day is looked at as far as its chart, its quarter or a budget of its year reaches back; a month or
    # quarter as far as it is compared with another.
    dates = [after + timedelta(days=number + 1) for number in range((max(days, default=after) - after).days)]
    near = [
        day
        for day in dates
        if Span.of_quarter(day).first <= after
        or first_day(day) <= after
        or (day in hashes.of_year and day.year == after.year)
    ]
    for span in [*map(Span.of_day, near), *spans_around(later, days)]:
        bears = _mark_in(reports / span.slug / "index.html")
        if bears and bears != mark_of(span, hashes):
            yield span


def _mark_in(page: Path) -> str | None:
    if not page.is_file():
        return None
    with page.open("rb") as file:
        found = _MARK.search(file.read(_HEAD_BYTES))
    return found[1].decode() if found else None
