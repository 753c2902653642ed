"""Asset of calls that another model answered than was asked, and its check. The step is `pipelines.daily.refresh_served_changes`."""

from typing import Any

import dagster as dg

from assets.boundary import in_own_words
from assets.partitions import DAILY, ONE_PASS, window_of
from assets.resources import WorkspaceResource
from assets.specs import asset_key, nothing_found, result, table_spec
from pipelines.daily import refresh_served_changes, unexpected_changes
from pipelines.warehouse.tables.mart_economics import SERVED_MODEL_CHANGE


@dg.multi_asset(
    name="served_model_change",
    specs=[table_spec(SERVED_MODEL_CHANGE, deps=["core.request", "core.rate_card"], partitioned=True)],
    partitions_def=DAILY,
    backfill_policy=ONE_PASS,
)
@in_own_words
def served_model_change(context: dg.AssetExecutionContext, mm: WorkspaceResource) -> dg.MaterializeResult[Any]:
    """Find the window's calls that another model answered and replace its days."""
    return result(SERVED_MODEL_CHANGE, refresh_served_changes(mm.workspace, window_of(context)).height)


@dg.asset_check(
    asset=asset_key(SERVED_MODEL_CHANGE.qualified),
    name="served_as_asked",
    description="Every call was answered by the model that it asked for, or watch.yaml knows of the change.",
)
@in_own_words
def served_as_asked(context: dg.AssetCheckExecutionContext, mm: WorkspaceResource) -> dg.AssetCheckResult:
    """Whether sellers and gateways serve what is asked: nothing is stopped by it, but someone should look."""
    return nothing_found("served_as_asked", SERVED_MODEL_CHANGE, unexpected_changes(mm.workspace, window_of(context)))
