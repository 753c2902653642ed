"""Days and instants as a person types them: the one parser of every date option, and the one place that says what it takes.

What can't be used ends in one line that says what is accepted. Which days there are is `pipelines.daily.days`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from typer.models import ArgumentInfo, OptionInfo

if TYPE_CHECKING:
    from pipelines.daily import Window

T = TypeVar("T")

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MONTH = re.compile(r"[0-9]{4}-[0-9]{2}")
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2})?)?")
_LAST_INSTANT = date(2099, 12, 31)
"""Prices that are announced lie ahead of today, but not so far."""


class DateError(Exception):
    """A day that can't be used; the message is one line and says which are accepted."""


def parse_day(text: str) -> date:
    """A UTC day as YYYY-MM-DD. Raises DateError where it is none, or one that no run can be for."""
    from pipelines.daily.days import FIRST_DAY

    day = _parsed(text, _DAY, "YYYY-MM-DD").date()
    today = datetime.now(UTC).date()
    if not FIRST_DAY <= day <= today:
        raise DateError(f"{text} is not accepted: a day is from {FIRST_DAY} to {today}, which is today in UTC")
    return day


def parse_instant(text: str) -> datetime:
    """A UTC instant: a day, which stands for its first moment, or a day with a time. Raises DateError."""
    from pipelines.daily.days import FIRST_DAY

    instant = _parsed(text, _INSTANT, "YYYY-MM-DD, YYYY-MM-DDTHH:MM or YYYY-MM-DDTHH:MM:SS")
    if not FIRST_DAY <= instant.date() <= _LAST_INSTANT:
        raise DateError(f"{text} is not accepted: an instant is from {FIRST_DAY} to {_LAST_INSTANT}, in UTC")
    return instant


def parse_month(text: str) -> date:
    """The first day of a month given as YYYY-MM. Raises DateError where it is none, or one that no run can be for."""
    if not _MONTH.fullmatch(text) or not "01" <= text[5:] <= "12":
        raise DateError(f"{_shown(text)} is not a month as it is accepted here: YYYY-MM, for example 2026-02")
    return parse_day(f"{text}-01")


def window_of(day: date | None, first: date | None, last: date | None) -> Window | None:
    """The days that `--date`, or `--from` and `--to`, ask for; None if none of them is given. Raises DateError."""
    from pipelines.daily import Window

    if day and (first or last):
        raise DateError("--date can't be combined with --from and --to")
    if bool(first) != bool(last):
        raise DateError("--from and --to go together")
    start, end = day or first, day or last
    if start is None or end is None:
        return None
    if end < start:
        raise DateError(f"--to {end} is before --from {start}: accepted is a last day that is not before the first")
    return Window(start, end + timedelta(days=1))


def end_of(day: date) -> datetime:
    """The last moment of a UTC day."""
    return datetime.combine(day, time.max, UTC)


def _parsed(text: str, form: re.Pattern[str], accepted: str) -> datetime:
    if not form.fullmatch(text):
        raise DateError(f"{_shown(text)} is not a date as it is accepted here: {accepted}, for example 2026-02-16")
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        raise DateError(
            f"{text} is not a day of the calendar; accepted is {accepted}, for example 2026-02-16"
        ) from None


def _shown(text: str) -> str:
    return repr(text[:40]) if text else "an empty text"


def _option(parse: Callable[[str], T], name: str, metavar: str, help_text: str) -> OptionInfo:
    def convert(text: str) -> T:
        try:
            return parse(text)
        except DateError as error:
            raise DateError(f"{name} {error}") from None

    option: OptionInfo = typer.Option(name, parser=convert, metavar=metavar, help=help_text)
    return option


def day_option(name: str, help_text: str) -> OptionInfo:
    """An option that takes a UTC day."""
    return _option(parse_day, name, "YYYY-MM-DD", help_text)


def month_option(name: str, help_text: str) -> OptionInfo:
    """An option that takes a month; its value is the first day."""
    return _option(parse_month, name, "YYYY-MM", help_text)


def month_argument(help_text: str) -> ArgumentInfo:
    """An argument that takes a month; its value is the first day."""
    argument: ArgumentInfo = typer.Argument(parser=parse_month, metavar="YYYY-MM", help=help_text)
    return argument


def instant_option(name: str, help_text: str) -> OptionInfo:
    """An option that takes a UTC instant."""
    return _option(parse_instant, name, "YYYY-MM-DD[THH:MM[:SS]]", help_text)


FirstDay = Annotated[date | None, day_option("--from", "First day of a range.")]
LastDay = Annotated[date | None, day_option("--to", "Last day, inclusive.")]
