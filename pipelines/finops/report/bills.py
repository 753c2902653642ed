"""The section on bills: what sellers bill in the month up to the day, what is computed, and the largest cause between them."""

from __future__ import annotations

from typing import Any

from pipelines.books.reconciliation.worklist import largest_cause
from pipelines.finops import format as fmt
from pipelines.finops.report.collect import ReportData
from pipelines.finops.report.tables import Cell, Table, money_cell, number_column, text_cell, text_column

CAUSES = {
    "missing_requests": "requests that only one side has",
    "tokens": "other counts in the same requests",
    "tier": "another service tier",
    "price": "another price",
    "tool_fee": "fees for tools",
    "commitment": "commitments",
    "discount": "another discount",
    "credit": "credits",
    "tax": "taxes",
    "currency": "another exchange rate",
    "rounding": "rounding",
    "timing": "the bill is not complete yet",
    "days_not_loaded": "days of the bill that are not loaded",
    "unexplained": "not explained by any count of the bill",
}
_WITHOUT_RATE = "a bill is in a currency without an exchange rate"


def bills_table(data: ReportData) -> Table:
    """One row per seller: computed, logged and billed; a difference is shown to the last digit that it has, however small."""
    rows = data["bills"].to_dicts()
    decimals = fmt.decimals_for([row["difference_usd"] for row in rows if row["difference_usd"]])
    billed = [row for row in rows if row["bill_lines"]]
    if not billed and data.span.kind == "day":
        rows = []
    return Table(
        "bills",
        f"Computed, logged and billed in {_days(data)}; bills cover the days that they hold",
        [
            text_column("Seller"),
            number_column("Computed", "USD"),
            number_column("Logged by gateways", "USD"),
            number_column("Computed where billed", "USD"),
            number_column("Billed", "USD"),
            number_column("Billed less computed", "USD"),
            text_column("Largest cause"),
        ],
        [
            [
                text_cell(row["provider_id"], _without_price(row["unpriced_requests"])),
                money_cell(row["all_computed_usd"], decimals),
                money_cell(row["logged_usd"], decimals),
                money_cell(row["computed_usd"] if row["bill_lines"] else None, decimals),
                money_cell(row["billed_usd"], decimals),
                money_cell(row["difference_usd"], decimals, plus=True),
                _cause(row),
            ]
            for row in rows
        ],
        _total(rows, decimals) if rows else (),
        empty="No bill of this month was landed.",
        sql=data.sql["bills"],
    )


def _without_price(requests: int) -> str:
    """What computed is without: a seller of whom only free calls have a known cost has 0.00 there."""
    return f"without {fmt.plural(requests, 'unpriced request')}" if requests else ""


def _days(data: ReportData) -> str:
    """A day's bills are those of its month: some have no lines by day."""
    return f"{fmt.month(data.day)} up to {fmt.long_day(data.day)}" if data.span.kind == "day" else data.span.name


def _total(rows: list[dict[str, Any]], decimals: int) -> list[Cell]:
    billed = [row for row in rows if row["bill_lines"]]
    return [
        Cell("Total"),
        *(money_cell(fmt.total(row[name] for row in rows), decimals) for name in ("all_computed_usd", "logged_usd")),
        *(money_cell(fmt.total(row[name] for row in billed), decimals) for name in ("computed_usd", "billed_usd")),
        money_cell(fmt.total(row["difference_usd"] for row in billed), decimals, plus=True),
        Cell(""),
    ]


def _cause(row: dict[str, Any]) -> Cell:
    if not row["bill_lines"]:
        return text_cell("no bill of these days was landed")
    if row["without_rate"]:
        return text_cell(_WITHOUT_RATE)
    cause = largest_cause(row)
    return text_cell(CAUSES[cause] if cause else "no difference")
