"""Histograms of large days, taken apart and kept in a file for each day, because 28 later days are compared with it.

A file holds the day's rows of mart.request_profile. Its name says which: the transaction that wrote them, their number and their
sum. So rows that are written anew are read anew, and deleting the folder costs time only. The day itself is `day_profile.py`.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
from polars.exceptions import PolarsError

from pipelines.behaviour.day_profile import LISTS, taken_apart
from pipelines.landing.atomic import write_atomically
from pipelines.warehouse.read import read_table
from pipelines.warehouse.tables.mart_behaviour import REQUEST_PROFILE

_LARGE = 250_000
"""Bytes of a day's histograms in the table from which a file is quicker: some 25,000 values."""
_KEPT_DAYS = 60
_DATE = 10
_COLUMNS = [name for name in REQUEST_PROFILE.polars_schema if name != "histogram"]
_SCHEMA = pl.Schema(
    {name: REQUEST_PROFILE.polars_schema[name] for name in _COLUMNS}
    | dict(zip(LISTS, (pl.List(pl.Float64()), pl.List(pl.UInt32())), strict=True))
)

_VERSIONS = """
    select
        event_date,
        concat_ws('-', tableoid, min(xmin::text::bigint), max(xmin::text::bigint), count(*), sum(requests)),
        sum(pg_column_size(histogram)) >= %s
    from mart.request_profile
    where event_date between %s and %s
    group by event_date, tableoid
    order by event_date
"""


def profiles_of(connection: psycopg.Connection[Any], folder: Path, first: date, last: date) -> pl.DataFrame:
    """The rows of mart.request_profile from `first` to `last`, taken apart."""
    versions = connection.execute(_VERSIONS, [_LARGE, first, last]).fetchall()
    paths = {day: folder / f"{day}-{version}.arrow" for day, version, is_large in versions if is_large}
    small = [day for day, _, is_large in versions if not is_large]
    found = [_of_table(connection, small)]
    for day, path in paths.items():
        kept = _kept(path)
        if kept is None:
            kept = _of_table(connection, [day])
            with suppress(OSError):  # no room
                write_atomically(path, kept.write_ipc(None, compression="lz4").getvalue())
        found.append(kept)
    with suppress(OSError):
        _sweep(folder, paths, str(first), str(last))
    return pl.concat(found)


def _of_table(connection: psycopg.Connection[Any], days: list[date]) -> pl.DataFrame:
    rows = read_table(connection, REQUEST_PROFILE, "event_date = any(%s)", [days]) if days else REQUEST_PROFILE.empty()
    return taken_apart(rows)


def _kept(path: Path) -> pl.DataFrame | None:
    with suppress(OSError, PolarsError):  # not there, or not whole
        rows = pl.read_ipc(path.read_bytes())
        return rows if rows.schema == _SCHEMA else None
    return None


def _sweep(folder: Path, paths: dict[date, Path], first: str, last: str) -> None:
    """Remove files of the days from `first` to `last` whose rows were removed or written anew, and those of days long past."""
    files = list(folder.glob("*.arrow"))
    newest = sorted({path.name[:_DATE] for path in files}, reverse=True)[:_KEPT_DAYS]
    current = set(paths.values())
    for path in files:
        day = path.name[:_DATE]
        if day not in newest or (first <= day <= last and path not in current):
            path.unlink(missing_ok=True)
