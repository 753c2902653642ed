"""What would end a saving, on a day worked by hand: ten requests, 0.105 USD on the strong model and 0.0049 on the cheap one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from pipelines.config.policies import Arm, Ceiling
from tests.unit.routing.test_projection import arm, policies, project, total
from tests.unit.routing.traffic import CHEAP, STRONG, TUNED, rate_card, request, requests

DAY = requests(*(request(n) for n in range(10)))


def row(*arms: Arm, baseline: str = "actual", fee: str = "0") -> dict[str, Any]:
    config = policies(*arms, baselines=(baseline,))
    (policy,) = config.policies
    priced = policy.model_copy(update={"router_fee_usd": Decimal(fee)})
    return total(project(DAY, rate_card(), config.model_copy(update={"policies": (priced,)}), None))


def test_all_arms_may_take_what_the_baseline_costs_over_what_grows_with_their_tokens() -> None:
    assert row(arm("cheap", CHEAP, "1"))["break_even_ratio"] == pytest.approx(0.105 / 0.0049)


def test_a_fee_leaves_less_room() -> None:
    assert row(arm("cheap", CHEAP, "1"), fee="0.001")["break_even_ratio"] == pytest.approx((0.105 - 0.01) / 0.0049)


def test_an_arm_on_the_baselines_model_moves_with_it_where_something_else_ran() -> None:
    """All ran on the cheap model. Of 0.105 the strong arm keeps its tenth, whatever its tokens; the tuned one costs 0.00585."""
    day = requests(*(request(n, CHEAP) for n in range(10)))
    config = policies(arm("tuned", TUNED, "0.9"), arm("strong", STRONG, "0.1"), baselines=("all_closed",))
    found = total(project(day, rate_card(), config, None))
    assert found["break_even_ratio"] == pytest.approx(0.105 / 0.00585)
    alone = policies(arm("strong", STRONG, "1"), baselines=("all_closed",))
    assert total(project(day, rate_card(), alone, None))["break_even_ratio"] is None


@pytest.mark.parametrize("baseline", ["actual", "all_closed"])
def test_an_arm_that_is_what_it_is_held_against_flips_nothing(baseline: str) -> None:
    """Nine tenths on the cheap model: 0.9 x 0.105 is what they did cost there. The strong arm moves with the baseline, however it is drawn."""
    split = row(arm("cheap", CHEAP, "0.9"), arm("strong", STRONG, "0.1"), baseline=baseline)
    assert split["break_even_ratio"] == pytest.approx(0.105 / 0.0049)
    alone = row(arm("strong", STRONG, "1"), baseline=baseline)
    assert alone["break_even_ratio"] is None
    assert alone["first_flip"] == "nothing: every arm is what runs today, or what it is held against"


def test_own_machines_and_a_day_without_traffic_are_not_called_what_runs_today() -> None:
    own = arm("own", ("own", CHEAP[1]), "1").model_copy(
        update={"fixed_usd_per_day": Decimal(1), "ceiling": Ceiling(tokens_per_second=10_000, source="own benchmark")}
    )
    assert row(own)["first_flip"].startswith("nothing: what machines of one's own cost does not grow with tokens")
    nothing = requests(request(1, operation="embeddings"))
    found = total(project(nothing, rate_card(), policies(arm("cheap", CHEAP, "1")), None))
    assert (found["first_flip"], found["break_even_ratio"]) == (None, None)
