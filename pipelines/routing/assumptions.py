"""Names every assumption that a projection rests on, for the column `assumptions` of mart.routing_projection."""

from __future__ import annotations

import json
from collections.abc import Sequence
from math import exp
from typing import Any

from pipelines.config.evidence import Measure
from pipelines.config.policies import Arm
from pipelines.config.routing import Baseline
from pipelines.routing.day import Day
from pipelines.routing.lanes import names_in, ruled
from pipelines.routing.plan import Plan
from pipelines.routing.quality import Quality

_ASSUMED = {
    "service_tier": "standard tier, no region surcharge, where the arm differs from the recorded model",
}
_CACHE = {
    "session": "cache reads hit where the arm served the session before within five minutes, else the prompt is written anew",
    "kept": "recorded cache reads and writes are charged at the model's own cache rates",
    "lost": "recorded cache reads and writes are charged as plain input",
}


def assumptions(plan: Plan, quality: Quality | str, arms: Sequence[Arm]) -> str:
    """JSON text: an object of the assumptions about `arms`, each named, with its value. `quality` may be why it is not known."""
    day, policy, baseline = plan.of_day, plan.policy, plan.baseline
    stated: dict[str, Any] = {
        **_ASSUMED,
        **_assignment(plan),
        "tokens": _effects(day, arms, _counted_measures(day)),
        "retries": _effects(day, arms, ["attempts"]) or "as in the log",
        "unit": policy.unit,
        "router_fee_usd": str(policy.router_fee_usd),
        "cache": {arm.arm: _cache(arm, baseline) for arm in arms},
        "requests": day.traffic.count,
        "requests_left_out": day.traffic.left_out,
    }
    if baseline.model_id is not None:
        stated["baseline_cache"] = f"{baseline.cache}: {_CACHE[baseline.cache]}"
    if isinstance(quality, str):
        stated["quality"] = f"not projected: {quality}"
    else:
        stated["quality"] = {
            "proxy": quality.benchmark_version_id,
            "scores": {name: round(score.share * 100, 6) for name, score in sorted(quality.scores.items())},
            **_stand_ins(quality),
            "assumed": "nothing: scored on requests of this traffic"
            if quality.moves
            else "the ratio of leaderboard scores (best entry per model) carries over to this traffic",
        }
    return json.dumps(stated, sort_keys=True)


def _assignment(plan: Plan) -> dict[str, Any]:
    """How requests are assigned to arms."""
    evidence, policy = plan.of_day.evidence, plan.policy
    stated: dict[str, Any] = {
        "assignment": "at random within what rules leave: each arm gets its share of the tokens too",
    }
    asked_again = {
        arm.arm: f"{line.share:.2%} ({line.grade}: {line.source})"
        for place, arm in enumerate(policy.arms)
        if (line := plan.escalation(place)) is not None
    }
    if asked_again:
        stated["asked_again"] = asked_again
    hard = [arm.arm for arm in policy.arms if arm.difficulty_above is not None]
    if hard:
        stated["assignment"] = f"{hard[0]} gets what the router ranks hardest, the others the rest at random"
    if policy.cascade is not None:
        stated["assignment"] = "the first arm answers, the second what the verifier rejects"
        verifier = next((one for one in evidence.verifiers if one.verifier == policy.cascade.verifier), None)
        if verifier is not None:
            stated["verifier"] = (
                f"accepts {verifier.accepts_wrong:.0%} of wrong answers, rejects {verifier.rejects_right:.0%} of right ones "
                f"({verifier.grade}: {verifier.source})"
            )
    if (hard or policy.cascade is not None) and evidence.difficulty is not None:
        longer = evidence.difficulty
        stated["difficulty"] = (
            f"hard requests take {exp(longer.log_mean):.3g} times the tokens of others, logarithm within {longer.log_sd} "
            f"({longer.grade}: {longer.source})"
        )
    own = {arm.arm: arm.ceiling for arm in policy.arms if arm.is_own and arm.ceiling is not None}
    if own:
        stated["own_machines"] = {
            name: f"at most {ceiling.per_second:,.0f} tokens a second{'' if ceiling.counts_input else ' of answers'}, hour by hour, requests "
            f"coming when all traffic comes ({ceiling.source})"
            for name, ceiling in own.items()
        }
    return stated | _served(plan)


def _served(plan: Plan) -> dict[str, Any]:
    """Which requests went to another arm than the policy meant, and what is not known about them."""
    policy, found = plan.policy, plan.assignment
    stated: dict[str, Any] = {}
    lanes = [names_in(lane) for lane in plan.of_day.traffic.lanes["lane"]]
    unmet = [
        arm.arm
        for arm in policy.arms
        if arm.rule is not None and not any(ruled(policy.policy, arm.arm) in lane for lane in lanes)
    ]
    if unmet:
        stated["rules_unmet"] = unmet
    if found.moved:
        stated["requests_moved"] = {why: round(number, 3) for why, number in sorted(found.moved.items())}
    windows = {arm.arm: plan.of_day.models.window(arm.model_id, arm) for arm in policy.arms}
    lacking = [arm.model_id for arm in policy.arms if windows[arm.arm] is None]
    if lacking:
        stated["context"] = (
            f"every request fits into the context window of {', '.join(dict.fromkeys(lacking))}, which is not known"
        )
    if found.not_known:
        stated["not_known"] = list(found.not_known)
    return stated


def _cache(arm: Arm, baseline: Baseline) -> str:
    if (arm.provider_id, arm.model_id) == (baseline.provider_id, baseline.model_id):
        return f"{baseline.cache}: charged as the baseline, whose model it is"
    return f"{arm.cache}: {_CACHE[arm.cache]}, where the arm differs from the recorded model"


def _stand_ins(quality: Quality) -> dict[str, Any]:
    """The names that take the score of the model behind them."""
    lent = {name: score.scored_as for name, score in sorted(quality.scores.items()) if score.scored_as is not None}
    return {"stand_ins": lent} if lent else {}


def _counted_measures(day: Day) -> list[Measure]:
    """The measures of tokens that the traffic has: loops, single requests, or both."""
    loops = {group.is_loop for group in day.groups}
    measures: list[Measure] = ["loop"] if True in loops else []
    return [*measures, "input", "output"] if False in loops else measures


def _effects(day: Day, arms: Sequence[Arm], measures: Sequence[Measure]) -> dict[str, str]:
    """The lines of evidence that the arms rest on, by measure."""
    found: dict[str, str] = {}
    for measure in measures:
        for arm in arms:
            effect = day.evidence.effect(measure, arm.model_id)
            if effect is not None:
                held = f" against {effect.against}" if effect.against else ""
                found[f"{measure}, {effect.model}"] = (
                    f"factor {exp(effect.log_mean):.3g}{held}, logarithm within {effect.log_sd:.3g} ({effect.grade}: {effect.source})"
                )
    return found
