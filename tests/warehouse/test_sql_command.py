"""`modelmeter sql` and `modelmeter db`: what a person and a program see, and that nothing can be written."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from assets.cli import db, sql
from pipelines.warehouse.bulk_copy import copy_frame
from pipelines.warehouse.database import Database
from pipelines.warehouse.errors import WarehouseError
from pipelines.warehouse.tables.core import MODEL
from tests.warehouse.rows import frame

app = typer.Typer()
db.register(app)
sql.register(app)

ROW = """select 7 as n, 'a,"b"' as t, '' as empty, null as nothing, 12345678901234567890.123456789012345678::numeric as money,
    true as yes, '{"a": [1.50]}'::jsonb as document, array['x', null] as list, 'NaN'::float8 as nan, date '2026-02-14' as day"""


@pytest.fixture
def run(database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("MODELMETER_DATABASE_URL", database.url.render_as_string(hide_password=False))
    monkeypatch.setenv("MODELMETER_HOME", str(tmp_path / "home"))
    return lambda *arguments, **more: CliRunner().invoke(app, list(arguments), **more)


def test_the_table_shows_every_digit_and_numbers_to_the_right(run) -> None:
    result = run("sql", ROW.replace("7 as n", "7 as number_of_requests"))
    assert result.exit_code == 0
    assert "12345678901234567890.123456789012345678" in result.stdout
    assert '│                  7 │ a,"b" │' in result.stdout
    assert "null" in result.stdout


@pytest.fixture
def on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")


@pytest.mark.usefixtures("on_a_terminal")
def test_what_does_not_fit_is_shown_record_by_record(run) -> None:
    wide = ", ".join(f"{n} as a_column_with_a_long_name_{n}" for n in range(30))
    result = run("sql", f"select {wide} from generate_series(1, 2)")
    plain = re.sub(r"\x1b\[\d*m", "", result.stdout)
    assert max(map(len, plain.splitlines())) <= 80
    assert plain.count("─ record ") == 2
    assert "a_column_with_a_long_name_29  29" in plain
    assert "│" in run("sql", "select 1 as n").stdout
    assert "─ record 1 " in run("sql", "-x", "select 1 as n").stdout


@pytest.mark.usefixtures("on_a_terminal")
def test_amounts_are_rounded_for_people_and_exact_on_request(run) -> None:
    query = "select 1234.567890123456789::numeric as effective_cost_usd, 0.123456789::numeric as share, null::numeric as a_usd"
    rounded = run("sql", query)
    assert "1,234.57" in rounded.stdout
    assert "0.123456789" in rounded.stdout
    assert "--exact shows every digit" in rounded.stderr
    exact = run("sql", "--exact", query)
    assert "1234.567890123456789" in exact.stdout
    assert exact.stderr == ""


def test_tables_and_columns_are_described(run) -> None:
    listed = run("sql", "--tables").stdout
    assert "core.request " in listed
    assert "mart.benchmark_drift " in listed
    assert listed.index("mart.benchmark_drift ") < listed.index("core.request ") < listed.index("raw.snapshot ")
    assert "alembic" not in listed
    assert "Grain:" not in listed
    assert max(map(len, listed.splitlines())) <= 80, "sentences are folded where there is no terminal too"
    described = run("sql", "--describe", "core.request").stdout
    assert "effective_cost_usd" in described
    missing = run("sql", "--describe", "core.reqest")
    assert missing.exit_code == 1
    assert "there is no table 'core.reqest'; did you mean 'core.request'?" in missing.stderr
    assert "did you mean 'mart.waste'?" in run("sql", "--describe", "waste").stderr


def test_a_prompt_keeps_the_view_and_survives_errors(run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    typed = iter(
        ["select 1", "as first;", "select nothing;", r"\x", "select 2 as second;", r"\d core.model", r"\?", r"\q"]
    )
    monkeypatch.setattr("builtins.input", lambda _: next(typed))
    monkeypatch.setattr("assets.cli.sql.is_a_person", lambda: True)
    result = run("sql")
    assert result.exit_code == 0
    assert "│     1 │" in result.stdout
    assert 'column "nothing" does not exist' in result.stderr
    assert "─ record 1 " in result.stdout
    assert "display_name" in result.stdout
    assert (tmp_path / "home" / "sql_history").is_file()


def test_json_keeps_numbers_and_nesting(run) -> None:
    result = run("sql", "--json", f"select * from ({ROW}) as row, generate_series(1, 2) as copies (copy)")
    rows = json.loads(result.stdout, parse_float=Decimal)
    row = {
        "n": 7,
        "t": 'a,"b"',
        "empty": "",
        "nothing": None,
        "money": Decimal("12345678901234567890.123456789012345678"),
        "yes": True,
        "document": {"a": [Decimal("1.50")]},
        "list": ["x", None],
        "nan": "NaN",
        "day": "2026-02-14",
    }
    assert rows == [{**row, "copy": 1}, {**row, "copy": 2}]
    assert json.loads(run("sql", "--json", "select 1 as n where false").stdout) == []


def test_csv_is_what_postgres_itself_writes(run, database: Database) -> None:
    result = run("sql", "--csv", ROW)
    with (
        database.connect(read_only=True) as connection,
        connection.cursor() as cursor,
        cursor.copy(f"copy ({ROW}) to stdout (format csv, header)") as copy,
    ):
        expected = b"".join(bytes(part) for part in copy).decode()
    assert result.stdout == expected
    assert next(csv.DictReader(io.StringIO(result.stdout)))["money"] == "12345678901234567890.123456789012345678"


def test_statements_come_from_a_file_or_standard_input(run, tmp_path: Path) -> None:
    (tmp_path / "query.sql").write_text("select 'from a file' as origin;\n")
    assert "from a file" in run("sql", "-f", str(tmp_path / "query.sql")).stdout
    assert "from a pipe" in run("sql", "-", input="select 'from a pipe' as origin").stdout
    for arguments in (
        (),
        ("select 1", "-f", "x.sql"),
        ("-f", str(tmp_path / "missing.sql")),
        ("  ",),
        ("--json", "--csv", "select 1"),
    ):
        assert run("sql", *arguments).exit_code == 2


def test_rows_left_out_are_reported_in_the_table_only(run) -> None:
    query = "select generate_series(1, 2500) as n"
    result = run("sql", query)
    assert "200" in result.stdout
    assert "201" not in result.stdout
    assert "The first 200 rows are shown; --limit 0 shows all" in result.stderr
    everything = run("sql", "--limit", "0", query)
    assert "2500" in everything.stdout
    assert everything.stderr == ""
    assert run("sql", "--limit", "2500", query).stderr == ""
    assert len(run("sql", "--csv", query).stdout.splitlines()) == 2501


@pytest.mark.parametrize("form", ["--csv", "--json"])
def test_a_reader_that_has_enough_ends_the_query(database: Database, form: str) -> None:
    """As in `modelmeter sql ... | head`: the pipe breaks while rows are still coming."""
    url = database.url.render_as_string(hide_password=False)
    with subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from assets.cli import main; main()",
            "sql",
            form,
            "select generate_series(1, 300000) as n",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "MODELMETER_DATABASE_URL": url},
    ) as command:
        assert command.stdout is not None
        assert command.stderr is not None
        command.stdout.readline()
        command.stdout.close()
        assert command.wait(timeout=60) == 1
        assert "Traceback" not in command.stderr.read()


def test_errors_point_at_the_place(run) -> None:
    result = run("sql", "select model_id\nfrom core.model\n where\tmodelid = 'x'")
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        'modelmeter: column "modelid" does not exist',
        "line 3:  where\tmodelid = 'x'",
        "              \t^",
        'hint: Perhaps you meant to reference the column "model.model_id".',
    ]
    assert run("sql", "select 1/0").stderr == "modelmeter: division by zero\n"
    assert run("sql", "--csv", "select 1 / (n - 2000) from generate_series(1, 2500) n").exit_code == 1
    assert "names columns twice" in run("sql", "--json", "select 1 as a, 2 as a").stderr
    assert "statement timeout" in run("sql", "--timeout", "0.05", "select pg_sleep(5)").stderr


@pytest.mark.parametrize(
    "statement",
    [
        "delete from core.model returning model_id",
        "with gone as (delete from core.model returning model_id) select * from gone",
        "delete from core.model",
        "select 1; delete from core.model",
        "commit; delete from core.model",
        "set role modelmeter",
        "select set_config('transaction_read_only', 'off', false), set_config('role', 'none', false)",
        "do $$ begin delete from core.model; end $$",
        "truncate core.model",
    ],
)
def test_nothing_can_be_written(run, database: Database, statement: str) -> None:
    row = {"model_id": "m", "display_name": "M", "openness": "closed", "decided_by": "tests"}
    with database.connect() as connection:
        copy_frame(connection, MODEL, frame(MODEL, [row]))
    result = run("sql", statement)
    assert result.exit_code == 1
    assert result.stderr.startswith("modelmeter: ")
    assert run("sql", "--json", "select count(*) as n from core.model").stdout == '[\n{"n": 1}\n]\n'


def test_cells_can_not_steer_the_terminal(run) -> None:
    assert "\\x1b[31mred" in run("sql", "select e'\\x1b[31mred' as t").stdout


def test_the_database_s_address_is_shown_masked(run, database: Database) -> None:
    assert run("db", "url").stdout.strip() == str(database.url.set(drivername="postgresql"))
    assert run("db", "migrate").stdout.endswith("nothing to do.\n")


@pytest.mark.parametrize("command", ["up", "down", "remove"])
def test_somebody_else_s_server_is_not_started_or_stopped(run, command: str) -> None:
    with pytest.raises(WarehouseError, match="is for the embedded Postgres, but MODELMETER_DATABASE_URL names"):
        run("db", command, catch_exceptions=False)


def test_the_embedded_server_from_up_to_remove(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("MODELMETER_DATABASE_URL", raising=False)
    monkeypatch.setenv("MODELMETER_HOME", str(tmp_path / "a home"))

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(app, ["db", *arguments], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.stdout

    assert run("down") == "Postgres was not running.\n"
    with pytest.raises(WarehouseError, match="not running, so it has no address now"):
        run("url")
    assert "no TCP port" in run("up")
    assert run("url").startswith("postgresql://modelmeter@/modelmeter?host=")
    port = "54329"
    assert f"TCP on 127.0.0.1 port {port}" in run("up", "--port", port)
    assert run("url") == f"postgresql://modelmeter:***@127.0.0.1:{port}/modelmeter\n"
    assert "***" not in run("url", "--show-password", "--reader")
    assert run("url", "--reader").startswith("postgresql://modelmeter_reader:***@")
    assert CliRunner().invoke(app, ["sql", "--csv", "select count(*) as n from core.model"]).stdout == "n\n0\n"
    assert run("down") == "Postgres is stopped.\n"
    assert run("remove", "--yes") == "The embedded database is deleted.\n"
    assert not (tmp_path / "a home" / "postgres").exists()


def test_csv_gives_a_spreadsheet_no_formula(run) -> None:
    query = """select '=1+1' as "=a", '-x', '@f', '+1', e'\\tx', 'plain -x', -1.5, '-infinity'::timestamptz, '-1 day'::interval, null::text, ''"""
    header, row = run("sql", "--csv", query).stdout.splitlines()
    assert header.split(",")[0] == "'=a"
    assert row == "'=1+1,'-x,'@f,'+1,'\tx,plain -x,-1.5,-infinity,-1 days,,\"\""
