"""Tries a pulled source: does it answer, what does it hold, and what would a run ask? Nothing lands.

For each report it looks for the oldest window with records among the first three, and for the newest among the last
three. Of the newest it reads up to five pages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from pipelines.config.pull import ApiPull, BucketPull
from pipelines.config.sources import RequestSource
from pipelines.fetch.client import FetchError, FetchLimits
from pipelines.landing import LandedFile, LandingZone
from pipelines.outside import ANY_FAILURE, worded
from pipelines.pull.bucket_objects import Objects
from pipelines.pull.connectors import CONNECTORS
from pipelines.pull.counted_once import check_counted_once
from pipelines.pull.landed import Asked, History, Page
from pipelines.pull.reader import PullError, Reader
from pipelines.pull.run import asked_path, check_format, open_reader
from pipelines.pull.windows import Window
from pipelines.settings import Settings

_PAGES, _WINDOWS = 5, 3
_QUICK = FetchLimits(read_s=20, feed_s=60, attempts=2, retry_after_max_s=10)


@dataclass
class ReportProbe:
    """One report: what was asked so far, what would be asked now, and what its answers hold.

    `calls` is what a run would need, at least, where `is_least`: the newest window has more pages than were looked at.
    """

    report: str
    asked_to: str | None = None
    windows: int = 0
    begin: str | None = None
    end: str | None = None
    records: int = 0
    first: str | None = None
    last: str | None = None
    calls: int = 0
    is_least: bool = False
    empty_before: int = 0
    """How many of the oldest windows were asked and are empty, if `first` comes from the newest."""


@dataclass
class Probe:
    """What was found about a source. `is_authorised` is None if the server was not asked or did not get that far."""

    source: str
    kind: str
    place: str
    files: int
    is_reached: bool = False
    is_authorised: bool | None = None
    error: str | None = None
    unread: str | None = None
    """What no run can read, in words."""
    lacks: str = ""
    """What the API does not give, in words."""
    reports: list[ReportProbe] = field(default_factory=list)


def probe_source(
    settings: Settings,
    zone: LandingZone,
    source: RequestSource,
    landed: Sequence[LandedFile],
    now: datetime,
    *,
    declared: Sequence[RequestSource] = (),
) -> Probe:
    """Try a source. No fault of the server or the environment makes it raise."""
    files = [file for file in landed if file.source == source.source]
    probe = Probe(source.source, source.pull.kind if source.pull else "", "", len(files))
    if isinstance(source.pull, ApiPull):
        probe.lacks = CONNECTORS[source.pull.kind].lacks
    try:
        check_format(source)
        check_counted_once(source, declared)
        if isinstance(source.pull, BucketPull):
            _probe_objects(Objects(source.pull), files, probe)
        else:
            with open_reader(source, _QUICK) as reader:
                probe.place = reader.place
                asked = Asked(asked_path(settings, zone, source.source), reader.bounds, History(files))
                for report in reader.reports:
                    probe.reports.append(_probe_report(reader, report, asked, now))
                    probe.is_reached = probe.is_authorised = True
                probe.unread = reader.unread()
    except FetchError as error:
        probe.error = str(error)
        probe.is_reached = error.status is not None
        probe.is_authorised = None if error.status is None else error.status not in (401, 403)
    except PullError as error:
        probe.error = str(error)
    except ANY_FAILURE as error:
        probe.error = worded(error)
    return probe


def _probe_report(reader: Reader, report: str, asked: Asked, now: datetime) -> ReportProbe:
    plan, span = reader.plan(now), asked.span(report)
    windows = plan.windows(span)
    found = ReportProbe(report, None if span is None else reader.bounds.text(span.end), len(windows))
    if not windows:
        return found
    found.begin, found.end = reader.bounds.text(windows[0].start), reader.bounds.text(min(windows[-1].end, plan.until))
    newest = _first_filled(reader, report, windows[::-1], _PAGES)
    oldest = _first_filled(reader, report, windows, 1) if len(windows) > 1 else []
    if newest and oldest and not any(page.records for page in oldest):
        found.empty_before = min(_WINDOWS, len(windows))
    records = [record for page in (*oldest, *newest) for record in page.records]
    instants = sorted(filter(None, map(reader.said_at, records)))
    found.records = sum(len(page.records) for page in newest)
    found.first, found.last = (instants[0], instants[-1]) if instants else (None, None)
    found.is_least = len(newest) == _PAGES
    found.calls = len(windows) * max(1, len(newest))
    return found


def _first_filled(reader: Reader, report: str, windows: Sequence[Window], pages: int) -> list[Page]:
    """The first pages of the first window that holds records, among three; without records those of the last one looked at."""
    found: list[Page] = []
    for window in windows[:_WINDOWS]:
        found = list(islice(reader.pages(report, window), pages))
        if any(page.records for page in found):
            break
    return found


def _probe_objects(objects: Objects, files: Sequence[LandedFile], probe: Probe) -> None:
    probe.place = objects.url
    listed = objects.listed()
    probe.is_reached = probe.is_authorised = True
    held = {(file.url, file.etag) for file in files}
    new = [path for path, version, _ in listed if (f"{objects.url}/{path}", version) not in held]
    report = ReportProbe("objects", records=len(listed), calls=1 + len(new))
    report.first, report.last = (listed[0][0], listed[-1][0]) if listed else (None, None)
    probe.reports.append(report)
