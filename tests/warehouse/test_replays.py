"""Sessions that are forked weeks later: their copied history counts once, in whatever order files arrive and days are loaded."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipelines.daily import Window, ingest_requests, load_requests, stale_days
from pipelines.quality import lines_accounted, records_accounted
from pipelines.settings import Settings
from pipelines.warehouse.partitions import loaded_days
from pipelines.warehouse.read import read_frame
from pipelines.warehouse.tables.core import REQUEST
from pipelines.workspace import Workspace, open_workspace

FIRST, LATER = date(2026, 2, 10), date(2026, 3, 3)


def count(at: str, total: int) -> dict[str, Any]:
    usage = {
        "input_tokens": total,
        "cached_input_tokens": 0,
        "output_tokens": total // 10,
        "total_tokens": total + total // 10,
    }
    info = {"total_token_usage": usage}
    return {"timestamp": at, "type": "event_msg", "payload": {"type": "token_count", "info": info}}


def meta(at: str, session: str, **more: str) -> dict[str, Any]:
    return {"timestamp": at, "type": "session_meta", "payload": {"id": session, **more}}


MODEL = {"timestamp": "2026-02-10T10:00:00Z", "type": "turn_context", "payload": {"model": "gpt-5-codex"}}
PARENT = [
    meta("2026-02-10T10:00:00Z", "A"),
    MODEL,
    count("2026-02-10T10:01:00Z", 100),
    count("2026-02-10T10:02:00Z", 300),
]
# Three weeks later: the copied history is written again with the instants of the fork, then the fork's own call.
FORK = [
    meta("2026-03-03T09:00:00Z", "B", forked_from_id="A"), meta("2026-03-03T09:00:00Z", "A"), MODEL,
    count("2026-03-03T09:00:00Z", 100), count("2026-03-03T09:00:00Z", 300), count("2026-03-03T09:05:00Z", 450),
]  # fmt: skip
Land = Callable[[str, date, list[dict[str, Any]]], None]


@pytest.fixture
def workspace(database_settings: Settings, tmp_path: Path) -> Iterator[Workspace]:
    config, zone = tmp_path / "config", tmp_path / "landing"
    config.mkdir()
    zone.mkdir()
    (config / "sources.yaml").write_text(
        "requests: [{source: agents, format: codex, options: {undated: arrival}, defaults: {model: gpt-5-codex}}]"
    )
    settings = Settings(
        home=tmp_path / "home", database_url=database_settings.database_url, landing=str(zone), config=config
    )
    with open_workspace(settings) as opened:
        yield opened


@pytest.fixture
def land(workspace: Workspace) -> Land:
    def write(name: str, arrival: date, lines: list[dict[str, Any]]) -> None:
        path = Path(str(workspace.settings.landing)) / "requests" / "agents" / str(arrival) / f"{name}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        workspace.rescan()
        ingest_requests(workspace, Window.of_day(arrival))

    return write


def tokens(workspace: Workspace) -> dict[date, int]:
    sql = "select event_date, sum(input_uncached_tokens)::int as tokens from core.request group by 1 order by 1"
    with workspace.database.connect() as connection:
        return dict(read_frame(connection, sql).iter_rows())


def load(workspace: Workspace, day: date) -> None:
    load_requests(workspace, Window.of_day(day))


def in_balance(workspace: Workspace) -> bool:
    with workspace.database.connect(read_only=True) as connection:
        days = loaded_days(connection, REQUEST)
        books = records_accounted(connection, FIRST, LATER + timedelta(days=1), days)
        return bool(lines_accounted(connection).success and books.success and books.observed == 2)


EXPECTED = {FIRST: 300, LATER: 150}


def test_a_fork_that_comes_weeks_later(workspace: Workspace, land: Land) -> None:
    land("parent", FIRST, PARENT)
    load(workspace, FIRST)
    land("fork", LATER, FORK)
    load(workspace, LATER)
    assert tokens(workspace) == EXPECTED
    assert stale_days(workspace) == []
    assert in_balance(workspace)


def test_days_loaded_backwards(workspace: Workspace, land: Land) -> None:
    land("parent", FIRST, PARENT)
    land("fork", LATER, FORK)
    for day in (LATER, FIRST):
        load(workspace, day)
    assert tokens(workspace) == EXPECTED
    assert stale_days(workspace) == []
    assert in_balance(workspace)


def test_a_parent_that_arrives_after_its_fork_makes_the_forks_day_be_loaded_again(
    workspace: Workspace, land: Land
) -> None:
    land("fork", LATER, FORK)
    load(workspace, LATER)
    assert tokens(workspace) == {LATER: 450}, "nothing shows yet that the history is a copy"
    land("parent", LATER, PARENT)
    load(workspace, FIRST)
    assert stale_days(workspace) == [LATER]
    load(workspace, LATER)
    assert tokens(workspace) == EXPECTED
    assert stale_days(workspace) == []
    assert in_balance(workspace)


def test_a_run_that_arrives_after_the_one_that_resumed_it_makes_its_day_be_loaded_again(
    workspace: Workspace, land: Land
) -> None:
    """What `codex exec --json` prints of a resumed thread holds what the first run counted."""

    def run(total: int) -> list[dict[str, Any]]:
        usage = {"input_tokens": total, "cached_input_tokens": 0, "output_tokens": total // 10}
        return [
            {"type": "thread.started", "thread_id": "0199a213-81c0-7800-8aa1-bbab2a035a53"},
            {"type": "turn.completed", "usage": usage},
        ]

    land("resumed", LATER, run(450))
    load(workspace, LATER)
    assert tokens(workspace) == {LATER: 450}
    land("first", FIRST, run(300))
    load(workspace, FIRST)
    assert stale_days(workspace) == [LATER]
    load(workspace, LATER)
    assert tokens(workspace) == EXPECTED
    assert stale_days(workspace) == []
