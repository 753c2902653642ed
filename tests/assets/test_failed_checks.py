"""What a failed check shows whoever is called: the first rows in columns, the query for all, and what to do."""

from __future__ import annotations

from datetime import date
from typing import Any

import dagster as dg
import polars as pl
import pytest

from assets.benchmarks import _verdict
from assets.marts import _checked
from assets.specs import nothing_found, rows_table
from pipelines.daily import Window
from pipelines.warehouse.database import Database
from pipelines.warehouse.tables.mart_planning import BUDGET_STATUS

WINDOW = Window(date(2026, 2, 15), date(2026, 2, 17))
NODE = {"name": "charges_add_up", "schema": "mart", "config": {}}
MODEL = {"name": "daily_charge", "schema": "mart"}


def rows(check: dg.AssetCheckResult) -> tuple[list[str], list[dict[str, Any]]]:
    table = check.metadata["first_rows"]
    assert isinstance(table, dg.TableMetadataValue)
    return [column.name for column in table.schema.columns], [dict(record.data) for record in table.records]


def test_a_change_of_a_board() -> None:
    found = pl.DataFrame(
        {"event_date": [date(2026, 2, 16)], "model_id": [None], "explanation": ["m fell."]},
        schema_overrides={"model_id": pl.String},
    )
    key = dg.AssetCheckKey(dg.AssetKey(["mart", "benchmark_drift"]), "no_drift")
    check = _verdict(key, found, "is_alarm", WINDOW)
    assert rows(check) == (
        ["event_date", "model_id", "explanation"],
        [{"event_date": "2026-02-16", "model_id": None, "explanation": "m fell."}],
    )
    assert check.metadata["query"].value == (
        "select * from mart.benchmark_drift where event_date between '2026-02-15' and '2026-02-16' and is_alarm order by event_date desc"
    )
    assert "modelmeter sql" in str(check.metadata["what_to_do"].value)
    quiet = _verdict(key, found.clear(), "is_alarm", WINDOW)
    assert quiet.passed
    assert "what_to_do" not in quiet.metadata


def test_rows_that_lack_a_column_say_so_by_an_empty_cell() -> None:
    """Dagster refused a table of such rows, and a warning ended the run."""
    table = rows_table([{"line_no": "1"}, {"source_request_id": "a", "line_no": "2"}])
    assert [column.name for column in table.schema.columns] == ["line_no", "source_request_id"]
    assert [dict(record.data) for record in table.records] == [
        {"line_no": "1", "source_request_id": None},
        {"line_no": "2", "source_request_id": "a"},
    ]


def test_a_warning() -> None:
    check = nothing_found("budgets_known", BUDGET_STATUS, ["budget a: no charge has team x"])
    assert rows(check) == (["what"], [{"what": "budget a: no charge has team x"}])
    assert "run went on" in str(check.metadata["what_to_do"].value)
    assert "what_to_do" not in nothing_found("budgets_known", BUDGET_STATUS, []).metadata


@pytest.mark.parametrize("status", ["fail", "warn", "pass"])
def test_a_test_of_dbt(database: Database, status: str) -> None:
    code = """-- Returns what is wrong.\nselect * from (values (1, null), (2, 'two')) as "w" (number, name) order by number -- by number"""
    outcome = {"status": status, "failures": 2, "message": "2 rows", "compiled_code": code}
    with database.connect(read_only=True) as connection:
        check = _checked(connection, NODE, MODEL, outcome)
    assert check.passed is (status == "pass")
    assert ("query" in check.metadata) is (status != "pass")
    if status != "pass":
        assert check.metadata["query"].value == code.replace('"', "")
        assert rows(check) == (["number", "name"], [{"number": "1", "name": ""}, {"number": "2", "name": "two"}])
        assert "modelmeter sql" in str(check.metadata["what_to_do"].value)


def test_a_test_of_dbt_that_failed_by_itself_has_no_rows_and_costs_no_other(database: Database) -> None:
    broken = {
        "status": "error",
        "failures": None,
        "message": "Database Error\n ...",
        "compiled_code": "select 1 / 0 as x",
    }
    wrong = {"status": "fail", "failures": 1, "message": "1 row", "compiled_code": "select 7 as seven"}
    with database.connect(read_only=True) as connection:
        assert "first_rows" not in _checked(connection, NODE, MODEL, broken).metadata
        assert rows(_checked(connection, NODE, MODEL, wrong))[1] == [{"seven": "7"}]


def test_what_a_check_found_is_said_in_words() -> None:
    """A share in per cent, counts with what they count, a list of sentences as they are."""
    from assets.cli.runs import _found

    def said(**facts: object) -> str:
        return _found({name: dg.MetadataValue.json(v) if isinstance(v, list) else dg.MetadataValue.float(v) if isinstance(v, float)
                       else dg.MetadataValue.int(v) for name, v in facts.items()})  # type: ignore[arg-type]  # fmt: skip

    assert said(observed=0.01449, unexpected_count=2) == "1.45 %; 2 wrong"
    assert said(observed=6, unexpected_count=1) == "6 in all; 1 wrong"
    assert said(found=["grant: 1 day of it is not loaded"]) == "grant: 1 day of it is not loaded"
    assert said(found=[]) == ""
