"""Schema of `retention.yaml`: how long everything but the ledger is kept.

Charges, marts, prices, scores and the index of files have no entry: they stay. What removing means is in
`pipelines.retention`, for Dagster's history in `assets.history`.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pipelines.config.declaration import Declaration

SHORTEST_DAYS = 45
"""Late lines are looked for 35 days around a run, and a day is loaded with its neighbours."""

Days = Annotated[int, Field(ge=SHORTEST_DAYS)]


class Retention(Declaration):
    """The whole of `retention.yaml`. Empty keeps for ever.

    Days of the log are counted back from the newest day with charges (and never from a day that is to come), so that a clock
    that runs wild removes nothing.
    """

    dagster_days: Annotated[int, Field(ge=7)] | None = 90
    request_facts_days: Days | None = None
    fact_files_days: Days | None = None
    quarantine_days: Days | None = None
    parsed_days: Days | None = None
    reports_days: Days | None = None
    landing_days: Days | None = None
