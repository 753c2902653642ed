"""Widths chosen on other benchmarks hold on the one that was left out: see `left_out.py`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contracts.routing import left_out
from tests.contracts.routing.graded import Truth
from tests.contracts.routing.left_out import chosen, data_sets, evaluated, studies, within


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
    found = left_out.left_out(evaluated(studies(shared_data)["shadow"]))
    assert [held.value for held in found] == [1.0, 1.0, 1.0]
    for truth in [truth for held in found for truth in held.truths]:
        assert 0.90 <= truth.covered("95") <= 0.99
        assert 0.45 <= truth.covered("50") <= 0.60
        assert truth.score() < min(truth.score_of(truth.same_tokens), truth.score_of(truth.best_single))


@pytest.mark.slow
def test_each_subject_of_mmlu_is_covered_by_what_the_others_choose(
    shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(left_out, "GRID", (0.2, 0.35, 0.6))
    values, truth = within(evaluated(data_sets(shared_data)["RouteLLM"]))
    assert set(values) == {0.35}  # what evidence.yaml ships
    assert 0.90 <= truth.covered("95") <= 0.99
    assert 0.45 <= truth.covered("50") <= 0.60
