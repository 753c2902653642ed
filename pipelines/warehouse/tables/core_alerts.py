"""Tables of schema `core` on alerts: which events there were, and which of them were sent where. They survive every run."""

from __future__ import annotations

from typing import Literal, get_args

from pipelines.warehouse.tables.spec import Column, Table

AlertKind = Literal[
    "run_failed",
    "check_failed",
    "budget",
    "anomaly",
    "drift",
    "price_change",
    "unpriced_model",
    "stale_feed",
    "credit_expiring",
    "source_set_aside",
    "source_silent",
]
ALERT_KINDS: tuple[AlertKind, ...] = get_args(AlertKind)

_ID = Column("alert_id", "uuid", "Hash of the kind and of what makes the event one: the same event has the same id.")

ALERT = Table(
    "core",
    "alert",
    "Every event that somebody may want to hear of, once.",
    "one row per event",
    (
        _ID,
        Column("kind", "text", "Kind of the event.", accepted=ALERT_KINDS),
        Column("raised_at", "timestamptz", "When it was first seen."),
        Column("event_date", "date", "UTC day that it is about."),
        Column("title", "text", "The event in a few words."),
        Column("detail", "text", "What happened, why, and what to do."),
        Column(
            "usd", "numeric(38,18)", "Money that it is about; null where none is.", nullable=True, unit="USD", is_signed=True
        ),
        Column("link", "text", "Where to read on: a page, or the command that shows it."),
    ),
    ("alert_id",),
    day_column="event_date",
    is_act=True,
)  # fmt: skip

ALERT_DELIVERY = Table(
    "core",
    "alert_delivery",
    "What was sent of each event to each channel. A row without sent_at is tried again at the next run.",
    "one row per event and channel",
    (
        _ID,
        Column("channel", "text", "Channel, as alerts.yaml names it."),
        Column("attempts", "integer", "How often it was tried.", unit="attempts"),
        Column("attempted_at", "timestamptz", "When it was tried last."),
        Column("sent_at", "timestamptz", "When the server took it; null while it has not.", nullable=True),
        Column("problem", "text", "Why the last attempt failed, without the address.", nullable=True),
    ),
    ("alert_id", "channel"),
    is_act=True,
)

CORE_ALERT_TABLES = (ALERT, ALERT_DELIVERY)
