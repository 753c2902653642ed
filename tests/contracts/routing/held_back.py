"""What ships, judged on a per-item file that nothing was learnt from: any models, any benchmark, under any names.

    python -m tests.contracts.routing.held_back FILE --item ID --model MODEL --score SOLVED [--cost USD] [--label PROJECT]

One row per item and model; or one per item, with a star where a name of `--score` and `--cost` has the model (`--score '*_correct'`). Several
columns can make up an item (`--item set,number`). Scores are from 0 to 1. Every ordered pair of models is projected as if only the second had run, by the widths of the `evidence.yaml` that ships and with nothing
learnt from the file: grade A from a shadow of SHADOWS items, judged on the others, and quality from the scores of all other labels (projects, subjects,
data sets), judged on each label of 20 items or more. A price list of tokens is in no such file, so grade C of savings is not judged.
"""

from __future__ import annotations

import argparse
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import polars as pl

from pipelines.config.evidence import Evidence
from pipelines.config.loader import load_file
from pipelines.routing.draws import Floats
from tests.contracts.routing.graded import SHADOWS, Bench, Graded, Truth, add, shadowed
from tests.contracts.routing.left_out import by_label, carried_over, large

CASES = 400
"""Pairs of models and labels that are projected at most, and shadows that are drawn at least: evenly spaced where there are more, drawn anew where
there are fewer."""
_Case = TypeVar("_Case")
_ID, _MODEL, _VALUE, _STAR = "item", "model", "value", "*"


class UnusableFileError(Exception):
    """The file can't be judged, in words for the person who named its columns."""


@dataclass(frozen=True)
class Items:
    """The items that every model answered: scores and cost (models x items, None where the file has none) and labels."""

    models: list[str]
    score: Floats
    cost: Floats | None
    labels: pl.Series | None


def read_items(path: Path, item: str, model: str | None, score: str, cost: str | None, label: str | None) -> Items:
    """The file's items by the names of its columns, of which several make up an `item` where commas part them. Raises UnusableFileError."""
    rows, keys = _read(path), item.split(",")
    wanted = [name for name in (*keys, model, score, cost, label) if name is not None and _STAR not in name]
    if lacking := [name for name in wanted if name not in rows.columns]:
        raise UnusableFileError(f"no column {', '.join(lacking)}; the file has {', '.join(rows.columns)}")
    rows = rows.with_columns(pl.concat_str(pl.col(keys).cast(pl.String), separator="\0").alias(_ID))
    scores = _wide(rows, model, score).drop_nulls()
    if scores.width < 3 or scores.height <= 2 * SHADOWS:
        found = f"{scores.height} items that all of {scores.width - 1} models answered"
        raise UnusableFileError(f"{found}: two models and more than {2 * SHADOWS} items are needed")
    solved = scores.drop(_ID).to_numpy().T.astype(float)
    if not ((solved >= 0) & (solved <= 1)).all():
        raise UnusableFileError(f"{score}: a score is not from 0 to 1")
    paid = None
    if cost is not None:
        costs = scores.select(_ID).join(_wide(rows, model, cost), on=_ID, how="left")
        if costs.select(pl.any_horizontal(pl.all().is_null()).any()).item():
            raise UnusableFileError(f"{cost}: an item has no cost on some model")
        paid = costs.select(scores.columns[1:]).to_numpy().T.astype(float)
    labels = None
    if label is not None:
        named = rows.select(_ID, pl.col(label).cast(pl.String).alias("label"))
        labels = scores.select(_ID).join(named.unique(_ID), on=_ID, how="left", maintain_order="left")["label"]
    return Items(scores.columns[1:], solved, paid, labels)


def _read(path: Path) -> pl.DataFrame:
    name = path.name.removesuffix(".gz").removesuffix(".zst")
    if name.endswith(".parquet"):
        return pl.read_parquet(path)
    return pl.read_ndjson(path) if name.endswith((".jsonl", ".ndjson")) else pl.read_csv(path, infer_schema_length=None)


def _wide(rows: pl.DataFrame, model: str | None, value: str) -> pl.DataFrame:
    """`value` by item and model, in the order of items."""
    if _STAR in value:
        pattern = re.compile(re.escape(value).replace(re.escape(_STAR), "(.+)"))
        columns = {name: found[1] for name in rows.columns if (found := pattern.fullmatch(name))}
        wide = rows.select(_ID, *(pl.col(name).cast(pl.Float64).alias(one) for name, one in columns.items()))
    elif model is None:
        raise UnusableFileError("name the column of models, or write a star where a column's name has the model")
    else:
        long = rows.select(
            _ID, pl.col(model).cast(pl.String).alias(_MODEL), pl.col(value).cast(pl.Float64).alias(_VALUE)
        )
        wide = long.pivot(on=_MODEL, index=_ID, values=_VALUE, aggregate_function="first")
    return wide.unique(_ID).sort(_ID)


def measured(items: Items) -> tuple[set[str], Truth | None, Truth]:
    """Shadows of SHADOWS items: the grades that the projections bear, the saving where the file has cost, and the quality kept."""
    cost = np.ones_like(items.score) if items.cost is None else items.cost
    bench = Bench(cost.mean(axis=1), cost, items.score, np.zeros(items.score.shape[1], dtype=np.bool_))
    pairs = _some(bench.pairs)
    found = Graded()
    for run in range(-(-CASES // 2 // len(pairs))):
        for cheap, strong in pairs:
            order = np.random.default_rng([cheap, strong, run]).permutation(items.score.shape[1])
            add(found, bench, cheap, strong, shadowed(bench, cheap, strong, order))
    return found.grades, None if items.cost is None else found.saving, found.quality


def scored_elsewhere(items: Items) -> Truth | None:
    """Quality on each label from the scores of all others, by the transfer that ships; None where fewer than two labels are large enough."""
    if items.labels is None or len(large(items.labels)) < 2:
        return None
    cases = list(itertools.chain.from_iterable(by_label(items.score, items.labels).values()))
    evidence = load_file(Evidence, "evidence.yaml", None)
    return carried_over(evidence.model_copy(update={"draws": 500}), _some(cases))


def _some(cases: Sequence[_Case]) -> list[_Case]:
    return list(cases[:: -(-len(cases) // CASES)])


def table(items: Items) -> Iterator[str]:
    """The figures as rows of Markdown."""
    yield f"{len(items.models)} models, {items.score.shape[1]} items that all of them answered: {', '.join(items.models)}"
    yield "| what is projected | cases | 95 % | 50 % | interval score: ours, same tokens or scores, single model |"
    yield "|---|---|---|---|---|"
    grades, saving, quality = measured(items)
    for name, truth in (
        (f"saving, {SHADOWS} shadow requests ({', '.join(sorted(grades))})", saving),
        (f"quality, {SHADOWS} shadow requests ({', '.join(sorted(grades))})", quality),
        ("quality, scores on the other labels (C)", scored_elsewhere(items)),
    ):
        if truth is not None:
            points = (truth.score(), truth.score_of(truth.same_tokens), truth.score_of(truth.best_single))
            shown = ", ".join(f"{one:.2f}" for one in points)
            yield f"| {name} | {len(truth.truths)} | {truth.shown('95')} | {truth.shown('50')} | {shown} |"


def main() -> None:
    """Judge the file named on the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.contracts.routing.held_back", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("file", type=Path)
    for name, is_needed in (("item", True), ("model", False), ("score", True), ("cost", False), ("label", False)):
        parser.add_argument(f"--{name}", required=is_needed, help=f"the column of the {name}")
    asked = parser.parse_args()
    try:
        items = read_items(asked.file, asked.item, asked.model, asked.score, asked.cost, asked.label)
    except UnusableFileError as error:
        parser.error(str(error))
    for line in table(items):
        print(line, flush=True)


if __name__ == "__main__":
    main()
