"""Azure's own cost and usage details (actual cost), the CSV that Cost Management exports: EA (`CostInBillingCurrency`) and MCA (`costInBillingCurrency`).

Dates are `MM/DD/YYYY` or ISO. The amount is what is billed, `paygCostInBillingCurrency` the one at list prices. The name of a meter says model, direction and
tier (`gpt 4.1 mini cached Inp glbl Tokens`), as in Azure's price list; one that is not understood whole stays a line item. A file holds all of Azure's
services: export those of AI alone, or each other line stands as a bill without requests. FOCUS exports of Azure are format `focus`.
Source: learn.microsoft.com, "Cost and usage details file schema".
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from pipelines.bills.formats._cloud_meters import SAID, as_struct, azure_said
from pipelines.records.layout import Layout

_CATEGORIES = {
    "usage": "Usage", "purchase": "Purchase", "unusedreservation": "Purchase", "unusedsavingsplan": "Purchase", "tax": "Tax", "refund": "Credit",
    "roundingadjustment": "Adjustment",
}  # fmt: skip

_OF_A_LINE = {
    name: (name, name[0].lower() + name[1:], *others)
    for name, *others in (
        ("ResourceId", "InstanceId", "instanceId"), ("MeterId",), ("ResourceGroup", "ResourceGroupName", "resourceGroupName"), ("InvoiceId", "invoiceID"),
        ("InvoiceSectionId",), ("CostCenter",), ("ReservationId",), ("BenefitId",), ("PricingModel",), ("Tags",), ("AdditionalInfo",),
    )
}  # fmt: skip
"""What distinguishes lines and is not looked at otherwise."""


def build() -> Layout:
    """Rows of the export: one meter of one resource on one day."""
    return Layout(
        name="azure_cost",
        version="6",
        text={
            "written_date": ("Date", "date", "UsageDate", "usageDate", "UsageDateTime"),
            "project_id": ("SubscriptionId", "subscriptionId"),
            "region": ("ResourceLocation", "resourceLocation"),
            "line_item": ("MeterName", "meterName"),
            "product": ("MeterSubCategory", "meterSubCategory", "meterSubCategoryName"),
            "kind": ("ChargeType", "chargeType"),
            "written_unit": ("UnitOfMeasure", "unitOfMeasure"),
            "currency": ("BillingCurrencyCode", "BillingCurrency", "billingCurrency"),
            **_OF_A_LINE,
        },
        money={
            "amount": ("CostInBillingCurrency", "costInBillingCurrency"),
            "quantity": ("Quantity", "quantity"),
            "list_amount": ("PaygCostInBillingCurrency", "paygCostInBillingCurrency"),
        },
        constants={"provider_id": "azure", "report": "cost_details"},
        derive=_charge,
        described_by=tuple(_OF_A_LINE),
    )


def _charge() -> Mapping[str, pl.Expr]:
    meaning = pl.struct("product", "line_item").map_elements(
        lambda named: as_struct(azure_said(named["product"], named["line_item"])), return_dtype=SAID
    )
    written = pl.col("written_date").str.slice(0, 10)
    day = pl.coalesce(written.str.to_date(pattern, strict=False) for pattern in ("%m/%d/%Y", "%Y-%m-%d"))
    unit = pl.col("written_unit")
    is_understood = meaning.struct.field("meter").is_not_null()
    return {
        "line_id": pl.concat_str((pl.col(name).fill_null("") for name in _OF_A_LINE), separator="\x1f"),
        "bucket_from": day.cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
        "raw_model": meaning.struct.field("model"),
        "meter": meaning.struct.field("meter"),
        "service_tier": meaning.struct.field("tier"),
        "quantity_unit": pl.when(is_understood).then(unit + pl.lit(" tokens")).otherwise(unit),
        "charge_category": pl.col("kind").str.to_lowercase().replace_strict(_CATEGORIES, default=None),
    }
