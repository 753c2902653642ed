"""What would end a saving: how many times as many tokens all arms, or one of them, may take. It is computed at the
middle of what is known.

An arm on the baseline's own model moves with the baseline, so its tokens flip nothing. Amounts are Decimal in the context of `projection.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import log

from pipelines.config.policies import Arm
from pipelines.routing.outlook import spread
from pipelines.routing.plan import ByGroup, Parts, Plan
from pipelines.routing.policy_arm import PolicyArm

_BEYOND = 3.0
"""An assumption further away than so many standard deviations flips nothing."""


@dataclass(frozen=True)
class Flips:
    """`break_even_ratio`: how many times the tokens all arms may take before nothing is saved. `first` is the arm whose tokens would do it first, in words.
    Both are None if an amount is not known."""

    break_even_ratio: float | None = None
    first: str | None = None


def flips(plan: Plan) -> Flips:
    """What would turn the sign of the saving."""
    base, _ = plan.base_point()
    lots = plan.lots()
    if base is None or isinstance(plan.parts, str) or any(lot.cost is None for lot in lots):
        return Flips()
    scaling = {place: _scaling(plan, plan.parts, place, arm) for place, arm in enumerate(plan.policy.arms)}
    whole = sum(scaling.values(), Decimal(0))
    if not whole:
        return Flips(first=_nothing_grows(plan))
    cost = sum((lot.cost for lot in lots if lot.cost is not None), Decimal(0))
    ratio = 1 + (base - cost) / whole
    return Flips(float(ratio) if ratio > 0 else None, _first(plan, base - cost, scaling))


def _nothing_grows(plan: Plan) -> str | None:
    """Why no arm's tokens change the result; None without traffic."""
    if not plan.of_day.traffic.count:
        return None
    if any(arm.is_own for arm in plan.policy.arms):
        return "nothing: what machines of one's own cost does not grow with tokens, and every other arm is what runs today, or what it is held against"
    return "nothing: every arm is what runs today, or what it is held against"


def _scaling(plan: Plan, parts: Parts, place: int, arm: Arm) -> Decimal:
    """The part of the arm's cost that grows with its tokens: without what already ran there, and without fees."""
    cost = plan.arm(arm)
    if plan.is_base(arm) or not isinstance(cost, PolicyArm):
        return Decimal(0)
    grows: ByGroup = {group: usd - cost.sums[group].fixed for group, usd in plan.of_day.scaled(cost).items()}
    return plan.sum_of([parts.cost[place]], [grows])


def _first(plan: Plan, room: Decimal, scaling: Mapping[int, Decimal]) -> str:
    """The arm whose tokens would use up the saving by the fewest standard deviations."""
    nearest: tuple[float, str] | None = None
    for stake, usd in zip(plan.stakes(), scaling.values(), strict=True):
        wide = spread(plan.of_day.worlds, stake)
        factor = float(1 + room / usd) if usd else 0.0
        if wide and factor > 0:
            distance = abs(log(factor)) / wide
            if nearest is None or distance < nearest[0]:
                nearest = (distance, f"{stake.name} with {factor:.2g} times the tokens")
    if nearest is None or nearest[0] > _BEYOND:
        return "no single arm's tokens within three standard deviations"
    return f"{nearest[1]} ({nearest[0]:.1f} standard deviations)"
