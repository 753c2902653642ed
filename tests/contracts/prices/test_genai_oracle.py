"""Our rating against genai-prices' own calculator: every model, date, tier bound, hour and variant, to the last digit.

The calculator is the independent oracle. Where the two differ on purpose, the reason stands here and is counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from genai_prices import types as genai
from genai_prices.data import providers

from pipelines.meters import INPUT_METERS, OUTPUT_METERS
from pipelines.models import Registry
from pipelines.prices import FeedSnapshot, build_ledger, build_rate_card, rate
from tests.contracts.prices.conftest import GENAI
from tests.unit.prices.requests_frame import requests_frame

CONTEXTS: dict[str, dict[str, str] | None] = {
    "standard": None,
    "batch": {"processing": "batch"},
    "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority"},
    "fast": {"speed": "fast"},
}
SHAPES: tuple[dict[str, int], ...] = (
    {"input_uncached": 1},
    {"input_uncached": 1234, "output_text": 567},
    {"input_uncached": 999_999_999, "output_text": 999_999_999},
    {"input_uncached": 10, "input_cache_read": 1000, "output_text": 3, "output_reasoning": 40},
    {
        "input_uncached": 10,
        "input_cache_write": 7,
        "input_cache_write_5m": 11,
        "input_cache_write_1h": 13,
        "output_text": 1,
    },
    {
        "input_uncached": 5,
        "input_cache_write_30m": 17,
        "input_cache_write_12h": 19,
        "input_tool": 23,
        "output_text": 29,
    },
    {"input_uncached": 1, "input_audio": 31, "input_audio_cache_read": 37, "output_audio": 41, "output_text": 43},
    {"input_uncached": 1, "input_image": 47, "input_image_cache_read": 53, "input_video": 59, "output_image": 61},
)


@dataclass(frozen=True)
class Case:
    provider: genai.Provider
    model: genai.ModelInfo
    model_id: str
    region: str
    tier: str
    at: datetime
    buckets: dict[str, int]
    searches: int


TIERS_BEFORE = {"batch": 8_274, "flex": 1_437, "priority": 1_569}

SHAPES += tuple(
    # Quantities without a common factor, from a few tokens to two hundred thousand; no bound lies among them.
    {
        "input_uncached": 7 + 13 * step,
        "input_cache_read": 101 * step**2,
        "input_cache_write": 3 * step,
        "input_cache_write_1h": 11 * step,
        "output_text": 1 + 997 * step,
        "output_reasoning": 19 * step,
    }
    for step in range(16)
)


def _blocks(model: genai.ModelInfo) -> list[Any]:
    entries = model.prices if isinstance(model.prices, list) else [genai.ConditionalPrice(prices=model.prices)]
    return [*entries, *(model.price_variants or [])]


def _instants(model: genai.ModelInfo) -> list[datetime]:
    found = {datetime(2026, 2, 14, 12, tzinfo=UTC)}
    for block in _blocks(model):
        if isinstance(block.constraint, genai.StartDateConstraint):
            day = block.constraint.start_date
            midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
            found |= {midnight - timedelta(seconds=1), midnight, midnight + timedelta(days=1, hours=13)}
        elif block.constraint is not None:
            for clock in (block.constraint.start_time, block.constraint.end_time):
                edge = datetime(2026, 11, 3, clock.hour, clock.minute, tzinfo=UTC)
                found |= {edge - timedelta(microseconds=1), edge, edge + timedelta(minutes=1)}
    return sorted(found)


def _bounds(model: genai.ModelInfo) -> set[int]:
    prices = [price for block in _blocks(model) for price in vars(block.prices).values()]
    return {tier.start for price in prices if isinstance(price, genai.TieredPrices) for tier in price.tiers}


def _shapes(model: genai.ModelInfo) -> Iterator[dict[str, int]]:
    yield from SHAPES
    for bound in sorted(_bounds(model)):
        for prompt in (bound - 1, bound, bound + 1):
            # The size that counts is the whole prompt, so that cached and audio tokens can pass the bound.
            yield {
                "input_uncached": prompt - 300,
                "input_cache_read": 200,
                "input_cache_write_5m": 100,
                "output_text": 77,
            }


def _tiers(model: genai.ModelInfo) -> list[str]:
    named = [variant.when for variant in model.price_variants or []]
    return [tier for tier, context in CONTEXTS.items() if context is None or context in named]


def _speaks(provider: genai.Provider, model: genai.ModelInfo, speaking: set[tuple[str, str]]) -> bool:
    """True where the ledger took its prices from this model: several may mean one model, and one speaks for it."""
    names = {model.id, *(clause.equals for clause in _clauses(model.match) if isinstance(clause, genai.ClauseEquals))}
    return any((provider.id, name) in speaking for name in names)


def _clauses(clause: object) -> Iterator[object]:
    yield clause
    for part in getattr(clause, "or_", ()):
        yield from _clauses(part)


def _cases(registry: Registry, speaking: set[tuple[str, str]]) -> Iterator[Case]:
    for provider in providers:
        for model in provider.models:
            if not _speaks(provider, model, speaking):
                continue
            model_id = registry.resolve(provider.id, model.id).model_id
            region = registry.split(model.id).region
            assert model_id is not None
            searches = 3 if _blocks(model)[0].prices.web_searches_kcount else 0
            for tier in _tiers(model):
                for at in _instants(model):
                    for buckets in _shapes(model):
                        yield Case(provider, model, model_id, region, tier, at, buckets, searches)


def _usage(case: Case) -> genai.Usage:
    tokens: Counter[str] = Counter(case.buckets)
    reads = tokens["input_cache_read"] + tokens["input_audio_cache_read"] + tokens["input_image_cache_read"]
    writes = sum(count for name, count in tokens.items() if name.startswith("input_cache_write"))
    counts = {
        "input_tokens": sum(tokens[meter.name] for meter in INPUT_METERS),
        "output_tokens": sum(tokens[meter.name] for meter in OUTPUT_METERS),
        "cache_read_tokens": reads,
        "cache_write_tokens": writes,
        "cache_write_5m_tokens": tokens["input_cache_write_5m"],
        "cache_write_1h_tokens": tokens["input_cache_write_1h"],
        "input_audio_tokens": tokens["input_audio"] + tokens["input_audio_cache_read"],
        "cache_audio_read_tokens": tokens["input_audio_cache_read"],
        "input_image_tokens": tokens["input_image"] + tokens["input_image_cache_read"],
        "cache_image_read_tokens": tokens["input_image_cache_read"],
        "input_video_tokens": tokens["input_video"],
        "input_tool_tokens": tokens["input_tool"],
        "output_reasoning_tokens": tokens["output_reasoning"],
        "output_audio_tokens": tokens["output_audio"],
        "output_image_tokens": tokens["output_image"],
        "web_searches": case.searches,
    }
    return genai.Usage(**counts)


def _expected(case: Case) -> tuple[Decimal, bool]:
    """The calculator's cost, and whether a rate had to be rounded first.

    A few rates in the feed are float dust (0.18000000000000002 USD per million); the ledger rounds to 12 decimals.
    """
    prices = case.model.get_prices(case.at, CONTEXTS[case.tier])
    dusty = {key: rate for key, rate in vars(prices).items() if isinstance(rate, Decimal) and rate != round(rate, 12)}
    if dusty:
        prices = genai.ModelPrice(**vars(prices) | {key: round(rate, 12) for key, rate in dusty.items()})
    return Decimal(prices.calc_price(_usage(case))["total_price"]), bool(dusty)


@pytest.fixture(scope="module")
def rated(genai_snapshot: FeedSnapshot, genai_registry: Registry) -> tuple[list[Case], pl.DataFrame]:
    ledger = build_ledger(GENAI, [genai_snapshot], genai_registry)
    speaking = set(ledger.select("provider_id", "raw_model").unique().iter_rows())
    cases = list(_cases(genai_registry, speaking))
    requests = requests_frame(
        {
            "provider_id": case.provider.id,
            "model_id": case.model_id,
            "service_tier": case.tier,
            "region": case.region,
            "event_at": case.at,
            "web_search_count": case.searches,
            **case.buckets,
        }
        for case in cases
    )
    return cases, rate(requests, build_rate_card(ledger, [GENAI]))


@pytest.mark.slow
def test_every_case_costs_what_the_calculator_says(rated: tuple[list[Case], pl.DataFrame]) -> None:
    cases, result = rated
    differ: list[str] = []
    priced = dusty = 0
    for case, cost, reason in zip(cases, result["list_cost_usd"], result["unpriced_reason"], strict=True):
        if reason is not None:
            continue
        priced += 1
        expected, is_dusty = _expected(case)
        dusty += is_dusty
        if cost != expected:
            differ.append(
                f"{case.provider.id}/{case.model.id} {case.tier} {case.at} {case.buckets}: {cost} not {expected}"
            )
    assert not differ, f"{len(differ)} of {priced}: {differ[:20]}"
    assert priced == 93_569
    assert 0 < dusty < priced / 100


def test_unpriced_cases_are_those_where_the_calculator_ignores_tokens_without_a_rate(
    rated: tuple[list[Case], pl.DataFrame],
) -> None:
    """The calculator charges nothing for usage that no price covers; we say that the cost is not known."""
    cases, result = rated
    for case, reason in zip(cases, result["unpriced_reason"], strict=True):
        if reason is None:
            continue
        if reason in ("no_price_at_time", "no_price_for_tier"):
            continue
        assert reason in {"no_rate_for_meter", "no_price"}, case
        prices = vars(case.model.get_prices(case.at, CONTEXTS[case.tier]))
        lacks_input = "input_mtok" not in prices
        lacks_output = "output_mtok" not in prices and any(name.startswith("output") for name in case.buckets)
        assert lacks_input or lacks_output, f"{case.provider.id}/{case.model.id} has rates for {case.buckets}"


def test_a_tier_without_a_price_at_the_time_is_unpriced_where_the_calculator_takes_the_standard_price(
    rated: tuple[list[Case], pl.DataFrame],
) -> None:
    """Batches before the day from which the feed prices them: the standard price is not theirs, so the cost is not known."""
    cases, result = rated
    before = [
        case
        for case, why in zip(cases, result["unpriced_reason"], strict=True)
        if why in ("no_price_at_time", "no_price_for_tier")
    ]
    assert Counter(case.tier for case in before) == TIERS_BEFORE
    for case in before:
        assert case.tier != "standard"
        assert case.model.get_prices(case.at, CONTEXTS[case.tier]) == case.model.get_prices(case.at, None), case


def test_pages_cost_what_the_calculator_says(genai_snapshot: FeedSnapshot, genai_registry: Registry) -> None:
    """To it the pages with fields extracted are some of all pages; the answers that we read count the two apart."""
    ledger = build_ledger(GENAI, [genai_snapshot], genai_registry)
    rows, expected = [], []
    for provider in providers:
        for model in provider.models:
            blocks = _blocks(model)
            if not blocks[0].prices.input_document_kpages:
                continue
            fields = 3 if blocks[-1].prices.input_annotated_document_kpages else 0
            for tier in _tiers(model):
                for at in _instants(model):
                    prices = model.get_prices(at, CONTEXTS[tier])
                    if prices == model.get_prices(at, None) and tier != "standard":
                        continue
                    counts = {"input_document_pages": 7 + fields} | (
                        {"input_annotated_document_pages": fields} if fields else {}
                    )
                    if fields and not prices.input_annotated_document_kpages:
                        continue
                    expected.append(Decimal(prices.calc_price(genai.Usage(**counts))["total_price"]))
                    rows.append(
                        {
                            "provider_id": provider.id, "model_id": genai_registry.resolve(provider.id, model.id).model_id,
                            "service_tier": tier, "event_at": at, "document_page_count": 7, "annotated_document_page_count": fields,
                        }
                    )  # fmt: skip
    assert len(rows) > 20
    assert rate(requests_frame(rows), build_rate_card(ledger, [GENAI]))["list_cost_usd"].to_list() == expected
