"""FOCUS's other data sets, which go with Cost and Usage: BillingPeriod and InvoiceDetail of 1.4, and the SkuPrice sheet of the draft of 1.5.

Contracts are in `contracts.py`. Columns are in the order of their names, as FOCUS lists them.
"""

from __future__ import annotations

import json
from datetime import date, datetime

import polars as pl

from pipelines.books.periods import following

_MONEY = pl.Decimal(38, 18)
_INSTANT = pl.Datetime("us", "UTC")
_GRAIN = ("RegionId", "ServiceName", "SkuId", "SkuMeter")
_INVOICE_LINE = [
    "InvoiceDetailId", "InvoiceId", "ReferenceInvoiceId", "InvoiceIssuerName", "BillingAccountId", "BillingCurrency", "BillingPeriodStart",
    "BillingPeriodEnd", "ChargeCategory", "SkuId", "SkuMeter", "ServiceName",
]  # fmt: skip


def billing_periods(usage: pl.DataFrame, month: date, *, is_closed: bool, updated: datetime) -> pl.DataFrame:
    """BillingPeriod: the month at each issuer of `usage` (Cost and Usage), Open or Closed as it is in the books, which `updated` says last."""
    issuers = usage.select("InvoiceIssuerName").unique().sort("InvoiceIssuerName")
    start, end = _midnight(month), _midnight(following(month))
    return issuers.select(
        BillingPeriodCreated=start,
        BillingPeriodEnd=end,
        BillingPeriodLastUpdated=pl.lit(updated, _INSTANT),
        BillingPeriodStart=start,
        BillingPeriodStatus=pl.lit("Closed" if is_closed else "Open"),
        InvoiceIssuerName="InvoiceIssuerName",
    )


def invoice_details(usage: pl.DataFrame, *, updated: datetime) -> pl.DataFrame:
    """InvoiceDetail: what invoices should hold, a line for each InvoiceDetailId of `usage` (Cost and Usage of 1.4); their costs are its costs.

    Invoices are provisional and not issued. A correction refers to the invoice of the month that it corrects. Terms of payment are not known.
    """
    lines = (
        usage.with_columns(ReferenceInvoiceId=_reference())
        .group_by(_INVOICE_LINE, maintain_order=True)
        .agg(pl.col("BilledCost").sum().cast(_MONEY), pl.col("ChargeDescription").first())
    )
    grains = [
        json.dumps({name: row[name] for name in _GRAIN if row.get(name) is not None})
        for row in lines.select(name for name in _GRAIN if name in lines.columns).iter_rows(named=True)
    ]
    return lines.select(
        "BilledCost",
        "BillingAccountId",
        "BillingCurrency",
        "BillingPeriodEnd",
        "BillingPeriodStart",
        "ChargeCategory",
        InvoiceDetailCreated="BillingPeriodStart",
        InvoiceDetailDescription="ChargeDescription",
        InvoiceDetailGrain=pl.Series(grains, dtype=pl.String),
        InvoiceDetailId="InvoiceDetailId",
        InvoiceDetailLastUpdated=pl.lit(updated, _INSTANT),
        InvoiceId="InvoiceId",
        InvoiceIssueDate=pl.lit(None, _INSTANT),
        InvoiceIssueStatus=pl.lit("Open"),
        InvoiceIssuerName="InvoiceIssuerName",
        PaymentDueDate=pl.lit(None, _INSTANT),
        PaymentTerms=pl.lit("Not Known"),
        ReferenceInvoiceId="ReferenceInvoiceId",
    ).sort("InvoiceDetailId")


def _reference() -> pl.Expr:
    """The invoice itself; of a correction that of the month of its usage."""
    of_usage = pl.concat_str(
        "InvoiceIssuerName", pl.col("ChargePeriodStart").dt.strftime("%Y-%m"), pl.lit("provisional"), separator="-"
    )
    return pl.when(pl.col("ChargeClass") == "Correction").then(of_usage).otherwise("InvoiceId")


def sku_prices(used: pl.DataFrame, history: pl.DataFrame, contracted: pl.DataFrame) -> pl.DataFrame:
    """SkuPrice of the 1.5 draft: every price that the SKUs of a month ever had at their feed.

    `used` has the SkuPriceId, SkuId, SkuMeter, ServiceProviderName and PricingUnit of each list_price_id of the month. `history` are rows of
    core.price that are believed and share a sku_id with one of them (with `list_price_id`, the one). `contracted` has the contracted unit
    price by SkuPriceId and contract; a contract by percent or price sheet is a row of its own, next to that of the list.
    """
    listed = used.join(history, on="list_price_id").unique(
        ["SkuPriceId", "valid_from"], keep="first", maintain_order=True
    )
    unit = (
        pl.when(pl.col("PricingUnit") == "1000000 Tokens")
        .then("usd_per_million")
        .otherwise(pl.col("usd_per_million") / 1_000_000)
    )
    priced = listed.with_columns(ListUnitPrice=unit.cast(_MONEY))
    of_contract = priced.filter(pl.col("valid_to").is_null()).join(contracted, on="SkuPriceId")
    rows = pl.concat(
        [
            priced.with_columns(ContractId=pl.lit(None, pl.String), ContractedUnitPrice="ListUnitPrice"),
            of_contract.select(*priced.columns, "ContractId", "ContractedUnitPrice"),
        ]
    )
    return rows.select(
        ChargeCategory=pl.lit("Usage"),
        ContractId="ContractId",
        ContractedUnitPrice=pl.col("ContractedUnitPrice").cast(_MONEY),
        ListUnitPrice="ListUnitPrice",
        PricingCurrency=pl.lit("USD"),
        PricingCurrencyCategory=pl.lit("National"),
        PricingServiceName=pl.col("ServiceProviderName") + " models",
        PricingUnit="PricingUnit",
        ServiceProviderName="ServiceProviderName",
        SkuId="SkuId",
        SkuPriceCreated="recorded_at",
        SkuPriceDescription="SkuMeter",
        SkuPriceEffectiveEnd="valid_to",
        SkuPriceEffectiveStart="valid_from",
        SkuPriceId="SkuPriceId",
        SkuPriceLastUpdated="recorded_at",
    ).sort("ServiceProviderName", "SkuPriceId", "ContractId", "SkuPriceEffectiveStart", nulls_last=False)


def _midnight(day: date) -> pl.Expr:
    return pl.lit(day).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
