"""Formats that publish outcomes per problem: `livecodebench`, `matharena` and `terminal_bench`.

The score is computed here, from the outcomes, and with it a standard error that counts problems and repeated trials
rightly. Only outcomes, tokens and costs are read; prompts and answers in the same files never are.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import orjson
import polars as pl

from pipelines.benchmarks.snapshot import (
    Benchmark,
    BoardSnapshot,
    Collector,
    RecordError,
    Traits,
    count,
    money,
    number,
    text,
)
from pipelines.landing import read_bytes

TRAITS = Traits(row_kind="entry")
_RUN_NAME = re.compile(r"^\d{4}-?\d{2}-?\d{2}_(?P<agent>[^_]+)_(?P<model>.+?)(?:\.json)?$")
_DATASET = re.compile(r"(terminal-bench[\w-]*)[@:]([\w.]+)")
_MATHARENA = ("problem_idx", "model_name", "correct", "input_tokens", "output_tokens", "cost", "source")


@dataclass
class _Entry:
    """What one model did: outcomes from 0 to 1 by problem, and what it took."""

    outcomes: dict[str, list[float]] = field(default_factory=dict)
    input_tokens: int = 0
    output_tokens: int = 0
    cost: Decimal | None = None

    def means(self) -> dict[str, float]:
        """Mean outcome over the trials of each problem."""
        return {item: float(np.mean(trials)) for item, trials in sorted(self.outcomes.items())}

    def row(self) -> dict[str, Any]:
        """Mean over problems in per cent. With one trial each the counts speak; else the spread of the problems' means.

        Var(means)/n holds both the choice of problems and the chance of the trials (Miller 2024, section 2.2).
        """
        means = np.array(list(self.means().values()))
        n, trials = means.size, max(len(item) for item in self.outcomes.values())
        solved = float(means.sum())
        is_count = trials == 1 and set(means.tolist()) <= {0.0, 1.0}
        spread = float(np.sqrt(means.var(ddof=1) / n)) if n > 1 and not is_count else 0.0
        return {
            "score": 100 * solved / n,
            "score_text": f"{100 * solved / n:.4f}",
            "n_items": n,
            "n_success": round(solved) if is_count else None,
            "n_trials": trials,
            "stderr": 100 * spread or None,
            "run_cost_usd": self.cost,
            "run_input_tokens": self.input_tokens or None,
            "run_output_tokens": self.output_tokens or None,
        }


def parse_livecodebench(into: Collector) -> BoardSnapshot:
    """Read `performances_generation.json`. Options `window_from` and `window_to` (days): the window decides the score."""
    start, end = (_day_option(into, name) for name in ("window_from", "window_to"))
    entries: dict[str, _Entry] = {}
    for item_no, record in enumerate(_records(into, "performances")):
        try:
            asked = datetime.fromtimestamp(number(record.get("date"), "date") / 1000, UTC).date()
            share = number(record.get("pass@1"), "pass@1") / 100
            if not 0 <= share <= 1:
                raise RecordError("out_of_range", f"pass@1 is {100 * share:g}: accepted are 0 to 100")
            entry = entries.setdefault(text(record.get("model"), "model"), _Entry())
            if (start is None or asked >= start) and (end is None or asked < end):
                entry.outcomes.setdefault(text(record.get("question_id"), "question_id"), []).append(share)
            into.valid += 1
        except RecordError as error:
            into.reject(item_no, error.reason, str(error), fields=_identity(record, ("model", "question_id", "date")))
    version = f"{start or 'first'}..{end or 'last'}"
    return _snapshot(into, "livecodebench", "LiveCodeBench", version, entries)


def parse_matharena(into: Collector) -> BoardSnapshot:
    """Read a MathArena output set (Parquet or JSON Lines). Option `benchmark` names the competition."""
    entries: dict[str, _Entry] = {}
    for item_no, record in enumerate(_matharena_records(into)):
        try:
            if not isinstance(record.get("correct"), bool):
                raise RecordError("missing_field", "correct is no true or false: sets graded in points are not read")
            entry = entries.setdefault(text(record.get("model_name"), "model_name"), _Entry())
            cost = money(record.get("cost"), "cost")
            entry.outcomes.setdefault(text(record.get("problem_idx"), "problem_idx"), []).append(
                float(record["correct"])
            )
            entry.input_tokens += count(record.get("input_tokens"), "input_tokens") or 0
            entry.output_tokens += count(record.get("output_tokens"), "output_tokens") or 0
            entry.cost = cost if entry.cost is None else entry.cost + (cost or 0)
            into.valid += 1
        except RecordError as error:
            into.reject(item_no, error.reason, str(error), fields=_identity(record, ("model_name", "problem_idx")))
    name = str(into.board.options.get("benchmark", into.board.board))
    return _snapshot(into, name, f"MathArena {name}", "1", entries)


def parse_terminal_bench(into: Collector) -> BoardSnapshot:
    """Read the `results.json` of one run, named `<date>_<agent>_<model>` (file or folder). The run is the scope."""
    match = next((m for part in reversed(into.file.landing_path.split("/")) if (m := _RUN_NAME.match(part))), None)
    if match is None:
        detail = "neither file nor folder is named <date>_<agent>_<model>, so the model is not known"
        into.reject(0, "unknown_model", detail, fields={"landing_path": into.file.landing_path})
        return into.snapshot(into.observation(TRAITS, ()))
    entry = _Entry()
    for item_no, record in enumerate(_records(into, "results")):
        try:
            if not isinstance(record.get("is_resolved"), bool):
                raise RecordError("missing_field", f"is_resolved is {record.get('is_resolved')!r}, not true or false")
            entry.outcomes.setdefault(text(record.get("task_id"), "task_id"), []).append(float(record["is_resolved"]))
            entry.input_tokens += count(record.get("total_input_tokens"), "total_input_tokens") or 0
            entry.output_tokens += count(record.get("total_output_tokens"), "total_output_tokens") or 0
            into.valid += 1
        except RecordError as error:
            into.reject(item_no, error.reason, str(error), fields=_identity(record, ("task_id", "trial_name")))
    dataset = _DATASET.search(into.file.landing_path) or _DATASET.search(into.file.url or "")
    version = dataset[2] if dataset else str(into.board.options.get("version", "unknown"))
    name = dataset[1] if dataset else "terminal-bench-core"
    scope = f"{match['agent']} {match['model']}"
    return _snapshot(into, name, name, version, {match["model"]: entry}, scope=scope, variant=match["agent"])


def _snapshot(
    into: Collector,
    benchmark_id: str,
    title: str,
    version: str,
    entries: Mapping[str, _Entry],
    *,
    scope: str = "",
    variant: str = "",
) -> BoardSnapshot:
    benchmark = Benchmark(benchmark_id, title, "accuracy", "percent", min_score=0, max_score=100)
    for model, entry in sorted(entries.items()):
        if not entry.outcomes:
            continue
        row = {
            "benchmark_id": benchmark_id,
            "version_label": version,
            "source_row_key": f"{model} {variant}".strip(),
            "raw_model": model,
            "variant": variant,
            **entry.row(),
            "measured_by": "independent",
            "as_of": into.as_of,
            "source_locator": f"/{model}",
        }
        into.rows.append(row)
        into.keep_items(row, entry.means())
    return into.snapshot(into.observation(TRAITS, (benchmark,), scope=scope))


def _records(into: Collector, key: str) -> Iterable[dict[str, Any]]:
    content = read_bytes(into.file)
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        into.reject(0, "not_json", f"the file is no JSON: {error}", record=content, span=(0, len(content)))
        return []
    records = document.get(key) if isinstance(document, dict) else None
    if not isinstance(records, list):
        into.reject(0, "wrong_shape", f"expected an object with {key} (a list)", record=content, span=(0, len(content)))
        return []
    return [record if isinstance(record, dict) else {} for record in records]


def _matharena_records(into: Collector) -> Iterable[dict[str, Any]]:
    content = read_bytes(into.file)
    try:
        if into.file.content_suffix == ".parquet":
            columns = [name for name in pl.read_parquet_schema(io.BytesIO(content)) if name in _MATHARENA]
            return pl.read_parquet(io.BytesIO(content), columns=columns).iter_rows(named=True)
        lines = [orjson.loads(line) for line in content.splitlines() if line.strip()]
    except (pl.exceptions.PolarsError, OSError, orjson.JSONDecodeError) as error:
        into.reject(0, "unreadable", f"neither Parquet nor JSON Lines: {error}", record=content, span=(0, len(content)))
        return []
    return [{name: line.get(name) for name in _MATHARENA} if isinstance(line, dict) else {} for line in lines]


def _identity(record: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: record.get(name) for name in names}


def _day_option(into: Collector, name: str) -> date | None:
    value = into.board.options.get(name)
    try:
        return None if value is None else date.fromisoformat(str(value))
    except ValueError:
        raise ValueError(
            f"leaderboard {into.board.board}: options.{name} is {value!r}: accepted is YYYY-MM-DD"
        ) from None
