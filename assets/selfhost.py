"""Assets of hardware of one's own: prices of GPUs, what they were measured to serve, and whether that pays.

The steps are in `pipelines.daily.selfhost`; declarations are in `selfhost.yaml` and `hardware.yaml`.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from assets.boundary import in_own_words
from assets.partitions import DAILY, ONE_PASS, window_of
from assets.resources import WorkspaceResource
from assets.specs import asset_key, nothing_found, result, rows_key, rows_spec, table_spec
from pipelines.daily import refresh_breakeven, refresh_hardware
from pipelines.warehouse.tables.raw import QUARANTINE, SNAPSHOT
from pipelines.warehouse.tables.selfhost import GPU_PRICE, HOURLY_DEMAND, SELFHOST_BREAKEVEN, THROUGHPUT

_SHOWN = (
    "option_id",
    "replicas",
    "fixed_usd_per_day",
    "allocation_usd_per_mtok",
    "api_usd_per_mtok",
    "break_even_tokens_per_day",
    "is_reachable",
    "reason",
)


@dg.multi_asset(
    name="core_hardware",
    specs=[
        rows_spec(SNAPSHOT, "selfhost", "The index rows of files on hardware", deps=["landing.selfhost"]),
        rows_spec(QUARANTINE, "selfhost", "What is set aside of files on hardware", deps=["landing.selfhost"]),
        table_spec(GPU_PRICE, deps=["landing.selfhost"]),
        table_spec(THROUGHPUT, deps=["landing.selfhost", "core.model"]),
    ],
    check_specs=[
        dg.AssetCheckSpec(
            "every_hardware_file_read",
            asset=asset_key(THROUGHPUT.qualified),
            description="Every landed file on hardware was read. One that is not of its format is named and costs its own rows.",
        )
    ],
)
@in_own_words
def core_hardware(
    context: dg.AssetExecutionContext, mm: WorkspaceResource
) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
    """Rebuild GPU prices and measurements from everything that states some."""
    done = refresh_hardware(mm.workspace)
    for name in done.unresolved:
        context.log.warning("a measurement is of the model %s, which nothing knows: name it in models.yaml", name)
    yield result(SNAPSHOT, done.snapshots, key=rows_key(SNAPSHOT, "selfhost"))
    yield result(QUARANTINE, done.quarantined, key=rows_key(QUARANTINE, "selfhost"))
    yield result(GPU_PRICE, done.prices)
    yield result(THROUGHPUT, done.measurements, unresolved=", ".join(done.unresolved) or "none")
    yield nothing_found("every_hardware_file_read", THROUGHPUT, done.problems)


@dg.multi_asset(
    name="selfhost_breakeven",
    specs=[
        table_spec(HOURLY_DEMAND, deps=["core.request"], partitioned=True),
        table_spec(
            SELFHOST_BREAKEVEN,
            deps=["mart.hourly_demand", "core.rate_card", "core.gpu_price", "core.throughput"],
            partitioned=True,
        ),
    ],
    partitions_def=DAILY,
    backfill_policy=ONE_PASS,
)
@in_own_words
def selfhost_breakeven(context: dg.AssetExecutionContext, mm: WorkspaceResource) -> Iterator[dg.MaterializeResult[Any]]:
    """Judge every deployment and every measured model against the cheapest API, at the arrivals of the last days."""
    done = refresh_breakeven(mm.workspace, window_of(context))
    rows = done.rows
    pays = rows["is_reachable"].fill_null(value=False).sum()
    shown = rows.filter(rows["throughput_id"].is_not_null()).select(_SHOWN)
    yield result(HOURLY_DEMAND, done.hours)
    yield result(SELFHOST_BREAKEVEN, rows.height, shown.head(40), options_that_can_pay=pays)
