"""The arithmetic of uncertainty: standard errors, intervals, tests and the multiplicity of a day's tests.

Pure functions of numbers and arrays. What is compared with what is decided in `pipelines.benchmarks` (scores of
leaderboards) and `pipelines.behaviour` (the company's own log). Formulas: Wilson (1927),
Miller, "Adding Error Bars to Evals" (2024, arXiv 2411.00640), McNemar (1947), Benjamini and Hochberg (1995).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Z95 = 1.959963984540054
"""97.5th percentile of the standard normal: half-width of a two-sided 95 % interval in standard errors."""

MAD_TO_SD = 1.4826
"""Standard deviation of a normal distribution as a multiple of its median absolute deviation."""

EDGE_COUNT = 10
"""With fewer successes or failures than this, sqrt(p(1-p)/n) is too small and Wilson's half-width is used instead."""

Floats = NDArray[np.float64]


def wilson_interval(successes: ArrayLike, n: ArrayLike, z: float = Z95) -> tuple[Floats, Floats]:
    """Wilson score interval of a proportion, as shares: the inversion of the score test, good near 0 and 1.

    centre = (p + z2/2n) / (1 + z2/n), half = z / (1 + z2/n) * sqrt(p(1-p)/n + z2/4n2). Works on arrays, where
    scipy's `binomtest(...).proportion_ci` takes one count at a time; the tests hold the two against each other.
    """
    k, size = np.asarray(successes, dtype=float), np.asarray(n, dtype=float)
    p, z2 = k / size, z * z
    centre = (p + z2 / (2 * size)) / (1 + z2 / size)
    half = z / (1 + z2 / size) * np.sqrt(p * (1 - p) / size + z2 / (4 * size * size))
    # All of n solved is 1 and none is 0 exactly: an interval that ends at 0.9999999999999999 would not hold its score.
    return np.where(k == 0, 0.0, np.maximum(centre - half, 0.0)), np.where(
        k == size, 1.0, np.minimum(centre + half, 1.0)
    )


def proportion_stderr(successes: ArrayLike, n: ArrayLike) -> Floats:
    """Standard error of a share: sqrt(p(1-p)/n), near the edges Wilson's half-width over z.

    Worked: 160 of 200 gives sqrt(.8 * .2 / 200) = 0.02828; 30 of 30 gives (1 - 0.8865) / 2 / 1.96 = 0.0290, not 0.
    """
    k, size = np.asarray(successes, dtype=float), np.asarray(n, dtype=float)
    p = k / size
    low, high = wilson_interval(k, size)
    is_edge = (k < EDGE_COUNT) | (size - k < EDGE_COUNT)
    return np.where(is_edge, (high - low) / (2 * Z95), np.sqrt(np.clip(p * (1 - p), 0, None) / size))


def two_sided_p(z: ArrayLike) -> Floats:
    """P(|Z| >= |z|) for a standard normal Z."""
    from scipy.special import ndtr

    return np.asarray(2.0 * ndtr(-np.abs(np.asarray(z, dtype=float))))


def benjamini_hochberg(p_values: ArrayLike) -> Floats:
    """Adjusted p-values: rejecting those up to q keeps the expected share of false alarms among all alarms below q.

    As `scipy.stats.false_discovery_control`, whose import takes longer than all tests of a day. Raises ValueError for what is no
    probability.
    """
    p = np.asarray(p_values, dtype=float)
    if not np.all((p >= 0) & (p <= 1)):
        raise ValueError("a p-value lies outside of 0 to 1")
    order = np.argsort(p)
    scaled = p[order] * (p.size / np.arange(1, p.size + 1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum.accumulate(scaled[::-1])[::-1]
    return np.asarray(np.clip(adjusted, 0.0, 1.0))


def clustered_stderr(values: ArrayLike, clusters: ArrayLike) -> tuple[float, int]:
    """Standard error of a mean whose values hang together inside clusters, and how many clusters there are.

    sqrt(G/(G-1) sum over clusters of (sum of its values' deviations from the mean) squared) / n (Miller 2024, section
    2.2, with the correction for few clusters). With a cluster per value it is sd / sqrt(n), the usual one. One cluster
    alone does not show how others differ: nan.
    """
    value = np.asarray(values, dtype=float)
    _, number = np.unique(np.asarray(clusters), return_inverse=True)
    sums = np.bincount(number, weights=value - value.mean())
    if sums.size < 2:
        return float("nan"), int(sums.size)
    return float(np.sqrt(sums.size / (sums.size - 1) * np.sum(sums**2)) / value.size), int(sums.size)


def paired_test(differences: ArrayLike, clusters: ArrayLike) -> tuple[float, float, float]:
    """Mean difference of two runs on the same items, its standard error and its two-sided p-value.

    `differences` are after less before, item by item, in shares. Solved-or-not outcomes of single items: McNemar's exact
    test, which asks whether as many items were lost as gained. Means of trials, or clustered items: t of the (clustered)
    standard error. That error is never below one item's worth: no change on n items does not prove that there is none.

    Worked: of 20 items 9 gained and 1 lost. Difference .4; standard error sqrt(10/400 - .16/20) * sqrt(20/19) = .134;
    p = 2 (C(10,0) + C(10,1)) / 2^10 = .021.
    """
    from scipy.stats import binomtest, t

    value = np.asarray(differences, dtype=float)
    delta = float(value.mean())
    stderr, groups = clustered_stderr(value, clusters)
    floor = 1 / value.size
    if groups == value.size and set(np.unique(value).tolist()) <= {-1.0, 0.0, 1.0}:
        gained, lost = int(np.sum(value > 0)), int(np.sum(value < 0))
        p_value = float(binomtest(gained, gained + lost).pvalue) if gained + lost else 1.0
        return delta, max(stderr, floor), p_value
    if not np.isfinite(stderr):
        return delta, float("nan"), float("nan")
    stderr = max(stderr, floor)
    return delta, stderr, float(2 * t.sf(abs(delta) / stderr, groups - 1))


def min_detectable(stderr: ArrayLike) -> Floats:
    """Smallest change of which a 95 % interval with this standard error would exclude zero.

    A true change of this size is seen half of the time; for 80 % power it takes 2.80 standard errors, not 1.96.
    """
    return Z95 * np.asarray(stderr, dtype=float)
