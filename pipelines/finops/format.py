"""Numbers, money and days as people read them.

Only text is made here; which numbers are shown is decided in `report/` and `summary.py`. Money is
Decimal in and text out, never float.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, localcontext

NONE = "–"
"""What stands where there is no number."""

_NBSP = "\N{NO-BREAK SPACE}"
_MINUS = "\N{MINUS SIGN}"
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DIGITS = 76
"""Enough for sums of numeric(38,18): the default context of 28 digits would round them."""


def total(values: Iterable[Decimal | None]) -> Decimal | None:
    """The exact sum of the known values; None if there is none."""
    known = [value for value in values if value is not None]
    with localcontext(prec=_DIGITS):
        return sum(known, Decimal(0)) if known else None


def less(minuend: Decimal | None, subtrahend: Decimal | None) -> Decimal | None:
    """The exact difference; None if either is not known."""
    if minuend is None or subtrahend is None:
        return None
    with localcontext(prec=_DIGITS):
        return minuend - subtrahend


def decimals_for(values: Iterable[Decimal | None]) -> int:
    """Decimals with which amounts of USD are shown together: 2, or 4 or 6 where one of them is below a cent."""
    smallest = min((abs(value) for value in values if value), default=Decimal(1))
    return 2 if smallest >= Decimal("0.01") else 4 if smallest >= Decimal("0.0001") else 6


def money(value: Decimal | None, decimals: int | None = None, *, plus: bool = False, sign: str = "") -> str:
    """An amount with thousands separators: to the cent, or to 4 or 6 decimals where it is below one.

    Halves are rounded away from zero, as Postgres' `round` and spreadsheets do, so that every page and query shows the
    same digits. `plus` writes a plus before amounts above zero, `sign` is what stands before the digits.
    """
    if value is None:
        return NONE
    decimals = decimals_for([value]) if decimals is None else decimals
    with localcontext(prec=_DIGITS):
        rounded = value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    mark = _MINUS if rounded < 0 else "+" if plus and rounded > 0 else ""
    return f"{mark}{sign}{abs(rounded):,.{decimals}f}"


def dollars(value: Decimal | None, *, plus: bool = False) -> str:
    """An amount of USD like `money`, with its sign: $1,234.50."""
    return money(value, plus=plus, sign="$")


def scale_of(values: Iterable[Decimal | None]) -> int:
    """Decimals for a table that people add up: cents, or 4 or 6 decimals where all of it is below a dollar or a cent."""
    largest = max((abs(value) for value in values if value), default=Decimal(1))
    return 2 if largest >= 1 else 4 if largest >= Decimal("0.01") else 6


def amount(value: Decimal | None, decimals: int, *, plus: bool = False) -> str:
    """An amount like `money`, but one that rounds to zero and is none reads < 0.01, or > −0.01."""
    text = money(value, decimals, plus=plus)
    if not value or text.strip("0.") or not decimals:
        return text
    bound = f"{Decimal(1).scaleb(-decimals):f}"
    return f"<{_NBSP}{bound}" if value > 0 else f">{_NBSP}{_MINUS}{bound}"


def count(value: int | None) -> str:
    """A whole number with thousands separators."""
    return NONE if value is None else f"{value:,}".replace("-", _MINUS)


def large(value: int) -> str:
    """A large number in words: 54,435,542 is 54.4 million."""
    for size, name in ((10**12, "trillion"), (10**9, "billion"), (10**6, "million")):
        if value >= size:
            return f"{value / size:,.1f}{_NBSP}{name}"
    return count(value)


def signed(value: float, decimals: int = 1, *, plus: bool = True) -> str:
    """A score or an effect: +7.9, −3.0."""
    return f"{value:{'+' if plus else ''},.{decimals}f}".replace("-", _MINUS)


def percent(part: Decimal | float | None, *, plus: bool = False) -> str:
    """A share with one decimal; never 100.0 % or 0.0 % where it is not exactly that."""
    if part is None:
        return NONE
    share = Decimal(str(part)) * 100
    text = f"{abs(share):,.1f}"
    if text == "100.0" and abs(share) < 100:
        text = "99.9"
    elif text == "0.0" and share:
        return f"< 0.1{_NBSP}%"
    mark = _MINUS if share < 0 else "+" if plus and share > 0 else ""
    return f"{mark}{text}{_NBSP}%"


def share(part: Decimal | int | None, whole: Decimal | int | None) -> Decimal | None:
    """`part` of `whole`; None if either is not known or the whole is zero."""
    return None if part is None or not whole else Decimal(part) / Decimal(whole)


def plural(number: int, noun: str, nouns: str = "") -> str:
    """A number and its noun: 1 file, 3 files, 2 policies."""
    return f"{count(number)} {noun if number == 1 else nouns or noun + 's'}"


def capital(text: str) -> str:
    """The text with a capital letter at its beginning."""
    return text[:1].upper() + text[1:]


def long_day(day: date) -> str:
    """28 February 2026."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def short_day(day: date) -> str:
    """28 Feb."""
    return f"{day.day} {_MONTHS[day.month - 1][:3]}"


def month(day: date) -> str:
    """February 2026."""
    return f"{_MONTHS[day.month - 1]} {day.year}"


def weekday(day: date) -> str:
    """Saturday."""
    return _WEEKDAYS[day.weekday()]


def instant(at: datetime | None) -> str:
    """2026-02-28 06:00, in UTC."""
    return NONE if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M}"


def age(hours: float) -> str:
    """A span of time in one unit: 36 hours, 6 days."""
    return plural(round(hours), "hour") if hours < 48 else plural(round(hours / 24), "day")
