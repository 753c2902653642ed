"""`modelmeter db rebuild`: every table dropped and made again from the landing zone, a month at a time.

What people did is carried over by `pipelines.warehouse.acts`; how far a rebuild came is `pipelines.warehouse.unfinished`.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from assets.cli.backup import counted
from assets.cli.runs import INTERRUPTED, run_window
from assets.cli.terminal import say, terminal

if TYPE_CHECKING:
    from pipelines.daily import Window
    from pipelines.settings import Settings
    from pipelines.warehouse.unfinished import Progress
    from pipelines.workspace import Workspace

_DAYS_AT_ONCE = 31


def rebuild(
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    goes_on: Annotated[
        bool, typer.Option("--continue", help="Continue a rebuild that was interrupted or had days that failed.")
    ] = False,
) -> None:
    """Drop every table and make all of them again from the landing zone. What people did is kept."""
    from pipelines.settings import Settings
    from pipelines.warehouse import WarehouseError
    from pipelines.warehouse.unfinished import GO_ON, Progress

    settings = Settings()
    progress = Progress(settings.home)
    made = progress.made()
    if goes_on and made is None:
        raise WarehouseError("no rebuild is left unfinished; `modelmeter db rebuild` starts one")
    try:
        if not (goes_on and made):
            if not yes:
                typer.confirm(f"Drop every table and make them again from {settings.landing_zone}?", abort=True)
            progress.write([])
            _start_over(settings)
        is_whole = _fill(settings, progress)
    except KeyboardInterrupt:
        say(f"interrupted; days made: {len(progress.made() or ())}. To go on: {GO_ON}", err=True)
        raise typer.Exit(INTERRUPTED) from None
    if is_whole:
        progress.end()
        say(f"rebuilt from {settings.landing_zone}")
    else:
        say(f"some days failed. To make them again: {GO_ON}", err=True)
    raise typer.Exit(0 if is_whole else 1)


def _fill(settings: Settings, progress: Progress) -> bool:
    """Make every day that is not made yet; whether all succeeded."""
    from pipelines.workspace import open_workspace

    console, made, is_whole = terminal(stderr=True), progress.made() or set(), True
    with open_workspace(settings) as workspace:
        windows = _windows(workspace, made)
        for number, window in enumerate(windows, 1):
            console.print(f"{number} of {len(windows)}: {window}", style="bold")
            if run_window(workspace, window, console).succeeded:
                made |= set(window.days)
                progress.write(made)
            else:
                is_whole = False
    return is_whole


def _start_over(settings: Settings) -> None:
    """Empty tables of this version, with the acts of before. The acts also stay in a file of the home."""
    from pipelines.warehouse import acts
    from pipelines.warehouse.migrate import make_anew
    from pipelines.warehouse.open import open_database

    file = settings.home / f"acts-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
    with open_database(settings) as database:
        with database.connect(read_only=True) as connection:
            say(f"{file}: {counted(acts.export_acts(connection, file))}", err=True)
        make_anew(database, lambda connection: acts.import_acts(connection, file))


def _windows(workspace: Workspace, made: set[date]) -> list[Window]:
    """Every day that a log of the landing zone holds and that is not made yet, a month at a time."""
    from pipelines.daily import Window, ingest_requests
    from pipelines.daily.days import FIRST_DAY
    from pipelines.daily.ingest import event_dates

    ingest_requests(workspace, None, lambda done, of, path: say(f"reading {done + 1} of {of}: {path}", err=True))
    days = {day for found in event_dates(workspace).values() for day in found if day >= FIRST_DAY}
    windows = []
    for stretch in Window.joined(days - made):
        first = stretch.from_date
        while first < stretch.to_date:
            end = min(first + timedelta(days=_DAYS_AT_ONCE), stretch.to_date)
            windows.append(Window(first, end))
            first = end
    return windows
