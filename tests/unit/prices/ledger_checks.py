"""What must hold in every ledger, checked in polars as the database's EXCLUDE constraint checks it in Postgres."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl

from pipelines.warehouse.tables.core_prices import PRICE

_NEVER = datetime(9999, 1, 1, tzinfo=UTC)


def overlaps(prices: pl.DataFrame) -> pl.DataFrame:
    """Pairs of rows of one SKU whose periods of validity and of belief both overlap; a sound ledger has none."""
    rows = prices.select(
        "sku_id",
        "price_id",
        "valid_from",
        pl.col("valid_to").fill_null(_NEVER),
        "recorded_at",
        pl.col("superseded_at").fill_null(_NEVER),
    )
    return rows.join(rows, on="sku_id", suffix="_b").filter(
        pl.col("price_id") < pl.col("price_id_b"),
        pl.col("valid_from") < pl.col("valid_to_b"),
        pl.col("valid_from_b") < pl.col("valid_to"),
        pl.col("recorded_at") < pl.col("superseded_at_b"),
        pl.col("recorded_at_b") < pl.col("superseded_at"),
    )


def assert_sound(prices: pl.DataFrame) -> None:
    """Schema, unique ids, periods that are not empty, reasons where superseded, and no overlap."""
    assert prices.schema == PRICE.polars_schema
    assert prices["price_id"].n_unique() == prices.height
    assert prices.filter(pl.col("valid_to") <= pl.col("valid_from")).is_empty()
    assert prices.filter(pl.col("superseded_at") <= pl.col("recorded_at")).is_empty()
    assert prices.filter(pl.col("superseded_at").is_null() != pl.col("supersede_reason").is_null()).is_empty()
    nullable = {column.name for column in PRICE.columns if column.nullable}
    assert all(prices[name].null_count() == 0 for name in prices.columns if name not in nullable)
    assert overlaps(prices).is_empty()
