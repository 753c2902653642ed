"""The partitions of a day table: each day's rows are staged in a table of their own, completed, then swapped in.

A staged table becomes visible by the commit alone. `replace.py` fills it and decides which days are replaced.
"""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import polars as pl
import psycopg
from psycopg import sql

from pipelines.constant import same_throughout
from pipelines.ids import as_uuid
from pipelines.outside import worded
from pipelines.warehouse.ddl import index_statements, primary_key
from pipelines.warehouse.errors import LoadError, WarehouseError
from pipelines.warehouse.names import table_name
from pipelines.warehouse.tables import Table

# The swap needs the parent table alone for an instant. While it queues for that behind a long query, new readers
# queue behind it: so it queues briefly, steps back and tries again.
_SWAP_LOCK_TIMEOUT = "1s"
_SWAP_PAUSE_SECONDS = 1.0
_SWAP_PATIENCE_SECONDS = 900.0
_STATISTICS_TARGET = "10"  # a sample of 3,000 rows takes 0.07 s; autovacuum takes its 30,000 later


@dataclass(frozen=True)
class Staged:
    """A table that is to become the partition of a day. `defaults` are the values of columns that a load leaves out."""

    day: date
    name: sql.Identifier
    label: str
    defaults: Mapping[str, Any]


def loaded_days(connection: psycopg.Connection[Any], table: Table) -> list[date]:
    """The days of a range-partitioned table that hold rows: its partitions, without a look at the rows."""
    rows = connection.execute(
        "select to_date(right(child.relname, 8), 'YYYYMMDD') from pg_inherits join pg_class child on child.oid = inhrelid "
        "where inhparent = to_regclass(%s) order by 1",
        [table.qualified],
    ).fetchall()
    return [day for (day,) in rows]


def stage(connection: psycopg.Connection[Any], table: Table, day: date, rows: pl.DataFrame) -> Staged:
    """A new table of the partition's exact shape, without keys and indexes, for `rows` and those like them.

    What all of them share is made the default of its column for as long as the load lasts: of the 56 columns of
    core.request a log fills some twenty, and the others need not travel row by row.
    """
    label = f"{partition_name(table, day)}_{uuid4().hex[:8]}"
    place = sql.Identifier(table.schema, label)
    # The check spares ATTACH its scan of the rows, which would happen under the lock.
    connection.execute(
        sql.SQL("create table {} (like {} including constraints including defaults, {})").format(
            place, table_name(table), _day_check(table, day)
        )
    )
    # The rest of the key differs in every row, and lists are not worth the quoting of a default.
    unlike = set(table.primary_key) - {table.day_column}
    names = [c.name for c in table.columns if c.name not in unlike and not isinstance(c.polars_type, pl.List)]
    defaults = same_throughout(rows, names)
    changes = [
        sql.SQL("alter column {} set default {}").format(sql.Identifier(name), _literal(table, name, value))
        for name, value in defaults.items()
        if value is not None
    ]
    if changes:
        connection.execute(sql.SQL("alter table {} {}").format(place, sql.SQL(", ").join(changes)))
    return Staged(day, place, label, defaults)


def _literal(table: Table, name: str, value: object) -> sql.Composable:
    column = table.column(name)
    written = as_uuid(value) if isinstance(value, bytes) else value
    return sql.SQL("{}::{}").format(sql.Literal(written), sql.SQL(column.type))


def complete(connection: psycopg.Connection[Any], table: Table, staged: Staged) -> None:
    """Take the load's defaults back, build the key and the indexes, and let the planner know the table.

    Unknown, a day of a million rows was taken for 5,000 and read through its index: a sum took twice the time until
    autovacuum had come by.
    """
    names = [name for name, value in staged.defaults.items() if value is not None]
    changes = [sql.SQL("alter column {} drop default").format(sql.Identifier(name)) for name in names]
    changes.append(sql.SQL("add {}").format(sql.SQL(primary_key(table))))
    try:
        connection.execute(sql.SQL("alter table {} {}").format(staged.name, sql.SQL(", ").join(changes)))
    except psycopg.errors.UniqueViolation as error:
        raise LoadError(f"{table.qualified}: two rows of {staged.day} have the same key: {worded(error)}") from None
    for statement in index_statements(table, staged.label):
        connection.execute(sql.SQL(statement))
    count_anew(connection, staged.name)


def count_anew(connection: psycopg.Connection[Any], place: sql.Composable) -> None:
    """Let the planner know a table as it is now. Nothing waits for it: where another has the table, its count will do."""
    with setting(connection, "default_statistics_target", _STATISTICS_TARGET):
        connection.execute(sql.SQL("analyze (skip_locked) {}").format(place))


def swap_in(connection: psycopg.Connection[Any], table: Table, days: Sequence[date], staged: Sequence[Staged]) -> None:
    """Drop the partitions of `days` and attach the staged ones. Readers wait from here to the commit.

    Raises WarehouseError where long queries keep the swap from happening for a quarter of an hour.
    """
    deadline = time.monotonic() + _SWAP_PATIENCE_SECONDS
    while True:
        try:
            with connection.transaction(), setting(connection, "lock_timeout", _SWAP_LOCK_TIMEOUT):
                for day in days:
                    _drop_partition(connection, table, day)
                for new in staged:
                    _attach_partition(connection, table, new)
            return
        except psycopg.errors.LockNotAvailable:
            if time.monotonic() > deadline:
                raise WarehouseError(
                    f"{table.qualified}: queries have kept {days[0]} to {days[-1]} from being swapped in for "
                    f"{_SWAP_PATIENCE_SECONDS:.0f} s. End them (select pid, query from pg_stat_activity) and run again."
                ) from None
            time.sleep(_SWAP_PAUSE_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311, no secret


def _drop_partition(connection: psycopg.Connection[Any], table: Table, day: date) -> None:
    old = sql.Identifier(table.schema, partition_name(table, day))
    exists = connection.execute(
        "select from pg_inherits where inhparent = to_regclass(%s) and inhrelid = to_regclass(%s)",
        [table.qualified, f"{table.schema}.{partition_name(table, day)}"],
    ).fetchone()
    if exists is not None:
        connection.execute(sql.SQL("alter table {} detach partition {}").format(table_name(table), old))
        connection.execute(sql.SQL("drop table {}").format(old))


def _attach_partition(connection: psycopg.Connection[Any], table: Table, new: Staged) -> None:
    name = partition_name(table, new.day)
    connection.execute(sql.SQL("alter table {} rename to {}").format(new.name, sql.Identifier(name)))
    connection.execute(
        sql.SQL("alter table {} attach partition {} for values from ({}) to ({})").format(
            table_name(table), sql.Identifier(table.schema, name), new.day, new.day + timedelta(days=1)
        )
    )


def partition_name(table: Table, day: date) -> str:
    """The name, without schema, of a day's partition."""
    return f"{table.name}_{day:%Y%m%d}"


def _day_check(table: Table, day: date) -> sql.Composed:
    column = sql.Identifier(str(table.day_column))
    return sql.SQL("check ({} >= {} and {} < {})").format(column, day, column, day + timedelta(days=1))


@contextlib.contextmanager
def setting(connection: psycopg.Connection[Any], name: str, value: str) -> Iterator[None]:
    """Another value of a setting inside the block; after an error the rollback restores it."""
    row = connection.execute("select current_setting(%s)", [name]).fetchone()
    connection.execute("select set_config(%s, %s, true)", [name, value])
    yield
    connection.execute("select set_config(%s, %s, true)", [name, *(row or ())])
