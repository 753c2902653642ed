"""Format `aider`: a YAML list of runs, as in Aider's `polyglot_leaderboard.yml` and its siblings for editing and refactoring.

`dirname` identifies a run. It gives the share solved in the first and within the second try (refactoring has one try),
from counts of test cases, with cost, tokens and edit format. The two tries are versions of one benchmark: they share items and can't be compared with each other.
"""

from __future__ import annotations

from typing import Any

import yaml

from pipelines.benchmarks.collector import Collector
from pipelines.benchmarks.fields import NO_SCORE, EntryError, count, day, money, number, numbers, shown_name, text
from pipelines.benchmarks.observation import Benchmark, BoardSnapshot, Traits
from pipelines.landing import read_bytes
from pipelines.outside import worded

TRAITS = Traits(row_kind="run", primary_version="pass_rate_2")
TRIES = (1, 2)
MIN_RUNS = 4
"""Runs from which on what all but one have in common says something of that one."""
TOLERANCE = 0.1
"""Percentage points by which a stated rate may miss its own counts: the export writes one decimal, at times cut off."""
OPTIONS = ("benchmark", "display_name")


def parse(into: Collector) -> BoardSnapshot:
    """Read one export. Option: `benchmark` (id, default the board's name)."""
    benchmark = Benchmark(
        benchmark_id=str(into.board.options.get("benchmark", into.board.board)),
        display_name=str(into.board.options.get("display_name", into.board.board.replace("_", " ").capitalize())),
        metric_kind="accuracy",
        unit="percent",
        min_score=0,
        max_score=100,
    )
    runs = _runs(read_bytes(into.file), into)
    lacks = _lacks_at_the_end([run for _, run in runs])
    for item_no, (line_no, run) in enumerate(runs):
        try:
            if not isinstance(run, dict):
                raise EntryError(
                    "wrong_shape", f"expected a run with dirname and pass_rate, found {type(run).__name__}"
                )
            if len(lacks) > 1 and item_no == len(runs) - 1:
                missing = ", ".join(lacks)
                raise EntryError(
                    "wrong_shape", f"the last run lacks {missing}, which every other has: the file is cut off"
                )
            stated = {f"pass_rate_{attempt}": run.get(f"pass_rate_{attempt}") for attempt in TRIES}
            rates, broken = numbers(stated, most=100)
            if not rates:
                raise next(iter(broken.values()), EntryError(NO_SCORE, "it has no pass_rate"))
            into.reject_values(broken, item_no, line_no=line_no, dirname=run.get("dirname"))
            tries = [attempt for attempt in TRIES if f"pass_rate_{attempt}" in rates]
            rows = [_row(benchmark.benchmark_id, attempt, run, item_no, into) for attempt in tries]
            into.keep(*rows)
        except EntryError as error:
            fields = run if isinstance(run, dict) else {"item": run}
            into.reject(item_no, error.reason, str(error), fields=fields, line_no=line_no)
            continue
        for attempt, row in zip(tries, rows, strict=True):
            _check_counts(attempt, row, run, into)
    into.is_cut_off = bool(lacks)
    return into.snapshot(into.observation(TRAITS, (benchmark,)))


def _runs(content: bytes, into: Collector) -> list[tuple[int, Any]]:
    """The runs with the line on which each starts."""
    try:
        node = yaml.compose(content, Loader=yaml.CSafeLoader)
        document = yaml.load(content, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: a date that is none
        into.reject(0, "not_yaml", f"the file is no YAML: {worded(error)}", record=content, span=(0, len(content)))
        return []
    if not isinstance(document, list) or not isinstance(node, yaml.SequenceNode):
        detail = f"expected a list of runs, found {type(document).__name__}"
        into.reject(0, "wrong_shape", detail, record=content, span=(0, len(content)))
        return []
    return [(item.start_mark.line + 1, run) for item, run in zip(node.value, document, strict=True)]


def _lacks_at_the_end(runs: list[Any]) -> list[str]:
    """Fields that every run has but the last: YAML that was cut off is YAML still, and only its last run shows it.

    A run may have been written without one field, so one missing field alone does not make the run doubtful.
    """
    if len(runs) < MIN_RUNS or not all(isinstance(run, dict) for run in runs):
        return []
    return sorted(map(str, set.intersection(*map(set, runs[:-1])) - set(runs[-1])))


def _row(benchmark_id: str, attempt: int, run: dict[str, Any], item_no: int, into: Collector) -> dict[str, Any]:
    rate = number(run[f"pass_rate_{attempt}"], f"pass_rate_{attempt}")
    n_items, n_success = count(run.get("test_cases"), "test_cases"), count(run.get(f"pass_num_{attempt}"), "pass_num")
    if n_items is not None and n_success is not None and n_success > n_items:
        raise EntryError("identity_broken", f"pass_num_{attempt} {n_success} is more than test_cases {n_items}")
    return {
        "benchmark_id": benchmark_id,
        "version_label": f"pass_rate_{attempt}",
        "source_row_key": text(run.get("dirname"), "dirname"),
        "raw_model": shown_name(run.get("model"), "model"),
        "variant": _variant(run),
        "score": rate,
        "score_text": str(run[f"pass_rate_{attempt}"]),
        "n_items": n_items,
        "n_success": n_success,
        "n_trials": 1,
        "run_cost_usd": money(run.get("total_cost"), "total_cost"),
        "run_input_tokens": count(run.get("prompt_tokens"), "prompt_tokens"),
        "run_output_tokens": count(run.get("completion_tokens"), "completion_tokens"),
        "measured_by": "independent",
        "as_of": day(run.get("date"), "date") or into.as_of,
        "source_locator": f"/{item_no}/pass_rate_{attempt}",
        "harness": f"aider {run['versions']}" if run.get("versions") else None,
    }


def _variant(run: dict[str, Any]) -> str:
    parts = [str(run["edit_format"])] if run.get("edit_format") else []
    for key, label in (("reasoning_effort", "effort"), ("thinking_tokens", "thinking"), ("editor_model", "editor")):
        if run.get(key) is not None:
            stated = run[key]
            parts.append(f"{label} {int(stated) if isinstance(stated, float) and stated.is_integer() else stated}")
    return ", ".join(parts)


def _check_counts(attempt: int, row: dict[str, Any], run: dict[str, Any], into: Collector) -> None:
    """The rate must follow from the counts, over the cases that ran or over all tests; else the run contradicts itself."""
    if not row["n_items"] or row["n_success"] is None:
        return
    total = run.get("total_tests")
    totals = {row["n_items"], total if isinstance(total, int) and total > 0 else row["n_items"]}
    implied = [100 * row["n_success"] / total for total in sorted(totals)]
    if all(abs(rate - row["score"]) > TOLERANCE for rate in implied):
        detail = (
            f"pass_rate_{attempt} is {row['score']:g} but {row['n_success']} of {row['n_items']} is {implied[0]:.1f}"
        )
        into.contradict(row, implied=implied[0], detail=detail)
