"""`reports/index.html`: every day, month and quarter that has requests, and the links from each page to those around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg

from pipelines.finops import format as fmt
from pipelines.finops.report.collect import missing_marts
from pipelines.finops.report.render import render, write_page
from pipelines.finops.report.tables import Link
from pipelines.finops.span import FILES, Kind, Span, spans_around
from pipelines.finops.span_queries import LOADED
from pipelines.warehouse.read import read_frame

_HOLDERS: dict[Kind, tuple[Kind, ...]] = {"day": ("month", "quarter"), "month": ("quarter",), "quarter": ()}
"""The kinds of page that hold a page of a kind."""


@dataclass(frozen=True)
class DaySpend:
    """What a day cost; None if nothing is priced."""

    requests: int
    unpriced: int
    usd: Decimal | None


Days = Mapping[date, DaySpend]


@dataclass(frozen=True)
class Square:
    """One day of the calendar: shaded by its part of the dearest day, in tenths, and a link where its page is there."""

    day: date
    number: int
    href: str = ""
    amount: str = ""
    words: str = ""
    shade: int = 0


@dataclass(frozen=True)
class MonthSheet:
    """One month: its sum, the page it has, and its weeks from Monday to Sunday; days of other months are None."""

    name: str
    href: str
    amount: str
    note: str
    weeks: Sequence[Sequence[Square | None]] = field(default_factory=tuple)


def loaded_spend(connection: psycopg.Connection[Any]) -> Days:
    """Every known day, in order, with its spend, which is zero on a quiet one; none before the first run has made the marts."""
    if missing_marts(connection):
        return {}
    rows = read_frame(connection, LOADED).iter_rows(named=True)
    return {
        row["event_date"]: DaySpend(row["requests"], row["unpriced_requests"], row["effective_cost_usd"])
        for row in rows
    }


def links(span: Span, days: Sequence[date]) -> list[Link]:
    """From a page to the calendar, its neighbours, the pages that hold it, and the explorer.

    What comes after the newest loaded day is not written yet: that link leads to the calendar, which will have it.
    A month or quarter without a loaded day has no page.
    """
    before = [day for day in days if day < span.first]
    after = [day for day in days if day >= span.whole_end]
    to = {"day": Span.of_day, "month": Span.of_month, "quarter": Span.of_quarter}[span.kind]
    found = [Link("Calendar", "../index.html")]
    if before:
        found.append(Link(f"Previous {span.kind}", _page(to(max(before)))))
    newest = f"#{max(days):%Y-%m}" if days else ""
    found.append(Link(f"Next {span.kind}", _page(to(min(after))) if after else f"../index.html{newest}"))
    around = {whole.kind: whole for whole in spans_around([span.first], days)}
    found += [
        Link(fmt.capital(around[kind].name), _page(around[kind])) for kind in _HOLDERS[span.kind] if kind in around
    ]
    files = [("Excel", "xlsx"), ("PDF", "pdf")] if span.kind != "day" else []
    found.append(Link("Explorer", "../explore.html"))
    return found + [Link(text, f"{FILES}-{span.slug}.{ending}") for text, ending in files]


def write_calendar(days: Days, out_dir: Path, *, is_sample: bool) -> Path:
    """Write `out_dir/index.html`; it leads to the pages of days that are there, as old ones may have been removed."""
    newest = max(days, default=None)
    months = sorted({day.replace(day=1) for day in days}, reverse=True)
    quarters = sorted({Span.of_quarter(day).first for day in days}, reverse=True)
    dearest = max((spend.usd for spend in days.values() if spend.usd), default=Decimal(0))
    html = render(
        "calendar.html",
        title="Model spend, day by day",
        is_sample=is_sample,
        newest=None if newest is None else Link(fmt.long_day(newest), f"{newest}/index.html"),
        months=[_sheet(first, days, dearest, out_dir) for first in months],
        quarters=[Link(fmt.capital(span.name), f"{span.slug}/index.html") for span in map(Span.of_quarter, quarters)],
    )
    return write_page(html, out_dir / "index.html")


def _sheet(first: date, days: Days, dearest: Decimal, out_dir: Path) -> MonthSheet:
    span = Span.of_month(first)
    own = {day: spend for day, spend in days.items() if span.first <= day < span.whole_end}
    unpriced = sum(spend.unpriced for spend in own.values())
    requests = fmt.plural(sum(spend.requests for spend in own.values()), "request")
    busy = sum(spend.requests > 0 for spend in own.values())
    note = f"{requests} on {fmt.plural(busy, 'day')}"
    return MonthSheet(
        fmt.month(first),
        f"{span.slug}/index.html",
        fmt.dollars(fmt.total(spend.usd for spend in own.values())),
        f"{note}, {fmt.count(unpriced)} of them without a price" if unpriced else note,
        _weeks(span, own, dearest, out_dir),
    )


def _weeks(span: Span, own: Days, dearest: Decimal, out_dir: Path) -> list[list[Square | None]]:
    monday = span.first - timedelta(days=span.first.weekday())
    weeks = []
    while monday < span.whole_end:
        week = [monday + timedelta(days=n) for n in range(7)]
        weeks.append(
            [
                _square(day, own.get(day), dearest, out_dir) if span.first <= day < span.whole_end else None
                for day in week
            ]
        )
        monday += timedelta(days=7)
    return weeks


def _square(day: date, spend: DaySpend | None, dearest: Decimal, out_dir: Path) -> Square:
    if spend is None:
        return Square(day, day.day, words=f"{fmt.long_day(day)}: no requests are loaded")
    amount = fmt.dollars(spend.usd)
    words = f"{fmt.weekday(day)}, {fmt.long_day(day)}: {fmt.plural(spend.requests, 'request')}, {amount}"
    shade = int(10 * spend.usd / dearest) if spend.usd and spend.usd > 0 else 0
    href = f"{day}/index.html"
    return Square(day, day.day, href if (out_dir / href).is_file() else "", amount, words, shade)


def _page(span: Span) -> str:
    return f"../{span.slug}/index.html"
