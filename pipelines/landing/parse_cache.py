"""The cache of parsed price files and leaderboard exports, so that each landed file is parsed once.

One zip file per landed file, of a JSON text and its frames, under a folder of the reader; it appears by renaming once it is
complete. Its content is decided by `prices/feed_cache.py` and `benchmarks/board_cache.py`; request files, which are larger
than memory, have a store of their own in `pipelines/records/store.py`.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

import polars as pl

from pipelines.ids import id_bytes
from pipelines.landing.atomic import write_atomically
from pipelines.landing.files import LandedFile, LandingError

_FACTS = "facts.json"
_FRAME = ".arrow"
_DECIDING = (".py", ".yaml", ".csv")
_T = TypeVar("_T")


@dataclass(frozen=True)
class CachedParse:
    """What is kept of one file: `facts` is JSON, `frames` are named."""

    facts: bytes
    frames: Mapping[str, pl.DataFrame] = field(default_factory=dict)


class StaleCacheError(ValueError):
    """A cached file does not have the shape that its reader gives now."""


def cache_folder(store: Path, name: str, declared: Mapping[str, Any], *packages: str) -> Path:
    """Where the cached files of one reader lie: by its name, its declaration and the content of its packages.

    A reader with other code, layouts or options has another folder, so that no cached file outlives the code that made it and no
    one has to remember to raise a number.
    """
    decides = json.dumps(declared, sort_keys=True, default=str) + "".join(
        _content_hash(package) for package in packages
    )
    return store / f"{name}.{hashlib.sha256(decides.encode()).hexdigest()[:12]}"


def cached(
    folder: Path,
    file: LandedFile,
    read: Callable[[], _T],
    pack: Callable[[_T], CachedParse],
    unpack: Callable[[CachedParse], _T],
) -> _T:
    """What `read` makes of `file`: from the store where it is there, whole and of today's shape, else read and kept.

    `unpack` raises StaleCacheError (or another ValueError or LookupError) for what it can't use; such a file is parsed
    again. Two runs at the same time each put the same file there. Of a file that changed meanwhile nothing is kept.
    """
    path = folder / f"{_key(file)}.zip"
    entry = read_cached(path)
    if entry is not None:
        try:
            return unpack(entry)
        except (ValueError, LookupError, pl.exceptions.PolarsError):
            path.unlink(missing_ok=True)  # of another shape: made anew below
    result = read()
    try:
        file.check_unchanged()
    except LandingError:
        return result
    write_cached(path, pack(result))
    return result


def read_cached(path: Path) -> CachedParse | None:
    """What is kept at `path`; None if nothing is, or nothing whole: then it is removed."""
    try:
        return _load(path)
    except FileNotFoundError:
        return None
    except (ValueError, LookupError, EOFError, OSError, zipfile.BadZipFile, pl.exceptions.PolarsError):
        path.unlink(missing_ok=True)  # cut off, damaged or written by another version
        return None


def write_cached(path: Path, entry: CachedParse) -> None:
    """Keep `entry` at `path`."""
    write_atomically(path, _dump(entry))


def _key(file: LandedFile) -> str:
    """Everything about a landed file that a reader may look at: place, content, instant and address."""
    return id_bytes(file.snapshot_id.hex(), file.observed_at.isoformat(), file.url or "").hex()


def _dump(entry: CachedParse) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(_FACTS, entry.facts)
        for name, frame in entry.frames.items():
            part = io.BytesIO()
            frame.write_ipc(part, compression="zstd")
            archive.writestr(name + _FRAME, part.getvalue())
    return content.getvalue()


def _load(path: Path) -> CachedParse:
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:  # each part is held against its checksum
        frames = {
            name.removesuffix(_FRAME): pl.read_ipc(io.BytesIO(archive.read(name)))
            for name in archive.namelist()
            if name.endswith(_FRAME)
        }
        return CachedParse(archive.read(_FACTS), frames)


@cache
def _content_hash(package: str) -> str:
    """A hash of the code and data of a package or module, as installed."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{package} is not installed")
    origin = Path(spec.origin)
    found = sorted(origin.parent.rglob("*")) if spec.submodule_search_locations else [origin]
    digest = hashlib.sha256()
    for path in found:
        if path.suffix in _DECIDING:
            content = path.read_bytes()
            digest.update(f"{path.relative_to(origin.parent)}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()
