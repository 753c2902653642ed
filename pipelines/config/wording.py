"""The errors of pydantic in the words of people who write YAML: what was found, what is accepted, what was probably meant.

Where a mistake stands, and mistakes that schemas find themselves, are in `mistakes.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_LONGEST = 60
"""Characters of a found value that an error shows."""
_TOKEN = re.compile(
    r"(?:sk|pk|rk|xox[a-z]|gh[a-z])[-_]\S{8,}|(?:AKIA|eyJ|Bearer |Basic )\S{8,}"
    r"|(?=\D*\d)[A-Za-z0-9]{20,}|(?=\D*\d)(?=.*[a-z])(?=.*[A-Z])[A-Za-z0-9+/=_-]{32,}",
    re.ASCII,
)
"""What keys look like: a known beginning, or many letters and digits without a space."""
_ADDRESS = re.compile(r"://\S*@|://\S*\?\S*=")
"""An address with a user or a query."""

_ACCEPTED = {
    "decimal_parsing": "a number", "decimal_type": "a number", "float_parsing": "a number", "float_type": "a number",
    "finite_number": "a number", "int_parsing": "a whole number", "int_type": "a whole number", "int_from_float": "a whole number",
    "bool_parsing": "true or false", "bool_type": "true or false", "string_type": "text", "date_parsing": "a day such as 2026-01-31",
    "date_type": "a day such as 2026-01-31", "date_from_datetime_parsing": "a day such as 2026-01-31",
    "date_from_datetime_inexact": "a day such as 2026-01-31", "tuple_type": "a list", "list_type": "a list", "dict_type": "a map",
}  # fmt: skip
_BOUNDS = {
    "greater_than": ("gt", "a number above {}"), "greater_than_equal": ("ge", "a number from {} on"), "less_than": ("lt", "a number below {}"),
    "less_than_equal": ("le", "a number up to {}"), "too_short": ("min_length", "a list of at least {}"),
    "string_too_short": ("min_length", "text of at least {} letters"), "string_too_long": ("max_length", "text of at most {} letters"),
    "decimal_max_places": ("decimal_places", "a number of at most {} decimals"),
}  # fmt: skip
_PATTERNS = {
    r"^[A-Z]{3}$": "three capital letters, such as EUR",
    r"^https?://\S+$": "an address that begins with https:// or http://",
}
_NAME = re.compile(r"\^\[(?P<first>[^\]]+)\]\[(?P<rest>[^\]]+)\](?:\*|\{0,(?P<more>\d+)\})\$")
"""The form that patterns of names have: the first letter, the others, and how many."""


def may_be_secret(value: object) -> bool:
    """Whether this may be a key or an address with a password that was written into the wrong place: it is never shown."""
    if not isinstance(value, str):
        return False
    return bool(_TOKEN.fullmatch(value) or _ADDRESS.search(value))


def found(value: object) -> str:
    """A value as an error shows it: cut short, and only the kind of a list or map."""
    if isinstance(value, Mapping):
        return "a map"
    if isinstance(value, list | tuple):
        return "a list"
    if may_be_secret(value):
        return f"a text of {len(str(value))} characters, which may be a secret"
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def in_words(kind: str, message: str, context: Mapping[str, Any], value: object) -> str:
    """A value that pydantic refuses with an error of this kind: `found 'two', accepted is a whole number`."""
    meant = None
    if kind == "string_pattern_mismatch":
        accepted, meant = _pattern(context["pattern"]), _fitting(context["pattern"], str(value))
    elif kind in _BOUNDS:
        name, words = _BOUNDS[kind]
        accepted = words.format(context[name])
    elif kind in _ACCEPTED:
        accepted = _ACCEPTED[kind]
        meant = _as_kind(kind, value)
    else:
        accepted = (message[0].lower() + message[1:]).removeprefix("input should be ")
    suggestion = f"; did you mean {meant}?" if meant and not may_be_secret(value) else ""
    return f"found {found(value)}, accepted is {accepted}{suggestion}"


def _pattern(pattern: str) -> str:
    """What a pattern accepts: `lower-case letters, digits and _ -, a letter first, 40 at most`."""
    form = _NAME.fullmatch(pattern)
    if form is None:
        return _PATTERNS.get(pattern, f"text that matches {pattern}")
    first = "a letter first" if "0-9" not in form["first"] else "a letter or digit first"
    most = f", {int(form['more']) + 1} at most" if form["more"] else ""
    letters = "letters" if "A-Z" in form["rest"] else "lower-case letters"
    marks = " ".join(re.sub("a-z|A-Z|0-9", "", form["rest"]))
    return f"{letters}, digits and {marks}, {first}{most}"


def _fitting(pattern: str, value: str) -> str | None:
    """The value, written so that it fits the pattern."""
    lower = value.lower()
    tries = (lower, value.upper(), lower.replace(" ", "_"), lower.replace(" ", "-"), f"https://{value}")
    return next((repr(text) for text in tries if len(text) <= _LONGEST and re.fullmatch(pattern, text)), None)


def _as_kind(kind: str, value: object) -> str | None:
    """The value, written as a text, a list or a number: of `1,000 USD` its number."""
    if kind == "string_type" and isinstance(value, int | float):
        return f"'{value}'"
    if kind in ("tuple_type", "list_type") and isinstance(value, str) and len(value) <= _LONGEST:
        return f"[{value}]"
    if "number" not in _ACCEPTED[kind] or not isinstance(value, str):
        return None
    around = r"[^\d.,%-]{{0,9}}({})[^\d.,%]{{0,9}}"
    number = re.fullmatch(around.format(r"-?\d{1,3}(?:,\d{3})+(?:\.\d+)?|-?\d+(?:\.\d+)?"), value)
    if number is None and (
        german := re.fullmatch(around.format(r"-?\d{1,3}(?:\.\d{3})*,\d{1,2}|-?\d+,\d{1,2}"), value)
    ):
        return german[1].replace(".", "").replace(",", ".")
    return number[1].replace(",", "") if number else None
