"""Shadow measurements: requests of our own on other models, which turn a projection into something measured.

    parse_shadow(file) -> the store      collect(records) -> core.shadow_request
    answers(shadow, requests) -> pairs with what ran      ratios, effects, evidence_rows: what they show
    off_policy_rows: what the log itself shows where several models served one use case

Projections, which use it, are in `pipelines.routing`.
"""

from __future__ import annotations

from pipelines.shadow.answers import answers
from pipelines.shadow.collect import collect
from pipelines.shadow.measured import effects, evidence_rows, ratios
from pipelines.shadow.off_policy import off_policy_rows
from pipelines.shadow.parse import parse_shadow, shadow_version

__all__ = [
    "answers",
    "collect",
    "effects",
    "evidence_rows",
    "off_policy_rows",
    "parse_shadow",
    "ratios",
    "shadow_version",
]
