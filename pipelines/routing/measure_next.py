"""What to measure next: which shadow run narrows a policy's intervals most, how many requests it takes, and what they cost.

    measure_next(case) -> rows of mart.routing_measure_next

Each measurement that could be made is taken as made, and the policy projected again: what the interval loses is what knowing
it is worth. How a policy is projected is in `case.py`; what was measured already comes from `pipelines.shadow`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, localcontext
from math import ceil
from typing import Any, Literal

from pipelines.config.evidence import Effect, Evidence, Measure, MissingEvidenceError
from pipelines.routing.amounts import SMALLEST
from pipelines.routing.case import WHOLE, Case
from pipelines.routing.policy_arm import PolicyArm
from pipelines.shadow.estimates import FEWEST
from pipelines.uncertainty import Z95

HALF_WIDTH = 0.05
"""The precision that is asked for: plus or minus five points of saving or of retained quality."""
_DRAWS = 400
"""Worlds per question: enough to rank runs, a fifth of what a projection takes."""
What = Literal["input", "output", "loop", "quality"]


@dataclass(frozen=True)
class Run:
    """A shadow run that could be made: what it measures of a model, and against which model that serves the traffic."""

    what: What
    model_id: str
    against: str = ""


def measure_next(case: Case) -> list[dict[str, Any]]:
    """One row per run that could be made, the one that narrows most first; none where the policy can't be projected."""
    few = case.of_day.evidence.model_copy(update={"draws": _DRAWS})
    asked = replace(case, of_day=replace(case.of_day, evidence=few))
    with localcontext() as context:
        context.prec, context.rounding = 76, ROUND_HALF_EVEN
        before = asked.rows()[-1]
        rows = [row for run in _runs(asked) if (row := _row(asked, run, before)) is not None]
    rows.sort(key=lambda row: (-row["narrows_by"], row["measure"], row["model_id"]))
    return [row | {"rank": number} for number, row in enumerate(rows, start=1)]


def _row(case: Case, run: Run, before: dict[str, Any]) -> dict[str, Any] | None:
    """What the run is worth; None where the interval that it would narrow is not known."""
    try:
        after = _after(case, run)
    except MissingEvidenceError:
        return None
    name = "quality_retained" if run.what == "quality" else "saving_share"
    now, then = _width(before, name), _width(after, name)
    if now is None or then is None:
        return None
    pairs, basis = _pairs(case, run)
    usd, why = _cost(case, run, pairs)
    return {
        "event_date": case.day,
        "policy": case.policy.policy,
        "baseline": case.baseline.baseline,
        "measure": run.what,
        "model_id": run.model_id,
        "against_model_id": run.against,
        "width_now": now,
        "width_known": min(then, now),
        "narrows_by": max(now - then, 0.0),
        "pairs_needed": pairs,
        "pairs_basis": basis,
        "cost_usd": usd,
        "no_cost_reason": why,
    }


def _runs(case: Case) -> Iterator[Run]:
    """Tokens of each arm's (and the baseline's) model against the model that costs most of such traffic, and each model's quality."""
    models = {arm.model_id for arm in case.policy.arms}
    if case.baseline.model_id is not None:
        models.add(case.baseline.model_id)
    recorded = _most_used(case)
    for measure, ran in recorded.items():
        yield from (Run(measure, model, ran) for model in sorted(models - {ran}))
    if not isinstance(case.quality, str):
        yield from (
            Run("quality", model) for model in sorted({arm.model_id for arm in case.policy.arms} | case.against)
        )


def _most_used(case: Case) -> dict[Measure, str]:
    """For each measure that matters the model that serves most of that traffic."""
    found: dict[Measure, str] = {}
    counted: dict[bool, dict[str, int]] = {}
    rows = case.of_day.traffic.recorded.select("model_id", "is_loop", "requests")
    for model, is_loop, requests in rows.iter_rows():
        of_kind = counted.setdefault(is_loop, {})
        of_kind[model] = of_kind.get(model, 0) + requests
    for is_loop, of_kind in sorted(counted.items()):
        most = max(sorted(of_kind), key=lambda model: of_kind[model])
        measures: tuple[Measure, ...] = ("loop",) if is_loop else ("input", "output")
        found |= dict.fromkeys(measures, most)
    return found


def _after(case: Case, run: Run) -> dict[str, Any]:
    """The policy's total where the outcome of the run is known, and is what is expected now."""
    day = case.of_day
    known = replace(day, settled=day.settled | {run.model_id})
    if run.what != "quality":
        known = replace(day, evidence=_with_known(day.evidence, run.what, run.model_id, run.against))
    return replace(case, of_day=known).rows()[-1]


def _with_known(evidence: Evidence, measure: Measure, model: str, against: str) -> Evidence:
    """The evidence with the ratio of two models known to be what it is expected to be."""
    middle = evidence.log_effect(measure, model) - evidence.log_effect(measure, against)
    others = tuple(item for item in evidence.effects if (item.measure, item.model) != (measure, model))
    known = Effect(
        measure=measure, model=model, against=against, log_mean=middle, log_sd=0, grade="A", source="if it were known"
    )
    return evidence.model_copy(update={"effects": others}).with_measured([known])


def _width(row: dict[str, Any], name: str) -> float | None:
    low, high = row.get(f"{name}_low_95"), row.get(f"{name}_high_95")
    return None if low is None or high is None else float(high - low)


def _pairs(case: Case, run: Run) -> tuple[int | None, str]:
    """How many paired requests (for a loop: whole tasks) give plus or minus five points, and on what that rests."""
    evidence = case.of_day.evidence
    spread = evidence.pair_quality_sd if run.what == "quality" else evidence.pair_tokens_log_sd
    if spread is None:
        name = "pair_quality_sd" if run.what == "quality" else "pair_tokens_log_sd"
        return None, f"evidence.yaml has no {name}: add it with its source"
    weight = _weight(case, run)
    if weight is None:
        return None, "what the model or the baseline costs is not known"
    return max(ceil((Z95 * weight * spread / HALF_WIDTH) ** 2), FEWEST), evidence.pair_source


def _weight(case: Case, run: Run) -> float | None:
    """How far saving or retained quality moves where the model's tokens or quality are a little more: its share, or all that is held
    against it where it is the baseline."""
    own = sum(float(arm.share) for arm in case.policy.arms if arm.model_id == run.model_id)
    if run.what == "quality":
        part = case.of_day.mix.get(run.model_id, 0.0) if case.baseline.model_id is None else 1.0
        return own if run.model_id not in case.against else max((1 - own) * part, own * (1 - part))
    base, _ = case.base_point()
    others = {arm.model_id for arm in case.policy.arms} - {run.model_id}
    models = {run.model_id} if run.model_id != case.baseline.model_id else others
    weight = 0.0
    for arm in case.policy.arms:
        cost = _arm_cost(case, arm.model_id) if arm.model_id in models else None
        if arm.model_id in models:
            if cost is None or not base:
                return None
            weight += float(arm.share) * float(cost[0] / base)
    return weight


def _arm_cost(case: Case, model: str) -> tuple[Any, str] | None:
    """What all the traffic costs on the cheapest seller of the policy that has the model, and that seller."""
    sellers = {(arm.provider_id, arm.model_id) for arm in case.policy.arms if arm.model_id == model}
    sellers |= {(seller, name) for seller, name in case.of_day.offers if name == model} if not sellers else set()
    found = []
    for seller, name in sorted(sellers):
        arm = case.of_day.arm(seller, name, WHOLE)
        if isinstance(arm, PolicyArm):
            usd, _ = case.point(arm)
            if usd is not None:
                found.append((usd, seller))
    return min(found, default=None)


def _cost(case: Case, run: Run, pairs: int | None) -> tuple[Any, str | None]:
    """USD of the pairs at today's prices; scoring them is not in it."""
    if pairs is None:
        return None, "how many it takes is not known"
    if run.what == "loop":
        return None, "a pair is a whole task of an agent, whose requests differ: multiply by what one task costs"
    cost = _arm_cost(case, run.model_id)
    if cost is None or not case.of_day.traffic.count:
        return None, f"what {run.model_id} costs is not known"
    return (cost[0] * pairs / case.of_day.traffic.count).quantize(SMALLEST), None
