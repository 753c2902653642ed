"""Step `report`: the FinOps pages of each day of the window, of its months and quarters, and the calendar over all of them.

The page is made by `pipelines.finops.report`; here it is handed the days and what is not in the warehouse.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.daily.accounting import books_of_the_window, files_accounted, readable_sources
from pipelines.daily.days import Window
from pipelines.fetch import feeds_held
from pipelines.finops.span import Span, spans_around
from pipelines.landing import LandingError
from pipelines.outside import Apart
from pipelines.warehouse.partitions import loaded_days
from pipelines.warehouse.tables.core import REQUEST
from pipelines.workspace import Workspace

if TYPE_CHECKING:
    from pipelines.finops.report import CheckLine, FeedLine, Incomplete
    from pipelines.finops.report.day_calendar import Days

    ChecksOfDay = Callable[[date], Sequence[CheckLine]]


def write_reports(
    workspace: Workspace,
    window: Window,
    checks: Sequence[CheckLine] | None = None,
    incomplete: Mapping[date, Incomplete] | None = None,
    checks_of: ChecksOfDay | None = None,
) -> list[Path]:
    """Write the page of every day of the window, of their months and quarters, and the calendar; returns those of the days.

    Pages of later days that rest on one which has changed are written again too: a page that is opened next week must not show money
    that has been corrected since.

    `checks` are those of the run that asks, `checks_of` those of the run that made a later day; without them the accounting checks are
    made again. `incomplete` says of each day what a run that failed has left undone: the pages are then made from what is there.
    """
    from pipelines.finops.report import ReportContext, ReportError, build_report  # charts take seconds to import
    from pipelines.finops.report.day_calendar import links, loaded_spend, write_calendar
    from pipelines.finops.report.explorer import write_explorer
    from pipelines.finops.report.outdated import DayHashes, day_hashes, mark_of, outdated

    reports = workspace.settings.reports
    context = ReportContext(
        is_sample=workspace.settings.uses_sample,
        checks=_accounting(workspace, window) if checks is None else checks,
        feeds=feeds_in_use(workspace),
        routing=workspace.config.routing,
    )
    apart = Apart()
    loaded: Days = {}
    hashes = DayHashes()
    with apart.part("explorer"), workspace.database.connect(read_only=True) as connection:
        loaded = loaded_spend(connection)
        if loaded:
            write_explorer(connection, max(loaded), reports, is_sample=context.is_sample)
            hashes = day_hashes(connection)
    own = [*map(Span.of_day, window.days), *spans_around(window.days, loaded)]
    later = [] if incomplete else [span for span in outdated(reports, hashes, window.last_day) if span not in own]
    pages = []
    for span in [*own, *later]:
        missing = None if incomplete is None else incomplete[min(span.last, window.last_day)]
        around = replace(context, incomplete=missing, links=links(span, list(loaded)), mark=mark_of(span, hashes))
        with apart.part(span.name), workspace.database.connect(read_only=True) as connection:
            if span in later and span.kind == "day":
                around = replace(around, checks=_checks_of(workspace, span.first, checks_of))
            page = build_report(connection, span, reports, context=around)
            pages += [page] if span.kind == "day" and span in own else []
    with apart.part("calendar"):
        write_calendar(loaded, reports, is_sample=context.is_sample)
    # After a run that failed the pages of its days count: they state what it left undone.
    if apart.failures and (incomplete is None or len(pages) < len(window.days)):
        raise ReportError("; ".join(apart.failures.values()))
    return pages


def feeds_in_use(workspace: Workspace) -> list[FeedLine]:
    """Each feed with the age of what is in use; none where the landing zone can't be listed, which its step reports."""
    from pipelines.finops.report import FeedLine

    try:
        found = feeds_held(workspace.settings, workspace.config.sources, fx=workspace.config.fx.feeds)
    except (OSError, LandingError):
        return []
    return [
        FeedLine(feed.name, feed.kind, feed.newest_observed_at, None, "never fetched")
        if feed.is_absent
        else FeedLine(feed.name, feed.kind, feed.newest_observed_at, feed.is_stale)
        for feed in found
    ]


def newest_loaded_day(workspace: Workspace) -> date | None:
    """The newest day with requests in the warehouse."""
    with workspace.database.connect(read_only=True) as connection:
        return max(loaded_days(connection, REQUEST), default=None)


def _checks_of(workspace: Workspace, day: date, known: ChecksOfDay | None) -> Sequence[CheckLine]:
    found = known(day) if known else ()
    return found or _accounting(workspace, Window.of_day(day))


def _accounting(workspace: Workspace, window: Window) -> list[CheckLine]:
    from pipelines.finops.report import CheckLine

    outcomes = [
        *files_accounted(workspace),
        readable_sources(workspace, window),
        *books_of_the_window(workspace, window),
    ]
    return [CheckLine(o.name, o.success, o.severity, o.problem or o.description) for o in outcomes]
