"""What every policy is shown next to, on days worked by hand: the same tokens on the dearest model, and the best single cheap model."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from pipelines import routing
from pipelines.config.policies import Ceiling
from tests.unit.routing.test_arms import CERTAIN, FACTS
from tests.unit.routing.test_projection import HYBRID, ITEMS, arm, policies
from tests.unit.routing.traffic import CHEAP, RATES, STRONG, TUNED, rate_card, request, requests, score, scores

DAY = requests(*(request(n) for n in range(10)))
"""Ten requests of 1,000 + 500 tokens: 0.105 USD on the strong model, 0.0049 on the cheap and 0.00585 on the tuned one."""
SCORES = scores(score(CHEAP[1], 60.0, **ITEMS), score(STRONG[1], 80.0, **ITEMS), score(TUNED[1], 70.0, **ITEMS))
BENCHMARKS = ("aider_polyglot@pass_rate_2",)


def methods(
    config: Any, known: pl.DataFrame | None = None, card: pl.DataFrame | None = None, **more: Any
) -> dict[str, dict[str, Any]]:
    found = routing.project(DAY, rate_card() if card is None else card, config, known, **more).projection
    return {row["method"]: row for row in found.filter(pl.col("method") != "policy").to_dicts()}


def test_every_policy_and_baseline_has_both_methods_and_neither_is_the_headline() -> None:
    found = routing.project(DAY, rate_card(), policies(*HYBRID, baselines=("actual", "all_closed")), None).projection
    rows = found.filter(pl.col("method") != "policy")
    assert rows.select("baseline", "arm", "is_headline").rows() == [
        (baseline, method, False)
        for baseline in ("actual", "all_closed")
        for method in ("same_tokens_dearest", "best_single_cheap")
    ]


def test_same_tokens_are_priced_at_the_dearest_model() -> None:
    """All on the strong model 0.105; 90/8/2 at the same tokens 0.012927, whatever the arms' real token counts."""
    row = methods(policies(*HYBRID), SCORES)["same_tokens_dearest"]
    assert (row["model_id"], row["baseline_cost_usd"], row["central_cost_usd"]) == (
        STRONG[1],
        Decimal("0.105"),
        Decimal("0.012927"),
    )
    assert [row[name] for name in ("saving_share_low_95", "quality_retained", "probability_both")] == [None] * 3
    stated = json.loads(row["assumptions"])["method"]
    assert stated.startswith("same tokens on the dearest model: ")
    assert "No interval, and nothing on quality" in stated


def test_a_single_model_is_held_against_the_baseline_by_scores_of_ones_own() -> None:
    """Forty requests of one's own: the cheap model solved 20, the strong one 32. No leaderboard knows either, and half of the row was empty."""
    parts = [
        pl.DataFrame({"request_id": [f"{n}" for n in range(40)], "gold": [float(n % 10 < right) for n in range(40)]}).with_columns(
            model_id=pl.lit(model)
        )
        for model, right in ((CHEAP[1], 5), (STRONG[1], 8))
    ]  # fmt: skip
    answered = pl.concat(parts).with_columns(
        cluster=pl.col("request_id"),
        judged=pl.lit([], pl.List(pl.Struct({"judge": pl.String(), "score": pl.Float64()}))),
    )
    setting = routing.Setting(policies(*HYBRID), CERTAIN, None, {}, answered)
    traffic = setting.traffic(DAY, rate_card())
    row = setting.routed(traffic, date(2026, 2, 20)).projection.filter(method="best_single_cheap").row(0, named=True)
    assert row["model_id"] == CHEAP[1]
    assert row["quality_retained"] == pytest.approx(20 / 32, abs=0.05)  # 40 requests say little of ten
    assert row["quality_retained_low_95"] < row["quality_retained"] < row["quality_retained_high_95"]
    assert json.loads(row["assumptions"])["quality"].startswith("own shadow scores")


def test_same_tokens_count_what_own_machines_cost_a_day() -> None:
    """Without it a policy on machines of one's own saved 100 %. Where their cost is not known, nothing is said."""
    own = arm("own", ("own", CHEAP[1]), "1").model_copy(update={"fixed_usd_per_day": Decimal("0.02")})
    ceiling = Ceiling(tokens_per_second=10_000, source="own benchmark")
    found = methods(policies(own.model_copy(update={"ceiling": ceiling})), SCORES)["same_tokens_dearest"]
    assert (found["baseline_cost_usd"], found["central_cost_usd"]) == (Decimal("0.105"), Decimal("0.02"))
    unknown = methods(policies(own), SCORES)["same_tokens_dearest"]
    assert unknown["central_cost_usd"] is None
    assert "what its machines can serve is not known" in unknown["not_projected_reason"]


def test_same_tokens_are_held_against_the_dearest_of_policy_and_baseline_too() -> None:
    cheap = policies(arm("cheap", CHEAP, "1"), arm("none", TUNED, "0"), baselines=("all_closed",))
    day = requests(request(1, CHEAP))
    found = routing.project(day, rate_card(), cheap, None).projection.filter(method="same_tokens_dearest")
    assert found["model_id"].to_list() == [STRONG[1]]


def test_the_best_single_model_is_the_one_with_the_best_score_for_the_policys_money() -> None:
    """The tuned model costs 0.00585, less than the policy's 0.012927, and scores 70 against the cheap one's 60."""
    config = policies(*HYBRID, quality_benchmarks=BENCHMARKS)
    certain, row = (methods(config, SCORES, **more)["best_single_cheap"] for more in ({"evidence": CERTAIN}, {}))
    assert (row["model_id"], row["central_cost_usd"]) == (TUNED[1], Decimal("0.00585"))
    assert certain["quality_retained"] == pytest.approx(70 / 80)
    assert certain["projected_cost_usd"] == Decimal("0.00585")
    assert row["quality_retained_low_95"] < 70 / 80 < row["quality_retained_high_95"]
    assert row["saving_share_low_50"] < row["saving_share"] < row["saving_share_high_50"]


def test_without_scores_it_is_the_cheapest_and_says_so() -> None:
    row = methods(policies(*HYBRID))["best_single_cheap"]
    assert (row["model_id"], row["quality_retained"]) == (CHEAP[1], None)
    assert "no model that costs at most what the policy costs has a score" in json.loads(row["assumptions"])["method"]


def test_a_price_that_is_missing_costs_the_method_that_needs_it_alone() -> None:
    card = rate_card({CHEAP: RATES[CHEAP], STRONG: RATES[STRONG]})
    found = methods(policies(*HYBRID), card=card)
    assert found["same_tokens_dearest"]["central_cost_usd"] is None
    assert found["same_tokens_dearest"]["not_projected_reason"] == (
        "tuned-open at groq: no_price for 10 of 10 requests; no price feed has it: state it in a price sheet (docs/prices.md), "
        "or give the arm fixed_usd_per_day where the machines are your own"
    )
    assert found["best_single_cheap"]["central_cost_usd"] == Decimal("0.0049")


def test_a_model_that_can_not_take_all_requests_is_no_single_model_for_them() -> None:
    """One prompt holds an image: the cheap model reads none, so that the tuned one is the cheapest that could stand alone."""
    day = requests(*(request(n) for n in range(9)), request(9, input_image_tokens=10))
    found = routing.project(day, rate_card(), policies(*HYBRID), None, facts=FACTS).projection
    row = found.filter(method="best_single_cheap").row(0, named=True)
    assert row["model_id"] == TUNED[1]
    assert json.loads(row["assumptions"])["not_among"] == {
        "deepseek/cheap-open": "can't take 1 requests: an image in the prompt"
    }


def test_a_model_that_only_did_what_is_not_routed_is_no_candidate() -> None:
    """The cheapest model of the day made embeddings: it was named the best single model for chats."""
    embeds = ("openai", "embeds")
    card = rate_card(RATES | {embeds: {"input_uncached": "0.01", "output_text": "0.01"}})
    day = requests(*(request(n) for n in range(10)), request(11, embeds, operation="embeddings"), card=card)
    found = routing.project(day, card, policies(*HYBRID), None)
    rows = {row["method"]: row for row in found.projection.to_dicts()}
    assert rows["best_single_cheap"]["model_id"] == CHEAP[1]
    assert not any("embeds" in name for name in json.loads(rows["best_single_cheap"]["assumptions"])["among"])
    chats = requests(*(request(n) for n in range(10)), request(11, embeds), card=card)
    others = {row["method"]: row for row in routing.project(chats, card, policies(*HYBRID), None).projection.to_dicts()}
    assert others["best_single_cheap"]["model_id"] == embeds[1], "one that answered chats is"
