"""The answers of price and explain as SQL views: the same lines, adding up to the same cost."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import polars as pl
import pytest

from pipelines.prices import build_ledger, build_rate_card, explain_request, rate
from pipelines.prices.feed_snapshot import Price
from pipelines.warehouse.database import Database
from pipelines.warehouse.replace import replace_all, replace_days
from pipelines.warehouse.tables.core import REQUEST
from pipelines.warehouse.tables.core_prices import PRICE, RATE_CARD
from pipelines.warehouse.tables.raw import SNAPSHOT
from tests.contracts.dbt.conftest import run_dbt
from tests.unit.prices.feeds import FEED, day, price, registry_of, snapshot
from tests.unit.prices.requests_frame import requests_frame
from tests.warehouse import rows as warehouse_rows
from tests.warehouse.rows import frame

AT = datetime(2026, 2, 14, 12, tzinfo=UTC)
PART = {"context_scope": "marginal", "context_bound": "gt", "context_from_tokens": 100}
PRICES: tuple[Price, ...] = (
    price("3"),
    price("15", "output_text"),
    price("0.3", "input_cache_read"),
    price("10", "web_search", unit="search", pricing_quantity=1000),
    price("1", raw_model="grounded"),
    price("35", "grounded_prompt", unit="request", pricing_quantity=1000, raw_model="grounded"),
    price("5", raw_model="tiered"),
    price("4", raw_model="tiered", **PART),
    price("0.01", "minimum_charge", unit="request", pricing_quantity=1, raw_model="tiered"),
)
OLD, NEW = snapshot("2026-01-10", *PRICES), snapshot("2026-03-01", price("2"), *PRICES[1:])
CALLS: tuple[dict[str, Any], ...] = (
    {"model_id": "m", "input_uncached": 1000, "input_cache_read": 7, "input_tool": 3, "output_reasoning": 11, "web_search_count": 2},
    {"model_id": "grounded", "input_uncached": 10, "web_search_count": 4},
    {"model_id": "tiered", "input_uncached": 250},
    {"model_id": "tiered", "input_uncached": 1_000_000},
    {"model_id": "m", "input_uncached": 5, "is_billable": False},
    {"model_id": "unknown", "input_uncached": 5},
)  # fmt: skip


@pytest.fixture
def booked(database: Database, tmp_path: Path) -> tuple[Database, pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    ledger = build_ledger(FEED, [OLD, NEW], registry_of([OLD, NEW]))
    card = build_rate_card(ledger, [FEED])
    calls = [{"provider_id": "acme", "event_at": AT, **call} for call in CALLS]
    rated = rate(requests_frame(calls), card)
    plain = warehouse_rows.requests(len(CALLS), day=AT.date())
    requests = plain.with_columns(rated[name] for name in rated.columns)
    files = [
        {
            "kind": "prices", "source": FEED.feed, "snapshot_id": item.snapshot_id, "observed_at": item.observed_at,
            "landing_path": f"prices/list/{item.observed_at:%Y-%m-%d}.json", "lines": 1, "valid": 1, "quarantined": 0,
            "format": FEED.format, "sha256": "ab" * 32, "size_bytes": 1, "parser_version": "1", "event_dates": [],
            "arrival_at": item.observed_at,
        }
        for item in (OLD, NEW)
    ]  # fmt: skip
    with database.connect() as connection, connection.transaction():
        replace_all(connection, PRICE, ledger)
        replace_all(connection, RATE_CARD, card)
        replace_all(connection, SNAPSHOT, frame(SNAPSHOT, files))
        replace_days(connection, REQUEST, requests, AT.date(), AT.date().replace(day=15))
    assert run_dbt(database, tmp_path, "run", {}, "--select", "models/prices").success
    return database, requests, card, ledger


@pytest.mark.slow
def test_the_lines_of_a_request_are_those_of_explain_and_add_up(
    booked: tuple[Database, pl.DataFrame, pl.DataFrame, pl.DataFrame],
) -> None:
    database, requests, card, ledger = booked
    with database.connect(read_only=True) as connection:
        found = connection.execute(
            "select request_uid, meter, quantity, cost_usd, priced_as, price_id, landing_path from core.request_charge"
        ).fetchall()
    for request in requests.iter_rows(named=True):
        lines = [line[1:] for line in found if line[0].bytes == request["request_uid"]]
        if request["rate_id"] is None:
            assert lines == []
            continue
        stated = explain_request(request, card, ledger, SNAPSHOT.empty())
        assert sum(line[2] for line in lines) == stated.cost_usd == request["contracted_cost_usd"]
        if request["model_id"] != "tiered":
            expected = {
                (t.meter, t.quantity, t.cost_usd, t.priced_as, UUID(bytes=t.price["price_id"])) for t in stated.lines
            }
            assert {line[:5] for line in lines} == expected
            assert {line[5] for line in lines} == {"prices/list/2026-01-10.json"}
        else:
            assert [line[0] for line in lines] == ["input_uncached", "rest"]


@pytest.mark.slow
def test_prices_as_known_at_an_instant(booked: tuple[Database, pl.DataFrame, pl.DataFrame, pl.DataFrame]) -> None:
    database = booked[0]
    asked = "select usd_per_million, recorded_at, supersede_reason, is_stale from core.price_as_known(%s, %s) where meter = 'input_uncached' and model_id = 'm'"
    with database.connect(read_only=True) as connection:
        then = connection.execute(asked, (AT, day("2026-02-20"))).fetchall()
        now = connection.execute(asked, (day("2026-04-01"), day("2026-04-01"))).fetchall()
        before = connection.execute(asked, (AT, day("2026-01-01"))).fetchall()
        in_force = connection.execute(
            "select model_id, meter, usd_per_million, is_used, landing_path from core.price_in_force order by 1, 2"
        ).fetchall()
    assert then == [(Decimal(3), day("2026-01-10"), "changed", False)]
    assert now == [(Decimal(2), day("2026-03-01"), None, False)]
    assert before == []
    assert ("m", "input_uncached", Decimal(2), True, "prices/list/2026-03-01.json") in in_force
    assert all(row[3] for row in in_force)


@pytest.mark.slow
def test_a_price_is_stale_where_a_later_file_of_its_feed_was_set_aside(
    booked: tuple[Database, pl.DataFrame, pl.DataFrame, pl.DataFrame],
) -> None:
    database = booked[0]
    with database.connect() as connection, connection.transaction():
        connection.execute(
            "update raw.snapshot set valid = 0, quarantined = 1 where observed_at = %s", (NEW.observed_at,)
        )
    with database.connect(read_only=True) as connection:
        stale = connection.execute("select bool_and(is_stale) from core.price_in_force").fetchone()
        then = connection.execute("select bool_or(is_stale) from core.price_as_known(%s, %s)", (AT, AT)).fetchone()
    assert (stale, then) == ((True,), (False,))
