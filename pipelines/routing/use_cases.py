"""Quality kept in each use case: the mean over all traffic hides the one that a rule sends to a worse model."""

from __future__ import annotations

import json
from collections.abc import Mapping

from pipelines.routing.plan import Plan
from pipelines.routing.quality import Quality


def kept_by_use_case(plan: Plan, quality: Quality | str, bounds: Mapping[str, dict[str, float]]) -> str | None:
    """JSON text: by use case its requests, the quality kept (`retained`) and the `bounds` of its intervals; None without scores."""
    parts = plan.parts
    if isinstance(quality, str) or isinstance(parts, str) or plan.assignment.reason:
        return None
    scores = {model: score.share for model, score in quality.scores.items()}
    served = [plan.served(by_lane) for by_lane in plan.assignment.parts]
    found = {}
    for place, (use_case, by_model) in enumerate(plan.of_day.worlds.use_cases.items()):
        number = sum(by_model.values())
        solved = sum(of_arm[place] * scores[arm.model_id] for arm, of_arm in zip(plan.policy.arms, served, strict=True))
        if parts.solved is not None:
            solved = parts.solved * number
        base = plan.baseline.model_id
        at_base = sum(scores[base or model] * requests for model, requests in by_model.items())
        found[use_case] = {"requests": number, "retained": float(solved / at_base), **bounds.get(use_case, {})}
    return json.dumps(found, sort_keys=True)
