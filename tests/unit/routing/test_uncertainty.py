"""What a projection says of its own certainty: sessions and caches, ranges, routers, and the evidence it rests on."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.config.evidence import Effect, Evidence, Transfer
from pipelines.config.policies import Policy
from pipelines.config.routing import RoutingConfig
from pipelines.routing.draws import DECIMALS, intervals, middle, oracle_gain
from tests.unit.routing.test_projection import BASELINES, HYBRID, arm, policies, project, total
from tests.unit.routing.traffic import CHEAP, RATES, STRONG, TUNED, rate_card, request, requests, score, scores

START = datetime(2026, 2, 20, 9, tzinfo=UTC)
SCORES = scores(score(CHEAP[1], 74.2), score(STRONG[1], 82.4), score(TUNED[1], 40.0))


def session(name: str, prompts: list[int], *, apart: int = 60, first: int = 0) -> list[dict[str, Any]]:
    """Requests of one session on the strong model: each prompt holds the one before, read from the cache."""
    rows, before = [], 0
    for number, prompt in enumerate(prompts):
        rows.append(
            request(
                first + number,
                session_id=name,
                event_at=START + timedelta(seconds=apart * number),
                input_uncached_tokens=prompt - before,
                input_cache_read_tokens=before,
                output_text_tokens=0,
            )
        )
        before = prompt
    return rows


def cheap_alone(*rows: dict[str, Any], unit: str = "session", share: str = "1", **evidence: Any) -> dict[str, Any]:
    """The row of the cheap arm, with the rest of the traffic on the strong one."""
    arms = [arm("cheap", CHEAP, share, "session")]
    if share != "1":
        arms.append(arm("strong", STRONG, str(1 - Decimal(share)), "session"))
    policy = Policy(policy="hybrid", unit=unit, baselines=("actual",), arms=tuple(arms))  # type: ignore[arg-type]
    config = RoutingConfig(baselines=BASELINES, policies=(policy,))
    return project(requests(*rows), rate_card(), config, None, **evidence).filter(arm="cheap").row(0, named=True)


def per_million(**tokens: int) -> Decimal:
    return sum((Decimal(RATES[CHEAP][name]) * number for name, number in tokens.items()), Decimal(0)) / 1_000_000


def test_a_session_that_stays_on_its_arm_keeps_its_cache() -> None:
    row = cheap_alone(*session("a", [1000, 3000, 6000]))
    assert row["central_cost_usd"] == per_million(input_uncached=6000, input_cache_read=4000)


def test_routing_each_request_loses_the_cache_as_often_as_the_arm_changes() -> None:
    """A half on each arm: the second prompt's 1,000 cached tokens hit in a half of the cases; of the third's 3,000, a half hit
    where the second request was here, and 1,000 of them in a quarter where only the first was."""
    row = cheap_alone(*session("a", [1000, 3000, 6000]), unit="request", share="0.5")
    hits = 500 + 1500 + 250
    assert row["central_cost_usd"] == per_million(input_uncached=6000 + 4000 - hits, input_cache_read=hits) / 2
    assert cheap_alone(*session("a", [1000, 3000]), unit="request")["central_cost_usd"] == per_million(
        input_uncached=3000, input_cache_read=1000
    )


def test_a_cache_that_is_too_old_is_gone_on_a_switch_and_a_prefix_shared_by_sessions_is_warm() -> None:
    late = cheap_alone(*session("a", [1000, 3000], apart=301), unit="request", share="0.5")
    shared = cheap_alone(
        request(1, session_id="b", input_uncached_tokens=0, input_cache_read_tokens=1000, output_text_tokens=0),
        unit="request",
        share="0.5",
    )
    assert shared["central_cost_usd"] == per_million(input_cache_read=1000) / 2
    assert late["central_cost_usd"] == per_million(input_uncached=3000, input_cache_read=1000) / 2


def test_where_the_log_has_no_sessions_the_answer_is_a_range_and_no_point() -> None:
    cached = {"input_uncached_tokens": 1000, "input_cache_read_tokens": 99_000}
    row = cheap_alone(*(request(n, **cached) for n in range(20)))
    assert (row["central_cost_usd"], row["saving_usd"]) == (None, None)
    assert "log session ids, or set cache to kept or lost in routing.yaml" in row["not_projected_reason"]
    assert row["saving_share_low_95"] < row["saving_share_high_95"]
    declared = policies(arm("cheap", CHEAP, "1", "kept"))
    assert total(project(requests(*(request(n, **cached) for n in range(20))), rate_card(), declared, None))[
        "saving_usd"
    ]


def test_a_few_cached_tokens_without_a_session_make_no_range() -> None:
    row = cheap_alone(request(1, input_cache_read_tokens=10))
    assert row["central_cost_usd"] is not None


def test_the_policy_of_what_runs_saves_exactly_nothing_in_every_world() -> None:
    day = requests(*(request(n, STRONG, input_cache_read_tokens=900) for n in range(40)))
    for baselines in (("actual",), ("all_closed",)):
        row = total(project(day, rate_card(), policies(arm("a", STRONG, "1"), baselines=baselines), SCORES))
        assert row["saving_usd"] == 0
        assert [row[f"saving_share_{name}"] for name in ("low_95", "high_95")] == pytest.approx([0, 0], abs=1e-12)
        assert row["first_flip"] == "nothing: every arm is what runs today, or what it is held against"


def test_the_same_input_gives_the_same_intervals() -> None:
    day = requests(*(request(n) for n in range(30)))
    once, again = (project(day, rate_card(), policies(*HYBRID), SCORES) for _ in range(2))
    assert once.equals(again)


def test_a_cheaper_arm_moves_the_whole_interval_up() -> None:
    day = requests(*(request(n) for n in range(30)))
    cheaper = rate_card(RATES | {CHEAP: {name: str(Decimal(v) / 2) for name, v in RATES[CHEAP].items()}})
    before, after = (total(project(day, card, policies(*HYBRID), None)) for card in (rate_card(), cheaper))
    for name in ("low_95", "low_50", "high_50", "high_95"):
        assert after[f"saving_share_{name}"] > before[f"saving_share_{name}"]


def test_a_router_takes_its_fee_from_the_saving() -> None:
    day = requests(*(request(n) for n in range(10)))
    policy = policies(*HYBRID).policies[0]
    with_fee = RoutingConfig(
        baselines=BASELINES, policies=(policy.model_copy(update={"router_fee_usd": Decimal("0.001")}),)
    )
    free, paid = (total(project(day, rate_card(), config, None)) for config in (policies(*HYBRID), with_fee))
    assert paid["central_cost_usd"] - free["central_cost_usd"] == Decimal("0.010")
    digits = float(free["baseline_cost_usd"]) * 10**-DECIMALS
    assert float(free["saving_usd"] - paid["saving_usd"]) == pytest.approx(0.010, abs=digits)
    assert json.loads(paid["waterfall"])["router_fee"] == "0.010000000000000000"
    assert paid["saving_share_high_95"] < free["saving_share_high_95"]


def test_the_waterfall_adds_up_to_the_last_decimal() -> None:
    day = requests(*session("a", [1000, 30_000, 60_000]), *(request(n) for n in range(10, 20)))
    policy = Policy(policy="hybrid", unit="request", baselines=("actual",), arms=(
        arm("cheap", CHEAP, "0.7", "session"), arm("strong", STRONG, "0.3", "session")
    ))  # fmt: skip
    row = total(project(day, rate_card(), RoutingConfig(baselines=BASELINES, policies=(policy,)), None))
    steps = {name: Decimal(value) for name, value in json.loads(row["waterfall"]).items()}
    assert steps["cache"] > 0
    assert steps["projected"] == row["projected_cost_usd"]
    assert steps["projected"] - steps["uncertainty"] == row["central_cost_usd"]
    assert sum((value for name, value in steps.items() if name != "projected"), Decimal(0)) == steps["projected"]


def test_own_evidence_moves_the_point_and_narrows_the_interval() -> None:
    day = requests(*(request(n) for n in range(30)))
    own = [
        Effect(measure=measure, model=model, log_mean=mean, log_sd=0.02, grade="A", source="own shadow traffic")
        for model, mean in ((CHEAP[1], float(np.log(2))), (STRONG[1], 0.0), (TUNED[1], 0.0))
        for measure in ("input", "output")
    ]
    known = Evidence(effects=tuple(own), transfers=(Transfer(logit_sd=0.1, grade="A", source="own"),), agreement=0.5)
    config = policies(*HYBRID, quality_benchmarks=("aider_polyglot",))
    row = project(day, rate_card(), config, SCORES, evidence=known)
    cheap = row.filter(arm="cheap").row(0, named=True)
    assert cheap["central_cost_usd"] == Decimal("0.9") * 2 * 30 * Decimal("0.00049")
    assert cheap["saving_share_high_95"] - cheap["saving_share_low_95"] < 0.02
    assert cheap["evidence_grade"] == "A"


@pytest.mark.parametrize("measure", ["input", "output"])
def test_evidence_that_is_missing_gives_no_figure_and_names_the_line(measure: str) -> None:
    effects = [Effect(measure=m, log_sd=0.5, grade="C", source="s") for m in ("input", "output") if m != measure]  # type: ignore[arg-type]
    row = total(
        project(requests(request(1)), rate_card(), policies(*HYBRID), None, evidence=Evidence(effects=tuple(effects)))
    )
    assert (row["saving_usd"], row["saving_share_low_95"]) == (None, None)
    assert (
        f"evidence.yaml has no effect on {measure} for {CHEAP[1]}: add one for it, or for '*'"
        in row["not_projected_reason"]
    )


def test_a_model_without_a_score_is_named_with_what_mends_it() -> None:
    nameless = score("x", 66.0, raw_model="DeepSeek V3.2 Reasoner") | {"model_id": None}
    day, config = requests(request(1)), policies(*HYBRID, quality_benchmarks=("aider_polyglot",))
    row = total(project(day, rate_card(), config, scores(score(STRONG[1], 82.4), score(TUNED[1], 40.0), nameless)))
    assert row["quality_retained"] is None
    assert json.loads(row["assumptions"])["quality"] == (
        "not projected: aider_polyglot@pass_rate_2#0 has no score for cheap-open: land an export that scores them (docs/benchmarks.md), "
        "name a benchmark that does under quality_benchmarks in routing.yaml, or score requests of your own on them (docs/shadow.md); names "
        "not resolved there: 1, add them to aliases in models.yaml"
    )


def test_probabilities_and_routers_are_in_their_order() -> None:
    config = policies(*HYBRID, baselines=("all_closed",), quality_benchmarks=("aider_polyglot",))
    row = total(project(requests(*(request(n) for n in range(20))), rate_card(), config, SCORES))
    assert 0 < row["probability_both"] <= min(row["probability_saving_85"], row["probability_quality_95"]) <= 1
    assert row["quality_retained"] < row["quality_realised"] < row["quality_oracle"]
    assert row["quality_retained_low_95"] < row["quality_retained"] < row["quality_retained_high_95"]


@settings(max_examples=200, deadline=None)
@given(st.floats(0.01, 0.99), st.floats(0.01, 0.99), st.floats(0, 1), st.floats(-1, 1))
def test_a_router_that_knows_every_outcome_is_never_worse_than_chance(
    cheap: float, strong: float, share: float, agreement: float
) -> None:
    gain = float(oracle_gain(np.array([cheap]), np.array([strong]), share, agreement)[0])
    blind = cheap + share * (strong - cheap)
    assert gain >= -1e-9
    assert blind + gain <= 1 + 1e-9


def test_an_oracle_by_hand() -> None:
    """Cheap solves 60 of 100, strong 70, both 50: strong alone solves 20, so a share of 8 % finds 8 of them."""
    agreement = (0.5 - 0.42) / np.sqrt(0.6 * 0.4 * 0.7 * 0.3)
    gain = oracle_gain(np.array([0.6]), np.array([0.7]), 0.08, agreement)
    assert gain[0] == pytest.approx(0.08 - 0.08 * 0.1)


def test_strata_cost_what_their_requests_cost_one_by_one() -> None:
    """Tiers by prompt size, hours and a mode, against the rating of each request."""
    card = rate_card()
    cheap = card.filter(model_id=CHEAP[1])
    long = cheap.with_columns(
        pl.lit(50_000, pl.Int64).alias("context_from_tokens"),
        (pl.col("input_uncached_usd_per_mtok") * 2).cast(pl.Decimal(38, 12)),
        pl.lit(b"long-card-16byte").alias("rate_id"),
    )
    nightly = cheap.with_columns(
        pl.lit("16:30-00:30").alias("time_window"),
        (pl.col("output_text_usd_per_mtok") / 4).cast(pl.Decimal(38, 12)),
        pl.lit(b"night-card-16byt").alias("rate_id"),
    )
    short = cheap.with_columns(pl.lit(50_000, pl.Int64).alias("context_to_tokens"))
    cards = pl.concat([card.filter(model_id=STRONG[1]), short, long, nightly])
    rows = [
        request(n, STRONG, input_uncached_tokens=9_999 * (n % 9), output_text_tokens=13 * n, event_at=START + timedelta(hours=n % 15))
        for n in range(200)
    ]  # fmt: skip
    day = requests(*rows, card=cards)
    found = total(project(day, cards, policies(arm("cheap", CHEAP, "1")), None))
    moved = requests(*(row | {"provider_id": CHEAP[0], "model_id": CHEAP[1]} for row in rows), card=cards)
    assert moved["rate_id"].n_unique() == 3
    assert found["central_cost_usd"] == moved["effective_cost_usd"].sum()


def test_marginal_tiers_and_minimums_are_rated_one_by_one() -> None:
    card = rate_card()
    tiers = pl.when(pl.col("model_id") == CHEAP[1])
    card = card.with_columns(
        tiers.then(pl.lit('{"input_uncached>1000": 0.1}')).otherwise("marginal").alias("marginal"),
        tiers.then(pl.lit(Decimal("0.0004"), pl.Decimal(38, 18)))
        .otherwise("minimum_charge_usd")
        .alias("minimum_charge_usd"),
    )
    rows = [request(n, STRONG, input_uncached_tokens=400 * n) for n in range(12)]
    day = requests(*rows, card=card)
    found = total(project(day, card, policies(arm("cheap", CHEAP, "1", "kept")), None))
    moved = requests(*(row | {"provider_id": CHEAP[0], "model_id": CHEAP[1]} for row in rows), card=card)
    assert found["central_cost_usd"] == moved["effective_cost_usd"].sum()


def certain(*, transfer: float = 0.0, spread: float = 0.0, n: int | None = None) -> Evidence:
    """Evidence in which only what is given is not known."""
    effects = tuple(
        Effect(measure=measure, log_sd=spread, n=n, grade="C", source="s") for measure in ("input", "output", "loop")
    )  # fmt: skip
    return Evidence(effects=effects, transfers=(Transfer(logit_sd=transfer, grade="C", source="s"),), agreement=0.5)


def width(row: dict[str, Any], name: str = "saving_share") -> float:
    return float(row[f"{name}_high_95"] - row[f"{name}_low_95"])


def test_a_cache_without_sessions_may_hit_always_or_never() -> None:
    """Nothing else is unknown: the interval lies between the two ends, and takes 95 % of the way between them."""
    day = requests(*(request(n, input_uncached_tokens=1000, input_cache_read_tokens=99_000) for n in range(20)))
    in_session, kept = (
        total(project(day, rate_card(), policies(arm("cheap", CHEAP, "1", cache)), None, evidence=certain()))
        for cache in ("session", "kept")
    )
    never = 1 - 20 * per_million(input_uncached=100_000, output_text=500) / kept["baseline_cost_usd"]
    ends = kept["saving_share"], float(never)
    assert ends[1] < in_session["saving_share_low_95"] < in_session["saving_share_high_95"] < ends[0]
    assert width(in_session) == pytest.approx(0.95 * (ends[0] - ends[1]), rel=0.03)


def test_the_traffic_is_drawn_again_as_far_as_sessions_differ() -> None:
    alike = requests(*(request(n, session_id=f"s{n}") for n in range(40)))
    mixed = requests(*(request(n, CHEAP if n % 2 else STRONG, session_id=f"s{n}") for n in range(40)))
    same, other = (
        total(project(day, rate_card(), policies(arm("cheap", CHEAP, "1")), None, evidence=certain()))
        for day in (alike, mixed)
    )
    assert width(same) == pytest.approx(0, abs=1e-9)
    assert width(other) > 0.001


def test_a_spread_learnt_from_few_models_is_drawn_too() -> None:
    day = requests(*(request(n) for n in range(20)))
    sure, few = (
        total(project(day, rate_card(), policies(*HYBRID), None, evidence=certain(spread=0.3, n=n))) for n in (None, 4)
    )
    assert width(few) > 1.3 * width(sure)


def test_scores_that_carry_over_badly_widen_the_quality_alone() -> None:
    config = policies(*HYBRID, baselines=("all_closed",), quality_benchmarks=("aider_polyglot",))
    day = requests(*(request(n) for n in range(20)))
    near, far = (total(project(day, rate_card(), config, SCORES, evidence=certain(transfer=sd))) for sd in (0.0, 0.5))
    assert width(far, "quality_retained") > 1.5 * width(near, "quality_retained")
    assert width(far) == width(near)


@pytest.mark.parametrize(
    ("rows", "is_loop"),
    [
        ([request(n, session_id="a") for n in range(4)], True),
        ([request(n, session_id="a") for n in range(3)], False),
        ([request(n) for n in range(9)], False),
        ([request(1, input_uncached_tokens=30_000, input_cache_read_tokens=70_000)], True),
        ([request(1, input_uncached_tokens=70_000, input_cache_read_tokens=30_000)], False),
    ],
)
def test_what_is_an_agents_loop(rows: list[dict[str, Any]], is_loop: bool) -> None:
    row = total(project(requests(*rows), rate_card(), policies(*HYBRID), None))
    assert set(json.loads(row["assumptions"])["tokens"]) == ({"loop, *"} if is_loop else {"input, *", "output, *"})


def test_degrees_of_freedom_widen_the_tails_of_a_transfer() -> None:
    """Student's t with four degrees of freedom: 2.776 and 0.741 in place of 1.960 and 0.674."""
    known = scores(*(score(model, 50.0, n_items=10**9) for model in (CHEAP[1], STRONG[1])))
    config = policies(arm("cheap", CHEAP, "1"), baselines=("all_closed",), quality_benchmarks=("aider_polyglot",))
    rows = []
    for freedom in (None, 4):
        line = Transfer(logit_sd=0.01, freedom=freedom, grade="C", source="s")
        evidence = certain().model_copy(update={"transfers": (line,)})
        rows.append(
            total(project(requests(*(request(n) for n in range(9))), rate_card(), config, known, evidence=evidence))
        )
    normal, student = rows
    assert width(student, "quality_retained") / width(normal, "quality_retained") == pytest.approx(
        2.776 / 1.960, rel=0.05
    )
    halves = [row["quality_retained_high_50"] - row["quality_retained_low_50"] for row in rows]
    assert halves[1] / halves[0] == pytest.approx(0.741 / 0.674, rel=0.05)


def test_a_saving_of_none_has_no_sign() -> None:
    """A sum that is rounded in its last digit is -1e-17; the terminal said "-0 to 0"."""
    found = [middle(np.array([-1e-17] * 3)), *intervals(np.array([-1e-17] * 3)).values()]
    assert [str(value) for value in found] == ["0.0"] * 5
