"""`modelmeter waste`: what could have cost less in the newest thirty days, by money.

The rows are those of mart.waste; what is waste is in `pipelines.books.waste`.
"""

from __future__ import annotations

from typing import Annotated

import typer

from assets.cli.terminal import json_text, say, terminal


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("waste")(waste)


def waste(as_json: Annotated[bool, typer.Option("--json", help="Print JSON, every digit shown.")] = False) -> None:
    """List what could have cost less in the newest thirty days: the saving, the owner, the query that shows the requests, and a fix."""
    from rich.padding import Padding

    from pipelines.finops import format as fmt
    from pipelines.finops.waste import FIXES, work_list
    from pipelines.workspace import open_workspace

    with open_workspace() as workspace, workspace.database.connect(read_only=True) as connection:
        items = work_list(connection)
    if as_json:
        say(json_text([item.described() for item in items]))
        return
    if not items:
        say("no waste in the newest thirty days with requests")
        return
    console = terminal()
    say(f"{'USD a month':>12}  {'requests':>9}  {'finding':<15} {'owner':<15} model")
    for item in items:
        say(
            f"{fmt.amount(item.saving_usd, 2):>12}  {item.requests:9,}  {item.finding:<15} {_short(item.team, 15):<15} {_short(item.model_id, 22)}"
        )
    say(f"{sum(item.saving_usd for item in items):12,.2f}  together; no request counts twice\n")
    for finding in dict.fromkeys(item.finding for item in items):
        console.print(Padding(f"{finding}: {FIXES[finding]}", (0, 0, 0, 2), expand=False))
    say("\n--json has the query that shows the requests of each line")


def _short(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
