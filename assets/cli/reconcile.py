"""`modelmeter reconcile`: bills against what is computed, by seller, and what to look at first.

The rows are those of mart.reconciliation; what is shown of them is `pipelines.books.reconciliation.worklist`.
"""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assets.cli.dates import month_option
from assets.cli.terminal import json_text, say

if TYPE_CHECKING:
    import polars as pl


_WIDTH = 80


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("reconcile")(reconcile)


def reconcile(
    month: Annotated[date | None, month_option("--month", "The month, as YYYY-MM; default: all.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=0, help="Rows of the work list; 0 shows all.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Every row with all digits, for programs.")] = False,
) -> None:
    """Show what sellers bill against what is computed, and the differences beyond the tolerance, most money first."""
    from pipelines.books.reconciliation.worklist import by_seller, work_list
    from pipelines.warehouse.read import read_table
    from pipelines.warehouse.tables.mart_reconciliation import RECONCILIATION
    from pipelines.workspace import open_workspace

    with open_workspace() as workspace, workspace.database.connect(read_only=True) as connection:
        where, days = ("", ()) if month is None else ("event_date >= %s and event_date < %s", (month, _end_of(month)))
        rows = read_table(connection, RECONCILIATION, where, days)
        found, rules = by_seller(rows), workspace.config.reconciliation
    todo = work_list(rows, rules)
    if as_json:
        say(json_text({"sellers": found.to_dicts(), "work_list": [_with_lines(row) for row in todo.to_dicts()]}))
        return
    _show(found, todo, limit)


def _end_of(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)


def _with_lines(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "line_ids": json.loads(row["line_ids"])}


def _show(found: pl.DataFrame, todo: pl.DataFrame, limit: int) -> None:
    from pipelines.books.reconciliation.worklist import largest_cause

    if not found.height:
        say("nothing is charged and nothing is billed there: run `modelmeter daily` first")
        return
    titles = " ".join(f"{title:>14}" for title in ("computed USD", "billed USD", "difference USD"))
    say(f"{'month':<9}{'seller':<12} {titles}  largest cause")
    for row in found.iter_rows(named=True):
        who = f"{row['month']}  {row['provider_id']:<12}"
        if row["bill_lines"]:
            amounts = (row["computed_usd"], row["billed_usd"], row["difference_usd"])
            _say(f"{who} {' '.join(map(_usd, amounts))}", largest_cause(row) or "no difference")
        if row["days_not_loaded_usd"]:
            _say(
                f"{who} {_usd(row['days_not_loaded_usd'])}",
                "of it at most may be of days that are not loaded: modelmeter daily --from --to",
            )
        if row["not_compared_usd"]:
            _say(f"{who} {_usd(row['not_compared_usd'])}", "has no bill to compare")
        if row["not_loaded_usd"]:
            _say(
                f"{who} {_usd(row['not_loaded_usd'])}",
                "is billed for days that are not loaded: modelmeter daily --from --to",
            )
    say(f"\n{todo.height} rows beyond the tolerance of reconciliation.yaml")
    for row in todo.head(limit or todo.height).iter_rows(named=True):
        what = ", ".join(part for part in (row["model_id"], row["meter"]) if part) or "everything"
        cause = row["reason"] if row["difference_usd"] is None else largest_cause(row)
        _say(f"{row['event_date']}  {row['provider_id']:<12} {_usd(row['difference_usd'])}", f"{what}: {cause}")


def _say(figures: str, words: str) -> None:
    """One line, or the words below the figures where both don't fit into 80 columns."""
    is_short = len(figures) + len(words) + 2 <= _WIDTH
    say(f"{figures}  {words}" if is_short else f"{figures}\n    {words}")


def _usd(amount: Decimal | None) -> str:
    return f"{'-' if amount is None else format(amount, ',.4f'):>14}"
