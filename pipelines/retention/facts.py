"""End users in the request facts that the engine spark leaves as Parquet files, in a folder or an object store."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.fs as pafs
import pyarrow.parquet as pq

_COLUMN = "end_user_id"


def rename_in_facts(root: str, user: str, replacement: str | None) -> int:
    """Put `replacement`, or nothing, in the place of `user` in every file of facts below `root`; how many files named them.

    A file is replaced whole once its new rows are written; a query in between sees the old one.
    """
    system, folder = pafs.FileSystem.from_uri(root)
    changed = 0
    for path in _fact_files(system, folder):
        if not _names(system, path, user):
            continue
        draft = f"{path}.draft"
        with pq.ParquetFile(path, filesystem=system) as file:
            schema = file.schema_arrow
            with pq.ParquetWriter(draft, schema, filesystem=system, compression="zstd") as writer:
                for group in range(file.num_row_groups):
                    writer.write_table(_renamed(file.read_row_group(group), user, replacement), row_group_size=1 << 30)
        system.move(draft, path)
        changed += 1
    return changed


def _fact_files(system: pafs.FileSystem, folder: str) -> Iterator[str]:
    for found in system.get_file_info(pafs.FileSelector(folder, recursive=True, allow_not_found=True)):
        if found.type is pafs.FileType.File and found.extension == "parquet":
            yield found.path


def _names(system: pafs.FileSystem, path: str, user: str) -> bool:
    """Whether a row of the file names the user; files of other tables have no such column."""
    with pq.ParquetFile(path, filesystem=system) as file:
        if _COLUMN not in file.schema_arrow.names:
            return False
        groups = (file.read_row_group(group, columns=[_COLUMN]) for group in range(file.num_row_groups))
        return any(pc.any(pc.equal(group[_COLUMN], user)).as_py() for group in groups)


def _renamed(rows: pa.Table, user: str, replacement: str | None) -> pa.Table:
    users = rows[_COLUMN]
    changed = pc.if_else(pc.equal(users, user), pa.scalar(replacement, type=users.type), users)
    return rows.set_column(rows.schema.get_field_index(_COLUMN), rows.schema.field(_COLUMN), changed)
