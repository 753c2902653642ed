"""Hand-worked costs of what is charged in place of tokens: searches of a reranking, pages, and pages with fields extracted."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from pipelines.books.focus.cost_and_usage import _METER_NAMES
from pipelines.meters import FOCUS_UNITS, PRICED_METERS
from pipelines.prices.feeds import FORMATS
from pipelines.warehouse.charges import UNITS
from tests.unit.prices.test_rating import always, call, card_of, costs, one

PAGE = always("4", "document_page", unit="page", pricing_quantity=1_000)
BATCH = always("2", "document_page", unit="page", pricing_quantity=1_000, service_tier="batch")
FIELDS = always("5", "annotated_document_page", unit="page", pricing_quantity=1_000)
SEARCH = always("2", "rerank_search", unit="search", pricing_quantity=1_000)


@pytest.mark.parametrize(
    ("counts", "usd"),
    [
        ({"document_page_count": 7}, "0.028"),
        ({"document_page_count": 7, "annotated_document_page_count": 3}, "0.043"),
        ({"document_page_count": 7, "service_tier": "batch"}, "0.014"),
        ({"rerank_search_count": 4}, "0.008"),
        ({"rerank_search_count": 4, "input_uncached": 1_000_000}, "1.008"),
    ],
)
def test_pages_and_searches_are_charged_by_the_thousand(counts: dict[str, Any], usd: str) -> None:
    assert costs(card_of(always("1"), PAGE, BATCH, FIELDS, SEARCH), call(**counts)) == [Decimal(usd)]


@pytest.mark.parametrize("count", ["document_page_count", "annotated_document_page_count", "rerank_search_count"])
def test_a_page_or_search_without_a_price_leaves_the_request_unpriced(count: str) -> None:
    assert one(card_of(always("1")), **{count: 1})["unpriced_reason"] == "no_rate_for_meter"


def test_the_map_prices_pages_of_a_batch() -> None:
    """The columns of LiteLLM's map of November 2026; those of a batch were not understood."""
    entry = {
        "litellm_provider": "mistral", "ocr_cost_per_page": 0.004, "ocr_cost_per_page_batches": 0.002,
        "annotation_cost_per_page": 0.005, "annotation_cost_per_page_batches": 0.0025,
    }  # fmt: skip
    found = FORMATS["litellm_map"].read(json.dumps({"mistral/mistral-ocr-4-1": entry}).encode(), {})
    assert not found.not_understood
    assert {(price.meter, price.service_tier, price.unit): str(price.unit_price) for price in found.prices} == {
        ("document_page", "standard", "page"): "0.004",
        ("document_page", "batch", "page"): "0.002",
        ("annotated_document_page", "standard", "page"): "0.005",
        ("annotated_document_page", "batch", "page"): "0.0025",
    }


def test_focus_has_a_name_and_a_unit_for_every_meter() -> None:
    assert set(_METER_NAMES) == {meter.name for meter in PRICED_METERS}
    assert set(UNITS.values()) <= set(FOCUS_UNITS)
