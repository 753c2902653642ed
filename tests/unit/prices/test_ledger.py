"""The ledger of one feed, step by step: first sighting, change, removal, return, correction, retraction."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from itertools import permutations
from typing import Any

import polars as pl
import pytest

from pipelines.config.sources import PriceFeed
from pipelines.prices import FeedSnapshot, build_ledger
from pipelines.prices.feed_snapshot import BEGINNING, Price
from pipelines.warehouse.tables.core_prices import PRICE
from tests.unit.prices.feeds import DATED, FEED, day, price, registry_of, snapshot
from tests.unit.prices.ledger_checks import assert_sound, overlaps

Story = list[tuple[str, datetime, datetime | None, datetime, datetime | None, str | None]]


def ledger_of(snapshots: list[FeedSnapshot]) -> pl.DataFrame:
    feed = DATED if snapshots[0].feed == DATED.feed else FEED
    ledger = build_ledger(feed, snapshots, registry_of(snapshots))
    assert_sound(ledger)
    return ledger


def story(ledger: pl.DataFrame) -> Story:
    columns = ("usd_per_million", "valid_from", "valid_to", "recorded_at", "superseded_at", "supersede_reason")
    rows = ledger.sort("recorded_at", "valid_from").select(columns).iter_rows()
    return [(f"{usd.normalize():f}", *rest) for usd, *rest in rows]


def test_no_snapshot_gives_no_row() -> None:
    assert build_ledger(FEED, [], registry_of([])).equals(PRICE.empty())


def test_an_undated_price_holds_from_its_first_sighting() -> None:
    ledger = ledger_of([snapshot("2026-01-10", price("3")), snapshot("2026-01-20", price("3"))])
    assert story(ledger) == [("3", day("2026-01-10"), None, day("2026-01-10"), None, None)]
    assert ledger["date_basis"].to_list() == ["first_observed"]


def test_a_change_closes_and_opens_and_keeps_what_was_believed() -> None:
    ledger = ledger_of([snapshot("2026-01-10", price("3")), snapshot("2026-02-01", price("2.5"))])
    assert story(ledger) == [
        ("3", day("2026-01-10"), None, day("2026-01-10"), day("2026-02-01"), "changed"),
        ("3", day("2026-01-10"), day("2026-02-01"), day("2026-02-01"), None, None),
        ("2.5", day("2026-02-01"), None, day("2026-02-01"), None, None),
    ]


def test_a_vanished_model_is_closed_and_its_return_opens_a_new_period() -> None:
    gone = snapshot("2026-02-01", price("9", raw_model="other"))
    ledger = ledger_of([snapshot("2026-01-10", price("3")), gone, snapshot("2026-03-01", price("3"))])
    assert story(ledger.filter(pl.col("model_id") == "m")) == [
        ("3", day("2026-01-10"), None, day("2026-01-10"), day("2026-02-01"), "source_removed"),
        ("3", day("2026-01-10"), day("2026-02-01"), day("2026-02-01"), None, None),
        ("3", day("2026-03-01"), None, day("2026-03-01"), None, None),
    ]


@pytest.mark.parametrize(
    ("back", "amount", "holds"),
    [("2026-01-03", "2", True), ("2026-01-08", "2", True), ("2026-01-10", "2", False), ("2026-01-03", "3", False)],
)
def test_a_price_that_is_missing_for_days_and_comes_back_as_it_was_has_held_in_between(
    back: str, amount: str, holds: bool
) -> None:
    """A list that lost a model for a day left the day's requests without a price for ever."""
    other = price("1", raw_model="other")
    found = [
        snapshot("2026-01-01", price("2"), other),
        snapshot("2026-01-02", other),
        snapshot(back, price(amount), other),
    ]
    ledger = build_ledger(FEED, found, registry_of(found)).filter(raw_model="m")
    assert_sound(ledger)
    gap = ledger.filter(pl.col("valid_from") == day("2026-01-02"), pl.col("valid_to") == day(back))
    assert gap["recorded_at"].to_list() == ([day(back)] if holds else [])
    assert gap["unit_price"].to_list() == ([Decimal(2)] if holds else [])


def test_of_several_gaps_each_is_judged_by_the_prices_around_it() -> None:
    """A tier of its own is missing alone; a price with another before its return did not hold in between."""
    long = price("5", context_from_tokens=200_000, context_bound="gt")
    stated = {
        1: (price("2"), long),
        2: (long,),
        3: (price("2"),),
        4: (long,),
        5: (price("3"), long),
        6: (price("2"), long),
    }
    snapshots = [snapshot(f"2026-01-0{at}", *prices, price("1", raw_model="other")) for at, prices in stated.items()]
    ledger = ledger_of(snapshots).filter(pl.col("superseded_at").is_null(), raw_model="m")
    held = {
        int(tier): [(f"{row[0].normalize():f}", row[1].day, row[2].day if row[2] else None) for row in rows.iter_rows()]
        for (tier,), rows in ledger.sort("valid_from")
        .select("unit_price", "valid_from", "valid_to", "context_from_tokens")
        .group_by("context_from_tokens")
    }
    assert held == {
        0: [("2", 1, 2), ("2", 2, 3), ("2", 3, 4), ("3", 5, 6), ("2", 6, None)],
        200_000: [("5", 1, 3), ("5", 3, 4), ("5", 4, None)],
    }


def test_there_and_back_again_is_three_periods() -> None:
    snapshots = [snapshot(f"2026-0{month}-01", price(usd)) for month, usd in ((1, "3"), (2, "4"), (3, "3"))]
    believed = ledger_of(snapshots).filter(pl.col("superseded_at").is_null()).sort("valid_from")
    assert believed["usd_per_million"].to_list() == [Decimal(3), Decimal(4), Decimal(3)]


def _base(usd: str, until: str | None = None) -> Any:
    return price(usd, valid_from=BEGINNING, valid_to=day(until) if until else None, date_basis="unknown")


def _from(usd: str, start: str, until: str | None = None) -> Any:
    return price(usd, valid_from=day(start), valid_to=day(until) if until else None, date_basis="documented")


def test_a_dated_price_that_gets_a_successor_is_changed() -> None:
    first = snapshot("2026-01-10", _base("3"), feed=DATED)
    second = snapshot("2026-02-10", _base("3", "2026-03-01"), _from("2.5", "2026-03-01"), feed=DATED)
    assert story(ledger_of([first, second])) == [
        ("3", BEGINNING, None, day("2026-01-10"), day("2026-02-10"), "changed"),
        ("3", BEGINNING, day("2026-03-01"), day("2026-02-10"), None, None),
        ("2.5", day("2026-03-01"), None, day("2026-02-10"), None, None),
    ]


def test_another_amount_for_a_period_already_believed_is_a_correction() -> None:
    snapshots = [snapshot(at, _base(usd), feed=DATED) for at, usd in (("2026-01-10", "3"), ("2026-02-10", "0.3"))]
    assert story(ledger_of(snapshots)) == [
        ("3", BEGINNING, None, day("2026-01-10"), day("2026-02-10"), "corrected"),
        ("0.3", BEGINNING, None, day("2026-02-10"), None, None),
    ]


def test_an_announced_price_that_vanishes_before_its_date_is_retracted_and_never_in_force() -> None:
    announced = snapshot("2026-01-10", _base("3", "2026-03-01"), _from("6", "2026-03-01"), feed=DATED)
    retracted = snapshot("2026-02-10", _base("3"), feed=DATED)
    assert story(ledger_of([announced, retracted])) == [
        ("3", BEGINNING, day("2026-03-01"), day("2026-01-10"), day("2026-02-10"), "changed"),
        ("6", day("2026-03-01"), None, day("2026-01-10"), day("2026-02-10"), "retracted"),
        ("3", BEGINNING, None, day("2026-02-10"), None, None),
    ]


def test_a_dated_model_that_leaves_the_feed_keeps_its_past_and_loses_its_future() -> None:
    full = snapshot(
        "2026-01-10",
        _base("3", "2026-01-01"),
        _from("4", "2026-01-01", "2026-06-01"),
        _from("5", "2026-06-01"),
        feed=DATED,
    )
    gone = [
        snapshot(at, price("1", raw_model="x", valid_from=BEGINNING), feed=DATED) for at in ("2026-02-10", "2026-03-10")
    ]
    ledger = ledger_of([full, *gone]).filter(pl.col("model_id") == "m")
    assert story(ledger) == [
        ("3", BEGINNING, day("2026-01-01"), day("2026-01-10"), None, None),
        ("4", day("2026-01-01"), day("2026-06-01"), day("2026-01-10"), day("2026-02-10"), "source_removed"),
        ("5", day("2026-06-01"), None, day("2026-01-10"), day("2026-02-10"), "retracted"),
        ("4", day("2026-01-01"), day("2026-02-10"), day("2026-02-10"), None, None),
    ]


@pytest.mark.slow
def test_every_order_of_snapshots_gives_the_same_rows() -> None:
    snapshots = [
        snapshot("2026-01-01", price("3"), price("15", "output_text")),
        snapshot("2026-02-01", price("3")),
        snapshot("2026-03-01", price("4"), price("15", "output_text")),
        snapshot("2026-04-01", price("3"), price("16", "output_text")),
    ]
    expected = ledger_of(snapshots)
    assert all(ledger_of(list(order)).equals(expected) for order in permutations(snapshots))


def test_evidence_is_the_snapshot_that_said_so_first() -> None:
    first, second = snapshot("2026-01-10", price("3")), snapshot("2026-01-20", price("3"))
    row = ledger_of([second, first]).row(0, named=True)
    assert (row["snapshot_id"], row["source_locator"], row["extracted_text"]) == (
        first.snapshot_id,
        "/m/input_uncached",
        "3",
    )
    assert row["parser_version"] == "test-1"


def test_a_price_row_keeps_its_id_when_it_is_superseded() -> None:
    early = [snapshot("2026-01-10", price("3"))]
    later = [*early, snapshot("2026-02-01", price("4"))]
    assert set(ledger_of(early)["price_id"]) < set(ledger_of(later)["price_id"])


def test_the_name_that_is_the_id_speaks_for_a_model_with_several_names() -> None:
    prices = [price("7", raw_model="acme/m"), price("3"), price("8", "output_text", raw_model="acme/m")]
    ledger = ledger_of([snapshot("2026-01-10", *prices)])
    assert ledger.select("raw_model", "meter").rows() == [("m", "input_uncached")]


@pytest.mark.parametrize(
    ("amount", "quantity", "expected"),
    [
        ("2.5e-06", 1, "2.5"),
        ("0.0000000000000000015", 1, "0.000000000002"),
        ("0.00000000000000000250000000000001", 1, "0.000000000003"),
        ("10", 1_000, "10000"),
        ("0.6", 3_600, "166.666666666667"),
        ("0.18000000000000002", 1_000_000, "0.18"),
    ],
)
def test_units_are_converted_once_and_rounded_half_even(amount: str, quantity: int, expected: str) -> None:
    ledger = ledger_of([snapshot("2026-01-10", price(amount, pricing_quantity=quantity))])
    assert ledger["usd_per_million"].to_list() == [Decimal(expected)]


def test_another_currency_is_kept_and_has_no_dollar_price() -> None:
    row = ledger_of([snapshot("2026-01-10", price("8", pricing_currency="CNY"))]).row(0, named=True)
    assert (row["unit_price"], row["pricing_currency"], row["usd_per_million"]) == (Decimal(8), "CNY", None)


def test_the_check_for_overlaps_finds_one() -> None:
    ledger = ledger_of([snapshot("2026-01-10", price("3")), snapshot("2026-02-01", price("4"))])
    broken = ledger.with_columns(pl.lit(None, ledger.schema["superseded_at"]).alias("superseded_at"))
    assert not overlaps(broken).is_empty()


PAGE = PriceFeed(feed="list", format="page", options={"layout": "google"})
NEW_YEAR = day("2027-01-01")


def told_by(snapshots: list[FeedSnapshot]) -> Story:
    ledger = build_ledger(PAGE, snapshots, registry_of(snapshots))
    assert_sound(ledger)
    for order in permutations(snapshots):
        assert build_ledger(PAGE, order, registry_of(snapshots)).equals(ledger)
    return story(ledger)


def through_the_year() -> tuple[Price, Price]:
    return price("0.75", valid_to=NEW_YEAR), price("1.5", valid_from=NEW_YEAR, date_basis="announced")


def test_an_announced_successor_ends_a_price_without_a_date() -> None:
    """`$0.75 through December 31, 2026. $1.50 starting January 1, 2027.`, first seen in October, gone in January."""
    snapshots = [snapshot("2026-09-01", price("0.75")), snapshot("2026-10-10", *through_the_year()), snapshot("2027-01-05", price("1.5"))]  # fmt: skip
    assert told_by(snapshots) == [
        ("0.75", day("2026-09-01"), None, day("2026-09-01"), day("2026-10-10"), "changed"),
        ("0.75", day("2026-09-01"), NEW_YEAR, day("2026-10-10"), None, None),
        ("1.5", NEW_YEAR, None, day("2026-10-10"), None, None),
    ]


def test_an_announced_price_that_is_retracted_before_its_day_never_held_and_is_remembered() -> None:
    snapshots = [snapshot("2026-10-10", *through_the_year()), snapshot("2026-12-20", price("0.75"))]
    assert told_by(snapshots) == [
        ("0.75", day("2026-10-10"), NEW_YEAR, day("2026-10-10"), day("2026-12-20"), "changed"),
        ("1.5", NEW_YEAR, None, day("2026-10-10"), day("2026-12-20"), "retracted"),
        ("0.75", day("2026-10-10"), None, day("2026-12-20"), None, None),
    ]


def test_a_page_that_still_shows_both_prices_after_the_day_charges_the_later() -> None:
    snapshots = [snapshot("2026-10-10", *through_the_year()), snapshot("2027-01-05", *through_the_year())]
    assert told_by(snapshots) == [
        ("0.75", day("2026-10-10"), NEW_YEAR, day("2026-10-10"), None, None),
        ("1.5", NEW_YEAR, None, day("2026-10-10"), None, None),
    ]
    # First seen when the first price was already over: nothing says since when that one had held.
    late = [snapshot("2027-01-05", *through_the_year())]
    assert told_by(late) == [("1.5", NEW_YEAR, None, day("2027-01-05"), None, None)]


def test_a_plain_price_gives_way_to_a_successor_that_has_begun() -> None:
    """`$3` and `$2 starting September 1`, still both on the page of September 5: the first held up to the day."""
    both = (price("3"), price("2", valid_from=day("2026-09-01"), date_basis="announced"))
    assert told_by([snapshot("2026-08-10", *both), snapshot("2026-09-05", *both)]) == [
        ("3", day("2026-08-10"), day("2026-09-01"), day("2026-08-10"), None, None),
        ("2", day("2026-09-01"), None, day("2026-08-10"), None, None),
    ]
    promotion = (
        price("3"),
        price("2", valid_from=day("2026-09-01"), valid_to=day("2026-10-01"), date_basis="announced"),
    )
    assert told_by([snapshot("2026-09-05", *promotion)]) == [
        ("2", day("2026-09-01"), day("2026-10-01"), day("2026-09-05"), None, None),
        ("3", day("2026-10-01"), None, day("2026-09-05"), None, None),
    ]


def test_an_announced_price_of_a_model_that_vanishes_is_retracted_and_its_past_closed() -> None:
    others = [price("9", raw_model=f"other-{n}") for n in range(20)]  # else the page would be held for its losses
    snapshots = [snapshot("2026-10-10", *through_the_year(), *others), snapshot("2026-11-01", *others)]
    found = [row for row in told_by(snapshots) if row[0] != "9"]
    assert found[:2] == [
        ("0.75", day("2026-10-10"), NEW_YEAR, day("2026-10-10"), day("2026-11-01"), "source_removed"),
        ("1.5", NEW_YEAR, None, day("2026-10-10"), day("2026-11-01"), "retracted"),
    ]
    assert ("0.75", day("2026-10-10"), day("2026-11-01"), day("2026-11-01"), None, None) in found
