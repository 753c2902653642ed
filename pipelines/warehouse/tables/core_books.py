"""Tables of schema `core` on the books: which months are closed, and the charges that were booked when they were.

Charges as they are known now are `mart.daily_charge`; what is booked here never follows them.
"""

from __future__ import annotations

from dataclasses import replace

from pipelines.warehouse.tables.mart_charges import DAILY_CHARGE
from pipelines.warehouse.tables.mart_commitments import COMMITMENT_USAGE
from pipelines.warehouse.tables.spec import Column, Table

CORRECTION = "Correction"

_PERIOD = Column("period", "date", "First day of the month that the row belongs to.")

_CLASS = Column(
    "charge_class",
    "text",
    "Correction for what became known of a closed month; null for the month's own charges (FOCUS ChargeClass).",
    nullable=True,
    accepted=(CORRECTION,),
)

PERIOD_ACT = Table(
    "core",
    "period_act",
    "Every closing and reopening of a month, by whom it was asked for: the last one says whether the month is closed.",
    "one row per month and act",
    (
        _PERIOD,
        Column("acted_at", "timestamptz", "When it was done."),
        Column("act", "text", "close or reopen.", accepted=("close", "reopen")),
        Column("reason", "text", "Why, for a reopening.", nullable=True),
        Column("charges", "bigint", "Rows that were booked, or taken back.", unit="rows"),
        Column("billed_cost_usd", "numeric(38,18)", "Their billed cost.", unit="USD", is_signed=True),
    ),
    ("period", "acted_at"),
    is_act=True,
)

BOOKED_CHARGE = Table(
    "core",
    "booked_charge",
    "The charges of closed months as they were booked, and corrections of months before, booked in the month that was open "
    "(FOCUS ChargeClass). They are never changed: a reopening takes back a month whole.",
    "one row per month of booking, day of usage and charge",
    (
        _PERIOD,
        _CLASS,
        # A correction may take back what was booked.
        *(replace(column, accepted=(), is_signed=True) for column in DAILY_CHARGE.columns),
    ),
    ("period", "event_date", "charge_id"),
    is_act=True,
)

BOOKED_SHARE = Table(
    "core",
    "booked_share",
    "Who shared which cost on the days of closed months, as allocation.yaml and the charges had it when the month was closed: statements "
    "and FOCUS files of a closed month follow it.",
    "one row per month, day of usage, rule and receiver",
    (
        _PERIOD,
        Column("event_date", "date", "UTC day of the usage."),
        Column("place", "integer", "Place of the rule: a charge goes by the first that it matches."),
        Column("allocated_method_id", "text", "The rule, as named in allocation.yaml."),
        Column("rule", "jsonb", "The rule as it was declared."),
        Column("receiver", "text", "Who has a share; empty where the rule found nobody."),
        Column("weight", "numeric(38,18)", "The share is in proportion to it: 1, USD, tokens or the declared weight."),
    ),
    ("period", "event_date", "place", "receiver"),
    is_act=True,
)

BOOKED_COMMITMENT = Table(
    "core",
    "booked_commitment",
    "What was used of commitments, and what nobody used, in closed months as it was booked, and corrections of months before: next to "
    "core.booked_charge, which is at pay-as-you-go.",
    "one row per month of booking and row of mart.commitment_usage",
    (
        _PERIOD,
        _CLASS,
        *(replace(column, accepted=(), is_signed=True) for column in COMMITMENT_USAGE.columns),
    ),
    ("period", *COMMITMENT_USAGE.primary_key),
    is_act=True,
)

CORE_BOOK_TABLES = (PERIOD_ACT, BOOKED_CHARGE, BOOKED_SHARE, BOOKED_COMMITMENT)
