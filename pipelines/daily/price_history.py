"""Step `mart.price_change`: the history of prices and their disagreements, weighed with the newest thirty days of traffic.

The ledger and the rate cards are made in `prices.py` beside this module; what is told of them is in `pipelines.prices`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import psycopg

from pipelines.prices import Traffic, charged, in_usd, other_names, price_change_rows, price_conflict_rows
from pipelines.prices.exposure import USAGE_SQL
from pipelines.prices.feed_snapshot import BEGINNING
from pipelines.prices.price_lists import OTHER_NAMES
from pipelines.prices.unclear import unclear
from pipelines.warehouse.read import read_frame, read_table
from pipelines.warehouse.replace import replace_all
from pipelines.warehouse.tables.core_prices import FX_RATE, PRICE, RATE_CARD
from pipelines.warehouse.tables.mart_prices import PRICE_CHANGE, PRICE_CONFLICT
from pipelines.workspace import Workspace
from pipelines.workspace.model_registry import registry_of
from pipelines.workspace.price_files import feed_files

TRAFFIC_DAYS = 30


@dataclass(frozen=True)
class PriceHistory:
    """The rows written, newest change and largest disagreement first."""

    changes: pl.DataFrame
    conflicts: pl.DataFrame
    unclear: pl.DataFrame
    """What the feeds say and we don't understand, as `pipelines.prices.unclear` tells it."""


def refresh_price_history(workspace: Workspace) -> PriceHistory:
    """Replace mart.price_change and mart.price_conflict by what the ledger and the loaded requests say now.

    The thirty days end with the newest loaded day, not with the day of the run, so that days may be run in any order.
    """
    with workspace.database.connect() as connection:
        prices, rate_card = read_table(connection, PRICE), read_table(connection, RATE_CARD)
        fx_rates = read_table(connection, FX_RATE)
        traffic, until = newest_traffic(connection, rate_card, prices)
    at = until or max(prices["recorded_at"].to_list(), default=BEGINNING)
    changes = price_change_rows(prices, rate_card, traffic)
    holds = (pl.col("valid_from") <= at) & (pl.col("valid_to").is_null() | (pl.col("valid_to") > at))
    conflicts = price_conflict_rows(
        in_usd(prices.filter(holds), fx_rates),
        workspace.config.sources.prices,
        traffic,
        at=at,
        others=other_names_at(workspace, at),
    )
    with workspace.database.connect() as connection, connection.transaction():
        replace_all(connection, PRICE_CHANGE, changes)
        replace_all(connection, PRICE_CONFLICT, conflicts)
    return PriceHistory(changes, conflicts, _unclear(workspace, traffic))


def unclear_now(workspace: Workspace) -> pl.DataFrame:
    """What the feeds in force say and we don't understand, with what the newest thirty days spent on the models."""
    with workspace.database.connect(read_only=True) as connection:
        traffic, _ = newest_traffic(connection, read_table(connection, RATE_CARD), read_table(connection, PRICE))
    return _unclear(workspace, traffic)


def _unclear(workspace: Workspace, traffic: Traffic) -> pl.DataFrame:
    feeds = [item.review.accepted for item in feed_files(workspace)]
    return unclear(feeds, registry_of(workspace), traffic)


def newest_traffic(
    connection: psycopg.Connection[Any], rate_card: pl.DataFrame, prices: pl.DataFrame
) -> tuple[Traffic, datetime | None]:
    """What the newest days were charged by, and the instant at which they end; None without any request."""
    (newest,) = read_frame(connection, "select max(event_date) as day from core.request")["day"]
    window = {"first": newest and newest - timedelta(days=TRAFFIC_DAYS - 1), "last": newest}
    sums = ", ".join(f"sum({quantity})::bigint as {name}" for name, quantity in USAGE_SQL.items())
    usage = read_frame(
        connection,
        f"select rate_id, sum(contracted_cost_usd) as cost_usd, {sums} from core.request "
        "where event_date between %(first)s and %(last)s and rate_id is not null group by rate_id",
        window,
    )
    total = Decimal(usage["cost_usd"].sum() or 0)
    until = datetime.combine(newest + timedelta(days=1), time(), UTC) if newest else None
    return charged(usage, rate_card, prices, total_usd=total, days=TRAFFIC_DAYS), until


def other_names_at(workspace: Workspace, at: datetime) -> pl.DataFrame:
    """What the feeds stated last at `at` beside the prices that count (`other_names`): feed and OTHER_NAMES."""
    registry = registry_of(workspace)
    found = [
        pl.DataFrame(
            schema={"feed": pl.String, **{name: PRICE.polars_schema.get(name, pl.String) for name in OTHER_NAMES}}
        )
    ]
    for item in feed_files(workspace):
        known = [snapshot for snapshot in item.review.accepted if snapshot.observed_at <= at]
        if known:
            silent = other_names(max(known, key=lambda snapshot: snapshot.observed_at), registry, at)
            found.append(silent.select(pl.lit(item.feed.feed).alias("feed"), *OTHER_NAMES))
    return pl.concat(found)
