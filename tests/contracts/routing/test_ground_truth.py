"""The projection held against what really happened, grade by grade: see `graded.py`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contracts.routing.graded import GRADES, Bench, judged, read_bench


@pytest.fixture(scope="module")
def bench(shared_data: Path) -> Bench:
    return read_bench(shared_data)


@pytest.mark.parametrize("grade", GRADES)
@pytest.mark.slow
def test_intervals_cover_what_happened_and_beat_what_the_trade_does(bench: Bench, grade: str) -> None:
    found = judged(bench, GRADES[grade])
    assert found.grades == {grade}
    assert len(found.saving.truths) == 182
    assert min(found.saving.truths) < -2  # a cheap model that costs three times as much, and more
    for truth in (found.saving, found.quality):
        assert 0.90 <= truth.covered("95") <= 0.99
        assert 0.45 <= truth.covered("50") <= 0.60
        assert truth.score() < truth.score_of(truth.same_tokens)
        assert truth.score() < truth.score_of(truth.best_single)
