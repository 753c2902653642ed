"""The page of a month or a quarter as data: the day's template with the sections that a stretch of days has.

A month that is closed shows what was booked when it was; what became known since is a figure of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from pipelines.finops import format as fmt
from pipelines.finops.report import bills, moved, routing
from pipelines.finops.report.charts import Chart, history_table, spend_chart, stacks
from pipelines.finops.report.collect import ReportData
from pipelines.finops.report.context import Failure, ReportContext
from pipelines.finops.report.coverage import REASONS
from pipelines.finops.report.incomplete import Sections, incomplete_section
from pipelines.finops.report.page import Page, dimension_cut, lacking
from pipelines.finops.report.plan import plan_section
from pipelines.finops.report.tables import (
    Cell,
    KeyFigure,
    Table,
    amount_cell,
    count_cell,
    number_column,
    text_cell,
    text_column,
)
from pipelines.finops.report.waste import waste_table
from pipelines.finops.span_queries import DIMENSIONS


def build_span_page(data: ReportData, context: ReportContext) -> tuple[Page, list[Failure]]:
    """Word and round everything that was collected; and the sections that failed, which stand empty in the page."""
    sections = Sections()

    def table(name: str, make: Callable[[], Table]) -> Table:
        return sections.made(name, make, lacking(name))

    total = sections.made("figures of the days", lambda: moved.whole(data), None)
    no_days: tuple[Chart | None, Table] = (None, lacking("spend by day"))
    chart, history = sections.made("spend by day", lambda: _spend_by_day(data), no_days)
    page = Page(
        day=data.day,
        kind=data.span.kind,
        title=f"Model spend in {data.span.name}",
        links=context.links,
        mark=context.mark,
        is_sample=context.is_sample,
        headline=sections.made("headline", lambda: _headline(data, total), ""),
        incomplete=None,
        key_figures=sections.made("key figures", lambda: _key_figures(data, total), []),
        spend_chart=chart,
        history=history,
        moved=sections.made("what moved", lambda: moved.moved_section(data), None),
        cuts=[dimension_cut(data, dimension, table) for dimension in DIMENSIONS],
        bills=table("bills", lambda: bills.bills_table(data)),
        unpriced=table("what has no price", lambda: _unknown(data)),
        plan=sections.made("budgets, forecast and anomalies", lambda: plan_section(data), None),
        waste=table("what could have cost less", lambda: waste_table(data)),
        policies=table("projected saving", lambda: routing.month_table(data)),
    )
    return replace(page, incomplete=incomplete_section(context.incomplete, sections.failures)), sections.failures


def _spend_by_day(data: ReportData) -> tuple[Chart | None, Table]:
    found = stacks(data["days"], data.span.first, data.day)
    return spend_chart(found), history_table(found, data.sql["days"])


def _days_loaded(data: ReportData) -> int:
    return int(data["days"]["event_date"].n_unique())


def _headline(data: ReportData, total: dict[str, Any] | None) -> str:
    span = data.span
    when = fmt.capital(f"in {span.name}")
    if not span.is_whole:
        when += f", up to {fmt.long_day(span.last)},"
    if total is None or not total["requests"]:
        return f"No requests are loaded for {span.name}."
    made = f"{when} your applications made {fmt.plural(total['requests'], 'request')}"
    if total["cost_usd"] is None:
        return f"{made}; none of them could be priced."
    state = _books(data)
    closed = " The month is closed: these are the figures that were booked." if state and span.kind == "month" else ""
    return f"{made} for {fmt.dollars(total['cost_usd'])}.{closed}"


def _books(data: ReportData) -> dict[str, Any] | None:
    """What is booked of the closed months among the days; None if none is closed."""
    row: dict[str, Any] = data["books"].row(0, named=True)
    return row if row["closed_months"] else None


def _key_figures(data: ReportData, total: dict[str, Any] | None) -> list[KeyFigure]:
    """Spend with its comparisons, spend a day, what sellers should bill, volume, what is unknown, waste, and what was booked."""
    if total is None:
        return []
    query = f"spend-{moved.QUERY_AT}"
    days = _days_loaded(data)
    cost = total["cost_usd"]
    unknown = fmt.total(data["unknown"]["at_risk_usd"])
    tokens = total["input_tokens"] + total["output_tokens"]
    of_cost = fmt.total(data["waste"]["saving_usd"])
    figures = [
        KeyFigure(f"Spend of {data.span.name}", fmt.dollars(cost), _against(data), "cost", query),
        KeyFigure(
            "Spend a day",
            fmt.dollars(None if cost is None or not days else cost / days),
            [f"{days} of {data.span.days} days have requests"],
            "cost",
            "history",
        ),
        KeyFigure(
            "Expected on bills", fmt.dollars(total["billed_cost_usd"]), [f"{fmt.dollars(total['list_cost_usd'])} at list price"], "billed", query
        ),
        KeyFigure("Requests", fmt.count(total["requests"]), [f"{fmt.large(tokens)} tokens"], "tokens", query),
        KeyFigure(
            "Not priced",
            fmt.plural(total["unpriced_requests"], "request"),
            [f"may cost {fmt.dollars(unknown)} more" if unknown else "every request has a known cost" if not total["unpriced_requests"] else "what they cost is not known"],
            "unknown",
            "unpriced",
        ),
        KeyFigure("Could have cost less", fmt.dollars(of_cost or Decimal(0)), [f"{fmt.percent(fmt.share(of_cost, cost))} of the spend"] if of_cost else ["nothing was found"], "waste", "waste"),
    ]  # fmt: skip
    state = _books(data)
    return figures + (_booked(state) if state else [])


def _booked(state: dict[str, Any]) -> list[KeyFigure]:
    corrections = state["corrections_usd"]
    known = state["not_booked_usd"]
    return [
        KeyFigure("Corrections booked here", fmt.dollars(corrections or Decimal(0)), ["of months closed before, not in the spend above"], "booked"),
        KeyFigure("Known since it was closed", fmt.dollars(known, plus=True), ["not booked yet: modelmeter restate" if known else "nothing"], "booked"),
    ]  # fmt: skip


def _against(data: ReportData) -> list[str]:
    notes = []
    for number, earlier in enumerate(data.earlier):
        row = moved.whole(data, number)
        if row is None or row["cost_then_usd"] is None:
            notes.append(f"no spend known for {earlier.name}")
        else:
            change = fmt.percent(fmt.share(row["change_usd"], row["cost_then_usd"]), plus=True)
            notes.append(f"{change} on {earlier.name} ({fmt.dollars(row['cost_then_usd'])})")
    return notes


def _unknown(data: ReportData) -> Table:
    """What has no price by reason and model, and what it may cost."""
    rows = data["unknown"]
    decimals = fmt.scale_of(rows["at_risk_usd"])
    return Table(
        "unpriced",
        "What has no price, and what it may cost: as logged, or at the average price of a token of these days",
        [
            text_column("Model"),
            text_column("Seller"),
            text_column("Why"),
            number_column("Requests"),
            number_column("Tokens"),
            number_column("Logged", "USD"),
            number_column("May cost", "USD"),
        ],
        [
            [
                text_cell(row["model_id"]),
                text_cell(row["provider_id"]),
                text_cell(REASONS[row["reason"]]),
                count_cell(row["requests"]),
                count_cell(row["tokens"]),
                amount_cell(row["logged_cost_usd"], decimals),
                amount_cell(row["at_risk_usd"], decimals),
            ]
            for row in rows.iter_rows(named=True)
        ],
        [
            Cell("Total"), Cell(""), Cell(""), count_cell(int(rows["requests"].sum())), count_cell(int(rows["tokens"].sum())),
            amount_cell(fmt.total(rows["logged_cost_usd"]), decimals), amount_cell(fmt.total(rows["at_risk_usd"]), decimals),
        ],
        empty="Every request has a known cost.",
        sql=data.sql["unknown"],
    )  # fmt: skip
