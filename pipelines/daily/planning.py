"""Steps `mart.spend_series`, `mart.spend_forecast` and `mart.budget_status`: spend by day and scope, and where it will end.

What is foreseen is `pipelines.planning`; budgets are in `budgets.yaml`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import psycopg

from pipelines.config.allocation import FIELDS
from pipelines.config.budgets import Budget, Budgets, Period
from pipelines.daily.days import Window
from pipelines.planning.budgets import AtSeller, in_usd, limit_for, status_row
from pipelines.planning.known_ahead import Announced, Known, announced_changes, as_known
from pipelines.planning.outlook import forecast_row, look_ahead
from pipelines.planning.series import BUDGET, Series, arrays, spend_series, spent, unknown_names
from pipelines.planning.spans import span_of
from pipelines.warehouse.partitions import loaded_days
from pipelines.warehouse.read import read_frame, read_table
from pipelines.warehouse.replace import replace_days
from pipelines.warehouse.tables.core import REQUEST
from pipelines.warehouse.tables.mart_planning import BUDGET_STATUS, SPEND_FORECAST, SPEND_SERIES
from pipelines.workspace import Workspace

PERIODS: tuple[Period, ...] = ("month", "quarter")
"""Periods of which every scope gets a forecast."""

_HISTORY = timedelta(days=400)
_RECENT_DAYS = 28
_BY = ", ".join(FIELDS)
_CHARGES = f"""
    select
        event_date, {_BY},
        coalesce(sum(effective_cost_usd), 0)::numeric(38, 18) as effective_cost_usd,
        coalesce(sum(quantity) filter (where meter = 'request'), 0)::bigint as requests,
        coalesce(sum(quantity) filter (where meter = 'request' and unpriced_reason is not null), 0)::bigint as unpriced_requests
    from mart.daily_charge
    where event_date = any(%(days)s)
    group by event_date, {_BY}
"""
_UNCOVERED = """
    select event_date
    from mart.spend_series
    group by event_date
    having array_agg(scope_value order by scope_value) filter (where scope = 'budget') is distinct from %(budgets)s
"""
_ANNOUNCED = """
    select price_id_before, (valid_from at time zone 'UTC')::date as valid_from, change_share, summary
    from mart.price_change
    where is_used and valid_from > %(end)s and learnt_at <= %(end)s and change_share is not null
    order by valid_from, summary
"""
_PRICED = f"""
    select
        event_date, price_id, {_BY}, coalesce(sum(effective_cost_usd), 0)::numeric(38, 18) as effective_cost_usd,
        0::bigint as requests, 0::bigint as unpriced_requests
    from mart.daily_charge
    where event_date = any(%(days)s)
    group by event_date, price_id, {_BY}
"""
_RATE = """
    select usd_per_unit
    from core.fx_rate
    where currency = %(currency)s and superseded_at is null and valid_from <= %(end)s and (valid_to is null or valid_to > %(end)s)
    order by precedence, valid_from desc
    limit 1
"""


@dataclass(frozen=True)
class Outlook:
    """The rows that a window came to."""

    forecast: pl.DataFrame
    budgets: pl.DataFrame
    unknown_names: list[str]


def refresh_spend_series(workspace: Workspace, window: Window) -> pl.DataFrame:
    """Sum the window's days, and every loaded day that was summed for other budgets than there are now; the rows written."""
    budgets = workspace.config.budgets.budgets
    with workspace.database.connect() as connection, connection.transaction():
        loaded = set(loaded_days(connection, REQUEST))
        days = sorted(loaded & ({*window.days} | _uncovered(connection, loaded, budgets)))
        charges = read_frame(connection, _CHARGES, {"days": days})
        rows = spend_series(charges, budgets)
        for stretch in Window.joined({*days, *window.days}):
            within = rows.filter(pl.col("event_date").is_between(stretch.from_date, stretch.last_day))
            replace_days(connection, SPEND_SERIES, within, stretch.from_date, stretch.to_date)
    return rows


def _uncovered(connection: psycopg.Connection[Any], loaded: set[date], budgets: Sequence[Budget]) -> set[date]:
    """Loaded days without rows, or with rows of other budgets."""
    wanted = sorted({budget.what for budget in budgets}) or None
    there = {day for (day,) in connection.execute("select distinct event_date from mart.spend_series")}
    other = {day for (day,) in connection.execute(_UNCOVERED, {"budgets": wanted})}
    return (loaded - there) | other


def refresh_outlook(workspace: Workspace, window: Window) -> Outlook:
    """Look ahead from the window's days and from every loaded day after them, which have them in their history."""
    budgets = workspace.config.budgets
    with workspace.database.connect() as connection, connection.transaction():
        loaded = loaded_days(connection, REQUEST)
        days = [day for day in loaded if day >= window.from_date]
        end = max([window.to_date, *(day + timedelta(days=1) for day in days)])
        rows = read_table(connection, SPEND_SERIES, "event_date >= %s", (window.from_date - _HISTORY,))
        forecast, status = _look_ahead(connection, rows, loaded, days, budgets)
        replace_days(connection, SPEND_FORECAST, forecast, window.from_date, end)
        replace_days(connection, BUDGET_STATUS, status, window.from_date, end)
        unknown = unknown_names(budgets.budgets, _names(connection)) if budgets.budgets else []
    return Outlook(forecast, status, unknown)


def _look_ahead(
    connection: psycopg.Connection[Any],
    rows: pl.DataFrame,
    loaded: Sequence[date],
    days: Sequence[date],
    budgets: Budgets,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    summed = set(rows["event_date"])
    known_days = [day for day in loaded if day in summed]
    scopes = arrays(rows.filter(pl.col("scope") != BUDGET), known_days)
    of_budgets = arrays(rows.filter(pl.col("scope") == BUDGET), known_days)
    currencies = {item.currency for item in budgets.budgets} | {item.currency for item in budgets.seller_limits}
    forecast: list[dict[str, Any]] = []
    status: list[dict[str, Any]] = []
    for day in days:
        recent = [each for each in loaded if each <= day][-_RECENT_DAYS:]
        announced = _announced(connection, day, recent, budgets.budgets)
        known = as_known(announced)
        if scopes is not None:
            for period in PERIODS:
                ahead = look_ahead(scopes, day, period, announced)
                forecast += [
                    forecast_row(day, key, period, one, known)
                    for key, one in zip(scopes.keys, ahead, strict=True)
                    if one.spent_usd or one.at_end()
                ]
        if of_budgets is not None:
            rates = {each: _rate(connection, each, day) for each in currencies}
            for row, standing in _of_budgets(of_budgets, scopes, day, budgets, _Known(announced, known, rates)):
                forecast.append(row)
                status.append(standing)
    return (
        pl.DataFrame(forecast, schema=SPEND_FORECAST.polars_schema, orient="row"),
        pl.DataFrame(status, schema=BUDGET_STATUS.polars_schema, orient="row"),
    )


@dataclass(frozen=True)
class _Known:
    """What is known at the end of a day besides the spend: prices announced, and what currencies are worth."""

    announced: Sequence[Announced]
    ahead: Sequence[Known]
    usd_per_unit: Mapping[str, Decimal | None]


def _of_budgets(
    series: Series, scopes: Series | None, day: date, budgets: Budgets, known: _Known
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """The rows of forecast and status of each budget."""
    by_period = {
        period: dict(zip(series.keys, look_ahead(series, day, period, known.announced), strict=True))
        for period in {budget.period for budget in budgets.budgets}
    }
    for budget in budgets.budgets:
        key = (BUDGET, budget.what)
        ahead = by_period[budget.period][key]
        own = series.rows.filter(
            (pl.col("scope_value") == budget.what) & pl.col("event_date").is_between(ahead.from_date, day)
        )
        by_day = list(own.select("event_date", "effective_cost_usd").iter_rows())
        amount = in_usd(budget.amount, known.usd_per_unit[budget.currency])
        row = forecast_row(day, key, budget.period, ahead, known.ahead) | {"scope_value": budget.budget}
        yield row, status_row(budget, amount, ahead, by_day, _at_seller(budget, budgets, scopes, day, known))


def _at_seller(budget: Budget, budgets: Budgets, scopes: Series | None, day: date, known: _Known) -> AtSeller | None:
    limit = limit_for(budget, budgets.seller_limits)
    if limit is None or scopes is None:
        return None
    first, _ = span_of(limit.period, day)
    usd, _ = spent(scopes, first, day + timedelta(days=1)).get(("seller", limit.provider_id), (Decimal(0), 0))
    return AtSeller(in_usd(limit.amount, known.usd_per_unit[limit.currency]), usd)


def _rate(connection: psycopg.Connection[Any], currency: str, day: date) -> Decimal | None:
    if currency == "USD":
        return Decimal(1)
    row = connection.execute(_RATE, {"currency": currency, "end": _end_of(day)}).fetchone()
    return row[0] if row else None


def _announced(
    connection: psycopg.Connection[Any], day: date, recent: Sequence[date], budgets: Sequence[Budget]
) -> list[Announced]:
    changes = read_frame(connection, _ANNOUNCED, {"end": _end_of(day)})
    if changes.is_empty():
        return []
    return announced_changes(changes, read_frame(connection, _PRICED, {"days": list(recent)}), len(recent), budgets)


def _names(connection: psycopg.Connection[Any]) -> dict[str, Sequence[str]]:
    """Every value of each field that a budget may name."""
    return {
        field: [
            value
            for (value,) in connection.execute(f"select distinct {field} from mart.daily_charge order by 1".encode())
        ]
        for field in FIELDS
    }


def _end_of(day: date) -> datetime:
    return datetime.combine(day, time.max, UTC)
