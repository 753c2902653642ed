"""What `retention.yaml` says is old is removed: a job with a schedule of its own, and the same for the command line.

Tables and files are `pipelines.daily.retention`, Dagster's own history is `history.py`.
"""

from pathlib import Path

import dagster as dg

from assets.boundary import in_own_words
from assets.history import prune_history
from assets.resources import WorkspaceResource
from assets.specs import table_spec
from pipelines.daily.retention import apply_retention
from pipelines.retention.removed import Removed
from pipelines.warehouse.tables.core import FORGOTTEN_USER
from pipelines.warehouse.tables.raw import QUARANTINE_REMOVED
from pipelines.workspace import Workspace

REMOVALS = (
    table_spec(QUARANTINE_REMOVED, deps=["raw.quarantine"]),
    table_spec(FORGOTTEN_USER, deps=[]),
)
"""Written by retention and on request, which are no step of a day."""


def remove_what_is_old(workspace: Workspace, instance: dg.DagsterInstance) -> list[Removed]:
    """Apply `retention.yaml` to tables, files and Dagster's history; what was removed, part by part."""
    history = prune_history(instance, logs_folder(workspace.settings.home), workspace.config.retention.dagster_days)
    return [*apply_retention(workspace), *([history] if history.count or history.size_bytes else [])]


def logs_folder(home: Path) -> Path:
    """Where the output of steps is kept, a folder for each run."""
    return home / "dagster" / "storage"


@dg.op(description="Remove what retention.yaml says is old, and what former parsers and killed runs left.")
@in_own_words
def remove_old(context: dg.OpExecutionContext, mm: WorkspaceResource) -> None:
    """Remove, and say what."""
    for part in remove_what_is_old(mm.workspace, context.instance):
        context.log.info("removed %s: %d (%d bytes of files)", part.what, part.count, part.size_bytes)


@dg.job(name="retention", executor_def=dg.in_process_executor, description="Remove what retention.yaml says is old.")
def retention_job() -> None:
    """One step."""
    remove_old()


RETENTION_SCHEDULE = dg.ScheduleDefinition(
    name="retention_at_eight",
    job=retention_job,
    cron_schedule="0 8 * * *",
    execution_timezone="UTC",
    description="Every day at 08:00 UTC, after the daily run.",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
