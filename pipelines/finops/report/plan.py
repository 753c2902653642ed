"""The section on plans: where the month and quarter will end, how budgets stand, and what was dearer than expected.

The figures are those of mart.spend_forecast, mart.budget_status and mart.spend_anomaly, made by `pipelines.planning`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipelines.finops import format as fmt
from pipelines.finops.plans import BudgetStanding
from pipelines.finops.report.collect import ReportData
from pipelines.finops.report.tables import (
    Cell,
    Table,
    amount_cell,
    number_column,
    share_cell,
    text_cell,
    text_column,
)


@dataclass(frozen=True)
class PlanSection:
    """Three tables; one without rows has words in their place."""

    forecast: Table
    budgets: Table
    anomalies: Table

    @property
    def tables(self) -> tuple[Table, Table, Table]:
        """All of them, in their order."""
        return self.forecast, self.budgets, self.anomalies


def plan_section(data: ReportData) -> PlanSection:
    """Forecasts and budgets as they stood at the end of the last day; the anomalies that were open on any of the days."""
    return PlanSection(_forecast(data), _budgets(data), _anomalies(data))


def _forecast(data: ReportData) -> Table:
    rows = data["forecast"].to_dicts()
    decimals = fmt.scale_of(row["forecast_usd"] for row in rows)
    return Table(
        "forecast",
        f"Where spend will end, as forecast at the end of {fmt.long_day(data.day)}, with the error on earlier days",
        [
            text_column("Period"),
            number_column("Spent", "USD"),
            number_column("Forecast", "USD"),
            text_column("50 % interval, USD"),
            text_column("95 % interval, USD"),
            number_column("Announced prices", "USD"),
            number_column("Commitments", "USD"),
            number_column("Error", "%"),
            number_column("Seasonal-naive", "%"),
            text_column("Remark"),
        ],
        [
            [
                text_cell(row["period"], note=f"{row['period_from']} to {row['last_day']}"),
                amount_cell(row["spent_usd"], decimals),
                amount_cell(row["forecast_usd"], decimals),
                _range(row, 50, decimals),
                _range(row, 95, decimals),
                amount_cell(row["announced_usd"], decimals, plus=True),
                amount_cell(row["commitment_usd"], decimals, plus=True),
                share_cell(row["backtest_error"]),
                share_cell(row["naive_error"]),
                _remark(row),
            ]
            for row in rows
        ],
        empty="No forecast was made for this day.",
        sql=data.sql["forecast"],
    )


def _budgets(data: ReportData) -> Table:
    rows = data["budgets"].to_dicts()
    decimals = fmt.scale_of(row["spent_usd"] for row in rows)
    return Table(
        "budgets",
        f"Budgets at the end of {fmt.long_day(data.day)}; those that need attention come first",
        [
            text_column("Budget"),
            text_column("State"),
            number_column("Budget", "USD"),
            number_column("Spent", "USD"),
            number_column("Spent", "%"),
            number_column("Left a day", "USD"),
            number_column("Forecast", "USD"),
            text_column("95 % interval, USD"),
            number_column("Limit at the seller", "USD"),
            text_column("Remark"),
        ],
        [
            [
                text_cell(row["budget_id"], note=f"{row['period']} from {row['period_from']}, {row['owner']}"),
                _state(row),
                amount_cell(row["budget_usd"], decimals),
                amount_cell(row["spent_usd"], decimals),
                share_cell(row["spent_share"], bar=True),
                amount_cell(row["daily_left_usd"], decimals),
                amount_cell(row["forecast_usd"], decimals),
                _range(row, 95, decimals),
                amount_cell(row["seller_limit_usd"], decimals),
                _remark(row),
            ]
            for row in rows
        ],
        empty="No budget is declared in budgets.yaml.",
        sql=data.sql["budgets"],
    )


def _state(row: dict[str, Any]) -> Cell:
    """In words; the day on which it is crossed with the days between which that lies at 95 %."""
    tones = {"crossed": "bad", "will_cross": "warn", "threshold": "warn", "within": "good"}
    first, last = row["crosses_from"], row["crosses_to"]
    note = ""
    if row["state"] == "will_cross" and first and first != last:
        note = f"between {first} and {last or 'the end of the period, if at all'}"
    return Cell(BudgetStanding(**row).sentence, note=note, tone=tones.get(row["state"], ""))


def _anomalies(data: ReportData) -> Table:
    rows = data["anomalies"].to_dicts()
    decimals = fmt.scale_of(row["excess_usd"] for row in rows)
    return Table(
        "anomalies",
        "What cost more than its own past suggests",
        [
            text_column("Since"),
            text_column("Until"),
            text_column("What happened"),
            number_column("Expected", "USD"),
            number_column("Spent", "USD"),
            number_column("More", "USD"),
        ],
        [
            [
                Cell(f"{row['opened_on']}"),
                Cell(f"{row['ended_on']}" if row["ended_on"] else "still open"),
                text_cell(row["explanation"]),
                amount_cell(row["expected_usd"], decimals),
                amount_cell(row["actual_usd"], decimals),
                amount_cell(row["excess_usd"], decimals, plus=True),
            ]
            for row in rows
        ],
        empty="Nothing cost more than expected.",
        sql=data.sql["anomalies"],
    )


def _range(row: dict[str, Any], level: int, decimals: int) -> Cell:
    """An interval; none where none is known, or where the period is over."""
    low, high = row[f"low_{level}_usd"], row[f"high_{level}_usd"]
    if low is None or low == high:
        return Cell(fmt.NONE)
    return Cell(f"{fmt.amount(low, decimals)} to {fmt.amount(high, decimals)}")


def _remark(row: dict[str, Any]) -> Cell:
    """Why a figure is missing or partial, and how many requests it leaves out."""
    unpriced = row["unpriced_requests"]
    without = f"without {fmt.plural(unpriced, 'unpriced request')}" if unpriced else ""
    return text_cell(row["reason"], note=without) if row["reason"] else text_cell(without)
