"""Prices that a page states in words: in a sentence or a row for every model, and for names that cost the same as another.

Rows of tables are `feeds/page.py`; sentences by which prices follow from others are `factors.py`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from pipelines.pages.sections import PageSection
from pipelines.prices.feed_snapshot import Price, PriceFeedError
from pipelines.prices.pages.cells import heading_key, price_of, without_former
from pipelines.prices.pages.layout import Column, PageLayout, Phrase


def also_named(layout: PageLayout, found: Sequence[PageSection], prices: Sequence[Price]) -> list[Price]:
    """The prices of models under names that a note says cost the same; a name with prices of its own keeps them."""
    known = {price.raw_model for price in prices}
    named = {
        (name, other.model)
        for other in layout.also_named
        for page in found
        for match in re.finditer(other.pattern, page.text)
        for name in re.findall(other.name, match["names"])
    }
    return [
        price._replace(raw_model=name)
        for name, model in sorted(named)
        if name not in known
        for price in prices
        if price.raw_model == model
    ]


def phrase_prices(
    layout: PageLayout, phrase: Phrase, found: Sequence[PageSection], models: Sequence[str], problems: set[str]
) -> list[Price]:
    """The price that a phrase states, for each of `models`; none where the page states several, which is named."""
    texts = [
        "\n".join([page.text, *(" | ".join(map(without_former, row)) for table in page.tables for row in table)])
        for page in found
        if phrase.heading == "*" or heading_key(page.heading) == heading_key(phrase.heading)
    ]
    matches = [match for text in texts for match in re.finditer(phrase.pattern, text)]
    amounts = {match["amount"] for match in matches}
    if not amounts and not phrase.required:
        reworded = next((match for text in texts for match in re.finditer(phrase.hint, text)), None)
        if reworded is not None:
            problems.add(f"section {phrase.heading!r}: a price of {phrase.meter} in other words: {reworded[0]!r}")
        return []
    if len(amounts) > 1:
        stated = ", ".join(sorted(amounts))
        problems.add(f"section {phrase.heading!r}: several prices of {phrase.meter}, {stated}: none is taken")
        return []
    if not amounts:
        raise PriceFeedError(
            f"section {phrase.heading!r}: expected one amount for {phrase.meter} by {phrase.pattern!r}, found nothing"
        )
    column = Column(meter=phrase.meter, per=phrase.per)
    price = price_of(layout, column, Decimal(amounts.pop()), f"section {phrase.heading!r}, text", matches[0][0])
    return [price._replace(raw_model=model) for model in models]
