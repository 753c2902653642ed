"""The listing of a landing zone that lies in a folder: which files, what each one is called, when it was observed.

Nothing here reads a file's content beyond its hash: that is `content.py`. The walk through folders is `tree.py`, how a file is
added `write.py`, and how a landing zone in a bucket becomes a folder `bucket.py`.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal, get_args

from pipelines.ids import id_bytes
from pipelines.landing.atomic import write_atomically
from pipelines.landing.names import (
    ACCEPTED_DATES,
    SIDECAR_SUFFIX,
    content_suffix,
    folder_date,
    is_landed_or_decision,
    parse_instant,
    shown,
)
from pipelines.landing.sidecar import Pulled, Sidecar, SidecarError, read_sidecar
from pipelines.landing.tree import NotRegularError, entries, kind_of, walk

Kind = Literal["requests", "prices", "leaderboards", "selfhost", "limits"]
KINDS: tuple[Kind, ...] = get_args(Kind)

_RECORD_SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv", ".parquet")
_SUFFIXES: dict[Kind, tuple[str, ...]] = {
    "requests": (*_RECORD_SUFFIXES, ".har", ".jl", ".log", ".out", ".sse", ".tar", ".tgz", ".tsv", ".txt", ".zip"),
    "prices": (*_RECORD_SUFFIXES, ".md", ".html", ".htm", ".txt", ".yaml", ".yml", ".toml", ".xlsx", ".zip"),
    "selfhost": (".json", ".csv"),
    "limits": (".json",),
    "leaderboards": (*_RECORD_SUFFIXES, ".yaml", ".yml", ".md", ".html", ".htm", ".tsv", ".zip"),
}

_ROTATED = re.compile(r"\.(?:csv|json|jsonl|log|ndjson|out|txt)[.-]\d[\dtz_:-]*", re.IGNORECASE)
"""Names of logs that were rotated: `app.log.1`, `app.log-20260212`."""


def accepts(kind: Kind, name: str) -> bool:
    """Whether a file of this name can be read as `kind`. Logs are also accepted as rotation and delivery streams (Firehose) name them; what
    they hold is seen by their content."""
    suffix = content_suffix(name)
    if kind == "requests" and (not suffix or _ROTATED.search(name)):
        return any(character.isdigit() for character in name)
    return suffix in _SUFFIXES[kind]


class LandingError(ValueError):
    """A landed file can't be read. The message names the file, what was found and what to do."""


@dataclass(frozen=True)
class LandedFile:
    """One file of the landing zone: identity, provenance and the instant at which its content was observed."""

    kind: Kind
    source: str
    path: Path
    landing_path: str
    """Path inside the landing zone, with forward slashes; what can't be shown is escaped (`names.shown`)."""
    arrival_date: date | None
    """Day folder of a request file; None for all others."""
    observed_at: datetime
    """UTC: fetched_at of the sidecar, else the instant in the name, else midnight UTC of its date."""
    sha256: str
    size_bytes: int
    snapshot_id: bytes
    url: str | None = None
    http_status: int | None = None
    etag: str | None = None
    pulled: Pulled | None = None
    """Which window of a source it holds, where it was pulled."""
    modified_ns: int | None = field(default=None, compare=False)
    """When the file was changed last, as the disk that it was listed on says; None if nobody looked."""

    def check_unchanged(self) -> None:
        """Raises LandingError where the file vanished or changed since it was listed: `sha256` is then of other bytes."""
        try:
            stat = self.path.stat()
        except FileNotFoundError:
            raise LandingError(f"{self.landing_path}: vanished while it was read; the next run lists it anew") from None
        except OSError as error:
            raise LandingError(f"{self.landing_path}: can't be read ({error.strerror})") from None
        if (stat.st_size, stat.st_mtime_ns) != (self.size_bytes, self.modified_ns or stat.st_mtime_ns):
            raise LandingError(
                f"{self.landing_path}: was changed while it was read: nothing of it is loaded now, the next run reads it as "
                "it is then. Write under a name that is skipped (.part) and rename when it is whole"
            )

    @property
    def content_suffix(self) -> str:
        """The suffix without compression, lower case: `.jsonl` for `calls.jsonl.zst`."""
        return content_suffix(self.path.name)


@dataclass(frozen=True)
class LandingProblem:
    """Something that needs a person: its place (as it can be shown), the fault and the remedy in words."""

    kind: Kind
    source: str
    landing_path: str
    reason: str

    def __str__(self) -> str:
        return f"{self.landing_path}: {self.reason}"


@dataclass(frozen=True)
class Scan:
    """What a scan found: usable files in a fixed order, and the files that could not be used or are in doubt."""

    files: tuple[LandedFile, ...]
    problems: tuple[LandingProblem, ...]

    def of(self, source: str) -> tuple[LandedFile, ...]:
        """The files of one source, feed or board."""
        return tuple(file for file in self.files if file.source == source)


def scan(root: Path, kind: Kind, cache: Path | None = None) -> Scan:
    """List every landed file of `kind`, sorted by source, observed_at and path; the order never depends on the disk.

    Folders that nobody declared are listed too (the caller knows the declarations). Sidecars, hidden files, names
    that begin with an underscore and unfinished files (`.part`, `.tmp` ...) are skipped. `cache` is a small JSON file
    of hashes by path, size and modification time, so that a second scan hashes only what changed.
    A file without a date, with an unknown suffix or with another content than its sidecar says is a problem and is
    left out, and so is whatever is no regular file of the landing zone (pipes, devices, links that lead out of it or
    nowhere); a sidecar that can't be read is a problem, and the file is dated by its name.
    """
    hashes = HashCache(cache)
    files: list[LandedFile] = []
    sources, refused = _sources(root, kind)
    for folder in sources:
        paths, odd = walk(folder, root)
        refused += odd
        for path in paths:
            try:
                file, doubt = describe(kind, path, root, hashes)
                files.append(file)
            except LandingError as error:
                doubt = str(error)
            if doubt:
                refused.append((path, doubt))
    hashes.save()
    files.sort(key=lambda file: (file.source, file.observed_at, file.landing_path))
    problems = [_problem(kind, root, path, reason) for path, reason in refused]
    return Scan(tuple(files), tuple(sorted(problems, key=lambda problem: problem.landing_path)))


def versions(root: Path, kind: Kind) -> list[tuple[str, int, int]]:
    """Path, size and instant of the last change of every file of `kind`, whether or not it can be used, and of its sidecar and decisions."""
    found = []
    for path in sorted(
        path for folder in _sources(root, kind)[0] for path in walk(folder, root, is_landed_or_decision)[0]
    ):
        with suppress(OSError):  # it vanished meanwhile
            status = path.stat()
            found.append((path.relative_to(root).as_posix(), status.st_size, status.st_mtime_ns))
    return found


def _sources(root: Path, kind: Kind) -> tuple[list[Path], list[tuple[Path, str]]]:
    """The folders of the sources, and what else lies there."""
    folder = root / kind
    try:
        folder.lstat()
    except OSError:
        return [], []
    try:
        if kind_of(folder, root) == "file":
            return [], [(folder, "a file, where a folder of sources is expected")]
    except NotRegularError as error:
        return [], [(folder, str(error))]
    found, refused = entries(folder, root)
    misplaced = f"lies next to the sources: move it into {kind}/<name>/"
    refused += [(entry.path, misplaced) for entry in found if entry.kind == "file"]
    return [entry.path for entry in found if entry.kind == "folder"], refused


def _problem(kind: Kind, root: Path, path: Path, reason: str) -> LandingProblem:
    parts = path.relative_to(root).parts
    return LandingProblem(kind, shown(parts[1]) if len(parts) > 2 else "", shown("/".join(parts)), reason)


def describe(kind: Kind, path: Path, root: Path, hashes: HashCache) -> tuple[LandedFile, str | None]:
    """The file, and in words what is doubtful about it. Raises LandingError where it can't be used."""
    if not accepts(kind, path.name):
        raise LandingError(
            f"unknown suffix: accepted under {kind}/ are {', '.join(_SUFFIXES[kind])}, each also with .gz or .zst"
        )
    _, source, *folders, name = path.relative_to(root).parts
    folder = folder_date(folders)
    name_at, has_time = parse_instant(name)
    arrival_date = (folder or (name_at and name_at.date())) if kind == "requests" else None
    sidecar, doubt = Sidecar(), None
    try:
        sidecar = read_sidecar(path, root)
    except SidecarError as error:
        doubt = f"its sidecar {shown(name)}{SIDECAR_SUFFIX} {error}; dated by its name instead"
    observed_at = sidecar.fetched_at or _observed_at(kind, name_at, has_time, folder)
    if observed_at is None or (kind == "requests" and arrival_date is None):
        wanted = "requests/<source>/<arrival date>/<file>" if kind == "requests" else f"{kind}/<name>/<date>.<suffix>"
        problem = f"no date in folder or name: rename it to {wanted}; dates are written {ACCEPTED_DATES}"
        raise LandingError(problem if doubt is None else f"{doubt}, but there is {problem}")
    landing_path = shown("/".join((kind, source, *folders, name)))
    try:
        status = path.stat()
        sha256 = hashes.sha256(path, landing_path, status)
    except OSError as error:
        raise LandingError(f"can't be read ({error.strerror})") from None
    if sidecar.sha256 not in (None, sha256):
        raise LandingError(
            f"content has sha256 {sha256} but its sidecar says {sidecar.sha256}: the file was changed after it "
            f"landed; restore it, or delete {shown(name)}{SIDECAR_SUFFIX} if the change is meant"
        )
    file = LandedFile(
        kind=kind,
        source=shown(source),
        path=path,
        landing_path=landing_path,
        arrival_date=arrival_date,
        observed_at=observed_at,
        sha256=sha256,
        size_bytes=status.st_size,
        snapshot_id=id_bytes(kind, shown(source), landing_path, sha256),
        url=sidecar.url,
        http_status=sidecar.status,
        etag=sidecar.etag,
        pulled=sidecar.pulled,
        modified_ns=status.st_mtime_ns,
    )
    return file, doubt


def _observed_at(kind: Kind, name_at: datetime | None, has_time: bool, folder: date | None) -> datetime | None:
    """The instant in the name; for request files a bare date there may be the day of the events, so the folder wins."""
    midnight = datetime(folder.year, folder.month, folder.day, tzinfo=UTC) if folder else None
    if name_at and (has_time or kind != "requests"):
        return name_at
    return midnight or name_at


class HashCache:
    """SHA-256 by landing path, size and modification time. Losing the file costs a second hashing, never a result."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._known: dict[str, list[Any]] = {}
        self._is_changed = False
        if path is not None and path.is_file():
            try:
                content = json.loads(path.read_bytes())
            except (ValueError, RecursionError):
                content = {}  # written by a process that died, or by hand: hash again
            self._known = content if isinstance(content, dict) else {}

    def sha256(self, path: Path, landing_path: str, stat: os.stat_result) -> str:
        """The hash of a file, computed where size or time is another than before."""
        key = [str(path), stat.st_size, stat.st_mtime_ns]
        known = self._known.get(landing_path)
        if isinstance(known, list) and known[:3] == key and len(known) == 4:
            return str(known[3])
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        self._known[landing_path] = [*key, digest]
        self._is_changed = True
        return digest

    def save(self) -> None:
        """Keep what was computed for the next scan."""
        if self._path is not None and self._is_changed:
            write_atomically(self._path, json.dumps(self._known, sort_keys=True).encode())
