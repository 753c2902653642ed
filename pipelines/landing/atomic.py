"""Writing a file so that nobody ever sees a part of it.

Used for landed files and for small files of state; names and sidecars are in `write.py`.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def write_atomically(path: Path, content: bytes) -> None:
    """Put `content` at `path`, in place of what was there; nobody ever sees a part of it."""
    _write_aside(path, content).replace(path)


def create(path: Path, content: bytes) -> bool:
    """Put `content` at `path`, whole, unless something is there already; whether it was put there."""
    temporary = _write_aside(path, content)
    try:
        os.link(temporary, path)  # unlike a rename, it fails where the name is taken
    except FileExistsError:
        return False
    finally:
        temporary.unlink()
    return True


def _write_aside(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    with temporary.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    return temporary
