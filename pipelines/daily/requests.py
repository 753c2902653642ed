"""Step `core.request`: a window of days, from parsed rows to costed facts, replaced in one transaction.

The rows come from the parsed store by way of the index in `raw.snapshot`; `ingest.py` beside this module fills both.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import psycopg

from pipelines.daily.days import Window
from pipelines.daily.prices import registry_of
from pipelines.daily.workspace import Workspace
from pipelines.models import alias_frame, resolve_requests
from pipelines.prices import keep_booked, rate
from pipelines.requests import attribute, collect_days
from pipelines.requests.collect import REPLAYING_FORMATS
from pipelines.warehouse.read import read_frame, read_table
from pipelines.warehouse.replace import replace_days, replace_rows
from pipelines.warehouse.tables.core import MODEL_ALIAS, RATE_CARD, REQUEST
from pipelines.warehouse.tables.raw import DUPLICATE


@dataclass(frozen=True)
class LoadOutcome:
    """What a window of days came to."""

    requests: int
    duplicates: int
    priced: int
    list_cost_usd: Decimal
    aliases: int
    preview: pl.DataFrame


def load_requests(workspace: Workspace, window: Window) -> LoadOutcome:
    """Collect, attribute, resolve and rate the window's requests, and replace its partitions.

    `core.request` and `raw.duplicate` change together: readers see the days as they were or as they are, never half.
    On a closed day what was booked stays booked; only requests that are new there are rated as known now.
    """
    near, replaying = _parsed_files(workspace, window)
    collected = collect_days(near, window.from_date, window.to_date, replaying=replaying)
    with workspace.database.connect() as connection:
        rate_card = read_table(connection, RATE_CARD)
        closed = workspace.config.periods.closed(window.days)
        booked = read_table(connection, REQUEST, "event_date = any(%s)", (closed,)) if closed else REQUEST.empty()
    registry = registry_of(workspace)
    requests = resolve_requests(attribute(collected.requests, workspace.config.attribution), registry)
    rated = rate(requests, rate_card, calendars=workspace.config.calendars.days)
    rated = keep_booked(rated.select(REQUEST.polars_schema.names()), booked)
    aliases = alias_frame(registry, _names(rated))
    with workspace.database.connect() as connection, connection.transaction():
        replace_days(connection, DUPLICATE, collected.duplicates, window.from_date, window.to_date)
        _replace_aliases(connection, aliases)
        # Last, because swapping partitions makes readers wait until the transaction ends.
        replace_days(connection, REQUEST, rated, window.from_date, window.to_date)
    return LoadOutcome(
        requests=rated.height,
        duplicates=collected.duplicates.height,
        priced=rated["unpriced_reason"].null_count(),
        list_cost_usd=Decimal(rated["list_cost_usd"].sum()),
        aliases=aliases.height,
        preview=_preview(rated),
    )


def _parsed_files(workspace: Workspace, window: Window) -> tuple[list[Path], list[Path]]:
    """Parsed files whose rows fall on the window or on the days beside it, which may hold their duplicates; and every file
    of a format that repeats records any time later."""
    bounds = {
        "low": window.from_date - timedelta(days=1),
        "high": window.to_date,
        "replaying": list(REPLAYING_FORMATS),
    }
    with workspace.database.connect() as connection:
        index = read_frame(
            connection,
            "select snapshot_id, format, parser_version, landing_path from raw.snapshot where kind = 'requests' "
            "and (format = any(%(replaying)s) or exists (select from unnest(event_dates) as day "
            "where day between %(low)s and %(high)s)) order by landing_path",
            bounds,
        )
    replays = pl.col("format").is_in(REPLAYING_FORMATS)
    return workspace.parsed_paths(index.filter(~replays)), workspace.parsed_paths(index.filter(replays))


def _replace_aliases(connection: psycopg.Connection[Any], aliases: pl.DataFrame) -> None:
    """Write `aliases`, and keep what other providers use the same names for."""
    names = aliases["raw_name"].unique().to_list()
    known = read_table(connection, MODEL_ALIAS, "raw_name = any(%s)", (names,))
    merged = pl.concat([aliases, known]).unique(MODEL_ALIAS.primary_key, keep="first", maintain_order=True)
    replace_rows(connection, MODEL_ALIAS, merged, {"raw_name": names})


def _names(requests: pl.DataFrame) -> pl.DataFrame:
    """Every name that was logged, with its provider."""
    named = requests.select(
        pl.col("provider_id").fill_null(""),
        pl.coalesce("response_model", "request_model").fill_null("").str.to_lowercase().alias("raw_name"),
    )
    return named.filter(pl.col("raw_name") != "").unique(maintain_order=True)


def _preview(requests: pl.DataFrame) -> pl.DataFrame:
    return (
        requests.group_by("event_date", "model_id")
        .agg(pl.len().alias("requests"), pl.col("list_cost_usd").sum())
        .sort("event_date", "list_cost_usd", descending=[False, True], nulls_last=True)
        .head(15)
    )
