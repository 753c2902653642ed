"""Rows of FOCUS Cost and Usage from charges: which value each column takes. Which columns there are is `versions.py`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from pipelines.books.allocation import ALLOCATED, SHARES, allocate, passed_on
from pipelines.books.covered import OF_USAGE, QUANTITIES, covered, with_quantities
from pipelines.books.focus.commitments import commitment_columns, has_discounts, names_discounts, own_rows
from pipelines.books.focus.contracts import applied
from pipelines.books.focus.principals import PRINCIPALS, by_principal
from pipelines.books.focus.split_cost import ALLOCATION_COLUMNS, allocation_columns
from pipelines.books.focus.versions import COMMITMENT, DISCOUNT, RESOURCE, Version, columns_of
from pipelines.books.periods import following
from pipelines.config.allocation import UNATTRIBUTED
from pipelines.config.focus import BillingAccount
from pipelines.ids import uuid_text
from pipelines.meters import FOCUS_UNITS, PRICED_METERS, TOKEN_METERS
from pipelines.warehouse.tables.core_books import BOOKED_COMMITMENT
from pipelines.warehouse.tables.mart_charges import COSTS
from pipelines.warehouse.tables.mart_commitments import FREE_TIER

_DECIMAL = pl.Decimal(38, 18)
_MILLION = 1_000_000
COMMITTED = (COMMITMENT, RESOURCE)
"""Features that a month has in which a commitment was purchased or used."""
_FOCUS_COSTS = dict(zip(COSTS, ("ListCost", "ContractedCost", "EffectiveCost", "BilledCost"), strict=True))
_OF_AN_ADJUSTMENT = (
    "event_date", "provider_id", "model_id", "service_tier", "region", "team", "project", "cost_centre", "environment",
    "application", "contract_id", "developer", "charge_class",
)  # fmt: skip
_METER_NAMES = {meter.name: meter.sku_meter for meter in PRICED_METERS}
_DIRECTIONS = {meter.name: meter.direction for meter in TOKEN_METERS}
_CACHE_ACTIONS = {meter.name: meter.cache_action for meter in TOKEN_METERS if meter.direction == "Input"}
_DETAILS = {
    "x_ModelDeveloper": "developer", "x_ModelFamily": "family", "x_ModelId": "model_id", "x_ServiceTier": "service_tier",
    "x_TokenDirection": "direction", "x_TokenCacheAction": "cache_action",
}  # fmt: skip
"""SkuPriceDetails by column: before FOCUS 1.5, which names some of them, every property of ours begins with x_."""
_TAGS = ("team", "project", "cost_centre", "environment", "application")


@dataclass(frozen=True)
class Exported:
    """A data set, and what it can't hold: requests without a known cost, and sellers whose account nobody declared."""

    rows: pl.DataFrame
    unpriced_requests: int
    unnamed_accounts: tuple[str, ...]


def cost_and_usage(
    charges: pl.DataFrame,
    month: date,
    version: Version,
    accounts: Mapping[str, BillingAccount],
    *,
    shares: pl.DataFrame | None = None,
    used: pl.DataFrame | None = None,
    commitments: pl.DataFrame | None = None,
) -> Exported:
    """The charges of the month that begins with `month`, in the columns of `version`; each cost sums to that of the charges.

    With `commitments` (rows of core.booked_commitment) what they covered is a part of its own, billed at nothing, and they have rows
    themselves (pipelines.books.covered): effective cost sums to what is to pay, billed cost to what sellers bill.

    `charges` are rows of core.booked_charge with price_region, context_from_tokens, time_window and reasoning_mode of their
    price and developer and family of their model. A line with a quantity and both unit prices is Usage. The rest of a
    day's cost that no unit price explains is an Adjustment. A line that costs nothing and has no price is no charge: it is
    left out, as is usage whose cost is not known, which is counted. Cost that `shares` (pipelines.books.allocation) pass on is a row for
    each receiver, from 1.3 on. With `used` (principals.py) a charge is a row for each user and key.
    """
    if shares is None or version == "1.2":
        shares = pl.DataFrame(schema=SHARES)
    known = _split(charges.filter(pl.col("unpriced_reason").is_null()), shares, used)
    known = covered(known, BOOKED_COMMITMENT.empty() if commitments is None else commitments, shares)
    own, known = (
        known.filter(is_one)
        for is_one in (pl.col("charge_category").is_not_null(), pl.col("charge_category").is_null())
    )
    is_usage = pl.all_horizontal(pl.col(*OF_USAGE).is_not_null())
    usage, others = known.filter(is_usage), known.filter(~is_usage)
    rows = pl.concat(
        [_usage(usage), _adjustments(others), own_rows(passed_on(own) if version == "1.2" else own)], how="diagonal"
    )
    supported = [*(COMMITTED if has_discounts(rows) else ()), *([DISCOUNT] if names_discounts(rows) else [])]
    named = [column.name for column in columns_of(version, supported)]
    has_region = (rows["region"] != "").any()
    if not has_region:
        named = [name for name in named if name not in ("RegionId", "RegionName")]
    if rows["allocated_method_id"].null_count() == rows.height:
        named = [name for name in named if name not in ALLOCATION_COLUMNS]
    if rows["credential"].null_count() == rows.height:
        named.remove("x_CredentialId")
    rows = _with_objects(rows, "Tags", {name: name for name in _TAGS}, absent=UNATTRIBUTED)
    filled = rows.with_columns(**_common(month, accounts))
    filled = filled.sort("ChargePeriodStart", "x_ChargeId")
    contracts = list(applied(filled))
    filled = filled.with_columns(ContractApplied=pl.Series(contracts, dtype=pl.String)).select(named)
    is_own = pl.col("charge_class").is_null()
    unpriced = charges.filter(is_own, pl.col("unpriced_reason").is_not_null(), pl.col("meter") == "request")[
        "quantity"
    ].sum()
    return Exported(filled, int(unpriced), tuple(sorted(set(rows["provider_id"].unique()) - accounts.keys())))


def _split(charges: pl.DataFrame, shares: pl.DataFrame, used: pl.DataFrame | None) -> pl.DataFrame:
    """The charges with the quantities of FOCUS, by who used them, those that are passed on as a part for each receiver."""
    amounts = (*COSTS, *QUANTITIES)
    return allocate(by_principal(with_quantities(charges), used, amounts), shares, amounts)


def _usage(lines: pl.DataFrame) -> pl.DataFrame:
    """One row per line: quantity times unit price is the cost, to the last decimal where it is not split."""
    is_token = pl.col("unit") == "token"
    sku = pl.concat_str("provider_id", "model_id", "meter", separator="/")
    unit = pl.col("unit").replace_strict(FOCUS_UNITS, return_dtype=pl.String)

    def unit_price(name: str) -> pl.Expr:
        rate = pl.col(name).cast(_DECIMAL)
        return pl.when(is_token).then(rate).otherwise(rate / _MILLION).cast(_DECIMAL)

    filled = lines.with_columns(
        ChargeCategory=pl.lit("Usage"),
        ConsumedUnit=unit,
        PricingUnit=pl.when(is_token).then(pl.lit("1000000 Tokens")).otherwise(unit),
        PricingCategory=pl.when(pl.col("commitment_id").is_null() | (pl.col("commitment_kind") == FREE_TIER))
        .then(pl.lit("Standard"))
        .otherwise(pl.lit("Committed")),
        ListUnitPrice=unit_price("list_usd_per_million"),
        ContractedUnitPrice=unit_price("contracted_usd_per_million"),
        SkuId=sku,
        SkuMeter=pl.col("meter").replace_strict(_METER_NAMES, return_dtype=pl.String),
        SkuPriceId=pl.concat_str(sku, "service_tier", *_conditions(), separator="/"),
        direction=pl.col("meter").replace_strict(_DIRECTIONS, default=None, return_dtype=pl.String),
        cache_action=pl.col("meter").replace_strict(_CACHE_ACTIONS, default=None, return_dtype=pl.String),
        x_ListPriceId=uuid_text("list_price_id"),
        x_PriceId=uuid_text("price_id"),
        x_PricingCurrency="pricing_currency",
        x_ExchangeRate="usd_per_currency",
    )
    return _with_objects(filled, "SkuPriceDetails", _DETAILS)


def _conditions() -> list[pl.Expr]:
    """What else decides the price of a SKU: where, from which prompt size, at which hours, in which mode."""
    return [
        pl.when(pl.col("price_region") == "").then(pl.lit("any")).otherwise(pl.col("price_region")),
        pl.col("context_from_tokens").cast(pl.String),
        *(pl.when(pl.col(name) == "").then(pl.lit("all")).otherwise(pl.col(name)) for name in ("time_window", "reasoning_mode")),
    ]  # fmt: skip


def _with_objects(
    rows: pl.DataFrame, name: str, fields: Mapping[str, str], *, absent: str | None = None
) -> pl.DataFrame:
    """`rows` with a JSON object of `fields` (key to column), without those that are null or `absent`."""
    columns = list(fields.values())
    known = rows.select(columns).unique(maintain_order=True)
    texts = [
        json.dumps(
            {key: row[column] for key, column in fields.items() if row[column] not in (None, absent)},
            ensure_ascii=False,
        )
        for row in known.iter_rows(named=True)
    ]
    objects = known.with_columns(pl.Series(name, texts, dtype=pl.String))
    return rows.join(objects, on=columns, how="left", nulls_equal=True, maintain_order="left")


def _adjustments(lines: pl.DataFrame) -> pl.DataFrame:
    """What no unit price explains, summed by day, seller, model and attribution; nothing where that is nothing."""
    summed = lines.group_by(*_OF_AN_ADJUSTMENT, *PRINCIPALS, *ALLOCATED, maintain_order=True).agg(
        pl.col(*COSTS).sum(), pl.col("charge_id").min(), pl.col("context_from_tokens").first()
    )
    costs = pl.any_horizontal(pl.col(*COSTS) != 0)
    return summed.filter(costs).with_columns(ChargeCategory=pl.lit("Adjustment"))


def _common(month: date, accounts: Mapping[str, BillingAccount]) -> dict[str, pl.Expr]:
    """What every row has."""
    seller = pl.col("provider_id")
    ids = {name: account.id for name, account in accounts.items()}
    names = {name: account.name for name, account in accounts.items()}
    invoice = pl.concat_str(seller, pl.lit(f"{month:%Y-%m}-provisional"), separator="-")
    corrects = pl.when(pl.col("charge_class").is_not_null()).then(
        pl.format("corrects-{}", pl.col("event_date").dt.strftime("%Y-%m"))
    )
    region = pl.when(pl.col("region") != "").then(pl.col("region"))
    return {
        **{focus: pl.col(cost).cast(_DECIMAL) for cost, focus in _FOCUS_COSTS.items()},
        **allocation_columns(),
        **commitment_columns(),
        "BillingAccountId": seller.replace_strict(ids, default=pl.concat_str(seller, pl.lit("-account")), return_dtype=pl.String),
        "BillingAccountName": seller.replace_strict(names, default=None, return_dtype=pl.String),
        "BillingCurrency": pl.lit("USD"),
        "BillingPeriodStart": midnight(pl.lit(month)),
        "BillingPeriodEnd": midnight(pl.lit(following(month))),
        "ChargeClass": pl.col("charge_class"),
        "ChargeDescription": pl.coalesce(
            "described", pl.coalesce("SkuMeter", pl.lit("Cost beyond unit prices")) + pl.lit(" for ") + pl.col("model_id")
        ),
        "ChargeFrequency": pl.coalesce("frequency", pl.lit("Usage-Based")),
        "ChargePeriodStart": midnight(pl.col("event_date")),
        "ChargePeriodEnd": midnight(pl.col("event_date") + pl.duration(days=1)),
        "HostProviderName": seller,
        "InvoiceDetailId": pl.concat_str(invoice, pl.coalesce("detail", "SkuId", pl.lit("adjustment")), corrects, separator="/", ignore_nulls=True),
        "InvoiceId": invoice,
        "InvoiceIssuerName": seller,
        "ProviderName": seller,
        "PublisherName": pl.coalesce("developer", "provider_id"),
        "RegionId": region,
        "RegionName": region,
        "ServiceCategory": pl.lit("AI and Machine Learning"),
        "ServiceName": seller + pl.lit(" models"),
        "ServiceProviderName": seller,
        "ServiceSubcategory": pl.lit("Generative AI"),
        "x_ContractId": pl.when(pl.col("contract_id") != "").then(pl.col("contract_id")),
        "x_ChargeId": uuid_text("charge_id"),
        "x_ModelId": pl.when(pl.col("model_id") != "").then(pl.col("model_id")),
        "x_CredentialId": pl.col("credential"),
        "x_PrincipalId": pl.coalesce("principal", pl.when(pl.col("application") != UNATTRIBUTED).then("application")),
        "x_ServiceTier": pl.col("service_tier"),
    }  # fmt: skip


def midnight(day: pl.Expr) -> pl.Expr:
    """The first instant of a UTC day."""
    return day.cast(pl.Date).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
