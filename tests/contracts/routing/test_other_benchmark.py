"""The evidence that ships, held against benchmarks that it was not learnt from.

Saving: tokens of every model on Aider's polyglot exercises. Each exercise is tried twice, the second time with what failed: a task in steps, whose
spread comes from SWE-bench. Each ordered pair of models is projected as if only the second had run, with `evidence.yaml` as it is and no
board's ratios. Quality: what Mixtral and GPT-4 solved of each subject of MMLU and of GSM8K (RouteLLM), projected from their scores on the
other subjects.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from pipelines.config.evidence import Evidence
from pipelines.config.loader import load_file
from pipelines.routing.draws import ArmArrays, Floats, Group, Worlds
from pipelines.routing.outlook import Stake, outlook
from pipelines.routing.quality import Quality, Score
from pipelines.routing.session_parts import BUCKETS
from tests.contracts.routing.graded import SHARE, Truth, covered, interval_score

EXERCISES = 225
PRICES = {"cheap": (0.28, 0.42), "alike": (3.0, 15.0), "dear": (15.0, 75.0)}
"""USD per million tokens of the first model of a pair; the second one costs 3 and 15. With the dearest most savings are negative."""


@pytest.fixture(scope="module")
def tokens(shared_data: Path) -> Floats:
    """Tokens of prompts and of answers, one row per model: its last run of all exercises."""
    text = (shared_data / "leaderboards" / "aider_polyglot" / "2025-06-30.yml").read_text(encoding="utf-8")
    runs = [run for run in yaml.safe_load(text) if run.get("prompt_tokens") and run.get("completion_tokens")]
    last = {run["model"]: run for run in runs if run["test_cases"] == EXERCISES}
    return np.array([(run["prompt_tokens"], run["completion_tokens"]) for run in last.values()], dtype=float)


@dataclass(frozen=True)
class Held:
    """Projections of one pair each: interval of the saving, what was true, and what the same tokens at the other price say."""

    intervals: list[dict[str, float]] = field(default_factory=list)
    truths: list[float] = field(default_factory=list)
    same_tokens: list[float] = field(default_factory=list)

    def add(self, worlds: Worlds, tokens: tuple[Floats, Floats], prices: tuple[float, float]) -> None:
        """Project a pair from the log of its second model alone."""
        (cheap, strong), paid, other = tokens, np.array(PRICES["alike"]), np.array(prices)
        part, recorded = worlds.requests / worlds.requests.sum(), float(strong @ paid)
        zero = 0 * part
        moved = ArmArrays("cheap", zero, part * strong[0] * other[0], part * strong[1] * other[1], zero)
        stays = ArmArrays("strong", part * recorded, zero, zero, zero)
        stakes = [Stake("cheap", "cheap", SHARE, moved), Stake("strong", "strong", 1 - SHARE, stays)]
        found = outlook(worlds, worlds.recorded(part * recorded), stakes, None, None).total.saving
        assert found is not None
        self.intervals.append(found)
        self.truths.append(SHARE * (1 - float(cheap @ other) / recorded))
        self.same_tokens.append(SHARE * (1 - float(strong @ other) / recorded))

    def score(self, *, ours: bool) -> float:
        """The mean interval score of the intervals, or of the point that the same tokens make."""
        points = zip(self.intervals, self.same_tokens, self.truths, strict=True)
        return float(
            np.mean(
                [
                    interval_score(*((one["low_95"], one["high_95"]) if ours else (same, same)), truth, 0.95)
                    for one, same, truth in points
                ]
            )
        )


@pytest.mark.slow
def test_the_evidence_that_ships_covers_a_benchmark_that_it_was_not_learnt_from(tokens: Floats) -> None:
    evidence = load_file(Evidence, "evidence.yaml", None)
    requests = np.full((1, BUCKETS), EXERCISES / BUCKETS)
    worlds = Worlds(evidence, [Group("strong", is_loop=True)], requests, {"all": {"strong": EXERCISES}})
    held = Held()
    for (cheap, strong), prices in itertools.product(itertools.permutations(tokens, 2), PRICES.values()):
        held.add(worlds, (cheap, strong), prices)
    assert min(held.truths) < -1  # some save nothing at all
    assert 0.90 <= covered(held.intervals, held.truths, "95") <= 0.99
    assert 0.45 <= covered(held.intervals, held.truths, "50") <= 0.60
    assert held.score(ours=True) < held.score(ours=False) / 2


def kept_on(
    evidence: Evidence, subject: str, scores: dict[str, Score], cheap: str, strong: str
) -> dict[str, float] | None:
    """The interval of the quality kept on a subject, from the scores of both models on other subjects."""
    part = np.ones((1, BUCKETS))
    worlds = Worlds(evidence, [Group(strong, is_loop=False)], part, {subject: {strong: 1}})
    stakes = [Stake(name, name, share, None) for name, share in ((cheap, SHARE), (strong, 1 - SHARE))]
    quality = Quality("other subjects@accuracy", scores)
    return outlook(worlds, None, stakes, quality, worlds.shares_solved(quality, strong)).total.quality


@pytest.mark.slow
def test_scores_on_other_subjects_cover_the_quality_kept_on_each(shared_data: Path) -> None:
    evidence = load_file(Evidence, "evidence.yaml", None)
    models = {name: f"{name}_correct" for name in ("mixtral", "gpt4")}
    rows = pl.read_csv(shared_data / "routing" / "routellm_mmlu_gsm8k_pairs.csv.gz")
    found = Truth()
    for subject in rows["subject"].unique().sort():
        own, other = rows.filter(pl.col("subject") == subject), rows.filter(pl.col("subject") != subject)
        share = {name: other[column].cast(pl.Float64).sum() / other.height for name, column in models.items()}
        scores = {name: Score(one, 1 / np.sqrt(other.height * one * (1 - one))) for name, one in share.items()}
        solved = {name: own[column].sum() for name, column in models.items()}
        for cheap, strong in itertools.permutations(models):
            kept = SHARE * float(solved[cheap] / solved[strong]) + 1 - SHARE
            ratio = share[cheap] / share[strong]
            found.add(kept_on(evidence, subject, scores, cheap, strong), kept, SHARE * ratio + 1 - SHARE, ratio)
    assert len(found.truths) == 116
    assert 0.90 <= found.covered("95") <= 0.99
    assert 0.45 <= found.covered("50") <= 0.60
    assert found.score() < 0.6 * found.score_of(found.same_tokens)
