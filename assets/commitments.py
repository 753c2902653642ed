"""Asset of commitments: what was paid ahead or promised to sellers, and what of it was used.

The step is `pipelines.daily.refresh_commitments`; declarations are in `commitments.yaml` and `selfhost.yaml`.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import polars as pl

from assets.boundary import in_own_words
from assets.resources import WorkspaceResource
from assets.specs import asset_key, nothing_found, result, table_spec
from pipelines.daily import refresh_commitments
from pipelines.warehouse.tables.mart_commitments import COMMITMENT_DAY, COMMITMENT_USAGE

_DEPS = ("mart.daily_charge", "mart.hourly_demand", "core.gpu_price")
_SHOWN = ("event_date", "commitment_id", "purchased_usd", "used_usd", "unused_usd", "utilisation", "balance_usd", "runs_out_on", "reason")  # fmt: skip


@dg.multi_asset(
    name="commitments",
    specs=[table_spec(COMMITMENT_USAGE, deps=_DEPS), table_spec(COMMITMENT_DAY, deps=_DEPS)],
    check_specs=[
        dg.AssetCheckSpec(
            "commitments_known",
            asset=asset_key(COMMITMENT_DAY.qualified),
            description="Nothing is missing to say what of each commitment was used on its newest day.",
        )
    ],
)
@in_own_words
def commitments(mm: WorkspaceResource) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
    """Work through the days of every commitment again."""
    found = refresh_commitments(mm.workspace)
    newest = found.days.filter(pl.col("event_date") == pl.col("event_date").max().over("commitment_id"))
    unused = found.usage.filter(pl.col("commitment_discount_status") == "Unused")["amount_usd"].sum()
    yield result(COMMITMENT_USAGE, found.usage.height, unused_usd=unused)
    yield result(COMMITMENT_DAY, found.days.height, newest.select(_SHOWN))
    unknown = newest.filter(pl.col("reason").is_not_null()).select("commitment_id", "reason").rows()
    yield nothing_found("commitments_known", COMMITMENT_DAY, [f"{name}: {reason}" for name, reason in unknown])
