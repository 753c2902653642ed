"""Schema of `retention.yaml`: how long everything but the ledger is kept.

Charges, prices, scores, the index of files and all marts that are not named here stay. What removing means is in
`pipelines.retention`, for Dagster's history in `assets.history`.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pipelines.config.declaration import Declaration

SHORTEST_DAYS = 45
"""A run looks for late lines 35 days around it, and loads a day together with its neighbours."""

Days = Annotated[int, Field(ge=SHORTEST_DAYS)]


class Retention(Declaration):
    """The whole of `retention.yaml`. An empty value keeps for ever. Days of the log are counted back from the newest
    day with charges, never from a future day, so that a wrong clock removes nothing.
    """

    dagster_days: Annotated[int, Field(ge=7)] | None = 90
    routing_sums_days: Days | None = 90
    profiles_days: Days | None = 90
    projections_days: Days | None = None
    request_facts_days: Days | None = None
    fact_files_days: Days | None = None
    quarantine_days: Days | None = None
    parsed_days: Days | None = None
    reports_days: Days | None = None
    landing_days: Days | None = None
