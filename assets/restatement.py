"""What Dagster sees of restatements and of closed months: the tables that commands write, and the job for what follows.

Restating is `pipelines.daily.rerate`, with the command in `assets/cli/rerate.py`; closing is `pipelines.books.periods`, with
those in `assets/cli/books.py`.
"""

from __future__ import annotations

from collections.abc import Iterable

import dagster as dg

from assets.specs import asset_key, table_spec
from pipelines.warehouse.tables.core import REQUEST
from pipelines.warehouse.tables.core_books import BOOKED_CHARGE, BOOKED_COMMITMENT, BOOKED_SHARE, PERIOD_ACT
from pipelines.warehouse.tables.mart_prices import COST_RESTATEMENT

RESTATED = "restated"

ACTS = (
    table_spec(COST_RESTATEMENT, deps=["core.request", "core.price", "core.fx_rate"]),
    table_spec(BOOKED_CHARGE, deps=["mart.daily_charge"]),
    table_spec(BOOKED_COMMITMENT, deps=["mart.commitment_usage"]),
    table_spec(BOOKED_SHARE, deps=["mart.daily_charge"]),
    table_spec(PERIOD_ACT, deps=["mart.daily_charge"]),
)
"""Not built by any job: a restatement or a closing is an act of a person, recorded when it is asked for."""


def restated_job(
    marts: dg.AssetsDefinition, checks: Iterable[dg.AssetChecksDefinition]
) -> dg.UnresolvedAssetJobDefinition:
    """The job for days that were restated: everything that follows from core.request, with the checks of the marts.

    A definition runs whole or not at all: so do `marts`, of which a view follows from prices alone, and those among
    `checks` that look at a mart.
    """
    follows = dg.AssetSelection.assets(asset_key(REQUEST.qualified)).downstream(include_self=False)
    on_marts = [item for item in checks if any(key.asset_key.path[0] == "mart" for key in item.check_keys)]
    return dg.define_asset_job(
        RESTATED,
        selection=(follows | dg.AssetSelection.assets(marts) | dg.AssetSelection.checks(*on_marts))
        - dg.AssetSelection.assets(*(spec.key for spec in ACTS)),
        executor_def=dg.in_process_executor,
        description="Everything that follows from core.request, for days that were restated: marts, checks and report.",
    )
