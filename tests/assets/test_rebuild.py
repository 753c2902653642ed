"""A warehouse that is dropped and made again from the landing zone has the same rows; what people did is carried over."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
import typer

from assets.cli import rebuild as commands
from assets.cli.rebuild import _start_over, _windows
from pipelines.daily import Window
from pipelines.settings import Settings
from pipelines.warehouse import WarehouseError, acts
from pipelines.warehouse.checksums import Checksum, checksums
from pipelines.warehouse.unfinished import Progress
from pipelines.workspace import open_workspace
from tests.assets.conftest import DailyJob, SmallSample
from tests.assets.test_retention import job

__all__ = ["job"]
DONE_BY_PEOPLE = """
    insert into core.period_act values ('2026-01-01', now(), 'close', null, 7, 0.000000000000000001);
    insert into core.forgotten_user values ('abc', 'someone', now());
    insert into core.alert values (gen_random_uuid(), 'budget', now(), '2026-01-01', 'a title', 'a text', 0.1, 'a link');
    insert into core.alert_delivery select alert_id, 'mail', 2, now(), now(), null from core.alert;
"""


def sums(job: DailyJob) -> dict[str, Checksum]:
    with job.database.connect(read_only=True) as connection:
        return {name: found for name, found in checksums(connection).items() if found}


@pytest.mark.slow
def test_a_rebuild_gives_the_same_rows(
    job: DailyJob, small_sample: SmallSample, monkeypatch: pytest.MonkeyPatch
) -> None:
    with job.database.connect() as connection:
        connection.execute(DONE_BY_PEOPLE)
    before = sums(job)

    def is_killed(connection: psycopg.Connection[Any], path: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as attacked:
        attacked.setattr(acts, "import_acts", is_killed)
        with pytest.raises(KeyboardInterrupt):
            _start_over(job.settings())
    assert sums(job) == before, "all or nothing"

    _start_over(job.settings())

    kept = {name for name, found in sums(job).items() if found.rows}
    assert kept == {name for name, found in before.items() if found.rows} & {t.qualified for t in acts.ACTS}
    assert kept >= {"core.period_act", "core.forgotten_user", "core.alert", "core.alert_delivery"}
    with open_workspace(job.settings()) as workspace:
        (window,) = _windows(workspace, set())
    assert window.days == small_sample.days
    job.run(small_sample.days[0], small_sample.days[-1])
    assert sums(job) == before


def test_a_rebuild_that_was_ended_is_said_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its tables look well and miss months."""
    days = [date(2026, 1, day) for day in (1, 2, 3)]
    made: list[date] = []
    fate: dict[date, type[BaseException] | None] = {days[1]: KeyboardInterrupt, days[2]: None}
    dropped: list[Settings] = []

    def run(workspace: object, window: Window, console: object) -> SimpleNamespace:
        (day,) = window.days
        ended = fate.get(day, day)
        if isinstance(ended, type):
            raise ended
        made.extend(window.days if ended else [])
        return SimpleNamespace(succeeded=ended is not None)

    def left(workspace: object, done: set[date]) -> list[Window]:
        return [Window.of_day(day) for day in days if day not in done]

    monkeypatch.setenv("MODELMETER_HOME", str(tmp_path))
    monkeypatch.setattr("pipelines.workspace.open_workspace", nullcontext)
    for name, value in (("_start_over", dropped.append), ("_windows", left), ("run_window", run)):
        monkeypatch.setattr(commands, name, value)

    def ends_with(status: int, *, goes_on: bool) -> None:
        with pytest.raises(typer.Exit) as ended:
            commands.rebuild(yes=True, goes_on=goes_on)
        assert ended.value.exit_code == status

    with pytest.raises(WarehouseError, match="no rebuild is left unfinished"):
        commands.rebuild(yes=True, goes_on=True)
    ends_with(130, goes_on=False)
    assert made == days[:1]
    assert "days made: 1" in (Progress(tmp_path).said() or "")
    fate[days[1]] = None
    ends_with(1, goes_on=True)
    assert Progress(tmp_path).made() == set(days[:1]), "both failed"
    fate.clear()
    ends_with(0, goes_on=True)
    assert made == days, "none is made twice"
    assert Progress(tmp_path).said() is None
    assert len(dropped) == 1


def test_a_rebuild_that_came_to_no_day_starts_over(tmp_path: Path) -> None:
    """It may have been ended before the tables were dropped."""
    progress = Progress(tmp_path)
    progress.write([])
    assert progress.made() == set()
    progress.path.write_text("[")
    assert progress.made() == set()
    assert progress.said()
