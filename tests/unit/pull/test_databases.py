"""Rows of Postgres and SQLite as JSON lines: every row once, every digit kept, nothing written, no secret shown."""

from __future__ import annotations

import json
import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pipelines.config.pull import SqlPull
from pipelines.config.sources import RequestSource, Sources
from pipelines.landing import scan
from pipelines.pull import PullResult, pull_sources
from pipelines.pull.database_rows import as_json
from pipelines.requests import parse_file
from pipelines.settings import Settings
from pipelines.warehouse.database import Database
from tests.unit.pull.test_apis import DAYS, NOW
from tests.unit.pull.upstream import record_of


def declared(**options: Any) -> RequestSource:
    pull = SqlPull.model_validate({"kind": "sql", "url_env": "LOGS_URL", **options})
    return RequestSource(source="up", format="litellm_spend_logs", pull=pull)


def pulled(settings: Settings, source: RequestSource, hours: int = 0) -> PullResult:
    landed = scan(settings.landing_zone, "requests").files
    (result,) = pull_sources(settings, Sources(requests=(source,)), landed=landed, now=NOW + timedelta(hours=hours))
    return result


def rows(settings: Settings) -> list[dict[str, Any]]:
    found = scan(settings.landing_zone, "requests")
    assert not found.problems
    return [json.loads(line) for file in found.of("up") for line in file.path.read_text().splitlines()]


def test_the_spend_logs_of_litellm(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LOGS_URL", database.url.set(drivername="postgresql").render_as_string(hide_password=False))
    records = [record_of("litellm", number, day) for day in DAYS for number in (day.day, day.day + 40)]
    with psycopg.connect(database.url.set(drivername="postgresql").render_as_string(hide_password=False)) as connection:
        connection.execute("""
            create table "LiteLLM_SpendLogs" (
                request_id text primary key, call_type text, spend numeric, total_tokens int, prompt_tokens int, completion_tokens int,
                "startTime" timestamp(3), "endTime" timestamp(3), model text, metadata jsonb, status text, cache_hit text
            )""")
        for record in records:
            connection.execute(
                'insert into "LiteLLM_SpendLogs" values (%s, %s, 0.12345678901234567890123, %s, %s, %s, %s, %s, %s, %s, %s, %s)',
                [record[name] for name in ("request_id", "call_type", "total_tokens", "prompt_tokens", "completion_tokens", "startTime", "endTime", "model", "metadata", "status", "cache_hit")],
            )  # fmt: skip
        connection.commit()
        source = declared(table="LiteLLM_SpendLogs", cursor="startTime", since=DAYS[0])
        result = pulled(settings, source)
        assert (result.error, result.files, result.records) == (None, 3, 6)
        assert sorted(row["request_id"] for row in rows(settings)) == sorted(record["request_id"] for record in records)
        (file, *_) = scan(settings.landing_zone, "requests").files
        assert b'"spend":0.12345678901234567890123,' in file.path.read_bytes()
        parsed = [
            parse_file(file, source, tmp_path / "store") for file in scan(settings.landing_zone, "requests").files
        ]
        assert [(one.valid, one.quarantined) for one in parsed] == [(2, 0)] * 3
        again = pulled(settings, source, hours=1)
        assert (again.files, again.unread) == (0, None)
        connection.execute("""insert into "LiteLLM_SpendLogs" (request_id) values ('without a time')""")
        connection.execute('update "LiteLLM_SpendLogs" set spend = 1 where "startTime" >= %s', [DAYS[-1]])
        connection.commit()
        result = pulled(settings, source, hours=2)
        assert (result.files, str(result.unread).split(",")[0]) == (1, "1 row has no value in the cursor startTime")
    assert all("postgres:" not in path.read_text() for path in tmp_path.rglob("*.meta.json"))


def test_a_counting_cursor_of_a_query(settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "logs.db"
    monkeypatch.setenv("LOGS_URL", f"sqlite:///{path}")
    with sqlite3.connect(path) as connection:
        connection.execute("create table log (n integer, said text)")
        connection.executemany("insert into log values (?, ?)", [(n, f"a:b {n}") for n in range(1, 251)])
    query = "select n, said as request_id, '12:30' as at_time from log where said like 'a:b%';"
    source = declared(query=query, cursor="n", cursor_type="number", window_rows=100)
    assert (pulled(settings, source).error, len(rows(settings))) == (None, 250)
    with sqlite3.connect(path) as connection:
        connection.executemany("insert into log values (?, 'a:b late')", [(260,), (320,)])
    result = pulled(settings, source, hours=1)
    assert (result.windows, result.files) == (2, 2)  # the window that was half full, and the next
    assert {row["n"] for row in rows(settings)} == {*range(1, 251), 260, 320}
    with sqlite3.connect(path) as connection:
        assert connection.execute("select count(*) from log").fetchone() == (252,)


@pytest.mark.slow
def test_a_gap_in_a_counting_cursor_is_asked_for_once(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An id that jumped by a million took 10,000 queries of nothing; one that holds an instant took the memory of the process."""
    monkeypatch.setenv("LOGS_URL", f"sqlite:///{tmp_path / 'logs.db'}")
    with sqlite3.connect(tmp_path / "logs.db") as connection:
        connection.execute("create table calls (id integer primary key, tokens integer)")
        connection.executemany("insert into calls values (?, 5)", [(1,), (2,), (1_000_000,), (1_000_001,)])
    source = declared(table="calls", cursor="id", cursor_type="number", window_rows=100)
    result = pulled(settings, source)
    assert (result.error, result.files, result.records) == (None, 2, 4)
    assert result.calls < 10
    with sqlite3.connect(tmp_path / "logs.db") as connection:
        connection.execute("insert into calls values (1790000000000000000, 5)")
    assert "choose a column of instants" in str(pulled(settings, source, hours=1).error)


@pytest.mark.parametrize(
    ("url", "options", "said"),
    [
        ("", {"table": "t", "cursor": "at"}, "the environment variable LOGS_URL is not set"),
        ("oracle://u:hidden@h/d", {"table": "t", "cursor": "at"}, "LOGS_URL: a URL postgresql://"),
        ("postgresql://u:hidden@127.0.0.1:1/d", {"table": "t", "cursor": "at"}, "postgresql://127.0.0.1:1/d: can't be reached"),
        ("mysql://u:hidden@127.0.0.1:1/d", {"table": "t", "cursor": "at"}, "mysql://127.0.0.1:1/d: can't be reached"),
        ("sqlite://", {"table": "t", "cursor": "at"}, "can't be reached, or refuses"),
    ],
)  # fmt: skip
def test_errors_hold_no_secret(
    url: str, options: dict[str, Any], said: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGS_URL", url)
    result = pulled(settings, declared(**options))
    assert result.outcome == "failed"
    assert said in str(result.error)
    assert "hidden" not in str(result.error)


def test_a_query_of_postgres_is_read_by_its_count_and_one_that_writes_is_refused(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, database: Database
) -> None:
    monkeypatch.setenv("LOGS_URL", database.url.set(drivername="postgresql").render_as_string(hide_password=False))
    with psycopg.connect(database.url.set(drivername="postgresql").render_as_string(hide_password=False)) as connection:
        connection.execute("create sequence counted")
    numbers = "(select n, 'r' || n as request_id from generate_series(1, 250) n) numbers"
    counted = pulled(
        settings, declared(query=f"select * from {numbers}", cursor="n", cursor_type="number", window_rows=100)
    )
    assert (counted.error, counted.windows, {row["n"] for row in rows(settings)}) == (None, 3, {*range(1, 251)})
    query = f"select timestamp '{DAYS[-1]}' as at, setval('counted', 9)"
    assert str(pulled(settings, declared(query=query, cursor="at")).error).endswith(
        "the query writes, and is only allowed to read (ReadOnlySqlTransaction, 25006)"
    )


def test_a_row_is_written_with_all_its_digits() -> None:
    from datetime import UTC, date, datetime
    from decimal import Decimal

    row = {
        "a": Decimal("0.10"),
        "b": datetime(2026, 2, 1, 3, tzinfo=UTC),
        "c": date(2026, 2, 1),
        "d": b"\x00",
        "e": float("nan"),
        "f": None,
        "g": 3,
    }
    assert (
        as_json(row)
        == '{"a": "0.10", "b": "2026-02-01T03:00:00+00:00", "c": "2026-02-01", "d": "AA==", "e": null, "f": null, "g": 3}'
    )
