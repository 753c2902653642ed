"""`modelmeter report`: write the FinOps report of a day again, from what the warehouse holds.

The page is made by `pipelines.finops.report`; the daily run writes it too.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from assets.cli.dates import day_option
from assets.cli.terminal import say


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("report")(report)


def report(
    day: Annotated[date | None, day_option("--date", "The UTC day; default: the newest loaded.")] = None,
) -> None:
    """Write reports/<date>/index.html from the warehouse and print where it is."""
    from pipelines.daily import Window, write_reports
    from pipelines.daily.report import newest_loaded_day
    from pipelines.workspace import open_workspace

    with open_workspace() as workspace:
        chosen = day or newest_loaded_day(workspace)
        if chosen is None:
            raise typer.BadParameter("no day is loaded yet: run `modelmeter daily` first")
        for page in write_reports(workspace, Window.of_day(chosen)):
            say(str(page))
