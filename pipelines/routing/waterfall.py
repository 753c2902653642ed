"""Where a saving comes from: the steps from the baseline's cost to the projected one."""

from __future__ import annotations

import json
from decimal import Decimal

from pipelines.config.policies import Arm
from pipelines.routing.amounts import SMALLEST
from pipelines.routing.plan import ByGroup, Plan
from pipelines.routing.policy_arm import Handling, PolicyArm

_KEPT = Handling("kept", "session", Decimal(1))
_ALWAYS = ("baseline", "price", "cache", "tokens", "router_fee")
"""Steps that are shown where they are zero too."""


def waterfall(plan: Plan, base: Decimal | None, central: Decimal | None, projected: Decimal | None) -> str | None:
    """JSON text of the steps in USD; null without an amount. All but `uncertainty` lead to the `central` cost.

    price: the arms' prices at the recorded tokens, with every cache kept. cache: what is lost on a switch. longer: hard requests
    are longer than others. tokens: what the arms' models take more or less. second_answers: what a cascade pays twice and its
    verifier, or what users ask again. fixed: one's own machines. router_fee: of the router. uncertainty: what the middle of all worlds is off the world in
    which everything is at its middle.
    """
    parts = plan.parts
    if base is None or central is None or projected is None or isinstance(parts, str):
        return None
    costs = _costs(plan)  # raises where evidence is missing: then there is no projected cost either
    if costs is None:
        return None
    arms, (kept, same, scaled) = plan.policy.arms, costs
    lots = plan.lots()
    fee = plan.policy.router_fee_usd * sum((lot.requests for lot in lots), Decimal(0))
    fixed = sum((arm.fixed_usd_per_day or Decimal(0) for arm in arms), Decimal(0)) * plan.of_day.traffic.days
    at_request, at_base, paid = (plan.sum_of(one, scaled) for one in (parts.requests, parts.base, parts.cost))
    steps = {
        "baseline": base,
        "price": plan.sum_of(parts.requests, kept) - base,
        "cache": plan.sum_of(parts.requests, same) - plan.sum_of(parts.requests, kept),
        "tokens": at_request - plan.sum_of(parts.requests, same),
        "longer": at_base - at_request,
        "second_answers": paid - at_base + plan.verifier_usd,
        "fixed": fixed,
        "router_fee": fee,
    }
    rounded = {name: usd.quantize(SMALLEST) for name, usd in steps.items()}
    # The largest of the differences takes what rounding leaves, so that the steps add up to the last decimal.
    rounded["price"] += central - sum(rounded.values(), Decimal(0))
    rounded["uncertainty"] = projected - central
    shown = {name: usd for name, usd in rounded.items() if usd or name in _ALWAYS}
    return json.dumps({name: str(usd) for name, usd in {**shown, "projected": projected}.items()})


def _costs(plan: Plan) -> tuple[list[ByGroup], list[ByGroup], list[ByGroup]] | None:
    """Each arm's cost by group with all traffic: at the recorded tokens with every cache kept, the same with caches as the policy has them, and
    at the tokens that its model takes. None if one is not known."""
    kept: list[ByGroup] = []
    same: list[ByGroup] = []
    scaled: list[ByGroup] = []
    for arm in plan.policy.arms:
        cost = plan.arm(arm)
        if not isinstance(cost, PolicyArm):
            return None
        if plan.is_base(arm):
            of_arm = [plan.base_by_group or {}] * 3
        else:
            of_arm = [_kept(plan, arm, cost), cost.same_by_group(), plan.of_day.scaled(cost)]
        for found, usd in zip((kept, same, scaled), of_arm, strict=True):
            found.append(usd)
    return kept, same, scaled


def _kept(plan: Plan, arm: Arm, cost: PolicyArm) -> ByGroup:
    if arm.fixed_usd_per_day is not None:
        return cost.same_by_group()
    whole = plan.of_day.arm(arm.provider_id, arm.model_id, _KEPT)
    return cost.same_by_group() if isinstance(whole, str) else whole.same_by_group()
