"""Finds what a change of a model touches: the routes that send traffic to it, and the money spent on it.

It is added to events when they are read, and never stored with them. Spend and policies of a day may be loaded or
changed after the event, and an event's row must not depend on which day ran last.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import polars as pl

from pipelines.config.routing import RoutingConfig

TOUCHING = ("drift", "slow_drift", "removed")
"""Classes of event that say something about what the company buys."""


@dataclass(frozen=True)
class Exposure:
    """Routes to a model (`policy (arm)`), and its effective cost on the newest day with spend up to the event's own."""

    routes: tuple[str, ...]
    day: date | None
    effective_cost_usd: Decimal | None

    @property
    def sentence(self) -> str:
        """In plain words; empty where the model is neither paid for nor routed to."""
        parts = []
        if self.effective_cost_usd:
            parts.append(f"{self.effective_cost_usd:,.2f} USD were spent on it on {self.day}")
        if self.routes:
            parts.append("it is routed to by " + ", ".join(self.routes))
        joined = " and ".join(parts)
        return f"{joined[0].upper()}{joined[1:]}." if joined else ""


def exposure_of(model_id: str, on: date, policies: RoutingConfig, spend: pl.DataFrame) -> Exposure:
    """What a change of the model on the day touches.

    `spend` are rows of mart.daily_model_spend (event_date, model_id, effective_cost_usd).
    """
    routes = [
        f"{policy.policy} ({arm.arm})"
        for policy in policies.policies
        for arm in policy.arms
        if arm.model_id == model_id
    ]
    paid = spend.filter(
        (pl.col("model_id") == model_id) & (pl.col("event_date") <= on) & pl.col("effective_cost_usd").is_not_null()
    )
    day = max(paid["event_date"].to_list(), default=None)
    usd = None if day is None else Decimal(paid.filter(pl.col("event_date") == day)["effective_cost_usd"].sum())
    return Exposure(tuple(routes), day, usd)


def with_exposure(events: pl.DataFrame, policies: RoutingConfig, spend: pl.DataFrame) -> pl.DataFrame:
    """Rows of mart.benchmark_drift or mart.request_drift; those about a model in use say so in `explanation`.

    Of leaderboard events only drift and removal touch what the company buys, of comparisons in the log only alarms.
    """
    rows = []
    for row in events.iter_rows(named=True):
        touches = row["is_alarm"] if "is_alarm" in row else row["drift_class"] in TOUCHING
        if touches and row["model_id"] is not None:
            sentence = exposure_of(row["model_id"], row["event_date"], policies, spend).sentence
            row["explanation"] = f"{row['explanation']} {sentence}".rstrip()
        rows.append(row)
    return pl.DataFrame(rows, schema=events.schema)
