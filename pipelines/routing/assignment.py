"""Who gets which requests: rules first, then shares and the difficulty threshold; what an arm can't take goes to the next that can."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from pipelines.config.policies import Arm, Policy
from pipelines.routing.lanes import Models, names_in, ruled

Lane = str


@dataclass(frozen=True)
class Assignment:
    """The part of each lane's requests that each arm serves, by arm in the policy's order.

    `moved` counts the requests that an arm could not take, by arm and why. `reason` says why some requests have no arm. `not_known` are
    the facts that a lane asked for and nobody states.
    """

    parts: Sequence[Mapping[Lane, Decimal]]
    moved: Mapping[str, float]
    reason: str | None
    not_known: Sequence[str]


def assign(policy: Policy, models: Models, requests: Mapping[Lane, int]) -> Assignment:
    """Shares out the `requests` of each lane. A cascade's first arm gets all of them."""
    barred = {arm.arm: _unmet(policy, arm, models) for arm in policy.arms}
    parts: list[dict[Lane, Decimal]] = [{} for _ in policy.arms]
    moved: dict[str, float] = {}
    unserved: Counter[str] = Counter()
    not_known: dict[str, None] = {}
    for lane, number in requests.items():
        refusals = [barred[arm.arm] or models.refuses(arm.model_id, lane, arm) for arm in policy.arms]
        for place, part in enumerate(_wanted(policy, lane)):
            if not part:
                continue
            taker = _next_able(place, refusals)
            why = refusals[place]
            if why is not None:
                reason = f"{policy.arms[place].arm}: {why}"
                moved[reason] = moved.get(reason, 0.0) + float(part * number)
            if taker is None:
                unserved["; ".join(dict.fromkeys(one for one in refusals if one is not None))] += number
                continue
            parts[taker][lane] = parts[taker].get(lane, Decimal(0)) + part
            not_known.update(dict.fromkeys(models.not_known(policy.arms[taker], lane)))
    listed = [f"no arm takes {number} requests: {why}" for why, number in unserved.items()]
    return Assignment(parts, moved, "; ".join(listed) or None, list(not_known))


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


def _unmet(policy: Policy, arm: Arm, models: Models) -> str | None:
    wanted = [requires for requires in (policy.requires, arm.requires) if requires is not None]
    offer = (arm.provider_id, arm.model_id)
    return next((unmet for requires in wanted if (unmet := models.unmet(offer, requires, arm)) is not None), None)
