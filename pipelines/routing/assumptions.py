"""What a projection rests on, each assumption named, for the column `assumptions` of mart.routing_projection."""

from __future__ import annotations

import json
from collections.abc import Sequence
from math import exp
from typing import Any

from pipelines.config.evidence import Measure
from pipelines.config.routing import Arm, Baseline, Policy
from pipelines.routing.day import Day
from pipelines.routing.quality import Quality

_ASSUMED = {
    "assignment": "blind: requests are assigned at random, so each arm gets its share of the tokens too",
    "service_tier": "standard tier, no region surcharge, where the arm differs from the recorded model",
    "retries": 0,
    "context": "every request fits into the arm's context window",
}
_CACHE = {
    "session": "cache reads hit where the arm served the session before within five minutes, else the prompt is written anew",
    "kept": "recorded cache reads and writes are charged at the model's own cache rates",
    "lost": "recorded cache reads and writes are charged as plain input",
}


def assumptions(day: Day, policy: Policy, baseline: Baseline, arms: Sequence[Arm], quality: Quality | str) -> str:
    """JSON text: an object of the assumptions about `arms`, each named, with its value. `quality` may be why it is not known."""
    stated: dict[str, Any] = {
        **_ASSUMED,
        "tokens": _effects(day, arms),
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


def _cache(arm: Arm, baseline: Baseline) -> str:
    if (arm.provider_id, arm.model_id) == (baseline.provider_id, baseline.model_id):
        return f"{baseline.cache}: charged as the baseline, whose model it is"
    return f"{arm.cache}: {_CACHE[arm.cache]}, where the arm differs from the recorded model"


def _stand_ins(quality: Quality) -> dict[str, Any]:
    """The names that take the score of the model behind them."""
    lent = {name: score.scored_as for name, score in sorted(quality.scores.items()) if score.scored_as is not None}
    return {"stand_ins": lent} if lent else {}


def _effects(day: Day, arms: Sequence[Arm]) -> dict[str, str]:
    """The lines of evidence on tokens that the arms rest on, by measure."""
    loops = {group.is_loop for group in day.groups}
    measures: list[Measure] = []
    if True in loops:
        measures.append("loop")
    if False in loops:
        measures += ["input", "output"]
    found: dict[str, str] = {}
    for measure in measures:
        for arm in arms:
            effect = day.evidence.effect(measure, arm.model_id)
            if effect is not None:
                found[f"{measure}, {effect.model}"] = (
                    f"factor {exp(effect.log_mean):.3g}, logarithm within {effect.log_sd} ({effect.grade}: {effect.source})"
                )
    return found
