"""Step `core.shadow_request`: every parsed file of shadow measurements, models resolved.

The files are parsed with the request files (`ingest.py`); the rows are `pipelines.shadow.collect`.
"""

from __future__ import annotations

import polars as pl

from pipelines.records.store import scan_stored, stored_parts
from pipelines.shadow import collect
from pipelines.shadow.records import RECORD_SCHEMA
from pipelines.warehouse.read import read_frame
from pipelines.warehouse.replace import replace_all
from pipelines.warehouse.tables.core_shadow import SHADOW_REQUEST
from pipelines.workspace import Workspace
from pipelines.workspace.model_registry import registry_of


def refresh_shadow_requests(workspace: Workspace) -> pl.DataFrame:
    """Rebuild core.shadow_request from every indexed file, in one transaction; its rows."""
    with workspace.database.connect() as connection:
        index = read_frame(
            connection,
            "select snapshot_id, format, parser_version, landing_path from raw.snapshot where kind = 'shadow' order by landing_path",
        )
    records = scan_stored(stored_parts(workspace.parsed_paths(index)), RECORD_SCHEMA).collect()
    rows = collect(records, registry_of(workspace))
    with workspace.database.connect() as connection:
        replace_all(connection, SHADOW_REQUEST, rows)
    return rows
