"""Step `report`: the FinOps page of each day of the window, with the state of feeds and checks around it.

The page is made by `pipelines.finops.report`; here it is handed the days and what is not in the warehouse.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.daily.accounting import books_of_the_window, files_accounted, readable_sources
from pipelines.daily.days import Window
from pipelines.daily.workspace import Workspace
from pipelines.fetch import fetch_feeds
from pipelines.warehouse.replace import loaded_days
from pipelines.warehouse.tables.core import REQUEST

if TYPE_CHECKING:
    from pipelines.finops.report import CheckLine


def write_reports(workspace: Workspace, window: Window, checks: Sequence[CheckLine] | None = None) -> list[Path]:
    """Write the report of every day of the window; returns the pages in day order.

    `checks` are those of the run that asks; without them the accounting checks are made again for the window.
    """
    from pipelines.finops.report import FeedLine, ReportContext, build_report  # charts take seconds to import

    unconnected = workspace.settings.model_copy(update={"offline": True})  # to judge ages, not to fetch again
    feeds = [
        FeedLine(feed.name, feed.kind, feed.newest_observed_at, None, "never fetched")
        if feed.is_absent
        else FeedLine(feed.name, feed.kind, feed.newest_observed_at, feed.is_stale)
        for feed in fetch_feeds(unconnected, workspace.config.sources, fx=workspace.config.fx.feeds)
    ]
    told = _accounting(workspace, window) if checks is None else checks
    context = ReportContext(
        is_sample=workspace.settings.uses_sample, checks=told, feeds=feeds, routing=workspace.config.routing
    )
    with workspace.database.connect(read_only=True) as connection:
        return [build_report(connection, day, workspace.settings.reports, context=context) for day in window.days]


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
