"""Steps `core.gpu_price` and `core.throughput`, and `mart.selfhost_breakeven` from them and the last days' requests.

What is computed is in `pipelines.selfhost`; declarations come from `selfhost.yaml` and `hardware.yaml`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import polars as pl

from pipelines.daily.days import Window
from pipelines.meters import INPUT_METERS, OUTPUT_METERS
from pipelines.selfhost.breakeven import Market, breakeven
from pipelines.selfhost.demand import HOURLY
from pipelines.selfhost.gpu_prices import StatedPrice, gpu_ledger
from pipelines.selfhost.throughput import Measured, throughput_rows
from pipelines.warehouse.read import read_frame, read_table
from pipelines.warehouse.replace import replace_all, replace_days
from pipelines.warehouse.tables.core_prices import RATE_CARD
from pipelines.warehouse.tables.selfhost import GPU_PRICE, SELFHOST_BREAKEVEN, THROUGHPUT
from pipelines.workspace import Workspace
from pipelines.workspace.model_registry import registry_of


@dataclass(frozen=True)
class HardwareOutcome:
    """What the ledgers of hardware hold after a refresh."""

    prices: int
    measurements: int
    unresolved: list[str]
    """Models that measurements name and nothing knows."""


def refresh_hardware(workspace: Workspace) -> HardwareOutcome:
    """Rebuild GPU prices and measurements from everything that states some, in one transaction."""
    own, public = workspace.config.selfhost, workspace.config.hardware
    stated = [StatedPrice(line, is_own=True) for line in own.gpu_prices]
    stated += [StatedPrice(line, is_own=False) for line in public.gpu_prices]
    prices = gpu_ledger(stated)
    measured = throughput_rows([Measured(own.throughput, is_own=True)], registry_of(workspace), public)
    with workspace.database.connect() as connection, connection.transaction():
        replace_all(connection, GPU_PRICE, prices)
        replace_all(connection, THROUGHPUT, measured)
    unresolved = measured.filter(pl.col("model_id").is_null())["raw_model"].unique().sort().to_list()
    return HardwareOutcome(prices.height, measured.height, unresolved)


def refresh_breakeven(workspace: Workspace, window: Window) -> pl.DataFrame:
    """Judge self-hosting on each day of the window and replace its rows; returns them."""
    config = workspace.config
    with workspace.database.connect() as connection:
        market = Market(
            config.selfhost,
            config.hardware,
            config.model_facts,
            read_table(connection, GPU_PRICE),
            read_table(connection, THROUGHPUT),
            read_table(connection, RATE_CARD),
            read_frame(connection, _hourly_sql(), _hourly_values(workspace, window)).cast(HOURLY),
        )
    rows = pl.concat([breakeven(market, day) for day in window.days])
    with workspace.database.connect() as connection, connection.transaction():
        replace_days(connection, SELFHOST_BREAKEVEN, rows, window.from_date, window.to_date)
    return rows


def _hourly_sql() -> str:
    """Tokens of what could be served by a model of one's own, by hour, seller and model."""
    given, written = (" + ".join(meter.tokens_column for meter in meters) for meters in (INPUT_METERS, OUTPUT_METERS))
    return (
        "select event_date, extract(hour from event_at at time zone 'UTC')::integer as hour, provider_id, model_id, "
        f"sum({given})::bigint as input_tokens, sum({written})::bigint as output_tokens from core.request "
        "where event_date >= %(first)s and event_date < %(end)s and operation = any(%(operations)s) and is_billable "
        "group by 1, 2, 3, 4"
    )


def _hourly_values(workspace: Workspace, window: Window) -> dict[str, object]:
    days = workspace.config.selfhost.window_days
    return {
        "first": window.from_date - timedelta(days=days - 1),
        "end": window.to_date,
        "operations": list(workspace.config.routing.operations),
    }
