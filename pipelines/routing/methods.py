"""What every policy is compared with: the industry's method, and the one model that would do for the same money.

    rows = method_rows(case, projected)

Both answer the same question on the same traffic, so nobody has to trust a projection.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pipelines.outside import ANY_FAILURE, worded
from pipelines.routing.amounts import SMALLEST, at_the_middle
from pipelines.routing.arm_costs import Offer
from pipelines.routing.case import NO_OUTLOOK, WHOLE, Case
from pipelines.routing.outlook import ArmOutlook, Outlook, Stake, grade
from pipelines.routing.own_scores import measured_quality
from pipelines.routing.policy_arm import Handling, PolicyArm
from pipelines.routing.quality import Quality
from pipelines.warehouse.tables.mart_routing import BEST_SINGLE_CHEAP, SAME_TOKENS_DEAREST

_KEPT = Handling("kept", "session", Decimal(1))


def method_rows(case: Case, projected: Decimal | None) -> Iterator[dict[str, Any]]:
    """Rows of mart.routing_projection, one per method. `projected` is what the policy would cost, None if that is not known."""
    makers: dict[str, Callable[[], dict[str, Any]]] = {
        SAME_TOKENS_DEAREST: lambda: _same_tokens_dearest(case),
        BEST_SINGLE_CHEAP: lambda: _best_single_cheap(case, projected),
    }
    for name, made in makers.items():
        try:
            yield made()
        except ANY_FAILURE as error:  # the policy and the other method stand without it
            yield _row(case, name, reason=f"the method failed: {worded(error)}")


def _same_tokens_dearest(case: Case) -> dict[str, Any]:
    """The policy's saving as the industry counts it: the recorded tokens at the arms' prices, against the dearest model's."""
    policy, parts = case.policy, case.plan.parts
    unknown = _unknown_arms(case)
    if isinstance(parts, str) or unknown:
        reasons = [*unknown, parts] if isinstance(parts, str) else unknown
        return _row(case, SAME_TOKENS_DEAREST, reason="; ".join(dict.fromkeys(reasons)))
    costs = {offer: case.of_day.arm(*offer, _KEPT) for offer in sorted(_offers(case))}
    by_group = {offer: cost.same_by_group() for offer, cost in costs.items() if isinstance(cost, PolicyArm)}
    same = {offer: sum(usd.values(), Decimal(0)) for offer, usd in by_group.items()}
    if not same:
        return _row(case, SAME_TOKENS_DEAREST, reason="no model has a price")
    dearest = max(same, key=lambda offer: same[offer])
    usd = [None if arm.is_own else by_group.get((arm.provider_id, arm.model_id)) for arm in policy.arms]
    fixed = sum((arm.fixed_usd_per_day or Decimal(0) for arm in policy.arms), Decimal(0)) * case.of_day.traffic.days
    projected = case.plan.sum_of(parts.requests, usd) + fixed
    return _row(
        case,
        SAME_TOKENS_DEAREST,
        offer=dearest,
        amounts=(same[dearest].quantize(SMALLEST), projected.quantize(SMALLEST)),
        central=projected.quantize(SMALLEST),
        stated={
            "method": "same tokens on the dearest model: every model takes the recorded tokens and every cache hits, your own machines cost what they "
            "cost a day; the baseline is the dearest model of policy, baseline and traffic. No interval, and nothing on quality",
            "without_a_price": sorted("/".join(offer) for offer in costs.keys() - same.keys()),
        },
    )


def _unknown_arms(case: Case) -> list[str]:
    """Why some arms have no cost. One that serves nothing needs none."""
    costs = [
        case.plan.arm(arm) if arm.is_own else case.of_day.arm(arm.provider_id, arm.model_id, _KEPT)
        for arm in case.policy.arms
        if not case.plan.is_idle(arm)
    ]
    return [cost for cost in costs if isinstance(cost, str)]


def _offers(case: Case) -> set[Offer]:
    """Sellers and models of policy, baseline and traffic; not machines of one's own."""
    bought = {(arm.provider_id, arm.model_id) for arm in case.policy.arms if not arm.is_own}
    baseline = case.baseline
    named = {(baseline.provider_id, baseline.model_id)} if baseline.provider_id and baseline.model_id else set()
    return bought | named | set(case.of_day.traffic.ran)


@dataclass(frozen=True)
class _Candidates:
    """Models that could take all traffic: what that costs, at the middle of all assumptions (`central`) and of all worlds (`middle`), and why
    others can't."""

    costs: Mapping[Offer, PolicyArm | str]
    central: Mapping[Offer, Decimal]
    middle: Mapping[Offer, Decimal]
    barred: Mapping[Offer, str]

    def none(self, case: Case) -> str:
        """Why there is no candidate."""
        reasons = dict.fromkeys(reason for cost in self.costs.values() if (reason := case.plan.point(cost)[1]))
        reasons |= dict.fromkeys(f"{'/'.join(offer)}: {why}" for offer, why in self.barred.items())
        return "; ".join(reasons) or "no model is known"

    def best(self, quality: Quality | None, most: Decimal | None) -> tuple[Offer, str]:
        """The best score that costs at most `most`, else the cheapest; and why."""
        scores = {} if quality is None else quality.scores
        affordable = [
            offer for offer, usd in self.middle.items() if most is not None and usd <= most and offer[1] in scores
        ]
        if affordable:
            best = max(affordable, key=lambda offer: (scores[offer[1]].share, -self.middle[offer]))
            return best, "the best score among the models that cost at most what the policy costs"
        cheapest = min(self.middle, key=lambda offer: self.middle[offer])
        return cheapest, "the cheapest: no model that costs at most what the policy costs has a score to choose by"


def _candidates(case: Case) -> _Candidates:
    barred = {offer: why for offer in case.of_day.offers if (why := _barred(case, offer)) is not None}
    costs = {offer: case.of_day.arm(*offer, WHOLE) for offer in case.of_day.offers if offer not in barred}
    central = {offer: usd for offer, cost in costs.items() if (usd := case.plan.point(cost)[0]) is not None}
    middle = {offer: _at_the_middle(case, offer, costs[offer], usd) for offer, usd in central.items()}
    return _Candidates(costs, central, middle, barred)


def _at_the_middle(case: Case, offer: Offer, cost: PolicyArm | str, central: Decimal) -> Decimal:
    """What all traffic costs on the model at the middle of all worlds, as rows show it."""
    base, _ = case.plan.base_point()
    drawn = case.base_drawn
    if base is None or drawn is None or isinstance(cost, str) or not (drawn > 0).all():
        return central
    gain = 1 - case.of_day.drawn_alone(offer, cost) / drawn
    return at_the_middle(base, [(base, central)], [gain], gain)[0][1] or central


def _best_single_cheap(case: Case, projected: Decimal | None) -> dict[str, Any]:
    """All traffic on the model that is best for the policy's money, or on the cheapest where none is as cheap or scored."""
    candidates = _candidates(case)
    if not candidates.central:
        return _row(case, BEST_SINGLE_CHEAP, reason=candidates.none(case))
    quality = _scores(case)
    chosen, why = candidates.best(quality, projected)
    compared = {chosen[1], *case.against}
    known = measured_quality(case.of_day.answered, compared)  # scores of one's own go first, as for a policy
    if known is None and quality is not None and compared <= quality.scores.keys():
        known = quality
    cost = candidates.costs[chosen]
    stake = Stake(BEST_SINGLE_CHEAP, chosen[1], 1.0, cost.arrays if isinstance(cost, PolicyArm) else None)
    found, blank = _alone(case, chosen, stake, known)
    base, base_reason = case.plan.base_point()
    row = _row(
        case,
        BEST_SINGLE_CHEAP,
        offer=chosen,
        amounts=(base, candidates.middle[chosen].quantize(SMALLEST)),
        central=candidates.central[chosen].quantize(SMALLEST),
        reason=base_reason or blank,
        stated={
            "method": f"all traffic on one model: {why}",
            "quality": "neither a leaderboard nor requests of your own score this model and the baseline"
            if known is None
            else known.benchmark_version_id,
            "among": sorted("/".join(offer) for offer in candidates.central),
            "not_among": {"/".join(offer): why for offer, why in sorted(candidates.barred.items())},
        },
        sure=found.total,
    )
    return row | {
        "evidence_grade": grade(case.of_day.worlds, [stake], known),
        "probability_saving_85": found.saving_85,
        "probability_quality_95": found.quality_95,
        "probability_both": found.both,
    }


def _alone(case: Case, offer: Offer, stake: Stake, known: Quality | None) -> tuple[Outlook, str | None]:
    """The intervals of all traffic on one model: most policies come to the same one."""
    found = case.of_day.alone
    key = (offer, case.baseline.baseline, None if known is None else known.benchmark_version_id)
    if key not in found:
        found[key] = case.outlook_of([stake], known, fee=0.0)
    return found[key]


def _barred(case: Case, offer: Offer) -> str | None:
    """Why all traffic can't be on the model: what the policy requires, or requests that it can't take."""
    requires = case.policy.requires
    unmet = None if requires is None else case.of_day.models.unmet(offer, requires)
    return unmet or case.of_day.cannot_take(offer)


def _scores(case: Case) -> Quality | None:
    """Scores of as many models as there are, on the benchmark version of the policy's own quality where it has one."""
    day, own = case.of_day, case.quality
    benchmarks = day.config.quality_benchmarks
    if not isinstance(own, str) and not own.moves:
        benchmarks = (own.benchmark_version_id,)
    return day.widest_quality(benchmarks, {model for _, model in day.offers} | case.against)


def _row(
    case: Case,
    method: str,
    *,
    offer: Offer | None = None,
    amounts: tuple[Decimal | None, Decimal | None] = (None, None),
    reason: str | None = None,
    stated: dict[str, Any] | None = None,
    central: Decimal | None = None,
    sure: ArmOutlook = NO_OUTLOOK,
) -> dict[str, Any]:
    provider_id, model_id = offer or (None, None)
    row = case.row(
        None,
        amounts=amounts,
        central=central,
        reason=reason,
        sure=sure,
        stated=json.dumps(stated or {}, sort_keys=True),
    )
    return row | {
        "arm": method,
        "method": method,
        "provider_id": provider_id,
        "model_id": model_id,
        "is_headline": False,
        "evidence_grade": "E",
    }
