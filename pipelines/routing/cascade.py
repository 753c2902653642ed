"""A cascade: the cheap arm answers, a verifier judges, and the strong arm answers what was rejected. Both are paid.

Quality is that of what comes out: right answers of the first arm that were accepted, and of the second one to what was rejected.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp

import numpy as np

from pipelines.config.evidence import Difficulty, MissingEvidenceError, Verifier
from pipelines.routing.draws import Floats, Worlds, both_solve
from pipelines.routing.outlook import Flow, Stake
from pipelines.routing.quality import Quality


@dataclass(frozen=True)
class Acceptance:
    """What comes out of two arms: shares of requests that were `rejected` and of tasks that are `solved`; floats or arrays."""

    rejected: Floats
    solved: Floats


def accepted(cheap: Floats, strong: Floats, agreement: float, verifier: Verifier) -> Acceptance:
    """`cheap` and `strong` are shares solved, `agreement` the correlation of their outcomes."""
    wrong, right = verifier.accepts_wrong, verifier.rejects_right
    both = both_solve(cheap, strong, agreement)
    rejected = cheap * right + (1 - cheap) * (1 - wrong)
    return Acceptance(rejected, cheap * (1 - right) + right * both + (1 - wrong) * (strong - both))


def second_part(rejected: Floats, longer: Floats | float) -> Floats:
    """The part of all tokens that the rejected requests have, `longer` times as long as others."""
    return np.asarray(rejected * longer / (1 - rejected + rejected * longer))


def central(
    verifier: Verifier, difficulty: Difficulty, quality: Quality, models: Sequence[str], agreement: float
) -> tuple[float, float]:
    """The parts of requests and of tokens that are answered twice, at the middle of what is known."""
    cheap, strong = (np.array([quality.scores[model].share]) for model in models)
    found = accepted(cheap, strong, agreement, verifier)
    part = second_part(found.rejected, exp(difficulty.log_mean))
    return float(found.rejected[0]), float(part[0])


def cascade_flow(
    worlds: Worlds, stakes: Sequence[Stake], quality: Quality, verifier: Verifier, fee: float
) -> tuple[Flow, Floats]:
    """Where tokens go in each world, and the share solved (draws x use cases). Raises MissingEvidenceError without `agreement`."""
    agreement = worlds.evidence.agreement
    if agreement is None:
        raise MissingEvidenceError("evidence.yaml has no agreement: add the correlation of two models' outcomes")
    cheap, strong = (worlds.shares_solved(quality, stake.model_id) for stake in stakes)
    found = accepted(cheap, strong, agreement, verifier)
    requests = np.array([sum(by_model.values()) for by_model in worlds.use_cases.values()], dtype=np.float64)
    rejected = found.rejected @ (requests / requests.sum())
    part = second_part(rejected, worlds.difficulty)[:, None]
    first, direct = (np.asarray(stake.share, dtype=np.float64) + 0 * part for stake in stakes)
    numbers = worlds.requests_drawn.sum(axis=1)
    judged = numbers * float(verifier.usd_per_request)
    if verifier.cost_share and stakes[0].arrays is not None:
        judged = judged + verifier.cost_share * worlds.cost(stakes[0].arrays).sum(axis=1)
    extra = [numbers * fee + judged + stakes[0].fixed_usd, stakes[1].fixed_usd]
    return Flow([first * (1 - part), first * part + direct], [first, first * part + direct], extra), found.solved
