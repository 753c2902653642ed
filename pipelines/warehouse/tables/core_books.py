"""Tables of schema `core` on the books: which months are closed, and the charges that were booked when they were.

Charges as they are known now are `mart.daily_charge`; what is booked here never follows them.
"""

from __future__ import annotations

from dataclasses import replace

from pipelines.warehouse.tables.mart_charges import DAILY_CHARGE
from pipelines.warehouse.tables.spec import Column, Table

CORRECTION = "Correction"

_PERIOD = Column("period", "date", "First day of the month that the row belongs to.")

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
        Column(
            "charge_class",
            "text",
            "Correction for what became known of a closed month; null for the month's own charges (FOCUS ChargeClass).",
            nullable=True,
            accepted=(CORRECTION,),
        ),
        # A correction may take back what was booked.
        *(replace(column, accepted=(), is_signed=True) for column in DAILY_CHARGE.columns),
    ),
    ("period", "event_date", "charge_id"),
    is_act=True,
)

CORE_BOOK_TABLES = (PERIOD_ACT, BOOKED_CHARGE)
