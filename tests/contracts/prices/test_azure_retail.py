"""Azure's retail prices: the saved answer, what its abbreviations mean, and what is left alone."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.config import load_config
from pipelines.config.sources import PriceFeed
from pipelines.models import build_registry
from pipelines.prices import build_ledger, build_rate_card, feed_names, parse_feed, rate
from pipelines.prices.feed_snapshot import Parsed
from pipelines.prices.feeds import FORMATS
from tests.unit.prices.landed import landed_file
from tests.unit.prices.ledger_checks import assert_sound
from tests.unit.prices.requests_frame import requests_frame

FEED = PriceFeed(feed="azure_retail", format="azure_retail")


@pytest.fixture(scope="module")
def ledger(shared_data: Path) -> pl.DataFrame:
    path = shared_data / "prices" / "azure_retail" / "azure_retail_prices_2026-08-11.json"
    snapshot = parse_feed(landed_file(path, "azure_retail"), FEED)
    assert (snapshot.lines, snapshot.valid, snapshot.prices.height) == (3289, 3289, 2558)
    return build_ledger(FEED, [snapshot], build_registry(load_config(None).models, feed_names([snapshot])))


def test_the_saved_answer_makes_a_sound_ledger(ledger: pl.DataFrame) -> None:
    assert_sound(ledger)
    assert set(ledger["date_basis"]) == {"documented"}


@pytest.mark.parametrize(
    ("call", "usd"),
    [
        # Read from the file: gpt 4.1 Inp glbl 0.002 and Outp glbl 0.008 per 1K, cached 0.0005, from 2025-04-01.
        ({"model_id": "gpt-4.1", "input_uncached": 1000, "input_cache_read": 1000, "output_text": 1000}, "0.0105"),
        # regional in eastus: 0.0022, from 2025-11-01; a region without a price of its own takes the global one.
        ({"model_id": "gpt-4.1", "input_uncached": 1000, "region": "eastus"}, "0.0022"),
        ({"model_id": "gpt-4.1", "input_uncached": 1000, "region": "nowhere"}, "0.002"),
        ({"model_id": "gpt-4.1", "input_uncached": 1000, "region": "data-zone"}, "0.0022"),
        ({"model_id": "gpt-4.1", "input_uncached": 1000, "output_text": 1000, "service_tier": "batch"}, "0.005"),
        ({"model_id": "gpt-4.1", "input_uncached": 1000, "event_at": datetime(2025, 3, 31, tzinfo=UTC)}, None),
        ({"model_id": "mistral-large-3", "input_uncached": 1_000_000}, "0.5"),
        # 5.5 ShortCo inp Gl 5 and opt 30, LongCo inp Gl 10 and opt 45 per million; 5.5 ShortCo PP inp Gl 12.5, and no LongCo.
        ({"model_id": "gpt-5.5", "input_uncached": 272_000, "output_text": 1000}, "1.39"),
        ({"model_id": "gpt-5.5", "input_uncached": 272_001, "output_text": 1000}, "2.76501"),
        ({"model_id": "gpt-5.5", "input_uncached": 272_000, "service_tier": "priority"}, "3.4"),
        ({"model_id": "gpt-5.5", "input_uncached": 272_001, "service_tier": "priority"}, None),
    ],
)
def test_prices_by_region_and_tier(ledger: pl.DataFrame, call: dict[str, Any], usd: str | None) -> None:
    request = {"provider_id": "azure", "event_at": datetime(2026, 7, 1, tzinfo=UTC)} | call
    rated = rate(requests_frame([request]), build_rate_card(ledger, [FEED]))
    assert rated["list_cost_usd"].to_list() == [None if usd is None else Decimal(usd)]


def item(
    name: str, price: float = 1, region: str = "eastus", start: str = "2026-01-01", **other: str
) -> dict[str, Any]:
    return {"productName": "Azure OpenAI", "meterName": name, "retailPrice": price, "unitOfMeasure": "1K",
            "armRegionName": region, "effectiveStartDate": f"{start}T00:00:00Z"} | other  # fmt: skip


def read(*items: dict[str, Any]) -> Parsed:
    return FORMATS["azure_retail"].read(json.dumps({"Items": items}).encode(), {})


@pytest.mark.parametrize(
    ("name", "model", "meter", "tier"),
    [
        ("gpt 4.1 mini cached Inp glbl Tokens", "gpt-4.1-mini", "input_cache_read", "standard"),
        ("gpt-4o-0806-Batch-Outp-glbl Tokens", "gpt-4o-2024-08-06", "output_text", "batch"),
        ("o4-mini 0416 pp Inp glbl Tokens", "o4-mini-2025-04-16", "input_uncached", "priority"),
        ("5.6 sol ShortCo Cd Wr Std Gl 1M Tokens", "5.6-sol", "input_cache_write", "standard"),
    ],
)
def test_abbreviations(name: str, model: str, meter: str, tier: str) -> None:
    (price,) = read(item(name)).prices
    assert (price.raw_model, price.meter, price.service_tier, price.region) == (model, meter, tier, "")


@pytest.mark.parametrize(
    "name",
    [
        "gpt 4o dev ft inpt glbl Tokens", "5.5 shortco longco inp Gl 1M Tokens", "gpt aud 0828 Inp glbl Tokens", "gpt-4.1 Inp Tokens",
        "gpt-4o-9999-Inp-glbl Tokens", "gpt 4.1 glbl Tokens", "Inp glbl Tokens", "gpt-4o Batch pp Inp glbl Tokens",
    ],
)  # fmt: skip
def test_a_name_with_a_word_that_is_not_understood_gives_no_price_and_is_named(name: str) -> None:
    parsed = read(item(name))
    assert parsed.prices == []
    assert parsed.not_understood == {f"Azure OpenAI: {name} per 1K"}


def test_regions_that_differ_are_no_history() -> None:
    """Two regions with two dates are two prices at once; only in one region does the later date follow the earlier."""
    zones = read(
        item("gpt-5 Inp Dz Tokens", 1, "eastus"), item("gpt-5 Inp Dz Tokens", 2, "swedencentral", "2026-02-01")
    )
    assert [(p.region, p.unit_price, p.valid_to) for p in zones.prices] == [
        ("data-zone:eastus", 1, None),
        ("data-zone:swedencentral", 2, None),
    ]
    turn = read(item("gpt-5 Inp regnl Tokens", 1), item("gpt-5 Inp regnl Tokens", 2, start="2026-02-01"))
    february = datetime(2026, 2, 1, tzinfo=UTC)
    assert [(p.region, p.unit_price, p.valid_to) for p in turn.prices] == [("eastus", 1, february), ("eastus", 2, None)]


def test_what_not_everyone_pays_for_any_amount_is_no_price() -> None:
    """The API lists prices for developers and reservations, and prices from so many units on, under the same meter."""
    name = "gpt-5 Inp glbl Tokens"
    parsed = read(
        item(name, 2, type="Consumption"),
        item(name, 1, type="DevTestConsumption"),
        item(name, 0.5, type="Reservation"),
        item(name, 1.5) | {"tierMinimumUnits": 1000.0},
    )
    assert [price.unit_price for price in parsed.prices] == [2]
    assert parsed.not_understood == {
        f"Azure OpenAI: {name}: {why}"
        for why in ("a price of type DevTestConsumption", "a price of type Reservation", "a price from 1000.0 units on")
    }


def test_a_price_with_an_end_holds_until_then() -> None:
    ended = read(item("gpt-5 Inp glbl Tokens", 2, effectiveEndDate="2026-06-30T00:00:00Z"))
    assert [(p.region, p.valid_to) for p in ended.prices] == [("", datetime(2026, 6, 30, tzinfo=UTC))]
    one = read(item("gpt-5 Inp regnl Tokens", 2, effectiveEndDate="2026-06-30T00:00:00Z"))
    assert [(p.region, p.valid_to) for p in one.prices] == [("eastus", datetime(2026, 6, 30, tzinfo=UTC))]
