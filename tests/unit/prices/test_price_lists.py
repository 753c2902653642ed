"""One model under several names of a feed: price lists of one seller kept apart, and the name that loses shown as a conflict."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.config import load_config
from pipelines.config.sources import PriceFeed
from pipelines.models import Registry, resolve_requests
from pipelines.prices import (
    FeedSnapshot,
    build_ledger,
    build_rate_card,
    other_names,
    parse_feed,
    rate,
    with_separate_lists,
)
from pipelines.prices.exposure import Traffic, price_conflict_rows
from pipelines.prices.feed_snapshot import BEGINNING
from tests.unit.prices.feeds import FEED, day, price, registry_of, snapshot
from tests.unit.prices.landed import landed_bytes
from tests.unit.prices.requests_frame import requests_frame


def listed(*prices: tuple[str, str, str]) -> tuple[FeedSnapshot, Registry]:
    """A snapshot of (provider, name, USD per million input tokens) and the registry of its names."""
    found = snapshot("2026-01-01", *(price(usd, provider=provider, raw_model=name) for provider, name, usd in prices))
    return found, with_separate_lists(registry_of([found], load_config(None).models), [found])


def costs(calls: list[tuple[str | None, str]], found: FeedSnapshot, registry: Registry) -> list[Decimal | None]:
    names = {"provider_id": pl.String, "request_model": pl.String}
    asked = pl.DataFrame(calls, schema=names, orient="row").with_columns(
        pl.lit(None, pl.String).alias("response_model"), pl.lit("").alias("region")
    )
    rows = resolve_requests(asked, registry).select("provider_id", "model_id").iter_rows()
    requests = requests_frame({"provider_id": p, "model_id": m, "input_uncached": 1_000_000} for p, m in rows)
    rated = rate(requests, build_rate_card(build_ledger(FEED, [found], registry), [FEED]))
    return rated["list_cost_usd"].to_list()


@pytest.mark.parametrize(
    ("own", "further", "model"),
    [("azure", "azure_ai", "mistral-large-latest"), ("gemini", "vertex_ai", "gemini-9-flash"), ("bedrock", "bedrock_mantle", "grok-9")],
)  # fmt: skip
def test_two_price_lists_of_a_seller_are_distinguished(own: str, further: str, model: str) -> None:
    found, registry = listed(
        (own, f"{own}/{model}", "8"), (further, f"{further}/{model}", "2"), (own, f"{own}/other", "1")
    )
    calls = [
        (own, model),
        (further, model),
        (None, f"{further}/{model}"),
        (own, f"{further}/{model}"),
        (further, "other"),
    ]
    assert costs(calls, found, registry) == [8, 2, 2, 2, 1]


def test_lists_that_agree_are_one_seller() -> None:
    found, registry = listed(("azure", "azure/m-1", "8"), ("azure_ai", "azure_ai/m-1", "8"))
    assert not registry.separate
    assert costs([("azure", "m-1"), ("azure_ai", "m-1")], found, registry) == [8, 8]
    assert set(build_ledger(FEED, [found], registry)["provider_id"]) == {"azure"}


def charged_for(ledger: pl.DataFrame) -> Traffic:
    """Three million units of everything in the ledger, for six dollars."""
    charges = ledger.with_columns(quantity=pl.lit(3_000_000, pl.Int64), cost_usd=pl.lit(6).cast(pl.Decimal(38, 18)))
    return Traffic(charges, Decimal(6), 30)


def test_the_price_of_a_name_that_does_not_speak_is_a_conflict_with_its_money() -> None:
    found, registry = listed(("openai", "openai/o3", "2"), ("openai", "openai/o3-2025-04-16", "10"))
    ledger = build_ledger(FEED, [found], registry)
    others = other_names(found, registry, day("2026-01-02")).with_columns(feed=pl.lit(FEED.feed))
    traffic = charged_for(ledger)
    (row,) = price_conflict_rows(ledger, [FEED], traffic, at=day("2026-01-02"), others=others).iter_rows(named=True)
    assert json.loads(row["prices"]) == {"list": 2, "list (openai/o3-2025-04-16)": 10}
    assert (row["model_id"], row["usd_used"], row["at_stake_30d_usd"]) == ("o3", 2, 24)
    assert row["decided_by"] == "in list one name speaks for the model, not openai/o3-2025-04-16"
    assert price_conflict_rows(ledger, [FEED], traffic, at=day("2026-01-02")).is_empty()


TWICE: dict[str, Any] = {
    "openrouter_models": {"data": [
        {"id": "acme/m9", "pricing": {"prompt": usd, "completion": "0"}} for usd in ("0.000001", "0.000003", "0.000004")
    ]},
    "genai_prices": [
        {"id": "openrouter", "models": [{"id": "acme/m9", "prices": {"input_mtok": usd}} for usd in (1, 3, 4)]}
    ],
    "llm_prices": {"prices": [
        {"id": "acme/m9", "vendor": "openrouter", "name": "M9", "input": usd} for usd in (1, 3, 4)
    ]},
    "azure_retail": {"Items": [
        {
            "productName": "Azure OpenAI", "meterName": "gpt m9 Inp regnl Tokens", "unitOfMeasure": "1M", "retailPrice": usd,
            "effectiveStartDate": "2026-01-01T00:00:00Z", "armRegionName": "eastus",
        } for usd in (1, 3, 4)
    ]},
}  # fmt: skip


@pytest.mark.parametrize("kind", TWICE)
def test_an_entry_that_stands_twice_in_a_list_is_a_conflict(tmp_path: Path, kind: str) -> None:
    """The first counts; what the others say was lost without a word."""
    feed = PriceFeed(feed="list", format=kind)
    content = json.dumps(TWICE[kind]).encode()
    found = parse_feed(landed_bytes(tmp_path, "list", "2026-01-02.json", content), feed)
    registry = registry_of([found], load_config(None).models)
    ledger = build_ledger(feed, [found], registry)
    others = other_names(found, registry, found.observed_at).with_columns(feed=pl.lit("list"))
    rows = price_conflict_rows(ledger, [feed], charged_for(ledger), at=found.observed_at, others=others)
    (row,) = rows.filter(meter="input_uncached").iter_rows(named=True)
    assert json.loads(row["prices"]) == {"list": 1, "list (stated again)": 3, "list (stated again, 2)": 4}
    assert (row["usd_used"], row["at_stake_30d_usd"]) == (1, 9)
    assert row["decided_by"] == "list states it more than once, and the first counts"


def test_what_another_name_once_cost_is_no_conflict() -> None:
    """genai-prices states the history of each name: 204 of 239 conflicts inside of it were prices that had ended."""
    ended = price(
        "10", provider="openai", raw_model="openai/o3-2025-04-16", valid_from=BEGINNING, valid_to=day("2025-06-10")
    )
    now = ended._replace(unit_price=Decimal(2), valid_from=day("2025-06-10"), valid_to=None)
    announced = now._replace(unit_price=Decimal(1), valid_from=day("2026-03-01"))
    found = snapshot("2026-01-01", price("2", provider="openai", raw_model="o3"), ended, now, announced)
    registry = registry_of([found], load_config(None).models)
    assert other_names(found, registry, day("2026-01-02"))["usd_per_million"].to_list() == [2]


def test_a_feed_that_only_states_another_names_price_is_not_the_one_that_is_used() -> None:
    """It stands before the feed whose price is charged, and the whole price step failed on it."""
    found, registry = listed(("openai", "openai/o3", "2"))
    ledger = build_ledger(FEED, [found], registry)
    first = FEED.model_copy(update={"feed": "first", "precedence": 1})
    named, known = listed(("openai", "openai/o3", "2"), ("openai", "openai/o3-2025-04-16", "10"))
    others = other_names(named, known, day("2026-01-02")).with_columns(feed=pl.lit("first"))
    rows = price_conflict_rows(ledger, [first, FEED], charged_for(ledger), at=day("2026-01-02"), others=others)
    (row,) = rows.iter_rows(named=True)
    assert (row["feed_used"], row["usd_used"], row["at_stake_30d_usd"]) == ("list", 2, 24)
    assert row["decided_by"] == "in first one name speaks for the model, not openai/o3-2025-04-16"


def test_a_dated_name_speaks_before_the_one_that_moves_on() -> None:
    """LiteLLM's map of 2025 kept 1 USD under `claude-3-5-haiku-latest` after the price had become 0.80."""
    found, registry = listed(
        ("anthropic", "claude-3-5-haiku-latest", "1"), ("anthropic", "claude-3-5-haiku-20241022", "0.8")
    )
    calls = [("anthropic", name) for name in ("claude-3-5-haiku-20241022", "claude-3-5-haiku-latest")]
    assert costs([*calls], found, registry) == [Decimal("0.8"), Decimal("0.8")]


def test_a_name_that_tokens_are_priced_under_speaks_first() -> None:
    """Of two names the shorter one was sold by the character: the tokens' price was lost with it."""
    by_character = price("1", "input_character", provider="google", raw_model="bison", unit="character")
    found = snapshot("2026-01-01", by_character, price("2", provider="palm", raw_model="palm/bison"))
    registry = registry_of([found], load_config(None).models)
    assert costs([("palm", "bison")], found, registry) == [2]


@pytest.mark.parametrize(("standard", "batch"), [("2", ["1"]), ("3", [])])
def test_a_tier_that_the_name_that_speaks_leaves_out_is_spoken_for_by_one_that_agrees(
    standard: str, batch: list[str]
) -> None:
    """The map prices a batch under `vertex_ai/m` alone: a call of `m` in a batch had no price."""
    found = snapshot(
        "2026-01-01",
        price("2", provider="openai", raw_model="o3"),
        price(standard, provider="openai", raw_model="openai/o3"),
        price("1", provider="openai", raw_model="openai/o3", service_tier="batch"),
        price("0.9", provider="openai", raw_model="openai/o3-2025-04-16", service_tier="batch"),
    )
    ledger = build_ledger(FEED, [found], registry_of([found], load_config(None).models))
    assert ledger.filter(service_tier="standard")["unit_price"].to_list() == [2]
    assert ledger.filter(service_tier="batch")["unit_price"].to_list() == [Decimal(usd) for usd in batch]
