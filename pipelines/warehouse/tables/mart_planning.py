"""Tables of schema `mart` on plans: spend by day and scope, where it will end, budgets, and days that were dearer than expected.

The charges that they are sums of are in `mart_charges.py`; how the figures are made is `pipelines.planning`.
"""

from __future__ import annotations

from pipelines.warehouse.tables.spec import Column, Table

SCOPES = ("total", "seller", "model", "team", "project", "cost_centre", "budget")
PERIODS = ("day", "week", "month", "quarter", "year")
METHODS = ("seasonal_naive", "weekday_level", "weekday_trend", "month_level")
STATES = ("within", "threshold", "will_cross", "crossed", "unknown")
DRIVERS = ("session", "user", "price", "cache", "team", "model", "seller", "project", "application", "volume", "size")

_DAY = Column("event_date", "date", "UTC day at whose end the row holds.")
_SCOPE = Column("scope", "text", "What the spend is of: all of it, or one seller, model, team ...", accepted=SCOPES)
_VALUE = Column(
    "scope_value",
    "text",
    "The seller, model, team ... as in mart.daily_charge; of a budget its name; empty for the total.",
)
_FROM = Column("period_from", "date", "First day of the period.")
_TO = Column("period_to", "date", "First day after the period.")


def _usd(name: str, description: str, *, nullable: bool = True, is_signed: bool = False) -> Column:
    return Column(name, "numeric(38,18)", description, nullable=nullable, unit="USD", is_signed=is_signed)


def _share(name: str, description: str) -> Column:
    return Column(name, "double precision", description, nullable=True, unit="share")


SPEND_SERIES = Table(
    "mart",
    "spend_series",
    "Spend by day and scope: what forecasts, budgets and anomalies are made of. Each scope but budget sums to the day.",
    "one row per day, scope and value",
    (
        Column("event_date", "date", "UTC day of the usage."),
        _SCOPE,
        Column(
            "scope_value",
            "text",
            "The seller, model, team ... as in mart.daily_charge; of a budget the charges that it is for (field=pattern).",
        ),
        _usd("effective_cost_usd", "Sum of the known effective costs.", nullable=False, is_signed=True),
        Column("requests", "bigint", "Requests, with or without a known cost.", unit="requests"),
        Column("unpriced_requests", "bigint", "Requests whose cost is not known.", unit="requests"),
    ),
    ("event_date", "scope", "scope_value"),
    day_column="event_date",
)

_INTERVAL = (
    _usd("low_95_usd", "Lower end of the 95 % interval of forecast_usd."),
    _usd("low_50_usd", "Lower end of the 50 % interval."),
    _usd("high_50_usd", "Upper end of the 50 % interval."),
    _usd("high_95_usd", "Upper end of the 95 % interval."),
)

SPEND_FORECAST = Table(
    "mart",
    "spend_forecast",
    "Where the spend of a month or quarter will end, as foreseen at the end of each day, with the error that the method had on the days "
    "before. Pay-as-you-go, as mart.daily_charge; commitments are apart.",
    "one row per day, scope, value and period",
    (
        _DAY,
        _SCOPE,
        _VALUE,
        Column("period", "text", "month or quarter; of a budget its own period.", accepted=PERIODS),
        _FROM,
        _TO,
        _usd("spent_usd", "Spent in the period up to the day.", nullable=False, is_signed=True),
        Column("days_ahead", "integer", "Days of the period that follow.", unit="days"),
        _usd("forecast_usd", "Spend of the whole period; null where reason says why.", is_signed=True),
        *_INTERVAL,
        _usd("announced_usd", "Part of the forecast that price changes make that are known ahead.", is_signed=True),
        _usd(
            "commitment_usd",
            "What commitments add to the period, or take off: their cost less the usage that they pay for, so far and as foreseen. Of "
            "total and sellers; null where nothing is declared or it is not known.",
            is_signed=True,
        ),
        Column(
            "known_ahead",
            "jsonb",
            "List of what is known ahead: date, kind (price, commitment), what, and usd in the period where it is known.",
            nullable=True,
        ),
        Column("method", "text", "Method with the smallest error on the days before.", nullable=True, accepted=METHODS),
        _share(
            "backtest_error",
            "Mean absolute error of the method over as many days ahead, on days before, as a share of what was spent.",
        ),
        _share("naive_error", "The same of seasonal-naive: each day as its weekday a week before."),
        Column("backtest_origins", "integer", "Days from which the error was measured.", nullable=True, unit="days"),
        Column("history_days", "integer", "Loaded days that the forecast rests on.", unit="days"),
        Column("unpriced_requests", "bigint", "Requests of the period whose cost is in no sum.", unit="requests"),
        Column("reason", "text", "Why there is no forecast, or no interval, and what mends it.", nullable=True),
    ),
    ("event_date", "scope", "scope_value", "period"),
    day_column="event_date",
)

BUDGET_STATUS = Table(
    "mart",
    "budget_status",
    "How each budget stands at the end of each day: spent, left, where the period will end and when the amount will be crossed.",
    "one row per day and budget",
    (
        _DAY,
        Column("budget_id", "text", "Budget, as budgets.yaml names it."),
        Column("owner", "text", "Who owns it."),
        Column("what", "text", "The charges that it is for (field=pattern); empty for all."),
        Column("period", "text", "day, week, month, quarter or year.", accepted=PERIODS),
        _FROM,
        _TO,
        Column("amount", "numeric(38,18)", "Amount of the period.", unit="currency"),
        Column("currency", "text", "Currency of the amount (ISO 4217)."),
        _usd("budget_usd", "The amount at the exchange rate of the day; null without one."),
        _usd("day_usd", "Spent on the day.", nullable=False, is_signed=True),
        _usd("spent_usd", "Spent in the period up to the day.", nullable=False, is_signed=True),
        _share("spent_share", "spent_usd over budget_usd."),
        _usd("remaining_usd", "What is left; below zero once the amount is crossed.", is_signed=True),
        _usd("even_pace_usd", "What would be spent by now if the amount were spent evenly over the period."),
        _usd("daily_left_usd", "What may be spent on each day that is left to end at the amount; null on the last day.", is_signed=True),
        _usd("forecast_usd", "Spend of the whole period (mart.spend_forecast).", is_signed=True),
        *_INTERVAL,
        Column("crosses_on", "date", "Day on which the amount is, or will be, crossed; null where it is not in the period.", nullable=True),
        Column("crosses_from", "date", "Earliest such day, at 95 %.", nullable=True),
        Column("crosses_to", "date", "Latest such day, at 95 %; null where it may not be crossed in the period.", nullable=True),
        Column(
            "state",
            "text",
            "crossed; will_cross, by the forecast; threshold, where one below the amount is passed; within; unknown without an exchange rate.",
            accepted=STATES,
        ),
        _share("passed_threshold", "Highest threshold that is passed; null where none is."),
        _usd("seller_limit_usd", "Limit at the seller's own side for the same period, as budgets.yaml states it, else the seller (core.seller_limit)."),
        _usd("seller_spent_usd", "Spent at that seller in the period up to the day.", is_signed=True),
        Column("unpriced_requests", "bigint", "Requests of the period whose cost is in no sum.", unit="requests"),
        Column("reason", "text", "What is not known, and what mends it.", nullable=True),
    ),
    ("event_date", "budget_id"),
    day_column="event_date",
)  # fmt: skip

SPEND_ANOMALY = Table(
    "mart",
    "spend_anomaly",
    "Times at which something cost more than its own past suggests, each with what drove it and the money so far. It is open until "
    "the spend is back.",
    "one row per scope, value and start",
    (
        _SCOPE,
        _VALUE,
        Column("opened_on", "date", "First UTC day of the event."),
        Column("last_on", "date", "Last day that was judged: the newest one while the event is open."),
        Column("ended_on", "date", "First day that was as expected again; null while it is open.", nullable=True),
        Column(
            "ended_because",
            "text",
            "recovered; settled, where it lasted four weeks and is the new level.",
            nullable=True,
            accepted=("recovered", "settled"),
        ),
        Column("days", "integer", "Days of the event so far.", unit="days"),
        _usd("actual_usd", "Spent on the days of the event.", nullable=False),
        _usd("expected_usd", "Expected on them by the days before the event.", nullable=False),
        _usd("excess_usd", "Actual less expected: the money so far.", nullable=False, is_signed=True),
        Column("score", "double precision", "Highest excess of a day, in robust standard deviations of its past.", unit="standard deviations"),
        Column("driver", "text", "What most of the excess of the first day comes from.", nullable=True, accepted=DRIVERS),
        Column("driver_value", "text", "Which session, user, team, model ... it is; null for price, cache, volume and size.", nullable=True),
        _usd("driver_usd", "Part of the first day's excess that it explains.", is_signed=True),
        Column("explanation", "text", "The event in one plain sentence."),
    ),
    ("scope", "scope_value", "opened_on"),
    day_column="opened_on",
)  # fmt: skip

MART_PLANNING_TABLES = (SPEND_SERIES, SPEND_FORECAST, BUDGET_STATUS, SPEND_ANOMALY)
