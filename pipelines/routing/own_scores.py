"""Quality measured on requests of one's own, for all models of a policy at once: their scores and the error that they share.

The scores come from `pipelines.shadow`; leaderboard scores, which only stand for quality, are in `quality.py`.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl

from pipelines.routing.quality import Quality, Score
from pipelines.shadow.estimates import Floats, shared_error, student
from pipelines.shadow.measured import Scores, scored
from pipelines.uncertainty import Z95

LABEL = "own shadow scores"


def measured_quality(answered: pl.DataFrame | None, models: Iterable[str]) -> Quality | None:
    """The models' scores on the requests that all of them answered (`pipelines.shadow.answers`); None if they are not enough."""
    if answered is None or answered.is_empty():
        return None
    scores = scored(answered, models)
    return None if isinstance(scores, str) else _quality(scores)


def _quality(scores: Scores) -> Quality:
    """Shares as logits with their covariance, as far as few sessions show it.

    An error of few sessions is widened as Student's t asks. A share of 0 or 1 keeps half an item of doubt, and no error is
    less than that of as many independent items.
    """
    estimates = [scores.estimate(place) for place in range(len(scores.models))]
    counts = [int((~np.isnan(scores.gold[:, place])).sum()) for place in range(len(scores.models))]
    shares = np.array([min(max(one.value, 0.5 / n), 1 - 0.5 / n) for one, n in zip(estimates, counts, strict=True)])
    slope = shares * (1 - shares)
    covariance = np.array([[shared_error(one, other) for other in estimates] for one in estimates])
    flat = np.array([0.5 / n * (1 - 0.5 / n) / n for n in counts])
    covariance += np.diag(np.maximum(flat - np.diag(covariance), 0.0))
    widened = (student(scores.number - 1) / Z95) ** 2
    moves = _root(covariance * widened / np.outer(slope, slope))
    names = [f"{number}" for number in range(len(scores.models))]
    return Quality(
        f"{LABEL}: {len(scores.gold)} requests, gold for {min(counts)}",
        {
            model: Score(float(share), float(np.sqrt(row @ row)))
            for model, share, row in zip(scores.models, shares, moves, strict=True)
        },
        {
            model: dict(zip(names, map(float, row), strict=True))
            for model, row in zip(scores.models, moves, strict=True)
        },
        scores.number,
    )


def _root(covariance: Floats) -> Floats:
    """A matrix whose square is the covariance, also where models were always right and wrong together."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.clip(values, 0.0, None)))
