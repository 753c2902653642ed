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
    "unexplained": "not explained by any count of the bill",
}
_WITHOUT_RATE = "a bill is in a currency without an exchange rate"


def bills_table(data: ReportData) -> Table:
    """One row per seller with a bill; a difference is shown to the last digit that it has, however small."""
    rows = data["bills"].to_dicts()
    decimals = fmt.decimals_for([row["difference_usd"] for row in rows if row["difference_usd"]])
    return Table(
        "bills",
        f"Bills of {data.day:%B %Y} up to {fmt.long_day(data.day)}, for the days that they hold",
        [
            text_column("Seller"),
            number_column("Computed", "USD"),
            number_column("Billed", "USD"),
            number_column("Billed less computed", "USD"),
            text_column("Largest cause"),
        ],
        [
            [
                text_cell(row["provider_id"]),
                money_cell(row["computed_usd"], decimals),
                money_cell(row["billed_usd"], decimals),
                money_cell(row["difference_usd"], decimals, plus=True),
                _cause(row),
            ]
            for row in rows
        ],
        empty="No bill of this month was landed.",
        sql=data.sql["bills"],
    )


def _cause(row: dict[str, Any]) -> Cell:
    if row["without_rate"]:
        return text_cell(_WITHOUT_RATE)
    cause = largest_cause(row)
    return text_cell(CAUSES[cause] if cause else "no difference")
