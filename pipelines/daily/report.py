"""Step `report`: the FinOps page of each day of the window, with the state of feeds and checks around it.

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
from pipelines.fetch import fetch_feeds
from pipelines.landing import LandingError
from pipelines.outside import ANY_FAILURE, worded
from pipelines.warehouse.partitions import loaded_days
from pipelines.warehouse.tables.core import REQUEST
from pipelines.workspace import Workspace

if TYPE_CHECKING:
    from pipelines.finops.report import CheckLine, FeedLine, Incomplete


def write_reports(
    workspace: Workspace,
    window: Window,
    checks: Sequence[CheckLine] | None = None,
    incomplete: Mapping[date, Incomplete] | None = None,
) -> list[Path]:
    """Write the report of every day of the window; returns the pages in day order.

    `checks` are those of the run that asks; without them the accounting checks are made again for the window. `incomplete`
    says of each day what a run that failed has left undone: the pages are then made from what is there.
    """
    from pipelines.finops.report import ReportContext, ReportError, build_report  # charts take seconds to import

    context = ReportContext(
        is_sample=workspace.settings.uses_sample,
        checks=_accounting(workspace, window) if checks is None else checks,
        feeds=_feeds(workspace),
        routing=workspace.config.routing,
    )
    pages, faults = [], []
    for day in window.days:
        missing = None if incomplete is None else incomplete[day]
        try:
            with workspace.database.connect(read_only=True) as connection:
                of_day = replace(context, incomplete=missing)
                pages.append(build_report(connection, day, workspace.settings.reports, context=of_day))
        except ANY_FAILURE as error:  # the pages of the other days are written nevertheless
            faults.append(worded(error))
    if faults:
        raise ReportError("; ".join(faults))
    return pages


def _feeds(workspace: Workspace) -> list[FeedLine]:
    """Each feed with the age of what is in use; none where the landing zone can't be listed, which its step reports."""
    from pipelines.finops.report import FeedLine

    unconnected = workspace.settings.model_copy(update={"offline": True})  # to judge ages, not to fetch again
    try:
        found = fetch_feeds(unconnected, workspace.config.sources, fx=workspace.config.fx.feeds)
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
