"""The one resource: the open workspace of a run (settings, configuration, warehouse, landing zone).

Opening it at run start, not at import, keeps the code location free of environment, network and database.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import dagster as dg
from pydantic import PrivateAttr

from assets.abandoned import living
from assets.boundary import in_own_words
from pipelines.settings import Settings
from pipelines.workspace import Workspace, open_workspace


class WorkspaceResource(dg.ConfigurableResource[Any]):
    """Opens the workspace that the environment names, once per run, and closes it after.

    Every field replaces the environment variable of its name, for tests and for a second deployment in one process.
    """

    home: str | None = None
    landing: str | None = None
    config: str | None = None
    database_url: str | None = None
    offline: bool | None = None
    reports: str | None = None

    _workspace: Workspace = PrivateAttr()

    @contextmanager
    @in_own_words
    def yield_for_execution(self, context: dg.InitResourceContext) -> Generator[Any, None, None]:
        """Open for the length of the run, and show others that it lives."""
        given = {name: value for name, value in self.model_dump().items() if value is not None}
        with (
            open_workspace(Settings(**given)) as workspace,
            living(workspace.database, context.instance, _run_id(context)),
        ):
            self._workspace = workspace
            yield self

    @property
    def workspace(self) -> Workspace:
        """The open workspace of the run."""
        return self._workspace


def _run_id(context: dg.InitResourceContext) -> str | None:
    """The run that the resource is opened for; None if a sensor or a person opens it."""
    return context.run.run_id if context.run else None
