"""The month of a projection: added up from kept days, equal to asking about its requests, and healed where days were never kept."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import psycopg
import pytest
from pydantic import SecretStr

from pipelines.config import load_config
from pipelines.config.routing import RoutingConfig
from pipelines.daily import Window, project_routing
from pipelines.daily.routing import ask
from pipelines.routing.what_if import Question
from pipelines.settings import Settings
from pipelines.warehouse.database import Database
from pipelines.warehouse.read import read_table
from pipelines.warehouse.replace import replace_all, replace_days
from pipelines.warehouse.tables.core import REQUEST
from pipelines.warehouse.tables.core_prices import RATE_CARD
from pipelines.warehouse.tables.core_routing import ROUTING_COST, ROUTING_TRAFFIC
from pipelines.warehouse.tables.mart_routing import ROUTING_MONTH, ROUTING_PROJECTION
from pipelines.workspace import Workspace
from tests.unit.routing.test_projection import HYBRID, policies
from tests.unit.routing.traffic import CHEAP, STRONG, TUNED, rate_card, request, requests

FIRST, LAST = date(2026, 2, 1), date(2026, 2, 3)
NOWHERE = ("nowhere", "unknown-model")


def month_of_requests() -> pl.DataFrame:
    """Three days: sessions and caches, a model that ran on one day only, a request without a price, one that can't be routed."""
    rows, number = [], 0
    for day in range(1, 4):
        for turn in range(6):
            number += 1
            at = datetime(2026, 2, day, 23, 50, tzinfo=UTC) + timedelta(minutes=turn)
            rows.append(
                request(
                    number,
                    (STRONG, CHEAP, NOWHERE if day == 2 else TUNED)[turn % 3],
                    event_date=at.date(),
                    event_at=at,
                    session_id=f"s{day}" if turn < 5 else None,
                    input_cache_read_tokens=100 * turn,
                    application="search" if turn % 2 else None,
                    operation="embeddings" if number == 7 else "chat",
                )
            )
    return requests(*rows)


@pytest.fixture
def workspace(database: Database) -> Workspace:
    with database.connect() as connection:
        replace_days(connection, REQUEST, month_of_requests(), FIRST, LAST + timedelta(days=1))
        replace_all(connection, RATE_CARD, rate_card())
    config = replace(load_config(None), routing=policies(*HYBRID, baselines=("actual", "all_closed")))
    return Workspace(Settings(database_url=SecretStr("postgresql://unused")), config, database)


def stored(workspace: Workspace, table: Any) -> pl.DataFrame:
    with workspace.database.connect() as connection:
        return read_table(connection, table).sort(*table.primary_key)


def comparable(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows in one order, without what differs between day and month, JSON written alike."""
    alike = pl.col("assumptions", "waterfall", "quality_by_use_case").map_elements(
        lambda text: json.dumps(json.loads(text), sort_keys=True), pl.String
    )
    rows = frame.drop("event_date", "month", "through", "days", strict=False).with_columns(alike)
    return rows.sort("policy", "baseline", "arm")


def test_a_month_is_what_asking_about_its_requests_gives(workspace: Workspace) -> None:
    for day in (FIRST, date(2026, 2, 2), LAST):
        project_routing(workspace, Window.of_day(day))
    month = stored(workspace, ROUTING_MONTH)
    asked = ask(workspace, Window(FIRST, LAST + timedelta(days=1)), Question()).projection
    assert comparable(month).equals(comparable(asked))
    assert month.select("month", "through", "days").unique().rows() == [(FIRST, LAST, 3)]


def test_the_money_of_a_month_is_that_of_its_days_and_its_interval_is_its_own(workspace: Workspace) -> None:
    project_routing(workspace, Window(FIRST, LAST + timedelta(days=1)))
    days, month = stored(workspace, ROUTING_PROJECTION), stored(workspace, ROUTING_MONTH)
    keys = ["policy", "baseline", "arm"]
    summed = days.filter(method="policy").group_by(keys).agg(pl.col("projected_cost_usd", "requests").sum())
    both = month.filter(method="policy").join(summed, on=keys, suffix="_of_days")
    assert both.height == 8
    assert both["projected_cost_usd"].to_list() == both["projected_cost_usd_of_days"].to_list()
    width = pl.col("saving_share_high_95") - pl.col("saving_share_low_95")
    of_days = days.filter(arm="total", baseline="actual").select(width.mean()).item()
    assert month.filter(arm="total", baseline="actual").select(width).item() != pytest.approx(of_days, abs=1e-6)


def test_a_day_that_was_never_kept_is_added_up_and_a_changed_policy_adds_up_all(workspace: Workspace) -> None:
    project_routing(workspace, Window(FIRST, LAST + timedelta(days=1)))
    whole = stored(workspace, ROUTING_MONTH)
    with workspace.database.connect() as connection:
        connection.execute("delete from core.routing_traffic where event_date = '2026-02-02'")
        connection.execute("update core.routing_cost set output = 0 where event_date = '2026-02-02'")
    project_routing(workspace, Window.of_day(LAST))
    assert stored(workspace, ROUTING_MONTH).equals(whole)
    other = RoutingConfig.model_validate(
        workspace.config.routing.model_dump() | {"candidates": [{"provider_id": "groq", "model_id": "new"}]}
    )
    changed = Workspace(workspace.settings, replace(workspace.config, routing=other), workspace.database)
    project_routing(changed, Window.of_day(LAST))
    assert stored(changed, ROUTING_TRAFFIC)["config_id"].n_unique() == 1
    assert stored(changed, ROUTING_COST).filter(model_id="new")["not_priced"].unique().to_list() == ["no_price"]


def test_a_month_that_fails_costs_no_day(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: Any) -> Any:
        raise psycopg.errors.UndefinedTable("what a row held")

    monkeypatch.setattr("pipelines.daily.routing.kept_traffic", failing)
    done = project_routing(workspace, Window.of_day(FIRST))
    assert done.routed.projection.height > 0
    assert stored(workspace, ROUTING_PROJECTION).height == done.rows["mart.routing_projection"]
    (problem,) = done.problems
    assert problem.startswith("month of 2026-02-01: psycopg.errors.UndefinedTable")
    assert "what a row held" not in problem
