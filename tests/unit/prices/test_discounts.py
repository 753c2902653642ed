"""Discounts by percent, by hand: 12 % off 3 USD of input, 15 of output and 0.01 a search is 2.64, 13.20 and 0.0088."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from pipelines.config.commitments import Discount
from pipelines.prices import build_ledger, build_rate_card, rate
from pipelines.prices.feed_snapshot import Price
from tests.unit.prices.feeds import FEED, price, registry_of, snapshot
from tests.unit.prices.requests_frame import requests_frame

SEARCH = price("0.01", "web_search", unit="search", pricing_quantity=1)
LIST = (price("3"), price("15", "output_text"), price("1.5", service_tier="batch"))
CALL = {"provider_id": "acme", "model_id": "m", "input_uncached": 1_000_000, "output_text": 100_000}
TWELVE = Discount(discount="enterprise", provider_id="acme", percent=Decimal(12), from_date=date(2026, 2, 1))


def costs(
    prices: tuple[Price, ...], discounts: tuple[Discount, ...], *calls: dict[str, Any]
) -> list[tuple[Decimal, Decimal, Decimal]]:
    """List, contracted and effective cost of each call."""
    feed = snapshot("2026-01-10", *prices)
    cards = build_rate_card(build_ledger(FEED, [feed], registry_of([feed])), [FEED], discounts=discounts)
    assert cards["rate_id"].is_unique().all()
    rated = rate(requests_frame(CALL | call for call in calls), cards)
    return rated.select("list_cost_usd", "contracted_cost_usd", "effective_cost_usd").rows()


def at(day: int) -> dict[str, Any]:
    return {"event_at": datetime(2026, 2, day, tzinfo=UTC)}


def test_twelve_percent_off_every_rate() -> None:
    full, less = Decimal("4.5"), Decimal("3.96")
    assert costs(LIST, (TWELVE,), at(14), {"service_tier": "batch"}) == [
        (full, less, less), (Decimal(3), Decimal("2.64"), Decimal("2.64")),
    ]  # fmt: skip


def test_it_holds_from_its_first_day_to_the_one_before_its_end() -> None:
    february = TWELVE.model_copy(update={"from_date": date(2026, 2, 10), "to_date": date(2026, 2, 20)})
    found = costs(LIST, (february,), at(9), at(10), at(19), at(20))
    assert [contracted for _, contracted, _ in found] == [Decimal(cost) for cost in ("4.5", "3.96", "3.96", "4.5")]


@pytest.mark.parametrize(
    ("models", "provider", "contracted"),
    [(("m*",), "acme", "3.96"), (("n", "*-x"), "acme", "4.5"), (("*",), "other", "4.5")],
)
def test_only_its_models_and_seller_are_cheaper(models: tuple[str, ...], provider: str, contracted: str) -> None:
    of_some = TWELVE.model_copy(update={"models": models, "provider_id": provider})
    assert costs(LIST, (of_some,), at(14))[0][1] == Decimal(contracted)


def test_a_contract_of_a_price_sheet_goes_before_it_and_of_two_discounts_the_first() -> None:
    negotiated = {
        "contract_id": "c",
        "valid_from": datetime(2026, 2, 10, tzinfo=UTC),
        "valid_to": datetime(2026, 2, 20, tzinfo=UTC),
    }
    half = TWELVE.model_copy(update={"discount": "second", "percent": Decimal(50)})
    found = costs((*LIST, price("2", **negotiated)), (TWELVE, half), at(9), at(10), at(20))
    assert [contracted for _, contracted, _ in found] == [Decimal("3.96"), Decimal("3.5"), Decimal("3.96")]


def test_fees_are_cheaper_too_unless_it_is_on_tokens_alone() -> None:
    search = {"web_search_count": 100, "input_uncached": 0, "output_text": 0}
    on_tokens = TWELVE.model_copy(update={"applies_to": "tokens"})
    assert costs((*LIST, SEARCH), (TWELVE,), search)[0] == (Decimal(1), Decimal("0.88"), Decimal("0.88"))
    assert costs((*LIST, SEARCH), (on_tokens,), search)[0][1] == Decimal(1)


def test_rates_above_a_bound_are_cheaper_too() -> None:
    above = price("1", context_from_tokens=400_000, context_bound="gt", context_scope="marginal")
    call = {"output_text": 0}
    assert costs((*LIST, above), (TWELVE,), call)[0] == (Decimal("1.8"), Decimal("1.584"), Decimal("1.584"))


def test_no_card_changes_without_discounts() -> None:
    feed = snapshot("2026-01-10", *LIST)
    ledger = build_ledger(FEED, [feed], registry_of([feed]))
    listed, both = build_rate_card(ledger, [FEED]), build_rate_card(ledger, [FEED], discounts=(TWELVE,))
    assert both.filter(pl.col("contract_id") == "").equals(listed)
