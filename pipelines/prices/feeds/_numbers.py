"""JSON as price feeds write it: amounts keep their digits, and a number that no one can use costs itself, not its file.

The readers know what a number is the price of.
"""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from typing import Any

from pipelines.outside import worded
from pipelines.prices.feed_snapshot import PriceFeedError

_LONGEST_INTEGER = 18


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


def _number(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal("NaN")


def _integer(text: str) -> int | Decimal:
    return int(text) if len(text) <= _LONGEST_INTEGER else _number(text)
