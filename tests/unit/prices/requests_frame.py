"""Request frames for tests of rating: the columns that `rate` reads, with zeros where a test names nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import polars as pl

from pipelines.meters import COUNT_COLUMNS, TOKEN_METERS
from pipelines.warehouse.tables.core import REQUEST

_COLUMNS = (
    "provider_id",
    "model_id",
    "service_tier",
    "region",
    "event_at",
    *COUNT_COLUMNS,
    "is_billable",
    "usage_basis",
)
SCHEMA = {name: REQUEST.column(name).polars_type for name in _COLUMNS}
_DEFAULTS: dict[str, Any] = {
    "service_tier": "standard",
    "region": "",
    "event_at": datetime(2026, 2, 14, 12, tzinfo=UTC),
    "is_billable": True,
    "usage_basis": "reported",
    **dict.fromkeys(COUNT_COLUMNS, 0),
}


def requests_frame(rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """One request per mapping of column names; token columns may be named by their meter."""
    names = {meter.name: meter.tokens_column for meter in TOKEN_METERS}
    filled = [_DEFAULTS | {names.get(key, key): value for key, value in row.items()} for row in rows]
    return pl.DataFrame(filled, schema=SCHEMA)
