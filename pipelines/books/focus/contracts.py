"""FOCUS ContractCommitment: what commitments.yaml declares, and the contracts of price sheets, as FOCUS 1.3 (13 columns) and 1.4 (30) name it.

FOCUS has no open end: what has none ends on 9999-12-31.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import polars as pl

from pipelines.config.commitments import (
    Commitment,
    Commitments,
    Discount,
    FreeTier,
    MinimumSpend,
    PrepaidCredit,
    ProvisionedThroughput,
)
from pipelines.exact_json import exact_json
from pipelines.instants import midnight

COLUMNS_OF_1_3 = (
    "BillingCurrency", "ContractCommitmentCategory", "ContractCommitmentCost", "ContractCommitmentDescription", "ContractCommitmentId",
    "ContractCommitmentPeriodEnd", "ContractCommitmentPeriodStart", "ContractCommitmentQuantity", "ContractCommitmentType",
    "ContractCommitmentUnit", "ContractId", "ContractPeriodEnd", "ContractPeriodStart",
)  # fmt: skip
_MONEY, _INSTANT = pl.Decimal(38, 18), pl.Datetime("us", "UTC")
_SCHEMA: dict[str, Any] = dict(
    sorted(
        {
            **dict.fromkeys(
                (
                    "BillingCurrency", "ContractCommitmentApplicability", "ContractCommitmentBenefitCategory", "ContractCommitmentCategory",
                    "ContractCommitmentDescription", "ContractCommitmentDurationType", "ContractCommitmentFulfillmentInterval",
                    "ContractCommitmentId", "ContractCommitmentLifecycleStatus", "ContractCommitmentModel", "ContractCommitmentOfferCategory",
                    "ContractCommitmentPaymentInterval", "ContractCommitmentPaymentModel", "ContractCommitmentType", "ContractCommitmentUnit",
                    "ContractId", "InvoiceIssuerName", "PricingCurrency", "ServiceProviderName",
                ),
                pl.String(),
            ),
            **dict.fromkeys(
                (
                    "ContractCommitmentCost", "ContractCommitmentDiscountPercentage", "ContractCommitmentPaymentUpfrontPercentage",
                    "ContractCommitmentQuantity", "PricingCurrencyContractCommitmentCost",
                ),
                _MONEY,
            ),
            **dict.fromkeys(
                (
                    "ContractCommitmentCreated", "ContractCommitmentLastUpdated", "ContractCommitmentPeriodEnd",
                    "ContractCommitmentPeriodStart", "ContractPeriodEnd", "ContractPeriodStart",
                ),
                _INSTANT,
            ),
        }.items()
    )
)  # fmt: skip
_NO_END = date(9999, 12, 31)


def contract_commitments(
    declared: Commitments, sheets: Sequence[tuple[str, str, date, date | None]], updated: datetime
) -> pl.DataFrame:
    """A row per commitment, discount and contract of a price sheet (id, seller, first day, day after the last), in the 30 columns of 1.4."""
    rows = [_row(item.commitment, item, _terms(item), updated) for item in declared.declared]
    rows += [_row(item.discount, item, _discount(item), updated) for item in declared.discounts]
    rows += [
        _row(name, Commitment(commitment="sheet", provider_id=seller, from_date=start, to_date=end), _SHEET, updated)
        for name, seller, start, end in sheets
    ]
    return pl.DataFrame(rows, schema=_SCHEMA).sort("ContractCommitmentId")


def _row(name: str, item: Commitment | Discount, terms: dict[str, Any], updated: datetime) -> dict[str, Any]:
    start, end = midnight(item.from_date), midnight(item.to_date or _NO_END)
    status = "Pending" if updated < start else "Active" if updated < end else "Expired"
    cost = terms.get("Cost")
    return {
        **dict.fromkeys(_SCHEMA),
        **{f"ContractCommitment{key}": value for key, value in terms.items()},
        "BillingCurrency": "USD",
        "ContractCommitmentApplicability": json.dumps(_applicability(item)),
        "ContractCommitmentCreated": start,
        "ContractCommitmentDescription": f"{terms['Type']} at {item.provider_id}",
        "ContractCommitmentDurationType": _duration(item.from_date, item.to_date),
        "ContractCommitmentId": name,
        "ContractCommitmentLastUpdated": updated,
        "ContractCommitmentLifecycleStatus": status,
        "ContractCommitmentPeriodEnd": end,
        "ContractCommitmentPeriodStart": start,
        "ContractId": name,
        "ContractPeriodEnd": end,
        "ContractPeriodStart": start,
        "InvoiceIssuerName": item.provider_id,
        "PricingCurrency": "USD",
        "PricingCurrencyContractCommitmentCost": cost,
        "ServiceProviderName": item.provider_id,
    }


def _terms(item: Commitment) -> dict[str, Any]:
    if isinstance(item, ProvisionedThroughput):
        pay = _pay("No Upfront", "Monthly", "Public")
        return {"Category": "Usage", "Type": "Provisioned Throughput", "Quantity": Decimal(item.units), "Unit": "Units",
                "BenefitCategory": "Availability", "Model": "Continuous", "FulfillmentInterval": "Hourly", **pay}  # fmt: skip
    if isinstance(item, FreeTier):
        interval = "Daily" if item.tokens_per_day is not None else "Monthly"
        return {"Category": "Usage", "Type": "Free Tier", "Quantity": Decimal(item.tokens), "Unit": "Tokens",
                "BenefitCategory": "Other", "Model": "Continuous", "FulfillmentInterval": interval, **_pay("No Upfront", "Custom", "Public")}  # fmt: skip
    if isinstance(item, PrepaidCredit):
        return {"Category": "Spend", "Type": "Prepaid Credit", "Cost": item.usd, "BenefitCategory": "Monetary Pool", "Model": "Discontinuous",
                "FulfillmentInterval": "Full Commitment Period", "PaymentUpfrontPercentage": Decimal(1), **_pay("All Upfront", "One-Time", "Negotiated")}  # fmt: skip
    cost = item.usd_per_month if isinstance(item, MinimumSpend) else None
    return {"Category": "Spend", "Type": "Minimum Spend by the Month", "Cost": cost, "BenefitCategory": "Other", "Model": "Discontinuous",
            "FulfillmentInterval": "Monthly", **_pay("No Upfront", "Monthly", "Negotiated")}  # fmt: skip


def _discount(item: Discount) -> dict[str, Any]:
    return {**_SHEET, "Type": "Discount by Percent", "DiscountPercentage": item.percent / 100}


def _pay(model: str, interval: str, offer: str) -> dict[str, str]:
    return {"PaymentModel": model, "PaymentInterval": interval, "OfferCategory": offer}


_SHEET: dict[str, Any] = {
    "Category": "Spend", "Type": "Negotiated Prices", "Cost": Decimal(0), "BenefitCategory": "Discount", "Model": "Continuous",
    "FulfillmentInterval": "Transactional", **_pay("No Upfront", "Monthly", "Negotiated"),
}  # fmt: skip


def _applicability(item: Commitment | Discount) -> dict[str, Any]:
    """FOCUS's object of what the commitment covers: the seller, and its models where not all of them are."""
    rules = [{"Dimension": "ServiceProviderName", "Operator": "In", "Values": [item.provider_id]}]
    models = [name for name in getattr(item, "models", ()) if name != "*"]
    patterns = [name for name in models if "*" in name]
    if any(not name.endswith("*") or "*" in name[:-1] for name in patterns) or (
        patterns and len(patterns) < len(models)
    ):
        return {"IsComplexScope": True}
    if patterns:
        rules.append({"Dimension": "x_ModelId", "Operator": "StartsWith", "Values": [name[:-1] for name in patterns]})
    elif models:
        rules.append({"Dimension": "x_ModelId", "Operator": "In", "Values": models})
    return {"InclusionOperator": "And", "Inclusions": rules}


def _duration(start: date, end: date | None) -> str:
    for years in (1, 3, 5):
        if end is not None and (start.year + years, start.month, start.day) == (end.year, end.month, end.day):
            return f"{years} Year{'s' if years > 1 else ''}"
    return "Custom"


def applied(rows: pl.DataFrame) -> Iterator[str | None]:
    """ContractApplied of rows of Cost and Usage, before their columns are chosen: the contract that decided the price and the charge's cost under it, then
    the commitment that covered it or that the row is about, and how much of it; None for list prices."""
    columns = ("x_ContractId", "ContractedCost", "BilledCost", "charge_category", "commitment_id", "covered_usd",
               "commitment_discount_quantity", "commitment_discount_unit")  # fmt: skip
    for row in rows.select(columns).iter_rows(named=True):
        elements = []
        if row["x_ContractId"] is not None:
            elements.append(_element(row["x_ContractId"], row["ContractedCost"], None))
        if row["commitment_id"] is not None:
            amount, unit = row["commitment_discount_quantity"], row["commitment_discount_unit"]
            if row["charge_category"] == "Purchase" and unit not in _HOURS:
                amount = row["BilledCost"]
            elements.append(
                _element(
                    row["commitment_id"],
                    row["covered_usd"] if amount is None else amount,
                    unit if unit in _HOURS and amount is not None else None,
                )
            )
        yield exact_json({"Elements": elements}) if elements else None


_HOURS = ("Unit-Hours", "Hours")


def _element(name: str, amount: Decimal, unit: str | None) -> dict[str, object]:
    contract = {"ContractId": name, "ContractCommitmentId": name}
    if unit is None:
        return {**contract, "ContractCommitmentAppliedCost": amount}
    return {**contract, "ContractCommitmentAppliedQuantity": amount, "ContractCommitmentAppliedUnit": unit}
