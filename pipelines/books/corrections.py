"""What became known of months that are closed: the difference between charges now and as they were booked."""

from __future__ import annotations

import polars as pl

from pipelines.warehouse.tables.core_books import BOOKED_CHARGE, BOOKED_COMMITMENT, CORRECTION
from pipelines.warehouse.tables.mart_charges import COSTS, DAILY_CHARGE
from pipelines.warehouse.tables.mart_commitments import COMMITMENT_USAGE
from pipelines.warehouse.tables.spec import Table


def corrections(now: pl.DataFrame, booked: pl.DataFrame) -> pl.DataFrame:
    """Rows of core.booked_charge without a period, which make what is `booked` into `now`.

    Both have the columns of mart.daily_charge; `booked` may have a charge several times, as it was booked and corrected. A
    late line is the charge it adds. A price that was corrected is two rows: the charge at the old rate is taken back, the
    same usage at the new rate is added. A cost that became known is added to one that was null. An unknown cost counts as 0
    in the difference.
    """
    return _difference(now, booked, DAILY_CHARGE, BOOKED_CHARGE)


def commitment_corrections(now: pl.DataFrame, booked: pl.DataFrame) -> pl.DataFrame:
    """Rows of core.booked_commitment without a period, which make what is `booked` of mart.commitment_usage into `now`."""
    return _difference(now, booked, COMMITMENT_USAGE, BOOKED_COMMITMENT)


def correctable(table: Table) -> tuple[str, ...]:
    """The amounts of mart.daily_charge or mart.commitment_usage that a correction may move; everything else is the key or follows from it."""
    if table is DAILY_CHARGE:
        return ("quantity", *COSTS, "reported_cost_usd")
    return ("amount_usd", "effective_cost_usd", "covered_usd", "billed_cost_usd", "commitment_discount_quantity")


def _difference(now: pl.DataFrame, booked: pl.DataFrame, table: Table, target: Table) -> pl.DataFrame:
    key, amounts = list(table.primary_key), correctable(table)
    described = [name for name in table.polars_schema if name not in (*key, *amounts)]
    signed = pl.concat(
        [
            frame.select(table.polars_schema.names()).with_columns(sign=pl.lit(sign))
            for frame, sign in ((now, 1), (booked, -1))
        ]
    )
    known = [pl.col(name).is_not_null().any().alias(f"{name}_known") for name in amounts]
    summed = signed.group_by(key, maintain_order=True).agg(
        *(pl.col(name).first() for name in described),
        *((pl.col(name).fill_null(0) * pl.col("sign")).sum().alias(name) for name in amounts),
        *known,
    )
    moved = summed.filter(pl.any_horizontal(pl.col(name) != 0 for name in amounts))
    return moved.with_columns(
        *(pl.when(f"{name}_known").then(name).cast(table.polars_schema[name]).alias(name) for name in amounts),
        charge_class=pl.lit(CORRECTION),
    ).select(name for name in target.polars_schema if name != "period")
