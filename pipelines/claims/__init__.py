"""Published numbers, computed again: do they hold at the prices they cite, at those of their date, and today?

    audit(claims, known, today) -> mart.claims_audit

Claims are declared in `claims.yaml` (`pipelines.config.claims`). Scores that the same report states are kept as a board of
their own in `pipelines.benchmarks.claims`.
"""

from __future__ import annotations

from pipelines.claims.audit import audit
from pipelines.claims.formulas import FORMULAS
from pipelines.claims.known import Known, offers_of

__all__ = ["FORMULAS", "Known", "audit", "offers_of"]
