"""Landed price files for tests, described as the landing zone describes them."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

from pipelines.ids import id_bytes
from pipelines.landing import LandedFile, parse_instant


def landed_file(path: Path, feed: str, observed_at: datetime | None = None) -> LandedFile:
    """The file at `path` as a snapshot of `feed`; observed at the instant in its name unless given."""
    content = path.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    at = observed_at or parse_instant(path.name)[0]
    assert at is not None
    landing_path = f"prices/{feed}/{path.name}"
    return LandedFile(
        kind="prices",
        source=feed,
        path=path,
        landing_path=landing_path,
        arrival_date=None,
        observed_at=at.astimezone(UTC),
        sha256=sha256,
        size_bytes=len(content),
        snapshot_id=id_bytes("prices", feed, landing_path, sha256),
    )


def landed_bytes(folder: Path, feed: str, name: str, content: bytes) -> LandedFile:
    """`content` written under `folder` and described; `name` holds the date."""
    path = folder / name
    path.write_bytes(content)
    return landed_file(path, feed)
