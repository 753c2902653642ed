"""Assets of the watch over the company's own log: the profile of each day, and each day compared with the days before it.

The step is `pipelines.daily.refresh_request_drift`; the check on its alarms is `models_unchanged` in `benchmarks.py`.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from assets.boundary import in_own_words
from assets.partitions import DAILY, ONE_PASS, window_of
from assets.resources import WorkspaceResource
from assets.specs import result, table_spec
from pipelines.daily import refresh_request_drift
from pipelines.warehouse.tables.mart_behaviour import REQUEST_DRIFT, REQUEST_PROFILE


@dg.multi_asset(
    name="request_drift",
    specs=[
        table_spec(REQUEST_PROFILE, deps=["core.request"], partitioned=True),
        table_spec(REQUEST_DRIFT, deps=["mart.request_profile"], partitioned=True),
    ],
    partitions_def=DAILY,
    backfill_policy=ONE_PASS,
)
@in_own_words
def request_drift(context: dg.AssetExecutionContext, mm: WorkspaceResource) -> Iterator[dg.MaterializeResult[Any]]:
    """Profile the window's requests, and hold each day against the days before it."""
    done = refresh_request_drift(mm.workspace, window_of(context))
    yield result(REQUEST_PROFILE, done.profiled)
    alarms = done.drift.filter("is_alarm").select("event_date", "metric", "explanation")
    yield result(REQUEST_DRIFT, done.drift.height, alarms.head(15), judged_days=done.judged_days, alarms=alarms.height)
