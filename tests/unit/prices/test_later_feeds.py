"""What feeds write since autumn 2026: OpenRouter's hours, models.dev's modes, llm-prices' short prompts and image tokens."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from pipelines.config.sources import PriceFeed
from pipelines.prices import build_ledger, build_rate_card, rate
from pipelines.prices.feed_snapshot import Parsed, PriceFeedError, price_frame
from pipelines.prices.feeds import FORMATS
from tests.unit.prices.feeds import registry_of, snapshot
from tests.unit.prices.requests_frame import requests_frame

LIST = PriceFeed(feed="openrouter", format="openrouter_models")


def read(name: str, content: object) -> Parsed:
    return FORMATS[name].read(json.dumps(content).encode(), {})


def openrouter(*overrides: dict[str, Any]) -> Parsed:
    pricing = {"prompt": "0.000001", "completion": "0.000004", "discount": 0, "overrides": overrides}
    return read("openrouter_models", {"data": [{"id": "m", "pricing": pricing}]})


NIGHT = {"utc_start": 1630, "utc_end": 30, "prompt": "0.0000005"}
LONG = {"min_prompt_tokens": 200_000, "prompt": "0.000002"}
WEEKEND = {"utc_days": ["saturday", "sunday"], "prompt": "0.00000025"}


@pytest.mark.parametrize(
    ("overrides", "at", "prompt", "expected"),
    [
        ((NIGHT,), "2026-10-01T16:29", 100_000, "0.1"),
        ((NIGHT,), "2026-10-01T16:30", 100_000, "0.05"),
        ((NIGHT,), "2026-10-02T00:29", 100_000, "0.05"),
        ((NIGHT,), "2026-10-02T00:30", 100_000, "0.1"),
        ((WEEKEND,), "2026-10-03T12:00", 100_000, "0.025"),
        ((WEEKEND,), "2026-10-02T12:00", 100_000, "0.1"),
        # Of two that apply the later counts.
        ((LONG, NIGHT), "2026-10-01T17:00", 200_000, "0.1"),
        ((NIGHT, LONG), "2026-10-01T17:00", 200_000, "0.4"),
        ((NIGHT, LONG), "2026-10-01T17:00", 199_999, "0.0999995"),
        (({**NIGHT, **LONG},), "2026-10-01T17:00", 200_000, "0.4"),
        (({**NIGHT, **LONG},), "2026-10-01T12:00", 200_000, "0.2"),
    ],
)
def test_openrouters_hours_and_prompt_sizes(
    overrides: tuple[dict[str, Any], ...], at: str, prompt: int, expected: str
) -> None:
    parsed = openrouter(*overrides)
    assert not parsed.not_understood
    item = snapshot("2026-01-01", feed=LIST)
    item = type(item)(**{**item.__dict__, "prices": price_frame(parsed.prices)})
    card = build_rate_card(build_ledger(LIST, [item], registry_of([item])), [LIST])
    call = {"provider_id": "openrouter", "model_id": "m", "event_at": datetime.fromisoformat(f"{at}:00+00:00")}
    assert rate(requests_frame([{**call, "input_uncached": prompt}]), card)["list_cost_usd"].to_list() == [
        Decimal(expected)
    ]


@pytest.mark.parametrize(
    ("override", "stated"),
    [
        ({"utc_start": 2500, "prompt": "1"}, "overrides: time_window: expected"),
        ({"utc_days": ["someday"], "prompt": "1"}, "overrides: expected weekdays from 1 to 7 or their names"),
        ({"region": "eu", "prompt": "1"}, "overrides by region: not understood"),
        ({"prompt": "1"}, "overrides by nothing: not understood"),
    ],
)
def test_an_override_that_is_not_understood_gives_no_price(override: dict[str, Any], stated: str) -> None:
    found = openrouter(override)
    assert len(found.prices) == 2
    assert any(said.startswith(stated) for said in found.not_understood), found.not_understood


def test_models_dev_prices_modes_by_the_tier_that_they_ask_for() -> None:
    long = {"input": 20, "tier": {"type": "context", "size": 272_000}}
    fast = {"cost": {"input": 20, "tiers": [{**long, "input": 40}]}, "provider": {"body": {"service_tier": "priority"}}}
    modes = {
        "fast": fast,
        "quick": {"cost": {"input": 30}, "provider": {"body": {"speed": "fast"}}},
        "ultrafast": {"cost": {"input": 60}, "provider": {"body": {"service_tier": "ultrafast"}}},
        "pro": {"provider": {"body": {"reasoning": {"mode": "pro"}}}},
    }
    model = {"cost": {"input": 10, "tiers": [long]}, "experimental": {"modes": modes}}
    plain = {"p": {"models": {"m": model, "n": {"cost": {"input": 1}, "experimental": True}}}}
    for content in (plain, {"models": {}, "providers": plain}):
        found = read("models_dev", content)
        assert [(p.raw_model, p.service_tier, p.unit_price, p.context_from_tokens) for p in found.prices] == [
            ("m", "standard", 10, 0), ("m", "standard", 20, 272_000), ("m", "priority", 20, 0),
            ("m", "priority", 40, 272_000), ("m", "fast", 30, 0), ("m", "ultrafast", 60, 0), ("n", "standard", 1, 0),
        ]  # fmt: skip
        assert not found.not_understood
        assert found.prices[3].source_locator == "/p/models/m/experimental/modes/fast/cost/tiers/0/input"


def test_llm_prices_of_short_prompts_and_of_image_tokens() -> None:
    names = {
        "gpt-5.5": "GPT-5.5 ≤272k", "gpt-5.5-272k": "GPT-5.5 >272k", "grok": "Grok <128k",
        "gpt-image-2-image": "gpt-image-2 (image gen) image tokens", "gpt-image-2-text": "gpt-image-2 (image gen) text tokens",
        "own-image": "Own Image",
    }  # fmt: skip
    entries = [{"id": key, "vendor": "v", "name": name, "input": 8, "output": 30} for key, name in names.items()]
    found = read("llm_prices", {"prices": entries}).prices
    stated = [(p.raw_model, p.meter, p.context_from_tokens, p.context_to_tokens) for p in found]
    assert stated == [
        ("gpt-5.5", "input_uncached", 0, 272_001), ("gpt-5.5", "output_text", 0, 272_001),
        ("gpt-5.5", "input_uncached", 272_000, None), ("gpt-5.5", "output_text", 272_000, None),
        ("grok", "input_uncached", 0, 128_000), ("grok", "output_text", 0, 128_000),
        ("gpt-image-2", "input_image", 0, None), ("gpt-image-2", "output_image", 0, None),
        ("gpt-image-2", "input_uncached", 0, None), ("gpt-image-2", "output_text", 0, None),
        ("own-image", "input_uncached", 0, None), ("own-image", "output_text", 0, None),
    ]  # fmt: skip


@pytest.mark.parametrize("bound", ["200000", "200k", "200,000", 200_000.0])
def test_a_bound_written_as_text_is_a_bound(bound: object) -> None:
    """It was named and left out, and long prompts cost what short ones do."""
    tier = {"input": 6, "tier": {"type": "context", "size": bound}}
    listed = {"acme": {"models": {"m": {"cost": {"input": 3, "tiers": [tier]}}}}}
    routed = [
        {
            "id": "m",
            "pricing": {"prompt": "3", "overrides": [{"min_prompt_tokens": bound, "prompt": "6", "utc_start": None}]},
        }
    ]
    for kind, content in (
        ("models_dev", listed),
        ("openrouter_models", {"data": routed}),
        ("openrouter_models", routed),
    ):
        found = FORMATS[kind].read(json.dumps(content).encode(), {})
        assert {(p.context_from_tokens, p.unit_price) for p in found.prices} == {(0, Decimal(3)), (200_000, Decimal(6))}
        assert not found.not_understood


@pytest.mark.parametrize(
    ("text", "hour"), [("2026-01-01", 0), ("2026-01-01T00:00:00Z", 0), ("2026-01-01T00:00:00+08:00", 16)]
)
def test_llm_prices_begin_at_an_instant_too(text: str, hour: int) -> None:
    entry = {"id": "m", "vendor": "acme", "name": "M", "input": 1, "from_date": text}
    (found,) = FORMATS["llm_prices"].read(json.dumps({"prices": [entry]}).encode(), {}).prices
    assert found.valid_from is not None
    assert found.valid_from.hour == hour


@pytest.mark.parametrize(
    ("unit", "quantity"), [("1K", 1_000), ("1K Tokens", 1_000), ("1,000", 1_000), ("1M", 1_000_000), ("1 Hour", None)]
)
def test_units_of_azure(unit: str, quantity: int | None) -> None:
    item = {
        "productName": "Azure OpenAI GPT5", "meterName": "GPT 5 inp Glbl Tokens", "unitOfMeasure": unit, "retailPrice": 1,
        "armRegionName": "eastus", "effectiveStartDate": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    found = FORMATS["azure_retail"].read(json.dumps({"Items": [item]}).encode(), {})
    assert [p.pricing_quantity for p in found.prices] == ([] if quantity is None else [quantity])


_ONE_OF_EACH: dict[str, Any] = {
    "litellm_map": {"m": {"litellm_provider": "s", "input_cost_per_token": 1e-06}},
    "llm_prices": {"prices": [{"id": "m", "vendor": "s", "name": "M", "input": 1}]},
    "genai_prices": [{"id": "s", "models": [{"id": "m", "prices": {"input_mtok": 1}}]}],
    "models_dev": {"s": {"models": {"m": {"cost": {"input": 1}}}}},
    "openrouter_models": {"data": [{"id": "m", "pricing": {"prompt": "0.000001"}}]},
}


@pytest.mark.parametrize("format_name", sorted(_ONE_OF_EACH))
def test_a_feed_that_a_tool_saved_in_an_answer_is_the_feed(format_name: str) -> None:
    """Archives keep the body next to its headers, as JSON or as its text."""
    feed, headers = _ONE_OF_EACH[format_name], [{"name": "etag", "value": "1"}]
    for wrapped in (feed, {"headers": headers, "body": feed}, {"page": {"status": 200, "text": json.dumps(feed)}}):
        parsed = FORMATS[format_name].read(json.dumps(wrapped).encode(), {})
        assert [(price.raw_model, price.meter) for price in parsed.prices] == [("m", "input_uncached")], wrapped


@pytest.mark.parametrize("format_name", sorted(_ONE_OF_EACH))
def test_a_file_with_the_feed_of_two_days_is_refused(format_name: str) -> None:
    """The first of them counted, without a word."""
    feed = _ONE_OF_EACH[format_name]
    other = json.loads(json.dumps(feed).replace('"m"', '"other"'))
    assert len(read(format_name, {"body": feed, "text": json.dumps(feed)}).prices) == 1
    with pytest.raises(PriceFeedError, match="holds the feed 2 times"):
        read(format_name, {"2026-01-01": feed, "2026-01-02": other})


def test_a_list_of_openrouter_without_a_price_is_a_list() -> None:
    parsed = read("openrouter_models", {"data": [{"id": "m"}]})
    assert (parsed.lines, parsed.rejected, parsed.not_understood) == (1, 1, {"/data/0: no id or no pricing"})
