"""Asset of the claims audit: published numbers computed again every day.

The step is `pipelines.daily.audit_claims`; claims are in `claims.yaml`.
"""

from typing import Any

import dagster as dg

from assets.boundary import in_own_words
from assets.resources import WorkspaceResource
from assets.specs import result, table_spec
from pipelines.daily import audit_claims
from pipelines.warehouse.tables.mart_evidence import CLAIMS_AUDIT


@dg.multi_asset(
    name="claims_audit",
    specs=[table_spec(CLAIMS_AUDIT, deps=["core.price", "core.rate_card", "core.benchmark_score"])],
)
@in_own_words
def claims_audit(mm: WorkspaceResource) -> dg.MaterializeResult[Any]:
    """Compute every claim of claims.yaml at the prices it cites, at those of its date and at today's."""
    found = audit_claims(mm.workspace)
    verdicts = dict(found.filter(found["date_basis"] == "today")["verdict"].value_counts().sort("verdict").iter_rows())
    shown = found.filter(found["date_basis"] == "today").select(
        "claim", "claimed", "value_text", "verdict", "condition"
    )
    return result(CLAIMS_AUDIT, found.height, shown, today=verdicts)
