"""A second source that arrives later: its days are loaded again, also where a pair lies across midnight, and the books add up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipelines.daily import Window, ingest_requests, load_requests, stale_days
from pipelines.daily.requests import Part, parts_here
from pipelines.quality import counted_once, loaded_files_agree, look_alikes, records_accounted
from pipelines.settings import Settings
from pipelines.warehouse.partitions import loaded_days
from pipelines.warehouse.tables.core import REQUEST
from pipelines.workspace import Workspace, open_workspace
from tests.warehouse.landed_lines import land_lines, workspace_of

DAY = date(2026, 2, 12)
ONE = timedelta(days=1)
SOURCES = "requests: [{source: gateway, format: litellm_spend_logs}, {source: app, format: otel_genai}]"


@pytest.fixture
def workspace(database_settings: Settings, tmp_path: Path) -> Iterator[Workspace]:
    with workspace_of(database_settings, tmp_path, SOURCES) as opened:
        yield opened


def land(workspace: Workspace, source: str, arrival: date, records: list[dict[str, Any]]) -> None:
    land_lines(workspace, source, arrival, records)
    workspace.rescan()
    ingest_requests(workspace, Window.of_day(arrival))


def spend(request_id: str, at: str) -> dict[str, Any]:
    return {"request_id": request_id, "startTime": at, "endTime": at, "model": "house-1", "custom_llm_provider": "openai",
            "prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110, "spend": 0.001, "status": "success"}  # fmt: skip


def span(number: int, answer: str | None, at: str, **more: Any) -> dict[str, Any]:
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "house-1", "gen_ai.usage.input_tokens": 100,
            "gen_ai.usage.output_tokens": 10, "gen_ai.response.id": answer, **more}  # fmt: skip
    return {
        "traceId": f"{number:032x}",
        "spanId": f"{number:016x}",
        "startTime": at,
        "endTime": at,
        "attributes": attributes,
    }


def run_stale(workspace: Workspace) -> list[date]:
    ran: list[date] = []
    while stale := stale_days(workspace):
        assert len(ran) < 12, "the same days are stale again and again"
        for day in stale:
            load_requests(workspace, Window.of_day(day))
        ran += stale
    return ran


def books(workspace: Workspace) -> bool:
    with workspace.database.connect() as connection:
        loaded = {*loaded_days(connection, REQUEST), DAY}  # which may be empty now
        window = (DAY - 3 * ONE, DAY + 5 * ONE)
        records, files = records_accounted(connection, *window, loaded), loaded_files_agree(connection, *window)
        return bool(records.success and files.success and records.observed == 2)


def requests(workspace: Workspace) -> list[tuple[date, str]]:
    with workspace.database.connect() as connection:
        return connection.execute("select event_date, source from core.request order by 1, 2").fetchall()


@pytest.mark.parametrize("richer", [False, True])
def test_the_days_of_a_source_that_comes_later_are_loaded_again(workspace: Workspace, richer: bool) -> None:
    """`richer`: the later record is the one to keep, so that the day before loses the one that it has."""
    more = {"gen_ai.usage.cache_read.input_tokens": 50} if richer else {}
    land(workspace, "gateway", DAY + ONE, [spend("chatcmpl-AbCdEf01x", "2026-02-12 23:59:58"), spend("chatcmpl-AbCdEf02x", "2026-02-13 10:00:00")])  # fmt: skip
    for day in (DAY, DAY + ONE):
        load_requests(workspace, Window.of_day(day))
    land(workspace, "app", DAY + 2 * ONE, [
        span(1, "chatcmpl-AbCdEf01x", "2026-02-13T00:00:01Z", **more), span(2, "chatcmpl-AbCdEf02x", "2026-02-13T10:00:00Z", **more),
    ])  # fmt: skip
    assert DAY + ONE in run_stale(workspace)
    assert books(workspace)
    expected = [(DAY + ONE, "app")] * 2 if richer else [(DAY, "gateway"), (DAY + ONE, "gateway")]
    assert requests(workspace) == expected
    before = requests(workspace)
    load_requests(workspace, Window(DAY, DAY + 2 * ONE))
    assert (requests(workspace), books(workspace), stale_days(workspace)) == (before, True, [])


def test_late_lines_of_a_day_that_had_none_are_loaded_too(workspace: Workspace) -> None:
    """It was run and holds nothing, so no loaded file names it. A day that nobody has run, before all that is loaded, is no late one."""
    quiet, new = DAY - 2 * ONE, Window.of_day(DAY)
    for day in (DAY - 3 * ONE, DAY - ONE):
        land(workspace, "gateway", day, [spend(f"a{day}", f"{day} 10:00:00")])
        load_requests(workspace, Window.of_day(day))
    land(workspace, "gateway", DAY, [spend("late", f"{quiet} 10:00:00"), spend("older", f"{DAY - 9 * ONE} 10:00:00"), spend("now", f"{DAY} 10:00:00")])  # fmt: skip
    load_requests(workspace, new)
    assert stale_days(workspace, new) == [quiet]
    load_requests(workspace, Window.of_day(quiet))
    assert stale_days(workspace, new) == []


def test_late_lines_of_the_last_day_that_was_run_and_had_none_are_loaded_too(workspace: Workspace) -> None:
    land(workspace, "gateway", DAY, [spend("a", f"{DAY} 10:00:00")])
    load_requests(workspace, Window(DAY, DAY + 3 * ONE))
    quiet = "select event_date from raw.quiet_day order by 1"
    with workspace.database.connect() as connection:
        assert connection.execute(quiet).fetchall() == [(DAY + ONE,), (DAY + 2 * ONE,)]
    land(workspace, "gateway", DAY + 3 * ONE, [spend("late", f"{DAY + 2 * ONE} 10:00:00")])
    assert stale_days(workspace, Window.of_day(DAY + 3 * ONE)) == [DAY + 2 * ONE]
    load_requests(workspace, Window.of_day(DAY + 2 * ONE))
    with workspace.database.connect() as connection:
        assert connection.execute(quiet).fetchall() == [(DAY + ONE,)]


@pytest.mark.parametrize("early", [DAY - 4 * ONE, DAY - ONE])
def test_late_lines_of_a_loaded_day_are_no_loss_of_the_run_that_finds_them(workspace: Workspace, early: date) -> None:
    """The run of the new day reads them, and the run of their own day, which follows, loads them. What is lost is found by either. That the
    file also holds a duplicate on the day next to theirs says nothing of them."""
    new = Window.of_day(DAY)
    land(workspace, "gateway", early, [spend("a", f"{early} 10:00:00")])
    load_requests(workspace, Window.of_day(early))
    land(workspace, "gateway", DAY, [spend("b", f"{early} 11:00:00"), *2 * [spend("c", f"{DAY} 11:00:00")]])
    load_requests(workspace, new)

    def accounted(window: Window) -> tuple[bool | None, object]:
        with workspace.database.connect() as connection:
            found = records_accounted(connection, window.from_date, window.to_date, {early, DAY})
            return found.success, found.observed

    assert accounted(new) == (True, 0)
    assert stale_days(workspace) == [early]
    assert early in run_stale(workspace)
    assert accounted(new) == (True, 1)
    assert accounted(Window.of_day(early)) == (True, 2)
    with workspace.database.connect() as connection:
        connection.execute("delete from core.request where event_date = %s", [DAY])
        connection.commit()
    assert accounted(new) == (False, 1)


def test_a_loss_is_found_though_all_that_a_file_holds_of_a_day_before_was_dropped(workspace: Workspace) -> None:
    """Its record of that day was sent again; the day was run with it, so nothing of it is still to come."""
    early, new = DAY - ONE, Window.of_day(DAY)
    land(workspace, "gateway", early, [spend("a", f"{early} 10:00:00")])
    load_requests(workspace, Window.of_day(early))
    land(workspace, "gateway", DAY, [spend("a", f"{early} 10:00:00"), spend("c", f"{DAY} 11:00:00")])
    load_requests(workspace, new)
    assert run_stale(workspace) == [early]
    with workspace.database.connect() as connection:
        assert records_accounted(connection, DAY, DAY + ONE, {early, DAY}).observed == 1
        connection.execute("delete from core.request where event_date = %s", [DAY])
        assert records_accounted(connection, DAY, DAY + ONE, {early, DAY}).success is False


def test_a_file_that_is_indexed_while_its_day_is_loaded_is_late(workspace: Workspace) -> None:
    """Another run read it. It also holds a day that no run has loaded, so that no sum over its days shows what it lacks."""
    land(workspace, "gateway", DAY, [spend("a", f"{DAY} 10:00:00")])

    def parts(workspace: Workspace, window: Window) -> Iterator[Part]:
        yield from list(parts_here(workspace, window))
        land(workspace, "gateway", DAY + ONE, [spend("b", f"{DAY} 11:00:00"), spend("c", f"{DAY + ONE} 11:00:00")])

    load_requests(workspace, Window.of_day(DAY), parts)
    assert stale_days(workspace) == [DAY]


def test_checks_name_the_preferred_source_and_what_looks_alike(workspace: Workspace) -> None:
    land(workspace, "gateway", DAY, [spend("chatcmpl-AbCdEf01x", "2026-02-12 10:00:00"), spend("chatcmpl-AbCdEf02x", "2026-02-12 11:00:00")])  # fmt: skip
    land(workspace, "app", DAY, [span(1, "chatcmpl-AbCdEf01x", "2026-02-12T10:00:00Z"), span(2, None, "2026-02-12T11:00:00Z")])  # fmt: skip
    load_requests(workspace, Window.of_day(DAY))
    with workspace.database.connect() as connection:
        once, alike = counted_once(connection, DAY, DAY + ONE), look_alikes(connection, DAY, DAY + ONE)
        nothing = look_alikes(connection, DAY + ONE, DAY + 2 * ONE)
    assert (once.success, once.observed) == (True, 1)
    assert "gateway kept 1 times for app (same_response" in once.description
    assert (alike.success, alike.unexpected_count) == (False, 1)
    assert "look_alikes: [{keep: {source: gateway}, drop: {source: app}}]" in alike.description
    assert nothing.success
    config = workspace.settings.config
    assert config is not None
    (config / "sources.yaml").write_text(SOURCES + "\nlook_alikes: [{keep: {source: gateway}, drop: {source: app}}]")
    with open_workspace(workspace.settings) as declared:
        load_requests(declared, Window.of_day(DAY))
        with declared.database.connect() as connection:
            assert look_alikes(connection, DAY, DAY + ONE).success
    assert requests(workspace) == [(DAY, "gateway")] * 2
