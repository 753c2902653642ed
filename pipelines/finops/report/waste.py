"""The section on waste: requests that could have cost less, by finding, each with its fix.

How they are found is `pipelines.books.waste`; the work list of the command is `pipelines.finops.waste`.
"""

from __future__ import annotations

from pipelines.finops import format as fmt
from pipelines.finops.report.collect import ReportData
from pipelines.finops.report.tables import Cell, Table, amount_cell, count_cell, number_column, text_cell, text_column
from pipelines.finops.waste import FIXES

_FINDINGS = {
    "failed": "failed or cancelled, and billed",
    "cache_unread": "wrote a cache that nobody read",
    "cache_miss": "paid again for a prompt that was cached",
    "context_bound": "just past the bound of a higher rate",
    "could_wait": "could have waited for a cheaper tier",
    "dearer_seller": "the same model at another seller for less",
}


def waste_table(data: ReportData) -> Table:
    """One row per finding, with its fix; no request is in two of them."""
    rows = data["waste"]
    decimals = fmt.scale_of(rows["saving_usd"])
    return Table(
        "waste",
        f"Requests of {data.span.name} that could have cost less; no request is in two lines",
        [
            text_column("Finding"),
            number_column("Requests"),
            number_column("Their cost", "USD"),
            number_column("Could have saved", "USD"),
            text_column("Fix"),
        ],
        [
            [
                text_cell(_FINDINGS[row["finding"]], note=row["finding"]),
                count_cell(row["requests"]),
                amount_cell(row["cost_usd"], decimals),
                amount_cell(row["saving_usd"], decimals),
                text_cell(fmt.capital(FIXES[row["finding"]])),
            ]
            for row in rows.iter_rows(named=True)
        ],
        [
            Cell("Total"), count_cell(int(rows["requests"].sum())), amount_cell(fmt.total(rows["cost_usd"]), decimals),
            amount_cell(fmt.total(rows["saving_usd"]), decimals), Cell(""),
        ],
        empty="No request was found that could have cost less.",
        sql=data.sql["waste"],
    )  # fmt: skip
