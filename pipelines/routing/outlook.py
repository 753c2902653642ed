"""How sure a projection is: intervals, probabilities and the grade of the evidence. What would flip it is in `flips.py`.

    outlook(worlds, base, stakes, quality, ...) -> Outlook

All of it is read off the same simulated worlds (`draws.py`). What a cascade does in them is in `cascade.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt
from typing import Any

import numpy as np

from pipelines.config.evidence import Effect, Escalation, Grade, Measure
from pipelines.routing.draws import ArmArrays, Floats, Worlds, intervals, middle, oracle_gain
from pipelines.routing.quality import Quality

SAVING, QUALITY = 0.85, 0.95
"""The industry's claim: 85 % saved at 95 % of the quality."""


@dataclass(frozen=True)
class ArmOutlook:
    """Intervals of an arm, or of all: saving and retained quality against the baseline.

    `gains` is what it adds to the saving of the whole policy in each world, as a share of the whole baseline; None if its cost is certain. `kept` is the median of
    retained quality.
    """

    saving: dict[str, float] | None
    quality: dict[str, float] | None
    gains: Floats | None = None
    kept: float | None = None


@dataclass(frozen=True)
class Outlook:
    """Of a whole policy. Probabilities and intervals are None if saving, or quality, can't be projected.

    `realised` and `oracle` are the medians of retained quality with a router of realistic skill and with one that knows every
    outcome; a cascade has no router. `use_cases` are the intervals and medians of retained quality by use case.
    """

    arms: Sequence[ArmOutlook]
    total: ArmOutlook
    saving_85: float | None = None
    quality_95: float | None = None
    both: float | None = None
    realised: float | None = None
    oracle: float | None = None
    use_cases: Mapping[str, dict[str, float]] = field(default_factory=dict)
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Stake:
    """One arm of a policy. `arrays` is None if its cost is not known.

    `share` is its part of each group's requests, `served` its requests by use case (None: `share` of all). `is_hard` says that a router
    sends it the hard ones, `is_ruled` that a rule does and no router. `fixed_usd` is what it costs however much it serves.
    """

    name: str
    model_id: str
    share: Floats | float
    arrays: ArmArrays | None
    served: Floats | None = None
    is_hard: bool = False
    is_ruled: bool = False
    fixed_usd: float = 0.0
    escalation: Escalation | None = None
    """How often its users ask again on the arm that `takes_escalated`."""
    takes_escalated: bool = False


@dataclass(frozen=True)
class Flow:
    """Where tokens go in each world: `base` the part of the baseline's tokens that each arm answers for, `cost` the part of
    its own cost that each arm has (draws x groups, or what broadcasts to it), `extra` what it costs besides, in USD."""

    base: Sequence[Floats]
    cost: Sequence[Floats]
    extra: Sequence[Floats | float]


def token_flow(worlds: Worlds, stakes: Sequence[Stake], fee: float) -> Flow:
    """Shares of requests as shares of tokens: hard requests are longer. `fee` is the router's for a request."""
    shares = [np.broadcast_to(np.asarray(stake.share, dtype=np.float64), (len(worlds.groups),)) for stake in stakes]
    parts: list[Floats] = list(shares)
    if any(stake.is_hard for stake in stakes):
        longer = worlds.difficulty[:, None]
        weighted = [
            share * longer if stake.is_hard else share + 0 * longer for stake, share in zip(stakes, shares, strict=True)
        ]
        whole = sum(weighted)
        parts = [np.divide(one, whole, out=np.zeros_like(one), where=whole > 0) for one in weighted]
    requests = worlds.requests_drawn
    extra = [fee * (requests @ share) + stake.fixed_usd for stake, share in zip(stakes, shares, strict=True)]
    return Flow(parts, _with_escalated(worlds, stakes, parts), extra)


def _with_escalated(worlds: Worlds, stakes: Sequence[Stake], parts: Sequence[Floats]) -> Sequence[Floats]:
    """The parts with what is asked again added to the arm that takes it. What ran on an arm's model holds its second answers already."""
    taker = next((place for place, stake in enumerate(stakes) if stake.takes_escalated), None)
    if taker is None:
        return parts
    paid = list(parts)
    for stake, part in zip(stakes, parts, strict=True):
        line = stake.escalation
        if line is not None and (line.share or line.share_sd):
            again = np.array([group.model_id != stake.model_id for group in worlds.groups], dtype=np.float64)
            paid[taker] = paid[taker] + worlds.escalated(line, stake.model_id)[:, None] * part * again
    return paid


def outlook(
    worlds: Worlds,
    base: Floats | None,
    stakes: Sequence[Stake],
    quality: Quality | None,
    base_solved: Floats | None,
    *,
    flow: Flow | None = None,
    answered: Floats | None = None,
    fee: float = 0.0,
) -> Outlook:
    """`base` is the baseline's cost in each world by group, `base_solved` its share solved (draws x use cases), `fee` that of the router
    for a request. A cascade brings its own `flow`, and `answered`: its share solved (draws x use cases)."""
    flow = token_flow(worlds, stakes, fee) if flow is None else flow
    bases = [None if base is None else np.asarray((base * part).sum(axis=1)) for part in flow.base]
    costs = [
        None if stake.arrays is None else np.asarray((worlds.cost(stake.arrays) * part).sum(axis=1) + extra)
        for stake, part, extra in zip(stakes, flow.cost, flow.extra, strict=True)
    ]
    saving = _saved(_total(bases), _total(costs))
    solved = [None if quality is None else worlds.shares_solved(quality, stake.model_id) for stake in stakes]
    kept = [_kept_by(worlds, stake, one, base_solved) for stake, one in zip(stakes, solved, strict=True)]
    has_router = answered is None
    if answered is None:
        answered = _answered(worlds, stakes, solved)
    retained = None if answered is None or base_solved is None else _over(worlds, answered, base_solved)
    found = _chances(saving, retained)
    if retained is not None and answered is not None and base_solved is not None:
        found |= _routers(worlds, stakes, solved, base_solved) if has_router else {}
        found["use_cases"] = {
            use_case: {"retained": middle(kept), **intervals(kept)}
            for use_case, kept in zip(worlds.use_cases, (answered / base_solved).T, strict=True)
        }
    whole = _total(bases)
    arms = [
        # What machines of one's own cost is known, whatever traffic they get.
        ArmOutlook(
            _bounds(_saved(own, cost)),
            _bounds(one),
            None if stake.fixed_usd else _gains(whole, own, cost),
            _median(one),
        )
        for stake, own, cost, one in zip(stakes, bases, costs, kept, strict=True)
    ]
    return Outlook(arms, ArmOutlook(_bounds(saving), _bounds(retained), saving, _median(retained)), **found)


def _chances(saving: Floats | None, retained: Floats | None) -> dict[str, Any]:
    """The probability of the industry's claim: of each half of which enough is known, and of both."""
    found: dict[str, Any] = {}
    if saving is not None:
        found["saving_85"] = float(np.mean(saving >= SAVING))
    if retained is not None:
        found["quality_95"] = float(np.mean(retained >= QUALITY))
    if saving is not None and retained is not None:
        found["both"] = float(np.mean((saving >= SAVING) & (retained >= QUALITY)))
    return found


def grade(worlds: Worlds, stakes: Sequence[Stake], quality: Quality | None) -> str:
    """The grade of the evidence: the worse of the quality's and of the ratio's that moves the cost most; E without quality."""
    if quality is None:
        return "E"
    transfer = worlds.evidence.transfer(quality.benchmark_version_id.partition("#")[0])
    moved: Counter[Grade] = Counter()
    for stake in stakes:
        for lines, usd in _scaled(worlds, stake):
            for effect in lines:
                moved[effect.grade] += round(1e9 * usd * effect.log_sd)
    grades: list[Grade] = [] if transfer is None else [transfer.grade]
    if quality.moves:
        grades = ["A"]
    grades += [name for name, weight in moved.most_common(1) if weight]
    return max(grades, default="E")


def _scaled(worlds: Worlds, stake: Stake) -> Iterator[tuple[list[Effect], float]]:
    """The lines of evidence that the ratios of an arm's cost rest on, each ratio's with the cost in USD that it scales."""
    if stake.arrays is None:
        return
    shares = np.broadcast_to(np.asarray(stake.share, dtype=np.float64), (len(worlds.groups),))
    for number, group in enumerate(worlds.groups):
        if group.model_id == stake.model_id:
            continue
        taken, written = (
            float(shares[number] * part[number].sum()) for part in (stake.arrays.input, stake.arrays.output)
        )
        parts: list[tuple[Measure, float]] = [("input", taken), ("output", written)]
        if group.is_loop:
            parts = [("loop", taken + written)]
        for measure, usd in parts:
            yield _between(worlds, measure, stake.model_id, group.model_id), usd


def _between(worlds: Worlds, measure: Measure, model: str, recorded: str) -> list[Effect]:
    """The lines that the ratio of two models rests on: each model's own, and what that was measured against, less what both share. A model that
    was measured against another one than ran is no better known against what ran than that one is."""
    own, other = _rests_on(worlds, measure, model), _rests_on(worlds, measure, recorded)
    return [line for name, line in (own | other).items() if (name in own) != (name in other)]


def _rests_on(worlds: Worlds, measure: Measure, model: str | None) -> dict[str, Effect]:
    found: dict[str, Effect] = {}
    while model is not None and model not in found and (line := worlds.line(measure, model)) is not None:
        found[model] = line
        model = line.against
    return found


def _saved(base: Floats | None, cost: Floats | None) -> Floats | None:
    return 1 - cost / base if base is not None and cost is not None and (base > 0).all() else None


def _gains(whole: Floats | None, base: Floats | None, cost: Floats | None) -> Floats | None:
    if whole is None or base is None or cost is None or not (whole > 0).all():
        return None
    return np.asarray((base - cost) / whole)


def _median(values: Floats | None) -> float | None:
    return None if values is None else middle(values)


def _kept_by(worlds: Worlds, stake: Stake, solved: Floats | None, base: Floats | None) -> Floats | None:
    """Quality that an arm keeps on what it serves; on all traffic where it serves nothing."""
    if solved is None or base is None:
        return None
    weight = stake.served if stake.served is not None and stake.served.sum() else _requests(worlds)
    return np.asarray((solved @ weight) / (base @ weight))


def _answered(worlds: Worlds, stakes: Sequence[Stake], solved: Sequence[Floats | None]) -> Floats | None:
    """Share solved by all arms together: draws x use cases."""
    requests, total = _requests(worlds), np.zeros((worlds.evidence.draws, len(worlds.use_cases)))
    for stake, one in zip(stakes, solved, strict=True):
        if one is None:
            return None
        served = float(np.mean(stake.share)) * requests if stake.served is None else stake.served
        total += one * (served / requests)
    return total


def _over(worlds: Worlds, answered: Floats, base: Floats) -> Floats:
    weight = _requests(worlds)
    return np.asarray((answered @ weight) / (base @ weight))


def _requests(worlds: Worlds) -> Floats:
    """Requests by use case."""
    return np.array([sum(by_model.values()) for by_model in worlds.use_cases.values()], dtype=np.float64)


def _routers(worlds: Worlds, stakes: Sequence[Stake], solved: Sequence[Floats | None], base: Floats) -> dict[str, Any]:
    """Retained quality of a router that knows more than chance: each other arm takes from the largest what only it solves.

    A rule leaves nothing to know, and a cascade has no router.
    """
    agreement = worlds.evidence.agreement
    blind = _answered(worlds, stakes, solved)
    free = [number for number, stake in enumerate(stakes) if not stake.is_ruled]
    if blind is None or agreement is None or not free:
        return {}
    requests = _requests(worlds)
    weight = requests / requests.sum()
    known = [np.asarray(one @ weight) for one in solved if one is not None]
    shares = [_share_of(worlds, stake) for stake in stakes]
    largest = max(free, key=lambda number: shares[number])
    gain = np.zeros(worlds.evidence.draws)
    for number in free:
        if number != largest:
            gain = gain + oracle_gain(known[largest], known[number], shares[number], agreement)
    bottom, at_random = base @ weight, blind @ weight
    oracle = np.minimum(1.0, at_random + gain)
    realised = at_random + worlds.skill * (oracle - at_random)
    return {
        "realised": middle(realised / bottom),
        "oracle": middle(oracle / bottom),
        "detail": {"realised": intervals(realised / bottom), "oracle": intervals(oracle / bottom)},
    }


def _share_of(worlds: Worlds, stake: Stake) -> float:
    if stake.served is None:
        return float(np.mean(stake.share))
    return float(stake.served.sum() / _requests(worlds).sum())


def spread(worlds: Worlds, stake: Stake) -> float:
    """Standard deviation of the logarithm of the arm's cost: of each ratio by all lines that it rests on, weighted by cost."""
    scaled = [(sqrt(sum(line.log_sd**2 for line in lines)), usd) for lines, usd in _scaled(worlds, stake)]
    whole = sum(usd for _, usd in scaled)
    return sum(apart * usd for apart, usd in scaled) / whole if whole else 0.0


def _bounds(values: Floats | None) -> dict[str, float] | None:
    return None if values is None else intervals(values)


def _total(values: Sequence[Floats | None]) -> Floats | None:
    known = [value for value in values if value is not None]
    return np.asarray(sum(known)) if len(known) == len(values) else None
