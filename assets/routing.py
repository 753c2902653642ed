"""Assets of hybrid routing: what the day's traffic would have cost under each policy, and the cheapest way to each quality.

The step is `pipelines.daily.project_routing`; policies are in `routing.yaml`.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from assets.boundary import in_own_words
from assets.partitions import DAILY, ONE_PASS, window_of
from assets.resources import WorkspaceResource
from assets.specs import result, table_spec
from pipelines.daily import project_routing
from pipelines.warehouse.tables.mart import ROUTING_FRONTIER, ROUTING_PROJECTION


@dg.multi_asset(
    name="routing_projection",
    specs=[
        table_spec(table, deps=["core.request", "core.rate_card", "core.benchmark_score"], partitioned=True)
        for table in (ROUTING_PROJECTION, ROUTING_FRONTIER)
    ],
    partitions_def=DAILY,
    backfill_policy=ONE_PASS,
)
@in_own_words
def routing_projection(context: dg.AssetExecutionContext, mm: WorkspaceResource) -> Iterator[dg.MaterializeResult[Any]]:
    """Re-rate the window's recorded tokens on every arm of every policy, and find the cheapest shares for each quality."""
    done = project_routing(mm.workspace, window_of(context))
    for problem in done.problems:
        context.log.warning("%s", problem)
    totals = done.projection.filter(done.projection["arm"] == "total").drop("assumptions")
    yield result(ROUTING_PROJECTION, done.projection.height, totals)
    yield result(ROUTING_FRONTIER, done.frontier.height, done.frontier.drop("shares").head(40))
