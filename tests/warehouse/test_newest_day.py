"""The days of a run without a date: the newest that any file holds, whatever was parsed before; all of the sample, once."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

from pydantic import SecretStr
from rich.console import Console

from assets.cli.daily import first_days, since_last_run
from pipelines.daily import Window, ingest_requests, load_requests
from pipelines.daily.ingest import days_left_out, newest_event_day
from pipelines.daily.known_days import all_known_days
from pipelines.sample import generate_sample
from pipelines.settings import Settings
from pipelines.warehouse.database import Database
from pipelines.warehouse.tables.raw import LOADED_FILE
from pipelines.workspace import open_workspace
from tests.unit.quality.rows import good_row, insert
from tests.warehouse.landed_lines import land_lines, workspace_of

ARRIVALS = {"2026-02-13": "2026-02-13", "2026-02-20": "2026-02-02", "2026-03-01": "2026-02-03"}
"""Arrival day to the day of its only record: the newest files hold nothing but late lines."""


def test_late_lines_in_the_newest_files_do_not_hide_the_newest_day(database: Database, tmp_path: Path) -> None:
    landing, config = tmp_path / "landing", tmp_path / "config"
    for arrived, day in ARRIVALS.items():
        folder = landing / "requests" / "gateway" / arrived
        folder.mkdir(parents=True)
        record = {"request_id": day, "startTime": f"{day} 10:00:00", "model": "gpt-4o", "prompt_tokens": 1}
        (folder / "a.jsonl").write_text(json.dumps({**record, "completion_tokens": 1}) + "\n", encoding="utf-8")
    config.mkdir()
    (config / "sources.yaml").write_text("requests: [{source: gateway, format: litellm_spend_logs}]", encoding="utf-8")
    settings = Settings(
        home=tmp_path / "home", landing=landing, config=config,
        database_url=SecretStr(database.url.render_as_string(hide_password=False)),
    )  # fmt: skip
    found = []
    for _ in range(2):
        with open_workspace(settings) as workspace:
            found.append(newest_event_day(workspace))
    assert found == [date(2026, 2, 13), date(2026, 2, 13)]


def test_the_first_run_on_the_sample_takes_all_its_days(database_settings: Settings, tmp_path: Path) -> None:
    """Later ones take the newest, and so does a landing zone of one's own, which may hold years."""
    made = generate_sample(database_settings.sample_landing, days=3, requests_per_day=50)
    first, newest = (date.fromisoformat(made.days[n]) for n in (0, -1))
    day = Window.of_day(newest)
    own = database_settings.model_copy(update={"landing": database_settings.sample_landing})
    with open_workspace(own) as workspace:
        assert first_days(workspace, day) == day
    with open_workspace(database_settings) as workspace:
        assert first_days(workspace, day) == Window(first, day.to_date)
        with workspace.database.connect() as connection:
            insert(connection, LOADED_FILE, [good_row(LOADED_FILE)])
        assert first_days(workspace, day) == day


def test_a_weekend_without_files_is_run_with_the_day_after_it(database_settings: Settings, tmp_path: Path) -> None:
    friday, monday = date(2026, 2, 13), date(2026, 2, 16)
    console = Console(quiet=True)
    with workspace_of(database_settings, tmp_path, "requests: [{source: g, format: litellm_spend_logs}]") as workspace:
        assert since_last_run(workspace, Window.of_day(monday), console) == Window.of_day(monday), (
            "nothing is loaded yet"
        )
        line = {
            "request_id": "a",
            "startTime": f"{friday} 10:00:00",
            "model": "m",
            "prompt_tokens": 1,
            "completion_tokens": 1,
        }
        land_lines(workspace, "g", friday, [line])
        ingest_requests(workspace, None)
        load_requests(workspace, Window.of_day(friday))
        whole = since_last_run(workspace, Window.of_day(monday), console)
        assert whole == Window(friday + timedelta(days=1), monday + timedelta(days=1))
        load_requests(workspace, whole)
        with workspace.database.connect(read_only=True) as connection:
            known = all_known_days(connection)
        assert known == [friday + timedelta(days=n) for n in range(4)]
        next_day, far = monday + timedelta(days=1), monday + timedelta(days=9)
        assert since_last_run(workspace, Window.of_day(next_day), console) == Window.of_day(next_day)
        assert since_last_run(workspace, Window.of_day(far), console) == Window.of_day(far), "a long gap may hold much"


def test_the_first_run_names_the_days_that_it_leaves_out(database_settings: Settings, tmp_path: Path) -> None:
    """A pulled month lay there, the page showed its last day, and nothing said how to load the rest."""
    days = [date(2026, 2, number) for number in (10, 11, 12)]
    with workspace_of(database_settings, tmp_path, "requests: [{source: g, format: litellm_spend_logs}]") as workspace:
        lines = [
            {"request_id": f"{day}", "startTime": f"{day} 10:00:00", "model": "m", "prompt_tokens": 1, "completion_tokens": 1}
            for day in days
        ]  # fmt: skip
        land_lines(workspace, "g", days[-1], lines)
        workspace.rescan()
        newest = Window.of_day(days[-1])
        ingest_requests(workspace, newest)
        load_requests(workspace, newest)
        assert days_left_out(workspace, newest) == days[:2]
        land_lines(workspace, "g", days[0] - timedelta(days=9), lines[:1])
        workspace.rescan()
        assert days_left_out(workspace, newest) == [days[0] - timedelta(days=9), *days[:2]], "a file that no run read"
        load_requests(workspace, Window.of_day(days[0]))
        assert days_left_out(workspace, newest) == []
