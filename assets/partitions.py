"""The one partitions object: UTC days of the event. Every partitioned asset, job and schedule shares it.

Nothing else lives here; windows as plain dates are `pipelines.daily.Window`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg
from dagster._core.definitions.partitions.context import partition_loading_context

from pipelines.daily.days import FIRST_DAY, Window


def _listed_once(days: dg.DailyPartitionsDefinition) -> dg.DailyPartitionsDefinition:
    """`days`, whose list of all days since the first is made once for each UTC day. Dagster asks for it eighteen times in a run, to learn
    that it is long, for 0.013 to 0.02 s each: 0.3 of some 16 s. A subclass can't be stored by Dagster, so the method of this one object
    is replaced."""
    made: dict[date, Sequence[str]] = {}
    listed = days.get_partition_keys

    def keys(current_time: datetime | None = None, dynamic_partitions_store: Any = None) -> Sequence[str]:  # noqa: ANN401 - Dagster's own
        with partition_loading_context(current_time, dynamic_partitions_store) as context:
            at = context.effective_dt
            today = (at if at.tzinfo is None else at.astimezone(UTC)).date()
            found = made.get(today)
            if found is None:
                found = listed(current_time, dynamic_partitions_store)
                made.clear()
                made[today] = found
            return list(found)

    vars(days)["get_partition_keys"] = keys
    return days


DAILY = _listed_once(dg.DailyPartitionsDefinition(start_date=str(FIRST_DAY), timezone="UTC"))
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


def window_of(
    context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext | dg.OpExecutionContext,
) -> Window:
    """The days of this run: one partition, or the range that a backfill or `modelmeter daily --from --to` asked for."""
    op_context = context.op_execution_context if isinstance(context, dg.AssetCheckExecutionContext) else context
    span = op_context.partition_time_window
    return Window(span.start.date(), span.end.date())
