"""How often the drift detection is wrong and what it can see: the figures of `docs/benchmarks.md`, simulated anew.

Run `python -m tests.unit.benchmarks.calibration`: some minutes, the same lines every time. The tests next to this file hold
smaller versions of the same simulations to their bounds.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import numpy as np
import polars as pl

from pipelines import uncertainty
from pipelines.behaviour import Alarms, build_request_profile, detect_request_drift
from pipelines.benchmarks import detect_drift
from pipelines.benchmarks.compare import find_shifts, run_tests
from pipelines.benchmarks.cusum import BOUND, SLACK, average_run_length
from pipelines.benchmarks.significance import MAX_Q, decide, q_values
from pipelines.config.sources import Leaderboard
from pipelines.uncertainty import Floats
from tests.unit.behaviour.test_drift import DAY, requests
from tests.unit.benchmarks.series import (
    START,
    Export,
    history,
    independent,
    observation,
    of_outcomes,
    rolling,
    sharing_votes,
)
from tests.unit.benchmarks.test_uncertainty import matched_rows


def null_days(days: int = 1000, models: int = 100) -> tuple[float, float]:
    """Shares of days with an unconfirmed alarm and with a confirmed one, of exports that are drawn anew around one truth.

    Through the whole walk: gate, common shift, tests, multiplicity and second look.
    """
    generator = np.random.default_rng(20260514)
    stderr = generator.uniform(2, 12, models)
    truth = generator.normal(1300, 60, models)
    verdicts = decide(history(independent(generator, truth, stderr, days + 1)))
    alarms = sum(bool(v.changed["is_drift"].any()) for v in verdicts if v.changed.height)
    return alarms / days, sum(v.confirmed.height > 0 for v in verdicts) / days


def false_discoveries(days: int = 500, models: int = 200, moved: int = 10) -> tuple[float, float]:
    """False share of alarms, and share found, where `moved` of the models move by 4 standard errors of a difference."""
    generator = np.random.default_rng(3)
    stderr = generator.uniform(2, 12, models)
    seen = observation(np.zeros(models), stderr, START)
    wrong, found = [], []
    for _ in range(days):
        before, after = generator.normal(1300, stderr), generator.normal(1300, stderr)
        after[:moved] += 4 * stderr[:moved] * np.sqrt(2)
        matched = matched_rows(before, after, stderr)
        shifts, rebased = find_shifts(matched, seen)
        p_values = run_tests(matched, shifts, rebased)["p_value"].to_numpy()
        alarm = q_values(p_values, p_values) <= MAX_Q
        wrong.append(alarm[moved:].sum() / max(alarm.sum(), 1))
        found.append(alarm[:moved].mean())
    return float(np.mean(wrong)), float(np.mean(found))


def paired_power(points: float = 5, items: int = 500, flips: float = 0.15, runs: int = 2000) -> tuple[float, float]:
    """Share of runs in which a true fall near 80 % is seen at 5 %: from two scores, and from the same items.

    `flips` is the share of items that turn out otherwise in the second run.
    """
    generator = np.random.default_rng(8)
    lost, gained = flips / 2 + points / 200, flips / 2 - points / 200
    unpaired = paired = 0
    for _ in range(runs):
        before = generator.random(items) < 0.8
        change = generator.random(items)
        after = np.where(before, change > lost / 0.8, change < gained / 0.2)
        scores = before.mean(), after.mean()
        error = np.sqrt(sum(s * (1 - s) / items for s in scores))
        unpaired += abs(scores[1] - scores[0]) > uncertainty.Z95 * error
        paired += uncertainty.paired_test(after.astype(float) - before, np.arange(items))[2] <= 0.05
    return unpaired / runs, paired / runs


def confirmed_power(*, is_drawn_anew: bool, runs: int = 200, items: int = 500) -> float:
    """Share of true falls of 5 points that are seen on one day and confirmed on the next, item by item.

    The third run is the second but for five items each way, or drawn like it.
    """
    generator = np.random.default_rng(3)
    board, confirmed = Leaderboard(board="b", format="mapping"), 0
    for _ in range(runs):
        first = (generator.random(items) < 0.65).astype(float)
        second = _fallen(first, generator)
        third = _fallen(first, generator)
        if not is_drawn_anew:
            third = second.copy()
            third[generator.choice(np.flatnonzero(second == 1), 5, replace=False)] = 0
            third[generator.choice(np.flatnonzero(second == 0), 5, replace=False)] = 1
        found = detect_drift(board, of_outcomes([first, second, third]))
        confirmed += found.filter((pl.col("drift_class") == "drift") & (pl.col("severity") == "warn")).height
    return confirmed / runs


def _fallen(first: Floats, generator: np.random.Generator) -> Floats:
    chance, share = generator.random(first.size), first.mean()
    return np.where(first == 1, chance > 0.10 / share, chance < 0.05 / (1 - share)).astype(float)


def request_null_days(runs: int = 25, days: int = 40) -> tuple[float, float]:
    """Shares of days on which a new alarm opens, and on which one is open, in logs in which nothing changes: two metrics."""
    generator, opened, is_open, judged = np.random.default_rng(12), 0, 0, 0
    for _ in range(runs):
        frames = []
        for k in range(days):
            outputs = generator.lognormal(6, 0.6, 60).astype(int)
            latency = (outputs * generator.uniform(8, 12, 60)).tolist()
            frames.append(requests(DAY + timedelta(days=k), outputs.tolist(), latency_ms=latency))
        profile, alarms = build_request_profile(pl.concat(frames)), Alarms.none()
        for day in (DAY + timedelta(days=k) for k in range(days)):
            rows = detect_request_drift(profile, day, alarms)
            alarms = alarms.after(rows, day)
            judged += rows.height > 0
            opened += rows.filter(pl.col("age_days") == 0).height > 0
            is_open += bool(rows["is_alarm"].any())
    return opened / judged, is_open / judged


def one_odd_day(mean: float, runs: int = 100) -> float:
    """Share of falls from 400 to `mean` tokens that are seen with one outage among the 14 days of the reference."""
    found = 0
    for seed in range(runs):
        generator = np.random.default_rng(seed)
        levels = [8.0 if k == 6 else 400.0 for k in range(14)] + [mean]
        frames = [
            requests(DAY + timedelta(days=k), generator.lognormal(np.log(level), 0.5, 60).astype(int).tolist())
            for k, level in enumerate(levels)
        ]
        rows = detect_request_drift(build_request_profile(pl.concat(frames)), DAY + timedelta(days=14))
        found += bool(rows.filter(pl.col("metric") == "output_tokens")["is_alarm"].any())
    return found / runs


def cusum_run_length(series: int = 4000, updates: int = 400) -> float:
    """Updates per false alarm of a single series at the bound."""
    generator = np.random.default_rng(5)
    up, down, alarms = np.zeros(series), np.zeros(series), 0
    for _ in range(updates):
        z = generator.standard_normal(series)
        up, down = np.maximum(0, up + z - SLACK), np.maximum(0, down - z - SLACK)
        alarm = np.maximum(up, down) > BOUND
        alarms += int(alarm.sum())
        up[alarm], down[alarm] = 0, 0
    return series * updates / alarms


def slow_false_alarms(exports: int = 150, models: int = 60) -> Iterator[tuple[str, float]]:
    """Share of exports with a slow alarm where nothing moves, by what exports share with the one before."""
    for name in ("nothing", "a pool of votes that grows", "half of their votes"):
        rates = []
        for seed in range(6):
            generator = np.random.default_rng(seed)
            truth, stderr = generator.normal(1300, 50, models), generator.uniform(3, 8, models)
            made: list[Export] = {
                "nothing": lambda g, t, s: independent(g, t, s, exports),
                "a pool of votes that grows": lambda g, t, s: sharing_votes(g, t, s, exports, 0.2),
                "half of their votes": lambda g, t, s: rolling(g, t, s, exports, 0.5),
            }[name](generator, truth, stderr)
            rates.append(sum(v.slow.height > 0 for v in decide(history(made))) / exports)
        yield name, float(np.mean(rates))


def slow_delay(step: float, runs: int = 12, models: int = 60) -> float:
    """Median number of exports until a model that moves by `step` standard errors per export is reported."""
    delays = []
    for seed in range(runs):
        generator = np.random.default_rng(seed)
        truth, stderr = np.linspace(1400, 1000, models), np.full(models, 5.0)
        made = []
        for n in range(60):
            now = truth.copy()
            now[0] -= step * 5.0 * n
            made.append((generator.normal(now, stderr), stderr))
        stated = (n for n, v in enumerate(decide(history(made, "entry"))) if _alarms(v.slow) or _alarms(v.changed))
        delays.append(next(stated, 60))
    return float(np.median(delays))


def _alarms(rows: object) -> bool:
    assert isinstance(rows, pl.DataFrame)
    if rows.is_empty():
        return False
    stated = rows.filter("is_drift") if "is_drift" in rows.columns else rows
    return "m000" in stated["source_row_key"].to_list()


def power(effect: float, stderr: float, z_critical: float = uncertainty.Z95) -> float:
    """Probability that a true change of size `effect` passes the two-sided bound `z_critical`."""
    from scipy.special import ndtr

    shift = effect / stderr
    return float(ndtr(shift - z_critical) + ndtr(-shift - z_critical))


def main() -> None:
    """Print the figures, a line each."""
    unconfirmed, confirmed = null_days()
    print(f"1,000 null days of 100 ratings: alarm on {unconfirmed:.1%} of days, confirmed on {confirmed:.1%}")
    wrong, found = false_discoveries()
    print(f"10 of 200 models moved by 4 standard errors: {wrong:.1%} of alarms false, {found:.0%} of the moved found")
    stderr = 100 * np.sqrt(2 * 0.8 * 0.2 / 500)
    print(f"5 points on 500 items near 80 %: seen {power(5, stderr):.0%}, 80 % power from "
          f"{2.8016 * stderr:.1f} points")  # fmt: skip
    unpaired, paired = paired_power()
    print(
        f"the same with outcomes per item, 15 % of them turning by chance: {unpaired:.0%} unpaired, {paired:.0%} paired"
    )
    for anew in (False, True):
        rate = confirmed_power(is_drawn_anew=anew)
        print(
            f"seen and confirmed the next day, third run {'drawn anew' if anew else 'the second but for 5 each way'}: {rate:.0%}"
        )
    opened, is_open = request_null_days()
    print(f"a log in which nothing changes: an alarm opens on {opened:.1%} of days, one is open on {is_open:.1%}")
    for mean in (280, 320):
        print(
            f"one outage among 14 reference days: a fall from 400 to {mean} tokens is seen in {one_odd_day(mean):.0%}"
        )
    print(f"10 Elo at LMArena's median published interval (3.4 Elo): seen {power(10, 3.4):.0%}")
    print(
        f"CUSUM of one series: a false alarm in {cusum_run_length():.0f} updates ({average_run_length(BOUND):.0f} by formula)"
    )
    for name, rate in slow_false_alarms():
        print(f"slow drift, 60 series, exports share {name}: {rate:.1%} of exports with a false alarm")
    for step in (0.25, 0.5, 1.0):
        print(f"a move of {step} standard errors per export is found after {slow_delay(step):.0f} exports (median)")


if __name__ == "__main__":
    main()
