"""Decides who gets which requests: first by rules, then by shares and the difficulty threshold. What an arm can't
take, or its machines can't serve, goes to the next one that can."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from pipelines.config.policies import Arm, Policy
from pipelines.routing.lanes import Models, names_in, ruled

Lane = str
_FULL = "more than its machines can serve"


@dataclass(frozen=True)
class Assignment:
    """The part of each lane's requests that each arm serves, by arm in the policy's order.

    `moved` counts the requests that an arm could not take, by arm and why. `reason` says why some requests have no arm. `not_known`
    are facts that a lane needed and nobody states.
    """

    parts: Sequence[Mapping[Lane, Decimal]]
    moved: Mapping[str, float]
    reason: str | None
    not_known: Sequence[str]


def assign(
    policy: Policy, models: Models, requests: Mapping[Lane, int], limits: Mapping[int, Decimal] | None = None
) -> Assignment:
    """Shares out the `requests` of each lane. A cascade's first arm gets all of them.

    `limits` are the parts that arms of one's own machines, by their place, can serve of what comes to them.
    """
    limits = limits or {}
    barred = {arm.arm: _unmet(policy, arm, models) for arm in policy.arms}
    parts: list[dict[Lane, Decimal]] = [{} for _ in policy.arms]
    moved: dict[str, float] = {}
    unserved: defaultdict[str, float] = defaultdict(float)
    not_known: dict[str, None] = {}
    for lane, number in requests.items():
        refusals = [barred[arm.arm] or models.refuses(arm.model_id, lane, arm) for arm in policy.arms]
        for place, part in enumerate(_wanted(policy, lane)):
            if not part:
                continue
            for taker, taken, why in _takers(place, part, refusals, limits):
                if why is not None:
                    reason = f"{policy.arms[place].arm}: {why}"
                    moved[reason] = moved.get(reason, 0.0) + float(taken * number)
                if taker is None:
                    needs = dict.fromkeys(
                        [*(one for one in refusals if one is not None), *([why] if why == _FULL else [])]
                    )
                    unserved["; ".join(needs)] += float(taken * number)
                    continue
                parts[taker][lane] = parts[taker].get(lane, Decimal(0)) + taken
                not_known.update(dict.fromkeys(models.not_known(policy.arms[taker], lane)))
    listed = [f"no arm takes {number:,.12g} requests: {why}" for why, number in unserved.items()]
    return Assignment(parts, moved, "; ".join(listed) or None, list(not_known))


def untaken(policy: Policy, models: Models, lanes: Iterable[Lane]) -> dict[Lane, str]:
    """The lanes that no arm can take, each with what keeps the arms from it, in words."""
    barred = {arm.arm: _unmet(policy, arm, models) for arm in policy.arms}
    found = {}
    for lane in lanes:
        refusals = [barred[arm.arm] or models.refuses(arm.model_id, lane, arm) for arm in policy.arms]
        if None not in refusals:
            found[lane] = ", ".join(dict.fromkeys(one for one in refusals if one is not None))
    return found


def _wanted(policy: Policy, lane: Lane) -> list[Decimal]:
    """The part of the lane that each arm is to serve, before anything is moved."""
    if policy.cascade is not None:
        return [Decimal(1), Decimal(0)]
    held = names_in(lane)
    for place, arm in enumerate(policy.arms):
        if arm.rule is not None and ruled(policy.policy, arm.arm) in held:
            return [Decimal(place == other) for other in range(len(policy.arms))]
    return [arm.part for arm in policy.arms]


def _next_able(place: int, refusals: Sequence[str | None]) -> int | None:
    """The arm itself, else the next in order that refuses nothing, from the first again after the last."""
    order = [*range(place, len(refusals)), *range(place)]
    return next((other for other in order if refusals[other] is None), None)


def _takers(
    place: int, part: Decimal, refusals: Sequence[str | None], limits: Mapping[int, Decimal]
) -> Iterator[tuple[int | None, Decimal, str | None]]:
    """Who takes a part that was meant for the arm at `place`: the arm (None: nobody), how much, and why it is not the arm that was meant."""
    taker = _next_able(place, refusals)
    if taker is None or taker not in limits:
        yield taker, part, refusals[place]
        return
    kept = part * limits[taker]
    yield taker, kept, refusals[place]
    if part > kept:
        full = [_FULL if other in limits else refusal for other, refusal in enumerate(refusals)]
        yield _next_able(place, full), part - kept, refusals[place] or _FULL


def _unmet(policy: Policy, arm: Arm, models: Models) -> str | None:
    wanted = [requires for requires in (policy.requires, arm.requires) if requires is not None]
    offer = (arm.provider_id, arm.model_id)
    return next((unmet for requires in wanted if (unmet := models.unmet(offer, requires, arm)) is not None), None)
