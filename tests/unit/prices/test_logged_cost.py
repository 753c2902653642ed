"""Why logs state other costs than ours, each worked by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from pipelines.prices import rate
from pipelines.prices.logged_cost import UNKNOWN, why_logged_differs
from tests.unit.prices.requests_frame import requests_frame
from tests.unit.prices.test_rating import always, card_of

OTHER = {"provider": "reseller"}


def card() -> pl.DataFrame:
    """acme sells at 3 in, 0.3 cached and 15 out; in batches at half of it, above 200,000 tokens at 6 in; reseller at 4."""
    long = {"context_from_tokens": 200_000, "context_bound": "gt"}
    return card_of(
        always("3"), always("0.3", "input_cache_read"), always("15", "output_text"), always("15", "output_reasoning"),
        always("1.5", service_tier="batch"), always("7.5", "output_text", service_tier="batch"), always("6", **long),
        always("4", **OTHER), always("20", "output_text", **OTHER),
    )  # fmt: skip


def reasons(logged: Sequence[str], *calls: dict[str, Any], cards: pl.DataFrame | None = None) -> list[tuple[str, int]]:
    """Reason and number of requests, for calls whose logs state these amounts."""
    known = card() if cards is None else cards
    asked = [{"provider_id": "acme", "model_id": "m", **call} for call in calls]
    amounts = pl.Series("reported_cost_usd", [Decimal(one) for one in logged], dtype=pl.Decimal(38, 18))
    found = why_logged_differs(rate(requests_frame(asked), known).with_columns(amounts), known)
    return [(row["why"], row["requests"]) for row in found.iter_rows(named=True)]


@pytest.mark.parametrize(
    ("logged", "call", "why"),
    [
        ("5", {"input_uncached": 100_000}, UNKNOWN),
        ("0", {"input_uncached": 1000}, "the log states 0"),
        ("0.0123", {"input_uncached": 4115}, "rounding in the log"),  # 0.012345
        ("0.4", {"input_uncached": 100_000}, "the price of reseller"),
        ("0.15", {"input_uncached": 100_000}, "the price of the tier batch"),
        ("0.3", {"input_uncached": 100_000, "service_tier": "batch"}, "the price of the tier standard"),
        ("0.9", {"input_uncached": 300_000}, "the price of prompts below 200,001 tokens"),  # ours 1.8
        ("0.3", {"input_cache_read": 100_000}, "cached tokens charged like other input"),
        ("0.3", {"input_uncached": 100_000, "output_reasoning": 5000}, "reasoning not charged"),
    ],
)
def test_one_request(logged: str, call: dict[str, Any], why: str) -> None:
    assert reasons([logged], call) == [(why, 1)]


def test_the_price_of_another_date() -> None:
    now = {"valid_from": datetime(2026, 2, 1, tzinfo=UTC), "date_basis": "stated"}
    cards = card_of(always("5"), always("3", **now))
    assert reasons(["0.5"], {"input_uncached": 100_000}, cards=cards) == [
        ("the price that held from any time until 2026-02-01", 1)
    ]


def test_what_explains_most_is_believed_for_all_that_it_explains() -> None:
    """Input alone costs at `cheap` what it costs in a batch; with its output only `cheap` gives the amount."""
    cheap = {"provider": "cheap"}
    batch = {"service_tier": "batch"}
    cards = card_of(
        always("3"), always("15", "output_text"), always("1.5", **batch), always("7.5", "output_text", **batch),
        always("1.5", **cheap), always("30", "output_text", **cheap),
    )  # fmt: skip
    calls = [{"input_uncached": 100_000, "output_text": output} for output in (0, 1000, 2000)]
    assert reasons(["0.15"], calls[0], cards=cards) == [("the price of cheap", 1)]
    assert reasons(["0.15", "0.18", "0.9"], *calls, cards=cards) == [(UNKNOWN, 1), ("the price of cheap", 2)]
    assert reasons(["0.15", "0.1575"], *calls[:2], cards=cards) == [("the price of the tier batch", 2)]


def test_the_price_of_another_region() -> None:
    cards = card_of(always("3"), always("3.3", region="eu"))
    asked = {"input_uncached": 100_000}
    assert reasons(["0.3"], {**asked, "region": "eu"}, cards=cards) == [("the price of no region", 1)]
    assert reasons(["0.33"], asked, cards=cards) == [("the price of the region eu", 1)]


@pytest.mark.slow
def test_a_constant_factor() -> None:
    calls = [{"input_uncached": tokens, "output_text": 10 * tokens} for tokens in (1000, 2000, 5000)]
    ours = [Decimal("0.153"), Decimal("0.306"), Decimal("0.765")]
    stated = {"1.055": "5.5 % more throughout: a fee or a mark-up", "1.2": "20 % more throughout: a fee or a mark-up",
            "0.9": "10 % less throughout: a discount", "3": "3 times as much throughout"}  # fmt: skip
    for factor, why in stated.items():
        assert reasons([str(cost * Decimal(factor)) for cost in ours], *calls) == [(why, 3)]
    assert reasons([str(ours[0] * Decimal("1.2"))], calls[0]) == [(UNKNOWN, 1)]


def test_the_fee_on_credits_needs_no_second_request() -> None:
    cards = card_of(always("3", provider="openrouter"))
    fee = [("a fee of 5.5 %, as OpenRouter takes for credits", 1)]
    assert reasons(["0.003165"], {"input_uncached": 1000, "provider_id": "openrouter"}, cards=cards) == fee


def test_amounts_that_agree_are_no_difference() -> None:
    assert reasons(["0.3", "0.3000004"], {"input_uncached": 100_000}, {"input_uncached": 100_000}) == []
