"""What runs unattended: the schedule's day, the sensor of arrivals, and the days that late lines ask for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import pytest
from selectolax.lexbor import LexborHTMLParser as HTMLParser

from assets.alerts import failed_runs_sensor
from assets.definitions import build_defs
from assets.incomplete import incomplete_pages_sensor
from assets.report import report_html
from assets.sensors import arrivals_sensor, dead_mans_switch_sensor, late_days_sensor
from tests.assets.conftest import OF_A_DAY, DailyJob
from tests.assets.test_money import landing, spend_log
from tests.unit.fetch.server import reply, serve
from tests.unit.finops.pages import rows_of, words


@pytest.fixture
def job(fresh_job: Callable[[], DailyJob], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DailyJob:
    """A job of three days on a landing zone of its own, which the sensors find through the environment."""
    zone, config = landing(tmp_path)
    made = fresh_job()
    job = DailyJob(made.database, made.home, zone, config)
    for name, value in job._given().items():
        monkeypatch.setenv(f"MODELMETER_{name.upper()}", str(value))
    return job


def arrive(job: DailyJob, name: str, *lines: str) -> None:
    file = job.landing / "requests" / "gateway" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(f"{line}\n" for line in lines))


def asked_for(instance: dg.DagsterInstance) -> list[tuple[str, str]]:
    """What `late_days` requests once the arrivals are parsed: first and last day of each run."""
    parsed = build_defs().resolve_job_def("arrivals").execute_in_process(instance=instance)
    event = parsed.get_run_success_event()
    context = dg.build_run_status_sensor_context("late_days", event, instance, parsed.dagster_run)
    found = late_days_sensor(context)
    assert found is not None
    start, end, one = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end", "dagster/partition"
    asked = [request.tags for request in found if isinstance(request, dg.RunRequest)]
    return [(tags.get(start, tags.get(one, "")), tags.get(end, tags.get(one, ""))) for tags in asked]


def test_the_daemon_pings_after_a_run_that_is_well(job: DailyJob, monkeypatch: pytest.MonkeyPatch) -> None:
    """And not after one of which a check failed as an error, though every step ended."""
    monkeypatch.delenv("MODELMETER_PING_URL", raising=False)
    day, only = date(2026, 2, 16), ("raw.snapshot", "raw.quarantine")

    def pinged(instance: dg.DagsterInstance) -> str:
        run = job.run(day, only=only, instance=instance)
        event = run.get_run_success_event()
        context = dg.build_run_status_sensor_context("dead_mans_switch", event, instance, run.dagster_run)
        return str(dead_mans_switch_sensor(context).skip_message)  # type: ignore[union-attr]

    with dg.DagsterInstance.ephemeral() as instance, serve() as server:
        server.routes["/ping"] = reply(b"")
        assert pinged(instance) == "MODELMETER_PING_URL is not set"
        monkeypatch.setenv("MODELMETER_PING_URL", f"{server.url}/ping")
        assert "was asked for" in pinged(instance)
        arrive(job, "2026-02-16/lost.jsonl", *["no json"] * 5000)
        assert "not asked for: raw.quarantine sources_readable failed as an error" in pinged(instance)
        assert server.count("/ping") == 1


def test_after_a_failed_run_of_the_daemon_its_pages_are_written_all_the_same(job: DailyJob) -> None:
    day = date(2026, 2, 16)
    with job.database.connect() as connection:
        connection.execute("drop table mart.routing_projection")
    with dg.DagsterInstance.ephemeral() as instance:
        run = job.run(day, raise_on_error=False, instance=instance)
        assert not run.success
        page = job.home / "reports" / str(day) / "index.html"
        assert not page.exists()
        context = dg.build_run_status_sensor_context(
            "incomplete_pages", run.get_run_failure_event(), instance, run.dagster_run
        ).for_run_failure()
        incomplete_pages_sensor(context)
        shown = HTMLParser(page.read_text(encoding="utf-8"))
        assert "routing_projection psycopg.errors.UndefinedTable" in words(shown, "#failures")
        stale = ["core.routing_cost", "core.routing_traffic", "mart.request_repeat"]
        stale += [f"mart.routing_{name}" for name in ("frontier", "measure_next", "month", "move", "projection")]
        assert rows_of(shown, "stale") == [[table, "never made"] for table in stale]
        assert "made 8 requests" in words(shown, ".headline")
        failed_runs_sensor(context)
        failed_runs_sensor(context)
        with job.database.connect() as connection:
            alerts = connection.execute(
                "select title, detail, link from core.alert where kind = 'run_failed'"
            ).fetchall()
        ((title, detail, link),) = alerts
        assert (title, link) == (f"the daily run for {day} failed", str(page))
        assert "psycopg.errors.UndefinedTable" in detail
        # A later run has written the page whole: a sensor that comes late leaves it alone.
        page.write_text("whole")
        instance.report_runless_asset_event(dg.AssetMaterialization(report_html.key, partition=str(day)))
        incomplete_pages_sensor(context)
        assert page.read_text() == "whole"


@pytest.mark.filterwarnings(
    "ignore:Function `JobDefinition.run_request_for_partition`"
)  # Dagster's own schedule calls it
def test_at_six_the_day_that_ended_at_midnight_is_run() -> None:
    schedule = build_defs().resolve_schedule_def("daily_at_six")
    at_six = dg.build_schedule_context(scheduled_execution_time=datetime(2026, 2, 17, 6, tzinfo=UTC))
    requests = schedule.evaluate_tick(at_six).run_requests or []
    assert [request.partition_key for request in requests] == ["2026-02-16"]
    assert schedule.cron_schedule == "0 6 * * *"
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING


def test_the_sensor_asks_once_for_every_change_of_the_landing_zone(job: DailyJob) -> None:
    first = dg.build_sensor_context()
    assert isinstance(arrivals_sensor(first), dg.SkipReason)
    assert first.cursor is not None
    again = dg.build_sensor_context(cursor=first.cursor)
    assert isinstance(arrivals_sensor(again), dg.SkipReason)
    arrive(job, "2026-02-18/late.jsonl", spend_log("r9", "2026-02-15 08:00:00", "gpt-4o", "openai", 10, 0, 1))
    changed = dg.build_sensor_context(cursor=first.cursor)
    assert isinstance(arrivals_sensor(changed), dg.RunRequest)
    assert isinstance(arrivals_sensor(dg.build_sensor_context(cursor=changed.cursor)), dg.SkipReason)


def test_late_lines_ask_for_exactly_their_days(job: DailyJob) -> None:
    job.run(date(2026, 2, 15), date(2026, 2, 17))
    with dg.DagsterInstance.ephemeral() as instance:
        assert asked_for(instance) == []
        arrive(
            job,
            "2026-02-19/late.jsonl",
            spend_log("r8", "2026-02-13 23:00:00", "gpt-4o", "openai", 10, 0, 1),  # a day of which nothing was loaded
            spend_log("r9", "2026-02-16 08:00:00", "gpt-4o", "openai", 10, 0, 1),
        )
        assert asked_for(instance) == [("2026-02-13", "2026-02-13"), ("2026-02-16", "2026-02-16")]
        for day in (date(2026, 2, 13), date(2026, 2, 16)):
            job.run(day, only=OF_A_DAY)
        assert asked_for(instance) == []
    loaded = job.query("select event_date from core.request where source_request_id in ('r8', 'r9') order by 1")
    assert loaded["event_date"].to_list() == [date(2026, 2, 13), date(2026, 2, 16)]


def test_yesterday_is_left_to_the_schedule(job: DailyJob) -> None:
    now = datetime.now(UTC)
    arrive(job, f"{now:%Y-%m-%d}/new.jsonl", spend_log("r1", f"{now:%Y-%m-%d} 00:00:01", "gpt-4o", "openai", 10, 0, 1))
    with dg.DagsterInstance.ephemeral() as instance:
        requested = asked_for(instance)
    assert requested, "the days of February were never loaded"
    assert all(date.fromisoformat(last) < now.date() for _, last in requested)
