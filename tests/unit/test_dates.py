"""Every date option of every command goes through one parser: what can't be used is reported in one line, with what is accepted."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from assets.cli import app, dates, main
from assets.cli.dates import DateError, parse_day, parse_instant, parse_month, window_of

NO_DATES = ["9999-12-31", "2026-02-30", "0001-01-01", "0000-01-01", "2026-13-01", "26-1-1", "2026-2-3", "20260216", "2026-W07-1",
            "", " ", "today", "-1", "2026-02-16T25:00", "٢٠٢٦-٠٢-١٦", "1900-01-01", "2022-12-31", "2026-02-16\n2026-02-17"]  # fmt: skip
REQUIRED = {"price": ["some-model"]}


def options() -> Iterator[tuple[str, str]]:
    """Every command with every option that takes a day, a month or an instant."""
    group = typer.main.get_command(app)
    for command, found in group.commands.items():  # type: ignore[attr-defined]
        for parameter in found.params:
            if "YYYY" in str(parameter.metavar) and parameter.opts[0].startswith("-"):
                yield command, parameter.opts[0]


def test_every_date_option_is_known() -> None:
    assert sorted(options()) == [
        ("budgets", "--date"), ("commitments", "--date"), ("daily", "--date"), ("daily", "--from"), ("daily", "--to"), ("drift", "--date"), ("focus", "--month"), ("models", "--at"),
        ("price", "--at"),
        ("price", "--known-at"), ("reconcile", "--month"), ("report", "--date"), ("rerate", "--date"), ("rerate", "--from"), ("rerate", "--known-at"),
        ("rerate", "--to"), ("route", "--date"), ("route", "--from"), ("route", "--to"), ("scores", "--known-at"),
    ]  # fmt: skip
    modules = Path(dates.__file__).parent.glob("*.py")
    assert [path.name for path in modules if "formats=[" in path.read_text(encoding="utf-8")] == [], (
        "typer's own parser"
    )


@pytest.mark.parametrize(("command", "option"), list(options()))
def test_no_date_gets_one_line_from_any_option(command: str, option: str) -> None:
    """Its arguments are parsed as the command line parses them, without the look at the home that every command begins with."""
    asked = typer.main.get_command(app).commands[command]  # type: ignore[attr-defined]
    for text in NO_DATES:
        with pytest.raises(DateError) as failure:
            asked.make_context(command, [*REQUIRED.get(command, []), option, text])
        said = str(failure.value)
        assert "\n" not in said
        assert said.startswith(option)
        assert "accepted" in said


def test_a_month_is_its_first_day() -> None:
    assert parse_month("2026-02") == date(2026, 2, 1)
    for text in ("2026-13", "2026-2", "2026-02-01", "2022-12"):
        with pytest.raises(DateError, match="accepted"):
            parse_month(text)


@pytest.mark.parametrize("command", [["close"], ["reopen", "--reason", "x"], ["statement"]])
def test_no_month_gets_one_line(command: list[str]) -> None:
    for text in ("2026-13", "february", "2199-01"):
        failure = CliRunner().invoke(app, [*command, text]).exception
        assert isinstance(failure, DateError), f"{text!r}: {failure!r}"
        assert "\n" not in str(failure)


def test_the_line_stands_alone(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--date", "9999-12-31"], ["--from", "1900-01-01", "--to", "2100-01-01"], ["--from", "2026-02-16"],
                      ["--from", "2026-02-16", "--to", "2026-02-15"]):  # fmt: skip
        monkeypatch.setattr(sys, "argv", ["modelmeter", "daily", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        assert (ended.value.code, said.out, said.err.count("\n")) == (2, "", 1)
        assert said.err.startswith("modelmeter: --")


def test_what_is_accepted() -> None:
    today = datetime.now(UTC).date()
    assert [parse_day(str(day)) for day in (date(2023, 1, 1), today)] == [date(2023, 1, 1), today]
    with pytest.raises(DateError, match=f"from 2023-01-01 to {today}"):
        parse_day(str(today + timedelta(days=1)))
    assert parse_instant("2027-02-16") == datetime(2027, 2, 16, tzinfo=UTC), "announced prices lie ahead"
    assert parse_instant("2026-02-16T07:30") == datetime(2026, 2, 16, 7, 30, tzinfo=UTC)
    window = window_of(None, date(2024, 2, 28), date(2024, 3, 1))
    assert window is not None
    assert [str(day) for day in window.days] == ["2024-02-28", "2024-02-29", "2024-03-01"]
