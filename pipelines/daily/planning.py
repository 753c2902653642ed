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
from pipelines.config.budgets import Budget, Budgets, Period, SellerLimit
from pipelines.config.commitments import Commitments
from pipelines.daily.days import Window
from pipelines.daily.known_days import known_days
from pipelines.planning.budgets import AtSeller, in_usd, limit_for, status_row
from pipelines.planning.commitments_ahead import Standing, commitment_effects, ends_ahead
from pipelines.planning.known_ahead import Announced, Key, Known, announced_changes, as_known
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
    having array_agg(scope_value order by scope_value collate "C") filter (where scope = 'budget') is distinct from %(budgets)s
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
_STANDING = """
    select
        commitment_id,
        case when bool_and(purchased_usd is not null and covered_usd is not null) then avg(purchased_usd - covered_usd) end,
        avg(used_usd),
        (array_agg(balance_usd order by event_date desc))[1],
        (array_agg(expiring_usd order by event_date desc))[1]
    from mart.commitment_day
    where event_date > %(day)s::date - 28 and event_date <= %(day)s
    group by commitment_id
"""
_SO_FAR = """
    select provider_id, case when bool_and(covered_usd is not null) then sum(effective_cost_usd) - sum(covered_usd) end
    from mart.commitment_usage
    where event_date >= %(from)s and event_date <= %(day)s
    group by provider_id
"""
_STATED = """
    select provider_id, period, amount, currency
    from (
        select distinct on (provider_id, period) *
        from core.seller_limit
        where kind = 'limit' and scope = 'organization' and observed_at <= %(end)s
        order by provider_id, period, observed_at desc
    ) as newest
    where amount > 0 and is_enforced is not false
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
    """Look ahead from the window's days and from every known day after them, which have them in their history."""
    budgets, commitments = workspace.config.budgets, workspace.config.commitments
    with workspace.database.connect() as connection, connection.transaction():
        rows = read_table(connection, SPEND_SERIES, "event_date >= %s", (window.from_date - _HISTORY,))
        known = known_days(connection, rows["event_date"])
        days = [day for day in known if day >= window.from_date]
        end = max([window.to_date, *(day + timedelta(days=1) for day in days)])
        forecast, status = _look_ahead(connection, arrays_of(rows, known), days, budgets, commitments)
        replace_days(connection, SPEND_FORECAST, forecast, window.from_date, end)
        replace_days(connection, BUDGET_STATUS, status, window.from_date, end)
        unknown = _unknown_names(connection, budgets.budgets, window.from_date)
    return Outlook(forecast, status, unknown)


@dataclass(frozen=True)
class Arrays:
    """The series of scopes, and those of what budgets are for; None if there are none."""

    scopes: Series | None
    budgets: Series | None


def arrays_of(rows: pl.DataFrame, days: Sequence[date]) -> Arrays:
    """Rows of mart.spend_series as arrays, over the days whose spend is known."""
    is_budget = pl.col("scope") == BUDGET
    return Arrays(arrays(rows.filter(~is_budget), days), arrays(rows.filter(is_budget), days))


def _look_ahead(
    connection: psycopg.Connection[Any],
    series: Arrays,
    days: Sequence[date],
    budgets: Budgets,
    commitments: Commitments,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    forecast: list[dict[str, Any]] = []
    status: list[dict[str, Any]] = []
    scopes = series.scopes
    for day in days:
        if scopes is None:
            continue
        announced = _announced(connection, day, scopes, budgets.budgets)
        forecast += _of_scopes(connection, scopes, day, announced, commitments)
        if series.budgets is not None:
            known_limits = _with_stated(connection, day, budgets)
            currencies = {item.currency for item in budgets.budgets}
            currencies |= {item.currency for item in known_limits.seller_limits}
            rates = {each: _rate(connection, each, day) for each in currencies}
            known = _Known(announced, as_known(announced), rates)
            for row, standing in _of_budgets(series.budgets, scopes, day, known_limits, known):
                forecast.append(row)
                status.append(standing)
    return (
        pl.DataFrame(forecast, schema=SPEND_FORECAST.polars_schema, orient="row"),
        pl.DataFrame(status, schema=BUDGET_STATUS.polars_schema, orient="row"),
    )


def _of_scopes(
    connection: psycopg.Connection[Any],
    series: Series,
    day: date,
    announced: Sequence[Announced],
    commitments: Commitments,
) -> Iterator[dict[str, Any]]:
    """The rows of forecast of every scope that has spent anything, or will."""
    standing = {}
    if commitments.declared:
        standing = {name: Standing(*rest) for name, *rest in connection.execute(_STANDING, {"day": day}).fetchall()}
    known = sorted(
        [*as_known(announced), *ends_ahead(commitments, day, standing)], key=lambda item: (item.on, item.what)
    )
    for period in PERIODS:
        from_date, to_date = span_of(period, day)
        effects: dict[Key, Decimal | None] = {}
        if commitments.declared:
            so_far = dict(connection.execute(_SO_FAR, {"from": from_date, "day": day}).fetchall())
            effects = commitment_effects(commitments, day, to_date, so_far, standing)
        for key, ahead in zip(series.keys, look_ahead(series, day, period, announced), strict=True):
            if ahead.spent_usd or ahead.at_end():
                yield forecast_row(key, period, ahead, known, _rounded(effects.get(key)))


def _rounded(usd: Decimal | None) -> Decimal | None:
    return None if usd is None else Decimal(f"{usd:.6f}")


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
        row = forecast_row(key, budget.period, ahead, known.ahead) | {"scope_value": budget.budget}
        yield row, status_row(budget, amount, ahead, by_day, _at_seller(budget, budgets, scopes, day, known))


def _at_seller(budget: Budget, budgets: Budgets, scopes: Series | None, day: date, known: _Known) -> AtSeller | None:
    limit = limit_for(budget, budgets.seller_limits)
    if limit is None or scopes is None:
        return None
    first, _ = span_of(limit.period, day)
    usd, _ = spent(scopes, first, day + timedelta(days=1)).get(("seller", limit.provider_id), (Decimal(0), 0))
    return AtSeller(in_usd(limit.amount, known.usd_per_unit[limit.currency]), usd)


def _with_stated(connection: psycopg.Connection[Any], day: date, budgets: Budgets) -> Budgets:
    """The budgets with the limits that sellers had stated by the end of a day, where budgets.yaml states none for the same period."""
    own = {(limit.provider_id, limit.period) for limit in budgets.seller_limits}
    stated = [
        SellerLimit(provider_id=seller, period=period, amount=amount, currency=currency)
        for seller, period, amount, currency in connection.execute(_STATED, {"end": _end_of(day)})
        if (seller, period) not in own
    ]
    return budgets.model_copy(update={"seller_limits": (*budgets.seller_limits, *stated)})


def _rate(connection: psycopg.Connection[Any], currency: str, day: date) -> Decimal | None:
    if currency == "USD":
        return Decimal(1)
    row = connection.execute(_RATE, {"currency": currency, "end": _end_of(day)}).fetchone()
    return row[0] if row else None


def _announced(
    connection: psycopg.Connection[Any], day: date, series: Series, budgets: Sequence[Budget]
) -> list[Announced]:
    recent = sorted(each for each in series.loaded if each <= day)[-_RECENT_DAYS:]
    changes = read_frame(connection, _ANNOUNCED, {"end": _end_of(day)})
    if changes.is_empty():
        return []
    return announced_changes(changes, read_frame(connection, _PRICED, {"days": recent}), len(recent), budgets)


def _unknown_names(connection: psycopg.Connection[Any], budgets: Sequence[Budget], since: date) -> list[str]:
    """Budgets that name what no charge has. Most names are found on the days since; all charges are read for what is not."""
    unknown: list[str] = []
    for first in (since, date.min):
        unknown = unknown_names(budgets, _names(connection, budgets, first))
        if not unknown:
            break
    return unknown


def _names(connection: psycopg.Connection[Any], budgets: Sequence[Budget], since: date) -> dict[str, Sequence[str]]:
    """Every value that charges since a day have of each field that a budget names."""
    values = "select distinct {} from mart.daily_charge where event_date >= %s order by 1"
    return {
        field: [value for (value,) in connection.execute(values.format(field).encode(), [since])]
        for field in FIELDS
        if any(field in budget.when for budget in budgets)
    }


def _end_of(day: date) -> datetime:
    return datetime.combine(day, time.max, UTC)
