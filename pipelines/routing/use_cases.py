"""Quality kept in each use case: the mean over all traffic hides the one that a rule sends to a worse model."""

from __future__ import annotations

import json
from collections.abc import Mapping

from pipelines.routing.plan import Plan


def kept_by_use_case(plan: Plan, found: Mapping[str, dict[str, float]]) -> str | None:
    """JSON text: by use case its requests, and of the quality kept the median (`retained`) and the bounds of its intervals, as they were
    `found`; None without scores."""
    if not found:
        return None
    use_cases = plan.of_day.worlds.use_cases
    rows = {name: {"requests": sum(use_cases[name].values()), **kept} for name, kept in found.items()}
    return json.dumps(rows, sort_keys=True)
