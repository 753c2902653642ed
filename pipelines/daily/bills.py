"""Step `core.reported_cost`: every parsed export of a bill into the ledger of what providers report and bill.

The exports are parsed with the request files (`ingest.py`); the ledger is recomputed whole from all of
them, like that of prices. The arithmetic is in `pipelines.bills`.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from pipelines.bills import bitemporal
from pipelines.bills.export_parts import exports_of
from pipelines.bills.records import RECORD_SCHEMA
from pipelines.models import resolve_names
from pipelines.records.store import scan_stored, stored_parts
from pipelines.retention.forgotten import forgotten_users, without_forgotten
from pipelines.warehouse.read import read_frame
from pipelines.warehouse.replace import replace_all
from pipelines.warehouse.tables.bills import BILL_DUPLICATE, REPORTED_COST
from pipelines.workspace import Workspace
from pipelines.workspace.model_registry import registry_of


@dataclass(frozen=True)
class BillOutcome:
    """The ledger after a refresh; `billed_usd` is the amount believed now, over all days."""

    exports: int
    rows: int
    believed: int
    duplicates: int
    unresolved: int
    billed_usd: Decimal


def refresh_reported_costs(workspace: Workspace) -> BillOutcome:
    """Rebuild core.reported_cost and raw.bill_duplicate from every indexed export, in one transaction."""
    with workspace.database.connect() as connection:
        index = read_frame(
            connection,
            "select snapshot_id, format, parser_version, landing_path from raw.snapshot where kind = 'bills' order by landing_path",
        )
        forgotten = forgotten_users(connection)
    paths = workspace.parsed_paths(index)
    records = scan_stored(stored_parts(paths), RECORD_SCHEMA).collect()
    files = workspace.landed("requests").files
    ledger = bitemporal(records, exports_of(files))
    names = ledger.rows.select("provider_id", pl.col("raw_model").alias("raw_name"))
    found = resolve_names(names, registry_of(workspace))
    rows = ledger.rows.with_columns(found["model_id"], found["method"].alias("resolution_method"))
    rows = without_forgotten(rows.select(REPORTED_COST.polars_schema.names()), forgotten)
    with workspace.database.connect() as connection, connection.transaction():
        replace_all(connection, BILL_DUPLICATE, ledger.duplicates)
        replace_all(connection, REPORTED_COST, rows)
    believed = rows.filter(pl.col("superseded_at").is_null())
    return BillOutcome(
        exports=index.height,
        rows=rows.height,
        believed=believed.height,
        duplicates=ledger.duplicates.height,
        unresolved=believed.filter(pl.col("model_id").is_null() & pl.col("raw_model").is_not_null()).height,
        billed_usd=Decimal(believed["amount_usd"].sum() or 0),
    )
