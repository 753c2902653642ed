"""Writes traffic as rows of core.routing_traffic and core.routing_cost, and reads it back, so that a month is added
up without its requests."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

import polars as pl
import psycopg

from pipelines.routing.arm_costs import GROUP, ArmCost, Offer
from pipelines.routing.traffic import KIND, Halves, Traffic
from pipelines.warehouse.read import read_frame
from pipelines.warehouse.tables import Table
from pipelines.warehouse.tables.core_routing import PARTS, ROUTING_COST, ROUTING_TRAFFIC

_DAYS = "event_date = any(%(days)s)"
_CURRENT = """
    select event_date from core.routing_traffic
    where event_date >= %s and event_date < %s group by event_date having bool_and(config_id = %s)
"""
_TRAFFIC = f"""
    select is_priced, {", ".join(KIND)}, left_out, sum(requests)::bigint as requests,
        sum(actual_usd)::numeric(38, 18) as actual
    from core.routing_traffic where {_DAYS}
    group by is_priced, {", ".join(KIND)}, left_out
"""
_COST = f"""
    select is_priced, provider_id, model_id, ran_model_id, is_loop, lane, bucket, not_priced,
        sum(requests)::bigint as requests, {", ".join(f"sum({part})::numeric(38, 18) as {part}" for part in PARTS)}
    from core.routing_cost where {_DAYS} {{only}}
    group by is_priced, provider_id, model_id, ran_model_id, is_loop, lane, bucket, not_priced
"""
_ONLY = "and (provider_id, model_id) in (select * from unnest(%(sellers)s::text[], %(models)s::text[]))"
_ON_ALL_DAYS = f"""
    with busy as (
        select is_priced, count(distinct event_date) as days from core.routing_traffic
        where {_DAYS} and left_out = '' group by is_priced
    )
    select is_priced, provider_id, model_id from core.routing_cost join busy using (is_priced) where {_DAYS}
    group by is_priced, provider_id, model_id, days having count(distinct event_date) = days
"""


def rows_of(halves: Halves, on: date, config_id: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows of core.routing_traffic and core.routing_cost."""
    counted = pl.concat(
        [
            half.counts.with_columns(left_out=pl.lit(""), is_priced=pl.lit(is_priced))
            for is_priced, half in _by_price(halves)
        ]
    ).rename({"actual": "actual_usd"})
    left_out = pl.DataFrame(
        [{"left_out": reason, "requests": number} for reason, number in halves.priced.left_out.items()],
        schema={"left_out": pl.String(), "requests": pl.Int64()},
    ).with_columns(
        *(pl.lit("").alias(name) for name in ("provider_id", "model_id", "lane", "use_case")),
        is_priced=pl.lit(value=True),
        is_loop=pl.lit(value=False),
        bucket=pl.lit(0),
        actual_usd=pl.lit(0),
    )
    traffic = pl.concat([_shaped(frame, ROUTING_TRAFFIC, on, config_id=config_id) for frame in (counted, left_out)])
    costs = [
        _cost_rows(cost, offer, is_priced=is_priced)
        for is_priced, half in _by_price(halves)
        for offer, cost in half.costs.items()
    ]
    return traffic, pl.concat([ROUTING_COST.empty(), *(_shaped(frame, ROUTING_COST, on) for frame in costs)])


def kept_days(connection: psycopg.Connection[Any], first: date, until: date, config_id: str) -> list[date]:
    """The days of [first, until) that were added up as today's configuration would."""
    return [day for (day,) in connection.execute(_CURRENT, (first, until, config_id)).fetchall()]


def kept_traffic(
    connection: psycopg.Connection[Any], days: Sequence[date], offers: Collection[Offer] | None = None
) -> Halves:
    """The traffic of some days together, with its cost on `offers` (None: on all that may serve it), by far the most of its rows. A model
    that is not among the offers of all the days has no cost."""
    known: dict[str, Any] = {"days": list(days)}
    traffic, query = read_frame(connection, _TRAFFIC, known), _COST.format(only="")
    if offers is not None:
        query = _COST.format(only=_ONLY)
        sellers, models = ([offer[place] for offer in sorted(offers)] for place in (0, 1))
        known |= {"sellers": sellers, "models": models}
    cost = read_frame(connection, query, known)
    if len(days) > 1:
        whole = read_frame(connection, _ON_ALL_DAYS, known)
        cost = cost.join(whole, on=["is_priced", "provider_id", "model_id"], how="semi")
    halves = []
    for is_priced in (True, False):
        rows = traffic.filter(is_priced=is_priced)
        counts = rows.filter(left_out="").select(*KIND, "requests", "actual").sort(KIND)
        left_out = rows.filter(pl.col("left_out") != "").group_by("left_out").agg(pl.col("requests").sum())
        halves.append(
            Traffic(
                len(days),
                counts.cast({"bucket": pl.Int32}),
                dict(left_out.sort("left_out").iter_rows()),
                _costs(cost.filter(is_priced=is_priced)),
            )
        )
    return Halves(*halves)


def _costs(rows: pl.DataFrame) -> dict[Offer, ArmCost]:
    found: dict[Offer, ArmCost] = {}
    for (seller, model), of_offer in sorted(rows.partition_by(["provider_id", "model_id"], as_dict=True).items()):
        failed = of_offer.filter(pl.col("not_priced") != "").group_by("not_priced").agg(pl.col("requests").sum())
        parts = of_offer.filter(not_priced="").with_columns(model_id=pl.col("ran_model_id"))
        found[str(seller), str(model)] = ArmCost(
            parts.select(*GROUP, *PARTS).cast({"bucket": pl.Int32}).sort(GROUP),
            dict(failed.sort("not_priced").iter_rows()),
        )
    return found


def _by_price(halves: Halves) -> tuple[tuple[bool, Traffic], tuple[bool, Traffic]]:
    return (True, halves.priced), (False, halves.unpriced)


def _cost_rows(cost: ArmCost, offer: Offer, *, is_priced: bool) -> pl.DataFrame:
    who = {"provider_id": pl.lit(offer[0]), "model_id": pl.lit(offer[1]), "is_priced": pl.lit(is_priced)}
    priced = cost.parts.with_columns(ran_model_id=pl.col("model_id"), not_priced=pl.lit(""), requests=pl.lit(None))
    failed = pl.DataFrame(
        [{"not_priced": reason, "requests": number} for reason, number in cost.failed.items()],
        schema={"not_priced": pl.String(), "requests": pl.Int64()},
    ).with_columns(ran_model_id=pl.lit(""), lane=pl.lit(""), is_loop=pl.lit(value=False), bucket=pl.lit(0))
    return pl.concat([priced.drop("model_id"), failed], how="diagonal_relaxed").with_columns(**who)


def _shaped(frame: pl.DataFrame, table: Table, on: date, **constants: str) -> pl.DataFrame:
    named = {name: pl.lit(value) for name, value in constants.items()}
    return frame.with_columns(event_date=pl.lit(on), **named).select(
        pl.col(name).cast(dtype) for name, dtype in table.polars_schema.items()
    )
