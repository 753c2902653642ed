"""How the installation stands: judged from the history of runs and the warehouse, and the same in Prometheus's format."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from typer.testing import CliRunner

from assets.cli import app
from assets.cli.log_lines import LogFormat, log_line, progress_console
from assets.cli.runs import RunOutcome, log_outcome
from assets.cli.status import show
from assets.prometheus import UNHEALTHY, prometheus
from assets.status import LastRun, Status, sizes_of, status_of
from pipelines.config import ConfigError
from pipelines.daily import Window
from pipelines.fetch.ping import PingError, ping
from pipelines.finops.report import FeedLine
from pipelines.settings import Settings
from pipelines.warehouse.cluster import locate
from pipelines.warehouse.database import Database
from pipelines.warehouse.errors import WarehouseError
from pipelines.workspace import open_workspace
from tests.warehouse_fixtures import drop_database

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = date(2026, 3, 1)
AGE = timedelta(hours=26)
GOOD = Status(
    at=NOW,
    newest_day=DAY,
    runs=(LastRun(DAY, DAY, "SUCCESS", NOW, NOW - timedelta(hours=6), {"warn": 1, "error": 0}),),
    last_success_at=NOW - timedelta(hours=6),
    feeds=(FeedLine('a "quoted" feed', "prices", NOW, is_stale=False),),
    alarms={"budgets crossed": 2},
    sizes={"warehouse": 123},
)


def test_what_is_wrong_is_said() -> None:
    failed = LastRun(DAY, DAY + timedelta(days=1), "FAILURE", NOW, NOW, {"warn": 0, "error": 1})
    assert GOOD.problems(AGE) == []
    assert replace(GOOD, runs=()).problems(AGE) == ["no daily run is in the history"]
    assert replace(GOOD, runs=(failed, *GOOD.runs)).problems(AGE) == [
        "the last daily run for 2026-03-01 to 2026-03-02 failed"
    ]
    assert replace(GOOD, rebuild="a rebuild was ended").problems(AGE) == ["a rebuild was ended"]
    assert replace(GOOD, last_success_at=None).problems(AGE) == ["no daily run has succeeded"]
    assert GOOD.problems(timedelta(hours=5)) == [
        "no daily run has succeeded for 5 h: the last one ended at 2026-03-02 06:00 UTC"
    ]
    stale = replace(GOOD.feeds[0], is_stale=True)
    assert replace(GOOD, feeds=(stale,)).problems(AGE) == ['prices a "quoted" feed is stale']
    absent = FeedLine("litellm_map", "prices", None, None, "never fetched")
    assert replace(GOOD, feeds=(absent, *GOOD.feeds)).problems(AGE) == ["never fetched: prices litellm_map"]
    assert 'modelmeter_feed_stale{kind="prices",name="litellm_map"} 1' in prometheus(
        replace(GOOD, feeds=(absent,)), AGE
    )
    mute = replace(GOOD, alarms={"alerts that could not be sent": 2})
    assert mute.problems(AGE) == ["alerts that could not be sent: 2 (`modelmeter alerts` says why)"]


def test_a_later_run_of_another_day_hides_no_failure() -> None:
    """A run that finds late lines is followed by runs of their days: these were the newest, and all seemed well."""
    day_before = DAY - timedelta(days=1)

    def run(day: date, status: str = "SUCCESS", errors: int = 0, last: date | None = None, age: int = 6) -> LastRun:
        return LastRun(day, last or day, status, NOW, NOW - timedelta(hours=age), {"warn": 0, "error": errors})

    late = run(day_before)
    failed, in_error = run(DAY, "FAILURE"), run(DAY, errors=2)
    assert replace(GOOD, runs=(late, failed)).problems(AGE) == ["the last daily run for 2026-03-01 failed"]
    found = replace(GOOD, runs=(late, in_error))
    assert found.problems(AGE) == ["2 checks of the daily run for 2026-03-01 failed as an error"]
    assert 'modelmeter_failed_checks{severity="error"} 2' in prometheus(found, AGE)
    for mended in (run(DAY), run(day_before, last=DAY)):
        assert replace(GOOD, runs=(mended, in_error, failed)).problems(AGE) == []
    assert replace(GOOD, runs=(late, run(DAY, errors=1, age=30))).problems(AGE) == [], "a day later it is not news"
    assert replace(GOOD, runs=(run(DAY, "STARTED"), failed)).problems(AGE) == [
        "the last daily run for 2026-03-01 failed"
    ]
    assert replace(GOOD, runs=(late, run(day_before, "FAILURE", last=DAY))).problems(AGE) != [], (
        "it was about a day more"
    )


def test_a_person_reads_first_whether_anything_is_open(capsys: pytest.CaptureFixture[str]) -> None:
    for found, said in (
        (GOOD, "runs and feeds are well; open items are listed below"),
        (replace(GOOD, alarms={}, runs=(replace(GOOD.runs[0], checks={}),)), "runs and feeds are well, and nothing is open"),
    ):  # fmt: skip
        show(found, found.problems(AGE))
        assert capsys.readouterr().out.splitlines()[0] == said
    show(GOOD, [])
    assert ", check warn: 1\n" in capsys.readouterr().out.replace(" \n", "\n")


def test_prometheus_reads_the_same() -> None:
    text = prometheus(GOOD, AGE)
    lines = text.splitlines()
    assert text.endswith("\n")
    assert "modelmeter_healthy 1" in lines
    assert f"modelmeter_last_success_timestamp_seconds {(NOW - timedelta(hours=6)).timestamp():.0f}" in lines
    assert 'modelmeter_feed_stale{kind="prices",name="a \\"quoted\\" feed"} 0' in lines
    assert 'modelmeter_failed_checks{severity="warn"} 1' in lines
    assert 'modelmeter_open_alarms{kind="budgets crossed"} 2' in lines
    assert 'modelmeter_size_bytes{part="warehouse"} 123' in lines
    named = {line.split("{")[0].split(" ")[0] for line in lines if not line.startswith("#")}
    assert named <= {line.split(" ")[2] for line in lines if line.startswith("# TYPE")}
    assert "modelmeter_healthy 0" in prometheus(replace(GOOD, runs=()), AGE)


HISTORY = """
create table runs (id serial, run_id text, pipeline_name text, status text, start_time float, end_time float);
create table run_tags (run_id text, key text, value text);
create table asset_check_executions (run_id text, execution_status text, evaluation_event text);
insert into runs (run_id, pipeline_name, status, start_time, end_time) values
    ('a', 'daily', 'FAILURE', 1, 2), ('b', 'daily', 'SUCCESS', 3, 4), ('c', 'arrivals', 'FAILURE', 5, 6),
    ('d', 'daily', 'SUCCESS', 7, 8), ('e', 'daily', 'FAILURE', 9, 10),
    ('f', 'daily', 'SUCCESS', 1e11, 1e11);
insert into run_tags values
    ('a', 'dagster/partition', '2026-03-01'),
    ('b', 'dagster/asset_partition_range_start', '2026-03-01'), ('b', 'dagster/asset_partition_range_end', '2026-03-01'),
    ('e', 'dagster/partition', '2026-03-01'), ('f', 'dagster/partition', '2026-03-02'),
    ('d', 'dagster/asset_partition_range_start', '2026-02-01'), ('d', 'dagster/asset_partition_range_end', '2026-02-28');
insert into asset_check_executions values
    ('d', 'FAILED', '{"severity": {"__enum__": "AssetCheckSeverity.WARN"}}'),
    ('d', 'FAILED', '{"severity": {"__enum__": "AssetCheckSeverity.ERROR"}}'),
    ('d', 'FAILED', '{"severity": {"__enum__": "AssetCheckSeverity.WARN"}}'),
    ('d', 'SUCCEEDED', '{"severity": {"__enum__": "AssetCheckSeverity.ERROR"}}'),
    ('a', 'FAILED', '{"severity": {"__enum__": "AssetCheckSeverity.ERROR"}}');
"""


@pytest.mark.parametrize(("option", "said"), [("--json", '"healthy": false'), ("--prometheus", "modelmeter_healthy 0")])
def test_a_probe_that_reads_files_hears_of_a_warehouse_that_is_gone(
    option: str, said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MODELMETER_HOME", str(tmp_path))
    monkeypatch.setenv("MODELMETER_DATABASE_URL", "postgresql://me:secret@127.0.0.1:1/gone")
    result = CliRunner().invoke(app, ["status", option])
    assert isinstance(result.exception, WarehouseError)
    assert said in result.output
    assert "secret" not in result.output
    assert prometheus(replace(GOOD, last_success_at=None), AGE).startswith(UNHEALTHY)


@pytest.mark.parametrize(("option", "said"), [("--json", '"healthy": false'), ("--prometheus", "modelmeter_healthy 0")])
def test_a_probe_hears_of_a_configuration_that_cant_be_read(
    option: str, said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It was refused before the command had said a word: whoever reads a file found an empty one."""
    monkeypatch.setenv("MODELMETER_HOME", str(tmp_path))
    monkeypatch.setenv("MODELMETER_CONFIG", str(tmp_path))
    (tmp_path / "sources.yaml").write_text("requests: [{sourc: x}]")
    for _ in ("a misspelt key", "a misspelt variable"):
        result = CliRunner().invoke(app, ["status", option])
        assert isinstance(result.exception, ConfigError)
        assert said in result.stdout
        (tmp_path / "sources.yaml").unlink(missing_ok=True)
        monkeypatch.setenv("MODELMETER_HOEM", "x")


def test_the_newest_run_of_each_stretch_counts(database: Database, database_settings: Settings) -> None:
    history = f"{database.owner.dbname}_history"
    settings = database_settings.model_copy(update={"dagster_database": history, "offline": True})
    with open_workspace(settings) as workspace:
        before = status_of(workspace)
        assert (before.runs, before.newest_day, before.last_success_at) == ((), None, None)
        database.create_database(history)
        try:
            with database.named(history).connect() as connection:
                connection.execute(HISTORY.encode())
            found = status_of(workspace)
        finally:
            drop_database(database, history)
    assert [(str(r.first_day), str(r.last_day), r.status, r.checks) for r in found.runs] == [
        ("2026-03-02", "2026-03-02", "SUCCESS", {"warn": 0, "error": 0}),
        ("2026-03-01", "2026-03-01", "FAILURE", {"warn": 0, "error": 0}),
        ("2026-02-01", "2026-02-28", "SUCCESS", {"warn": 2, "error": 1}),
    ]
    assert found.last_success_at == datetime.fromtimestamp(8, UTC), "the clock of another run was years ahead"
    assert found.sizes["warehouse"] > 2**20
    assert {"run history", "days as files", "logs of runs", "dbt", "reports"} <= set(found.sizes)
    assert found.alarms["silent changes of models"] == 0


def test_the_log_of_changes_of_the_embedded_server_is_among_the_sizes(database: Database, tmp_path: Path) -> None:
    """It may take 2 GB, in no database."""
    settings = Settings(home=tmp_path)
    wal = locate(tmp_path).data / "pg_wal"
    wal.mkdir(parents=True)
    (wal / "1").write_bytes(b"x" * 1000)
    assert sizes_of(settings, database)["log of changes (WAL)"] == 1000


class Ear(BaseHTTPRequestHandler):
    heard: ClassVar[list[str]] = []
    status = 200

    def do_GET(self) -> None:
        self.heard.append(self.path)
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Silent."""


@pytest.fixture
def ear() -> Iterator[str]:
    Ear.heard, Ear.status = [], 200
    server = HTTPServer(("127.0.0.1", 0), Ear)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/secret"
    server.shutdown()
    server.server_close()


def test_the_outside_service_hears_once_and_a_failure_names_no_address(ear: str) -> None:
    ping(ear)
    assert Ear.heard == ["/secret"]
    Ear.status = 503
    with pytest.raises(PingError, match="status 503") as failed:
        ping(ear)
    assert "secret" not in str(failed.value)
    with pytest.raises(PingError) as failed:
        ping("http://127.0.0.1:1/secret")
    assert "secret" not in str(failed.value)


def test_every_line_of_a_json_log_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    progress_console(LogFormat.JSON).print("two\nlines", style="red")
    log_line("finished", step="core_price\x1b[2J", seconds=1.5, days=None)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["event"] for line in lines] == ["message", "finished"]
    assert lines[0]["text"] == "two\nlines"
    assert "days" not in lines[1]
    assert datetime.fromisoformat(lines[1]["at"]).tzinfo is not None


@pytest.mark.parametrize(
    ("check", "is_well"),
    [({"passed": False, "severity": "ERROR"}, False), ({"passed": False, "severity": "WARN"}, True), ({"passed": True, "severity": "ERROR"}, True)],
)  # fmt: skip
def test_a_run_is_well_where_no_check_failed_as_an_error(check: dict[str, object], is_well: bool) -> None:
    window = Window(DAY, DAY + timedelta(days=1))
    assert RunOutcome(window, True, 1.0, [check], [], [], []).is_well is is_well
    assert not RunOutcome(window, False, 1.0, [], [], [], []).is_well


def test_a_json_log_says_which_checks_failed_and_how_the_run_ended(capsys: pytest.CaptureFixture[str]) -> None:
    checks = [
        {"passed": False, "severity": "WARN", "asset": "core.price", "name": "fresh", "found": "a value of the data"},
        {"passed": True, "severity": "ERROR", "asset": "core.price", "name": "unique"},
    ]
    log_outcome(RunOutcome(Window(DAY, DAY + timedelta(days=1)), True, 1.23456, checks, [], [], []), "daily")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    common = {"job": "daily", "days": "2026-03-01"}
    assert [{name: value for name, value in line.items() if name != "at"} for line in lines] == [
        {"event": "check", **common, "severity": "warn", "asset": "core.price", "name": "fresh"},
        {"event": "ended", **common, "succeeded": True, "seconds": 1.235},
    ]
