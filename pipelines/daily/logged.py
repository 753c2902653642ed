"""Step `mart.logged_cost`: what the logs of each day state, against what is computed. `pipelines.books.logged` compares."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
import psycopg

from pipelines.books.logged import LOGGED_COLUMNS, LoggedDay
from pipelines.daily.days import Window
from pipelines.warehouse.day_files import parts_of_day
from pipelines.warehouse.partitions import loaded_days
from pipelines.warehouse.read import read_table
from pipelines.warehouse.replace import replace_days
from pipelines.warehouse.tables.core import REQUEST
from pipelines.warehouse.tables.core_prices import RATE_CARD
from pipelines.warehouse.tables.mart_logged import LOGGED_COST, LOGGED_DIFFERENCE, MART_LOGGED_TABLES, UNPRICED_NAME
from pipelines.workspace import Workspace


def refresh_logged_costs(workspace: Workspace, window: Window) -> dict[str, int]:
    """Compare the window's days and those that were loaded and never compared; rows written by table."""
    written = dict.fromkeys((table.qualified for table in MART_LOGGED_TABLES), 0)
    with workspace.database.connect() as connection, connection.transaction():
        loaded = set(loaded_days(connection, REQUEST))
        made = {day for (day,) in connection.execute("select distinct event_date from mart.logged_cost")}
        for day in sorted({*window.days, *(loaded - made)}):
            rows = _of_day(workspace, connection, day, is_loaded=day in loaded)
            for table in MART_LOGGED_TABLES:
                frame = rows[table.qualified]
                written[table.qualified] += replace_days(connection, table, frame, day, day + timedelta(days=1))
    return written


def _of_day(
    workspace: Workspace, connection: psycopg.Connection[Any], day: date, *, is_loaded: bool
) -> dict[str, pl.DataFrame]:
    """Rows of the three tables."""
    if not is_loaded:
        return {table.qualified: table.empty() for table in MART_LOGGED_TABLES}
    found = LoggedDay(day)
    for part in parts_of_day(connection, workspace.day_files, day, LOGGED_COLUMNS):
        found.add(part)
    return {
        LOGGED_COST.qualified: found.costs,
        LOGGED_DIFFERENCE.qualified: found.differences(read_table(connection, RATE_CARD)),
        UNPRICED_NAME.qualified: found.names,
    }
