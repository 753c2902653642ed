"""The accounting checks of a run: nothing lost or counted twice between files, facts and marts.

The checks themselves are `pipelines.quality.accounting`; here they get the run's connection and days.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from psycopg import Connection

from pipelines.daily.days import Window
from pipelines.outside import ANY_FAILURE, worded
from pipelines.quality import (
    ExpectationOutcome,
    Watched,
    chargeback_agrees,
    counted_once,
    every_file_read,
    every_source_delivers,
    lines_accounted,
    loaded_files_agree,
    look_alikes,
    priced_coverage,
    records_accounted,
    sources_readable,
    spend_agrees,
)
from pipelines.quality.held import HeldRequests
from pipelines.warehouse.partitions import loaded_days
from pipelines.warehouse.tables.core import REQUEST
from pipelines.workspace import Workspace


def files_accounted(workspace: Workspace) -> list[ExpectationOutcome]:
    """For every indexed file: lines = valid + quarantined, and our reader got through it."""
    with workspace.database.connect(read_only=True) as connection:
        return [_asked(connection, check) for check in (lines_accounted, every_file_read)]


def readable_sources(workspace: Workspace, window: Window) -> ExpectationOutcome:
    """The share of each source's billable records that the window's files set aside."""
    with workspace.database.connect(read_only=True) as connection:
        return _asked(connection, sources_readable, window.from_date, window.to_date)


def delivering_sources(workspace: Workspace, window: Window) -> ExpectationOutcome:
    """Whether a declared source of requests has none on the window's days, though it used to."""
    with workspace.database.connect(read_only=True) as connection:
        return _asked(connection, every_source_delivers, window.from_date, window.to_date, Watched.of(workspace.config))


def books_of_the_window(workspace: Workspace, window: Window) -> list[ExpectationOutcome]:
    """For the window: valid = loaded + duplicates per file, its count per day is right, marts equal facts, and enough is priced."""
    with workspace.database.connect(read_only=True) as connection:
        loaded = {*loaded_days(connection, REQUEST), *window.days}
        days = (window.from_date, window.to_date)
        held = HeldRequests(connection, *days)
        checks = (loaded_files_agree, spend_agrees, priced_coverage, look_alikes)
        return [
            _asked(connection, records_accounted, *days, loaded, held),
            *(_asked(connection, check, *days, held) for check in checks),
            _asked(connection, counted_once, *days),
        ]


def chargeback_of_the_window(workspace: Workspace, window: Window) -> ExpectationOutcome:
    """Whether what each team, project and cost centre pays is what the charges come to."""
    with workspace.database.connect(read_only=True) as connection:
        return _asked(connection, chargeback_agrees, window.from_date, window.to_date)


def _asked(
    connection: Connection[Any], check: Callable[..., ExpectationOutcome], *arguments: object
) -> ExpectationOutcome:
    """What a check says. One that raises is not evaluable, blocks what rests on it, and leaves the other checks alone."""
    try:
        with connection.transaction():
            return check(connection, *arguments)
    except ANY_FAILURE as error:
        description = (check.__doc__ or check.__name__).splitlines()[0]
        return ExpectationOutcome(check.__name__, description, "blocking", success=None, problem=worded(error))
