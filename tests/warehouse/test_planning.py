"""The steps of planning on a real warehouse: charges to series, forecasts and budgets, days that change, budgets that change."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import polars as pl
import pytest

from pipelines.config.budgets import Budget, Budgets, SellerLimit
from pipelines.config.commitments import Commitments
from pipelines.config.sources import LimitFeed
from pipelines.daily import Window, refresh_anomalies, refresh_outlook, refresh_seller_limits, refresh_spend_series
from pipelines.daily.anomalies import open_events
from pipelines.finops.plans import seller_limits
from pipelines.landing import scan
from pipelines.warehouse.database import Database
from pipelines.warehouse.partitions import swap_in
from pipelines.warehouse.read import read_table
from pipelines.warehouse.replace import replace_days
from pipelines.warehouse.tables.core import REQUEST
from pipelines.workspace import Workspace
from tests.marts import BUILT, build_spend_tables
from tests.unit.finops import books
from tests.unit.test_seller_limits import OPENAI
from tests.warehouse_fixtures import passing_database

NOTHING = Commitments()
LAST = date(2026, 2, 14)
DAYS = [date(2026, 1, 12) + timedelta(days=n) for n in range(34)]
SEARCH = Budget(
    budget="search", when={"team": "search", "provider_id": "openai"}, period="month", amount=Decimal(300), owner="jo"
)


def workspace(
    database: Database, *budgets: Budget, limits: tuple[SellerLimit, ...] = (), commitments: Commitments = NOTHING
) -> Workspace:
    config = SimpleNamespace(budgets=Budgets(budgets=budgets, seller_limits=limits), commitments=commitments)
    return cast("Workspace", SimpleNamespace(database=database, config=config))


def rows(database: Database, query: str) -> list[tuple[Any, ...]]:
    with database.connect() as connection:
        return connection.execute(query.encode()).fetchall()


@pytest.fixture(scope="module")
def ten_a_day(postgres_home: Path) -> Iterator[str]:
    """The name of a database with ten USD a day of search, two of support, on 34 days. Nothing else is written into it."""
    with passing_database(postgres_home) as database:
        with database.connect() as connection:
            requests = [
                books.request(number, "model-a", usd, day, team=team)
                for day in DAYS
                for number, (team, usd) in enumerate((("search", "6"), ("search", "4"), ("support", "2")))
            ]
            books.write(connection, requests)
        yield database.owner.dbname


@pytest.fixture
def filled(postgres_home: Path, ten_a_day: str) -> Iterator[Database]:
    """A copy of it for one test."""
    with passing_database(postgres_home, ten_a_day) as database:
        yield database


def test_from_charges_to_the_end_of_the_month(filled: Database) -> None:
    space = workspace(filled, SEARCH, limits=(SellerLimit(provider_id="openai", amount=Decimal(1000)),))
    window = Window(DAYS[0], LAST + timedelta(days=1))
    refresh_spend_series(space, window)
    found = refresh_outlook(space, window)
    assert rows(filled, "select scope, sum(effective_cost_usd), sum(requests) from mart.spend_series group by 1 order by 1") == [
        ("budget", 340, 68), *((scope, 408, 102) for scope in ("cost_centre", "model", "project", "seller", "team", "total"))
    ]  # fmt: skip
    assert rows(
        filled,
        "select period, spent_usd, forecast_usd, days_ahead, history_days from mart.spend_forecast "
        f"where scope = 'total' and event_date = '{LAST}' order by period",
    ) == [("month", 168, 336, 14, 34), ("quarter", 408, 948, 45, 34)]
    ((spent, share, forecast, state, limit, at_seller),) = rows(
        filled,
        "select spent_usd, spent_share, forecast_usd, state, seller_limit_usd, seller_spent_usd from mart.budget_status "
        f"where event_date = '{LAST}'",
    )
    assert (spent, forecast, state, limit, at_seller) == (140, 280, "within", 1000, 168)
    assert share == pytest.approx(140 / 300)
    assert found.unknown_names == []
    assert found.budgets.height == len(DAYS)


def test_a_budget_shows_the_limit_that_its_seller_states(filled: Database, tmp_path: Path) -> None:
    """A limit of 500 USD from 13 February on, of 700 from the 14th; on the 12th nothing was stated. budgets.yaml goes before it."""
    folder = tmp_path / "limits" / "openai"
    folder.mkdir(parents=True)
    for day, content in (
        (11, {}),
        (13, {**OPENAI, "threshold_amount": 50000}),
        (14, {**OPENAI, "threshold_amount": 70000}),
    ):
        (folder / f"202602{day}T060000Z.json").write_text(json.dumps(content))
    landed = scan(tmp_path, "limits")
    feed = LimitFeed(feed="openai", format="openai_limits")
    space = cast(
        "Workspace",
        SimpleNamespace(
            database=filled,
            config=SimpleNamespace(
                sources=SimpleNamespace(limits=(feed,)), budgets=Budgets(budgets=(SEARCH,)), commitments=NOTHING
            ),
            landed_from=lambda _kind, name: landed.of(name),
            landed=lambda _kind: landed,
        ),
    )
    written, problems = refresh_seller_limits(space)
    assert written["amount"].to_list() == [500, 700]
    assert problems == [
        "limits/openai/20260211T060000Z.json (feed openai, format openai_limits): lacks the text object"
    ]
    window = Window(DAYS[0], LAST + timedelta(days=1))
    refresh_spend_series(space, window)
    refresh_outlook(space, window)
    shown = "select seller_limit_usd from mart.budget_status where event_date >= '2026-02-12' order by event_date"
    assert rows(filled, shown) == [(None,), (500,), (700,)]
    with filled.connect(read_only=True) as connection:
        assert seller_limits(connection, LAST) == [
            "openai: limit of 700.00 USD a month for organization, enforced (stated on 2026-02-14)"
        ]
    refresh_outlook(
        workspace(filled, SEARCH, limits=(SellerLimit(provider_id="openai", amount=Decimal(1000)),)), window
    )
    assert rows(filled, shown) == [(1000,)] * 3


def test_a_company_that_works_five_days_a_week_has_a_forecast_and_a_day_that_was_never_run_is_unknown(
    database: Database,
) -> None:
    """Ten USD on each working day. By Sunday 15 February 100 are spent, and ten working days follow. One of these Sundays was never run."""
    working = [day for day in DAYS if day.weekday() < 5]
    with database.connect() as connection:
        books.write(connection, [books.request(1, "model-a", "10", day, team="search") for day in working])
        idle = [day for day in [*DAYS, LAST + timedelta(days=1)] if day not in working]
        books.add(connection, "raw.quiet_day", *({"event_date": day} for day in [DAYS[0] - timedelta(days=1), *idle]))
    space = workspace(database, SEARCH)
    window = Window(DAYS[0], LAST + timedelta(days=2))
    refresh_spend_series(space, window)
    refresh_outlook(space, window)
    shown = (
        "select event_date, spent_usd, forecast_usd, history_days from mart.spend_forecast "
        "where scope = 'total' and period = 'month' and event_date >= '2026-02-13' order by 1"
    )
    assert rows(database, shown) == [(LAST + timedelta(days=n), 100, 200, 34 + n) for n in (-1, 0, 1)]
    assert rows(
        database, f"select spent_usd, forecast_usd, state from mart.budget_status where event_date = '{LAST}'"
    ) == [(100, 200, "within")]
    assert refresh_anomalies(space, window).is_empty()
    with database.connect() as connection:
        connection.execute("delete from raw.quiet_day where event_date = '2026-02-08'")
    refresh_outlook(space, window)
    reason = f"select forecast_usd, reason from mart.spend_forecast where scope = 'total' and period = 'month' and event_date = '{LAST}'"
    assert rows(database, reason) == [
        (None, "1 day of the period is not loaded: modelmeter daily --from 2026-02-08 --to 2026-02-08")
    ]


def test_a_name_that_only_earlier_charges_have_is_known(database: Database) -> None:
    with database.connect() as connection:
        books.write(
            connection,
            [
                books.request(1, "model-a", "1", DAYS[0], team="search"),
                books.request(2, "model-a", "1", LAST, team="other"),
            ],
        )
    space = workspace(database, SEARCH, SEARCH.model_copy(update={"budget": "typo", "when": {"team": "serch"}}))
    refresh_spend_series(space, Window(DAYS[0], LAST + timedelta(days=1)))
    found = refresh_outlook(space, Window.of_day(LAST)).unknown_names
    assert found == ["budget typo: no charge has team serch; did you mean 'search'?"]


def test_a_late_day_and_another_budget_are_taken_up(filled: Database) -> None:
    space = workspace(filled, SEARCH)
    whole = Window(DAYS[0], LAST + timedelta(days=1))
    refresh_spend_series(space, whole)
    refresh_outlook(space, whole)
    before = rows(filled, "select * from mart.spend_forecast order by 1, 2, 3, 4")
    late = Window.of_day(date(2026, 2, 5))
    refresh_spend_series(space, late)
    refresh_outlook(space, late)
    assert rows(filled, "select * from mart.spend_forecast order by 1, 2, 3, 4") == before, (
        "the same days, the same rows"
    )
    other = SEARCH.model_copy(update={"budget": "support", "when": {"team": "suport"}})
    assert refresh_spend_series(workspace(filled, SEARCH, other), Window.of_day(LAST))["event_date"].n_unique() == len(
        DAYS
    )
    found = refresh_outlook(workspace(filled, SEARCH, other), Window.of_day(LAST))
    assert found.unknown_names == ["budget support: no charge has team suport; did you mean 'support'?"]
    assert refresh_spend_series(workspace(filled, SEARCH, other), Window.of_day(LAST))[
        "event_date"
    ].unique().to_list() == [LAST]


def test_history_stays_where_the_requests_of_old_days_were_removed(filled: Database) -> None:
    space = workspace(filled, SEARCH)
    refresh_spend_series(space, Window(DAYS[0], LAST + timedelta(days=1)))
    refresh_outlook(space, Window.of_day(LAST))
    shown = "select * from mart.spend_forecast order by 1, 2, 3, 4"
    before = rows(filled, shown)
    with filled.connect() as connection, connection.transaction():
        swap_in(connection, REQUEST, DAYS[:-1], [])
    refresh_outlook(space, Window.of_day(LAST))
    assert rows(filled, shown) == before != []


def test_a_price_that_is_announced_is_in_the_forecast(filled: Database) -> None:
    """Half dearer from 21 February on, said on the 10th: 8 of the days ahead cost 18 where they would cost 12."""
    space = workspace(filled)
    price = books.id_bytes("price")
    with filled.connect() as connection:
        connection.execute("update mart.daily_charge set price_id = %s where effective_cost_usd > 0", [price.hex()])
        change = {
            "price_id_before": price,
            "valid_from": datetime(2026, 2, 21, tzinfo=UTC),
            "learnt_at": datetime(2026, 2, 10, tzinfo=UTC),
            "change_share": 0.5,
            "is_used": True,
            "summary": "dearer",
            "unit": "token",
            "context_bound": "gt",
            "context_scope": "whole_request",
            "context_counts": "input",
            "date_basis": "announced",
        }
        books.add(connection, "mart.price_change", change)
    window = Window(DAYS[0], LAST + timedelta(days=1))
    refresh_spend_series(space, window)
    refresh_outlook(space, window)
    query = "select forecast_usd, announced_usd, known_ahead from mart.spend_forecast where scope = 'total' and period = 'month' and event_date = '{}'"
    ((forecast, announced, known),) = rows(filled, query.format(LAST))
    assert (forecast, announced) == (336 + 8 * 6, 8 * 6)
    assert [(item["date"], item["what"], Decimal(item["usd"])) for item in known] == [("2026-02-21", "dearer", 6)]
    ((_, before, nothing),) = rows(filled, query.format(date(2026, 2, 9)))
    assert (before, nothing) == (0, None), "nobody knew of it yet"


def test_one_session_that_costs_ten_times_as_much_is_an_event_until_it_ends(filled: Database) -> None:
    """On 10 and 11 February one session of search costs 100 a day besides: one event, of that session, 200 more than expected."""
    loop = [date(2026, 2, 10), date(2026, 2, 11)]
    with filled.connect() as connection:
        more = books.frame(
            "core.request", *(books.request(90, "model-a", "100", day, session_id="s-1") for day in loop)
        )
        for day in loop:
            kept = read_table(connection, REQUEST, "event_date = %s", [day])
            both = pl.concat([kept, more.filter(pl.col("event_date") == day)])
            replace_days(connection, REQUEST, both, day, day + timedelta(days=1))
        for table in BUILT:
            connection.execute(f"truncate {table.qualified}".encode())
        build_spend_tables(connection)
    space = workspace(filled)
    refresh_spend_series(space, Window(DAYS[0], LAST + timedelta(days=1)))
    found = refresh_anomalies(space, Window(DAYS[0], LAST + timedelta(days=1)))
    event = (
        "select scope, scope_value, opened_on, ended_on, days, actual_usd, expected_usd, driver, driver_value, driver_usd "
        "from mart.spend_anomaly"
    )
    assert rows(filled, event) == [("team", "search", loop[0], date(2026, 2, 12), 2, 220, 20, "session", "s-1", 100)]
    assert open_events(found) == []
    (sentence,) = found["explanation"]
    assert sentence == (
        "team search: 110.00 USD on 2026-02-10 where 10.00 were expected; session s-1 makes 100.00 of the difference."
    )
    again = refresh_anomalies(space, Window.of_day(LAST))
    assert again.equals(found), "an event that is known goes on as it was"


def test_commitments_are_beside_the_forecast_and_their_end_is_known(filled: Database) -> None:
    """Throughput at 5 a day that covers 8 is 3 a day less, on 14 days so far and 10 ahead; a credit of which 20 expire on the 25th."""
    provisioned = {
        "commitment": "ptu",
        "provider_id": "openai",
        "models": ["model-a"],
        "units": 1,
        "usd_per_unit_month": 150,
    }
    dates = {"from_date": date(2026, 1, 1), "to_date": date(2026, 2, 25)}
    credit = {"commitment": "grant", "provider_id": "openai", "usd": 100}
    declared = Commitments.model_validate({"provisioned": [{**provisioned, **dates}], "credits": [{**credit, **dates}]})
    with filled.connect() as connection:
        for day in DAYS:
            used = {"event_date": day, "provider_id": "openai", "commitment_id": "ptu", "kind": "provisioned"}
            books.add(
                connection,
                "mart.commitment_usage",
                {
                    **used,
                    "commitment_discount_status": "Used",
                    "amount_usd": Decimal(5),
                    "effective_cost_usd": Decimal(5),
                    "covered_usd": Decimal(8),
                },
            )
            books.add(connection, "mart.commitment_day", {**used, "purchased_usd": Decimal(5), "covered_usd": Decimal(8)},
                      {**used, "commitment_id": "grant", "kind": "credit", "used_usd": Decimal(1), "balance_usd": Decimal(30), "expiring_usd": Decimal(20)})  # fmt: skip
    space = workspace(filled, commitments=declared)
    refresh_spend_series(space, Window(DAYS[0], LAST + timedelta(days=1)))
    refresh_outlook(space, Window.of_day(LAST))
    query = "select scope, commitment_usd, jsonb_array_length(known_ahead) from mart.spend_forecast where period = 'month' and scope in ('total', 'seller', 'team') order by 1, 2"
    assert rows(filled, query) == [
        ("seller", -42 - 30 + 20, 2),
        ("team", None, None),
        ("team", None, None),
        ("total", -42 - 30 + 20, 2),
    ]
