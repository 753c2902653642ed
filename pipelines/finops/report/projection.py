"""One projection of hybrid routing in words: its sentence, its arms, how sure it is and what it assumes.

The projection itself is `pipelines.routing`; this module rounds and words its rows. Nothing here was measured, and every table
states so. The section is put together in `routing.py`.
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
NOT_PROJECTED = "not projected: "
"""How a projection begins to say why it knows nothing of quality."""
OWN_SCORES = "own shadow scores"
"""How a projection calls quality that was measured on requests of its own traffic."""
_AMOUNTS = ("baseline_cost_usd", "projected_cost_usd", "saving_usd")

_LABELS = {
    "asked_again": "Asked again by users on the dearest arm",
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
    "difficulty": "Hard requests",
    "not_known": "Not known",
    "own_machines": "Own machines",
    "rules_unmet": "No request meets the rule of",
    "requests_moved": "Requests moved to the next arm",
    "verifier": "Verifier",
    "proxy": "measured by",
    "scores": "scores",
    "not_billable": "not billable",
    "usage_missing": "usage missing",
    "provider_tool": "provider tool",
    "stand_ins": "names scored as the model behind them",
    "assumed": "assumed",
}

COUNTED = (_LABELS["requests"], _LABELS["requests_left_out"], _LABELS["requests_moved"], _LABELS["rules_unmet"])
"""The assumptions that say of which requests a projection speaks."""
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
    steps: Mapping[str, Decimal]
    """From the baseline to the projection in USD, by what changes it; empty where either is not known."""


def projections(rows: pl.DataFrame) -> list[Projection]:
    """Rows of mart.routing_projection in words, one item per policy and baseline, in their order."""
    return [projection(group, stated_assumptions(total_row(group))) for group in by_policy(rows)]


def by_policy(rows: pl.DataFrame) -> list[pl.DataFrame]:
    """One frame per policy and baseline, in the order of the rows."""
    return rows.partition_by("policy", "baseline", maintain_order=True)


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
        fmt.dollars(first["saving_usd"]) if first["saving_usd"] is not None else "a range",
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


def _range(low: float, high: float, joined: str = "to") -> str:
    return f"{fmt.percent(low)} {joined} {fmt.percent(high)}"


_STEPS = {
    "baseline": "Baseline",
    "price": "Prices",
    "cache": "Caches lost",
    "tokens": "Tokens",
    "longer": "Hard requests are longer",
    "second_answers": "Second answers",
    "fixed": "Own machines",
    "router_fee": "Router fee",
    "uncertainty": "Uncertainty",
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
    steps = _steps(total)
    if steps:
        decimals = fmt.decimals_for(steps.values())
        ends = (_STEPS["baseline"], _STEPS["projected"])
        shown = [f"{name} {fmt.money(usd, decimals, plus=name not in ends)}" for name, usd in steps.items()]
        facts.append(("From baseline to projection, USD", "; ".join(shown)))
    measured = _measured(total)
    if measured:
        facts.append(("Measured on your own requests", "; ".join(measured)))
    return [*facts, *_turns(total)]


def _turns(total: Mapping[str, Any]) -> list[Assumption]:
    """What would end a saving, or a loss, with every other assumption at its middle."""
    base, cost = total["baseline_cost_usd"], total["central_cost_usd"]
    is_loss = base is not None and cost is not None and cost > base
    facts: list[Assumption] = []
    if total["first_flip"] is not None:
        facts.append((f"What would end the {'loss' if is_loss else 'saving'} first", total["first_flip"]))
    if total["break_even_ratio"] is not None:
        times = f"{total['break_even_ratio']:.3g} times the tokens"
        if is_loss:
            facts.append(("To save, all arms would have to take", f"less than {times}"))
        else:
            facts.append(("All arms may take", f"{times} before nothing is saved"))
    return facts


def _scored_by(total: Mapping[str, Any]) -> str:
    quality = json.loads(total["assumptions"]).get("quality")
    is_own = isinstance(quality, dict) and quality.get("proxy", "").startswith(OWN_SCORES)
    return "scores on your own requests" if is_own else "leaderboard scores"


def _measured(total: Mapping[str, Any]) -> list[str]:
    """What of the projection was measured in the shadow (grade A), in words."""
    stated = json.loads(total["assumptions"])
    tokens = stated.get("tokens")
    lines = tokens.items() if isinstance(tokens, dict) else ()
    found = [f"{name}: {words}" for name, words in lines if "(A: " in words]
    quality = stated.get("quality")
    if isinstance(quality, dict) and quality.get("proxy", "").startswith(OWN_SCORES):
        found.append(f"quality: {quality['proxy']}")
    return found


def _steps(total: Mapping[str, Any]) -> dict[str, Decimal]:
    """The waterfall in words and USD, without the steps that change nothing."""
    if total["waterfall"] is None:
        return {}
    amounts = {name: Decimal(usd) for name, usd in json.loads(total["waterfall"]).items()}
    return {
        words: amounts[name] for name, words in _STEPS.items() if amounts.get(name) or name in ("baseline", "projected")
    }


def projection(group: pl.DataFrame, assumptions: Sequence[Assumption]) -> Projection:
    """The rows of one policy against one baseline, worded; `assumptions` are those to list with it."""
    total = total_row(group)
    arms = group.filter(pl.col("arm") != TOTAL)
    title = f"{total['policy']}, against {baseline_words(total['baseline'])}"
    return Projection(title, _sentence(total), _table(arms, total, title), _facts(total), assumptions, _steps(total))


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


def range_words(row: Mapping[str, Any], name: str) -> str:
    """The 95 % interval of a column, in percent; empty where there is none."""
    low, high = row[f"{name}_low_95"], row[f"{name}_high_95"]
    return "" if low is None else f"{100 * low:,.0f} to {100 * high:,.0f}".replace("-", "−")


def _range_cell(row: Mapping[str, Any], name: str) -> Cell:
    low = row[f"{name}_low_95"]
    return Cell(fmt.NONE) if low is None else Cell(range_words(row, name), f"{low:f}")


def _sentence(total: Mapping[str, Any]) -> str:
    base, cost, saving = (total[name] for name in ("baseline_cost_usd", "projected_cost_usd", "saving_usd"))
    stated = json.loads(total["assumptions"])
    if stated.get("requests") == 0:
        machines = f" Machines of one's own would have cost {fmt.dollars(cost)}." if cost else ""
        left_out = _words(stated.get("requests_left_out", {}))
        return f"No request can be routed, so there is nothing to save. Left out: {left_out}.{machines}"
    interval = ""
    if total["saving_share_low_95"] is not None:
        interval = (
            f" How many tokens other models take is not certain: the saving lies between "
            f"{_range(total['saving_share_low_95'], total['saving_share_high_95'], 'and')} with 95 % certainty, between "
            f"{_range(total['saving_share_low_50'], total['saving_share_high_50'], 'and')} with 50 %."
        )
    quality = _quality_sentence(total)
    if saving is None:
        reason = (total["not_projected_reason"] or "a rate is missing").removesuffix(".")
        return f"Not projected{' as one figure' if interval else ''}: {reason}.{interval}{quality}"
    verb = "would have saved" if saving >= 0 else "would have cost more by"
    return (
        f"The routable traffic {_cost_words(total['baseline'])} {fmt.dollars(base)}; under the policy "
        f"{fmt.dollars(cost)}, at the middle of all simulated worlds. It {verb} {fmt.dollars(abs(saving))} ({fmt.percent(abs(total['saving_share'] or 0.0))}).{interval}{quality}"
    )


def _quality_sentence(total: Mapping[str, Any]) -> str:
    """What is kept of the quality, or why that is not known, with the line that mends it."""
    if total["quality_retained"] is not None:
        return f" Quality kept, by {_scored_by(total)}: {fmt.percent(total['quality_retained'])}."
    stated = json.loads(total["assumptions"]).get("quality")
    if isinstance(stated, dict):  # the models are scored, but it is not known who serves what
        return ""
    why = f": {stated.removeprefix(NOT_PROJECTED)}" if stated else ""
    return f" What it would have meant for quality is not known{why}."


def _cost_words(baseline: str) -> str:
    return "did cost" if baseline == "actual" else "would have cost"


def baseline_words(name: str) -> str:
    """What a policy is held against."""
    return "what the traffic did cost" if name == "actual" else f"baseline {name}"


def total_row(group: pl.DataFrame) -> dict[str, Any]:
    """The row that sums a policy."""
    return group.filter(pl.col("arm") == TOTAL).row(0, named=True)


def stated_assumptions(total: Mapping[str, Any]) -> list[Assumption]:
    """Every assumption of a row, in words, in the order of their names."""
    assumptions = json.loads(total["assumptions"])
    return [(_label(name), _words(value)) for name, value in sorted(assumptions.items())]


def _label(name: str) -> str:
    return _LABELS.get(name, name.replace("_", " "))


def _words(value: object) -> str:
    """A JSON value as words: an object reads as "name: value; name: value". Names of arms and models stay as they are declared."""
    if value in ({}, []):
        return "none"
    if isinstance(value, dict):
        return "; ".join(f"{_LABELS.get(name, name)}: {_words(item)}" for name, item in value.items())
    if isinstance(value, list):
        return ", ".join(_words(item) for item in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return fmt.count(value)
    return "not known" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
