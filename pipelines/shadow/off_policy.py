"""What the log itself shows where several models served one use case: what all of it would have been on each of them.

Nothing was run for it, so it rests on how requests came to their models. Where a router's probabilities are known (`propensity`), they
are weighed out: inverse propensity (ips), the same normalised by its weights (snips), and doubly robust (dr), which
starts from the mean of alike requests and corrects it. Without them requests of one kind (use case and size of prompt) are taken to be alike
(strata). Where there is not enough of a model for that, the row says so and holds no figure. Measurements on the same requests, which need
none of this, are in `measured.py`. Formulas: Horvitz and Thompson (1952), Swaminathan and Joachims, NeurIPS 2015 (snips), Dudik,
Langford and Li, ICML 2011 (dr), Kish's effective size.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from pipelines.shadow.estimates import FEWEST, Estimate, Floats, by_cluster, mean
from pipelines.shadow.measured import numbered
from pipelines.uncertainty import wilson_interval
from pipelines.warehouse.tables.mart_evidence import ROUTING_OFF_POLICY

FEWEST_IN_STRATUM = 5
"""Requests of a model in a stratum below which the stratum has no match for it."""
MOST_UNMATCHED = 0.2
"""Share of a use case's requests without a match above which nothing is said of all of them."""
_SHARES = ("ok", "score")
_FAR = 5.0
"""Standard errors by which weights may miss 1: they are skewed, and a sound log must not be refused by chance."""
MEASURES = ("ok", "output", "cost_usd")
"""Of the log: the share of calls that ended well, tokens written and USD, all per request."""


@dataclass(frozen=True)
class Reached:
    """An estimate for one model and use case with what it rests on."""

    estimate: Estimate
    requests: int
    effective: float
    unmatched: float = 0.0

    @property
    def refused(self) -> str | None:
        """Why the estimate must not be used."""
        if self.unmatched > MOST_UNMATCHED:
            return f"{100 * self.unmatched:.0f} % of the requests have none of the model like them: it did not serve that kind"
        if self.effective < FEWEST or self.estimate.clusters < FEWEST:
            return f"the model's requests count for {self.effective:.0f}, {FEWEST} are needed in as many sessions"
        return None


def by_strata(cells: pl.DataFrame, measures: tuple[str, ...] = MEASURES) -> Iterator[dict[str, Any]]:
    """Rows of mart.routing_off_policy from sums of requests that are alike.

    `cells`: use_case, size (of the prompt), model_id, cluster (Int), requests, and a sum per measure. Only use cases that several models
    served are asked about.
    """
    for (use_case,), of_case in cells.sort("use_case", "size", "model_id", "cluster").group_by(
        "use_case", maintain_order=True
    ):
        models = of_case["model_id"].unique().sort().to_list()
        case = _Case.of(of_case, measures)
        for model in models if len(models) > 1 else []:
            for measure, found in case.standardised(str(model)).items():
                yield _row(str(use_case), str(model), measure, "strata", found)


@dataclass(frozen=True)
class _Case:
    """The cells of one use case as arrays: of each its model, the places of its size and cluster, and its sums."""

    models: npt.NDArray[np.str_]
    size: npt.NDArray[np.int64]
    cluster: npt.NDArray[np.int64]
    requests: Floats
    sums: dict[str, Floats]
    everyone: Floats
    """Requests of all models by size (rows) and cluster."""

    @classmethod
    def of(cls, cells: pl.DataFrame, measures: tuple[str, ...]) -> _Case:
        """In the order of the cells: sums of floats differ in their last digit by the order of what is added."""
        (size, sizes), (cluster, clusters) = numbered(cells["size"]), numbered(cells["cluster"])
        requests = cells["requests"].cast(pl.Float64).to_numpy()
        everyone = by_cluster(requests, size * clusters + cluster, sizes * clusters).reshape(sizes, clusters)
        sums = {name: cells[name].cast(pl.Float64).to_numpy() for name in measures}
        return cls(cells["model_id"].to_numpy().astype(np.str_), size, cluster, requests, sums, everyone)

    def standardised(self, model: str) -> dict[str, Reached | str]:
        """The model's mean of each measure by stratum, weighed by all requests of the stratum."""
        is_own = self.models == model
        size, cluster, requests = self.size[is_own], self.cluster[is_own], self.requests[is_own]
        whole = self.everyone.sum(axis=1)
        own = by_cluster(requests, size, whole.size)
        is_matched = own >= FEWEST_IN_STRATUM
        if not is_matched.any():
            return dict.fromkeys(self.sums, "no kind of request was served by the model often enough")
        weight = np.divide(whole, own, out=np.zeros(whole.size), where=is_matched)
        number = float(whole[is_matched].sum())
        effective = number**2 / float((weight * whole)[is_matched].sum())
        takes_part = self.everyone[is_matched].any(axis=0)
        found: dict[str, Reached | str] = {}
        for measure, total in self.sums.items():
            sums = by_cluster(total[is_own], size, whole.size)
            centre = np.divide(sums, own, out=np.zeros(whole.size), where=is_matched)
            value = float((weight * sums)[is_matched].sum() / number)
            # Which requests come varies too, so those of other models move the estimate by their stratum.
            moved = by_cluster(weight[size] * (total[is_own] - requests * centre[size]), cluster, takes_part.size)
            moved += (centre - value)[is_matched] @ self.everyone[is_matched]
            estimate = Estimate(value, (moved / number)[takes_part])
            found[measure] = Reached(estimate, int(own.sum()), effective, 1 - number / float(whole.sum()))
        return found


def by_propensity(
    answered: pl.DataFrame, measures: tuple[str, ...] = ("gold", "output", "cost_usd")
) -> Iterator[dict[str, Any]]:
    """Rows of mart.routing_off_policy from requests whose router's probabilities are known (`answers.answers`)."""
    logged = answered.filter(pl.col("propensity").is_not_null()).sort("request_id", "model_id")
    once = logged.filter(pl.len().over("request_id") == 1)
    for (use_case,), of_case in once.group_by("use_case", maintain_order=True):
        for measure in measures:
            known = of_case.filter(pl.col(measure).is_not_null())
            for model in known["model_id"].unique().sort():
                name = "score" if measure == "gold" else measure
                for method, found in _weighed(known, str(model), measure).items():
                    yield _row(str(use_case), str(model), name, method, found)


def _weighed(rows: pl.DataFrame, model: str, measure: str) -> dict[str, Reached | str]:
    outcome, chance = (rows[name].cast(pl.Float64).to_numpy() for name in (measure, "propensity"))
    took = (rows["model_id"] == model).to_numpy().astype(float)
    weight = took / chance
    clusters, number = numbered(rows["cluster"])
    effective = float(weight.sum() ** 2 / (weight**2).sum())
    reaches = mean(weight, clusters, number)
    if abs(reaches.value - 1) > _FAR * reaches.error:
        why = (
            f"the weights of the model's requests add up to {reaches.value:.2f} of all, 1 is expected: some requests could never "
            "go to it, or the propensities are not those of the router"
        )
        return dict.fromkeys(("ips", "snips", "dr"), why)
    ips = mean(weight * outcome, clusters, number)
    value = float((weight * outcome).sum() / weight.sum())
    snips = Estimate(value, by_cluster(weight * (outcome - value), clusters, number) / weight.sum())
    expected = _expected(rows, took, outcome)
    dr = mean(expected + weight * (outcome - expected), clusters, number)
    return {
        name: Reached(one, int(took.sum()), effective) for name, one in (("ips", ips), ("snips", snips), ("dr", dr))
    }


def _expected(rows: pl.DataFrame, took: Floats, outcome: Floats) -> Floats:
    """The model's mean on requests of about the same size, or on all where it served too few of these."""
    size = np.floor(np.log2(np.maximum(rows["input"].fill_null(0).to_numpy().astype(float), 1)))
    found = np.full(len(outcome), float(outcome[took > 0].mean()))
    for bucket in np.unique(size):
        inside = size == bucket
        own = inside & (took > 0)
        if own.sum() >= FEWEST_IN_STRATUM:
            found[inside] = float(outcome[own].mean())
    return found


def score_cells(answered: pl.DataFrame) -> pl.DataFrame:
    """Cells of `by_strata` with the gold scores of what the log itself answered."""
    scored = answered.filter("is_recorded", pl.col("gold").is_not_null())
    size = pl.col("input").fill_null(0).cast(pl.Float64).clip(1, None).log(2).floor().cast(pl.Int64).alias("size")
    by = ["use_case", size, "model_id", pl.col("cluster")]
    return scored.group_by(by).agg(pl.len().cast(pl.Int64).alias("requests"), pl.col("gold").sum().alias("score"))


def _row(use_case: str, model: str, measure: str, method: str, found: Reached | str) -> dict[str, Any]:
    row: dict[str, Any] = {"use_case": use_case, "model_id": model, "measure": measure, "method": method}
    if isinstance(found, str):
        return row | {"requests": 0, "effective_requests": 0.0, "unmatched_share": 1.0, "refused_reason": found}
    row |= {"requests": found.requests, "effective_requests": found.effective, "unmatched_share": found.unmatched}
    if found.refused is not None:
        return row | {"refused_reason": found.refused}
    low, high = found.estimate.interval()
    if measure in _SHARES and low == high:  # all alike: the spread says nothing, the number of requests does
        solved = found.estimate.value * found.effective
        low, high = (float(bound) for bound in wilson_interval(solved, found.effective))
    return row | {"estimate": found.estimate.value, "low_95": low, "high_95": high}


def off_policy_rows(cells: pl.DataFrame, answered: pl.DataFrame) -> pl.DataFrame:
    """Rows of mart.routing_off_policy from the log's cells and from answers with scores or propensities."""
    rows = [*by_strata(cells), *by_strata(score_cells(answered), ("score",)), *by_propensity(answered)]
    return pl.DataFrame(rows, schema=ROUTING_OFF_POLICY.polars_schema)
