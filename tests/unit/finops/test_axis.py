"""The axis of a chart of money: five cents are cents, not fifty million."""

from __future__ import annotations

import pytest

from pipelines.finops.report.charts import _dollars


@pytest.mark.parametrize(
    ("usd", "form"),
    [(125_000.0, "$~s"), (12.0, "$~s"), (9.5, "$,.2f"), (0.05, "$,.3f"), (0.0002, "$,.5f"), (0.0, "$,.2f")],
)
def test_an_axis_shows_cents_as_cents(usd: float, form: str) -> None:
    assert _dollars([{"day": "1 Feb", "usd": usd * 0.75}, {"day": "1 Feb", "usd": usd * 0.25}]) == form
