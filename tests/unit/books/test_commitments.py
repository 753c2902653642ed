"""Commitments: a month worked by hand, and parts that equal the whole whatever the prices and arrivals."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pipelines.books.commitments import Ledger, commitment_ledger
from pipelines.books.commitments.provisioned import units_that_pay
from pipelines.config.allocation import ATTRIBUTION
from pipelines.config.commitments import Commitments
from pipelines.config.loader import load_config
from pipelines.warehouse.tables.selfhost import HOURLY_DEMAND

D = Decimal
FIRST = date(2026, 2, 1)
MONTH = [FIRST + timedelta(days=n) for n in range(28)]
_MONEY = pl.Decimal(38, 18)
CHARGE_SCHEMA = {
    "event_date": pl.Date, "provider_id": pl.String, "model_id": pl.String, **dict.fromkeys(ATTRIBUTION, pl.String),
    "input_tokens": pl.Int64, "output_tokens": pl.Int64, "token_usd": _MONEY, "billed_usd": _MONEY, "unpriced_requests": pl.Int64,
}  # fmt: skip
PTU = {
    "commitment": "ptu", "provider_id": "acme", "models": ["m1", "m2"], "units": 10, "usd_per_unit_hour": 0.5,
    "tokens_per_unit_hour": 1000, "output_weight": 2, "from_date": FIRST,
}  # fmt: skip
EXPIRING = {"commitment": "expiring", "provider_id": "acme", "usd": 30, "from_date": FIRST, "to_date": "2026-02-15"}
LASTING = {"commitment": "lasting", "provider_id": "acme", "usd": 20, "from_date": FIRST, "priority": 1}
MINIMUM = {"commitment": "minimum", "provider_id": "acme", "usd_per_month": 5000, "from_date": FIRST}


def charge(model: str, team: str, tokens: tuple[int, int], usd: str, fee: str = "0", **more: Any) -> dict[str, Any]:
    plain = {
        "event_date": FIRST, "provider_id": "acme", "model_id": model, **dict.fromkeys(ATTRIBUTION, "unattributed"), "team": team,
        "input_tokens": tokens[0], "output_tokens": tokens[1], "token_usd": D(usd), "billed_usd": D(usd) + D(fee),
        "unpriced_requests": 0,
    }  # fmt: skip
    return plain | more


def hour(hour: int, model: str, given: int, written: int = 0, day: date = FIRST) -> tuple[Any, ...]:
    return (day, hour, "chat", "acme", model, 1, given, written)


def ledger(
    declared: dict[str, Any], charges: list[dict[str, Any]], hours: list[tuple[Any, ...]], days: list[date] = MONTH
) -> Ledger:
    return commitment_ledger(
        Commitments.model_validate(declared),
        pl.DataFrame(charges, schema=CHARGE_SCHEMA),
        pl.DataFrame(hours, schema=HOURLY_DEMAND.polars_schema, orient="row"),
        days,
    )


def standing(found: Ledger, commitment: str, day: date) -> dict[str, Any]:
    return found.days.row(
        by_predicate=(pl.col("commitment_id") == commitment) & (pl.col("event_date") == day), named=True
    )


CHARGES = [
    charge("m1", "search", (11_000, 2_000), "15"),
    charge("m1", "support", (5_000, 0), "5", fee="1"),
    charge("m2", "support", (8_000, 0), "16"),
    charge("m3", "legal", (100, 0), "12.50", event_date=date(2026, 2, 20)),
]
HOURS = [
    hour(9, "m1", 4_000, 2_000), hour(10, "m1", 12_000), hour(10, "m2", 8_000), hour(4, "m3", 100, day=date(2026, 2, 20)),
]  # fmt: skip


@pytest.fixture(scope="module")
def february() -> Ledger:
    """Ten units of 1,000 tokens an hour at half a dollar an hour; two credits; a minimum of 5,000 USD."""
    return ledger({"provisioned": [PTU], "credits": [LASTING, EXPIRING], "minimum_spend": [MINIMUM]}, CHARGES, HOURS)


def test_a_day_of_throughput_with_overage(february: Ledger) -> None:
    """At 9:00 8,000 tokens come (2,000 of output count twice), at 10:00 20,000 for room of 10,000: 6,000 of m1, 4,000 of m2.

    So 14,000 of the 20,000 of m1 and 4,000 of the 8,000 of m2 are served: 18,000 of 240,000, for 9 of 120 USD.
    """
    row = standing(february, "ptu", FIRST)
    assert (row["purchased_usd"], row["used_usd"], row["unused_usd"]) == (D(120), D(9), D(111))
    assert (row["utilisation"], row["used_tokens"], row["overage_tokens"]) == (0.075, 18_000, 10_000)
    assert row["usd_per_used_mtok"] == D("6666.666666666667")
    assert (row["covered_usd"], row["overage_usd"]) == (D(14 + 8), D(6 + 8)), "70 % of 20 USD, half of 16 USD"
    assert row["saving_usd"] == D(22 - 120)
    assert row["break_even_utilisation"] == pytest.approx(120 / (240_000 * 36 / 28_000))
    assert row["units_that_pay"] == 0, "a unit costs as much as 9,333 tokens a day and serves 2,000"
    used = february.usage.filter((pl.col("commitment_id") == "ptu") & (pl.col("commitment_discount_status") == "Used"))
    assert [*used.select("model_id", "team", "effective_cost_usd", "covered_usd").rows()] == [
        ("m1", "search", D("5.25"), D("10.5")),
        ("m1", "support", D("1.75"), D("3.5")),
        ("m2", "support", D(2), D(8)),
    ]


def test_credits_are_drawn_by_priority_run_out_and_expire(february: Ledger) -> None:
    """15 USD are left to pay on the first (14 of overage, a fee of 1), 12.50 on the twentieth."""
    row = standing(february, "expiring", FIRST)
    assert (row["used_usd"], row["balance_usd"], row["runs_out_on"]) == (D(15), D(15), date(2026, 2, 2))
    second = standing(february, "lasting", FIRST)
    assert (second["used_usd"], second["balance_usd"]) == (D(0), D(20))
    assert second["runs_out_on"] == date(2026, 2, 4), "35 USD at 15 a day last two days and a third"
    row = standing(february, "expiring", date(2026, 2, 13))
    assert (row["runs_out_on"], row["expires_on"]) == (None, date(2026, 2, 15))
    assert row["expiring_usd"] == D("13.846153846153846154"), "15 USD less one day at 15 / 13"
    last = standing(february, "expiring", date(2026, 2, 14))
    assert (last["purchased_usd"], last["used_usd"], last["unused_usd"], last["balance_usd"]) == (
        D(15),
        D(0),
        D(15),
        D(0),
    )
    drawn = standing(february, "lasting", date(2026, 2, 20))
    assert (drawn["used_usd"], drawn["balance_usd"]) == (D("12.5"), D("7.5"))
    assert drawn["runs_out_on"] == date(2026, 2, 26), "27.50 USD of 20 days: 7.50 last five and a half"
    teams = february.usage.filter(pl.col("commitment_id") == "expiring", pl.col("commitment_discount_status") == "Used")
    assert teams.select("model_id", "team", "amount_usd").rows() == [
        ("m1", "search", D("4.5")), ("m1", "support", D("2.5")), ("m2", "support", D(8)),
    ]  # fmt: skip


def test_what_commitments_are_billed_at_and_how_much_of_them_a_row_is(february: Ledger) -> None:
    """Throughput by the day for 240 unit hours, credits whole on their first day, the minimum where it fell short."""
    first = february.usage.filter(pl.col("event_date") == FIRST)
    sums = (
        first.group_by("commitment_id")
        .agg(pl.sum("billed_cost_usd", "commitment_discount_quantity"))
        .sort("commitment_id")
    )
    assert sums.rows() == [
        ("expiring", D(30), D(45)),
        ("lasting", D(20), D(20)),
        ("minimum", D(0), D(135)),
        ("ptu", D(120), D(240)),
    ]
    used = first.filter(pl.col("commitment_id") == "ptu", pl.col("commitment_discount_status") == "Used")
    assert used["commitment_discount_quantity"].sum() == 18, "9 of 120 USD are 18 of 240 hours"
    assert used["commitment_discount_unit"].unique().to_list() == ["Unit-Hours"]
    assert february.usage.group_by("commitment_id").agg(pl.sum("billed_cost_usd")).sort("commitment_id").rows() == [
        ("expiring", D(30)), ("lasting", D(20)), ("minimum", D("1612.5")), ("ptu", D(3360)),
    ]  # fmt: skip


def test_a_credit_that_was_granted_pays_and_costs_nothing() -> None:
    found = ledger({"credits": [{**EXPIRING, "granted": True}]}, CHARGES, HOURS).usage
    assert found.select(pl.sum("amount_usd", "covered_usd", "effective_cost_usd", "billed_cost_usd")).row(0) == (
        D(30),
        D(30),
        D(0),
        D(0),
    )


@pytest.mark.parametrize("bought_on", ["2026-02-01", "2026-01-31", "2025-06-30", "2026-02-05", "2026-02-28"])
def test_a_credit_is_purchased_whole_on_its_first_day_loaded_or_not(bought_on: str) -> None:
    """Else nothing in FOCUS files stands against what is used of one that was bought before the first loaded day."""
    credit = {**EXPIRING, "from_date": bought_on, "to_date": "2026-03-15"}
    found = ledger({"credits": [credit]}, CHARGES, HOURS, MONTH[2:]).usage
    purchase = found.filter(pl.col("billed_cost_usd") > 0)
    assert purchase.select("event_date", "billed_cost_usd", "commitment_discount_quantity", "effective_cost_usd").rows() == [
        (date.fromisoformat(bought_on), D(30), D(30), D(0))
    ]  # fmt: skip


def test_a_credit_of_days_to_come_is_not_purchased_yet() -> None:
    found = ledger({"credits": [{**EXPIRING, "from_date": "2026-03-01", "to_date": "2026-03-15"}]}, CHARGES, HOURS)
    assert found.usage.is_empty()


def test_the_month_comes_to_what_is_paid(february: Ledger) -> None:
    row = standing(february, "minimum", MONTH[-1])
    assert row["unused_usd"] == D("1612.5"), "5,000 less 3,360 of throughput, 15 and 12.50 of usage"
    amounts = (
        february.usage.group_by("commitment_id").agg(pl.sum("amount_usd", "effective_cost_usd")).sort("commitment_id")
    )
    assert amounts.rows() == [
        ("expiring", D(30), D(30)), ("lasting", D("12.5"), D("12.5")), ("minimum", D(5000), D("1612.5")),
        ("ptu", D(3360), D(3360)),
    ]  # fmt: skip
    charged = sum(row["billed_usd"] for row in CHARGES)
    assert charged - february.usage["covered_usd"].sum() == 0, "all usage was paid ahead"


@pytest.mark.parametrize(
    ("rule", "parts"),
    [
        ({"by": "even"}, {"search": "55.5", "support": "55.5"}),
        ({"by": "tokens"}, {"search": "55.5", "support": "55.5"}),
        ({"by": "spend"}, {"search": "46.25", "support": "64.75"}),
        ({"by": "weights", "weights": {"legal": 1, "search": 2}}, {"legal": "37", "search": "74"}),
    ],
)
def test_what_stood_idle_is_passed_on(rule: dict[str, Any], parts: dict[str, str]) -> None:
    """111 USD were idle. Search used 13,000 tokens for 15 USD, support 13,000 for 21."""
    found = ledger({"provisioned": [{**PTU, "unused": {"to": "team", **rule}}]}, CHARGES, HOURS)
    first = pl.col("commitment_discount_status") == "Unused", pl.col("event_date") == FIRST
    idle = found.usage.filter(*first)
    assert dict(idle.select("team", "amount_usd").rows()) == {team: D(usd) for team, usd in parts.items()}
    assert idle["allocated_method_id"].unique().to_list() == [f"unused by {rule['by']} to team"]
    second = found.usage.filter(first[0], pl.col("event_date") == MONTH[1])
    receivers = second["team"].to_list()
    assert receivers == (["legal", "search"] if rule["by"] == "weights" else [""]), "nobody used it on the second"


def test_a_free_tier_gives_its_tokens_after_throughput_and_before_credits() -> None:
    """Of m1 6,000 tokens beyond the throughput are left to pay: 5,400 (weighted alike) of 18,000 counted once, for 6 USD.

    2,700 of them are free, half: 3 USD, of search 2.25 and of support 0.75. The credit pays the rest with m2's 8 and the fee of 1.
    """
    free = {"commitment": "free", "provider_id": "acme", "models": ["m1"], "tokens_per_day": 2_700, "from_date": FIRST}
    found = ledger({"provisioned": [PTU], "free_tiers": [free], "credits": [EXPIRING]}, CHARGES, HOURS)
    row = standing(found, "free", FIRST)
    assert (row["used_tokens"], row["overage_tokens"], row["utilisation"]) == (2_700, 2_700, 1)
    assert (row["purchased_usd"], row["covered_usd"], row["saving_usd"]) == (0, D(3), D(3))
    rows = found.usage.filter(pl.col("commitment_id") == "free")
    assert rows.select("team", "amount_usd", "effective_cost_usd", "covered_usd").rows() == [
        ("search", D(0), D(0), D("2.25")), ("support", D(0), D(0), D("0.75")),
    ]  # fmt: skip
    assert standing(found, "expiring", FIRST)["used_usd"] == D(12)


def test_what_is_free_in_a_month_is_free_once() -> None:
    free = {"commitment": "free", "provider_id": "acme", "models": ["m3"], "tokens_per_month": 150, "from_date": FIRST}
    again = charge("m3", "legal", (100, 0), "12.50", event_date=date(2026, 2, 21))
    march = charge("m3", "legal", (100, 0), "12.50", event_date=date(2026, 3, 1))
    days = [*MONTH, date(2026, 3, 1)]
    found = ledger({"free_tiers": [free]}, [*CHARGES, again, march], [], days)
    gave = [standing(found, "free", day)["covered_usd"] for day in (*(date(2026, 2, n) for n in (20, 21)), days[-1])]
    assert gave == [D("12.5"), D("6.25"), D("12.5")]


def test_what_is_not_known_is_named_with_what_mends_it() -> None:
    """A capacity that nobody declared, a day that is not loaded, hours that were not added up, requests without a price."""
    bare = {key: value for key, value in PTU.items() if key != "tokens_per_unit_hour"}
    row = standing(ledger({"provisioned": [bare]}, CHARGES, HOURS), "ptu", FIRST)
    assert (row["purchased_usd"], row["used_usd"]) == (D(120), None)
    assert "add tokens_per_unit_hour to ptu" in row["reason"]
    gap = [FIRST, date(2026, 2, 3)]
    found = ledger({"provisioned": [PTU], "credits": [EXPIRING]}, CHARGES, HOURS, gap)
    assert standing(found, "ptu", date(2026, 2, 2))["reason"] == "the day is not loaded: modelmeter daily"
    assert "1 day of it is not loaded" in standing(found, "expiring", date(2026, 2, 3))["reason"]
    assert found.usage.filter(pl.col("commitment_id") == "ptu")["amount_usd"].sum() == 360
    late = ledger({"credits": [EXPIRING], "minimum_spend": [MINIMUM]}, [], [], MONTH[4:])
    assert standing(late, "expiring", MONTH[4])["reason"].startswith("4 days of it are not loaded")
    minimum = standing(late, "minimum", MONTH[-1])
    assert (minimum["reason"], minimum["unused_usd"]) == ("4 days of the month are not loaded", D(5000))
    assert (
        "mart.hourly_demand lacks the day"
        in standing(ledger({"provisioned": [PTU]}, CHARGES, []), "ptu", FIRST)["reason"]
    )
    dear = [CHARGES[0] | {"unpriced_requests": 3}, *CHARGES[1:]]
    row = standing(ledger({"provisioned": [PTU]}, dear, HOURS), "ptu", FIRST)
    assert (row["used_usd"], row["overage_usd"]) == (D(9), None)
    assert row["reason"].startswith("3 requests have no price")


def test_nothing_declared_is_no_row() -> None:
    declared = load_config(None).commitments
    assert declared.declared == ()
    found = ledger(declared.model_dump(), CHARGES, HOURS)
    assert (found.usage.height, found.days.height) == (0, 0)


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"provisioned": [PTU, {**PTU, "commitment": "second"}]}, "serve the same model at the same time"),
        ({"credits": [EXPIRING, EXPIRING]}, "declared twice"),
        ({"credits": [{**EXPIRING, "to_date": FIRST}]}, "a day after from_date"),
        ({"provisioned": [{**PTU, "usd_per_unit_month": 1}]}, "one of usd_per_unit_hour"),
        (
            {"minimum_spend": [{**MINIMUM, "from_date": "2026-02-02"}]},
            "from_date: found 2026-02-02, accepted is the first day of a month",
        ),
    ],
)
def test_what_contradicts_itself_is_refused(declared: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Commitments.model_validate(declared)


_TOKENS = st.integers(0, 10**7)


@settings(max_examples=60, deadline=None)
@given(
    price=st.decimals("1e-18", "999", places=18),
    monthly=st.booleans(),
    arrivals=st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 23), st.sampled_from(["m1", "m2"]), _TOKENS, _TOKENS)
    ),
    rate=st.decimals("0", "1e-3", places=12),
    grant=st.decimals("1e-18", "1e6", places=18),
)
def test_used_and_unused_are_what_was_purchased(
    price: Decimal, monthly: bool, arrivals: list[tuple[Any, ...]], rate: Decimal, grant: Decimal
) -> None:
    days = MONTH[:3]
    hours = {(n, h, model): hour(h, model, i, o, day=days[n]) for n, h, model, i, o in arrivals}
    charges = [
        charge(model, team, (i, o), str((i + 3 * o) * rate), event_date=day)
        for day in days
        for model in ("m1", "m2")
        for rows in [[row for row in hours.values() if (row[0], row[4]) == (day, model)]]
        for total in [(sum(row[6] for row in rows), sum(row[7] for row in rows))]
        for team, (i, o) in {"a": (total[0] // 3, total[1]), "b": (total[0] - total[0] // 3, 0)}.items()
    ]
    ptu = {key: value for key, value in PTU.items() if key != "usd_per_unit_hour"}
    ptu["usd_per_unit_month" if monthly else "usd_per_unit_hour"] = price
    credit = {**EXPIRING, "usd": grant, "to_date": days[-1] if monthly else "2026-02-04"}
    found = ledger({"provisioned": [ptu], "credits": [credit]}, charges, [*hours.values()], days)
    assert (found.days["used_usd"] + found.days["unused_usd"]).equals(found.days["purchased_usd"], check_names=False)
    parts = found.usage.group_by("event_date", "commitment_id").agg(pl.sum("amount_usd"))
    whole = found.days.join(parts, on=["event_date", "commitment_id"], how="left").fill_null(0)
    assert whole["amount_usd"].to_list() == whole["purchased_usd"].to_list()
    served = found.days.filter(pl.col("commitment_id") == "ptu")
    assert sum(served["covered_usd"]) + sum(served["overage_usd"]) == sum(row["token_usd"] for row in charges)
    assert sum(found.days.filter(pl.col("commitment_id") == "expiring")["purchased_usd"]) == grant, (
        "all used or expired"
    )
    paid = found.days.filter(pl.col("commitment_id") == "expiring")["used_usd"].sum()
    assert paid <= sum(served["overage_usd"])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 5000), min_size=1, max_size=30), st.integers(1, 2000), st.integers(1, 9000))
def test_the_units_that_pay_are_the_cheapest_number(hours: list[int], unit: int, tokens: int) -> None:
    """Against every number of units: what they cost, and what goes beyond them at pay-as-you-go."""

    def cost(units: int) -> int:
        return units * tokens + sum(max(0, tokens_of_hour - units * unit) for tokens_of_hour in hours)

    found = units_that_pay(np.array(hours, dtype=np.float64), unit, tokens)
    assert cost(found) == min(cost(units) for units in range(max(hours) // unit + 2))
