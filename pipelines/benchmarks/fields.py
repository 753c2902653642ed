"""Values of an export's fields: numbers, counts, amounts, names and instants, read or refused with a reason.

The formats in `formats/` know where a value stands. A refused one sets its record aside (`observation.py`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from pipelines.grouped import ungrouped

_SHORTENED = re.compile(r"(\d+(?:\.\d+)?)\s*([kKmM])")


class BoardOptionsError(ValueError):
    """The options of a board in sources.yaml are wrong. The message names board and option and what is accepted."""


class EntryError(ValueError):
    """One record can't become a score. `reason` is machine-readable, the message is for people."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


NO_SCORE = "no_score"
"""Reason for setting a record aside without a warning: it names an entry that has no score (yet)."""

_BLANK = re.compile(
    r"[-\u2010-\u2015\u2212]*|\?*|\.*|n\.?\s?[/.]?\s?a\.?|#n/a|#div/0!|nan|null|none|nil|unk|unknown|tbd|tba|pending|missing|"
    r"not (?:available|reported|tested|applicable)"
)


def is_blank(value: object) -> bool:
    """True where a cell states nothing: null, NaN, empty, or what people write for that (`-`, `N/A`)."""
    if isinstance(value, (float, Decimal)):
        return math.isnan(value)
    if not isinstance(value, str):
        return value is None
    shown = value.strip()
    return not shown or (not shown[0].isdecimal() and _BLANK.fullmatch(shown.lower()) is not None)


def number(value: object, name: str) -> float:
    """A finite number, or EntryError. Accepts numbers and numeric text, also `1,234` and `77.2%`; never booleans.

    What pages put next to a number is not part of it: marks of footnotes and of bold type, and its interval (`62.5 ± 1.2`).
    """
    if isinstance(value, bool) or is_blank(value) or not isinstance(value, (int, float, str, Decimal)):
        reason = "missing_field" if is_blank(value) else "not_a_number"
        raise EntryError(reason, f"{name} is {value!r}, not a number")
    try:
        result = float(bare(value) if isinstance(value, str) else value)
    except ValueError:
        raise EntryError("not_a_number", f"{name} is {value!r}, not a number") from None
    if not math.isfinite(result):
        raise EntryError("not_a_number", f"{name} is {value!r}, not a finite number")
    return result


def numbers(cells: Mapping[str, Any], *, most: float | None = None) -> tuple[dict[str, float], dict[str, EntryError]]:
    """The cells that state a number, and why others can't be one: a broken cell costs itself and no other.

    Blank cells are in neither. With `most`, accepted are numbers from 0 to `most`.
    """
    found: dict[str, float] = {}
    broken: dict[str, EntryError] = {}
    for name, value in cells.items():
        if is_blank(value):
            continue
        try:
            found[name] = within(number(value, name), name, most)
        except EntryError as error:
            broken[name] = error
    return found, broken


def within(value: float, name: str, most: float | None) -> float:
    """The number itself where it is from 0 to `most` (None: any), or EntryError."""
    if most is not None and not 0 <= value <= most:
        kind = "shares" if most == 1 else "numbers"
        raise EntryError("out_of_range", f"{name} is {value:g}: accepted are {kind} from 0 to {most:g}")
    return value


def count(value: object, name: str) -> int | None:
    """A whole number not below zero, None if absent, or EntryError."""
    if is_blank(value):
        return None
    result = number(value, name)
    if result < 0 or result != int(result):
        raise EntryError("not_a_count", f"{name} is {value!r}, not a whole number from 0 up")
    return int(result)


def votes(value: object, name: str) -> int | None:
    """A number of votes, also as pages shorten it (`12.3K`, `1.2M`), None if absent, or EntryError."""
    match = _SHORTENED.fullmatch(value.strip()) if isinstance(value, str) else None
    return (
        count(value, name) if match is None else round(float(match[1]) * {"k": 1_000, "m": 1_000_000}[match[2].lower()])
    )


def money(value: object, name: str) -> Decimal | None:
    """An amount not below zero, exactly as written, None if absent, or EntryError."""
    if is_blank(value):
        return None
    if isinstance(value, bool):
        raise EntryError("not_a_number", f"{name} is {value!r}, not an amount")
    try:
        amount = Decimal(ungrouped(str(value).strip().removeprefix("$")))
    except InvalidOperation:
        raise EntryError("not_a_number", f"{name} is {value!r}, not an amount") from None
    if not amount.is_finite() or amount < 0:
        raise EntryError("negative_amount", f"{name} is {value!r}: accepted are amounts from 0 up")
    return amount


def text(value: object, name: str) -> str:
    """A text that is not blank, or EntryError. Ids are read as they are: `1. x` and `2. x` are two."""
    if value is None or not str(value).strip():
        raise EntryError("missing_field", f"{name} is missing or blank")
    return str(value).strip()


def shown_name(value: object, name: str) -> str:
    """The name of a model, or EntryError; without what pages put around it: a link, bold type, a medal, its rank."""
    return text(_unadorned(text(value, name)), name)


_LINK = re.compile(r"\[([^\[\]]+)\]\((?:https?:|/|#|\.)[^()\s]*\)")
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_BOLD = re.compile(r"^(\*\*|__)(.+)\1$")
_BEFORE_NAME = re.compile(r"^(?:[\u2190-\u2bff\ufe0f\U0001f000-\U0001faff]+\s*|#?\d{1,3}[.)]\s+(?=\D))+")


def _unadorned(value: str) -> str:
    shown = " ".join(_TAG.sub(" ", _LINK.sub(r"\1", _INVISIBLE.sub("", value))).split())
    for _ in range(2):  # a medal stands before bold type or within it
        shown = _BOLD.sub(r"\2", shown)
        shown = _BEFORE_NAME.sub("", shown) or shown
    return shown


def instant(value: str) -> datetime:
    """An ISO 8601 instant in UTC; without a zone it is taken as UTC. Raises ValueError."""
    at = datetime.fromisoformat(value)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


_DAYS = ("%Y/%m/%d", "%Y.%m.%d", "%b %d, %Y", "%B %d, %Y", "%d %b %Y", "%d %B %Y", "%d.%m.%Y", "%d-%b-%Y")
"""Other notations of a day than YYYY-MM-DD that can be read in one way only; `03/04/2026` is not one of them."""
_TIME_OF_DAY = re.compile(r"(?:[ T,]+|\s+at\s+)\d{1,2}:\d{2}.*$")


def day(value: object, name: str) -> date | None:
    """A day: a date, text that begins with YYYY-MM-DD, or another notation of `_DAYS`; None if absent, or EntryError."""
    if is_blank(value):
        return None
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    shown = str(value).strip()
    try:
        return date.fromisoformat(shown[:10])
    except ValueError:
        plain = _TIME_OF_DAY.sub("", shown)
    for form in _DAYS:
        try:
            return datetime.strptime(plain, form).date()  # noqa: DTZ007 - a day without a time
        except ValueError:
            continue
    raise EntryError("not_a_date", f"{name} is {value!r}: accepted is YYYY-MM-DD")


def first_of(record: Mapping[str, Any], names: Sequence[str]) -> Any:  # noqa: ANN401 - a value of a parsed file
    """The value of the first of the named fields that is there and not blank: sources rename their columns."""
    return next((record[name] for name in names if not is_blank(record.get(name))), None)


def stated_score(record: Mapping[str, Any], names: Sequence[str]) -> Any:  # noqa: ANN401 - a value of a parsed file
    """The same for a score; a field that is there and blank is no complaint (NO_SCORE): the entry has none (yet)."""
    value = first_of(record, names)
    if value is None and any(name in record for name in names):
        raise EntryError(NO_SCORE, f"its {names[0]} is blank")
    return value


_UNSAID = re.compile(r"other|(?:no|other|unknown|unspecified|custom) licen[cs]e|(?:un)?licen[cs]ed")
_CLOSED = re.compile(
    r"false|f|no|n|0|0\.0|closed\b.*|closed_weights|(?:not|non|un)[ -]?open.*|commercial(?: licen[cs]e)?|.*\bprop\w*t(?:ar)?y\b.*|"
    r".*\bcommercial (?:api|only)\b.*|private|unreleased|hosted access.*|api(?:[ -](?:only|access))?"
)
_OPEN = re.compile(
    r"true|t|yes|y|1|1\.0|open\b.*|open_weights?|weights available|downloadable|"
    r".*\b(?:licen[cs]e[ds]?|open|community|research|non-?commercial|mit|isc|bsd|"
    r"apache|a?l?gpl|mpl|cc|creative commons|openrail|rail|llama\w*|gemma|qwen|deepseek|falcon|impact|mrl|unlicense)\b.*"
)


def weights(value: object) -> str | None:
    """open or closed, as a source says it: true, `open_weights`, a licence; false, `Proprietary`.

    None if the source does not say, or says something that is neither a flag nor known of licences: the flag of a
    source is believed before any list, so it must not be guessed.
    """
    shown = str(value).strip().lower()
    if is_blank(value) or _UNSAID.fullmatch(shown):
        return None
    if _CLOSED.fullmatch(shown):
        return "closed"
    return "open" if _OPEN.fullmatch(shown) else None


def license_weights(value: object) -> str | None:
    """The same for the licence column of an arena, which names a licence for open weights alone: `Nvidia` is one."""
    if is_blank(value) or _UNSAID.fullmatch(str(value).strip().lower()):
        return None
    return weights(value) or "open"


def half_widths(value: object, name: str) -> tuple[float, float] | None:
    """How far an interval reaches below and above its score, as people write it: `+5/-6`, `±5`, `5`; None if absent."""
    if is_blank(value):
        return None
    shown = str(value).strip()
    if match := _AROUND_SCORE.fullmatch(shown):
        high, low = match["high"] or match["high_last"], match["low"] or match["low_first"]
        return float(low), float(high)
    half = number(shown.lstrip("±+ "), name)
    if half < 0:
        raise EntryError("identity_broken", f"{name} is {value!r}: accepted are widths from 0 up")
    return half, half


_AROUND_SCORE = re.compile(
    r"\+\s*(?P<high>[\d.]+)\s*/\s*[-\u2212]\s*(?P<low>[\d.]+)|[-\u2212]\s*(?P<low_first>[\d.]+)\s*/\s*\+\s*(?P<high_last>[\d.]+)"
)


_INVISIBLE = re.compile("[\u200b\u200c\u200d\u2060\ufeff\ue000-\uf8ff]")
"""Characters without a width, and those that only an icon's font can draw."""
_NUMBER_ALONE = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_NUMBER = r"[-+\u2212]?\d[\d.,]*%?"
_NO_PART = re.compile(
    rf"(?:\s*\(?(?:±|\+/-|\+-)\s*{_NUMBER}\)?|\s*[\[(]\s*{_NUMBER}\s*(?:,|;|to|[-\u2013])\s*{_NUMBER}\s*[\])])?"
    r"(?:\s*(?:[*†‡§⁰¹²³⁴⁵⁶⁷⁸⁹]|\[\^?\d{1,2}\]))*$"
)


def bare(text: str) -> str:
    """The number in a cell as it is written, without what pages put next to it."""
    if _NUMBER_ALONE.fullmatch(text):
        return text
    shown = _INVISIBLE.sub("", text).strip()
    for mark in ("**", "__", "`"):
        if len(shown) > 2 * len(mark) and shown.startswith(mark) and shown.endswith(mark):
            shown = shown[len(mark) : -len(mark)].strip()
    return ungrouped(_NO_PART.sub("", shown).strip().removesuffix("%").strip())
