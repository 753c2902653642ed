"""Refuses prices that no one charges: a unit mistake of a feed must not become a bill.

Such mistakes are entries whose price per million was written as the price of one. What a person states in a price
sheet is taken at its word. Holding back whole pages is `review.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from pipelines.prices.feed_snapshot import LARGEST_COUNT, Price, is_chargeable, usd_per_million

HIGHEST = {"token": Decimal(1_000), "search": Decimal(1_000_000)}
"""USD per million units: 1,000 for tokens (the dearest sold so far cost 600), one dollar each for searches."""


def chargeable(prices: Sequence[Price]) -> tuple[list[Price], set[str]]:
    """The prices whose numbers the ledger can hold, and in words what was refused: products of factors, bounds in tokens."""
    refused = [price for price in prices if not _fits(price)]
    problems = {
        f"{price.raw_model}: {price.meter} at {price.source_locator}: no amount or bound in tokens that can be charged"
        for price in refused
    }
    return [price for price in prices if _fits(price)] if refused else list(prices), problems


def _fits(price: Price) -> bool:
    bounds = (price.context_from_tokens, price.context_to_tokens or 0)
    return is_chargeable(price.unit_price) and all(0 <= bound <= LARGEST_COUNT for bound in bounds)


def plausible(prices: Sequence[Price]) -> tuple[list[Price], set[str]]:
    """The prices that can be, and in words what was refused.

    Where one price of a model is too high, all of the same unit are refused, for they share the mistake: an output at
    540,000 USD per million tokens makes the cached input at 40 doubtful, too. Prices in other currencies
    than USD are not judged.
    """
    worst: dict[tuple[str, str, str], tuple[Decimal, Price]] = {}
    for price in prices:
        usd, limit = usd_per_million(price), HIGHEST.get(price.unit)
        sold = (price.provider, price.raw_model, price.unit)
        if usd is not None and limit is not None and usd > max(limit, worst.get(sold, (limit, price))[0]):
            worst[sold] = (usd, price)
    problems = {
        f"{price.raw_model}: {price.meter} at {usd.normalize():,f} USD per million is more than {HIGHEST[price.unit]:,}; its "
        f"prices per {price.unit} are not used (a price_sheet may state them)"
        for usd, price in worst.values()
    }
    return [price for price in prices if (price.provider, price.raw_model, price.unit) not in worst], problems
