"""Files by age: pages of old days, and logs of the landing zone whose days are loaded and old."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from datetime import date
from pathlib import Path

from pipelines.landing import LandedFile
from pipelines.landing.sidecar import sidecar_path
from pipelines.retention.removed import Removed, remove_folder

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def prune_reports(reports: Path, before: date) -> Removed:
    """Remove the folders of days before a day."""
    old = [path for path in reports.iterdir() if _day_of(path) < before] if reports.is_dir() else []
    outcomes = [remove_folder(folder) for folder in old]
    return Removed("pages of days", sum(is_gone for is_gone, _ in outcomes), sum(freed for _, freed in outcomes))


def prune_landed(files: Iterable[LandedFile]) -> Removed:
    """Remove landed files with their sidecars, and the folders that become empty."""
    count, freed = 0, 0
    for file in files:
        file.path.unlink(missing_ok=True)
        sidecar_path(file.path).unlink(missing_ok=True)
        count, freed = count + 1, freed + file.size_bytes
        with suppress(OSError):  # others lie in it
            file.path.parent.rmdir()
    return Removed("files of the landing zone", count, freed)


def _day_of(folder: Path) -> date:
    if not folder.is_dir() or not _DAY.fullmatch(folder.name):
        return date.max
    try:
        return date.fromisoformat(folder.name)
    except ValueError:
        return date.max
