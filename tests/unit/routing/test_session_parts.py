"""A day in parts of whole sessions gives the sums of the whole day, to the last digit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipelines.config.evidence import Evidence
from pipelines.config.routing import RoutingConfig
from pipelines.routing import Setting, session_parts
from pipelines.routing.lanes import LaneKey
from pipelines.routing.repeats import repeats
from pipelines.routing.session_parts import BUCKETS, bucket_of, whole_sessions
from pipelines.warehouse.tables.core_prices import RATE_CARD
from tests.unit.routing.traffic import CHEAP, STRONG, TUNED, rate_card, request, requests

OFFERS = (CHEAP, STRONG, TUNED)
START = datetime(2026, 2, 20, 9, tzinfo=UTC)


@pytest.fixture
def cards() -> pl.DataFrame:
    """One seller charges at least a minimum for a call, so that its calls are rated one by one."""
    least = pl.when(pl.col("model_id") == TUNED[1]).then(
        pl.lit(Decimal("0.001"), RATE_CARD.polars_schema["minimum_charge_usd"])
    )
    return rate_card().with_columns(minimum_charge_usd=least)


@pytest.fixture
def day(cards: pl.DataFrame) -> pl.DataFrame:
    """Sessions of one to nine calls over all offers, calls without a session, and some that no policy moves."""
    rows = []
    for number in range(200):
        session = number // (1 + number % 9)
        rows.append(
            request(
                number,
                OFFERS[number % 3],
                session_id=None if number % 7 == 0 else f"session-{session}",
                event_at=START + timedelta(seconds=97 * number % 5_000),
                input_cache_read_tokens=200 * (number % 5),
                input_uncached_tokens=1000 + session,
                application=f"application-{session % 4}",
                is_billable=number % 11 != 0,
            )
        )
    return requests(*rows, card=cards)


def test_parts_hold_whole_buckets_and_every_request_once(day: pl.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_parts, "_ROWS", 30)
    parts = list(whole_sessions(day))
    assert len(parts) == 7
    assert_frame_equal(pl.concat(parts), day, check_row_order=False)
    buckets = [set(part.select(bucket_of()).to_series()) for part in parts]
    assert sum(map(len, buckets)) == len(set().union(*buckets))


def test_a_day_in_parts_is_the_day(day: pl.DataFrame, cards: pl.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    setting = Setting(RoutingConfig(baselines=(), policies=()), Evidence(), None, {})
    whole, again = setting.traffic(day, cards), repeats(day, cards)
    assert whole.priced.left_out == {"not_billable": 19}
    assert again["retried"].sum() + again["escalated"].sum() > 0
    monkeypatch.setattr(session_parts, "_ROWS", 30)
    parted = setting.traffic(day, cards)
    assert_frame_equal(parted.priced.counts, whole.priced.counts, check_exact=True)
    assert parted.priced.left_out == whole.priced.left_out
    assert parted.priced.costs.keys() == whole.priced.costs.keys() == set(OFFERS)
    for offer, cost in whole.priced.costs.items():
        assert cost.parts.height
        assert_frame_equal(parted.priced.costs[offer].parts, cost.parts, check_exact=True)
    assert_frame_equal(repeats(day, cards), again, check_exact=True)


def test_the_bucket_is_that_of_a_published_hash() -> None:
    """XXH64 with seed 0 of "a" and of "abc". Days that are kept must find their buckets again under every version of polars."""
    asked = pl.DataFrame({"session_id": ["a", "abc"], "request_uid": [b"-", b"-"]})
    assert asked.select(bucket_of()).to_series().to_list() == [
        0xD24EC4F1A98C6E5B % BUCKETS,
        0x44BC2CF5AD770999 % BUCKETS,
    ]


def test_lanes_are_the_same_however_many_needs_and_rules_there_are() -> None:
    """Up to 62 are counted in bits, more are written out."""
    rows = pl.DataFrame({"prompt": [10, 500, 90_000, None]}, schema={"prompt": pl.Int64})
    few = {f"over {bound}": pl.col("prompt") > bound for bound in (0, 100, 50_000)}
    many = few | {f"over {10**6 + number}": pl.col("prompt") > 10**6 + number for number in range(80)}
    lanes = ["over 0|", "over 0|over 100|", "over 0|over 100|over 50000|", ""]
    for found in (few, many):
        key = LaneKey(found)
        assert key.named(rows.with_columns(lane=key.column))["lane"].to_list() == lanes
    assert LaneKey({}).named(rows.with_columns(lane=LaneKey({}).column))["lane"].to_list() == [""] * 4
    assert key.named(rows.clear().with_columns(lane=key.column)).is_empty()
    assert LaneKey(few).named(rows.clear().with_columns(lane=LaneKey(few).column)).schema["lane"] == pl.String
