"""Assets of planning: spend by day and scope, where it will end, how budgets stand, and what was dearer than expected.

The steps are in `pipelines.daily.planning` and `anomalies`; budgets are in `budgets.yaml`.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import polars as pl

from assets.boundary import in_own_words
from assets.partitions import DAILY, ONE_PASS, window_of
from assets.resources import WorkspaceResource
from assets.specs import asset_key, nothing_found, result, table_spec
from pipelines.daily import refresh_anomalies, refresh_outlook, refresh_spend_series
from pipelines.daily.anomalies import open_events
from pipelines.warehouse.tables.mart_planning import BUDGET_STATUS, SPEND_ANOMALY, SPEND_FORECAST, SPEND_SERIES

_DEPS = ("mart.spend_series", "mart.daily_charge", "mart.price_change", "mart.commitment_day", "mart.commitment_usage")
_SHOWN = ("budget_id", "state", "spent_usd", "budget_usd", "forecast_usd", "crosses_on")


@dg.multi_asset(
    name="spend_series",
    specs=[table_spec(SPEND_SERIES, deps=["mart.daily_charge"], partitioned=True)],
    partitions_def=DAILY,
    backfill_policy=ONE_PASS,
)
@in_own_words
def spend_series(context: dg.AssetExecutionContext, mm: WorkspaceResource) -> dg.MaterializeResult[Any]:
    """Sum the window's charges by scope and replace its days."""
    return result(SPEND_SERIES, refresh_spend_series(mm.workspace, window_of(context)).height)


@dg.multi_asset(
    name="spend_outlook",
    specs=[
        table_spec(SPEND_FORECAST, deps=_DEPS, partitioned=True),
        table_spec(BUDGET_STATUS, deps=(*_DEPS, "core.fx_rate", "core.seller_limit"), partitioned=True),
    ],
    check_specs=[
        dg.AssetCheckSpec(
            "budgets_known",
            asset=asset_key(BUDGET_STATUS.qualified),
            description="Every name in budgets.yaml occurs in some charge.",
        )
    ],
    partitions_def=DAILY,
    backfill_policy=ONE_PASS,
)
@in_own_words
def spend_outlook(
    context: dg.AssetExecutionContext, mm: WorkspaceResource
) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
    """Look ahead from each day of the window."""
    found = refresh_outlook(mm.workspace, window_of(context))
    newest = found.budgets.filter(pl.col("event_date") == pl.col("event_date").max())
    yield result(SPEND_FORECAST, found.forecast.height)
    yield result(BUDGET_STATUS, found.budgets.height, newest.select(_SHOWN))
    yield nothing_found("budgets_known", BUDGET_STATUS, found.unknown_names)


@dg.multi_asset(
    name="spend_anomaly",
    specs=[
        table_spec(SPEND_ANOMALY, deps=["mart.spend_series", "mart.daily_charge", "core.request"], partitioned=True)
    ],
    check_specs=[
        dg.AssetCheckSpec(
            "spend_as_expected",
            asset=asset_key(SPEND_ANOMALY.qualified),
            description="Nothing costs more than its own past suggests: no event of mart.spend_anomaly is open.",
        )
    ],
    partitions_def=DAILY,
    backfill_policy=ONE_PASS,
)
@in_own_words
def spend_anomaly(
    context: dg.AssetExecutionContext, mm: WorkspaceResource
) -> tuple[dg.MaterializeResult[Any], dg.AssetCheckResult]:
    """Judge the window's days, and go on with what is open."""
    found = refresh_anomalies(mm.workspace, window_of(context))
    still = open_events(found)
    return (
        result(SPEND_ANOMALY, found.height, open=len(still)),
        nothing_found("spend_as_expected", SPEND_ANOMALY, list(still)),
    )
