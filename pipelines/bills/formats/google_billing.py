"""Google's billing export, standard and detailed, as BigQuery writes its rows: JSON lines and Parquet.

The description of an SKU says model, direction and tier (`_cloud_meters.py`); its usage counts tokens, whatever its unit is called. The amount is `cost`. Each
of the `credits` of a row is a line of its own (`pipelines.bills.containers`). A tax or an adjustment is what `cost_type` says. An export holds all of Google's
services: export those of the Gemini API and Vertex AI alone, or each other line stands as a bill without requests.
Source: cloud.google.com/billing/docs, "Structure of standard data export".
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from pipelines.bills.containers import LABELS
from pipelines.bills.formats._cloud_meters import SAID, as_struct, google_said
from pipelines.records.layout import Layout


def build() -> Layout:
    """Rows of the export: one SKU of one project in an hour, or a tax, an adjustment or a credit."""
    return Layout(
        name="google_billing",
        version="2",
        text={
            "seller": ("service/description",),
            "project_id": ("project/id",),
            "region": ("location/region",),
            "sku": ("sku/description",),
            "credit": ("credit/name",),
            "charge_category": ("credit/category", "cost_type"),
            "written_unit": ("usage/unit",),
            "currency": ("currency",),
        },
        instants={"bucket_from": ("usage_start_time",), "bucket_to": ("usage_end_time",)},
        money={
            "amount": ("credit/amount", "cost"),
            "written_quantity": ("usage/amount",),
            "list_amount": ("cost_at_list",),
        },
        constants={"report": "billing_export"},
        read_by_items=("credits", *LABELS),
        derive=_charge,
    )


def _charge() -> Mapping[str, pl.Expr]:
    said = pl.col("sku").map_elements(lambda sku: as_struct(google_said(sku)), return_dtype=SAID)
    is_usage = pl.col("credit").is_null()
    is_vertex = pl.col("seller").str.contains(r"(?i)vertex|agent platform")
    return {
        # Each row is a line of the bill, also where two say the same.
        "identity": pl.lit(None, dtype=pl.String),
        "line_id": pl.col("identity"),
        "provider_id": pl.when(is_vertex).then(pl.lit("vertex_ai")).otherwise(pl.lit("google")),
        "line_item": pl.coalesce("credit", "sku"),
        "raw_model": said.struct.field("model"),
        "meter": pl.coalesce(said.struct.field("meter"), pl.col("sku")),
        "service_tier": said.struct.field("tier"),
        "quantity": pl.when(is_usage).then(pl.col("written_quantity")),
        "quantity_unit": pl.when(is_usage).then(pl.coalesce(said.struct.field("unit"), pl.col("written_unit"))),
        "list_amount": pl.when(is_usage).then(pl.col("list_amount")),
    }
