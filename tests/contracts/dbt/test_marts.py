"""The marts that dbt builds: their figures, their columns, and what happens to the days of a run and to the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from pipelines.settings import Settings
from pipelines.warehouse.database import Database
from pipelines.warehouse.ddl import accepted_constraint
from pipelines.warehouse.open import open_database
from pipelines.warehouse.tables import TABLES, TABLES_BY_NAME, Table
from pipelines.warehouse.tables.mart import SPEND_TABLES
from tests.contracts.dbt.conftest import DbtRun, parsed, run_dbt
from tests.unit.quality.rows import DAY, NOON, good_row, insert
from tests.warehouse_fixtures import fresh_database

pytestmark = pytest.mark.slow  # all wait for dbt's import and parse; `make quick` builds the models in its daily run

Dbt = Callable[..., DbtRun]

REQUEST = TABLES_BY_NAME["core.request"]
MARTS = [table for table in TABLES if table.built_by == "dbt"]
BY_ROW = [table for table in SPEND_TABLES if "priced_requests" in table.polars_schema]
"""The spend tables whose rows have costs."""
ONE = timedelta(days=1)
WINDOW = {"from_date": str(DAY), "to_date": str(DAY + ONE)}
UNPRICED = {
    "list_cost_usd": None, "contracted_cost_usd": None, "effective_cost_usd": None, "rate_id": None,
    "unpriced_reason": "model_unresolved", "model_id": None,
}  # fmt: skip


def request(number: int, day: date = DAY, **changes: Any) -> dict[str, Any]:
    at = datetime.combine(day, NOON.timetz())
    identity = {"request_uid": UUID(int=number), "event_date": day, "event_at": at}
    return good_row(REQUEST, **identity, **{"provider_id": "openai", **changes})


def load(database: Database, *rows: dict[str, Any]) -> None:
    with database.connect() as connection:
        connection.execute("create table if not exists core.request_rest partition of core.request default")
        insert(connection, REQUEST, rows)


def read(database: Database, query: str) -> list[tuple[Any, ...]]:
    with database.connect() as connection:
        return connection.execute(query).fetchall()


def snapshot(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    return {t.name: read(database, f"select * from {t.qualified} order by {', '.join(t.primary_key)}") for t in MARTS}


def load_day(database: Database) -> None:
    """One day: two priced calls of model-a (a closed model), one free call, two names that nobody knows."""
    with database.connect() as connection:
        insert(connection, TABLES_BY_NAME["raw.snapshot"], [good_row(TABLES_BY_NAME["raw.snapshot"])])
        insert(connection, TABLES_BY_NAME["core.model"], [good_row(TABLES_BY_NAME["core.model"])])
    cent = Decimal("0.000000000000000001")
    load(
        database,
        request(1, team="search", list_cost_usd=Decimal("0.1"), contracted_cost_usd=cent, effective_cost_usd=cent),
        request(2, team="search", list_cost_usd=Decimal("0.2"), input_cache_read_tokens=7, output_reasoning_tokens=3),
        request(3, is_billable=False, rate_id=None, list_cost_usd=Decimal(0), contracted_cost_usd=Decimal(0),
                effective_cost_usd=Decimal(0), reported_cost_usd=Decimal("0.5")),
        request(4, **UNPRICED, request_model="Mystery-1", input_uncached_tokens=0, output_text_tokens=0),
        request(5, **{**UNPRICED, "provider_id": None}, request_model="asked", response_model="Answered"),
    )  # fmt: skip


@pytest.fixture
def day(database: Database) -> Database:
    """A fresh database with one day of requests."""
    load_day(database)
    return database


@pytest.fixture(scope="module")
def built(postgres_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Database, Path]]:
    """The same day with its marts built, and the folder that dbt wrote to; tests of this module share it unchanged."""
    with open_database(Settings(home=postgres_home), migrate=False) as shared:
        database = fresh_database(shared)
        load_day(database)
        folder = tmp_path_factory.mktemp("dbt")
        assert run_dbt(database, folder, "build", WINDOW).success
        yield database, folder


def test_what_is_only_logged_stands_apart(day: Database, tmp_path: Path) -> None:
    """0.36 logged for a call without a price, 0.5 for one that has one: only the first is in the column, in every mart."""
    more = request(6, **UNPRICED, request_model="Mystery-2", reported_cost_usd=Decimal("0.36"))
    replaced = [request(7, reported_cost_usd=Decimal("0.5")), more]
    load(day, *replaced)
    assert run_dbt(day, tmp_path, "build", WINDOW).success
    for mart in BY_ROW:
        assert read(day, f"select sum(logged_only_cost_usd) from {mart.qualified}") == [(Decimal("0.36"),)]


def test_figures_of_a_day_worked_by_hand(built: tuple[Database, Path]) -> None:
    day, _ = built
    rows = read(
        day,
        "select provider_id, model_id, openness, requests, priced_requests, unpriced_requests, input_tokens, output_tokens, "
        "input_uncached_tokens, input_cache_read_tokens, output_reasoning_tokens, reported_cost_usd, list_cost_usd, "
        "contracted_cost_usd from mart.daily_model_spend order by provider_id, model_id",
    )
    contracted = Decimal("0.200000000000000001")  # 1e-18 + the 0.2 of call 2 + 0
    assert rows == [
        ("openai", "model-a", "closed", 3, 3, 0, 307, 153, 300, 7, 3, Decimal("0.5"), Decimal("0.3"), contracted),
        ("openai", "unresolved: Mystery-1", "unknown", 1, 0, 1, 0, 0, 0, 0, 0, None, None, None),
        ("unknown", "unresolved: Answered", "unknown", 1, 0, 1, 100, 50, 100, 0, 0, None, None, None),
    ]
    assert read(
        day, "select team, requests, unpriced_requests, list_cost_usd from mart.daily_team_spend order by team"
    ) == [
        ("search", 2, 0, Decimal("0.3")),
        ("unattributed", 3, 2, Decimal(0)),
    ]
    assert read(
        day, "select reason, requests, tokens, request_share, token_share from mart.cost_coverage order by 1"
    ) == [
        ("model_unresolved", 2, 150, 0.4, 150 / 610),
        ("priced", 3, 460, 0.6, 460 / 610),
    ]


def test_columns_are_those_of_the_description(built: tuple[Database, Path]) -> None:
    day, _ = built
    for table in MARTS:
        found = read(
            day,
            "select attname, format_type(atttypid, atttypmod), not attnotnull, col_description(attrelid, attnum) "
            f"from pg_attribute where attrelid = '{table.qualified}'::regclass and attnum > 0 order by attnum",
        )
        types = {"timestamptz": "timestamp with time zone"}
        assert [(name, kind, nullable) for name, kind, nullable, _ in found] == [
            (c.name, types.get(c.type, c.type), c.nullable) for c in table.columns
        ]
        assert all(comment.startswith(c.description) for c, (*_, comment) in zip(table.columns, found, strict=True))
        key = read(
            day,
            "select array_agg(attname::text order by attname) from pg_index join pg_attribute on attrelid = indrelid "
            f"and attnum = any(indkey) where indrelid = '{table.qualified}'::regclass and indisprimary",
        )
        assert key == [(sorted(table.primary_key),)]
    made = read(
        day, "select count(*) from pg_indexes where tablename = 'daily_charge' and indexdef like '%IS NOT NULL%'"
    )
    assert made == [(1,)], "a month's page looks for what has no price by an index"


def test_a_day_with_nothing_priced_and_no_tokens(database: Database, dbt: Dbt) -> None:
    load(database, request(1, **UNPRICED, input_uncached_tokens=0, output_text_tokens=0))
    assert dbt("build", DAY, DAY + ONE).success
    assert read(database, "select reason, requests, request_share, token_share from mart.cost_coverage order by 1") == [
        ("model_unresolved", 1, 1.0, None),
        ("priced", 0, 0.0, None),
    ]


def test_a_second_run_changes_nothing_and_other_days_are_untouched(day: Database, dbt: Dbt) -> None:
    load(day, request(6, DAY + ONE), request(7, DAY + 2 * ONE))
    assert dbt("build").success
    before = snapshot(day)
    assert len({row[0] for row in before["daily_model_spend"]}) == 3
    assert dbt("build", DAY, DAY + ONE).success
    assert snapshot(day) == before
    with day.connect() as connection:
        connection.execute("update mart.daily_model_spend set list_cost_usd = 99 where event_date <> %s", [DAY + ONE])
        connection.execute("update core.request set team = 'moved' where event_date = %s", [DAY + ONE])
    assert dbt("run", DAY + ONE, DAY + 2 * ONE).success
    found = read(day, "select event_date, sum(list_cost_usd) from mart.daily_model_spend group by 1 order by 1")
    assert [cost for _, cost in found] == [99 + 99 + 99, Decimal("0.25"), 99]
    assert read(day, f"select team from mart.daily_team_spend where event_date = date '{DAY + ONE}'") == [("moved",)]


def test_the_planner_knows_a_new_day(day: Database, dbt: Dbt) -> None:
    """Counted before the day came, a mart seems to hold one row of it; what joins charges with charges then loops over both."""
    assert dbt("run", DAY, DAY + ONE).success
    with day.connect() as connection:
        connection.execute("analyze mart.daily_charge")
    load(day, *(request(number, DAY + ONE, team=f"team {number}") for number in range(6, 46)))
    assert dbt("run", DAY + ONE, DAY + 2 * ONE).success
    of_day = f"where event_date >= date '{DAY + ONE}' and event_date < date '{DAY + 2 * ONE}'"
    ((rows,),) = read(day, f"select count(*) from mart.daily_charge {of_day}")
    ((found,),) = read(day, f"explain (format json) select from mart.daily_charge {of_day}")
    assert rows > 40
    assert found[0]["Plan"]["Plan Rows"] == pytest.approx(rows, rel=0.5)


def test_a_day_whose_requests_vanished_becomes_empty(day: Database, dbt: Dbt) -> None:
    load(day, request(6, DAY + ONE))
    assert dbt("build", DAY, DAY + 2 * ONE).success
    with day.connect() as connection:
        connection.execute("delete from core.request where event_date = %s", [DAY])
    assert dbt("build", DAY, DAY + 2 * ONE).success
    for table in MARTS:
        assert read(day, f"select distinct event_date from {table.qualified}") == [(DAY + ONE,)]


def test_a_run_that_fails_after_the_delete_leaves_the_day_as_it_was(day: Database, dbt: Dbt) -> None:
    """Delete and insert are one transaction: were they two, the day would be empty after the failed insert."""
    assert dbt("run", DAY, DAY + ONE).success
    before = snapshot(day)
    with day.connect() as connection:
        connection.execute(
            "alter table mart.daily_model_spend add constraint no_more check (list_cost_usd < 0) not valid"
        )
    outcome = dbt("run", DAY, DAY + ONE, "--select", "daily_model_spend")
    assert outcome.statuses == {"daily_model_spend": "error"}
    assert "no_more" in outcome.messages["daily_model_spend"]
    assert snapshot(day) == before


DAMAGES: dict[str, set[str]] = {
    **{
        f"update mart.daily_charge set {damage}": {
            "charge_is_quantity_times_rate",
            "item_spend_agrees_with_charges",
            "explorer_spend_agrees_with_charges",
        }
        for damage in ("quantity = null where meter = 'request'", "quantity = 0 where meter = 'request'")
    },
    **{
        f"update mart.daily_charge set {damage}": {"charge_is_quantity_times_rate"}
        for damage in (
            "unpriced_reason = 'no_price' where meter = 'rest'",
            "contracted_usd_per_million = 1 where meter = 'input_uncached' and unpriced_reason is null",
            "pricing_currency = 'EUR'",
        )
    },
    **{
        f"update mart.daily_charge set {damage}": {"charge_is_quantity_times_rate", "meter_spend_agrees_with_charges"}
        for damage in (
            "list_usd_per_million = 1, list_cost_usd = 1e-18 where meter = 'input_uncached' and unpriced_reason is null",
            "billed_cost_usd = billed_cost_usd + 1e-18",
        )
    },
    "update mart.daily_charge set quantity = 1 where meter = 'rest'": {
        "charge_is_quantity_times_rate",
        "explorer_spend_agrees_with_charges",
    },
    "update mart.daily_explorer_spend set effective_cost_usd = effective_cost_usd + 1e-18": {
        "explorer_spend_agrees_with_charges"
    },
    "update mart.daily_item_spend set effective_cost_usd = effective_cost_usd + 1e-18": {
        "item_spend_agrees_with_charges"
    },
    "update mart.daily_meter_spend set billed_cost_usd = billed_cost_usd + 1e-18": {"meter_spend_agrees_with_charges"},
    "update mart.daily_tag_spend set effective_cost_usd = effective_cost_usd + 1e-18": {
        "tag_spend_agrees_with_charges"
    },
    "update mart.cost_coverage set request_share = request_share + 0.001 where reason = 'priced'": {
        "coverage_shares_sum_to_one"
    },
    "update mart.cost_coverage set token_share = token_share + 0.001 where reason = 'priced'": {
        "coverage_shares_sum_to_one"
    },
    "update mart.cost_coverage set reason = 'no_price' where reason = 'priced'": {"coverage_shares_sum_to_one"},
    "update mart.daily_model_spend set openness = 'closed'": {"unresolved_model_has_no_openness"},
    "update mart.daily_model_spend set input_tokens = input_tokens + 1": {"daily_model_spend_adds_up"},
    "update mart.daily_model_spend set output_audio_tokens = output_audio_tokens + 1": {"daily_model_spend_adds_up"},
    **{
        f"update {table.qualified} set {damage}": {f"{table.name}_adds_up"}
        for table in BY_ROW
        for damage in (
            "requests = requests + 1",
            "requests = 0, priced_requests = 0, unpriced_requests = 0",
            "unpriced_requests = -1, requests = priced_requests - 1",
            "priced_requests = 0, unpriced_requests = requests",
            "list_cost_usd = -1 where list_cost_usd is not null",
            "effective_cost_usd = null where list_cost_usd is not null",
        )
    },
}
"""What may go wrong with a mart, and the data tests that must notice it (and no others)."""


def test_each_data_test_catches_its_damage(built: tuple[Database, Path]) -> None:
    day, folder = built
    queries = {path.stem: path.read_text() for path in (folder / "target" / "compiled").rglob("*.sql")}
    names = {node.name for node in parsed().nodes.values() if node.resource_type == "test"}
    tests = {name: query for name, query in queries.items() if name in names}
    assert set().union(*DAMAGES.values()) == set(tests)
    for damage, caught_by in DAMAGES.items():
        with day.connect() as connection:
            connection.execute(damage)
            caught = {name for name, query in tests.items() if connection.execute(query).fetchall()}
            connection.rollback()
        assert caught == caught_by, damage


@pytest.mark.parametrize("table", MARTS, ids=lambda table: table.name)
def test_postgres_holds_the_grain_the_filled_columns_and_the_accepted_values(
    built: tuple[Database, Path], table: Table
) -> None:
    day, _ = built

    def refused(connection: psycopg.Connection[Any], damage: str) -> psycopg.errors.Diagnostic:
        with pytest.raises(psycopg.errors.IntegrityError) as raised, connection.transaction():
            connection.execute(damage.encode())
        return raised.value.diag

    with day.connect() as connection:
        twice = refused(connection, f"insert into {table.qualified} select * from {table.qualified} limit 1")
        assert twice.constraint_name == f"{table.name}_pkey"
        for column in table.columns:
            if not column.nullable:
                diag = refused(connection, f"update {table.qualified} set {column.name} = null")
                assert diag.column_name == column.name
            if column.accepted:
                diag = refused(connection, f"update {table.qualified} set {column.name} = 'something else'")
                assert diag.constraint_name == accepted_constraint(table, column)
        connection.rollback()


def test_data_tests_look_at_the_days_of_the_run_only(day: Database, dbt: Dbt) -> None:
    assert dbt("run", DAY, DAY + ONE).success
    with day.connect() as connection:
        connection.execute("update mart.daily_model_spend set openness = 'closed', requests = 7")
    assert dbt("test", DAY + ONE, DAY + 2 * ONE).success
    assert {name for name, status in dbt("test", DAY, DAY + ONE).statuses.items() if status != "pass"} == {
        "daily_model_spend_adds_up",
        "unresolved_model_has_no_openness",
    }


@pytest.mark.parametrize(
    ("window", "message"),
    [
        ({"from_date": "2026-02-16"}, "give both"),
        ({"from_date": "2026-02-17", "to_date": "2026-02-17"}, "the end is exclusive"),
        ({"from_date": "16.02.2026", "to_date": "2026-02-17"}, "Invalid isoformat string"),
    ],
)
def test_a_window_that_is_no_window_is_refused(
    built: tuple[Database, Path], tmp_path: Path, window: dict[str, str], message: str
) -> None:
    database, _ = built
    before = snapshot(database)
    outcome = run_dbt(database, tmp_path, "run", window, "--select", "daily_model_spend")
    assert not outcome.success
    assert message in outcome.error + " ".join(outcome.messages.values())
    assert snapshot(database) == before


def test_readers_may_select_the_marts(built: tuple[Database, Path]) -> None:
    database, _ = built
    for table in MARTS:
        with database.connect(read_only=True) as connection:
            assert connection.execute(f"select count(*) from {table.qualified}").fetchone() != (0,)
