"""Dagster's instance for the command line: run history in the same Postgres, in a database of its own.

`MODELMETER_HOME/dagster/dagster.yaml` is written here; the definitions it serves are in `assets.definitions`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import dagster as dg

    from pipelines.workspace import Workspace

_STATEMENT_MILLISECONDS = 600_000
_DAGSTER_YAML = """\
# Written by modelmeter at every start; change settings in assets/cli/instance.py of the project.
telemetry:
  enabled: false
storage:
  custom:
    module: assets.run_history
    class: RunHistory
    config:
      postgres_url:
        env: MODELMETER_DAGSTER_URL
run_coordinator:
  module: dagster.core.run_coordinator
  class: QueuedRunCoordinator
compute_logs:
  module: assets.compute_logs
  class: ComputeLogs
  config:
    base_dir:
      env: MODELMETER_DAGSTER_LOGS
concurrency:
  runs:
    max_concurrent_runs: 1
freshness:
  enabled: true
retention:
  schedule:
    purge_after_days: 90
  sensor:
    purge_after_days:
      skipped: 7
      failure: 90
      success: 90
code_servers:
  local_startup_timeout: 180
nux:
  enabled: false
run_monitoring:
  enabled: true
"""


def prepare_home(workspace: Workspace) -> tuple[Path, dict[str, str]]:
    """Write dagster.yaml and return its folder and the environment that Dagster's processes need."""
    home = workspace.settings.home / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    (home / "dagster.yaml").write_text(_DAGSTER_YAML, encoding="utf-8")
    return home, {
        "DAGSTER_HOME": str(home),
        "MODELMETER_DAGSTER_LOGS": str(home / "storage"),
        "MODELMETER_DAGSTER_URL": workspace.database.dagster_url,
        "DAGSTER_DISABLE_TELEMETRY": "true",
    }


@contextmanager
def dagster_instance(workspace: Workspace) -> Iterator[dg.DagsterInstance]:
    """The instance that `make ui` shows: runs of the command line appear there too."""
    import dagster as dg

    from assets.abandoned import end_abandoned_runs
    from pipelines.warehouse.advisory_locks import exclusive

    _, environment = prepare_home(workspace)
    os.environ.update(environment)
    # Dagster makes its tables at the first start, and two first starts at the same time would trip over each other.
    with exclusive(workspace.database, "make Dagster's tables"):
        opened = dg.DagsterInstance.get()
    # Its storages connect anew for every statement, 1,200 times in a run, unless configured to keep a connection as the web
    # server does.
    opened.optimize_for_webserver(statement_timeout=_STATEMENT_MILLISECONDS, pool_recycle=-1, max_overflow=10)
    for storage in (opened.run_storage, opened.event_log_storage, opened.schedule_storage):
        storage._engine.hide_parameters = True  # type: ignore[union-attr]  # what fails to be written would be printed whole
    with opened as instance:
        end_abandoned_runs(instance, workspace.database)
        yield instance
