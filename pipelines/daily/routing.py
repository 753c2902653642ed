"""Step `mart.routing_projection` and `mart.routing_frontier`: the window's requests under every routing policy, and the cheapest of all.

The projection itself is `pipelines.routing`; policies come from `routing.yaml`.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import polars as pl

from pipelines.daily.days import Window
from pipelines.routing import Routed, project
from pipelines.routing.what_if import Question, what_if
from pipelines.warehouse.read import read_table
from pipelines.warehouse.replace import replace_days
from pipelines.warehouse.tables.core import REQUEST
from pipelines.warehouse.tables.core_benchmarks import BENCHMARK_SCORE
from pipelines.warehouse.tables.core_prices import RATE_CARD
from pipelines.warehouse.tables.mart import ROUTING_FRONTIER, ROUTING_PROJECTION
from pipelines.workspace import Workspace


def project_routing(workspace: Workspace, window: Window) -> Routed:
    """Project every policy on the window's days and replace their rows in both tables."""
    requests, rate_card, scores = _read(workspace, window)
    config = workspace.config
    found = project(
        requests, rate_card, config.routing, scores, evidence=config.evidence, calendars=config.calendars.days
    )
    with workspace.database.connect() as connection, connection.transaction():
        replace_days(connection, ROUTING_PROJECTION, found.projection, window.from_date, window.to_date)
        replace_days(connection, ROUTING_FRONTIER, found.frontier, window.from_date, window.to_date)
    return found


def ask(workspace: Workspace, window: Window, question: Question) -> Routed:
    """One policy, with what the question changes, on all traffic of the window together; nothing is stored.

    The rows bear the window's last day. Raises QuestionError.
    """
    requests, rate_card, scores = _read(workspace, window)
    config = workspace.config
    policies, evidence, cards = what_if(question, config.routing, config.evidence, rate_card)
    together = requests.with_columns(pl.lit(window.to_date - timedelta(days=1)).alias("event_date"))
    return project(together, cards, policies, scores, evidence=evidence, calendars=config.calendars.days)


def _read(workspace: Workspace, window: Window) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """The window's requests, all rate cards, and the scores that were believed at some time of the window."""
    with workspace.database.connect() as connection:
        requests = read_table(
            connection, REQUEST, "event_date >= %s and event_date < %s", (window.from_date, window.to_date)
        )
        rate_card = read_table(connection, RATE_CARD)
        # Each day is judged by what was believed at its end, so superseded scores are needed too.
        scores = read_table(
            connection,
            BENCHMARK_SCORE,
            "observed_at < %s and (superseded_at is null or superseded_at >= %s)",
            (_midnight(window.to_date), _midnight(window.from_date)),
        )
    return requests, rate_card, scores


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
