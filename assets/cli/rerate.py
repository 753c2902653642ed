"""`modelmeter rerate`: what loaded days would cost as known now, or as known at an instant, and restating them.

Comparing, restating and recording are `pipelines.daily.rerate`; here are options, words and the job for the marts.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from assets.cli.dates import FirstDay, LastDay, day_option, instant_option, window_of
from assets.cli.runs import INTERRUPTED, RunOutcome, run_window
from assets.cli.terminal import json_text, say, terminal

if TYPE_CHECKING:
    from rich.console import Console

    from pipelines.daily import RerateOutcome
    from pipelines.workspace import Workspace

_SHOWN = 20


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("rerate")(rerate)


def rerate(  # noqa: PLR0917, typer passes them by name
    day: Annotated[date | None, day_option("--date", "The UTC day to rate again.")] = None,
    first: FirstDay = None,
    last: LastDay = None,
    known_at: Annotated[
        datetime | None, instant_option("--known-at", "UTC: rate as known then; default: as known now.")
    ] = None,
    is_applied: Annotated[bool, typer.Option("--apply", help="Restate core.request and the marts.")] = False,
    reopen: Annotated[bool, typer.Option("--reopen", help="Restate days that periods.yaml closes, too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the restatement as JSON.")] = False,
) -> None:
    """Rate loaded days again (default: all), and show what differs from the books and which price is the cause.

    The books change only with --apply. The differences are recorded in mart.cost_restatement either way.
    Ends with status 1 where --apply left a closed day as it is, or the marts could not be built.
    """

    from pipelines.daily import rerate_days
    from pipelines.workspace import open_workspace

    if reopen and not is_applied:
        raise typer.BadParameter("--reopen only means something with --apply")
    window = window_of(day, first, last)
    console = terminal(stderr=True)
    with open_workspace() as workspace:
        outcome = rerate_days(workspace, window, known_at=known_at, apply=is_applied, reopen=reopen)
        if not outcome.days:
            raise typer.BadParameter("no day is loaded there: run `modelmeter daily` first")
        followed = _follow(workspace, outcome, console) if is_applied else True
    if as_json:
        say(json_text(_as_dict(outcome, is_applied)))
    else:
        _show(outcome, is_applied)
    raise typer.Exit(1 if outcome.days_left_closed or not followed else 0)


def _follow(workspace: Workspace, outcome: RerateOutcome, console: Console) -> bool:
    """Build what follows from core.request for the restated days, and for those a killed run left behind."""
    from assets.restatement import RESTATED
    from pipelines.daily import Window
    from pipelines.daily.rerate import days_behind

    windows = Window.joined({*outcome.days_applied, *days_behind(workspace, outcome.days)})
    runs: list[RunOutcome] = []
    try:
        for window in windows:
            runs += [run_window(workspace, window, console, job=RESTATED)]
    except KeyboardInterrupt:
        left = ", ".join(str(window) for window in windows[len(runs) :])
        say(
            f"interrupted: restated, but what follows is not built yet for {left}. To go on: the same command", err=True
        )
        raise typer.Exit(INTERRUPTED) from None
    for run in runs:
        for page in [] if run.succeeded else run.pages:
            console.print(f"incomplete report  {page}", soft_wrap=True)
    if behind := ", ".join(str(run.window) for run in runs if not run.succeeded):
        say(f"restated, but what follows could not be built for {behind}. To go on: the same command", err=True)
    return not behind


def _show(outcome: RerateOutcome, is_applied: bool) -> None:
    console = terminal(soft_wrap=True)
    days = f"{outcome.days[0]}" if len(outcome.days) == 1 else f"{outcome.days[0]} to {outcome.days[-1]}"
    console.print(
        f"{days}: {outcome.requests:,} requests rated as known at {outcome.known_at:%Y-%m-%d %H:%M} UTC", style="bold"
    )
    if outcome.lines.is_empty():
        console.print("nothing differs from what is booked")
        return
    delta = outcome.delta_usd
    console.print(f"{outcome.requests_changed:,} requests differ")
    console.print(
        f"booked {_digits(outcome.cost_before_usd)} USD, rated again {_digits(outcome.cost_after_usd)} USD: "
        f"{'+' if delta > 0 else ''}{_digits(delta)} USD"
    )
    largest = sorted(outcome.lines.iter_rows(named=True), key=lambda line: -abs(line["delta_usd"]))
    for line in largest[:_SHOWN]:
        console.print(f"  {line['explanation']}")
    if len(largest) > _SHOWN:
        console.print(f"  and {len(largest) - _SHOWN} smaller lines")
    where = f"restatement_id = '{UUID(bytes=outcome.restatement_id or b'')}'"
    console.print(f'recorded: modelmeter sql "select * from mart.cost_restatement where {where}"')
    if outcome.days_applied:
        console.print(f"restated: {_listed(outcome.days_applied)}", style="green")
    if outcome.days_left_closed:
        console.print(
            f"closed by periods.yaml and left as booked: {_listed(outcome.days_left_closed)}; --reopen restates them",
            style="yellow",
        )
    if not is_applied:
        console.print("the books were not changed; --apply restates these days")


def _as_dict(outcome: RerateOutcome, is_applied: bool) -> dict[str, Any]:
    return {
        "restatement_id": _plain(outcome.restatement_id),
        "known_at": _plain(outcome.known_at),
        "is_applied": is_applied,
        "days": [str(day) for day in outcome.days],
        "days_changed": [str(day) for day in outcome.days_changed],
        "days_applied": [str(day) for day in outcome.days_applied],
        "days_left_closed": [str(day) for day in outcome.days_left_closed],
        "requests": outcome.requests,
        "requests_changed": outcome.requests_changed,
        "cost_before_usd": _digits(outcome.cost_before_usd),
        "cost_after_usd": _digits(outcome.cost_after_usd),
        "delta_usd": _digits(outcome.delta_usd),
        "lines": [{name: _plain(value) for name, value in row.items()} for row in outcome.lines.iter_rows(named=True)],
    }


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return str(UUID(bytes=value))
    if isinstance(value, Decimal):
        return _digits(value)
    return str(value) if isinstance(value, (date, datetime)) else value


def _listed(days: list[date]) -> str:
    return ", ".join(str(day) for day in days)


def _digits(value: Decimal) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
