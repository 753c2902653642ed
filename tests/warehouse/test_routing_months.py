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
from pipelines.config.selfhost import SelfHost
from pipelines.daily import Window, project_routing
from pipelines.daily.routing import ask, find_measure_next
from pipelines.retention.tables import prune_routing_sums
from pipelines.routing.kept import kept_traffic
from pipelines.routing.projection import hours_of
from pipelines.routing.what_if import Question
from pipelines.settings import Settings
from pipelines.warehouse.database import Database
from pipelines.warehouse.read import read_table
from pipelines.warehouse.replace import replace_all, replace_days
from pipelines.warehouse.tables.core import REQUEST
from pipelines.warehouse.tables.core_prices import RATE_CARD
from pipelines.warehouse.tables.core_routing import ROUTING_COST, ROUTING_TRAFFIC
from pipelines.warehouse.tables.mart_routing import ROUTING_MONTH, ROUTING_PROJECTION
from pipelines.warehouse.tables.selfhost import GPU_PRICE, HOURLY_DEMAND
from pipelines.workspace import Workspace
from tests.unit.routing.test_projection import HYBRID, policies
from tests.unit.routing.traffic import CHEAP, STRONG, TUNED, rate_card, request, requests
from tests.unit.selfhost.markets import MODEL
from tests.unit.selfhost.test_gpu_prices import gpu_ledger, stated

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


def test_a_day_whose_records_were_all_dropped_is_no_day_whose_requests_were_removed(workspace: Workspace) -> None:
    with workspace.database.connect() as connection:
        connection.execute("insert into raw.loaded_file values ('2026-02-04', gen_random_uuid(), 0)")
    project_routing(workspace, Window.of_day(LAST))
    month = stored(workspace, ROUTING_MONTH)
    assert month.select("month", "through", "days").unique().rows() == [(FIRST, LAST, 3)]


def test_the_money_of_a_month_is_that_of_its_days_and_its_interval_is_its_own(workspace: Workspace) -> None:
    project_routing(workspace, Window(FIRST, LAST + timedelta(days=1)))
    days, month = stored(workspace, ROUTING_PROJECTION), stored(workspace, ROUTING_MONTH)
    keys = ["policy", "baseline", "arm"]
    summed = days.filter(method="policy").group_by(keys).agg(pl.col("central_cost_usd", "requests").sum())
    both = month.filter(method="policy").join(summed, on=keys, suffix="_of_days")
    assert both.height == 8
    assert both["central_cost_usd"].to_list() == both["central_cost_usd_of_days"].to_list()
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


def test_sums_that_were_removed_change_no_month(workspace: Workspace) -> None:
    """They are removed by whole months and made again of the requests; without either the month stays as it is, and says so."""
    project_routing(workspace, Window(FIRST, LAST + timedelta(days=1)))
    whole, kept = stored(workspace, ROUTING_MONTH), stored(workspace, ROUTING_COST)

    def prune(before: date) -> int:
        with workspace.database.connect() as connection:
            return prune_routing_sums(connection, before).count

    assert prune(date(2026, 2, 28)) == 0, "a month is added up from all its days"
    assert prune(date(2026, 3, 1)) > kept.height
    assert project_routing(workspace, Window.of_day(LAST)).problems == []
    assert stored(workspace, ROUTING_MONTH).equals(whole)
    assert stored(workspace, ROUTING_COST).equals(kept)

    # Requests of the first day are gone, its sums are not: they are enough.
    with workspace.database.connect() as connection:
        connection.execute(
            "insert into raw.loaded_file select event_date, gen_random_uuid(), count(*) from core.request group by event_date"
        )
        replace_days(connection, REQUEST, REQUEST.empty(), FIRST, FIRST + timedelta(days=1))
    assert project_routing(workspace, Window.of_day(LAST)).problems == []
    assert stored(workspace, ROUTING_MONTH).equals(whole)

    # Both are gone.
    assert prune(date(2026, 3, 1)) > 0
    (problem,) = project_routing(workspace, Window.of_day(LAST)).problems
    assert problem == "month of 2026-02-01: it stays as it was, since the requests of 1 of its days were removed"
    assert stored(workspace, ROUTING_MONTH).equals(whole)


def test_a_day_and_its_month_are_the_same_whichever_days_are_projected_with_it(workspace: Workspace) -> None:
    """Machines of one's own, whose price is another each day."""
    line = {"deployment": "d", "engine": "vllm", "model": MODEL, "gpu": "h100", "precision": "fp8", "term": "spot"}
    ceiling = {"tokens_per_second": 100_000, "source": "own benchmark"}
    arms = [
        {"arm": "own", "provider_id": "vllm", "model_id": "m", "share": "0.5", "deployment": "d", "ceiling": ceiling},
        {"arm": "strong", "provider_id": STRONG[0], "model_id": STRONG[1], "share": "0.5"},
    ]
    policy = {"policy": "own", "baselines": ["actual"], "arms": arms}
    config = replace(
        workspace.config,
        routing=RoutingConfig.model_validate({"baselines": [{"baseline": "actual"}], "policies": [policy]}),
        selfhost=SelfHost.model_validate({"deployments": [line]}),
    )
    days = [FIRST, date(2026, 2, 2), LAST]
    prices = gpu_ledger([stated(usd, on) for on, usd in zip(days, "123", strict=True)])
    with workspace.database.connect() as connection:
        replace_all(connection, GPU_PRICE, prices)
        replace_days(connection, HOURLY_DEMAND, hours_of(month_of_requests()), FIRST, LAST + timedelta(days=1))
    own = Workspace(workspace.settings, config, workspace.database)
    for day in reversed(days):
        project_routing(own, Window.of_day(day))
    alone = [stored(own, table) for table in (ROUTING_PROJECTION, ROUTING_MONTH)]
    project_routing(own, Window(FIRST, LAST + timedelta(days=1)))
    together = [stored(own, table) for table in (ROUTING_PROJECTION, ROUTING_MONTH)]
    costs = alone[0].filter(arm="own", method="policy").sort("event_date")["projected_cost_usd"]
    assert costs.to_list() == [24, 48, 72]
    assert alone[1].filter(arm="own", method="policy")["projected_cost_usd"].to_list() == [3 * 72]
    assert [frame.equals(other) for frame, other in zip(alone, together, strict=True)] == [True, True]


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


def test_what_to_measure_next_needs_the_cost_of_no_other_models(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    project_routing(workspace, Window.of_day(FIRST))
    found, problems = find_measure_next(workspace)
    assert found.height > 0
    monkeypatch.setattr(
        "pipelines.daily.routing.kept_traffic", lambda connection, days, _: kept_traffic(connection, days)
    )
    whole, _ = find_measure_next(workspace)
    assert (problems, found.equals(whole)) == ([], True)
