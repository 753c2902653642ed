"""`modelmeter doctor`: is this installation able to run, and what is in force.

Only looks; it changes nothing but starts the embedded server for the length of the look.
"""

from __future__ import annotations

from typing import Annotated

import typer

from assets.cli.terminal import json_text, say, terminal


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(doctor)


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False) -> None:
    """Check settings, configuration, landing zone, warehouse and dbt manifest; status 1 when something is wrong."""
    from rich.table import Table
    from rich.text import Text

    from assets.cli.health import findings

    found = findings()
    if as_json:
        say(json_text([finding.__dict__ for finding in found]))
    else:
        table = Table(box=None, show_header=False, pad_edge=False)
        for finding in found:
            verdict = Text("ok", style="green") if finding.ok else Text("no", style="red")
            table.add_row(verdict, finding.subject, finding.text)
        terminal().print(table)
    raise typer.Exit(0 if all(finding.ok for finding in found) else 1)
