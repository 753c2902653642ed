"""The parsed store by age: what former parsers and former contents of files left, and the rows of old days.

Rows whose file is no longer in the landing zone are the only ones there are: they stay, whoever made them.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipelines.retention.removed import Removed, remove_folder

CACHES = ("prices", "leaderboards")
"""Folders of the store that hold files read whole (`pipelines.landing.parse_cache`)."""
_YOUNG_SECONDS = 86_400.0
"""What a run writes is indexed only afterwards."""
_ID_DIGITS = 32


@dataclass(frozen=True)
class Indexed:
    """One indexed file of which the store holds rows."""

    folder: str
    is_landed: bool
    is_old: bool


def prune_store(
    store: Path, in_force: Collection[Path], index: Mapping[str, Indexed], *, unsure: Collection[str]
) -> Removed:
    """Remove what no run reads from the store as it is, and the rows of files that `index` calls old.

    `in_force` are the folders of today's parsers, `index` the indexed files by snapshot id in hexadecimal digits. Formats in
    `unsure` have a declaration that can't be used now: their folders stay.
    """
    before = time.time() - _YOUNG_SECONDS
    files, freed = 0, 0
    for folder in _caches(store):
        if folder not in in_force and _newest(folder) < before:
            held = sum(1 for _ in folder.iterdir())
            is_gone, bytes_freed = remove_folder(folder)
            files, freed = files + (held if is_gone else 0), freed + bytes_freed
    for folder in _parsed(store):
        if folder.name.startswith(tuple(f"{name}-" for name in unsure)):
            continue
        for path in folder.iterdir():
            found = index.get(path.name[:_ID_DIGITS])
            if path.stat().st_mtime < before and not _is_read(folder, found, is_in_force=folder in in_force):
                files, freed = files + 1, freed + path.stat().st_size
                path.unlink(missing_ok=True)
        if not any(folder.iterdir()) and folder not in in_force:
            folder.rmdir()
    return Removed("files of the parsed store", files, freed)


def _is_read(folder: Path, found: Indexed | None, *, is_in_force: bool) -> bool:
    if found is None or found.folder != folder.name:
        return False
    return not found.is_landed or (is_in_force and not found.is_old)


def _caches(store: Path) -> Iterator[Path]:
    for name in CACHES:
        if (store / name).is_dir():
            yield from sorted(path for path in (store / name).iterdir() if path.is_dir())


def _parsed(store: Path) -> list[Path]:
    if not store.is_dir():
        return []
    return sorted(path for path in store.iterdir() if path.is_dir() and path.name not in CACHES)


def _newest(folder: Path) -> float:
    return max((path.stat().st_mtime for path in folder.iterdir()), default=folder.stat().st_mtime)
