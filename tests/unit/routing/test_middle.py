"""What is projected lies inside its own intervals, adds up over arms, and is exact where nothing is uncertain (ADR 14)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from pipelines import routing
from pipelines.routing.amounts import at_the_middle
from pipelines.routing.draws import intervals, middle
from tests.unit.routing.test_projection import HYBRID, arm, policies
from tests.unit.routing.traffic import CHEAP, STRONG, TUNED, rate_card, request, requests, score, scores

SCORES = scores(score(CHEAP[1], 74.2), score(STRONG[1], 82.4), score(TUNED[1], 40.0))
MIXED = (
    *(request(n, STRONG, session_id=f"s{n}") for n in range(20)),
    *(request(n, CHEAP, session_id=f"c{n}", input_uncached_tokens=90_000) for n in range(20, 40)),
    *(request(n, TUNED, session_id=f"t{n}", output_text_tokens=9_000) for n in range(40, 60)),
)
"""Three models have a third of the requests each: their factors are drawn apart, and the middle of their sum is not the sum of their middles."""


@pytest.mark.parametrize(("baseline", "apart"), [("actual", 0.02), ("all_closed", 0.001)])
def test_every_point_lies_inside_its_intervals(baseline: str, apart: float) -> None:
    config = policies(*HYBRID, baselines=(baseline,), quality_benchmarks=("aider_polyglot",))
    rows = routing.project(requests(*MIXED), rate_card(), config, SCORES).projection.to_dicts()
    judged = [row for row in rows if row["saving_share_low_50"] is not None]
    assert [row["arm"] for row in judged] == ["cheap", "strong", "tuned", "total", "best_single_cheap"]
    for row in judged:
        for name in ("saving_share", "quality_retained"):
            low, high = row[f"{name}_low_50"], row[f"{name}_high_50"]
            assert low - 1e-9 <= row[name] <= high + 1e-9, (row["arm"], name)
    total = judged[3]
    central = float(1 - total["central_cost_usd"] / total["baseline_cost_usd"])
    assert total["saving_share"] < central - apart, "tokens may be many times as many, never less than none"
    for column in ("baseline_cost_usd", "projected_cost_usd", "central_cost_usd", "saving_usd"):
        assert sum((row[column] for row in judged[:3]), Decimal(0)) == total[column]


def test_an_arm_that_is_certain_keeps_its_exact_amount() -> None:
    config = policies(arm("cheap", CHEAP, "0.5"), arm("same", STRONG, "0.5"))
    day = requests(*(request(n, STRONG, session_id=f"s{n}") for n in range(40)))
    rows = {row["arm"]: row for row in routing.project(day, rate_card(), config, None).projection.to_dicts()}
    assert rows["same"]["projected_cost_usd"] == rows["same"]["central_cost_usd"]
    assert rows["same"]["saving_usd"] == 0
    assert rows["total"]["saving_usd"] == rows["cheap"]["saving_usd"]


def test_arms_stand_at_the_level_at_which_they_add_up() -> None:
    """Three worlds: the arms save 0, .1, .5 and .5, .1, 0 of 100 USD, together .5, .2, .5: the middle is .5. In order both have 0, .1, .5,
    together 0, .2, 1. So both stand three eighths of the way from .1 to .5."""
    gains: list[Any] = [np.array([0.0, 0.1, 0.5]), np.array([0.5, 0.1, 0.0])]
    central = [(Decimal(50), Decimal(40)), (Decimal(50), Decimal(30))]
    found = at_the_middle(Decimal(100), [*central], gains, gains[0] + gains[1])
    assert found == [(Decimal(50), Decimal(25)), (Decimal(50), Decimal(25))]
    alone = at_the_middle(Decimal(100), [central[0], (Decimal(50), None)], [gains[0], None], None)
    assert alone == [(Decimal(50), Decimal(40)), (Decimal(50), None)], (
        "each at its own middle where the sum is not known"
    )


def test_the_order_in_which_floats_are_added_up_shows_in_no_row() -> None:
    """Groups are added up in another order where other policies are asked too: the sixteenth digit moves."""
    values = np.random.default_rng(1).uniform(-1, 1, 2001)
    moved = values * (1 + 2e-16)
    assert np.median(moved) != np.median(values)
    assert middle(moved) == middle(values)
    assert intervals(moved) == intervals(values)
    central = [(Decimal(50), Decimal(40)), (Decimal(50), Decimal(30))]
    other = np.roll(values, 7)
    assert at_the_middle(Decimal(7), [*central], [values, other], values + other) == at_the_middle(
        Decimal(7), [*central], [moved, other], moved + other
    )
