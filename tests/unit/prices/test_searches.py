"""Hand-worked costs of searches: by the search, or once by the prompt for which they were run, never both."""

from __future__ import annotations

import json
from decimal import Decimal

import polars as pl

from pipelines.prices.feeds import FORMATS
from tests.unit.prices.test_rating import always, call, card_of, costs, one

BY_SEARCH = always("14", "web_search", unit="search", pricing_quantity=1_000)
BY_PROMPT = always("35", "grounded_prompt", unit="request", pricing_quantity=1_000)


def test_a_grounded_prompt_is_charged_once_however_often_it_searched() -> None:
    """A million tokens at 1 USD, and 35 USD per 1,000 prompts that searched."""
    card = card_of(always("1"), BY_PROMPT)
    calls = [call(input_uncached=1_000_000, web_search_count=searches) for searches in (0, 1, 7)]
    assert costs(card, *calls) == [Decimal(1), Decimal("1.035"), Decimal("1.035")]


def test_searches_are_charged_by_the_search_or_by_the_prompt() -> None:
    """What the feed that goes first says, and never both: 3 searches at 14 USD per 1,000, or one prompt at 35."""
    searched = call(input_uncached=1_000_000, web_search_count=3)
    assert costs(card_of(always("1"), BY_SEARCH, others=(BY_PROMPT,)), searched) == [Decimal("1.042")]
    card = card_of(always("1"), BY_PROMPT, others=(BY_SEARCH,))
    assert costs(card, searched) == [Decimal("1.035")]
    assert card["web_search_usd_per_million"].null_count() == card.height
    standard = card.filter(pl.col("service_tier") == "standard")
    assert sorted(json.loads(standard["price_ids"][0])) == ["grounded_prompt", "input_uncached"]


def test_a_search_without_any_price_leaves_the_request_unpriced() -> None:
    assert one(card_of(always("1")), input_uncached=1, web_search_count=1)["unpriced_reason"] == "no_rate_for_meter"


def test_the_map_charges_geminis_prompts_unless_it_says_searches() -> None:
    cost = {"search_context_cost_per_query": {"search_context_size_medium": 0.035}}
    entries = {
        "gemini/gemini-2.5-flash": {"litellm_provider": "gemini", **cost},
        "gemini/gemini-3-pro": {"litellm_provider": "gemini", "web_search_billing_unit": "per_query", **cost},
        "gemini-2.5-pro": {"litellm_provider": "vertex_ai-language-models", **cost},
        "vertex_ai/claude-x": {"litellm_provider": "vertex_ai-anthropic_models", **cost},
    }
    found = FORMATS["litellm_map"].read(json.dumps(entries).encode(), {}).prices
    assert [price.meter for price in found] == ["grounded_prompt", "web_search", "grounded_prompt", "web_search"]
    assert {price.unit for price in found} == {"request", "search"}
