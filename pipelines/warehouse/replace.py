"""Replacing the rows of a table: whole days, chosen rows or all of them, in one transaction that readers never see half.

`bulk_copy.py` sends the rows, `partitions.py` stages and swaps in the days of a range-partitioned table. Each function joins
the transaction that its connection is in, so that several tables change together: open `connection.transaction()` around
the calls, range-partitioned tables last, because their swap holds readers up until the commit.
"""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import polars as pl
import psycopg
from psycopg import sql

from pipelines.constant import holds_only
from pipelines.ids import as_uuid
from pipelines.outside import worded
from pipelines.warehouse.advisory_locks import take
from pipelines.warehouse.bulk_copy import CopyStream, check_schema, copy_frame
from pipelines.warehouse.database import Database
from pipelines.warehouse.ddl import primary_key
from pipelines.warehouse.errors import LoadError
from pipelines.warehouse.names import table_name
from pipelines.warehouse.partitions import Staged, complete, count_anew, stage, swap_in
from pipelines.warehouse.tables import Table

_MANY = 1_000  # rows; counting takes 0.04 s
_WHOLE_TABLE = 0  # second half of the lock key; a day is its ordinal, a choice of rows its hash


def replace_days(
    target: Database | psycopg.Connection[Any], table: Table, frame: pl.DataFrame, from_date: date, to_date: date
) -> int:
    """Make `frame` all that `table` holds of the days in [from_date, to_date); the number of rows written.

    As `DayLoad`, for rows that are all there.
    """
    with _transaction(target) as connection, DayLoad(connection, table, from_date, to_date) as load:
        load.append(frame)
        load.finish()
    return load.rows


class DayLoad:
    """Replaces the rows of `table` on the days in [from_date, to_date) by rows that come in parts.

    A range-partitioned table gets a new child table per day, filled, then indexed, then swapped in, all days at
    the end of one transaction; any other day table is deleted from and copied into. A day without rows becomes
    empty. Two callers take turns, those of a plain table where they have a day in common, and the last one wins whole.
    Killed on the way, nothing changes and nothing is left behind: new tables become visible by the commit alone, which
    is the caller's, as is the transaction. A block (`with DayLoad(...)`), because from the first row of a partitioned
    table to `flush` or `finish` the connection takes nothing but rows.

    Raises LoadError for a frame that does not fit or holds a day outside the window, WarehouseError where long
    queries keep the swap from happening for a quarter of an hour.
    """

    def __init__(self, connection: psycopg.Connection[Any], table: Table, from_date: date, to_date: date) -> None:
        if table.day_column is None:
            raise LoadError(f"{table.qualified} has no day column: use replace_rows or replace_all")
        if not from_date < to_date:
            raise LoadError(f"{table.qualified}: the window [{from_date}, {to_date}) is empty; to_date is exclusive")
        self.rows = 0
        self._connection, self._table, self._day_column = connection, table, table.day_column
        self._window = (from_date, to_date)
        self._days = [from_date + timedelta(days=number) for number in range((to_date - from_date).days)]
        self._staged: dict[date, Staged] = {}
        self._stream: CopyStream | None = None
        # Who stages a partition holds the table whose shape it copies, and needs it alone to swap: loads of different days,
        # both staged, kept each other from that for a quarter of an hour. So partitioned tables are loaded one at a time.
        _take_turn(connection, table, [] if table.range_partitioned else [day.toordinal() for day in self._days])
        if not table.range_partitioned:
            connection.execute(
                sql.SQL("delete from {} where {day} >= %s and {day} < %s").format(
                    table_name(table), day=sql.Identifier(table.day_column)
                ),
                [from_date, to_date],
            )

    def append(self, frame: pl.DataFrame) -> None:
        """Add rows, of any days of the window, after those that came before."""
        from_date, to_date = self._window
        _refuse_outside(
            self._table,
            frame,
            pl.col(self._day_column).is_between(from_date, to_date, closed="left"),
            f"the window [{from_date}, {to_date})",
        )
        if not self._table.range_partitioned:
            copy_frame(self._connection, self._table, frame)
        else:
            check_schema(self._table, frame)
            for (day,), rows in sorted(frame.partition_by([self._day_column], as_dict=True).items()):
                self._send(day, rows)
        self.rows += frame.height

    def _send(self, day: date, rows: pl.DataFrame) -> None:
        """Go on with the COPY that is open, or open another: for another day, and for columns that were left out so far."""
        staged = self._staged.get(day)
        if staged is None:
            self.flush()
            staged = self._staged[day] = stage(self._connection, self._table, day, rows)
        unsent = {name for name, value in staged.defaults.items() if holds_only(rows[name], value)}
        if self._stream and self._stream.into == staged.name and self._stream.unsent <= unsent:
            self._stream.write(rows)
            return
        self.flush()
        stream = CopyStream(self._connection, self._table, staged.name, unsent=unsent, freeze=True)
        self._stream = stream.__enter__()
        stream.write(rows)

    def flush(self) -> None:
        """Send the rows appended so far. The connection then takes other statements again."""
        self.__exit__(None, None, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        stream, self._stream = self._stream, None
        if stream:
            stream.__exit__(kind, error, trace)

    def finish(self) -> None:
        """Build the keys and indexes of the new tables, then swap them in; from the swap to the commit readers wait."""
        self.flush()
        if self._table.range_partitioned:
            for staged in self._staged.values():
                complete(self._connection, self._table, staged)
            swap_in(self._connection, self._table, self._days, list(self._staged.values()))
        else:
            _count_many(self._connection, self._table, self.rows)


def replace_rows(
    target: Database | psycopg.Connection[Any], table: Table, frame: pl.DataFrame, where: Mapping[str, Sequence[Any]]
) -> int:
    """Make `frame` all that `table` holds of the rows whose every column in `where` has one of the listed values.

    Values have the types of a frame: a uuid is 16 bytes. Raises LoadError for rows of the frame that have none of the
    values, and for null among the values.
    """
    if not where:
        raise LoadError(f"{table.qualified}: replace_rows needs at least one column in `where`; replace_all takes none")
    check_schema(table, frame)
    conditions, values = [], []
    for name, wanted in where.items():
        column = table.column(name)
        if any(value is None for value in wanted):
            raise LoadError(f"{table.qualified}.{name}: null can't be replaced by value")
        _refuse_outside(
            table,
            frame,
            pl.col(name).is_in(pl.Series(wanted, dtype=column.polars_type).implode()),
            f"the listed {name}",
        )
        conditions.append(sql.SQL("{} = any(%s::{}[])").format(sql.Identifier(name), sql.SQL(column.type)))
        values.append([as_uuid(value) for value in wanted] if column.type == "uuid" else list(wanted))
    choice = zlib.crc32(repr(sorted((name, sorted(wanted)) for name, wanted in where.items())).encode()) - 2**31
    with _transaction(target) as connection:
        _take_turn(connection, table, [choice])
        connection.execute(
            sql.SQL("delete from {} where {}").format(table_name(table), sql.SQL(" and ").join(conditions)), values
        )
        return add_rows(connection, table, frame)


def add_rows(connection: psycopg.Connection[Any], table: Table, frame: pl.DataFrame) -> int:
    """Add `frame` to the rows of `table`; how many they are."""
    rows = copy_frame(connection, table, frame)
    _count_many(connection, table, rows)
    return rows


def _count_many(connection: psycopg.Connection[Any], table: Table, rows: int) -> None:
    """Let the planner know many new rows: of a day that the table was last counted without it expects one, and what joined 94,000
    charges of a new day took minutes until autovacuum had come by."""
    if rows >= _MANY:
        count_anew(connection, table_name(table))


def replace_all(target: Database | psycopg.Connection[Any], table: Table, frame: pl.DataFrame) -> int:
    """Make `frame` all that `table` holds; readers see the old rows until the commit. The number of rows it then holds.

    Only rows that differ are written: a ledger is computed whole every day, and hardly any of it is new.
    """
    if table.range_partitioned:
        raise LoadError(f"{table.qualified} is partitioned by day: use replace_days")
    check_schema(table, frame)
    with _transaction(target) as connection:
        _take_turn(connection, table)
        if connection.execute(sql.SQL("select 1 from {} limit 1").format(table_name(table))).fetchone() is None:
            return add_rows(connection, table, frame)
        _write_difference(connection, table, frame)
    return frame.height


def _write_difference(connection: psycopg.Connection[Any], table: Table, frame: pl.DataFrame) -> None:
    """Delete the rows that `frame` does not hold just so, then insert those that are missing.

    A ledger of 100,000 scores under an exclusion constraint took 20 seconds to write again, and doubled on disk.
    """
    incoming = sql.Identifier(f"incoming_{uuid4().hex}")
    names = {"table": table_name(table), "incoming": incoming}
    key = sql.SQL(" and ").join(
        sql.SQL("new.{column} = old.{column}").format(column=sql.Identifier(name)) for name in table.primary_key
    )
    connection.execute(sql.SQL("create temporary table {incoming} (like {table}) on commit drop").format(**names))
    copy_frame(connection, table, frame, into=incoming)
    try:
        connection.execute(sql.SQL("alter table {} add {}").format(incoming, sql.SQL(primary_key(table))))
        connection.execute(sql.SQL("analyze {}").format(incoming))
        connection.execute(
            sql.SQL(
                "delete from {table} as old where not exists "
                "(select from {incoming} as new where {key} and (new.*) is not distinct from (old.*))"
            ).format(**names, key=key)
        )
        connection.execute(
            sql.SQL(
                "insert into {table} select new.* from {incoming} as new "
                "where not exists (select from {table} as old where {key})"
            ).format(**names, key=key)
        )
    except psycopg.IntegrityError as error:
        raise LoadError(f"{table.qualified}: Postgres refused the rows: {worded(error)}") from None
    connection.execute(sql.SQL("drop table {}").format(incoming))


@contextlib.contextmanager
def _transaction(target: Database | psycopg.Connection[Any]) -> Iterator[psycopg.Connection[Any]]:
    """A transaction of our own, or a savepoint in the caller's."""
    if isinstance(target, Database):
        with target.connect() as connection:
            yield connection
    else:
        with target.transaction():
            yield target


def _take_turn(connection: psycopg.Connection[Any], table: Table, parts: Sequence[int] = ()) -> None:
    """Wait until no other transaction replaces the same parts (days, choices of rows), or any of the table for none."""
    key = zlib.crc32(table.qualified.encode()) - 2**31
    work = f"{table.qualified}: load the rows that another load is replacing"
    take(connection, [key, _WHOLE_TABLE], work, is_shared=bool(parts))
    for part in sorted(parts):
        take(connection, [key, part], work)


def _refuse_outside(table: Table, frame: pl.DataFrame, inside: pl.Expr, limits: str) -> None:
    outside = frame.filter(~inside)
    if outside.height:
        first = outside.select(pl.col(table.primary_key)).row(0, named=True)
        shown = {name: as_uuid(value) if isinstance(value, bytes) else value for name, value in first.items()}
        raise LoadError(
            f"{table.qualified}: {outside.height} rows lie outside {limits}; the first is "
            + ", ".join(f"{name} {value}" for name, value in shown.items())
        )
