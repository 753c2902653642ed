"""29 real revisions of Anthropic's price page: read, replayed in any order, and checked by hand."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from pipelines.config import load_config
from pipelines.config.sources import PriceFeed
from pipelines.models import Registry, build_registry
from pipelines.prices import FeedSnapshot, build_ledger, build_rate_card, feed_names, parse_feed, price_changes, rate
from tests.unit.prices.landed import landed_file
from tests.unit.prices.ledger_checks import assert_sound
from tests.unit.prices.requests_frame import requests_frame

PAGE = PriceFeed(feed="anthropic_page", format="page", precedence=10, options={"layout": "anthropic"})


@pytest.fixture(scope="module")
def revisions(shared_data: Path) -> list[FeedSnapshot]:
    files = sorted((shared_data / "prices" / "anthropic_page").glob("*.md"))
    assert len(files) == 29
    return [parse_feed(landed_file(path, "anthropic_page"), PAGE) for path in files]


@pytest.fixture(scope="module")
def registry(revisions: list[FeedSnapshot]) -> Registry:
    return build_registry(load_config(None).models, feed_names(revisions))


@pytest.fixture(scope="module")
def ledger(revisions: list[FeedSnapshot], registry: Registry) -> pl.DataFrame:
    return build_ledger(PAGE, revisions, registry)


def test_every_revision_is_understood_whole(revisions: list[FeedSnapshot]) -> None:
    assert [item.not_understood for item in revisions] == [()] * 29


@pytest.mark.parametrize("seed", [None, 1, 2])
def test_any_order_gives_the_same_ledger(
    revisions: list[FeedSnapshot], registry: Registry, ledger: pl.DataFrame, seed: int | None
) -> None:
    other = list(reversed(revisions))
    if seed is not None:
        random.Random(seed).shuffle(other)
    assert build_ledger(PAGE, other, registry).equals(ledger)
    assert_sound(ledger)


def test_a_page_and_a_feed_meet_in_one_model(ledger: pl.DataFrame) -> None:
    assert {"claude-sonnet-4-5", "claude-3-7-sonnet", "claude-opus-4-1", "claude-3-haiku"} <= set(ledger["model_id"])
    assert all(name == name.lower() and " " not in name for name in ledger["model_id"])


@pytest.mark.parametrize(
    ("day", "model", "call", "usd"),
    [
        # Read from the revisions by hand. Opus 4.5 from 2025-11-25: 5 in, 25 out.
        ("2025-11-26", "claude-opus-4-5", {"input_uncached": 1_000_000, "output_text": 1_000_000}, "30"),
        # Sonnet 4.5 above 200,000: 6 in, 22.50 out, and cache reads move with the input price: 0.60.
        ("2026-01-20", "claude-sonnet-4-5", {"input_uncached": 200_001, "output_text": 1_000_000}, "23.700006"),
        ("2026-01-20", "claude-sonnet-4-5", {"input_cache_read": 1_000_000}, "0.6"),
        ("2026-01-20", "claude-sonnet-4-5", {"input_uncached": 200_000}, "0.6"),
        # Opus 4.6 lost its long-prompt price in the revision of 2026-03-14.
        ("2026-03-12", "claude-opus-4-6", {"input_uncached": 300_000}, "3"),
        ("2026-03-15", "claude-opus-4-6", {"input_uncached": 300_000}, "1.5"),
        # In a batch, half: 7.50 and 37.50 for Opus 4.1, and half of the cache prices 1.50 and 18.75.
        ("2026-04-20", "claude-opus-4-1", {"service_tier": "batch", "input_uncached": 1_000_000, "input_cache_read": 1_000_000, "input_cache_write_5m": 1_000_000}, "17.625"),
        # Haiku 3 breaks the rule of multiples (0.03 and not 0.025): half of what stands in the table.
        ("2026-04-20", "claude-3-haiku", {"service_tier": "batch", "input_cache_read": 1_000_000}, "0.015"),
        ("2026-04-20", "claude-opus-4-6", {"service_tier": "fast", "input_uncached": 1000, "output_text": 1000}, "0.18"),
        ("2026-04-20", "claude-opus-4-7", {"input_uncached": 1, "web_search_count": 1000}, "10.000005"),
    ],
)  # fmt: skip
def test_prices_as_the_page_states_them(
    ledger: pl.DataFrame, day: str, model: str, call: dict[str, object], usd: str
) -> None:
    at = datetime.fromisoformat(day).replace(tzinfo=UTC)
    request = {"provider_id": "anthropic", "model_id": model, "event_at": at, **call}
    rated = rate(requests_frame([request]), build_rate_card(ledger, [PAGE]))
    assert rated["list_cost_usd"].to_list() == [Decimal(usd)]


def test_a_model_that_left_the_page_is_closed_as_removed(ledger: pl.DataFrame) -> None:
    """Compared line by line, no amount changes in the 29 revisions: what moves is which models and tiers they name."""
    assert price_changes(ledger).is_empty()
    assert dict(ledger["supersede_reason"].drop_nulls().value_counts().iter_rows()) == {"source_removed": 81}
    # Of these 45 follow from others by a sentence of the page: batches of long prompts, and everything once more in the US.
    assert ledger.filter(pl.col("usd_per_million") == 0).is_empty()


LONG, SHORT = 300_000, 1_000
MATRIX = [
    (tier, region, size, cache)
    for tier in ("standard", "batch", "fast")
    for region in ("", "us")
    for size in (SHORT, LONG)
    for cache in ("input_uncached", "input_cache_read", "input_cache_write_5m", "input_cache_write_1h")
]


@pytest.mark.parametrize(("tier", "region", "size", "cache"), MATRIX)
def test_modifiers_multiply_as_the_page_says(
    ledger: pl.DataFrame, tier: str, region: str, size: int, cache: str
) -> None:
    """Opus 4.6 on 20 February 2026: 5 and 25, above 200,000 tokens 10 and 37.50; fast 30 and 150, long 60 and 225."""
    prices = {SHORT: (Decimal(5), Decimal(25)), LONG: (Decimal(10), Decimal("37.5"))}
    fast = {SHORT: (Decimal(30), Decimal(150)), LONG: (Decimal(60), Decimal(225))}
    read, written = (fast if tier == "fast" else prices)[size]
    of_cache = {"input_cache_read": "0.1", "input_cache_write_5m": "1.25", "input_cache_write_1h": "2"}
    times = (Decimal("0.5") if tier == "batch" else 1) * (Decimal("1.1") if region else 1)
    expected = (read * Decimal(of_cache.get(cache, "1")) * size + written * 1000) * times / 1_000_000
    call = {"provider_id": "anthropic", "model_id": "claude-opus-4-6", "service_tier": tier, "region": region}
    call |= {"event_at": datetime(2026, 2, 20, tzinfo=UTC), cache: size, "output_text": 1000}
    rated = rate(requests_frame([call]), build_rate_card(ledger, [PAGE]))
    assert rated["list_cost_usd"].to_list() == [expected]


def test_the_batch_discount_applies_to_long_prompts(ledger: pl.DataFrame) -> None:
    """0.3 million tokens at half of 6 USD and 0.01 at half of 22.50; 0.525 was charged, half of the price of short ones."""
    call = {"provider_id": "anthropic", "model_id": "claude-sonnet-4-5", "service_tier": "batch"}
    call |= {"event_at": datetime(2026, 2, 20, tzinfo=UTC), "input_uncached": 300_000, "output_text": 10_000}
    rated = rate(requests_frame([call]), build_rate_card(ledger, [PAGE]))
    assert rated["list_cost_usd"].to_list() == [Decimal("1.0125")]
    text = ledger.filter(model_id="claude-sonnet-4-5", service_tier="batch", context_from_tokens=200_000)[
        "extracted_text"
    ]
    assert text.str.contains("applies to long context pricing").all()
