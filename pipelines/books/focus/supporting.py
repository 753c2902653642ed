"""FOCUS's other data sets, which go with Cost and Usage: BillingPeriod and InvoiceDetail of 1.4, and the SkuPrice sheet of the draft of 1.5.

Contracts are in `contracts.py`. Columns are in the order of their names, as FOCUS lists them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime

import polars as pl

from pipelines.books.focus.cost_and_usage import midnight
from pipelines.books.periods import following
from pipelines.config.commitments import Commitments, ProvisionedThroughput

_MONEY = pl.Decimal(38, 18)
_INSTANT = pl.Datetime("us", "UTC")
_GRAIN = ("RegionId", "ServiceName", "SkuId", "SkuMeter")
_INVOICE_LINE = [
    "InvoiceDetailId", "InvoiceId", "ReferenceInvoiceId", "InvoiceIssuerName", "BillingAccountId", "BillingCurrency", "BillingPeriodStart",
    "BillingPeriodEnd", "ChargeCategory", "SkuId", "SkuMeter", "ServiceName",
]  # fmt: skip

_OF_A_SKU = {
    "ListUnitPrice": pl.col("ListUnitPrice"),
    "PricingCurrency": pl.lit("USD"),
    "PricingCurrencyCategory": pl.lit("National"),
    "PricingServiceName": pl.col("ServiceProviderName") + " models",
    "PricingUnit": pl.col("PricingUnit"),
    "ServiceProviderName": pl.col("ServiceProviderName"),
    "SkuId": pl.col("SkuId"),
}
"""Columns of SkuPrice that prices of feeds and of commitments have alike."""


def billing_periods(usage: pl.DataFrame, month: date, *, is_closed: bool, updated: datetime) -> pl.DataFrame:
    """BillingPeriod: the month at each issuer of `usage` (Cost and Usage), Open or Closed as it is in the books, which `updated` says last."""
    issuers = usage.select("InvoiceIssuerName").unique().sort("InvoiceIssuerName")
    start, end = midnight(pl.lit(month)), midnight(pl.lit(following(month)))
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
    core.price that are believed and share a sku_id with one of them (with `list_price_id`, the one). `contracted` has what was charged under
    each contract: both unit prices by SkuPriceId and ContractId, with the first and last instant (`since`, `until`). It is a row of its own, next to that of
    the list price that held then.
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
    held = (pl.col("valid_from") < pl.col("until")) & (
        pl.col("valid_to").is_null() | (pl.col("valid_to") > pl.col("since"))
    )
    of_contract = (
        priced.join(contracted.sort("since"), on=["SkuPriceId", "ListUnitPrice"])
        .filter(held)
        .unique(["SkuPriceId", "ContractId", "valid_from"], keep="last", maintain_order=True)
    )
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
        **_OF_A_SKU,
        SkuPriceCreated="recorded_at",
        SkuPriceDescription="SkuMeter",
        SkuPriceEffectiveEnd="valid_to",
        SkuPriceEffectiveStart="valid_from",
        SkuPriceId="SkuPriceId",
        SkuPriceLastUpdated="recorded_at",
    )


def commitment_prices(usage: pl.DataFrame, declared: Commitments, *, updated: datetime) -> pl.DataFrame:
    """SkuPrice of what commitments are purchased at: every SkuPriceId of `usage` (Cost and Usage of 1.4) that is no price of a feed.

    A price by the unit holds as long as the commitment. One that was shared out to days (a price by the month, hardware of one's own) holds on
    the days of the month that have it.
    """
    own = usage.filter(pl.col("SkuPriceId").is_not_null(), pl.col("x_ListPriceId").is_null())
    if own.is_empty():
        return pl.DataFrame()
    sku = ["SkuPriceId", "SkuId", "SkuMeter", "ServiceProviderName", "PricingUnit", "CommitmentDiscountId"]
    prices = ["ListUnitPrice", "ContractedUnitPrice"]
    days = own.sort("SkuPriceId", "ChargePeriodStart").with_columns(run=pl.struct("SkuPriceId", *prices).rle_id())
    runs = days.group_by("run", *sku, *prices, maintain_order=True).agg(
        pl.col("ChargePeriodStart").min(), pl.col("ChargePeriodEnd").max()
    )
    terms = _terms(declared)
    named = pl.col("CommitmentDiscountId").is_in(list(terms))
    starts, ends = ({name: term[place] for name, term in terms.items()} for place in (0, 1))
    start = pl.when(named).then(_by_commitment(starts)).otherwise("ChargePeriodStart")
    contracts = [item.commitment for item in declared.declared]
    return runs.with_columns(start=start).select(
        ChargeCategory=pl.lit("Purchase"),
        ContractId=pl.when(pl.col("CommitmentDiscountId").is_in(contracts)).then("CommitmentDiscountId"),
        ContractedUnitPrice="ContractedUnitPrice",
        **_OF_A_SKU,
        SkuPriceCreated="start",
        SkuPriceDescription="SkuMeter",
        SkuPriceEffectiveEnd=pl.when(named).then(_by_commitment(ends)).otherwise("ChargePeriodEnd"),
        SkuPriceEffectiveStart="start",
        SkuPriceId="SkuPriceId",
        SkuPriceLastUpdated=pl.lit(updated, _INSTANT),
    )


def _terms(declared: Commitments) -> dict[str, tuple[date, date | None]]:
    """First day, and the day after the last, of each commitment whose unit has one price as long as it lasts."""
    return {
        item.commitment: (item.from_date, item.to_date)
        for item in declared.declared
        if not isinstance(item, ProvisionedThroughput) or item.usd_per_unit_hour is not None
    }


def _by_commitment(days: Mapping[str, date | None]) -> pl.Expr:
    found = pl.col("CommitmentDiscountId").replace_strict(
        list(days), list(days.values()), default=None, return_dtype=pl.Date
    )
    return midnight(found)
