"""The columns of FOCUS Cost and Usage, once: in which versions each exists, of which type, and what it needs.

A column of a feature that a month's charges do not have is left out of the export, never shipped empty; `lacks` names the feature,
in the words of FOCUS's own rules where they have one. Those of commitments are there in a month that has some.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

from pipelines.meters import FOCUS_UNITS

Version = Literal["1.2", "1.3", "1.4"]
VERSIONS: tuple[Version, ...] = ("1.2", "1.3", "1.4")

Kind = Literal["String", "Decimal", "DateTime", "JSON"]

COMMITMENT = "COMMITMENT_DISCOUNT_SUPPORTED"
CAPACITY = "CAPACITY_RESERVATION_SUPPORTED"
SUB_ACCOUNT = "SUB_ACCOUNT_SUPPORTED"
RESOURCE = "BILLING_BASED_ON_PROVISIONED_RESOURCES_SUPPORTED"
DISCOUNT = "a discount that no column of FOCUS names"
PROGRAMS = "the programs of commitments that a seller offers are not known"
_COUNTED_UNITS = tuple(name for unit, name in FOCUS_UNITS.items() if unit != "token")
COMMITMENT_UNITS = ("Unit-Hours", "Hours", "USD")
CURRENCY = "PRICING_BILLING_CURRENCY_DIFFERENCES_SUPPORTED"


@dataclass(frozen=True)
class FocusColumn:
    """One column. `since` and `until` are the first and the last version that has it; `lacks` is the feature that it needs
    and charges do not have, empty for a column that is exported."""

    name: str
    kind: Kind = "String"
    nullable: bool = False
    accepted: tuple[str, ...] = ()
    since: Version = "1.2"
    until: Version = "1.4"
    lacks: str = ""

    def is_in(self, version: Version) -> bool:
        """Whether FOCUS `version` has the column."""
        return VERSIONS.index(self.since) <= VERSIONS.index(version) <= VERSIONS.index(self.until)


def _left_out(lacks: str, *names: str, since: Version = "1.2") -> Iterator[FocusColumn]:
    return (FocusColumn(name, nullable=True, since=since, lacks=lacks) for name in names)


COST_AND_USAGE: tuple[FocusColumn, ...] = (
    FocusColumn("AllocatedMethodDetails", "JSON", nullable=True, since="1.3"),
    FocusColumn("AllocatedMethodId", nullable=True, since="1.3"),
    FocusColumn("AllocatedResourceId", nullable=True, since="1.3"),
    FocusColumn("AllocatedResourceName", nullable=True, since="1.3"),
    FocusColumn("AllocatedTags", "JSON", nullable=True, since="1.3"),
    *_left_out("AVAILABILITY_ZONE_SUPPORTED", "AvailabilityZone"),
    FocusColumn("BilledCost", "Decimal"),
    FocusColumn("BillingAccountId"),
    FocusColumn("BillingAccountName", nullable=True),
    *_left_out("MULTIPLE_BILLING_ACCOUNT_TYPES_SUPPORTED", "BillingAccountType"),
    FocusColumn("BillingCurrency", accepted=("USD",)),
    FocusColumn("BillingPeriodEnd", "DateTime"),
    FocusColumn("BillingPeriodStart", "DateTime"),
    *_left_out(CAPACITY, "CapacityReservationId", "CapacityReservationStatus"),
    FocusColumn("ChargeCategory", accepted=("Usage", "Purchase", "Credit", "Adjustment")),
    FocusColumn("ChargeClass", nullable=True, accepted=("Correction",)),
    FocusColumn("ChargeDescription"),
    FocusColumn("ChargeFrequency", accepted=("Usage-Based", "Recurring", "One-Time")),
    FocusColumn("ChargePeriodEnd", "DateTime"),
    FocusColumn("ChargePeriodStart", "DateTime"),
    FocusColumn("CommitmentDiscountCategory", nullable=True, accepted=("Usage", "Spend"), lacks=COMMITMENT),
    *_left_out(COMMITMENT, "CommitmentDiscountId", "CommitmentDiscountName"),
    FocusColumn("CommitmentDiscountQuantity", "Decimal", nullable=True, lacks=COMMITMENT),
    FocusColumn("CommitmentDiscountStatus", nullable=True, accepted=("Used", "Unused"), lacks=COMMITMENT),
    *_left_out(COMMITMENT, "CommitmentDiscountType"),
    FocusColumn("CommitmentDiscountUnit", nullable=True, accepted=COMMITMENT_UNITS, lacks=COMMITMENT),
    *_left_out(PROGRAMS, "CommitmentProgramEligibilityDetails", since="1.4"),
    FocusColumn("ConsumedQuantity", "Decimal", nullable=True),
    FocusColumn("ConsumedUnit", nullable=True, accepted=(*FOCUS_UNITS.values(), *COMMITMENT_UNITS)),
    FocusColumn("ContractApplied", "JSON", nullable=True, since="1.3"),
    FocusColumn("ContractedCost", "Decimal"),
    FocusColumn("ContractedUnitPrice", "Decimal", nullable=True),
    FocusColumn("EffectiveCost", "Decimal"),
    FocusColumn("HostProviderName", since="1.3"),
    FocusColumn("InvoiceDetailId", since="1.4"),
    FocusColumn("InvoiceId"),
    FocusColumn("InvoiceIssuerName"),
    FocusColumn("ListCost", "Decimal"),
    FocusColumn("ListUnitPrice", "Decimal", nullable=True),
    FocusColumn("PricingCategory", nullable=True, accepted=("Standard", "Committed")),
    *_left_out(
        CURRENCY,
        "PricingCurrency", "PricingCurrencyContractedUnitPrice", "PricingCurrencyEffectiveCost",
        "PricingCurrencyListUnitPrice",
    ),
    FocusColumn("PricingQuantity", "Decimal", nullable=True),
    FocusColumn("PricingUnit", nullable=True, accepted=("1000000 Tokens", *_COUNTED_UNITS, "Days", *COMMITMENT_UNITS)),
    FocusColumn("ProviderName", until="1.3"),
    FocusColumn("PublisherName", until="1.3"),
    FocusColumn("RegionId", nullable=True),
    FocusColumn("RegionName", nullable=True),
    *_left_out(RESOURCE, "ResourceId", "ResourceName", "ResourceType"),
    FocusColumn("ServiceCategory", accepted=("AI and Machine Learning",)),
    FocusColumn("ServiceName"),
    FocusColumn("ServiceProviderName", since="1.3"),
    FocusColumn("ServiceSubcategory", accepted=("Generative AI",)),
    FocusColumn("SkuId", nullable=True),
    FocusColumn("SkuMeter", nullable=True),
    FocusColumn("SkuPriceDetails", "JSON", nullable=True),
    FocusColumn("SkuPriceId", nullable=True),
    *_left_out(SUB_ACCOUNT, "SubAccountId", "SubAccountName", "SubAccountType"),
    FocusColumn("Tags", "JSON", nullable=True),
)  # fmt: skip
"""Every column of Cost and Usage in any of VERSIONS, in the order of their names."""

CUSTOM: tuple[FocusColumn, ...] = (
    FocusColumn("x_ChargeId"),
    FocusColumn("x_ContractId", nullable=True),
    FocusColumn("x_CredentialId", nullable=True),
    FocusColumn("x_DiscountId", nullable=True, lacks=DISCOUNT),
    FocusColumn("x_ExchangeRate", "Decimal", nullable=True),
    FocusColumn("x_ListPriceId", nullable=True),
    FocusColumn("x_ModelId", nullable=True),
    FocusColumn("x_PriceId", nullable=True),
    FocusColumn("x_PricingCurrency", nullable=True),
    FocusColumn("x_PrincipalId", nullable=True),
    FocusColumn("x_ServiceTier", nullable=True),
)
"""What FOCUS has no column for: these come last."""


def columns_of(version: Version, supported: Collection[str] = ()) -> tuple[FocusColumn, ...]:
    """The columns of an export: those of `version` that charges can fill, and that features `supported` besides can, then our own."""
    return tuple(
        column
        for column in (*COST_AND_USAGE, *CUSTOM)
        if column.is_in(version) and (not column.lacks or column.lacks in supported)
    )
