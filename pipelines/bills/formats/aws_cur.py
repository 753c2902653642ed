"""AWS's Cost and Usage Report: 2.0 of Data Exports (`line_item_unblended_cost`) and the earlier one (`lineItem/UnblendedCost`), CSV and Parquet.

The usage type says model, direction and tier, as in Bedrock's price list; of what the marketplace sells, the product is named after the model. The amount is
the unblended cost, `pricing_public_on_demand_cost` the one at list prices. A report holds all of AWS's services: export those of Bedrock alone, or each other
line stands as a bill without requests. AWS's FOCUS export is format `focus`.
Source: docs.aws.amazon.com, "Cost and Usage Report (CUR) 2.0", table dictionary.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from pipelines.bills.formats._cloud_meters import SAID, as_struct, aws_said
from pipelines.records.layout import Layout, Paths


def _column(group: str, name: str) -> Paths:
    """A column by its name in both reports: `line_item_usage_amount`, `lineItem/UsageAmount`."""
    first, *more = group.split("_")
    old = first + "".join(word.capitalize() for word in more)
    return (f"{group}_{name}", f"{old}/{''.join(word.capitalize() for word in name.split('_'))}")


def build() -> Layout:
    """Rows of the report: one usage type of one resource in an hour or on a day, or a tax, fee, credit or discount."""
    return Layout(
        name="aws_cur",
        version="2",
        text={
            "project_id": _column("line_item", "usage_account_id"),
            "region": ("product_region_code", "product_region", "product/region", "product/regionCode"),
            "line_item": _column("line_item", "line_item_description"),
            "usage_type": _column("line_item", "usage_type"),
            "line_id": _column("identity", "line_item_id"),
            "product": ("product_product_name", "product/product_name", "product/ProductName"),
            "charge_category": _column("line_item", "line_item_type"),
            "written_unit": _column("pricing", "unit"),
            "currency": _column("line_item", "currency_code"),
        },
        instants={
            "bucket_from": _column("line_item", "usage_start_date"),
            "bucket_to": _column("line_item", "usage_end_date"),
        },
        money={
            "amount": _column("line_item", "unblended_cost"),
            "quantity": _column("line_item", "usage_amount"),
            "list_amount": ("pricing_public_on_demand_cost", "pricing/publicOnDemandCost"),
        },
        constants={"provider_id": "aws.bedrock", "report": "cost_and_usage"},
        derive=_charge,
    )


def _charge() -> Mapping[str, pl.Expr]:
    said = pl.struct("product", "usage_type").map_elements(
        lambda named: as_struct(aws_said(named["product"], named["usage_type"])), return_dtype=SAID
    )
    unit = pl.col("written_unit")
    is_unsaid = unit.is_null() | (unit.str.to_lowercase() == "units")
    has_list = pl.col("charge_category").str.ends_with("Usage")
    return {
        # Each row is a line of the bill, also where two say the same.
        "identity": pl.lit(None, dtype=pl.String),
        "raw_model": said.struct.field("model"),
        "meter": pl.coalesce(said.struct.field("meter"), pl.col("usage_type")),
        "service_tier": said.struct.field("tier"),
        "quantity_unit": pl.when(is_unsaid).then(pl.coalesce(said.struct.field("unit"), unit)).otherwise(unit),
        # Of a tax, a credit or a discount the report states a list cost of zero.
        "list_amount": pl.when(has_list).then(pl.col("list_amount")),
    }
