"""What is known of changes of models in some days, from leaderboards and from the company's own log, for people and checks.

Read from the marts with the routes and the spend that a change touches; the marts are made in `benchmarks.py` and
`behaviour.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl
import psycopg

from pipelines.config.routing import RoutingConfig
from pipelines.daily.days import Window
from pipelines.routing.exposure import with_exposure
from pipelines.warehouse.names import is_made
from pipelines.warehouse.read import read_frame, read_table
from pipelines.warehouse.tables.mart_behaviour import REQUEST_DRIFT
from pipelines.warehouse.tables.mart_benchmarks import BENCHMARK_DRIFT
from pipelines.workspace import Workspace

_SPEND = """
    select event_date, model_id, sum(effective_cost_usd)::numeric(38, 18) as effective_cost_usd
    from mart.daily_model_spend
    where event_date < %s and model_id = any(%s)
    group by event_date, model_id
"""


@dataclass(frozen=True)
class Changes:
    """Events of the leaderboards (mart.benchmark_drift) and alarms of the log (mart.request_drift), newest first.

    `compared` is how many comparisons of the log the alarms are out of.
    """

    events: pl.DataFrame
    alarms: pl.DataFrame
    compared: int


def changes_of(workspace: Workspace, window: Window, board: str | None = None) -> Changes:
    """All changes seen in the window, those of one board where it is named; each says what it touches."""
    days = (window.from_date, window.to_date)
    of_board = " and board = %s" if board else ""
    with workspace.database.connect(read_only=True) as connection:
        events = read_table(
            connection,
            BENCHMARK_DRIFT,
            "event_date >= %s and event_date < %s" + of_board,
            (*days, board) if board else days,
        )
        compared = read_table(connection, REQUEST_DRIFT, "event_date >= %s and event_date < %s", days)
        alarms = compared.filter("is_alarm")
        spend = _spend(connection, window, pl.concat([events["model_id"], alarms["model_id"]]))
    policies: RoutingConfig = workspace.config.routing
    urgency = pl.col("severity").replace_strict({"error": 0, "warn": 1, "info": 2})
    return Changes(
        with_exposure(events, policies, spend).sort(
            pl.col("event_date"), urgency, "board", "drift_class", "raw_model", descending=[True, *[False] * 4]
        ),
        with_exposure(alarms, policies, spend).sort(
            "event_date", "provider_id", "model_id", "use_case", "metric", descending=[True, *[False] * 4]
        ),
        compared.height,
    )


def _spend(connection: psycopg.Connection[Any], window: Window, models: pl.Series) -> pl.DataFrame:
    """Spend per day of the models in question; no rows before dbt has made the mart for the first time."""
    if not is_made(connection, "mart.daily_model_spend"):
        return pl.DataFrame(
            schema={"event_date": pl.Date(), "model_id": pl.String(), "effective_cost_usd": pl.Decimal(38, 18)}
        )
    return read_frame(connection, _SPEND, (window.to_date, models.drop_nulls().unique().sort().to_list()))
