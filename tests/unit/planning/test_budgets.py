"""Budgets by hand: what is spent, left and crossed, in another currency too; what can't be a budget; names that nobody has."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.config import ConfigError
from pipelines.config.budgets import Budget, Budgets
from pipelines.config.loader import load_file
from pipelines.planning.budgets import AtSeller, in_usd, status_row
from pipelines.planning.outlook import look_ahead
from pipelines.planning.series import BUDGET, arrays, spend_series, unknown_names
from pipelines.planning.spans import span_of

FIRST = date(2026, 1, 12)  # a Monday
SEARCH = Budget(budget="search", when={"team": "search"}, period="month", amount=Decimal(300), owner="jo")


def charges(days: int, **usd: str) -> pl.DataFrame:
    """The same spend by team on each of `days` days."""
    blank = {
        "provider_id": "openai",
        "model_id": "gpt-5",
        "project": "p",
        "cost_centre": "c",
        "environment": "e",
        "application": "a",
    }
    rows = [
        {**blank, "event_date": FIRST + timedelta(days=n), "team": team, "effective_cost_usd": Decimal(amount), "requests": 2, "unpriced_requests": 1}
        for n in range(days)
        for team, amount in usd.items()
    ]  # fmt: skip
    return pl.DataFrame(rows, schema_overrides={"effective_cost_usd": pl.Decimal(38, 18)})


def standing(
    budget: Budget, day: date, found: pl.DataFrame, seller: AtSeller | None = None, rate: str | None = "1"
) -> dict[str, Any]:
    rows = spend_series(found, [budget]).filter(pl.col("scope") == BUDGET)
    series = arrays(rows, found["event_date"].unique().to_list())
    assert series is not None
    (ahead,) = look_ahead(series, day, budget.period)
    by_day = (
        rows.filter(pl.col("event_date").is_between(ahead.from_date, day))
        .select("event_date", "effective_cost_usd")
        .rows()
    )
    return status_row(budget, in_usd(budget.amount, Decimal(rate) if rate else None), ahead, by_day, seller)


def test_a_month_by_hand() -> None:
    """Ten a day since 12 January. On 14 February 140 of 300 are spent, 14 days follow: it ends at 280."""
    row = standing(SEARCH, date(2026, 2, 14), charges(34, search="10", other="1"))
    assert (row["period_from"], row["period_to"]) == (date(2026, 2, 1), date(2026, 3, 1))
    assert (row["day_usd"], row["spent_usd"], row["remaining_usd"]) == (10, 140, 160)
    assert row["spent_share"] == pytest.approx(140 / 300)
    assert row["even_pace_usd"] == 150
    assert row["daily_left_usd"] == Decimal("11.428571428571428571")
    assert row["forecast_usd"] == 280
    assert (row["state"], row["passed_threshold"], row["crosses_on"]) == ("within", None, None)
    assert row["unpriced_requests"] == 14


def test_the_day_of_crossing_is_foreseen_and_then_known() -> None:
    """Twelve a day: 168 by the 14th, 300 on the 25th (25 * 12)."""
    found = charges(48, search="12")
    row = standing(SEARCH, date(2026, 2, 14), found)
    assert (row["state"], row["crosses_on"]) == ("will_cross", date(2026, 2, 25))
    assert row["crosses_from"] <= row["crosses_on"]
    assert row["crosses_to"] is None or row["crosses_to"] >= row["crosses_on"]
    later = standing(SEARCH, date(2026, 2, 27), found)
    assert (later["state"], later["crosses_on"], later["crosses_to"]) == (
        "crossed",
        date(2026, 2, 25),
        date(2026, 2, 25),
    )
    assert later["passed_threshold"] == 1.0
    between = standing(SEARCH.model_copy(update={"amount": Decimal(400)}), date(2026, 2, 27), found)
    assert (between["state"], between["passed_threshold"]) == ("threshold", 0.8)


def test_another_currency_takes_its_rate_and_without_one_nothing_is_said() -> None:
    found = charges(34, search="10")
    row = standing(
        SEARCH.model_copy(update={"currency": "EUR", "amount": Decimal(200)}), date(2026, 2, 14), found, rate="1.25"
    )
    assert (row["budget_usd"], row["amount"], row["state"]) == (250, 200, "will_cross")
    unknown = standing(SEARCH.model_copy(update={"currency": "CHF"}), date(2026, 2, 14), found, rate=None)
    assert (unknown["state"], unknown["budget_usd"], unknown["remaining_usd"], unknown["spent_usd"]) == (
        "unknown",
        None,
        None,
        140,
    )
    assert unknown["reason"] == "no exchange rate of CHF: add it to fx.yaml"


def test_days_that_are_not_loaded_leave_the_end_open() -> None:
    found = charges(34, search="10").filter(pl.col("event_date") != date(2026, 2, 3))
    row = standing(SEARCH, date(2026, 2, 14), found)
    assert (row["spent_usd"], row["forecast_usd"]) == (130, None)
    assert row["reason"] == "1 day of the period is not loaded: modelmeter daily --from 2026-02-03 --to 2026-02-03"
    since = standing(SEARCH.model_copy(update={"period": "quarter"}), date(2026, 2, 14), charges(34, search="10"))
    assert since["forecast_usd"] == 340 + 450, "34 days so far, 45 ahead"
    assert since["reason"] == "nothing before 2026-01-12 is loaded: the figures are of the days since"


def test_the_spans_of_a_day() -> None:
    day = date(2026, 11, 29)  # a Sunday
    assert span_of("day", day) == (day, date(2026, 11, 30))
    assert span_of("week", day) == (date(2026, 11, 23), date(2026, 11, 30))
    assert span_of("month", day) == (date(2026, 11, 1), date(2026, 12, 1))
    assert span_of("quarter", day) == (date(2026, 10, 1), date(2027, 1, 1))
    assert span_of("year", day) == (date(2026, 1, 1), date(2027, 1, 1))


def test_series_add_up_and_a_budget_has_a_row_on_each_day() -> None:
    nobody = Budget(budget="nobody", when={"team": "nob*"}, period="month", amount=Decimal(1), owner="jo")
    rows = spend_series(charges(3, search="0.1", other="0.2"), [nobody, SEARCH])
    by_scope = rows.group_by("scope").agg(pl.col("effective_cost_usd").sum()).rows()
    assert dict(by_scope) == {**dict.fromkeys(("total", "seller", "model", "team", "project", "cost_centre"), Decimal("0.9")), "budget": Decimal("0.3")}  # fmt: skip
    assert rows.filter(pl.col("scope_value") == "team=nob*")["effective_cost_usd"].to_list() == [0, 0, 0]


def test_names_that_no_charge_has() -> None:
    known = {"team": ["search", "support"], "model_id": ["gpt-5.2", "gpt-5"]}
    typo = Budget(
        budget="typo", when={"team": "serach", "model_id": "gpt-*"}, period="month", amount=Decimal(1), owner="jo"
    )
    assert unknown_names([SEARCH, typo], known) == ["budget typo: no charge has team serach; did you mean 'search'?"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{budget: a, period: month, amount: 0, owner: o}", "budgets.0.amount: "),
        ("{budget: a, period: fortnight, amount: 1, owner: o}", "budgets.0.period: "),
        ("{budget: a, period: month, amount: 1, owner: o, when: {squad: x}}", "budgets.0.when.squad: no such field; accepted are"),
        ("{budget: a, period: month, amount: 1, owner: o, currency: euro}", "budgets.0.currency"),
        ("{budget: a, period: month, amount: 1}", "budgets.0.owner: "),
        ("{budget: a, period: month, amount: 1, owner: o, thresholds: [80]}", "budgets.0.thresholds.0: found 80, accepted is a share of the amount"),
        ("{budget: a, period: month, amount: 1, owner: o, limit: 3}", "budgets.0.limit: there is no such key"),
        ("{budget: a, period: month, amount: 1, owner: o}, {budget: a, period: day, amount: 1, owner: o}", "budgets.1.budget: 'a' is declared twice"),
    ],
)  # fmt: skip
def test_what_is_no_budget_is_refused_in_words(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "budgets.yaml").write_text(f"budgets: [{text}]", encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        load_file(Budgets, "budgets.yaml", tmp_path)
    assert said in str(refused.value)
    assert "budgets.yaml" in str(refused.value)
