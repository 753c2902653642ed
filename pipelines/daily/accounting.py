"""The accounting checks of a run: nothing lost or counted twice between files, facts and marts.

The checks themselves are `pipelines.quality.accounting`; here they get the run's connection and days.
"""

from __future__ import annotations

from pipelines.daily.days import Window
from pipelines.daily.workspace import Workspace
from pipelines.quality import (
    ExpectationOutcome,
    counted_once,
    every_file_read,
    lines_accounted,
    loaded_files_agree,
    look_alikes,
    priced_coverage,
    records_accounted,
    sources_readable,
    spend_agrees,
)
from pipelines.warehouse.replace import loaded_days
from pipelines.warehouse.tables.core import REQUEST


def files_accounted(workspace: Workspace) -> list[ExpectationOutcome]:
    """For every indexed file: lines = valid + quarantined, and our reader got through it."""
    with workspace.database.connect(read_only=True) as connection:
        return [lines_accounted(connection), every_file_read(connection)]


def readable_sources(workspace: Workspace, window: Window) -> ExpectationOutcome:
    """The share of each source's billable records that the window's files set aside."""
    with workspace.database.connect(read_only=True) as connection:
        return sources_readable(connection, window.from_date, window.to_date)


def books_of_the_window(workspace: Workspace, window: Window) -> list[ExpectationOutcome]:
    """For the window: valid = loaded + duplicates per file, its count per day is right, marts equal facts, and enough is priced."""
    with workspace.database.connect(read_only=True) as connection:
        loaded = loaded_days(connection, REQUEST)
        return [
            records_accounted(connection, window.from_date, window.to_date, {*loaded, *window.days}),
            loaded_files_agree(connection, window.from_date, window.to_date),
            spend_agrees(connection, window.from_date, window.to_date),
            priced_coverage(connection, window.from_date, window.to_date),
            counted_once(connection, window.from_date, window.to_date),
            look_alikes(connection, window.from_date, window.to_date),
        ]
