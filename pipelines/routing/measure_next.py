"""What to measure next: which shadow run narrows a policy's intervals most, how many requests it takes, and what they cost.

    measure_next(case) -> rows of mart.routing_measure_next

Each possible measurement is taken as made, and the policy is projected again. What the interval loses is the worth
of the measurement. How a policy is projected is in `case.py`; what was measured already comes from `pipelines.shadow`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from math import ceil
from typing import Any, Literal

from pipelines.config.evidence import Effect, Evidence, Measure, MissingEvidenceError
from pipelines.routing.amounts import SMALLEST
from pipelines.routing.case import Case
from pipelines.routing.outlook import ArmOutlook
from pipelines.shadow.estimates import FEWEST
from pipelines.uncertainty import Z95

HALF_WIDTH = 0.05
"""The wanted precision: plus or minus five points of saving or of retained quality."""
_DRAWS = 400
"""Worlds per question: enough to rank runs, a fifth of what a projection takes."""
Tokens = Literal["input", "output", "loop"]
Rows = Sequence[dict[str, Any]]


@dataclass(frozen=True)
class Run:
    """A shadow run that could be made: what it measures of a model, and against which model that serves the traffic."""

    what: Tokens | Literal["quality"]
    model_id: str
    against: str = ""


def measure_next(case: Case) -> list[dict[str, Any]]:
    """One row per run that could be made, the one that narrows most first; none where the policy can't be projected."""
    few = case.of_day.evidence.model_copy(update={"draws": _DRAWS})
    asked = replace(case, of_day=replace(case.of_day, evidence=few))
    with localcontext() as context:
        context.prec, context.rounding = 76, ROUND_HALF_EVEN
        before = asked.rows()
        rows = [row for run in _runs(asked) if (row := _row(asked, run, before)) is not None]
    rows.sort(key=lambda row: (-row["narrows_by"], row["measure"], row["model_id"]))
    return [row | {"rank": number} for number, row in enumerate(rows, start=1)]


def _row(case: Case, run: Run, before: Rows) -> dict[str, Any] | None:
    """What the run is worth; None if the interval that it would narrow is not known."""
    try:
        after = _after(case, run)
    except MissingEvidenceError:
        return None
    now = _width(before[-1], "quality_retained_" if run.what == "quality" else "saving_share_")
    then = _width((after.quality if run.what == "quality" else after.saving) or {})
    if now is None or then is None:
        return None
    pairs, basis = _pairs(case, run, before)
    usd, why = _cost(case, run, pairs, before)
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
    """Tokens of each arm's (and the baseline's) model against the model that serves most of such traffic, and each model's quality."""
    arms = {arm.model_id for arm in case.policy.arms}
    models = arms if case.baseline.model_id is None else {*arms, case.baseline.model_id}
    for measure, ran in _most_used(case).items():
        yield from (Run(measure, model, ran) for model in sorted(models - {ran}))
    if not isinstance(case.quality, str):
        yield from (Run("quality", model) for model in sorted(arms | case.against))


def _most_used(case: Case) -> dict[Tokens, str]:
    """For each measure that matters the model that serves most of that traffic."""
    found: dict[Tokens, str] = {}
    counted: dict[bool, Counter[str]] = {}
    for model, is_loop, requests in case.of_day.traffic.recorded.select("model_id", "is_loop", "requests").iter_rows():
        counted.setdefault(is_loop, Counter())[model] += requests
    for is_loop, by_model in sorted(counted.items()):
        most = max(sorted(by_model), key=lambda model: by_model[model])
        measures: tuple[Tokens, ...] = ("loop",) if is_loop else ("input", "output")
        found |= dict.fromkeys(measures, most)
    return found


def _after(case: Case, run: Run) -> ArmOutlook:
    """The intervals of the policy where the outcome of the run is known, and is what is expected now."""
    if run.what == "quality":
        return replace(case, settled=case.settled | {run.model_id}).intervals()
    known = _with_known(case.of_day.evidence, run.what, run.model_id, run.against)
    return replace(case, of_day=replace(case.of_day, evidence=known)).intervals()


def _with_known(evidence: Evidence, measure: Measure, model: str, against: str) -> Evidence:
    """The evidence with the ratio of two models known to be what it is expected to be."""
    middle = evidence.log_effect(measure, model) - evidence.log_effect(measure, against)
    others = tuple(item for item in evidence.effects if (item.measure, item.model) != (measure, model))
    known = Effect(
        measure=measure, model=model, against=against, log_mean=middle, log_sd=0, grade="A", source="if it were known"
    )
    return evidence.model_copy(update={"effects": others}).with_measured([known])


def _width(bounds: Mapping[str, Any], name: str = "") -> float | None:
    low, high = bounds.get(f"{name}low_95"), bounds.get(f"{name}high_95")
    return None if low is None or high is None else float(high - low)


def _pairs(case: Case, run: Run, before: Rows) -> tuple[int | None, str]:
    """How many paired requests (for a loop: whole tasks) give plus or minus five points, and on what that rests."""
    evidence = case.of_day.evidence
    spread = evidence.pair_quality_sd if run.what == "quality" else evidence.pair_tokens_log_sd
    if spread is None:
        name = "pair_quality_sd" if run.what == "quality" else "pair_tokens_log_sd"
        return None, f"evidence.yaml has no {name}: add it with its source"
    weight = _of_quality(case, run, before) if run.what == "quality" else _of_cost(case, run, before)
    if weight is None:
        return None, "what the model or the baseline costs is not known"
    return max(ceil((Z95 * weight * spread / HALF_WIDTH) ** 2), FEWEST), evidence.pair_source


def _of_quality(case: Case, run: Run, before: Rows) -> float:
    """How far retained quality moves with the model's own: by its share, or, of the baseline's model, by what others serve."""
    own = sum(float(row["share"]) for row in before[:-1] if row["model_id"] == run.model_id)
    if run.model_id not in case.against:
        return own
    part = case.of_day.mix.get(run.model_id, 0.0) if case.baseline.model_id is None else 1.0
    return max((1 - own) * part, own * (1 - part))


def _of_cost(case: Case, run: Run, before: Rows) -> float | None:
    """How far the saving moves with the model's tokens: by its cost over the baseline's; of the baseline's model by all others'."""
    is_base = run.model_id == case.baseline.model_id
    moved = [row["central_cost_usd"] for row in before[:-1] if (row["model_id"] == run.model_id) != is_base]
    base = before[-1]["baseline_cost_usd"]
    if not base or None in moved:
        return None
    return float(sum(moved, Decimal(0)) / base)


def _cost(case: Case, run: Run, pairs: int | None, before: Rows) -> tuple[Decimal | None, str | None]:
    """USD of the pairs at the prices of the day, of a model that is no arm at what the baseline's cost on it; scoring them is not in it."""
    if pairs is None:
        return None, "how many it takes is not known"
    if run.what == "loop":
        return None, "a pair is a whole task of an agent, whose requests differ: multiply by what one task costs"
    for row in before[:-1]:
        if row["model_id"] == run.model_id and row["central_cost_usd"] is not None and row["requests"]:
            return (row["central_cost_usd"] * pairs / Decimal(row["requests"])).quantize(SMALLEST), None
    paid, requests = _at_the_baseline(case, run.model_id, before)
    if paid and requests:
        return (paid * pairs / requests).quantize(SMALLEST), None
    return None, f"what a request costs on {run.model_id} is not known: it serves no arm of the policy"


def _at_the_baseline(case: Case, model: str, before: Rows) -> tuple[Decimal | None, Decimal]:
    """What the baseline's requests on the model cost, and how many they are: all of them where it is the baseline's model."""
    if case.baseline.model_id is not None:
        paid = before[-1]["baseline_cost_usd"] if model == case.baseline.model_id else None
        return paid, Decimal(case.of_day.traffic.count)
    ran = case.of_day.traffic.recorded.filter(model_id=model)
    return Decimal(ran["actual"].sum() or 0), Decimal(int(ran["requests"].sum()))
