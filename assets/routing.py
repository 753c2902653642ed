"""Assets of hybrid routing: what the day's traffic would have cost under each policy, and the cheapest way to each quality.

The step is `pipelines.daily.project_routing`; policies are in `routing.yaml`.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from assets.boundary import in_own_words
from assets.partitions import DAILY, ONE_PASS, window_of
from assets.resources import WorkspaceResource
from assets.specs import asset_key, nothing_found, result, table_spec
from pipelines.daily import explain_moves, find_measure_next, project_routing
from pipelines.warehouse.tables.core_routing import ROUTING_COST, ROUTING_TRAFFIC
from pipelines.warehouse.tables.mart_evidence import REQUEST_REPEAT, ROUTING_MEASURE_NEXT
from pipelines.warehouse.tables.mart_routing import ROUTING_FRONTIER, ROUTING_MONTH, ROUTING_MOVE, ROUTING_PROJECTION

_TABLES = (ROUTING_PROJECTION, ROUTING_MONTH, ROUTING_FRONTIER, REQUEST_REPEAT, ROUTING_TRAFFIC, ROUTING_COST)


@dg.multi_asset(
    name="routing_projection",
    specs=[
        table_spec(
            table,
            deps=[
                "core.request",
                "core.rate_card",
                "core.benchmark_score",
                "core.shadow_request",
                "core.gpu_price",
                "core.throughput",
                "mart.hourly_demand",
            ],
            partitioned=True,
        )
        for table in _TABLES
    ],
    check_specs=[
        dg.AssetCheckSpec(
            "every_projection_made",
            asset=asset_key(ROUTING_PROJECTION.qualified),
            description="Each day's policies, month and frontier could be projected.",
        )
    ],
    partitions_def=DAILY,
    backfill_policy=ONE_PASS,
)
@in_own_words
def routing_projection(
    context: dg.AssetExecutionContext, mm: WorkspaceResource
) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
    """Re-rate the window's recorded tokens on every arm of every policy, and find the cheapest shares for each quality."""
    done = project_routing(mm.workspace, window_of(context))
    days = done.routed.projection
    previews = {
        ROUTING_PROJECTION: days.filter(days["arm"] == "total").drop("assumptions"),
        ROUTING_FRONTIER: done.routed.frontier.drop("shares").head(40),
    }
    for table in _TABLES:
        yield result(table, done.rows.get(table.qualified, 0), previews.get(table))
    yield nothing_found("every_projection_made", ROUTING_PROJECTION, list(done.problems))


@dg.multi_asset(
    name="routing_move",
    specs=[
        table_spec(
            ROUTING_MOVE,
            deps=[
                "mart.routing_projection",
                "core.routing_traffic",
                "core.rate_card",
                "core.benchmark_score",
                "mart.request_drift",
                "mart.served_model_change",
            ],
            partitioned=True,
        )
    ],
    check_specs=[
        dg.AssetCheckSpec(
            "every_move_explained",
            asset=asset_key(ROUTING_MOVE.qualified),
            description="The causes that moved each day's projections could be computed.",
        )
    ],
    partitions_def=DAILY,
    backfill_policy=ONE_PASS,
)
@in_own_words
def routing_move(
    context: dg.AssetExecutionContext, mm: WorkspaceResource
) -> tuple[dg.MaterializeResult[Any], dg.AssetCheckResult]:
    """Undo each event of the window that touches a policy, and say what it moved."""
    rows, problems = explain_moves(mm.workspace, window_of(context))
    return result(ROUTING_MOVE, rows), nothing_found("every_move_explained", ROUTING_MOVE, problems)


@dg.multi_asset(
    name="routing_measure_next",
    specs=[
        table_spec(
            ROUTING_MEASURE_NEXT,
            deps=[
                "core.routing_traffic",
                "core.routing_cost",
                "core.rate_card",
                "core.benchmark_score",
                "core.shadow_request",
                "core.gpu_price",
                "core.throughput",
                "mart.hourly_demand",
            ],
        )
    ],
    check_specs=[
        dg.AssetCheckSpec(
            "next_measurement_found",
            asset=asset_key(ROUTING_MEASURE_NEXT.qualified),
            description="What to measure next could be computed.",
        )
    ],
)
@in_own_words
def routing_measure_next(mm: WorkspaceResource) -> tuple[dg.MaterializeResult[Any], dg.AssetCheckResult]:
    """Take each shadow run that could be made as made, and see which narrows a policy's interval most."""
    rows, problems = find_measure_next(mm.workspace)
    found = result(ROUTING_MEASURE_NEXT, rows.height, rows.filter(rows["rank"] <= 3))
    return found, nothing_found("next_measurement_found", ROUTING_MEASURE_NEXT, problems)
