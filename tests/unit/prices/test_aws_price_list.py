"""AWS's price list of Bedrock, in the three shapes in which AWS hands it out: the same prices, and nothing guessed."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from pipelines.config import load_config
from pipelines.config.sources import PriceFeed
from pipelines.models import resolve_requests
from pipelines.prices import build_ledger, build_rate_card, parse_feed, rate
from pipelines.prices.feed_snapshot import Parsed, PriceFeedError
from pipelines.prices.feeds.aws_price_list import read
from tests.unit.prices.feeds import day, registry_of
from tests.unit.prices.landed import landed_bytes
from tests.unit.prices.requests_frame import requests_frame

CLAUDE = {"servicename": "Claude Haiku 4.5 (Amazon Bedrock Edition)"}
Product = tuple[str, str, str, str, dict[str, str]]
"""Usage type, region, unit, dollars and further attributes."""
PRODUCTS: list[Product] = [
    ("USE1-Nova2.0Lite-input-tokens", "us-east-1", "1K tokens", "0.0003300000", {"model": "Nova 2.0 Lite"}),
    ("USW2-Nova2.0Lite-input-tokens", "us-west-2", "1K tokens", "0.0003300000", {"model": "Nova 2.0 Lite"}),
    ("EUN1-Nova2.0Lite-input-tokens", "eu-north-1", "1K tokens", "0.0003900000", {"model": "Nova 2.0 Lite"}),
    ("USE1-Nova2.0Lite-input-tokens-cross-region-global", "us-east-1", "1K tokens", "0.0003", {"model": "Nova 2.0 Lite"}),
    ("USE1-Nova2.0Lite-output-tokens-flex", "us-east-1", "1K tokens", "0.001375", {"model": "Nova 2.0 Lite"}),
    ("USE1-Nova2.0Lite-output-tokens", "us-east-1", "1K tokens", "0.001375", {"model": "Nova 2.0 Lite", "feature": "Batch Inference"}),
    ("USE1-MP:USE1_InputTokenCount-Units", "us-east-1", "Units", "1.1000000000", CLAUDE),
    ("USE1-MP:USE1_InputTokenCount_Global-Units", "us-east-1", "Units", "1.0000000000", CLAUDE),
    ("USE1-MP:USE1_CacheWrite1hInputTokenCount-Units", "us-east-1", "Units", "2.2000000000", CLAUDE),
    ("USE1-MP:USE1_input_tokens_long_ctx_standard-Units", "us-east-1", "Units", "2.2000000000", CLAUDE),
    ("USE1-NovaSonic-speech-input-tokens", "us-east-1", "1K tokens", "0.0034", {"model": "Nova Sonic"}),
    ("USE1-NovaMicro-Model-Customization-input-tokens", "us-east-1", "1K tokens", "0.001", {"model": "Nova Micro"}),
    ("USE1-NovaPro-input-tokens", "us-east-1", "1K tokens", "0.001", {"model": "Nova Pro Latency Optimized"}),
    ("USE1-NovaPro-output-tokens", "us-east-1", "hours", "0.001", {"model": "Nova Pro"}),
    ("USE1-ModelUnit-1mo", "us-east-1", "hours", "39.6", {"model": "Claude"}),
]  # fmt: skip
EXPECTED = {
    ("Nova 2.0 Lite", "input_uncached", "standard", "us-east-1", 0, Decimal("0.33")),
    ("Nova 2.0 Lite", "input_uncached", "standard", "us-west-2", 0, Decimal("0.33")),
    ("Nova 2.0 Lite", "input_uncached", "standard", "us", 0, Decimal("0.33")),
    ("Nova 2.0 Lite", "input_uncached", "standard", "eu-north-1", 0, Decimal("0.39")),
    ("Nova 2.0 Lite", "input_uncached", "standard", "eu", 0, Decimal("0.39")),
    ("Nova 2.0 Lite", "input_uncached", "standard", "global", 0, Decimal("0.3")),
    ("Nova 2.0 Lite", "output_text", "flex", "us-east-1", 0, Decimal("1.375")),
    ("Nova 2.0 Lite", "output_text", "flex", "us", 0, Decimal("1.375")),
    ("Nova 2.0 Lite", "output_text", "batch", "us-east-1", 0, Decimal("1.375")),
    ("Nova 2.0 Lite", "output_text", "batch", "us", 0, Decimal("1.375")),
    ("Claude Haiku 4.5", "input_uncached", "standard", "us-east-1", 0, Decimal("1.1")),
    ("Claude Haiku 4.5", "input_uncached", "standard", "us", 0, Decimal("1.1")),
    ("Claude Haiku 4.5", "input_uncached", "standard", "global", 0, Decimal(1)),
    ("Claude Haiku 4.5", "input_cache_write_1h", "standard", "us-east-1", 0, Decimal("2.2")),
    ("Claude Haiku 4.5", "input_cache_write_1h", "standard", "us", 0, Decimal("2.2")),
    ("Claude Haiku 4.5", "input_uncached", "standard", "us-east-1", 200_000, Decimal("2.2")),
    ("Claude Haiku 4.5", "input_uncached", "standard", "us", 200_000, Decimal("2.2")),
}


def _item(sku: str, product: Product) -> tuple[dict[str, object], dict[str, object]]:
    usage_type, region, unit, dollars, more = product
    attributes = {"usagetype": usage_type, "regionCode": region, "servicename": "Amazon Bedrock", **more}
    dimension = {"unit": unit, "pricePerUnit": {"USD": dollars}, "beginRange": "0", "endRange": "Inf"}
    term = {"effectiveDate": "2026-11-01T00:00:00Z", "priceDimensions": {f"{sku}.T.R": dimension}}
    return {"sku": sku, "attributes": attributes}, {f"{sku}.T": term}


def offer(products: Sequence[Product]) -> bytes:
    items = {f"S{n}": _item(f"S{n}", product) for n, product in enumerate(products)}
    terms = {sku: term for sku, (_, term) in items.items()}
    return json.dumps(
        {"formatVersion": "v1.0", "products": {sku: product for sku, (product, _) in items.items()}, "terms": {"OnDemand": terms}}
    ).encode()  # fmt: skip


def table(products: Sequence[Product]) -> bytes:
    head = [
        "SKU", "OfferTermCode", "RateCode", "TermType", "PriceDescription", "EffectiveDate", "StartingRange", "EndingRange",
        "Unit", "PricePerUnit", "Currency", "serviceName", "Region Code", "usageType", "Model", "Feature",
    ]  # fmt: skip
    out = io.StringIO()
    rows = csv.writer(out, quoting=csv.QUOTE_ALL)
    rows.writerows([["FormatVersion", "v1.0"], ["Disclaimer", "informational"], ["OfferCode", "AmazonBedrock"], head])
    for n, (usage_type, region, unit, dollars, more) in enumerate(products):
        about = [
            more.get("servicename", "Amazon Bedrock"),
            region,
            usage_type,
            more.get("model", ""),
            more.get("feature", ""),
        ]
        rows.writerow(
            [f"S{n}", "T", f"S{n}.T.R", "OnDemand", "", "2026-11-01", "0", "Inf", unit, dollars, "USD", *about]
        )
    return out.getvalue().encode()


def answer(products: Sequence[Product]) -> bytes:
    items = [_item(f"S{n}", product) for n, product in enumerate(products)]
    return json.dumps({"PriceList": [json.dumps({"product": p, "terms": {"OnDemand": t}}) for p, t in items]}).encode()


def stated(found: Parsed) -> set[tuple[object, ...]]:
    return {
        (p.raw_model, p.meter, p.service_tier, p.region, p.context_from_tokens, p.unit_price * 1_000_000 / p.pricing_quantity)
        for p in found.prices
    }  # fmt: skip


@pytest.mark.parametrize("shape", [offer, table, answer])
def test_the_shapes_of_the_list_state_the_same(shape: Callable[[Sequence[Product]], bytes]) -> None:
    found = read(shape(PRODUCTS), {})
    assert stated(found) == EXPECTED
    assert found.lines == len(PRODUCTS)
    named = " ".join(found.not_understood)
    for usage_type in ("NovaSonic-speech", "Model-Customization", "NovaPro-input", "NovaPro-output"):
        assert usage_type in named
    assert "ModelUnit" not in named


def test_prices_that_all_regions_share_hold_in_all_of_them() -> None:
    everywhere = [(usage, region, unit, "0.001", more) for usage, region, unit, _, more in PRODUCTS[:3]]
    assert {row[3] for row in stated(read(offer(everywhere), {}))} == {""}
    assert {row[3] for row in stated(read(offer([*everywhere, PRODUCTS[3]]), {}))} == {"regional", "global"}


def test_tiers_that_contradict_each_other_and_volumes_are_no_price() -> None:
    odd = ("USE1-M-input-tokens-batch", "us-east-1", "1K tokens", "0.1", {"model": "Mist", "service_tier": "priority"})
    with pytest.raises(PriceFeedError, match="products"):
        read(b'{"products": []}', {})
    found = read(offer([odd, PRODUCTS[0]]).replace(b'"beginRange": "0"', b'"beginRange": "1000"', 1), {})
    assert {row[0] for row in stated(found)} == {"Nova 2.0 Lite"}


def test_a_product_without_an_amount_costs_itself() -> None:
    found = read(offer(PRODUCTS[:2]).replace(b'{"USD": "0.0003300000"}', b"{}", 1), {})
    assert {price.region for price in found.prices} == {"us-west-2", "us"}
    assert any("USE1-Nova2.0Lite-input-tokens" in problem for problem in found.not_understood)


@pytest.mark.parametrize(
    ("name", "tokens", "usd"),
    [
        ("us.anthropic.claude-haiku-4-5-20251001-v1:0", 100_000, "0.11"),
        ("global.anthropic.claude-haiku-4-5-20251001-v1:0", 100_000, "0.1"),
        ("anthropic.claude-haiku-4-5-20251001-v1:0", 100_000, "0.11"),
        ("anthropic.claude-haiku-4-5-20251001-v1:0", 1_000_000, "2.2"),
    ],
)
def test_a_call_of_bedrock_is_charged_by_the_list(tmp_path: Path, name: str, tokens: int, usd: str) -> None:
    feed = PriceFeed(feed="bedrock", format="aws_price_list")
    found = parse_feed(landed_bytes(tmp_path, "bedrock", "2026-11-02.json", offer(PRODUCTS)), feed)
    registry = registry_of([found], load_config(None).models)
    card = build_rate_card(build_ledger(feed, [found], registry), [feed])
    call = {"provider_id": "aws", "region": "us-east-1", "event_at": day("2026-11-20"), "input_uncached": tokens}
    calls = requests_frame([call]).with_columns(request_model=pl.lit(name), response_model=pl.lit(None, pl.String))
    assert rate(resolve_requests(calls, registry), card)["list_cost_usd"].to_list() == [Decimal(usd)]
