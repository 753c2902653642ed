"""The section on hybrid routing, for someone who has to decide: every policy in one table, then the headline in full.

The headline comes with its waterfall, what it rests on and what would turn it around; the frontier shows what else could be
had. The other policies are folded below.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import polars as pl

from pipelines.finops import format as fmt
from pipelines.finops.report.charts import Chart
from pipelines.finops.report.collect import ReportData
from pipelines.finops.report.projection import (
    Assumption,
    Projection,
    baseline_words,
    by_policy,
    projection,
    range_words,
    stated_assumptions,
    total_row,
)
from pipelines.finops.report.routing_charts import FrontierPoint, frontier_chart, waterfall_chart
from pipelines.finops.report.routing_evidence import (
    MEASURES,
    claims_table,
    measured_table,
    moves_table,
    off_policy_table,
    self_hosting_table,
)
from pipelines.finops.report.tables import (
    Cell,
    Table,
    count_cell,
    money_cell,
    number_column,
    share_cell,
    text_cell,
    text_column,
)

_EMPTY = Table("", "", [], [])


@dataclass(frozen=True)
class Headline:
    """The policy that routing.yaml puts first, against one baseline, with its waterfall where it is known."""

    item: Projection
    waterfall: Chart | None


@dataclass(frozen=True)
class RoutingSection:
    """All projections of the day and the assumptions that they share, and the frontier."""

    overview: Table
    month: Table = _EMPTY
    measure_next: Table = _EMPTY
    moves: Table = _EMPTY
    measured: Table = _EMPTY
    off_policy: Table = _EMPTY
    self_hosting: Table = _EMPTY
    claims: Table = _EMPTY
    headlines: Sequence[Headline] = ()
    others: Sequence[Projection] = ()
    shared: Sequence[Assumption] = ()
    frontier: Table | None = None
    frontier_chart: Chart | None = None
    sql: str = ""


def routing_section(data: ReportData) -> RoutingSection:
    """One item per policy and baseline, in the order of the table."""
    groups = by_policy(data["projection"])
    stated = [stated_assumptions(total_row(group)) for group in groups]
    shared = [item for item in stated[0] if all(item in other for other in stated[1:])] if len(stated) > 1 else []
    items = [
        (bool(total_row(group)["is_headline"]), projection(group, [item for item in own if item not in shared]))
        for group, own in zip(groups, stated, strict=True)
    ]
    points = data["frontier"]
    drawn = points.filter(pl.col("cost_usd").is_not_null())
    return RoutingSection(
        _overview(
            "policies", "What each policy would have saved on the day", data["routing_day"], data.sql["routing_day"]
        ),
        _month(data["routing_month"], data.sql["routing_month"], least=2),
        _measure_next(data["measure_next"], data.sql["measure_next"]),
        moves_table(data),
        measured_table(data),
        off_policy_table(data),
        self_hosting_table(data),
        claims_table(data),
        [Headline(item, _waterfall(item)) for is_headline, item in items if is_headline],
        [item for is_headline, item in items if not is_headline],
        shared,
        None if points.is_empty() else _frontier(points, data.sql["frontier"]),
        None if drawn.is_empty() else frontier_chart([_point(row) for row in drawn.iter_rows(named=True)]),
        data.sql["projection"],
    )


def _waterfall(item: Projection) -> Chart | None:
    return waterfall_chart(item.steps, item.title) if len(item.steps) > 2 else None


def _overview(table_id: str, caption: str, rows: pl.DataFrame, sql: str) -> Table:
    """One row per policy and baseline: saving, quality, how likely the trade's claim is, and what two simple methods would say."""
    decimals = fmt.decimals_for(rows["saving_usd"])
    return Table(
        table_id,
        f"{caption}. A projection, not a measurement; small figures are 95 % intervals.",
        [
            text_column("Policy"),
            number_column("Saving", "USD"),
            number_column("Saving", "%"),
            number_column("Quality kept", "%"),
            number_column("Chance of saving 85 %"),
            number_column("Chance of keeping 95 %"),
            number_column("Chance of both"),
            text_column("Best single cheap model"),
            text_column("Same tokens on the dearest model"),
        ],
        [_policy_row(group, decimals) for group in by_policy(rows)],
        sql=sql,
    )


def _policy_row(group: pl.DataFrame, decimals: int) -> list[Cell]:
    """A policy against a baseline from its row of each method."""
    by_method = {row["method"]: row for row in group.iter_rows(named=True)}
    row = by_method["policy"]
    reason = row["not_projected_reason"] if row["saving_usd"] is None else None
    against = f"against {baseline_words(row['baseline'])}; evidence {row['evidence_grade'] or fmt.NONE}"
    return [
        text_cell(row["policy"], note=f"{against}: {_few(reason)}" if reason else against),
        money_cell(row["saving_usd"], decimals),
        replace(
            share_cell(row["saving_share"] if row["saving_usd"] is not None else None),
            note=range_words(row, "saving_share"),
        ),
        replace(share_cell(row["quality_retained"]), note=range_words(row, "quality_retained")),
        share_cell(row["probability_saving_85"]),
        share_cell(row["probability_quality_95"]),
        share_cell(row["probability_both"]),
        _model_cell(by_method.get("best_single_cheap")),
        _model_cell(by_method.get("same_tokens_dearest")),
    ]


def _model_cell(row: Mapping[str, Any] | None) -> Cell:
    """The model on which a method puts all traffic, with what that would save and keep; why there is none."""
    if row is None:
        return Cell(fmt.NONE)
    if row["saving_usd"] is None:
        return Cell("none", note=_few(row["not_projected_reason"] or "", most=1))
    share = row["saving_share"]
    if share is None:
        return Cell(row["model_id"] or "none", note="the traffic costs nothing")
    interval = range_words(row, "saving_share")
    change = f"saves {fmt.percent(share)}" if share >= 0 else f"costs {fmt.percent(-share)} more"
    saving = change + (f" (saving {interval})" if interval and share < 0 else f" ({interval})" if interval else "")
    quality = "" if row["quality_retained"] is None else f"; quality {fmt.percent(row['quality_retained'])}"
    return Cell(row["model_id"], f"{share:f}", note=f"{saving}{quality}")


def _few(reasons: str, most: int = 2) -> str:
    """The first of several reasons; one for each model that was considered fills a page."""
    each = reasons.split("; ")
    return "; ".join(each[:most]) + (f"; and {len(each) - most} more, in the query" if len(each) > most else "")


def month_table(data: ReportData) -> Table:
    """Every policy over the loaded days of the last month of the page."""
    return _month(data["routing_month"], data.sql["routing_month"], least=1)


def _month(rows: pl.DataFrame, sql: str, *, least: int) -> Table:
    """The same of the month up to the day; no rows where it holds fewer days than `least`."""
    if rows.is_empty() or rows["days"].to_list()[0] < least:
        return Table("policies-month", "", [], [])
    through, days = rows.row(0, named=True)["through"], int(rows["days"].to_list()[0])
    caption = f"The {days} loaded days of {fmt.month(through)} up to {fmt.short_day(through)} together"
    return _overview("policies-month", caption, rows, sql)


def _measure_next(rows: pl.DataFrame, sql: str) -> Table:
    """Which shadow runs narrow the intervals most, and what they would cost."""
    decimals = fmt.decimals_for(rows["cost_usd"])
    return Table(
        "measure-next",
        "What to measure next: the runs that narrow a policy's 95 % interval most, and the pairs of requests for plus or minus 5 points.",
        [
            text_column("Policy"),
            text_column("Measure"),
            number_column("Narrows the interval by", "points"),
            number_column("Pairs needed"),
            number_column("Cost of the pairs", "USD"),
        ],
        [
            [
                text_cell(row["policy"], note=f"against {baseline_words(row['baseline'])}"),
                text_cell(
                    f"{MEASURES[row['measure']]} of {row['model_id']}",
                    note=f"{_pairing(row)}; {row['pairs_basis']}{_no_cost(row)}",
                ),
                Cell(f"{100 * row['narrows_by']:.0f}", f"{row['narrows_by']:f}"),
                count_cell(row["pairs_needed"]),
                money_cell(row["cost_usd"], decimals),
            ]
            for row in rows.iter_rows(named=True)
        ],
        sql=sql,
    )


def _pairing(row: Mapping[str, Any]) -> str:
    return f"paired with {row['against_model_id']}" if row["against_model_id"] else "scored by gold or judge"


def _no_cost(row: Mapping[str, Any]) -> str:
    return "" if row["no_cost_reason"] is None else f"; no cost: {row['no_cost_reason']}"


def _point(row: Mapping[str, Any]) -> FrontierPoint:
    name = "" if str(row["point"]).startswith("frontier-") else str(row["point"])
    return FrontierPoint(row["cost_usd"], row["quality"], name, row["is_on_hull"])


def _frontier(points: pl.DataFrame, sql: str) -> Table:
    """Each model alone, and every fifth point of the cheapest mixtures, by rising quality; at last what can't serve all alone."""
    mixed = points.filter(~pl.col("is_single"))
    alone = points.filter(~pl.col("point").str.starts_with("frontier-"))
    shown = pl.concat([alone, mixed.gather_every(5)]).sort(
        pl.col("not_eligible_reason").is_not_null(), "quality", "cost_usd", nulls_last=True, maintain_order=True
    )
    decimals = fmt.decimals_for(Decimal(str(cost)) for cost in shown["cost_usd"].drop_nulls())
    rows = [
        [
            text_cell("mixture" if not row["is_single"] else row["point"], note=_mixture(row)),
            share_cell(row["quality"]),
            share_cell(row["quality_retained"]),
            money_cell(None if row["cost_usd"] is None else Decimal(repr(row["cost_usd"])), decimals),
            share_cell(row["saving_share"]),
            text_cell(_verdict(row)),
        ]
        for row in shown.iter_rows(named=True)
    ]
    return Table(
        "routing-frontier",
        f"The cheapest way to each quality, by the scores of {points['benchmark_version_id'][0]}. No interval; not a measurement.",
        [
            text_column("All traffic on"),
            number_column("Tasks solved", "%"),
            number_column("Quality kept", "%"),
            number_column("Cost", "USD"),
            number_column("Saving", "%"),
            text_column("Cheapest for its quality"),
        ],
        rows,
        sql=sql,
    )


def _verdict(row: Mapping[str, Any]) -> str:
    if row["not_eligible_reason"] is not None:
        return f"not alone: {row['not_eligible_reason']}"
    return "yes" if row["is_on_hull"] else "no: a mixture is as good and cheaper"


def _mixture(row: Mapping[str, Any]) -> str:
    if row["is_single"]:
        return ""
    return ", ".join(f"{fmt.percent(share)} {offer}" for offer, share in json.loads(row["shares"]).items())
