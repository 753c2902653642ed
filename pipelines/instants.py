"""Days as instants, and periods that hold at one. All of it in UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import polars as pl


def midnight(day: date) -> datetime:
    """The first instant of a UTC day."""
    return datetime.combine(day, time(), UTC)


def end_of(day: date) -> datetime:
    """The first instant after a UTC day."""
    return midnight(day + timedelta(days=1))


def holds_at(at: datetime | date | pl.Expr, begins: str = "valid_from", ends: str = "valid_to") -> pl.Expr:
    """Whether `at` lies in the period of a row, its beginning included. An end that is null is open, as is a beginning."""
    has_begun = (pl.col(begins) <= at).fill_null(value=True)
    return has_begun & (pl.col(ends).is_null() | (pl.col(ends) > at))
