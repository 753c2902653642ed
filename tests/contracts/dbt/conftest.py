"""dbt, run in this process against a real database, on one parse of the project as in `assets/dbt_process.py`."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

import pytest

from assets.dbt_process import CONNECTION, PARSE, move_to, parse
from pipelines.warehouse.database import Database

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

PROJECT = Path(__file__).resolve().parents[3] / "dbt_like"
WARNINGS_ARE_ERRORS = ("--warn-error-options", '{"error": "all", "silence": ["TypeCodeNotFound"]}')
"""As `--warn-error`, but for what dbt_project.yml silences, too."""


@dataclass
class DbtRun:
    """What a dbt command came to: the status of each node by name, and the texts of what went wrong."""

    success: bool
    statuses: Mapping[str, str] = field(default_factory=dict)
    messages: Mapping[str, str] = field(default_factory=dict)
    error: str = ""


@cache
def parsed() -> Manifest:
    """The project, parsed as a run does: what has changed since set-up; a warning of dbt is an error."""
    folder = Path(mkdtemp())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of dbt's own imports
        result = parse(str(PROJECT), [folder / "kept", PROJECT / "target" / PARSE], folder, *WARNINGS_ARE_ERRORS)
    assert result.success, result.exception
    return result.result  # type: ignore[return-value]


def run_dbt(database: Database, folder: Path, command: str, window: Mapping[str, str], *options: str) -> DbtRun:
    """Run a dbt command on `database`, writing below `folder`; warnings of dbt are errors."""
    folders = {"project-dir": PROJECT, "profiles-dir": PROJECT, "target-path": folder / "target", "log-path": folder}
    places = [part for name, path in folders.items() for part in (f"--{name}", str(path))]
    arguments = [*WARNINGS_ARE_ERRORS, "--quiet", command, *places, "--vars", str(dict(window)), *options]
    manifest = parsed().deepcopy()
    move_to(manifest, database.owner.dbname)
    with pytest.MonkeyPatch.context() as environment, warnings.catch_warnings():
        for name, value in database.dbt_env().items():
            assert name.startswith((CONNECTION, "PGOPTIONS"))
            environment.setenv(name, value)
        warnings.simplefilter("ignore")
        from dbt.cli.main import dbtRunner

        return _outcome(dbtRunner(manifest=manifest).invoke(arguments))


@pytest.fixture
def dbt(database: Database, tmp_path: Path) -> Callable[..., DbtRun]:
    """`dbt(command, from_date, to_date, *options)` on this test's database."""

    def run(command: str, from_date: date | None = None, to_date: date | None = None, *options: str) -> DbtRun:
        window = {"from_date": str(from_date), "to_date": str(to_date)} if from_date else {}
        return run_dbt(database, tmp_path, command, window, *options)

    return run


def _outcome(result: Any) -> DbtRun:
    nodes = list(getattr(result.result, "results", None) or [])
    return DbtRun(
        success=result.success,
        statuses={item.node.name: str(item.status) for item in nodes},
        messages={item.node.name: str(item.message) for item in nodes},
        error=str(result.exception or ""),
    )
