"""Assets of what logs state: costs of their own, and names without a price. The step is `pipelines.daily.refresh_logged_costs`."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from assets.boundary import in_own_words
from assets.partitions import DAILY, ONE_PASS, window_of
from assets.resources import WorkspaceResource
from assets.specs import result, table_spec
from pipelines.daily import refresh_logged_costs
from pipelines.warehouse.tables.mart_logged import MART_LOGGED_TABLES


@dg.multi_asset(
    name="logged_cost",
    specs=[
        table_spec(table, deps=["core.request", "core.rate_card"], partitioned=True) for table in MART_LOGGED_TABLES
    ],
    partitions_def=DAILY,
    backfill_policy=ONE_PASS,
)
@in_own_words
def logged_cost(context: dg.AssetExecutionContext, mm: WorkspaceResource) -> Iterator[dg.MaterializeResult[Any]]:
    """Compare what logs state of the window's days with what is computed, and replace these days."""
    written = refresh_logged_costs(mm.workspace, window_of(context))
    for table in MART_LOGGED_TABLES:
        yield result(table, written[table.qualified])
