"""The same model at another seller for less, worked by hand, and every case in which nobody can know that."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from pipelines.books.dearer_sellers import DearerSellers
from pipelines.books.waste import CALL_COLUMNS
from pipelines.prices import build_ledger, build_rate_card, rate
from pipelines.warehouse.tables.core import REQUEST
from pipelines.warehouse.tables.core_prices import RATE_CARD
from pipelines.warehouse.tables.mart_economics import WASTE
from tests.unit.prices.feeds import FEED, price, registry_of, snapshot
from tests.unit.prices.requests_frame import requests_frame
from tests.warehouse import rows as warehouse_rows

DAY = date(2026, 2, 14)
NEXT = DAY + timedelta(days=1)
OWN = (price("3"), price("15", "output_text"))
BETA = {"provider": "beta"}
GAMMA = {"provider": "gamma"}
CALL = {"provider_id": "acme", "model_id": "m", "input_uncached": 1_000_000, "output_text": 100_000}
"""4.50 USD at acme."""


def found(
    *prices: Any, calls: tuple[dict[str, Any], ...] = (CALL,), sellers: tuple[str, ...] = ("*",), wasted: int = 0
) -> list[tuple[Any, ...]]:
    """Cheaper seller, requests, cost and saving of the calls at the prices; the first `wasted` of them are in mart.waste."""
    feed = snapshot("2026-01-10", *prices)
    card = build_rate_card(build_ledger(FEED, [feed], registry_of([feed])), [FEED])
    noon = datetime(2026, 2, 14, 12, tzinfo=UTC)
    rated = rate(requests_frame({"event_at": noon, **call} for call in calls), card)
    requests = warehouse_rows.requests(len(calls), day=DAY).with_columns(
        *(rated[name] for name in rated.columns), event_date=pl.lit(DAY)
    )
    waste = requests.head(wasted).select("request_uid")
    sums = DearerSellers(card, sellers)
    for one in requests.select(CALL_COLUMNS).iter_slices(1):
        sums.add(one, waste)
    return sums.rows().select("cheaper_provider_id", "requests", "cost_usd", "saving_usd").rows()


def test_the_cheapest_other_seller_of_the_same_model() -> None:
    """Beta asks 2 and 10 USD: 3 USD. Gamma asks 1 and 30: 4 USD, dearer for what comes out."""
    beta = (price("2", **BETA), price("10", "output_text", **BETA))
    gamma = (price("1", **GAMMA), price("30", "output_text", **GAMMA))
    assert found(*OWN, *beta, *gamma) == [("beta", 1, Decimal("4.5"), Decimal("1.5"))]
    assert found(*OWN, *beta, *gamma, calls=(CALL, CALL)) == [("beta", 2, Decimal(9), Decimal(3))]
    assert found(*OWN, *beta, *gamma, sellers=("gam*",)) == [("gamma", 1, Decimal("4.5"), Decimal("0.5"))]
    assert found(*OWN, *beta, *gamma, calls=(CALL, CALL), wasted=1) == [("beta", 1, Decimal("4.5"), Decimal("1.5"))]


CASES: dict[str, tuple[Any, ...]] = {
    "no other seller": (),
    "as dear": (price("3", **BETA), price("15", "output_text", **BETA)),
    "free, which is no price list": (price("0", **BETA), price("0", "output_text", **BETA)),
    "no price for what comes out": (price("1", **BETA),),
    "another model": (price("1", raw_model="n", **BETA), price("1", "output_text", raw_model="n", **BETA)),
    "another tier": (price("1", service_tier="batch", **BETA), price("1", "output_text", service_tier="batch", **BETA)),
    "another region": (price("1", region="us", **BETA), price("1", "output_text", region="us", **BETA)),
    "a price that depends on the prompt": (
        price("1", **BETA), price("1", "output_text", **BETA),
        price("9", context_from_tokens=200_000, context_bound="gt", **BETA),
        price("9", "output_text", context_from_tokens=200_000, context_bound="gt", **BETA),
    ),
    "marginal rates": (
        price("1", **BETA), price("1", "output_text", **BETA),
        price("0.5", context_scope="marginal", context_bound="gt", context_from_tokens=100, **BETA),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_is_not_known_to_be_cheaper_is_no_finding(case: str) -> None:
    assert found(*OWN, *CASES[case]) == []


def test_nothing_of_nothing() -> None:
    calls = pl.DataFrame(schema={name: REQUEST.polars_schema[name] for name in CALL_COLUMNS})
    card, waste = pl.DataFrame(schema=RATE_CARD.polars_schema), pl.DataFrame(schema=WASTE.polars_schema)
    sums = DearerSellers(card, ("*",))
    assert sums.rows().is_empty()
    sums.add(calls, waste)
    assert sums.rows().is_empty()
