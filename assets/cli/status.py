"""`modelmeter status`: is all well, in one look; for a person on call, a probe, or Prometheus."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from assets.cli.terminal import json_text, say, terminal

if TYPE_CHECKING:
    from assets.status import Status

_SHOWN_DAYS = 10


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("status")(status)


def status(
    max_age: Annotated[
        float, typer.Option("--max-age", min=0, help="Hours that may pass after the last successful daily run.")
    ] = 26,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
    as_prometheus: Annotated[bool, typer.Option("--prometheus", help="Print in Prometheus's text format.")] = False,
) -> None:
    """Show the last run of each day, stale feeds, open alarms and sizes.

    Ends with status 1 where something is wrong, and with 2 where the configuration or the warehouse can't be read.
    """
    from assets.cli.preflight import look
    from assets.prometheus import UNHEALTHY, prometheus
    from assets.status import status_of
    from pipelines.outside import ANY_FAILURE, worded
    from pipelines.workspace import open_workspace

    if as_json and as_prometheus:
        raise typer.BadParameter("--json can't be combined with --prometheus")
    allowed = timedelta(hours=max_age)
    try:
        look("status")
        with open_workspace() as workspace:
            found = status_of(workspace)
    except ANY_FAILURE as error:
        # Whoever reads files would take an empty one for no news.
        if as_prometheus:
            say(UNHEALTHY.rstrip("\n"))
        elif as_json:
            say(json_text({"healthy": False, "problems": worded(error).splitlines()}))
        raise
    problems = found.problems(allowed)
    if as_prometheus:
        say(prometheus(found, allowed).rstrip("\n"))
    elif as_json:
        say(json_text(_facts(found, problems)))
    else:
        show(found, problems)
    raise typer.Exit(1 if problems else 0)


def _facts(found: Status, problems: list[str]) -> dict[str, object]:
    return {
        "healthy": not problems,
        "problems": problems,
        "newest_day": found.newest_day,
        "last_success_at": found.last_success_at,
        "runs": [run.__dict__ for run in found.runs],
        "feeds": [feed.__dict__ for feed in found.feeds],
        "open_alarms": found.alarms,
        "size_bytes": found.sizes,
    }


def show(found: Status, problems: list[str]) -> None:
    """Print it for people: what is wrong or open first."""
    from rich.table import Table
    from rich.text import Text

    console = terminal()
    is_open = any(found.alarms.values()) or (found.runs and any(found.runs[0].checks.values()))
    well = "runs and feeds are well" + ("; open items are listed below" if is_open else ", and nothing is open")
    console.print(Text("\n".join(problems), style="red") if problems else Text(well, style="green"))
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_row("newest day", str(found.newest_day or "none"))
    for run in found.runs[:_SHOWN_DAYS]:
        days = str(run.first_day) if run.first_day == run.last_day else f"{run.first_day} to {run.last_day}"
        ended = f", ended {run.ended_at:%Y-%m-%d %H:%M} UTC" if run.ended_at else ""
        checks = "".join(f", check {severity}: {count}" for severity, count in run.checks.items() if count)
        table.add_row(f"run {days}", f"{run.status.lower()}{ended}{checks}")
    for name, count in found.alarms.items():
        table.add_row(name, str(count))
    for name, size in found.sizes.items():
        table.add_row(name, f"{size / 2**20:,.1f} MB")
    console.print(table)
