"""What single cells of a price page say: an amount in a currency and for a unit, the names of models, a header.

Which cell is which price is `feeds/page.py` and `model_sections.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from pipelines.grouped import ungrouped
from pipelines.meters import METERS_BY_NAME
from pipelines.pages.texts import STRUCK_OUT, heading, plain, without_struck
from pipelines.prices.feed_snapshot import Price, PriceFeedError
from pipelines.prices.meters import LEDGER_UNITS
from pipelines.prices.pages.layout import Column, PageLayout

_CELL = re.compile(
    r"^(?P<sign>[$¥￥€£])?\s*(?P<amount>(?:[1-9]\d{0,2}(?:,\d{3})+|0|[1-9]\d*)(?:\.\d+)?)\s*(?P<word>元|USD|CNY|EUR)?\s*(?:(?:/|\bper\b)\s*(?P<unit>.+))?$"
)
_CURRENCIES = {
    "$": "USD", "USD": "USD", "¥": "CNY", "￥": "CNY", "元": "CNY", "CNY": "CNY", "€": "EUR", "EUR": "EUR", "£": "GBP",
}  # fmt: skip
_MARKS = re.compile(r"(?:\s*(?:[⁰¹²³⁴⁵⁶⁷⁸⁹*†‡§]|\[\^?\d+\]))+$")
"""Marks of footnotes behind a name or a header."""
_NARROW = str.maketrans("（）：，／", "():,/")
_MARKS_OF_AMOUNTS = re.compile(r"(?<=[\da-zA-Z元])\s*(?:[⁰¹²³⁴⁵⁶⁷⁸⁹]+|[*†‡§]+|\[\^?\d{1,2}\])(?=\s*(?:/|元|$))")
_OF_TOKENS = re.compile(
    r"(?P<count>[1-9][\d,]*)?\s*(?:(?P<many>[KM]|[kmKM](?=\s*[Tt]ok)|[Tt]housand|[Mm]illion)\s*(?:[Tt]ok(?:en)?s?)?|[Tt]ok(?:en)?s?)"
)
_MANY = {"": 1, "k": 1_000, "thousand": 1_000, "m": 1_000_000, "million": 1_000_000}
_BINDING = re.compile(
    r"(?i)\b(?:batch|flex|priority|fast|cache[ds]?|peak|long|context|prompts?|regional|until|through|from)\b|[<>≤≥]|批|缓存|折"
)
"""Words of a row that heads others by which these may not be the standard prices."""
_MONEY = re.compile(r"[$¥￥€£]\s*\d|\d\s*(?:元|USD|CNY|EUR)")
_OFF = r"(?:[(（]?\s*-?(?:\d+(?:\.\d+)? ?% ?(?:off|OFF|Off)|[\d.]+ ?折)\s*[)）]?)?"
_FORMER = re.compile(rf"{_OFF}\s*{STRUCK_OUT.pattern}\s*{_OFF}")
"""A price that is crossed out, with what was taken off it: the price next to it is what is charged."""
_MODELS_TOGETHER = re.compile(r"\s+/\s+")


def is_one_of(cell: str, declared: Iterable[str]) -> bool:
    """Whether a cell is one of the texts that a layout states, which may be in the page's notation: `US$0` is read as `$0`."""
    return any(cell in (text, plain(text)) for text in declared)


def without_former(cell: str) -> str:
    """A price cell without the price that is crossed out in it, where another one stands there."""
    left = " ".join(_FORMER.sub(" ", cell).split()) if "~~" in cell else cell
    return left if re.search(r"\d", left) else cell


def without_marks(cell: str) -> str:
    """A price cell without the marks of footnotes behind its amount or its unit."""
    return _MARKS_OF_AMOUNTS.sub("", cell)


def amount_in(layout: PageLayout, column: Column, cell: str, where: str, header: str) -> Decimal:
    """The amount of a cell, which must be in the layout's currency and for the column's quantity.

    Where the layout says that units are stated, one stands behind the amount or in the `header`. Raises PriceFeedError with the
    place and what was found.
    """
    share = re.search(layout.discount, cell) if layout.discount else None
    match = _CELL.match(cell.replace(share[0], "").strip() if share else cell)
    if match is None:
        raise PriceFeedError(f"{where}: expected an amount such as $2.50, found {cell!r}")
    signs = {_CURRENCIES[text] for text in (match["sign"], match["word"]) if text}
    if signs != {layout.currency} and not (layout.bare_amounts and not signs):
        raise PriceFeedError(f"{where}: expected an amount in {layout.currency}, found {cell!r}")
    unit = match["unit"] and _quantity(layout, match["unit"])
    of_header = layout.units_stated and any(per == column.per and name in header for name, per in layout.units.items())
    if unit != column.per and (match["unit"] or (layout.units_stated and not of_header)):
        raise PriceFeedError(
            f"{where}: expected a price for {column.per:,} ({listed(u for u, n in layout.units.items() if n == column.per)}), found {cell!r}"
        )
    return Decimal(ungrouped(match["amount"])) * (_charged(Decimal(share[1])) if share else 1)


def _charged(tenths: Decimal) -> Decimal:
    """The share that is charged: `5` and `7.5` are tenths, and `75` is how many write 7.5."""
    return tenths / (10 if tenths <= 10 else 100)


def _quantity(layout: PageLayout, unit: str) -> int | None:
    """How many units a price is for: as the layout says, or as every page writes a number of tokens (`1M tokens`, `MTok`)."""
    if (declared := layout.units.get(unit.rstrip("0123456789").strip())) is not None:
        return declared
    match = _OF_TOKENS.fullmatch(unit.strip())
    count = ungrouped(match["count"] or "1") if match else ""
    return int(count) * _MANY[(match["many"] or "").lower()] if match and count.isdecimal() else None


def is_no_row(layout: PageLayout, header: Sequence[str], cells: Sequence[str], where: str) -> bool:
    """Whether a row of a table states nothing: it is blank, is the header again, or heads the rows below it.

    A row whose cells all state one price is no head: `2元` has a letter as well.
    Raises PriceFeedError where the words of such a head may bind the prices below it to something (`Batch`).
    """
    said = list(dict.fromkeys(cell for cell in cells if cell))
    if not said or list(map(key, cells)) == list(map(key, header)):
        return True
    words = said[0]
    is_alone = len(said) == 1 and len(header) > 2 and (len(cells) == 1 or all(cells) or not any(cells[1:]))
    is_price = is_one_of(words, layout.free) or bool(_CELL.match(words) or _MONEY.search(words))
    is_head = is_alone and not is_price and bool(re.search(r"[^\W\d_]", words))
    if is_head and _BINDING.search(words):
        raise PriceFeedError(f"{where}: a row that heads those below it: {words!r}")
    return is_head


def columns_not_read(table: Sequence[Sequence[str]], read: Iterable[str], place: str) -> set[str]:
    """A sentence for each column of a table that holds amounts of money and is none of those that are read."""
    known = {key(name) for name in read}
    rows = [cells for cells in table[1:] if len(cells) == len(table[0])]
    return {
        f"{place}: no price is taken from the column {header!r}"
        for at, header in enumerate(table[0])
        if key(header) not in known and any(_MONEY.search(cells[at]) for cells in rows)
    }


def price_of(layout: PageLayout, column: Column, amount: Decimal, locator: str, text: str) -> Price:
    """The price that a column's declaration makes of an amount; of no model yet."""
    return Price(
        provider=layout.provider,
        raw_model="",
        meter=column.meter,
        unit=LEDGER_UNITS[column.meter],
        unit_price=amount,
        pricing_quantity=column.per,
        source_locator=locator,
        extracted_text=text,
        service_tier=column.service_tier,
        context_from_tokens=column.context_from_tokens,
        context_bound=column.context_bound,
        reasoning_mode=column.reasoning_mode,
        pricing_currency=layout.currency,
    )


def model_names(layout: PageLayout, text: str) -> tuple[str, ...]:
    """`Claude Sonnet 4.6 / 4.5` names two models: a later part that is only a version takes the words before the first's."""
    for pattern in layout.drop_from_names:
        text = re.sub(pattern, "", text)
    text = plain(without_struck(text))
    text = next((more + text for begins, more in layout.prefixes.items() if text.startswith(begins)), text)
    first, *others = (_MARKS.sub("", part) for part in _MODELS_TOGETHER.split(text))
    stem, _, _ = first.rpartition(" ")
    if not stem:
        return (first,) * bool(first)
    whole = first.partition(" ")[0]
    return (first, *(other if other.startswith(whole) else f"{stem} {other}" for other in others))


What = tuple[str, str, str, int, str, str, str, datetime | None, datetime | None]


def what(price: Price) -> What:
    """The thing that has one price on a page."""
    return (
        price.raw_model, price.meter, price.service_tier, price.context_from_tokens, price.region, price.time_window,
        price.reasoning_mode, price.valid_from, price.valid_to,
    )  # fmt: skip


def refuse_twice(prices: Sequence[Price]) -> None:
    """Two tables may state one price, but not two amounts for the same thing. Raises PriceFeedError with both places."""
    seen: dict[What, Price] = {}
    for price in prices:
        first = seen.setdefault(what(price), price)
        if first.unit_price != price.unit_price:
            raise PriceFeedError(
                f"{price.raw_model}, {price.meter}: {first.extracted_text!r} at {first.source_locator} and "
                f"{price.extracted_text!r} at {price.source_locator}"
            )


def refuse_fallen(layout: PageLayout, prices: Sequence[Price], place: str) -> None:
    """Refuses prices of one row or model that fall where they never do, because then columns changed places.

    That is along the meters of `ordered`, with the prompt size, with thinking, and in hours that the layout says are dearer.
    """
    known = {_tier(price): price for price in prices}
    dearer = any(hours.dearer for hours in layout.hours.values())
    pairs: list[tuple[Price | None, Price]] = []
    for price in prices:
        tier = _tier(price)
        pairs.append((known.get(tier._replace(context_from_tokens=0)), price))
        pairs.append((known.get(tier._replace(reasoning_mode="non_thinking")), price))
        if dearer:
            pairs.append((known.get(tier._replace(time_window="")), price))
        for meters in layout.ordered:
            if price.meter in meters:
                below = meters[: meters.index(price.meter)]
                pairs += [(known.get(tier._replace(meter=meter, reasoning_mode="")), price) for meter in below]
        most = layout.at_most.get(price.meter)
        usual = known.get(tier._replace(meter="input_uncached", reasoning_mode="")) if most is not None else None
        if usual is not None and most is not None:
            pairs.append((price._replace(unit_price=price.unit_price / most), usual))
    for lower, higher in pairs:
        if lower is not None and lower.unit_price > higher.unit_price:
            raise PriceFeedError(
                f"{place}: {lower.meter} at {lower.extracted_text!r} should not be dearer than {higher.meter} at "
                f"{higher.extracted_text!r}: the columns have changed places"
            )


class _Tier(NamedTuple):
    """What `what` says of a price, without its model and region."""

    meter: str
    service_tier: str
    context_from_tokens: int
    time_window: str
    reasoning_mode: str
    valid_from: datetime | None
    valid_to: datetime | None


def _tier(price: Price) -> _Tier:
    return _Tier(
        price.meter, price.service_tier, price.context_from_tokens, price.time_window, price.reasoning_mode,
        price.valid_from, price.valid_to,
    )  # fmt: skip


def refuse_headless(prices: Sequence[Price], place: str) -> None:
    """Refuses a row that has a price for cached input or for output, but none for input: its columns changed places."""
    inputs = {_tier(price) for price in prices if price.meter == "input_uncached"}
    for price in prices:
        is_token = price.meter in METERS_BY_NAME and not price.context_from_tokens
        if is_token and _tier(price)._replace(meter="input_uncached", reasoning_mode="") not in inputs:
            raise PriceFeedError(f"{place}: {price.meter} at {price.extracted_text!r}, but no price for input")


def refuse_dear_batches(prices: Sequence[Price]) -> None:
    """Refuses a page on which a batch is dearer than the standard tier, or priority cheaper: tables changed places."""
    standard = {what(price): price for price in prices if price.service_tier == "standard"}
    for price in prices:
        sign = {"batch": 1, "flex": 1, "priority": -1, "fast": -1}.get(price.service_tier)
        usual = None if sign is None else standard.get(what(price._replace(service_tier="standard")))
        if usual is not None and sign is not None and sign * (price.unit_price - usual.unit_price) > 0:
            raise PriceFeedError(
                f"{price.raw_model}, {price.meter}: {price.service_tier} at {price.extracted_text!r} ({price.source_locator}) "
                f"next to standard at {usual.extracted_text!r} ({usual.source_locator}): the tables have changed places"
            )


@lru_cache(4096)
def key(text: str) -> str:
    """What two spellings of one header share: pages change case, spaces, line breaks, footnotes, `&` and the width of
    brackets and commas as they please."""
    return _MARKS.sub("", plain(text)).lower().replace(" ", "").replace("&", "and").translate(_NARROW)


@lru_cache(4096)
def heading_key(text: str) -> str:
    """The same of a heading, which may have a number or a sign before it, in a layout as on its page."""
    return key(heading(text))


def listed(names: Iterable[str]) -> str:
    """Names for an error message."""
    return ", ".join(map(repr, list(names)[:20])) or "nothing"
