"""Statements kept once: together with who said them they are exactly what the snapshots say."""

from __future__ import annotations

import random

import polars as pl

from pipelines.prices.feed_snapshot import PRICE_SCHEMA
from pipelines.prices.statements import gathered, numbered
from tests.unit.prices.feeds import price, snapshot


def test_nothing_is_lost_and_nothing_kept_twice() -> None:
    chance = random.Random(3)
    snapshots = [
        snapshot(
            f"2026-01-{day:02d}",
            *(
                price(str(chance.choice((1, 2, 3))), raw_model=f"m{n}", region=chance.choice(("", "eu")))
                for n in range(9)
            ),
            price("7"),
            price("7"),  # a feed that says the same twice
        )
        for day in range(1, 20)
    ]
    stated = gathered(snapshots)
    whole = pl.concat([item.prices.with_columns(k=pl.lit(k, pl.Int64)) for k, item in enumerate(snapshots)])
    columns = ["k", *PRICE_SCHEMA.names()]
    again = stated.said().join(stated.distinct, on="row").select(columns)
    assert again.sort(columns).equals(whole.select(columns).sort(columns))
    assert stated.distinct.drop("row").is_duplicated().sum() == 0
    assert stated.distinct["row"].to_list() == list(range(stated.distinct.height))
    assert stated.distinct.height < 9 * 3 * 2 + 2


def test_no_snapshots_state_nothing() -> None:
    stated = gathered([])
    assert stated.said().is_empty()
    assert stated.distinct.select(PRICE_SCHEMA.names()).schema == PRICE_SCHEMA


def test_numbers_follow_the_order_of_the_contents_nulls_first() -> None:
    frame = pl.DataFrame({"a": ["y", "x", None, "x"], "b": [1, 2, 3, 1]})
    assert numbered(frame, "n", ("a", "b"))["n"].to_list() == [3, 2, 0, 1]
    assert numbered(frame, "n", ("a",))["n"].to_list() == [2, 1, 0, 1]
