"""Format `every_eval_ever`: the EvalEval coalition's shared schema (`eval.schema.json`, 0.2 and 0.3), read.

One document holds one evaluation run of one model from one source, so its `evaluation_id` without the time is the scope.
The schema has no history: what it calls `retrieved_timestamp` becomes the instant of observation. How scores are written
in the schema is in `pipelines/benchmarks/shared_schema.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

import orjson

from pipelines.benchmarks.collector import Collector
from pipelines.benchmarks.fields import (
    EntryError,
    count,
    instant,
    is_blank,
    number,
    shown_name,
    stated_score,
    text,
    weights,
    within,
)
from pipelines.benchmarks.formats._tables import read_json
from pipelines.benchmarks.observation import Benchmark, BoardSnapshot, Observation, Traits
from pipelines.landing import read_bytes
from pipelines.outside import worded

TRAITS = Traits(row_kind="entry")
_MEASURED_BY = {
    "first_party": "vendor",
    "third_party": "independent",
    "collaborative": "vendor",
    "other": "aggregator",
}


def parse(into: Collector) -> BoardSnapshot:
    """Read one document, or a list of them, or JSON Lines."""
    observations: list[Observation] = []
    for line, document in _documents(into):
        part = Collector(into.file, into.board)
        try:
            benchmarks, scope, at = _document(document, part)
        except EntryError as error:
            into.reject(len(observations), error.reason, str(error), line_no=line, fields=_identity(document))
            continue
        into.valid += part.valid
        into.rejected.extend(part.rejected)
        observations.append(part.observation(TRAITS, benchmarks, scope=scope, observed_at=at))
    return into.snapshot(*observations)


def _documents(into: Collector) -> Iterator[tuple[int, Any]]:
    if into.file.content_suffix not in (".jsonl", ".ndjson"):
        document = read_json(into)
        if document is not None:
            yield from ((1, item) for item in (document if isinstance(document, list) else [document]))
        return
    for line, piece in enumerate(read_bytes(into.file).splitlines(), start=1):
        if not piece.strip():
            continue
        try:
            document = orjson.loads(piece)
        except orjson.JSONDecodeError as error:
            into.reject(0, "not_json", f"no JSON: {worded(error)}", record=piece, line_no=line)
            continue
        yield from ((line, item) for item in (document if isinstance(document, list) else [document]))


def _document(document: Any, part: Collector) -> tuple[tuple[Benchmark, ...], str, datetime]:  # noqa: ANN401
    if not isinstance(document, dict) or not isinstance(document.get("evaluation_results"), list):
        raise EntryError("wrong_shape", "expected an object with model_info, source_metadata and evaluation_results")
    model, source = _part(document, "model_info"), _part(document, "source_metadata")
    name = shown_name(model.get("name") or model.get("id"), "model_info.name")
    organisation = str(source.get("source_name") or source.get("source_organization_name") or "")
    benchmarks: dict[str, Benchmark] = {}
    for item_no, result in enumerate(document["evaluation_results"]):
        try:
            benchmark, row = _result(document, result, name, part)
            part.keep(row)
            benchmarks.setdefault(benchmark.benchmark_id, benchmark)
        except EntryError as error:
            fields = (
                {"model": name, "evaluation_name": result.get("evaluation_name")} if isinstance(result, dict) else {}
            )
            part.reject(item_no, error.reason, str(error), fields=fields)
    run = str(document.get("evaluation_id") or "").rpartition("/")[0] or str(model.get("id") or name)
    return tuple(benchmarks.values()), f"{organisation} {run}".strip(), _retrieved(document) or part.file.observed_at


def _part(record: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """An object inside the record; an empty one where it is absent or something else."""
    found = record.get(name)
    return found if isinstance(found, Mapping) else {}


def _result(
    document: Mapping[str, Any], result: object, name: str, part: Collector
) -> tuple[Benchmark, dict[str, Any]]:
    if not isinstance(result, dict):
        raise EntryError("wrong_shape", f"expected an evaluation result, found {type(result).__name__}")
    metric = _part(result, "metric_config")
    benchmark, scale = _benchmark(text(result.get("evaluation_name"), "evaluation_name"), metric)
    details, library = _part(result, "score_details"), _part(document, "eval_library")
    stated = number(stated_score(details, ("score",)), "score")
    score = scale * (within(stated, "score", 1) if scale != 1 else stated)
    spread, setting = _part(details, "uncertainty"), _part(_part(result, "generation_config"), "additional_details")
    interval, error = _part(spread, "confidence_interval"), _part(spread, "standard_error").get("value")
    has_bounds = not is_blank(interval.get("lower")) and not is_blank(interval.get("upper"))
    relationship = str(_part(document, "source_metadata").get("evaluator_relationship") or "other")
    version = _part(_part(result, "source_data"), "additional_details").get("version") or library.get("version")
    variant = str(setting.get("variant") or "")
    harness = " ".join(
        str(library[key]) for key in ("name", "version") if library.get(key) not in (None, "", "unknown")
    )
    return benchmark, {
        "benchmark_id": benchmark.benchmark_id,
        "version_label": str(version or "unknown"),
        "source_row_key": f"{name} {variant}".strip(),
        "raw_model": name,
        "variant": variant,
        "score": score,
        "score_text": str(details["score"]),
        "n_items": count(spread.get("num_samples"), "num_samples"),
        "stderr": None if is_blank(error) or not error else scale * number(error, "standard_error"),
        "ci_low": scale * number(interval["lower"], "lower") if has_bounds else None,
        "ci_high": scale * number(interval["upper"], "upper") if has_bounds else None,
        "ci_level": _level(interval.get("confidence_level")) if has_bounds else None,
        "ci_method": "reported" if has_bounds else "none",
        "measured_by": _MEASURED_BY.get(relationship, "aggregator"),
        "as_of": _evaluated(result.get("evaluation_timestamp") or document.get("evaluation_timestamp")) or part.as_of,
        "source_locator": f"/{document.get('evaluation_id', '')}/{benchmark.benchmark_id}",
        "harness": harness or None,
        "weights": weights(_part(_part(document, "model_info"), "additional_details").get("model_availability")),
    }


def _benchmark(evaluation: str, metric: Mapping[str, Any]) -> tuple[Benchmark, float]:
    """The benchmark that a result names, with its metric where the result names one, and the factor to per cent of shares."""
    low, high = (_bound(metric.get(name), name) for name in ("min_score", "max_score"))
    is_share = low == 0 and high == 1
    scale = 100.0 if is_share else 1.0
    named = str(metric.get("metric_id") or metric.get("metric_name") or "")
    full = (
        f"{evaluation} {named}"
        if named and named.lower() not in ("accuracy", "score", evaluation.lower())
        else evaluation
    )
    benchmark = Benchmark(
        benchmark_id=full.lower().replace(" ", "_"),
        display_name=str(metric.get("evaluation_description") or full),
        metric_kind=str(metric.get("metric_kind") or "accuracy"),
        unit="percent" if is_share or high == 100 else str(metric.get("metric_unit") or "points"),
        lower_is_better=metric.get("lower_is_better") is True,
        min_score=None if low is None else scale * low,
        max_score=None if high is None else scale * high,
    )
    return benchmark, scale


def _level(value: object) -> float:
    """Level of an interval as a share: 0.95, also where it is written 95; 0.95 where it is not stated."""
    level = number(value or 0.95, "confidence_level")
    share = level / 100 if level > 1 else level
    if not 0 < share < 1:
        raise EntryError("out_of_range", f"confidence_level is {value!r}: accepted are shares between 0 and 1")
    return share


def _bound(value: object, name: str) -> float | None:
    """Least or greatest score; none where there is no such, which 0.3 may write as null or as -Infinity."""
    return None if value is None or str(value).lstrip("-") == "Infinity" else number(value, name)


def _retrieved(document: Mapping[str, Any]) -> datetime | None:
    """`retrieved_timestamp`: seconds since 1970 as text, or ISO 8601."""
    value = document.get("retrieved_timestamp")
    try:
        return None if value is None else datetime.fromtimestamp(float(value), UTC)
    except (ValueError, TypeError, OverflowError, OSError):
        pass
    try:
        return instant(str(value))
    except ValueError:
        raise EntryError("not_a_date", f"retrieved_timestamp is {value!r}: accepted are seconds or ISO 8601") from None


def _evaluated(value: object) -> date | None:
    """Day of an evaluation: ISO 8601, or seconds since 1970; None if it is not given so."""
    try:
        return None if value is None else instant(str(value)).date()
    except ValueError:
        pass
    try:
        return datetime.fromtimestamp(float(str(value)), UTC).date()
    except (ValueError, OverflowError, OSError):
        return None


def _identity(document: object) -> dict[str, Any]:
    return {"evaluation_id": str(document.get("evaluation_id"))} if isinstance(document, dict) else {}
