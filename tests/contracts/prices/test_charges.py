"""mart.daily_charge against rated requests: every line worked by hand, and sums equal to the last digit."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import polars as pl
import psycopg
import pytest

from pipelines.warehouse.database import Database
from pipelines.warehouse.read import read_frame
from tests.charged import load_charged_day
from tests.marts import BUILT, build_spend_tables

# Model, meter, quantity, contracted rate, list cost and contracted cost. Each worked from PRICES and CALLS by hand.
LINES = {
    ("m", "request", 2, None, "0", "0"),
    ("m", "input_uncached", 1500, "3", "0.0045", "0.0045"),
    ("m", "output_reasoning", 11, "15", "0.000165", "0.000165"),
    ("m", "web_search", 2, "10000", "0.02", "0.02"),
    ("m", "request", 1, None, "0", "0"),  # the free call
    ("m", "input_uncached", 5, None, "0", "0"),
    ("tiered", "request", 1, None, "0", "0"),
    ("tiered", "input_uncached", 250, "5", "0.00125", "0.00125"),
    ("tiered", "rest", None, None, "-0.00015", "-0.00015"),  # 150 tokens above 100 cost 1 less
    ("granted", "request", 1, None, "0", "0"),
    ("granted", "input_uncached", 1000, "2.64", "0.003", "0.00264"),
    ("granted", "output_text", 100, "15", "0.0015", "0.0015"),
    ("searching", "request", 1, None, "0", "0"),
    ("searching", "input_uncached", 10, "1", "0.00001", "0.00001"),
    ("searching", "web_search", 4, None, "0", "0"),
    ("searching", "grounded_prompt", 1, "35000", "0.035", "0.035"),
    ("unknown", "request", 1, None, None, None),
    ("unknown", "input_uncached", 5, None, None, None),
}


@pytest.fixture
def charged(database: Database) -> Database:
    """A day of calls of every kind, and their charges."""
    with database.connect() as connection, connection.transaction():
        load_charged_day(connection)
    return database


def charge_again(connection: psycopg.Connection[Any]) -> None:
    connection.execute(f"truncate {', '.join(table.qualified for table in BUILT)}".encode())
    build_spend_tables(connection)


def charges(database: Database) -> pl.DataFrame:
    with database.connect(read_only=True) as connection:
        return read_frame(connection, "select * from mart.daily_charge")


def test_every_line_is_quantity_times_rate_as_worked_by_hand(charged: Database) -> None:
    found = charges(charged).select(
        "model_id", "meter", "quantity", "contracted_usd_per_million", "list_cost_usd", "contracted_cost_usd"
    )
    assert found.height == len(LINES)
    assert set(found.rows()) == {
        (*line[:3], *(None if value is None else Decimal(value) for value in line[3:])) for line in LINES
    }


def test_a_line_leads_to_the_prices_of_contract_and_list(charged: Database) -> None:
    lines = charges(charged).filter(pl.col("model_id") == "granted").sort("meter")
    assert lines["contract_id"].unique().to_list() == ["c-1"]
    found = lines.select("meter", "list_usd_per_million", "pricing_currency", "usd_per_currency").rows()
    assert found == [
        ("input_uncached", Decimal(3), "USD", Decimal(1)),
        ("output_text", Decimal(15), "USD", Decimal(1)),
        ("request", None, None, None),
    ]
    same = lines.select("meter", pl.col("price_id") == pl.col("list_price_id")).rows()
    assert same == [("input_uncached", False), ("output_text", True), ("request", None)]


def test_a_list_card_that_does_not_give_the_list_cost_is_not_believed(charged: Database) -> None:
    """The list cost of the call under contract is a digit off its list card: it stands in one line, whole."""
    with charged.connect() as connection, connection.transaction():
        connection.execute("update core.request set list_cost_usd = list_cost_usd - 1e-18 where model_id = 'granted'")
        charge_again(connection)
    found = charges(charged).filter(pl.col("model_id") == "granted")
    assert found.filter(pl.col("meter") == "rest")["list_cost_usd"].to_list() == [Decimal("0.004499999999999999")]
    assert found.filter(pl.col("meter") != "rest")["list_cost_usd"].null_count() == 3


@pytest.mark.parametrize("gone", ["true", "contract_id = ''", "contract_id <> ''"])
def test_what_a_lost_rate_card_leaves_is_the_line_rest_and_the_sum_stays(charged: Database, gone: str) -> None:
    """A card is derived and may go; what requests were booked at does not."""
    before = sums(charges(charged))
    with charged.connect() as connection, connection.transaction():
        connection.execute(f"delete from core.rate_card where {gone}".encode())
        charge_again(connection)
    found = charges(charged)
    assert sums(found) == before
    granted = found.filter(pl.col("model_id") == "granted", pl.col("meter") == "rest")
    left = {
        "true": ("0.0045", "0.00414"),
        "contract_id = ''": ("0.0045", "0"),
        "contract_id <> ''": ("0.0045", "0.00414"),
    }
    assert granted.select("list_cost_usd", "contracted_cost_usd").rows() == [tuple(map(Decimal, left[gone]))]


def sums(lines: pl.DataFrame) -> list[tuple[Any, ...]]:
    return (
        lines.group_by("model_id")
        .agg(
            pl.sum("list_cost_usd", "contracted_cost_usd", "effective_cost_usd", "billed_cost_usd", "reported_cost_usd")
        )
        .sort("model_id")
        .rows()
    )


def test_charges_sum_to_the_requests_of_each_model(charged: Database) -> None:
    with charged.connect(read_only=True) as connection:
        requests = read_frame(connection, "select * from core.request")
    requests = requests.with_columns(billed_cost_usd="contracted_cost_usd")
    resolved = pl.coalesce("model_id", pl.lit("unresolved: ") + pl.coalesce("response_model", "request_model"))
    assert sums(charges(charged)) == sums(requests.with_columns(model_id=resolved))
