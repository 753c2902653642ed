"""Comparisons item by item: the arithmetic by hand, and what they show that two scores can't."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import stats

from pipelines import uncertainty
from pipelines.benchmarks import BoardSnapshot, build_scores, detect_drift
from pipelines.config.sources import Leaderboard
from tests.unit.benchmarks.boards import export

OWN = Leaderboard.model_validate(
    {
        "board": "support_cases",
        "format": "mapping",
        "options": {
            "model_field": "model",
            "item_field": "case",
            "cluster_field": "customer",
            "harness_field": "runner",
            "scores": [{"field": "solved", "benchmark": "support", "version": "2026Q1", "scale": "share"}],
        },
    }
)


def run(root: Path, day: str, outcomes: dict[str, list[int]], customers: int = 0) -> BoardSnapshot:
    """An own evaluation: one record per model and case; cases of one customer hang together."""
    records = [
        {"model": model, "case": f"c{n:03d}", "solved": solved, "runner": "harness 1.2", "customer": f"k{n % customers}" if customers else None}
        for model, solved_list in outcomes.items()
        for n, solved in enumerate(solved_list)
    ]  # fmt: skip
    lines = "\n".join(json.dumps({k: v for k, v in record.items() if v is not None}) for record in records)
    return export(root, OWN, day, lines.encode(), ".jsonl")


def test_paired_test_by_hand() -> None:
    # 20 items, 9 gained, 1 lost: the binomial tail 2 (1 + 10) / 2^10, the error sqrt(10/400 - .4^2/20) sqrt(20/19).
    difference = np.array([1] * 9 + [-1] + [0] * 10)
    delta, stderr, p_value = uncertainty.paired_test(difference, np.arange(20))
    assert delta == pytest.approx(0.4)
    assert stderr == pytest.approx(math.sqrt(10 / 400 - 0.16 / 20) * math.sqrt(20 / 19))
    assert p_value == pytest.approx(22 / 1024)


@pytest.mark.parametrize(("gained", "lost", "n"), [(0, 0, 30), (5, 0, 50), (12, 7, 225), (60, 31, 500)])
def test_paired_error_and_p_are_the_published_ones(gained: int, lost: int, n: int) -> None:
    difference = np.array([1] * gained + [-1] * lost + [0] * (n - gained - lost))
    delta, stderr, p_value = uncertainty.paired_test(difference, np.arange(n))
    # Miller 2024: sqrt((b + c)/n^2 - (p1 - p2)^2/n), of which n/(n-1) makes the unbiased one; never below one item.
    published = math.sqrt(((gained + lost) / n**2 - delta**2 / n) * n / (n - 1))
    assert stderr == pytest.approx(max(published, 1 / n))
    assert p_value == pytest.approx(stats.binomtest(gained, gained + lost).pvalue if gained + lost else 1.0)


def test_trials_and_clusters_are_tested_by_t_of_the_clustered_error() -> None:
    difference = np.array([0.25, 0.0, -0.5, 0.75, 0.5, 0.25])
    expected = stats.ttest_1samp(difference, 0.0)
    _, stderr, p_value = uncertainty.paired_test(difference, np.arange(6))
    assert stderr == pytest.approx(max(difference.std(ddof=1) / math.sqrt(6), 1 / 6))
    wide = np.tile(difference, 20)
    assert uncertainty.paired_test(wide, np.arange(120))[2] == pytest.approx(stats.ttest_1samp(wide, 0.0).pvalue)
    assert expected.pvalue <= p_value  # six items: the floor of one item's worth


def test_clustered_stderr_by_hand() -> None:
    # Deviations from .5: clusters sum to +1, -1, 0; sqrt(3/2 * (1 + 1 + 0)) / 6 = sqrt(3) / 6.
    values, clusters = [1, 1, 0, 0, 1, 0], ["a", "a", "b", "b", "c", "c"]
    assert uncertainty.clustered_stderr(values, clusters) == (pytest.approx(math.sqrt(3) / 6), 3)
    alone, groups = uncertainty.clustered_stderr(values, range(6))
    assert (alone, groups) == (pytest.approx(np.std(values, ddof=1) / math.sqrt(6)), 6)
    assert math.isnan(uncertainty.clustered_stderr(values, ["a"] * 6)[0])


def test_clustered_intervals_hold_the_truth_where_plain_ones_do_not() -> None:
    """Cases of one customer are solved or not together: 40 customers of 10 cases are little more than 40 cases."""
    generator = np.random.default_rng(3)
    held = {"clustered": 0, "plain": 0}
    clusters = np.repeat(np.arange(40), 10)
    for _ in range(400):
        shares = generator.beta(1, 1, 40)
        solved = (generator.random(400) < np.repeat(shares, 10)).astype(float)
        for name, groups in (("clustered", clusters), ("plain", np.arange(400))):
            held[name] += abs(solved.mean() - 0.5) <= 1.96 * uncertainty.clustered_stderr(solved, groups)[0]
    assert held["clustered"] / 400 > 0.91
    assert held["plain"] / 400 < 0.85


def test_the_score_of_clustered_items_has_the_clustered_error_and_its_harness(tmp_path: Path) -> None:
    solved = [1] * 30 + [0] * 10
    plain = run(tmp_path, "2026-02-01", {"m": solved}).observations[0].rows.row(0, named=True)
    assert (plain["score"], plain["n_items"], plain["n_success"], plain["ci_method"]) == (75.0, 40, 30, "wilson")
    assert plain["harness"] == "harness 1.2"
    grouped = (
        run(tmp_path / "grouped", "2026-02-01", {"m": solved}, customers=4).observations[0].rows.row(0, named=True)
    )
    expected, _ = uncertainty.clustered_stderr(solved, [n % 4 for n in range(40)])
    assert (grouped["score"], grouped["n_success"]) == (75.0, None)
    assert grouped["stderr"] == pytest.approx(100 * expected)


def drift_of(snapshots: list[BoardSnapshot], board: Leaderboard = OWN) -> list[dict[str, Any]]:
    return detect_drift(board, snapshots).filter(pl.col("drift_class") == "drift").to_dicts()


def test_the_same_items_show_a_fall_that_two_scores_hide(tmp_path: Path) -> None:
    """150 of 200 fall to 138: unpaired 6 points with 8.6 of noise. Item by item 12 are lost and none is gained."""
    before, after = [1] * 150 + [0] * 50, [1] * 138 + [0] * 62
    history = [run(tmp_path, "2026-02-01", {"m": before}), run(tmp_path, "2026-02-08", {"m": after})]
    (event,) = drift_of(history)
    assert event["p_value"] == pytest.approx(stats.binomtest(0, 12).pvalue)
    assert event["delta_adjusted"] == pytest.approx(-6.0)
    assert "on the 200 items that both runs share (0 better, 12 worse)" in event["explanation"]
    assert event["min_detectable"] < 4
    evidence = json.loads(event["evidence"])["versions"][0]
    assert (evidence["paired_items"], evidence["items_gained"], evidence["items_lost"]) == (200, 0, 12)


def test_items_that_go_both_ways_are_no_drift(tmp_path: Path) -> None:
    """The same fall of 6 points with 40 items lost and 28 gained is noise."""
    before = [1] * 150 + [0] * 50
    after = [0] * 40 + [1] * 110 + [1] * 28 + [0] * 22
    history = [run(tmp_path, "2026-02-01", {"m": before}), run(tmp_path, "2026-02-08", {"m": after})]
    assert drift_of(history) == []
    stated = detect_drift(OWN, history).filter(pl.col("drift_class") == "revised")["explanation"][0]
    assert "That is within noise" in stated


def test_new_items_that_are_harder_are_no_drift_of_the_model(tmp_path: Path) -> None:
    """A window of problems that moves on lowers every score; on the problems that both have, nothing changed."""
    board = Leaderboard.model_validate({"board": "livecodebench", "format": "livecodebench"})

    def problems(n: int, solved: int) -> dict[str, Any]:
        return {
            "performances": [
                {
                    "question_id": f"q{k}",
                    "model": "m",
                    "date": 1_700_000_000_000,
                    "pass@1": 100.0 if k < solved else 0.0,
                }
                for k in range(n)
            ]
        }

    history = [
        export(tmp_path, board, "2026-02-01", problems(100, 90)),
        export(tmp_path, board, "2026-03-01", problems(200, 90)),
    ]
    assert drift_of(history, board) == []
    stated = detect_drift(board, history).filter(pl.col("drift_class") == "revised")["explanation"][0]
    assert "On the 100 items that both runs share nothing changed: the runs differ in their other items." in stated


def test_a_run_that_is_not_repeated_keeps_its_items_for_the_next_comparison(tmp_path: Path) -> None:
    before, after = [1] * 150 + [0] * 50, [1] * 138 + [0] * 62
    other = [1, 0] * 100
    history = [
        run(tmp_path, "2026-02-01", {"m": before, "n": other}),
        run(tmp_path, "2026-02-08", {"m": before, "n": other}),
        run(tmp_path, "2026-02-15", {"m": after, "n": other}),
    ]
    assert [event["raw_model"] for event in drift_of(history)] == ["m"]
    assert build_scores(OWN, history, None).items.group_by("score_id").len()["len"].to_list() == [200] * 3
