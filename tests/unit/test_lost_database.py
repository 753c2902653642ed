"""What a command says when its database goes away in the middle, or was never filled."""

import psycopg
import pytest
import sqlalchemy.exc
from dagster_postgres.utils import DagsterPostgresException
from psycopg.errors import UndefinedTable

import assets.cli
from pipelines.finops.report import ReportError

TIMED_OUT = "could not receive data from server: Connection timed out"
OF_DAGSTER = sqlalchemy.exc.OperationalError("insert into event_logs", {"event": "a value"}, Exception(TIMED_OUT))

WHILE_IT_ANSWERS = sqlalchemy.exc.DatabaseError(
    "select 1", {"event": "a value"}, Exception(TIMED_OUT), connection_invalidated=True
)

AFTER_SOME_TRIES = DagsterPostgresException("too many retries for DB connection")
AFTER_SOME_TRIES.__cause__ = OF_DAGSTER
REFUSED = sqlalchemy.exc.DatabaseError("select 1", {"event": "a value"}, Exception("no such thing"))


@pytest.mark.parametrize(
    "error",
    [psycopg.OperationalError(f"{TIMED_OUT}\nand more"), OF_DAGSTER, WHILE_IT_ANSWERS, AFTER_SOME_TRIES],
    ids=["ours", "Dagster's", "a server that dies while it answers", "Dagster's, which it could not make"],
)
def test_a_database_that_goes_away_is_said_in_a_sentence(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def give_up() -> None:
        raise error

    monkeypatch.setattr(assets.cli, "app", give_up)
    with pytest.raises(SystemExit, match="2"):
        assets.cli.main()
    said = " ".join(capsys.readouterr().err.split())
    assert said == (
        f"modelmeter: the database gave up in the middle of the command: {TIMED_OUT}. What was not committed is lost. Once "
        "the server is back (`modelmeter doctor`), run the command again."
    )


@pytest.mark.parametrize(
    ("error", "said", "status"),
    [
        (
            UndefinedTable('relation "mart.daily_charge" does not exist\nLINE 1: select'),
            "has no mart.daily_charge yet: run",
            2,
        ),
        (ReportError("the warehouse has no mart.cost_coverage yet: run `modelmeter daily` first"), "yet: run", 2),
        (UndefinedTable('relation "core.request" does not exist'), "a mistake of modelmeter's own", 1),
    ],
    ids=["a table of dbt's", "the page's tables", "a table of a migration"],
)
def test_a_table_that_the_first_run_makes_is_named_with_what_makes_it(
    error: Exception, said: str, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`statement`, `focus` and `report` on a warehouse without a run ended with frames and the request to report a mistake."""

    def fail() -> None:
        raise error

    monkeypatch.setattr(assets.cli, "app", fail)
    with pytest.raises(SystemExit, match=str(status)):
        assets.cli.main()
    found = capsys.readouterr().err
    assert said in found
    assert ("Traceback" in found or "File " in found) == (status == 1)


def test_an_error_on_a_connection_that_is_there_is_a_mistake(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise REFUSED

    monkeypatch.setattr(assets.cli, "app", fail)
    with pytest.raises(SystemExit, match="1"):
        assets.cli.main()
    said = capsys.readouterr().err
    assert "please report it: sqlalchemy.exc.DatabaseError" in said
    assert "a value" not in said
