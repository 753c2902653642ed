"""The folder that is kept of a loaded day: it holds what the table holds, and is read only where it does."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.daily import Window, ingest_requests, load_requests
from pipelines.settings import Settings
from pipelines.warehouse import day_files
from pipelines.warehouse.day_files import KEPT, day_of_requests, forget_day_file, kept_of_day, writing_days
from pipelines.warehouse.tables.core import REQUEST
from pipelines.workspace import Workspace
from tests.warehouse.landed_lines import land_lines, workspace_of

DAY = date(2026, 2, 12)
SOURCES = "requests: [{source: gateway, format: litellm_spend_logs}]"


def call(number: int) -> dict[str, Any]:
    at = f"2026-02-12T10:00:{number:02d}Z"
    return {"request_id": f"call-{number}", "startTime": at, "endTime": at, "model": "house-1", "custom_llm_provider": "openai",
            "prompt_tokens": 100, "completion_tokens": number, "total_tokens": 100 + number, "spend": 0.001, "status": "success",
            "api_key": f"hash-{number}", "session_id": "s"}  # fmt: skip


@pytest.fixture
def workspace(database_settings: Settings, tmp_path: Path) -> Iterator[Workspace]:
    with workspace_of(database_settings, tmp_path, SOURCES) as opened:
        load(opened, 3)
        yield opened


def load(workspace: Workspace, calls: int) -> None:
    land_lines(workspace, "gateway", DAY, [call(number) for number in range(1, calls + 1)])
    workspace.rescan()
    ingest_requests(workspace, Window.of_day(DAY))
    load_requests(workspace, Window.of_day(DAY))


def read(workspace: Workspace, columns: list[str] | None = None) -> pl.DataFrame:
    with workspace.database.connect() as connection:
        return day_of_requests(connection, workspace.day_files, DAY, columns or KEPT)


def folders(workspace: Workspace) -> list[Path]:
    return list(workspace.day_files.glob("*"))


def test_the_folder_holds_what_the_table_holds(workspace: Workspace) -> None:
    (folder,) = folders(workspace)
    kept = read(workspace)
    assert kept.schema == {name: REQUEST.polars_schema[name] for name in KEPT}
    assert read(workspace, ["output_text_tokens", "team"]).columns == ["output_text_tokens", "team"]
    shutil.rmtree(folder)
    as_json = pl.col("tags").str.replace_all(" ", "")  # Postgres writes jsonb in its own way
    assert kept.with_columns(as_json).equals(read(workspace).sort("event_at").with_columns(as_json))
    assert kept.height == 3


def test_a_day_that_is_loaded_again_has_one_folder_and_a_changed_one_none(workspace: Workspace) -> None:
    load(workspace, 5)
    assert (len(folders(workspace)), read(workspace).height) == (1, 5)
    with workspace.database.connect() as connection:
        connection.execute("update core.request set team = 'changed'")
        forget_day_file(connection, DAY)
    assert set(read(workspace)["team"]) == {"changed"}


def test_what_is_made_of_a_day_is_made_once_for_its_rows(workspace: Workspace) -> None:
    made: list[int] = []

    def count() -> pl.DataFrame:
        made.append(read(workspace).height)
        return pl.DataFrame({"rows": made[-1:]})

    def kept() -> int:
        with workspace.database.connect() as connection:
            return int(kept_of_day(connection, workspace.day_files, DAY, "rows", count)["rows"][0])

    assert (kept(), kept(), made) == (3, 3, [3])
    load(workspace, 5)
    assert (kept(), made) == (5, [3, 5])


def test_a_load_that_fails_leaves_the_folder_of_the_rows_that_stay(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = folders(workspace)
    monkeypatch.setattr("pipelines.daily.requests._replace_aliases", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        load(workspace, 5)
    assert folders(workspace) == before
    assert read(workspace).height == 3


def test_folders_of_days_long_past_go(workspace: Workspace) -> None:
    for month in range(1, 13):
        for day in (1, 2, 3):
            (workspace.day_files / f"2025-{month:02d}-{day:02d}-0").mkdir()
    with writing_days(workspace.day_files) as writer:
        pass
    writer.sweep()
    names = sorted(path.name for path in folders(workspace))
    assert (len(names), names[0][:10]) == (35, "2025-01-03")


def test_a_folder_of_before_a_column_came_is_not_read(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(day_files, "_SHAPE", "0" * 8)
    (folder,) = folders(workspace)
    for path in folder.iterdir():
        path.write_bytes(b"")
    assert read(workspace, ["output_text_tokens"]).height == 3
