"""Step `core.alert`: the events of the newest loaded day, recorded and sent to the channels of `alerts.yaml`.

Which events there are is `pipelines.alerts.events`; what is sent to whom is `pipelines.alerts.outbox`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from pipelines.alerts.events import Alert, Asked, alerts_of, failed_checks, failed_run, stale_feeds
from pipelines.alerts.outbox import Delivered, deliver, record
from pipelines.daily.known_days import all_known_days
from pipelines.daily.report import feeds_in_use
from pipelines.ids import as_uuid
from pipelines.landing import LandingError
from pipelines.outside import Apart
from pipelines.quality import Watched
from pipelines.warehouse.unfinished import Progress
from pipelines.workspace import Workspace

if TYPE_CHECKING:
    from pipelines.finops.report import CheckLine, Failure

SPOKEN_FOR = (
    "spend_as_expected",
    "no_drift",
    "scales_unchanged",
    "exports_complete",
    "no_silent_change",
    "every_source_delivers",
)
"""Checks whose findings are events of a kind of their own; a drift that no second export has confirmed is none yet."""
_NEWER = "select exists (select from raw.snapshot, unnest(event_dates) as day where kind = 'requests' and day > %s)"
_READ = "select snapshot_id from raw.snapshot where snapshot_id = any(%s)"
_BEHIND, _LONG_BEHIND = timedelta(days=3), timedelta(days=35)


@dataclass(frozen=True)
class FailedRun:
    """A run that did not end, with the steps that failed and why."""

    run_id: str
    day: date
    failures: Sequence[Failure]


@dataclass(frozen=True)
class Sent:
    """What a step came to: events that were not known before, what became of them by channel, and which kinds could not be read."""

    new: int
    delivered: list[Delivered]
    unread: list[str]


def raise_alerts(workspace: Workspace, checks: Sequence[CheckLine], run: FailedRun | None = None) -> Sent:
    """Record what is new, and send what no channel has got yet."""
    apart = Apart()
    new = record(workspace.database, [*_of_the_run(workspace, run), *_of_the_day(workspace, checks, apart)])
    return Sent(new, deliver(workspace.database, workspace.config.alerts.channels), apart.messages)


def _of_the_run(workspace: Workspace, run: FailedRun | None) -> list[Alert]:
    if run is None:
        return []
    reasons = [(failure.what, failure.reason) for failure in run.failures]
    return [failed_run(run.run_id, reasons, run.day, link_to(workspace, run.day))]


def _of_the_day(workspace: Workspace, checks: Sequence[CheckLine], apart: Apart) -> list[Alert]:
    with workspace.database.connect() as connection:
        day = max(all_known_days(connection), default=None)
        is_old = day is not None and is_behind(workspace, day)
        found = []
        if day is not None and not is_old:
            asked = Asked(workspace.config.alerts.credit_days, Watched.of(workspace.config))
            found = alerts_of(connection, day, lambda each: link_to(workspace, each), apart, asked)
    about = day or datetime.now(UTC).date()
    link = link_to(workspace, about)
    failed = [
        check for check in checks if not is_old and not check.passed and check.name.rpartition(" ")[2] not in SPOKEN_FOR
    ]
    named = [(check.name, check.severity, check.detail) for check in failed]
    stale = [(feed.name, feed.observed_at) for feed in feeds_in_use(workspace) if feed.is_stale]
    return [*found, *failed_checks(named, about, link), *stale_feeds(stale, about, link)]


def is_behind(workspace: Workspace, day: date) -> bool:
    """Whether much newer days are still to come: a history that is loaded month by month is news at none of its days, and a rebuild is none.

    A few days may be missing, as logs arrive late. A file that no run has read yet stands for the day on which it arrived, and may be one
    that can't be read: only one that arrived long after `day` counts.
    """
    if Progress(workspace.settings.home).made() is not None:
        return True
    with workspace.database.connect(read_only=True) as connection:
        if connection.execute(_NEWER, [day + _BEHIND]).fetchone() == (True,):
            return True
        late = _late_logs(workspace, day + _LONG_BEHIND)
        return len(late) > len(connection.execute(_READ, [late]).fetchall())


def _late_logs(workspace: Workspace, after: date) -> list[UUID]:
    """The files of logs that arrived after a day; bills hold no days of requests."""
    logs = workspace.config.sources.logs
    try:
        files = workspace.landed("requests").files
    except (OSError, LandingError):  # its step reports that, and a run that failed is still to be reported
        return []
    return [
        as_uuid(file.snapshot_id)
        for file in files
        if file.source in logs and file.arrival_date is not None and file.arrival_date > after
    ]


def link_to(workspace: Workspace, day: date) -> str:
    """Where people read on: the page of the day."""
    base = workspace.config.alerts.link
    page = f"{day}/index.html"
    return f"{base.rstrip('/')}/{page}" if base else str(workspace.settings.reports / page)
