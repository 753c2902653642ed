"""What a page says in words about when a price holds: prompt sizes and dates, next to a model's name or an amount.

The patterns are declared by the layout (`layout.py`); reading tables is `feeds/page.py`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from pipelines.grouped import ungrouped
from pipelines.prices.feed_snapshot import Price, PriceFeedError

_DAYS = ("%B %d, %Y", "%b %d, %Y", "%b. %d, %Y", "%d %B %Y", "%Y-%m-%d")
_COUNT = re.compile(r"^(\d[\d,]*(?:\.\d+)?)\s*([kKmM]?)$")
_FACTORS = {"": 1, "k": 1_000, "m": 1_000_000}
_SIZE, _OF_WHAT = (
    r"\d[\d,.]*\s?[kKmM]?",
    r"(?:\s(?:(?:input|prompt|context)\s)?(?:tokens?|context(?: length)?|prompts?|inputs?))?",
)
_DATE = r"[A-Z][a-z]+\.? \d{1,2}, \d{4}|\d{4}-\d{2}-\d{2}"
_WORDS = r"(?i:for |with )?(?i:prompts?|inputs?|context|tokens?)?\s?"
IN_BRACKETS = (
    rf"[(（\[]\s*{_WORDS}(?:>|(?i:over|above|more than))\s?(?P<above>{_SIZE}){_OF_WHAT}\s*[)）\]]",
    rf"[(（\[]\s*{_WORDS}(?:<=|≤|(?i:up to))\s?(?P<up_to>{_SIZE}){_OF_WHAT}\s*[)）\]]",
    rf"[(（\[]\s*{_WORDS}(?:<|(?i:under|below|less than))\s?(?P<below>{_SIZE}){_OF_WHAT}\s*[)）\]]",
    rf"[(（\[]\s*(?i:valid )?(?i:through|until|till)\s(?P<through>{_DATE})\s*[)）\]]",
    rf"[(（\[]\s*(?i:starting|beginning|effective|from|as of)(?i: on)?\s(?P<starting>{_DATE})\s*[)）\]]",
)
"""What stands in brackets behind a name and has one meaning on every page: prompt sizes and days."""
_MORE = re.compile(
    r"(?i)[<>≤≥]|\s[–—]\s|[(（\[].*(?:batch|flex|priority|fast|slow|context|prompt|token|cache|think|reason|region|residen|"
    r"only|until|through|from|promo|introduc|free|off\b|peak|批|缓存|思考|折)"
)
"""Words in a name that bind its prices to something."""


class Conditions(NamedTuple):
    """Under what a price holds: prompts above a size and below another, from a day on, through a day."""

    context_from_tokens: int = 0
    context_to_tokens: int | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None

    def put_on(self, price: Price) -> Price:
        """`price` under these conditions and those that it has."""
        if self.context_from_tokens:
            price = price._replace(context_from_tokens=self.context_from_tokens, context_bound="gt")
        if self.context_to_tokens is not None and price.context_from_tokens < self.context_to_tokens:
            price = price._replace(context_to_tokens=self.context_to_tokens)
        if self.valid_from is not None:
            price = price._replace(valid_from=self.valid_from, date_basis="announced")
        return price if self.valid_to is None else price._replace(valid_to=self.valid_to)


def hints_at_more(name: str) -> bool:
    """Whether what is left of a name seems to bind its price to something: a size, a tier, a place, a day."""
    return bool(_MORE.search(name))


def conditions_in(text: str, patterns: Sequence[str]) -> tuple[Conditions, str]:
    """The conditions that `patterns` find in `text`, and what is left of it.

    `through` is the last day on which a price holds, `starting` the first; `above` the prompt size above which it holds,
    `up_to` the one up to which it does, `below` the first one for which it no longer does. Raises PriceFeedError for a day or a size
    that can't be read, and for two that contradict each other.
    """
    found: dict[str, str] = {}
    for pattern in patterns:
        for match in re.finditer(pattern, text):
            for name, value in match.groupdict().items():
                if value is not None and found.setdefault(name, value) != value:
                    raise PriceFeedError(f"{name} is both {found[name]!r} and {value!r} in {text!r}")
        text = re.sub(pattern, " ", text)
    above = _count(found["above"]) if "above" in found else 0
    to = _count(found["below"]) if "below" in found else _count(found["up_to"]) + 1 if "up_to" in found else None
    start = _day(found["starting"]) if "starting" in found else None
    end = _day(found["through"]) + timedelta(days=1) if "through" in found else None
    return Conditions(above, to, start, end), " ".join(text.split())


def _day(text: str) -> datetime:
    for form in _DAYS:
        try:
            return datetime.strptime(" ".join(text.split()), form).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise PriceFeedError(f"expected a day such as December 31, 2026, found {text!r}")


def _count(text: str) -> int:
    match = _COUNT.match(text.strip())
    if match is None or "," in ungrouped(match[1]):
        raise PriceFeedError(f"expected a number of tokens such as 200k, found {text!r}")
    return int(float(ungrouped(match[1])) * _FACTORS[match[2].lower()])
