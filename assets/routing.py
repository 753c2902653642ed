"""Asset of the hybrid routing projection: what the day's traffic would have cost under each policy.

The step is `pipelines.daily.project_routing`; policies are in `routing.yaml`.
"""

from typing import Any

import dagster as dg

from assets.boundary import in_own_words
from assets.partitions import DAILY, ONE_PASS, window_of
from assets.resources import WorkspaceResource
from assets.specs import result, table_spec
from pipelines.daily import project_routing
from pipelines.warehouse.tables.mart import ROUTING_PROJECTION


@dg.multi_asset(
    name="routing_projection",
    specs=[
        table_spec(
            ROUTING_PROJECTION, deps=["core.request", "core.rate_card", "core.benchmark_score"], partitioned=True
        )
    ],
    partitions_def=DAILY,
    backfill_policy=ONE_PASS,
)
@in_own_words
def routing_projection(context: dg.AssetExecutionContext, mm: WorkspaceResource) -> dg.MaterializeResult[Any]:
    """Re-rate the window's recorded tokens on every arm of every policy."""
    done = project_routing(mm.workspace, window_of(context))
    return result(ROUTING_PROJECTION, done.height, done.filter(done["arm"] == "total").drop("assumptions"))
