"""MMLU-Pro: a table of models by subjects, in shares of items solved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.benchmarks.collector import Collector
from pipelines.benchmarks.fields import NO_SCORE, EntryError, numbers, shown_name
from pipelines.benchmarks.formats._tables import read_table
from pipelines.benchmarks.observation import Benchmark, BoardSnapshot, Traits

ITEMS = 12_032
COLUMNS = (
    "Overall", "Biology", "Business", "Chemistry", "Computer Science", "Economics", "Engineering", "Health", "History",
    "Law", "Math", "Philosophy", "Physics", "Psychology", "Other",
)  # fmt: skip


def parse(into: Collector) -> BoardSnapshot:
    """Read MMLU-Pro's results CSV: shares overall and per subject. Self-reported rows count as the vendor's."""
    for item_no, (line, row) in enumerate(read_table(into, required=("Models", "Overall"))):
        try:
            into.keep(*_rows(row, into, item_no, line))
        except EntryError as error:
            into.reject(item_no, error.reason, str(error), fields={"Models": row["Models"]}, line_no=line)
    benchmark = Benchmark("mmlu_pro", "MMLU-Pro", "accuracy", "percent", min_score=0, max_score=100)
    return into.snapshot(into.observation(Traits(row_kind="entry", primary_version="overall"), (benchmark,)))


def _rows(row: Mapping[str, str], into: Collector, item_no: int, line: int) -> list[dict[str, Any]]:
    name = shown_name(row["Models"], "Models")
    is_claim = row.get("Data Source", "").strip().lower() == "self-reported"
    shares, broken = numbers({title: row.get(title) for title in COLUMNS}, most=1)
    if not shares:
        raise next(iter(broken.values()), EntryError(NO_SCORE, "it has no score"))
    into.reject_values(broken, item_no, line_no=line, model=name)
    return [
        {
            "benchmark_id": "mmlu_pro",
            "version_label": title.lower(),
            "source_row_key": name,
            "raw_model": name,
            "score": 100 * share,
            "score_text": row[title],
            "n_items": ITEMS if title == "Overall" else None,
            "measured_by": "vendor" if is_claim else "independent",
            "as_of": into.as_of,
            "source_locator": f"/{name}/{title}",
        }
        for title, share in shares.items()
    ]
