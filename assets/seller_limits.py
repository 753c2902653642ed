"""Asset of the limits and alerts that sellers keep themselves. The step is `pipelines.daily.refresh_seller_limits`."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from assets.boundary import in_own_words
from assets.resources import WorkspaceResource
from assets.specs import asset_key, nothing_found, result, table_spec
from pipelines.daily import refresh_seller_limits
from pipelines.warehouse.tables.core_limits import SELLER_LIMIT


@dg.multi_asset(
    name="core_seller_limit",
    specs=[table_spec(SELLER_LIMIT, deps=["landing.limits"])],
    check_specs=[
        dg.AssetCheckSpec(
            "every_limit_file_read",
            asset=asset_key(SELLER_LIMIT.qualified),
            description="Every landed file of sellers' limits was read. One that is not of its format is named and costs its own rows.",
        )
    ],
)
@in_own_words
def core_seller_limit(mm: WorkspaceResource) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
    """Read what sellers state of their own limits."""
    found, problems = refresh_seller_limits(mm.workspace)
    yield result(SELLER_LIMIT, found.height)
    yield nothing_found("every_limit_file_read", SELLER_LIMIT, problems)
