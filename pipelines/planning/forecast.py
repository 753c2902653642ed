"""Where the sum of a daily series will end, with an interval, by whichever method was best on the days before.

Every method knows at each day only the days up to it (`smoothing.py`), so each past day is a back-test without hindsight. The interval is that
of smoothing (Hyndman et al. 2008, class 1: the error of one day moves all that follow), as wide as the back-test shows it to be; that of 95 % is
no narrower than the errors of the back-test themselves (split conformal): a share of a forecast of nothing would be nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import numpy as np

from pipelines.planning.smoothing import DAMPING, START, WEEK, Beliefs, Floats, Indices, last_week, smoothed, trended
from pipelines.warehouse.tables.mart_planning import METHODS

NAIVE, DEFAULT, TREND, MONTH = METHODS

LEAST_DAYS, LEAST_DAYS_OF_INTERVAL = 7, 14
"""Loaded days below which there is no forecast, and no interval."""

_ORIGINS = 90
"""Days of the back-test."""
_FIRST_ORIGIN = WEEK + 1
_LONGEST_BACKTEST = 60
_WIDEST = 20.0
"""Logarithm of the widest interval that is a number still."""
_TAIL = 0.4
"""Probabilities so far from one half are bounded by the errors of the back-test; an interval of 50 % holds as much without."""
_WILD = 1.0
"""Spread beyond which a deviation is added to a sum: as a share of it, it would be a thousand times the forecast, or nothing."""
_BETTER = 0.85
"""Share of the default's error that another method must stay below to be taken."""
_PARTS_TO_CHOOSE = 3
"""A method is chosen by a horizon that fits so often into the days known: tries of a longer one would be one and the same."""


@dataclass(frozen=True)
class History:
    """Daily series: `y` of (days, series), nan where a day is not loaded; the days follow each other."""

    first: date
    y: Floats

    @property
    def days(self) -> int:
        """How many days there are, loaded or not."""
        return len(self.y)

    def place(self, day: date) -> int:
        """The row of a day."""
        return (day - self.first).days

    @cached_property
    def seen(self) -> Floats:
        """Loaded days up to each day, per series."""
        return np.asarray(np.cumsum(~np.isnan(self.y), axis=0))

    @cached_property
    def _beliefs(self) -> dict[str, Beliefs]:
        return {}

    def beliefs(self, method: str) -> Beliefs:
        """What a method believes at the end of each day."""
        if method not in self._beliefs:
            weekdays, parts = calendar([self.first + timedelta(days=n) for n in range(self.days)])
            if method == NAIVE:
                found = last_week(self.y, weekdays, self.beliefs(DEFAULT))
            elif method == TREND:
                found = trended(self.y, weekdays, self.beliefs(DEFAULT))
            else:
                found = smoothed(self.y, weekdays, parts, has_parts=method == MONTH)
            self._beliefs[method] = found
        return self._beliefs[method]

    @cached_property
    def running(self) -> Floats:
        """Sums of the days before each row, nan from a day on that is not loaded."""
        return np.vstack([np.zeros((1, self.y.shape[1])), np.cumsum(np.nan_to_num(self.y), axis=0)])

    @cached_property
    def gaps(self) -> Floats:
        """Days that are not loaded before each row."""
        return np.vstack([np.zeros((1, self.y.shape[1])), np.cumsum(np.isnan(self.y), axis=0)])


@dataclass(frozen=True)
class Foresight:
    """What is foreseen at the end of a day for the days after it: arrays of (days ahead + 1, series), running sums from 0 on.

    `spread` is the standard deviation of the logarithm of each sum, nan where there is no interval; `degrees` of freedom of it.
    `misses` are the errors of the back-test, in money, (origins, series) and nan where one is not known; `scale` is the error of each
    sum in errors of the back-test's horizon.
    """

    sums: Floats
    spread: Floats
    degrees: Floats
    misses: Floats
    scale: Floats
    method: list[str]
    error: Floats
    naive_error: Floats
    origins: Floats

    def quantile(self, probability: float) -> Floats:
        """The running sums that are not exceeded with a probability."""
        from scipy.special import stdtrit  # scipy.stats, which has the same, takes a second to import

        deviations = stdtrit(self.degrees, probability) * self.spread
        found = self.sums * np.exp(np.minimum(deviations, _WIDEST))
        found = np.where(self.spread > _WILD, np.maximum(self.sums * (1 + deviations), 0.0), found)
        if abs(probability - 0.5) < _TAIL:
            return np.asarray(found)
        bound = np.maximum(self.sums + _rank(self.misses, probability) * self.scale, 0.0)
        return np.asarray(np.maximum(found, bound) if probability > 0.5 else np.minimum(found, bound))


def calendar(days: Sequence[date]) -> tuple[Indices, Indices]:
    """Weekday of each day, and its part of the month: 0 for the first three days, 2 for the last three, else 1."""
    weekdays = [day.weekday() for day in days]
    parts = [0 if day.day <= 3 else 2 if (day + timedelta(days=3)).month != day.month else 1 for day in days]
    return np.array(weekdays, dtype=np.int64), np.array(parts, dtype=np.int64)


def foresee(history: History, day: date, days_ahead: int, factors: Floats | None = None) -> Foresight:
    """Running sums of the days after `day`. `factors` of (days ahead, series) are what price changes make of each day."""
    at, series = history.place(day), history.y.shape[1]
    error = {name: _backtest(history, name, at, days_ahead) for name in METHODS}
    to_choose = min(days_ahead, (at + 2 - _FIRST_ORIGIN) // _PARTS_TO_CHOOSE)
    tried_for = (
        error if to_choose == days_ahead else {name: _backtest(history, name, at, to_choose) for name in METHODS}
    )
    chosen = _chosen(tried_for, history.seen[at] >= START)
    sums, spread = np.zeros((days_ahead + 1, series)), np.zeros((days_ahead + 1, series))
    degrees, scale = np.ones(series), np.zeros((days_ahead + 1, series))
    misses = np.full((len(error[DEFAULT].miss), series), np.nan)
    for name in METHODS:
        mine = chosen == METHODS.index(name)
        if mine.any():
            beliefs, tried = history.beliefs(name), error[name]
            sums[1:, mine] = _path(history, beliefs, np.array([at]), days_ahead, factors)[0][:, mine]
            ratio, degrees[mine] = tried.ratio[mine], 2 + tried.rounds
            width = _deviation(beliefs, np.array([at]), max(days_ahead, tried.horizon))[0][:, mine]
            spread[1:, mine] = width[:days_ahead] * ratio
            misses[:, mine] = tried.miss[:, mine]
            scale[1:, mine] = _in_horizons(width, tried.horizon)[:days_ahead]
    with np.errstate(divide="ignore", invalid="ignore"):
        spread[1:] = np.where(sums[1:] > 0, spread[1:] / sums[1:], 0.0)
    spread[1:, history.seen[at] < LEAST_DAYS_OF_INTERVAL] = np.nan
    sums[1:, history.seen[at] < LEAST_DAYS] = np.nan
    best = np.choose(chosen, np.stack([error[name].share for name in METHODS]))
    return Foresight(
        sums,
        spread,
        degrees,
        misses,
        scale,
        [METHODS[index] for index in chosen],
        best,
        error[NAIVE].share,
        error[NAIVE].origins,
    )


@dataclass(frozen=True)
class _Backtest:
    """Errors of a method over a horizon of days on the days before: each in money (`miss`, by origin and series), all of them as a share
    of what was spent, and against the interval's own width."""

    horizon: int
    miss: Floats
    share: Floats
    ratio: Floats
    origins: Floats
    rounds: float


def _backtest(history: History, name: str, at: int, days_ahead: int) -> _Backtest:
    """From each of the last days whose horizon lies in the past. A horizon too long for that is tried as long as it can be."""
    horizon = max(1, min(days_ahead, _LONGEST_BACKTEST, (at + 1 - _FIRST_ORIGIN) // 2))
    origins = np.arange(max(_FIRST_ORIGIN, at - horizon + 1 - _ORIGINS), max(at - horizon + 1, 0))
    series = history.y.shape[1]
    if not len(origins):
        none = np.full((0, series), np.nan)
        return _Backtest(horizon, none, np.full(series, np.nan), np.ones(series), np.zeros(series), 0.0)
    beliefs, ends = history.beliefs(name), origins + horizon + 1
    actual = history.running[ends] - history.running[origins + 1]
    actual = np.where(history.gaps[ends] > history.gaps[origins + 1], np.nan, actual)
    miss = actual - _path(history, beliefs, origins, horizon, None)[:, -1]
    width = _deviation(beliefs, origins, horizon)[:, -1]
    counts = ~np.isnan(miss)
    rounds = len(origins) / horizon
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.nansum(np.abs(miss), axis=0) / np.nansum(np.where(counts, actual, 0), axis=0)
        square = np.where(counts & (width > 0), (miss / width) ** 2, np.nan)
        known = (~np.isnan(square)).sum(axis=0)
        mean = np.where(known > 0, np.nansum(square, axis=0) / np.maximum(known, 1), 1.0)
    ratio = np.sqrt((1 + rounds * np.minimum(mean, 1e6)) / (1 + rounds))
    known_share = np.where(counts.any(axis=0), share, np.nan)
    return _Backtest(horizon, miss, known_share, ratio, counts.sum(axis=0).astype(float), rounds)


def _rank(misses: Floats, probability: float) -> Floats:
    """The error of each series that one more like those before stays below with a probability: of n, that of rank (n + 1) p, the largest
    or smallest where the rank is beyond them. Zero where none is known."""
    known = (~np.isnan(misses)).sum(axis=0)
    ordered = np.sort(misses, axis=0)  # nan last
    upper = np.ceil((known + 1) * max(probability, 1 - probability)).astype(np.int64)
    place = np.minimum(upper, known) if probability > 0.5 else np.maximum(known + 1 - upper, 1)
    picked = ordered[np.maximum(place - 1, 0), np.arange(misses.shape[1])] if len(misses) else np.zeros(len(known))
    return np.asarray(np.where(known > 0, picked, 0.0))


def _in_horizons(width: Floats, horizon: int) -> Floats:
    """The error of each running sum in errors of the horizon; as a sum of independent days where no width is known."""
    steps = np.sqrt(np.arange(1, len(width) + 1) / horizon)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        shape = width / width[horizon - 1]
    return np.asarray(np.where(width[horizon - 1] > 0, shape, steps))


def _chosen(error: dict[str, _Backtest], is_old: Floats) -> Indices:
    """The method of each series: the default, unless another one did clearly better."""
    default = METHODS.index(DEFAULT)
    share = np.stack([error[name].share for name in METHODS])
    share = np.where(np.isfinite(share), share, np.inf)
    best = np.argmin(share, axis=0)
    is_better = share[best, np.arange(share.shape[1])] < _BETTER * share[default]
    return np.where(is_better & is_old, best, default)


def _path(history: History, beliefs: Beliefs, origins: Indices, days_ahead: int, factors: Floats | None) -> Floats:
    """Running sums of what is expected after each origin: (origins, days ahead, series)."""
    first, last = int(origins.min()), int(origins.max())
    weekdays, parts = calendar([history.first + timedelta(days=n) for n in range(first, last + days_ahead + 1)])
    total = np.zeros((len(origins), history.y.shape[1]))
    found = np.empty((len(origins), days_ahead, history.y.shape[1]))
    drift = 0.0
    for ahead in range(1, days_ahead + 1):
        drift += DAMPING**ahead
        place = origins - first + ahead
        level = np.maximum(beliefs.level[origins] + drift * beliefs.trend[origins], 0.0)
        value = level * beliefs.weekday[origins, weekdays[place]] * beliefs.part[origins, parts[place]]
        total = total + (value if factors is None else value * factors[ahead - 1])
        found[:, ahead - 1] = total
    return found


def _deviation(beliefs: Beliefs, origins: Indices, days_ahead: int) -> Floats:
    """Standard deviation of the running sums after each origin: (origins, days ahead, series)."""
    one = beliefs.deviation[origins]
    steps = np.arange(days_ahead)[None, :, None]
    return np.asarray(one[:, None] * np.sqrt(np.cumsum((1 + beliefs.rate[origins][:, None] * steps) ** 2, axis=1)))
