"""The frontier against a hull worked by hand."""

from __future__ import annotations

import json

import polars as pl
import pytest

from pipelines import routing
from tests.unit.routing.test_projection import HYBRID, policies
from tests.unit.routing.traffic import CHEAP, STRONG, TUNED, rate_card, request, requests, score, scores

CONFIG = policies(*HYBRID, quality_benchmarks=("aider_polyglot",))


def frontier(*rows: dict[str, object], known: pl.DataFrame) -> pl.DataFrame:
    return routing.project(requests(*rows), rate_card(), CONFIG, known).frontier


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
    assert set(alone["point"]) == {"deepseek/cheap-open", "anthropic/strong-closed"}
    assert frontier(request(1), known=scores(score(CHEAP[1], 60.0))).is_empty()
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
