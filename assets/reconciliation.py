"""Asset of reconciliation: what is computed, logged and billed, and the check that bills agree within the tolerance.

The step is `pipelines.daily.refresh_reconciliation`; the tolerance is in `reconciliation.yaml`.
"""

from typing import Any

import dagster as dg

from assets.boundary import in_own_words
from assets.resources import WorkspaceResource
from assets.specs import asset_key, nothing_found, result, table_spec
from pipelines.daily import refresh_reconciliation
from pipelines.warehouse.tables.mart_reconciliation import RECONCILIATION


@dg.multi_asset(
    name="reconciliation",
    specs=[
        table_spec(
            RECONCILIATION, deps=["mart.daily_meter_spend", "core.reported_cost", "core.fx_rate", "core.rate_card"]
        )
    ],
    check_specs=[
        dg.AssetCheckSpec(
            "bills_agree",
            asset=asset_key(RECONCILIATION.qualified),
            description="Each seller bills for a month what is computed for it, within the tolerance of "
            "reconciliation.yaml, and every bill is in a currency with an exchange rate.",
        )
    ],
)
@in_own_words
def reconciliation(mm: WorkspaceResource) -> tuple[dg.MaterializeResult[Any], dg.AssetCheckResult]:
    """Put all charges and all bills next to each other again."""
    from pipelines.books.reconciliation.worklist import beyond_tolerance

    found = refresh_reconciliation(mm.workspace)
    differ = beyond_tolerance(found, mm.workspace.config.reconciliation)
    return result(RECONCILIATION, found.height), nothing_found("bills_agree", RECONCILIATION, differ)
