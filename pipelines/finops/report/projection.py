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
    "unit": "What is routed",
    "proxy": "measured by",
    "scores": "scores",
    "stand_ins": "names scored as the model behind them",
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
    facts: Sequence[Assumption]
    assumptions: Sequence[Assumption]
    bars: Sequence[tuple[str, Decimal]]


@dataclass(frozen=True)
class ProjectionSection:
    """All projections of the day, and the assumptions that they share."""

    items: Sequence[Projection]
    shared: Sequence[Assumption]
    sql: str
    frontier: Table | None = None


def projection_section(data: ReportData) -> ProjectionSection:
    """One item per policy and baseline, in the order of the table."""
    groups = _by_policy(data["projection"])
    stated = [_assumptions(_total_row(group)) for group in groups]
    shared = [item for item in stated[0] if all(item in other for other in stated[1:])] if len(stated) > 1 else []
    items = [
        _projection(group, [item for item in own if item not in shared])
        for group, own in zip(groups, stated, strict=True)
    ]
    return ProjectionSection(items, shared, data.sql["projection"], _frontier(data["frontier"], data.sql["frontier"]))


def projections(rows: pl.DataFrame) -> list[Projection]:
    """Rows of mart.routing_projection in words, one item per policy and baseline, in their order."""
    return [_projection(group, _assumptions(_total_row(group))) for group in _by_policy(rows)]


def _by_policy(rows: pl.DataFrame) -> list[pl.DataFrame]:
    return rows.partition_by("policy", "baseline", maintain_order=True)


def _frontier(points: pl.DataFrame, sql: str) -> Table | None:
    """Each model alone, and every fifth point of the cheapest mixtures, by rising quality; None where nothing was found."""
    if points.is_empty():
        return None
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


def saving_figure(data: ReportData) -> KeyFigure:
    """The saving of the policy that routing.yaml puts first, with its interval, and what is known of the quality."""
    totals = data["projection"].filter((pl.col("arm") == TOTAL) & pl.col("is_headline"))
    if totals.is_empty():
        return KeyFigure("Projected saving", fmt.NONE, ["no policy could be projected"])
    against_actual = totals.filter(pl.col("baseline") == "actual")
    first = (totals if against_actual.is_empty() else against_actual).row(0, named=True)
    low, high = first["saving_share_low_95"], first["saving_share_high_95"]
    if first["saving_usd"] is None and low is None:
        return KeyFigure("Projected saving", fmt.NONE, [f"policy {first['policy']} could not be projected"])
    return KeyFigure(
        "Projected saving",
        fmt.money(first["saving_usd"], sign="$") if first["saving_usd"] is not None else "a range",
        [
            f"{fmt.percent(first['saving_share'])} with policy {first['policy']}"
            if first["saving_usd"] is not None
            else f"policy {first['policy']}",
            *([] if low is None else [f"95 % interval {_range(low, high)}"]),
            _quality_note(first),
            "a projection, not a measurement",
        ],
    )


def _quality_note(total: Mapping[str, Any]) -> str:
    if total["quality_retained"] is None:
        return "what it means for quality is not known"
    low, high = total["quality_retained_low_95"], total["quality_retained_high_95"]
    interval = "" if low is None else f", 95 % interval {_range(low, high)}"
    return f"quality kept {fmt.percent(total['quality_retained'])}{interval}"


def _range(low: float, high: float) -> str:
    return f"{fmt.percent(low)} to {fmt.percent(high)}"


_STEPS = {
    "baseline": "Baseline",
    "price": "Prices of the arms",
    "cache": "Prompt caches lost on a switch",
    "tokens": "Tokens that the arms take more or less",
    "router_fee": "Fee of the router",
    "projected": "Projected",
}


def _facts(total: Mapping[str, Any]) -> list[Assumption]:
    """How sure the projection is, in words: probabilities, routers, where the saving comes from, what would flip it."""
    facts: list[Assumption] = []
    chances = [
        (f"at least {part} of the {what}", total[name])
        for what, part, name in (
            ("cost is saved", "85 %", "probability_saving_85"),
            ("quality is kept", "95 %", "probability_quality_95"),
        )
        if total[name] is not None
    ]
    if total["probability_both"] is not None:
        chances.append(("both", total["probability_both"]))
    if chances:
        facts.append(("Probability that", "; ".join(f"{what}: {fmt.percent(value)}" for what, value in chances)))
    if total["quality_realised"] is not None:
        routers = (
            f"at random {fmt.percent(total['quality_retained'])}; with the skill that routers show {fmt.percent(total['quality_realised'])}; "
            f"if it knew every outcome {fmt.percent(total['quality_oracle'])}"
        )
        facts.append(("Quality kept, by router", routers))
    if total["waterfall"] is not None:
        amounts = json.loads(total["waterfall"])
        steps = {name: Decimal(amounts[name]) for name in _STEPS}
        decimals = fmt.decimals_for(steps.values())
        shown = [
            f"{_STEPS[name]} {fmt.money(usd, decimals, plus=name not in ('baseline', 'projected'))}"
            for name, usd in steps.items()
            if usd or name in ("baseline", "projected")
        ]
        facts.append(("From baseline to projection, USD", "; ".join(shown)))
    if total["first_flip"] is not None:
        facts.append(("What would end the saving first", total["first_flip"]))
    if total["break_even_ratio"] is not None:
        facts.append(("All arms may take", f"{total['break_even_ratio']:.3g} times the tokens before nothing is saved"))
    return facts


def _projection(group: pl.DataFrame, assumptions: Sequence[Assumption]) -> Projection:
    total = _total_row(group)
    arms = group.filter(pl.col("arm") != TOTAL)
    title = f"{total['policy']}, against {_baseline(total['baseline'])}"
    return Projection(title, _sentence(total), _table(arms, total, title), _facts(total), assumptions, _bars(total))


def _table(arms: pl.DataFrame, total: Mapping[str, Any], title: str) -> Table:
    decimals = fmt.decimals_for(value for name in ("baseline_cost_usd", "projected_cost_usd") for value in arms[name])
    rows = [
        [
            text_cell(row["arm"]),
            text_cell(row["model_id"], note=row["not_projected_reason"] or f"at {row['provider_id']}"),
            share_cell(row["share"]),
            Cell(f"{row['requests']:,.0f}", str(row["requests"])),
            *(money_cell(row[name], decimals) for name in _AMOUNTS),
            _range_cell(row, "saving_share"),
            share_cell(row["quality_retained"]),
            _range_cell(row, "quality_retained"),
        ]
        for row in arms.iter_rows(named=True)
    ]
    foot = [
        Cell("Total"),
        Cell(""),
        share_cell(total["share"]),
        Cell(f"{total['requests']:,.0f}"),
        *(money_cell(total[name], decimals) for name in _AMOUNTS),
        _range_cell(total, "saving_share"),
        share_cell(total["quality_retained"]),
        _range_cell(total, "quality_retained"),
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
            number_column("95 % interval", "%"),
            number_column("Quality kept", "%"),
            number_column("95 % interval", "%"),
        ],
        rows,
        foot,
    )


def _range_cell(row: Mapping[str, Any], name: str) -> Cell:
    low, high = row[f"{name}_low_95"], row[f"{name}_high_95"]
    return Cell(fmt.NONE) if low is None else Cell(f"{100 * low:.0f} to {100 * high:.0f}".replace("-", "−"), f"{low:f}")


def _sentence(total: Mapping[str, Any]) -> str:
    base, cost, saving = (total[name] for name in ("baseline_cost_usd", "projected_cost_usd", "saving_usd"))
    interval = ""
    if total["saving_share_low_95"] is not None:
        interval = (
            f" With 95 % certainty the saving is {_range(total['saving_share_low_95'], total['saving_share_high_95'])}, "
            f"with 50 % {_range(total['saving_share_low_50'], total['saving_share_high_50'])}."
        )
    if saving is None:
        reason = (total["not_projected_reason"] or "a rate is missing").removesuffix(".")
        return f"Not projected{' as one figure' if interval else ''}: {reason}.{interval}"
    verb = "would have saved" if saving >= 0 else "would have cost more by"
    quality = (
        f" Quality kept, by leaderboard scores: {fmt.percent(total['quality_retained'])}."
        if total["quality_retained"] is not None
        else " What it would have meant for quality is not known."
    )
    return (
        f"The routable traffic {_cost_words(total['baseline'])} {fmt.money(base, sign='$')}; under the policy "
        f"{fmt.money(cost, sign='$')}. It {verb} {fmt.money(abs(saving), sign='$')} ({fmt.percent(abs(total['saving_share'] or 0.0))}).{interval}{quality}"
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
    assumptions = json.loads(total["assumptions"])
    return [(_label(name), _words(value)) for name, value in sorted(assumptions.items())]


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
