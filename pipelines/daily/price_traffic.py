"""What the newest thirty days of requests were charged by: the weight of price changes, disagreements and questions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import psycopg

from pipelines.instants import end_of
from pipelines.meters import COUNT_COLUMNS, PRICED_METERS, FeeMeter, Meter
from pipelines.prices.exposure import PRICED_BY, Traffic
from pipelines.warehouse.charges import QUANTITIES, charges_sql
from pipelines.warehouse.day_files import kept_of_day, parts_of_day
from pipelines.warehouse.partitions import loaded_days
from pipelines.warehouse.read import read_frame
from pipelines.warehouse.tables.core import REQUEST

TRAFFIC_DAYS = 30
_COLUMNS = ("rate_id", "contracted_cost_usd", *COUNT_COLUMNS)

_PRICED_BY = ", ".join(f"price.{name}" for name in PRICED_BY)
# The total has a row of its own where nothing was charged.
_TRAFFIC = f"""
with usage as (
    select * from jsonb_to_recordset(%(usage)s::jsonb)
    as used (rate_id uuid, spent_usd numeric, {", ".join(f"{meter} bigint" for meter in QUANTITIES)})
),
charges as ({charges_sql("usage")}),
by_price as (
    select {_PRICED_BY}, sum(charges.quantity)::bigint as quantity, sum(charges.cost_usd)::numeric(38, 18) as cost_usd
    from charges inner join core.price as price on charges.price_id = price.price_id
    group by {_PRICED_BY}
)
select total.total_usd, by_price.*
from (select coalesce(sum(spent_usd), 0) as total_usd from usage) as total left join by_price on true
"""


def newest_traffic(connection: psycopg.Connection[Any], day_files: Path) -> tuple[Traffic, datetime | None]:
    """The traffic of the newest loaded days, and the instant at which they end; None without any request.

    The days end with the newest loaded one, not with the day of the run, so that days may be run in any order. A meter
    that took the rate of a more general one counts there, because that is the price it pays. Usage whose card or price is
    no longer known is left out of the charges.
    """
    loaded = loaded_days(connection, REQUEST)
    newest = max(loaded, default=None)
    days = [day for day in loaded if newest and newest - day < timedelta(days=TRAFFIC_DAYS)]
    rows = read_frame(connection, _TRAFFIC, {"usage": _used(connection, day_files, days)})
    charges = rows.drop("total_usd").drop_nulls("quantity")
    until = end_of(newest) if newest else None
    return Traffic(charges, Decimal(rows["total_usd"][0]), TRAFFIC_DAYS), until


def _used(connection: psycopg.Connection[Any], day_files: Path, days: Sequence[date]) -> str:
    """What was used of each rate card on some days together, as JSON; each day's sums are made once."""
    found = [
        kept_of_day(connection, day_files, day, "usage", partial(_usage, connection, day_files, day)) for day in days
    ]
    if not found:
        return "[]"
    summed = pl.concat(found).group_by("rate_id").agg(pl.exclude("rate_id").sum())
    return summed.with_columns(pl.col("rate_id").bin.encode("hex"), pl.col("spent_usd").cast(pl.String)).write_json()


def _usage(connection: psycopg.Connection[Any], day_files: Path, day: date) -> pl.DataFrame:
    """What was used of each rate card on a day: request by request there would be twenty lines for each."""
    parts = [
        part.filter(pl.col("rate_id").is_not_null())
        .group_by("rate_id")
        .agg(
            pl.col("contracted_cost_usd").sum().alias("spent_usd"),
            *(_quantity(meter).alias(meter.name) for meter in PRICED_METERS),
        )
        for part in parts_of_day(connection, day_files, day, _COLUMNS)
    ]
    return pl.concat(parts).group_by("rate_id").agg(pl.exclude("rate_id").sum())


def _quantity(meter: Meter | FeeMeter) -> pl.Expr:
    """What some requests used of a meter, as `QUANTITIES` says in SQL of one of them."""
    if isinstance(meter, Meter):
        return pl.col(meter.tokens_column).cast(pl.Int64).sum()
    if meter.count is None:
        return pl.len().cast(pl.Int64)
    each = pl.col(meter.count.column).cast(pl.Int64)
    return (each.clip(upper_bound=1) if meter.once else each).sum()
