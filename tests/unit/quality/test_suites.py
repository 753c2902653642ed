"""Every rule of every suite against rows that break it and no other, on real Postgres through Great Expectations."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.quality import SUITES, ExpectationOutcome, SuiteName, SuiteOutcome, run_suite, statement
from pipelines.quality.counted import connected
from pipelines.quality.kept import fingerprint
from pipelines.quality.rules import RowFloor, Unique
from pipelines.quality.run import APPLICATION
from pipelines.warehouse.database import Database
from pipelines.warehouse.tables import TABLES_BY_NAME
from tests.unit.quality.counter_examples import COUNTER_EXAMPLES, OTHER, CounterExample
from tests.unit.quality.rows import CONTEXT, DAY, empty_bare_tables, good_row, insert

UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

WINDOW = (DAY, DAY + timedelta(days=2))
ROOT = Path(__file__).resolve().parents[3]
FAR_FUTURE = (date(2999, 1, 1), date(2999, 1, 2))


def fill(database: Database, suite: SuiteName, rows: tuple[dict, ...]) -> None:
    """The tables that others refer to with their good row, and the suite's own table with `rows`."""
    own = SUITES[suite].table
    with database.connect() as connection:
        for name in CONTEXT:
            if TABLES_BY_NAME[name] is not own:
                insert(connection, TABLES_BY_NAME[name], [good_row(TABLES_BY_NAME[name])])
        insert(connection, own, [good_row(own, **changes) for changes in rows])


def not_passed(outcome: SuiteOutcome) -> list[ExpectationOutcome]:
    """The checks that failed or could not be evaluated, warnings included."""
    return [expectation for expectation in outcome.expectations if not expectation.success]


def shown_by_statement(database: Database, example: CounterExample, *window: date) -> int:
    """How many wrong rows the statement shows that a failed check names; of a key each of its rows."""
    suite = SUITES[example.suite]
    rule = next(rule for rule in suite.rules if rule.name == example.rule)
    with database.connect() as connection:
        rows = connection.execute(statement(suite, rule, *window)).fetchall()
    return sum(row[-1] for row in rows) if isinstance(rule, Unique | RowFloor) else len(rows)


def test_every_rule_has_a_counter_example() -> None:
    rules = {(name, rule.name) for name, suite in SUITES.items() for rule in suite.rules}
    assert {(example.suite, example.rule) for example in COUNTER_EXAMPLES} == rules


@pytest.mark.parametrize("suite", SUITES)
def test_good_rows_pass_every_rule(bare: Database, suite: SuiteName) -> None:
    fill(bare, suite, ({},))
    outcome = run_suite(bare.url, suite, *WINDOW)
    assert [(e.name, e.state, e.problem) for e in not_passed(outcome)] == []
    assert [e.name for e in outcome.expectations] == [rule.name for rule in SUITES[suite].rules]
    floor = {"has_rows": 1} if suite != "core_reported_cost" else {}  # a company may export no bills
    assert {e.name: e.observed for e in outcome.expectations if e.name == "has_rows"} == floor
    assert not outcome.blocks


@pytest.mark.parametrize("example", COUNTER_EXAMPLES, ids=lambda e: f"{e.suite}-{e.rule}")
def test_the_rule_and_only_that_rule_fails(bare: Database, example: CounterExample) -> None:
    fill(bare, example.suite, example.rows)
    window = FAR_FUTURE if example.rule == "event_not_in_future" else WINDOW
    outcome = run_suite(bare.url, example.suite, *window)
    assert [(e.name, e.state) for e in not_passed(outcome)] == [(example.rule, "failed")]
    failed = not_passed(outcome)[0]
    assert failed.unexpected_count == example.wrong
    assert outcome.blocks is (failed.severity == "blocking")
    assert shown_by_statement(bare, example, *window) == (example.wrong or 0)
    if example.wrong:
        table = SUITES[example.suite].table
        row = good_row(table, **example.rows[0])
        shared = set(failed.sample[0]) & {*SUITES[example.suite].shown, *table.primary_key}
        assert shared
        assert not any(UUID.fullmatch(value) for value in failed.sample[0].values()) or example.rule == "key_is_unique"
        assert any(all(key[name] == str(row[name]) for name in shared) for key in failed.sample)


def test_rows_outside_the_window_are_not_looked_at(bare: Database) -> None:
    fill(bare, "core_request", ({}, {"event_date": DAY + timedelta(days=1), "latency_ms": -1}))
    assert not not_passed(run_suite(bare.url, "core_request", DAY, DAY + timedelta(days=1)))


def test_a_request_without_a_rate_is_not_missed_on_the_card(bare: Database) -> None:
    """On an empty card, `null not in (...)` is true: the rule has to ask for a rate first."""
    unpriced = {"list_cost_usd": None, "contracted_cost_usd": None, "effective_cost_usd": None, "rate_id": None}
    fill(bare, "core_request", ({**unpriced, "unpriced_reason": "no_price"},))
    with bare.connect() as connection:
        connection.execute("delete from core.rate_card")
    assert not not_passed(run_suite(bare.url, "core_request", *WINDOW))


def test_a_rule_that_raises_is_not_evaluable_and_blocks_and_leaves_the_others_alone(bare: Database) -> None:
    fill(bare, "core_request", ({},))
    with bare.connect() as connection:
        connection.execute(
            "alter table core.request drop column is_billable, drop column status, drop column latency_ms"
        )
    outcome = run_suite(bare.url, "core_request", *WINDOW)
    states = {e.name: e for e in not_passed(outcome)}
    assert set(states) == {
        "counts_not_negative", "free_call_costs_nothing", "unresolved_has_no_cost", "ok_call_used_tokens",
    }  # fmt: skip
    assert {e.state for e in states.values()} == {"not evaluable"}
    assert "UndefinedColumn" in (states["free_call_costs_nothing"].problem or "")
    assert "is_billable" in (states["free_call_costs_nothing"].problem or "")
    assert "latency_ms" in (states["counts_not_negative"].problem or "")
    assert states["counts_not_negative"].blocks
    assert not states["ok_call_used_tokens"].blocks
    assert outcome.blocks


def test_without_its_table_no_rule_is_evaluable(bare: Database) -> None:
    with bare.connect() as connection:
        connection.execute("drop table core.price")
    outcome = run_suite(bare.url, "core_price", *WINDOW)
    assert {e.state for e in outcome.expectations} == {"not evaluable"}
    assert outcome.blocks


def test_sample_is_bounded_and_the_count_is_not(bare: Database) -> None:
    rows = tuple(
        {"request_uid": f"00000000-0000-0000-0000-{n:012d}", "latency_ms": -1.0, "snapshot_id": OTHER}
        for n in range(300)
    )
    fill(bare, "core_request", rows)
    failed = {e.name: e for e in not_passed(run_suite(bare.url, "core_request", *WINDOW))}
    assert {name: (e.unexpected_count, len(e.sample)) for name, e in failed.items()} == {
        "counts_not_negative": (300, 5),
        "file_is_indexed": (300, 5),
    }


def test_no_connection_is_left(bare: Database) -> None:
    fill(bare, "core_request", ({},))
    run_suite(bare.engine(), "core_request", *WINDOW)
    with bare.owner.connect({}, autocommit=True) as connection:
        for _ in range(100):  # the server takes a moment to end a connection that was closed
            left = connection.execute(
                "select from pg_stat_activity where application_name = %s", [APPLICATION]
            ).fetchall()
            if not left:
                break
            time.sleep(0.05)
    assert not left


@pytest.mark.slow
def test_no_file_is_left(bare: Database, tmp_path: Path) -> None:
    fill(bare, "core_request", ({},))
    url = bare.url.render_as_string(hide_password=False)
    code = (
        "import datetime, pipelines.quality as q; "
        f"outcome = q.run_suite({url!r}, 'core_request', datetime.date(2026, 2, 16), datetime.date(2026, 2, 17)); "
        "assert all(e.success for e in outcome.expectations), outcome"
    )
    environment = {
        "HOME": str(tmp_path),
        "TMPDIR": str(tmp_path),
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path, env=environment)
    assert list(tmp_path.iterdir()) == []


def test_a_password_with_a_dollar_is_no_variable(bare: Database) -> None:
    fill(bare, "core_request", ({},))
    url = bare.url.set(password="a$HOME${NOT_SET}@b")
    assert not not_passed(run_suite(url, "core_request", *WINDOW))


def test_an_empty_window_is_refused(bare: Database) -> None:
    with pytest.raises(ValueError, match="the end is exclusive"):
        run_suite(bare.url, "core_request", DAY, DAY)


@pytest.mark.slow
def test_the_library_is_not_imported_before_a_suite_runs() -> None:
    code = "import sys, pipelines.quality; sys.exit('great_expectations' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    "example", [e for e in COUNTER_EXAMPLES if e.suite != "core_request"], ids=lambda e: f"{e.suite}-{e.rule}"
)
def test_rows_that_break_a_rule_are_not_taken_for_those_that_were_kept(bare: Database, example: CounterExample) -> None:
    """Nothing needs the library for that: no two of these states may have one fingerprint."""
    suite, prints = SUITES[example.suite], []
    for rows in (({},), ({},), example.rows):
        with bare.connect() as connection:
            empty_bare_tables(connection)
        fill(bare, example.suite, rows)
        with connected(bare.url) as connection:
            prints.append(fingerprint(connection, suite, f"select * from {suite.table.qualified}"))
    assert prints[0] == prints[1] != prints[2]


@pytest.mark.parametrize("change", [
    "delete from core.model", "delete from raw.snapshot", "alter table core.price rename region to place",
])  # fmt: skip
def test_a_change_of_what_rules_look_up_is_seen(bare: Database, change: str) -> None:
    fill(bare, "core_price", ({},))
    prints = []
    for statement_ in ("select 1", change):
        with bare.connect() as connection:
            connection.execute(statement_.encode())
        with connected(bare.url) as connection:
            prints.append(fingerprint(connection, SUITES["core_price"], "select * from core.price"))
    assert prints[0] != prints[1]


def test_what_was_found_of_the_same_rows_is_not_looked_for_again(
    bare: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(bare, "core_price", ({"usd_per_million": Decimal("2.4")},))
    first = run_suite(bare.url, "core_price", *WINDOW, tmp_path)
    assert [e.name for e in not_passed(first)] == ["usd_follows_from_price"]
    with monkeypatch.context() as without:
        without.setattr("pipelines.quality.run._batch", None)
        assert run_suite(bare.url, "core_price", *WINDOW, tmp_path) == first
    with bare.connect() as connection:
        connection.execute("update core.price set usd_per_million = 2.5")
    assert not not_passed(run_suite(bare.url, "core_price", *WINDOW, tmp_path))
    with bare.connect() as connection:
        connection.execute("alter table core.price drop column meter")
    for _ in range(2):  # what can't be evaluated is not kept
        assert run_suite(bare.url, "core_price", *WINDOW, tmp_path).blocks
