"""Step `mart.model_catalog`: what is known of every model, from facts, ledgers, boards and our own spend.

How an entry is put together, and which models meet a question, is in `pipelines.catalog`.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import polars as pl

from pipelines.catalog import Entry, Known, catalog_entries, catalog_rows
from pipelines.daily.report import newest_loaded_day
from pipelines.warehouse.names import is_made
from pipelines.warehouse.read import read_frame, read_table
from pipelines.warehouse.replace import replace_all
from pipelines.warehouse.tables.core import MODEL
from pipelines.warehouse.tables.core_benchmarks import BENCHMARK, BENCHMARK_SCORE
from pipelines.warehouse.tables.core_prices import PRICE, RATE_CARD
from pipelines.warehouse.tables.mart_catalog import MODEL_CATALOG
from pipelines.workspace import Workspace

_SPEND_DAYS = 30
_SPEND = """
    select model_id, sum(requests)::bigint as requests, sum(effective_cost_usd) as usd from mart.daily_model_spend
    where event_date > %(first)s and event_date <= %(day)s and model_id is not null group by 1
"""
_SPEND_SCHEMA = pl.Schema({"model_id": pl.String(), "requests": pl.Int64(), "usd": pl.Decimal(38, 18)})


def refresh_catalog(workspace: Workspace) -> pl.DataFrame:
    """Rebuild the catalogue at the end of the newest loaded day; returns its rows."""
    day = newest_loaded_day(workspace) or datetime.now(UTC).date()
    rows = catalog_rows(known_entries(workspace, day), workspace.config.hardware.machines, day)
    with workspace.database.connect() as connection, connection.transaction():
        replace_all(connection, MODEL_CATALOG, rows)
    return rows


def known_entries(workspace: Workspace, day: date) -> list[Entry]:
    """Every model as known at the end of a UTC day; spend is that of the 30 days up to it."""
    with workspace.database.connect(read_only=True) as connection:
        days = {"first": day - timedelta(days=_SPEND_DAYS), "day": day}
        spend = pl.DataFrame(schema=_SPEND_SCHEMA)
        if is_made(connection, "mart.daily_model_spend"):
            spend = read_frame(connection, _SPEND, days).cast(_SPEND_SCHEMA)
        known = Known(
            workspace.config.model_facts,
            read_table(connection, MODEL),
            read_table(connection, RATE_CARD),
            read_table(connection, PRICE, "meter = %s", ("input_uncached",)),
            read_table(connection, BENCHMARK_SCORE),
            read_table(connection, BENCHMARK),
            spend,
        )
    return catalog_entries(known, day)
