"""Replacing what a table holds: whole days, chosen rows or everything, in one transaction that readers never see half.

How rows travel is in `bulk_copy.py` beside this file. Each function joins the transaction that its connection is in,
so that several tables change together: open `connection.transaction()` around the calls, range-partitioned
tables last, because their swap holds readers up until the commit.
"""

from __future__ import annotations

import contextlib
import random
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import polars as pl
import psycopg
from psycopg import sql

from pipelines.constant import holds_only, same_throughout
from pipelines.ids import as_uuid
from pipelines.outside import worded
from pipelines.warehouse.bulk_copy import CopyStream, check_frame, check_schema, copy_frame
from pipelines.warehouse.database import Database
from pipelines.warehouse.ddl import index_statements, primary_key
from pipelines.warehouse.errors import LoadError, WarehouseError
from pipelines.warehouse.tables import Table

_WHOLE_TABLE = 0  # second half of the lock key; a day is its ordinal, a choice of rows its hash

# The swap needs the parent table alone for an instant. While it queues for that behind a long query, new readers
# queue behind it: so it queues briefly, steps back and tries again.
_SWAP_LOCK_TIMEOUT = "1s"
_SWAP_PAUSE_SECONDS = 1.0
_SWAP_PATIENCE_SECONDS = 900.0
_STATISTICS_TARGET = "10"  # a sample of 3,000 rows takes 0.07 s; autovacuum takes its 30,000 later
_TURN_LOCK_TIMEOUT = "30min"


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
    """Replaces what `table` holds of the days in [from_date, to_date) by rows that come in parts.

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
        self._staged: dict[date, _Staged] = {}
        self._stream: CopyStream | None = None
        # Who stages a partition holds the table whose shape it copies, and needs it alone to swap: loads of different days,
        # both staged, kept each other from that for a quarter of an hour. So partitioned tables are loaded one at a time.
        _take_turn(connection, table, [] if table.range_partitioned else [day.toordinal() for day in self._days])
        if not table.range_partitioned:
            connection.execute(
                sql.SQL("delete from {} where {day} >= %s and {day} < %s").format(
                    _name(table), day=sql.Identifier(table.day_column)
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
            staged = self._staged[day] = _stage(self._connection, self._table, day, rows)
        unsent = {name for name, value in staged.defaults.items() if holds_only(rows[name], value)}
        if self._stream and self._stream.into == staged.name and self._stream.unsent <= unsent:
            self._stream.write(rows)
            return
        self.flush()
        stream = CopyStream(self._connection, self._table, staged.name, unsent=unsent, freeze=True)
        self._stream = stream.__enter__()
        stream.write(rows)

    def flush(self) -> None:
        """Send what was appended: the connection takes other statements again."""
        self._end_stream(None, None, None)

    def _end_stream(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        stream, self._stream = self._stream, None
        if stream:
            stream.__exit__(kind, error, trace)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end_stream(kind, error, trace)

    def finish(self) -> None:
        """Build the keys and indexes of the new tables, then swap them in; from the swap to the commit readers wait."""
        self.flush()
        if self._table.range_partitioned:
            for staged in self._staged.values():
                _complete(self._connection, self._table, staged)
            _swap_in(self._connection, self._table, self._days, list(self._staged.values()))


def loaded_days(connection: psycopg.Connection[Any], table: Table) -> list[date]:
    """The days of a range-partitioned table that hold rows: its partitions, without a look at the rows."""
    rows = connection.execute(
        "select to_date(right(child.relname, 8), 'YYYYMMDD') from pg_inherits join pg_class child on child.oid = inhrelid "
        "where inhparent = to_regclass(%s) order by 1",
        [table.qualified],
    ).fetchall()
    return [day for (day,) in rows]


def replace_rows(
    target: Database | psycopg.Connection[Any], table: Table, frame: pl.DataFrame, where: Mapping[str, Sequence[Any]]
) -> int:
    """Make `frame` all that `table` holds of the rows whose every column in `where` has one of the listed values.

    Values are what a frame holds: a uuid is 16 bytes. Raises LoadError for rows of the frame that are none of
    those, and for null among the values.
    """
    if not where:
        raise LoadError(f"{table.qualified}: replace_rows needs at least one column in `where`; replace_all takes none")
    check_frame(table, frame)
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
            sql.SQL("delete from {} where {}").format(_name(table), sql.SQL(" and ").join(conditions)), values
        )
        return copy_frame(connection, table, frame)


def replace_all(target: Database | psycopg.Connection[Any], table: Table, frame: pl.DataFrame) -> int:
    """Make `frame` all that `table` holds; readers see the old rows until the commit. The number of rows it then holds.

    Only rows that differ are written: a ledger is computed whole every day, and hardly any of it is new.
    """
    if table.range_partitioned:
        raise LoadError(f"{table.qualified} is partitioned by day: use replace_days")
    check_frame(table, frame)
    with _transaction(target) as connection:
        _take_turn(connection, table)
        if connection.execute(sql.SQL("select 1 from {} limit 1").format(_name(table))).fetchone() is None:
            return copy_frame(connection, table, frame)
        _write_difference(connection, table, frame)
    return frame.height


def _write_difference(connection: psycopg.Connection[Any], table: Table, frame: pl.DataFrame) -> None:
    """Delete the rows that `frame` does not hold just so, then insert those that are missing.

    A ledger of 100,000 scores under an exclusion constraint took 20 seconds to write again, and doubled on disk.
    """
    incoming = sql.Identifier(f"incoming_{uuid4().hex}")
    names = {"table": _name(table), "incoming": incoming}
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


@dataclass(frozen=True)
class _Staged:
    """A table that is to become the partition of a day, and what its columns hold where a load sends nothing."""

    day: date
    name: sql.Identifier
    label: str
    defaults: Mapping[str, Any]


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
    try:
        with _setting(connection, "lock_timeout", _TURN_LOCK_TIMEOUT):
            if parts:
                connection.execute("select pg_advisory_xact_lock_shared(%s, %s)", [key, _WHOLE_TABLE])
                connection.execute(
                    "select pg_advisory_xact_lock(%s, part) from unnest(%s::integer[]) as part", [key, sorted(parts)]
                )
            else:
                connection.execute("select pg_advisory_xact_lock(%s, %s)", [key, _WHOLE_TABLE])
    except psycopg.errors.LockNotAvailable:
        raise WarehouseError(
            f"{table.qualified}: another load of the same rows has not ended within {_TURN_LOCK_TIMEOUT}"
        ) from None


def _stage(connection: psycopg.Connection[Any], table: Table, day: date, rows: pl.DataFrame) -> _Staged:
    """A new table of the partition's exact shape, without keys and indexes, for `rows` and those like them.

    What all of them share is made the default of its column for as long as the load lasts: of the 56 columns of
    core.request a log fills some twenty, and the others need not travel row by row.
    """
    label = f"{_partition(table, day)}_{uuid4().hex[:8]}"
    place = sql.Identifier(table.schema, label)
    # The check spares ATTACH its scan of the rows, which would happen under the lock.
    connection.execute(
        sql.SQL("create table {} (like {} including constraints including defaults, {})").format(
            place, _name(table), _day_check(table, day)
        )
    )
    # The rest of the key is unlike in every row, and what a list says as a default is not worth its quoting.
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
    return _Staged(day, place, label, defaults)


def _literal(table: Table, name: str, value: object) -> sql.Composable:
    column = table.column(name)
    written = as_uuid(value) if isinstance(value, bytes) else value
    return sql.SQL("{}::{}").format(sql.Literal(written), sql.SQL(column.type))


def _complete(connection: psycopg.Connection[Any], table: Table, staged: _Staged) -> None:
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
    with _setting(connection, "default_statistics_target", _STATISTICS_TARGET):
        connection.execute(sql.SQL("analyze {}").format(staged.name))


def _swap_in(
    connection: psycopg.Connection[Any], table: Table, days: Sequence[date], staged: Sequence[_Staged]
) -> None:
    deadline = time.monotonic() + _SWAP_PATIENCE_SECONDS
    while True:
        try:
            with connection.transaction(), _setting(connection, "lock_timeout", _SWAP_LOCK_TIMEOUT):
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
    old = sql.Identifier(table.schema, _partition(table, day))
    exists = connection.execute(
        "select from pg_inherits where inhparent = to_regclass(%s) and inhrelid = to_regclass(%s)",
        [table.qualified, f"{table.schema}.{_partition(table, day)}"],
    ).fetchone()
    if exists is not None:
        connection.execute(sql.SQL("alter table {} detach partition {}").format(_name(table), old))
        connection.execute(sql.SQL("drop table {}").format(old))


def _attach_partition(connection: psycopg.Connection[Any], table: Table, new: _Staged) -> None:
    name = _partition(table, new.day)
    connection.execute(sql.SQL("alter table {} rename to {}").format(new.name, sql.Identifier(name)))
    connection.execute(
        sql.SQL("alter table {} attach partition {} for values from ({}) to ({})").format(
            _name(table), sql.Identifier(table.schema, name), new.day, new.day + timedelta(days=1)
        )
    )


def _partition(table: Table, day: date) -> str:
    return f"{table.name}_{day:%Y%m%d}"


def _day_check(table: Table, day: date) -> sql.Composed:
    column = sql.Identifier(str(table.day_column))
    return sql.SQL("check ({} >= {} and {} < {})").format(column, day, column, day + timedelta(days=1))


def _name(table: Table) -> sql.Identifier:
    return sql.Identifier(table.schema, table.name)


@contextlib.contextmanager
def _setting(connection: psycopg.Connection[Any], name: str, value: str) -> Iterator[None]:
    """Another value of a setting inside the block; after an error the rollback restores it."""
    row = connection.execute("select current_setting(%s)", [name]).fetchone()
    connection.execute("select set_config(%s, %s, true)", [name, value])
    yield
    connection.execute("select set_config(%s, %s, true)", [name, *(row or ())])


def _refuse_outside(table: Table, frame: pl.DataFrame, inside: pl.Expr, what: str) -> None:
    outside = frame.filter(~inside)
    if outside.height:
        first = outside.select(pl.col(table.primary_key)).row(0, named=True)
        shown = {name: as_uuid(value) if isinstance(value, bytes) else value for name, value in first.items()}
        raise LoadError(
            f"{table.qualified}: {outside.height} rows lie outside {what}; the first is "
            + ", ".join(f"{name} {value}" for name, value in shown.items())
        )
