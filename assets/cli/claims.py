"""`modelmeter claims`: do published numbers hold at the prices they cite, at those of their date, and today?

The answer is that of `pipelines.claims` on what is loaded; the daily run keeps it in mart.claims_audit.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from assets.cli.terminal import json_text, say, terminal

if TYPE_CHECKING:
    import polars as pl

_BASES = {"cited": "cited", "report_date": "then", "today": "now"}
_MARKS = {"holds": "✓", "conditional": "~", "fails": "✗", "unverified": "?"}
_STYLES = {"holds": "green", "conditional": "yellow", "fails": "red", "unverified": "dim"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("claims")(claims)


def claims(
    claim: Annotated[
        str | None, typer.Argument(help="One claim, or the beginning of several; then with all inputs.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Every row with all digits, for programs.")] = False,
) -> None:
    """Show what is claimed, what it comes to, and what makes it true."""
    from datetime import UTC, datetime

    from pipelines.claims import audit
    from pipelines.daily.claims import known_now
    from pipelines.workspace import open_workspace

    with open_workspace() as workspace:
        rows = audit(known_now(workspace), datetime.now(UTC))
    if claim is not None:
        rows = rows.filter(rows["claim"].str.starts_with(claim))
        if rows.is_empty():
            raise typer.BadParameter(f"no claim begins with {claim!r}: `modelmeter claims` lists all of claims.yaml")
    if as_json:
        plain = [row | {"inputs": json.loads(row["inputs"])} for row in rows.to_dicts()]
        say(json_text(plain, indent=1))
    elif claim is not None:
        _show_whole(rows)
    else:
        _show_list(rows)


def _show_list(rows: pl.DataFrame) -> None:
    """One line per claim, a column per date."""
    from rich.table import Table
    from rich.text import Text

    console = terminal()
    grid = Table(box=None, padding=(0, 1, 0, 0), show_edge=False, header_style="dim")
    grid.add_column("claim", no_wrap=True)
    grid.add_column("claimed", overflow="fold", justify="right")
    for title in _BASES.values():
        grid.add_column(f"  {title}", overflow="fold")
    for _, group in rows.group_by("claim", maintain_order=True):
        found = {row["date_basis"]: row for row in group.iter_rows(named=True)}
        cells = [
            Text(_cell(found[basis]), style=_STYLES[found[basis]["verdict"]]) if basis in found else ""
            for basis in _BASES
        ]
        first = group.row(0, named=True)
        grid.add_row(Text(first["claim"]), Text(_brief(first["claimed"])), *cells)
    console.print(grid)
    for basis, title in _BASES.items():
        counts = dict(rows.filter(rows["date_basis"] == basis)["verdict"].value_counts().iter_rows())
        words = ", ".join(
            f"{mark} {counts[verdict]} {verdict}" for verdict, mark in _MARKS.items() if verdict in counts
        )
        console.print(Text(f"{title}: {words}"))
    console.print(Text("`modelmeter claims NAME` shows inputs, sources and what makes a claim true.", style="dim"))


def _brief(claimed: str) -> str:
    """A bound in a column's width: at least 85 as >= 85."""
    for words, mark in (("at least", ">="), ("at most", "<="), ("about", "~")):
        claimed = claimed.replace(words, mark)
    return claimed


def _cell(row: dict[str, object]) -> str:
    """The mark of the verdict, then the number: behind it a mark reads as its unit."""
    return f"{_MARKS[str(row['verdict'])]} {row['value_text'] or ''}".strip()


def _show_whole(rows: pl.DataFrame) -> None:
    """Each claim with its inputs and their sources."""
    from rich.padding import Padding
    from rich.text import Text

    console = terminal()
    for _, group in rows.group_by("claim", maintain_order=True):
        first = group.row(0, named=True)
        lines = f" (line {first['report_lines']})" if first["report_lines"] else ""
        console.print(Text(f"{first['claim']}: {first['about']}, {first['report']}{lines}", style="bold"))
        console.print(
            Text(f"  claimed {first['claimed']} {first['unit']}; {first['formula_text'] or first['formula']}")
        )
        if first["source"]:
            console.print(Text(f"  {first['source']}", style="dim"))
        for row in group.iter_rows(named=True):
            outcome = row["unverified_reason"] or f"{row['value_text']} {row['unit']}".strip()
            head = f"  {_BASES[row['date_basis']]} ({row['as_of']}): {row['verdict']}"
            console.print(Text(f"{head}, {outcome}", style=_STYLES[row["verdict"]]))
            if row["condition"]:
                words = "rests on" if row["verdict"] == "holds" else "true if"
                console.print(Padding(Text(f"{words}: {row['condition']}"), (0, 0, 0, 4), expand=False))
            for item in json.loads(row["inputs"]):
                source = Text(f"{item['input']} {item['value']}: {item['source']}", style="dim")
                console.print(Padding(source, (0, 0, 0, 4), expand=False))
        console.print()
