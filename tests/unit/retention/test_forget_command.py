"""An end user must be named: `modelmeter forget "$USER"` without the variable took fields out of every record that held an empty text."""

import pytest
from typer.testing import CliRunner

from assets.cli import app


@pytest.mark.parametrize("name", ["", " "])
def test_nobody_is_not_forgotten(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def reached(*_: object, **__: object) -> None:
        raise AssertionError("the warehouse was changed")

    monkeypatch.setattr("pipelines.daily.retention.forget_user", reached)
    monkeypatch.setattr("pipelines.workspace.open_workspace", reached)
    done = CliRunner().invoke(app, ["forget", name, "--yes"], env={"COLUMNS": "200"})
    assert done.exit_code == 2, done.output
    assert "a name is needed" in done.output
