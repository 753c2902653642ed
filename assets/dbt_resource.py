"""The resource `dbt`: one dbt process per run, started with the run, so that it is ready when the marts are due.

Importing dbt and parsing the project take seconds, in which the steps before the marts keep the run busy. While it builds,
the run goes on with steps that need no mart. What the process does is in `dbt_process.py`; which models there are and what Dagster
shows of them in `marts.py`.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import dagster as dg
import psutil

from assets.boundary import in_own_words
from assets.dbt_process import RESULTS
from pipelines.warehouse.advisory_locks import exclusive
from pipelines.warehouse.database import Database
from pipelines.workspace import Workspace

_SPEC = find_spec("dbt_like")
PROJECT_DIR = Path(next(iter(_SPEC.submodule_search_locations or ()))) if _SPEC else Path("dbt_like")
"""The dbt project. Set-up leaves its manifest in `target/`."""

_STOPPING_SECONDS = 25
_SETTINGS = {
    "DBT_LOG_FORMAT": "text",
    "DBT_USE_COLORS": "false",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "DO_NOT_TRACK": "1",
}
_KEPT_RUNS = 20
"""Failed runs whose output from dbt is kept."""


@dg.resource(required_resource_keys={"mm"}, description="The dbt process of a run that builds marts.")
@in_own_words
def dbt_resource(context: dg.InitResourceContext) -> Iterator[DbtProcess]:
    """Started on the run's warehouse before its first step, ended after its last."""
    with started(context.resources.mm.workspace) as process:
        yield process


@contextmanager
def started(workspace: Workspace, project: Path = PROJECT_DIR) -> Iterator[DbtProcess]:
    """A dbt process on the warehouse of `workspace`, for as long as the block lasts."""
    home = workspace.settings.home / "dbt"
    home.mkdir(parents=True, exist_ok=True)
    _sweep(home)
    program = Path(__file__).with_name("dbt_process.py")
    with (
        tempfile.TemporaryDirectory(prefix=f"parse-{os.getpid()}-", dir=home) as folder,
        subprocess.Popen(
            # -P: else the modules of this folder would stand in for packages of the same name, such as requests.
            [sys.executable, "-P", str(program), str(project), str(home / "partial_parse.msgpack"), folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **workspace.database.dbt_env(), **_SETTINGS, **patience(project)},
            cwd=project,
        ) as process,
    ):
        dbt = DbtProcess(process, project, home, workspace.database)
        try:
            yield dbt
        finally:
            dbt.end()


def patience(project: Path) -> dict[str, str]:
    """Variables by which libpq gives up a silent network, for which dbt's profile has no names."""
    return {"PGSERVICEFILE": str(project / "pg_service.conf"), "PGSERVICE": "modelmeter"}


def _sweep(home: Path) -> None:
    """Remove the scratch folders of processes that were killed, and what dbt said in failed runs beyond the newest."""
    for folder in home.glob("parse-*"):
        _, number, *_ = folder.name.split("-")
        if not (number.isdecimal() and psutil.pid_exists(int(number))):
            shutil.rmtree(folder, ignore_errors=True)
    runs = [folder for folder in home.iterdir() if folder.is_dir() and not folder.name.startswith("parse-")]
    for folder in sorted(runs, key=lambda folder: folder.stat().st_mtime, reverse=True)[_KEPT_RUNS:]:
        shutil.rmtree(folder, ignore_errors=True)


class DbtProcess:
    """A process that imports dbt and parses `project` on its own, and then runs one command, while the run does something else."""

    def __init__(self, process: subprocess.Popen[bytes], project: Path, home: Path, database: Database) -> None:
        self.process, self.project, self.home, self.database = process, project, home, database
        self._listener = ThreadPoolExecutor(1, thread_name_prefix="dbt")
        self._answer: Future[dict[str, dict[str, Any]]] | None = None
        self._alone = ExitStack()

    def begin(self, run_id: str, arguments: Sequence[str]) -> None:
        """Order one dbt command, once no other run builds: two builds at once would replace the same rows.

        What dbt writes and says lies in `MODELMETER_HOME/dbt/<run id>` and goes where it succeeded: it quotes values where
        the database does, so that nothing of it is printed. Can be called once in a run.
        """
        if self._answer is not None or self.process.stdin is None:
            raise dg.Failure("dbt was asked twice in one run; one process answers once")
        target = self.home / run_id
        target.mkdir()
        self._alone.enter_context(exclusive(self.database, "dbt build"))
        # Where the process has died, its output says why, and is read below.
        with suppress(BrokenPipeError), self.process.stdin as stdin:
            stdin.write(json.dumps({"arguments": arguments, "target": str(target)}).encode() + b"\n")
        self._answer = self._listener.submit(self._heard, target)

    def outcomes(self, run_id: str, arguments: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Wait for the command, which is ordered now where the step that does so is left out: a run that goes on from the failure of
        another one. The outcome of each node by unique id. Raises dagster.Failure where dbt did not come to running nodes."""
        if self._answer is None:
            self.begin(run_id, arguments)
        answer = cast("Future[dict[str, dict[str, Any]]]", self._answer)
        try:
            return answer.result()
        finally:
            if answer.done():  # else the run is being stopped, and dbt still builds: `end` lets the next one in
                self._alone.close()

    def end(self) -> None:
        """End the process. Where it builds, the run is being stopped: dbt takes back its statements before it ends."""
        if self._answer is not None and not self._answer.done():
            self.process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=_STOPPING_SECONDS)
        self.process.kill()
        self._listener.shutdown()
        self._alone.close()

    def _heard(self, target: Path) -> dict[str, dict[str, Any]]:
        """Write what dbt says to `target` as it comes, until it ends; its outcomes."""
        with (target / "output.txt").open("wb", buffering=0) as file:
            for line in self.process.stdout or ():
                file.write(line)
        status = self.process.wait()
        try:
            results = json.loads((target / RESULTS).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise dg.Failure(f"dbt did not start (exit code {status}); what it said is in {target}") from None
        if status == 0:
            shutil.rmtree(target)
        return {item["unique_id"]: item for item in results}
