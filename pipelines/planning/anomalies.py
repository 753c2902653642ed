"""Days that were dearer than their own past lets expect, as events that stay open until the spend is back.

A day opens an event where it is far above what the days before expect of it (`smoothing.py`), by a robust deviation, by a share and by
money. One accident is above in many series: the team's, the model's, the total's. The smallest series that holds most of it stands for it;
another one is an event of its own only where most of its excess lies elsewhere. What drove an event is `drivers.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np

from pipelines.planning.forecast import DEFAULT, calendar
from pipelines.planning.series import Series
from pipelines.planning.smoothing import START, Floats
from pipelines.uncertainty import MAD_TO_SD

Key = tuple[str, str]
SharedExcess = Callable[[date, Key, Key], float]
"""The part of the first series' excess on a day that lies in the second one too."""

LEAST_SCORE = 4.0
LEAST_SHARE, LEAST_USD, LEAST_OF_TOTAL = 0.3, 1.0, 0.02
"""What an excess must be at least: of what was expected, in USD, and of what the whole day was expected to cost."""

FALSE_ALARMS_PER_100_DAYS = 0.5
"""Events on a hundred days on which nothing is wrong, all series together, at most: measured in tests/unit/planning/test_anomalies.py."""

_NOISE_DAYS = 42
_LEAST_NOISE = 0.05
_ELSEWHERE, _MOST = 0.5, 0.5
_SETTLED_DAYS = 28
_QUIET_DAYS = 2


@dataclass
class Event:
    """One event as it went on: spent and expected on its days, day by day."""

    key: Key
    opened_on: date
    score: float
    opening: float
    """Logarithm of spent over expected on the first day."""
    level: Floats
    """What was expected of the seven weekdays before it began."""
    actual: list[float] = field(default_factory=list)
    expected: list[float] = field(default_factory=list)
    last_on: date = date.min
    ended_on: date | None = None
    ended_because: str | None = None
    quiet: int = 0

    @property
    def is_open(self) -> bool:
        """Whether the spend is not back yet."""
        return self.ended_on is None

    def take(self, day: date, usd: float) -> None:
        """One more day: below half of what opened it, two days in a row, it is over."""
        expected = float(self.level[day.weekday()])
        self.quiet = self.quiet + 1 if _ratio(usd, expected) < self.opening / 2 else 0
        self.actual.append(usd)
        self.expected.append(expected)
        self.last_on = day
        if self.quiet >= _QUIET_DAYS:
            self._end(day - timedelta(days=self.quiet - 1), "recovered", self.quiet)
        elif (day - self.opened_on).days >= _SETTLED_DAYS:
            self._end(day, "settled", 1)

    def _end(self, day: date, because: str, days: int) -> None:
        self.ended_on, self.ended_because = day, because
        self.actual, self.expected = self.actual[:-days], self.expected[:-days]


def events(series: Series, start: date, known: Sequence[tuple[Key, date]], shared: SharedExcess) -> list[Event]:
    """Every event: those of `known` (series and first day, from before `start`), and what the days from `start` on show."""
    first, y = series.history.first, series.history.y
    place = {key: column for column, key in enumerate(series.keys)}
    total = place.get(("total", ""))
    opened: list[Event] = []
    begun = {(key, day) for key, day in known if key in place and day < start}
    for at in range(START, len(y)):
        day = first + timedelta(days=at)
        if np.isnan(y[at]).all():
            continue
        for event in opened:
            if event.is_open:
                event.take(day, float(y[at, place[event.key]]))
        opened += [_opened(series, key, at, place[key]) for key, since in begun if since == day]
        if day >= start and total is not None:
            opened += _new(series, at, total, [event for event in opened if event.is_open], shared)
    return opened


def _new(series: Series, at: int, total: int, still_open: Sequence[Event], shared: SharedExcess) -> list[Event]:
    """The events that a day opens: the one that holds most of the excess first, then whatever lies elsewhere."""
    y, expected = series.history.y, series.history.beliefs(DEFAULT).expected
    excess = y[at] - expected[at]
    least = max(LEAST_USD, LEAST_OF_TOTAL * expected[at, total])
    with np.errstate(invalid="ignore"):
        far = (excess >= least) & (excess >= LEAST_SHARE * expected[at]) & (expected[at] > 0)
    far &= (~np.isnan(y[:at])).sum(axis=0) >= START
    candidates = np.flatnonzero(far)
    if not len(candidates):
        return []
    score = _scores(y, expected, at)
    day = series.history.first + timedelta(days=at)
    found: list[Event] = []
    candidates = candidates[score[candidates] >= LEAST_SCORE]
    most = excess[candidates].max(initial=0.0)
    # Of those that hold half of the excess the smallest series says best where it is.
    for column in sorted(candidates, key=lambda one: (excess[one] < _MOST * most, expected[at, one], series.keys[one])):
        key = series.keys[column]
        others = [event.key for event in (*still_open, *found)]
        if key in others:
            continue
        if all(shared(day, key, other) < _ELSEWHERE for other in others):
            found.append(_opened(series, key, at, int(column), float(score[column])))
    return found


def _opened(series: Series, key: Key, at: int, column: int, score: float | None = None) -> Event:
    """An event that begins on a day, held against what was believed the day before."""
    y, beliefs = series.history.y, series.history.beliefs(DEFAULT)
    day = series.history.first + timedelta(days=at)
    level = beliefs.level[at - 1, column] * beliefs.weekday[at - 1, :, column]
    usd, expected = float(y[at, column]), float(level[calendar([day])[0][0]])
    if score is None:
        score = float(_scores(y, beliefs.expected, at)[column])
    return Event(key, day, score, _ratio(usd, expected), level, [usd], [expected], day)


def _scores(y: Floats, expected: Floats, at: int) -> Floats:
    """How far a day is above what was expected, in robust deviations of the days before, on the scale of ratios."""
    since = max(0, at - _NOISE_DAYS)
    ratios = _ratios(y[since : at + 1], expected[since : at + 1])
    before = ratios[:-1]
    known = ~np.isnan(before).all(axis=0)
    noise = np.full(y.shape[1], np.inf)
    middle = np.nanmedian(before[:, known], axis=0)
    noise[known] = MAD_TO_SD * np.nanmedian(np.abs(before[:, known] - middle), axis=0)
    score = ratios[-1] / np.maximum(noise, _LEAST_NOISE)
    return np.asarray(np.nan_to_num(score, nan=0.0))


def _ratios(y: Floats, expected: Floats) -> Floats:
    """Logarithms of spent over expected; a hundredth of what is expected keeps a day without spend finite."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.log((y + 0.01 * expected) / (1.01 * expected))
    return np.asarray(np.where(np.isfinite(ratio), ratio, np.nan))


def _ratio(usd: float, expected: float) -> float:
    return math.log((usd + 0.01 * expected) / (1.01 * expected)) if expected > 0 and usd >= 0 else 0.0
