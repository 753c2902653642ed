"""Companies of four teams, as the search for anomalies sees them: their series, and how much of an excess two of them share."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from pipelines.planning.anomalies import Event, Key, events
from pipelines.planning.forecast import History
from pipelines.planning.series import Series
from pipelines.planning.smoothing import Floats
from pipelines.warehouse.tables.mart_planning import SPEND_SERIES
from tests.unit.planning.traffic import MONDAY

TEAMS = ("a", "b", "c", "d")
KEYS: list[Key] = [("team", team) for team in TEAMS] + [("total", "")]
JUDGED_FROM = 42
"""The first day on which an event may open."""


def found(teams: Floats, start: int = JUDGED_FROM, known: tuple[tuple[Key, date], ...] = ()) -> list[Event]:
    """The events of a company from a day on; `teams` is the spend of (days, teams)."""
    return events(_series(teams), MONDAY + timedelta(days=start), known, _Shared(teams))


def _series(teams: Floats) -> Series:
    """The series of four teams, and their total."""
    y = np.hstack([teams, teams.sum(axis=1, keepdims=True)])
    days = frozenset(MONDAY + timedelta(days=n) for n in range(len(y)))
    return Series(KEYS, History(MONDAY, y), days, SPEND_SERIES.empty())


class _Shared:
    """The overlap of series as charges would show it: by what each team is above the same weekday of four weeks."""

    def __init__(self, teams: Floats) -> None:
        self._teams = teams

    def __call__(self, day: date, one: Key, other: Key) -> float:
        at, teams = (day - MONDAY).days, self._teams
        excess = teams[at] - teams[[at - 7, at - 14, at - 21, at - 28]].mean(axis=0)
        mine = [n for n in range(len(TEAMS)) if one[0] == "total" or one[1] == TEAMS[n]]
        both = [n for n in mine if other[0] == "total" or other[1] == TEAMS[n]]
        whole = excess[mine].sum()
        return float(excess[both].sum() / whole) if whole > 0 else 1.0
