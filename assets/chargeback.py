"""Asset of chargeback: what each team, project and cost centre pays, and the check that nothing is lost on the way.

The step is `pipelines.daily.refresh_chargeback`; the rules are in `allocation.yaml`.
"""

from typing import Any

import dagster as dg
import polars as pl

from assets.boundary import in_own_words
from assets.checks import check_result
from assets.partitions import DAILY, ONE_PASS, window_of
from assets.resources import WorkspaceResource
from assets.specs import asset_key, nothing_found, result, table_spec
from pipelines.daily import refresh_chargeback
from pipelines.daily.accounting import chargeback_of_the_window
from pipelines.warehouse.tables.mart_charges import CHARGEBACK

_KEY = asset_key(CHARGEBACK.qualified)


@dg.multi_asset(
    name="chargeback",
    specs=[table_spec(CHARGEBACK, deps=["mart.daily_charge"], partitioned=True)],
    check_specs=[
        dg.AssetCheckSpec(
            "shared_cost_passed_on",
            asset=_KEY,
            description="Every rule of allocation.yaml found somebody to pass its cost on to, on each day.",
        )
    ],
    partitions_def=DAILY,
    backfill_policy=ONE_PASS,
)
@in_own_words
def chargeback(
    context: dg.AssetExecutionContext, mm: WorkspaceResource
) -> tuple[dg.MaterializeResult[Any], dg.AssetCheckResult]:
    """Pass the window's shared cost on and replace its days."""
    found = refresh_chargeback(mm.workspace, window_of(context))
    left = found.filter(pl.col("not_allocated_reason").is_not_null()).unique(["event_date", "allocated_method_id"])
    problems = [
        f"{day}: rule {rule} found no receivers"
        for day, rule in left.select("event_date", "allocated_method_id")
        .sort("event_date", "allocated_method_id")
        .rows()
    ]
    return result(CHARGEBACK, found.height), nothing_found("shared_cost_passed_on", CHARGEBACK, problems)


@dg.asset_check(
    asset=_KEY,
    name="chargeback_agrees",
    description="Every cost of mart.chargeback sums to that of mart.daily_charge per day, to the last decimal.",
    blocking=True,
    additional_deps=[asset_key("mart.daily_charge")],
)
@in_own_words
def chargeback_agrees(context: dg.AssetCheckExecutionContext, mm: WorkspaceResource) -> dg.AssetCheckResult:
    """Passing cost on neither loses nor makes any."""
    return check_result(_KEY, chargeback_of_the_window(mm.workspace, window_of(context)))
