"""The section on hybrid routing: what the day would have cost under each policy, with every assumption in words.

The projection itself is `pipelines.routing`; this module rounds and words its rows. Nothing here was measured, and the
section says so in every table.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import polars as pl

from pipelines.finops import format as fmt
from pipelines.finops.report.collect import ReportData
from pipelines.finops.report.tables import (
    Cell,
    KeyFigure,
    Table,
    money_cell,
    number_column,
    share_cell,
    text_cell,
    text_column,
)

EVIDENCE = {
    "A": "A: measured on your own shadow traffic",
    "B": "B: public results, item by item",
    "C": "C: leaderboard scores stand for quality",
    "D": "D: a vendor's claim",
    "E": "E: an assumption, nothing measured",
}
TOTAL = "total"
_AMOUNTS = ("baseline_cost_usd", "projected_cost_usd", "saving_usd")

_LABELS = {
    "assignment": "Assignment of requests",
    "baseline_cache": "Prompt cache of the baseline",
    "cache": "Prompt cache",
    "context": "Context window",
    "quality": "Quality",
    "requests": "Requests projected",
    "requests_left_out": "Requests left out",
    "retries": "Retries",
    "router_fee_usd": "Fee of the router, USD",
    "service_tier": "Service tier and region",
    "tokens": "Tokens",
    "proxy": "measured by",
    "scores": "scores",
    "assumed": "assumed",
}

Assumption = tuple[str, str]
"""A name and what is assumed, both in words."""


@dataclass(frozen=True)
class Projection:
    """One policy against one baseline; `assumptions` are those that not every projection of the day shares."""

    title: str
    sentence: str
    table: Table
    assumptions: Sequence[Assumption]
    bars: Sequence[tuple[str, Decimal]]


@dataclass(frozen=True)
class ProjectionSection:
    """All projections of the day, and the assumptions that they share."""

    items: Sequence[Projection]
    shared: Sequence[Assumption]
    sql: str


def projection_section(data: ReportData) -> ProjectionSection:
    """One item per policy and baseline, in the order of the table."""
    groups = data["projection"].partition_by("policy", "baseline", maintain_order=True)
    told = [_assumptions(_total_row(group)) for group in groups]
    shared = [item for item in told[0] if all(item in other for other in told[1:])] if len(told) > 1 else []
    items = [
        _projection(group, [item for item in own if item not in shared])
        for group, own in zip(groups, told, strict=True)
    ]
    return ProjectionSection(items, shared, data.sql["projection"])


def saving_figure(data: ReportData) -> KeyFigure:
    """The largest projected saving against what the day did cost, named as what it is."""
    totals = data["projection"].filter(
        (pl.col("arm") == TOTAL) & (pl.col("baseline") == "actual") & pl.col("saving_usd").is_not_null()
    )
    if totals.is_empty():
        return KeyFigure("Projected saving", fmt.NONE, ["no policy could be projected"])
    best = totals.sort("saving_usd", descending=True, maintain_order=True).row(0, named=True)
    of_cost = fmt.percent(best["saving_share"])
    return KeyFigure(
        "Projected saving",
        fmt.money(best["saving_usd"], sign="$"),
        [f"{of_cost} with policy {best['policy']}", "a projection, not a measurement"],
    )


def _projection(group: pl.DataFrame, assumptions: Sequence[Assumption]) -> Projection:
    total = _total_row(group)
    arms = group.filter(pl.col("arm") != TOTAL)
    title = f"{total['policy']}, against {_baseline(total['baseline'])}"
    return Projection(title, _sentence(total), _table(arms, total, title), assumptions, _bars(total))


def _table(arms: pl.DataFrame, total: Mapping[str, Any], title: str) -> Table:
    decimals = fmt.decimals_for(value for name in ("baseline_cost_usd", "projected_cost_usd") for value in arms[name])
    rows = [
        [
            text_cell(row["arm"]),
            text_cell(row["model_id"], note=row["not_projected_reason"] or f"at {row['provider_id']}"),
            share_cell(row["share"]),
            Cell(f"{row['requests']:,.0f}", str(row["requests"])),
            *(money_cell(row[name], decimals) for name in _AMOUNTS),
            share_cell(row["quality_retained"]),
        ]
        for row in arms.iter_rows(named=True)
    ]
    foot = [
        Cell("Total"),
        Cell(""),
        share_cell(total["share"]),
        Cell(f"{total['requests']:,.0f}"),
        *(money_cell(total[name], decimals) for name in _AMOUNTS),
        share_cell(total["quality_retained"]),
    ]
    return Table(
        f"projection-{total['policy']}-{total['baseline']}",
        f"{title}. Evidence grade {EVIDENCE[total['evidence_grade']]}. Not a measurement.",
        [
            text_column("Arm"),
            text_column("Model"),
            number_column("Share of requests", "%"),
            number_column("Requests"),
            number_column("Baseline", "USD"),
            number_column("Projected", "USD"),
            number_column("Saving", "USD"),
            number_column("Quality kept", "%"),
        ],
        rows,
        foot,
    )


def _sentence(total: Mapping[str, Any]) -> str:
    base, cost, saving = (total[name] for name in ("baseline_cost_usd", "projected_cost_usd", "saving_usd"))
    if saving is None:
        return f"Not projected: {total['not_projected_reason'] or 'a rate is missing'}."
    verb = "would have saved" if saving >= 0 else "would have cost more by"
    quality = (
        f" Quality kept, by leaderboard scores: {fmt.percent(total['quality_retained'])}."
        if total["quality_retained"] is not None
        else " What it would have meant for quality is not known."
    )
    return (
        f"The routable traffic {_cost_words(total['baseline'])} {fmt.money(base, sign='$')}; under the policy "
        f"{fmt.money(cost, sign='$')}. It {verb} {fmt.money(abs(saving), sign='$')} ({fmt.percent(abs(total['saving_share'] or 0.0))}).{quality}"
    )


def _cost_words(baseline: str) -> str:
    return "did cost" if baseline == "actual" else "would have cost"


def _baseline(name: str) -> str:
    return "what the traffic did cost" if name == "actual" else f"baseline {name}"


def _bars(total: Mapping[str, Any]) -> list[tuple[str, Decimal]]:
    if total["saving_usd"] is None:
        return []
    return [("baseline", total["baseline_cost_usd"]), ("projected", total["projected_cost_usd"])]


def _total_row(group: pl.DataFrame) -> dict[str, Any]:
    return group.filter(pl.col("arm") == TOTAL).row(0, named=True)


def _assumptions(total: Mapping[str, Any]) -> list[Assumption]:
    told = json.loads(total["assumptions"])
    return [(_label(name), _words(value)) for name, value in sorted(told.items())]


def _label(name: str) -> str:
    return _LABELS.get(name, name.replace("_", " "))


def _words(value: object) -> str:
    """A JSON value as words: an object reads as "name: value; name: value"."""
    if isinstance(value, dict):
        return "; ".join(f"{_label(name)}: {_words(item)}" for name, item in value.items())
    if isinstance(value, list):
        return ", ".join(_words(item) for item in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return fmt.count(value)
    return "not known" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
