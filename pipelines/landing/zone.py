"""The landing zone in force, a folder or a bucket, with the same three acts: list it, add to it, see whether it changed.

What is in a folder is read by `files.py`, how a bucket becomes one in `bucket.py`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.landing.atomic import create
from pipelines.landing.files import Kind, LandedFile, LandingError, Scan, scan, versions
from pipelines.landing.sidecar import Pulled
from pipelines.landing.verdicts import Verdicts, read_verdicts, write_verdict
from pipelines.landing.write import land
from pipelines.settings import Settings

if TYPE_CHECKING:
    from pipelines.landing.bucket import Bucket


@dataclass(frozen=True)
class LandingZone:
    """`folder` is what is read: the landing zone itself, or the copy of `bucket`."""

    folder: Path
    hashes: Path
    bucket: Bucket | None = None

    def __str__(self) -> str:
        return str(self.bucket or self.folder)

    def scan(self, kind: Kind) -> Scan:
        """The landed files of `kind`; of a bucket what is new or changed is copied first."""
        misplaced = self.bucket.copy(kind) if self.bucket else ()
        found = scan(self.folder, kind, self.hashes)
        return Scan(found.files, (*misplaced, *found.problems))

    def land(
        self,
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
    ) -> LandedFile:
        """Add a file with its sidecar, as `write.land` says."""
        put = self.bucket.put if self.bucket else create
        return land(
            self.folder, kind, source, content, suffix=suffix, fetched_at=fetched_at, url=url,
            http_status=http_status, etag=etag, pulled=pulled, tag=tag, put=put,
        )  # fmt: skip

    def verdicts(self, kind: Kind) -> Verdicts:
        """What people decided about landed files of `kind`, as of the last scan."""
        return read_verdicts(self.folder, kind)

    def decide(self, file: LandedFile, verdict: str) -> Path:
        """Put a decision next to `file`, in the bucket too. Raises LandingError where the landing zone can't be written."""
        return write_verdict(file, verdict, datetime.now(UTC), self.bucket.put if self.bucket else create)

    def listing(self, kind: Kind) -> str:
        """A digest of names and versions of every file of `kind`: another one where a file was added or changed."""
        if self.bucket:
            listed = [f"{path}\0{version}\0" for path, version in self.bucket.listing(kind).items()]
        else:
            listed = [f"{path}\0{size}\0{changed}\0" for path, size, changed in versions(self.folder, kind)]
        return hashlib.sha256("".join(listed).encode("utf-8", "surrogateescape")).hexdigest()


def open_zone(settings: Settings) -> LandingZone:
    """The landing zone that the settings name. Raises LandingError for a URL that can't be used, or a file; contacts nothing."""
    folder, hashes = settings.landing_zone, settings.home / "cache" / "landing_hashes.json"
    if settings.landing_url is None:
        if folder.exists() and not folder.is_dir():
            raise LandingError(
                f"MODELMETER_LANDING {folder}: is no folder; a folder is accepted, or s3://bucket/prefix"
            )
        return LandingZone(folder, hashes)
    from pipelines.landing.bucket import Bucket  # the client of the object store takes a while to load

    return LandingZone(folder, hashes, Bucket(settings.landing_url, folder))
