"""What all traffic costs on one model is what its groups cost there, added up."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
import pytest

from pipelines.config.evidence import Effect, Evidence, Measure, MissingEvidenceError
from pipelines.routing.draws import ArmArrays, Group, Worlds
from pipelines.routing.outlook import Stake, grade, spread
from pipelines.routing.quality import Quality
from pipelines.routing.session_parts import BUCKETS

GROUPS = [Group(*each) for each in product(("asked", "other", "third"), (False, True), ("", "tools|"))]
"""Models that ran, agents' loops apart, in two lanes: the ratios of a model are the same in both."""


def line(measure: Measure, model: str = "*", log_mean: float = 0.0) -> Effect:
    return Effect(measure=measure, model=model, log_mean=log_mean, log_sd=0.4, grade="C", source="-")


def worlds(*lines: Effect, groups: Sequence[Group] = GROUPS) -> Worlds:
    requests = np.ones((len(groups), BUCKETS))
    return Worlds(Evidence(effects=lines, draws=200), groups, requests, {"all": {"asked": 1}})


def arm(groups: int = len(GROUPS)) -> ArmArrays:
    drawn = np.random.default_rng(3).uniform(1, 9, (4, groups, BUCKETS))
    return ArmArrays("asked", *drawn)


@pytest.mark.parametrize("attempts", [(), (line("attempts"), line("attempts", "asked", 0.7))])
def test_all_traffic_on_a_model_costs_what_its_groups_cost_there(attempts: tuple[Effect, ...]) -> None:
    own = [line("input", "asked", 0.2), line("output", "asked", 0.5), line("loop", "asked", 0.9)]
    drawn = worlds(line("input"), line("output"), line("loop"), *own, *attempts)
    one_by_one = drawn.cost(arm())
    assert one_by_one.shape == (200, len(GROUPS))
    np.testing.assert_allclose(drawn.cost_of_all(arm()), one_by_one.sum(axis=1), rtol=1e-12)


def test_a_line_that_is_missing_is_named_all_the_same() -> None:
    with pytest.raises(MissingEvidenceError, match="loop"):
        worlds(line("input"), line("output")).cost_of_all(arm())


def test_what_ran_on_the_model_itself_needs_no_line() -> None:
    drawn = worlds(groups=[Group("asked", is_loop=False)])
    np.testing.assert_allclose(drawn.cost_of_all(arm(1)), drawn.cost(arm(1))[:, 0], rtol=1e-12)


@pytest.mark.parametrize(
    ("ran", "asked", "known", "apart"),
    [
        ("third", "asked", "A", 0.02),
        ("asked", "third", "A", 0.02),
        ("other", "asked", "C", (0.02**2 + 2 * 0.4**2) ** 0.5),
        ("other", "third", "C", (2 * 0.4**2) ** 0.5),
    ],
)
def test_a_ratio_is_as_well_known_as_what_lies_between_both_models(
    ran: str, asked: str, known: str, apart: float
) -> None:
    """The asked model was measured against the third, both ways round. Against the other one nothing was."""
    measured = [
        Effect(measure=measure, model="asked", against="third", log_mean=0.1, log_sd=0.02, grade="A", source="shadow")
        for measure in ("input", "output")
    ]
    drawn = worlds(line("input"), line("output"), *measured, groups=[Group(ran, is_loop=False)])
    one = np.ones((1, BUCKETS))
    stake = Stake("arm", asked, 1.0, ArmArrays(asked, 0 * one, one, one, 0 * one))
    own = Quality("own shadow scores", {}, {asked: {"0": 0.1}}, 40)
    assert grade(drawn, [stake], own) == known
    assert spread(drawn, stake) == pytest.approx(apart)
