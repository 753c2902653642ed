"""A projection with shadow measurements: what was measured narrows it, is named in it, and its grade follows."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from pipelines.config.evidence import Evidence
from pipelines.config.loader import load_file
from pipelines.config.policies import Arm, Policy
from pipelines.config.routing import Baseline, RoutingConfig
from pipelines.routing.draws import Group, Worlds
from pipelines.routing.projection import Setting
from pipelines.routing.quality import Quality, Score
from pipelines.routing.session_parts import BUCKETS
from pipelines.shadow import answers, effects, ratios
from tests.unit.routing.traffic import CHEAP, DAY, STRONG, rate_card, request, requests, score, scores
from tests.unit.shadow.record import GOOD
from tests.unit.shadow.test_files import shadow_rows

RAN = [request(n, source_request_id=f"r{n}", input_uncached_tokens=1000, output_text_tokens=400 + n) for n in range(60)]


def total(answered: pl.DataFrame | None) -> dict[str, Any]:
    """The total of a policy that sends nine in ten requests to the cheap model."""
    cheap = Arm(arm="cheap", provider_id=CHEAP[0], model_id=CHEAP[1], share=Decimal("0.9"))
    strong = Arm(arm="strong", provider_id=STRONG[0], model_id=STRONG[1], share=Decimal("0.1"))
    policy = Policy(policy="split", baselines=("actual",), arms=(cheap, strong))
    config = RoutingConfig(
        quality_benchmarks=("aider_polyglot@pass_rate_2",), baselines=(Baseline(baseline="actual"),), policies=(policy,)
    )
    evidence = load_file(Evidence, "evidence.yaml", None)
    if answered is not None:
        evidence = evidence.with_measured(effects(ratios(answered)))
    known = scores(score(CHEAP[1], 60), score(STRONG[1], 80))
    setting = Setting(config, evidence, known, {}, answered=answered)
    card = rate_card()
    rows = setting.routed(setting.traffic(requests(*RAN, card=card), card), DAY).projection
    return rows.filter((pl.col("arm") == "total") & (pl.col("method") == "policy")).row(0, named=True)


def test_what_was_measured_narrows_the_projection_and_is_named(tmp_path: Path) -> None:
    ran = requests(*RAN)
    records = [
        GOOD | {"request_id": f"r{n}", "input_tokens": 1000 + n, "output_tokens": (400 + n) * (2 + n % 3), "score": int(n % 4 > 0)}
        for n in range(60)
    ]  # fmt: skip
    of_strong = [
        GOOD | {"request_id": f"r{n}", "model": STRONG[1], "provider": STRONG[0], "score": int(n % 6 > 0)}
        for n in range(60)
    ]
    rows = shadow_rows(tmp_path, *records, *of_strong)
    # Names of the test's own models, which no registry has.
    named = rows.with_columns(
        model_id=pl.when(pl.col("raw_model") == STRONG[1]).then(pl.lit(STRONG[1])).otherwise(pl.lit(CHEAP[1]))
    )
    before, after = total(None), total(answers(named, ran))
    assert (before["evidence_grade"], after["evidence_grade"]) == ("C", "A")
    width = {
        name: [row[f"{name}_high_95"] - row[f"{name}_low_95"] for row in (before, after)]
        for name in ("saving_share", "quality_retained")
    }
    assert width["saving_share"][1] < width["saving_share"][0] / 5
    assert width["quality_retained"][1] < width["quality_retained"][0]
    stated = json.loads(after["assumptions"])
    assert "A: own shadow runs: 60 paired requests" in stated["tokens"][f"output, {CHEAP[1]}"]
    assert stated["quality"]["proxy"].startswith("own shadow scores")
    # By hand: .75 solved against 5 in 6, nine tenths of the traffic.
    assert stated["quality"]["scores"] == {CHEAP[1]: 75.0, STRONG[1]: 83.333333}
    by_hand = 0.9 * 0.75 / (5 / 6) + 0.1
    assert after["quality_retained_low_50"] < by_hand < after["quality_retained_high_50"]
    assert after["quality_retained"] == pytest.approx(by_hand, abs=0.005)


@pytest.mark.parametrize(("number", "widened"), [(60, 2**0.5), (6000, 1.01**0.5)])
def test_few_requests_of_the_traffic_are_as_far_from_the_mean_as_those_measured(number: int, widened: float) -> None:
    """60 pairs know the mean of all requests that could come; the mean of 60 others is off it by as much again."""
    line = {
        "measure": "output",
        "model": "cheap",
        "against": "strong",
        "log_sd": 0.2,
        "sessions": 60,
        "grade": "A",
        "source": "-",
    }
    evidence = Evidence.model_validate(
        {
            "draws": 2000,
            "effects": [
                line,
                {**line, "model": "strong", "against": None, "log_sd": 0},
                {"measure": "input", "log_sd": 0, "grade": "E", "source": "-"},
            ],
        }
    )
    groups = [Group("strong", is_loop=False), Group("strong", is_loop=True)]
    counts = np.full((2, BUCKETS), number / BUCKETS)
    worlds = Worlds(evidence, groups, counts, {"all": {"strong": 2 * number}})
    spread = np.log(worlds.ratios("cheap", groups[0])[1]).std()
    assert spread == pytest.approx(0.2 * widened * worlds.normal("effect", "output", "cheap").std())
    scored = Quality("own", {"cheap": Score(0.5, 0.2)}, {"cheap": {"0": 0.2}}, sessions=120)
    solved = worlds.shares_solved(scored, "cheap")[:, 0]
    assert np.log(solved / (1 - solved)).std() == pytest.approx(
        0.2 * widened * worlds.normal("measured score", "0").std()
    )
