"""Made-up requests and rate cards for the routing tests, in the schemas of core.request and core.rate_card."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars as pl

from pipelines.ids import id_bytes
from pipelines.meters import COUNT_COLUMNS, TOKEN_METERS
from pipelines.prices import rate
from pipelines.warehouse.tables.core import REQUEST
from pipelines.warehouse.tables.core_benchmarks import BENCHMARK_SCORE
from pipelines.warehouse.tables.core_prices import RATE_CARD

DAY = date(2026, 2, 20)
CHEAP, STRONG, TUNED = ("deepseek", "cheap-open"), ("anthropic", "strong-closed"), ("groq", "tuned-open")
RATES = {
    CHEAP: {"input_uncached": "0.28", "input_cache_read": "0.028", "output_text": "0.42"},
    STRONG: {"input_uncached": "3", "input_cache_read": "0.3", "input_cache_write": "3.75", "output_text": "15"},
    TUNED: {"input_uncached": "0.29", "output_text": "0.59"},
}


def rate_card(rates: dict[tuple[str, str], dict[str, str]] | None = None) -> pl.DataFrame:
    """Standard-tier cards that hold since forever. A meter without a rate takes its parent's, as the real cards do."""
    rows = []
    for (provider, model), own in (RATES if rates is None else rates).items():
        filled = {name: Decimal(value) for name, value in own.items()}
        for meter in TOKEN_METERS:
            if meter.name not in filled and meter.parent in filled:
                filled[meter.name] = filled[meter.parent]
        rows.append(
            {
                "rate_id": id_bytes(provider, model),
                "provider_id": provider,
                "model_id": model,
                "service_tier": "standard",
                "region": "",
                "time_window": "",
                "contract_id": "",
                "context_from_tokens": 0,
                "context_counts": "input",
                "reasoning_mode": "",
                "valid_from": datetime(1, 1, 1, tzinfo=UTC),
                "price_ids": "{}",
                "fallbacks": "{}",
                "marginal": "{}",
                "exchange_rates": "{}",
                **{f"{name}_usd_per_mtok": value for name, value in filled.items()},
            }
        )
    return pl.DataFrame(rows, schema=RATE_CARD.polars_schema)


def request(number: int, arm: tuple[str, str] = STRONG, **values: Any) -> dict[str, Any]:
    """One request of DAY: 1,000 plain input and 500 output tokens unless stated otherwise."""
    return {
        "event_date": DAY,
        "request_uid": id_bytes("request", str(number)),
        "event_at": datetime(2026, 2, 20, 9, tzinfo=UTC),
        "source": "gateway",
        "snapshot_id": id_bytes("file"),
        "line_no": number,
        "item_no": 0,
        "operation": "chat",
        "provider_id": arm[0],
        "model_id": arm[1],
        "resolution_method": "exact",
        "service_tier": "standard",
        "region": "",
        "status": "ok",
        "token_semantics": "openai_inclusive",
        "usage_basis": "reported",
        "is_billable": True,
        **dict.fromkeys(COUNT_COLUMNS, 0),
        "input_uncached_tokens": 1000,
        "output_text_tokens": 500,
        **values,
    }


def requests(*rows: dict[str, Any], card: pl.DataFrame | None = None) -> pl.DataFrame:
    """Rows of core.request, rated."""
    schema = REQUEST.polars_schema
    frame = pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema)
    return rate(frame, rate_card() if card is None else card).select(*schema)


def score(model: str, value: float, version: str = "aider_polyglot@pass_rate_2#0", **values: Any) -> dict[str, Any]:
    """One row of core.benchmark_score, believed since January 2026."""
    return {
        "score_id": id_bytes(model, version, str(value)),
        "board": "aider_polyglot",
        "benchmark_version_id": version,
        "source_row_key": model,
        "raw_model": model,
        "model_id": model,
        "variant": "",
        "score": value,
        "score_text": str(value),
        "ci_method": "none",
        "measured_by": "independent",
        "as_of": date(2026, 1, 1),
        "observed_at": datetime(2026, 1, 1, tzinfo=UTC),
        "snapshot_id": id_bytes("board"),
        "source_locator": "",
        **values,
    }


def scores(*rows: dict[str, Any]) -> pl.DataFrame:
    """Rows of core.benchmark_score."""
    schema = BENCHMARK_SCORE.polars_schema
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema)
