"""One name for each service tier, whatever a provider or a logger calls it, in requests and bills alike."""

from __future__ import annotations

import polars as pl

_TIERS = {
    **dict.fromkeys(("default", "auto", "on_demand", "standard_only", "normal", "regular"), "standard"),
    **dict.fromkeys(("none", "null", "", "unspecified", "pay_as_you_go"), "standard"),
    "batches": "batch",
    "on_demand_priority": "priority",
    "on_demand_flex": "flex",
}
"""Names that providers use for the tiers that prices know."""


_TYPE = r"^(?:[a-z_]+\.)?(?:service_tier_|traffic_type_)?"
"""What the name of a value has before it where a library writes its enumeration: `TrafficType.ON_DEMAND_FLEX`, `SERVICE_TIER_FLEX`."""


def tier_name(tier: pl.Expr) -> pl.Expr:
    """A tier in lower case under the name that prices know, where there is one; null stays null."""
    return tier.str.strip_chars().str.to_lowercase().str.replace(_TYPE, "").replace(_TIERS)
