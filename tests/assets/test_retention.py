"""What is old goes, and every sum stays: facts, quarantine, parsed rows, pages and logs of old days."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from pipelines.config.retention import Retention
from pipelines.daily import Window, ingest_requests, load_requests
from pipelines.daily.accounting import books_of_the_window, files_accounted
from pipelines.daily.retention import apply_retention, forget_user
from pipelines.landing import LandingError
from pipelines.warehouse.partitions import loaded_days
from pipelines.warehouse.tables.core import REQUEST
from pipelines.workspace import Workspace, open_workspace
from tests.assets.conftest import DailyJob, RangedRun

FACTS = ("core.request", "raw.quarantine", "raw.quarantine_removed")
_numbers = itertools.count(1)


@pytest.fixture
def job(ranged: RangedRun, tmp_path: Path) -> DailyJob:
    """Three days, run; a copy of its own, whose files are some days old."""
    source = ranged.job
    name = f"{source.database.owner.dbname}_old{next(_numbers)}"
    source.database.create_database(name, template=source.database.owner.dbname)
    shutil.copytree(source.landing, tmp_path / "landing")
    shutil.copytree(source.home, tmp_path / "home")
    for path in (tmp_path / "home" / "parsed").rglob("*"):
        os.utime(path, (0, 0))
    return DailyJob(source.database.named(name), tmp_path / "home", tmp_path / "landing", source.config)


@contextmanager
def keeping(job: DailyJob, **days: int) -> Iterator[Workspace]:
    """The workspace, with days below what a person may ask for: the sample has three."""
    retention = Retention.model_construct(**{name: days.get(name) for name in Retention.model_fields})
    with open_workspace(job.settings()) as workspace:
        yield replace(workspace, config=replace(workspace.config, retention=retention))


def removed(workspace: Workspace) -> dict[str, int]:
    return {part.what: part.count for part in apply_retention(workspace)}


def days_of(workspace: Workspace) -> list[date]:
    with workspace.database.connect() as connection:
        return loaded_days(connection, REQUEST)


def test_nothing_goes_unless_asked(job: DailyJob) -> None:
    before = job.tables()
    with keeping(job) as workspace:
        assert removed(workspace) == {}
    assert job.tables() == before


def test_old_facts_go_and_the_sums_stay(job: DailyJob) -> None:
    before = job.tables()
    with keeping(job, request_facts_days=1, quarantine_days=1) as workspace:
        days = days_of(workspace)
        gone = removed(workspace)
        after = job.tables()
        assert days_of(workspace) == days[-1:]
        assert gone["days of requests"] == len(days) - 1 > 0
        assert gone["rows of the quarantine"] == len(before["raw.quarantine"]) - len(after["raw.quarantine"]) > 0
        assert {name for name in before if before[name] != after[name]} == set(FACTS)
        outcomes = [*files_accounted(workspace), *books_of_the_window(workspace, Window.of_day(days[-1]))]
        assert [outcome.name for outcome in outcomes if not outcome.success] == []
        assert removed(workspace) == {}

        # A day of which late lines come is made again, whole.
        ingest_requests(workspace, Window.of_day(days[0]))
        load_requests(workspace, Window.of_day(days[0]))
    again = set(job.tables()["core.request"])
    assert again > set(after["core.request"])
    assert again <= set(before["core.request"])


def test_parsed_rows_are_read_again_where_a_day_needs_them(job: DailyJob) -> None:
    before = job.tables()
    former = job.home / "parsed" / "mapping-0.1"
    former.mkdir()
    (former / f"{'0' * 32}.parquet").touch()
    os.utime(former / f"{'0' * 32}.parquet", (0, 0))
    with keeping(job, parsed_days=1) as workspace:
        first = days_of(workspace)[0]
        assert removed(workspace)["files of the parsed store"] > 10
        assert not former.exists()
        assert ingest_requests(workspace, None).parsed == 0, "between runs nothing is read again"
        ingest_requests(workspace, Window.of_day(first))
        load_requests(workspace, Window.of_day(first))
    assert job.tables() == before


def test_logs_that_are_gone_leave_their_rows(job: DailyJob) -> None:
    """Without its file, a day is refused rather than made of what is left; the parsed rows are the only ones and stay."""
    before = job.tables()
    with keeping(job, landing_days=1, parsed_days=1) as workspace:
        first = days_of(workspace)[0]
        assert removed(workspace)["files of the landing zone"] > 0
        assert list((job.landing / "requests").rglob(f"{first}/*.jsonl*")) == []
        gone_first = len(list((job.home / "parsed").rglob("*.parquet")))
        assert removed(workspace) == {}, "what is left in the store has no file any more"
        assert len(list((job.home / "parsed").rglob("*.parquet"))) == gone_first
        with pytest.raises(LandingError, match="landing zone no longer holds the file"):
            load_requests(workspace, Window.of_day(first))
    assert job.tables() == before


def test_pages_of_old_days_go(job: DailyJob) -> None:
    reports = job.home / "reports"
    days = sorted(path.name for path in reports.glob("20??-??-??"))
    others = sorted(path.name for path in reports.iterdir() if path.name not in days)
    assert others, "calendar, explorer, months and quarters stay"
    (reports / "2020-13-99").mkdir()
    with keeping(job, reports_days=1) as workspace:
        assert removed(workspace) == {"pages of days": len(days) - 1}
    assert sorted(path.name for path in reports.iterdir()) == sorted([*others, "2020-13-99", days[-1]])


def day_files_naming(folder: Path, user: str) -> list[Path]:
    """Files of loaded days that name an end user, in a row or as what all rows share."""
    return [
        path
        for path in folder.rglob("*.parquet")
        if user in str(pl.read_parquet(path).to_dict(as_series=False).get("end_user_id"))
        or user in str(pl.read_parquet_metadata(path))
    ]


def test_a_forgotten_user_is_in_no_table_and_comes_back_with_no_load(job: DailyJob) -> None:
    """Their requests keep their costs, and count as one user; files that are read again bring nothing back."""
    before = job.tables()
    with keeping(job) as workspace, workspace.database.connect() as connection:
        (user,) = connection.execute(
            "select end_user_id from core.request where end_user_id is not null group by 1 order by count(*) desc, 1 limit 1"
        ).fetchone() or ("",)
        users = connection.execute("select count(distinct end_user_id) from core.request").fetchone()
    with keeping(job) as workspace:
        assert day_files_naming(workspace.day_files, user)
        facts = Path(workspace.settings.facts_root, "event_date=2026-02-15", "core.request.parquet")
        facts.parent.mkdir(parents=True)
        pl.DataFrame({"end_user_id": [user, None]}).write_parquet(facts)
        done = forget_user(workspace, user, is_erased=False)
        assert done.fact_files == 1
        assert pl.read_parquet(facts)["end_user_id"].to_list() == [done.changed.replacement, None]
        assert day_files_naming(workspace.day_files, user) == []
        assert done.changed.requests > 0
        assert done.landed
        assert all((job.landing / path).is_file() for path in done.landed)
        after = job.tables()
        changed = {name for name in after if after[name] != before[name]}
        assert changed == {"core.request", "core.forgotten_user", "mart.daily_end_user_spend"}
        for day in days_of(workspace):
            ingest_requests(workspace, Window.of_day(day))
            load_requests(workspace, Window.of_day(day))
        assert job.tables() == after
        assert not any(user in row for table in after.values() for (row,) in table if user in row.split(","))
        with workspace.database.connect() as connection:
            assert connection.execute("select count(distinct end_user_id) from core.request").fetchone() == users
        erased = forget_user(workspace, user, is_erased=True)
    assert erased.changed.replacement is None
