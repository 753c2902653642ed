"""The tables of docs/planning.md are those of `python -m perf.planning`: two lines of each kind that take seconds."""

from __future__ import annotations

from pathlib import Path

import pytest

from perf.planning import crossings, forecasts, row_text
from tests.unit.planning.traffic import drawn

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "planning.md").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("row", [forecasts, crossings])
@pytest.mark.parametrize(("name", "kind"), [("steady, with weekdays", "steady"), ("noisy with heavy tails", "heavy")])
def test_lines_are_documented_as_they_come_out(row: object, name: str, kind: str) -> None:
    assert callable(row)
    assert row_text(row(name, lambda days: drawn(kind, days, 120))) in PAGE
