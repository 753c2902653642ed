"""Prices that no one charges are refused with a reason; a price sheet is taken at its word."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from pipelines.config.sources import PriceFeed
from pipelines.prices import FeedSnapshot, parse_feed
from pipelines.prices.plausible import plausible
from tests.unit.prices.feeds import price
from tests.unit.prices.landed import landed_bytes, landed_file


def test_the_limit_itself_is_believed_and_a_trifle_more_is_not() -> None:
    assert plausible([price("1000")]) == ([price("1000")], set())
    kept, stated = plausible([price("1000.000001")])
    assert kept == []
    (reason,) = stated
    assert reason.startswith(
        "m: input_uncached at 1,000.000001 USD per million is more than 1,000; its prices per token"
    )


def test_all_prices_of_the_same_unit_share_the_mistake_and_others_do_not() -> None:
    wrong = price("540000", "output_text")
    same_unit = price("40", "input_cache_read")
    fee = price("25", "request", unit="request", pricing_quantity=1000)
    other = price("3", raw_model="other")
    elsewhere = price("3", provider="elsewhere")
    kept, stated = plausible([wrong, same_unit, fee, other, elsewhere])
    assert kept == [fee, other, elsewhere]
    assert len(stated) == 1


def test_a_search_at_thirty_dollars_is_a_thousand_searches() -> None:
    search = price("30", "web_search", unit="search", pricing_quantity=1)
    assert plausible([search, price("3")])[0] == [price("3")]
    assert plausible([search._replace(unit_price=Decimal(1))])[1] == set()


def test_units_without_a_limit_and_other_currencies_are_not_judged() -> None:
    dear = [price("5000", pricing_currency="CNY"), price("9", "output_video_second", unit="second", pricing_quantity=1)]
    assert plausible(dear) == (dear, set())


def parsed(folder: Path, feed_format: str, name: str, text: str) -> FeedSnapshot:
    return parse_feed(
        landed_bytes(folder, "f", name, text.encode()),
        PriceFeed(feed="f", format=feed_format),
    )


def test_a_feed_is_judged_and_a_price_sheet_is_not(tmp_path: Path) -> None:
    entries = {
        "acme/wrong": {"litellm_provider": "acme", "input_cost_per_token": 0.135},
        "acme/right": {"litellm_provider": "acme", "input_cost_per_token": 0.00000135},
    }
    feed = parsed(tmp_path, "litellm_map", "2026-01-01.json", json.dumps(entries))
    assert feed.prices["raw_model"].to_list() == ["acme/right"]
    assert any("acme/wrong: input_uncached at 135,000 USD" in stated for stated in feed.not_understood)
    sheet = parsed(
        tmp_path, "price_sheet", "2026-01-01.csv", "provider,model,meter,price\nacme,wrong,input_uncached,135000\n"
    )
    assert sheet.prices["usd_per_million"].to_list() == [Decimal(135_000)]


WANDB = {
    "Qwen/Qwen3-235B-A22B-Instruct-2507", "Qwen/Qwen3-235B-A22B-Thinking-2507", "Qwen/Qwen3-Coder-480B-A35B-Instruct",
    "deepseek-ai/DeepSeek-R1-0528", "deepseek-ai/DeepSeek-V3-0324", "deepseek-ai/DeepSeek-V3.1", "meta-llama/Llama-3.1-8B-Instruct",
    "meta-llama/Llama-3.3-70B-Instruct", "meta-llama/Llama-4-Scout-17B-16E-Instruct", "microsoft/Phi-4-mini-instruct",
    "moonshotai/Kimi-K2-Instruct", "openai/gpt-oss-120b", "openai/gpt-oss-20b", "zai-org/GLM-4.5",
}  # fmt: skip
OTHERS = {"azure_ai/jais-30b-chat", "watsonx/bigscience/mt0-xxl-13b", "watsonx/core42/jais-13b-chat"}


@pytest.mark.slow
def test_what_the_real_maps_hold(shared_data: Path) -> None:
    """Cents per token at wandb, per million or per thousand written as per token elsewhere; searches at 30 dollars."""
    refused: dict[str, set[str]] = {}
    for path in sorted((shared_data / "prices" / "litellm_map").glob("*.json.gz")):
        snapshot = parse_feed(landed_file(path, "litellm_map"), PriceFeed(feed="litellm_map", format="litellm_map"))
        for stated in snapshot.not_understood:
            if found := re.match(r"(.+): \w+ at .+ prices per (\w+) are not used", stated):
                refused.setdefault(found[2], set()).add(found[1])
        dear = pl.col("usd_per_million") > pl.when(pl.col("unit") == "token").then(1_000).otherwise(1_000_000)
        assert snapshot.prices.filter(pl.col("unit").is_in(["token", "search"]), dear).is_empty()
    assert refused == {
        "token": {f"wandb/{name}" for name in WANDB} | OTHERS,
        "search": {"gpt-4o-mini-2024-07-18"},
    }
