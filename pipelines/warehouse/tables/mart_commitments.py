"""Tables of schema `mart` on commitments: what was paid ahead or promised, and what of it was used.

Charges at pay-as-you-go are in `mart_charges.py`; how the figures are made is `pipelines.books.commitments`.
"""

from __future__ import annotations

from pipelines.warehouse.tables.spec import Column, Table

PROVISIONED, FREE_TIER, CREDIT, MINIMUM = KINDS = ("provisioned", "free_tier", "credit", "minimum_spend")
USED, UNUSED = STATUSES = ("Used", "Unused")

_DAY = Column("event_date", "date", "UTC day.")
_ID = Column("commitment_id", "text", "Commitment, as commitments.yaml names it (FOCUS CommitmentDiscountId).")
_KIND = Column("kind", "text", "provisioned, free_tier, credit or minimum_spend.", accepted=KINDS)


def _usd(name: str, description: str, *, nullable: bool = True, is_signed: bool = False) -> Column:
    return Column(name, "numeric(38,18)", description, nullable=nullable, unit="USD", is_signed=is_signed)


def _number(name: str, description: str, unit: str) -> Column:
    return Column(name, "double precision", description, nullable=True, unit=unit)


COMMITMENT_USAGE = Table(
    "mart",
    "commitment_usage",
    "Who used what of each commitment, and what nobody used: the amounts of a commitment and day come to what was purchased, to "
    "the last decimal.",
    "one row per day, commitment, status, model and attribution",
    (
        _DAY,
        _ID,
        _KIND,
        Column("provider_id", "text", "Seller."),
        Column(
            "commitment_discount_status",
            "text",
            "Used or Unused (FOCUS CommitmentDiscountStatus); empty where it is not known which of the amount was used, and for the purchase "
            "of a credit.",
            accepted=(*STATUSES, ""),
        ),
        Column("model_id", "text", "Canonical model that used it; empty for what nobody used, and for a minimum."),
        *(
            Column(
                name,
                "text",
                f"{name.replace('_', ' ').capitalize()} that used it, or that pays for what nobody used; empty where neither is named.",
            )
            for name in ("team", "project", "cost_centre", "environment", "application")
        ),
        _usd("amount_usd", "Part of what was purchased.", nullable=False),
        _usd(
            "effective_cost_usd",
            "What the row costs: the amount, but 0 for the used part of a minimum, which is paid as usage, and for a credit that was granted.",
            nullable=False,
        ),
        _usd(
            "covered_usd",
            "Cost in mart.daily_charge that the row replaces; null where requests have no price.",
            is_signed=True,
        ),
        Column(
            "allocated_method_id",
            "text",
            "Rule by which a part that nobody used is passed on (FOCUS AllocatedMethodId); empty where none is.",
        ),
        _usd(
            "billed_cost_usd",
            "What the seller bills for it on the day: throughput as it runs, a credit whole on its first day, of a minimum what fell short.",
            nullable=False,
        ),
        Column(
            "commitment_discount_quantity",
            "numeric(38,18)",
            "The part in the unit of the commitment (FOCUS CommitmentDiscountQuantity); null for free tiers.",
            nullable=True,
        ),
        Column(
            "commitment_discount_unit",
            "text",
            "Unit-Hours of throughput, Hours of one's own hardware, USD of credits and minimums (FOCUS CommitmentDiscountUnit).",
            nullable=True,
        ),
    ),
    (
        "event_date", "commitment_id", "commitment_discount_status", "model_id", "team", "project", "cost_centre", "environment",
        "application",
    ),
    day_column="event_date",
)  # fmt: skip

COMMITMENT_DAY = Table(
    "mart",
    "commitment_day",
    "How each commitment stands at the end of each day: used, unused, whether it pays, what is left and when that ends.",
    "one row per day and commitment",
    (
        _DAY,
        _ID,
        _KIND,
        Column("provider_id", "text", "Seller."),
        _usd(
            "purchased_usd",
            "Throughput: its price for the day. Credits and minimums: what was used of them on the day, and on the last day (of a "
            "month) also what was left.",
        ),
        _usd("used_usd", "Part of it that was used; used and unused are purchased. Null where not known."),
        _usd("unused_usd", "Part of it that nobody used."),
        _number(
            "utilisation", "Used over purchased; for credits and minimums the part of the whole used so far.", "share"
        ),
        _number(
            "capacity_tokens",
            "Tokens that the throughput can serve in the day, or that a free tier gives in its day or month.",
            "tokens",
        ),
        _number(
            "used_tokens",
            "Tokens served by it, output weighted as declared; those of the day that were free.",
            "tokens",
        ),
        _number("overage_tokens", "Tokens beyond the capacity of their hour, or beyond the free ones.", "tokens"),
        Column(
            "usd_per_used_mtok",
            "numeric(38,12)",
            "Price of the day over the tokens served: the cost of a used unit.",
            nullable=True,
            unit="USD per million tokens",
        ),
        _usd("covered_usd", "Pay-as-you-go cost of what it served or paid for.", is_signed=True),
        _usd("overage_usd", "Pay-as-you-go cost of what went beyond, which is paid as used.", is_signed=True),
        _usd("saving_usd", "Pay-as-you-go cost of what it served or gave, less its price.", is_signed=True),
        _number(
            "break_even_utilisation",
            "Utilisation from which the throughput is cheaper than pay-as-you-go, by the costs of 28 days; above 1 it never is.",
            "share",
        ),
        Column(
            "units_that_pay",
            "integer",
            "Units of which even the last was cheaper than pay-as-you-go, at the hourly arrivals of 28 days.",
            nullable=True,
            unit="units",
        ),
        _usd("balance_usd", "What is left at the end of the day: of a credit, or of the month's minimum."),
        Column("runs_out_on", "date", "Day on which a credit is used up, at the pace of 28 days.", nullable=True),
        Column("expires_on", "date", "First day on which the commitment no longer holds.", nullable=True),
        _usd("expiring_usd", "What of a credit will expire unused, at that pace."),
        Column("reason", "text", "What is missing, and what mends it.", nullable=True),
    ),
    ("event_date", "commitment_id"),
    day_column="event_date",
)

MART_COMMITMENT_TABLES = (COMMITMENT_USAGE, COMMITMENT_DAY)
