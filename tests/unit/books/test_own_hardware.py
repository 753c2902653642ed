"""What one's own GPUs cost a day, over who used them, and the idle rest: worked by hand, and equal to the price whatever comes."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.books.commitments import Ledger, commitment_ledger
from pipelines.books.commitments.hardware import OwnHardware
from pipelines.config.commitments import Commitment, Commitments
from pipelines.warehouse.tables.selfhost import HOURLY_DEMAND
from tests.unit.books.test_commitments import CHARGE_SCHEMA, FIRST, charge

D = Decimal


def ledger(hours: list[tuple[int, int, int]], charges: list[dict[str, Any]], **more: Any) -> Ledger:
    """A deployment of 50 USD a day that serves 1,000 tokens an hour; `hours` are hour, tokens in and out of model r1 at vllm."""
    item = Commitment.model_validate(
        {"commitment": "selfhost.own", "provider_id": "vllm", "from_date": FIRST, "unused": more.pop("unused", None)}
    )
    known: dict[str, Any] = {
        "prices": {FIRST: D(50)},
        "tokens_per_hour": Fraction(1000),
        "counts_input": True,
        "busy_hours": {},
    } | more
    rows = [(FIRST, at, "chat", "vllm", "r1", 1, given, written) for at, given, written in hours]
    return commitment_ledger(
        Commitments(),
        pl.DataFrame([row | {"provider_id": "vllm"} for row in charges], schema=CHARGE_SCHEMA),
        pl.DataFrame(rows, schema=HOURLY_DEMAND.polars_schema, orient="row"),
        [FIRST],
        [OwnHardware(item, "r1", **known)],
    )


def parts(found: Ledger) -> list[tuple[Any, ...]]:
    return (
        found.usage.select("commitment_discount_status", "team", "effective_cost_usd", "covered_usd")
        .sort("commitment_discount_status", "team")
        .rows()
    )


CALLS = [charge("r1", "search", (400, 100), "3"), charge("r1", "support", (1500, 500), "1")]


def test_hours_count_as_far_as_their_tokens_fill_them() -> None:
    """500 tokens at nine fill half an hour, 2,000 at ten fill one: 1.5 of 24 hours are 3.125 USD, of which search used a fifth."""
    found = ledger([(9, 400, 100), (10, 1500, 500)], CALLS)
    assert parts(found) == [
        ("Unused", "", D("46.875"), D(0)),
        ("Used", "search", D("0.625"), D(3)),
        ("Used", "support", D("2.5"), D(1)),
    ]
    [day] = found.days.to_dicts()
    assert (day["purchased_usd"], day["utilisation"], day["covered_usd"], day["saving_usd"]) == (
        D(50),
        0.0625,
        D(4),
        D(-46),
    )


def test_idle_hours_are_passed_on_by_the_rule_of_the_deployment() -> None:
    found = ledger([(9, 400, 100), (10, 1500, 500)], CALLS, unused={"to": "team", "by": "even"})
    assert parts(found)[:2] == [("Unused", "search", D("23.4375"), D(0)), ("Unused", "support", D("23.4375"), D(0))]
    assert set(found.usage["allocated_method_id"]) == {"", "unused by even to team"}


def test_without_a_declared_throughput_the_durations_of_the_log_say_which_hours_were_used() -> None:
    """Calls were under way for six hours: a quarter of the day."""
    found = ledger([(9, 400, 100)], CALLS[:1], tokens_per_hour=None, busy_hours={FIRST: Fraction(6)})
    assert parts(found) == [("Unused", "", D("37.5"), D(0)), ("Used", "search", D("12.5"), D(3))]


@pytest.mark.parametrize(
    ("more", "rows"),
    [
        ({"prices": {FIRST: "no price of h200 is known"}}, []),
        ({"unknown": "another deployment serves this model"}, [("", "", D(50), None)]),
    ],
)
def test_what_is_not_known_says_why(more: dict[str, Any], rows: list[tuple[Any, ...]]) -> None:
    found = ledger([(9, 400, 100)], CALLS[:1], **more)
    assert parts(found) == rows
    assert found.days["reason"][0]


def test_a_day_without_calls_is_idle_whole() -> None:
    assert parts(ledger([], [])) == [("Unused", "", D(50), D(0))]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 23), st.integers(0, 5000), st.integers(0, 5000)), max_size=6),
    st.decimals("0.01", 10**6, places=18),
    st.sampled_from([None, {"to": "team", "by": "tokens"}]),
)
def test_used_and_idle_are_what_was_paid(
    hours: list[tuple[int, int, int]], price: Decimal, rule: dict[str, str] | None
) -> None:
    calls = [charge("r1", f"team-{n}", (given, written), "1") for n, (_, given, written) in enumerate(hours)]
    found = ledger(hours, calls, prices={FIRST: price}, unused=rule)
    assert found.usage["amount_usd"].sum() == price
    assert (found.usage["amount_usd"] >= 0).all()
