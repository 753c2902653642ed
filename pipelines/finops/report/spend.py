"""The spend sections: the sentence at the top, the key figures, and the tables by model, by team and by project.

Postgres makes the sums, exactly; this module rounds them and puts them into words. The charts and the table by day are in
`charts.py`, requests without a price in `coverage.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from pipelines.config.allocation import UNATTRIBUTED
from pipelines.finops import format as fmt
from pipelines.finops.queries import Cut
from pipelines.finops.report.collect import ReportData
from pipelines.finops.report.context import Incomplete
from pipelines.finops.report.tables import (
    Cell,
    Column,
    KeyFigure,
    Table,
    count_cell,
    money_cell,
    number_column,
    share_cell,
    text_cell,
    text_column,
)

UNRESOLVED_PREFIX = "unresolved: "
_OPENNESS = {"open_source": "open source", "open_weight": "open weights", "closed": "closed", "unknown": "not known"}
_MTOK = Decimal(10) ** 6
_BLANK = Cell("")


@dataclass(frozen=True)
class DayTotals:
    """The day in numbers; `spend` is None if nothing is priced, `logged_only` (USD that logs state for unpriced requests)
    where no log states any."""

    requests: int
    priced: int
    unpriced: int
    input_tokens: int
    output_tokens: int
    spend: Decimal | None
    list_cost: Decimal | None
    logged_only: Decimal | None
    models: int
    unresolved_names: int


NO_TOTALS = DayTotals(0, 0, 0, 0, 0, None, None, None, 0, 0)
"""Nothing is known of the day."""


def day_totals(data: ReportData) -> DayTotals:
    """Sums over the models of the day."""
    models = data["models"]
    resolved = models.filter(~pl.col("model_id").str.starts_with(UNRESOLVED_PREFIX))
    names = models.filter(pl.col("model_id").str.starts_with(UNRESOLVED_PREFIX))["model_id"]
    return DayTotals(
        requests=int(models["requests"].sum()),
        priced=int(models["priced_requests"].sum()),
        unpriced=int(models["unpriced_requests"].sum()),
        input_tokens=int(models["input_tokens"].sum()),
        output_tokens=int(models["output_tokens"].sum()),
        spend=fmt.total(models["effective_cost_usd"]),
        list_cost=fmt.total(models["list_cost_usd"]),
        logged_only=fmt.total(models["logged_only_cost_usd"]),
        models=resolved["model_id"].n_unique(),
        unresolved_names=names.n_unique(),
    )


def headline(day: date, totals: DayTotals, incomplete: Incomplete | None = None) -> str:
    """The day in one sentence; in two, where its figures are not of this run."""
    if incomplete and incomplete.lacks("mart.daily_model_spend"):
        if not totals.requests:
            return f"What was spent on {fmt.long_day(day)} is not known yet: the run failed before it was computed."
        return f"{headline(day, totals)} These are the figures of an earlier run: this one failed before it could update them."
    if totals is NO_TOTALS:
        return f"What was spent on {fmt.long_day(day)} could not be read."
    if not totals.requests:
        return (
            f"No requests are loaded for {fmt.long_day(day)}. Either none were made, or no log of that day has arrived."
        )
    made = f"On {fmt.long_day(day)} your applications made {fmt.plural(totals.requests, 'request')} to {fmt.plural(totals.models, 'model')}"
    if totals.spend is None:
        return f"{made}; none of them could be priced."
    priced = fmt.percent(fmt.share(totals.priced, totals.requests))
    return f"{made} for {fmt.dollars(totals.spend)}; {priced} of them are priced."


def key_figures(data: ReportData, totals: DayTotals, saving: KeyFigure) -> list[KeyFigure]:
    """Spend of the day and of the month, requests, tokens, priced share, unpriced requests, projected saving."""
    month = data["month"].row(0, named=True)
    month_notes = [f"{month['days']} of {data.day.day} days of {fmt.month(data.day)} have requests"]
    if month["unpriced_requests"]:
        month_notes.append(f"without {fmt.plural(month['unpriced_requests'], 'unpriced request')}")
    spend_notes = [_against(data, totals.spend, 1), _against(data, totals.spend, 7)]
    if totals.spend is not None and totals.list_cost != totals.spend:
        spend_notes.append(f"{fmt.dollars(totals.list_cost)} at list price")
    teams = data["teams"].filter(pl.col("team") != UNATTRIBUTED).height
    unpriced_note = "every request has a known cost"
    if totals.unpriced:
        unpriced_note = (
            "their cost is missing from every sum" if totals.unpriced > 1 else "its cost is missing from every sum"
        )
    if totals.logged_only is not None:
        unpriced_note += f"; their logs say {fmt.dollars(totals.logged_only)}"
    return [
        KeyFigure("Spend of the day", fmt.dollars(totals.spend), spend_notes, "cost", "models"),
        KeyFigure("Month to date", fmt.dollars(month["effective_cost_usd"]), month_notes, "cost", "history"),
        KeyFigure(
            "Requests",
            fmt.count(totals.requests),
            [f"{fmt.plural(totals.models, 'model')}, {fmt.plural(teams, 'team')}"],
            "day",
            "models",
        ),
        KeyFigure(
            "Tokens",
            fmt.large(totals.input_tokens + totals.output_tokens),
            [f"{fmt.large(totals.input_tokens)} in, {fmt.large(totals.output_tokens)} out"],
            "tokens",
            "models",
        ),
        KeyFigure(
            "Priced",
            fmt.percent(fmt.share(totals.priced, totals.requests)),
            [f"{fmt.plural(totals.priced, 'request')}, free ones included"],
            "unknown",
            "coverage",
        ),
        KeyFigure(
            "Unpriced requests",
            fmt.count(totals.unpriced),
            [unpriced_note if totals.requests else ""],
            "unknown",
            "unpriced",
        ),
        saving,
    ]


@dataclass(frozen=True)
class Extra:
    """A column that only some tables of spend have: its heading, its cell in a row, and its cell in the row of totals."""

    column: Column
    cell: Callable[[dict[str, Any]], Cell]
    total: Cell = _BLANK


def spend_table(
    data: ReportData,
    table_id: str,
    column: str,
    *,
    title: str,
    described: Sequence[Extra] = (),
    compared: Sequence[Extra],
) -> Table:
    """One row per value of `column` of the query `table_id`: cost, share, `described`, volume, `compared`, in this order."""
    frame = data[table_id]
    spend = fmt.total(frame["effective_cost_usd"])
    decimals = fmt.decimals_for(frame["effective_cost_usd"])
    rows = [
        [
            text_cell(row[column]),
            money_cell(row["effective_cost_usd"], decimals),
            share_cell(fmt.share(row["effective_cost_usd"], spend), bar=True),
            *(extra.cell(row) for extra in described),
            *(count_cell(row[name]) for name in _VOLUME),
            *(extra.cell(row) for extra in compared),
        ]
        for row in frame.iter_rows(named=True)
    ]
    foot = [
        Cell("Total"),
        money_cell(spend, decimals),
        Cell(fmt.percent(1.0) if spend else fmt.NONE),
        *(extra.total for extra in described),
        *(count_cell(int(frame[name].sum())) for name in _VOLUME),
        *(extra.total for extra in compared),
    ]
    columns = [
        text_column(title),
        number_column("Cost", "USD"),
        number_column("Share of cost", "%"),
        *(extra.column for extra in described),
        *(number_column(heading) for heading in _VOLUME.values()),
        *(extra.column for extra in compared),
    ]
    caption = f"Spend by {title.lower()} on {fmt.long_day(data.day)}"
    return Table(table_id, caption, columns, rows, foot, "No requests on this day.", data.sql[table_id])


def models_table(data: ReportData) -> Table:
    """One row per provider and model of the day."""
    reported = {(row["provider_id"], row["model_id"]): row for row in data["reported"].iter_rows(named=True)}
    return spend_table(
        data,
        "models",
        "model_id",
        title="Model",
        described=[
            Extra(text_column("Provider"), lambda row: text_cell(row["provider_id"])),
            Extra(text_column("Openness"), lambda row: text_cell(_OPENNESS[row["openness"]])),
        ],
        compared=[
            Extra(number_column("Cost per million tokens", "USD"), _unit_cost),
            _logged_only(data["models"]),
            Extra(
                number_column("Reported less ours", "USD"),
                lambda row: _reported_cell(reported.get((row["provider_id"], row["model_id"]))),
                _reported_cell(_reported_total(data["reported"])),
            ),
        ],
    )


@dataclass(frozen=True)
class CutSection:
    """A section of spend by something else than the model; `name` is its entry in the table of contents."""

    id: str
    name: str
    title: str
    sentence: str
    table: Table


def cut_table(data: ReportData, cut: Cut) -> Table:
    """One row per team, project or whatever the cut is by; requests that name none are the visible line unattributed."""
    return spend_table(data, cut.id, cut.column, title=cut.column.capitalize(), compared=[_logged_only(data[cut.id])])


def unattributed_sentence(data: ReportData, cut: Cut) -> str:
    """How many requests name no team, no project or whatever the cut is by."""
    return named_sentence(data[cut.id], cut.column, cut.column)


def named_sentence(frame: pl.DataFrame, column: str, title: str) -> str:
    """How many requests of a table of spend have no name in `column`."""
    total, without = (int(rows["requests"].sum()) for rows in (frame, frame.filter(pl.col(column) == UNATTRIBUTED)))
    if not without:
        return f"Every request names its {title}." if total else ""
    return (
        f"{fmt.plural(without, 'request')} ({fmt.percent(fmt.share(without, total))}) name no {title} and are listed as "
        "“unattributed”; rules in attribution.yaml can give them one."
    )


def reported_sentence(data: ReportData) -> str:
    """How our costs compare with those that gateways logged for the same requests."""
    row = _reported_total(data["reported"])
    if row is None:
        return "No gateway logged a cost of its own for a request that is priced here."
    difference = fmt.less(row["reported_cost_usd"], row["effective_cost_usd"])
    text = (
        f"Gateways logged a cost of their own for {fmt.plural(row['requests'], 'priced request')}: "
        f"{fmt.dollars(row['reported_cost_usd'])}, against {fmt.dollars(row['effective_cost_usd'])} here"
    )
    if not row["differing_requests"]:
        return f"{text}. They agree on every request."
    return f"{text} ({fmt.money(difference, plus=True)} USD); {fmt.plural(row['differing_requests'], 'request differs', 'requests differ')}."


def differences_table(data: ReportData) -> Table:
    """Why logs state other costs than ours, for some requests of each seller's model that differs, as far as it can be known."""
    reasons = data["differing"].to_dicts()
    amounts = [(one["reported_cost_usd"], one["effective_cost_usd"]) for one in reasons]
    decimals = fmt.decimals_for([fmt.less(logged, ours) for logged, ours in amounts])
    rows = [
        [
            text_cell(one["model_id"]),
            text_cell(one["provider_id"]),
            text_cell(one["why"]),
            count_cell(one["requests"]),
            money_cell(one["reported_cost_usd"], decimals),
            money_cell(one["effective_cost_usd"], decimals),
            money_cell(fmt.less(one["reported_cost_usd"], one["effective_cost_usd"]), decimals, plus=True),
        ]
        for one in reasons
    ]
    return Table(
        "differences",
        "What explains the amounts that logs state, for up to 40 requests of each of the 20 models that differ most",
        [
            text_column("Model"),
            text_column("Provider"),
            text_column("What the log states is"),
            number_column("Requests"),
            number_column("Logged", "USD"),
            number_column("Here", "USD"),
            number_column("Logged less ours", "USD"),
        ],
        rows,
        empty="No logged cost differs from ours.",
        sql=data.sql["differing"],
    )


def openness_sentence(data: ReportData, totals: DayTotals) -> str:
    """What open models did and what they took; empty on a day without spend."""
    if not totals.spend:
        return ""
    is_open = data["models"].filter(pl.col("openness").is_in(["open_source", "open_weight"]))
    requests = fmt.percent(fmt.share(int(is_open["requests"].sum()), totals.requests))
    spend = fmt.percent(fmt.share(fmt.total(is_open["effective_cost_usd"]) or Decimal(0), totals.spend))
    return f"Open models served {requests} of the requests and took {spend} of the spend."


_VOLUME = {
    "requests": "Requests",
    "unpriced_requests": "Unpriced",
    "input_tokens": "Tokens in",
    "output_tokens": "Tokens out",
}
"""The columns of volume of every table of spend, with their headings."""


def _logged_only(frame: pl.DataFrame) -> Extra:
    """What logs state for requests without a price."""
    amounts = frame["logged_only_cost_usd"]
    decimals = fmt.decimals_for(amounts)
    return Extra(
        number_column("Logged, without a price", "USD"),
        lambda row: money_cell(row["logged_only_cost_usd"], decimals),
        money_cell(fmt.total(amounts), decimals),
    )


def _unit_cost(row: dict[str, Any]) -> Cell:
    """USD per million tokens; not shown where part of the tokens has no price."""
    tokens = row["input_tokens"] + row["output_tokens"]
    if row["unpriced_requests"] or not tokens or row["effective_cost_usd"] is None:
        return Cell(fmt.NONE)
    value = row["effective_cost_usd"] / tokens * _MTOK
    return money_cell(value, 2 if value >= Decimal("0.01") else 4)


def _reported_cell(row: dict[str, Any] | None) -> Cell:
    if row is None:
        return Cell(fmt.NONE)
    difference = fmt.less(row["reported_cost_usd"], row["effective_cost_usd"])
    return money_cell(
        difference, fmt.decimals_for([difference]), note=f"{fmt.count(row['requests'])} compared", plus=True
    )


def _reported_total(frame: pl.DataFrame) -> dict[str, Any] | None:
    if frame.is_empty():
        return None
    sums: dict[str, Any] = {name: int(frame[name].sum()) for name in ("requests", "differing_requests")}
    return sums | {name: fmt.total(frame[name]) for name in ("reported_cost_usd", "effective_cost_usd")}


def _against(data: ReportData, spend: Decimal | None, days: int) -> str:
    """The day's spend against that of an earlier day."""
    then = data.day - timedelta(days=days)
    name = "the day before" if days == 1 else f"the {fmt.weekday(then)} before"
    earlier = fmt.total(data["history"].filter(pl.col("event_date") == then)["effective_cost_usd"])
    if earlier is None:
        return f"no spend known for {name}"
    amount = fmt.dollars(earlier)
    if spend is None or not earlier:
        return f"{amount} {name}"
    change = fmt.less(spend, earlier)
    if not change:
        return f"as much as {name} ({amount})"
    return f"{fmt.percent(fmt.share(change, earlier), plus=True)} on {name} ({amount})"
