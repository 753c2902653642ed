"""How sure a projection is: intervals, probabilities, what would flip it, and how good the evidence is.

    outlook(worlds, base, arms, quality, ...) -> Outlook

All of it is read off the same simulated worlds (`draws.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import log, sqrt
from typing import Any

import numpy as np

from pipelines.config.evidence import Effect, Grade, Measure
from pipelines.routing.draws import ArmArrays, Floats, Worlds, intervals, oracle_gain
from pipelines.routing.quality import Quality

SAVING, QUALITY = 0.85, 0.95
"""The claim of the trade: 85 % saved at 95 % of the quality."""
_BEYOND = 3.0
"""Standard deviations beyond which an assumption is said to flip nothing."""


@dataclass(frozen=True)
class ArmOutlook:
    """Intervals of an arm: its saving and its retained quality against the baseline."""

    saving: dict[str, float] | None
    quality: dict[str, float] | None


@dataclass(frozen=True)
class Outlook:
    """Of a whole policy. Probabilities and intervals are None where saving, or quality, can't be projected.

    `realised` and `oracle` are the medians of retained quality with a router of realistic skill and with one that knows every
    outcome. `first_flip` names the assumption that turns the saving's sign first.
    """

    arms: Sequence[ArmOutlook]
    total: ArmOutlook
    saving_85: float | None = None
    quality_95: float | None = None
    both: float | None = None
    realised: float | None = None
    oracle: float | None = None
    break_even_ratio: float | None = None
    first_flip: str | None = None
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Stake:
    """One arm of a policy: name, share, and its arrays, None where its cost is not known."""

    name: str
    model_id: str
    share: float
    arrays: ArmArrays | None


def outlook(
    worlds: Worlds,
    base: Floats | None,
    stakes: Sequence[Stake],
    quality: Quality | None,
    base_models: Floats | None,
    *,
    fee: float = 0.0,
) -> Outlook:
    """`base` is the baseline's cost in each world, `base_models` its share solved (draws x use cases), `fee` that of the router
    for a request."""
    fees = fee * worlds.recorded(worlds.requests)
    costs = [None if stake.arrays is None else worlds.cost(stake.arrays) + fees for stake in stakes]
    saved = [None if cost is None or base is None else _saved(base, cost) for cost in costs]
    solved = [None if quality is None else worlds.shares_solved(quality, stake.model_id) for stake in stakes]
    kept = [None if one is None or base_models is None else _kept(worlds, one, base_models) for one in solved]
    arms = [ArmOutlook(_bounds(one), _bounds(other)) for one, other in zip(saved, kept, strict=True)]
    shares = [stake.share for stake in stakes]
    saving, retained = _mean(shares, saved), _mean(shares, kept)
    found: dict[str, Any] = {}
    if saving is not None:
        found["saving_85"] = float(np.mean(saving >= SAVING))
        found |= _flips(worlds, base, stakes)
    if retained is not None:
        found["quality_95"] = float(np.mean(retained >= QUALITY))
        found |= _routers(worlds, stakes, solved, base_models)
    if saving is not None and retained is not None:
        found["both"] = float(np.mean((saving >= SAVING) & (retained >= QUALITY)))
    return Outlook(arms, ArmOutlook(_bounds(saving), _bounds(retained)), **found)


def grade(worlds: Worlds, stakes: Sequence[Stake], quality: Quality | None) -> str:
    """The grade of the evidence: the worse of the quality's and of the ratio's that moves the cost most; E without quality."""
    if quality is None:
        return "E"
    transfer = worlds.evidence.transfer(quality.benchmark_version_id.partition("#")[0])
    moved: Counter[Grade] = Counter()
    for stake in stakes:
        for effect, usd in _scaled(worlds, stake):
            moved[effect.grade] += round(1e9 * stake.share * usd * effect.log_sd)
    grades: list[Grade] = [] if transfer is None else [transfer.grade]
    if quality.moves:
        grades = ["A"]
    grades += [name for name, _ in moved.most_common(1)]
    return max(grades, default="E")


def _scaled(worlds: Worlds, stake: Stake) -> Iterator[tuple[Effect, float]]:
    """The lines of evidence that an arm's cost rests on, each with the cost in USD that it scales."""
    if stake.arrays is None:
        return
    for number, group in enumerate(worlds.groups):
        if group.model_id == stake.model_id:
            continue
        taken, written = float(stake.arrays.input[number].sum()), float(stake.arrays.output[number].sum())
        parts: list[tuple[Measure, float]] = [("input", taken), ("output", written)]
        if group.is_loop:
            parts = [("loop", taken + written)]
        for measure, usd in parts:
            effect = worlds.evidence.effect(measure, stake.model_id)
            if effect is not None:
                yield effect, usd


def _saved(base: Floats, cost: Floats) -> Floats | None:
    return 1 - cost / base if (base > 0).all() else None


def _kept(worlds: Worlds, solved: Floats, base: Floats) -> Floats:
    weight = _use_case_weights(worlds)
    return np.asarray((solved @ weight) / (base @ weight))


def _use_case_weights(worlds: Worlds) -> Floats:
    weights = np.array([sum(by_model.values()) for by_model in worlds.use_cases.values()], dtype=np.float64)
    return np.asarray(weights / weights.sum())


def _routers(
    worlds: Worlds, stakes: Sequence[Stake], solved: Sequence[Floats | None], base: Floats | None
) -> dict[str, Any]:
    """Retained quality of a router that knows more than chance: each other arm takes from the largest what only it solves."""
    agreement = worlds.evidence.agreement
    if base is None or agreement is None or any(one is None for one in solved):
        return {}
    weight = _use_case_weights(worlds)
    known = [np.asarray(one @ weight) for one in solved if one is not None]
    largest = max(range(len(stakes)), key=lambda number: stakes[number].share)
    blind = np.asarray(sum(stake.share * one for stake, one in zip(stakes, known, strict=True)))
    gain = np.zeros(len(blind))
    for number, stake in enumerate(stakes):
        if number != largest:
            gain = gain + oracle_gain(known[largest], known[number], stake.share, agreement)
    bottom = base @ weight
    oracle = np.minimum(1.0, blind + gain)
    realised = blind + worlds.skill * (oracle - blind)
    return {
        "realised": float(np.median(realised / bottom)),
        "oracle": float(np.median(oracle / bottom)),
        "detail": {"realised": intervals(realised / bottom), "oracle": intervals(oracle / bottom)},
    }


def _flips(worlds: Worlds, base: Floats | None, stakes: Sequence[Stake]) -> dict[str, Any]:
    """By which factor all arms' tokens may grow before nothing is saved, and which single arm's would do it first."""
    if base is None:
        return {}
    middle = float(np.median(base))
    fixed = [stake.share * float(stake.arrays.fixed.sum()) for stake in stakes if stake.arrays is not None]
    scaling = [
        stake.share * float(stake.arrays.input.sum() + stake.arrays.output.sum() + stake.arrays.open.sum() / 2)
        for stake in stakes
        if stake.arrays is not None
    ]
    if not sum(scaling):
        return {"first_flip": "nothing: every arm is what runs today"}
    room = middle - sum(fixed) - sum(scaling)
    nearest: tuple[float, str] | None = None
    for stake, usd in zip(stakes, scaling, strict=True):
        spread = _spread(worlds, stake)
        factor = 1 + room / usd if usd else 0.0
        if spread and factor > 0:
            distance = log(factor) / spread
            if nearest is None or abs(distance) < abs(nearest[0]):
                nearest = (distance, f"{stake.name} with {factor:.2g} times the tokens")
    flip = "no single arm's tokens within three standard deviations"
    if nearest is not None and abs(nearest[0]) <= _BEYOND:
        flip = f"{nearest[1]} ({abs(nearest[0]):.1f} standard deviations)"
    ratio = (middle - sum(fixed)) / sum(scaling)
    return {"break_even_ratio": ratio if ratio > 0 else None, "first_flip": flip}


def _spread(worlds: Worlds, stake: Stake) -> float:
    """Standard deviation of the logarithm of the arm's cost, two models' effects together, weighted by cost."""
    scaled = list(_scaled(worlds, stake))
    whole = sum(usd for _, usd in scaled)
    return sqrt(2) * sum(effect.log_sd * usd for effect, usd in scaled) / whole if whole else 0.0


def _bounds(values: Floats | None) -> dict[str, float] | None:
    return None if values is None else intervals(values)


def _mean(weights: Sequence[float], values: Sequence[Floats | None]) -> Floats | None:
    known = [weight * value for weight, value in zip(weights, values, strict=True) if value is not None]
    return np.asarray(sum(known)) if len(known) == len(values) else None
