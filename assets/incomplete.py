"""The pages of a run that failed: made from the rows in the warehouse; the top lists what is missing and why.

`modelmeter daily` makes them after its own run; for runs of the daemon a sensor does. What a run did is read from Dagster's
event log, so both say the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

from assets.boundary import in_own_words, reason_of
from assets.jobs import DAILY_JOB
from assets.report import checks_of_run, report_html
from assets.specs import asset_key
from pipelines.daily import Window, write_reports
from pipelines.warehouse.tables.core_alerts import CORE_ALERT_TABLES
from pipelines.workspace import Workspace, open_workspace

if TYPE_CHECKING:
    from pipelines.finops.report import Failure, Incomplete

_RANGE = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")
_PARTITION = "dagster/partition"
_NOT_ON_THE_PAGE = {report_html.key, *(asset_key(table.qualified) for table in CORE_ALERT_TABLES)}
"""What is made after the tables that a page reads."""


def write_incomplete(instance: dg.DagsterInstance, run_id: str, workspace: Workspace, window: Window) -> list[Path]:
    """Write the page of every day of a failed run."""
    failures = failures_of_run(instance, run_id)
    unmade = _unmade(instance, run_id)
    missing = {day: _incomplete(instance, failures, unmade, day) for day in window.days}
    return write_reports(workspace, window, checks_of_run(instance, run_id), missing)


def window_of_run(run: dg.DagsterRun) -> Window | None:
    """The days that a run was for, by its tags."""
    first = run.tags.get(_RANGE[0]) or run.tags.get(_PARTITION)
    if first is None:
        return None
    return Window(date.fromisoformat(first), date.fromisoformat(run.tags.get(_RANGE[1], first)) + timedelta(days=1))


def failures_of_run(instance: dg.DagsterInstance, run_id: str) -> list[Failure]:
    """The steps that failed, each with its reason; the run itself where it came to no step."""
    from pipelines.finops.report import Failure

    steps = [
        Failure((event.step_key or "").replace("__", "."), reason_of(event.step_failure_data.error))
        for event in _events(instance, run_id, dg.DagsterEventType.STEP_FAILURE)
    ]
    if steps:
        return steps
    ends = list(_events(instance, run_id, dg.DagsterEventType.RUN_FAILURE))
    return [
        Failure("the run", reason_of(end.job_failure_data.error) if end.message is None else end.message)
        for end in ends
    ]


def _unmade(instance: dg.DagsterInstance, run_id: str) -> list[dg.AssetKey]:
    """The tables of the daily job that the run did not make, in the order of their names."""
    planned = {
        event.asset_key
        for event in _events(instance, run_id, dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED)
        if event.asset_key is not None
    }
    made = {event.asset_key for event in _events(instance, run_id, dg.DagsterEventType.ASSET_MATERIALIZATION)}
    return sorted(planned - made - _NOT_ON_THE_PAGE, key=lambda key: key.to_user_string())


def _incomplete(
    instance: dg.DagsterInstance, failures: Sequence[Failure], unmade: Sequence[dg.AssetKey], day: date
) -> Incomplete:
    from pipelines.finops.report import Incomplete, StaleTable

    stale = [StaleTable(".".join(key.path), _made_at(instance, key, day)) for key in unmade]
    return Incomplete(failures, stale)


def _made_at(instance: dg.DagsterInstance, key: dg.AssetKey, day: date) -> datetime | None:
    """When the table was made last: for the day where it has days, else as a whole."""
    for partitions in ([str(day)], None):
        wanted = dg.AssetRecordsFilter(asset_key=key, asset_partitions=partitions)
        if records := instance.fetch_materializations(wanted, limit=1).records:
            record = records[0]
            if partitions or record.partition_key is None:
                return datetime.fromtimestamp(record.timestamp, UTC)
    return None


def _events(instance: dg.DagsterInstance, run_id: str, kind: dg.DagsterEventType) -> Iterator[dg.DagsterEvent]:
    for record in instance.get_records_for_run(run_id, of_type=kind).records:
        if record.event_log_entry.dagster_event is not None:
            yield record.event_log_entry.dagster_event


@dg.run_failure_sensor(
    name="incomplete_pages",
    monitored_jobs=[DAILY_JOB],
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="After a daily run that failed: write its pages nevertheless; the top lists what is missing.",
)
@in_own_words
def incomplete_pages_sensor(context: dg.RunFailureSensorContext) -> None:
    """Pages of the days of the failed run, except those that a later run has written whole."""
    window = window_of_run(context.dagster_run)
    if window is None:
        return
    days = [day for day in window.days if not _is_written_since(context.instance, context.dagster_run.run_id, day)]
    with open_workspace() as workspace:
        for stretch in Window.joined(days):
            write_incomplete(context.instance, context.dagster_run.run_id, workspace, stretch)


def _is_written_since(instance: dg.DagsterInstance, run_id: str, day: date) -> bool:
    record = instance.get_run_record_by_id(run_id)
    ended = record.end_time if record else None
    written = _made_at(instance, report_html.key, day)
    return ended is not None and written is not None and written.timestamp() > ended
