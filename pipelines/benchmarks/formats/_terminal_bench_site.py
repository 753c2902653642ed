"""Terminal-Bench's leaderboard as its site serves it: `{rows: [{id, status, n_trials, metadata, metrics}]}`.

Stated accuracies with their standard errors; the outcomes of single runs are read in `terminal_bench.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from pipelines.benchmarks.collector import Collector
from pipelines.benchmarks.fields import (
    EntryError,
    count,
    day,
    is_blank,
    number,
    numbers,
    shown_name,
    stated_score,
    text,
    within,
)
from pipelines.benchmarks.observation import Benchmark, BoardSnapshot, Traits
from pipelines.landing import read_bytes


def is_site_list(into: Collector) -> bool:
    """Whether the file is the site's list, and not the results of one run."""
    return b'"metrics"' in read_bytes(into.file)[:20_000] and isinstance(_rows(into), list)


def parse_site_list(into: Collector) -> BoardSnapshot:
    """Read the list. Rows that the site does not display are set aside without complaint."""
    version = str(into.board.options.get("version", "unknown"))
    benchmark = Benchmark("terminal-bench", "Terminal-Bench", "accuracy", "percent", min_score=0, max_score=100)
    rows = _rows(into) or []
    stated, _ = numbers({str(place): _accuracy(row) for place, row in enumerate(rows)})
    most = 1 if stated and max(stated.values()) <= 1 else 100  # one list is written in shares, or in per cent
    for item_no, row in enumerate(rows):
        fields = {"id": row.get("id"), "status": row.get("status")} if isinstance(row, dict) else {"item": row}
        if isinstance(row, dict) and row.get("status", "display") != "display":
            into.reject(item_no, "not_displayed", "the site does not display this row", fields=fields, severity="info")
            continue
        try:
            into.keep(_row(benchmark.benchmark_id, version, row, into, most))
        except EntryError as error:
            into.reject(item_no, error.reason, str(error), fields=fields)
    return into.snapshot(into.observation(Traits(row_kind="run", primary_version=version), (benchmark,), scope="site"))


def _rows(into: Collector) -> list[Any] | None:
    try:
        document = orjson.loads(read_bytes(into.file))
    except orjson.JSONDecodeError:
        return None
    rows = document.get("rows") if isinstance(document, dict) else None
    return rows if isinstance(rows, list) else None


def _accuracy(row: object) -> Any:  # noqa: ANN401 - a value of parsed JSON
    metrics = row.get("metrics") if isinstance(row, dict) else None
    return metrics.get("accuracy") if isinstance(metrics, dict) else None


def _row(benchmark_id: str, version: str, row: object, into: Collector, most: int) -> dict[str, Any]:
    if (
        not isinstance(row, dict)
        or not isinstance(row.get("metadata"), dict)
        or not isinstance(row.get("metrics"), dict)
    ):
        raise EntryError("wrong_shape", "expected a row with metadata and metrics")
    metadata, metrics = row["metadata"], row["metrics"]
    share, scale = within(number(stated_score(metrics, ("accuracy",)), "accuracy"), "accuracy", most), 100.0 / most
    model, agent = (
        shown_name(_label(metadata, "model_display"), "model_display"),
        _label(metadata, "agent_display") or "",
    )
    effort, stderr = metadata.get("reasoning_effort"), metrics.get("accuracy_stderr")
    return {
        "benchmark_id": benchmark_id,
        "version_label": version,
        "source_row_key": text(row.get("id") or f"{agent} {model}", "id"),
        "raw_model": model,
        "variant": f"effort {effort}" if effort else "",
        "score": scale * share,
        "score_text": str(metrics["accuracy"]),
        "n_trials": count(row.get("n_trials") or None, "n_trials"),
        "stderr": None if is_blank(stderr) or not stderr else scale * number(stderr, "accuracy_stderr"),
        "measured_by": "community",
        "as_of": day(metadata.get("date"), "date") or into.as_of,
        "source_locator": f"/{row.get('id')}",
        "harness": agent or None,
    }


def _label(metadata: Mapping[str, Any], name: str) -> str | None:
    """A name that is written plainly, or with a link: `{label, url}`."""
    value = metadata.get(name)
    found = value.get("label") if isinstance(value, dict) else value
    return None if found is None else str(found)
