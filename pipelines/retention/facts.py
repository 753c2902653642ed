"""The request facts that the engine spark leaves as Parquet files, in a folder or an object store: forgotten users, restated days, old days.

A day's files lie in `event_date=<day>`. A file is replaced whole once its new rows are written; a query in between sees the old one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

import polars as pl
import pyarrow as pa
import pyarrow.fs as pafs
import pyarrow.parquet as pq

from pipelines.retention.removed import Removed

_COLUMN, _KEY, _DAY = "end_user_id", "request_uid", "event_date="


def rename_in_facts(root: str, user: str, replacement: str | None) -> int:
    """Put `replacement`, or nothing, in the place of `user` in every file of facts below `root`; how many files named them."""
    system, folder = pafs.FileSystem.from_uri(root)
    changed = 0
    for path in _fact_files(system, folder):
        if _names(system, path, user):
            _rewrite(system, path, lambda rows: _renamed(rows, user, replacement))
            changed += 1
    return changed


def restate_facts(root: str, day: date, decided: pl.DataFrame) -> int:
    """Let the day's facts say what core.request says; how many files said something else.

    `decided` has request_uid and the columns that may differ; a request that it does not hold stays as it is.
    """
    system, folder = pafs.FileSystem.from_uri(root)
    changed = 0
    for path in _fact_files(system, f"{folder}/{_DAY}{day}"):
        if _differs(system, path, decided):
            _rewrite(system, path, lambda rows: _restated(rows, decided))
            changed += 1
    return changed


def days_of_facts(root: str) -> list[date]:
    """The days that have facts."""
    system, folder = pafs.FileSystem.from_uri(root)
    return sorted(day for day, _ in _days(system, folder))


def prune_facts(root: str, before: date) -> Removed:
    """Remove the facts of days before a day."""
    system, folder = pafs.FileSystem.from_uri(root)
    old = [path for day, path in _days(system, folder) if day < before]
    for path in old:
        system.delete_dir(path)
    return Removed("days of fact files", len(old))


def _days(system: pafs.FileSystem, folder: str) -> Iterator[tuple[date, str]]:
    for found in system.get_file_info(pafs.FileSelector(folder, allow_not_found=True)):
        if found.type is pafs.FileType.Directory and found.base_name.startswith(_DAY):
            try:
                yield date.fromisoformat(found.base_name.removeprefix(_DAY)), found.path
            except ValueError:
                continue  # not ours


def _rewrite(system: pafs.FileSystem, path: str, change: Callable[[pa.Table], pa.Table]) -> None:
    draft = f"{path}.draft"
    with (
        pq.ParquetFile(path, filesystem=system) as file,
        pq.ParquetWriter(draft, file.schema_arrow, filesystem=system, compression="zstd") as writer,
    ):
        for group in range(file.num_row_groups):
            writer.write_table(change(file.read_row_group(group)), row_group_size=1 << 30)
    system.move(draft, path)


def _fact_files(system: pafs.FileSystem, folder: str) -> Iterator[str]:
    for found in system.get_file_info(pafs.FileSelector(folder, recursive=True, allow_not_found=True)):
        if found.type is pafs.FileType.File and found.extension == "parquet":
            yield found.path


def _names(system: pafs.FileSystem, path: str, user: str) -> bool:
    """Whether a row of the file names the user; files of other tables have no such column."""
    import pyarrow.compute as pc  # 40 ms that no daily run needs

    with pq.ParquetFile(path, filesystem=system) as file:
        if _COLUMN not in file.schema_arrow.names:
            return False
        groups = (file.read_row_group(group, columns=[_COLUMN]) for group in range(file.num_row_groups))
        return any(pc.any(pc.equal(group[_COLUMN], user)).as_py() for group in groups)


def _renamed(rows: pa.Table, user: str, replacement: str | None) -> pa.Table:
    import pyarrow.compute as pc

    users = rows[_COLUMN]
    changed = pc.if_else(pc.equal(users, user), pa.scalar(replacement, type=users.type), users)
    return rows.set_column(rows.schema.get_field_index(_COLUMN), rows.schema.field(_COLUMN), changed)


def _differs(system: pafs.FileSystem, path: str, decided: pl.DataFrame) -> bool:
    """Whether a row of the file says something else than `decided`; files of other tables have no such columns."""
    with pq.ParquetFile(path, filesystem=system) as file:
        if not set(decided.columns) <= set(file.schema_arrow.names):
            return False
        groups = (file.read_row_group(group, columns=decided.columns) for group in range(file.num_row_groups))
        return any(not _restated(rows, decided).equals(rows) for rows in groups)


def _restated(rows: pa.Table, decided: pl.DataFrame) -> pa.Table:
    import pyarrow.compute as pc

    columns = [name for name in decided.columns if name != _KEY]
    ids = pl.DataFrame(pl.from_arrow(rows.select([_KEY])))
    now = ids.join(
        decided.with_columns(pl.lit(value=True).alias("is_known")), on=_KEY, how="left", maintain_order="left"
    )
    is_known = now["is_known"].fill_null(value=False).to_arrow()
    for name in columns:
        place = rows.schema.get_field_index(name)
        kind = rows.schema.field(place).type
        value = now[name].to_arrow(compat_level=pl.CompatLevel.oldest()).cast(kind)
        rows = rows.set_column(place, rows.schema.field(place), pc.if_else(is_known, value, rows[name]))
    return rows
