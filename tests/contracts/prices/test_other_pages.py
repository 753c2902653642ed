"""Saved pages of seven more providers, read by the layouts that ship; figures read from the pages by hand."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import polars as pl
import pytest

from pipelines.config import load_config
from pipelines.config.fx import FxConfig
from pipelines.config.sources import PriceFeed
from pipelines.models import build_registry
from pipelines.prices import PriceFeedError, build_fx_rates, build_ledger, build_rate_card, feed_names, parse_feed, rate
from pipelines.prices.feeds import FORMATS
from tests.unit.prices.feeds import registry_of
from tests.unit.prices.landed import landed_file
from tests.unit.prices.ledger_checks import assert_sound
from tests.unit.prices.requests_frame import requests_frame

AT = datetime(2026, 8, 21, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "layout", "currency", "count", "unread", "some"),
    [
        ("deepseek.html", "deepseek", "CNY", 12, 0, [("deepseek-v4-pro", "input_cache_read", "0.025", 0), ("deepseek-v4-flash", "output_text", "2", 0), ("deepseek-chat", "output_text", "2", 0), ("deepseek-reasoner", "input_uncached", "1", 0)]),
        ("zai.html", "zai", "USD", 58, 0, [("GLM-5.2", "input_uncached", "1.4", 0), ("GLM-4.6V-FlashX", "input_cache_read", "0.004", 0)]),
        ("openai_pricing_raw.html", "openai", "USD", 2426, 0, [("gpt-5.6-sol", "web_search", "10.00", 0), ("gpt-5.6-sol", "output_text", "45.00", 272_000), ("gpt-4o", "input_cache_read", "1.25", 0), ("o4-mini", "output_text", "2.2", 0), ("gpt-5.6-luna", "input_cache_write", "0.25", 0)]),
        ("kimi1.html", "kimi", "CNY", 3, 0, [("kimi-k2.6", "input_uncached", "6.50", 0), ("kimi-k2.6", "output_text", "27.00", 0)]),
        ("minimax.html", "minimax", "CNY", 14, 0, [("MiniMax-M3", "input_uncached", "2.1", 0), ("MiniMax-M3", "output_text", "16.8", 512_000), ("MiniMax-M2.7", "input_cache_write", "2.625", 0)]),
        ("aliyun_bailian.json.gz", "bailian", "CNY", 2439, 60, [("qwen3-max", "input_uncached", "2.5", 0), ("qwen3-max", "output_text", "28", 128_000), ("qwen3.7-max", "output_text", "18", 0), ("xiaomi/mimo-v2.5-pro", "input_uncached", "14", 256_000)]),
        ("bigmodel.html.gz", "bigmodel", "CNY", 60, 4, [("GLM-5.1", "input_uncached", "6", 0), ("GLM-5.1", "output_text", "28", 32_000), ("GLM-4.6V", "input_cache_read", "0.4", 32_000)]),
    ],
)  # fmt: skip
def test_the_saved_page(
    shared_data: Path,
    name: str,
    layout: str,
    currency: str,
    count: int,
    unread: int,
    some: list[tuple[str, str, str, int]],
) -> None:
    feed = PriceFeed(feed=layout, format="page", options={"layout": layout})
    snapshot = parse_feed(landed_file(shared_data / "prices" / "pages" / name, layout, AT), feed)
    columns = ("raw_model", "meter", "unit_price", "context_from_tokens")
    found = set(snapshot.prices.select(columns).iter_rows())
    assert {(model, meter, Decimal(usd), size) for model, meter, usd, size in some} <= found
    assert (snapshot.prices.height, len(snapshot.not_understood)) == (count, unread)
    assert set(snapshot.prices["pricing_currency"]) == {currency}
    ledger = build_ledger(feed, [snapshot], registry_of([snapshot]))
    assert_sound(ledger)
    assert (ledger["usd_per_million"].null_count() == ledger.height) == (currency != "USD")


def test_free_is_zero_and_a_dash_is_no_price(shared_data: Path) -> None:
    feed = PriceFeed(feed="zai", format="page", options={"layout": "zai"})
    snapshot = parse_feed(landed_file(shared_data / "prices" / "pages" / "zai.html", "zai", AT), feed)
    by_model = {name: rows for (name,), rows in snapshot.prices.group_by("raw_model")}
    assert set(by_model["GLM-4.7-Flash"]["unit_price"]) == {Decimal(0)}
    assert by_model["GLM-OCR"]["meter"].to_list() == ["input_uncached", "output_text"]


@pytest.mark.parametrize(
    ("model", "tier", "region", "expected"),
    [
        ("gpt-5.5", "standard", "", "8.00"),
        ("gpt-5.5", "standard", "eu", "8.80"),
        ("gpt-5.5", "batch", "eu", "4.40"),
        ("gpt-5.5", "standard", "us-east-1", "8.00"),
        ("gpt-4o", "standard", "eu", "3.50"),
    ],
)
def test_openais_data_residency_costs_a_tenth_more_for_models_since_march_2026(
    shared_data: Path, model: str, tier: str, region: str, expected: str
) -> None:
    """A million input and 100,000 output tokens at 5 and 30, at 2.50 and 10: by hand. A cloud's region is none of OpenAI's."""
    feed = PriceFeed(feed="openai_page", format="page", options={"layout": "openai"})
    snapshot = parse_feed(landed_file(shared_data / "prices/pages/openai_pricing_raw.html", "openai_page", AT), feed)
    ledger = build_ledger(feed, [snapshot], registry_of([snapshot]))
    call = {"provider_id": "openai", "model_id": model, "service_tier": tier, "region": region, "event_at": AT}
    calls = [call | {"input_uncached": 100_000, "output_text": 10_000}] * 10
    rated = rate(requests_frame(calls), build_rate_card(ledger, [feed]))
    assert rated["list_cost_usd"].sum() == Decimal(expected)


@pytest.mark.slow
def test_openais_prices_below_a_bound_leave_longer_prompts_to_the_map(shared_data: Path) -> None:
    """A page of August and LiteLLM's map of May 2026: gpt-5.5 at 5 below 272,000 tokens, above them at the map's 10."""
    page = PriceFeed(feed="openai_page", format="page", options={"layout": "openai"}, precedence=10)
    of_map = PriceFeed(feed="litellm_map", format="litellm_map", precedence=30)
    files = [("pages/openai_pricing_raw.html", page), ("litellm_map/litellm_2026-05-31_1.84.4.json.gz", of_map)]
    snapshots = [parse_feed(landed_file(shared_data / "prices" / name, feed.feed, AT), feed) for name, feed in files]
    registry = build_registry(load_config(None).models, feed_names(snapshots))
    ledger = pl.concat(build_ledger(feed, [item], registry) for (_, feed), item in zip(files, snapshots, strict=True))
    card = build_rate_card(ledger, [page, of_map])
    call = {"provider_id": "openai", "model_id": "gpt-5.5", "event_at": AT}
    calls = [call | {"input_uncached": size, "output_text": 1_000} for size in (271_999, 272_000, 272_001)]
    assert rate(requests_frame(calls), card)["list_cost_usd"].to_list() == [
        Decimal("1.389995"), Decimal("1.39"), Decimal("2.76501"),
    ]  # fmt: skip
    fed = {row["context_from_tokens"]: row["price_ids"] for row in card.filter(
        provider_id="openai", model_id="gpt-5.5", service_tier="standard", region=""
    ).iter_rows(named=True)}  # fmt: skip
    by_id = dict(zip(ledger["price_id"], ledger["feed"], strict=True))
    feeds = {
        size: {by_id[UUID(i).bytes] for m, i in json.loads(ids).items() if m == "input_uncached"}
        for size, ids in fed.items()
    }
    assert feeds == {0: {"openai_page"}, 272_000: {"litellm_map"}, 272_001: {"litellm_map"}}


def test_bailian_binds_prices_to_where_a_model_runs_and_names_what_it_cant_tell(shared_data: Path) -> None:
    feed = PriceFeed(feed="bailian", format="page", options={"layout": "bailian"})
    snapshot = parse_feed(landed_file(shared_data / "prices" / "pages" / "aliyun_bailian.json.gz", "bailian", AT), feed)
    input_price = snapshot.prices.filter(
        raw_model="qwen3-max", meter="input_uncached", context_from_tokens=0, service_tier="standard"
    )
    by_region = dict(input_price.select("region", "unit_price").iter_rows())
    assert by_region["eu-central-1"] == Decimal("8.993")
    assert by_region[""] == by_region["global"] == Decimal("2.5")
    halved = snapshot.prices.filter(raw_model="qwen3.7-max", meter="input_uncached", region="", service_tier="standard")
    assert halved.select("unit_price", "extracted_text").rows()[0] == (Decimal(6), "原价 12元 限时5折")
    # Thinking costs another price than not thinking, thoughts and answer alike, and a batch half of either.
    plus = snapshot.prices.filter(raw_model="qwen-plus", region="", context_from_tokens=0)
    assert set(plus.select("service_tier", "meter", "reasoning_mode", "unit_price").rows()) == {
        (tier, meter, mode, Decimal(yuan) / share)
        for tier, share in (("standard", 1), ("batch", 2))
        for meter, mode, yuan in (
            ("input_uncached", "", "0.8"), ("output_text", "non_thinking", "2"), ("output_text", "thinking", "8"),
            ("output_reasoning", "thinking", "8"),
        )
    }  # fmt: skip
    # Tables with one price for text and one for sound under the same heading are not read as either.
    assert not any(name.startswith("qwen3-omni-flash") for name in snapshot.prices["raw_model"])


@pytest.mark.parametrize(
    ("name", "layout", "model", "expected"),
    [
        ("deepseek.html", "deepseek", "deepseek-v4-flash", "0.28"),  # 2 CNY at 0.14
        ("minimax.html", "minimax", "minimax-m3", "1.176"),  # 8.4 CNY
        ("bigmodel.html.gz", "bigmodel", "glm-5.1", "3.36"),  # 24 CNY up to 32,000 tokens
        ("aliyun_bailian.json.gz", "bailian", "qwen3-max", "1.4"),  # 10 CNY
    ],
)
@pytest.mark.slow
def test_a_page_in_yuan_prices_requests_at_the_rate_of_the_day(
    shared_data: Path, name: str, layout: str, model: str, expected: str
) -> None:
    """A million tokens of output, the yuan at 0.14 dollars; and without a rate no price at all."""
    feed = PriceFeed(feed=layout, format="page", options={"layout": layout})
    snapshot = parse_feed(landed_file(shared_data / "prices" / "pages" / name, layout, AT), feed)
    registry = build_registry(load_config(None).models, feed_names([snapshot]))
    ledger = build_ledger(feed, [snapshot], registry)
    rate_of_own = {"currency": "CNY", "usd_per_unit": "0.14", "valid_from": "2026-08-01"}
    rates = build_fx_rates(FxConfig.model_validate({"rates": [rate_of_own]}), [], {"CNY"})
    seller = ledger["provider_id"][0]
    call = {"provider_id": seller, "model_id": model, "event_at": AT, "output_text": 1_000_000}
    priced = rate(requests_frame([call]), build_rate_card(ledger, [feed], fx_rates=rates))
    assert priced["list_cost_usd"].to_list() == [Decimal(expected)]
    unpriced = rate(requests_frame([call]), build_rate_card(ledger, [feed]))
    assert unpriced["unpriced_reason"].to_list() == ["no_exchange_rate"]


OWN = {
    "provider": "acme",
    "currency": "EUR",
    "sections": [
        {
            "heading": "Prices",
            "alternatives": [{"model": "Name", "columns": {"In": {"meter": "input_uncached", "per": 1000}}}],
        }
    ],
}


def test_a_page_of_ones_own_needs_a_declaration_and_no_code() -> None:
    page = "# Prices\n\n| Name | In |\n|---|---|\n| M 1 / 2 | €0.002 |\n| m-3 | 1,000.5 EUR |\n"
    found = FORMATS["page"].read(page.encode(), OWN).prices
    assert [(p.raw_model, p.unit_price, p.pricing_quantity, p.pricing_currency) for p in found] == [
        ("M 1", Decimal("0.002"), 1000, "EUR"),
        ("M 2", Decimal("0.002"), 1000, "EUR"),
        ("m-3", Decimal("1000.5"), 1000, "EUR"),
    ]


def test_words_next_to_a_name_make_a_tier_of_its_standard_prices() -> None:
    columns = {"In": {"meter": "input_uncached"}, "Flex": {"meter": "input_uncached", "service_tier": "flex"}}
    section = {"heading": "Prices", "alternatives": [{"model": "Name", "columns": columns}]}
    half = {"pattern": "half in a batch", "service_tier": "batch", "share": "0.5"}
    page = "# Prices\n\n| Name | In | Flex |\n|---|---|---|\n| m half in a batch | €3 | €2 |\n| n | €5 | |\n"
    options = OWN | {"sections": [section], "shares": [half], "drop_from_names": [r"\s.*$"]}
    found = FORMATS["page"].read(page.encode(), options).prices
    assert [(p.raw_model, p.service_tier, p.unit_price, p.extracted_text) for p in found] == [
        ("m", "standard", Decimal(3), "€3"),
        ("m", "flex", Decimal(2), "€2"),
        ("m", "batch", Decimal("1.5"), "€3, half in a batch"),
        ("n", "standard", Decimal(5), "€5"),
    ]


@pytest.mark.parametrize(
    ("options", "stated"),
    [
        ({"layout": "nobody"}, r"no layout 'nobody' ships; accepted are anthropic, bailian, bigmodel, deepseek, deepseek_en, google, kimi, kimi_en, minimax, minimax_docs, minimax_en, mistral, openai, xai, zai"),
        ({"provider": "p"}, r"options\.currency: is missing"),
        (OWN | {"currency": "euro"}, r"options\.currency: .*'euro'"),
        (OWN | {"sections": [{"heading": "P", "alternatives": [{"model": "N", "columns": {"In": {"meter": "inputs"}}}]}]}, "'inputs' is not a meter"),
        (OWN | {"phrases": [{"heading": "P", "pattern": r"\d+", "meter": "web_search", "per": 1000}]}, "needs a group"),
        (OWN | {"tabels": []}, r"options\.tabels: there is no such key"),
    ],
)  # fmt: skip
def test_mistakes_in_a_layout_are_named(options: dict[str, object], stated: str) -> None:
    with pytest.raises(PriceFeedError, match=stated):
        FORMATS["page"].read(b"# Prices\n", options)


@pytest.mark.parametrize(
    ("page", "stated"),
    [
        ("# Prices\n\nnothing\n", "section 'Prices': no table under it"),
        (
            "# Cost\n\n| Name | In |\n|---|---|\n| m | €1 |\n",
            "section 'Prices': no such heading; the page has '', 'Cost'",
        ),
        ("# Prices\n| Name | Out |\n|---|---|\n| m | €1 |\n", "column 'In' is missing; found 'Name', 'Out'"),
        (
            "# Prices\n| Name | In |\n|---|---|\n| m | $1 |\n",
            r"row 1, column 'In': expected an amount in EUR, found '\$1'",
        ),
        ("# Prices\n| Name | In |\n|---|---|\n| m | 1 |\n", "expected an amount in EUR, found '1'"),
        ("# Prices\n| Name | In |\n|---|---|\n| m | from €1 |\n", "expected an amount such as"),
        ("# Prices\n| Name | In |\n|---|---|\n| m | €1 / hour |\n", "expected a price for 1,000"),
        ("# Prices\n| Name | In |\n|---|---|\n|  | €1 |\n", "row 1: no model is named"),
        ("# Prices\n| Name | In | In |\n|---|---|---|\n| m | €1 | €2 |\n", r"column '\(one In\)' is missing"),
        (
            "# Prices\n| Name | In |\n|---|---|\n| m | €1 |\n| m | €2 |\n",
            "m, input_uncached: '€1' at .*row 1.* and '€2' at .*row 2",
        ),
    ],
)
def test_a_page_that_does_not_fit_is_refused_with_the_place(page: str, stated: str) -> None:
    with pytest.raises(PriceFeedError, match=stated):
        FORMATS["page"].read(page.encode(), OWN)
