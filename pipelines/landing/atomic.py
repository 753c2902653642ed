"""Writing a file so that nobody ever sees a part of it.

Used for landed files and for small files of state; names and sidecars are in `write.py`.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path


def write_atomically(path: Path, content: bytes) -> None:
    """Put `content` at `path`, in place of what was there; nobody ever sees a part of it."""
    with _aside(path, content) as temporary:
        temporary.replace(path)


def create(path: Path, content: bytes) -> bool:
    """Put `content` at `path`, whole, unless something is there already; whether it was put there."""
    with _aside(path, content) as temporary:
        try:
            os.link(temporary, path)  # unlike a rename, it fails where the name is taken
        except FileExistsError:
            return False
    return True


@contextlib.contextmanager
def _aside(path: Path, content: bytes) -> Iterator[Path]:
    """A file next to `path` with all of `content`; none is left, also where the disk is full."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)
