"""What the names of landed files say: dates and instants, the suffix without compression, and what is skipped.

Nothing here touches a disk or a server. Which files there are is in `files.py`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import PurePosixPath

_COMPRESSIONS = (".gz", ".zst")
_UNFINISHED = (".tmp", ".part", ".partial", ".crdownload", ".swp", "~")
SIDECAR_SUFFIX = ".meta.json"
REVIEW_SUFFIX = ".review.json"

# A date, and after T (or, with seconds, after a space, dash or underscore) a time of day. One separator per time,
# so that the range 2026-04-10_2026-05-31 is two dates and not ten past a quarter past eight.
_INSTANT = re.compile(
    r"(?<!\d)(?P<y>(?:19|20)\d{2})(?P<d>-?)(?P<m>\d{2})(?P=d)(?P<day>\d{2})"
    r"(?:(?:[Tt](?P<h>\d{2})(?P<s>[-:]?)(?P<min>\d{2})(?:(?P=s)(?P<sec>\d{2}))?"
    r"|[ _-](?P<h2>\d{2})(?P<s2>[-:]?)(?P<min2>\d{2})(?P=s2)(?P<sec2>\d{2}))"
    r"(?:[.,]\d+)?(?P<zone>[Zz]|[+-]\d{2}:?\d{2})?)?(?!\d)"
)
_OFFSETS = (timedelta(hours=-12), timedelta(hours=14))
"""Every offset from UTC that is or was in use lies between these; -2412 is a number that happens to follow a time."""
_UNSHOWABLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Controls, marks without a shape, halves of characters, and separators of lines and paragraphs."""
ACCEPTED_DATES = "2026-02-14, 20260214, 20260214T060000Z, 2026-02-14T06-00-00Z or any name that contains one of these"


_YEAR, _MONTH, _DAY = (
    re.compile(rf"^(?:{key}=)?({digits})$")
    for key, digits in (("y(?:ear)?", r"20\d\d"), ("m(?:onth)?", r"\d\d"), ("d(?:ay)?", r"\d\d"))
)


def folder_date(folders: Sequence[str]) -> date | None:
    """The day that nested folders name: the first where it is a date and nothing else (what lies below are folders of the
    delivering system, such as a project called `trip-2025-01-02`), else the innermost that contains a date, else year, month and day as three of them,
    as AWS (`2026/02/14/06`), Azure (`y=2026/m=02/d=14/h=06`) and Hive (`year=2026/month=02/day=14`) write."""
    first = [name for name in folders[:1] if _INSTANT.fullmatch(name)]
    for name in (*first, *reversed(folders)):
        if at := parse_instant(name)[0]:
            return at.date()
    for year, month, day in reversed(list(zip(folders, folders[1:], folders[2:], strict=False))):
        found = [pattern.match(name) for pattern, name in ((_YEAR, year), (_MONTH, month), (_DAY, day))]
        if all(found):
            with suppress(ValueError):
                return date(*(int(match[1]) for match in found if match))
    return None


def parse_instant(name: str) -> tuple[datetime | None, bool]:
    """The latest instant that `name` contains, in UTC, and whether it has a time of day; (None, False) without one."""
    found = [at for match in _INSTANT.finditer(name) if (at := _to_instant(match))]
    return max(found, default=(None, False), key=lambda item: item[0] or datetime.min.replace(tzinfo=UTC))


def _to_instant(match: re.Match[str]) -> tuple[datetime, bool] | None:
    text = match.groupdict()
    try:
        day = datetime(int(text["y"]), int(text["m"]), int(text["day"]), tzinfo=UTC)
    except ValueError:
        return None
    hour, minute, second = text["h"] or text["h2"], text["min"] or text["min2"], text["sec"] or text["sec2"] or "0"
    if hour is None or int(hour) > 23 or int(minute) > 59 or int(second) > 59:
        return day, False
    zone = UTC
    if (offset := text["zone"]) and offset not in "Zz":
        digits = offset[1:].replace(":", "")
        shift = timedelta(hours=int(digits[:2]), minutes=int(digits[2:])) * (-1 if offset[0] == "-" else 1)
        if int(digits[2:]) < 60 and _OFFSETS[0] <= shift <= _OFFSETS[1]:
            zone = timezone(shift)
    return day.replace(hour=int(hour), minute=int(minute), second=int(second), tzinfo=zone).astimezone(UTC), True


def content_suffix(name: str) -> str:
    """The suffix without compression, lower case: `.jsonl` for `calls.jsonl.zst`."""
    lower = name.lower()
    for compression in _COMPRESSIONS:
        lower = lower.removesuffix(compression)
    return PurePosixPath(lower).suffix


def is_hidden(name: str) -> bool:
    """True for files and folders that are hidden or set apart by an underscore."""
    return name.startswith((".", "_"))


def is_skipped(name: str) -> bool:
    """True for what is no landed file: hidden, set apart by an underscore, unfinished, a sidecar or a decision."""
    return is_hidden(name) or name.endswith((SIDECAR_SUFFIX, REVIEW_SUFFIX, *_UNFINISHED))


def is_landed(name: str) -> bool:
    """True for the name of a landed file."""
    return not is_skipped(name)


def is_decision(name: str) -> bool:
    """True for the decision of a person about a file in the same folder."""
    return name.endswith(REVIEW_SUFFIX)


def is_landed_or_decision(name: str) -> bool:
    """True for a landed file, its sidecar and a decision about it."""
    return is_landed(name.removesuffix(SIDECAR_SUFFIX).removesuffix(REVIEW_SUFFIX))


def is_usable_instant(at: datetime) -> bool:
    """True for the years that names can hold, 1900 to 2099: the ends of the calendar stand for "no beginning" and "no end"."""
    return 1900 <= at.year <= 2099


def is_plain(text: str) -> bool:
    """True where a text can be shown, stored and sent as it is: no control characters and no halves of characters."""
    return (text.isascii() and text.isprintable()) or not any(_needs_escape(letter) for letter in text)


def shown(name: str) -> str:
    """A name as it is shown and stored: what no text may hold is written as an escape, such as `\\n`, `\\x1b` or `\\xff`.

    `\\xff` is a byte that is no UTF-8. Two different names are never shown alike, so that a backslash is doubled.
    """
    if "\\" not in name and is_plain(name):
        return name
    return "".join(_escaped(letter) for letter in name)


def _needs_escape(letter: str) -> bool:
    return unicodedata.category(letter) in _UNSHOWABLE


def _escaped(letter: str) -> str:
    if "\udc80" <= letter <= "\udcff":  # how Python holds a byte that is no UTF-8
        return f"\\x{ord(letter) - 0xDC00:02x}"
    if letter == "\\" or letter < "\x7f":
        return letter.encode("unicode_escape").decode() if letter == "\\" or letter < " " else letter
    if not _needs_escape(letter):
        return letter
    return f"\\U{ord(letter):08x}" if ord(letter) > 0xFFFF else f"\\u{ord(letter):04x}"
