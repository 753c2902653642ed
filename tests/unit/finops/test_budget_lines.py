"""Budgets on a terminal of 80 columns: one line each where it fits, the state below where it does not."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from assets.cli.budgets import _lines
from pipelines.finops.plans import BudgetStanding


def standing(name: str, state: str, **rest: object) -> BudgetStanding:
    given = dict.fromkeys(BudgetStanding.__dataclass_fields__) | {"budget_id": name, "state": state} | rest
    return BudgetStanding(**given)  # type: ignore[arg-type]


def test_lines() -> None:
    usd = {"spent_usd": Decimal("10.53"), "budget_usd": Decimal(11), "forecast_usd": Decimal("11.9")}
    crossing = {"crosses_on": date(2026, 3, 1), "crosses_from": date(2026, 2, 28)}
    found = list(
        _lines([standing("engineering", "within", **usd), standing("search", "will_cross", **usd, **crossing)])
    )
    assert max(map(len, found)) <= 80
    assert found[1].split() == ["engineering", "10.53", "11.00", "11.90", "–", "within"]
    assert found[3] == "    will be crossed on 1 Mar, 28 Feb at the earliest"
    at_once = standing("search", "will_cross", **usd, **{**crossing, "crosses_on": date(2026, 2, 28)})
    assert at_once.sentence == "will be crossed on 28 Feb", "one day is said once"
