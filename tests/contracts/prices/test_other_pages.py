"""Saved pages of seven more providers, read by the layouts that ship; figures read from the pages by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

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
        ("deepseek.html", "deepseek", "CNY", 6, 0, [("deepseek-v4-pro", "input_cache_read", "0.025", 0), ("deepseek-v4-flash", "output_text", "2", 0)]),
        ("zai.html", "zai", "USD", 58, 0, [("GLM-5.2", "input_uncached", "1.4", 0), ("GLM-4.6V-FlashX", "input_cache_read", "0.004", 0)]),
        ("openai_pricing_raw.html", "openai", "USD", 344, 14, [("gpt-5.6-sol", "output_text", "45.00", 272_000), ("gpt-4o", "input_cache_read", "1.25", 0), ("o4-mini", "output_text", "2.2", 0), ("gpt-5.6-luna", "input_cache_write", "0.25", 0)]),
        ("kimi1.html", "kimi", "CNY", 3, 0, [("kimi-k2.6", "input_uncached", "6.50", 0), ("kimi-k2.6", "output_text", "27.00", 0)]),
        ("minimax.html", "minimax", "CNY", 14, 0, [("MiniMax-M3", "input_uncached", "2.1", 0), ("MiniMax-M3", "output_text", "16.8", 512_000), ("MiniMax-M2.7", "input_cache_write", "2.625", 0)]),
        ("aliyun_bailian.json.gz", "bailian", "CNY", 1504, 140, [("qwen3-max", "input_uncached", "2.5", 0), ("qwen3-max", "output_text", "28", 128_000), ("qwen3.7-max", "output_text", "18", 0), ("xiaomi/mimo-v2.5-pro", "input_uncached", "14", 256_000)]),
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


def test_bailian_binds_prices_to_where_a_model_runs_and_names_what_it_cant_tell(shared_data: Path) -> None:
    feed = PriceFeed(feed="bailian", format="page", options={"layout": "bailian"})
    snapshot = parse_feed(landed_file(shared_data / "prices" / "pages" / "aliyun_bailian.json.gz", "bailian", AT), feed)
    input_price = snapshot.prices.filter(raw_model="qwen3-max", meter="input_uncached", context_from_tokens=0)
    by_region = dict(input_price.select("region", "unit_price").iter_rows())
    assert by_region["eu-central-1"] == Decimal("8.993")
    assert by_region[""] == by_region["global"] == Decimal("2.5")
    halved = snapshot.prices.filter(raw_model="qwen3.7-max", meter="input_uncached", region="")
    assert halved.select("unit_price", "extracted_text").rows()[0] == (Decimal(6), "原价 12元 限时5折")
    # Thinking costs another price than not thinking, and a request does not say which it did.
    assert "qwen-plus" not in set(snapshot.prices["raw_model"])
    assert any("'qwen-plus' at two prices for one meter" in told for told in snapshot.not_understood)
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
def test_a_page_in_yuan_prices_requests_at_the_rate_of_the_day(
    shared_data: Path, name: str, layout: str, model: str, expected: str
) -> None:
    """A million tokens of output, the yuan at 0.14 dollars; and without a rate no price at all."""
    feed = PriceFeed(feed=layout, format="page", options={"layout": layout})
    snapshot = parse_feed(landed_file(shared_data / "prices" / "pages" / name, layout, AT), feed)
    registry = build_registry(load_config(None).models, [feed_names(snapshot)])
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


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"layout": "nobody"}, r"no layout 'nobody' ships; known are anthropic, bailian, bigmodel, deepseek, deepseek_en, google, kimi, kimi_en, minimax, minimax_en, mistral, openai, zai"),
        ({"provider": "p"}, r"options\.currency: Field required"),
        (OWN | {"currency": "euro"}, r"options\.currency: .*'euro'"),
        (OWN | {"sections": [{"heading": "P", "alternatives": [{"model": "N", "columns": {"In": {"meter": "inputs"}}}]}]}, "'inputs' is no meter"),
        (OWN | {"phrases": [{"heading": "P", "pattern": r"\d+", "meter": "web_search", "per": 1000}]}, "needs a group"),
        (OWN | {"tabels": []}, r"options\.tabels: Extra inputs"),
    ],
)  # fmt: skip
def test_mistakes_in_a_layout_are_named(options: dict[str, object], told: str) -> None:
    with pytest.raises(PriceFeedError, match=told):
        FORMATS["page"].read(b"# Prices\n", options)


@pytest.mark.parametrize(
    ("page", "told"),
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
def test_a_page_that_does_not_fit_is_refused_with_the_place(page: str, told: str) -> None:
    with pytest.raises(PriceFeedError, match=told):
        FORMATS["page"].read(page.encode(), OWN)
