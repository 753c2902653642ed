"""Formats that publish outcomes per problem: `livecodebench`, `matharena` and `terminal_bench`.

The score is computed here, from the outcomes, and with it a standard error that counts problems and repeated trials
rightly. Only outcomes, tokens and costs are read; prompts and answers in the same files never are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import orjson

from pipelines.benchmarks.fields import BoardOptionsError, RecordError, count, is_blank, money, number, text, within
from pipelines.benchmarks.formats._entries import Entry
from pipelines.benchmarks.formats._tables import read_json, read_parquet, wrong_shape
from pipelines.benchmarks.formats._terminal_bench_site import is_site_list, parse_site_list
from pipelines.benchmarks.observation import Benchmark, BoardSnapshot, Collector, Traits
from pipelines.landing import read_bytes
from pipelines.outside import worded

TRAITS = Traits(row_kind="entry")
_RUN_NAME = re.compile(r"^\d{4}-?\d{2}-?\d{2}_(?P<agent>[^_]+)_(?P<model>.+?)(?:\.json)?$")
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_DATASET = re.compile(r"(terminal-bench[\w-]*)[@:]([\w.]+)")
_MATHARENA = ("problem_idx", "model_name", "correct", "input_tokens", "output_tokens", "cost", "source")


def parse_livecodebench(into: Collector) -> BoardSnapshot:
    """Read `performances_generation.json`. Options `window_from` and `window_to` (days): the window decides the score."""
    start, end = (_day_option(into, name) for name in ("window_from", "window_to"))
    entries: dict[str, Entry] = {}
    for item_no, record in enumerate(_records(into, "performances")):
        try:
            asked = _asked(record.get("date"))
            shown = record.get("pass@1")
            percent = None if is_blank(shown) else within(number(shown, "pass@1"), "pass@1", 100)
            entry = entries.setdefault(text(record.get("model"), "model"), Entry())
            if (start is None or asked >= start) and (end is None or asked < end):
                entry.add(text(record.get("question_id"), "question_id"), None if percent is None else percent / 100)
            into.count_valid()
        except RecordError as error:
            into.reject(item_no, error.reason, str(error), fields=_identity(record, ("model", "question_id", "date")))
    version = f"{start or 'first'}..{end or 'last'}"
    return _snapshot(into, "livecodebench", "LiveCodeBench", version, entries)


def parse_matharena(into: Collector) -> BoardSnapshot:
    """Read a MathArena output set (Parquet or JSON Lines). Option `benchmark` names the competition."""
    entries: dict[str, Entry] = {}
    for item_no, record in enumerate(_matharena_records(into)):
        try:
            outcome = _outcome(record.get("correct"), "correct")
            entry = entries.setdefault(text(record.get("model_name"), "model_name"), Entry())
            cost = money(record.get("cost"), "cost")
            entry.add(text(record.get("problem_idx"), "problem_idx"), outcome)
            entry.input_tokens += count(record.get("input_tokens"), "input_tokens") or 0
            entry.output_tokens += count(record.get("output_tokens"), "output_tokens") or 0
            entry.spend(cost)
            into.count_valid()
        except RecordError as error:
            into.reject(item_no, error.reason, str(error), fields=_identity(record, ("model_name", "problem_idx")))
    name = str(into.board.options.get("benchmark", into.board.board))
    return _snapshot(into, name, f"MathArena {name}", "1", entries)


def parse_terminal_bench(into: Collector) -> BoardSnapshot:
    """Read the `results.json` of one run, named `<date>_<agent>_<model>` (file or folder), or the site's list of runs.

    What is named so is a submission, agent and model its scope; the runs in its folder are trials of one score. The
    site's list (`{rows: [{metadata, metrics}]}`) is a scope of its own, and needs option `version`.
    """
    if is_site_list(into):
        return parse_site_list(into)
    parts = into.file.landing_path.split("/")
    place, match = next(((n, m) for n in reversed(range(len(parts))) if (m := _RUN_NAME.match(parts[n]))), (0, None))
    if match is None:
        detail = "neither file nor folder is named <date>_<agent>_<model>, so the model is not known"
        into.reject(0, "unknown_model", detail, fields={"landing_path": into.file.landing_path})
        return into.snapshot(into.observation(TRAITS, ()))
    entry, records = Entry(), list(_records(into, "results"))
    unsolved = _unsolved_without_outcome(records, into)
    for item_no, record in enumerate(records):
        try:
            outcome = _outcome(record.get("is_resolved"), "is_resolved")
            entry.add(text(record.get("task_id"), "task_id"), unsolved if outcome is None else outcome)
            entry.input_tokens += count(record.get("total_input_tokens"), "total_input_tokens") or 0
            entry.output_tokens += count(record.get("total_output_tokens"), "total_output_tokens") or 0
            into.count_valid()
        except RecordError as error:
            into.reject(item_no, error.reason, str(error), fields=_identity(record, ("task_id", "trial_name")))
    dataset = _DATASET.search(into.file.landing_path) or _DATASET.search(into.file.url or "")
    version = dataset[2] if dataset else str(into.board.options.get("version", "unknown"))
    name = dataset[1] if dataset else "terminal-bench-core"
    scope = f"{match['agent']} {match['model']}"
    snapshot = _snapshot(into, name, name, version, {match["model"]: entry}, scope=scope, variant=match["agent"])
    run_id = "/".join(parts[place + 1 :])  # empty for a submission that is one file
    observations = tuple(replace(item, submission=match[0], run_id=run_id) for item in snapshot.observations)
    return replace(snapshot, observations=observations)


def _unsolved_without_outcome(records: Iterable[Mapping[str, Any]], into: Collector) -> float | None:
    """What a trial without an outcome counts as: 0 where the file's own accuracy counts such trials as unsolved."""
    outcomes = [record.get("is_resolved") for record in records]
    known = [value for value in outcomes if not is_blank(value)]
    document = read_json(into)
    stated = document.get("accuracy") if isinstance(document, dict) else None
    if len(known) == len(outcomes) or isinstance(stated, bool) or not isinstance(stated, (int, float)):
        return None
    solved = sum(value is True or value == 1 for value in known)
    over_all, over_known = (abs(stated - solved / max(n, 1)) for n in (len(outcomes), len(known)))
    return 0.0 if over_all < over_known else None


def _snapshot(
    into: Collector,
    benchmark_id: str,
    title: str,
    version: str,
    entries: Mapping[str, Entry],
    *,
    scope: str = "",
    variant: str = "",
) -> BoardSnapshot:
    benchmark = Benchmark(benchmark_id, title, "accuracy", "percent", min_score=0, max_score=100)
    for model, entry in sorted(entries.items()):
        named = {
            "benchmark_id": benchmark_id,
            "version_label": version,
            "source_row_key": f"{model} {variant}".strip(),
            "raw_model": model,
            "variant": variant,
            "measured_by": "independent",
            "as_of": into.as_of,
            "source_locator": f"/{model}",
            "harness": variant or None,
        }
        entry.keep(named, into)
    return into.snapshot(into.observation(TRAITS, (benchmark,), scope=scope))


def _records(into: Collector, key: str) -> Iterable[dict[str, Any]]:
    document = read_json(into)
    if document is None:
        return []
    records = document.get(key) if isinstance(document, dict) else None
    if not isinstance(records, list):
        wrong_shape(into, f"expected an object with {key} (a list)")
        return []
    return [record if isinstance(record, dict) else {} for record in records]


def _matharena_records(into: Collector) -> Iterable[dict[str, Any]]:
    if into.file.content_suffix == ".parquet":
        return read_parquet(into, _MATHARENA)
    found = []
    for line_no, line in enumerate(read_bytes(into.file).splitlines(), start=1):
        try:
            record = orjson.loads(line) if line.strip() else None
        except orjson.JSONDecodeError as error:
            into.reject(0, "not_json", f"the line is no JSON: {worded(error)}", record=line, line_no=line_no)
            continue
        if record is not None:
            found.append({name: record.get(name) for name in _MATHARENA} if isinstance(record, dict) else {})
    return found


def _outcome(value: object, name: str) -> float | None:
    """Solved or not: true, false, 1 or 0; None for a trial without an outcome."""
    if is_blank(value):
        return None
    if not isinstance(value, (bool, int, float)) or value not in (0, 1):
        raise RecordError(
            "missing_field", f"{name} is {value!r}, not true or false: sets graded in points are not read"
        )
    return float(value)


def _identity(record: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: record.get(name) for name in names}


def _asked(value: object) -> date:
    """Day of a problem: milliseconds since 1970, or ISO 8601."""
    if isinstance(value, str) and (found := _ISO_DAY.match(value)):
        return date.fromisoformat(found[0])
    try:
        return datetime.fromtimestamp(number(value, "date") / 1000, UTC).date()
    except (ValueError, OverflowError, OSError) as error:
        if isinstance(error, RecordError):
            raise
        raise RecordError(
            "not_a_date", f"date is {value!r}: accepted are milliseconds since 1970, or YYYY-MM-DD"
        ) from None


def _day_option(into: Collector, name: str) -> date | None:
    value = into.board.options.get(name)
    try:
        return None if value is None else date.fromisoformat(str(value))
    except ValueError:
        raise BoardOptionsError(
            f"leaderboard {into.board.board}: options.{name} is {value!r}: accepted is YYYY-MM-DD"
        ) from None
