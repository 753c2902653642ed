"""Bills against charges, worked out by hand: every cause with its exact amount, and rows that have one side only."""

from __future__ import annotations

import json
from datetime import date
from decimal import Context, Decimal, localcontext
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.books.reconciliation import Bills, reconcile
from pipelines.books.reconciliation.causes import Item, Part, causes_of
from pipelines.books.reconciliation.worklist import beyond_tolerance, by_seller, largest_cause, work_list
from pipelines.config.reconciliation import Reconciliation
from pipelines.warehouse.tables.mart_reconciliation import CAUSES, RECONCILIATION

DAY, NEXT = date(2026, 2, 12), date(2026, 2, 13)
D = Decimal
_MONEY = pl.Decimal(38, 18)
_CHARGE = {
    "event_date": pl.Date, "provider_id": pl.String, "model_id": pl.String, "service_tier": pl.String, "meter": pl.String,
    "quantity": _MONEY, "unpriced_quantity": _MONEY, "usd": _MONEY, "list_usd": _MONEY, "logged_usd": _MONEY, "charges": pl.Int64,
    "pricing_currency": pl.String, "usd_per_currency": _MONEY,
}  # fmt: skip
_LINE = {
    "event_date": pl.Date, "provider_id": pl.String, "model_id": pl.String, "service_tier": pl.String, "meter": pl.String,
    "line_item": pl.String, "days": pl.Int32, "charge_category": pl.String, "quantity": _MONEY, "quantity_unit": pl.String,
    "amount": _MONEY, "list_amount": _MONEY, "amount_text": pl.String, "currency": pl.String, "line_id": pl.String, "usd_per_unit": _MONEY,
}  # fmt: skip


def charge(meter: str, quantity: int, usd: str, **more: Any) -> dict[str, Any]:
    plain = {
        "event_date": DAY, "provider_id": "acme", "model_id": "m", "service_tier": "standard", "meter": meter,
        "quantity": D(quantity), "unpriced_quantity": D(0), "usd": D(usd), "list_usd": D(usd), "charges": 1,
        "pricing_currency": "USD", "usd_per_currency": D(1),
    }  # fmt: skip
    return plain | more


def line(meter: str, amount: str, tokens: int | None = None, **more: Any) -> dict[str, Any]:
    plain = {
        "event_date": DAY, "provider_id": "acme", "model_id": "m", "meter": meter, "days": 1, "amount": D(amount),
        "amount_text": f"{D(amount):.12f}", "currency": "USD", "usd_per_unit": D(1), "line_id": f"{meter}-{amount}",
        "quantity": tokens, "quantity_unit": "tokens" if tokens is not None else None,
    }  # fmt: skip
    return plain | more


def count(requests: int | None = None, tier: str | None = None, **counts: int) -> dict[str, Any]:
    own = {"event_date": DAY, "provider_id": "acme", "model_id": "m", "service_tier": tier, "request_count": requests}
    return own | {"counts": counts}


def rows(
    charges: list[dict[str, Any]],
    lines: list[dict[str, Any]],
    usage: list[dict[str, Any]] | None = None,
    exported: date = date(2026, 3, 15),
    rates: dict[tuple[str, str, str, str], Decimal] | None = None,
) -> pl.DataFrame:
    bills = Bills(
        pl.DataFrame(lines, schema=_LINE), usage or [], {"acme": exported}, rates or {}, frozenset({DAY, NEXT})
    )
    found = reconcile(pl.DataFrame(charges, schema=_CHARGE), bills, Reconciliation())
    assert found.schema == RECONCILIATION.polars_schema
    for row in found.iter_rows(named=True):
        assert (row["difference_usd"] or 0) == sum(row[f"{cause}_usd"] or 0 for cause in CAUSES)
    return found


def causes(found: pl.DataFrame, **where: Any) -> dict[str, Decimal]:
    """The causes of the rows, summed, without those that are zero."""
    chosen = found.filter(pl.col(name) == wanted for name, wanted in where.items()) if where else found
    sums = {cause: sum((usd or D(0) for usd in chosen[f"{cause}_usd"]), D(0)) for cause in CAUSES}
    return {cause: usd for cause, usd in sums.items() if usd}


def test_a_bill_that_differs_for_every_cause_of_usage() -> None:
    """Our log: 10 requests of 1,000,000 input tokens at 3 USD and 100,000 output tokens at 15 USD per million.

    The bill: 12 requests. Input: 1,300,000 tokens, 200,000 of them priority at 6 USD; the standard ones at 3.10 USD list; 10 % off
    everything. Output: the 120,000 tokens that 12 such requests have, at our price, in whole cents.
    """
    ours = [
        charge("request", 10, "0"),
        charge("input_uncached", 1_000_000, "3"),
        charge("output_text", 100_000, "1.5"),
    ]
    # 1,100,000 at 3.10 + 200,000 at 6 = 3.41 + 1.2 = 4.61 list, 4.149 after 10 %; output 1.80 in cents.
    bill = [
        line("input", "3.069", 1_100_000, list_amount=D("3.41")),
        line("input", "1.08", 200_000, list_amount=D("1.2"), service_tier="priority", line_id="p"),
        line("output", "1.80", 120_000, amount_text="1.80"),
    ]
    usage = [count(12)]
    found = rows(ours, bill, usage, rates={("acme", "m", "priority", "input_uncached"): D("0.000006")})
    assert causes(found, meter="input_uncached") == {
        "missing_requests": D("0.6"),  # 1,200,000 tokens less 1,000,000, at 3
        "tokens": D("0.3"),  # 1,300,000 less 1,200,000, at 3
        "tier": D("0.6"),  # 200,000 at 6 in place of 3
        "price": D("0.11"),  # 1,100,000 at 3.10 in place of 3
        "discount": D("-0.461"),  # a tenth of 4.61
    }
    assert causes(found, meter="output_text") == {"missing_requests": D("0.3")}
    [whole] = by_seller(found).to_dicts()
    assert (whole["computed_usd"], whole["billed_usd"], whole["difference_usd"]) == (D("4.5"), D("5.949"), D("1.449"))
    assert largest_cause(whole) == "missing_requests"
    row = found.row(by_predicate=pl.col("meter") == "input_uncached", named=True)
    assert (row["computed_quantity"], row["billed_quantity"], row["bill_lines"]) == (1_000_000, 1_300_000, 2)
    assert json.loads(row["line_ids"]) == ["input-3.069", "p"]
    calls = found.row(by_predicate=pl.col("meter") == "request", named=True)
    assert (calls["computed_quantity"], calls["billed_quantity"], calls["difference_usd"]) == (10, 12, 0)


def test_what_a_bill_charges_apart_from_usage() -> None:
    ours = [charge("request", 1, "0"), charge("input_uncached", 1000, "0.003")]
    bill = [
        line("input", "0.00", 1000, amount_text="0.00"),  # rounded to a cent
        line("", "19", model_id="", line_item="VAT 19 %"),
        line("", "-5", model_id="", line_item="Promotional credit"),
        line("", "100", model_id="", line_item="Provisioned throughput", charge_category="Purchase"),
        line("", "0.12", model_id="", line_item="code interpreter sessions"),
    ]
    assert causes(rows(ours, bill)) == {
        "rounding": D("-0.003"), "tax": D(19), "credit": D(-5), "commitment": D(100), "tool_fee": D("0.12"),
    }  # fmt: skip
    # 0.008 is more than half a cent: no rounding explains it.
    assert causes(rows([ours[0], charge("input_uncached", 1000, "0.008")], bill[:1])) == {"price": D("-0.008")}


@pytest.mark.parametrize(
    ("words", "cause"),
    [("VAT reversed", "tax"), ("19 % MwSt.", "tax"), ("Refund for January", "credit"), ("Gutschrift 4711", "credit")],
)
def test_a_refund_or_a_tax_line_of_either_sign_is_named(words: str, cause: str) -> None:
    """A negative invoice too: nothing but the line is billed."""
    bill = line("", "-50", model_id="", line_item=words)
    assert causes(rows([], [bill])) == {cause: D(-50)}


def test_usage_that_is_taken_back_on_the_bill_is_usage_that_it_lacks() -> None:
    """2 USD charged and 2 refunded for the same tokens: the bill has none of them."""
    ours = [charge("request", 1, "0"), charge("input_uncached", 1000, "2")]
    assert causes(rows(ours, [line("input", "2", 1000), line("input", "-2", -1000)])) == {"tokens": D(-2)}


def test_a_bill_of_a_month_at_one_rate_and_charges_at_the_rates_of_their_days() -> None:
    """10 and 30 units of a currency at 0.10 and 0.20 USD are 7 USD, 0.175 a unit. The bill has 40 units at 0.15: 6 USD, one less, all of it currency."""
    own = {"pricing_currency": "CNY", "service_tier": "standard"}
    ours = [charge("request", 1, "0")]
    ours += [charge("input_uncached", 1000, "1", usd_per_currency=D("0.1"), **own), charge("input_uncached", 3000, "6", event_date=NEXT, usd_per_currency=D("0.2"), **own)]  # fmt: skip
    bill = line("", "40", days=28, event_date=DAY.replace(day=1), currency="CNY", usd_per_unit=D("0.15"))
    assert causes(rows(ours, [bill])) == {"currency": D(-1)}
    assert causes(rows(ours[::-1], [bill])) == {"currency": D(-1)}, "in whatever order the days come"


def test_a_bill_whose_months_are_not_those_of_the_calendar() -> None:
    """Bills from the 13th to the 12th: usage of 12 February is on the one that begins in January, that of the 13th on the next."""
    january, february = date(2026, 1, 13), NEXT
    ours = [charge(name, 1000, usd, event_date=day) for name, usd in (("request", "0"), ("input_uncached", "3")) for day in (DAY, NEXT)]  # fmt: skip
    bills = [line("input", "3", 1000, days=31, event_date=january), line("input", "3.5", 1000, days=28, event_date=february)]  # fmt: skip
    found = rows(ours, bills).filter(pl.col("meter") == "input_uncached")
    assert found.select("event_date", "period_days", "difference_usd").rows() == [(january, 31, D(0)), (february, 28, D("0.5"))]  # fmt: skip
    within = line("input", "2.5", 1000, days=7, event_date=date(2026, 1, 2))
    found = rows(ours, [*bills, within]).filter(pl.col("meter") == "input_uncached")
    assert found["event_date"].to_list() == [date(2026, 1, 1), february], "periods that overlap are one"
    assert found["period_days"].to_list() == [43, 28]


def test_another_exchange_rate_and_a_currency_without_one() -> None:
    ours = [charge("request", 1, "0"), charge("input_uncached", 1000, "1.4", pricing_currency="CNY", usd_per_currency=D("0.14"))]  # fmt: skip
    bill = line("input", "10", 1000, currency="CNY", usd_per_unit=D("0.15"))
    assert causes(rows(ours, [bill])) == {"currency": D("0.1")}
    [row] = rows(ours, [{**bill, "usd_per_unit": None}]).filter(pl.col("meter") != "request").to_dicts()
    assert [row[name] for name in ("reason", "billed_usd", "billed_amount", "currency", "difference_usd")] == [
        "currency_without_rate", None, 10, "CNY", None,
    ]  # fmt: skip


def test_a_bill_without_requests_and_requests_without_a_bill() -> None:
    ours = [
        charge("request", 1, "0"),
        charge("input_uncached", 1000, "2"),
        charge("input_uncached", 1000, "3", model_id="ours"),
        charge("input_uncached", 1000, "4", event_date=NEXT),
        charge("input_uncached", 1000, "5", provider_id="other"),
    ]
    bill = [line("input", "2", 1000), line("output", "7", 10, model_id="theirs")]
    found = rows(ours, bill).filter(pl.col("meter") != "request").sort("computed_usd", nulls_last=True)
    assert found.select("provider_id", "model_id", "reason", "computed_usd", "billed_usd", "difference_usd").rows() == [
        ("acme", "m", None, D(2), D(2), D(0)),
        ("acme", "ours", "not_on_bill", D(3), None, D(-3)),
        ("acme", "m", "bill_lags", D(4), None, None),
        ("other", "m", "no_bill", D(5), None, None),
        ("acme", "theirs", "no_requests", None, D(7), D(7)),
    ]
    assert causes(found) == {"missing_requests": D(4)}


def test_a_day_that_is_not_loaded_is_no_difference() -> None:
    ours = [charge("request", 1, "0"), charge("input_uncached", 1000, "2")]
    found = rows(ours, [line("input", "2"), line("input", "50", event_date=date(2026, 2, 1))])
    [row] = found.filter(pl.col("reason") == "not_loaded").to_dicts()
    assert (row["billed_usd"], row["difference_usd"], row["model_id"]) == (D(50), None, "m")
    [whole] = by_seller(found).to_dicts()
    assert [whole[name] for name in ("billed_usd", "difference_usd", "not_loaded_usd")] == [D(2), D(0), D(50)]
    assert beyond_tolerance(found, Reconciliation()) == []


def test_a_month_of_which_some_days_are_not_loaded_is_no_alarm_where_it_bills_more() -> None:
    """2 USD on the two loaded days, 28 days billed. Of 30 USD, 28 may be of the 26 other days; another unit price is no matter of days."""
    february = {"event_date": date(2026, 2, 1), "days": 28}
    ours = [charge("request", 1, "0"), charge("input_uncached", 1000, "2")]
    found = rows(ours, [line("input", "30", **february)])
    assert causes(found) == {"days_not_loaded": D(28)}
    assert set(found["days_missing"]) == {26}
    assert beyond_tolerance(found, Reconciliation()) == []
    assert work_list(found, Reconciliation()).is_empty()
    other = [line("output", "7", **february, model_id="only-in-other-weeks")]
    assert causes(rows(ours, other), model_id="only-in-other-weeks") == {"days_not_loaded": D(7)}
    dearer = rows(ours, [line("input", "30", 10_000, **february)])
    assert causes(dearer) == {"days_not_loaded": D(18), "price": D(10)}, (
        "9,000 tokens more at ours, 0.003 in place of 0.002"
    )
    assert len(beyond_tolerance(dearer, Reconciliation())) == 1
    less = rows(ours, [line("input", "0.5", **february)])
    assert causes(less) == {"unexplained": D("-1.5")}, "days that are missing can't explain that the bill is lower"
    assert len(work_list(less, Reconciliation())) == 1


def test_a_quiet_day_with_a_bill_lacks_its_requests() -> None:
    ours = [charge("request", 1, "0"), charge("input_uncached", 1000, "2")]
    found = rows(ours, [line("input", "2"), line("input", "50", event_date=NEXT)])
    assert causes(found, reason="no_requests") == causes(found) == {"missing_requests": D(50)}
    assert len(beyond_tolerance(found, Reconciliation())) == 1


def test_a_bill_that_is_not_complete_yet_lacks_time() -> None:
    ours = [charge("request", 10, "0"), charge("input_uncached", 1000, "2")]
    bill = [line("input", "1.5", 750)]
    assert causes(rows(ours, bill, exported=date(2026, 2, 14))) == {"timing": D("-0.5")}
    assert causes(rows(ours, bill, exported=date(2026, 2, 15))) == {"tokens": D("-0.5")}


def test_as_far_as_the_bill_distinguishes_it() -> None:
    ours = [
        charge("request", 1, "0"), charge("input_uncached", 100, "1"), charge("input_cache_write_5m", 100, "2"),
        charge("output_text", 10, "3"), charge("output_reasoning", 10, "4"),
    ]  # fmt: skip
    # Cache writes are under input and reasoning under output, where the bill does not name them.
    assert causes(rows(ours, [line("input", "3"), line("output", "7")])) == {}
    # We know of cache writes, not their life; the bill knows it.
    ours[2]["meter"] = "input_cache_write"
    found = rows(
        ours, [line("input", "1"), line("cache_creation.ephemeral_5m_input_tokens", "2.5"), line("output", "7")]
    )
    assert causes(found) == {"unexplained": D("0.5")}
    assert "input_cache_write" in found["meter"].to_list()
    # A model's line with words that are not known: all its meters together.
    found = rows(ours, [line("input", "3"), line("neurons", "9")])
    assert (found["meter"].to_list(), causes(found)) == ([""], {"unexplained": D(2)})
    # An invoice of one line for the month: the seller's charges of the month.
    late = charge("input_uncached", 100, "5", event_date=date(2026, 2, 28))
    found = rows([*ours, late], [line("", "15", model_id="", line_item="API", event_date=date(2026, 2, 1), days=28)])
    assert found.select("period_days", "model_id", "meter", "computed_usd", "billed_usd", "charges").rows() == [
        (28, "", "", D(15), D(15), 6)
    ]


def test_only_what_is_beyond_the_tolerance_is_work() -> None:
    ours = [charge("request", 1, "0"), charge("input_uncached", 1000, "100"), charge("output_text", 1000, "100")]
    found = rows(ours, [line("input", "100.9"), line("output", "97")])
    assert work_list(found, Reconciliation())["meter"].to_list() == ["output_text"]
    [said] = beyond_tolerance(found, Reconciliation())
    assert said.startswith("acme in 2026-02: billed 197.9")
    assert said.endswith("most of it unexplained")
    strict = Reconciliation.model_validate({"sellers": {"acme": {"tolerance": {"usd": 0.5, "share": 0}}}})
    assert work_list(found, strict)["meter"].to_list() == ["output_text", "input_uncached"]
    wide = Reconciliation.model_validate({"tolerance": {"usd": 3, "share": 0}})
    assert beyond_tolerance(found, wide) == []


_AMOUNT = st.decimals(min_value=-1000, max_value=10**9, places=18)
_COUNT = st.integers(min_value=0, max_value=10**12).map(Decimal)
_PART = st.builds(
    Part,
    meter=st.sampled_from(["input_uncached", "output_text"]),
    tier=st.sampled_from(["standard", "batch"]),
    quantity=_COUNT,
    usd=_AMOUNT,
    list_usd=_AMOUNT,
    billed_quantity=_COUNT,
    list_rate=st.none() | st.decimals(min_value=0, max_value=1, places=12),
)
_ITEM = st.builds(
    Item,
    parts=st.lists(_PART, max_size=4, unique_by=lambda part: (part.meter, part.tier)),
    requests=st.integers(0, 10**6),
    is_billed=st.booleans(),
    is_fee=st.booleans(),
    is_counted=st.booleans(),
    is_settled=st.booleans(),
    is_whole=st.booleans(),
    billed_usd=_AMOUNT,
    billed_at_our_rate=_AMOUNT,
    billed_list_usd=st.none() | _AMOUNT,
    billed_requests=st.none() | st.integers(0, 10**6),
    rounding_usd=st.decimals(min_value=0, max_value=1, places=3),
    charged=st.dictionaries(st.sampled_from(["tax", "credit"]), _AMOUNT),
)


@given(_ITEM)
def test_causes_add_up_to_the_difference_exactly(item: Item) -> None:
    found = causes_of(item)
    assert tuple(found) == CAUSES
    with localcontext(Context(prec=80)):
        assert all(usd == usd.quantize(D("1E-18")) for usd in found.values())
        assert sum(found.values()) == item.billed_usd + sum(item.charged.values(), D(0)) - item.computed_usd


@pytest.mark.parametrize(
    "declared", [{"lag_days": -1}, {"tolerance": {"usd": -1}}, {"sellers": {"acme": {"lag": 1}}}, {"tolerance": {"share": 2}}]
)  # fmt: skip
def test_what_is_no_rule(declared: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"lag_days|usd|lag|share"):
        Reconciliation.model_validate(declared)
