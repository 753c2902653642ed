"""What is known of each model at one instant: facts, every seller's price, scores with their intervals, and our own spend.

Which models meet a question is in `question.py`, the table in `rows.py`.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

import polars as pl

from pipelines.config.model_facts import ModelFacts, ModelFactsConfig
from pipelines.ids import as_uuid
from pipelines.routing.quality import known_on
from pipelines.selfhost.api_prices import list_cards


@dataclass(frozen=True)
class Price:
    """A seller's list price: USD per million tokens of input, of cached input where it has one, and of output."""

    provider_id: str
    input_usd_per_mtok: Decimal
    cached_usd_per_mtok: Decimal | None
    output_usd_per_mtok: Decimal
    valid_from: datetime
    feed: str | None

    def mixed(self, input_per_output: Decimal) -> Decimal:
        """Price of a million tokens, so many of input to one of output, without cache."""
        return (self.input_usd_per_mtok * input_per_output + self.output_usd_per_mtok) / (input_per_output + 1)


@dataclass(frozen=True)
class Scored:
    """A model's best entry on one version of a benchmark, with its interval."""

    benchmark_version_id: str
    score: float
    unit: str
    lower_is_better: bool
    ci_low: float | None
    ci_high: float | None
    ci_method: str
    variant: str
    board: str
    measured_by: str
    as_of: date

    @property
    def benchmark(self) -> str:
        """Benchmark and version without the epoch of its scale: `aider_polyglot@pass_rate_2`."""
        return self.benchmark_version_id.partition("#")[0]


@dataclass(frozen=True)
class Known:
    """Everything that the catalogue rests on. Frames are whole tables; `spend` has model_id, requests and usd of 30 days."""

    facts: ModelFactsConfig
    models: pl.DataFrame
    rate_card: pl.DataFrame
    prices: pl.DataFrame
    scores: pl.DataFrame
    benchmarks: pl.DataFrame
    spend: pl.DataFrame


@dataclass(frozen=True)
class Entry:
    """One model. `facts` is None for a model of our traffic of which nothing is stated."""

    model_id: str
    display_name: str
    developer: str | None
    family: str | None
    facts: ModelFacts | None
    prices: tuple[Price, ...] = ()
    scores: tuple[Scored, ...] = ()
    requests_30d: int = 0
    spend_30d_usd: Decimal | None = None

    @cached_property
    def by_benchmark(self) -> dict[str, Scored]:
        """Scores by benchmark and version."""
        return {item.benchmark: item for item in self.scores}

    def cheapest(self, input_per_output: Decimal) -> Price | None:
        """The seller that is cheapest for a mix; None if nobody's price is known."""
        return min(self.prices, key=lambda item: (item.mixed(input_per_output), item.provider_id), default=None)


def catalog_entries(known: Known, day: date) -> list[Entry]:
    """An entry for every model that something is stated of, or that our own requests ran on, as known at the end of a UTC day."""
    models = {row["model_id"]: row for row in known.models.iter_rows(named=True)}
    spend = {row["model_id"]: row for row in known.spend.iter_rows(named=True)}
    wanted = sorted({*known.facts.by_model, *(model for model in spend if model in models)})
    prices, scores = _prices(known, wanted, day), _scores(known, wanted, day)
    return [
        Entry(
            model,
            (models.get(model) or {}).get("display_name") or model,
            (models.get(model) or {}).get("developer"),
            (models.get(model) or {}).get("family"),
            known.facts.of(model),
            tuple(prices[model]),
            tuple(scores[model]),
            (spend.get(model) or {}).get("requests") or 0,
            (spend.get(model) or {}).get("usd"),
        )
        for model in wanted
    ]


def _prices(known: Known, models: list[str], day: date) -> dict[str, list[Price]]:
    found: dict[str, list[Price]] = defaultdict(list)
    cards = list_cards(known.rate_card.filter(pl.col("model_id").is_in(models)), day)
    feeds = {as_uuid(row[0]).hex: row[1] for row in known.prices.select("price_id", "feed").iter_rows()}
    for row in cards.sort("model_id", "provider_id").iter_rows(named=True):
        price_id = json.loads(row["price_ids"]).get("input_uncached", "")
        found[row["model_id"]].append(
            Price(
                row["provider_id"],
                row["input_uncached_usd_per_mtok"],
                row["input_cache_read_usd_per_mtok"],
                row["output_text_usd_per_mtok"],
                row["valid_from"],
                feeds.get(price_id.replace("-", "")),
            )
        )
    return found


def _scores(known: Known, models: list[str], day: date) -> dict[str, list[Scored]]:
    found: dict[str, list[Scored]] = defaultdict(list)
    for row in _best_scores(known, models, day):
        found[row["model_id"]].append(
            Scored(
                **{
                    name: row[name]
                    for name in ("score", "unit", "lower_is_better", "ci_low", "ci_high", "ci_method", "variant")
                },
                **{name: row[name] for name in ("benchmark_version_id", "board", "measured_by", "as_of")},
            )
        )
    return found


def _best_scores(known: Known, models: list[str], day: date) -> Iterator[dict[str, Any]]:
    """Of each model on each benchmark version the best entry that was believed at the end of the day."""
    believed = (
        known_on(known.scores, day)
        .filter(pl.col("model_id").is_in(models))
        .with_columns(pl.col("benchmark_version_id").str.split("@").list.first().alias("benchmark_id"))
    )
    units = known.benchmarks.select("benchmark_id", "unit", "lower_is_better")
    merit = pl.when("lower_is_better").then(-pl.col("score")).otherwise(pl.col("score"))
    best = (
        believed.join(units, on="benchmark_id")
        .with_columns(merit.alias("merit"))
        .sort("merit", "as_of", "score_id", descending=[True, True, False])
        .unique(["model_id", "benchmark_version_id"], keep="first", maintain_order=True)
        .sort("model_id", "benchmark_version_id")
    )
    return best.iter_rows(named=True)
