"""The section on hybrid routing, for someone who has to decide: every policy in one table, then the headline in full.

The headline comes with its waterfall, what it rests on and what would turn it around; the frontier shows what else could be
had. The other policies are folded below.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
    range_cell,
    stated_assumptions,
    total_row,
)
from pipelines.finops.report.routing_charts import FrontierPoint, frontier_chart, waterfall_chart
from pipelines.finops.report.tables import Cell, Table, money_cell, number_column, share_cell, text_cell, text_column


@dataclass(frozen=True)
class Headline:
    """The policy that routing.yaml puts first, against one baseline, with its waterfall where it is known."""

    item: Projection
    waterfall: Chart | None


@dataclass(frozen=True)
class RoutingSection:
    """All projections of the day and the assumptions that they share, and the frontier."""

    overview: Table
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
    return RoutingSection(
        _overview([total_row(group) for group in groups]),
        [Headline(item, _waterfall(item)) for is_headline, item in items if is_headline],
        [item for is_headline, item in items if not is_headline],
        shared,
        None if points.is_empty() else _frontier(points, data.sql["frontier"]),
        None if points.is_empty() else frontier_chart([_point(row) for row in points.iter_rows(named=True)]),
        data.sql["projection"],
    )


def _waterfall(item: Projection) -> Chart | None:
    return waterfall_chart(item.steps, item.title) if len(item.steps) > 2 else None


def _overview(totals: Sequence[Mapping[str, Any]]) -> Table:
    """One row per policy and baseline: saving, quality, and how likely the trade's claim is."""
    decimals = fmt.decimals_for(total["saving_usd"] for total in totals)
    rows = [
        [
            text_cell(total["policy"], note=f"against {baseline_words(total['baseline'])}"),
            money_cell(total["saving_usd"], decimals),
            share_cell(total["saving_share"] if total["saving_usd"] is not None else None),
            range_cell(total, "saving_share"),
            share_cell(total["quality_retained"]),
            range_cell(total, "quality_retained"),
            share_cell(total["probability_saving_85"]),
            share_cell(total["probability_quality_95"]),
            share_cell(total["probability_both"]),
            Cell(total["evidence_grade"] or fmt.NONE),
        ]
        for total in totals
    ]
    return Table(
        "policies",
        "What each policy would have saved on the day. A projection, not a measurement.",
        [
            text_column("Policy"),
            number_column("Saving", "USD"),
            number_column("Saving", "%"),
            number_column("95 % interval", "%"),
            number_column("Quality kept", "%"),
            number_column("95 % interval", "%"),
            number_column("Chance of saving 85 %", "%"),
            number_column("Chance of keeping 95 %", "%"),
            number_column("Chance of both", "%"),
            text_column("Evidence"),
        ],
        rows,
    )


def _point(row: Mapping[str, Any]) -> FrontierPoint:
    name = "" if str(row["point"]).startswith("frontier-") else str(row["point"])
    return FrontierPoint(row["cost_usd"], row["quality"], name, row["is_on_hull"])


def _frontier(points: pl.DataFrame, sql: str) -> Table:
    """Each model alone, and every fifth point of the cheapest mixtures, by rising quality."""
    mixed = points.filter(~pl.col("is_single"))
    alone = points.filter(~pl.col("point").str.starts_with("frontier-"))
    shown = pl.concat([alone, mixed.gather_every(5)]).sort("quality", "cost_usd", maintain_order=True)
    decimals = fmt.decimals_for(Decimal(str(cost)) for cost in shown["cost_usd"])
    rows = [
        [
            text_cell("mixture" if not row["is_single"] else row["point"], note=_mixture(row)),
            share_cell(row["quality"]),
            share_cell(row["quality_retained"]),
            money_cell(Decimal(repr(row["cost_usd"])), decimals),
            share_cell(row["saving_share"]),
            text_cell("yes" if row["is_on_hull"] else "no: a mixture is as good and cheaper"),
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


def _mixture(row: Mapping[str, Any]) -> str:
    if row["is_single"]:
        return ""
    return ", ".join(f"{fmt.percent(share)} {offer}" for offer, share in json.loads(row["shares"]).items())
