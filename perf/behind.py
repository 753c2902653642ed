"""Days behind the measured one: copies of it that the server makes, in every table that has rows of days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import psycopg

from perf.bench import Say
from pipelines.warehouse.database import Database
from pipelines.warehouse.tables import TABLES, Table


def copy_newest(database: Database, days: Sequence[date], say: Say) -> None:
    """Give each of `days` what the last of them has; core.request is copied apart (`perf/history.py`), and what people did is not."""
    with database.owner.connect({}) as connection:
        for table in TABLES:
            if table.day_column and table.schema != "raw" and not table.range_partitioned and not table.is_act:
                try:
                    with connection.transaction():
                        _copy(connection, table, days)
                except psycopg.Error as error:
                    say(f"{table.qualified} is not copied: {type(error).__name__}")
    with database.owner.connect({}, autocommit=True) as connection:
        connection.execute("analyze")  # a run counts each day that it writes


def _copy(connection: psycopg.Connection[Any], table: Table, days: Sequence[date]) -> None:
    """Rows of the newest day, again for each day that has none."""
    rest = ", ".join(column.name for column in table.columns if column.name != table.day_column)
    connection.execute(
        f"insert into {table.qualified} ({table.day_column}, {rest}) select day, {rest} from {table.qualified}, unnest(%s::date[]) as day "
        f"where {table.day_column} = %s and day not in (select distinct {table.day_column} from {table.qualified}) on conflict do nothing",
        [list(days[:-1]), days[-1]],
    )
