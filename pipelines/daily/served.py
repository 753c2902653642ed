"""Step `mart.served_model_change`: the window's calls that another model answered. What such a call is, is in `pipelines.books.served`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import polars as pl
import psycopg

from pipelines.books.served import CALLS, NAMES, is_worth_asking, served_changes
from pipelines.config.watch import KnownChange
from pipelines.daily.days import Window
from pipelines.models import Registry
from pipelines.warehouse.day_files import parts_of_day
from pipelines.warehouse.partitions import loaded_days
from pipelines.warehouse.read import read_frame, read_table
from pipelines.warehouse.replace import replace_days
from pipelines.warehouse.tables.core import REQUEST
from pipelines.warehouse.tables.core_prices import RATE_CARD
from pipelines.warehouse.tables.mart_economics import SERVED_MODEL_CHANGE
from pipelines.workspace import Workspace
from pipelines.workspace.model_registry import registry_of

_FIRST_SEEN = """
    select provider_id, asked_model_id, served_model_id, min(event_date)
    from mart.served_model_change
    group by provider_id, asked_model_id, served_model_id
"""


def refresh_served_changes(workspace: Workspace, window: Window) -> pl.DataFrame:
    """Find the window's calls that another model answered and replace its days; the rows written."""
    with workspace.database.connect() as connection, connection.transaction():
        registry = registry_of(workspace)
        calls = _calls(workspace, connection, window, registry)
        found = SERVED_MODEL_CHANGE.empty()
        if calls.height:
            rate_card = read_table(connection, RATE_CARD)
            found = served_changes(calls, registry, rate_card, workspace.config.calendars)
        replace_days(connection, SERVED_MODEL_CHANGE, found, window.from_date, window.to_date)
    return found


def _calls(
    workspace: Workspace, connection: psycopg.Connection[Any], window: Window, registry: Registry
) -> pl.DataFrame:
    """The calls of the days on which one may have been: the server passes over all requests of a day, half a second for a million."""
    loaded = set(loaded_days(connection, REQUEST))
    answering = [registry.resolve(item.provider, item.model).model_id for item in registry.config.redirects]
    redirected_to = {model for model in answering if model}
    differing = [
        read_frame(connection, CALLS, (day, day + timedelta(days=1)))
        for day in window.days
        if day in loaded
        and any(
            is_worth_asking(part, redirected_to) for part in parts_of_day(connection, workspace.day_files, day, NAMES)
        )
    ]
    return pl.concat(differing) if differing else pl.DataFrame()


def unexpected_changes(workspace: Workspace, window: Window) -> list[str]:
    """A sentence for each pair of models of the window that watch.yaml does not know of, the dearest first."""
    with workspace.database.connect(read_only=True) as connection:
        rows = read_table(
            connection, SERVED_MODEL_CHANGE, "event_date >= %s and event_date < %s", (window.from_date, window.to_date)
        )
        first = {(provider, asked, served): day for provider, asked, served, day in connection.execute(_FIRST_SEEN)}
    pairs = rows.group_by("provider_id", "asked_model_id", "served_model_id").agg(
        pl.col("requests", "difference_usd").sum(), pl.col("asked_cost_usd", "served_cost_usd").sum()
    )
    found = []
    for row in pairs.sort("difference_usd", "asked_model_id", descending=[True, False]).iter_rows(named=True):
        pair = (row["provider_id"], row["asked_model_id"], row["served_model_id"])
        if not _is_known(workspace.config.watch.changes, *pair, window.last_day):
            found.append(
                f"{row['requests']:,} calls of {pair[1]} at {pair[0]} were answered by {pair[2]} (first on {first[pair]}): "
                f"{row['served_cost_usd']:.2f} USD in place of {row['asked_cost_usd']:.2f}"
            )
    return found


def _is_known(changes: Iterable[KnownChange], provider: str, asked: str, served: str, day: date) -> bool:
    """Whether a change of watch.yaml, of any metric or of response_model, names the pair's seller and one of its models."""
    return any(
        change.from_date <= day
        and change.provider in (None, provider)
        and change.model in (asked, served)
        and change.metric in (None, "response_model")
        for change in changes
    )
