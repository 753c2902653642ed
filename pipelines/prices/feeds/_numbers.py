"""JSON as price feeds write it: amounts keep their digits, and a number that no one can use costs itself, not its file.

The readers know what a number is the price of.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from pipelines.outside import worded
from pipelines.prices.feed_snapshot import PriceFeedError

_LONGEST_INTEGER = 18
_DEEPEST_WRAPPER = 3
"""Objects that a tool puts around what it saved (`{"fetched": {"body": ...}}`)."""


def feed_json(content: bytes, problems: set[str]) -> Any:  # noqa: ANN401 - whatever JSON holds
    """The value of a JSON file. Raises PriceFeedError where it is none, or is nested deeper than any feed.

    Fractions are Decimal; so are integers of more than 18 digits, which no count has. What is no number (`NaN`, an exponent
    beyond Decimal) is Decimal NaN, which `as_amount` refuses. Of a key that stands twice in one object with different
    values the last counts, and `problems` names it.
    """

    def whole(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            twice = {key for key, value in pairs if value != found[key]}
            problems.update(
                f"{key[:200]}: stands twice in one object with different values; the last one counts" for key in twice
            )
        return found

    try:
        return json.loads(
            content, parse_float=_number, parse_int=_integer, parse_constant=_number, object_pairs_hook=whole
        )
    except RecursionError:
        raise PriceFeedError("nested too deeply") from None
    except ValueError as error:
        raise PriceFeedError(f"not JSON: {worded(error)}") from None


def unwrapped(document: Any, fits: Callable[[Any], bool], problems: set[str]) -> Any:  # noqa: ANN401 - whatever JSON holds
    """The value in a document that `fits` a format: the whole, or what a tool that saved it kept under a key, as JSON or as its text.

    Raises PriceFeedError where several fit that differ, such as the feed of two days: they have one date in the landing zone.
    """
    found = list(_fitting(document, fits, problems, _DEEPEST_WRAPPER))
    if any(other != found[0] for other in found[1:]):
        raise PriceFeedError(
            f"holds the feed {len(found)} times with different content: land each in a file of its own"
        )
    return found[0] if found else document


def _fitting(value: Any, fits: Callable[[Any], bool], problems: set[str], deep: int) -> Iterator[Any]:  # noqa: ANN401 - whatever JSON holds
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            value = feed_json(value.encode(), problems)
        except PriceFeedError:
            return
    if fits(value):
        yield value
    elif deep and isinstance(value, Mapping):
        for held in value.values():
            yield from _fitting(held, fits, problems, deep - 1)


def _number(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal("NaN")


def _integer(text: str) -> int | Decimal:
    return int(text) if len(text) <= _LONGEST_INTEGER else _number(text)


def bound_of(value: object) -> int | None:
    """A size in tokens, also as text (`200000`, `200k`) or with decimals that are zero; None if it is none.

    A tier whose bound is not read leaves long prompts at the price of short ones.
    """
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        return None
    match = _SIZE.fullmatch(str(value).strip())
    return int(match[1].replace(",", "")) * {"": 1, "k": 1_000, "m": 1_000_000}[match[2].lower()] if match else None


_SIZE = re.compile(r"(\d+|\d{1,3}(?:,\d{3})+)(?:\.0+)?\s*([kKmM]?)")
