"""The evidence that ships, held against benchmarks that it was not learnt from.

Saving: tokens of every model on Aider's polyglot exercises. Each exercise is tried twice, the second time with what failed: a task in steps, whose
spread comes from SWE-bench. Each ordered pair of models is projected as if only the second had run, with `evidence.yaml` as it is and no
board's ratios. Quality: what Mixtral and GPT-4 solved of each subject of MMLU and of GSM8K (RouteLLM), projected from their scores on the
other subjects.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from pipelines.config.evidence import Evidence
from pipelines.config.loader import load_file
from pipelines.routing.draws import Group, Worlds
from pipelines.routing.session_parts import BUCKETS
from tests.contracts.routing.graded import Truth
from tests.contracts.routing.left_out import (
    EXERCISES,
    PRICES,
    by_label,
    carried_over,
    project,
    read_aider,
    read_routellm,
)


@pytest.mark.slow
def test_the_evidence_that_ships_covers_a_benchmark_that_it_was_not_learnt_from(shared_data: Path) -> None:
    evidence = load_file(Evidence, "evidence.yaml", None)
    requests = np.full((1, BUCKETS), EXERCISES / BUCKETS)
    worlds = Worlds(evidence, [Group("strong", is_loop=True)], requests, {"all": {"strong": EXERCISES}})
    held = Truth()
    for pair, prices in itertools.product(itertools.permutations(read_aider(shared_data), 2), PRICES.values()):
        project(held, worlds, pair, prices)
    assert min(held.truths) < -1  # some save nothing at all
    assert 0.90 <= held.covered("95") <= 0.99
    assert 0.45 <= held.covered("50") <= 0.60
    assert held.score() < held.score_of(held.same_tokens) / 2
    assert held.score() < held.score_of(held.best_single) / 2


@pytest.mark.slow
def test_scores_on_other_subjects_cover_the_quality_kept_on_each(shared_data: Path) -> None:
    evidence = load_file(Evidence, "evidence.yaml", None)
    routellm, subjects = read_routellm(shared_data)
    cases = [case for of_subject in by_label(routellm.solved, subjects).values() for case in of_subject]
    found = carried_over(evidence, cases)
    assert len(found.truths) == 116
    assert 0.90 <= found.covered("95") <= 0.99
    assert 0.45 <= found.covered("50") <= 0.60
    assert found.score() < 0.6 * found.score_of(found.same_tokens)
