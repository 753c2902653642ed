"""Ratios, means and corrected judges against closed forms and simulations that know the truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.shadow.estimates import corrected_mean, log_ratio, mean, shared_error, student
from pipelines.uncertainty import clustered_stderr

EACH = np.arange(400)


def test_the_weight_and_error_are_those_of_the_paper() -> None:
    """PPI++ (arXiv 2311.01453), section 6: lambda and variance of a mean, written out here for themselves."""
    chance = np.random.default_rng(1)
    truth = (chance.random(400) < 0.6).astype(float)
    judged = np.where(chance.random(400) < 0.8, truth, 1 - truth)
    gold = np.where(EACH < 100, truth, np.nan)
    found = corrected_mean(gold, judged, EACH, 400)
    labelled, unlabelled, scores = judged[:100], judged[100:], truth[:100]
    weight = np.cov(scores, labelled)[0, 1] / ((1 + 100 / 300) * np.var(judged, ddof=1))
    value = weight * unlabelled.mean() + (scores - weight * labelled).mean()
    error = np.sqrt(weight**2 * unlabelled.var() / 300 + (scores - weight * labelled).var() / 100)
    assert found.weight == pytest.approx(weight)
    assert found.value == pytest.approx(value)
    assert found.error == pytest.approx(error, rel=0.002)


@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.3, 1.0]))
def test_a_judge_is_never_worse_than_no_judge_by_more_than_noise(seed: int, skill: float) -> None:
    chance = np.random.default_rng(seed)
    truth = (chance.random(400) < 0.5).astype(float)
    judged = np.where(chance.random(400) < skill, truth, chance.random(400) < 0.5)
    gold = np.where(EACH < 100, truth, np.nan)
    found = corrected_mean(gold, judged, EACH, 400)
    assert 0 <= found.weight <= 1
    assert found.error <= mean(truth[:100], EACH[:100], 100).error * 1.03
    assert abs(found.influences.sum()) < 1e-9


def test_a_judge_without_gold_for_it_says_nothing() -> None:
    gold, judged = np.where(EACH < 100, 1.0, np.nan), np.where(EACH < 5, np.nan, 0.0)
    found = corrected_mean(gold, judged, EACH, 400)
    assert (found.value, found.weight) == (1.0, 0.0)


def test_clusters_are_drawn_whole() -> None:
    """Ten answers of each session that say the same are one answer."""
    chance = np.random.default_rng(2)
    values, clusters = np.repeat(chance.random(20), 10), np.repeat(np.arange(20), 10)
    expected, number = clustered_stderr(values, clusters)
    assert mean(values, clusters, 20).error == pytest.approx(expected)
    assert number == 20
    alone = mean(values[::10], np.arange(20), 20)
    assert mean(values, clusters, 20).error == pytest.approx(alone.error)


def test_a_ratio_has_the_error_of_the_jackknife() -> None:
    chance = np.random.default_rng(3)
    lower = chance.lognormal(0, 0.5, 200)
    upper = lower * chance.lognormal(0.3, 0.4, 200)
    found = log_ratio(upper, lower, np.arange(200))
    left_out = [np.log(np.delete(upper, one).sum() / np.delete(lower, one).sum()) for one in range(200)]
    jackknife = np.sqrt(199 / 200 * np.sum((np.array(left_out) - np.mean(left_out)) ** 2))
    assert found.error == pytest.approx(jackknife)


def test_what_two_models_share_cancels_between_them() -> None:
    chance = np.random.default_rng(4)
    one, other = chance.random(300), chance.random(300)
    first, second = (mean(values, np.arange(300), 300) for values in (one, one + 0.1 * other))
    gap = mean(one - (one + 0.1 * other), np.arange(300), 300)
    together = first.error**2 + second.error**2 - 2 * shared_error(first, second)
    assert together == pytest.approx(gap.error**2)


def test_few_sessions_widen_the_interval_as_student_says() -> None:
    assert student(9) == pytest.approx(2.262, abs=0.001)  # a printed table: t(0.975, 9)
    assert student(30) == pytest.approx(2.042, abs=0.001)
