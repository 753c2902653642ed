"""The sidecar `<file>.meta.json`: what is known of a landed file apart from its bytes, written when it was fetched.

Anyone may have written it, so that every field is held to its type and range. Files are listed in `files.py`.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines.landing.names import SIDECAR_SUFFIX, is_plain, is_usable_instant
from pipelines.landing.tree import NotRegularError, kind_of

_MAX_BYTES = 2**20
_MAX_TEXT = 8192
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Pulled:
    """Which part of what a source was asked for a file holds: `part` of `parts` of the window from `start` to `end` of `report`.

    `digest` stands for the records of the whole window, in any order: a window whose digest is the same was not revised.
    """

    report: str
    start: str
    end: str
    digest: str
    part: int = 1
    parts: int = 1
    records: int = 0


@dataclass(frozen=True)
class Sidecar:
    """What a sidecar says; nothing where there is none. `fetched_at` is in UTC."""

    url: str | None = None
    fetched_at: datetime | None = None
    status: int | None = None
    etag: str | None = None
    sha256: str | None = None
    pulled: Pulled | None = None

    def as_json(self) -> bytes:
        """The sidecar as it is written."""
        at = None if self.fetched_at is None else self.fetched_at.isoformat()
        facts: dict[str, Any] = {
            "url": self.url,
            "fetched_at": at,
            "status": self.status,
            "etag": self.etag,
            "sha256": self.sha256,
        }
        facts |= {} if self.pulled is None else {"pulled": asdict(self.pulled)}
        return (json.dumps(facts, indent=2) + "\n").encode()


class SidecarError(ValueError):
    """A sidecar can't be used; the message says what is wrong and quotes nothing of it."""


def sidecar_path(path: Path) -> Path:
    """Where the sidecar of a file lies."""
    return path.with_name(path.name + SIDECAR_SUFFIX)


def read_sidecar(path: Path, zone: Path) -> Sidecar:
    """The sidecar of the file at `path`. Raises SidecarError where there is one and it can't be used as a whole."""
    sidecar = sidecar_path(path)
    try:
        sidecar.lstat()
    except OSError:  # there is none, or none can be: its name is longer than a name may be
        return Sidecar()
    try:
        if kind_of(sidecar, zone) == "folder":
            raise SidecarError("is a folder")
        with sidecar.open("rb") as stream:
            content = stream.read(_MAX_BYTES + 1)
    except NotRegularError as error:
        raise SidecarError(f"is {error}") from None
    except OSError as error:
        raise SidecarError(f"can't be read ({error.strerror})") from None
    return _of(content)


def _of(content: bytes) -> Sidecar:
    if len(content) > _MAX_BYTES:
        raise SidecarError(f"has more than {_MAX_BYTES:,} bytes")
    try:
        facts = json.loads(content)
    except (ValueError, RecursionError):
        raise SidecarError("is no JSON") from None
    if not isinstance(facts, dict):
        raise SidecarError("is no JSON object")
    status = facts.get("status")
    if status is not None and (isinstance(status, bool) or not isinstance(status, int) or not 100 <= status <= 999):
        raise SidecarError("has a status that is no HTTP status")
    sha256 = _text(facts, "sha256")
    if sha256 is not None and not _SHA256.fullmatch(sha256):
        raise SidecarError("has a sha256 that is none: accepted are 64 digits, lower case")
    return Sidecar(_text(facts, "url"), _instant(facts), status, _text(facts, "etag"), sha256, _pulled(facts))


def _pulled(facts: dict[str, object]) -> Pulled | None:
    value = facts.get("pulled")
    if value is None:
        return None
    if isinstance(value, dict) and value.keys() == {field.name for field in fields(Pulled)}:
        texts = {name: _text(value, name) for name in ("report", "start", "end", "digest")}
        counts = {name: value[name] for name in ("part", "parts", "records")}
        if None not in texts.values() and all(type(count) is int and 0 <= count < 2**63 for count in counts.values()):
            return Pulled(**value)
    raise SidecarError("has a field pulled that is not as it was written")


def _text(facts: dict[str, object], key: str) -> str | None:
    value = facts.get(key)
    if value is None or (isinstance(value, str) and len(value) <= _MAX_TEXT and is_plain(value)):
        return value
    raise SidecarError(f"has no text as {key}, or one that can't be printed")


def _instant(facts: dict[str, object]) -> datetime:
    value = facts.get("fetched_at")
    with suppress(ValueError, OverflowError):
        if isinstance(value, str) and (at := datetime.fromisoformat(value)).tzinfo is not None:
            at = at.astimezone(UTC)
            if is_usable_instant(at):
                return at
    raise SidecarError("has no fetched_at that is an instant with a time zone, of the years 1900 to 2099")
