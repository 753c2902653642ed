"""A day of core.request as files, written while the day is loaded: what is made from the rows need not ask the server for them.

The comment of the day's partition names the folder that holds just its rows, and changes in the transaction that changes them. So what
a rollback, a restatement or another home left behind is never read, and every reader falls back on the table. Folders may be deleted.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import polars as pl
import psycopg
import pyarrow.parquet as pq
from psycopg import sql

from pipelines.constant import same_throughout
from pipelines.landing.atomic import write_atomically
from pipelines.warehouse.partitions import partition_name
from pipelines.warehouse.read import read_frame
from pipelines.warehouse.tables.core import REQUEST

_LEFT_OUT = (
    "snapshot_id",
    "line_no",
    "item_no",
    "source_request_id",
    "resolution_method",
    "token_semantics",
    "http_status",
)
"""Where a row comes from: nothing is made from these columns."""
KEPT = [name for name in REQUEST.polars_schema if name not in _LEFT_OUT]
_NAMES = tuple(
    name for name, kind in REQUEST.polars_schema.items() if name in KEPT and kind == pl.String and name != "tags"
)
"""Columns with few values, of which a dictionary is made."""
_SHAPE = hashlib.sha256(" ".join(KEPT).encode()).hexdigest()[:8]
"""In the name of a folder: one that lacks a column, because a migration came after it, is never read."""
_SAME, _ROWS, _DATE = b"modelmeter.same", b"modelmeter.rows", 10
_KEPT_DAYS = 35
"""Days whose folder stays: a month, and what is loaded again with it."""


@contextmanager
def writing_days(folder: Path) -> Iterator[DayFileWriter]:
    """A writer whose folders are removed where the block fails."""
    folder.mkdir(parents=True, exist_ok=True)
    writer = DayFileWriter(folder)
    try:
        yield writer
    except BaseException:
        for path in writer.paths.values():
            shutil.rmtree(path, ignore_errors=True)
        raise


class DayFileWriter:
    """Files of the days whose rows come by in parts: a folder per day, in it a file per part."""

    def __init__(self, folder: Path) -> None:
        self.paths: dict[date, Path] = {}
        self._folder = folder

    def append(self, rows: pl.DataFrame) -> None:
        """Add rows of core.request, of any days."""
        for (day,), of_day in rows.select(KEPT).partition_by(["event_date"], as_dict=True).items():
            if day not in self.paths:
                self.paths[day] = self._folder / f"{day}-{_SHAPE}-{uuid4().hex}"
                self.paths[day].mkdir()
            number = len(list(self.paths[day].iterdir()))
            _write(self.paths[day] / f"{number:06d}.parquet", of_day)

    def name_in(self, connection: psycopg.Connection[Any]) -> None:
        """Let the partitions, which are in their place, name the folders."""
        for day, path in self.paths.items():
            _comment(connection, day, path.name)

    def sweep(self) -> None:
        """Remove the folders that these replace, and those of days long past."""
        folders = sorted((path for path in self._folder.iterdir() if path.is_dir()), reverse=True)
        kept = sorted({path.name[:_DATE] for path in folders}, reverse=True)[:_KEPT_DAYS]
        own = {str(day): path for day, path in self.paths.items()}
        for path in folders:
            day = path.name[:_DATE]
            if day not in kept or own.get(day, path) != path:
                shutil.rmtree(path, ignore_errors=True)


def day_of_requests(
    connection: psycopg.Connection[Any], folder: Path, day: date, columns: Sequence[str]
) -> pl.DataFrame:
    """The named columns of the day's rows of core.request: from its files where there are some, else from the table."""
    # In the pieces that it was read in: put together, the day would be held twice for a moment.
    return pl.concat(parts_of_day(connection, folder, day, columns), rechunk=False)


def parts_of_day(
    connection: psycopg.Connection[Any], folder: Path, day: date, columns: Sequence[str]
) -> Iterator[pl.DataFrame]:
    """The same rows in parts, at least one, of which each is small where they come from files."""
    schema = pl.Schema({name: REQUEST.polars_schema[name] for name in columns})
    place = _place(connection, folder, day)
    if place is None:
        query = f"select {', '.join(columns)} from core.request where event_date = %s"
        yield read_frame(connection, query, [day]).cast(schema)
        return
    for path in sorted(place.glob("*.parquet")):
        yield _read(path, schema)


def kept_of_day(
    connection: psycopg.Connection[Any], folder: Path, day: date, name: str, make: Callable[[], pl.DataFrame]
) -> pl.DataFrame:
    """What `make` makes of the day's rows, from the second time on as it was kept: for as long as the day has its file."""
    place = _place(connection, folder, day)
    if place is None:
        return make()
    path = place / f"{name}.arrow"
    if not path.is_file():
        made = make()
        with suppress(OSError):  # no room, or the day was loaded again meanwhile
            write_atomically(path, made.write_ipc(None, compression="lz4").getvalue())
        return made
    return pl.read_ipc(path.read_bytes())


def _place(connection: psycopg.Connection[Any], folder: Path, day: date) -> Path | None:
    """The folder that holds just the rows of the day's partition, where there is one."""
    row = connection.execute(
        "select obj_description(to_regclass(%s), 'pg_class')", [f"{REQUEST.schema}.{partition_name(REQUEST, day)}"]
    ).fetchone()
    place = folder / row[0] if row and row[0] and row[0].startswith(f"{day}-{_SHAPE}-") else None
    return place if place and place.is_dir() else None


def _write(path: Path, rows: pl.DataFrame) -> None:
    """One part. What all its rows share, of the 50 columns more than half, stands in the file's metadata."""
    same = {n: v for n, v in same_throughout(rows, rows.columns).items() if v is None or type(v) in (str, int, bool)}
    table = rows.drop(*same).to_arrow()
    metadata = {_SAME: json.dumps(same), _ROWS: str(rows.height)}
    pq.write_table(
        table.replace_schema_metadata(metadata),
        path,
        compression="lz4",
        write_statistics=False,
        use_dictionary=[name for name in _NAMES if name not in same],
    )


def _read(path: Path, schema: pl.Schema) -> pl.DataFrame:
    metadata = pq.read_metadata(path).metadata
    same, height = json.loads(metadata[_SAME]), int(metadata[_ROWS])
    # Not by Arrow, which keeps the memory that polars then copies from: 110 MB of a million rows.
    varied = pl.read_parquet(path, columns=[name for name in schema if name not in same])
    shared = {
        name: pl.Series(name, [same[name]], dtype=schema[name]).new_from_index(0, height)
        for name in schema
        if name in same
    }
    return pl.DataFrame({name: shared[name] if name in shared else varied[name] for name in schema}, schema=schema)


def forget_day_file(connection: psycopg.Connection[Any], day: date) -> None:
    """The day's rows are changed in place: no folder holds them."""
    _comment(connection, day, None)


def remove_day_files(folder: Path, day: date) -> None:
    """Remove whatever folders there are of a day, those that no partition names too. Raises OSError where one stays."""
    for place in folder.glob(f"{day}-*"):
        shutil.rmtree(place)


def _comment(connection: psycopg.Connection[Any], day: date, text: str | None) -> None:
    place = sql.Identifier(REQUEST.schema, partition_name(REQUEST, day))
    connection.execute(sql.SQL("comment on table {} is {}").format(place, sql.Literal(text)))
