"""Step `mart.price_change`: the history of prices and their disagreements, weighed with the newest thirty days of traffic.

`prices.py` makes the ledger and the rate cards, `pipelines.prices` finds changes and disagreements. Why they are no dbt
models is in docs/adr/0009-sql-and-python.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from pipelines.daily.price_traffic import newest_traffic
from pipelines.instants import holds_at
from pipelines.prices import Traffic, in_usd, other_names, price_change_rows, price_conflict_rows
from pipelines.prices.feed_snapshot import BEGINNING
from pipelines.prices.price_lists import OTHER_NAMES
from pipelines.prices.statements import facts_of
from pipelines.prices.unclear import unclear
from pipelines.warehouse.read import read_table
from pipelines.warehouse.replace import replace_all
from pipelines.warehouse.tables.core_prices import FX_RATE, PRICE, RATE_CARD
from pipelines.warehouse.tables.mart_prices import PRICE_CHANGE, PRICE_CONFLICT
from pipelines.workspace import Workspace
from pipelines.workspace.model_registry import registry_of
from pipelines.workspace.price_files import feed_files


@dataclass(frozen=True)
class PriceHistory:
    """The rows written, newest change and largest disagreement first."""

    changes: pl.DataFrame
    conflicts: pl.DataFrame
    unclear: pl.DataFrame
    """The statements of feeds that we don't understand, as `pipelines.prices.unclear` lists them."""


def refresh_price_history(workspace: Workspace) -> PriceHistory:
    """Replace mart.price_change and mart.price_conflict by what the ledger and the loaded requests give now."""
    with workspace.database.connect() as connection:
        prices, rate_card = read_table(connection, PRICE), read_table(connection, RATE_CARD)
        fx_rates = read_table(connection, FX_RATE)
        traffic, until = newest_traffic(connection, workspace.day_files)
    at = until or max(prices["recorded_at"].to_list(), default=BEGINNING)
    changes = price_change_rows(prices, rate_card, traffic)
    conflicts = price_conflict_rows(
        in_usd(prices.filter(holds_at(at)), fx_rates),
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
    """The statements of feeds in force that we don't understand, with the spend of the newest thirty days on each model."""
    with workspace.database.connect(read_only=True) as connection:
        traffic, _ = newest_traffic(connection, workspace.day_files)
    return _unclear(workspace, traffic)


def _unclear(workspace: Workspace, traffic: Traffic) -> pl.DataFrame:
    feeds = [item.review.accepted for item in feed_files(workspace)]
    return unclear(feeds, registry_of(workspace), traffic)


def other_names_at(workspace: Workspace, at: datetime) -> pl.DataFrame:
    """The prices that feeds last stated before `at` and that don't count (`other_names`): feed and OTHER_NAMES."""
    registry = registry_of(workspace)
    found = [
        pl.DataFrame(
            schema={"feed": pl.String, **{name: PRICE.polars_schema.get(name, pl.String) for name in OTHER_NAMES}}
        )
    ]
    for item in feed_files(workspace):
        facts = facts_of(item.review.accepted)
        known = [place for place, one in enumerate(facts) if one.observed_at <= at]
        if known:
            newest = max(known, key=lambda place: facts[place].observed_at)
            silent = other_names(item.review.accepted[newest], registry, at)
            found.append(silent.select(pl.lit(item.feed.feed).alias("feed"), *OTHER_NAMES))
    return pl.concat(found)
