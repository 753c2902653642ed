"""What has landed of a pulled source, read from the sidecars of its files, and the landing of one window.

The landing zone itself says what was pulled. So nothing is lost with the folder of caches, and if a process is
killed between two files, the next one completes the window. One thing is kept elsewhere: how far was asked, because a
window without records lands nothing. Losing it costs calls.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import takewhile
from pathlib import Path

from pipelines.landing import LandedFile, LandingZone, Pulled, write_atomically
from pipelines.pull.windows import Bounds, Span

PART_BYTES = 32 * 2**20
"""A window above this size is cut into several files of whole pages."""


@dataclass(frozen=True)
class Page:
    """One answer, byte for byte, with the records in it; `url` is where it came from, safe to show."""

    content: bytes
    records: Sequence[object]
    url: str
    status: int | None = None


@dataclass(frozen=True)
class Packing:
    """How several pages become one file with this suffix."""

    suffix: str
    before: bytes
    between: bytes
    after: bytes

    def file_of(self, pages: Sequence[bytes]) -> bytes:
        """The content; a single page stays as it is."""
        return pages[0] if len(pages) == 1 else self.before + self.between.join(pages) + self.after


ANSWERS = Packing(".json", b"[", b",\n", b"]")
"""Pages of an API: one is the document, several are an array of them."""
LINES = Packing(".jsonl", b"", b"", b"")
"""Rows, one per line."""


@dataclass
class Gathered:
    """A window that is being gathered. Its parts lie in the folder `aside` until it is complete."""

    aside: Path
    packing: Packing
    parts: list[Path] = field(default_factory=list)
    pages: int = 0
    url: str | None = None
    status: int | None = None
    """Of the first page."""
    _digests: list[bytes] = field(default_factory=list)
    _open: list[bytes] = field(default_factory=list)

    def add(self, page: Page) -> None:
        """Take one page more."""
        if not self.pages:
            self.url, self.status = page.url, page.status
        self.pages += 1
        self._digests += map(_digest, page.records)
        if self._open and sum(map(len, self._open)) + len(page.content) > PART_BYTES:
            self._close_part()
        self._open.append(page.content)

    def finish(self) -> None:
        """No page follows."""
        if self._open:
            self._close_part()

    @property
    def records(self) -> int:
        """How many records the window holds."""
        return len(self._digests)

    @property
    def digest(self) -> str:
        """Stands for all records of the window, in any order."""
        return hashlib.sha256(b"".join(sorted(self._digests))).hexdigest()

    def _close_part(self) -> None:
        path = self.aside / f"{len(self.parts) + 1}.part"
        path.write_bytes(self.packing.file_of(self._open))
        self.parts.append(path)
        self._open.clear()


def _digest(record: object) -> bytes:
    """A hash of the whole record, whatever the order of its fields."""
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).digest()


class History:
    """What has landed of one source."""

    def __init__(self, files: Iterable[LandedFile]) -> None:
        """`files` are those of the source, of which the pulled ones count."""
        self.all_files = list(files)
        self._files: dict[tuple[str, str, str], list[LandedFile]] = {}
        self._spans: dict[str, list[tuple[str, str, datetime]]] = {}
        for file in sorted(self.all_files, key=lambda file: (file.observed_at, file.landing_path)):
            if (pulled := file.pulled) is not None:
                self._files.setdefault((pulled.report, pulled.start, pulled.end), []).append(file)
                self._spans.setdefault(pulled.report, []).append((pulled.start, pulled.end, file.observed_at))

    def newest(self, report: str, start: str, end: str) -> list[Pulled]:
        """The parts of the newest landed version of a window; empty if there is none."""
        found = [file.pulled for file in self._files.get((report, start, end), []) if file.pulled is not None]
        return list(takewhile(lambda pulled: pulled.digest == found[-1].digest, reversed(found)))

    def spans(self, report: str) -> list[tuple[str, str, datetime]]:
        """Start, end and instant of landing of every file of a report."""
        return self._spans.get(report, [])


@dataclass(frozen=True)
class Place:
    """Where a source lands: its folder of the landing zone, at an instant, next to what landed before."""

    zone: LandingZone
    source: str
    history: History
    now: datetime

    def put(
        self,
        content: bytes,
        *,
        suffix: str,
        url: str | None,
        tag: str,
        http_status: int | None = None,
        etag: str | None = None,
        pulled: Pulled | None = None,
    ) -> LandedFile:
        """Land one file."""
        return self.zone.land(
            "requests", self.source, content, suffix=suffix, fetched_at=self.now, url=url, http_status=http_status,
            etag=etag, pulled=pulled, tag=tag,
        )  # fmt: skip

    def land(self, report: str, start: str, end: str, gathered: Gathered) -> list[LandedFile]:
        """Land a complete window and return its files; nothing if it holds no records or those of its newest version.

        If a killed process left a version incomplete, only the missing parts land.
        """
        newest = self.history.newest(report, start, end)
        if not newest and not gathered.records:
            return []
        count = len(gathered.parts)
        there = {pulled.part for pulled in newest if (pulled.digest, pulled.parts) == (gathered.digest, count)}
        landed = []
        for number, path in enumerate(gathered.parts, start=1):
            if number not in there:
                pulled = Pulled(report, start, end, gathered.digest, number, count, gathered.records)
                tag = f"{report}-{start[:10].replace('-', '')}"
                landed.append(
                    self.put(
                        path.read_bytes(), suffix=gathered.packing.suffix, url=gathered.url,
                        http_status=gathered.status, pulled=pulled, tag=tag,
                    )
                )  # fmt: skip
        return landed


class Asked:
    """A file that keeps how far each report of a source was asked for."""

    def __init__(self, path: Path, bounds: Bounds, history: History) -> None:
        """If the file is gone, the landed files say how far."""
        self._path, self._bounds, self._history = path, bounds, history
        try:
            known = json.loads(path.read_bytes())
            self._known = {str(report): (str(start), str(end)) for report, (start, end) in known.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            self._known = {}

    def span(self, report: str) -> Span | None:
        """What was asked for, None if nothing was."""
        spans = [Span(*span) for span in self._spans(report)]
        if not spans:
            return None
        return Span(min(span.start for span in spans), max(span.end for span in spans))

    def _spans(self, report: str) -> Iterator[tuple[int, int]]:
        """Texts that are not positions come from an earlier declaration of the source, and are ignored."""
        with suppress(ValueError):
            if report in self._known:
                start, end = self._known[report]
                yield self._bounds.position(start), self._bounds.position(end)
                return
        for start, end, at in self._history.spans(report):
            with suppress(ValueError):
                yield self._bounds.position(start), self._bounds.reached(self._bounds.position(end), at)

    def keep(self, report: str, span: Span) -> None:
        """Remember that so much was asked for."""
        self._known[report] = (self._bounds.text(span.start), self._bounds.text(span.end))
        write_atomically(self._path, json.dumps(self._known, sort_keys=True).encode())
