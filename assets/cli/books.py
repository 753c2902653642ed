"""`modelmeter close`, `reopen`, `restate` and `statement`: months that are booked once, and what became known of them later.

The books are `pipelines.books.periods`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assets.cli.dates import month_argument
from assets.cli.terminal import json_text, say, terminal

if TYPE_CHECKING:
    import polars as pl

Month = Annotated[date, month_argument("The month, as YYYY-MM.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print as JSON, with every digit.")]
_PLAIN = ("effective_cost_usd", "billed_cost_usd")
_TITLES = {
    "effective_cost_usd": "effective\nUSD",
    "billed_cost_usd": "billed\nUSD",
    "covered_usd": "covered by\ncommitments",
    "commitment_usd": "cost of\ncommitments",
    "payable_usd": "to pay",
}
_OF_COMMITMENTS = ("covered_usd", "commitment_usd")
BY = ("cost_centre", "team", "project", "environment", "application", "provider_id", "model_id")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (close, reopen, restate, statement):
        app.command(command.__name__)(command)


def close(month: Month) -> None:
    """Book a month: its figures stay from now on, and what becomes known of it is a correction in the open month."""
    from pipelines.books.periods import close_period
    from pipelines.workspace import open_workspace

    with open_workspace() as workspace:
        done = close_period(workspace.database, month, workspace.config.allocation)
    say(
        f"{month:%Y-%m} is closed: {done.charges:,} charges and {done.corrections:,} corrections of earlier months, "
        f"billed {done.billed_cost_usd:f} USD"
    )
    if done.missing_days:
        say(f"No run has loaded {done.missing_days} days of it: what they bring will be corrections.")
    if done.unpriced_requests:
        say(
            f"{done.unpriced_requests:,} requests have no price and no cost: a price that becomes known will be a correction."
        )


def reopen(month: Month, reason: Annotated[str, typer.Option("--reason", help="Why; it is kept.")]) -> None:
    """Open the month that was closed last: undo what was booked in it."""
    from pipelines.books.periods import reopen_period
    from pipelines.workspace import open_workspace

    if not reason.strip():
        raise typer.BadParameter("--reason is empty: it says why the month is opened again")
    with open_workspace() as workspace:
        done = reopen_period(workspace.database, month, reason.strip())
    say(
        f"{month:%Y-%m} is open: {done.charges + done.corrections:,} rows of {done.billed_cost_usd:f} USD are taken back"
    )


def restate(as_json: AsJson = False) -> None:
    """Show what became known of closed months since they were booked. The next closing books it as corrections."""
    from pipelines.books.periods import pending, pending_commitments
    from pipelines.books.statement import moved, statement_lines
    from pipelines.workspace import open_workspace

    with open_workspace() as workspace, workspace.database.connect(read_only=True) as connection:
        found, commitments = pending(connection), pending_commitments(connection)
    if found.is_empty() and commitments.is_empty() and not as_json:
        say("nothing became known of closed months")
        return
    by = ("event_date", "provider_id", "model_id")
    _show(moved(statement_lines(found, commitments, by)), by, as_json=as_json)


def statement(
    month: Month,
    by: Annotated[str, typer.Option("--by", help=f"One of {', '.join(BY)}.")] = "cost_centre",
    as_json: AsJson = False,
) -> None:
    """Print a month from the books, with shared cost passed on: as booked if it is closed, else as known now. Corrections are separate."""
    from pipelines.books.periods import book, book_commitments, book_shares
    from pipelines.books.statement import passed_on_statement
    from pipelines.workspace import open_workspace

    if by not in BY:
        raise typer.BadParameter(f"--by {by} is not accepted: {', '.join(BY)}")
    with open_workspace() as workspace, workspace.database.connect(read_only=True) as connection:
        charges = book(connection, month)
        shares = book_shares(connection, charges, workspace.config.allocation)
        commitments = book_commitments(connection, month)
    if charges.is_empty() and commitments.is_empty() and not as_json:
        say(f"{month:%Y-%m} has no charges")
        return
    _show(
        passed_on_statement(charges, commitments, shares, ("charge_class", by)), ("charge_class", by), as_json=as_json
    )


def _show(sums: pl.DataFrame, by: Sequence[str], *, as_json: bool) -> None:
    """Sums by the columns, one line each, and their total: rounded for people, with every digit as JSON."""
    if as_json:
        say(json_text([{name: _digits(value) for name, value in row.items()} for row in sums.iter_rows(named=True)]))
    else:
        _print(sums, by)


def _print(sums: pl.DataFrame, by: Sequence[str]) -> None:
    from rich.table import Table

    from pipelines.finops import format as fmt

    columns = [name for name in by if name != "charge_class"]
    has_commitments = sums["commitment_usd"].null_count() < sums.height
    shown = {name: title for name, title in _TITLES.items() if has_commitments or name in _PLAIN}
    if has_commitments and sums["billed_cost_usd"].equals(sums["effective_cost_usd"]):
        shown.pop("billed_cost_usd")
    decimals = fmt.decimals_for(cost for name in shown for cost in sums[name])

    def amount(name: str, cost: Decimal | None, *, is_any: bool) -> str:
        # A line that no commitment covered or costs anything has nothing there, which is no amount.
        return fmt.money(cost if is_any or name not in _OF_COMMITMENTS else None, decimals)

    table = Table(box=None, padding=(0, 1 if has_commitments else 2, 0, 0), show_edge=False, header_style="dim")
    for name in columns:
        is_day = name == "event_date"
        table.add_column("day" if is_day else name.replace("_", " "), overflow="fold", no_wrap=is_day)
    for title in (*shown.values(), "without\na price"):
        table.add_column(title, justify="right", no_wrap=True)
    for row in sums.iter_rows(named=True):
        costs = (amount(name, row[name], is_any=bool(row[name])) for name in shown)
        table.add_row(*_names(row, columns), *costs, fmt.count(int(row["unpriced_requests"])))
    table.add_section()
    whole = (amount(name, fmt.total(sums[name]), is_any=sums[name].cast(bool).any()) for name in shown)
    blank = [""] * (len(columns) - 1)
    table.add_row("total", *blank, *whole, fmt.count(int(sums["unpriced_requests"].sum())), style="bold")
    terminal().print(table)


def _names(row: Mapping[str, Any], columns: Sequence[str]) -> list[str]:
    names = [str(row[name] or "none") for name in columns]
    if row.get("charge_class"):
        names[0] += f" ({row['charge_class'].lower()})"
    return names


def _digits(value: object) -> object:
    return f"{value:f}" if isinstance(value, Decimal) else str(value) if isinstance(value, date) else value
