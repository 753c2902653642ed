"""Changes are reported as people read them, and disagreements between feeds with the one that wins."""

from __future__ import annotations

import json
from decimal import Decimal

import polars as pl
import pytest

from pipelines.prices import build_ledger, price_changes, price_conflicts
from pipelines.prices.feed_snapshot import BEGINNING
from tests.unit.prices.feeds import DATED, FEED, day, price, registry_of, snapshot


def ledger_of(*snapshots: object, feed: object = FEED) -> pl.DataFrame:
    items = list(snapshots)
    return build_ledger(feed, items, registry_of(items))  # type: ignore[arg-type]


def test_an_observed_change_is_reported_with_both_prices() -> None:
    ledger = ledger_of(
        *(snapshot(at, price(usd)) for at, usd in (("2026-01-01", "3"), ("2026-02-01", "3"), ("2026-03-01", "2.5")))
    )
    row = price_changes(ledger).row(0, named=True)
    assert (row["price_before"], row["price_after"], row["changed_at"]) == (
        Decimal(3),
        Decimal("2.5"),
        day("2026-03-01"),
    )
    assert row["change_share"] == pytest.approx(-1 / 6)
    assert (
        row["summary"] == "input_uncached 3 to 2.5 USD per million tokens (-16.7 %) from 1 March 2026 (first observed)"
    )


def test_an_announced_change_states_when_it_was_learnt() -> None:
    ends = price(
        "3", "output_text", valid_from=BEGINNING, valid_to=day("2026-03-01"), service_tier="batch", date_basis="unknown"
    )
    follows = price("2.5", "output_text", valid_from=day("2026-03-01"), service_tier="batch", date_basis="documented")
    first = snapshot("2026-02-12", ends, follows, feed=DATED)
    later = snapshot("2026-04-01", ends, follows._replace(valid_to=day("2026-05-01")), feed=DATED)
    for snapshots in ([first], [first, later]):
        (summary,) = price_changes(ledger_of(*snapshots, feed=DATED))["summary"]
        assert (
            summary
            == "output_text (batch) 3 to 2.5 USD per million tokens (-16.7 %) from 1 March 2026, announced 12 February 2026"
        )


def test_a_removal_a_return_and_a_new_name_are_no_change() -> None:
    other = price("9", raw_model="other")
    prices = [
        snapshot("2026-01-01", price("3"), other),
        snapshot("2026-02-01", other),
        snapshot("2026-03-01", price("4"), other),
    ]
    assert price_changes(ledger_of(*prices)).is_empty()


def test_a_change_that_was_not_yet_known_is_not_reported() -> None:
    ledger = ledger_of(snapshot("2026-01-01", price("3")), snapshot("2026-03-01", price("2")))
    assert price_changes(ledger, known_at=day("2026-02-01")).is_empty()
    assert price_changes(ledger).height == 1


def test_feeds_that_disagree_and_who_wins() -> None:
    mine = snapshot("2026-01-01", price("3"), price("15", "output_text"), price("0", "input_cache_read"))
    theirs = [
        price(usd, meter, valid_from=BEGINNING, date_basis="unknown")
        for usd, meter in (("2", "input_uncached"), ("15.1", "output_text"), ("1", "input_cache_read"))
    ]
    other = snapshot("2026-01-01", *theirs, feed=DATED)
    prices = pl.concat([ledger_of(mine), ledger_of(other, feed=DATED)])
    found = price_conflicts(prices, [FEED, DATED], at=day("2026-02-01"))
    assert found.select("meter", "usd_used", "feed_used", "spread_share").rows() == [
        ("input_cache_read", Decimal(1), "dated", None),
        ("input_uncached", Decimal(2), "dated", 0.5),
    ]
    assert json.loads(found["values"][1]) == {"dated": 2, "list": 3}
    assert price_conflicts(prices, [FEED, DATED], at=day("2026-02-01"), tolerance=0.001).height == 3
    assert price_conflicts(prices, [FEED, DATED], at=day("2025-12-31")).is_empty()  # only one of them had a price yet
