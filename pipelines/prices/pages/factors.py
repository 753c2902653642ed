"""Prices that a page does not tabulate but says follow from others: modifiers multiply, by a sentence on the page.

The batch discount applies to long prompts, and a data residency to everything. What a layout declares is `Factor` in
`layout.py`; prices that move with the input price of their row are in `feeds/page.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

from pipelines.pages.sections import PageSection
from pipelines.prices.feed_snapshot import Price
from pipelines.prices.pages.cells import what
from pipelines.prices.pages.layout import Factor, PageLayout


def composed(layout: PageLayout, found: Sequence[PageSection], prices: Sequence[Price]) -> list[Price]:
    """`prices` and what the layout's factors make of them, in their order; a price that the page tabulates wins."""
    known = list(prices)
    for factor in layout.factors:
        said = next((match for page in found if (match := re.search(factor.pattern, page.text))), None)
        if said is not None:
            stated = {what(price) for price in known}
            known += [price for price in _made(factor, said, known) if what(price) not in stated]
    return known


def _made(factor: Factor, said: re.Match[str], prices: Sequence[Price]) -> Iterator[Price]:
    by_thing = {what(price): price for price in prices}
    for price in prices:
        if price.unit != "token" or price.region or not re.search(factor.models, price.raw_model):
            continue
        for region in factor.regions:
            times = _times(said)
            text = f"{price.extracted_text} times {times}: {said[0]}"
            yield price._replace(region=region, unit_price=price.unit_price * times, extracted_text=text)
        if factor.service_tier and price.service_tier == "standard" and price.context_from_tokens:
            short = price._replace(context_from_tokens=0)
            usual = by_thing.get(what(short))
            tier = by_thing.get(what(short._replace(service_tier=factor.service_tier)))
            if usual is not None and tier is not None and usual.unit_price:
                text = f"{price.extracted_text} times {tier.extracted_text} over {usual.extracted_text}: {said[0]}"
                amount = price.unit_price * tier.unit_price / usual.unit_price
                yield price._replace(service_tier=factor.service_tier, unit_price=amount, extracted_text=text)


def _times(said: re.Match[str]) -> Decimal:
    groups = said.groupdict()
    return Decimal(groups["factor"]) if "factor" in groups else 1 + Decimal(groups["percent"]) / 100
