"""The days that a page is about: one day, a month or a quarter up to its newest day, and the days it is compared with.

Dates only. The queries over them are in `span_queries.py`, the words in `report/`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from pipelines.finops import format as fmt

Kind = Literal["day", "month", "quarter"]
FILES = "model-spend"
"""What the names of a page's workbook and PDF begin with."""
_MONTHS = {"day": 1, "month": 1, "quarter": 3}
_ORDINALS = ("first", "second", "third", "fourth")


@dataclass(frozen=True)
class Earlier:
    """Days to compare with: from `first` up to and without `end`; `name` reads after "against"."""

    name: str
    first: date
    end: date

    @property
    def last(self) -> date:
        """Its last day."""
        return self.end - timedelta(days=1)

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.end - self.first).days


@dataclass(frozen=True)
class Span:
    """The days from `first` to `last`, both included, of a day, a month or a quarter that began with `first`."""

    kind: Kind
    first: date
    last: date

    @classmethod
    def of_day(cls, day: date) -> Span:
        """A single day."""
        return cls("day", day, day)

    @classmethod
    def of_month(cls, last: date) -> Span:
        """The month of a day, up to the day."""
        return cls("month", last.replace(day=1), last)

    @classmethod
    def of_quarter(cls, last: date) -> Span:
        """The quarter of a day, up to the day."""
        return cls("quarter", last.replace(month=last.month - (last.month - 1) % 3, day=1), last)

    @property
    def end(self) -> date:
        """The first day after it."""
        return self.last + timedelta(days=1)

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.end - self.first).days

    @property
    def whole_end(self) -> date:
        """The first day after the whole day, month or quarter."""
        return self.end if self.kind == "day" else _moved(self.first, _MONTHS[self.kind])

    @property
    def is_whole(self) -> bool:
        """Whether its last day is the last of the month or quarter."""
        return self.end == self.whole_end

    @property
    def slug(self) -> str:
        """The folder of its page: 2026-02-28, 2026-02 or 2026-Q1."""
        if self.kind == "day":
            return str(self.first)
        return f"{self.first:%Y-%m}" if self.kind == "month" else f"{self.first.year}-Q{self._quarter}"

    @property
    def name(self) -> str:
        """28 February 2026, February 2026, or the first quarter of 2026."""
        if self.kind == "day":
            return fmt.long_day(self.first)
        if self.kind == "month":
            return fmt.month(self.first)
        return f"the {_ORDINALS[self._quarter - 1]} quarter of {self.first.year}"

    @property
    def earlier(self) -> tuple[Earlier, ...]:
        """What it is compared with, the most useful first.

        A day: the same weekday a week before and the day before. A month or quarter: the one before and the one a year before, to
        the same day; whole ones where it is whole.
        """
        if self.kind == "day":
            day, week = timedelta(days=1), timedelta(days=7)
            return (
                Earlier(f"the {fmt.weekday(self.first)} before", self.first - week, self.end - week),
                Earlier("the day before", self.first - day, self.first),
            )
        return self._before(_MONTHS[self.kind]), self._before(12)

    @property
    def _quarter(self) -> int:
        return (self.first.month + 2) // 3

    def _before(self, months: int) -> Earlier:
        first = _moved(self.first, -months)
        whole = Span(self.kind, first, _moved(first, _MONTHS[self.kind]) - timedelta(days=1))
        end = whole.end if self.is_whole else min(first + timedelta(days=self.days), whole.end)
        same = "" if end == whole.end else f" up to {fmt.short_day(end - timedelta(days=1))}"
        return Earlier(f"{whole.name}{same}", first, end)


def spans_around(days: Iterable[date], loaded: Collection[date]) -> list[Span]:
    """The months and quarters of `days`, each up to its newest loaded day; those without a loaded day are left out."""
    wholes = {make(day) for day in days for make in (_first_of_month, _first_of_quarter)}
    found = []
    for whole in sorted(wholes, key=lambda span: (span.first, span.kind)):
        newest = max((day for day in loaded if whole.first <= day < whole.whole_end), default=None)
        if newest is not None:
            found.append(Span(whole.kind, whole.first, newest))
    return found


def _first_of_month(day: date) -> Span:
    return Span.of_month(Span.of_month(day).first)


def _first_of_quarter(day: date) -> Span:
    return Span.of_quarter(Span.of_quarter(day).first)


def _moved(first: date, months: int) -> date:
    """The first day of the month that is so many months later."""
    count = first.year * 12 + first.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)
