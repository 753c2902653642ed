"""Step `report`: the FinOps pages of each day of the window, of its months and quarters, and the calendar over all of them.

The page is made by `pipelines.finops.report`; here it is handed the days and what is not in the warehouse.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


def write_reports(
    workspace: Workspace,
    window: Window,
    checks: Sequence[CheckLine] | None = None,
    incomplete: Mapping[date, Incomplete] | None = None,
) -> list[Path]:
    """Write the page of every day of the window, of their months and quarters, and the calendar; returns those of the days.

    `checks` are those of the run that asks; without them the accounting checks are made again for the window. `incomplete`
    says of each day what a run that failed has left undone: the pages are then made from what is there.
    """
    from pipelines.finops.report import ReportContext, ReportError, build_report  # charts take seconds to import
    from pipelines.finops.report.day_calendar import links, loaded_spend, write_calendar
    from pipelines.finops.report.explorer import write_explorer

    context = ReportContext(
        is_sample=workspace.settings.uses_sample,
        checks=_accounting(workspace, window) if checks is None else checks,
        feeds=feeds_in_use(workspace),
        routing=workspace.config.routing,
    )
    apart = Apart()
    loaded: Days = {}
    with apart.part("explorer"), workspace.database.connect(read_only=True) as connection:
        loaded = loaded_spend(connection)
        if loaded:
            write_explorer(connection, max(loaded), workspace.settings.reports, is_sample=context.is_sample)
    pages = []
    for span in [*map(Span.of_day, window.days), *spans_around(window.days, loaded)]:
        missing = None if incomplete is None else incomplete[min(span.last, window.last_day)]
        around = replace(context, incomplete=missing, links=links(span, list(loaded)))
        with apart.part(span.name), workspace.database.connect(read_only=True) as connection:
            page = build_report(connection, span, workspace.settings.reports, context=around)
            pages += [page] if span.kind == "day" else []
    with apart.part("calendar"):
        write_calendar(loaded, workspace.settings.reports, is_sample=context.is_sample)
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


def _accounting(workspace: Workspace, window: Window) -> list[CheckLine]:
    from pipelines.finops.report import CheckLine

    outcomes = [
        *files_accounted(workspace),
        readable_sources(workspace, window),
        *books_of_the_window(workspace, window),
    ]
    return [CheckLine(o.name, o.success, o.severity, o.problem or o.description) for o in outcomes]
