"""Every name of the LiteLLM maps of six days: asked for as its seller's users write it, it costs what its key says, or is a conflict."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

import polars as pl
import pytest

from pipelines.config import load_config
from pipelines.models import Registry, build_registry, resolve_requests
from pipelines.prices import (
    FeedSnapshot,
    build_ledger,
    build_rate_card,
    dated_aliases,
    feed_names,
    other_names,
    price_conflicts,
    rate,
    with_separate_lists,
)
from tests.contracts.prices.conftest import LITELLM
from tests.unit.prices.requests_frame import requests_frame


def registry_of(snapshot: FeedSnapshot) -> Registry:
    models = load_config(None).models
    return with_separate_lists(
        build_registry(models, feed_names([snapshot]), dated_aliases([snapshot], models)), [snapshot]
    )


def asked(snapshot: FeedSnapshot, registry: Registry) -> Iterator[dict[str, object]]:
    """Each key with a price of input and output, as its users log it, with what a thousand tokens of each cost there."""
    rates: dict[tuple[str, str], dict[str, Decimal]] = defaultdict(dict)
    plain = snapshot.prices.filter(
        pl.col("service_tier") == "standard", pl.col("region") == "", pl.col("context_from_tokens") == 0,
        pl.col("time_window") == "", pl.col("meter").is_in(["input_uncached", "output_text", "request"]),
    )  # fmt: skip
    for provider, key, meter, usd in plain.select("provider", "raw_model", "meter", "usd_per_million").iter_rows():
        rates[provider, key][meter] = usd
    for (provider, key), usd in rates.items():
        folder, _, rest = key.partition("/")
        names = {key, rest} if rest and registry.provider(folder) == registry.provider(provider) else {key}
        if {"input_uncached", "output_text"} <= usd.keys():
            cost = (usd["input_uncached"] + usd["output_text"]) / 1000 + usd.get("request", Decimal(0)) / 1_000_000
            for name in sorted(names):
                yield {"provider_id": provider, "request_model": name, "key": key, "usd": cost}


@pytest.mark.parametrize("at", [0, 4, 8, 12, 16, 19])  # neighbours differ in a few names
@pytest.mark.slow
def test_each_priced_key_costs_what_it_says_or_is_a_conflict(litellm_snapshots: list[FeedSnapshot], at: int) -> None:
    snapshot = litellm_snapshots[at]
    registry = registry_of(snapshot)
    calls = list(asked(snapshot, registry))
    frame = pl.DataFrame(
        calls,
        schema={"provider_id": pl.String, "request_model": pl.String, "key": pl.String, "usd": pl.Decimal(38, 18)},
    )
    frame = frame.with_columns(pl.lit(None, pl.String).alias("response_model"), pl.lit("").alias("region"))
    resolved = resolve_requests(frame, registry)
    requests = requests_frame(
        {
            "provider_id": p,
            "model_id": m,
            "region": r,
            "event_at": snapshot.observed_at,
            "input_uncached": 1000,
            "output_text": 1000,
        }
        for p, m, r in resolved.select("provider_id", "model_id", "region").iter_rows()
    )
    ledger = build_ledger(LITELLM, [snapshot], registry)
    rated = rate(requests, build_rate_card(ledger, [LITELLM]))
    others = other_names(snapshot, registry, snapshot.observed_at).with_columns(feed=pl.lit(LITELLM.feed))
    found = price_conflicts(ledger, [LITELLM], at=snapshot.observed_at, others=others, tolerance=0)
    conflicts = set(found.select("provider_id", "model_id").iter_rows())
    wrong = [
        (call["provider_id"], call["request_model"], call["usd"], cost, reason, model)
        for call, cost, reason, provider, model in zip(
            calls,
            rated["list_cost_usd"],
            rated["unpriced_reason"],
            resolved["provider_id"],
            resolved["model_id"],
            strict=True,
        )
        if cost != call["usd"] and (provider, model) not in conflicts
    ]
    assert len(calls) > 80
    assert not wrong, f"{len(wrong)} of {len(calls)}: {wrong[:20]}"
