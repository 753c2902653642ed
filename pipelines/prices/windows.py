"""Daily windows: the hours, weekdays and holidays under which a price holds, as `core.price.time_window` writes them.

`mon-fri 09:00-12:00 Asia/Shanghai except cn` is from nine to twelve in Shanghai on weekdays that are no holiday of the
calendar `cn`. Calendars are declared in `pipelines.config.calendars`; which price wins is `rate_card.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, available_timezones

import polars as pl

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CLOCK = r"(?:[01]\d|2[0-3]):[0-5]\d"
_DAY = "|".join(DAYS)
_WINDOW = re.compile(
    rf"^(?:(?P<days>(?:{_DAY})(?:[-,](?:{_DAY}))*) )?(?P<start>{_CLOCK})-(?P<end>{_CLOCK})"
    r"(?: (?P<zone>[A-Za-z]+(?:/[A-Za-z_+\-0-9]+)*))?(?: except (?P<calendar>[a-z][a-z0-9_]*))?$"
)
_DAY_MINUTES = 24 * 60
FORM = "[mon-fri ]HH:MM-HH:MM[ Asia/Shanghai][ except cn]"


class WindowError(ValueError):
    """A window of the day can't be read. The message says what was found and what is accepted."""


class Window(NamedTuple):
    """A daily window [start, end), over midnight where the end is not after the start; its day is that of its start."""

    days: tuple[int, ...]
    """Weekdays, Monday 1 to Sunday 7."""
    start: time
    end: time
    zone: str
    calendar: str
    """Name of the calendar on whose days the window does not hold; empty for none."""


@cache
def parse_window(text: str) -> Window:
    """Reads `mon-fri 09:00-12:00 Asia/Shanghai except cn`: days, zone (UTC) and calendar may be left out.

    Raises WindowError with what was found and the form that is accepted.
    """
    match = _WINDOW.match(text)
    zone = (match and match["zone"]) or "UTC"
    if match is None or zone not in available_timezones():
        raise WindowError(f"time_window: expected {FORM}, found {text!r}")
    start, end = time.fromisoformat(match["start"]), time.fromisoformat(match["end"])
    return Window(_days(match["days"]), start, end, zone, match["calendar"] or "")


def _days(text: str | None) -> tuple[int, ...]:
    days: set[int] = set()
    for part in (text or "mon-sun").split(","):
        first, _, last = part.partition("-")
        from_day, to_day = DAYS.index(first), DAYS.index(last or first)
        days.update((from_day + step) % 7 + 1 for step in range((to_day - from_day) % 7 + 1))
    return tuple(sorted(days))


def utc_windows(hours: Sequence[str], weekdays: Sequence[object] | None, zone: str | None) -> Iterator[str]:
    """Windows of hours by the clock of UTC that hold on weekdays (1 to 7 or names) by the calendar of `zone`.

    So feeds write them: `22:00-06:00` on `[5]` is from midnight to six and from ten to midnight of Fridays, other than here,
    where what follows midnight is of the day before. Raises WindowError, also for a zone whose clock is put forward and back.
    """
    days = [_weekday(day) for day in weekdays] if weekdays is not None else None
    shift = 0 if days is None or zone in (None, "", "UTC") else _minutes_east(str(zone))
    for text in hours:
        window = parse_window(text)
        if days is None:
            yield text
            continue
        named = "mon-fri" if days == list(DAYS[:5]) else ",".join(days)
        suffix = f" {zone}" if shift else ""
        start, end = ((at.hour * 60 + at.minute + shift) % _DAY_MINUTES for at in (window.start, window.end))
        parts = [(start, end)] if start < end else [(start, _DAY_MINUTES), (0, end)]
        yield from (f"{named} {_clock(a)}-{_clock(b)}{suffix}" for a, b in parts if a < b)


def _weekday(day: object) -> str:
    if isinstance(day, str) and day[:3].lower() in DAYS and not day.isdigit():
        return day[:3].lower()
    if str(day) in {"1", "2", "3", "4", "5", "6", "7"}:
        return DAYS[int(str(day)) - 1]
    raise WindowError(f"expected weekdays from 1 to 7 or their names, found {day!r}")


def _minutes_east(zone: str) -> int:
    if zone not in available_timezones():
        raise WindowError(f"no time zone {zone!r} is known")
    found = {datetime(2026, month, 1, tzinfo=ZoneInfo(zone)).utcoffset() for month in range(1, 13)}
    offset = found.pop()
    if found or offset is None:
        raise WindowError(f"hours of UTC on weekdays of {zone}, whose clock is put forward and back")
    return int(offset.total_seconds()) // 60


def _clock(minutes: int) -> str:
    return f"{minutes // 60 % 24:02}:{minutes % 60:02}"


def is_inside(text: str, at: pl.Expr, calendars: Mapping[str, frozenset[date]]) -> pl.Expr:
    """Whether the instants `at` (UTC) lie inside the window. Raises WindowError for a calendar that is not declared."""
    window = parse_window(text)
    if window.calendar and window.calendar not in calendars:
        known = ", ".join(sorted(calendars)) or "none"
        raise WindowError(f"time_window {text!r}: no calendar {window.calendar!r} is declared; known are {known}")
    local = at.dt.convert_time_zone(str(ZoneInfo(window.zone)))
    clock = local.dt.time()
    day = local.dt.date()
    if window.start < window.end:
        inside = (clock >= window.start) & (clock < window.end)
    else:
        # What is after midnight belongs to the window that began on the day before.
        inside = (clock >= window.start) | (clock < window.end)
        day = pl.when(clock < window.end).then(day - pl.duration(days=1)).otherwise(day)
    if len(window.days) < len(DAYS):
        inside &= day.dt.weekday().is_in(list(window.days))
    if window.calendar:
        inside &= ~day.is_in(sorted(calendars[window.calendar]))
    return inside
