"""Adding a file to a landing zone in a folder, whole or not at all, and never over what is there.

Listing is in `files.py`; a landing zone in a bucket is written in `bucket.py`, with the names that are chosen here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from pipelines.landing.atomic import create
from pipelines.landing.files import HashCache, Kind, LandedFile, LandingError, describe
from pipelines.landing.sidecar import Pulled, Sidecar, SidecarError, read_sidecar, sidecar_path

Put = Callable[[Path, bytes], bool]
"""Puts content at a path, whole, unless something is there already, which then can be read there; whether it was put."""


def land(
    root: Path,
    kind: Kind,
    source: str,
    content: bytes,
    *,
    suffix: str,
    fetched_at: datetime,
    url: str | None,
    http_status: int | None = None,
    etag: str | None = None,
    pulled: Pulled | None = None,
    tag: str | None = None,
    put: Put = create,
) -> LandedFile:
    """Write the exact bytes and a sidecar `<file>.meta.json` under the name of the instant; both appear whole or not.

    `tag` stands behind the instant, so that files of one second have names that say which they are. `fetched_at` must carry a time zone; it is kept to the second. The same bytes at the same second are written once;
    other bytes at the same second get a name of their own: nothing that has landed is ever overwritten. `put` is how a
    file is created; a landing zone in a bucket has its own.
    """
    if fetched_at.tzinfo is None:
        raise ValueError(f"fetched_at must carry a time zone, found {fetched_at.isoformat()}")
    at = fetched_at.astimezone(UTC).replace(microsecond=0)
    folder = root / kind / source
    if kind == "requests":
        folder = folder / at.date().isoformat()
    sha256 = hashlib.sha256(content).hexdigest()
    described = Sidecar(url, at, http_status, etag, sha256, pulled).as_json()
    stem = f"{at:%Y%m%dT%H%M%SZ}" + (f"-{tag}" if tag else "")
    for name in (f"{stem}{suffix}", f"{stem}-{sha256[:12]}{suffix}"):
        path = folder / name
        if path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
            continue
        # The sidecar goes first, so that a file is never seen without the facts about it, and whoever creates it owns
        # the name: of two processes that land different bytes at the same second, one takes the next name.
        if not put(sidecar_path(path), described) and _sha256_there(path, root) != sha256:
            continue
        put(path, content)
        return describe(kind, path, root, HashCache(None))[0]
    raise LandingError(f"{folder}: {name} and its sidecar are there already and hold something else")


def _sha256_there(path: Path, root: Path) -> str | None:
    try:
        return read_sidecar(path, root).sha256
    except SidecarError:
        return None
