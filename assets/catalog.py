"""The asset of the catalogue: what is known of every model, and what it costs and we spend.

The step is `pipelines.daily.catalog`; facts are in `model_facts.yaml`.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from assets.boundary import in_own_words
from assets.resources import WorkspaceResource
from assets.specs import result, table_spec
from pipelines.daily import refresh_catalog
from pipelines.warehouse.tables.mart_catalog import MODEL_CATALOG

_SHOWN = (
    "model_id",
    "licence",
    "total_params_b",
    "context_tokens",
    "weights_gb_4bit",
    "cheapest_provider_id",
    "conflicts",
)


@dg.multi_asset(
    name="model_catalog",
    specs=[
        table_spec(
            MODEL_CATALOG,
            deps=["core.model", "core.price", "core.rate_card", "core.benchmark_score", "mart.daily_model_spend"],
        )
    ],
)
@in_own_words
def model_catalog(context: dg.AssetExecutionContext, mm: WorkspaceResource) -> Iterator[dg.MaterializeResult[Any]]:
    """Put together what is known of every model at the end of the newest loaded day."""
    rows = refresh_catalog(mm.workspace)
    disputed = rows.filter(rows["conflicts"].list.len() > 0).height
    unverified = rows.filter(rows["unverified"].list.len() > 0).height
    context.log.info("%d models, sources disagree on %d", rows.height, disputed)
    yield result(MODEL_CATALOG, rows.height, rows.select(_SHOWN).head(40), disputed=disputed, unverified=unverified)
