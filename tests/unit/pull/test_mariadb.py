"""Rows of a real MariaDB: every one once, digits and instants as they are, nothing written, no secret shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pymysql
import pytest
from sqlalchemy import make_url

from pipelines.landing import scan
from pipelines.requests import parse_file
from pipelines.settings import Settings
from tests.unit.pull.mariadb import PASSWORD, mariadb
from tests.unit.pull.test_apis import DAYS
from tests.unit.pull.test_databases import declared, pulled, rows
from tests.unit.pull.upstream import record_of

COLUMNS = (
    "request_id", "call_type", "total_tokens", "prompt_tokens", "completion_tokens", "startTime", "endTime", "model", "metadata", "status",
)  # fmt: skip


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with mariadb(tmp_path_factory.mktemp("mdb")) as url:
        with connected(url) as connection, connection.cursor() as cursor:
            cursor.execute("""
                create table spend (
                    request_id varchar(64) primary key, call_type text, total_tokens int, prompt_tokens int, completion_tokens int,
                    `startTime` datetime(3), `endTime` datetime(3), model text, metadata json, status text,
                    spend decimal(30, 23) default 0.12345678901234567890123
                )""")
            values = ", ".join(["%s"] * len(COLUMNS))
            for day in DAYS:
                for number in (day.day, day.day + 40):
                    record = record_of("litellm", number, day)
                    record |= {name: str(record[name]).rstrip("Z") for name in ("startTime", "endTime")}
                    cursor.execute(
                        f"insert into spend ({', '.join(COLUMNS)}) values ({values})",
                        [record[name] for name in COLUMNS],
                    )
            cursor.execute("insert into spend (request_id) values ('never 1'), ('never 2')")
            cursor.execute(
                "create table counted (n bigint unsigned auto_increment primary key, said text, at timestamp)"
            )
            cursor.execute("set time_zone = '+05:00'")
            cursor.executemany(
                "insert into counted (said, at) values (%s, '2026-02-12 03:00:00')",
                [(f"a:b {n}%",) for n in range(250)],
            )
            connection.commit()
        yield url


def connected(url: str) -> pymysql.Connection:  # type: ignore[type-arg]
    at = make_url(url)
    return pymysql.connect(
        host="127.0.0.1", port=at.port or 0, user=str(at.username), password=str(at.password), database="logs"
    )


def test_the_spend_logs(address: str, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LOGS_URL", address)
    source = declared(table="spend", cursor="startTime", since=DAYS[0])
    result = pulled(settings, source)
    assert (result.error, result.files, result.records) == (None, 3, 6)
    assert result.unread == (
        "2 rows have no value in the cursor startTime, and never will be read: choose a column that is always filled"
    )
    found = rows(settings)
    assert {row["spend"] for row in found} == {"0.12345678901234567890123"}
    parsed = [parse_file(file, source, tmp_path / "store") for file in scan(settings.landing_zone, "requests").files]
    assert [(one.valid, one.quarantined) for one in parsed] == [(2, 0)] * 3
    assert sorted(day for one in parsed for day in one.event_dates) == DAYS
    with connected(address) as connection, connection.cursor() as cursor:
        cursor.execute("update spend set spend = 1 where `startTime` >= %s", [DAYS[-1]])
        connection.commit()
    assert pulled(settings, source, hours=1).files == 1
    assert pulled(settings, source, hours=2).files == 0
    assert all(PASSWORD not in path.read_text() for path in tmp_path.rglob("*.json*"))


def test_a_counting_cursor_and_instants_in_utc(
    address: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGS_URL", address)
    query = "select n, said, at from counted where said like 'a:b%%%'"
    result = pulled(settings, declared(query=query, cursor="n", cursor_type="number", window_rows=100))
    assert (result.error, result.unread) == (None, None)
    found = rows(settings)
    assert sorted(row["n"] for row in found) == list(range(1, 251))
    assert {row["at"] for row in found} == {"2026-02-11T22:00:00"}
    assert "a:b 7%" in {row["said"] for row in found}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"table": "nowhere", "cursor": "at"}, "there is no such table (ProgrammingError, 42S02)"),
        ({"table": "spend", "cursor": "nothing"}, "there is no such column (OperationalError, 42S22)"),
        ({"query": "select nextval(s) as n", "cursor": "n", "cursor_type": "number"}, "the query writes, and is only allowed to read (OperationalError, 25006)"),
    ],
    ids=["no table", "no column", "writes"],
)  # fmt: skip
def test_what_can_not_be_read(
    options: dict[str, str], said: str, address: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGS_URL", address)
    with connected(address) as connection, connection.cursor() as cursor:
        cursor.execute("create or replace sequence s")
    error = str(pulled(settings, declared(**options)).error)
    assert said in error
    assert PASSWORD not in error


def test_a_wrong_password(address: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGS_URL", address.replace(PASSWORD, "another-hidden"))
    error = str(pulled(settings, declared(table="spend", cursor="startTime")).error)
    assert error.startswith("mysql://127.0.0.1:")
    assert "refuses the login (OperationalError, 28000)" in error
    assert "hidden" not in error
