"""What a command says when its database goes away in the middle."""

import psycopg
import pytest
import sqlalchemy.exc

import assets.cli

TIMED_OUT = "could not receive data from server: Connection timed out"
OF_DAGSTER = sqlalchemy.exc.OperationalError("insert into event_logs", {"event": "a value"}, Exception(TIMED_OUT))


@pytest.mark.parametrize(
    "error",
    [psycopg.OperationalError(f"{TIMED_OUT}\nand more"), OF_DAGSTER],
    ids=["a connection of ours", "a connection of Dagster's"],
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
        f"modelmeter: the database gave up in the middle of the command: {TIMED_OUT}. What was not committed is not there; once "
        "the server is back (`modelmeter doctor`), run the command again."
    )
