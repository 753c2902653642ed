"""Frames for tests of the warehouse: rows of any table, ordinary or extreme, made from its description alone."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from pipelines.meters import COUNT_COLUMNS
from pipelines.warehouse.tables import Table
from pipelines.warehouse.tables.core import REQUEST

DAY = date(2026, 2, 14)


def uuid_bytes(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()[:16]


def frame(table: Table, rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Rows as a frame of the table's shape; columns not named are null."""
    names = [column.name for column in table.columns]
    return pl.DataFrame([[row.get(name) for name in names] for row in rows], schema=table.polars_schema, orient="row")


def requests(
    count: int, *, day: date = DAY, label: str = "a", cost: Decimal = Decimal("0.000000000001")
) -> pl.DataFrame:
    """`count` priced requests of one day, distinguished by `label` and their number."""
    midnight = datetime.combine(day, time(), UTC)
    return frame(REQUEST, [request(f"{label}/{n}", midnight + timedelta(seconds=n), cost) for n in range(count)])


def request(label: str, event_at: datetime, cost: Decimal) -> dict[str, Any]:
    return {
        **dict.fromkeys(COUNT_COLUMNS, 0),
        "event_date": event_at.date(),
        "request_uid": uuid_bytes(label),
        "event_at": event_at,
        "source": "tests",
        "snapshot_id": uuid_bytes("snapshot"),
        "line_no": 1,
        "item_no": 0,
        "operation": "chat",
        "model_id": "claude-sonnet-4-5",
        "resolution_method": "exact",
        "tags": json.dumps({"cost_center": label}),
        "service_tier": "standard",
        "region": "",
        "status": "ok",
        "input_uncached_tokens": 10,
        "token_semantics": "tests",
        "usage_basis": "reported",
        "is_billable": True,
        "list_cost_usd": cost,
        "contracted_cost_usd": cost,
        "effective_cost_usd": cost,
    }
