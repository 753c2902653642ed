"""How wide intervals have to be: learnt from all benchmarks but one, and judged on that one.

Two rules look at nothing that is judged. `python -m tests.contracts.routing.left_out` prints the table of `docs/routing.md`.

- `shadow` (grade A, saving and quality), a factor on the errors of shadow measurements: of the values in `GRID` the one whose weighted interval
  score (a proper score: neither too wide nor too narrow pays) is least on the other benchmarks. SWE-bench, RouterBench-Mini, RouteLLM.
- `loop` (grade C, saving), the logarithm by which a model's tokens in steps are off a typical model's, and `transfer` (grades B and C,
  quality), the logit by which each model moves from the tasks that were scored to another data set: the mean distance of models from the
  middle one, as the standard deviation that a normal distribution of that mean distance has (`spread`), squares averaged over the other
  benchmarks. A model far out moves it less than it moves a standard deviation. Draws are Student's: of as many degrees of freedom as models
  showed it for `loop`, of FREEDOM for `transfer`, which few benchmarks show. SWE-bench and Aider; SWE-bench, RouterBench-Mini and RouteLLM.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import yaml

from pipelines.config.evidence import Effect, Evidence, Transfer
from pipelines.routing.draws import ArmArrays, Floats, Group, Worlds
from pipelines.routing.outlook import Stake, outlook
from pipelines.routing.quality import Quality
from pipelines.routing.session_parts import BUCKETS
from tests.contracts.routing.graded import (
    SHARE,
    Bench,
    Graded,
    Known,
    Truth,
    add,
    by_leaderboard,
    outcomes,
    read_bench,
    score,
    shadowed,
)

GRID = (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7, 0.85, 1.0, 1.2, 1.4, 1.7, 2.0)
"""Steps of about a fifth, for all three."""
_DRAWS, SHADOW_RUNS = 500, 100
EXERCISES = 225
PRICES = {"cheap": (0.28, 0.42), "alike": (3.0, 15.0), "dear": (15.0, 75.0)}
"""USD per million tokens of Aider's first model of a pair; the second one costs 3 and 15."""
FREEDOM, FEWEST_ITEMS = 4, 20
"""Degrees of freedom of a transfer, usual where tails are not known; and the items of a data set that is judged."""
Items = npt.NDArray[np.int64]
Judge = Callable[[float], list[Truth]]
"""Projections of a benchmark's cases at a value, and what happened: of one quantity or two."""
Case = tuple[Floats, Floats, Floats, Floats]
"""Outcomes of the first model and of the second one where they were scored, and the same where they are judged."""


@dataclass(frozen=True)
class Held:
    """A benchmark that was left out: the value that the others chose, and what it comes to there."""

    benchmark: str
    value: float
    truths: list[Truth]


Found = Mapping[str, Mapping[float, list[Truth]]]
"""By benchmark, or data set of one, and by value of the grid."""


def evaluated(judges: Mapping[str, Judge]) -> Found:
    """Each benchmark at each value."""
    return {name: {value: judge(value) for value in GRID} for name, judge in judges.items()}


def left_out(found: Found) -> list[Held]:
    """Each benchmark, judged at the value that the others choose."""
    values = {name: chosen([one for other, one in found.items() if other != name]) for name in found}
    return [Held(name, value, found[name][value]) for name, value in values.items()]


def pooled(truths: Iterable[Truth]) -> Truth:
    """Cases of several data sets together."""
    whole = Truth()
    for truth in truths:
        for name in ("intervals", "truths", "same_tokens", "best_single"):
            getattr(whole, name).extend(getattr(truth, name))
    return whole


def chosen(found: Sequence[Mapping[float, list[Truth]]]) -> float:
    """The value of the least score, each benchmark and quantity of it counting alike."""
    scores = {
        value: np.mean([np.mean([np.log(truth.weighted_score()) for truth in one[value]]) for one in found])
        for value in GRID
    }
    return min(scores, key=lambda value: scores[value])


def spread(values: Floats) -> float:
    """The mean distance from the median as a standard deviation."""
    return float(np.abs(values - np.median(values)).mean() * np.sqrt(np.pi / 2))


def learnt(spreads: Mapping[str, float], judged: str) -> float:
    """The spread that the other benchmarks show together."""
    return float(np.sqrt(np.mean([one**2 for name, one in spreads.items() if name != judged])))


# --- grade A: shadow measurements


def shadow_judge(bench: Bench, orders: list[tuple[int, int, Items]], *, has_cost: bool = True) -> Judge:
    """The first items of each order are the shadow, the others are judged."""
    known = [(cheap, strong, shadowed(bench, cheap, strong, order)) for cheap, strong, order in orders]

    def judge(value: float) -> list[Truth]:
        found = Graded()
        for cheap, strong, one in known:
            add(found, bench, cheap, strong, _inflated(one, value))
        return [found.saving, found.quality] if has_cost else [found.quality]

    return judge


def _inflated(known: Known, value: float) -> Known:
    lines = [
        one.model_copy(update={"log_sd": one.log_sd * value}) if one.grade == "A" else one
        for one in known.evidence.effects
    ]
    moves = {model: {name: move * value for name, move in own.items()} for model, own in known.quality.moves.items()}
    evidence = known.evidence.model_copy(update={"effects": tuple(lines), "draws": _DRAWS})
    return replace(known, evidence=evidence, quality=replace(known.quality, moves=moves))


def _orders(bench: Bench, runs: int) -> list[tuple[int, int, Items]]:
    items = bench.cost.shape[1]
    return [
        (cheap, strong, np.random.default_rng([cheap, strong, run]).permutation(items))
        for run in range(runs)
        for cheap, strong in bench.pairs
    ]


# --- grades B and C: scores that carry over


def transfer_judge(cases: list[Case]) -> Judge:
    """What scores elsewhere say of each case."""

    def judge(value: float) -> list[Truth]:
        line = Transfer(logit_sd=value, freedom=FREEDOM, grade="C", source="the other benchmarks")
        return [carried_over(Evidence(transfers=(line,), agreement=0.5, draws=_DRAWS), cases)]

    return judge


def carried_over(evidence: Evidence, cases: list[Case]) -> Truth:
    """The quality kept, projected from the scores elsewhere and held against what happened."""
    truth = Truth()
    for number, (cheap, strong, own_cheap, own_strong) in enumerate(cases):
        quality = Quality(f"scored {number}@share", {"cheap": score(cheap), "strong": score(strong)})
        ratio = quality.scores["cheap"].share / quality.scores["strong"].share
        kept = SHARE * own_cheap.mean() / own_strong.mean() + 1 - SHARE
        truth.add(_kept(evidence, quality, number), float(kept), SHARE * ratio + 1 - SHARE, ratio)
    return truth


def _kept(evidence: Evidence, quality: Quality, number: int) -> dict[str, float] | None:
    worlds = Worlds(
        evidence, [Group("strong", is_loop=False)], np.ones((1, BUCKETS)), {f"tasks {number}": {"strong": 1}}
    )
    stakes = [Stake(name, name, share, None) for name, share in (("cheap", SHARE), ("strong", 1 - SHARE))]
    return outlook(worlds, None, stakes, quality, worlds.shares_solved(quality, "strong")).total.quality


def moves(solved: Floats, labels: pl.Series) -> Floats:
    """By how many logits each model moves from all other data sets to each, next to the other models: some moves cancel each other."""
    found = []
    for label in large(labels):
        own = (labels == label).to_numpy()
        moved = np.array([score(of_model[own]).logit - score(of_model[~own]).logit for of_model in solved])
        found.append((moved - moved.mean()) * np.sqrt(len(moved) / (len(moved) - 1)))
    return np.concatenate(found)


def large(labels: pl.Series) -> list[str]:
    """The data sets of enough items to be judged."""
    return [label for label in labels.unique().sort() if (labels == label).sum() >= FEWEST_ITEMS]


def by_label(solved: Floats, labels: pl.Series) -> dict[str, list[Case]]:
    """Each data set from all others, for both orders of each pair of models."""
    found = {}
    for label in large(labels):
        own = (labels == label).to_numpy()
        pairs = itertools.permutations(range(len(solved)), 2)
        found[label] = [
            (solved[cheap, ~own], solved[strong, ~own], solved[cheap, own], solved[strong, own])
            for cheap, strong in pairs
        ]
    return found


# --- grade C: tokens of a typical model


def loop_of_swebench(bench: Bench, models: int) -> Judge:
    """Each pair by price list, judged on the hidden projects. `models` showed the spread."""

    def judge(value: float) -> list[Truth]:
        found = Graded()
        for cheap, strong in bench.pairs:
            known = by_leaderboard(bench, cheap, strong)
            line = Effect(measure="loop", log_sd=value, n=models, grade="C", source="the other benchmark")
            evidence = known.evidence.model_copy(update={"effects": (line,), "draws": _DRAWS})
            add(found, bench, cheap, strong, replace(known, evidence=evidence))
        return [found.saving]

    return judge


def loop_of_aider(tokens: Floats, models: int) -> Judge:
    """Each pair by price list, at three prices of the first model. `models` showed the spread."""

    def judge(value: float) -> list[Truth]:
        line = Effect(measure="loop", log_sd=value, n=models, grade="C", source="the other benchmark")
        requests = np.full((1, BUCKETS), EXERCISES / BUCKETS)
        worlds = Worlds(
            Evidence(effects=(line,), draws=_DRAWS),
            [Group("strong", is_loop=True)],
            requests,
            {"all": {"strong": EXERCISES}},
        )
        truth = Truth()
        for (cheap, strong), prices in itertools.product(itertools.permutations(tokens, 2), PRICES.values()):
            project(truth, worlds, (cheap, strong), prices)
        return [truth]

    return judge


def project(truth: Truth, worlds: Worlds, tokens: tuple[Floats, Floats], prices: tuple[float, float]) -> None:
    """One pair: the recorded tokens of the second model, priced at the first one's and drawn."""
    (cheap, strong), other = tokens, np.array(prices) / 1e6
    recorded = float(strong @ np.array([3.0, 15.0]) / 1e6)
    part, zero = np.full((1, BUCKETS), 1 / BUCKETS), np.zeros((1, BUCKETS))
    moved = ArmArrays("cheap", zero, part * float(strong @ other), zero, zero)
    stays = ArmArrays("strong", part * recorded, zero, zero, zero)
    stakes = [Stake("cheap", "cheap", SHARE, moved), Stake("strong", "strong", 1 - SHARE, stays)]
    found = outlook(worlds, worlds.recorded(part * recorded), stakes, None, None).total.saving
    same = 1 - float(strong @ other) / recorded
    truth.add(found, SHARE * (1 - float(cheap @ other) / recorded), SHARE * same, same)


# --- the files


def read_routerbench(shared_data: Path) -> tuple[Bench, pl.Series]:
    """RouterBench-Mini: cost and outcome of both models on each item, and the items' data sets."""
    rows = pl.read_csv(shared_data / "routing" / "routerbench_mini_v5_test_predictions.csv.gz")
    wide = (
        rows.filter(pl.col("strategy").is_in(["always_cheap", "always_strong"]))
        .pivot(
            on="strategy",
            index=["canonical_id", "dataset"],
            values=["cost", "correct", "prompt_tokens", "completion_tokens"],
        )
        .sort("canonical_id")
    )
    cost, solved = (
        wide.select(f"{name}_always_cheap", f"{name}_always_strong").to_numpy().T.astype(float)
        for name in ("cost", "correct")
    )
    counted = [
        wide.select(f"{name}_always_{arm}" for name in ("prompt_tokens", "completion_tokens")).to_numpy()
        for arm in ("cheap", "strong")
    ]
    # Both sell by the token: their prices follow from what they took. A price list knows the tokens of the strong one.
    price = [
        float((counted[1] @ np.linalg.lstsq(own, paid, rcond=None)[0]).mean())
        for own, paid in zip(counted, cost, strict=True)
    ]
    return Bench(np.array(price), cost, solved, np.zeros(wide.height, dtype=np.bool_)), wide["dataset"]


def read_routellm(shared_data: Path) -> tuple[Bench, pl.Series]:
    """RouteLLM's MMLU and GSM8K: outcomes of both models on each item, whose cost it does not have, and the items' subjects."""
    rows = pl.read_csv(shared_data / "routing" / "routellm_mmlu_gsm8k_pairs.csv.gz")
    solved = rows.select("mixtral_correct", "gpt4_correct").to_numpy().T.astype(float)
    nothing = np.ones_like(solved)
    return Bench(nothing.mean(axis=1), nothing, solved, np.zeros(rows.height, dtype=np.bool_)), rows["subject"]


def read_aider(shared_data: Path) -> Floats:
    """Tokens of prompts and of answers, one row per model: its last run of all exercises."""
    text = (shared_data / "leaderboards" / "aider_polyglot" / "2025-06-30.yml").read_text(encoding="utf-8")
    runs = [run for run in yaml.safe_load(text) if run.get("prompt_tokens") and run.get("completion_tokens")]
    last = {run["model"]: run for run in runs if run["test_cases"] == EXERCISES}
    return np.array([(run["prompt_tokens"], run["completion_tokens"]) for run in last.values()], dtype=float)


def shadow_study(shared_data: Path) -> dict[str, Judge]:
    """Shadow measurements on each benchmark."""
    swebench, (mini, _), (routellm, _) = (
        read_bench(shared_data), read_routerbench(shared_data), read_routellm(shared_data),
    )  # fmt: skip
    return {
        "SWE-bench": shadow_judge(swebench, _orders(swebench, 1)),
        "RouterBench-Mini": shadow_judge(mini, _orders(mini, SHADOW_RUNS)),
        "RouteLLM": shadow_judge(routellm, _orders(routellm, SHADOW_RUNS), has_cost=False),
    }


def loop_study(shared_data: Path) -> tuple[dict[str, float], dict[str, Judge]]:
    """Of each benchmark the spread that its models show, and its judge."""
    bench, tokens = read_bench(shared_data), read_aider(shared_data)
    factors = {
        "SWE-bench": np.log(bench.cost.mean(axis=1) / bench.price),
        "Aider": np.log(tokens @ np.array(PRICES["alike"])),
    }
    judges = {
        "SWE-bench": loop_of_swebench(bench, len(factors["Aider"])),
        "Aider": loop_of_aider(tokens, len(factors["SWE-bench"])),
    }
    return {name: spread(values) for name, values in factors.items()}, judges


def transfer_study(shared_data: Path) -> tuple[dict[str, float], dict[str, Judge]]:
    """The same, each data set judged from the others of its benchmark: those of 20 items or more."""
    _, _, solved, projects = outcomes(shared_data)
    mini, sets = read_routerbench(shared_data)
    routellm, subjects = read_routellm(shared_data)
    labelled = {
        "SWE-bench": (solved, pl.Series(projects)),
        "RouterBench-Mini": (mini.solved, sets),
        "RouteLLM": (routellm.solved, subjects),
    }
    spreads = {name: spread(moves(*known)) for name, known in labelled.items()}
    return spreads, {
        name: transfer_judge([case for of_set in by_label(*known).values() for case in of_set])
        for name, known in labelled.items()
    }


def judged_elsewhere(spreads: Mapping[str, float], judges: Mapping[str, Judge]) -> list[Held]:
    """Each benchmark at the spread that the others show."""
    return [Held(name, value, judge(value)) for name, judge in judges.items() for value in [learnt(spreads, name)]]


def table(shared_data: Path) -> Iterator[str]:
    """The figures as rows of Markdown."""
    yield "| learnt | judged on | value | cases | 95 % | 50 % | interval score: ours, same tokens or scores, single model |"
    yield "|---|---|---|---|---|---|---|"
    yield from _rows("shadow", left_out(evaluated(shadow_study(shared_data))))
    for name, study in (("loop", loop_study), ("transfer", transfer_study)):
        spreads, judges = study(shared_data)
        yield from _rows(name, judged_elsewhere(spreads, judges))
        shipped = learnt(spreads, "")
        yield from _rows(f"{name}, all together", [Held(one, shipped, judge(shipped)) for one, judge in judges.items()])


def _rows(study: str, held: Iterable[Held]) -> Iterator[str]:
    for one in held:
        for truth in one.truths:
            yield _row(study, one.benchmark, f"{one.value:.2g}", truth)


def _row(study: str, judged: str, value: str, truth: Truth) -> str:
    scores = (truth.score(), truth.score_of(truth.same_tokens), truth.score_of(truth.best_single))
    shown = ", ".join(f"{one:.2f}" for one in scores)
    return (
        f"| {study} | {judged} | {value} | {len(truth.truths)} | {truth.shown('95')} | {truth.shown('50')} | {shown} |"
    )


if __name__ == "__main__":
    for line in table(Path(__file__).parents[4] / "shared" / "data"):
        print(line, flush=True)
