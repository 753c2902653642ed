"""Sensors: files that arrive between the daily runs, and the loaded days that late lines belong to.

`arrivals` looks at names and sizes only and starts a parse; `late_days` then asks for exactly the days whose rows do
not match the files. What makes a day stale is decided in `pipelines.daily.ingest`.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg

from assets.boundary import in_own_words
from assets.engine import engine_of
from assets.jobs import DAILY_JOB
from assets.partitions import tags_of
from assets.report import checks_of_run
from assets.resources import WorkspaceResource
from pipelines.daily import Window, ingest_requests, stale_days
from pipelines.fetch.ping import ping
from pipelines.landing import open_zone
from pipelines.settings import Settings
from pipelines.workspace import open_workspace


@dg.op(description="Parse every request file that is new or changed and index it in raw.snapshot.")
@in_own_words
def parse_arrivals(context: dg.OpExecutionContext, mm: WorkspaceResource) -> None:
    """Parse what arrived, whatever its day."""
    engine = engine_of(mm.workspace.settings)
    done = ingest_requests(mm.workspace, None, read=engine.read if engine else None)
    context.log.info(
        "%d of %d files parsed: %d lines, %d quarantined", done.parsed, done.files, done.lines, done.quarantined
    )


@dg.job(name="arrivals", executor_def=dg.in_process_executor, description="Parse request files between daily runs.")
def arrivals_job() -> None:
    """One step: parse what arrived."""
    parse_arrivals()


@dg.sensor(
    name="arrivals",
    job=arrivals_job,
    minimum_interval_seconds=300,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Every five minutes: are there request files that were not there before, or that changed size or time?",
)
@in_own_words
def arrivals_sensor(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Ask for a parse when the listing of the request folders changed; the first look only notes what is there."""
    seen = open_zone(Settings()).listing("requests")
    if context.cursor == seen:
        return dg.SkipReason("no request file is new or changed")
    first = context.cursor is None
    context.update_cursor(seen)
    if first:
        return dg.SkipReason("first look: the listing is noted; the daily run reads what is there")
    return dg.RunRequest(run_key=seen)


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.SUCCESS,
    name="dead_mans_switch",
    monitored_jobs=[DAILY_JOB],
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="After a daily run that succeeded, and of which no check failed as an error: ask for MODELMETER_PING_URL, where it is set.",
)
@in_own_words
def dead_mans_switch_sensor(context: dg.RunStatusSensorContext) -> dg.SkipReason:
    """Let the outside service know; asks for no run."""
    url = Settings().ping_url
    if url is None:
        return dg.SkipReason("MODELMETER_PING_URL is not set")
    checks = checks_of_run(context.instance, context.dagster_run.run_id)
    if failed := [check.name for check in checks if check.severity == "blocking" and not check.passed]:
        return dg.SkipReason(f"the outside service was not asked for: {', '.join(failed)} failed as an error")
    ping(url.get_secret_value())
    return dg.SkipReason("the outside service was asked for")


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.SUCCESS,
    name="late_days",
    monitored_jobs=[arrivals_job],
    request_job=DAILY_JOB,
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="After a parse of arrivals: ask for the daily job on exactly the days that late lines belong to.",
)
@in_own_words
def late_days_sensor(context: dg.RunStatusSensorContext) -> Iterator[dg.RunRequest]:
    """One run per stretch of stale days.

    Yesterday and today are left to the schedule until they were loaded: their logs are still arriving. No run of the daemon asks
    for another, so the days next to late lines, which may hold the other side of a pair over midnight, are asked for at once.
    """
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    with open_workspace() as workspace:
        stale = stale_days(workspace, unloaded_before=yesterday, at_once=True)
    for window in Window.joined(stale):
        yield dg.RunRequest(
            run_key=f"late-{context.dagster_run.run_id}-{window.from_date}",
            tags=tags_of(window),
        )
