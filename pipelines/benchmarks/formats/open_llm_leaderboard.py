"""The Open LLM Leaderboard, retired in March 2025: one wide table of models by benchmarks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pipelines.benchmarks.collector import Collector
from pipelines.benchmarks.fields import NO_SCORE, EntryError, day, numbers, shown_name, text
from pipelines.benchmarks.formats._tables import read_json, read_parquet, read_table, wrong_shape
from pipelines.benchmarks.observation import Benchmark, BoardSnapshot, Traits

COLUMNS = {
    "Average": "average", "IFEval": "ifeval", "BBH": "bbh", "MATH Lvl 5": "math_lvl_5", "GPQA": "gpqa",
    "MUSR": "musr", "MMLU-PRO": "mmlu_pro",
}  # fmt: skip
"""Columns that are scores, without the signs that the site puts behind them (`Average ⬆️`)."""
FIRST_COLUMNS = {
    "Average": "average", "ARC": "arc", "HellaSwag": "hellaswag", "MMLU": "mmlu", "TruthfulQA": "truthfulqa",
    "Winogrande": "winogrande", "GSM8K": "gsm8k", "DROP": "drop",
}  # fmt: skip
"""The same of the board's first version, until June 2024: its average is one of other benchmarks."""
_ONLY_FIRST, _ONLY_SECOND = FIRST_COLUMNS.keys() - COLUMNS.keys(), COLUMNS.keys() - FIRST_COLUMNS.keys()
_MODEL_LINK = re.compile(r">([^<>]+)</a>")


def parse(into: Collector) -> BoardSnapshot:
    """Read the Open LLM Leaderboard, retired in March 2025: its contents as Parquet, CSV or JSON, or its API's answer."""
    for item_no, (line, record) in enumerate(_records(into)):
        try:
            into.keep(*_rows(record, into, item_no, line))
        except EntryError as error:
            fields = {name: record.get(name) for name in ("eval_name", "fullname")}
            into.reject(item_no, error.reason, str(error), fields=fields, line_no=line)
    benchmarks = tuple(
        Benchmark(
            f"open_llm_{name}", f"{title} (Open LLM Leaderboard)", "accuracy", "percent", min_score=0, max_score=100
        )
        for title, name in {**COLUMNS, **FIRST_COLUMNS}.items()
        if any(row["benchmark_id"] == f"open_llm_{name}" for row in into.rows)
    )
    primary = next((row["version_label"] for row in into.rows), "v2")
    return into.snapshot(into.observation(Traits(row_kind="run", primary_version=primary), benchmarks))


def _records(into: Collector) -> Iterator[tuple[int, dict[str, Any]]]:
    if into.file.content_suffix == ".csv":
        records: Iterable[tuple[int, Any]] = read_table(into)
    elif into.file.content_suffix == ".parquet":
        records = ((1, record) for record in read_parquet(into))
    else:
        document = read_json(into)
        if document is None:
            return
        if not isinstance(document, list):
            wrong_shape(into, "expected a list of models")
            return
        records = ((1, record) for record in document)
    for line, record in records:
        plain = (
            {re.sub(r"[^\w\s()#-]", "", str(name)).strip(): value for name, value in record.items()}
            if isinstance(record, dict)
            else {}
        )
        yield line, _of_the_api(plain) if isinstance(plain.get("evaluations"), dict) else plain


def _of_the_api(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record of the site's API, `{id, model: {name, precision}, evaluations: {bbh: {normalized_score}}}`, under the
    names of the contents' columns."""
    model, metadata = (record[name] if isinstance(record.get(name), dict) else {} for name in ("model", "metadata"))
    scores = {str(name): value for name, value in record["evaluations"].items() if isinstance(value, dict)}
    api = {"math": "math_lvl_5", "math_lvl_5": "math_lvl_5"}
    named = {api.get(name, name): value.get("normalized_score") for name, value in scores.items()}
    return {
        "eval_name": record.get("id"),
        "fullname": model.get("name"),
        "Precision": model.get("precision"),
        "Submission Date": metadata.get("submission_date"),
        "Average": model.get("average_score"),
        **{title: named[name] for title, name in COLUMNS.items() if named.get(name) is not None},
    }


def _rows(record: Mapping[str, Any], into: Collector, item_no: int, line: int) -> list[dict[str, Any]]:
    shown = str(record.get("fullname") or record.get("Model") or "")
    name = shown_name(match[1] if (match := _MODEL_LINK.search(shown)) else shown, "fullname")
    key = text(record.get("eval_name") or f"{name} {record.get('Precision') or ''}", "eval_name")
    is_first = not record.keys().isdisjoint(_ONLY_FIRST) and record.keys().isdisjoint(_ONLY_SECOND)
    columns, version = (FIRST_COLUMNS, "v1") if is_first else (COLUMNS, "v2")
    scores, broken = numbers({title: record.get(title) for title in columns})
    if not scores:
        raise next(iter(broken.values()), None) or EntryError(NO_SCORE, f"none of {', '.join(columns)} has a value")
    into.reject_values(broken, item_no, line_no=line, model=name)
    return [
        {
            "benchmark_id": f"open_llm_{columns[title]}",
            "version_label": version,
            "source_row_key": key,
            "raw_model": name,
            "variant": str(record.get("Precision") or ""),
            "score": score,
            "score_text": str(record[title]),
            "measured_by": "independent",
            "as_of": day(record.get("Submission Date"), "Submission Date") or into.as_of,
            "source_locator": f"/{key}/{title}",
            "harness": "lm-evaluation-harness",
            "weights": "open",
        }
        for title, score in scores.items()
    ]
