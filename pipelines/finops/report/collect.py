"""The one place where the report reads: the marts of a day, month or quarter, as frames, with the SQL that made them.

Nothing is computed or worded here; Postgres makes the sums, exactly. The queries are in `pipelines.finops.queries` and `span_queries`;
`spend.py` and its neighbours turn the frames into tables, `render.py` turns those into HTML.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from textwrap import dedent
from typing import Any

import polars as pl
import psycopg

from pipelines.finops import format as fmt
from pipelines.finops.queries import QUERIES
from pipelines.finops.span import Earlier, Span
from pipelines.finops.span_queries import DIMENSIONS, HAS_CHARGES, SPAN_QUERIES, movement
from pipelines.outside import ANY_FAILURE, worded
from pipelines.warehouse.names import is_made
from pipelines.warehouse.read import read_frame
from pipelines.warehouse.tables.mart import SPEND_TABLES

HISTORY_DAYS = 30


class ReportError(Exception):
    """The report can't be written; the message names what is missing and what to do."""


class MissingDataError(ReportError):
    """The data of a section could not be read; the message gives the reason."""


@dataclass(frozen=True)
class ReportData:
    """Everything that a page shows of the warehouse. The frames have the columns that the queries select.

    `sql` holds the text of each query with the days filled in, as `modelmeter sql` takes it. `unread` gives the reason, in
    words, of each query that failed.
    """

    span: Span
    frames: dict[str, pl.DataFrame]
    sql: dict[str, str]
    unread: dict[str, str] = field(default_factory=dict)

    @property
    def day(self) -> date:
        """The last day that it is about."""
        return self.span.last

    @property
    def earlier(self) -> tuple[Earlier, ...]:
        """What it is compared with; the name says how many days are loaded, where it is neither all nor none of them."""
        if self.span.kind == "day":
            return self.span.earlier
        known = set(self["known"]["event_date"])
        return tuple(self._named(earlier, known) for earlier in self.span.earlier)

    def _named(self, earlier: Earlier, known: set[date]) -> Earlier:
        loaded = sum(earlier.first <= day < earlier.end for day in known)
        if loaded in (0, earlier.days):
            return earlier
        return replace(earlier, name=f"{earlier.name} ({loaded} of {fmt.plural(earlier.days, 'day')} loaded)")

    def __getitem__(self, name: str) -> pl.DataFrame:
        """The frame of a query. Raises MissingDataError where the query failed."""
        if name in self.unread:
            raise MissingDataError(f"the warehouse could not be asked for it: {self.unread[name]}")
        return self.frames[name]


def collect(connection: psycopg.Connection[Any], span: Span) -> ReportData:
    """Read everything for `span` in the connection's transaction. A query that fails costs the sections that show it."""
    found = ReportData(span, {}, {})
    with connection.transaction():
        for name, query, days in _asked(span):
            found.sql[name] = text = _filled(connection, query, days)
            try:
                with connection.transaction():
                    now = found.frames.get(movement_name(0))
                    if now is None or _has_charges_then(connection, days):
                        found.frames[name] = read_frame(connection, text)
                    else:
                        found.frames[name] = now.clear()
            except ANY_FAILURE as error:
                found.unread[name] = worded(error)
    return found


def _asked(span: Span) -> Iterator[tuple[str, str, dict[str, date]]]:
    """The queries of a page, each with its name and the days that fill its placeholders."""
    days = {"day": span.last, "first": span.first, "end": span.end}
    is_day = span.kind == "day"
    queries = QUERIES if is_day else {"routing_month": QUERIES["routing_month"], **SPAN_QUERIES}
    yield from ((name, query, days) for name, query in queries.items())
    for number, earlier in enumerate(span.earlier):
        then = {"then_first": earlier.first, "then_end": earlier.end}
        yield movement_name(number), movement(DIMENSIONS, booked=not is_day), {**days, **then}


def _has_charges_then(connection: psycopg.Connection[Any], days: dict[str, date]) -> bool:
    """Whether a further comparison has anything to compare with: the first has the sums of now in any case."""
    return connection.execute(HAS_CHARGES.encode(), days).fetchone() == (True,)


def movement_name(number: int) -> str:
    """The query that compares a span with its earlier days of that number."""
    return f"movement_{number}"


def require_marts(connection: psycopg.Connection[Any], day: date) -> None:
    """Raises ReportError where a table is missing that only the daily run makes."""
    missing = missing_marts(connection)
    if missing:
        raise ReportError(f"the warehouse has no {', '.join(missing)} yet: run `modelmeter daily --date {day}` first")


def missing_marts(connection: psycopg.Connection[Any]) -> list[str]:
    """The spend tables that dbt has not made yet."""
    return [table.qualified for table in SPEND_TABLES if not is_made(connection, table.qualified)]


def first_day(day: date) -> date:
    """The first day of the history that ends with `day`."""
    return day - timedelta(days=HISTORY_DAYS - 1)


def _filled(connection: psycopg.Connection[Any], query: str, days: dict[str, date]) -> str:
    text = dedent(query).strip()
    return psycopg.ClientCursor(connection).mogrify(text, days)
