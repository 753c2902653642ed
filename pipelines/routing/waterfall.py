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
    arms, parts = plan.policy.arms, plan.parts
    costs = [plan.arm(arm) for arm in arms]
    priced = [cost for cost in costs if isinstance(cost, PolicyArm)]
    if base is None or central is None or projected is None or isinstance(parts, str) or len(priced) < len(arms):
        return None
    of_base = plan.base_by_group or {}
    kept = [of_base if plan.is_base(arm) else _kept(plan, arm, cost) for arm, cost in zip(arms, priced, strict=True)]
    same = [of_base if plan.is_base(arm) else cost.same_by_group() for arm, cost in zip(arms, priced, strict=True)]
    scaled = [
        of_base if plan.is_base(arm) else plan.of_day.scaled(cost) for arm, cost in zip(arms, priced, strict=True)
    ]
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


def _kept(plan: Plan, arm: Arm, cost: PolicyArm) -> ByGroup:
    if arm.fixed_usd_per_day is not None:
        return cost.same_by_group()
    whole = plan.of_day.arm(arm.provider_id, arm.model_id, _KEPT)
    return cost.same_by_group() if isinstance(whole, str) else whole.same_by_group()
