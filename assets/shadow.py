"""Assets of shadow measurements: requests of our own on other models, what they show, and what the log itself shows.

The steps are `pipelines.daily.refresh_shadow_requests`, `refresh_shadow_evidence` and `refresh_off_policy`; the files are parsed with the request
files (`requests.py`).
"""

from typing import Any

import dagster as dg

from assets.boundary import in_own_words
from assets.resources import WorkspaceResource
from assets.specs import result, table_spec
from pipelines.daily import refresh_off_policy, refresh_shadow_evidence, refresh_shadow_requests
from pipelines.warehouse.tables.core_shadow import SHADOW_REQUEST
from pipelines.warehouse.tables.mart_evidence import ROUTING_OFF_POLICY, SHADOW_EVIDENCE


@dg.multi_asset(name="core_shadow_request", specs=[table_spec(SHADOW_REQUEST, deps=["raw.snapshot", "core.model"])])
@in_own_words
def core_shadow_request(mm: WorkspaceResource) -> dg.MaterializeResult[Any]:
    """Rebuild the shadow measurements from every file that was parsed."""
    rows = refresh_shadow_requests(mm.workspace)
    unresolved = rows.filter(rows["model_id"].is_null()).height
    return result(SHADOW_REQUEST, rows.height, counted=int(rows["is_counted"].sum()), of_unresolved_models=unresolved)


@dg.multi_asset(
    name="shadow_evidence", specs=[table_spec(SHADOW_EVIDENCE, deps=["core.shadow_request", "core.request"])]
)
@in_own_words
def shadow_evidence(mm: WorkspaceResource) -> dg.MaterializeResult[Any]:
    """Measure tokens and quality of models on the same requests, a judge's word corrected by gold scores."""
    rows = refresh_shadow_evidence(mm.workspace)
    return result(SHADOW_EVIDENCE, rows.height, rows.head(40))


@dg.multi_asset(
    name="routing_off_policy", specs=[table_spec(ROUTING_OFF_POLICY, deps=["core.shadow_request", "core.request"])]
)
@in_own_words
def routing_off_policy(mm: WorkspaceResource) -> dg.MaterializeResult[Any]:
    """Where several models served one use case, say what all of it would have been on each, or why that can't be said."""
    rows = refresh_off_policy(mm.workspace)
    refused = rows.filter(rows["refused_reason"].is_not_null()).height
    return result(ROUTING_OFF_POLICY, rows.height, rows.head(40), refused=refused)
