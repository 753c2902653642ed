"""Anthropic's cost reports of the Admin API, and the CSV files that its console exports.

Cost (`/v1/organizations/cost_report`, days only): `amount` is a decimal text in the smallest unit of the currency:
"123.45" USD are 1.2345 dollars. `amount` is after discounts and before credits, `list_amount` before discounts. The only currency so far is USD; any other is set aside, not guessed at. Costs of the
priority tier are not in the report. The console's CSV has `cost_usd` and `list_price_usd` in dollars. The cost reports of Claude Enterprise
have the same results; those of Analytics (`/v1/organizations/analytics/cost`) hold them in `group` and `cost`. Bucket times are RFC 3339 in UTC.
Source: platform.claude.com/docs/en/api/admin, "Cost report" and "Analytics".
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import polars as pl

from pipelines.bills.formats.anthropic_usage_api import DAY, WHO, said_where_known
from pipelines.records.conversions import TimeRule
from pipelines.records.layout import Layout


def build() -> Layout:
    """Reports of cost: one amount per workspace and description."""
    return Layout(
        name="anthropic_cost_api",
        version="6",
        text={
            **WHO,
            "cost_type": ("cost_type", "group/cost_type"),
            "token_type": ("token_type", "group/token_type"),
            "line_item": ("description", "product", "cost_type", "group/product", "group/cost_type"),
            "currency": ("currency", "cost/currency"),
        },
        instants=DAY,
        money={
            "cents": ("amount", "cost/amount"),
            "dollars": ("cost_usd",),
            "list_cents": ("list_amount", "cost/list_amount"),
            "list_dollars": ("list_price_usd",),
        },
        integers={"request_count": ("requests", "cost/requests")},
        constants={"provider_id": "anthropic", "report": "cost_report", "currency": "USD"},
        time=TimeRule("iso"),
        derive=_cost,
    )


def _cost() -> Mapping[str, pl.Expr]:
    cents, list_cents = (
        (pl.col(name) * pl.lit(Decimal("0.01"))).cast(pl.Decimal(38, 18)) for name in ("cents", "list_cents")
    )
    return {
        **said_where_known(),
        "amount": pl.coalesce(cents, pl.col("dollars")),
        "list_amount": pl.coalesce(list_cents, pl.col("list_dollars")),
        "meter": pl.coalesce("token_type", "cost_type"),
        "broken": pl.when(pl.col("currency").str.to_uppercase() != "USD").then(
            pl.lit("amounts of a currency other than USD: how many of its smallest units make one is not documented")
        ),
    }
