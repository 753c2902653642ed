"""What commitments covered of charges: whatever the amounts, parts and rest come to the charges, and costs to the ledger."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.books.allocation import ALLOCATED, SHARES
from pipelines.books.covered import covered, with_quantities
from pipelines.config.allocation import ATTRIBUTION
from pipelines.warehouse.tables.core_books import BOOKED_CHARGE, BOOKED_COMMITMENT
from pipelines.warehouse.tables.mart_charges import COSTS, REST

D = Decimal
DAY = date(2026, 2, 10)
NOBODY = dict.fromkeys(ATTRIBUTION, "unattributed") | {"team": "search"}


def charge(
    number: int, quantity: int, price: Decimal, meter: str = "input_uncached", unit: str | None = "token"
) -> dict[str, Any]:
    """A charge at a price per million tokens (or of a piece, per million); `rest` without a price."""
    usd = price if unit is None else quantity * price / 1_000_000
    rate = None if unit is None else price
    return dict.fromkeys(BOOKED_CHARGE.polars_schema) | NOBODY | dict.fromkeys(COSTS, usd) | {
        "event_date": DAY, "charge_id": UUID(int=number).bytes, "provider_id": "acme", "model_id": "m", "meter": meter, "unit": unit,
        "quantity": None if unit is None else quantity, "price_id": UUID(int=1).bytes, "list_usd_per_million": rate,
        "contracted_usd_per_million": rate,
    }  # fmt: skip


def used(commitment: str, kind: str, covers: Decimal, costs: Decimal) -> dict[str, Any]:
    return dict.fromkeys(BOOKED_COMMITMENT.polars_schema) | NOBODY | {
        "event_date": DAY, "commitment_id": commitment, "kind": kind, "provider_id": "acme", "commitment_discount_status": "Used",
        "model_id": "m", "amount_usd": costs, "effective_cost_usd": costs, "covered_usd": covers, "allocated_method_id": "",
        "billed_cost_usd": costs, "commitment_discount_quantity": costs, "commitment_discount_unit": "USD",
    }  # fmt: skip


def rows_of(charges: list[dict[str, Any]], commitments: list[dict[str, Any]]) -> pl.DataFrame:
    booked = pl.DataFrame(charges, schema=BOOKED_CHARGE.polars_schema, orient="row")
    parts = with_quantities(booked).with_columns(pl.lit(None, kind).alias(name) for name, kind in ALLOCATED.items())
    taken = pl.DataFrame(commitments, schema=BOOKED_COMMITMENT.polars_schema, orient="row")
    return covered(parts, taken, pl.DataFrame(schema=SHARES))


@settings(max_examples=100, deadline=None)
@given(
    tokens=st.lists(st.tuples(st.integers(0, 10**9), st.decimals("0", "99", places=12)), min_size=1, max_size=4),
    rest=st.decimals("-1e-6", "1", places=18),
    fee=st.integers(0, 50),
    shares=st.tuples(st.fractions(0, 1), st.fractions(0, 1)),
    cost=st.decimals("1e-18", "1000", places=18),
)
@pytest.mark.slow
def test_parts_and_rest_are_the_charges(
    tokens: list[tuple[int, Decimal]], rest: Decimal, fee: int, shares: tuple[Any, Any], cost: Decimal
) -> None:
    charges = [charge(n, quantity, price) for n, (quantity, price) in enumerate(tokens)]
    charges += [charge(8, 0, rest, REST, None), charge(9, fee, D(10_000), "web_search", "search")]
    served_of = sum((row["billed_cost_usd"] for row in charges[:-1]), D(0))
    served = (max(served_of, D(0)) * shares[0].numerator / shares[0].denominator).quantize(D("1e-18"), "ROUND_DOWN")
    left = max(served_of - served + charges[-1]["billed_cost_usd"], D(0))
    drawn = (left * shares[1].numerator / shares[1].denominator).quantize(D("1e-18"), "ROUND_DOWN")
    took = [used("ptu", "provisioned", served, cost), used("paid", "credit", drawn, drawn)]
    found = rows_of(charges, took)
    own = pl.col("charge_category").is_not_null()
    for name in ("list_cost_usd", "contracted_cost_usd"):
        assert found.filter(~own)[name].sum() == sum(row[name] for row in charges), name
    for name in ("billed_cost_usd", "effective_cost_usd"):
        paid = sum(row[name] for row in charges) + sum(row[name] - row["covered_usd"] for row in took)
        assert found[name].sum() == paid, name
    assert found["ConsumedQuantity"].sum() == sum(row["quantity"] or 0 for row in charges)
    assert found["covered_usd"].sum() == served + drawn
    priced = found.filter(~own, pl.col("list_usd_per_million").is_not_null())
    for row in priced.iter_rows(named=True):
        price = row["list_usd_per_million"] / (1 if row["unit"] == "token" else 1_000_000)
        assert row["PricingQuantity"] * price == row["list_cost_usd"]
        assert row["PricingQuantity"] >= 0


def test_more_than_there_is_to_cover_is_a_row_that_takes_it_back() -> None:
    """The ledger and the charges are of different runs: nothing is split, and the sums hold."""
    found = rows_of([charge(1, 1_000_000, D(3))], [used("ptu", "provisioned", D(5), D(1))])
    assert found.select("charge_category", "billed_cost_usd", "effective_cost_usd").rows() == [
        (None, D(3), D(3)), ("Adjustment", D(-5), D(-4)), ("Purchase", D(1), D(0)),
    ]  # fmt: skip


def test_what_covers_a_model_without_a_price_is_spread_by_tokens() -> None:
    """One's own GPUs, whose tokens cost nothing."""
    found = rows_of(
        [charge(1, 300, D(0)), charge(2, 100, D(0), "output_text")], [used("gpu", "provisioned", D(0), D(8))]
    )
    parts = found.filter(pl.col("commitment_discount_status") == "Used").sort("effective_cost_usd")
    assert parts.select("meter", "ConsumedQuantity", "effective_cost_usd").rows() == [
        ("output_text", D(100), D(2)), ("input_uncached", D(300), D(6)),
    ]  # fmt: skip
