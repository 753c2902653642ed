"""Small feeds for tests of ledger, rate card and rating: snapshots built from a few prices, and a registry of their names."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from pipelines.config.models import ModelsConfig
from pipelines.config.sources import PriceFeed
from pipelines.ids import id_bytes
from pipelines.models import Registry, build_registry
from pipelines.prices import FeedSnapshot, feed_names
from pipelines.prices.feed_snapshot import Price, price_frame

FEED = PriceFeed(feed="list", format="litellm_map", precedence=30)
DATED = PriceFeed(feed="dated", format="genai_prices", precedence=20)


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def price(usd_per_mtok: str, meter: str = "input_uncached", **other: Any) -> Price:
    """USD per million tokens of model m at seller acme, unless stated otherwise."""
    fields: dict[str, Any] = {
        "provider": "acme",
        "raw_model": "m",
        "meter": meter,
        "unit": "token",
        "unit_price": Decimal(usd_per_mtok),
        "pricing_quantity": 1_000_000,
        "source_locator": f"/m/{meter}",
        "extracted_text": usd_per_mtok,
    }
    return Price(**fields | other)


def snapshot(at: str, *prices: Price, feed: PriceFeed = FEED) -> FeedSnapshot:
    return FeedSnapshot(
        feed=feed.feed,
        format=feed.format,
        snapshot_id=id_bytes("test", feed.feed, at),
        observed_at=day(at),
        parser_version="test-1",
        lines=len(prices),
        valid=len(prices),
        prices=price_frame(prices),
    )


def registry_of(snapshots: Sequence[FeedSnapshot], config: ModelsConfig | None = None) -> Registry:
    return build_registry(config or ModelsConfig(), feed_names(snapshots))
