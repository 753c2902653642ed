"""Assets of alerts: events recorded and sent at the end of a run, and the sensor that speaks of runs that failed.

The step is `pipelines.daily.raise_alerts`; channels are in `alerts.yaml`.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg

from assets.boundary import in_own_words
from assets.incomplete import failures_of_run, window_of_run
from assets.jobs import DAILY_JOB
from assets.report import checks_of_run
from assets.resources import WorkspaceResource
from assets.specs import asset_key, nothing_found, result, table_spec
from pipelines.daily import FailedRun, raise_alerts
from pipelines.daily.alerts import Sent
from pipelines.warehouse.tables.core_alerts import ALERT, ALERT_DELIVERY
from pipelines.workspace import Workspace, open_workspace

if TYPE_CHECKING:
    from pipelines.finops.report import CheckLine

_DEPS = (
    "report.html", "mart.budget_status", "mart.spend_anomaly", "mart.request_drift", "mart.benchmark_drift", "mart.price_change",
    "mart.daily_charge", "mart.commitment_day", "raw.snapshot",
)  # fmt: skip


@dg.multi_asset(
    name="alerts",
    specs=[table_spec(ALERT, deps=_DEPS), table_spec(ALERT_DELIVERY, deps=["core.alert"])],
    check_specs=[
        dg.AssetCheckSpec(
            "alerts_sent",
            asset=asset_key(ALERT_DELIVERY.qualified),
            description="Every kind of event could be read, and every channel of alerts.yaml took what it was sent; one that did not is "
            "tried again at the next run.",
        )
    ],
)
@in_own_words
def alerts(
    context: dg.AssetExecutionContext, mm: WorkspaceResource
) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
    """Record the events of the newest day, and send what no channel has got."""
    done = raise_alerts(mm.workspace, _checks(context.instance, context.run.run_id))
    yield result(ALERT, done.new)
    yield result(ALERT_DELIVERY, sum(one.sent for one in done.delivered))
    problems = [f"{one.channel}: {one.problem}; {one.waiting} wait" for one in done.delivered if one.problem]
    yield nothing_found("alerts_sent", ALERT_DELIVERY, [*done.unread, *problems])


def _checks(instance: dg.DagsterInstance, run_id: str) -> "list[CheckLine]":
    """The checks of the run, those that failed with what they found."""
    records = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION).records
    events = [record.event_log_entry.dagster_event for record in records]
    found = [
        _in_words(event.asset_check_evaluation_data.metadata.get("found")) for event in events if event is not None
    ]
    lines = checks_of_run(instance, run_id)
    return [replace(line, detail=words or line.detail) for line, words in zip(lines, found, strict=True)]


def _in_words(found: dg.MetadataValue[Any] | None) -> str:
    value = None if found is None else found.value
    return "; ".join(str(item) for item in value) if isinstance(value, list | tuple) else ""


def alert_failed_run(instance: dg.DagsterInstance, run_id: str, workspace: Workspace, day: date) -> Sent:
    """Speak of a run that failed, once, with what its steps said."""
    run = FailedRun(run_id, day, failures_of_run(instance, run_id))
    return raise_alerts(workspace, _checks(instance, run_id), run)


@dg.run_failure_sensor(
    name="failed_runs",
    monitored_jobs=[DAILY_JOB],
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="After a daily run that failed: report it to the channels of alerts.yaml, once.",
)
@in_own_words
def failed_runs_sensor(context: dg.RunFailureSensorContext) -> None:
    """One event per failed run."""
    window = window_of_run(context.dagster_run)
    if window is None:
        return
    with open_workspace() as workspace:
        alert_failed_run(context.instance, context.dagster_run.run_id, workspace, window.to_date - timedelta(days=1))
