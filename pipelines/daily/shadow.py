"""Steps `core.shadow_request` and `mart.shadow_evidence`: parsed shadow measurements, and what they show with the requests that ran.

The files are parsed with the request files (`ingest.py`); the arithmetic is `pipelines.shadow`.
"""

from __future__ import annotations

from typing import Any

import polars as pl
import psycopg

from pipelines.records.store import scan_stored, stored_parts
from pipelines.shadow import answers, collect, evidence_rows, ratios
from pipelines.shadow.records import RECORD_SCHEMA
from pipelines.warehouse.read import read_frame, read_table
from pipelines.warehouse.replace import replace_all
from pipelines.warehouse.tables.core import REQUEST
from pipelines.warehouse.tables.core_shadow import SHADOW_REQUEST
from pipelines.warehouse.tables.mart_evidence import SHADOW_EVIDENCE
from pipelines.workspace import Workspace
from pipelines.workspace.model_registry import registry_of


def refresh_shadow_requests(workspace: Workspace) -> pl.DataFrame:
    """Rebuild core.shadow_request from every indexed file; its rows."""
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


def refresh_shadow_evidence(workspace: Workspace) -> pl.DataFrame:
    """Replace mart.shadow_evidence by what the measurements show now; its rows."""
    with workspace.database.connect() as connection:
        answered = answers_now(connection)
        rows = evidence_rows(answered, ratios(answered))
        replace_all(connection, SHADOW_EVIDENCE, rows)
    return rows


def answers_now(connection: psycopg.Connection[Any]) -> pl.DataFrame:
    """Every answer that was measured, and those that the log holds of the same requests (`pipelines.shadow.answers`)."""
    shadow = read_table(connection, SHADOW_REQUEST, "is_counted and model_id is not null")
    wanted = shadow["request_id"].unique().to_list()
    requests = REQUEST.empty()
    if wanted:
        named = "source_request_id = any(%s) or session_id = any(%s)"
        requests = read_table(connection, REQUEST, named, (wanted, wanted))
    return answers(shadow, requests)
