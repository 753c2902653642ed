"""What a unit of use costs, and the day by end user: rows of mart.unit_cost and mart.daily_end_user_spend.

Requests come in parts; held are sums by session and end user. No sum and no square is rounded; Postgres divides.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl
import psycopg

from pipelines.config.allocation import UNATTRIBUTED
from pipelines.warehouse.read import read_frame
from pipelines.warehouse.tables.mart import DAILY_END_USER_SPEND
from pipelines.warehouse.tables.mart_economics import UNIT_COST

USE_COLUMNS = (
    "application", "team", "project", "model_id", "request_model", "response_model", "session_id", "end_user_id", "status",
    "unpriced_reason", "list_cost_usd", "effective_cost_usd",
)  # fmt: skip
"""The columns of core.request that are looked at."""

_DIMENSIONS = ("application", "team", "project", "model")
_GROUP = (*_DIMENSIONS, "session_id", "end_user_id")
_ADDED = ("requests", "priced", "successes", "cost", "unsuccessful_cost", "unpriced", "listed", "list_cost")
_SPLIT = 10**12
"""Costs, in units of the last decimal, are squared in two parts: sums of their squares don't overflow."""
_Z_SQUARED = "3.841458820694124"


class DayOfUse:
    """Sums of the requests of one day."""

    def __init__(self, day: date) -> None:
        self._day = day
        self._groups: list[pl.DataFrame] = []
        self._single: list[pl.DataFrame] = []

    def add(self, requests: pl.DataFrame) -> None:
        """Count some more requests of the day (USE_COLUMNS)."""
        cost, listed = pl.col("effective_cost_usd"), pl.col("list_cost_usd")
        is_success = cost.is_not_null() & pl.col("status").is_in(["ok", "cache_hit"])
        calls = requests.select(
            *(pl.col(name).fill_null(UNATTRIBUTED) for name in _DIMENSIONS[:-1]),
            _model().alias("model"),
            "session_id",
            "end_user_id",
            requests=pl.lit(1, pl.Int64),
            priced=cost.is_not_null().cast(pl.Int64),
            successes=is_success.cast(pl.Int64),
            cost=cost.fill_null(0),
            unsuccessful_cost=pl.when(~is_success).then(cost).fill_null(0),
            unpriced=pl.col("unpriced_reason").is_not_null().cast(pl.Int64),
            listed=listed.is_not_null().cast(pl.Int64),
            list_cost=listed.fill_null(0),
        )
        self._groups.append(_added_up(calls, *_GROUP))
        single = calls.filter(pl.col("session_id").is_null())
        self._single.append(single.group_by(_DIMENSIONS).agg(_of_clusters()))

    def sums(self) -> list[dict[str, Any]]:
        """What `DIVIDED` divides: sums by dimension and value."""
        groups = pl.concat(self._groups)
        sessions = _added_up(groups.filter(pl.col("session_id").is_not_null()), *_DIMENSIONS, "session_id")
        is_spread = sessions["session_id"].is_duplicated()
        whole = sessions.filter(~is_spread).group_by(_DIMENSIONS).agg(_of_clusters())
        clusters, spread = pl.concat([*self._single, whole]), sessions.filter(is_spread)
        users = groups.filter(pl.col("end_user_id").is_not_null())
        return [
            {"dimension": dimension, **row}
            for dimension in ("all", *_DIMENSIONS)
            for row in _of_dimension(*(_valued(frame, dimension) for frame in (clusters, spread, users)))
        ]

    @property
    def end_users(self) -> pl.DataFrame:
        """Rows of mart.daily_end_user_spend."""
        groups = pl.concat(self._groups).with_columns(pl.col("end_user_id").fill_null(UNATTRIBUTED))
        return (
            _added_up(groups, "end_user_id")
            .select(
                pl.lit(self._day).alias("event_date"),
                pl.col("end_user_id").alias("end_user"),
                "requests",
                pl.col("unpriced").alias("unpriced_requests"),
                pl.when(pl.col("listed") > 0).then("list_cost").alias("list_cost_usd"),
                pl.when(pl.col("priced") > 0).then("cost").alias("effective_cost_usd"),
            )
            .sort("end_user")
            .cast(DAILY_END_USER_SPEND.polars_schema)
        )


def divided(connection: psycopg.Connection[Any], day: date, sums: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Rows of mart.unit_cost of a day from its sums."""
    rows = read_frame(connection, _DIVIDED, {"day": day, "sums": json.dumps(sums, default=str)})
    return rows.cast(UNIT_COST.polars_schema)


def _model() -> pl.Expr:
    """The model as in staging.stg_request."""
    name = pl.coalesce("response_model", "request_model", pl.lit("(no name logged)"))
    return pl.coalesce("model_id", pl.lit("unresolved: ") + name)


def _added_up(calls: pl.DataFrame, *by: str) -> pl.DataFrame:
    return calls.group_by(by).agg(pl.col(_ADDED).sum())


def _of_clusters() -> list[pl.Expr]:
    """Sums over clusters, which are drawn on their own: sessions, and calls without one."""
    units, successes = pl.col("cost").to_physical(), pl.col("successes")
    in_session = pl.col("session_id").is_not_null()
    high = units // _SPLIT
    low = units - high * _SPLIT
    return [
        *(pl.col(name).sum() for name in ("requests", "priced", "successes", "cost", "unsuccessful_cost")),
        (in_session & (pl.col("priced") > 0)).sum().cast(pl.Int64).alias("sessions"),
        (pl.col("priced") > 0).sum().cast(pl.Int64).alias("clusters"),
        pl.col("cost").filter(in_session).sum().alias("session_cost"),
        (high * high).sum().alias("high_high"),
        (high * low).sum().alias("high_low"),
        (low * low).sum().alias("low_low"),
        (units * successes).sum().alias("cost_success"),
        (successes * successes).sum().alias("success_success"),
    ]


def _valued(frame: pl.DataFrame, dimension: str) -> pl.DataFrame:
    value = pl.lit("") if dimension == "all" else pl.col(dimension)
    return frame.with_columns(value.alias("dimension_value"))


def _of_dimension(clusters: pl.DataFrame, spread: pl.DataFrame, users: pl.DataFrame) -> Iterator[dict[str, Any]]:
    """The rows of a dimension. A session of several of its values is one cluster in each of them."""
    parts = _added_up(spread, "dimension_value", "session_id").group_by("dimension_value").agg(_of_clusters())
    together = pl.concat([clusters.select(parts.columns), parts]).group_by("dimension_value").agg(pl.all().sum())
    paying = _added_up(users, "dimension_value", "end_user_id").filter(pl.col("priced") > 0)
    counted = paying.group_by("dimension_value").agg(pl.len().alias("users"), pl.col("cost").sum().alias("user_cost"))
    for row in together.join(counted, on="dimension_value", how="left").iter_rows(named=True):
        squares = row.pop("high_high") * _SPLIT**2 + 2 * row.pop("high_low") * _SPLIT + row.pop("low_low")
        is_known = {
            "session_cost": row["sessions"] > 0,
            "cost": row["priced"] > 0,
            "unsuccessful_cost": row["priced"] > 0,
        }
        unknown = {name: None for name, known in is_known.items() if not known}
        yield {**row, **unknown, "cost_cost": f"{squares}e-36", "cost_success": f"{row['cost_success']}e-18"}


_DIVIDED = f"""
with

summed as (

    select * from jsonb_to_recordset(%(sums)s::jsonb) as sums (
        dimension text, dimension_value text, requests bigint, priced numeric, successes bigint, sessions bigint, clusters bigint,
        users bigint, cost numeric, unsuccessful_cost numeric, session_cost numeric, user_cost numeric, cost_cost numeric,
        cost_success numeric, success_success numeric
    )

),

-- Fieller: the ratios R at which (cost - R * successes)^2 is z^2 times its variance, the roots of a R^2 - 2 b R + c.
-- A variance of sums over n draws is n / (n - 1) * (sum of squares - square of the sum / n).
equation as (

    select
        *,
        successes * successes - {_Z_SQUARED} * spread * (success_success - successes * successes / clusters::numeric) as a,
        cost * successes - {_Z_SQUARED} * spread * (cost_success - cost * successes / clusters) as b,
        cost * cost - {_Z_SQUARED} * spread * (cost_cost - cost * cost / clusters) as c
    from (
        select
            *,
            case when clusters > 1 then clusters::numeric / (clusters - 1) end as spread
        from summed
    ) as spread_out

),

bounded as (

    select
        *,
        case
            when priced = 0 then 'nothing_priced'
            when successes = 0 then 'no_success'
            when clusters < 30 then 'few_sessions'
            when a <= 0 then 'few_successes'
        end as not_computed_reason
    from equation

)

select
    %(day)s::date as event_date,
    dimension,
    dimension_value,
    requests,
    (requests - priced)::bigint as unpriced_requests,
    successes,
    sessions,
    coalesce(users, 0)::bigint as users,
    cost::numeric(38, 18) as effective_cost_usd,
    unsuccessful_cost::numeric(38, 18) as unsuccessful_cost_usd,
    session_cost::numeric(38, 18) as session_cost_usd,
    user_cost::numeric(38, 18) as user_cost_usd,
    (cost / nullif(priced, 0))::numeric(38, 18) as usd_per_request,
    (1000 * cost / nullif(priced, 0))::numeric(38, 18) as usd_per_thousand_requests,
    (session_cost / nullif(sessions, 0))::numeric(38, 18) as usd_per_session,
    (user_cost / nullif(users, 0))::numeric(38, 18) as usd_per_user,
    (cost / nullif(successes, 0))::numeric(38, 18) as usd_per_success,
    case
        when not_computed_reason is null then greatest(b - sqrt(greatest(b * b - a * c, 0)), 0) / a
    end::numeric(38, 18) as usd_per_success_low,
    case
        when not_computed_reason is null then (b + sqrt(greatest(b * b - a * c, 0))) / a
    end::numeric(38, 18) as usd_per_success_high,
    not_computed_reason
from bounded
order by dimension, dimension_value
"""
