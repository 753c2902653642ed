"""Stored records of all shadow files to the rows of core.shadow_request: models resolved, what is said again not counted."""

from __future__ import annotations

import polars as pl

from pipelines.models import Registry, resolve_names
from pipelines.warehouse.tables.core_shadow import SHADOW_REQUEST

_SAME = ("source", "request_id", "provider_id", "raw_model", "score_kind", "judge")


def collect(records: pl.DataFrame, registry: Registry) -> pl.DataFrame:
    """Rows of core.shadow_request from records of every file (`records.RECORD_SCHEMA`).

    Of records that say the same thing of one request, the one that was observed last counts; within a file the last.
    """
    provider = pl.col("raw_provider").map_elements(registry.provider, return_dtype=pl.String)
    named = records.with_columns(provider.alias("provider_id"))
    names = named.select(pl.col("provider_id").fill_null(""), pl.col("raw_model").alias("raw_name"))
    found = resolve_names(names, registry)
    order = ["observed_at", "snapshot_id", "line_no", "item_no"]
    rows = named.with_columns(found["model_id"]).sort(order)
    last = pl.int_range(pl.len()).over(_SAME) == pl.len().over(_SAME) - 1
    return rows.with_columns(last.alias("is_counted")).select(SHADOW_REQUEST.polars_schema.names())
