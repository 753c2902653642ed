"""Which arm serves what: needs and rules, difficulty, cascades and own machines, each on a day worked by hand."""

from __future__ import annotations

import json
from decimal import Decimal
from math import log
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import routing
from pipelines.config.evidence import Difficulty, Effect, Evidence, Transfer, Verifier
from pipelines.config.model_facts import ModelFactsConfig
from pipelines.config.policies import Cascade, Policy
from pipelines.config.routing import RoutingConfig, Seller
from pipelines.routing.cascade import accepted
from tests.unit.routing.test_projection import BASELINES, ITEMS
from tests.unit.routing.traffic import CHEAP, STRONG, TUNED, rate_card, request, requests, score, scores

SCORES = scores(score(CHEAP[1], 60.0, **ITEMS), score(STRONG[1], 80.0, **ITEMS), score(TUNED[1], 40.0, **ITEMS))
FACTS = ModelFactsConfig.model_validate(
    {
        "sources": [{"source": "card", "title": "model cards", "as_of": "2026-01-01"}],
        "licences": [
            {"licence": "MIT", "name": "MIT", "source": "card"},
            {"licence": "closed", "name": "closed", "restricts": ["access"], "source": "card"},
        ],
        "models": [
            {
                "model": CHEAP[1],
                "statements": [
                    {
                        "source": "card",
                        "context_tokens": 8000,
                        "input_modalities": ["text"],
                        "tools": False,
                        "licence": "MIT",
                        "openness": "open_weight",
                    }
                ],
            },
            {
                "model": STRONG[1],
                "statements": [
                    {
                        "source": "card",
                        "context_tokens": 200_000,
                        "input_modalities": ["text", "image"],
                        "tools": True,
                        "licence": "closed",
                        "openness": "closed",
                    }
                ],
            },
        ],
    }
)
CERTAIN = Evidence(
    effects=tuple(Effect(measure=m, log_sd=0, grade="A", source="s") for m in ("input", "output", "loop")),
    transfers=(Transfer(logit_sd=0, grade="A", source="s"),),
    agreement=0.5,
    difficulty=Difficulty(log_mean=log(3), log_sd=0, grade="E", source="s"),
    verifiers=(
        Verifier(verifier="perfect", accepts_wrong=0, rejects_right=0, grade="E", source="s"),
        Verifier(
            verifier="blind", accepts_wrong=1, rejects_right=0, usd_per_request=Decimal("0.0001"), grade="E", source="s"
        ),
    ),
)
DRAWN = CERTAIN.model_copy(update={"transfers": (Transfer(logit_sd=0.3, grade="C", source="s"),)})
CHEAP_USD, STRONG_USD = Decimal("0.00049"), Decimal("0.0105")
"""One request of 1,000 + 500 tokens."""


def arm(name: str, model: tuple[str, str], **values: Any) -> dict[str, Any]:
    return {"arm": name, "provider_id": model[0], "model_id": model[1], **values}


def config(*arms: dict[str, Any], sellers: tuple[Seller, ...] = (), **values: Any) -> RoutingConfig:
    policy = Policy.model_validate({"policy": "hybrid", "baselines": ["actual"], "arms": arms, **values})
    return RoutingConfig(
        baselines=BASELINES, policies=(policy,), sellers=sellers, quality_benchmarks=("aider_polyglot",)
    )


def projected(*rows: dict[str, Any], policies: RoutingConfig, **known: Any) -> dict[str, dict[str, Any]]:
    asked = {"evidence": CERTAIN, "facts": FACTS} | known
    found = routing.project(requests(*rows), rate_card(), policies, SCORES, **asked).projection
    return {row["arm"]: row for row in found.filter(method="policy").to_dicts()}


HALF = (arm("cheap", CHEAP, share="0.5"), arm("strong", STRONG, share="0.5"))


@pytest.mark.parametrize(
    ("need", "words"),
    [
        ({"input_uncached_tokens": 9000}, "cheap: prompts over 8,000 tokens"),
        ({"input_image_tokens": 100}, "cheap: an image in the prompt"),
        ({"finish_reason": "tool_calls"}, "cheap: tool calls"),
    ],
)
def test_what_an_arm_can_not_take_goes_to_the_next_and_is_priced_there(need: dict[str, Any], words: str) -> None:
    found = projected(
        *(request(n) for n in range(8)), *(request(n, **need) for n in range(8, 10)), policies=config(*HALF)
    )
    assert (found["cheap"]["requests"], found["strong"]["requests"]) == (4.0, 6.0)
    assert (found["cheap"]["share"], found["strong"]["share"]) == (Decimal("0.4"), Decimal("0.6"))
    assert found["cheap"]["central_cost_usd"] == 4 * CHEAP_USD
    assert found["cheap"]["baseline_cost_usd"] == 4 * STRONG_USD
    assert found["strong"]["saving_usd"] == 0
    assert json.loads(found["total"]["assumptions"])["requests_moved"] == {words: 1.0}


@pytest.mark.parametrize("baseline", ["actual", "all_closed"])
def test_what_no_arm_can_take_stays_where_it_ran_and_is_left_out_of_both_sides(baseline: str) -> None:
    """One prompt of three holds an image. It made the whole policy of a day of two thousand requests a row without a figure."""
    day = requests(request(1), request(2), request(3, input_image_tokens=9))
    cheap, strong = (
        routing.project(day, rate_card(), config(one, baselines=[baseline]), SCORES, evidence=CERTAIN, facts=FACTS)
        for one in (arm("cheap", CHEAP, share="1"), arm("strong", STRONG, share="1"))
    )
    rows = {row["arm"]: row for row in cheap.projection.to_dicts()}
    for name in ("total", "same_tokens_dearest", "best_single_cheap"):
        assert (rows[name]["baseline_cost_usd"], rows[name]["central_cost_usd"]) == (2 * STRONG_USD, 2 * CHEAP_USD)
    assert (rows["total"]["requests"], rows["total"]["not_projected_reason"]) == (2, None)
    assert json.loads(rows["total"]["assumptions"])["requests_left_out"] == {"no arm takes (an image in the prompt)": 1}
    other = strong.projection.filter(arm="total").row(0, named=True)
    assert (other["requests"], json.loads(other["assumptions"])["requests_left_out"]) == (3, {})


def test_where_no_arm_can_take_any_request_nothing_is_projected() -> None:
    found = projected(request(2, input_image_tokens=9), policies=config(arm("cheap", CHEAP, share="1")))
    assert found["total"]["central_cost_usd"] is None
    assert found["total"]["saving_share_low_95"] is None
    assert found["total"]["not_projected_reason"] == "no arm takes 1 requests: an image in the prompt"


def test_a_fact_that_is_not_known_refuses_nothing_and_is_named() -> None:
    found = projected(request(1, input_image_tokens=9), policies=config(arm("tuned", TUNED, share="1")))
    stated = json.loads(found["total"]["assumptions"])
    assert stated["not_known"] == ["input_modalities of tuned-open in model_facts.yaml: taken to read images"]
    assert TUNED[1] in stated["context"]
    assert found["total"]["central_cost_usd"] is not None


@pytest.mark.parametrize(
    ("requires", "reason"),
    [
        ({"licence": "permissive"}, "strong-closed: licence is closed, required is permissive"),
        ({"openness": ["open_weight", "open_source"]}, "strong-closed: openness is closed, required is open_weight"),
        ({"context_tokens": 100_000}, "cheap-open: context_tokens is 8,000, required is 100,000"),
        ({"input": ["image"]}, "cheap-open: input_modalities is text, required is image"),
        ({"tools": True}, "cheap-open: tools is False, required is True"),
        ({"residency": ["eu"]}, "deepseek: residency is cn, required is eu"),
    ],
)
def test_an_arm_that_lacks_what_is_required_serves_nothing(requires: dict[str, Any], reason: str) -> None:
    stays = (
        Seller(provider_id="deepseek", residency=("cn",), source="s"),
        Seller(provider_id="anthropic", residency=("eu", "us"), source="s"),
    )
    found = projected(*(request(n) for n in range(4)), policies=config(*HALF, sellers=stays, requires=requires))
    lacking, other = ("strong", "cheap") if reason.startswith("strong") else ("cheap", "strong")
    assert (found[lacking]["requests"], found[other]["requests"]) == (0.0, 4.0)
    (moved,) = json.loads(found["total"]["assumptions"])["requests_moved"]
    assert moved.startswith(f"{lacking}: {reason}")


@pytest.mark.parametrize(
    ("requires", "reason"),
    [
        ({"licence": "permissive"}, "tuned-open: licence is not known: add it to model_facts.yaml"),
        ({"residency": ["eu"]}, "groq: residency is not known: add the seller to sellers in routing.yaml"),
    ],
)
def test_a_required_fact_that_nobody_states_is_not_met_and_the_line_is_named(
    requires: dict[str, Any], reason: str
) -> None:
    found = projected(request(1), policies=config(arm("tuned", TUNED, share="1", requires=requires)))
    assert found["total"]["not_projected_reason"] == f"no arm takes 1 requests: {reason}"


@pytest.mark.parametrize(
    ("rule", "taken"),
    [
        ({"use_cases": ["search"]}, {"application": "search"}),
        ({"use_cases": ["team-a"]}, {"team": "team-a"}),
        ({"applications": ["search", "chat"]}, {"application": "chat"}),
        ({"teams": ["a"], "operations": ["text_completion"]}, {"team": "a", "operation": "text_completion"}),
        ({"prompt_tokens_at_least": 1500}, {"input_uncached_tokens": 1500}),
        ({"prompt_tokens_below": 1000}, {"input_uncached_tokens": 999}),
    ],
)
def test_a_rule_takes_its_requests_and_shares_part_the_rest(rule: dict[str, Any], taken: dict[str, Any]) -> None:
    policies = config(arm("ruled", TUNED, rule=rule), *HALF)
    found = projected(*(request(n) for n in range(4)), request(4, **taken), policies=policies)
    assert [found[name]["requests"] for name in ("ruled", "cheap", "strong")] == [1.0, 2.0, 2.0]
    assert sum(found[name]["share"] for name in ("ruled", "cheap", "strong")) == 1


def test_hard_requests_are_longer_as_in_the_reference() -> None:
    """The reference: at 59.5 times the price, 8 % of requests that are three times as long bring 90.5 % down to 78.0 %."""
    prices = {"input_uncached": "59.5", "output_text": "59.5"}
    card = rate_card({STRONG: prices, CHEAP: dict.fromkeys(prices, "1")})
    day = requests(*(request(n) for n in range(20)), card=card)

    def saving(**taken: str) -> dict[str, Any]:
        arms = (arm("cheap", CHEAP, share="0.92"), arm("strong", STRONG, **taken))
        found = routing.project(day, card, config(*arms), SCORES, evidence=CERTAIN).projection
        return found.filter(arm="total").row(0, named=True)

    assert saving(share="0.08")["saving_share"] == pytest.approx(0.905, abs=0.001)
    hard = saving(difficulty_above="0.92")
    assert hard["saving_share"] == pytest.approx(0.780, abs=0.001)
    assert hard["saving_share_low_95"] == pytest.approx(hard["saving_share"])
    steps = {name: Decimal(value) for name, value in json.loads(hard["waterfall"]).items()}
    assert steps["longer"] > 0
    assert sum(value for name, value in steps.items() if name != "projected") == steps["projected"]


def test_a_difficulty_threshold_without_evidence_names_the_line() -> None:
    policies = config(arm("cheap", CHEAP, share="0.9"), arm("strong", STRONG, difficulty_above="0.9"))
    found = projected(request(1), policies=policies, evidence=CERTAIN.model_copy(update={"difficulty": None}))
    assert found["total"]["saving_usd"] is None
    assert "evidence.yaml has no difficulty" in found["total"]["not_projected_reason"]


CASCADE = (arm("first", CHEAP), arm("second", STRONG))


def test_a_cascade_pays_both_and_a_perfect_verifier_keeps_what_either_solves() -> None:
    """Cheap solves 60 %, strong 80 %: 40 % is rejected, three times as long, so 2/3 of the tokens are paid twice."""
    day = [request(n) for n in range(10)]
    found = projected(*day, policies=config(*CASCADE, cascade=Cascade(verifier="perfect").model_dump()))
    assert float(found["total"]["central_cost_usd"]) == pytest.approx(float(10 * CHEAP_USD + 10 * STRONG_USD * 2 / 3))
    assert [found[name]["requests"] for name in ("first", "second")] == pytest.approx([6, 4])
    both = 0.6 * 0.8 + 0.5 * (0.6 * 0.4 * 0.8 * 0.2) ** 0.5
    assert found["total"]["quality_retained"] == pytest.approx((0.6 + 0.8 - both) / 0.8)
    low, high = (found["total"][f"saving_share_{name}"] for name in ("low_95", "high_95"))
    assert low < found["total"]["saving_share"] < high
    assert found["total"]["quality_retained_low_95"] < found["total"]["quality_retained"]
    assert [found["total"][name] for name in ("quality_realised", "quality_oracle")] == [None, None], "it has no router"
    steps = {name: Decimal(value) for name, value in json.loads(found["total"]["waterfall"]).items()}
    assert sum(value for name, value in steps.items() if name != "projected") == steps["projected"]


def test_a_verifier_that_accepts_all_leaves_the_first_answer_and_costs_its_fee() -> None:
    found = projected(request(1), policies=config(*CASCADE, cascade={"verifier": "blind"}))
    assert found["total"]["central_cost_usd"] == CHEAP_USD + Decimal("0.0001")
    assert found["total"]["quality_retained"] == pytest.approx(0.6 / 0.8)


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        ({"evidence": CERTAIN.model_copy(update={"verifiers": ()})}, "evidence.yaml has no verifier perfect"),
        ({"evidence": CERTAIN.model_copy(update={"agreement": None})}, "evidence.yaml has no agreement"),
    ],
)
def test_a_cascade_that_lacks_evidence_names_the_line(known: dict[str, Any], reason: str) -> None:
    found = projected(request(1), policies=config(*CASCADE, cascade={"verifier": "perfect"}), **known)
    assert found["total"]["central_cost_usd"] is None
    assert found["total"]["quality_retained"] is None, "nobody knows who answers what"
    assert reason in found["total"]["not_projected_reason"]


def test_a_rule_that_no_request_meets_is_named() -> None:
    """An application spelt wrongly took nothing, and nothing said so."""
    arms = (arm("typo", CHEAP, rule={"applications": ["serch"]}), arm("rest", STRONG, share="1"))
    found = projected(request(1, application="search"), policies=config(*arms))
    assert json.loads(found["total"]["assumptions"])["rules_unmet"] == ["typo"]
    met = projected(request(1, application="serch"), policies=config(*arms))
    assert "rules_unmet" not in json.loads(met["total"]["assumptions"])


def test_the_cascades_of_the_measured_table(shared_data: Path) -> None:
    """What a perfect verifier would have kept of SWE-bench, issue by issue, against what shares and their correlation give."""
    rows = pl.read_csv(shared_data / "routing" / "swebench_bash_only_per_instance_2025-12-10.csv.gz")
    wide = rows.pivot(on="model", index="instance_id", values="resolved").fill_null(0)
    names = wide.columns[1:]
    perfect = Verifier(verifier="perfect", accepts_wrong=0, rejects_right=0, grade="E", source="s")
    apart = []
    for cheap in names:
        for strong in names:
            one, other = wide[cheap].to_numpy().astype(float), wide[strong].to_numpy().astype(float)
            true = float((one.astype(bool) | other.astype(bool)).mean())
            found = accepted(one.mean(keepdims=True), other.mean(keepdims=True), 0.5, perfect)
            apart.append(abs(float(found.solved[0]) - true) if cheap != strong else 0.0)
    assert max(apart) < 0.08


def test_a_long_prompt_is_priced_at_the_arms_own_context_tier() -> None:
    """A tier of the cheap arm from 50,000 tokens on doubles input: only the long prompt pays it."""
    card = rate_card()
    long = card.filter(model_id=CHEAP[1]).with_columns(
        pl.lit(50_000, pl.Int64).alias("context_from_tokens"),
        (pl.col("input_uncached_usd_per_mtok") * 2).cast(pl.Decimal(38, 12)),
        pl.lit(b"long-card-16byte").alias("rate_id"),
    )
    short = card.with_columns(
        pl.when(pl.col("model_id") == CHEAP[1]).then(50_000).otherwise(None).cast(pl.Int64).alias("context_to_tokens")
    )
    rows = [request(1), request(2, input_uncached_tokens=60_000)]
    policies = config(arm("cheap", CHEAP, share="1"))
    cards = pl.concat([short, long])
    found = routing.project(requests(*rows, card=cards), cards, policies, None, evidence=CERTAIN).projection
    usd = (1000 * Decimal("0.28") + 60_000 * Decimal("0.56") + 1000 * Decimal("0.42")) / 1_000_000
    assert found.filter(arm="total")["central_cost_usd"].to_list() == [usd]


def test_attempts_multiply_all_tokens() -> None:
    line = Effect(measure="attempts", model=CHEAP[1], log_mean=log(1.25), log_sd=0, grade="A", source="s")
    other = Effect(measure="attempts", log_sd=0, grade="A", source="s")
    evidence = CERTAIN.model_copy(update={"effects": (*CERTAIN.effects, line, other)})
    found = projected(request(1), policies=config(arm("cheap", CHEAP, share="1")), evidence=evidence)
    assert found["total"]["central_cost_usd"] == Decimal("1.25") * CHEAP_USD


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 12_000), st.booleans(), st.sampled_from(["search", "chat", None])),
        min_size=1,
        max_size=8,
    ),
    st.integers(1, 99),
    st.integers(1, 99),
)
@pytest.mark.slow
def test_whatever_moves_arms_add_up(calls: list[tuple[int, bool, str | None]], hard: int, share: int) -> None:
    """Shares sum to one, money to the last decimal, and an arm that is what ran saves exactly nothing."""
    rows = [
        request(n, STRONG, input_uncached_tokens=tokens, input_image_tokens=9 * image, application=application)
        for n, (tokens, image, application) in enumerate(calls)
    ]
    rest = Decimal(hard) / 100
    arms = (
        arm("ruled", TUNED, rule={"use_cases": ["search"]}),
        arm("cheap", CHEAP, share=str(rest * share / 100)),
        arm("same", STRONG, share=str(rest - rest * share / 100)),
        arm("hard", STRONG, difficulty_above=str(rest)),
    )
    found = projected(*rows, policies=config(*arms))
    total = found.pop("total")
    for column in ("share", "baseline_cost_usd", "central_cost_usd", "saving_usd"):
        assert sum(row[column] for row in found.values()) == total[column]
    assert sum(row["requests"] for row in found.values()) == pytest.approx(len(rows))
    assert found["same"]["saving_usd"] == found["hard"]["saving_usd"] == 0


def test_quality_is_shown_by_use_case() -> None:
    """Search is ruled to the tuned model (40 %), chat is parted between cheap (60 %) and strong (80 %), against strong alone."""
    rows = [request(n, application="search" if n < 2 else "chat") for n in range(6)]
    policies = config(arm("ruled", TUNED, rule={"use_cases": ["search"]}), *HALF)
    certain, drawn = (
        json.loads(projected(*rows, policies=policies, evidence=evidence)["total"]["quality_by_use_case"])
        for evidence in (CERTAIN, DRAWN)
    )
    assert {name: (one["requests"], one["retained"]) for name, one in certain.items()} == {
        "search": (2, pytest.approx(0.4 / 0.8)),
        "chat": (4, pytest.approx(0.7 / 0.8)),
    }
    for one in drawn.values():
        assert one["low_95"] < one["low_50"] < one["retained"] < one["high_50"] < one["high_95"]
