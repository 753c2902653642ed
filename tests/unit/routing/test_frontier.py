"""The frontier against a hull worked by hand."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest

from pipelines import routing
from pipelines.config.model_facts import ModelFactsConfig
from pipelines.config.policies import Requires
from pipelines.config.routing import RoutingConfig
from tests.unit.routing.test_arms import FACTS
from tests.unit.routing.test_projection import HYBRID, arm, policies
from tests.unit.routing.traffic import CHEAP, STRONG, TUNED, rate_card, request, requests, score, scores

CONFIG = policies(*HYBRID, quality_benchmarks=("aider_polyglot",))


ALL = scores(score(CHEAP[1], 60.0), score(STRONG[1], 80.0), score(TUNED[1], 40.0))


def frontier(
    *rows: dict[str, object],
    known: pl.DataFrame,
    config: RoutingConfig = CONFIG,
    facts: ModelFactsConfig | None = None,
) -> pl.DataFrame:
    return routing.project(requests(*rows), rate_card(), config, known, facts=facts).frontier


def test_the_hull_of_three_models_by_hand() -> None:
    """Ten requests cost 0.0049 on the cheap model (60 %), 0.105 on the strong one (80 %), 0.00585 on the tuned one (40 %).

    Tuned is dearer and worse than cheap. Half way, at 70 %, half of each: 0.05495.
    """
    known = scores(score(CHEAP[1], 60.0), score(STRONG[1], 80.0), score(TUNED[1], 40.0))
    found = frontier(*(request(n) for n in range(10)), known=known)
    mixed = found.filter(~pl.col("is_single") | pl.col("point").str.starts_with("frontier"))
    assert mixed.height == 21
    assert mixed["quality"].to_list() == pytest.approx([0.6 + 0.01 * step for step in range(21)], abs=1e-6)
    middle = mixed.row(10, named=True)
    assert middle["cost_usd"] == pytest.approx(0.05495, rel=1e-6)
    assert json.loads(middle["shares"]) == pytest.approx({"deepseek/cheap-open": 0.5, "anthropic/strong-closed": 0.5})
    assert middle["quality_retained"] == pytest.approx(0.7 / 0.8)
    assert middle["saving_share"] == pytest.approx(1 - 0.05495 / 0.105)
    alone = found.filter(~pl.col("point").str.starts_with("frontier"))
    assert dict(alone.select("point", "is_on_hull").iter_rows()) == {
        "deepseek/cheap-open": True,
        "anthropic/strong-closed": True,
        "groq/tuned-open": False,
    }
    assert mixed["is_on_hull"].all()


def test_a_model_without_a_score_or_a_price_is_no_candidate() -> None:
    known = scores(score(CHEAP[1], 60.0), score(STRONG[1], 80.0))
    found = frontier(*(request(n) for n in range(3)), request(4, ("nowhere", "unknown-model")), known=known)
    alone = found.filter(~pl.col("point").str.starts_with("frontier"))
    assert dict(alone.select("point", "not_eligible_reason").iter_rows()) == {
        "deepseek/cheap-open": None,
        "anthropic/strong-closed": None,
        "groq/tuned-open": "aider_polyglot@pass_rate_2#0 has no score for tuned-open",
        "nowhere/unknown-model": "aider_polyglot@pass_rate_2#0 has no score for unknown-model",
    }
    assert alone.filter(pl.col("not_eligible_reason").is_not_null())["cost_usd"].null_count() == 2
    assert frontier(request(1), known=scores(score(CHEAP[1], 60.0)))["cost_usd"].null_count() == 2
    assert frontier(request(1), known=scores()).is_empty()


def test_long_requests_go_to_the_cheap_model_first() -> None:
    """Two groups of requests, long ones of one model and short ones of another: at half of the quality's way, the long ones move."""
    long = [request(n, STRONG, input_uncached_tokens=100_000) for n in range(5)]
    short = [request(n, TUNED) for n in range(10, 15)]
    known = scores(score(CHEAP[1], 60.0), score(STRONG[1], 80.0))
    found = frontier(*long, *short, known=known).filter(point="frontier-11").row(0, named=True)
    assert found["quality"] == pytest.approx(0.7)
    # The five short requests on the strong model cost less than the five long ones would.
    assert found["cost_usd"] == pytest.approx(5 * 0.0105 + 5 * (0.028 + 0.00021), rel=1e-6)


@pytest.mark.parametrize(
    ("need", "words"),
    [
        ({"input_image_tokens": 100}, "an image in the prompt"),
        ({"finish_reason": "tool_calls"}, "tool calls"),
        ({"input_uncached_tokens": 9000}, "prompts over 8,000 tokens"),
    ],
)
def test_what_a_model_can_not_take_is_never_shared_out_to_it(need: dict[str, Any], words: str) -> None:
    """Eight plain requests, and two that the cheap model can't take: all ten ran on the strong one, which must keep those two."""
    known = scores(score(CHEAP[1], 60.0), score(STRONG[1], 80.0))
    rows = [*(request(n) for n in range(8)), *(request(n, **need) for n in range(8, 10))]
    found = frontier(*rows, known=known, facts=FACTS)
    cheapest = found.filter(point="frontier-01").row(0, named=True)
    assert json.loads(cheapest["shares"]) == pytest.approx({"deepseek/cheap-open": 0.8, "anthropic/strong-closed": 0.2})
    assert cheapest["quality"] == pytest.approx(0.8 * 0.6 + 0.2 * 0.8)
    alone = found.filter(point="deepseek/cheap-open").row(0, named=True)
    assert (alone["cost_usd"], alone["is_on_hull"]) == (None, False)
    assert alone["not_eligible_reason"] == f"can't take 2 requests: {words}"


def test_a_model_that_only_ran_is_held_to_its_own_window() -> None:
    """The cheap model is no arm here: it only ran, and its window is looked at all the same."""
    config = policies(arm("strong", STRONG, "1"), quality_benchmarks=("aider_polyglot",))
    rows = [request(1, CHEAP), request(2, input_uncached_tokens=9000)]
    found = frontier(*rows, known=ALL, config=config, facts=FACTS)
    assert found.filter(point="deepseek/cheap-open")["not_eligible_reason"].to_list() == [
        "can't take 1 requests: prompts over 8,000 tokens"
    ]


def test_what_no_candidate_can_take_is_left_out_of_both_sides() -> None:
    """One request holds an image and ran on a model without a score: the other two are shared out, and the saving is theirs."""
    config = policies(arm("cheap", CHEAP, "0.9"), arm("tuned", TUNED, "0.1"), quality_benchmarks=("aider_polyglot",))
    facts = FACTS.model_dump()
    facts["models"] = [*facts["models"][:1], {**facts["models"][0], "model": TUNED[1]}]
    known = scores(score(CHEAP[1], 60.0), score(TUNED[1], 40.0))
    rows = [request(1, CHEAP), request(2, CHEAP), request(3, STRONG, input_image_tokens=10)]
    found = frontier(*rows, known=known, config=config, facts=ModelFactsConfig.model_validate(facts))
    best = found.filter(point="frontier-21").row(0, named=True)
    assert (best["requests"], best["saving_share"]) == (2.0, pytest.approx(0.0))
    assert best["quality"] == pytest.approx(0.6)


def test_candidates_are_held_to_what_is_required_of_them() -> None:
    config = CONFIG.model_copy(update={"candidates_require": Requires(licence="permissive")})
    found = frontier(*(request(n) for n in range(3)), known=ALL, config=config, facts=FACTS)
    assert dict(found.select("point", "not_eligible_reason").iter_rows()) == {
        "anthropic/strong-closed": "strong-closed: licence is closed, required is permissive",
        "groq/tuned-open": "tuned-open: licence is not known: add it to model_facts.yaml",
    }
