"""Columns of FOCUS Cost and Usage on commitments: of the parts of charges that they covered, and of the rows that they have themselves.

Which rows there are is `pipelines.books.covered`. A free tier is a discount that nobody purchased, and a credit that was granted is a Credit: both are
named in x_DiscountId, and everything else in CommitmentDiscountId.
"""

from __future__ import annotations

from decimal import Context, Decimal
from typing import Any

import polars as pl

from pipelines.books.covered import ADJUSTMENT, CREDITED, PURCHASE, USAGE
from pipelines.warehouse.tables.mart_commitments import CREDIT, FREE_TIER, MINIMUM, PROVISIONED, UNUSED, USED

_EXACT = Context(prec=76)
_DIGITS = Decimal("1e-18")
_MONEY = pl.Decimal(38, 18)
_TYPES = {
    PROVISIONED: "Provisioned Throughput",
    CREDIT: "Prepaid Credit",
    MINIMUM: "Minimum Spend by the Month",
    FREE_TIER: "Free Tier",
}
_OWN_HARDWARE, _OWN_PREFIX = "Own Hardware", "selfhost."
_MEASURED_IN_MONEY = "USD"
_PRICED = {
    "SkuId": pl.String(), "SkuMeter": pl.String(), "SkuPriceId": pl.String(), "PricingQuantity": _MONEY, "PricingUnit": pl.String(),
    "PricingCategory": pl.String(), "ListUnitPrice": _MONEY, "ContractedUnitPrice": _MONEY, "ConsumedQuantity": _MONEY,
    "ConsumedUnit": pl.String(),
}  # fmt: skip
_Price = tuple[str, Decimal, Decimal]
"""Unit, quantity and unit price of what was purchased."""


def has_discounts(rows: pl.DataFrame) -> bool:
    """Whether a row is about a commitment discount, so that its columns are supported."""
    return bool(rows.select(_is_discount().any()).item())


def names_discounts(rows: pl.DataFrame) -> bool:
    """Whether a row is about a discount that x_DiscountId names."""
    return bool(rows.select((pl.col("commitment_id").is_not_null() & ~_is_discount()).any()).item())


def _is_discount() -> pl.Expr:
    is_credited = pl.col("charge_category").eq_missing(pl.lit(CREDITED))
    return pl.col("commitment_id").is_not_null() & (pl.col("commitment_kind") != FREE_TIER) & ~is_credited


def _type() -> pl.Expr:
    is_own = pl.col("commitment_id").str.starts_with(_OWN_PREFIX)
    return (
        pl.when(is_own)
        .then(pl.lit(_OWN_HARDWARE))
        .otherwise(pl.col("commitment_kind").replace_strict(_TYPES, default=None))
    )


def commitment_columns() -> dict[str, pl.Expr]:
    """CommitmentDiscount*, Resource* and x_DiscountId of every row of `pipelines.books.covered`; null where a charge has no commitment."""
    is_discount = _is_discount()
    is_usage = pl.coalesce("charge_category", pl.lit(USAGE)) == USAGE
    is_measured = is_discount & (is_usage | (pl.col("charge_category") == PURCHASE)) & pl.col("charge_class").is_null()
    name = pl.concat_str(_type(), pl.lit(" at "), pl.col("provider_id"))
    is_model = pl.col("charge_category").is_null()

    def where(condition: pl.Expr, value: pl.Expr | str) -> pl.Expr:
        return pl.when(condition).then(value)

    category = pl.when(pl.col("commitment_kind") == PROVISIONED).then(pl.lit("Usage")).otherwise(pl.lit("Spend"))
    return {
        "CommitmentDiscountCategory": where(is_discount, category),
        "CommitmentDiscountId": where(is_discount, "commitment_id"),
        "CommitmentDiscountName": where(is_discount, name),
        "CommitmentDiscountQuantity": where(is_measured, "commitment_discount_quantity").cast(_MONEY),
        "CommitmentDiscountStatus": where(is_discount & is_usage, "commitment_discount_status"),
        "CommitmentDiscountType": where(is_discount, _type()),
        "CommitmentDiscountUnit": where(is_measured, "commitment_discount_unit"),
        "ResourceId": where(is_discount, pl.when(is_model).then(pl.concat_str("provider_id", "model_id", separator="/")).otherwise("commitment_id")),
        "ResourceName": where(is_discount, pl.when(is_model).then("model_id").otherwise(name)),
        "ResourceType": where(is_discount, pl.when(is_model).then(pl.lit("Model")).otherwise(pl.lit("Commitment"))),
        "x_DiscountId": where(pl.col("commitment_id").is_not_null() & ~is_discount, "commitment_id"),
    }  # fmt: skip


def own_rows(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows of commitments themselves as lines of a file. What is not used has the price of what was purchased, and no quantity of it."""
    prices = {_key(row): _price(row) for row in rows.iter_rows(named=True) if _has_price(row, PURCHASE)}
    priced = [_priced(row, prices.get(_key(row))) for row in rows.iter_rows(named=True)]
    described = {
        PURCHASE: "Purchase of ", CREDITED: "Credit from ", ADJUSTMENT: "Cost of ", USED: "Used part of ", UNUSED: "Unused part of ",
    }  # fmt: skip
    said = pl.when(pl.col("charge_category") == USAGE).then("commitment_discount_status").otherwise("charge_category")
    frame = pl.DataFrame(priced, schema=_PRICED)
    what = pl.concat_str(_type(), "commitment_id", separator=" ")
    is_once = (pl.col("charge_category") == PURCHASE) & (pl.col("commitment_kind") == CREDIT)
    frequency = (
        pl.when(is_once).then(pl.lit("One-Time")).when(pl.col("charge_category") == PURCHASE).then(pl.lit("Recurring"))
    )
    return rows.drop(name for name in _PRICED if name in rows.columns).hstack(frame).with_columns(
        ChargeCategory="charge_category",
        frequency=frequency.otherwise(pl.lit("Usage-Based")),
        described=said.replace_strict(described, return_dtype=pl.String) + what,
        detail=pl.concat_str(pl.lit("commitment"), "commitment_id", pl.col("charge_category").str.to_lowercase(), separator="/"),
    )  # fmt: skip


def _key(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["event_date"], row["commitment_id"]


def _has_price(row: dict[str, Any], category: str) -> bool:
    return row["charge_category"] == category and row["charge_class"] is None


def _price(row: dict[str, Any]) -> _Price:
    """By the unit of the commitment where that is exact, else by the day: a price by the month is shared out to its days."""
    quantity, usd = row["commitment_discount_quantity"], row["billed_cost_usd"]
    if quantity:
        unit_price = _EXACT.divide(usd, quantity).quantize(_DIGITS, context=_EXACT)
        if _EXACT.multiply(unit_price, quantity) == usd:
            return row["commitment_discount_unit"], quantity, unit_price
    return "Days", Decimal(1), usd


def _priced(row: dict[str, Any], price: _Price | None) -> dict[str, Any]:
    if row["charge_category"] not in (USAGE, PURCHASE):
        return dict.fromkeys(_PRICED)
    sku = f"{row['provider_id']}/commitment/{row['commitment_id']}"
    named = dict.fromkeys(_PRICED) | {"SkuId": sku, "SkuMeter": "Commitments"}
    if row["charge_class"] is not None:
        return named
    is_purchase = row["charge_category"] == PURCHASE
    unit, quantity, usd = price or (_MEASURED_IN_MONEY, Decimal(0), Decimal(1))
    is_used = row["commitment_discount_status"] == USED
    return named | {
        "SkuPriceId": f"{sku}/{unit}",
        "PricingQuantity": quantity if is_purchase else Decimal(0),
        "PricingUnit": unit,
        "PricingCategory": "Standard" if is_purchase else "Committed",
        "ListUnitPrice": usd,
        "ContractedUnitPrice": usd,
        "ConsumedQuantity": Decimal(0) if is_used else None,
        "ConsumedUnit": row["commitment_discount_unit"] if is_used else None,
    }
