"""The arithmetic against hand-worked cases and scipy's own methods."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest
from scipy import stats

from pipelines import uncertainty
from pipelines.benchmarks import compare
from pipelines.benchmarks.observation import Benchmark, Observation, Traits
from pipelines.benchmarks.significance import MAX_Q, q_values

ELO = Benchmark("b", "B", "elo", "elo")


@pytest.mark.parametrize(("k", "n"), [(0, 30), (1, 30), (15, 30), (29, 30), (30, 30), (80, 225), (160, 200)])
def test_wilson_interval_is_scipys(k: int, n: int) -> None:
    low, high = uncertainty.wilson_interval(k, n)
    expected = stats.binomtest(k, n).proportion_ci(0.95, method="wilson")
    assert float(low) == pytest.approx(expected.low, abs=1e-9)
    assert float(high) == pytest.approx(expected.high, abs=1e-9)


def test_wilson_interval_by_hand() -> None:
    # 8 of 10, z = 2: (0.8 + 4/20 +- 2 sqrt(0.16/10 + 4/400)) / (1 + 4/10) = (1.0 +- 0.32249) / 1.4
    low, high = uncertainty.wilson_interval(8, 10, z=2.0)
    assert (float(low), float(high)) == (pytest.approx((1 - 0.3224903) / 1.4), pytest.approx((1 + 0.3224903) / 1.4))


def test_proportion_stderr_by_hand() -> None:
    assert float(uncertainty.proportion_stderr(160, 200)) == pytest.approx(math.sqrt(0.8 * 0.2 / 200))
    assert float(uncertainty.proportion_stderr(30, 30)) > 0.02  # a perfect score on 30 items is not certain
    assert float(uncertainty.proportion_stderr(400, 500)) == pytest.approx(0.0178885, abs=1e-6)


def test_two_sided_p_by_hand() -> None:
    assert float(uncertainty.two_sided_p(1.959963984540054)) == pytest.approx(0.05, abs=1e-12)
    assert float(uncertainty.two_sided_p(-2.5758293035489)) == pytest.approx(0.01, abs=1e-12)


def test_benjamini_hochberg_by_hand() -> None:
    # Sorted 0.005, 0.01, 0.03, 0.5: times 4/rank = 0.02, 0.02, 0.04, 0.5, then the running minimum from the right.
    adjusted = uncertainty.benjamini_hochberg([0.03, 0.005, 0.5, 0.01])
    assert adjusted.tolist() == pytest.approx([0.04, 0.02, 0.5, 0.02])
    assert uncertainty.benjamini_hochberg([]).size == 0
    with pytest.raises(ValueError, match="outside of 0 to 1"):
        uncertainty.benjamini_hochberg([0.1, float("nan")])


def test_benjamini_hochberg_as_scipy_has_it() -> None:
    chance = np.random.default_rng(1)
    for size in (1, 2, 5, 300):
        p = np.round(chance.random(size) ** 3, 3)  # with ties and zeros
        assert np.array_equal(uncertainty.benjamini_hochberg(p), stats.false_discovery_control(p, method="bh"))


def test_the_smallest_visible_change_on_common_benchmarks() -> None:
    # Unpaired at p = 0.8, as the reference tables them: 500 items 5.0 points, 30 items 20.2, 14,042 items 0.9.
    for n, points in ((500, 4.96), (30, 20.24), (14_042, 0.94)):
        stderr = 100 * math.sqrt(2 * 0.8 * 0.2 / n)
        assert float(uncertainty.min_detectable(stderr)) == pytest.approx(points, abs=0.01)


def matched_rows(before: np.ndarray, after: np.ndarray, stderr: np.ndarray) -> pl.DataFrame:
    n = before.size
    return pl.DataFrame(
        {
            "benchmark_id": ["b"] * n,
            "version_label": ["v"] * n,
            "score": before,
            "score_after": after,
            "delta": after - before,
            "stderr": stderr,
            "stderr_after": stderr,
            **dict.fromkeys(("paired_delta", "paired_se", "paired_p"), pl.Series([None] * n, dtype=pl.Float64)),
        }
    )


@pytest.mark.slow
def test_a_day_of_null_tests_raises_no_more_false_alarms_than_stated() -> None:
    """400 null days of three boards of 40, 100 and 200 models, drawn anew around the same truth: any alarm at all on
    at most 5 % of them.

    Where nothing is true, every alarm is false, so the false discovery rate is the share of days with an alarm.
    """
    days, boards = 400, (40, 100, 200)
    generator = np.random.default_rng(20260514)
    errors = [generator.uniform(2, 12, size=n) for n in boards]
    alarms = by_board = naive = 0
    observation = Observation("", datetime(2026, 1, 1, tzinfo=UTC), b"", "", Traits("rating"), (ELO,), pl.DataFrame())
    for _ in range(days):
        found = []
        for stderr in errors:
            before, after = (generator.normal(1300, stderr) for _ in range(2))
            matched = matched_rows(before, after, stderr)
            shifts, rebased = compare.find_shifts(matched, observation)
            assert not rebased
            found.append(compare.run_tests(matched, shifts, rebased)["p_value"].to_numpy())
        day = np.concatenate(found)
        alarms += bool((q_values(day, day) <= MAX_Q).any())
        by_board += any((q_values(p, p) <= MAX_Q).any() for p in found)
        naive += bool((day <= 0.05).any())
    assert 8 < alarms <= days * 0.05 + 1.645 * math.sqrt(days * 0.05 * 0.95)
    assert by_board > 1.5 * alarms  # judged board by board, three boards would raise two or three times as many
    assert naive > 0.95 * days  # without the adjustment nearly every day would raise one


def test_among_real_changes_at_most_one_alarm_in_twenty_is_false() -> None:
    generator = np.random.default_rng(3)
    n, moved = 200, 10
    stderr = generator.uniform(2, 12, size=n)
    false_share, found = [], []
    for _ in range(300):
        delta = generator.normal(0, stderr * math.sqrt(2))
        delta[:moved] += 4 * stderr[:moved] * math.sqrt(2)
        alarm = uncertainty.benjamini_hochberg(uncertainty.two_sided_p(delta / (stderr * math.sqrt(2)))) <= 0.05
        false_share.append(alarm[moved:].sum() / max(alarm.sum(), 1))
        found.append(alarm[:moved].mean())
    assert np.mean(false_share) <= 0.05 + 0.01
    assert np.mean(found) > 0.75


def test_an_interval_holds_its_score_at_the_very_ends() -> None:
    """30 of 30 gave an upper end of 0.9999999999999999, below the score itself."""
    for n in range(1, 2000):
        low, high = uncertainty.wilson_interval([0, n], [n, n])
        assert low[0] == 0.0, n
        assert high[1] == 1.0, n
