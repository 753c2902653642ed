"""A statement in a terminal of 80 columns: no heading and no amount is cut, whatever there is to show."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest

from assets.cli.books import _print

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
