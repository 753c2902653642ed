"""Assets of unit costs and of spend by end user. The step is `pipelines.daily.refresh_unit_costs`."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from assets.boundary import in_own_words
from assets.partitions import DAILY, ONE_PASS, window_of
from assets.resources import WorkspaceResource
from assets.specs import result, table_spec
from pipelines.daily import refresh_unit_costs
from pipelines.warehouse.tables.mart import DAILY_END_USER_SPEND
from pipelines.warehouse.tables.mart_economics import UNIT_COST


@dg.multi_asset(
    name="unit_cost",
    specs=[table_spec(table, deps=["core.request"], partitioned=True) for table in (UNIT_COST, DAILY_END_USER_SPEND)],
    partitions_def=DAILY,
    backfill_policy=ONE_PASS,
)
@in_own_words
def unit_cost(context: dg.AssetExecutionContext, mm: WorkspaceResource) -> Iterator[dg.MaterializeResult[Any]]:
    """Add up the window's requests by session and end user, and replace these days."""
    written = refresh_unit_costs(mm.workspace, window_of(context))
    for table in (UNIT_COST, DAILY_END_USER_SPEND):
        yield result(table, written[table.qualified])
