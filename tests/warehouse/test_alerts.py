"""Alerts against real servers on loopback: once per event, to every channel on its own, through kills and dead servers."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from pipelines.alerts.channels import Message, send
from pipelines.alerts.events import Alert, Asked, alerts_of, failed_checks, failed_run, stale_feeds
from pipelines.alerts.outbox import deliver, history, record
from pipelines.config.alerts import Channel
from pipelines.daily import FailedRun, raise_alerts
from pipelines.daily.alerts import is_behind
from pipelines.finops.report import CheckLine
from pipelines.outside import Apart
from pipelines.quality import Watched
from pipelines.settings import Settings
from pipelines.warehouse.database import Database
from pipelines.warehouse.unfinished import Progress
from pipelines.workspace import open_workspace
from tests.marts import create_spend_tables
from tests.unit.finops import books
from tests.warehouse.landed_lines import land_lines, workspace_of

DAY = date(2026, 2, 14)
SECRET = "s3cret-token"
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # apprise's own import


class Hook:
    """A webhook server that keeps what it gets; it answers 500 while `is_broken`."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.is_broken = False
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if not hook.is_broken:
                    hook.got.append(json.loads(body))
                    hook.paths.append(self.path)
                self.send_response(500 if hook.is_broken else 200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Stay silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"json://127.0.0.1:{self.server.server_port}/hook/{SECRET}"


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    found = Hook()
    monkeypatch.setenv("MODELMETER_ALERT_HOOK", found.address)
    yield found
    found.server.shutdown()
    found.server.server_close()


HOOK = Channel(channel="hook", url_env="MODELMETER_ALERT_HOOK")


def event(number: int, usd: int | None = None, kind: Any = "budget") -> Alert:
    money = None if usd is None else Decimal(usd)
    return Alert(
        kind, (str(number),), DAY, f"event {number}", "what happened", "http://reports/2026-02-14/index.html", money
    )


def test_once_per_event_with_the_money_and_a_link(database: Database, hook: Hook) -> None:
    assert record(database, [event(1), event(2)]) == 2
    assert record(database, [event(1), event(3)]) == 1
    (done,) = deliver(database, [HOOK])
    assert (done.sent, done.waiting, done.problem) == (3, 0, None)
    assert [(one["title"], one["message"]) for one in hook.got] == [
        (f"modelmeter: event {n}", "what happened\nhttp://reports/2026-02-14/index.html") for n in (1, 2, 3)
    ]
    record(database, [event(2)])
    (again,) = deliver(database, [HOOK])
    assert (again.sent, len(hook.got)) == (0, 3)


def test_a_flood_is_one_message(database: Database, hook: Hook) -> None:
    record(database, [event(number) for number in range(40)])
    (done,) = deliver(database, [HOOK])
    assert done.sent == 40
    (one,) = hook.got
    assert one["title"] == "modelmeter: 40 events"
    assert one["message"].count("what happened") == 40
    assert one["message"].count("http://reports") == 1


def test_a_channel_gets_its_kinds_and_its_money(database: Database, hook: Hook) -> None:
    record(database, [event(1, 5), event(2, 50), event(3, kind="drift"), event(4)])
    (done,) = deliver(database, [HOOK.model_copy(update={"kinds": ("budget",), "min_usd": Decimal(10)})])
    assert [one["title"][-1] for one in hook.got] == ["2", "4"]
    assert done.sent == 2


def test_a_dead_server_costs_its_own_channel_and_is_tried_again(
    database: Database, hook: Hook, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MODELMETER_ALERT_DEAD", f"json://127.0.0.1:1/{SECRET}")
    dead = Channel(channel="dead", url_env="MODELMETER_ALERT_DEAD")
    unset = Channel(channel="unset", url_env="MODELMETER_ALERT_UNSET")
    hook.is_broken = True
    record(database, [event(1)])
    done = {one.channel: one for one in deliver(database, [dead, unset, HOOK])}
    assert {name: (one.sent, one.waiting) for name, one in done.items()} == dict.fromkeys(
        ("dead", "unset", "hook"), (0, 1)
    )
    assert done["unset"].problem == "the environment variable MODELMETER_ALERT_UNSET is not set"
    hook.is_broken = False
    done = {one.channel: one for one in deliver(database, [dead, unset, HOOK])}
    assert (done["dead"].sent, done["hook"].sent, len(hook.got)) == (0, 1, 1)
    with database.connect(read_only=True) as connection:
        (shown,) = history(connection, [dead, HOOK])
        kept = connection.execute("select alert_delivery::text from core.alert_delivery").fetchall()
    assert shown.states["dead"] == "waits, tried 2 times: the server refused it or can't be reached"
    assert shown.states["hook"].startswith("sent on ")
    assert SECRET not in f"{kept} {done} {caplog.text}"


def test_a_kill_between_sending_and_recording_sends_again_and_loses_nothing(database: Database, hook: Hook) -> None:
    record(database, [event(1), event(2)])

    def killed(channel: Channel, message: Message) -> str | None:
        send(channel, message)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        deliver(database, [HOOK], killed)
    (done,) = deliver(database, [HOOK])
    assert done.sent == 2
    assert [one["title"][-1] for one in hook.got] == ["1", "1", "2"]


def test_what_is_a_week_old_is_sent_no_more(database: Database, hook: Hook) -> None:
    record(database, [event(1)])
    with database.connect() as connection:
        connection.execute("update core.alert set raised_at = raised_at - interval '8 days'")
    (done,) = deliver(database, [HOOK])
    assert (done.sent, done.waiting, hook.got) == (0, 0, [])


class Mailbox:
    """An SMTP server's handler that keeps what it gets."""

    def __init__(self) -> None:
        self.got: list[Any] = []
        # The server calls it by this name.
        self.__dict__["handle_DATA"] = self._take

    async def _take(self, _server: object, _session: object, envelope: Any) -> str:
        self.got.append(message_from_bytes(envelope.content))
        return "250 OK"


def test_by_mail(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    box = Mailbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port, ready_timeout=30)
    controller.start()
    address = f"mailto://127.0.0.1:{port}?from=mm@example.org&to=finops@example.org&mode=insecure"
    monkeypatch.setenv("MODELMETER_ALERT_MAIL", address)
    record(database, [event(1)])
    try:
        (done,) = deliver(database, [Channel(channel="mail", url_env="MODELMETER_ALERT_MAIL")])
    finally:
        controller.stop()
    assert (done.sent, done.problem) == (1, None)
    (mail,) = box.got
    assert mail["Subject"] == "modelmeter: event 1"
    assert "finops@example.org" in mail["To"]
    assert "what happened" in str(mail)


def test_every_kind_of_event_that_a_warehouse_shows(database: Database) -> None:
    with database.connect() as connection:
        create_spend_tables(connection)
        period = {"period": "month", "period_from": date(2026, 2, 1), "period_to": date(2026, 3, 1)}
        budget = {
            "event_date": DAY,
            "budget_id": "search",
            "owner": "jo",
            "budget_usd": Decimal(300),
            "spent_usd": Decimal(250),
            **period,
        }
        books.add(
            connection,
            "mart.budget_status",
            budget
            | {
                "state": "will_cross",
                "passed_threshold": 0.8,
                "forecast_usd": Decimal(420),
                "crosses_on": date(2026, 2, 19),
            },
            budget | {"budget_id": "quiet", "state": "within"},
        )
        anomaly = {
            "scope": "team",
            "scope_value": "search",
            "opened_on": DAY,
            "excess_usd": Decimal(90),
            "explanation": "search: dear.",
        }
        long_over = anomaly | {"opened_on": date(2026, 2, 1), "ended_on": date(2026, 2, 5)}
        books.add(connection, "mart.spend_anomaly", anomaly, long_over)
        books.add(
            connection,
            "mart.request_drift",
            {
                "event_date": DAY,
                "model_id": "m",
                "metric": "latency_ms",
                "is_alarm": True,
                "opened_on": DAY,
                "explanation": "slower.",
            },
        )
        change = {"learnt_at": datetime(2026, 2, 13, tzinfo=UTC), "valid_from": datetime(2026, 3, 1, tzinfo=UTC), "unit": "token",
                  "context_bound": "gt", "context_scope": "whole_request", "context_counts": "input", "date_basis": "announced",
                  "is_used": True, "change_share": 0.5, "spend_30d_usd": Decimal(80), "summary": "m: dearer."}  # fmt: skip
        ours = {"change_id": books.id_bytes("1"), **change}
        not_ours = {**change, "change_id": books.id_bytes("2"), "spend_30d_usd": Decimal(0)}
        known_long = {**change, "change_id": books.id_bytes("3"), "learnt_at": datetime(2026, 1, 1, tzinfo=UTC)}
        books.add(connection, "mart.price_change", ours, not_ours, known_long)
        books.add(
            connection,
            "mart.daily_charge",
            {
                "event_date": DAY,
                "provider_id": "p",
                "model_id": "new",
                "meter": "request",
                "quantity": 7,
                "unpriced_reason": "no_price",
                "openness": "closed",
            },
        )
        credit = {
            "event_date": DAY,
            "commitment_id": "grant",
            "provider_id": "openai",
            "kind": "credit",
            "balance_usd": Decimal(40),
        }
        books.add(
            connection,
            "mart.commitment_day",
            credit | {"expires_on": DAY + timedelta(days=10), "expiring_usd": Decimal(30)},
            credit | {"commitment_id": "later", "expires_on": DAY + timedelta(days=100)},
        )
        lost = books.snapshot(lines=10, valid=5, quarantined=5, event_dates=[DAY])
        good = books.snapshot(books.id_bytes("good"), source="good", valid=1, quarantined=9, event_dates=[DAY])
        books.add(connection, "raw.snapshot", lost, good)
        for snapshot, severity, records in ((lost, "error", 5), (good, "info", 9)):
            connection.execute(
                "insert into raw.quarantine select encode(%s, 'hex')::uuid, n, 0, null, null, 'not_json', %s, '', null, '' from generate_series(1, %s) as n",
                [snapshot["snapshot_id"], severity, records],
            )
        for week in range(1, 5):
            log = books.snapshot(
                books.id_bytes(f"chat {week}"), source="chat", event_dates=[DAY - timedelta(weeks=week)]
            )
            books.add(connection, "raw.snapshot", log)
            loaded = {"event_date": DAY - timedelta(weeks=week), "snapshot_id": log["snapshot_id"], "requests": 7}
            books.add(connection, "raw.loaded_file", loaded)
        books.add(connection, "raw.quiet_day", {"event_date": DAY})
        apart, asked = Apart(), Asked(14, Watched(frozenset({"gateway", "chat"}), frozenset()))
        found = alerts_of(connection, DAY, lambda day: f"/reports/{day}/index.html", apart, asked)
        connection.execute("alter table mart.request_drift rename to gone")
        without = alerts_of(connection, DAY, lambda day: f"/reports/{day}/index.html", apart, asked)
    assert without == [one for one in found if one.kind != "drift"] != found, (
        "a table that is gone costs its own events"
    )
    assert list(apart.failures) == ["events of kind drift"]
    assert [(one.kind, one.title, one.usd) for one in found] == [
        ("budget", "budget search will be crossed", 120),
        ("budget", "budget search is past 80%", 250),
        ("anomaly", "team search costs more than expected", 90),
        ("drift", "m: latency_ms changed", None),
        ("price_change", "a price changes", 40),
        ("unpriced_model", "no price for new at p", None),
        ("credit_expiring", "credit grant expires on 2026-02-24", 30),
        ("source_set_aside", "source gateway is set aside", None),
        ("source_silent", "source chat is silent", None),
    ]
    assert found[-2].detail == "50.0% of gateway could not be read (raw.quarantine)."
    assert {one.link for one in found} == {"/reports/2026-02-14/index.html"}
    assert len({one.alert_id for one in found}) == len(found)


def test_what_those_who_ran_saw() -> None:
    (stale,) = stale_feeds([("maps", datetime(2026, 1, 1, tzinfo=UTC))], DAY, "page")
    assert stale.detail == "Its newest file is of 2026-01-01 00:00:00+00:00."
    checks = [("core.request keys", "blocking", "no key twice"), ("mart.x warns", "warning", "few")]
    today, tomorrow = (failed_checks(checks, day, "page") for day in (DAY, DAY + timedelta(days=1)))
    assert [one.alert_id == other.alert_id for one, other in zip(today, tomorrow, strict=True)] == [False, True]
    next_month = failed_checks(checks, DAY + timedelta(days=20), "page")
    assert not {one.alert_id for one in today} & {one.alert_id for one in next_month}, (
        "a warning comes again next month"
    )
    assert failed_run("run-1", [("core.price", "no file")], DAY, "page").detail == "core.price: no file"


def test_only_a_log_that_no_run_has_read_stands_for_the_day_on_which_it_arrived(
    database: Database, database_settings: Settings, tmp_path: Path
) -> None:
    """A quarter's log that arrives weeks later holds the newest days, and a bill holds none."""
    sources = "requests: [{source: gateway, format: openai_chat}, {source: bill, format: focus}]"
    with workspace_of(database_settings, tmp_path, sources) as workspace:
        for source in ("bill", "gateway"):
            land_lines(workspace, source, DAY + timedelta(days=60), [{}])
        assert is_behind(workspace, DAY)
        file = next(file for file in workspace.landed("requests").files if file.source == "gateway")
        with database.connect() as connection:
            books.add(connection, "raw.snapshot", books.snapshot(file.snapshot_id, event_dates=[DAY]))
        assert not is_behind(workspace, DAY)


def test_days_that_newer_ones_follow_are_no_news(
    database: Database, database_settings: Settings, tmp_path: Path, hook: Hook
) -> None:
    """A rebuild ran month by month, and each month sent what its last day once showed."""
    rows = [{"event_date": DAY, "scope": "total", "effective_cost_usd": Decimal(9), "requests": 1}]
    with database.connect() as connection:
        books.add(connection, "mart.spend_series", *rows)
        budget = {"event_date": DAY, "budget_id": "search", "owner": "jo", "budget_usd": Decimal(300), "spent_usd": Decimal(300), "state": "crossed",
                  "period": "month", "period_from": date(2026, 2, 1), "period_to": date(2026, 3, 1), "passed_threshold": 1.0}  # fmt: skip
        books.add(connection, "mart.budget_status", budget)
    failed = [CheckLine("mart.budget_status budgets_known", passed, "warning", "found") for passed in (True, False)]
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "alerts.yaml").write_text("channels: [{channel: hook, url_env: MODELMETER_ALERT_HOOK}]")
    settings = database_settings.model_copy(update={"config": tmp_path / "config", "landing": tmp_path})
    file = books.snapshot(event_dates=[DAY + timedelta(days=4)])
    with open_workspace(settings) as workspace:
        with database.connect() as connection:
            books.add(connection, "raw.snapshot", file)
        assert raise_alerts(workspace, failed).new == 0
        run = FailedRun("run-1", DAY, [])
        assert raise_alerts(workspace, failed, run).new == 1, "a run that fails is news whatever its days"
        with database.connect() as connection:
            connection.execute("update raw.snapshot set event_dates = array[%s::date]", [DAY + timedelta(days=3)])
        Progress(settings.home).write([DAY])
        assert raise_alerts(workspace, failed).new == 0
        Progress(settings.home).end()
        assert raise_alerts(workspace, failed).new == 2
    assert [one["title"] for one in hook.got] == [
        "modelmeter: the daily run for 2026-02-14 failed",
        "modelmeter: budget search is past 100%",
        "modelmeter: check mart.budget_status budgets_known failed",
    ]
