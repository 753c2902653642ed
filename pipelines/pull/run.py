"""Pulls all sources, each in a thread and a boundary of its own, so a failure costs the others nothing. Windows land
whole or not at all, oldest first. The next run goes on after the last one that was asked.
"""

from __future__ import annotations

import hashlib
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from pipelines.config.pull import ApiPull, BucketPull, SqlPull
from pipelines.config.sources import RequestSource, Sources
from pipelines.fetch.client import Attempts, FetchError, FetchLimits, open_private
from pipelines.landing import LandedFile, LandingZone, open_zone
from pipelines.outside import ANY_FAILURE, worded
from pipelines.pull.api import open_api
from pipelines.pull.bucket_objects import Objects
from pipelines.pull.connectors import CONNECTORS
from pipelines.pull.counted_once import check_counted_once
from pipelines.pull.database_rows import open_database_rows
from pipelines.pull.landed import Asked, Gathered, History, Place
from pipelines.pull.reader import PullError, Reader
from pipelines.pull.windows import Window
from pipelines.settings import Settings

Outcome = Literal["pulled", "unchanged", "failed", "offline"]

LIMITS = FetchLimits(read_s=60, feed_s=600, attempts=6, retry_wait_s=0.5, retry_after_max_s=300)
"""Seconds for one call: an API may be far slower than the server of a public file."""
_AT_ONCE = 4


@dataclass
class PullResult:
    """What became of one source. `error` says why the rest of it is missing; what landed before stays."""

    source: str
    kind: str
    outcome: Outcome = "unchanged"
    files: int = 0
    records: int = 0
    windows: int = 0
    calls: int = 0
    asked_to: dict[str, str] = field(default_factory=dict)
    """By report: up to where it was asked."""
    error: str | None = None
    unread: str | None = None
    """What of the source no run can read, in words."""


def pull_sources(
    settings: Settings,
    sources: Sources,
    *,
    landed: Sequence[LandedFile],
    now: datetime | None = None,
    limits: FetchLimits = LIMITS,
) -> list[PullResult]:
    """Pull every source that is declared with `pull`, and land what is new or was revised. `landed` are the request
    files that have landed. No failing source makes it raise. Offline (`settings.is_offline`) nothing is asked.
    """
    now = now or datetime.now(UTC)
    pulled = [source for source in sources.requests if source.pull is not None]
    if settings.is_offline:
        return [PullResult(source.source, source.pull.kind, "offline") for source in pulled if source.pull]
    _drop_abandoned(settings.home / "cache" / "pull")
    run = _Run(settings, open_zone(settings), landed, now, limits, pulled)
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="pull") as pool:
        return list(pool.map(run.pull, pulled))


def _drop_abandoned(aside: Path) -> None:
    """Remove windows that a killed process left half gathered. One younger than a day may belong to a run that is still at work."""
    for folder in aside.glob("window-*"):
        if time.time() - folder.stat().st_mtime > 86400:
            shutil.rmtree(folder, ignore_errors=True)


def check_format(source: RequestSource) -> None:
    """Raises PullError where the format that is declared does not read what the API answers."""
    pull = source.pull
    if isinstance(pull, ApiPull) and source.format != (reads := CONNECTORS[pull.kind].reads):
        raise PullError(f"format {source.format} can't read what {pull.kind} answers: declare format {reads}")


@contextmanager
def open_reader(source: RequestSource, limits: FetchLimits) -> Iterator[Reader]:
    """The source of a declaration, connected. Raises PullError where the declaration or the environment does not suffice."""
    match source.pull:
        case ApiPull() as pull:
            with open_private(limits) as clients:
                yield open_api(pull, clients, limits, Attempts(threading.Event()))
        case SqlPull() as pull:
            with open_database_rows(pull, limits.feed_s) as rows:
                yield rows
        case _:
            raise PullError("is not pulled window by window")


@dataclass(frozen=True)
class _Run:
    settings: Settings
    zone: LandingZone
    landed: Sequence[LandedFile]
    now: datetime
    limits: FetchLimits
    declared: Sequence[RequestSource]

    def pull(self, source: RequestSource) -> PullResult:
        """One source, which never raises."""
        result = PullResult(source.source, source.pull.kind if source.pull else "")
        try:
            check_format(source)
            check_counted_once(source, self.declared)
            self._pull(source, result)
        except (FetchError, PullError) as error:
            result.error = str(error)
        except ANY_FAILURE as error:
            result.error = worded(error)
        result.outcome = "failed" if result.error else "pulled" if result.files else "unchanged"
        return result

    def _pull(self, source: RequestSource, result: PullResult) -> None:
        history = History(file for file in self.landed if file.source == source.source)
        place = Place(self.zone, source.source, history, self.now)
        if isinstance(source.pull, BucketPull):
            self._pull_objects(Objects(source.pull), place, result)
            return
        with open_reader(source, self.limits) as reader:
            asked = Asked(asked_path(self.settings, self.zone, source.source), reader.bounds, history)
            try:
                for report in reader.reports:
                    self._pull_report(place, report, reader, asked, result)
                result.unread = reader.unread()
            finally:
                result.calls = reader.calls

    def _pull_objects(self, objects: Objects, place: Place, result: PullResult) -> None:
        try:
            for _ in objects.pull(place):
                result.files += 1
        finally:
            result.calls = objects.calls

    def _pull_report(self, place: Place, report: str, reader: Reader, asked: Asked, result: PullResult) -> None:
        plan, text = reader.plan(self.now), reader.bounds.text
        deadline = time.monotonic() + reader.minutes * 60
        span = asked.span(report)
        for window in plan.windows(span):
            with self._gathered(reader, report, window, deadline) as gathered:
                files = place.land(report, text(window.start), text(window.end), gathered)
            span = plan.asked_after(window, span)
            asked.keep(report, span)
            result.windows += 1
            result.files += len(files)
            result.records += gathered.records if files else 0
            result.asked_to[report] = text(span.end)

    @contextmanager
    def _gathered(self, reader: Reader, report: str, window: Window, deadline: float) -> Iterator[Gathered]:
        """All pages of a window, on disk."""
        aside = self.settings.home / "cache" / "pull"
        aside.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix="window-", dir=aside) as folder:
            gathered = Gathered(Path(folder), reader.packing)
            for page in reader.pages(report, window):
                gathered.add(page)
                if time.monotonic() > deadline:
                    at = reader.bounds.text(window.start)
                    raise PullError(
                        f"stopped after {reader.minutes:g} minutes in the window from {at}; the next run goes on there"
                    )
            gathered.finish()
            yield gathered


def asked_path(settings: Settings, zone: LandingZone, source: str) -> Path:
    """The file that keeps how far a source was asked for, one per landing zone."""
    digest = hashlib.sha256(str(zone).encode()).hexdigest()[:12]
    return settings.home / "cache" / "pull" / f"{source}-{digest}.json"
