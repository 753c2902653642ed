"""The review of price files on real histories, on the case that shrank, and on maps damaged as files are in the world."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from pipelines.config import load_config
from pipelines.config.sources import PriceFeed
from pipelines.ids import id_bytes
from pipelines.models import build_registry
from pipelines.prices import FeedSnapshot, Held, Review, Verdict, build_ledger, feed_names, parse_feed, review
from pipelines.prices.feed_snapshot import per_million
from tests.contracts.prices.conftest import LITELLM
from tests.unit.prices.landed import landed_file

DECLARED = build_registry(load_config(None).models, [])
PAGE = PriceFeed(feed="anthropic_page", format="page", precedence=20, options={"layout": "anthropic"})
OTHER = PriceFeed(feed="other", format="litellm_map", precedence=40)


def reviewed(
    *feeds: tuple[PriceFeed, list[FeedSnapshot]], verdicts: dict[bytes, Verdict] | None = None
) -> list[Review]:
    return review(feeds, DECLARED, verdicts or {})


@pytest.fixture(scope="module")
def pages(shared_data: Path) -> list[FeedSnapshot]:
    files = sorted((shared_data / "prices" / "anthropic_page").glob("*.md"))
    return [parse_feed(landed_file(path, "anthropic_page"), PAGE) for path in files]


@pytest.fixture(scope="module")
def shrunk(shared_data: Path) -> list[FeedSnapshot]:
    folder = shared_data / "cases" / "prices"
    names = ("litellm_map_2026-10-01.json", "litellm_map_2026-10-03_shrunk.json")
    return [parse_feed(landed_file(folder / name, "litellm_map"), LITELLM) for name in names]


@pytest.mark.slow
def test_real_histories_count_untouched(litellm_snapshots: list[FeedSnapshot], pages: list[FeedSnapshot]) -> None:
    for found, item in zip(
        reviewed((LITELLM, litellm_snapshots), (PAGE, pages)), (litellm_snapshots, pages), strict=True
    ):
        assert (found.accepted, found.held) == (tuple(item), ())
    assert reviewed((PAGE, [pages[0], pages[-1]]))[0].held == ()
    for step in (2, 3, 4, 6):
        assert reviewed((LITELLM, litellm_snapshots[1::step]))[0].held == ()


def test_a_map_that_lost_most_of_its_entries_waits_and_closes_no_price(shrunk: list[FeedSnapshot]) -> None:
    (found,) = reviewed((LITELLM, shrunk))
    (held,) = found.held
    assert (found.accepted, held.is_whole, held.state) == ((shrunk[0],), True, "open")
    assert "models are gone (azure/mistral-large-latest, " in held.reason
    assert "gpt-5 input_uncached 1.25 to 12.5" in held.reason
    registry = build_registry(load_config(None).models, feed_names([shrunk[0]]))
    ledger = build_ledger(LITELLM, found.accepted, registry)
    assert ledger["superseded_at"].null_count() == ledger.height
    assert ledger["valid_to"].null_count() == ledger.height


def test_a_decision_lets_it_count_or_never_and_a_later_good_file_makes_it_moot(shrunk: list[FeedSnapshot]) -> None:
    bad = shrunk[1].snapshot_id
    (found,) = reviewed((LITELLM, shrunk), verdicts={bad: "accept"})
    assert (found.accepted, found.held) == (tuple(shrunk), ())
    (found,) = reviewed((LITELLM, shrunk), verdicts={bad: "reject"})
    assert (found.accepted, [held.state for held in found.held]) == ((shrunk[0],), ["rejected"])
    later = replace(shrunk[0], snapshot_id=bytes(16), observed_at=shrunk[1].observed_at + timedelta(days=1))
    for order in ([*shrunk, later], [later, *reversed(shrunk)]):
        (found,) = reviewed((LITELLM, order))
        assert (found.accepted, [held.state for held in found.held]) == ((shrunk[0], later), ["superseded"])


def changed(snapshot: FeedSnapshot, prices: pl.DataFrame) -> FeedSnapshot:
    """A later snapshot of the same feed."""
    at = snapshot.observed_at + timedelta(days=1)
    return replace(snapshot, prices=prices, observed_at=at, snapshot_id=id_bytes("later", snapshot.feed))


def times(factor: str, where: pl.Expr | None = None) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """The prices multiplied, all or those that `where` picks."""

    def of(prices: pl.DataFrame) -> pl.DataFrame:
        picked = prices.with_columns(picked=pl.lit(True) if where is None else where)
        amounts = [
            amount * Decimal(factor) if is_picked else amount
            for amount, is_picked in picked.select("unit_price", "picked").iter_rows()
        ]
        return prices.with_columns(pl.Series("unit_price", amounts, dtype=prices.schema["unit_price"]))

    return of


def some_models(prices: pl.DataFrame, share: float) -> pl.DataFrame:
    names = prices["raw_model"].unique().sort().to_list()
    return prices.filter(pl.col("raw_model").is_in(random.Random(1).sample(names, int(share * len(names)))))


DAMAGES: dict[str, Callable[[pl.DataFrame], pl.DataFrame]] = {
    "the first half": lambda prices: prices.head(prices.height // 2),
    "the second half": lambda prices: prices.tail(prices.height // 2),
    "every second model": lambda prices: some_models(prices, 0.5),
    "seven of ten models": lambda prices: some_models(prices, 0.7),
    "three prices": lambda prices: prices.head(3),
    "nothing": lambda prices: prices.head(0),
    **{f"times {factor}": times(factor) for factor in ("10", "0.1", "40", "2", "1.2", "0.000001", "0")},
    "half of it times ten": times("10", pl.col("raw_model").hash(1) % 2 == 0),
    "output free": times("0", pl.col("meter") == "output_text"),
    "no output": lambda prices: prices.filter(pl.col("meter") != "output_text"),
    "one seller times ten": times("10", pl.col("provider") == "openai"),
    "another currency": lambda prices: prices.with_columns(pricing_currency=pl.lit("CNY")),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_map_waits(litellm_snapshots: list[FeedSnapshot], damage: str) -> None:
    last = litellm_snapshots[-1]
    found = reviewed((LITELLM, [last, changed(last, DAMAGES[damage](last.prices))]))[0]
    assert [held.is_whole for held in found.held] == [True], found
    assert found.accepted == (last,)


def test_a_seller_that_is_gone_waits_and_the_others_go_on(litellm_snapshots: list[FeedSnapshot]) -> None:
    last = litellm_snapshots[-1]
    gone = times("1.3", pl.col("raw_model") == "xai/grok-4")(last.prices.filter(pl.col("provider") != "openai"))
    found = reviewed((LITELLM, [last, changed(last, gone)]))[0]
    (held,) = found.held
    assert (held.is_whole, len(found.accepted)) == (False, 2)
    assert "models of openai are gone" in held.reason
    stays = found.accepted[1].prices
    assert sorted(stays.filter(provider="openai")["raw_model"]) == sorted(
        last.prices.filter(provider="openai")["raw_model"]
    )
    assert (
        stays.filter(raw_model="xai/grok-4")["unit_price"].to_list()
        == gone.filter(raw_model="xai/grok-4")["unit_price"].to_list()
    )


def test_a_rare_kind_of_price_that_is_gone_holds_its_models_and_not_the_map(
    litellm_snapshots: list[FeedSnapshot],
) -> None:
    """In August 2026 the map dropped the price of cached images of all thirteen models that had it: it waited whole, for months."""
    last = litellm_snapshots[-1]
    is_rare = (pl.col("meter") == "output_reasoning") & (pl.col("service_tier") == "standard")
    with_it = last.prices.filter(is_rare)["raw_model"].unique()
    assert 10 < len(with_it) < 0.2 * last.prices["raw_model"].n_unique()
    later = changed(last, last.prices.filter(~is_rare))
    (found,) = reviewed((LITELLM, [last, later]))
    (held,) = found.held
    assert not held.is_whole
    assert set(held.changes["raw_model"]) <= set(with_it)
    assert len(found.accepted) == 2
    assert found.accepted[1].prices.filter(is_rare).height == last.prices.filter(is_rare).height


def test_a_small_seller_that_is_gone_waits_where_another_feed_still_prices_it(
    litellm_snapshots: list[FeedSnapshot],
) -> None:
    last = litellm_snapshots[-1]
    after = changed(last, last.prices.filter(pl.col("provider") != "deepseek"))
    other = replace(
        last, feed="other", snapshot_id=id_bytes("other"), observed_at=last.observed_at - timedelta(hours=1)
    )
    assert reviewed((LITELLM, [last, after]))[0].held == (), "six models may retire at once, as Aleph Alpha's did"
    found = reviewed((LITELLM, [last, after]), (OTHER, [other]))[0]
    (held,) = found.held
    assert (held.is_whole, held.models) == (False, 6)
    assert held.reason == "6 of 6 models of deepseek are gone, of which another feed still prices 6"
    assert found.accepted[1].prices.filter(provider="deepseek").height


def test_a_seller_of_which_all_prices_moved_by_one_factor_waits(litellm_snapshots: list[FeedSnapshot]) -> None:
    last = litellm_snapshots[-1]
    doubled = times("2", pl.col("provider") == "openai")(last.prices)
    (held,) = reviewed((LITELLM, [last, changed(last, doubled)]))[0].held
    assert (held.is_whole, held.reason.endswith("models of openai moved by one factor")) == (False, True)


def test_a_price_that_moved_tenfold_is_weighed_by_the_other_feeds(litellm_snapshots: list[FeedSnapshot]) -> None:
    last = litellm_snapshots[-1]
    moved = times("10", pl.col("raw_model") == "gpt-5")(last.prices)
    other = replace(
        last, feed="other", snapshot_id=id_bytes("other"), observed_at=last.observed_at - timedelta(hours=1)
    )
    after = changed(last, moved)

    def held(*feeds: tuple[PriceFeed, list[FeedSnapshot]]) -> tuple[Held, ...]:
        return reviewed(*feeds)[0].held

    assert held((LITELLM, [last, after])) == (), "one model may move: markets do, and nothing speaks against it"
    (doubted,) = held((LITELLM, [last, after]), (OTHER, [other]))
    assert (doubted.is_whole, doubted.models) == (False, 1)
    assert "where other still state the price before: gpt-5 input_cache_read" in doubted.reason
    agreed = replace(other, prices=moved)
    assert held((LITELLM, [last, after]), (OTHER, [agreed])) == (), "the other feed says the same"


def test_a_held_model_keeps_its_last_good_price(litellm_snapshots: list[FeedSnapshot]) -> None:
    last = litellm_snapshots[-1]
    after = changed(last, times("10", pl.col("raw_model") == "gpt-5")(last.prices))
    other = replace(
        last, feed="other", snapshot_id=id_bytes("other"), observed_at=last.observed_at - timedelta(hours=1)
    )
    found = reviewed((LITELLM, [last, after]), (OTHER, [other]))[0]

    def price(snapshot: FeedSnapshot) -> Decimal:
        row = snapshot.prices.filter(raw_model="gpt-5", meter="input_uncached", service_tier="standard").row(
            0, named=True
        )
        return per_million(row["unit_price"], row["pricing_quantity"])

    assert [price(snapshot) for snapshot in found.accepted] == [Decimal("1.25")] * 2
    (found, _) = reviewed((LITELLM, [last, after]), (OTHER, [other]), verdicts={after.snapshot_id: "accept"})
    assert price(found.accepted[1]) == Decimal("12.5")
