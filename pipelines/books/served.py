"""The rows of mart.served_model_change: calls that another model answered than was asked, and what that costs.

The asked model is what the name in the request means at the same seller. Its cost is that of the same usage by the card that held for the
asked model at that moment. A snapshot of the asked model (`gpt-4o-2024-08-06` for `gpt-4o`) is no other model, unless it costs something else.
"""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from pipelines.config.calendars import Calendars
from pipelines.meters import COUNT_COLUMNS
from pipelines.models import Registry, resolve_names
from pipelines.models.names import DATE_SUFFIX, key_of
from pipelines.prices.rating import rate
from pipelines.warehouse.tables.mart_economics import SERVED_MODEL_CHANGE

CALLS = f"""
    select
        request_uid, event_date, provider_id, coalesce(request_model, response_model) as asked_name, model_id, resolution_method,
        service_tier, region, event_at, is_billable, usage_basis, {", ".join(COUNT_COLUMNS)}, effective_cost_usd as served_usd
    from core.request
    where event_date >= %s and event_date < %s and provider_id is not null and model_id is not null
        and (lower(response_model) <> lower(request_model) or resolution_method = 'redirect')
"""
"""The calls of the days [from, to) that another model may have answered."""
NAMES = ("request_model", "response_model", "model_id")
"""The columns of core.request that say whether `CALLS` may find anything."""

_GRAIN = ["event_date", "provider_id", "asked_model_id", "served_model_id"]


def is_worth_asking(requests: pl.DataFrame, redirected_to: Collection[str]) -> bool:
    """Whether another model may have answered one of the requests (the columns `NAMES`): on most days none has. `redirected_to` are the
    models that names are redirected to."""
    other = pl.col("response_model").ne(pl.col("request_model")) | pl.col("model_id").is_in(sorted(redirected_to))
    return bool(requests.select(other.any()).item())


def answered_by_others(
    calls: pl.DataFrame, registry: Registry, rate_card: pl.DataFrame, calendars: Calendars
) -> pl.DataFrame:
    """Those of `calls` (the columns of `CALLS`) that another model answered than was asked, with asked_model_id, served_model_id and
    asked_usd: what the same usage would have cost on the asked model."""
    asked = resolve_names(calls.select("provider_id", raw_name="asked_name"), registry)["model_id"]
    others = calls.with_columns(asked.alias("asked_model_id"), served_model_id="model_id").filter(
        pl.col("asked_model_id") != pl.col("served_model_id")
    )
    counted = others.with_columns(pl.col(COUNT_COLUMNS).cast(pl.Int32), model_id="asked_model_id")
    cost = rate(counted, rate_card, calendars=calendars.days)["effective_cost_usd"]
    return others.with_columns(cost.alias("asked_usd"))


def served_changes(
    calls: pl.DataFrame, registry: Registry, rate_card: pl.DataFrame, calendars: Calendars
) -> pl.DataFrame:
    """Rows of mart.served_model_change of `calls` (the columns of `CALLS`)."""
    others = answered_by_others(calls, registry, rate_card, calendars)
    is_known = pl.col("served_usd").is_not_null() & pl.col("asked_usd").is_not_null()
    served, at_asked = pl.col("served_usd").filter(is_known).sum(), pl.col("asked_usd").filter(is_known).sum()
    rows = others.group_by(_GRAIN).agg(
        pl.when((pl.col("resolution_method") == "redirect").all())
        .then(pl.lit("models.yaml"))
        .otherwise(pl.lit("answer"))
        .alias("known_from"),
        pl.len().cast(pl.Int64).alias("requests"),
        (~is_known).sum().cast(pl.Int64).alias("uncompared_requests"),
        *(
            pl.when(is_known.any()).then(amount).cast(pl.Decimal(38, 18)).alias(name)
            for name, amount in {
                "served_cost_usd": served,
                "asked_cost_usd": at_asked,
                "difference_usd": served - at_asked,
            }.items()
        ),
    )
    is_snapshot = pl.Series(
        [_undated(asked) == _undated(by) for asked, by in rows[_GRAIN[2:]].iter_rows()], dtype=pl.Boolean
    )
    same = is_snapshot & (rows["difference_usd"].fill_null(0) == 0)
    return rows.filter(~same).select(SERVED_MODEL_CHANGE.polars_schema.names()).sort(_GRAIN)


def _undated(model_id: str) -> str:
    return DATE_SUFFIX.sub("", key_of(model_id))
