"""A source that falls silent is seen on its first day, one that never worked on such days or is new is left alone."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from pipelines.alerts.events import Asked, alerts_of
from pipelines.config import load_config
from pipelines.ids import id_bytes
from pipelines.outside import Apart
from pipelines.quality import ExpectationOutcome, Watched, every_source_delivers
from pipelines.quality.silent import Silence, silences
from pipelines.warehouse.database import Database
from tests.unit.quality.test_accounting import add, run

TUESDAY = date(2026, 2, 17)
WEEK = timedelta(weeks=1)
GATEWAY = Watched(frozenset({"gateway"}), frozenset())


def days_before(day: date, number: int) -> list[date]:
    """The days before, the newest first."""
    return [day - timedelta(days=n) for n in range(1, number + 1)]


def deliver(database: Database, source: str, days: list[date], *, requests: int = 10, after: int = 0) -> None:
    """One file a day, which arrives `after` days later; without requests all its records were dropped."""
    for day in days:
        file = UUID(bytes=id_bytes("file", source, str(day)))
        arrived = datetime.combine(day + timedelta(days=after), time(), UTC)
        named = {
            "snapshot_id": file,
            "kind": "requests",
            "source": source,
            "event_dates": [day],
            "observed_at": arrived,
        }
        add(database, "raw.snapshot", named)
        add(database, "raw.loaded_file", {"event_date": day, "snapshot_id": file, "requests": requests})


def silent(database: Database, first: date, last: date | None = None, asked: Watched = GATEWAY) -> list[Silence]:
    """The silences from the first day to the last, all of which were run."""
    last = last or first
    with database.connect() as connection:
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        connection.cursor().executemany("insert into raw.quiet_day values (%s)", [(day,) for day in days])
        return silences(connection, first, last + timedelta(days=1), asked)


def test_in_words(bare: Database) -> None:
    for week, requests in enumerate((1300, 1204, 1377, 1250), 1):
        deliver(bare, "gateway", [TUESDAY - week * WEEK], requests=requests)
    deliver(bare, "other", [TUESDAY])
    with bare.connect() as connection:
        connection.execute("grant usage on schema raw to modelmeter_reader")
        connection.execute("grant select on all tables in schema raw to modelmeter_reader")
    found = run(bare, every_source_delivers, TUESDAY, TUESDAY + timedelta(days=1), GATEWAY)
    words = "source gateway has no requests on Tuesday 2026-02-17; on the four Tuesdays before it had 1,204 to 1,377"
    assert (found.success, found.severity, found.observed, found.description) == (
        False,
        "warning",
        1,
        f"Found: {words}.",
    )
    assert found.sample == ({"finding": words, "what helps": found.sample[0]["what helps"]},)
    assert "modelmeter sources list" in found.sample[0]["what helps"]
    with bare.connect() as connection:
        rows = connection.execute((found.query or "").encode()).fetchall()
    assert [row[:3] for row in rows] == [
        ("gateway", TUESDAY - n * WEEK, calls) for n, calls in ((4, 1250), (3, 1377), (2, 1204), (1, 1300))
    ]
    assert run(bare, every_source_delivers, TUESDAY - WEEK, TUESDAY, GATEWAY).success


def test_a_source_that_works_five_days_is_quiet_at_weekends(bare: Database) -> None:
    working = [day for day in days_before(TUESDAY, 42) if day.weekday() < 5]
    deliver(bare, "gateway", [day for day in working if day != date(2026, 2, 13)])
    found = silent(bare, date(2026, 2, 13), TUESDAY - timedelta(days=1))
    assert [(one.day, one.delivered) for one in found] == [(date(2026, 2, 13), date(2026, 2, 12))]


@pytest.mark.parametrize(("weeks", "is_silent"), [(4, True), (3, False)])
def test_it_takes_four_weeks(bare: Database, weeks: int, is_silent: bool) -> None:
    deliver(bare, "gateway", days_before(TUESDAY, 7 * weeks))
    assert bool(silent(bare, TUESDAY)) is is_silent


def test_a_holiday_is_no_silence_and_the_weeks_beyond_it_count(bare: Database, tmp_path: Path) -> None:
    before = [day for day in days_before(TUESDAY, 35) if day != TUESDAY - WEEK]
    deliver(bare, "gateway", before)
    holidays = watched(tmp_path, "[{source: gateway, format: openai_chat}]", "[2026-02-10]")
    assert holidays.holidays == {TUESDAY - WEEK}
    assert [one.day for one in silent(bare, TUESDAY - WEEK, TUESDAY, holidays)] == [TUESDAY]
    assert [one.day for one in silent(bare, TUESDAY - WEEK, TUESDAY)] == [TUESDAY - WEEK], "without its name it is one"


def watched(folder: Path, requests: str, holidays: str = "[]") -> Watched:
    """What a folder of declarations asks for."""
    (folder / "sources.yaml").write_text(f"requests: {requests}")
    (folder / "calendars.yaml").write_text(f"calendars: {{own: {holidays}}}")
    return Watched.of(load_config(folder, use_sample=False))


def test_only_declared_logs_are_watched(tmp_path: Path) -> None:
    declared = "[{source: gateway, format: openai_chat}, {source: bill, format: focus}]"
    assert watched(tmp_path, declared) == GATEWAY
    assert watched(tmp_path, "[]").sources == frozenset()


def test_a_source_that_is_declared_no_more_is_left_alone(bare: Database) -> None:
    deliver(bare, "gateway", days_before(TUESDAY, 28))
    assert silent(bare, TUESDAY, asked=Watched(frozenset({"new"}), frozenset())) == []
    with bare.connect() as connection:
        assert len(silences(connection, TUESDAY, TUESDAY + timedelta(days=1), GATEWAY)) == 1


def test_a_day_that_was_not_run_or_has_not_ended_is_not_judged(bare: Database) -> None:
    deliver(bare, "gateway", days_before(TUESDAY, 28))
    with bare.connect() as connection:
        assert silences(connection, TUESDAY, TUESDAY + timedelta(days=1), GATEWAY) == []
    today = datetime.now(UTC).date()
    deliver(bare, "gateway", [today - week * WEEK for week in range(1, 5)])
    assert silent(bare, today) == []


def test_a_source_of_which_each_call_was_another_s_has_delivered(bare: Database) -> None:
    deliver(bare, "gateway", days_before(TUESDAY, 28))
    deliver(bare, "gateway", [TUESDAY], requests=0)
    assert silent(bare, TUESDAY) == []


def test_a_source_of_which_every_call_was_another_s_for_weeks_is_not_expected(bare: Database) -> None:
    deliver(bare, "gateway", days_before(TUESDAY, 28), requests=0)
    assert silent(bare, TUESDAY) == []


@pytest.mark.parametrize(("after", "is_silent"), [(1, True), (2, False)])
def test_a_log_that_always_comes_later_is_waited_for(bare: Database, after: int, is_silent: bool) -> None:
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    deliver(bare, "gateway", days_before(yesterday, 28), after=after)
    assert bool(silent(bare, yesterday)) is is_silent


def test_a_silence_of_three_days_is_one_alert(bare: Database) -> None:
    deliver(bare, "gateway", days_before(TUESDAY, 28))
    days = [TUESDAY + timedelta(days=n) for n in range(3)]
    assert [one.day for one in silent(bare, days[0], days[-1])] == days
    with bare.connect() as connection:
        of = [alerts_of(connection, day, str, Apart(), Asked(14, GATEWAY)) for day in days]
        found = [[one for one in each if one.kind == "source_silent"] for each in of]
        assert [len(each) for each in found] == [1, 1, 1]
        assert len({each[0].alert_id for each in found}) == 1
        assert "Was its log landed?" in found[0][0].detail
    deliver(bare, "gateway", days[:1])
    with bare.connect() as connection:
        (again,) = [
            one
            for one in alerts_of(connection, days[1], str, Apart(), Asked(14, GATEWAY))
            if one.kind == "source_silent"
        ]
    assert again.alert_id != found[0][0].alert_id, "another silence"
    outcome = run_check(bare, days)
    assert (outcome.unexpected_count, len(outcome.sample)) == (2, 1)


def run_check(database: Database, days: list[date]) -> ExpectationOutcome:
    """The check over some days."""
    with database.connect() as connection:
        return every_source_delivers(connection, days[0], days[-1] + timedelta(days=1), GATEWAY)
