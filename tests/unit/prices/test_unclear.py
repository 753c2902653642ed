"""What feeds say and we don't understand: since when, whose spend it touches, and what a person reads of it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import polars as pl

from pipelines.prices import FeedSnapshot, Traffic
from pipelines.prices.unclear import UNCLEAR, headline, unclear
from tests.unit.prices.feeds import FEED, price, registry_of, snapshot

SCHEMA = {"provider_id": pl.String(), "model_id": pl.String(), "cost_usd": pl.Decimal(38, 18)}
SPEND = pl.DataFrame([("acme", "m", Decimal(5)), ("acme", "n", Decimal(70))], schema=SCHEMA, orient="row")
TRAFFIC = Traffic(SPEND, Decimal(75), 30)
NEW = "input_cost_per_token_quantum: not understood: 6e-05"


def said(at: str, *stated: str) -> FeedSnapshot:
    return replace(snapshot(at, price("1"), price("2", raw_model="n")), not_understood=stated)


def test_what_costs_most_comes_first_with_the_day_since_which_it_is_said() -> None:
    feeds = [[
        said("2026-01-01", f"m: {NEW}"),
        said("2026-01-02"),
        said("2026-01-03", f"m: {NEW}", "gone: x: not understood: 1"),
        said("2026-01-04", f"m: {NEW}", f"n: {NEW}", "x/unused: only zeros", "a multiplier 'us': expected"),
    ]]  # fmt: skip
    rows = unclear(feeds, registry_of(feeds[0]), TRAFFIC)
    assert rows.schema == UNCLEAR
    assert [(row[0], row[1], row[2], f"{row[4]:%d}", row[6]) for row in rows.iter_rows()] == [
        (FEED.feed, "n", "input_cost_per_token_quantum", "04", Decimal(70)),
        (FEED.feed, "m", "input_cost_per_token_quantum", "03", Decimal(5)),
        (FEED.feed, "", "", "04", Decimal(0)),
        (FEED.feed, "x/unused", "", "04", Decimal(0)),
    ]
    assert rows["value"][0] == "not understood: 6e-05"
    stated = headline(rows)
    assert stated.startswith("2 of 4 things that price feeds say")
    assert (
        "n input_cost_per_token_quantum not understood: 6e-05 (list since 2026-01-04, 70.00 USD); m input_cost"
        in stated
    )


def test_nothing_is_said_where_no_spend_is_touched() -> None:
    feeds = [[said("2026-01-01", "x/unused: only zeros")], []]
    assert headline(unclear(feeds, registry_of(feeds[0]), TRAFFIC)) == ""
