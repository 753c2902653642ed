"""A small day of charges of every kind: list prices and a contract, marginal rates, fees, a free call and an unpriced one."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import psycopg

from pipelines.prices import build_ledger, build_rate_card, rate
from pipelines.warehouse.replace import replace_all, replace_days
from pipelines.warehouse.tables.core import REQUEST
from pipelines.warehouse.tables.core_prices import PRICE, RATE_CARD
from tests.marts import build_spend_tables, create_spend_tables
from tests.unit.prices.feeds import FEED, price, registry_of, snapshot
from tests.unit.prices.requests_frame import requests_frame
from tests.warehouse import rows as warehouse_rows

AT = datetime(2026, 2, 14, 12, tzinfo=UTC)
DAY = AT.date()
GRANTED = {"raw_model": "granted", "contract_id": "c-1"}
PRICES = snapshot(
    "2026-01-10",
    price("3"),
    price("15", "output_text"),
    price("10", "web_search", unit="search", pricing_quantity=1000),
    price("5", raw_model="tiered"),
    price("4", raw_model="tiered", context_scope="marginal", context_bound="gt", context_from_tokens=100),
    price("3", raw_model="granted"),
    price("15", "output_text", raw_model="granted"),
    price("2.64", **GRANTED),
    price("1", raw_model="searching"),
    price("35", "grounded_prompt", unit="request", pricing_quantity=1000, raw_model="searching"),
)
CALLS: tuple[dict[str, Any], ...] = (
    {"model_id": "m", "input_uncached": 1000, "output_reasoning": 11, "web_search_count": 2},
    {"model_id": "m", "input_uncached": 500},
    {"model_id": "tiered", "input_uncached": 250},
    {"model_id": "granted", "input_uncached": 1000, "output_text": 100},
    {"model_id": "searching", "input_uncached": 10, "web_search_count": 4},
    {"model_id": "m", "input_uncached": 5, "is_billable": False},
    {"model_id": "unknown", "input_uncached": 5},
)


def load_charged_day(connection: psycopg.Connection[Any]) -> None:
    """The calls, rated on a ledger, and their charges. Those of model m are of team search, in the region eu, and logged at 0.25 USD."""
    ledger = build_ledger(FEED, [PRICES], registry_of([PRICES]))
    card = build_rate_card(ledger, [FEED])
    rated = rate(requests_frame([{"provider_id": "acme", "event_at": AT, **call} for call in CALLS]), card)
    plain = warehouse_rows.requests(len(CALLS), day=DAY)
    requests = plain.with_columns(rated[name] for name in rated.columns).with_columns(
        team=pl.when(pl.col("model_id") == "m").then(pl.lit("search")),
        reported_cost_usd=pl.when(pl.col("model_id") == "m").then(pl.lit(Decimal("0.25")).cast(pl.Decimal(38, 18))),
        region=pl.when(pl.col("model_id") == "m").then(pl.lit("eu")).otherwise(pl.lit("")),
    )
    replace_all(connection, PRICE, ledger)
    replace_all(connection, RATE_CARD, card)
    replace_days(connection, REQUEST, requests, DAY, date(2026, 2, 15))
    create_spend_tables(connection)
    build_spend_tables(connection)


def count_500_tokens_more(connection: psycopg.Connection[Any]) -> None:
    """500 plain input tokens more of model m at 3 USD per million in the charges of the day, as a late line would have it."""
    connection.execute(
        "update mart.daily_charge set quantity = quantity + 500, list_cost_usd = list_cost_usd + 0.0015, "
        "contracted_cost_usd = contracted_cost_usd + 0.0015, effective_cost_usd = effective_cost_usd + 0.0015, "
        "billed_cost_usd = billed_cost_usd + 0.0015 where model_id = 'm' and meter = 'input_uncached' and price_id is not null"
    )
