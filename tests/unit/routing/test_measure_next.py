"""What to measure next: what is known is worth nothing, what is known narrows, and more precision takes more pairs."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from pipelines.config.evidence import Effect, Evidence
from pipelines.config.loader import load_file
from pipelines.config.policies import Arm, Policy
from pipelines.config.routing import Baseline, RoutingConfig
from pipelines.routing.case import Case
from pipelines.routing.measure_next import measure_next
from pipelines.routing.projection import Setting
from pipelines.shadow.estimates import FEWEST
from tests.unit.routing.traffic import CHEAP, DAY, STRONG, rate_card, request, requests, score, scores

PACKAGED = load_file(Evidence, "evidence.yaml", None)


def case(evidence: Evidence = PACKAGED, share: str = "0.9") -> Case:
    """Nine in ten of forty requests, which ran on the strong model, to the cheap one."""
    cheap = Arm(arm="cheap", provider_id=CHEAP[0], model_id=CHEAP[1], share=Decimal(share))
    strong = Arm(arm="strong", provider_id=STRONG[0], model_id=STRONG[1], share=1 - Decimal(share))
    policy = Policy(policy="split", baselines=("actual",), arms=(cheap, strong))
    config = RoutingConfig(
        quality_benchmarks=("aider_polyglot@pass_rate_2",), baselines=(Baseline(baseline="actual"),), policies=(policy,)
    )
    card = rate_card()
    known = scores(score(CHEAP[1], 60), score(STRONG[1], 80))
    setting = Setting(config, evidence, known, {})
    ran = requests(*(request(n, input_uncached_tokens=1000, output_text_tokens=500) for n in range(40)), card=card)
    return setting.cases(setting.traffic(ran, card), DAY)[0]


def test_the_run_that_matters_most_comes_first_and_says_its_pairs_and_cost() -> None:
    rows = measure_next(case())
    assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1))
    assert {(row["measure"], row["model_id"]) for row in rows} == {
        ("input", CHEAP[1]), ("output", CHEAP[1]), ("quality", CHEAP[1]), ("quality", STRONG[1]),
    }  # fmt: skip
    first = rows[0]
    assert first["measure"] in ("output", "quality")
    assert 0 <= first["width_known"] < first["width_now"]
    quality = next(row for row in rows if (row["measure"], row["model_id"]) == ("quality", CHEAP[1]))
    # By hand: (1.96 x .9 x .78 / .05) squared, rounded up.
    assert quality["pairs_needed"] == 758
    output = next(row for row in rows if row["measure"] == "output")
    cheap = case().rows()[0]
    assert output["cost_usd"] == pytest.approx(cheap["central_cost_usd"] * output["pairs_needed"] / 36)


def test_a_model_that_ran_and_is_no_arm_costs_what_its_requests_did() -> None:
    """All of it to the cheap one: pairs on the strong model, which all forty ran on, at 1,000 and 500 tokens of 3 and 15 USD a million."""
    found = case()
    alone = replace(
        found,
        policy=found.policy.model_copy(
            update={"arms": (found.policy.arms[0].model_copy(update={"share": Decimal(1)}),)}
        ),
    )
    row = next(row for row in measure_next(alone) if (row["measure"], row["model_id"]) == ("quality", STRONG[1]))
    assert row["cost_usd"] == Decimal("0.0105") * row["pairs_needed"]
    assert row["no_cost_reason"] is None


def test_what_is_known_already_is_worth_nothing() -> None:
    known = Effect(measure="output", model=CHEAP[1], against=STRONG[1], log_mean=0.2, log_sd=0, grade="A", source="-")
    before, after = (measure_next(case(one)) for one in (PACKAGED, PACKAGED.with_measured([known])))
    worth = [next(row["narrows_by"] for row in rows if row["measure"] == "output") for rows in (before, after)]
    assert worth[0] > 0.01
    assert worth[1] == 0


def test_a_small_arm_takes_few_pairs_and_never_fewer_than_can_be_judged() -> None:
    pairs = {share: max(row["pairs_needed"] for row in measure_next(case(share=share)) if row["model_id"] == CHEAP[1]) for share in ("0.1", "0.9")}  # fmt: skip
    assert FEWEST <= pairs["0.1"] < pairs["0.9"]


def test_without_a_spread_of_pairs_the_line_that_mends_it_is_named() -> None:
    bare = PACKAGED.model_copy(update={"pair_quality_sd": None})
    row = next(row for row in measure_next(case(bare)) if row["measure"] == "quality")
    assert (row["pairs_needed"], row["cost_usd"]) == (None, None)
    assert "evidence.yaml has no pair_quality_sd" in row["pairs_basis"]


def test_a_policy_without_prices_has_no_runs() -> None:
    found = case()
    nowhere = replace(found, policy=found.policy.model_copy(update={"arms": (
        found.policy.arms[0].model_copy(update={"provider_id": "nobody"}), found.policy.arms[1])}))  # fmt: skip
    assert [row for row in measure_next(nowhere) if row["measure"] != "quality"] == []
