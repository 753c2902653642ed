"""Shadow estimates held against what is known of all items: 500 issues and 14 models with cost and outcome, and RouteLLM's judges.

The issues stand for all traffic; a shadow of them is drawn with replacement, so that an interval of 95 % should hold the value of
all of them 95 times in a hundred. `python -m tests.contracts.routing.test_shadow_truth` prints the table of `docs/shadow.md`.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

from pipelines.config.evidence import Evidence, Transfer
from pipelines.routing.draws import Group, Worlds, intervals
from pipelines.routing.own_scores import measured_quality
from pipelines.routing.session_parts import BUCKETS
from pipelines.shadow.estimates import Floats, corrected_mean, log_ratio, mean
from pipelines.shadow.measured import effects, ratios
from tests.contracts.routing.graded import outcomes

Bench = tuple[Floats, Floats, list[str]]


@pytest.fixture(scope="module")
def bench(shared_data: Path) -> Bench:
    """Cost and outcome, models x issues, and the issues' projects."""
    return read_bench(shared_data)


def read_bench(shared_data: Path) -> Bench:
    """The same, of a folder."""
    _, cost, solved, projects = outcomes(shared_data)
    return cost, solved, projects


def shadows(bench: Bench, size: int, seed: int) -> list[tuple[int, int, npt.NDArray[np.int64]]]:
    """Every ordered pair of models with issues of its own."""
    chance = np.random.default_rng(seed)
    pairs = itertools.permutations(range(len(bench[0])), 2)
    return [(cheap, strong, chance.integers(0, bench[0].shape[1], size)) for cheap, strong in pairs]


def covered(bench: Bench, size: int) -> float:
    """How often the 95 % interval of the cost ratio, of a shadow of `size` issues, holds that of all issues: six draws of every pair."""
    cost, _, _ = bench
    inside = []
    for seed in range(6):
        for cheap, strong, drawn in shadows(bench, size, seed):
            estimate = log_ratio(cost[cheap, drawn], cost[strong, drawn], np.arange(size))
            low, high = estimate.interval()
            inside.append(low <= np.log(cost[cheap].sum() / cost[strong].sum()) <= high)
    return float(np.mean(inside))


@pytest.mark.parametrize(("size", "least"), [(25, 0.92), (50, 0.93), (250, 0.93)])
def test_ratios_of_cost_cover_the_truth_near_nominally(bench: Bench, size: int, least: float) -> None:
    assert least <= covered(bench, size) <= 0.975


def test_two_halves_of_the_issues_agree_as_often_as_their_errors_say(bench: Bench) -> None:
    cost, _, _ = bench
    chance, inside = np.random.default_rng(5), []
    for cheap, strong in itertools.combinations(range(len(cost)), 2):
        order = chance.permutation(500)
        one, other = (
            log_ratio(cost[cheap, half], cost[strong, half], np.arange(250)) for half in (order[:250], order[250:])
        )
        inside.append(abs(one.value - other.value) <= 1.97 * np.hypot(one.error, other.error))
    assert 0.90 <= np.mean(inside) <= 0.99


def answered(bench: Bench, cheap: int, strong: int, drawn: npt.NDArray[np.int64]) -> pl.DataFrame:
    cost, solved, _ = bench
    parts = []
    for name, model in (("cheap", cheap), ("strong", strong)):
        size = len(drawn)
        parts.append(
            pl.DataFrame(
                {
                    "request_id": [f"{number}" for number in range(size)], "model_id": [name] * size,
                    "cluster": [f"{number}" for number in range(size)], "use_case": ["issues"] * size, "is_loop": [True] * size,
                    "is_recorded": [name == "strong"] * size, "input": np.round(cost[model, drawn] * 1e6).astype(int),
                    "output": [0] * size, "gold": solved[model, drawn], "judged": [[]] * size,
                },
                schema_overrides={"judged": pl.List(pl.Struct({"judge": pl.String(), "score": pl.Float64()}))},
            )
        )  # fmt: skip
    return pl.concat(parts)


@pytest.mark.parametrize("size", [30, 120])
@pytest.mark.slow
def test_a_projection_that_was_measured_covers_saving_and_quality_and_is_narrower(bench: Bench, size: int) -> None:
    """The upgrade as a projection makes it: the worlds of a log of the strong model alone, with the shadow's evidence. Issues are drawn once, and
    the others are judged."""
    cost, solved, _ = bench
    bare = Evidence(transfers=(Transfer(logit_sd=0.35, grade="C", source="-"),), draws=400)
    saved, kept, widths = [], [], []
    for cheap, strong in list(itertools.permutations(range(len(cost)), 2))[:: 2 if size > 100 else 1]:
        order = np.random.default_rng([size, cheap, strong]).permutation(cost.shape[1])
        drawn, rest = order[:size], order[size:]
        rows = answered(bench, cheap, strong, drawn)
        evidence = bare.with_measured(effects(ratios(rows)))
        # One line for the measured model; what it was held against has one of its own, whose error must cancel.
        base = {"measure": "loop", "model": "strong", "log_sd": 0.7, "grade": "C", "source": "-"}
        evidence = Evidence.model_validate(
            evidence.model_dump() | {"effects": [*evidence.model_dump()["effects"], base]}
        )
        requests = np.full((1, BUCKETS), len(rest) / BUCKETS)
        worlds = Worlds(evidence, [Group("strong", is_loop=True)], requests, {"issues": {"strong": len(rest)}})
        ratio, _ = worlds.ratios("cheap", Group("strong", is_loop=True))
        bounds = intervals(ratio)
        saved.append(bounds["low_95"] <= cost[cheap, rest].sum() / cost[strong, rest].sum() <= bounds["high_95"])
        quality = measured_quality(rows, ["cheap", "strong"])
        assert quality is not None
        one, other = (worlds.shares_solved(quality, name)[:, 0] for name in ("cheap", "strong"))
        bounds = intervals(one / other)
        kept.append(bounds["low_95"] <= solved[cheap, rest].mean() / solved[strong, rest].mean() <= bounds["high_95"])
        widths.append(bounds["high_95"] - bounds["low_95"])
    assert 0.90 <= np.mean(saved) <= 0.99
    assert 0.90 <= np.mean(kept) <= 0.99
    # A leaderboard's score with its distance to one's own tasks (logit 0.35 for each model) is 0.6 wide at best.
    assert size < 100 or np.median(widths) < 0.35


def test_a_judge_is_corrected_by_gold_and_covers_near_nominally(bench: Bench) -> None:
    """Another model's outcome, bent by the model judged, stands for a judge whose error differs by arm."""
    _, solved, _ = bench
    chance = np.random.default_rng(11)
    inside, naive, narrower = [], [], []
    for model in range(len(solved)):
        truth = solved[model].mean()
        for _ in range(30):
            drawn = chance.integers(0, 500, 400)
            gold = solved[model, drawn].copy()
            bias = 0.05 + 0.02 * model
            judged = np.where(chance.random(400) < 0.85, gold, 1 - gold)
            judged = np.where((judged == 0) & (chance.random(400) < bias), 1.0, judged)
            gold[80:] = np.nan
            estimate = corrected_mean(gold, judged, np.arange(400), 400)
            low, high = estimate.interval()
            inside.append(low <= truth <= high)
            naive.append(abs(judged.mean() - truth) <= 1.96 * judged.std() / 20)
            narrower.append(estimate.error / mean(gold[:80], np.arange(80), 80).error)
    assert 0.92 <= np.mean(inside) <= 0.975
    assert np.mean(naive) < 0.7
    assert np.mean(narrower) < 0.9


if __name__ == "__main__":
    whole = read_bench(Path(__file__).parents[4] / "shared" / "data")
    for sessions in (10, 25, 50, 100, 250):
        print(f"| {sessions} | {covered(whole, sessions):.1%} |", flush=True)
