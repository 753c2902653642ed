"""Projections held against what really happened, by the grade of the evidence that they rest on.

500 SWE-bench issues that each of 14 models worked on, with cost and outcome (`shared/data/routing`). Every ordered pair of models is projected
as if only the second had run. What is known of the first one is

- grade A: 60 issues that both worked on, drawn as shadow requests, through `pipelines.shadow`; judged on the 440 others;
- grade B: what both cost and solved, issue by issue, on the public project (Django); judged on the other projects;
- grade C: its price list and its score on the public project, no issue of its own; judged on the other projects.

How far results carry over is learnt from the other twelve models. No public file holds vendors' claims (D) next to their truth, and E is what
nobody measured: neither can be judged. `python -m tests.contracts.routing.graded` prints the tables of `docs/routing.md`: by grade, and grade A
by the size of the shadow.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from pipelines.config.evidence import Effect, Evidence, Transfer
from pipelines.routing.draws import ArmArrays, Floats, Group, Worlds
from pipelines.routing.outlook import Stake, grade, outlook
from pipelines.routing.own_scores import measured_quality
from pipelines.routing.quality import Quality, Score
from pipelines.routing.session_parts import BUCKETS
from pipelines.shadow.estimates import log_ratio
from pipelines.shadow.measured import effects, ratios
from pipelines.uncertainty import wilson_interval

# USD per million tokens at the time of the runs: input, cached input, output (providers' price pages, 2025).
PRICES = {
    "Claude 4.5 Opus": (5, 0.5, 25), "Gemini 3 Pro": (2, 0.2, 12), "Claude 4.5 Sonnet": (3, 0.3, 15), "Claude 4 Opus": (15, 1.5, 75),
    "GPT-5.1-codex": (1.25, 0.125, 10), "Minimax M2": (0.3, 0.03, 1.2), "GPT-5 mini": (0.25, 0.025, 2), "Qwen3-Coder": (2, 2, 2),
    "GLM-4.6": (0.6, 0.11, 2.2), "Gemini 2.5 Pro": (1.25, 0.125, 10), "o4-mini": (1.1, 0.275, 4.4), "Kimi K2": (0.6, 0.15, 2.5),
    "gpt-oss-120b": (0.15, 0.15, 0.6), "Llama 4 Maverick": (0.27, 0.27, 0.85),
}  # fmt: skip
INPUT, CACHED, OUTPUT = 0.07, 0.63, 0.011
"""Millions of tokens of a typical issue: 700,000 read, nine tenths of them out of a cache, 11,000 written."""
SHARE = 0.92
"""Of the cheap model: 90 % and the specialised 2 %, which is priced and scored as the cheap one."""
SHADOWS, SIZES = 60, (30, 60, 120, 250)
_LOOP = Effect(measure="loop", log_sd=0.81, n=27, grade="C", source="evidence.yaml")
_LEADERBOARD = Transfer(logit_sd=0.3, freedom=4, grade="C", source="evidence.yaml")


@dataclass(frozen=True)
class Bench:
    """What a typical issue costs by the price list, by model; cost and outcome, models x issues; and which issues are public."""

    price: Floats
    cost: Floats
    solved: Floats
    is_public: npt.NDArray[np.bool_]

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """Every ordered pair of models."""
        return list(itertools.permutations(range(len(self.price)), 2))

    def others(self, *pair: int) -> list[int]:
        """The models that are not of the pair."""
        return [one for one in range(len(self.price)) if one not in pair]


def outcomes(shared_data: Path) -> tuple[list[str], Floats, Floats, list[str]]:
    """The per-instance file: the models, cost and outcome by model and issue, and the project of each issue."""
    rows = pl.read_csv(shared_data / "routing" / "swebench_bash_only_per_instance_2025-12-10.csv.gz")
    wide = {
        column: rows.pivot(on="model", index="instance_id", values=column).sort("instance_id").fill_null(0)
        for column in ("cost_usd", "resolved")
    }
    models = wide["cost_usd"].columns[1:]
    cost, solved = (wide[name].select(models).to_numpy().T.astype(float) for name in ("cost_usd", "resolved"))
    return models, cost, solved, wide["resolved"]["instance_id"].str.split("__").list.first().to_list()


def read_bench(shared_data: Path) -> Bench:
    """The per-instance file, with what a typical issue costs by the price list; issues of django are public."""
    models, cost, solved, projects = outcomes(shared_data)
    price = []
    for model in models:
        plain, cached, output = next(prices for name, prices in PRICES.items() if model.startswith(name))
        price.append(INPUT * plain + CACHED * cached + OUTPUT * output)
    is_public = np.array([project == "django" for project in projects])
    return Bench(np.array(price), cost, solved, is_public)


@dataclass(frozen=True)
class Truth:
    """Intervals of one quantity and what it really was, with the points that two usual estimates give: the same tokens at the cheap
    model's price, and all traffic on the cheap model."""

    intervals: list[dict[str, float]] = field(default_factory=list)
    truths: list[float] = field(default_factory=list)
    same_tokens: list[float] = field(default_factory=list)
    best_single: list[float] = field(default_factory=list)

    def add(self, found: dict[str, float] | None, truth: float, same_tokens: float, best_single: float) -> None:
        """One projection more."""
        assert found is not None
        self.intervals.append(found)
        self.truths.append(truth)
        self.same_tokens.append(same_tokens)
        self.best_single.append(best_single)

    def covered(self, level: str) -> float:
        """The share of truths inside the interval of the level, 50 or 95."""
        return covered(self.intervals, self.truths, level)

    def shown(self, level: str) -> str:
        """The same with its 95 % interval (Wilson), as if cases knew nothing of each other: 94.5 % (90.2 to 97.0)."""
        share, cases = self.covered(level), len(self.truths)
        low, high = (float(bound) for bound in wilson_interval(share * cases, cases))
        return f"{share:.1%} ({100 * low:.1f} to {100 * high:.1f})"

    def score(self) -> float:
        """The mean interval score of the 95 % intervals."""
        bounds = [(one["low_95"], one["high_95"]) for one in self.intervals]
        return self._mean_score(bounds)

    def score_of(self, points: list[float]) -> float:
        """The same of points: intervals without width."""
        return self._mean_score([(point, point) for point in points])

    def weighted_score(self) -> float:
        """The mean weighted interval score of both intervals (Bracher et al. 2021, without the median): proper, so that neither
        too wide nor too narrow pays."""
        parts = [
            0.025 * interval_score(one["low_95"], one["high_95"], truth, 0.95)
            + 0.25 * interval_score(one["low_50"], one["high_50"], truth, 0.5)
            for one, truth in zip(self.intervals, self.truths, strict=True)
        ]
        return float(np.mean(parts))

    def _mean_score(self, bounds: list[tuple[float, float]]) -> float:
        scores = [interval_score(*one, truth, 0.95) for one, truth in zip(bounds, self.truths, strict=True)]
        return float(np.mean(scores))


@dataclass(frozen=True)
class Graded:
    """All pairs at one grade: the `grades` that the projections bear, saving, and retained quality."""

    grades: set[str] = field(default_factory=set)
    saving: Truth = field(default_factory=Truth)
    quality: Truth = field(default_factory=Truth)


def covered(found: list[dict[str, float]], truths: list[float], level: str) -> float:
    """The share of truths inside their interval."""
    inside = [one[f"low_{level}"] <= truth <= one[f"high_{level}"] for one, truth in zip(found, truths, strict=True)]
    return float(np.mean(inside))


def interval_score(low: float, high: float, truth: float, level: float) -> float:
    """Gneiting and Raftery's: the width, and what lies outside times 2 over the level missed. Lower is better."""
    miss = max(low - truth, 0.0) + max(truth - high, 0.0)
    return high - low + 2 / (1 - level) * miss


@dataclass(frozen=True)
class Known:
    """What a projection knows of a pair: lines of evidence, scores, the factor from the recorded cost of the strong model to the cheap one's
    at the same tokens or as measured, and the issues that are projected."""

    evidence: Evidence
    quality: Quality
    factor: float
    issues: npt.NDArray[np.int64]


def measured(bench: Bench, cheap: int, strong: int, size: int = SHADOWS) -> Known:
    """Grade A: shadow requests that stand for all others."""
    order = np.random.default_rng([cheap, strong]).permutation(bench.cost.shape[1])
    return shadowed(bench, cheap, strong, order, size)


def shadowed(bench: Bench, cheap: int, strong: int, order: npt.NDArray[np.int64], size: int = SHADOWS) -> Known:
    """What the first `size` items of an order show of the others. No item is drawn twice, and none is judged that was seen."""
    rows = _answers(bench, cheap, strong, order[:size])
    quality = measured_quality(rows, ["cheap", "strong"])
    assert quality is not None
    bare = Evidence(effects=(_LOOP,), transfers=(_LEADERBOARD,), agreement=0.5)
    return Known(bare.with_measured(effects(ratios(rows))), quality, 1.0, np.sort(order[size:]))


def item_by_item(bench: Bench, cheap: int, strong: int) -> Known:
    """Grade B: the pair's cost on the public issues, off by as much as other models' costs move from public to hidden issues."""
    public, hidden = np.flatnonzero(bench.is_public), np.flatnonzero(~bench.is_public)
    others = bench.others(cheap, strong)
    mean = bench.cost.mean(axis=1, where=bench.is_public), bench.cost.mean(axis=1, where=~bench.is_public)
    moved = np.std(np.log(mean[1][others] / mean[0][others]), ddof=1)
    middle = log_ratio(bench.cost[cheap, public], bench.cost[strong, public], np.arange(len(public))).value
    line = {"measure": "loop", "model": "cheap", "against": "strong", "n": len(others), "grade": "B", "source": "-"}
    pair = Effect.model_validate({**line, "log_mean": middle, "log_sd": float(moved) * 2**0.5})
    evidence = Evidence(effects=(pair, _LOOP), transfers=(_carried_over(bench, others, "B"),), agreement=0.5)
    return Known(evidence, _public_scores(bench, cheap, strong), 1.0, hidden)


def by_leaderboard(bench: Bench, cheap: int, strong: int) -> Known:
    """Grade C: price lists and scores; the other models show how far cost and price are apart."""
    others = bench.others(cheap, strong)
    spread = float(np.std(np.log(bench.cost[others].mean(axis=1) / bench.price[others]), ddof=1))
    line = Effect(measure="loop", log_sd=spread, n=len(others), grade="C", source="the other models")
    evidence = Evidence(effects=(line,), transfers=(_carried_over(bench, others, "C"),), agreement=0.5)
    factor = float(bench.price[cheap] / bench.price[strong])
    return Known(evidence, _public_scores(bench, cheap, strong), factor, np.flatnonzero(~bench.is_public))


GRADES: dict[str, Callable[[Bench, int, int], Known]] = {"A": measured, "B": item_by_item, "C": by_leaderboard}


def judged(bench: Bench, known_of: Callable[[Bench, int, int], Known]) -> Graded:
    """Every pair, projected and held against the truth."""
    found = Graded()
    for cheap, strong in bench.pairs:
        add(found, bench, cheap, strong, known_of(bench, cheap, strong))
    return found


def add(found: Graded, bench: Bench, cheap: int, strong: int, known: Known) -> None:
    """One pair's projection, and what happened on the issues that are judged."""
    issues = known.issues
    bucket = np.random.default_rng(7).integers(0, BUCKETS, bench.cost.shape[1])[issues]
    recorded = np.bincount(bucket, weights=bench.cost[strong, issues], minlength=BUCKETS)[None, :]
    requests = np.bincount(bucket, minlength=BUCKETS)[None, :].astype(float)
    worlds = Worlds(known.evidence, [Group("strong", is_loop=True)], requests, {"issues": {"strong": len(issues)}})
    zero = np.zeros_like(recorded)
    moved = ArmArrays("cheap", zero, recorded * known.factor, zero, zero)
    stays = ArmArrays("strong", recorded, zero, zero, zero)
    stakes = [Stake("cheap", "cheap", SHARE, moved), Stake("strong", "strong", 1 - SHARE, stays)]
    base_solved = worlds.shares_solved(known.quality, "strong")
    total = outlook(worlds, worlds.recorded(recorded), stakes, known.quality, base_solved).total
    found.grades.add(grade(worlds, stakes, known.quality))
    cost, solved = bench.cost[:, issues].mean(axis=1), bench.solved[:, issues].mean(axis=1)
    same = float(1 - bench.price[cheap] / bench.price[strong])
    found.saving.add(total.saving, SHARE * float(1 - cost[cheap] / cost[strong]), SHARE * same, same)
    scored = known.quality.scores["cheap"].share / known.quality.scores["strong"].share
    kept = SHARE * float(solved[cheap] / solved[strong]) + 1 - SHARE
    found.quality.add(total.quality, kept, SHARE * scored + 1 - SHARE, scored)


def score(solved: Floats) -> Score:
    """The share of issues that a model solved."""
    share, n = float(solved.mean()), len(solved)
    return Score(share, 1 / np.sqrt(n * share * (1 - share)))


def _public_scores(bench: Bench, cheap: int, strong: int) -> Quality:
    scores = {name: score(bench.solved[one, bench.is_public]) for name, one in (("cheap", cheap), ("strong", strong))}
    return Quality("public", scores)


def _carried_over(bench: Bench, others: list[int], known_as: str) -> Transfer:
    """How far the other models' scores move from the public issues to the hidden ones."""
    seen, hidden = (
        [score(bench.solved[one, which]) for one in others] for which in (bench.is_public, ~bench.is_public)
    )
    apart = np.var([one.logit - other.logit for one, other in zip(seen, hidden, strict=True)], ddof=1)
    sampled = np.mean([one.logit_se**2 for one in seen])
    spread = float(np.sqrt(max(apart - sampled, 0.0)))
    return Transfer.model_validate({"logit_sd": spread, "grade": known_as, "source": "the other models"})


def _answers(bench: Bench, cheap: int, strong: int, drawn: npt.NDArray[np.int64]) -> pl.DataFrame:
    """Both models' answers to the issues drawn, as `pipelines.shadow.answers` returns them."""
    names = [f"{number}" for number in range(len(drawn))]
    parts = [
        pl.DataFrame(
            {
                "request_id": names, "cluster": names, "input": np.round(bench.cost[model, drawn] * 1e6).astype(int),
                "gold": bench.solved[model, drawn],
            }
        ).with_columns(model_id=pl.lit(name), is_recorded=pl.lit(name == "strong"))
        for name, model in (("cheap", cheap), ("strong", strong))
    ]  # fmt: skip
    empty = pl.lit([], pl.List(pl.Struct({"judge": pl.String(), "score": pl.Float64()})))
    return pl.concat(parts).with_columns(
        use_case=pl.lit("issues"), is_loop=pl.lit(value=True), output=pl.lit(0, pl.Int64), judged=empty
    )


def table(bench: Bench) -> Iterator[str]:
    """The figures as rows of Markdown: each coverage with its interval."""
    yield "| grade | pairs | saving: 95 %, 50 % | interval score: ours, same tokens, single model | quality: 95 %, 50 % | interval score: ours, scores alone |"
    yield "|---|---|---|---|---|---|"
    sizes = {f"A, {size} shadow requests": partial(measured, size=size) for size in SIZES if size != SHADOWS}
    for name, known_of in {**GRADES, **sizes}.items():
        found = judged(bench, known_of)
        saving, quality = found.saving, found.quality
        yield (
            f"| {name} | {len(saving.truths)} | {saving.shown('95')}, {saving.shown('50')} | {saving.score():.2f}, "
            f"{saving.score_of(saving.same_tokens):.2f}, {saving.score_of(saving.best_single):.2f} | {quality.shown('95')}, "
            f"{quality.shown('50')} | {quality.score():.2f}, {quality.score_of(quality.same_tokens):.2f} |"
        )


if __name__ == "__main__":
    for line in table(read_bench(Path(__file__).parents[4] / "shared" / "data")):
        print(line, flush=True)
