"""The catalogue's answers: what passes, what fails, what is not known, and what a decision rests on."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.catalog import (
    Answer,
    Entry,
    Known,
    Question,
    QuestionError,
    ScoreAtLeast,
    Verdict,
    answer,
    catalog_entries,
    catalog_rows,
)
from pipelines.config import load_config
from pipelines.config.loader import load_file
from pipelines.config.model_facts import ModelFactsConfig
from pipelines.models import build_registry, model_frame
from pipelines.selfhost.memory import Room
from pipelines.warehouse.tables.core_benchmarks import BENCHMARK, BENCHMARK_SCORE
from pipelines.warehouse.tables.core_prices import PRICE, RATE_CARD
from tests.unit.selfhost.markets import card

DAY = date(2026, 3, 2)
SPEND = {"model_id": pl.String(), "requests": pl.Int64(), "usd": pl.Decimal(38, 18)}
STATED = """
sources:
  - {source: card, title: Model card, as_of: 2026-01-01}
  - {source: report, title: A report, as_of: 2026-02-01}
  - {source: hearsay, title: somebody, as_of: 2026-01-01, is_held: false}
licences:
  - {licence: MIT, name: MIT License, is_spdx: true, source: card}
  - {licence: NC, name: Non-commercial, restricts: [commerce], source: card}
models:
  - {model: small, statements: [
      {source: card, licence: MIT, openness: open_weight, total_params_b: 10, context_tokens: 131072, tools: true, input_modalities: [text],
       layers: [{count: 10, kv_heads: 8, head_dim: 128}]},
      {source: report, context_tokens: 8192}]}
  - {model: stretched, statements: [{source: card, licence: MIT, openness: open_weight, total_params_b: 10, context_tokens: 40960,
       extended_context_tokens: 131072, layers: [{count: 10, kv_heads: 8, head_dim: 128}]}]}
  - {model: rumoured, statements: [{source: hearsay, licence: MIT, openness: open_weight, total_params_b: 10, context_tokens: 131072,
       layers: [{count: 10, kv_heads: 8, head_dim: 128}]}]}
  - {model: shapeless, statements: [{source: card, licence: MIT, openness: open_weight, total_params_b: 10, context_tokens: 131072}]}
  - {model: big, statements: [{source: card, licence: MIT, openness: open_weight, total_params_b: 100, context_tokens: 131072,
       layers: [{count: 10, kv_heads: 8, head_dim: 128}]}]}
  - {model: restricted, statements: [{source: card, licence: NC, openness: open_weight, total_params_b: 10, context_tokens: 131072,
       layers: [{count: 10, kv_heads: 8, head_dim: 128}]}]}
  - {model: closed, statements: [{source: card, openness: closed, context_tokens: 131072}]}
"""


@pytest.fixture
def facts(tmp_path: Path) -> ModelFactsConfig:
    (tmp_path / "model_facts.yaml").write_text(STATED)
    return load_file(ModelFactsConfig, "model_facts.yaml", tmp_path)


def scored(
    model: str, score: float, low: float, high: float, version: str = "quiz@v2#0", **other: Any
) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(BENCHMARK_SCORE.polars_schema)
    row |= {
        "score_id": f"{model}{version}{score}".encode().ljust(16, b"-")[:16],
        "board": "quiz_board",
        "benchmark_version_id": version,
        "model_id": model,
        "variant": "",
        "score": score,
        "ci_low": low,
        "ci_high": high,
        "ci_method": "wilson",
        "measured_by": "independent",
        "as_of": date(2026, 2, 1),
        "observed_at": datetime(2026, 2, 1, tzinfo=UTC),
    }
    return row | other


def entries(
    facts: ModelFactsConfig, *, scores: list[dict[str, Any]] | None = None, cards: list[dict[str, Any]] | None = None
) -> list[Entry]:
    quiz = {"benchmark_id": "quiz", "display_name": "Quiz", "metric_kind": "accuracy", "unit": "percent"}
    known = Known(
        facts,
        model_frame(build_registry(load_config(None).models, []), ModelFactsConfig()),
        pl.DataFrame(cards or [], schema=RATE_CARD.polars_schema),
        PRICE.empty(),
        pl.DataFrame(scores or [], schema=BENCHMARK_SCORE.polars_schema),
        pl.DataFrame([quiz | {"lower_is_better": False}], schema=BENCHMARK.polars_schema),
        pl.DataFrame([("small", 5, Decimal(7)), ("gpt-4o", 2, Decimal(1))], schema=SPEND, orient="row"),
    )
    return catalog_entries(known, DAY)


def groups(found: Answer) -> dict[str, list[str]]:
    return {name: [v.entry.model_id for v in getattr(found, name)] for name in ("meets", "unknown", "fails")}


def of(found: Answer, model: str) -> Verdict:
    return next(v for v in (*found.meets, *found.unknown, *found.fails) if v.entry.model_id == model)


ALL = Question(is_open=True, is_permissive=True, context_tokens=128_000, room=Room(48))


def test_what_is_not_known_neither_passes_nor_fails(facts: ModelFactsConfig) -> None:
    found = answer(entries(facts), ALL)
    assert groups(found) == {
        "meets": ["rumoured", "small"],
        "unknown": ["gpt-4o", "shapeless", "stretched"],
        "fails": ["big", "closed", "restricted"],
    }
    assert of(found, "shapeless").unknown == (
        "memory: model_facts.yaml states no layers of shapeless: add it to a statement of that model",
    )
    assert of(found, "stretched").unknown[0].startswith("context: 40,960 tokens, 131,072 with an extension (YaRN)")
    assert of(found, "gpt-4o").unknown == ("model_facts.yaml states nothing of it",)
    assert of(found, "restricted").fails == ("NC restricts commerce",)
    assert of(found, "closed").fails == ("closed", "its weights are closed")


def test_memory_worked_by_hand(facts: ModelFactsConfig) -> None:
    """100 billion at 4 bits are 50 GB; 10 layers of 2 x 8 x 128 numbers in 2 bytes are 40,960 a token, 5.2 GB at 128,000. 48 GB less a tenth are 43.2."""
    assert of(answer(entries(facts), ALL), "big").fails == ("takes 55.2 GB of 43.2 usable",)
    assert "big" in groups(answer(entries(facts), replace(ALL, room=Room(80))))["meets"]


def test_a_decision_says_what_speaks_against_it(facts: ModelFactsConfig) -> None:
    found = answer(entries(facts), ALL)
    assert of(found, "small").remarks == ("context_tokens: A report states otherwise",)
    assert set(of(found, "rumoured").remarks) == {
        "openness is unverified",
        "licence is unverified",
        "context_tokens is unverified",
        "total_params_b is unverified",
        "layers is unverified",
    }


def test_scores_with_their_intervals(facts: ModelFactsConfig) -> None:
    scores = [
        scored("small", 60, 50, 70),
        scored("small", 55, 45, 65, variant="other effort"),
        scored("small", 20, 10, 30, version="quiz@v1#0"),
        scored("big", 90, 85, 95),
        scored("restricted", 39, 30, 48),
        scored("closed", 99, 98, 100, superseded_at=datetime(2026, 2, 15, tzinfo=UTC)),
    ]
    found = answer(entries(facts, scores=scores), Question(scores=(ScoreAtLeast("quiz", 65),)))
    assert groups(found)["meets"] == ["big"]
    assert of(found, "small").fails == ("quiz@v2 60 (within its interval)",)
    assert of(found, "restricted").fails == ("quiz@v2 39",)
    assert of(found, "closed").unknown == ("score: no board has it on quiz@v2",)
    lower = answer(entries(facts, scores=scores), Question(scores=(ScoreAtLeast("quiz", 55),)))
    assert of(lower, "small").remarks == ("quiz@v2: 55 is within its interval of 50.0 to 70.0",)
    exact = answer(entries(facts, scores=scores), Question(scores=(ScoreAtLeast("quiz", 60),)))
    assert "small" in groups(exact)["meets"]
    first = answer(entries(facts, scores=scores), Question(scores=(ScoreAtLeast("quiz", 15),), preferred=("quiz@v1",)))
    assert groups(first)["meets"] == ["small"]
    with pytest.raises(QuestionError, match=r"no model here has a score on 'nothing'; known are quiz@v1, quiz@v2"):
        answer(entries(facts, scores=scores), Question(scores=(ScoreAtLeast("nothing", 1),)))


def test_the_cheapest_depends_on_the_mix_and_on_the_day(facts: ModelFactsConfig) -> None:
    """At 3 of input to 1 of output: 0.90 and 0.85 USD; at 1 to 3 the other is cheaper."""
    cards = [
        card("one", "1.0", "0.6", model_id="small"),
        card("two", "0.2", "2.8", model_id="small"),
        card("free", "0", "0", model_id="small"),
        card("long", "0.1", "0.1", model_id="small", context_from_tokens=200_000),
        card("night", "0.1", "0.1", model_id="small", time_window="off_peak"),
        card("slow", "0.1", "0.1", model_id="small", service_tier="batch"),
        card("gone", "0.1", "0.1", model_id="small", valid_to=datetime(2026, 2, 1, tzinfo=UTC)),
        card("next", "0.1", "0.1", model_id="small", valid_from=datetime(2026, 4, 1, tzinfo=UTC)),
        card("big", "0.5", "0.5", model_id="big"),
    ]
    known = entries(facts, cards=cards)
    found = answer(known, Question(is_open=True, is_priced=True))
    assert groups(found)["meets"] == ["big", "small"]
    price = of(found, "small").price
    assert price is not None
    assert (price.provider_id, price.mixed(Decimal(3))) == ("two", Decimal("0.85"))
    other = of(answer(known, Question(input_per_output=Decimal(1) / 3)), "small").price
    assert other is not None
    assert other.provider_id == "one"
    assert "price: no seller's is known" in of(found, "rumoured").unknown


def test_rows_carry_every_fact_with_its_source_and_its_rivals(facts: ModelFactsConfig) -> None:
    rows = catalog_rows(entries(facts), load_config(None).hardware.machines, DAY)
    row = rows.filter(pl.col("model_id") == "small").row(0, named=True)
    context = json.loads(row["facts"])["context_tokens"]
    assert (context["value"], context["source"], context["as_of"]) == (131_072, "Model card", "2026-01-01")
    assert [(other["value"], other["source"]) for other in context["others"]] == [(8192, "A report")]
    assert (row["conflicts"], row["unverified"]) == (["context_tokens"], [])
    assert (row["weights_gb_16bit"], row["weights_gb_8bit"], row["weights_gb_4bit"]) == (20, 10, 5)
    assert row["cache_gb_128k"] == pytest.approx(131_072 * 40_960 / 1e9)
    fits = json.loads(row["fits"])
    assert (fits["consumer_12gb"], fits["prosumer_24gb"]) == (
        {"16": False, "8": True, "4": True},
        {"16": True, "8": True, "4": True},
    )
    assert (row["requests_30d"], row["spend_30d_usd"]) == (5, 7)
    used = rows.filter(pl.col("model_id") == "gpt-4o").row(0, named=True)
    assert (used["facts"], used["licence"], used["spend_30d_usd"]) == ("{}", None, 1)


def test_the_report_s_recommendations_under_its_own_constraints() -> None:
    """Long context: Llama 4 Scout alone has a million tokens and open weights; it is not permissive. Edge: small Qwens fit 8 GB."""
    known = entries(load_config(None).model_facts)
    long = answer(known, Question(is_open=True, context_tokens=1_000_000))
    assert groups(long)["meets"] == ["llama-4-maverick", "llama-4-scout"]
    assert groups(answer(known, Question(is_open=True, is_permissive=True, context_tokens=1_000_000)))["meets"] == []
    edge = groups(answer(known, Question(is_open=True, is_permissive=True, context_tokens=32_768, room=Room(8))))
    assert {"qwen3-0.6b", "qwen3-1.7b"} <= set(edge["meets"])
    assert "qwen3-32b" in edge["fails"]
