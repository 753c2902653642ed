"""Steps `core.gpu_price` and `core.throughput`, and `mart.selfhost_breakeven` from them and the last days' requests.

What is computed is in `pipelines.selfhost`; declarations come from `selfhost.yaml` and `hardware.yaml`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import psycopg

from pipelines.daily.days import Window
from pipelines.landing import LandedFile, read_bytes
from pipelines.meters import INPUT_METERS, OUTPUT_METERS, TOKEN_METERS, Meter
from pipelines.outside import ANY_FAILURE, worded
from pipelines.selfhost.breakeven import Market, breakeven
from pipelines.selfhost.formats import FORMATS
from pipelines.selfhost.gpu_prices import StatedPrice, gpu_ledger
from pipelines.selfhost.hardware_file import HardwareFile, SetAside
from pipelines.selfhost.throughput import Measured, throughput_rows
from pipelines.warehouse.day_files import parts_of_day
from pipelines.warehouse.partitions import loaded_days
from pipelines.warehouse.read import read_frame, read_table
from pipelines.warehouse.replace import replace_all, replace_days, replace_rows
from pipelines.warehouse.tables.core import REQUEST
from pipelines.warehouse.tables.core_prices import RATE_CARD
from pipelines.warehouse.tables.raw import QUARANTINE, SNAPSHOT
from pipelines.warehouse.tables.selfhost import GPU_PRICE, HOURLY_DEMAND, SELFHOST_BREAKEVEN, THROUGHPUT
from pipelines.workspace import Workspace
from pipelines.workspace.landed_index import snapshot_row
from pipelines.workspace.model_registry import registry_of

_TOKENS = {"input_tokens": INPUT_METERS, "output_tokens": OUTPUT_METERS}
_DEMAND_COLUMNS = (
    "event_date", "event_at", "operation", "provider_id", "model_id", "is_billable", *(meter.tokens_column for meter in TOKEN_METERS),
)  # fmt: skip


@dataclass(frozen=True)
class HardwareOutcome:
    """What the ledgers of hardware hold after a refresh."""

    prices: int
    measurements: int
    snapshots: int
    quarantined: int
    unresolved: list[str]
    """Models that measurements name and nothing knows."""
    problems: list[str]
    """Files that could not be read as a whole, with the reason."""


@dataclass
class _Landed:
    """The landed files of hardware: what they state, and their rows of raw.snapshot and raw.quarantine."""

    stated: list[StatedPrice] = field(default_factory=list)
    measured: list[Measured] = field(default_factory=list)
    index: list[pl.DataFrame] = field(default_factory=list)
    set_aside: list[dict[str, object]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def refresh_hardware(workspace: Workspace) -> HardwareOutcome:
    """Rebuild GPU prices and measurements from everything that states some, in one transaction."""
    own, public, landed = workspace.config.selfhost, workspace.config.hardware, _landed(workspace)
    stated = [StatedPrice(line, is_own=True) for line in own.gpu_prices]
    stated += [StatedPrice(line, is_own=False) for line in public.gpu_prices]
    prices = gpu_ledger([*stated, *landed.stated])
    origins = [Measured(own.throughput, is_own=True), *landed.measured]
    measured = throughput_rows(origins, registry_of(workspace), public)
    index = pl.concat([SNAPSHOT.empty(), *landed.index])
    quarantine = pl.DataFrame(landed.set_aside, schema=QUARANTINE.polars_schema)
    with workspace.database.connect() as connection, connection.transaction():
        former = read_frame(connection, "select snapshot_id from raw.snapshot where kind = 'selfhost'")["snapshot_id"]
        replace_rows(connection, SNAPSHOT, index, {"kind": ["selfhost"]})
        replace_rows(connection, QUARANTINE, quarantine, {"snapshot_id": sorted({*former, *index["snapshot_id"]})})
        replace_all(connection, GPU_PRICE, prices)
        replace_all(connection, THROUGHPUT, measured)
    unresolved = measured.filter(pl.col("model_id").is_null())["raw_model"].unique().sort().to_list()
    problems = [*landed.problems, *(str(problem) for problem in workspace.landed("selfhost").problems)]
    return HardwareOutcome(prices.height, measured.height, index.height, quarantine.height, unresolved, problems)


def _landed(workspace: Workspace) -> _Landed:
    """Read every landed file of hardware, each in a boundary of its own."""
    found = _Landed()
    for feed in workspace.config.sources.selfhost:
        version = f"{feed.format}-{FORMATS[feed.format].VERSION}"
        for file in workspace.landed_from("selfhost", feed.feed):
            try:
                read = FORMATS[feed.format].read(read_bytes(file), feed.options, file.observed_at.date())
            except ANY_FAILURE as error:
                reason = f"{file.landing_path} (feed {feed.feed}, format {feed.format}): {worded(error)}"
                found.problems.append(reason)
                read = HardwareFile(1, set_aside=[SetAside(1, "unreadable_file", reason, file.sha256)])
            found.stated += [StatedPrice(line, is_own=False, snapshot_id=file.snapshot_id) for line in read.prices]
            found.measured.append(Measured(tuple(read.throughput), is_own=False, snapshot_id=file.snapshot_id))
            valid = read.lines - len(read.set_aside)
            found.index.append(snapshot_row(file, feed.format, version, lines=read.lines, valid=valid))
            found.set_aside += [_quarantined(file, item_no, item) for item_no, item in enumerate(read.set_aside)]
    return found


def _quarantined(file: LandedFile, item_no: int, item: SetAside) -> dict[str, object]:
    return {
        "snapshot_id": file.snapshot_id,
        "line_no": item.line_no,
        "item_no": item_no,
        "reason": item.reason,
        "severity": "error" if item.reason in ("unreadable_file", "wrong_shape", "not_usable") else "info",
        "detail": item.detail,
        "record_sha256": item.sha256,
    }


@dataclass(frozen=True)
class BreakevenOutcome:
    """The rows of the window in mart.selfhost_breakeven, and how many rows of mart.hourly_demand were written."""

    rows: pl.DataFrame
    hours: int


def refresh_breakeven(workspace: Workspace, window: Window) -> BreakevenOutcome:
    """Add up the window's hours, judge self-hosting on each of its days, and replace the rows of both.

    Later days that were judged already look back at these hours and are judged again, so that the order of runs doesn't matter.
    """
    config = workspace.config
    first = window.from_date - timedelta(days=config.selfhost.window_days - 1)
    with workspace.database.connect() as connection, connection.transaction():
        hours = _add_up_hours(connection, workspace.day_files, first, window)
        until = window.to_date + timedelta(days=config.selfhost.window_days - 1)
        judged = {day for day in loaded_days(connection, REQUEST) if window.to_date <= day < until}
        days = sorted(judged | {*window.days})
        operations = list(config.routing.operations)
        served = "event_date >= %s and event_date < %s and operation = any(%s)"
        market = Market(
            config.selfhost,
            config.hardware,
            config.model_facts,
            read_table(connection, GPU_PRICE),
            read_table(connection, THROUGHPUT),
            read_table(connection, RATE_CARD),
            read_table(connection, HOURLY_DEMAND, served, (first, days[-1] + timedelta(days=1), operations)),
        )
        rows = pl.concat([breakeven(market, day) for day in days])
        for day in days:
            of_day = rows.filter(event_date=day)
            replace_days(connection, SELFHOST_BREAKEVEN, of_day, day, day + timedelta(days=1))
    return BreakevenOutcome(rows.filter(pl.col("event_date").is_in(window.days)), hours)


def _add_up_hours(connection: psycopg.Connection[Any], day_files: Path, first: date, window: Window) -> int:
    """Replace the hours of the window's days, and of loaded days since `first` that were never added up."""
    query = "select distinct event_date from mart.hourly_demand where event_date >= %(first)s and event_date < %(end)s"
    kept = {*read_frame(connection, query, {"first": first, "end": window.to_date})["event_date"]}
    lacking = {day for day in loaded_days(connection, REQUEST) if first <= day < window.to_date} - kept
    days = sorted(lacking | {*window.days})
    found = pl.concat([HOURLY_DEMAND.empty(), *(_hours_of(connection, day_files, day) for day in days)])
    replace_rows(connection, HOURLY_DEMAND, found, {"event_date": days})
    return found.height


def _hours_of(connection: psycopg.Connection[Any], day_files: Path, day: date) -> pl.DataFrame:
    """Billable requests of a day and their tokens by hour, operation, seller and model."""
    parts = [
        part.filter("is_billable")
        .group_by(
            "event_date",
            pl.col("event_at").dt.hour().cast(pl.Int32).alias("hour"),
            "operation",
            pl.col("provider_id", "model_id").fill_null(""),
        )
        .agg(
            pl.len().cast(pl.Int64).alias("requests"),
            *(_tokens(meters).alias(name) for name, meters in _TOKENS.items()),
        )
        for part in parts_of_day(connection, day_files, day, _DEMAND_COLUMNS)
    ]
    summed = pl.concat(parts).group_by(HOURLY_DEMAND.primary_key).agg(pl.exclude(HOURLY_DEMAND.primary_key).sum())
    return summed.select(HOURLY_DEMAND.polars_schema.names()).cast(HOURLY_DEMAND.polars_schema)


def _tokens(meters: Sequence[Meter]) -> pl.Expr:
    return pl.sum_horizontal(pl.col(meter.tokens_column).cast(pl.Int64) for meter in meters).sum()
