"""Assets of provider bills: what providers report and charge, apart from what we compute.

The step is `pipelines.daily.refresh_reported_costs`; the exports are parsed with the request files (`requests.py`).
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from assets.boundary import in_own_words
from assets.resources import WorkspaceResource
from assets.specs import result, table_spec
from pipelines.daily import refresh_reported_costs
from pipelines.warehouse.tables.bills import BILL_DUPLICATE, REPORTED_COST


@dg.multi_asset(
    name="core_reported_cost",
    specs=[
        table_spec(REPORTED_COST, deps=["raw.snapshot", "core.model"]),
        table_spec(BILL_DUPLICATE, deps=["raw.snapshot"]),
    ],
)
@in_own_words
def core_reported_cost(mm: WorkspaceResource) -> Iterator[dg.MaterializeResult[Any]]:
    """Rebuild the ledger of provider bills from every export that was parsed."""
    done = refresh_reported_costs(mm.workspace)
    yield result(
        REPORTED_COST,
        done.rows,
        exports=done.exports,
        believed_now=done.believed,
        lines_of_unresolved_models=done.unresolved,
        billed_usd=done.billed_usd,
    )
    yield result(BILL_DUPLICATE, done.duplicates)
