"""A market of one model, one GPU and steady arrivals, in round numbers that can be worked by hand."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars as pl

from pipelines.config import load_config
from pipelines.config.selfhost import GpuPrice, Hardware, SelfHost, Throughput
from pipelines.models import build_registry
from pipelines.selfhost.breakeven import Market
from pipelines.selfhost.gpu_prices import StatedPrice, gpu_ledger
from pipelines.selfhost.throughput import Measured, throughput_rows
from pipelines.warehouse.tables.core_prices import RATE_CARD
from pipelines.warehouse.tables.selfhost import HOURLY_DEMAND

DAY = date(2026, 3, 2)
MODEL = "qwen3-32b"
HARDWARE = Hardware.model_validate({"gpus": [{"gpu": "h100", "memory_gb": 80, "aliases": ["H100 SXM"]}]})
MEASURED: dict[str, Any] = {
    "model": MODEL,
    "gpu": "h100",
    "engine": "vllm",
    "precision": "fp8",
    "input_tokens": 3000,
    "output_tokens": 1000,
    "output_tokens_per_second": 1000,
    "measured_on": date(2026, 2, 1),
    "source": "own benchmark",
}
PRICE: dict[str, Any] = {
    "gpu": "h100",
    "usd_per_hour": "2.5",
    "valid_from": date(2026, 1, 1),
    "source": "contract",
    "term": "on_demand",
}
BUSY, QUIET = 7_200_000, 1_440_000
"""Tokens in a busy hour, of which there are 8 a day, and in each of the 16 others."""


def card(provider: str, usd_in: str, usd_out: str, **other: object) -> dict[str, Any]:
    """A rate card of MODEL for anybody."""
    row: dict[str, Any] = dict.fromkeys(RATE_CARD.polars_schema)
    row |= dict.fromkeys(("region", "time_window", "contract_id", "reasoning_mode"), "")
    row |= {
        "rate_id": provider.encode().ljust(16, b"-"),
        "provider_id": provider,
        "model_id": MODEL,
        "service_tier": "standard",
        "context_from_tokens": 0,
        "context_counts": "input",
        "valid_from": datetime(2026, 1, 1, tzinfo=UTC),
        "input_uncached_usd_per_mtok": Decimal(usd_in),
        "output_text_usd_per_mtok": Decimal(usd_out),
        **dict.fromkeys(("price_ids", "fallbacks", "exchange_rates", "marginal"), "{}"),
    }
    return row | other


def hours(days: Iterable[date], provider: str = "openai", model: str = "gpt-5.2") -> pl.DataFrame:
    """8 busy hours and 16 quiet ones of each day, three quarters of the tokens input."""
    rows = [
        (day, hour, "chat", provider, model, 1, tokens * 3 // 4, tokens // 4)
        for day in days
        for hour in range(24)
        for tokens in [BUSY if hour < 8 else QUIET]
    ]
    return pl.DataFrame(rows, schema=HOURLY_DEMAND.polars_schema, orient="row")


def market(
    *,
    selfhost: dict[str, Any] | None = None,
    prices: Iterable[dict[str, Any]] = (PRICE,),
    measured: Iterable[dict[str, Any]] = (MEASURED,),
    cards: Iterable[dict[str, Any]] = (card("groq", "0.2", "1.4"), card("dear", "2", "6")),
    hourly: pl.DataFrame | None = None,
) -> Market:
    """The market; what is not given is the round one of this module."""
    config = load_config(None)
    lines = tuple(Throughput.model_validate(item) for item in measured)
    registry = build_registry(config.models, [])
    return Market(
        SelfHost.model_validate({"term": "on_demand", "headroom": "1.25", **(selfhost or {})}),
        HARDWARE,
        config.model_facts,
        gpu_ledger(StatedPrice(GpuPrice.model_validate(item), is_own=True) for item in prices),
        throughput_rows([Measured(lines, is_own=True)], registry, HARDWARE),
        pl.DataFrame(list(cards), schema=RATE_CARD.polars_schema),
        hours([DAY]) if hourly is None else hourly,
    )
