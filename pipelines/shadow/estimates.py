"""The arithmetic of paired measurements: ratios of totals, means, and judges corrected by gold scores, each with its error.

Every estimate comes with its influences: how much each session (cluster) moves it. They add up to zero, their squares give
the error, their products the error that two estimates share. Formulas: the jackknife of a ratio (Cochran, Sampling
Techniques, 6.17), Student's degrees of freedom from the kurtosis (var(s^2) = s^4 (k - 1) / n), prediction-powered inference with a tuned weight (Angelopoulos, Duchi and Zrnic, PPI++, 2023, arXiv 2311.01453).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log, sqrt

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
FEWEST = 20
"""Sessions below which nothing is concluded: on 14 models' real costs a 95 % interval of 10 sessions holds the truth 89 times in
a hundred, one of 25 sessions 93 times."""


@dataclass(frozen=True)
class Estimate:
    """A value and the influence of each cluster on it."""

    value: float
    influences: Floats
    weight: float = 0.0
    """Of a judge: how far its word counts, from 0 to 1."""

    @property
    def clusters(self) -> int:
        """How many sessions it rests on."""
        return len(self.influences)

    @property
    def error(self) -> float:
        """Standard error, with the correction for few clusters."""
        return sqrt(shared_error(self, self))

    @property
    def freedom(self) -> int:
        """Degrees of freedom of the error: one less than clusters, fewer where a few of them carry most of it."""
        square = self.influences**2
        if not square.any():
            return max(self.clusters - 1, 1)
        kurtosis = self.clusters * float(square @ square) / float(square.sum()) ** 2
        return max(int(min(self.clusters - 1, 2 * self.clusters / max(kurtosis - 1, 1e-9))), 1)

    def interval(self) -> tuple[float, float]:
        """Bounds at 95 %, by Student's t: no bootstrap, which is too narrow for few clusters."""
        half = student(self.freedom) * self.error
        return self.value - half, self.value + half


def student(freedom: int) -> float:
    """Half-width of an interval at 95 % in standard errors."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.975))


def shared_error(one: Estimate, other: Estimate) -> float:
    """Covariance of two estimates on the same clusters."""
    number = one.clusters
    return float(one.influences @ other.influences) * number / (number - 1) if number > 1 else float("inf")


def by_cluster(values: Floats, clusters: Floats | npt.NDArray[np.int64], number: int) -> Floats:
    """Sums of `values` by cluster, which are numbered from 0."""
    return np.asarray(np.bincount(clusters, weights=values, minlength=number), dtype=np.float64)


def log_ratio(upper: Floats, lower: Floats, clusters: npt.NDArray[np.int64]) -> Estimate:
    """Logarithm of the ratio of two totals over the same items, which are above zero. Influences are those of the jackknife:
    what the ratio would be without a cluster."""
    number = int(clusters.max()) + 1
    above, below = by_cluster(upper, clusters, number), by_cluster(lower, clusters, number)
    value = log(above.sum() / below.sum())
    if number < 2:
        return Estimate(value, np.zeros(number))
    moved = np.log1p(-below / below.sum()) - np.log1p(-above / above.sum())
    return Estimate(value, (moved - moved.mean()) * (number - 1) / number)


def mean(values: Floats, clusters: npt.NDArray[np.int64], number: int) -> Estimate:
    """The mean of values that hang together inside clusters."""
    centre = float(values.mean())
    return Estimate(centre, by_cluster(values - centre, clusters, number) / len(values))


def corrected_mean(gold: Floats, judged: Floats, clusters: npt.NDArray[np.int64], number: int) -> Estimate:
    """The mean of the gold scores, with a judge's word on items that have none. NaN stands for a missing score.

    mean(gold) + weight x (mean of the judge without gold - mean of the judge with gold): the judge's own error cancels, whatever
    it is, because it is measured on the items that have both. The weight that makes the error least is cov(gold, judge) /
    ((1 + n / N) var(judge)), cut to 0 to 1; at 0 it is the plain mean of gold.
    """
    has_gold = ~np.isnan(gold)
    both, only_judged = has_gold & ~np.isnan(judged), ~has_gold & ~np.isnan(judged)
    plain = gold[has_gold]
    centre = float(plain.mean())
    influence = by_cluster(np.where(has_gold, gold - centre, 0.0) / has_gold.sum(), clusters, number)
    n, unlabelled = int(both.sum()), int(only_judged.sum())
    # Gold without a word of the judge can't be corrected by it: then all gold counts alike and the judge does not.
    if n < FEWEST or not unlabelled or n < has_gold.sum():
        return Estimate(centre, influence)
    spread = float(np.var(judged[both | only_judged], ddof=1))
    together = float(np.cov(gold[both], judged[both])[0, 1])
    weight = min(max(together / ((1 + n / unlabelled) * spread), 0.0), 1.0) if spread > 0 else 0.0
    with_gold, without = float(judged[both].mean()), float(judged[only_judged].mean())
    moved = np.where(both, -(judged - with_gold) / n, 0.0) + np.where(only_judged, (judged - without) / unlabelled, 0.0)
    influence = influence + weight * by_cluster(moved, clusters, number)
    return Estimate(centre + weight * (without - with_gold), influence, weight)
