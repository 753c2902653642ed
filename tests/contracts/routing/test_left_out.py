"""Widths chosen on other benchmarks hold on the one that was left out: see `left_out.py`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipelines.config.evidence import Evidence
from pipelines.config.loader import load_file
from tests.contracts.routing import left_out
from tests.contracts.routing.graded import Truth
from tests.contracts.routing.left_out import (
    chosen,
    evaluated,
    judged_elsewhere,
    learnt,
    loop_study,
    shadow_study,
    spread,
    transfer_study,
)


def test_the_rule_takes_the_width_of_the_least_score(monkeypatch: pytest.MonkeyPatch) -> None:
    """Truths of -1, 0 and 1: a narrow interval misses two of them, a wide one holds them and more than it needs."""
    monkeypatch.setattr(left_out, "GRID", (0.2, 1.0, 9.0))

    def of(half: float) -> Truth:
        truth = Truth()
        for happened in (-1.0, 0.0, 1.0):
            bounds = {"low_95": -half, "low_50": -half / 3, "high_50": half / 3, "high_95": half}
            truth.add(bounds, happened, 0.0, 0.0)
        return truth

    found = {value: [of(value)] for value in left_out.GRID}
    assert of(1.0).weighted_score() == pytest.approx(0.025 * 2 + 0.25 * (2 / 3 + 4 * (4 / 3) / 3))
    assert chosen([found]) == 1.0


@pytest.mark.slow
def test_errors_of_shadow_measurements_are_right_as_they_are(
    shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each benchmark is judged at the factor that the two others choose, on items that no shadow saw."""
    monkeypatch.setattr(left_out, "GRID", (0.7, 1.0, 1.4))
    monkeypatch.setattr(left_out, "SHADOW_RUNS", 60)
    found = left_out.left_out(evaluated(shadow_study(shared_data)))
    assert [held.value for held in found] == [1.0, 1.0, 1.0]
    for truth in [truth for held in found for truth in held.truths]:
        assert 0.90 <= truth.covered("95") <= 0.99
        assert 0.45 <= truth.covered("50") <= 0.60
        assert truth.score() < min(truth.score_of(truth.same_tokens), truth.score_of(truth.best_single))


def test_a_spread_is_that_of_a_normal_distribution_with_the_mean_distance() -> None:
    """Distances of 1, 0 and 4 from the middle: 5/3 x 1.2533. The mean of squares 9 and 16 is 12.5."""
    assert spread(np.array([2.0, 3.0, 7.0])) == pytest.approx(5 / 3 * np.sqrt(np.pi / 2))
    normal = np.random.default_rng(1).normal(0, 0.7, 20_000)
    assert spread(normal) == pytest.approx(0.7, rel=0.02)
    assert learnt({"a": 3.0, "b": 4.0, "c": 100.0}, "c") == pytest.approx(12.5**0.5)


@pytest.mark.slow
def test_tokens_of_models_on_one_benchmark_cover_the_savings_on_the_other(shared_data: Path) -> None:
    """Each benchmark judged by what only the other one's models showed."""
    for held in judged_elsewhere(*loop_study(shared_data)):
        (truth,) = held.truths
        assert min(truth.truths) < -1  # some save nothing at all
        assert 0.90 <= truth.covered("95") <= 0.99
        assert 0.45 <= truth.covered("50") <= 0.60
        assert truth.score() < min(truth.score_of(truth.same_tokens), truth.score_of(truth.best_single)) / 1.5


@pytest.mark.slow
def test_scores_carry_over_as_far_as_on_other_benchmarks(shared_data: Path) -> None:
    """18 cases of RouterBench-Mini are too few for a share; of the other two each is judged by what the others showed."""
    spreads, judges = transfer_study(shared_data)
    judges = {name: judges[name] for name in ("SWE-bench", "RouteLLM")}
    for held in judged_elsewhere(spreads, judges):
        (truth,) = held.truths
        assert 0.90 <= truth.covered("95") <= 0.99
        assert 0.45 <= truth.covered("50") <= 0.63
        assert truth.score() < 0.6 * truth.score_of(truth.same_tokens)


def test_what_ships_is_what_all_benchmarks_show_together(shared_data: Path) -> None:
    evidence = load_file(Evidence, "evidence.yaml", None)
    loop, transfer = evidence.effect("loop", None), evidence.transfer("any")
    assert loop is not None
    assert transfer is not None
    assert loop.log_sd == pytest.approx(learnt(loop_study(shared_data)[0], ""), abs=0.005)
    assert transfer.logit_sd == pytest.approx(learnt(transfer_study(shared_data)[0], ""), abs=0.005)
    assert transfer.freedom == left_out.FREEDOM
