"""Asset of the FinOps report: one self-contained HTML page per day.

`pipelines.finops.report` makes the page; this only hands it the day. It depends on every table that the page reads.
"""

from datetime import date
from typing import TYPE_CHECKING, Any

import dagster as dg

from assets.boundary import in_own_words
from assets.partitions import DAILY, ONE_PASS, window_of
from assets.resources import WorkspaceResource
from assets.specs import asset_key, owners_of
from pipelines.daily import write_reports
from pipelines.finops.queries import tables_read

if TYPE_CHECKING:
    from pipelines.finops.report import CheckLine


@dg.asset(
    key=["report", "html"],
    description="The daily FinOps report, `reports/<date>/index.html`: self-contained, works offline, phone and print.",
    deps=[asset_key(name) for name in tables_read()],
    group_name="report",
    owners=owners_of(["report", "html"]),
    kinds={"html"},
    partitions_def=DAILY,
    backfill_policy=ONE_PASS,
)
@in_own_words
def report_html(context: dg.AssetExecutionContext, mm: WorkspaceResource) -> dg.MaterializeResult[Any]:
    """Write the report of every day of the window, and of later ones that rest on it."""
    instance = context.instance
    checks = checks_of_run(instance, context.run.run_id)
    pages = write_reports(
        mm.workspace, window_of(context), checks, checks_of=lambda day: checks_of_day(instance, report_html.key, day)
    )
    return dg.MaterializeResult(metadata={"reports": len(pages), "newest": dg.MetadataValue.path(str(pages[-1]))})


def checks_of_day(instance: dg.DagsterInstance, page: dg.AssetKey, day: date) -> "list[CheckLine]":
    """The checks of the run that wrote the page of a day last; none where no run is known to have."""
    wanted = dg.AssetRecordsFilter(asset_key=page, asset_partitions=[str(day)])
    records = instance.fetch_materializations(wanted, limit=1).records
    return checks_of_run(instance, records[0].run_id) if records else []


def checks_of_run(instance: dg.DagsterInstance, run_id: str) -> "list[CheckLine]":
    """Every check that the run has made so far, as the report shows it."""
    from pipelines.finops.report import CheckLine

    records = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION).records
    lines = []
    for record in records:
        event = record.event_log_entry.dagster_event
        if event is None:
            continue
        check = event.asset_check_evaluation_data
        severity = "blocking" if check.severity is dg.AssetCheckSeverity.ERROR else "warning"
        name = f"{check.asset_key.to_user_string().replace('/', '.')} {check.check_name}"
        state = check.metadata.get("state")
        unclear = state is not None and state.value == "not evaluable"
        lines.append(CheckLine(name, None if unclear else check.passed, severity, check.description or ""))
    return lines
