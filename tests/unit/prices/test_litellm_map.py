"""LiteLLM's map as it is written since autumn 2026: hours off the peak, multipliers, aliases, tiers in either order."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from pipelines.config.sources import PriceFeed
from pipelines.prices import build_ledger, build_rate_card, rate
from pipelines.prices.feed_snapshot import Parsed, price_frame
from pipelines.prices.feeds import FORMATS
from tests.unit.prices.feeds import registry_of, snapshot
from tests.unit.prices.requests_frame import requests_frame

MAP = PriceFeed(feed="map", format="litellm_map")


def read(**entry: Any) -> Parsed:
    return FORMATS["litellm_map"].read(json.dumps({"m": {"litellm_provider": "acme", **entry}}).encode(), {})


def stated(**entry: Any) -> set[tuple[str, str, str, str]]:
    return {(p.meter, p.service_tier, p.region, f"{p.unit_price.normalize():f}") for p in read(**entry).prices}


def test_a_tier_and_a_bound_stand_in_either_order() -> None:
    columns = {
        "input_cost_per_token_flex_above_272k_tokens": 5e-6,
        "input_cost_per_token_above_272k_tokens_flex": 5e-6,
        "cache_creation_input_token_cost_above_1hr_above_200k_tokens": 15e-6,
        "cache_creation_input_token_cost_above_1hr_fast": 60e-6,
        "input_cost_per_token_above_120_tokens": 3e-6,
    }
    found = {(p.meter, p.service_tier, p.context_from_tokens) for p in read(**columns).prices}
    assert found == {
        ("input_uncached", "flex", 272_000), ("input_cache_write_1h", "standard", 200_000),
        ("input_cache_write_1h", "fast", 0), ("input_uncached", "standard", 120),
    }  # fmt: skip
    assert not read(**columns).not_understood


def test_multipliers_give_every_token_price_once_more() -> None:
    """Opus at 5 and 25 per million: six times that in fast mode, a tenth more in the United States, and both together."""
    entry = {
        "input_cost_per_token": 5e-6, "input_cost_per_token_batches": 2.5e-6, "input_cost_per_request": 0.01,
        "provider_specific_entry": {"us": 1.1, "fast": 6.0},
    }  # fmt: skip
    assert stated(**entry) == {
        ("input_uncached", "standard", "", "0.000005"), ("input_uncached", "standard", "us", "0.0000055"),
        ("input_uncached", "batch", "", "0.0000025"), ("input_uncached", "batch", "us", "0.00000275"),
        ("input_uncached", "fast", "", "0.00003"), ("input_uncached", "fast", "us", "0.000033"),
        ("request", "standard", "", "0.01"),
    }  # fmt: skip
    residency = {"input_cost_per_token": 2e-6, "regional_processing_uplift_multiplier_eu": 1.1}
    assert stated(**residency) == {
        ("input_uncached", "standard", "", "0.000002"), ("input_uncached", "standard", "eu", "0.0000022"),
    }  # fmt: skip
    assert read(input_cost_per_token=1e-6, provider_specific_entry={"us": "much"}).not_understood == {
        "m: a multiplier 'us': expected an amount of zero or more, found 'much'"
    }


@pytest.mark.parametrize(
    ("column", "region"),
    [
        ("regional_endpoint_uplift_multiplier", "regional"),
        ("regional_processing_uplift_multiplier_jp", "jp"),
        ("data_residency_uplift_multiplier_us", "us"),
        ("eu_uplift_multiplier", "eu"),
        ("regional_endpoint_uplift_multiplier_europe_west4", "europe-west4"),
        ("inference_geo_us_multiplier", "us"),
        ("uplift_multiplier_eu", "eu"),
        ("us_gov_uplift_multiplier", "us-gov"),
        ("data_residency_eu_uplift_multiplier", "eu"),
        ("regional_processing_uplift_multiplier_gb", "gb"),
        ("regional_uplift_multiplier_us_east_1", "us-east-1"),
        ("Regional_Processing_uplift_multiplier_EU-West-1", "eu-west-1"),
    ],
)
def test_an_uplift_applies_where_its_region_does(column: str, region: str) -> None:
    found = read(input_cost_per_token=2e-6, **{column: 1.1})
    assert [(p.region, p.unit_price * 1_000_000) for p in found.prices] == [("", 2), (region, Decimal("2.2"))]
    assert not found.not_understood


@pytest.mark.parametrize("what", ["priority_", "fast_", "long_context_", "image_", "global_", ""])
def test_an_uplift_of_something_else_is_named_and_holds_nowhere(what: str) -> None:
    """`priority_uplift_multiplier` made every call in a known region a tenth dearer."""
    column = f"{what}uplift_multiplier"
    found = read(input_cost_per_token=2e-6, **{column: 1.1})
    assert [(p.region, p.unit_price * 1_000_000) for p in found.prices] == [("", 2)]
    assert found.not_understood == {f"m: {column}: not understood: 1.1"}


def test_a_place_among_the_multipliers_is_a_region_and_no_tier() -> None:
    factors = {"us-east-1": 1.2, "gb": 1.1, "ultrafast": 2}
    found = {
        (p.service_tier, p.region) for p in read(input_cost_per_token=2e-6, provider_specific_entry=factors).prices
    }
    assert found == {(tier, region) for tier in ("standard", "ultrafast") for region in ("", "us-east-1", "gb")}


def test_any_suffix_is_a_tier_but_what_is_counted_otherwise_is_not() -> None:
    columns = {
        "input_cost_per_token_ultrafast": 6e-5, "output_cost_per_token_balanced": 2e-5,
        "cache_read_input_token_cost_above_272k_tokens_ultra_fast": 1e-5,
    }  # fmt: skip
    found = {(p.meter, p.service_tier, p.context_from_tokens) for p in read(**columns).prices}
    assert found == {
        ("input_uncached", "ultrafast", 0), ("output_text", "balanced", 0), ("input_cache_read", "ultra_fast", 272_000),
    }  # fmt: skip
    for column in (
        "output_cost_per_second_1080p",
        "output_cost_per_image_premium_image",
        "input_cost_per_token_per_page",
    ):
        assert read(**{column: 1e-6, "input_cost_per_token": 1e-6}).not_understood == {
            f"m: {column}: not understood: 0.000001"
        }


@pytest.mark.parametrize(("written", "tokens"), [("200k", 200_000), ("1m", 1_000_000), ("512", 512)])
def test_a_bound_counts_tokens_thousands_or_millions(written: str, tokens: int) -> None:
    found = read(**{"input_cost_per_token": 1e-6, f"input_cost_per_token_above_{written}_tokens": 2e-6})
    assert not found.not_understood
    assert {p.context_from_tokens for p in found.prices} == {0, tokens}


def test_a_tier_has_its_share_of_the_price_of_long_prompts_too() -> None:
    entry = {
        "input_cost_per_token": 3e-6, "input_cost_per_token_above_200k_tokens": 6e-6, "input_cost_per_token_batches": 1.5e-6,
        "regional_endpoint_uplift_multiplier": 1.1,
    }  # fmt: skip
    long = {(p.service_tier, p.region): p.unit_price * 1_000_000 for p in read(**entry).prices if p.context_from_tokens}
    assert long == {
        ("standard", ""): 6, ("batch", ""): 3, ("standard", "regional"): Decimal("6.6"), ("batch", "regional"): Decimal("3.3"),
    }  # fmt: skip


def test_an_alias_is_a_name_of_the_same_price() -> None:
    entries = {
        "m": {"litellm_provider": "acme", "input_cost_per_token": 1e-6, "aliases": ["m-latest", "n"]},
        "n": {"litellm_provider": "acme", "input_cost_per_token": 2e-6},
    }
    found = FORMATS["litellm_map"].read(json.dumps(entries).encode(), {}).prices
    assert [(p.raw_model, p.alias_of, p.unit_price * 1_000_000) for p in found] == [
        ("m", "", 1), ("m-latest", "m", 1), ("n", "", 2),
    ]  # fmt: skip


def test_an_entry_that_only_names_another_costs_what_that_one_does_and_moves_on_with_it() -> None:
    """As the map of November 2026 writes 98 names: `{"alias_of": "azure_ai/gpt-6-astra"}`."""
    one, two = ({"litellm_provider": "acme", "input_cost_per_token": cost} for cost in (1e-6, 3e-6))
    others = {"gone": {"alias_of": "nothing"}, "dearer": {"alias_of": "one", "input_cost_per_token": 5e-6}}
    days = [{"one": one, "two": two, "acme/m-latest": {"alias_of": name}, **others} for name in ("one", "two")]
    snapshots = []
    for day, entries in enumerate(days, start=1):
        parsed = FORMATS["litellm_map"].read(json.dumps(entries).encode(), {})
        assert parsed.rejected == 2
        assert {p.alias_of for p in parsed.prices} == {""}
        snapshots.append(snapshot(f"2026-11-0{day}", *parsed.prices, feed=MAP))
    ledger = build_ledger(MAP, snapshots, registry_of(snapshots))
    calls = [
        {
            "provider_id": "acme",
            "model_id": "m-latest",
            "input_uncached": 1_000_000,
            "event_at": datetime(2026, 11, day, 12, tzinfo=UTC),
        }
        for day in (1, 2)
    ]
    assert rate(requests_frame(calls), build_rate_card(ledger, [MAP]))["list_cost_usd"].to_list() == [1, 3]


DEEPSEEK = {
    "windows": [
        {"hours_utc": ["00:00-01:00", "04:00-06:00", "10:00-00:00"], "weekdays": [1, 2, 3, 4, 5]},
        {"hours_utc": "00:00-00:00", "weekdays": ["Sat", "sunday"]},
    ]
}


@pytest.mark.parametrize(
    ("schedule", "at", "is_off_peak"),
    [
        (DEEPSEEK, "2026-08-24T00:59", True),  # a Monday
        (DEEPSEEK, "2026-08-24T01:30", False),
        (DEEPSEEK, "2026-08-26T05:00", True),
        (DEEPSEEK, "2026-08-28T10:00", True),
        (DEEPSEEK, "2026-08-28T09:59", False),
        (DEEPSEEK, "2026-08-29T02:00", True),
        (DEEPSEEK, "2026-08-30T08:00", True),
        ({"hours_utc": "16:30-00:30"}, "2026-08-24T00:29", True),
        ({"hours_utc": "16:30-00:30"}, "2026-08-24T00:30", False),
        # The hours of one weekday end at its midnight and begin at it.
        ({"hours_utc": "22:00-02:00", "weekdays": [5]}, "2026-08-28T01:59", True),
        ({"hours_utc": "22:00-02:00", "weekdays": [5]}, "2026-08-28T22:00", True),
        ({"hours_utc": "22:00-02:00", "weekdays": [5]}, "2026-08-29T01:00", False),
        # Friday 16:30 in UTC is Saturday in Shanghai.
        ({"hours_utc": "16:00-17:00", "weekdays": [6], "weekday_timezone": "Asia/Shanghai"}, "2026-08-28T16:30", True),
        ({"hours_utc": "16:00-17:00", "weekdays": [6], "weekday_timezone": "Asia/Shanghai"}, "2026-08-29T16:30", False),
        ({"hours_utc": "15:00-17:00", "weekdays": [5], "weekday_timezone": "Asia/Shanghai"}, "2026-08-28T15:30", True),
        ({"hours_utc": "15:00-17:00", "weekdays": [5], "weekday_timezone": "Asia/Shanghai"}, "2026-08-28T16:30", False),
    ],
)
def test_off_the_peak_another_price_holds(schedule: dict[str, Any], at: str, is_off_peak: bool) -> None:
    """A million tokens at 0.30, off the peak at 0.15; output has one price."""
    cost = {"input_cost_per_token": 3e-7, "output_cost_per_token": 1.2e-6}
    parsed = read(**cost, off_peak_pricing={"input_cost_per_token": 1.5e-7, **schedule})
    assert not parsed.not_understood
    item = snapshot("2026-01-01", feed=MAP)
    item = type(item)(**{**item.__dict__, "prices": price_frame(parsed.prices)})
    card = build_rate_card(build_ledger(MAP, [item], registry_of([item])), [MAP])
    call = {"provider_id": "acme", "model_id": "m", "event_at": datetime.fromisoformat(f"{at}:00+00:00")}
    priced = rate(requests_frame([{**call, "input_uncached": 1_000_000, "output_text": 1_000_000}]), card)
    assert priced["list_cost_usd"].to_list() == [Decimal("1.35") if is_off_peak else Decimal("1.5")]


@pytest.mark.parametrize(
    ("schedule", "problem"),
    [
        ({}, "off_peak_pricing without hours: not understood"),
        ({"hours_utc": "25:00-01:00"}, "off_peak_pricing: time_window: expected"),
        ({"hours_utc": "01:00-02:00", "weekdays": [8]}, "expected weekdays from 1 to 7 or their names, found 8"),
        (
            {"hours_utc": "01:00-02:00", "weekdays": [1], "weekday_timezone": "America/New_York"},
            "whose clock is put forward and back",
        ),
        ({"hours_utc": "01:00-02:00", "weekdays": [1], "weekday_timezone": "Not/AZone"}, "no time zone 'Not/AZone'"),
    ],
)
def test_hours_that_are_unclear_give_no_price_and_are_named(schedule: dict[str, Any], problem: str) -> None:
    found = read(input_cost_per_token=3e-7, off_peak_pricing={"input_cost_per_token": 1.5e-7, **schedule})
    assert [p.time_window for p in found.prices] == [""]
    assert any(problem in said for said in found.not_understood), found.not_understood


def test_tiers_of_prompt_sizes_decide_alone() -> None:
    """Worked by hand after LiteLLM's own rule: a tier that prices input prices the whole prompt, whatever stands next to it.

    40,000 tokens of input, 10,000 of them cached, and 1,000 of output: the second tier states no cache and no output, so the
    cache costs 0.4 as input does, and the output 8 as the entry says.
    """
    tiers = [
        {"range": [0, 32e3], "input_cost_per_token": 2e-7, "output_cost_per_token": 4e-6, "cache_read_input_token_cost": 1e-7},
        {"range": [32e3, 1e6], "input_cost_per_token": 4e-7},
    ]  # fmt: skip
    columns = {
        "input_cost_per_token": 9e-7, "input_cost_per_token_above_200k_tokens": 9e-6, "output_cost_per_token": 8e-6,
        "cache_creation_input_token_cost_above_1hr": 7e-6, "output_cost_per_reasoning_token": 9e-6,
        "input_cost_per_token_batches": 1e-7,
    }  # fmt: skip
    found = {
        (p.meter, p.service_tier, p.context_from_tokens, f"{p.unit_price * 1_000_000:f}".rstrip("0").rstrip("."))
        for p in read(**columns, tiered_pricing=tiers).prices
    }
    assert found == {
        ("input_uncached", "standard", 0, "0.2"), ("input_cache_read", "standard", 0, "0.1"),
        ("input_cache_write_1h", "standard", 0, "0.2"), ("output_text", "standard", 0, "4"),
        ("output_reasoning", "standard", 0, "4"), ("input_uncached", "batch", 0, "0.1"),
        ("input_uncached", "standard", 32_000, "0.4"), ("input_cache_read", "standard", 32_000, "0.4"),
        ("input_cache_write_1h", "standard", 32_000, "0.4"), ("output_text", "standard", 32_000, "8"),
        ("output_reasoning", "standard", 32_000, "9"), ("input_uncached", "batch", 32_000, "0.2"),
    }  # fmt: skip
    long = [{"range": [128e3, 256e3], "input_cost_per_token": 5e-7}]
    plain = read(input_cost_per_token=9e-7, tiered_pricing=long).prices
    assert {(p.context_from_tokens, str(p.unit_price)) for p in plain} == {(0, "9E-7"), (128_000, "5E-7")}


def test_long_prompts_of_xai_begin_at_the_bound() -> None:
    entry = {"input_cost_per_token": 2e-6, "input_cost_per_token_above_200k_tokens": 4e-6}
    for seller, bound in (("xai", "gte"), ("openai", "gt")):
        content = json.dumps({"m": {"litellm_provider": seller, **entry}}).encode()
        found = {(p.context_from_tokens, p.context_bound) for p in FORMATS["litellm_map"].read(content, {}).prices}
        assert found == {(0, "gte"), (200_000, bound)}


def test_a_cache_written_for_an_hour_costs_more_above_the_bound_as_the_plain_one_does() -> None:
    """claude-sonnet-4-20250514 states 6 USD for an hour, and 3.75 and 7.50 for five minutes: above 200,000 tokens 12."""
    columns = {
        "input_cost_per_token": 3e-6, "input_cost_per_token_above_200k_tokens": 6e-6,
        "cache_creation_input_token_cost": 3.75e-6, "cache_creation_input_token_cost_above_200k_tokens": 7.5e-6,
        "cache_creation_input_token_cost_above_1hr": 6e-6,
    }  # fmt: skip
    written = {p.context_from_tokens: p.unit_price for p in read(**columns).prices if p.meter == "input_cache_write_1h"}
    assert written == {0: Decimal("0.000006"), 200_000: Decimal("0.000012")}
    stated_too = read(**columns, cache_creation_input_token_cost_above_1hr_above_200k_tokens=11e-6).prices
    assert {p.unit_price for p in stated_too if p.meter == "input_cache_write_1h"} == {Decimal("0.000006"), Decimal("0.000011")}  # fmt: skip


def test_thinking_costs_in_a_tier_what_the_answer_does_over_its_standard_price() -> None:
    """An entry of Gemini's kind: thinking at 3.50 where the answer costs 0.60; in a batch both cost half."""
    columns = {
        "input_cost_per_token": 1e-7, "output_cost_per_token": 6e-7, "output_cost_per_reasoning_token": 35e-7,
        "output_cost_per_token_batches": 3e-7,
    }  # fmt: skip
    found = {p.service_tier: p.unit_price for p in read(**columns).prices if p.meter == "output_reasoning"}
    assert found == {"standard": Decimal("0.0000035"), "batch": Decimal("0.00000175")}


def test_cached_input_of_fireworks_costs_half_where_the_map_does_not_say() -> None:
    def cached(**entry: Any) -> list[Decimal]:
        prices = read(**{"litellm_provider": "fireworks_ai", "input_cost_per_token": 6e-7, **entry}).prices
        return [p.unit_price for p in prices if p.meter == "input_cache_read"]

    assert cached() == [Decimal("0.0000003")]
    assert cached(cache_read_input_token_cost=1e-7) == [Decimal("0.0000001")]
    assert cached(litellm_provider="acme") == []


def test_prices_of_tokens_that_the_map_makes_of_characters_are_no_prices() -> None:
    """Vertex AI charges the characters of text embeddings; the map takes four for a token. A price of tokens that is another one is the seller's own."""
    entry = {
        "input_cost_per_character": 2.5e-8,
        "output_cost_per_token": 0,
        "input_cost_per_token_batch_requests": 5e-8,
    }
    assert stated(**entry, input_cost_per_token=1e-7) == {("input_character", "standard", "", "0.000000025")}
    assert stated(**entry, input_cost_per_token=2e-7) > {("input_uncached", "standard", "", "0.0000002")}
    [reason] = read(**entry, input_cost_per_token=1e-7).not_understood
    assert reason.startswith("m: charged by the character")
