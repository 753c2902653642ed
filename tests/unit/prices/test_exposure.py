"""What price changes and disagreements are worth on our own traffic, worked by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from pipelines.daily.price_traffic import newest_traffic
from pipelines.prices import Traffic, build_ledger, build_rate_card, price_change_rows, price_conflict_rows, rate
from pipelines.prices.feed_snapshot import BEGINNING, Price
from pipelines.warehouse.database import Database
from pipelines.warehouse.replace import replace_all, replace_days
from pipelines.warehouse.tables.core import REQUEST
from pipelines.warehouse.tables.core_prices import PRICE, RATE_CARD
from pipelines.warehouse.tables.mart_prices import PRICE_CHANGE, PRICE_CONFLICT
from tests.unit.prices.feeds import DATED, FEED, day, price, registry_of, snapshot
from tests.unit.prices.requests_frame import requests_frame
from tests.warehouse import rows as warehouse_rows

NO_FILES = Path("no-files")


def ledger(first: list[Price], *later: tuple[str, list[Price]], dated: list[Price] | None = None) -> pl.DataFrame:
    undated = [snapshot("2026-01-01", *first), *(snapshot(at, *prices) for at, prices in later)]
    stated = [snapshot("2026-01-01", *dated, feed=DATED)] if dated else []
    registry = registry_of([*undated, *stated])
    return pl.concat([build_ledger(FEED, undated, registry), build_ledger(DATED, stated, registry)])


Booking = Callable[[pl.DataFrame, list[dict[str, object]]], tuple[pl.DataFrame, Traffic]]


@pytest.fixture
def traffic(database: Database) -> Booking:
    """Load prices, their rate cards and requests rated by them; the cards, and the traffic as the warehouse sums it."""

    def booked(prices: pl.DataFrame, rows: list[dict[str, object]]) -> tuple[pl.DataFrame, Traffic]:
        card = build_rate_card(prices, [DATED, FEED])
        calls = [{"provider_id": "acme", "model_id": "m", "event_at": day("2026-02-14")} | row for row in rows]
        on = day("2026-02-14").date()
        with database.connect() as connection, connection.transaction():
            replace_all(connection, PRICE, prices)
            replace_all(connection, RATE_CARD, card)
            if calls:
                rated = rate(requests_frame(calls), card)
                plain = warehouse_rows.requests(len(calls), day=on)
                requests = plain.with_columns(rated[name] for name in rated.columns)
                replace_days(connection, REQUEST, requests, on, on + timedelta(days=1))
        with database.connect(read_only=True) as connection:
            found, _ = newest_traffic(connection, NO_FILES)
        return card, found

    return booked


FIRST = [price("3"), price("15", "output_text"), price("2", raw_model="other")]
LATER = [price("2.5"), price("15", "output_text"), price("2", raw_model="other")]


def test_a_change_is_weighed_with_what_was_paid_by_that_price(traffic: Booking) -> None:
    """1M input at 2.50 and 0.5M reasoning at the output price 15, and 1M of another model at 2: 2.50 of 12.00 USD."""
    prices = ledger(FIRST, ("2026-02-01", LATER))
    card, seen = traffic(
        prices,
        [
            {"input_uncached": 1_000_000, "output_reasoning": 500_000},
            {"model_id": "other", "input_uncached": 1_000_000},
        ],
    )
    assert seen.total_usd == 12
    paid = {(m, meter): cost for m, meter, cost in seen.charges.select("model_id", "meter", "cost_usd").iter_rows()}
    assert paid == {
        ("m", "input_uncached"): Decimal("2.5"),
        ("m", "output_text"): Decimal("7.5"),
        ("other", "input_uncached"): 2,
    }
    rows = price_change_rows(prices, card, seen)
    assert rows.schema == PRICE_CHANGE.polars_schema
    (row,) = rows.rows(named=True)
    assert (row["price_before"], row["price_after"], row["is_used"]) == (3, Decimal("2.5"), True)
    assert row["spend_30d_usd"] == Decimal("2.5")
    assert row["spend_30d_share"] == pytest.approx(2.5 / 12)
    assert row["summary"] == (
        "m at acme: input_uncached 3 to 2.5 USD per million tokens (-16.7 %) from 1 February 2026 (first observed); "
        "affects 20.8 % of the spend of the last 30 days"
    )


def test_a_change_of_a_price_that_is_not_used_says_so(traffic: Booking) -> None:
    prices = ledger(FIRST, ("2026-02-01", LATER), dated=[price("2.4", valid_from=BEGINNING, date_basis="unknown")])
    card, seen = traffic(prices, [{"input_uncached": 1_000_000}])
    (row,) = price_change_rows(prices, card, seen).rows(named=True)
    assert row["is_used"] is False
    assert row["summary"].endswith(
        "affects 100.0 % of the spend of the last 30 days, which another feed's price decides"
    )


@pytest.mark.parametrize(("tokens", "reported"), [(0, "none"), (1, "less than 0.1 %")])
def test_a_change_that_touches_little_or_nothing(traffic: Booking, tokens: int, reported: str) -> None:
    prices = ledger(FIRST, ("2026-02-01", LATER))
    card, seen = traffic(prices, [{"input_uncached": tokens}, {"model_id": "other", "input_uncached": 1_000_000}])
    (row,) = price_change_rows(prices, card, seen).rows(named=True)
    assert f"affects {reported} of the spend" in row["summary"]


def test_a_price_in_another_currency_changes_in_its_own_money(traffic: Booking) -> None:
    prices = ledger([price("8", pricing_currency="CNY")], ("2026-02-01", [price("4", pricing_currency="CNY")]))
    card, seen = traffic(prices, [])
    (row,) = price_change_rows(prices, card, seen).rows(named=True)
    assert (row["pricing_currency"], row["price_after"], row["spend_30d_share"]) == ("CNY", 4, None)
    assert "8 to 4 CNY per million tokens (-50.0 %)" in row["summary"]
    swapped = ledger([price("8", pricing_currency="CNY")], ("2026-02-01", [price("1.1")]))
    assert price_change_rows(swapped, card, seen).is_empty()


def test_a_disagreement_is_worth_the_spread_on_what_was_used(traffic: Booking) -> None:
    """2M tokens of input: 3 against 2 USD per million puts 2 USD at stake."""
    dated = [price("2", valid_from=BEGINNING, date_basis="unknown")]
    prices = ledger([price("3"), price("9", "output_text")], dated=dated)
    _, seen = traffic(prices, [{"input_uncached": 2_000_000}])
    rows = price_conflict_rows(prices, [DATED, FEED], seen, at=day("2026-02-15"))
    assert rows.schema == PRICE_CONFLICT.polars_schema
    (row,) = rows.rows(named=True)
    assert (row["usd_used"], row["feed_used"], row["quantity_30d"], row["at_stake_30d_usd"]) == (
        2,
        "dated",
        2_000_000,
        2,
    )
    assert row["decided_by"] == "dated has precedence 20, before list (30)"
    assert row["summary"] == (
        "m at acme, input_uncached, USD per million tokens: dated says 2, list says 3; dated is used; "
        "2.00 USD are at stake on the traffic of the last 30 days"
    )
    level = FEED.model_copy(update={"precedence": 20})
    (row,) = price_conflict_rows(prices, [DATED, level], seen, at=day("2026-02-15")).rows(named=True)
    assert row["decided_by"] == "dated (precedence 20) stands in sources.yaml before list (20)"


def test_usage_whose_card_is_gone_is_left_out(traffic: Booking, database: Database) -> None:
    _, seen = traffic(ledger(FIRST), [{"input_uncached": 1_000_000}])
    assert seen.charges.height == 1
    with database.connect() as connection:
        connection.execute("delete from core.rate_card")
        found, until = newest_traffic(connection, NO_FILES)
    assert found.charges.is_empty()
    assert found.charges.schema == seen.charges.schema
    assert (found.total_usd, until) == (3, day("2026-02-15"))


def test_without_requests_there_is_no_traffic(traffic: Booking) -> None:
    _, seen = traffic(ledger(FIRST), [])
    assert (seen.charges.height, seen.total_usd) == (0, 0)
