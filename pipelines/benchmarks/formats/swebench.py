"""Format `swebench`: SWE-bench's `leaderboards.json`, `{leaderboards: [{name, results: [{folder, resolved ...}]}]}`.

Each board (Verified, Lite, Test, Multimodal, bash-only) is a benchmark of its own; `folder` identifies a submission, whose
share of resolved issues is stated with its day and, on bash-only, its cost and its outcome per issue.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from pipelines.benchmarks.collector import Collector
from pipelines.benchmarks.fields import EntryError, day, money, number, shown_name, stated_score, text, weights
from pipelines.benchmarks.formats._tables import read_json, wrong_shape
from pipelines.benchmarks.observation import Benchmark, BoardSnapshot, Traits

TRAITS = Traits(row_kind="run", primary_version="verified")
N_ITEMS = {"verified": 500, "lite": 300, "test": 2294, "multimodal": 517, "bash-only": 500, "multilingual": 300}
"""Issues per board, as the benchmark's site gives them."""

TOLERANCE = 0.1
"""Percentage points by which a stated share may miss its own per-issue records."""


def parse(into: Collector) -> BoardSnapshot:
    """Read one export; a submission that lacks its score is quarantined."""
    names: list[str] = []
    for item_no, (board, result) in enumerate(_results(into)):
        if board not in names:
            names.append(board)
        try:
            row = _row(board, result, into)
            into.keep(row)
        except EntryError as error:
            fields = {key: result[key] for key in ("name", "folder", "resolved", "date") if key in result}
            into.reject(item_no, error.reason, str(error), fields={"board": board, **fields})
            continue
        _check_instances(row, result, into)
    benchmarks = tuple(
        Benchmark(_benchmark_id(name), f"SWE-bench {name}", "accuracy", "percent", min_score=0, max_score=100)
        for name in names
    )
    return into.snapshot(into.observation(TRAITS, benchmarks))


def _results(into: Collector) -> Iterator[tuple[str, dict[str, Any]]]:
    document = read_json(into)
    if document is None:
        return
    boards = document.get("leaderboards") if isinstance(document, dict) else None
    if not isinstance(boards, list):
        wrong_shape(into, "expected an object with leaderboards (a list)")
        return
    for board in boards:
        name = str(board.get("name", "")).lower() if isinstance(board, dict) else ""
        results = board.get("results") if isinstance(board, dict) else None
        if not name or not isinstance(results, list):
            into.reject(0, "wrong_shape", "a leaderboard has no name or no list of results", fields={"board": name})
            continue
        for result in results:
            yield name, result if isinstance(result, dict) else {"item": result}


def _row(board: str, result: dict[str, Any], into: Collector) -> dict[str, Any]:
    resolved = number(stated_score(result, ("resolved",)), "resolved")
    if not 0 <= resolved <= 100:
        raise EntryError("out_of_range", f"resolved is {resolved}: accepted are 0 to 100")
    tags = [str(tag) for tag in result["tags"]] if isinstance(result.get("tags"), list) else []
    models = [tag.removeprefix("Model: ") for tag in tags if tag.startswith("Model: ")]
    attempts = [tag.removeprefix("System: ").lower() for tag in tags if tag.startswith("System: ")]
    version, effort = result.get("mini-swe-agent_version"), result.get("reasoning_effort")
    key, name = text(result.get("folder"), "folder"), shown_name(result.get("name"), "name")
    return {
        "benchmark_id": _benchmark_id(board),
        "version_label": board,
        "source_row_key": key,
        "raw_model": name,
        "model_name": _model(models, name, board),
        "variant": ", ".join([*attempts, *([f"effort {effort}"] if effort else [])]),
        "score": resolved,
        "score_text": str(result["resolved"]),
        "n_items": N_ITEMS.get(board),
        "n_trials": 1 if attempts == ["attempts - 1"] else None,
        "run_cost_usd": money(result.get("cost"), "cost"),
        "measured_by": "independent" if board == "bash-only" else "community",
        "as_of": _day(result.get("date")) or into.as_of,
        "source_locator": f"/{board}/{key}",
        "weights": weights(result.get("os_model")),
        "harness": f"mini-swe-agent {version}" if version else str(result.get("agent") or "") or None,
    }


def _model(models: list[str], name: str, board: str) -> str:
    """The one model that a submission runs on; none where it names several or none: its own name is that of an agent.

    On bash-only every entry is a model in the same agent, and is named after it.
    """
    if len(models) == 1:
        return models[0].rsplit("/", 1)[-1]
    return name if board == "bash-only" and not models else ""


def _check_instances(row: dict[str, Any], result: dict[str, Any], into: Collector) -> None:
    """The stated share must follow from the submission's own outcomes per issue, where it gives them."""
    details = result.get("per_instance_details")
    if not isinstance(details, dict) or not details:
        return
    resolved = {str(issue): item.get("resolved") if isinstance(item, dict) else None for issue, item in details.items()}
    outcomes = {issue: float(value) for issue, value in resolved.items() if isinstance(value, (bool, int))}
    solved = sum(1 for outcome in outcomes.values() if outcome)
    total = max(row["n_items"] or 0, len(details))
    implied = 100 * solved / total
    is_contradicted = abs(implied - row["score"]) > TOLERANCE
    missing = sorted(set(resolved) - set(outcomes))
    if missing and not is_contradicted:  # the stated share counts what has no outcome as unsolved
        outcomes |= dict.fromkeys(missing, 0.0)
    elif missing:
        into.lacks(row, missing, len(details))
    into.keep_items(row, outcomes)
    if is_contradicted:
        detail = f"resolved is {row['score']:g} but its own records have {solved} of {total} issues, {implied:.1f}"
        into.contradict(row, implied=implied, detail=detail)


def _benchmark_id(board: str) -> str:
    return f"swebench_{board.replace('-', '_').replace(' ', '_')}"


def _day(value: object) -> date | None:
    try:
        return day(value, "date")
    except EntryError:
        return None
