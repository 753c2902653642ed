"""What is held for review, weighed with our own spend, so that the costliest question is asked first.

Whether something is held never depends on this: `anomalies.py` decides without knowing the traffic.
"""

from __future__ import annotations

import polars as pl

from pipelines.models import Registry
from pipelines.prices.exposure import Traffic
from pipelines.prices.snapshot_diff import MODEL

_CHARGED_BY = (
    "provider_id", "model_id", "meter", "service_tier", "region", "context_from_tokens", "context_to_tokens", "time_window",
    "contract_id", "reasoning_mode",
)  # fmt: skip
_MONEY = pl.Decimal(38, 18)


def weighed(changes: pl.DataFrame, registry: Registry, traffic: Traffic) -> pl.DataFrame:
    """`changes` (columns of CHANGES) with model_id, spend_usd and model_spend_usd, what costs most first.

    spend_usd is what the traffic was charged for the thing whose price is gone or moved, model_spend_usd the sum of the model.
    """
    names = changes.select("provider_id", "raw_model").unique()
    sold = []
    for price_list, raw in names.iter_rows():
        model = registry.resolve(price_list, raw).model_id
        sold.append((price_list, raw, model, registry.seller(price_list, model)))
    columns = ("provider_id", "raw_model", "model_id", "seller")
    named = pl.DataFrame(sold, schema=dict.fromkeys(columns, pl.String), orient="row")
    charges = traffic.charges.group_by(_CHARGED_BY).agg(pl.col("cost_usd").sum().alias("spend_usd"))
    # A request names the seller, a change the seller's list of prices.
    rows = (
        changes.join(named, on=["provider_id", "raw_model"], how="left")
        .join(
            charges.rename({"provider_id": "seller"}),
            on=["seller", *_CHARGED_BY[1:]],
            how="left",
            nulls_equal=True,
        )
        .drop("seller")
    )
    rows = rows.with_columns(pl.col("spend_usd").fill_null(0).cast(_MONEY))
    return rows.with_columns(pl.col("spend_usd").sum().over(MODEL).alias("model_spend_usd")).sort(
        "model_spend_usd", *MODEL, "spend_usd", "factor", "meter",
        descending=[True, False, False, True, True, False], nulls_last=True,
    )  # fmt: skip
