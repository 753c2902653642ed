"""Stored records of all shadow files to the rows of core.shadow_request: models resolved, what is said again not counted."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from pipelines.config.routing import RoutingConfig
from pipelines.models import Registry, resolve_names
from pipelines.warehouse.tables.core_shadow import SHADOW_REQUEST

Offer = tuple[str, str]
"""Seller and model."""
_SAME = ("source", "request_id", "provider_id", "raw_model", "score_kind", "judge")


def collect(records: pl.DataFrame, registry: Registry, arms: Mapping[str, Offer] | None = None) -> pl.DataFrame:
    """Rows of core.shadow_request from records of every file (`records.RECORD_SCHEMA`).

    A record that names no model is of the seller and model that its arm stands for in `arms`; the arm's name is then its raw model. Of records that say the same thing of one request, the one that was observed last counts; within a file the last.
    """
    offers = arms or {}
    by_arm = pl.col("raw_model").is_null()
    seller = pl.col("arm").replace_strict(
        {name: offer[0] for name, offer in offers.items()}, default=None, return_dtype=pl.String
    )
    model = pl.col("arm").replace_strict(
        {name: offer[1] for name, offer in offers.items()}, default=None, return_dtype=pl.String
    )
    provider = pl.col("raw_provider").map_elements(registry.provider, return_dtype=pl.String)
    named = records.with_columns(
        pl.when(by_arm).then(pl.coalesce(provider, seller)).otherwise(provider).alias("provider_id"),
        pl.when(by_arm).then(model).alias("of_arm"),
        pl.coalesce("raw_model", "arm").alias("raw_model"),
    )
    names = named.select(pl.col("provider_id").fill_null(""), pl.col("raw_model").alias("raw_name"))
    found = resolve_names(names, registry)
    order = ["observed_at", "snapshot_id", "line_no", "item_no"]
    resolved = pl.when(pl.col("of_arm").is_not_null()).then("of_arm").otherwise(found["model_id"])
    rows = named.with_columns(resolved.alias("model_id")).sort(order)
    last = pl.int_range(pl.len()).over(_SAME) == pl.len().over(_SAME) - 1
    return rows.with_columns(last.alias("is_counted")).select(SHADOW_REQUEST.polars_schema.names())


def arms_of(config: RoutingConfig) -> dict[str, Offer]:
    """What each arm of `routing.yaml` stands for; a name that policies use for different models stands for none."""
    meant: dict[str, set[Offer]] = {}
    for policy in config.policies:
        for arm in policy.arms:
            meant.setdefault(arm.arm, set()).add((arm.provider_id, arm.model_id))
    return {name: next(iter(offers)) for name, offers in meant.items() if len(offers) == 1}
