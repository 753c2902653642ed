"""Step `mart.routing_projection` and `mart.routing_frontier`: the window's requests under every routing policy, and the cheapest of all.

The projection itself is `pipelines.routing`; policies come from `routing.yaml`.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from pipelines.daily.days import Window
from pipelines.routing import Routed, project
from pipelines.warehouse.read import read_table
from pipelines.warehouse.replace import replace_days
from pipelines.warehouse.tables.core import REQUEST
from pipelines.warehouse.tables.core_benchmarks import BENCHMARK_SCORE
from pipelines.warehouse.tables.core_prices import RATE_CARD
from pipelines.warehouse.tables.mart import ROUTING_FRONTIER, ROUTING_PROJECTION
from pipelines.workspace import Workspace


def project_routing(workspace: Workspace, window: Window) -> Routed:
    """Project every policy on the window's days and replace their rows in both tables."""
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
    config = workspace.config
    found = project(
        requests, rate_card, config.routing, scores, evidence=config.evidence, calendars=config.calendars.days
    )
    with workspace.database.connect() as connection, connection.transaction():
        replace_days(connection, ROUTING_PROJECTION, found.projection, window.from_date, window.to_date)
        replace_days(connection, ROUTING_FRONTIER, found.frontier, window.from_date, window.to_date)
    return found


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
