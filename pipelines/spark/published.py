"""Request facts in their place: `event_date=<day>/<file>.parquet` under one folder or URL, as DuckDB, Spark and Athena read it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from pathlib import PurePosixPath

import pyarrow.fs as pafs

from pipelines.spark.facts import file_system


def publish(root: str, made: str, facts: Sequence[tuple[str, str]], days: Iterable[date]) -> None:
    """Make `facts` (day and path under `made`) all that `root` holds of `days`, and remove what else was made.

    The new files of a day appear before the old ones go, so a query in between sees both, and never less.
    """
    system, folder = file_system(root)
    for day in days:
        place = f"{folder}/event_date={day}"
        former = _files(system, place)
        moved = [path for of_day, path in facts if of_day == str(day)]
        if moved:
            system.create_dir(place, recursive=True)
        for path in moved:
            system.move(path, f"{place}/{PurePosixPath(path).name}")
        for path in former:
            system.delete_file(path)
    _, rest = file_system(made)
    if system.get_file_info(rest).type is pafs.FileType.Directory:
        system.delete_dir(rest)


def sweep(folder: str, before: datetime) -> None:
    """Remove what killed runs left: the folders in `folder` in which nothing has changed since `before`."""
    system, place = file_system(folder)
    for found in system.get_file_info(pafs.FileSelector(place, allow_not_found=True)):
        if found.type is pafs.FileType.Directory:
            inside = system.get_file_info(pafs.FileSelector(found.path, recursive=True))
            changed = [item.mtime for item in (found, *inside) if item.mtime is not None]
            if changed and max(changed) < before:
                system.delete_dir(found.path)


def _files(system: pafs.FileSystem, folder: str) -> list[str]:
    found = system.get_file_info(pafs.FileSelector(folder, allow_not_found=True))
    return [file.path for file in found if file.type is pafs.FileType.File]
