"""The projection held against what really happened: 500 issues that each of 14 models worked on, with cost and outcome.

Every ordered pair of models is projected as if only the second had run: the first one's cost and quality are hidden, what
is known of it is its price list and its score on other issues. Spreads are learnt from the other twelve models.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pipelines.config.evidence import Effect, Evidence, Transfer
from pipelines.routing.draws import ArmArrays, Floats, Group, Worlds
from pipelines.routing.outlook import Stake, outlook
from pipelines.routing.quality import Quality, Score
from pipelines.routing.strata import BUCKETS

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


@dataclass(frozen=True)
class Bench:
    """Cost and outcome, models x issues, of the projects whose results are public and of those that are hidden."""

    price: Floats
    cost: Floats
    seen: Floats
    hidden: Floats
    bucket: Floats


@pytest.fixture(scope="module")
def bench(shared_data: Path) -> Bench:
    rows = pl.read_csv(shared_data / "routing" / "swebench_bash_only_per_instance_2025-12-10.csv.gz")
    wide = {
        column: rows.pivot(on="model", index="instance_id", values=column).sort("instance_id").fill_null(0)
        for column in ("cost_usd", "resolved")
    }
    models = wide["cost_usd"].columns[1:]
    cost, solved = (wide[name].select(models).to_numpy().T.astype(float) for name in ("cost_usd", "resolved"))
    is_django = wide["resolved"]["instance_id"].str.starts_with("django").to_numpy()
    price = []
    for model in models:
        plain, cached, output = next(prices for name, prices in PRICES.items() if model.startswith(name))
        price.append(INPUT * plain + CACHED * cached + OUTPUT * output)
    bucket = np.random.default_rng(7).integers(0, BUCKETS, cost.shape[1])
    return Bench(np.array(price), cost, solved[:, is_django], solved[:, ~is_django], bucket)


def learnt(bench: Bench, others: list[int]) -> Evidence:
    """What the other models say of how far cost and price are apart, and scores on public and on hidden issues."""
    spread = float(np.std(np.log(bench.cost[others].mean(axis=1) / bench.price[others]), ddof=1))
    seen, hidden = ([score(solved[one]) for one in others] for solved in (bench.seen, bench.hidden))
    apart = np.var([one.logit - other.logit for one, other in zip(seen, hidden, strict=True)], ddof=1)
    known = np.mean([one.logit_se**2 for one in seen])
    return Evidence(
        effects=(Effect(measure="loop", log_sd=spread, n=len(others), grade="C", source="the other models"),),
        transfers=(Transfer(logit_sd=float(np.sqrt(max(apart - known, 0.0))), grade="B", source="the other models"),),
        agreement=0.5,
    )


def score(solved: Floats) -> Score:
    share, n = float(solved.mean()), len(solved)
    return Score(share, 1 / np.sqrt(n * share * (1 - share)))


def projected(bench: Bench, cheap: int, strong: int, evidence: Evidence) -> tuple[dict[str, float], dict[str, float]]:
    """Intervals of saving and of retained quality, from the log of the strong model alone."""
    names = [f"m{number}" for number in range(len(bench.price))]
    recorded = np.bincount(bench.bucket, weights=bench.cost[strong], minlength=BUCKETS)[None, :]
    requests = np.bincount(bench.bucket, minlength=BUCKETS)[None, :].astype(float)
    worlds = Worlds(evidence, [Group(names[strong], is_loop=True)], requests, {"issues": {names[strong]: 500}})
    zero = np.zeros_like(recorded)
    moved = ArmArrays(names[cheap], zero, recorded * bench.price[cheap] / bench.price[strong], zero, zero)
    stays = ArmArrays(names[strong], recorded, zero, zero, zero)
    stakes = [Stake("cheap", names[cheap], SHARE, moved), Stake("strong", names[strong], 1 - SHARE, stays)]
    quality = Quality("public", {names[one]: score(bench.seen[one]) for one in (cheap, strong)})
    found = outlook(worlds, worlds.recorded(recorded), stakes, quality, worlds.shares_solved(quality, names[strong]))
    assert found.total.saving is not None
    assert found.total.quality is not None
    return found.total.saving, found.total.quality


def interval_score(low: float, high: float, truth: float, level: float) -> float:
    """Gneiting and Raftery's: the width, and what lies outside times 2 over the level missed. Lower is better."""
    miss = max(low - truth, 0.0) + max(truth - high, 0.0)
    return high - low + 2 / (1 - level) * miss


def pairs(bench: Bench) -> list[tuple[int, int]]:
    return list(itertools.permutations(range(len(bench.price)), 2))


def true_saving(bench: Bench, cheap: int, strong: int) -> float:
    return 1 - (SHARE * bench.cost[cheap].mean() / bench.cost[strong].mean() + 1 - SHARE)


def true_quality(bench: Bench, cheap: int, strong: int) -> float:
    return SHARE * bench.hidden[cheap].mean() / bench.hidden[strong].mean() + 1 - SHARE


def covered(found: list[dict[str, float]], truths: list[float], level: str) -> float:
    inside = [one[f"low_{level}"] <= truth <= one[f"high_{level}"] for one, truth in zip(found, truths, strict=True)]
    return float(np.mean(inside))


def test_intervals_cover_what_happened_and_beat_what_the_trade_does(bench: Bench) -> None:
    savings, qualities, truths, kept, ours, same_tokens, best_single = [], [], [], [], [], [], []
    for cheap, strong in pairs(bench):
        others = [one for one in range(len(bench.price)) if one not in (cheap, strong)]
        saving, quality = projected(bench, cheap, strong, learnt(bench, others))
        savings.append(saving)
        qualities.append(quality)
        truths.append(true_saving(bench, cheap, strong))
        kept.append(true_quality(bench, cheap, strong))
        ours.append(interval_score(saving["low_95"], saving["high_95"], truths[-1], 0.95))
        point = 1 - (SHARE * bench.price[cheap] / bench.price[strong] + 1 - SHARE)
        same_tokens.append(interval_score(point, point, truths[-1], 0.95))
        single = 1 - bench.price[cheap] / bench.price[strong]
        best_single.append(interval_score(single, single, truths[-1], 0.95))
    assert 0.90 <= covered(savings, truths, "95") <= 0.99
    assert 0.45 <= covered(savings, truths, "50") <= 0.60
    assert 0.90 <= covered(qualities, kept, "95") <= 0.99
    assert 0.45 <= covered(qualities, kept, "50") <= 0.60
    assert np.mean(ours) < np.mean(same_tokens)
    assert np.mean(ours) < np.mean(best_single)
