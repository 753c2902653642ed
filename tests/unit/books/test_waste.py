"""Requests that could have cost less, worked by hand at Anthropic-like prices, each next to one that wastes nothing.

USD per million tokens: input 3, cache read 0.3, cache write 3.75 (5 minutes), 4 (30 minutes), 6 (1 hour) and 9 (12 hours), output 15; above 200,000 tokens
of prompt input costs 6.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
import pytest

from pipelines.books import waste_context
from pipelines.books.waste import CALL_COLUMNS, candidates, waste
from pipelines.books.waste_context import context_of
from pipelines.config.waste import WaitRule
from pipelines.finops.waste import FIXES, work_list
from pipelines.prices import build_ledger, build_rate_card, rate
from pipelines.settings import Settings
from pipelines.warehouse.database import Database
from pipelines.warehouse.open import open_database
from pipelines.warehouse.read import read_table
from pipelines.warehouse.replace import replace_all, replace_days
from pipelines.warehouse.tables.core import REQUEST
from pipelines.warehouse.tables.core_prices import RATE_CARD
from pipelines.warehouse.tables.mart_commitments import COMMITMENT_USAGE
from pipelines.warehouse.tables.mart_economics import DEARER_SELLER, FINDINGS, WASTE
from pipelines.warehouse.tables.raw import LOADED_FILE
from tests.unit.prices.feeds import FEED, price, registry_of, snapshot
from tests.unit.prices.requests_frame import requests_frame
from tests.unit.quality.rows import good_row, insert
from tests.warehouse import rows as warehouse_rows
from tests.warehouse_fixtures import fresh_database

DAY = date(2026, 2, 14)
NEXT = DAY + timedelta(days=1)
BOUND = 200_000
PRICES = snapshot(
    "2026-01-10",
    price("3"),
    price("0.3", "input_cache_read"),
    price("3.75", "input_cache_write_5m"),
    price("4", "input_cache_write_30m"),
    price("6", "input_cache_write_1h"),
    price("9", "input_cache_write_12h"),
    price("15", "output_text"),
    price("1.5", service_tier="batch"),
    price("6", context_from_tokens=BOUND, context_bound="gt"),
)
RULES = (WaitRule(when={"application": "nightly_*"}, tier="batch"),)
PROMPT = 100_000


@pytest.fixture(scope="module")
def migrated(postgres_home: Path) -> Iterator[Database]:
    with open_database(Settings(home=postgres_home), migrate=False) as shared:
        database = fresh_database(shared)
        with database.connect() as connection:
            insert(connection, LOADED_FILE, [good_row(LOADED_FILE, event_date=NEXT, requests=1)])
        yield database


def found(connection: psycopg.Connection[Any], calls: list[dict[str, Any]]) -> dict[int, tuple[str, Decimal]]:
    """Finding and saving of the calls that are waste, by their place in `calls`; each begins `minute` minutes after midnight."""
    card = build_rate_card(build_ledger(FEED, [PRICES], registry_of([PRICES])), [FEED])
    of_log = ("minute", "status", "session_id", "application", "project")
    midnight = datetime(2026, 2, 14, tzinfo=UTC)
    ats = [midnight + timedelta(minutes=call.get("minute", 0)) for call in calls]
    counted = [{k: v for k, v in call.items() if k not in of_log} for call in calls]
    rated = rate(
        requests_frame(
            {"provider_id": "acme", "model_id": "m", "event_at": at, **call}
            for at, call in zip(ats, counted, strict=True)
        ),
        card,
    )
    plain = warehouse_rows.requests(len(calls), day=DAY)
    requests = plain.with_columns(
        *(rated[name] for name in rated.columns),
        pl.Series("status", [call.get("status", "ok") for call in calls]),
        *(
            pl.Series(name, [call.get(name) for call in calls], pl.String)
            for name in ("session_id", "application", "project")
        ),
        event_date=rated["event_at"].dt.date(),
    )
    replace_all(connection, RATE_CARD, card)
    replace_days(connection, REQUEST, requests, DAY, NEXT + timedelta(days=1))
    calls_of_day = read_table(connection, REQUEST, "event_date between %s and %s", (DAY, NEXT))
    rows = found_in(calls_of_day, card, len(calls))
    assert found_in(calls_of_day.sample(fraction=1, shuffle=True, seed=7), card, 1).equals(rows)
    replace_days(connection, WASTE, rows, DAY, NEXT)
    places = {uid: place for place, uid in enumerate(plain["request_uid"])}
    return {
        places[uid]: (finding, saving) for uid, finding, saving in rows["request_uid", "finding", "saving_usd"].rows()
    }


def test_a_day_without_requests_wastes_nothing() -> None:
    calls = pl.DataFrame(schema={name: REQUEST.polars_schema[name] for name in CALL_COLUMNS})
    card = pl.DataFrame(schema=RATE_CARD.polars_schema)
    assert found_in(calls, card, 1).is_empty()


def found_in(calls: pl.DataFrame, card: pl.DataFrame, size: int) -> pl.DataFrame:
    """The waste of the day among calls that come in parts of `size`."""
    parts = list(calls.iter_slices(size)) or [calls]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(waste_context, "_ROWS", size)
        context = context_of(parts)
    found = [waste(candidates(part.filter(pl.col("event_date") < NEXT), context, card, RULES), card) for part in parts]
    return pl.concat(found).sort("event_date", "request_uid")


def call(minute: float = 0, **more: Any) -> dict[str, Any]:
    return {"minute": minute, "input_uncached": 0, **more}


SESSION = {"session_id": "s"}
FIVE, HOUR = {"input_cache_write_5m": PROMPT}, {"input_cache_write_1h": PROMPT}
READ = {"input_cache_read": PROMPT}


CASES: dict[str, tuple[list[dict[str, Any]], dict[int, tuple[str, str]]]] = {
    "a failure that was billed": ([call(input_uncached=1000, status="error")], {0: ("failed", "0.003")}),
    "a failure that was free": ([call(input_uncached=1000, status="error", is_billable=False)], {}),
    "a plain call": ([call(input_uncached=1000)], {}),
    "5 minutes, never read": ([call(**FIVE)], {0: ("cache_unread", "0.075")}),
    "1 hour, never read": ([call(**HOUR)], {0: ("cache_unread", "0.3")}),
    "30 minutes, never read": ([call(input_cache_write_30m=PROMPT)], {0: ("cache_unread", "0.1")}),
    "read within 30 minutes": ([call(input_cache_write_30m=PROMPT), call(29, **READ)], {}),
    "read after 30 minutes": ([call(input_cache_write_30m=PROMPT), call(31, **READ)], {0: ("cache_unread", "0.1")}),
    "read at the end of the hour": ([call(**HOUR), call(59, **READ)], {}),
    "read after the hour": ([call(**HOUR), call(61, **READ)], {0: ("cache_unread", "0.3")}),
    "12 hours, never read": ([call(input_cache_write_12h=PROMPT)], {0: ("cache_unread", "0.6")}),
    "read within 12 hours": ([call(input_cache_write_12h=PROMPT), call(700, **READ)], {}),
    "read after 12 hours": ([call(input_cache_write_12h=PROMPT), call(721, **READ)], {0: ("cache_unread", "0.6")}),
    "read within 5 minutes": ([call(**FIVE), call(4, **READ)], {}),
    "read too late": ([call(**FIVE), call(6, **READ)], {0: ("cache_unread", "0.075")}),
    "read within the hour": ([call(**HOUR), call(6, **READ)], {}),
    "read by another application": (
        [call(**FIVE, application="a"), call(4, **READ, application="b")], {0: ("cache_unread", "0.075")}
    ),
    "read after midnight": ([call(1439, **FIVE), call(1442, **READ)], {}),
    "unread after midnight": ([call(1439, **FIVE)], {0: ("cache_unread", "0.075")}),
    "no session, no miss": ([call(**FIVE), call(2, **READ), call(4, input_uncached=PROMPT + 5)], {}),
    "a shorter prompt is another": ([call(**READ, **SESSION), call(4, input_uncached=50_000, **SESSION)], {}),
    "what the session had in the cache is paid in full": (
        [call(input_cache_read=1000, **SESSION), call(4, input_uncached=1200, **SESSION)], {1: ("cache_miss", "0.0027")}
    ),
    "the cache had expired": ([call(input_cache_read=1000, **SESSION), call(6, input_uncached=1200, **SESSION)], {}),
    "just past the bound": ([call(input_uncached=BOUND + 100)], {0: ("context_bound", "0.6006")}),
    "at the bound": ([call(input_uncached=BOUND)], {}),
    "far past the bound": ([call(input_uncached=BOUND + 10_001)], {}),
    "too little that could be trimmed": ([call(input_cache_read=BOUND + 60, input_uncached=40)], {}),
    "a rule lets it wait": ([call(input_uncached=1000, application="nightly_1")], {0: ("could_wait", "0.0015")}),
    "it waits already": ([call(input_uncached=1000, application="nightly_1", service_tier="batch")], {}),
    "no rule lets it wait": ([call(input_uncached=1000, application="nightly1")], {}),
    "a failed write counts once": ([call(**FIVE, status="error")], {0: ("failed", "0.375")}),
}  # fmt: skip


def test_savings_worked_by_hand(migrated: Database) -> None:
    """Every case is a project with sessions of its own, in one log that goes on after the last cache has expired."""
    calls, places = [], []
    for case, (made, _) in CASES.items():
        for place, one in enumerate(made):
            session = {"session_id": case} if "session_id" in one else {}
            calls.append({**one, "project": case, **session})
            places.append((case, place))
    with migrated.connect() as connection:
        rows = found(connection, [*calls, call(2000, input_uncached=1)])
    expected = {
        (case, n): (name, Decimal(usd)) for case, (_, waste) in CASES.items() for n, (name, usd) in waste.items()
    }
    assert {places[n]: row for n, row in rows.items()} == expected


def test_a_cache_that_lives_when_the_log_ends_is_not_judged(migrated: Database) -> None:
    with migrated.connect() as connection:
        assert found(connection, [call(**FIVE), call(5, input_uncached=1)]) == {}
        assert found(connection, [call(**FIVE), call(5.1, input_uncached=1)]) == {0: ("cache_unread", Decimal("0.075"))}


def test_the_work_list_is_by_money_and_its_queries_show_the_requests(migrated: Database) -> None:
    calls = [
        call(input_uncached=1000, status="error"),
        call(input_uncached=3000, status="cancelled"),
        call(**FIVE),
        call(600),
    ]
    with migrated.connect() as connection:
        found(connection, calls)
        items = work_list(connection)
        assert [(item.finding, item.team, item.requests, item.saving_usd) for item in items] == [
            ("cache_unread", "unattributed", 1, Decimal("0.075")),
            ("failed", "unattributed", 2, Decimal("0.012")),
        ]
        for item in items:
            rows = connection.execute(item.query.encode()).fetchall()
            assert (len(rows), sum(row[0] for row in rows)) == (item.requests, item.saving_usd)
    assert set(FIXES) == {*FINDINGS, "idle_commitment", "dearer_seller"}


def test_a_dearer_seller_is_in_the_list_with_the_cheaper_one(migrated: Database) -> None:
    """1.50 USD on each of two days, for one team; the query shows both."""
    row = {
        "provider_id": "acme",
        "model_id": "m",
        "cheaper_provider_id": "beta",
        "team": "search",
        "saving_usd": Decimal("1.5"),
        "requests": 2,
    }
    with migrated.connect() as connection, connection.transaction(force_rollback=True):
        connection.execute("truncate mart.waste")
        insert(connection, DEARER_SELLER, [good_row(DEARER_SELLER, **row, event_date=day) for day in (DAY, NEXT)])
        (item,) = work_list(connection)
        shown = connection.execute(item.query.encode()).fetchall()
    assert (item.finding, item.team, item.instead, item.requests, item.saving_usd) == (
        "dearer_seller",
        "search",
        "beta",
        4,
        Decimal(3),
    )
    assert len(shown) == 2


def test_what_was_mended_leaves_the_list_thirty_days_later(migrated: Database) -> None:
    """A seller that is no longer dearer has no newer rows, and would have stood in the list for ever."""
    row = {"event_date": DAY, "requests": 2, "saving_usd": Decimal("1.5")}
    with migrated.connect() as connection, connection.transaction(force_rollback=True):
        connection.execute("truncate mart.waste, mart.commitment_usage")
        insert(connection, DEARER_SELLER, [good_row(DEARER_SELLER, **row)])
        left = []
        for days, requests in ((90, 0), (29, 1), (30, 1)):
            file = good_row(LOADED_FILE, event_date=DAY + timedelta(days=days), requests=requests)
            insert(connection, LOADED_FILE, [file])
            left.append(len(work_list(connection)))
    assert left == [1, 1, 0], "a file whose records of a later day were all dropped is none of its requests"


def test_the_query_of_an_idle_commitment_shows_what_its_payer_pays(migrated: Database) -> None:
    """One commitment that nobody used: search and support share a part of it, and the rest is nobody's, written in two ways."""
    idle = {
        "commitment_id": "ptu",
        "kind": "provisioned",
        "provider_id": "acme",
        "commitment_discount_status": "Unused",
        "event_date": DAY,
    }
    paid = {"search": "2", "support": "0.5", "": "3", "unattributed": "0.25"}
    with migrated.connect() as connection, connection.transaction(force_rollback=True):
        found(connection, [call(input_uncached=1000)])
        rows = [
            idle | {"team": team, "amount_usd": Decimal(usd), "effective_cost_usd": Decimal(usd)}
            for team, usd in paid.items()
        ]
        insert(connection, COMMITMENT_USAGE, [good_row(COMMITMENT_USAGE, **row) for row in rows])
        items = work_list(connection)
        shown = [
            connection.execute(f"select sum(effective_cost_usd) from ({item.query}) as shown".encode()).fetchone()
            for item in items
        ]
    assert {item.team: item.saving_usd for item in items} == {
        "search": Decimal(2),
        "support": Decimal("0.5"),
        "unattributed": Decimal("3.25"),
    }
    assert shown == [(item.saving_usd,) for item in items]


def test_idle_commitments_are_in_the_list_by_who_pays(migrated: Database) -> None:
    """2.20 USD idle on the 14th and 1 on the 15th; what was used, and a day before the thirty, are not in it."""
    with migrated.connect() as connection, connection.transaction(force_rollback=True):
        found(connection, [call(input_uncached=1000, status="error")])
        idle = {
            "commitment_id": "ptu",
            "kind": "provisioned",
            "provider_id": "acme",
            "commitment_discount_status": "Unused",
            "team": "search",
        }
        rows = [
            idle | {"event_date": day, "amount_usd": Decimal(usd), "effective_cost_usd": Decimal(usd)} | more
            for day, usd, more in (
                (DAY, "2.2", {}), (NEXT, "1", {}), (DAY, "9", {"commitment_discount_status": "Used"}), (date(2025, 12, 1), "5", {}),
            )
        ]  # fmt: skip
        insert(connection, COMMITMENT_USAGE, [good_row(COMMITMENT_USAGE, **row) for row in rows])
        first, second = work_list(connection)
        shown = connection.execute(first.query.encode()).fetchall()
    assert (first.finding, first.team, first.model_id, first.saving_usd) == (
        "idle_commitment",
        "search",
        "ptu",
        Decimal("3.2"),
    )
    assert (second.finding, len(shown)) == ("failed", 2)
    assert "commit to less" in first.described()["fix"]
