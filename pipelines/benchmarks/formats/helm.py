"""HELM: the table of one group, with a version per release and column."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pipelines.benchmarks.collector import Collector
from pipelines.benchmarks.fields import NO_SCORE, EntryError, is_blank, numbers, shown_name
from pipelines.benchmarks.formats._tables import read_json, wrong_shape
from pipelines.benchmarks.observation import Benchmark, BoardSnapshot, Traits

_RELEASE = re.compile(r"releases/(v[\d.]+)")


def parse(into: Collector) -> BoardSnapshot:
    """Read a HELM group table (`groups/<group>.json`): one version per release and column, option `release` or the URL."""
    found = _RELEASE.search(into.file.url or "") or _RELEASE.search(into.file.landing_path)
    release = found[1] if found else str(into.board.options.get("release", "unknown"))
    name = str(into.board.options.get("benchmark", into.board.board))
    benchmark = Benchmark(name, f"HELM {name}", "accuracy", "percent", min_score=0, max_score=100)
    for table in _tables(into)[:1]:  # the first table holds the scores; others hold efficiency and the like
        header = [str(_cell(cell) or "") for cell in table.get("header", [])]
        rows = [[_cell(cell) for cell in cells] if isinstance(cells, list) else [] for cells in table["rows"]]
        columns = _score_columns(header, rows, into)
        for item_no, values in enumerate(rows):
            try:
                into.keep(*_rows((name, release), columns, item_no, values, into))
            except EntryError as error:
                into.reject(item_no, error.reason, str(error), fields={"model": str(values[:1])})
    first = next((row["version_label"] for row in into.rows), None)
    return into.snapshot(into.observation(Traits(row_kind="entry", primary_version=first), (benchmark,)))


def _cell(cell: object) -> Any:  # noqa: ANN401 - a value of parsed JSON
    return cell.get("value") if isinstance(cell, dict) else cell


def _tables(into: Collector) -> list[dict[str, Any]]:
    document = read_json(into)
    if document is None:
        return []
    tables = document if isinstance(document, list) else [document]
    if not tables or not all(isinstance(table, dict) and isinstance(table.get("rows"), list) for table in tables):
        wrong_shape(into, "expected tables with header and rows")
        return []
    return tables


def _score_columns(header: list[str], rows: list[list[Any]], into: Collector) -> dict[int, str]:
    """Columns that are shares, by place. One that holds seconds, ranks or text is set aside by its name."""
    found = {}
    for place, title in enumerate(header[1:], start=1):
        if title.lower() == "mean win rate":  # a rank among the models of the table, not a score
            continue
        values = [row[place] for row in rows if len(row) > place and not is_blank(row[place])]
        numeric = [value for value in values if isinstance(value, (int, float)) and not isinstance(value, bool)]
        shares = [value for value in numeric if 0 <= value <= 1]
        if 2 * len(shares) >= len(values):
            found[place] = title
        else:
            detail = f"column {title!r} is no share from 0 to 1, so its numbers are no scores"
            into.reject(place, "not_a_share", detail, fields={"column": title}, severity="info")
    return found


def _rows(
    table: tuple[str, str], columns: Mapping[int, str], item_no: int, values: list[Any], into: Collector
) -> list[dict[str, Any]]:
    name, release = table
    model = shown_name(values[0] if values else None, "model")
    stated, broken = numbers({title: values[place] for place, title in columns.items() if len(values) > place}, most=1)
    if not stated:
        raise next(iter(broken.values()), EntryError(NO_SCORE, "no column has a value"))
    into.reject_values(broken, item_no, model=model)
    return [
        {
            "benchmark_id": name,
            "version_label": f"{release}/{title}",
            "source_row_key": model,
            "raw_model": model,
            "score": 100 * share,
            "score_text": str(share),
            "measured_by": "independent",
            "as_of": into.as_of,
            "source_locator": f"/{model}/{title}",
            "harness": f"HELM {release}",
        }
        for title, share in stated.items()
    ]
