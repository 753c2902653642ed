"""Step `mart.spend_anomaly`: days that were dearer than expected, as events, each with what drove it.

Which days are events is `pipelines.planning.anomalies`, what drove them `pipelines.planning.drivers`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache
from typing import Any

import polars as pl
import psycopg

from pipelines.config.allocation import FIELDS
from pipelines.daily.days import Window
from pipelines.daily.known_days import known_days
from pipelines.planning.anomalies import Event, Key, SharedExcess, events
from pipelines.planning.drivers import Driver, as_decimal, driver, explained
from pipelines.planning.series import BUDGET, FIELD_OF, Series, arrays
from pipelines.warehouse.read import read_frame, read_table
from pipelines.warehouse.replace import replace_all
from pipelines.warehouse.tables.mart_planning import SPEND_ANOMALY, SPEND_SERIES
from pipelines.workspace import Workspace

_HISTORY = timedelta(days=400)
_REFERENCE_WEEKS = 4
_CELLS = f"""
    select {", ".join(FIELDS)},
        coalesce(sum(effective_cost_usd) filter (where event_date = %(day)s), 0)::double precision
            - coalesce(sum(effective_cost_usd) filter (where event_date <> %(day)s), 0)::double precision / %(weeks)s as more
    from mart.daily_charge
    where event_date = %(day)s or event_date = any(%(reference)s)
    group by {", ".join(FIELDS)}
"""
_CHARGES = """
    select event_date = %(day)s as is_day, provider_id, model_id, service_tier, meter, team, project, application,
        (sum(quantity) / case when event_date = %(day)s then 1 else %(weeks)s end)::double precision as quantity,
        (sum(effective_cost_usd) / case when event_date = %(day)s then 1 else %(weeks)s end)::double precision as usd
    from mart.daily_charge
    where (event_date = %(day)s or event_date = any(%(reference)s)) and {condition}
    group by event_date = %(day)s, event_date, provider_id, model_id, service_tier, meter, team, project, application
"""
_CALLERS = """
    select kind, value,
        coalesce(sum(usd) filter (where event_date = %(day)s), 0)::double precision as usd,
        coalesce(sum(usd) filter (where event_date <> %(day)s), 0)::double precision / %(weeks)s as reference_usd
    from (
        select event_date, 'session' as kind, session_id as value, effective_cost_usd as usd from core.request
        where (event_date = %(day)s or event_date = any(%(reference)s)) and session_id is not null and {condition}
        union all
        select event_date, 'user', end_user_id, effective_cost_usd from core.request
        where (event_date = %(day)s or event_date = any(%(reference)s)) and end_user_id is not null and {condition}
    ) as calls
    group by kind, value
    having sum(usd) filter (where event_date = %(day)s) > 0
    order by usd desc, kind, value
    limit 40
"""


def refresh_anomalies(workspace: Workspace, window: Window) -> pl.DataFrame:
    """Judge the window's days and those after them; events that began before go on. All rows of the table."""
    with workspace.database.connect() as connection, connection.transaction():
        stored = read_table(connection, SPEND_ANOMALY)
        kept = stored.filter(pl.col("opened_on") < window.from_date)
        known = [((row["scope"], row["scope_value"]), row["opened_on"]) for row in kept.iter_rows(named=True)]
        series = _series(connection, window)
        rows = kept
        if series is not None:
            judged = events(series, window.from_date, known, shared_excess(connection, series))
            kept_events = {
                (row["scope"], row["scope_value"], row["opened_on"]): row for row in kept.iter_rows(named=True)
            }
            made = [_row(connection, series, event, kept_events) for event in judged]
            fresh = pl.DataFrame(made, schema=SPEND_ANOMALY.polars_schema, orient="row")
            # What began before the days that are looked at is over; its row stays as it is.
            rows = pl.concat([kept.join(fresh, on=SPEND_ANOMALY.primary_key, how="anti"), fresh])
        replace_all(connection, SPEND_ANOMALY, rows.sort(SPEND_ANOMALY.primary_key))
    return rows


def _series(connection: psycopg.Connection[Any], window: Window) -> Series | None:
    rows = read_table(
        connection, SPEND_SERIES, "scope <> %s and event_date >= %s", (BUDGET, window.from_date - _HISTORY)
    )
    return arrays(rows, known_days(connection, rows["event_date"]))


def shared_excess(connection: psycopg.Connection[Any], series: Series) -> SharedExcess:
    """How much of one series' excess lies in another, by the charges of the day and of the same weekday before."""

    @cache
    def cells(day: date) -> pl.DataFrame:
        return read_frame(connection, _CELLS, _days(series, day))

    def shared(day: date, one: Key, other: Key) -> float:
        mine = cells(day).filter(_within(one))
        whole, both = (float(rows["more"].sum() or 0) for rows in (mine, mine.filter(_within(other))))
        return both / whole if whole > 0 else 1.0

    return shared


def _days(series: Series, day: date) -> dict[str, Any]:
    reference = [day - timedelta(weeks=week) for week in range(1, _REFERENCE_WEEKS + 1)]
    reference = [each for each in reference if each in series.loaded]
    return {"day": day, "reference": reference, "weeks": max(len(reference), 1)}


def _within(key: Key) -> pl.Expr:
    scope, value = key
    return pl.lit(value=True) if scope not in FIELD_OF else pl.col(FIELD_OF[scope]) == value


def _row(
    connection: psycopg.Connection[Any],
    series: Series,
    event: Event,
    known: dict[tuple[str, str, date], dict[str, Any]],
) -> dict[str, Any]:
    scope, value = event.key
    actual, expected = sum(event.actual), sum(event.expected)
    before = known.get((scope, value, event.opened_on))
    if before is None:
        excess = event.actual[0] - event.expected[0]
        cause = _driver(connection, series, event, excess)
        words: dict[str, Any] = {
            "driver": cause.kind if cause else None,
            "driver_value": cause.value if cause else None,
            "driver_usd": as_decimal(cause.usd) if cause else None,
            "explanation": explained(event.key, event.opened_on, event.actual[0], event.expected[0], cause),
        }
    else:
        words = {name: before[name] for name in ("driver", "driver_value", "driver_usd", "explanation")}
    return {
        "scope": scope,
        "scope_value": value,
        "opened_on": event.opened_on,
        "last_on": event.last_on,
        "ended_on": event.ended_on,
        "ended_because": event.ended_because,
        "days": len(event.actual),
        "actual_usd": as_decimal(actual),
        "expected_usd": as_decimal(expected),
        "excess_usd": as_decimal(actual - expected),
        "score": event.score,
        **words,
    }


def _driver(connection: psycopg.Connection[Any], series: Series, event: Event, excess: float) -> Driver | None:
    scope, value = event.key
    parameters = _days(series, event.opened_on) | {"value": value}
    field = FIELD_OF.get(scope)
    charges = read_frame(connection, _CHARGES.format(condition=_condition(field)), parameters)
    callers = read_frame(connection, _CALLERS.format(condition=_condition(field, of_requests=True)), parameters)
    return driver(charges, callers, scope, excess)


def _condition(field: str | None, *, of_requests: bool = False) -> str:
    """The charges, or the requests, of a series; requests name what the charges call unattributed or unknown by null."""
    if field is None:
        return "true"
    if not of_requests:
        return f"{field} = %(value)s"
    empty = {
        "provider_id": "'unknown'",
        "model_id": "'unresolved: ' || coalesce(response_model, request_model, '(no name logged)')",
    }
    nobody = empty.get(field, "'unattributed'")
    return f"coalesce({field}, {nobody}) = %(value)s"


def open_events(rows: pl.DataFrame) -> Sequence[str]:
    """What is open, in words, most money first."""
    still = rows.filter(pl.col("ended_on").is_null()).sort("excess_usd", descending=True)
    return [
        f"{row['explanation']} Open since {row['opened_on']}, {row['excess_usd']:,.2f} USD so far."
        for row in still.iter_rows(named=True)
    ]
