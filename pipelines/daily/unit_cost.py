"""Step `mart.unit_cost` and `mart.daily_end_user_spend`: sums of each day's requests. What they are is `pipelines.books.unit_cost`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg

from pipelines.books.unit_cost import USE_COLUMNS, DayOfUse, divided
from pipelines.daily.days import Window
from pipelines.warehouse.day_files import parts_of_day
from pipelines.warehouse.partitions import loaded_days
from pipelines.warehouse.replace import replace_days
from pipelines.warehouse.tables.core import REQUEST
from pipelines.warehouse.tables.mart import DAILY_END_USER_SPEND
from pipelines.warehouse.tables.mart_economics import UNIT_COST
from pipelines.workspace import Workspace


def refresh_unit_costs(workspace: Workspace, window: Window) -> dict[str, int]:
    """Add up the window's days and those that were loaded and never added up; rows written by table."""
    with workspace.database.connect() as connection, connection.transaction():
        loaded = set(loaded_days(connection, REQUEST))
        made = {day for (day,) in connection.execute("select distinct event_date from mart.unit_cost")}
        return replace_unit_costs(connection, workspace.day_files, sorted({*window.days, *(loaded - made)}))


def replace_unit_costs(connection: psycopg.Connection[Any], day_files: Path, days: Sequence[date]) -> dict[str, int]:
    """Add up some days and replace their rows; rows written by table."""
    written = {UNIT_COST.qualified: 0, DAILY_END_USER_SPEND.qualified: 0}
    for day in days:
        found = DayOfUse(day)
        for part in parts_of_day(connection, day_files, day, USE_COLUMNS):
            found.add(part)
        for table, rows in (
            (UNIT_COST, divided(connection, day, found.sums())),
            (DAILY_END_USER_SPEND, found.end_users),
        ):
            written[table.qualified] += replace_days(connection, table, rows, day, day + timedelta(days=1))
    return written
