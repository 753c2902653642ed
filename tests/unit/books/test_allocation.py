"""Shared cost passed on: figures worked by hand, and parts that equal the whole whatever the rules and amounts."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pipelines.books.allocation import allocate, charge_back, passed_on, shares_of, split
from pipelines.config.allocation import FIELDS, Allocation
from pipelines.warehouse.tables.mart_charges import COSTS

DAY = date(2026, 2, 14)
SCHEMA: dict[str, Any] = {
    "event_date": pl.Date, **dict.fromkeys(FIELDS, pl.String), **dict.fromkeys(COSTS, pl.Decimal(38, 18)), "tokens": pl.Int64,
    "unpriced_requests": pl.Int64,
}  # fmt: skip


def row(cost: str | None, tokens: int = 0, unpriced: int = 0, day: date = DAY, **fields: str) -> dict[str, Any]:
    costs = dict.fromkeys(COSTS, None if cost is None else Decimal(cost))
    named = {"provider_id": "acme", "model_id": "m", **dict.fromkeys(FIELDS[2:], "unattributed"), **fields}
    return {"event_date": day, **named, **costs, "tokens": tokens, "unpriced_requests": unpriced}


def paid(rows: list[dict[str, Any]], *rules: dict[str, Any]) -> pl.DataFrame:
    return charge_back(pl.DataFrame(rows, schema=SCHEMA, orient="row"), Allocation.model_validate({"rules": rules}))


def by_team(found: pl.DataFrame) -> dict[str, Decimal]:
    return dict(found.group_by("team").agg(pl.sum("effective_cost_usd")).sort("team").iter_rows())


OWN = [row("3", 100, team="search"), row("1", 300, team="support"), row("0.10", application="gateway")]
GATEWAY = {"name": "gateway", "when": {"application": "gate*"}, "to": "team"}


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ({"by": "even"}, ("3.05", "1.05")),
        ({"by": "spend"}, ("3.075", "1.025")),
        ({"by": "tokens"}, ("3.025", "1.075")),
        ({"by": "weights", "weights": {"search": 1, "support": 0, "legal": 4}}, ("3.02", "1")),
    ],
)
def test_a_tenth_of_a_dollar_passed_on_by_each_measure(by: dict[str, Any], expected: tuple[str, str]) -> None:
    found = by_team(paid(OWN, {**GATEWAY, **by}))
    assert (found["search"], found["support"]) == tuple(map(Decimal, expected))
    assert sum(found.values()) == Decimal("4.10")
    assert found.get("legal", 0) == (Decimal("0.08") if "weights" in by else 0)


def test_a_row_says_by_which_rule_and_from_whom_the_cost_came() -> None:
    found = paid(OWN, {**GATEWAY, "by": "spend"}).filter(pl.col("allocated_method_id") != "").sort("team")
    assert found["allocated_resource"].to_list() == ["unattributed", "unattributed"]
    assert found["application"].to_list() == ["gateway", "gateway"], "what the cost was for stays in the row"
    details = json.loads(found["allocated_method_details"][0])
    assert details == {"by": "spend", "to": "team", "when": {"application": "gate*"}, "share": "0.75"}


def test_the_last_digit_goes_to_the_largest_remainder() -> None:
    least = Decimal("1e-18")
    assert split(least, [1, 1, 1]) == [least, 0, 0]
    assert split(2 * least, [1, 1, 3]) == [least, 0, least], "0.4, 0.4 and 1.2 units: of equal ones the first"
    assert split(Decimal(1), [1, 1, 1]) == [Decimal("0." + "3" * 17 + "4"), *[Decimal("0." + "3" * 18)] * 2]
    assert split(-least, [1, 2]) == [0, -least], "a credit is passed on as cost is"


@settings(max_examples=60, deadline=None)
@given(
    st.decimals(-(10**12), 10**12, places=18),
    st.lists(st.integers(0, 10**30), min_size=1, max_size=12).filter(any),
)
def test_parts_equal_the_whole_and_none_is_a_digit_off(amount: Decimal, weights: list[int]) -> None:
    parts = split(amount, weights)
    assert sum(map(Fraction, parts)) == Fraction(amount)
    for part, weight in zip(parts, weights, strict=True):
        assert abs(Fraction(part) - Fraction(amount) * weight / sum(weights)) < Fraction(1, 10**18)


NAMES = st.sampled_from(["search", "support", "unattributed"])
ROWS = st.lists(
    st.builds(
        lambda cost, tokens, unpriced, team, app, day: row(cost, tokens, 0 if cost else unpriced, date(2026, 2, day), team=team, application=app),
        st.one_of(st.none(), st.decimals(-1, 100, places=18).map(str)),
        st.integers(0, 10**9),
        st.integers(0, 3),
        NAMES,
        st.sampled_from(["gateway", "chat"]),
        st.sampled_from([13, 14]),
    ),
    max_size=8,
    unique_by=lambda r: (r["event_date"], r["team"], r["application"]),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(ROWS, st.sampled_from(["even", "spend", "tokens"]), st.sampled_from(["team", "cost_centre", "application"]))
@pytest.mark.slow
def test_whatever_is_passed_on_each_cost_of_each_day_stays(rows: list[dict[str, Any]], by: str, to: str) -> None:
    rules = [
        {**GATEWAY, "by": by, "to": to},
        {"name": "nobody", "when": {"team": "unattributed"}, "to": "team", "by": by},
    ]
    found = paid(rows, *rules)
    before = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    sums: Callable[[pl.DataFrame], list[Any]] = lambda frame: (  # noqa: E731
        frame.group_by("event_date").agg(pl.sum(*COSTS, "unpriced_requests")).sort("event_date").rows()
    )
    assert sums(found) == sums(before)
    assert (
        not found.select(found.columns[:1] + list(FIELDS) + ["allocated_method_id", "allocated_resource"])
        .is_duplicated()
        .any()
    )


def test_without_receivers_the_cost_stays_and_says_so() -> None:
    (left,) = paid([row("0.1", application="gateway")], {**GATEWAY, "by": "even"}).rows(named=True)
    assert (left["team"], left["effective_cost_usd"]) == ("unattributed", Decimal("0.1"))
    assert (left["allocated_method_id"], left["not_allocated_reason"]) == ("gateway", "no_receivers")


def test_cost_that_nobody_knows_is_counted_and_passed_on_by_no_rule() -> None:
    found = paid([*OWN, row(None, unpriced=2, application="gateway", provider_id="other")], {**GATEWAY, "by": "even"})
    (unknown,) = found.filter(pl.col("unpriced_requests") > 0).rows(named=True)
    assert (unknown["unpriced_requests"], unknown["effective_cost_usd"], unknown["team"]) == (2, None, "unattributed")


def test_each_charge_is_split_by_itself_so_that_every_sum_of_parts_is_the_same() -> None:
    """A third of one unit of the last digit each: three charges give the first receiver three units, where their sum gives each one."""
    shared = [row("1e-18", application="gateway", model_id=f"m{number}") for number in range(3)]
    own = [row("1", team=name) for name in ("a", "b", "c")]
    rule = {**GATEWAY, "by": "even"}
    found = by_team(paid([*shared, *own], rule))
    assert found["a"] - 1 == Decimal("3e-18")
    charges = pl.DataFrame([*shared, *own], schema=SCHEMA, orient="row")
    parts = passed_on(allocate(charges, shares_of(charges, Allocation.model_validate({"rules": [rule]}))))
    assert by_team(parts) == found


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({**GATEWAY, "by": "weights"}, "weights: found none, `by: weights` needs them"),
        ({**GATEWAY, "by": "even", "weights": {"a": 1}}, "weights: they belong to `by: weights`, found `by: even`"),
        ({**GATEWAY, "by": "weights", "weights": {"a": -1}}, "weights.a"),
        ({**GATEWAY, "by": "weights", "weights": {"a": 0}}, "weights: all are 0"),
        (
            {**GATEWAY, "by": "even", "when": {"end_user_id": "x"}},
            "end_user_id: no such field; accepted are provider_id",
        ),
    ],
)
def test_a_rule_that_means_nothing_is_refused(rule: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Allocation.model_validate({"rules": [rule]})
