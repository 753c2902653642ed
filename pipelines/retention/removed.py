"""What one part of retention removed, in numbers, and the sizes of folders."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Removed:
    """`what` in words, how many of them, and the bytes of files that they took (0 for rows)."""

    what: str
    count: int
    size_bytes: int = 0


def size_of(path: Path) -> int:
    """Bytes of the files at or below `path`, links not followed; 0 where there is nothing. Files may vanish meanwhile."""
    if path.is_file():
        return path.stat().st_size
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            try:
                total += Path(folder, name).lstat().st_size
            except FileNotFoundError:
                continue
    return total


def remove_folder(folder: Path) -> tuple[bool, int]:
    """Remove a folder as far as that is allowed: whether it is gone, and the bytes that are free now."""
    before = size_of(folder)
    shutil.rmtree(folder, ignore_errors=True)
    return not folder.exists(), before - size_of(folder)
