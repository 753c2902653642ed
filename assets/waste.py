"""Asset of waste: requests that could have cost less. The step is `pipelines.daily.refresh_waste`."""

from typing import Any

import dagster as dg

from assets.boundary import in_own_words
from assets.partitions import DAILY, ONE_PASS, window_of
from assets.resources import WorkspaceResource
from assets.specs import result, table_spec
from pipelines.daily import refresh_waste
from pipelines.warehouse.tables.mart_economics import DEARER_SELLER, WASTE


@dg.multi_asset(
    name="waste",
    specs=[
        table_spec(table, deps=["core.request", "core.rate_card"], partitioned=True) for table in (WASTE, DEARER_SELLER)
    ],
    partitions_def=DAILY,
    backfill_policy=ONE_PASS,
)
@in_own_words
def waste(
    context: dg.AssetExecutionContext, mm: WorkspaceResource
) -> tuple[dg.MaterializeResult[Any], dg.MaterializeResult[Any]]:
    """Find the window's waste and replace its days."""
    found, dearer = refresh_waste(mm.workspace, window_of(context))
    return result(WASTE, found.height), result(DEARER_SELLER, dearer.height)
