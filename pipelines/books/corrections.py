"""What became known of months that are closed: the difference between charges now and as they were booked."""

from __future__ import annotations

import polars as pl

from pipelines.warehouse.tables.core_books import BOOKED_CHARGE, CORRECTION
from pipelines.warehouse.tables.mart_charges import COSTS, DAILY_CHARGE

_KEY = ["event_date", "charge_id"]
_AMOUNTS = ("quantity", *COSTS, "reported_cost_usd")


def corrections(now: pl.DataFrame, booked: pl.DataFrame) -> pl.DataFrame:
    """Rows of core.booked_charge without a period, which make what is `booked` into `now`.

    Both have the columns of mart.daily_charge; `booked` may have a charge several times, as it was booked and corrected. A
    late line is the charge it adds. A price that was corrected is two rows: the charge at the old rate is taken back, the
    same usage at the new rate is added. A cost that became known is added to one that was null. An unknown cost counts as 0
    in the difference.
    """
    described = [name for name in DAILY_CHARGE.polars_schema if name not in (*_KEY, *_AMOUNTS)]
    signed = pl.concat(
        [
            now.select(DAILY_CHARGE.polars_schema.names()).with_columns(sign=pl.lit(1)),
            booked.select(DAILY_CHARGE.polars_schema.names()).with_columns(sign=pl.lit(-1)),
        ]
    )
    known = [pl.col(name).is_not_null().any().alias(f"{name}_known") for name in _AMOUNTS]
    summed = signed.group_by(_KEY, maintain_order=True).agg(
        *(pl.col(name).first() for name in described),
        *((pl.col(name).fill_null(0) * pl.col("sign")).sum().alias(name) for name in _AMOUNTS),
        *known,
    )
    moved = summed.filter(pl.any_horizontal(pl.col(name) != 0 for name in _AMOUNTS))
    return moved.with_columns(
        *(pl.when(f"{name}_known").then(name).cast(DAILY_CHARGE.polars_schema[name]).alias(name) for name in _AMOUNTS),
        charge_class=pl.lit(CORRECTION),
    ).select(name for name in BOOKED_CHARGE.polars_schema if name != "period")
