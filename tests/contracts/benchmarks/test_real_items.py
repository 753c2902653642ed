"""Real outcomes, issue by issue: 14 models on the 500 issues of SWE-bench Verified, read with a declaration only."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pipelines.benchmarks import BoardScores, build_gap, build_scores, parse_board
from pipelines.config import load_config
from pipelines.config.model_facts import ModelFactsConfig
from pipelines.config.sources import Leaderboard
from pipelines.models import Registry, build_registry, model_frame
from tests.unit.benchmarks.boards import landed

ISSUES = Leaderboard.model_validate(
    {
        "board": "swebench_issues",
        "format": "mapping",
        "options": {
            "model_field": "model",
            "item_field": "instance_id",
            "harness_field": "agent_version",
            "date_field": "run_date",
            "weights_field": "os_model",
            "scores": [
                {"field": "resolved", "benchmark": "swebench_bash_only", "scale": "share", "cost_field": "cost_usd"}
            ],
        },
    }
)
AT = datetime(2025, 12, 10, tzinfo=UTC)


@pytest.fixture(scope="module")
def registry() -> Registry:
    return build_registry(load_config(None).models, [])


@pytest.fixture(scope="module")
def scores(shared_data: Path, registry: Registry) -> BoardScores:
    (path,) = (shared_data / "routing").glob("swebench_bash_only_per_instance*.csv.gz")
    snapshot = parse_board(landed(path, ISSUES, at=AT), ISSUES)
    assert snapshot.quarantine.is_empty()
    assert snapshot.lines == 14 * 500
    return build_scores(ISSUES, [snapshot], registry)


def test_scores_and_costs_are_those_that_the_site_states(scores: BoardScores, shared_data: Path) -> None:
    text = (shared_data / "routing" / "swebench_bash_only_models_2025-12-10.csv").read_text("utf-8")
    stated = {row["name"]: row for row in csv.DictReader(text.splitlines())}
    for row in scores.scores.iter_rows(named=True):
        assert row["score"] == pytest.approx(float(stated[row["raw_model"]]["resolved_pct"]), abs=0.05)
        assert float(row["run_cost_usd"]) == pytest.approx(float(stated[row["raw_model"]]["total_cost"]), rel=1e-4)
        assert row["harness"] == stated[row["raw_model"]]["agent_version"]
        assert row["n_items"] == 500
    assert scores.items.height == 14 * 500


@pytest.mark.slow
def test_the_gap_is_drawn_on_the_same_issues(scores: BoardScores, registry: Registry) -> None:
    models = model_frame(registry, ModelFactsConfig())
    rows = build_gap(scores.scores, models, scores.benchmarks, registry, scores.items)
    apart = build_gap(scores.scores, models, scores.benchmarks, registry)
    last, unpaired = rows.tail(1).row(0, named=True), apart.tail(1).row(0, named=True)
    assert last["paired_items"] == 500
    # Open models whose names nobody declared count too, because the source says that their weights are open.
    assert (last["best_open_model"], last["n_unknown"]) == ("Minimax M2", 0)
    assert last["gap"] == pytest.approx(74.4 - 61.0)
    assert unpaired["paired_items"] is None
    assert last["gap"] == unpaired["gap"]
    assert last["gap_stderr"] < 0.85 * unpaired["gap_stderr"]
    assert last["gap_high"] - last["gap_low"] < unpaired["gap_high"] - unpaired["gap_low"]

    outcomes = {
        row["raw_model"]: scores.items.filter(pl.col("score_id") == row["score_id"])
        .sort("item_id")["outcome"]
        .to_numpy()
        for row in scores.scores.iter_rows(named=True)
    }
    closed, opened = outcomes[last["best_closed_model"]], outcomes[last["best_open_model"]]
    gained, lost = int(((closed - opened) > 0).sum()), int(((closed - opened) < 0).sum())
    difference = (gained - lost) / 500
    published = np.sqrt((gained + lost) / 500**2 - difference**2 / 500)  # Miller 2024
    assert last["gap_stderr"] == pytest.approx(100 * published, rel=0.002)
    # The two best drawn by hand: their difference spreads as the bootstrap of both maxima does, or less.
    generator = np.random.default_rng(1)
    drawn = [float((closed - opened)[generator.integers(0, 500, 500)].mean()) for _ in range(2000)]
    assert last["gap_high"] - last["gap_low"] < 1.25 * 100 * float(np.subtract(*np.quantile(drawn, [0.975, 0.025])))


def test_without_the_outcomes_of_a_contender_only_scores_are_compared(scores: BoardScores, registry: Registry) -> None:
    best = scores.scores.sort("score", descending=True)["score_id"][0]
    rows = build_gap(
        scores.scores,
        model_frame(registry, ModelFactsConfig()),
        scores.benchmarks,
        registry,
        scores.items.filter(pl.col("score_id") != best),
    )
    assert rows.tail(1)["paired_items"].to_list() == [None]
