"""A day of core.request as a Parquet file, written while the day is loaded: what is made from the rows need not ask them of the server.

The partition's comment names the file that holds just its rows, and changes in the transaction that changes them. So a file that
a rollback, a restatement or another home left behind is never read, and every reader falls back on the table. Files may be deleted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import polars as pl
import psycopg
import pyarrow.parquet as pq
from psycopg import sql

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
_KEPT_DAYS = 35
"""Days whose file stays: a month, and what is loaded again with it."""


@contextmanager
def writing_days(folder: Path) -> Iterator[DayFileWriter]:
    """A writer whose files are removed where the block fails."""
    folder.mkdir(parents=True, exist_ok=True)
    writer = DayFileWriter(folder)
    try:
        yield writer
        writer.close()
    except BaseException:
        writer.close()
        for path in writer.paths.values():
            path.unlink(missing_ok=True)
        raise


class DayFileWriter:
    """Files of the days whose rows come by in parts."""

    def __init__(self, folder: Path) -> None:
        self.paths: dict[date, Path] = {}
        self._folder, self._open = folder, dict[date, pq.ParquetWriter]()

    def append(self, rows: pl.DataFrame) -> None:
        """Add rows of core.request, of any days."""
        for (day,), of_day in rows.select(KEPT).partition_by(["event_date"], as_dict=True).items():
            table = of_day.to_arrow()
            if day not in self._open:
                self.paths[day] = self._folder / f"{day}-{uuid4().hex}.parquet"
                self._open[day] = pq.ParquetWriter(
                    self.paths[day], table.schema, compression="lz4", write_statistics=False
                )
            self._open[day].write_table(table)

    def close(self) -> None:
        """Finish the files."""
        while self._open:
            self._open.popitem()[1].close()

    def name_in(self, connection: psycopg.Connection[Any]) -> None:
        """Let the partitions, which are in their place, name the files."""
        for day, path in self.paths.items():
            _comment(connection, day, path.stem)

    def sweep(self) -> None:
        """Remove the files that these replace, and those of days long past."""
        files = sorted(self._folder.glob("*.parquet"), reverse=True)
        kept = sorted({path.name[:10] for path in files}, reverse=True)[:_KEPT_DAYS]
        own = {str(day): path for day, path in self.paths.items()}
        for path in files:
            day = path.name[:10]
            if day not in kept or own.get(day, path) != path:
                path.unlink(missing_ok=True)


def day_of_requests(
    connection: psycopg.Connection[Any], folder: Path, day: date, columns: Sequence[str]
) -> pl.DataFrame:
    """The named columns of the day's rows of core.request: from the file where there is one, else from the table."""
    return pl.concat(parts_of_day(connection, folder, day, columns), rechunk=True)


def parts_of_day(
    connection: psycopg.Connection[Any], folder: Path, day: date, columns: Sequence[str]
) -> Iterator[pl.DataFrame]:
    """The same rows in parts, at least one, of which each is small where they come from the file."""
    schema = pl.Schema({name: REQUEST.polars_schema[name] for name in columns})
    row = connection.execute(
        "select obj_description(to_regclass(%s), 'pg_class')", [f"{REQUEST.schema}.{partition_name(REQUEST, day)}"]
    ).fetchone()
    path = folder / f"{row[0]}.parquet" if row and row[0] else None
    if path is None or not path.is_file():
        query = f"select {', '.join(columns)} from core.request where event_date = %s"
        yield read_frame(connection, query, [day]).cast(schema)
        return
    yield pl.DataFrame(schema=schema)
    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            yield pl.DataFrame(file.read_row_group(group, columns=list(columns))).select(columns).cast(schema)


def forget_day_file(connection: psycopg.Connection[Any], day: date) -> None:
    """The day's rows are changed in place: no file holds them."""
    _comment(connection, day, None)


def _comment(connection: psycopg.Connection[Any], day: date, text: str | None) -> None:
    place = sql.Identifier(REQUEST.schema, partition_name(REQUEST, day))
    connection.execute(sql.SQL("comment on table {} is {}").format(place, sql.Literal(text)))
