"""OpenAI's organization costs API (`/v1/organization/costs`, days only), and the CSV files that its usage page exports.

`amount.value` is in `amount.currency`; `line_item` names model and meter (`gpt-4o-2024-08-06, cached input`,
`priority | gpt-5, output`) or neither (`web search tool calls`). Grouped by `api_source`, a line says which API was used. Bucket times
are seconds since 1970 in UTC.
Source: platform.openai.com/docs/api-reference/usage.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from pipelines.bills.formats.openai_usage_api import CSV_TIME
from pipelines.records.conversions import TimeRule
from pipelines.records.layout import Layout

_LINE_ITEM = r"^(?:([A-Za-z ]+) \| )?([^,|]+?)(?: (text|audio|image|video))?, (.+)$"
"""Tier, model, modality and meter of a line item that names a model."""
_TIERS = ("batch", "flex", "priority", "scale")


def build() -> Layout:
    """Reports of cost: one amount per line item and project."""
    return Layout(
        name="openai_costs_api",
        version="3",
        text={
            "report": ("object",),
            "project_id": ("project_id",),
            "api_key_id": ("api_key_id",),
            "end_user_id": ("user_id",),
            "line_item": ("line_item",),
            "product": ("api_source",),
            "currency": ("amount/currency", "amount_currency", "currency"),
            "quantity_unit": ("quantity_unit",),
        },
        instants=CSV_TIME,
        money={"amount": ("amount/value", "amount_value"), "quantity": ("quantity",)},
        constants={"provider_id": "openai", "report": "organization.costs", "currency": "usd"},
        time=TimeRule("iso", epoch="epoch_s"),
        derive=_costs,
    )


def _costs() -> Mapping[str, pl.Expr]:
    tier, model, modality, meter = (pl.col("line_item").str.extract(_LINE_ITEM, group) for group in (1, 2, 3, 4))
    said = tier.str.to_lowercase()
    return {
        "raw_model": model.str.strip_chars(),
        "meter": pl.when(meter.is_not_null()).then(pl.concat_str(modality, meter, separator=" ", ignore_nulls=True)),
        "service_tier": pl.when(said.is_in(_TIERS)).then(said),
    }
