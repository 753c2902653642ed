"""Level, weekdays and trend of daily series, known at the end of each day from the days up to it alone.

A column is one series, and all run over the days together; a day that is not loaded is nan and counts for nothing. For three weeks
the level is the mean of whole weeks; then it is smoothed exponentially, at the rate that had the smallest errors so far. Errors beyond
three typical ones are cut, so that an accident of one day is no level.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

WEEK = 7
START = 21
RATES = np.array([0.03, 0.07, 0.15, 0.3, 0.6])
DAMPING = 0.97
PARTS = 3
"""Parts of a month: its first three days, its last three, and those between."""

_CUT = 3.0 * 1.25
"""Three deviations of a normal distribution, in mean absolute errors."""
_MEMORY = 0.98
_PRIOR_WEEKS, _PRIOR_PARTS = 0.5, 6.0
_START_RATE = 1 / 7
_LEAST_WEEKS, _WEEKS = 3, 13
"""Weeks from which a trend is read."""
_STEEPEST = 0.05
"""Growth per day that is believed at most."""
_LAG, _LONGEST_LAG = 0.8, 10.0
"""Share of the lag of a smoothed level, and days of it at most, that a trend makes good."""
_TINY = 1e-12


@dataclass(frozen=True)
class Beliefs:
    """What is believed at the end of each day; arrays of (days, series), shares of (days, 7 or 3, series).

    `level` of a day that is like the average one, `trend` added per day (damped), `rate` of smoothing, `deviation` of one
    day from what was expected. `expected` is what the day before expected of the day.
    """

    level: Floats
    trend: Floats
    weekday: Floats
    part: Floats
    rate: Floats
    deviation: Floats
    expected: Floats


class _Shares:
    """The share of the level that days of a kind have, drawn towards one by `prior` days of the kind."""

    def __init__(self, kinds: int, shape: tuple[int, int], prior: float, memory: float) -> None:
        self.spent, self.given = np.zeros((kinds, *shape)), np.zeros((kinds, *shape))
        self._prior, self._memory = prior, memory

    def of(self, level: Floats) -> Floats:
        prior = self._prior * np.maximum(level, _TINY)
        return np.asarray((self.spent + prior) / (self.given + prior))

    def learn(self, kind: int, value: Floats, given: Floats, is_seen: Floats) -> None:
        self.spent[kind] = np.where(is_seen, self._memory * self.spent[kind] + value, self.spent[kind])
        self.given[kind] = np.where(is_seen, self._memory * self.given[kind] + given, self.given[kind])


def smoothed(y: Floats, weekdays: Indices, parts: Indices, *, has_parts: bool = False) -> Beliefs:
    """Run over the days once."""
    days, series = y.shape
    shape, heard = (len(RATES), series), np.full_like(y, np.nan)
    rates, columns = RATES[:, None], np.arange(series)
    level, error, square, weight, typical = (np.zeros(shape) for _ in range(5))
    by_weekday, by_part = _Shares(WEEK, shape, _PRIOR_WEEKS, _MEMORY**WEEK), _Shares(PARTS, shape, _PRIOR_PARTS, 0.995)
    seen, best = np.zeros(series), np.zeros(series, dtype=np.int64)
    out = _unknown(days, series)
    for day in range(days):
        is_seen = ~np.isnan(y[day])
        value = np.where(is_seen, y[day], 0.0)
        shares = np.where(seen < WEEK, 1.0, _mean_one(by_weekday.of(level)))
        of_weekday = shares[weekdays[day]]
        of_part = by_part.of(level)[parts[day]] if has_parts else np.ones(shape)
        expected = level * of_weekday * of_part
        out.expected[day] = np.where(seen > 0, expected[best, columns], np.nan)
        miss = value - expected
        limit = np.where((seen > WEEK) & (typical > 0), _CUT * typical, np.inf)
        # As least squares weigh it: divided by its share, the error of a quiet weekday would move the level most.
        miss_heard = np.clip(miss, -limit, limit)
        value = np.where(is_seen, expected + miss_heard, 0.0)
        heard[day] = np.where(is_seen, value[best, columns], np.nan)
        cut = miss_heard * of_weekday * of_part / (shares**2).mean(axis=0)
        pace = np.maximum(rates, 1 / (seen + 1))
        moved = np.maximum(level + pace * cut, 0.0)
        if (seen < START).any():
            moved = np.where(seen < START, _mean_of_weeks(heard[: day + 1], seen + is_seen), moved)
        before, level = level, np.where(is_seen, moved, level)
        by_weekday.learn(weekdays[day], value, np.where(seen > 0, before * of_part, value), is_seen)
        if has_parts:
            by_part.learn(parts[day], value, np.where(seen > 0, before * of_weekday, value), is_seen)
        counts = is_seen & (seen >= WEEK)
        typical = np.where(counts, typical + np.maximum(0.06, 1 / (weight + 1)) * (np.abs(miss) - typical), typical)
        square = np.where(counts, _MEMORY * square + miss**2, square)
        weight = np.where(counts, _MEMORY * weight + 1, weight)
        error = np.where(is_seen & (seen >= START), _MEMORY * error + np.abs(miss), error)
        seen = seen + is_seen
        # The first week was held against a level that was still coming about.
        first_week = is_seen & (seen == WEEK)
        by_weekday.given = np.where(first_week & (by_weekday.given > 0), level, by_weekday.given)
        best = np.argmin(error, axis=0)
        out.level[day] = level[best, columns]
        out.weekday[day] = _mean_one(by_weekday.of(level))[:, best, columns]
        if has_parts:
            out.part[day] = by_part.of(level)[:, best, columns]
        out.rate[day] = np.where(seen < START, _START_RATE, np.maximum(RATES[best], 1 / np.maximum(seen, 1)))
        with np.errstate(invalid="ignore", divide="ignore"):
            out.deviation[day] = np.sqrt(square[best, columns] / weight[best, columns])
    return out


def _unknown(days: int, series: int) -> Beliefs:
    level, rate, deviation, expected = (np.full((days, series), np.nan) for _ in range(4))
    weekday, part = np.ones((days, WEEK, series)), np.ones((days, PARTS, series))
    return Beliefs(level, np.zeros((days, series)), weekday, part, rate, deviation, expected)


def last_week(y: Floats, weekdays: Indices, like: Beliefs) -> Beliefs:
    """Seasonal-naive in the same terms: each day as the last one of its weekday. Deviations are those of `like`."""
    days, series = y.shape
    latest = np.full((WEEK, series), np.nan)
    level, shares, expected = (
        np.full(shape, np.nan) for shape in ((days, series), (days, WEEK, series), (days, series))
    )
    for day in range(days):
        expected[day] = latest[weekdays[day]]
        latest[weekdays[day]] = np.where(np.isnan(y[day]), latest[weekdays[day]], y[day])
        level[day] = _mean_of_weeks(latest, np.zeros(series))
        filled = np.where(np.isnan(latest), level[day], latest)
        shares[day] = np.where(level[day] > 0, filled / np.maximum(level[day], _TINY), 1.0)
    none, rate = np.zeros((days, series)), np.full((days, series), _START_RATE)
    return Beliefs(level, none, shares, np.ones((days, PARTS, series)), rate, like.deviation, expected)


def trended(y: Floats, weekdays: Indices, like: Beliefs) -> Beliefs:
    """The level of `like` with the growth of the last weeks: the slope of a line through the logarithms of their levels, drawn towards
    none by as much as it may be chance (positive-part James and Stein)."""
    days, series = y.shape
    given = np.where(np.isnan(y), 0.0, like.weekday[np.arange(days), weekdays])
    spent, shares = (np.vstack([np.zeros((1, series)), np.cumsum(part, axis=0)]) for part in (np.nan_to_num(y), given))
    growth = np.zeros((days, series))
    for day in range(_LEAST_WEEKS * WEEK - 1, days):
        ends = day + 1 - WEEK * np.arange(min(_WEEKS, (day + 1) // WEEK))[::-1]
        growth[day] = _growth(spent[ends] - spent[ends - WEEK], shares[ends] - shares[ends - WEEK]) / WEEK
    growth = np.clip(growth, -_STEEPEST, _STEEPEST)
    lag = _LAG * np.minimum((1 - like.rate) / like.rate, _LONGEST_LAG)
    level = like.level * np.exp(growth * lag)
    return replace(like, level=level, trend=level * growth)


def _growth(spent: Floats, shares: Floats) -> Floats:
    """Per week, of (weeks, series); none where a week has no spend, or no day that is loaded."""
    is_known = ((spent > 0) & (shares > 0)).all(axis=0)
    level = np.log(np.where(is_known, spent, 1.0) / np.where(is_known, shares, 1.0))
    week = (np.arange(len(level)) - (len(level) - 1) / 2)[:, None]
    square = float((week**2).sum())
    slope = (week * level).sum(axis=0) / square
    rest = level - level.mean(axis=0) - slope * week
    chance = (rest**2).sum(axis=0) / (len(level) - 2) / square
    return np.asarray(np.where(slope != 0, slope * np.maximum(0.0, 1 - chance / np.maximum(slope**2, _TINY)), 0.0))


def _mean_one(shares: Floats) -> Floats:
    return np.asarray(shares / shares.mean(axis=0))


def _mean_of_weeks(y: Floats, seen: Floats) -> Floats:
    """The mean of the last two whole weeks, or of one where there are no two: no weekday counts more than another."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        one, two = np.nanmean(y[-WEEK:], axis=0), np.nanmean(y[-2 * WEEK :], axis=0)
    return np.nan_to_num(np.where(seen >= 2 * WEEK, two, one))
