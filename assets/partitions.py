"""The one partitions object: UTC days of the event. Every partitioned asset, job and schedule shares it.

Nothing else lives here; windows as plain dates are `pipelines.daily.Window`.
"""

from __future__ import annotations

import dagster as dg

from pipelines.daily.days import FIRST_DAY, Window

DAILY = dg.DailyPartitionsDefinition(start_date=str(FIRST_DAY), timezone="UTC")
ONE_PASS = dg.BackfillPolicy.single_run()
"""A range of days is computed in one pass over the window, never day by day."""


def tags_of(window: Window) -> dict[str, str]:
    """Tags by which a run is for these days: Dagster's own, and `days` for the list of runs. One day is a partition, several are
    a range."""
    if len(window.days) == 1:
        return {"days": str(window), "dagster/partition": str(window.from_date)}
    return {
        "days": str(window),
        "dagster/asset_partition_range_start": str(window.from_date),
        "dagster/asset_partition_range_end": str(window.last_day),
    }


def window_of(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> Window:
    """The days of this run: one partition, or the range that a backfill or `modelmeter daily --from --to` asked for."""
    op_context = context.op_execution_context if isinstance(context, dg.AssetCheckExecutionContext) else context
    span = op_context.partition_time_window
    return Window(span.start.date(), span.end.date())
