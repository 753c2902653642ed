"""What logs state of a day, made from requests in parts, against SQL over the same requests in a database."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import psycopg
import pytest
from pydantic import SecretStr

from pipelines.books.logged import LoggedDay
from pipelines.daily import Window, refresh_logged_costs
from pipelines.meters import TOKEN_METERS
from pipelines.settings import Settings
from pipelines.warehouse.database import Database
from pipelines.warehouse.read import read_frame
from pipelines.warehouse.replace import replace_days
from pipelines.warehouse.tables.core import REQUEST
from pipelines.warehouse.tables.core_prices import RATE_CARD
from pipelines.warehouse.tables.mart_logged import UNPRICED_NAME
from pipelines.workspace import open_workspace
from tests.warehouse import rows

_TOKENS = " + ".join(f"{meter.tokens_column}::bigint" for meter in TOKEN_METERS)
_COMPARED = """
    select
        provider_id, model_id, count(*) as requests,
        count(*) filter (where abs(reported_cost_usd - effective_cost_usd) > 0.0000005) as differing_requests,
        sum(reported_cost_usd)::numeric(38, 18) as reported_cost_usd, sum(effective_cost_usd)::numeric(38, 18) as effective_cost_usd
    from core.request
    where num_nonnulls(provider_id, model_id, reported_cost_usd, effective_cost_usd) = 4
    group by provider_id, model_id
    order by provider_id, model_id
"""
_SAMPLED = """
    with numbered as (
        select
            provider_id, model_id, reported_cost_usd, effective_cost_usd,
            row_number() over (partition by provider_id, model_id order by request_uid) as number,
            abs(sum(reported_cost_usd - effective_cost_usd) over (partition by provider_id, model_id)) as apart
        from core.request
        where num_nonnulls(provider_id, model_id) = 2 and abs(reported_cost_usd - effective_cost_usd) > 0.0000005
    ),
    dearest as (select provider_id, model_id from numbered where number = 1 order by apart desc, provider_id, model_id limit 20)
    select
        provider_id, model_id, count(*) as requests, sum(reported_cost_usd)::numeric(38, 18) as reported_cost_usd,
        sum(effective_cost_usd)::numeric(38, 18) as effective_cost_usd
    from numbered
    join dearest using (provider_id, model_id)
    where number <= 40
    group by provider_id, model_id
    order by provider_id, model_id
"""
_NAMES = f"""
    select
        unpriced_reason as reason, source, coalesce(response_model, request_model, '') as raw_name,
        case when coalesce(response_model, request_model) is null then '' else coalesce(provider_id, '') end as provider_id,
        coalesce(model_id, '') as model_id, count(*) as requests, sum({_TOKENS})::bigint as tokens,
        sum(reported_cost_usd)::numeric(38, 18) as reported_cost_usd,
        (coalesce(sum(reported_cost_usd), 0) + sum(case when reported_cost_usd is null then {_TOKENS} else 0 end) * (
            select sum(effective_cost_usd) / sum({_TOKENS}) from core.request where effective_cost_usd is not null and is_billable
        ))::numeric(38, 18) as at_risk_usd
    from core.request
    where unpriced_reason is not null
    group by 1, 2, 3, 4, 5
    order by 1, 2, 3, 4, 5
"""


def drawn(count: int) -> pl.DataFrame:
    """Requests of one day on 11 models of two sellers: logged and not, alike and apart, priced, free and unpriced, named and nameless."""
    draw = random.Random(15)
    midnight = datetime.combine(rows.DAY, datetime.min.time(), UTC)
    found: list[dict[str, Any]] = []
    for number in range(count):
        cost = Decimal(draw.randrange(1, 10**9)).scaleb(-9)
        made = rows.request(f"drawn/{number}", midnight + timedelta(seconds=number), cost)
        if draw.random() < 0.2:
            made |= dict.fromkeys(("list_cost_usd", "contracted_cost_usd", "effective_cost_usd"))
            made["unpriced_reason"] = draw.choice(["no_price", "model_unresolved"])
        elif draw.random() < 0.1:
            made |= {"is_billable": False, "list_cost_usd": 0, "contracted_cost_usd": 0, "effective_cost_usd": 0}
        found.append({
            **made,
            "provider_id": draw.choice(["acme", "other", None]),
            "model_id": draw.choice([f"m{draw.randrange(11)}"] * 3 + [None]),
            "request_model": draw.choice(["asked", None]),
            "response_model": draw.choice(["answered", None, None]),
            "source": draw.choice(["gateway", "app"]),
            "input_uncached_tokens": draw.randrange(2**31 - 1),
            "output_text_tokens": draw.randrange(2**31 - 1),
            "reported_cost_usd": draw.choice(
                [None, made["effective_cost_usd"], cost + 1, cost + 2, cost + Decimal("0.0000005")]
            ),
        })  # fmt: skip
    return rows.frame(REQUEST, found)


@pytest.fixture
def connection(database: Database) -> Any:
    with database.connect() as connection:
        yield connection


@pytest.mark.slow
def test_parts_in_any_order_give_what_sql_finds_in_the_whole_day(connection: psycopg.Connection[Any]) -> None:
    requests = drawn(8000)
    replace_days(connection, REQUEST, requests, rows.DAY, rows.DAY + timedelta(days=1))
    found = LoggedDay(rows.DAY)
    for part in requests.sample(fraction=1, shuffle=True, seed=15).iter_slices(1700):
        found.add(part)

    compared = read_frame(connection, _COMPARED)
    assert (compared["differing_requests"] > 40).sum() > 20
    assert found.costs.filter(pl.col("requests") > 0).drop("event_date").equals(compared)

    sampled = read_frame(connection, _SAMPLED)
    assert sampled["requests"].to_list() == [40] * 20
    reasons = found.differences(RATE_CARD.empty())
    sums = reasons.group_by("provider_id", "model_id").agg(
        pl.col("requests", "reported_cost_usd", "effective_cost_usd").sum()
    )
    assert sums.sort("provider_id", "model_id").equals(sampled)

    names = read_frame(connection, _NAMES)
    at_risk = names["at_risk_usd"].cast(pl.Decimal(38, 9))  # the server's quotient has fewer digits than ours
    own = found.names.sort(UNPRICED_NAME.primary_key)
    assert own.drop("event_date", "at_risk_usd").equals(names.drop("at_risk_usd"))
    assert (own["at_risk_usd"].cast(pl.Decimal(38, 9)) - at_risk).abs().max() <= Decimal("1e-9")


def test_a_loaded_day_that_was_never_compared_is_made_up_for(database: Database, tmp_path: Any) -> None:
    """As after an upgrade: the page of an old day would say that no gateway logged a cost."""
    settings = Settings(
        home=tmp_path, landing=tmp_path, database_url=SecretStr(database.url.render_as_string(hide_password=False))
    )
    with open_workspace(settings) as workspace, workspace.database.connect() as connection:
        days = [rows.DAY, rows.DAY + timedelta(days=1)]
        for day in days:
            replace_days(connection, REQUEST, rows.requests(3, day=day), day, day + timedelta(days=1))
        refresh_logged_costs(workspace, Window.of_day(days[1]))
        made = "select event_date, provider_id, model_id, requests from mart.logged_cost order by event_date"
        assert connection.execute(made).fetchall() == [(day, "unknown", "claude-sonnet-4-5", 0) for day in days]
