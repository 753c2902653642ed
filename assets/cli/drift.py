"""`modelmeter drift`: what changed on the leaderboards and in the served models, each change in a sentence.

Changes are read by `pipelines.daily.model_changes`; how they are distinguished from noise is in `docs/benchmarks.md`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assets.cli.dates import day_option
from assets.cli.terminal import json_text, say, terminal

if TYPE_CHECKING:
    import polars as pl
    from rich.console import Console

    from pipelines.daily.model_changes import Changes

SHOWN_DAYS = 30
_COLOURS = {"error": "red", "warn": "yellow", "info": "dim"}
_NOT_SHOWN = ("event_id", "from_snapshot_id", "to_snapshot_id")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("drift")(drift)


def drift(
    board: Annotated[
        str | None, typer.Option("--board", help="Only this leaderboard, as sources.yaml names it.")
    ] = None,
    day: Annotated[date | None, day_option("--date", "Only this UTC day; default: the newest 30 days.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Everything that is known of each change, for programs.")
    ] = False,
) -> None:
    """Show the changes of models and leaderboards, and the routes and spend that they touch."""
    from pipelines.daily import Window
    from pipelines.daily.model_changes import changes_of
    from pipelines.daily.report import newest_loaded_day
    from pipelines.workspace import open_workspace

    with open_workspace() as workspace:
        boards = [declared.board for declared in workspace.config.sources.leaderboards]
        if board is not None and board not in boards:
            raise typer.BadParameter(f"{board!r} is not declared in sources.yaml; accepted: {', '.join(boards)}")
        last = day or newest_loaded_day(workspace) or date.today()  # noqa: DTZ011 - nothing is loaded
        first = last if day else last - timedelta(days=SHOWN_DAYS - 1)
        changes = changes_of(workspace, Window(first, last + timedelta(days=1)), board)
    if as_json:
        log = [] if board else _rows(changes.alarms)
        say(json_text({"leaderboards": _rows(changes.events), "log": log}, indent=1))
        return
    _show(changes, first, last, with_log=board is None)


def _show(changes: Changes, first: date, last: date, *, with_log: bool) -> None:
    from rich.text import Text

    console = terminal()
    span = f"on {last}" if first == last else f"from {first} to {last}"
    console.print(Text.assemble(("Leaderboards", "bold"), f", {span}"))
    _show_lines(console, changes.events, lambda row: (row["severity"], f"{row['board']}, {row['drift_class']}"))
    if not with_log:
        return
    served = f", {span}: {changes.compared} comparisons"
    console.print(Text.assemble("\n", ("Served models in the log", "bold"), served))
    _show_lines(console, changes.alarms, lambda row: ("warn", row["metric"]))


def _show_lines(console: Console, rows: pl.DataFrame, kind: Callable[[dict[str, Any]], tuple[str, str]]) -> None:
    from rich.padding import Padding
    from rich.text import Text

    if rows.is_empty():
        console.print("  no changes")
    for row in rows.iter_rows(named=True):
        severity, what = kind(row)
        console.print(Text.assemble(f"  {row['event_date']} ", (severity, _COLOURS[severity]), f" {what}"))
        console.print(Padding(Text(row["explanation"]), (0, 0, 0, 4), expand=False))
        numbers = _numbers(row)
        if numbers:
            console.print(Text(f"    {numbers}", style="dim"))


def _numbers(row: dict[str, Any]) -> str:
    names = {
        "delta_adjusted": "change",
        "effect": "effect",
        "min_detectable": "smallest that would show",
        "z": "z",
        "q_value": "q",
    }
    numbers: Iterable[str] = (f"{name} {row[key]:.2g}" for key, name in names.items() if row.get(key) is not None)
    return ", ".join(numbers)


def _rows(frame: pl.DataFrame) -> list[dict[str, Any]]:
    rows = frame.drop(_NOT_SHOWN, strict=False).to_dicts()
    return [{**row, "evidence": json.loads(row["evidence"])} if "evidence" in row else row for row in rows]
