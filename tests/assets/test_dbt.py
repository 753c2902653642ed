"""The dbt process of a run: it starts early, takes one order, ends with the run, and its failures are reported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import dagster as dg
import pytest

import assets.dbt_resource
import assets.definitions
from assets.dbt_process import PARSE
from assets.dbt_resource import PROJECT_DIR, DbtProcess, started
from assets.marts import manifest
from pipelines.warehouse.advisory_locks import exclusive
from pipelines.warehouse.database import Database
from pipelines.workspace import open_workspace
from tests.assets.conftest import DailyJob, quick_dbt

RUN = "a-run"
BUILD = ["build", "--vars", json.dumps({"from_date": "2026-02-14", "to_date": "2026-02-15"})]


@contextmanager
def running(job: DailyJob, project: Path = PROJECT_DIR) -> Iterator[DbtProcess]:
    """The process as in a run of `job`."""
    with open_workspace(job.settings()) as workspace, started(workspace, project) as dbt:
        yield dbt


def asked(dbt: DbtProcess, arguments: list[str]) -> dict[str, dict[str, Any]]:
    """What one command came to."""
    dbt.begin(RUN, arguments)
    return dbt.outcomes(RUN, arguments)


@pytest.fixture
def job(fresh_job: Callable[[], DailyJob]) -> DailyJob:
    return fresh_job()


def test_the_process_builds_and_tests_every_model_once(job: DailyJob) -> None:
    kept = job.home / "dbt" / "partial_parse.msgpack"
    with running(job) as dbt:
        outcomes = asked(dbt, BUILD)
        nodes = {uid: node["resource_type"] for uid, node in manifest()["nodes"].items()}
        statuses = {uid: item["status"] for uid, item in outcomes.items() if uid in nodes}
        assert statuses == {uid: "pass" if kind == "test" else "success" for uid, kind in nodes.items()}
        with pytest.raises(dg.Failure, match="asked twice"):
            asked(dbt, BUILD)
    assert job.query("select * from mart.daily_model_spend").is_empty()
    assert list((job.home / "dbt").iterdir()) == [kept]
    before = kept.read_bytes()
    with running(job) as dbt:
        assert asked(dbt, BUILD).keys() == outcomes.keys()
    assert kept.read_bytes() == before  # nothing was parsed again


def test_a_window_that_is_none_is_a_failure_of_the_models(job: DailyJob) -> None:
    with quick_dbt(), running(job) as dbt:
        outcomes = asked(dbt, ["build", "--vars", '{"from_date": "2026-02-15", "to_date": "2026-02-15"}'])
    messages = [item["message"] for item in outcomes.values() if item["status"] == "error"]
    assert any("is no day: the end is exclusive" in message for message in messages)
    assert list((job.home / "dbt").glob("*/dbt.log"))


def test_a_run_that_goes_on_from_a_failed_build_orders_it(job: DailyJob) -> None:
    """Dagster then leaves out the step that succeeded, which is the one that orders."""
    with quick_dbt(), running(job) as dbt:
        outcomes = dbt.outcomes(RUN, [*BUILD, "--select", "daily_meter_spend"])
    assert "model.modelmeter.daily_meter_spend" in outcomes


def test_a_process_that_died_is_reported(job: DailyJob) -> None:
    with quick_dbt(), running(job) as dbt:
        dbt.process.kill()
        dbt.process.wait()
        with pytest.raises(dg.Failure, match=r"(?s)dbt did not start \(exit code -9\)"):
            asked(dbt, BUILD)


def test_a_project_that_cant_be_read_is_reported(job: DailyJob, tmp_path: Path) -> None:
    (tmp_path / "dbt_project.yml").write_text("name: modelmeter\nprofile: [\n")
    with running(job, tmp_path) as dbt, pytest.raises(dg.Failure, match=r"(?s)dbt did not start \(exit code 2\)"):
        asked(dbt, BUILD)
    (output,) = (job.home / "dbt").glob("*/output.txt")
    assert "line 3, column 1" in output.read_text()


def test_a_damaged_state_of_the_parse_does_no_harm(job: DailyJob) -> None:
    kept = job.home / "dbt" / "partial_parse.msgpack"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"\x00damaged")
    with running(job) as dbt:
        assert not [item for item in asked(dbt, BUILD).values() if item["status"] in {"fail", "error"}]
    assert len(kept.read_bytes()) > 100_000


def test_the_process_goes_with_the_run(job: DailyJob) -> None:
    with quick_dbt(), running(job) as dbt:
        assert dbt.process.poll() is None
    assert dbt.process.poll() is not None
    assert not list((job.home / "dbt").glob("parse-*"))


def test_a_run_that_is_stopped_while_dbt_builds_stops_dbt_and_frees_the_lock(job: DailyJob) -> None:
    """Nothing of it is left in the database, and the next run may build at once."""
    with quick_dbt(), running(job) as dbt:
        dbt.begin(RUN, BUILD)
    assert dbt.process.poll() is not None
    with running(job) as after, exclusive(after.database, "dbt build"):
        sessions = job.query(
            "select 1 from pg_stat_activity where application_name = 'modelmeter-dbt' and datname = current_database()"
        )
        assert sessions.is_empty()


class _Interrupted(Future[dict[str, dict[str, Any]]]):
    def result(self, _timeout: float | None = None) -> dict[str, dict[str, Any]]:
        raise KeyboardInterrupt


def test_a_run_that_is_stopped_while_it_waits_lets_no_other_build_before_dbt_has_ended(tmp_path: Path) -> None:
    states: list[int | None] = []
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(20)"]) as process:
        dbt = DbtProcess(process, PROJECT_DIR, tmp_path, cast("Database", None))
        dbt._answer = _Interrupted()
        dbt._alone.callback(lambda: states.append(process.poll()))
        with pytest.raises(KeyboardInterrupt):
            dbt.outcomes(RUN, BUILD)
        assert states == []
        dbt.end()
    assert len(states) == 1
    assert states[0] is not None


def test_without_an_order_the_process_ends_by_itself_and_a_new_home_has_the_parse_of_set_up(tmp_path: Path) -> None:
    program = Path(assets.dbt_resource.__file__).with_name("dbt_process.py")
    command = [sys.executable, "-P", str(program), str(PROJECT_DIR), str(tmp_path / "state"), str(tmp_path)]
    done = subprocess.run(command, input=b"", capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout
    assert (tmp_path / "state").read_bytes() == (
        PROJECT_DIR / "target" / PARSE
    ).read_bytes()  # nothing was parsed again


def test_only_the_marts_ask_for_the_process() -> None:
    nodes = assets.definitions.defs.resolve_job_def("daily").all_node_defs
    asking = {node.name for node in nodes if isinstance(node, dg.OpDefinition) and "dbt" in node.required_resource_keys}
    assert asking == {"begin", "build"}


def test_scratch_of_killed_processes_goes_and_old_failures_with_it(tmp_path: Path) -> None:
    """A process that was killed leaves its folder; one that runs keeps it, and so do the twenty newest failed runs."""
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        pass
    for name in (f"parse-{gone.pid}-x", "parse-of-an-earlier-version", f"parse-{os.getpid()}-x"):
        (tmp_path / name).mkdir()
    (tmp_path / "partial_parse.msgpack").write_bytes(b"kept")
    for number in range(25):
        run = tmp_path / f"run-{number:02}"
        run.mkdir()
        os.utime(run, (number, number))
    assets.dbt_resource._sweep(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        f"parse-{os.getpid()}-x",
        "partial_parse.msgpack",
        *(f"run-{number:02}" for number in range(5, 25)),
    }
