"""The one partitions object: UTC days of the event. Every partitioned asset, job and schedule shares it.

Nothing else lives here; windows as plain dates are `pipelines.daily.Window`.
"""

from __future__ import annotations

import dagster as dg

from pipelines.daily.days import FIRST_DAY, Window

DAILY = dg.DailyPartitionsDefinition(start_date=str(FIRST_DAY), timezone="UTC")
ONE_PASS = dg.BackfillPolicy.single_run()
"""A range of days is computed in one pass over the window, never day by day."""


def window_of(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> Window:
    """The days of this run: one partition, or the range that a backfill or `modelmeter daily --from --to` asked for."""
    op_context = context.op_execution_context if isinstance(context, dg.AssetCheckExecutionContext) else context
    span = op_context.partition_time_window
    return Window(span.start.date(), span.end.date())
