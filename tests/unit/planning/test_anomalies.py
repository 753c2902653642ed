"""Anomalies: an incident worked by hand, silence on quiet days, and how many of simulated incidents are found."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from pipelines.planning.anomalies import FALSE_ALARMS_PER_100_DAYS
from pipelines.planning.smoothing import Floats
from tests.unit.planning.companies import TEAMS, found
from tests.unit.planning.traffic import MONDAY, drawn

DAYS = 100


def quiet(seed: int, kind: str = "steady") -> Floats:
    return drawn(kind, DAYS, len(TEAMS), seed)


def test_three_dear_days_by_hand() -> None:
    """A hundred a day; team b costs 300 on three days: one event of team b, 600 more than expected, over on the fourth day. While it
    lasts it is open, and the total, which has the same 200 a day, is no event of its own."""
    teams = np.full((DAYS, 4), 100.0)
    teams[60:63, 1] = 300.0
    (event,) = found(teams)
    assert (event.key, event.opened_on) == (("team", "b"), MONDAY + timedelta(days=60))
    assert (sum(event.actual), sum(event.expected)) == pytest.approx((900, 300))
    assert (event.ended_on, event.ended_because) == (MONDAY + timedelta(days=63), "recovered")
    (still,) = found(teams[:62])
    assert (still.ended_on, len(still.actual), still.last_on) == (None, 2, MONDAY + timedelta(days=61))


def test_two_teams_at_once_are_two_events_and_a_new_level_settles() -> None:
    teams = np.full((DAYS, 4), 100.0)
    teams[60:63, 1] = 300.0
    teams[61:, 3] = 500.0
    assert [(event.key, event.ended_because) for event in found(teams)] == [
        (("team", "b"), "recovered"),
        (("team", "d"), "settled"),
    ]
    assert found(teams)[1].ended_on == MONDAY + timedelta(days=61 + 28)


def test_known_events_go_on_as_they_began() -> None:
    teams = quiet(3)
    teams[60:70, 1] *= 4
    whole = found(teams)
    (event,) = whole
    later = found(teams, 66, known=((event.key, event.opened_on),))
    assert [(one.key, one.opened_on, one.ended_on, sum(one.actual)) for one in later] == [
        (one.key, one.opened_on, one.ended_on, sum(one.actual)) for one in whole
    ]


def test_few_days_and_small_money_are_silent() -> None:
    teams = quiet(8)
    teams[20, 1] *= 9
    assert found(teams, 0) == [], "three weeks are no past yet"
    cents = np.full((DAYS, 4), 0.1)
    cents[60, 1] = 1.0
    assert found(cents) == []


@pytest.mark.parametrize("kind", ["steady", "wandering", "sticky", "growing"])
def test_quiet_days_are_silent(kind: str) -> None:
    """Twelve companies of four teams on 58 judged days each."""
    alarms = sum(len(found(quiet(seed, kind))) for seed in range(12))
    assert 100 * alarms / (12 * (DAYS - 42)) <= FALSE_ALARMS_PER_100_DAYS


@pytest.mark.slow
def test_incidents_are_found() -> None:
    """One team at two to six times its spend for one to five days: most are found on the first day, and hardly anything else."""
    rng = np.random.default_rng(5)
    hits = wrong = 0
    runs = 24
    for seed in range(runs):
        teams = quiet(seed)
        team, day, days = rng.integers(4), int(rng.integers(50, 90)), int(rng.integers(1, 6))
        teams[day : day + days, team] *= rng.uniform(2, 6)
        opened = [(event.key, event.opened_on) for event in found(teams)]
        right = (("team", TEAMS[team]), MONDAY + timedelta(days=day))
        hits += right in opened
        wrong += len([one for one in opened if one != right])
    assert hits / runs >= 0.85
    assert hits / (hits + wrong) >= 0.85
