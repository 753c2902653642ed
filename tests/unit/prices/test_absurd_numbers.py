"""A number that no one can charge costs itself: every other price of its feed stays, and the field is named."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipelines.config.sources import PriceFeed
from pipelines.prices import PriceFeedError, parse_feed
from pipelines.prices.feed_snapshot import price_frame
from tests.unit.prices.feeds import price
from tests.unit.prices.landed import landed_bytes

ABSURD = (
    "1e300", "1E+999999999", "1E-999999999", "1e99999999999999999999", "NaN", "Infinity", "-Infinity", "-1", "-0.001",
    "9" * 40, "9" * 5000, "true", "false", '"soon"', "[]", "[1]", '{"a": {"b": 1}}', '""', "1e-30", "1e10",
)  # fmt: skip
LITELLM = """{"good": {"litellm_provider": "acme", "input_cost_per_token": 1e-6},
 "odd": {"litellm_provider": "acme", "output_cost_per_token": 2e-6, "input_cost_per_token": %s}}"""
FEEDS = {
    "litellm_map": LITELLM,
    "openrouter_models": """{"data": [{"id": "a/good", "pricing": {"prompt": "0.000001"}},
 {"id": "a/odd", "pricing": {"completion": "0.000002", "prompt": %s}}]}""",
    "models_dev": """{"acme": {"models": {"good": {"cost": {"input": 1}}, "odd": {"cost": {"output": 2, "input": %s}}}}}""",
    "genai_prices": """[{"id": "acme", "models": [{"id": "good", "prices": {"input_mtok": 1}},
 {"id": "odd", "prices": {"output_mtok": 2, "input_mtok": %s}}]}]""",
    "llm_prices": """{"prices": [{"vendor": "acme", "id": "good", "name": "Good", "input": 1},
 {"vendor": "acme", "id": "odd", "name": "Odd", "output": 2, "input": %s}]}""",
}
AZURE = """{"Items": [%s, %s]}"""


def parsed(folder: Path, form: str, text: str) -> Any:
    feed = PriceFeed(feed="feed", format=form)
    return parse_feed(landed_bytes(folder, "feed", "2026-10-01.json", text.encode()), feed)


@pytest.mark.parametrize("value", ABSURD, ids=lambda text: text[:24])
@pytest.mark.parametrize("form", FEEDS)
def test_an_absurd_number_costs_itself_and_is_named(tmp_path: Path, form: str, value: str) -> None:
    snapshot = parsed(tmp_path, form, FEEDS[form] % value)
    names = {name.rpartition("/")[2] for name in snapshot.prices["raw_model"]}
    meters = sorted(snapshot.prices["meter"])
    assert names == {"good", "odd"}
    assert meters == ["input_uncached", "output_text"]
    assert any("odd" in stated or "input" in stated or "prompt" in stated for stated in snapshot.not_understood)


@pytest.mark.parametrize("value", ABSURD, ids=lambda text: text[:24])
def test_azures_list_loses_the_item_alone(tmp_path: Path, value: str) -> None:
    item = {
        "productName": "Azure OpenAI GPT5", "meterName": "gpt 5 Inp glbl Tokens", "unitOfMeasure": "1K",
        "armRegionName": "westus", "effectiveStartDate": "2026-01-01T00:00:00Z", "currencyCode": "USD",
    }  # fmt: skip
    good, odd = json.dumps(item | {"retailPrice": 0.001}), json.dumps(item | {"meterName": "gpt 9 Inp glbl Tokens"})
    snapshot = parsed(tmp_path, "azure_retail", AZURE % (good, odd[:-1] + f', "retailPrice": {value}}}'))
    assert set(snapshot.prices["raw_model"]) == {"gpt-5"}
    assert any("gpt-9: retailPrice" in stated for stated in snapshot.not_understood)


@pytest.mark.parametrize(
    "column",
    [
        '"input_cost_per_token_above_999999999999999999k_tokens": 1e-6',
        '"tiered_pricing": [{"range": [1e300, 2], "input_cost_per_token": 1e-6}]',
        '"tiered_pricing": ["x"]',
        '"regional_processing_uplift_multiplier_eu": 1e300',
        '"provider_specific_entry": {"us": 1e300, "fast": NaN}',
        '"off_peak_pricing": {"hours_utc": [NaN], "input_cost_per_token": 1e-6}',
        '"aliases": 7',
        '"search_context_cost_per_query": {"search_context_size_medium": 1e300}',
    ],
)
def test_absurd_bounds_and_factors_cost_themselves(tmp_path: Path, column: str) -> None:
    entry = f'{{"m": {{"litellm_provider": "acme", "input_cost_per_token": 1e-6, {column}}}}}'
    snapshot = parsed(tmp_path, "litellm_map", entry)
    assert snapshot.prices.height == 1
    assert snapshot.not_understood or "aliases" in column


def test_a_key_that_stands_twice_is_named(tmp_path: Path) -> None:
    one = '{"litellm_provider": "acme", "input_cost_per_token": %s}'
    snapshot = parsed(tmp_path, "litellm_map", f'{{"m": {one % "1e-6"}, "m": {one % "2e-6"}, "n": {one % "1e-6"}}}')
    assert snapshot.not_understood == ("m: stands twice in one object with different values; the last one counts",)
    assert snapshot.prices.height == 2


def test_a_file_nested_without_end_is_refused_as_a_feed(tmp_path: Path) -> None:
    with pytest.raises(PriceFeedError, match=r"nested too deeply|not shaped as"):
        parsed(tmp_path, "litellm_map", '{"a":' * 100_000)


def test_amounts_are_rounded_half_even_to_18_decimals() -> None:
    rows = [price(f"{digits}E-18") for digits in ("1.5", "2.5", "2.51", "7")]
    assert price_frame(rows)["unit_price"].to_list() == [Decimal(f"{digit}E-18") for digit in (2, 2, 3, 7)]
