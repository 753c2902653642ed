"""`modelmeter doctor`: is this installation able to run, and what is in force.

Only looks; it changes nothing but starts the embedded server for the length of the look.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from assets.cli.terminal import json_text, say, terminal

if TYPE_CHECKING:
    from assets.cli.health import Finding


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
    elif not terminal().is_terminal:
        for finding in found:
            say(f"{_verdict(finding)[0]}\t{finding.subject}\t{finding.text}")
    else:
        table = Table(box=None, show_header=False, pad_edge=False)
        for finding in found:
            word, colour = _verdict(finding)
            table.add_row(Text(word, style=colour), finding.subject, finding.text)
        terminal().print(table)
    raise typer.Exit(0 if all(finding.ok for finding in found) else 1)


def _verdict(finding: Finding) -> tuple[str, str]:
    """Word and colour."""
    if not finding.ok:
        return "no", "red"
    return ("look", "yellow") if finding.warns else ("ok", "green")
