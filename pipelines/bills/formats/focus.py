"""Cost and Usage in FOCUS 1.0 to 1.4, as clouds export it (Azure Cost Management, AWS Data Exports) and sellers do: CSV and Parquet.

`BilledCost` is the amount and `ListCost` the one before discounts, in `BillingCurrency`; periods are in UTC, their ends exclusive.
Quantities are those consumed, else those priced. The model is `ModelId` of `SkuPriceDetails` (1.5 draft), else what the cloud's own meter says
(`_cloud_meters.py`), else the resource's name.
A cloud's export holds all of its services: export those of AI alone, or each other line stands as a bill without requests.
Source: focus.finops.org/focus-specification.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from pipelines.bills.formats._cloud_meters import SAID, as_struct, aws_said, azure_said
from pipelines.records.conversions import TimeRule
from pipelines.records.layout import Layout

_MODEL = r'"(?:x_)?[Mm]odel(?:Id|Name)?"\s*:\s*"([^"]+)"'
_SELLERS = {
    "azure": r"(?i)azure|microsoft",
    "aws.bedrock": r"(?i)\baws\b|amazon",
    "openai": r"(?i)openai",
    "anthropic": r"(?i)anthropic",
    "google": r"(?i)google",
}
"""Our name of a seller by that of FOCUS, the first that fits (`Azure OpenAI` is Azure's); any other is taken in lower case, without spaces."""
_SAID = (
    "project_id", "region", "line_item", "service_tier", "upstream_provider", "charge_category", "currency", "seller", "model", "resource",
    "sku_meter", "consumed_unit", "priced_unit", "product", "azure_product", "usage_type",
)  # fmt: skip

_OF_A_LINE = (
    "BillingAccountId", "ResourceId", "SkuId", "SkuPriceId", "InvoiceId", "InvoiceDetailId", "ChargeClass", "PricingCategory", "CommitmentDiscountId",
    "CommitmentDiscountStatus", "Tags", "AllocatedMethodId", "AllocatedResourceId", "x_ChargeId", "x_ResourceGroupName", "x_InvoiceSectionId",
    "x_CostCategories", "x_Operation", "x_PrincipalId", "x_CredentialId",
)  # fmt: skip
"""What distinguishes lines, in FOCUS and in the columns of Azure, AWS and our own export, and is not looked at otherwise."""
_DESCRIBED = (*_OF_A_LINE, "model")
"""What AWS writes as maps in Parquet, and others as objects in JSON: no such value costs its line."""


def build() -> Layout:
    """Rows of Cost and Usage: one charge each."""
    return Layout(
        name="focus",
        version="6",
        text={
            "seller": ("ServiceProviderName", "ProviderName", "InvoiceIssuerName"),
            "project_id": ("SubAccountId",),
            "region": ("RegionId",),
            "line_item": ("ChargeDescription",),
            "sku_meter": ("SkuMeter", "x_SkuMeterName"),
            "product": ("ServiceName",),
            "azure_product": ("x_SkuMeterSubcategory", "x_SkuMeterSubCategory"),
            "usage_type": ("x_UsageType", "SkuMeter"),
            "model": ("SkuPriceDetails",),
            "resource": ("ResourceName",),
            "upstream_provider": ("HostProviderName",),
            "charge_category": ("ChargeCategory",),
            "currency": ("BillingCurrency",),
            "consumed_unit": ("ConsumedUnit",),
            "priced_unit": ("PricingUnit",),
            **{name: (name,) for name in _OF_A_LINE},
        },
        instants={"bucket_from": ("ChargePeriodStart",), "bucket_to": ("ChargePeriodEnd",)},
        money={
            "amount": ("BilledCost",),
            "list_amount": ("ListCost",),
            "consumed": ("ConsumedQuantity",),
            "priced": ("PricingQuantity",),
        },
        constants={"report": "focus"},
        time=TimeRule("iso"),
        derive=_charge,
        described_by=_DESCRIBED,
    )


def _charge() -> Mapping[str, pl.Expr]:
    said = {name: pl.when(pl.col(name) != "NULL").then(pl.col(name)) for name in _SAID if name != "service_tier"}
    is_consumed = pl.col("consumed").is_not_null() & said["consumed_unit"].is_not_null()
    seller = said["seller"].str.to_lowercase().str.replace_all(r"\s+", "_")
    for name, words in reversed(_SELLERS.items()):
        seller = pl.when(said["seller"].str.contains(words)).then(pl.lit(name)).otherwise(seller)
    of_cloud = pl.struct(
        seller=seller,
        product=said["product"],
        azure_product=said["azure_product"],
        meter=said["sku_meter"],
        usage_type=said["usage_type"],
    ).map_elements(_of_cloud, return_dtype=SAID)
    unit = pl.when(is_consumed).then(said["consumed_unit"]).otherwise(said["priced_unit"])
    is_unsaid = unit.is_null() | (unit.str.to_lowercase() == "units")
    return {
        **{name: said[name] for name in ("product", "project_id", "region", "line_item", "upstream_provider", "charge_category", "currency")},
        "line_id": pl.concat_str((pl.col(name).fill_null("") for name in _OF_A_LINE), separator="\x1f"),
        "provider_id": seller,
        "raw_model": pl.coalesce(said["model"].str.extract(_MODEL), of_cloud.struct.field("model"), said["resource"]),
        "meter": pl.coalesce(of_cloud.struct.field("meter"), said["sku_meter"]),
        "service_tier": of_cloud.struct.field("tier"),
        "quantity": pl.when(is_consumed).then(pl.col("consumed")).otherwise(pl.col("priced")),
        "quantity_unit": pl.when(is_unsaid).then(pl.coalesce(of_cloud.struct.field("unit"), unit)).otherwise(unit),
    }  # fmt: skip


def _of_cloud(row: Mapping[str, str | None]) -> Mapping[str, str | None] | None:
    if row["seller"] == "azure":
        return as_struct(azure_said(row["azure_product"], row["meter"]))
    return as_struct(aws_said(row["product"], row["usage_type"])) if row["seller"] == "aws.bedrock" else None
