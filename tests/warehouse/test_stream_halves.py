"""The end of a stream that arrives a day after its start: the day of the start is loaded again, and the call counts once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipelines.daily import Window, ingest_requests, load_requests, stale_days
from pipelines.quality import loaded_files_agree, records_accounted
from pipelines.settings import Settings
from pipelines.warehouse.partitions import loaded_days
from pipelines.warehouse.tables.core import REQUEST
from pipelines.workspace import Workspace
from tests.warehouse.landed_lines import land_lines, workspace_of

DAY = date(2026, 2, 12)
ONE = timedelta(days=1)
SOURCES = "requests: [{source: claude, format: anthropic_messages}, {source: chat, format: openai_chat}]"
IDS = {"request_id": "req_011CSabcdefgh"}


@pytest.fixture
def workspace(database_settings: Settings, tmp_path: Path) -> Iterator[Workspace]:
    with workspace_of(database_settings, tmp_path, SOURCES) as opened:
        yield opened


def claude(at: str, ended: str) -> tuple[dict[str, Any], dict[str, Any]]:
    message = {"id": "msg_R", "model": "house-1", "usage": {"input_tokens": 1000, "output_tokens": 1}}
    end = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 700}}
    return {"timestamp": at, **IDS, "type": "message_start", "message": message}, {"timestamp": ended, **IDS, **end}


def chat(at: str, ended: str) -> tuple[dict[str, Any], dict[str, Any]]:
    chunk = {"id": "chatcmpl-AbCdEf01x", "object": "chat.completion.chunk", "model": "house-1"}
    usage = {"prompt_tokens": 1000, "completion_tokens": 700, "total_tokens": 1700}
    return {"timestamp": at, **chunk, "usage": None}, {"timestamp": ended, **chunk, "usage": usage}


def ingest_and_load(workspace: Workspace, day: date) -> None:
    workspace.rescan()
    ingest_requests(workspace, Window.of_day(day))
    load_requests(workspace, Window.of_day(day))
    for _ in range(4):
        for stale in stale_days(workspace, Window.of_day(day)):
            load_requests(workspace, Window.of_day(stale))
    assert stale_days(workspace) == []


def requests(workspace: Workspace) -> list[tuple[Any, ...]]:
    with workspace.database.connect() as connection:
        found = connection.execute(
            "select event_date, usage_basis, input_uncached_tokens, output_text_tokens from core.request "
            "where source_request_id is null or source_request_id not like 'other%' order by 1, 4"
        ).fetchall()
        window = (DAY - 3 * ONE, DAY + 5 * ONE)
        records = records_accounted(connection, *window, {*loaded_days(connection, REQUEST), DAY})
        assert records.success
        assert loaded_files_agree(connection, *window).success
    return found


@pytest.mark.parametrize("is_busy", [True, False])
@pytest.mark.parametrize(("source", "halves"), [("claude", claude), ("chat", chat)])
@pytest.mark.parametrize("ended", ["2026-02-12T23:59:59Z", "2026-02-13T00:00:09Z"])
def test_a_late_end_completes_its_start(
    workspace: Workspace, source: str, halves: Any, ended: str, is_busy: bool
) -> None:
    """`is_busy`: other requests fall on both days."""
    others = [{**claude(f"{day}T10:00:00Z", "")[0], "message": {"id": f"other-{day}", "model": "house-1",
               "usage": {"input_tokens": 1, "output_tokens": 1}}, "type": "message", "request_id": None} for day in (DAY, DAY + ONE)]  # fmt: skip
    start, end = halves("2026-02-12T23:59:50Z", ended)
    land_lines(workspace, source, DAY, [start, *others[:1]] if is_busy and source == "claude" else [start])
    ingest_and_load(workspace, DAY)
    assert [row[1] for row in requests(workspace)] == ["partial" if source == "claude" else "missing"]
    land_lines(workspace, source, DAY + ONE, [end, *others[1:]] if is_busy and source == "claude" else [end])
    ingest_and_load(workspace, DAY + ONE)
    day = DAY if source == "claude" else date.fromisoformat(ended[:10])
    assert requests(workspace) == [(day, "reported", 1000, 700)]
