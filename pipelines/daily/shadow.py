"""Steps `core.shadow_request`, `mart.shadow_evidence` and `mart.routing_off_policy`: shadow measurements, and what the log itself shows.

The files are parsed with the request files (`ingest.py`); the arithmetic is `pipelines.shadow`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import partial
from typing import Any

import polars as pl
import psycopg

from pipelines.records.store import scan_stored, stored_parts
from pipelines.shadow import answers, collect, evidence_rows, off_policy_rows, ratios
from pipelines.shadow.collect import arms_of
from pipelines.shadow.logged_cells import CELL_COLUMNS, cells_of_day
from pipelines.shadow.records import RECORD_SCHEMA
from pipelines.warehouse.day_files import kept_of_day, parts_of_day
from pipelines.warehouse.partitions import loaded_days
from pipelines.warehouse.read import read_frame, read_table
from pipelines.warehouse.replace import replace_all
from pipelines.warehouse.tables.core import REQUEST
from pipelines.warehouse.tables.core_shadow import SHADOW_REQUEST
from pipelines.warehouse.tables.mart_evidence import ROUTING_OFF_POLICY, SHADOW_EVIDENCE
from pipelines.workspace import Workspace
from pipelines.workspace.model_registry import registry_of

OFF_POLICY_DAYS = 30
"""How many loaded days of the log are asked what several models did with one use case."""
_KEPT_CELLS = "off_policy_cells_by_sha256"


def refresh_shadow_requests(workspace: Workspace) -> pl.DataFrame:
    """Rebuild core.shadow_request from every indexed file; its rows."""
    with workspace.database.connect() as connection:
        index = read_frame(
            connection,
            "select snapshot_id, format, parser_version, landing_path from raw.snapshot where kind = 'shadow' order by landing_path",
        )
    records = scan_stored(stored_parts(workspace.parsed_paths(index)), RECORD_SCHEMA).collect()
    rows = collect(records, registry_of(workspace), arms_of(workspace.config.routing))
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


def refresh_off_policy(workspace: Workspace) -> pl.DataFrame:
    """Replace mart.routing_off_policy by what the newest `OFF_POLICY_DAYS` loaded days show; its rows."""
    with workspace.database.connect() as connection:
        newest = sorted(loaded_days(connection, REQUEST))[-OFF_POLICY_DAYS:]
        cells = _cells(workspace, connection, newest)
        rows = off_policy_rows(cells, answers_now(connection))
        replace_all(connection, ROUTING_OFF_POLICY, rows)
    return rows


def _cells(workspace: Workspace, connection: psycopg.Connection[Any], days: Sequence[date]) -> pl.DataFrame:
    """The log's sums of requests that are alike, each day's made once."""
    found = [
        kept_of_day(connection, workspace.day_files, day, _KEPT_CELLS, partial(_cells_of, workspace, connection, day))
        for day in days
    ]
    cells = pl.concat(found) if found else _cells_of(workspace, connection, date.min)
    by = ["use_case", "size", "model_id", "cluster"]
    summed = cells.group_by(by).agg(pl.col("requests", "ok", "output", "cost_usd").sum())
    # By way of text, as Postgres rounds.
    return summed.with_columns(pl.col("cost_usd").cast(pl.String).cast(pl.Float64))


def _cells_of(workspace: Workspace, connection: psycopg.Connection[Any], day: date) -> pl.DataFrame:
    return cells_of_day(parts_of_day(connection, workspace.day_files, day, CELL_COLUMNS))


def answers_now(connection: psycopg.Connection[Any]) -> pl.DataFrame:
    """Every answer that was measured, and those that the log holds of the same requests (`pipelines.shadow.answers`)."""
    shadow = read_table(connection, SHADOW_REQUEST, "is_counted and model_id is not null")
    wanted = shadow["request_id"].unique().to_list()
    requests = REQUEST.empty()
    if wanted:
        named = "source_request_id = any(%s) or session_id = any(%s)"
        requests = read_table(connection, REQUEST, named, (wanted, wanted))
    return answers(shadow, requests)
