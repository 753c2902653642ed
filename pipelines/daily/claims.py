"""Step `mart.claims_audit`: every claim of `claims.yaml` computed again on what the warehouse holds now.

The formulas and verdicts are `pipelines.claims`.
"""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl

from pipelines.claims import Known, audit, offers_of
from pipelines.warehouse.read import read_table
from pipelines.warehouse.replace import replace_all
from pipelines.warehouse.tables.core_benchmarks import BENCHMARK_SCORE
from pipelines.warehouse.tables.core_prices import PRICE, RATE_CARD
from pipelines.warehouse.tables.mart_evidence import CLAIMS_AUDIT
from pipelines.workspace import Workspace


def audit_claims(workspace: Workspace) -> pl.DataFrame:
    """Replace mart.claims_audit by what is true now; its rows."""
    found = audit(known_now(workspace), datetime.now(UTC))
    with workspace.database.connect() as connection:
        replace_all(connection, CLAIMS_AUDIT, found)
    return found


def known_now(workspace: Workspace) -> Known:
    """What the warehouse and the configuration hold of everything that a claim needs."""
    config = workspace.config
    offers = offers_of(config.claims)
    with workspace.database.connect() as connection:
        sold = "provider_id || '/' || model_id = any(%s)"
        cards, prices = (
            read_table(connection, RATE_CARD, sold, (offers,)),
            read_table(connection, PRICE, sold, (offers,)),
        )
        scores = read_table(connection, BENCHMARK_SCORE, "model_id is not null")
    return Known(config.claims, cards, prices, scores, config.model_facts)
