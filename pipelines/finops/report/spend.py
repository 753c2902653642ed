"""The spend sections: the sentence at the top, the key figures, and the tables by model, by team and by day.

Sums come exact from Postgres; here rows are rounded so that they add up and put into words. Charts are in `charts.py`,
what has no price is in `coverage.py` beside this module.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from pipelines.finops import format as fmt
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
from pipelines.prices.logged_cost import why_logged_differs

UNRESOLVED_PREFIX = "unresolved: "
_OPENNESS = {"open_source": "open source", "open_weight": "open weights", "closed": "closed", "unknown": "not known"}
_MTOK = Decimal(10) ** 6


@dataclass(frozen=True)
class DayTotals:
    """The day in numbers; `spend` is None where nothing is priced, `logged_only` (USD that logs state for unpriced requests)
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
        return f"{headline(day, totals)} These are the figures of an earlier run: this one failed before it made them anew."
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
    return f"{made} for {fmt.money(totals.spend, sign='$')}; {priced} of them are priced."


def key_figures(data: ReportData, totals: DayTotals, saving: KeyFigure) -> list[KeyFigure]:
    """Spend of the day and of the month, requests, tokens, priced share, unpriced requests, projected saving."""
    month = data["month"].row(0, named=True)
    month_notes = [f"{month['days']} of {data.day.day} days of {fmt.month(data.day)} have requests"]
    if month["unpriced_requests"]:
        month_notes.append(f"without {fmt.plural(month['unpriced_requests'], 'unpriced request')}")
    spend_notes = [_against(data, totals.spend, 1), _against(data, totals.spend, 7)]
    if totals.spend is not None and totals.list_cost != totals.spend:
        spend_notes.append(f"{fmt.money(totals.list_cost, sign='$')} at list price")
    teams = data["teams"].filter(pl.col("team") != "unattributed").height
    unpriced_note = "every request has a known cost"
    if totals.unpriced:
        unpriced_note = (
            "their cost is missing from every sum" if totals.unpriced > 1 else "its cost is missing from every sum"
        )
    if totals.logged_only is not None:
        unpriced_note += f"; their logs say {fmt.money(totals.logged_only, sign='$')}"
    return [
        KeyFigure("Spend of the day", _usd(totals.spend), spend_notes),
        KeyFigure("Month to date", _usd(month["effective_cost_usd"]), month_notes),
        KeyFigure(
            "Requests",
            fmt.count(totals.requests),
            [f"{fmt.plural(totals.models, 'model')}, {fmt.plural(teams, 'team')}"],
        ),
        KeyFigure(
            "Tokens",
            fmt.large(totals.input_tokens + totals.output_tokens),
            [f"{fmt.large(totals.input_tokens)} in, {fmt.large(totals.output_tokens)} out"],
        ),
        KeyFigure(
            "Priced",
            fmt.percent(fmt.share(totals.priced, totals.requests)),
            [f"{fmt.plural(totals.priced, 'request')}, free ones included"],
        ),
        KeyFigure("Unpriced requests", fmt.count(totals.unpriced), [unpriced_note if totals.requests else ""]),
        saving,
    ]


def models_table(data: ReportData, totals: DayTotals) -> Table:
    """One row per provider and model of the day."""
    frame = data["models"]
    costs = frame["effective_cost_usd"].to_list()
    decimals = fmt.decimals_for(costs)
    reported = {(row["provider_id"], row["model_id"]): row for row in data["reported"].iter_rows(named=True)}
    sums = _volume_sums(frame)
    logged_decimals = fmt.decimals_for(frame["logged_only_cost_usd"])
    rows = []
    for row in frame.iter_rows(named=True):
        exact = row["effective_cost_usd"]
        rows.append(
            [
                text_cell(row["model_id"]),
                money_cell(exact, decimals),
                share_cell(fmt.share(exact, totals.spend), bar=True),
                text_cell(row["provider_id"]),
                text_cell(_OPENNESS[row["openness"]]),
                *_volume(row),
                _unit_cost(row),
                money_cell(row["logged_only_cost_usd"], logged_decimals),
                _reported_cell(reported.get((row["provider_id"], row["model_id"]))),
            ]
        )
    return Table(
        "models",
        f"Spend by model on {fmt.long_day(data.day)}",
        [
            text_column("Model"),
            *_COST_COLUMNS,
            text_column("Provider"),
            text_column("Openness"),
            *_VOLUME_COLUMNS,
            number_column("Cost per million tokens", "USD"),
            number_column("Logged, without a price", "USD"),
            number_column("Reported less ours", "USD"),
        ],
        rows,
        [
            Cell("Total"),
            *_cost_foot(totals.spend, decimals),
            Cell(""),
            Cell(""),
            *_volume(sums),
            Cell(""),
            money_cell(totals.logged_only, logged_decimals),
            _reported_cell(_reported_total(data["reported"])),
        ],
        "No requests on this day.",
        data.sql["models"],
    )


def reported_sentence(data: ReportData) -> str:
    """How our costs compare with those that gateways logged for the same requests."""
    row = _reported_total(data["reported"])
    if row is None:
        return "No gateway logged a cost of its own for a request that is priced here."
    difference = fmt.less(row["reported_cost_usd"], row["effective_cost_usd"])
    text = (
        f"Gateways logged a cost of their own for {fmt.plural(row['requests'], 'priced request')}: "
        f"{_usd(row['reported_cost_usd'])}, against {_usd(row['effective_cost_usd'])} here"
    )
    if not row["differing_requests"]:
        return f"{text}. They agree on every request."
    return f"{text} ({fmt.money(difference, plus=True)} USD); {fmt.plural(row['differing_requests'], 'request differs', 'requests differ')}."


def differences_table(data: ReportData) -> Table:
    """Why logs state other costs than ours, for some requests of each seller's model that differs, as far as it can be known."""
    frame = data["differing"]
    told = why_logged_differs(frame, data["cards"]).to_dicts() if frame.height else []
    amounts = [(one["reported_cost_usd"], one["effective_cost_usd"]) for one in told]
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
        for one in told
    ]
    return Table(
        "differences",
        "What gives the amounts that logs state, for up to 40 requests of each of the 20 models that differ most",
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


def teams_table(data: ReportData, totals: DayTotals) -> Table:
    """One row per team; requests without a team are the visible line unattributed."""
    frame = data["teams"]
    costs = frame["effective_cost_usd"].to_list()
    decimals = fmt.decimals_for(costs)
    logged_decimals = fmt.decimals_for(frame["logged_only_cost_usd"])
    rows = [
        [
            text_cell(row["team"]),
            money_cell(row["effective_cost_usd"], decimals),
            share_cell(fmt.share(row["effective_cost_usd"], totals.spend), bar=True),
            *_volume(row),
            money_cell(row["logged_only_cost_usd"], logged_decimals),
        ]
        for row in frame.iter_rows(named=True)
    ]
    return Table(
        "teams",
        f"Spend by team on {fmt.long_day(data.day)}",
        [text_column("Team"), *_COST_COLUMNS, *_VOLUME_COLUMNS, number_column("Logged, without a price", "USD")],
        rows,
        [
            Cell("Total"),
            *_cost_foot(fmt.total(costs), decimals),
            *_volume(_volume_sums(frame)),
            money_cell(totals.logged_only, logged_decimals),
        ],
        "No requests on this day.",
        data.sql["teams"],
    )


def unattributed_sentence(data: ReportData, totals: DayTotals) -> str:
    """How much no team pays for."""
    rows = data["teams"].filter(pl.col("team") == "unattributed").to_dicts()
    if not rows:
        return "Every request is attributed to a team." if totals.requests else ""
    share = fmt.percent(fmt.share(rows[0]["requests"], totals.requests))
    return (
        f"{fmt.plural(rows[0]['requests'], 'request')} ({share}) name no team and stand under “unattributed”; "
        "rules in attribution.yaml can give them one."
    )


_COST_COLUMNS = (number_column("Cost", "USD"), number_column("Share of cost", "%"))
_VOLUME = ("requests", "unpriced_requests", "input_tokens", "output_tokens")
_VOLUME_COLUMNS: tuple[Column, ...] = (
    number_column("Requests"),
    number_column("Unpriced"),
    number_column("Tokens in"),
    number_column("Tokens out"),
)


def _volume(row: dict[str, Any]) -> Sequence[Cell]:
    return [count_cell(row[name]) for name in _VOLUME]


def _volume_sums(frame: pl.DataFrame) -> dict[str, int]:
    return {name: int(frame[name].sum()) for name in _VOLUME}


def _cost_foot(spend: Decimal | None, decimals: int) -> Sequence[Cell]:
    return [money_cell(spend, decimals), Cell(fmt.percent(1.0) if spend else fmt.NONE)]


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
    """The day's spend beside that of an earlier day."""
    then = data.day - timedelta(days=days)
    name = "the day before" if days == 1 else f"the {fmt.weekday(then)} before"
    earlier = fmt.total(data["history"].filter(pl.col("event_date") == then)["effective_cost_usd"])
    if earlier is None:
        return f"no spend known for {name}"
    amount = fmt.money(earlier, sign="$")
    if spend is None or not earlier:
        return f"{amount} {name}"
    change = fmt.less(spend, earlier)
    return f"{fmt.percent(fmt.share(change, earlier), plus=True)} on {name} ({amount})"


def _usd(value: Decimal | None) -> str:
    return fmt.money(value, sign="$")
