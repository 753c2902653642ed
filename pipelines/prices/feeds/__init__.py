"""Readers of price feeds, one module per format: bytes of one file in, `Parsed` out.

A reader knows its format and nothing of history or of canonical models; `pipelines.prices.ledger` does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.prices.feed_snapshot import Parsed
from pipelines.prices.feeds import (
    azure_retail,
    genai_prices,
    litellm_map,
    llm_prices,
    models_dev,
    openrouter_models,
    page,
    price_sheet,
)

Reader = Callable[[bytes, Mapping[str, Any]], Parsed]


@dataclass(frozen=True)
class FeedFormat:
    """A reader and its version; the version changes whenever the same bytes would give other prices."""

    read: Reader
    version: str


FORMATS: dict[str, FeedFormat] = {
    "azure_retail": FeedFormat(azure_retail.read, "1"),
    "genai_prices": FeedFormat(genai_prices.read, "1"),
    "litellm_map": FeedFormat(litellm_map.read, "3"),
    "llm_prices": FeedFormat(llm_prices.read, "2"),
    "models_dev": FeedFormat(models_dev.read, "2"),
    "openrouter_models": FeedFormat(openrouter_models.read, "2"),
    "page": FeedFormat(page.read, "2"),
    "price_sheet": FeedFormat(price_sheet.read, "1"),
}
"""Format name of sources.yaml to its reader."""
