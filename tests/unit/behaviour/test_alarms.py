"""An alarm of the log stays open until it recovers or someone knows of the change, and one odd day blinds nobody."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from pipelines.behaviour import Alarms, build_request_profile, detect_request_drift
from pipelines.config.watch import KnownChange
from tests.unit.behaviour.test_drift import DAY, requests

START = DAY - timedelta(days=60)


def log(
    generator: np.random.Generator, means: Sequence[float | None], n: int = 60, **values: Any
) -> list[pl.DataFrame]:
    """A day per mean output length; None is a day without calls."""
    return [
        requests(START + timedelta(days=k), generator.lognormal(np.log(mean), 0.5, n).astype(int).tolist(), **values)
        for k, mean in enumerate(means)
        if mean is not None
    ]


def judged(frames: Sequence[pl.DataFrame], days: int, changes: Sequence[KnownChange] = ()) -> pl.DataFrame:
    """The comparisons of output length, day after day."""
    profile, alarms, found = build_request_profile(pl.concat(frames)), Alarms.none(), []
    for day in (START + timedelta(days=k) for k in range(days)):
        rows = detect_request_drift(profile, day, alarms, changes)
        alarms = alarms.after(rows, day)
        found.append(rows)
    return pl.concat(found).filter(pl.col("metric") == "output_tokens")


def open_on(rows: pl.DataFrame) -> list[tuple[int, int | None]]:
    """Days (counted from the start) on which an alarm is open, with its age."""
    alarms = rows.filter("is_alarm").sort("event_date")
    return [((row["event_date"] - START).days, row["age_days"]) for row in alarms.iter_rows(named=True)]


@pytest.mark.slow
def test_an_alarm_stays_open_with_its_age_while_the_change_lasts() -> None:
    rows = judged(log(np.random.default_rng(1), [400] * 20 + [200] * 40), 60)
    assert open_on(rows) == [(day, day - 20) for day in range(20, 60)]  # longer than the 28 days of a reference
    last = rows.row(-1, named=True)
    assert f"Open since {START + timedelta(days=20)}" in last["explanation"]
    assert last["value_reference"] == pytest.approx(400, rel=0.1)


@pytest.mark.slow
def test_recovery_closes_it_and_days_without_calls_do_not() -> None:
    rows = judged(log(np.random.default_rng(2), [400] * 20 + [200] * 5 + [None] * 3 + [200] + [400] * 8), 37)
    assert [day for day, _ in open_on(rows) if 10 < day < 33] == list(range(20, 29))
    quiet = rows.filter(pl.col("event_date") == START + timedelta(days=26)).row(0, named=True)
    assert (quiet["n_day"], quiet["age_days"]) == (0, 6)
    closed = rows.filter(pl.col("event_date") == START + timedelta(days=29)).row(0, named=True)
    assert "Recovered" in closed["explanation"]
    assert closed["opened_on"] is None


@pytest.mark.parametrize("fields", [{}, {"model": "gpt-4"}, {"metric": "output_tokens", "use_case": "helpdesk"}])
@pytest.mark.slow
def test_a_known_change_closes_it_and_later_days_are_compared_with_days_since(fields: dict[str, str]) -> None:
    frames = log(np.random.default_rng(3), [400] * 20 + [200] * 20 + [90] * 3)
    known = KnownChange.model_validate({"from": START + timedelta(days=25), "note": "announced", **fields})
    rows = judged(frames, 43, [known])
    assert [day for day, _ in open_on(rows)] == [*range(20, 25), *range(40, 43)]


@pytest.mark.slow
def test_a_known_change_of_another_model_closes_nothing() -> None:
    frames = log(np.random.default_rng(3), [400] * 20 + [200] * 10)
    other = KnownChange.model_validate({"from": START + timedelta(days=25), "model": "another"})
    assert [day for day, _ in open_on(judged(frames, 30, [other]))] == list(range(20, 30))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("size", [60, 600])
@pytest.mark.slow
def test_one_odd_day_in_the_reference_blinds_nobody(seed: int, size: int) -> None:
    """An outage on one of 14 days, with as many calls as others or ten times as many; then the answers get shorter."""
    generator = np.random.default_rng(seed)
    frames = log(generator, [400] * 14)
    frames[6] = requests(START + timedelta(days=6), generator.lognormal(np.log(8), 0.5, size).astype(int).tolist())
    frames += [requests(START + timedelta(days=14), generator.lognormal(np.log(280), 0.5, 60).astype(int).tolist())]
    now = detect_request_drift(build_request_profile(pl.concat(frames)), START + timedelta(days=14))
    assert now.filter(pl.col("metric") == "output_tokens")["is_alarm"].to_list() == [True]
    assert 14 in [day for day, _ in open_on(judged(frames, 15))]


@pytest.mark.slow
def test_an_alarm_that_the_rhythm_of_the_days_explains_does_not_stay_open() -> None:
    """Shorter answers at weekends. An alarm of a weekday was open for ever once weekends were known to be noise."""
    generator = np.random.default_rng(101)
    means = [250 if (START + timedelta(days=k)).weekday() >= 5 else 400 for k in range(60)]
    days = open_on(judged(log(generator, means), 60))
    assert len(days) <= 12
    assert all(age is not None and age <= 2 for _, age in days)
    changed = [mean * (0.5 if k >= 42 else 1) for k, mean in enumerate(means)]
    assert [day for day, _ in open_on(judged(log(generator, changed), 60)) if day >= 42] == list(range(42, 60))


@pytest.mark.slow
def test_days_that_differ_by_rhythm_stay_in_the_reference() -> None:
    """Every seventh day answers are shorter: after a few weeks that is how the days are, and most raise nothing."""
    generator = np.random.default_rng(6)
    rows = judged(log(generator, [280 if k % 7 == 6 else 400 for k in range(84)]), 84)
    assert len([day for day, _ in open_on(rows) if day >= 28]) <= 3  # of eight


def test_another_version_of_a_prompt_is_no_change_of_the_model() -> None:
    generator = np.random.default_rng(7)
    old = log(generator, [400] * 14, tags='{"prompt_version": "v1"}')
    new = requests(START + timedelta(days=14), [90] * 60, tags='{"prompt_version": "v2", "task_type": "sort"}')
    frames = pl.concat([*old, new])
    day = START + timedelta(days=14)
    stated = detect_request_drift(build_request_profile(frames, ("prompt_version", "task_type")), day)
    assert "output_tokens" not in stated["metric"].to_list()  # there is nothing to compare it with
    unstated = detect_request_drift(build_request_profile(frames), day)
    assert unstated.filter(pl.col("metric") == "output_tokens")["is_alarm"].to_list() == [True]


def test_a_new_version_that_answers_stays_open_until_it_is_gone() -> None:
    names = ["a"] * 10 + ["b"] * 4 + ["a"] * 3
    frames = [requests(START + timedelta(days=k), [100] * 40, response_model=name) for k, name in enumerate(names)]
    profile, alarms, found = build_request_profile(pl.concat(frames)), Alarms.none(), []
    for day in (START + timedelta(days=k) for k in range(len(names))):
        rows = detect_request_drift(profile, day, alarms)
        alarms = alarms.after(rows, day)
        found.append(rows.filter(pl.col("metric") == "response_model"))
    stated = pl.concat(found)
    assert [day for day, _ in open_on(stated)] == [10, 11, 12, 13]
    assert "not seen any more" in stated.filter(pl.col("event_date") == date(*_at(14)))["explanation"][0]


def _at(day: int) -> tuple[int, int, int]:
    at = START + timedelta(days=day)
    return at.year, at.month, at.day
