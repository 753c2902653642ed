"""Forecasts: a month worked by hand, what must hold for any history, and intervals that hold what they promise."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.planning.forecast import DEFAULT, NAIVE, TREND, Foresight, History, calendar, foresee
from pipelines.planning.smoothing import WEEK, smoothed, trended
from tests.unit.planning.traffic import KINDS, MONDAY, drawn


def seen(y: np.ndarray, days_ahead: int, factors: np.ndarray | None = None) -> Foresight:  # type: ignore[type-arg]
    return foresee(History(MONDAY, y), MONDAY + timedelta(days=len(y) - 1), days_ahead, factors)


def test_two_equal_weeks_by_hand() -> None:
    """100 on each working day, 20 at weekends: a week is 540, and so is any week ahead; Monday to Wednesday less than 300, because
    two weeks only half show what a Monday is."""
    y = np.array([[100.0]] * 5 + [[20.0]] * 2)
    found = seen(np.vstack([y, y]), 7)
    assert found.sums[-1, 0] == pytest.approx(540)
    assert found.sums[7, 0] - found.sums[5, 0] < 80 < 100 < found.sums[1, 0] + 5
    assert found.method == [DEFAULT]


def test_an_exact_pattern_is_continued_exactly_and_without_error() -> None:
    y = np.tile(np.array([[100.0]] * 5 + [[20.0]] * 2), (12, 1))
    assert seen(y, 28).sums[-1, 0] == pytest.approx(4 * 540, rel=0.02), "weekdays are drawn a little towards each other"
    found = seen(y, 14)
    assert found.sums[-1, 0] == pytest.approx(2 * 540)
    assert found.naive_error[0] == pytest.approx(0, abs=1e-12)
    assert found.method == [NAIVE], "it makes no error at all, the smoothed weekdays a small one"
    assert found.sums[1, 0] == 100


def test_announced_prices_change_the_days_from_then_on() -> None:
    y = np.full((42, 1), 10.0)
    factors = np.ones((10, 1))
    factors[4:] = 1.5
    assert seen(y, 10).sums[-1, 0] == pytest.approx(100)
    assert seen(y, 10, factors).sums[-1, 0] == pytest.approx(4 * 10 + 6 * 15)


def test_few_days_give_no_forecast_and_a_few_more_no_interval() -> None:
    y = np.full((20, 1), 10.0)
    assert np.isnan(seen(y[:6], 5).sums[-1, 0])
    few = seen(y[:10], 5)
    assert few.sums[-1, 0] == pytest.approx(50)
    assert np.isnan(few.quantile(0.975)[-1, 0])
    assert not np.isnan(seen(y[:14], 5).quantile(0.975)[-1, 0])


def test_a_day_that_is_not_loaded_is_no_day_without_spend() -> None:
    y = np.full((40, 2), 10.0)
    y[30:33, 1] = np.nan
    y[20, 1] = np.nan
    found = seen(y, 10)
    assert found.sums[-1] == pytest.approx([100, 100])


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.integers(8, 60), st.integers(0, 40), st.floats(0.01, 1000))
@pytest.mark.slow
def test_what_holds_for_any_history(seed: int, days: int, days_ahead: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    y = rng.exponential(1, (days, 3)) * (rng.random((days, 3)) > 0.3)
    found, scaled = seen(y, days_ahead), seen(y * scale, days_ahead)
    assert np.nan_to_num(scaled.sums) == pytest.approx(np.nan_to_num(found.sums * scale), rel=1e-6, abs=1e-9 * scale), (
        "another currency is another figure, not another forecast"
    )
    known = ~np.isnan(found.sums)
    assert (np.diff(np.where(known, found.sums, 0), axis=0) >= -1e-9).all(), "a sum of spend never falls"
    low, middle, high = (found.quantile(p) for p in (0.025, 0.5, 0.975))
    inside = ~np.isnan(low)
    assert (low[inside] <= middle[inside] + 1e-9).all()
    assert (middle[inside] <= high[inside] + 1e-9).all()
    alone = seen(y[:, 1:2], days_ahead)
    assert np.nan_to_num(alone.sums[:, 0]) == pytest.approx(np.nan_to_num(found.sums[:, 1])), "no series moves another"


def test_only_days_before_count() -> None:
    y = drawn("wandering", 80, 2)
    whole, cut = History(MONDAY, y), History(MONDAY, y[:50])
    day = MONDAY + timedelta(days=49)
    assert foresee(whole, day, 12).sums == pytest.approx(foresee(cut, day, 12).sums)
    assert foresee(whole, day, 12).spread == pytest.approx(foresee(cut, day, 12).spread)


@pytest.mark.parametrize("kind", KINDS)
def test_intervals_hold_what_they_promise(kind: str) -> None:
    """Over five cases of history and horizon: no less than 90 % in the 95 % interval, on series with steps that nobody can foresee
    too, and near half in the 50 % one. The error is at most that of seasonal-naive and a tenth. (Four weeks ahead after four weeks of
    growth no interval knows of the growth yet; docs/planning.md has the figure.)"""
    inside95, inside50, ours, naive = [], [], 0.0, 0.0
    for days, days_ahead in ((14, 14), (28, 10), (60, 25), (110, 5), (110, 30)):
        y = drawn(kind, days + days_ahead, 60)
        found, actual = seen(y[:days], days_ahead), y[days:].sum(axis=0)
        last = np.tile(y[days - WEEK : days], (days_ahead // WEEK + 1, 1))[:days_ahead].sum(axis=0)
        ours += np.abs(found.sums[-1] - actual).sum()
        naive += np.abs(last - actual).sum()
        low95, low50, high50, high95 = (found.quantile(p)[-1] for p in (0.025, 0.25, 0.75, 0.975))
        inside95.append(np.mean((low95 <= actual) & (actual <= high95)))
        inside50.append(np.mean((low50 <= actual) & (actual <= high50)))
    assert np.mean(inside95) >= 0.90
    assert min(inside95) >= 0.75
    assert 0.40 <= np.mean(inside50) <= 0.82
    assert ours <= 1.1 * naive


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_growth_is_followed_better_than_by_repeating_the_last_week(seed: int) -> None:
    ours = naive = 0.0
    for days, days_ahead in ((60, 25), (110, 30)):
        y = drawn("growing", days + days_ahead, 60, seed)
        found, actual = seen(y[:days], days_ahead), y[days:].sum(axis=0)
        last = np.tile(y[days - WEEK : days], (days_ahead // WEEK + 1, 1))[:days_ahead].sum(axis=0)
        ours += np.abs(found.sums[-1] - actual).sum()
        naive += np.abs(last - actual).sum()
    assert ours < 0.9 * naive


def test_a_trend_by_hand() -> None:
    """Each week 5 % above the one before, without noise: a level of two weeks lags behind, the trend goes on. A week that is not loaded
    is no fall, and through a week without spend there is no line."""
    weeks = 1.05 ** np.arange(10)
    y = np.repeat(weeks, WEEK)[:, None] * np.array([[100.0]])
    found = seen(y, 14)
    assert found.method == [TREND]
    assert found.sums[-1, 0] == pytest.approx(100 * WEEK * (1.05**10 + 1.05**11), rel=0.04)
    gaps = np.tile(y, (1, 2))
    gaps[28:35, 0], gaps[28:35, 1] = np.nan, 0.0
    weekdays, parts = calendar([MONDAY + timedelta(days=n) for n in range(len(y))])
    trend = trended(gaps, weekdays, smoothed(gaps, weekdays, parts)).trend
    assert (trend[21:28] > 0).all()
    assert (trend[28:, 0] >= 0).all()
    assert trend[69, 0] == trend[69, 1] == 0


def test_an_interval_around_nothing_is_not_nothing() -> None:
    """One day in forty cost 900 and two quiet weeks followed: little is foreseen of five days. Some tries of five days met the burst, so
    one more may; a share of the forecast was six billion at 97.5 %."""
    y = np.zeros((40, 1))
    y[25] = 900.0
    found = seen(y, 5)
    assert found.sums[-1, 0] < 15
    assert 880 <= found.quantile(0.975)[-1, 0] <= 1000
    assert found.quantile(0.025)[-1, 0] == 0
    assert found.quantile(0.75)[-1, 0] < 200


def test_bursts_lie_in_the_interval_too() -> None:
    """A day in eight costs something: intervals that were a share of the forecast held 70 % of such series at 95 %."""
    rng = np.random.default_rng(3)
    y = rng.exponential(100, (85, 120)) * (rng.random((85, 120)) < 0.12)
    found, actual = seen(y[:60], 25), y[60:].sum(axis=0)
    assert np.mean((found.quantile(0.025)[-1] <= actual) & (actual <= found.quantile(0.975)[-1])) >= 0.9


def test_the_day_on_which_an_amount_is_crossed() -> None:
    """Nine tenths of what 30 noisy days with heavy tails came to: the day is foreseen better than by repeating the last week, and lies
    between the days of the interval."""
    y = drawn("heavy", 90, 60)
    found, actual = seen(y[:60], 30), np.vstack([np.zeros((1, 60)), np.cumsum(y[60:], axis=0)])
    naive = np.vstack([np.zeros((1, 60)), np.cumsum(np.tile(y[53:60], (5, 1))[:30], axis=0)])
    amount = 0.9 * actual[-1]

    def crossed(sums: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
        reached = sums >= amount
        return np.where(reached.any(axis=0), reached.argmax(axis=0), 31)

    day = crossed(actual)
    assert np.abs(crossed(found.sums) - day).mean() < np.abs(crossed(naive) - day).mean()
    early, late = crossed(found.quantile(0.975)), crossed(found.quantile(0.025))
    assert np.mean((early <= day) & (day <= late)) >= 0.9


def test_the_calendar_of_parts() -> None:
    days = [date(2026, 2, n) for n in (1, 3, 4, 25, 26, 28)]
    weekdays, parts = calendar(days)
    assert list(weekdays) == [6, 1, 2, 2, 3, 5]
    assert list(parts) == [0, 0, 1, 1, 2, 2]
