"""The shape of EvalPlus and BigCodeBench: `{model: {"pass@1": {subset: percent or null}, ...}}`.

Both publish one entry per model and overwrite it when a model is run again. Subsets are versions: they have items of
their own. EvalPlus once named its columns otherwise (`pass@1_base`, `pass@1_plus`), which is read alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipelines.benchmarks.collector import Collector
from pipelines.benchmarks.fields import NO_SCORE, EntryError, numbers, shown_name
from pipelines.benchmarks.formats._tables import read_json, wrong_shape
from pipelines.benchmarks.observation import Benchmark, BoardSnapshot, Traits

SUBSETS = ("humaneval", "humaneval+", "mbpp", "mbpp+", "instruct", "complete")
"""Subsets known here: another one counts where it is a number, and is something else where it is text."""


def parse_subsets(
    into: Collector, benchmark_id: str, title: str, items: dict[str, int], traits: Traits
) -> BoardSnapshot:
    benchmark = Benchmark(benchmark_id, title, "accuracy", "percent", min_score=0, max_score=100)
    document = read_json(into)
    if document is not None and not isinstance(document, dict):
        wrong_shape(into, f"expected an object of models, found {type(document).__name__}")
        document = None
    for item_no, (model, entry) in enumerate((document or {}).items()):
        try:
            into.keep(*_rows(benchmark_id, (item_no, model), entry, items, into))
        except EntryError as error:
            into.reject(item_no, error.reason, str(error), fields={"model": model, "entry": entry})
    return into.snapshot(into.observation(traits, (benchmark,)))


def _rows(
    benchmark_id: str, place: tuple[int, str], entry: object, items: dict[str, int], into: Collector
) -> Iterator[dict[str, Any]]:
    if not isinstance(entry, dict):
        raise EntryError("wrong_shape", f"expected an object with pass@1, found {type(entry).__name__}")
    item_no, name = place[0], shown_name(place[1], "model")
    stated = {subset: value for subset, value in _scores(entry).items() if subset in SUBSETS or _is_number(value)}
    scores, broken = numbers(stated, most=100)
    if not scores:
        raise next(iter(broken.values()), EntryError(NO_SCORE, "it has no score"))
    into.reject_values(broken, item_no, model=name)
    for subset, score in scores.items():
        yield {
            "benchmark_id": benchmark_id,
            "version_label": subset,
            "source_row_key": name,
            "raw_model": name,
            "variant": "prompted" if entry.get("prompted") else "",
            "score": score,
            "score_text": str(stated[subset]),
            "n_items": items.get(subset),
            "n_trials": 1,
            "measured_by": "independent",
            "as_of": into.as_of,
            "source_locator": f"/{name}/{subset}",
        }


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _scores(entry: dict[str, Any]) -> dict[str, Any]:
    if isinstance(entry.get("pass@1"), dict):
        return dict(entry["pass@1"])
    base, plus = entry.get("pass@1_base"), entry.get("pass@1_plus")
    if not isinstance(base, dict) and not isinstance(plus, dict):
        raise EntryError("missing_field", "neither pass@1 nor pass@1_base is an object of scores")
    return dict(base or {}) | {f"{name}+": value for name, value in (plus or {}).items()}
