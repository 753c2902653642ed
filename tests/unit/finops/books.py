"""A small set of books for the report's tests: every amount can be added up by hand.

Requests and files are written as rows; the project's own dbt models make the spend tables of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import psycopg

from pipelines.books.logged import LoggedDay
from pipelines.ids import id_bytes
from pipelines.warehouse.bulk_copy import copy_frame
from pipelines.warehouse.read import read_table
from pipelines.warehouse.replace import replace_all, replace_days
from pipelines.warehouse.tables import TABLES_BY_NAME, Table
from pipelines.warehouse.tables.mart import DAILY_EXPLORER_SPEND, DAILY_ITEM_SPEND, DAILY_METER_SPEND
from pipelines.warehouse.tables.mart_charges import DAILY_CHARGE
from pipelines.warehouse.tables.mart_logged import LOGGED_COST, LOGGED_DIFFERENCE, UNPRICED_NAME
from pipelines.warehouse.tables.raw import LOADED_FILE
from tests.marts import build, build_spend_tables, create_spend_tables

DAY = date(2026, 2, 28)  # a Saturday
FILE = id_bytes("file")
OLD_FILE = id_bytes("a file without a valid line")

_BLANK: dict[str, Any] = {
    "text": "", "uuid": FILE, "boolean": True, "integer": 0, "bigint": 0, "double precision": 0.0,
    "numeric(38,18)": Decimal(0), "numeric(38,12)": Decimal(0), "date": DAY, "jsonb": "{}", "date[]": [],
    "timestamptz": datetime(2026, 2, 28, 12, tzinfo=UTC),
}  # fmt: skip


def frame(table: str, *rows: Mapping[str, Any]) -> pl.DataFrame:
    """Rows of a table; columns not named are null, or empty where null is not allowed."""
    spec = TABLES_BY_NAME[table]
    blank = {column.name: None if column.nullable else _BLANK[column.type] for column in spec.columns}
    return pl.DataFrame([{**blank, **row} for row in rows], schema=spec.polars_schema)


def request(number: int, model: str | None, cost: str | None, day: date = DAY, **more: Any) -> dict[str, Any]:
    """One request of 1,000 tokens in and 100 out; without a cost it is unpriced."""
    amount = None if cost is None else Decimal(cost)
    return {
        "event_date": day,
        "event_at": datetime(day.year, day.month, day.day, 9, tzinfo=UTC),
        "request_uid": id_bytes(str(day), str(number)),
        "line_no": number,
        "source": "gateway",
        "provider_id": "openai",
        "request_model": model,
        "model_id": model,
        "team": "search",
        "service_tier": "standard",
        "status": "ok",
        "usage_basis": "reported",
        "input_uncached_tokens": 1000,
        "output_text_tokens": 100,
        "list_cost_usd": amount,
        "contracted_cost_usd": amount,
        "effective_cost_usd": amount,
        "unpriced_reason": "no_price" if cost is None else None,
        **more,
    }


def small_day() -> list[dict[str, Any]]:
    """Five requests: $1.005 + $1.005 + $0.004 on two models, one free, one unresolved. Together $2.014."""
    return [
        request(1, "model-a", "1.005", reported_cost_usd=Decimal("1.000")),
        request(2, "model-b", "1.005", reported_cost_usd=Decimal("1.005"), team=None),
        request(3, "model-c", "0.004"),
        request(4, "model-a", "0", team="support", is_billable=False),
        request(5, None, None, request_model="orion-7b", provider_id="vllm", unpriced_reason="model_unresolved"),
    ]


def write(connection: psycopg.Connection[Any], requests: list[dict[str, Any]]) -> None:
    """Load requests and derive the spend marts from them."""
    create_spend_tables(connection)
    if not requests:
        return
    days = [row["event_date"] for row in requests]
    facts = frame("core.request", *requests)
    replace_days(connection, TABLES_BY_NAME["core.request"], facts, min(days), max(days) + timedelta(days=1))
    models = {row["model_id"] for row in requests if row["model_id"]}
    rows = [
        {"model_id": m, "display_name": m, "openness": "open_weight" if m == "model-b" else "closed"}
        for m in sorted(models)
    ]
    replace_all(connection, TABLES_BY_NAME["core.model"], frame("core.model", *rows))
    loaded = facts.group_by("event_date", "snapshot_id").agg(pl.len().cast(pl.Int64).alias("requests"))
    replace_days(connection, LOADED_FILE, loaded, min(days), max(days) + timedelta(days=1))
    build_spend_tables(connection)
    compare_logged_costs(connection, facts)


def compare_logged_costs(connection: psycopg.Connection[Any], facts: pl.DataFrame) -> None:
    """What the report reads of logged costs and of names without a price."""
    cards = read_table(connection, TABLES_BY_NAME["core.rate_card"])
    for (day,), requests in facts.partition_by("event_date", as_dict=True).items():
        found = LoggedDay(day)
        found.add(requests)
        for table, rows in (
            (LOGGED_COST, found.costs),
            (LOGGED_DIFFERENCE, found.differences(cards)),
            (UNPRICED_NAME, found.names),
        ):
            replace_days(connection, table, rows, day, day + timedelta(days=1))


def add(connection: psycopg.Connection[Any], table: str, *rows: Mapping[str, Any]) -> None:
    """Append rows; what is made of charges alone follows."""
    spec: Table = TABLES_BY_NAME[table]
    copy_frame(connection, spec, frame(table, *rows))
    if spec is DAILY_CHARGE:
        build(connection, DAILY_ITEM_SPEND)
        build(connection, DAILY_METER_SPEND)
        build(connection, DAILY_EXPLORER_SPEND)


def snapshot(snapshot_id: bytes = FILE, **more: Any) -> dict[str, Any]:
    """A landed request file of eight lines: five loaded, one duplicate, two quarantined."""
    return {
        "snapshot_id": snapshot_id,
        "kind": "requests",
        "source": "gateway",
        "format": "litellm_spend_logs",
        "landing_path": "requests/gateway/2026-02-28/a.jsonl",
        "lines": 8,
        "valid": 6,
        "quarantined": 2,
        "event_dates": [DAY],
        **more,
    }


def projection(arm: str, share: str, base: str, cost: str | None, **more: Any) -> dict[str, Any]:
    """One row of a projection of policy hybrid against what the traffic did cost."""
    saving = None if cost is None else Decimal(base) - Decimal(cost)
    return {
        "event_date": DAY,
        "policy": "hybrid",
        "method": "policy",
        "baseline": "actual",
        "arm": arm,
        "provider_id": None if arm == "total" else "deepseek",
        "model_id": None if arm == "total" else f"model-{arm}",
        "share": Decimal(share),
        "requests": 5 * float(share),
        "baseline_cost_usd": Decimal(base),
        "projected_cost_usd": None if cost is None else Decimal(cost),
        "saving_usd": saving,
        "saving_share": None if saving is None else float(saving / Decimal(base)),
        "evidence_grade": "E",
        "assumptions": json.dumps(
            {"tokens": {"output, *": "rho = 1: the same tokens"}, "retries": 0, "cache": {"cheap": "lost: no cache"}}
        ),
        **more,
    }


def full(connection: psycopg.Connection[Any]) -> None:
    """Something in every section."""
    write(connection, [*small_day(), request(9, "model-a", "4.00", DAY - timedelta(days=1))])
    add(
        connection,
        "raw.snapshot",
        snapshot(),
        snapshot(id_bytes("p"), kind="prices", source="litellm_map"),
    )
    add(
        connection,
        "raw.quarantine",
        {"snapshot_id": FILE, "reason": "not_json", "severity": "error", "detail": "found {"},
    )
    arms = [
        projection("cheap", "0.9", "1.8126", "0.10"),
        projection("strong", "0.1", "0.2014", "0.25"),
        projection("total", "1", "2.014", "0.35"),
    ]
    add(connection, "mart.routing_projection", *arms)
    add(
        connection,
        "mart.benchmark_drift",
        {
            "event_date": DAY,
            "board": "aider",
            "benchmark_version_id": "aider@1#0",
            "drift_class": "drift",
            "severity": "warn",
            "raw_model": "m",
            "score_before": 70.0,
            "score_after": 60.5,
            "delta_adjusted": -9.5,
            "q_value": 0.00001,
            "explanation": "m fell beyond noise.",
            "n_models": 1,
        },
    )
