"""A statement in a terminal of 80 columns: no heading and no amount is cut, whatever there is to show."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import polars as pl
import pytest

from assets.cli.books import _print
from pipelines.books.statement import moved

USD = pl.Decimal(38, 18)
AMOUNTS = ("effective_cost_usd", "billed_cost_usd", "covered_usd", "commitment_usd", "payable_usd")
SCHEMA = pl.Schema(
    {
        "charge_class": pl.String(),
        "cost_centre": pl.String(),
        **dict.fromkeys(AMOUNTS, USD),
        "unpriced_requests": pl.Int64(),
    }
)


@pytest.mark.parametrize("charge_class", ["", "Correction"])
def test_a_statement_with_commitments_fits(
    charge_class: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    row = {
        "charge_class": charge_class,
        "cost_centre": "unattributed",
        **dict.fromkeys(AMOUNTS, Decimal("123456.78")),
        "unpriced_requests": 1234,
    }
    _print(pl.DataFrame([row], schema=SCHEMA), ("charge_class", "cost_centre"))
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[1].split() == ["cost", "centre", "USD", "commitments", "commitments", "to", "pay", "a", "price"]
    name = "unattributed (correction)" if charge_class else "unattributed"
    assert lines[2].startswith(name)
    assert lines[2].split()[-5:] == ["123,456.78"] * 4 + ["1,234"]


def test_what_no_commitment_covers_is_no_amount(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part that nobody used belongs to nobody: it costs, and covers nothing."""
    monkeypatch.setenv("COLUMNS", "80")
    costs = [(None, None, 0, "22.66", "22.66"), ("1", "1", "0.25", "1", "1.75"), ("3", "3", 0, 0, "3")]
    rows = [
        {
            "charge_class": None,
            "cost_centre": f"c{number}",
            "unpriced_requests": 0,
            **{name: None if usd is None else Decimal(str(usd)) for name, usd in zip(AMOUNTS, amounts, strict=True)},
        }
        for number, amounts in enumerate(costs)
    ]
    _print(pl.DataFrame(rows, schema=SCHEMA), ("charge_class", "cost_centre"))
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    shown = {line[0]: line[-4:-2] for line in lines if line}
    assert [shown[name] for name in ("c0", "c1", "c2")] == [["–", "22.66"], ["0.25", "1.00"], ["–", "–"]]
    assert shown["total"] == ["0.25", "23.66"]


def test_a_day_is_never_cut(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """What became known of closed months is shown by day, seller and model, on 80 columns too."""
    monkeypatch.setenv("COLUMNS", "80")
    row = {"event_date": date(2026, 2, 17), "provider_id": "anthropic", "model_id": "claude-sonnet-4-5"}
    amounts = {**dict.fromkeys(AMOUNTS, Decimal("-1234.56")), "unpriced_requests": 0}
    _print(
        pl.DataFrame([row | amounts], schema_overrides=dict.fromkeys(AMOUNTS, USD)),
        ("event_date", "provider_id", "model_id"),
    )
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert any(line.startswith("2026-02-17 ") for line in lines)


def lines_of(*amounts: tuple[str | None, ...], unpriced: tuple[int, ...] = ()) -> pl.DataFrame:
    rows = [
        {
            "charge_class": "Correction" if number % 2 else None,
            "cost_centre": f"c{number}",
            "unpriced_requests": unpriced[number] if unpriced else 0,
            **{name: None if usd is None else Decimal(usd) for name, usd in zip(AMOUNTS, each, strict=True)},
        }
        for number, each in enumerate(amounts)
    ]
    return pl.DataFrame(rows, schema=SCHEMA)


def test_the_total_is_the_sum_of_each_column_corrections_included(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = lines_of(("10", "11", "4", "3", "9"), ("-2.5", "-2.5", "-1", "-0.5", "-2"), unpriced=(3, 4))
    _print(lines, ("charge_class", "cost_centre"))
    out = capsys.readouterr().out.splitlines()
    assert out[-1].split() == ["total", "7.50", "8.50", "3.00", "2.50", "7.00", "7"]
    _print(lines.with_columns(covered_usd=None, commitment_usd=None), ("charge_class", "cost_centre"))
    assert capsys.readouterr().out.splitlines()[-1].split() == ["total", "7.50", "8.50", "7"]


def test_what_became_known_is_each_amount_that_moved_and_each_request_that_lost_its_price() -> None:
    """A line of nothing but zeros and unknowns is left out; one with a single figure, of whichever column, is shown."""
    nothing: tuple[str | None, ...] = ("0", "0", None, None, "0")
    ones = [tuple("0.000000000000000001" if at == place else "0" for at in range(5)) for place in range(5)]
    lines = lines_of(nothing, *ones, nothing, unpriced=(0, 0, 0, 0, 0, 0, 2))
    assert moved(lines)["cost_centre"].to_list() == [f"c{number}" for number in range(1, 7)]
    assert moved(lines_of(("-1", "0", None, None, "-1")))["cost_centre"].to_list() == ["c0"]
