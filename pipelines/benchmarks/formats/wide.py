"""Formats that are one wide table of models by benchmarks: `open_llm_leaderboard`, `mmlu_pro` and `helm`.

Which columns are scores, and in what unit, is fixed here per format; tables of other shapes are for `mapping.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pipelines.benchmarks.fields import NO_SCORE, RecordError, day, is_blank, numbers, text
from pipelines.benchmarks.formats._tables import read_json, read_parquet, read_table, wrong_shape
from pipelines.benchmarks.observation import Benchmark, BoardSnapshot, Collector, Traits

OPEN_LLM = {
    "Average": "average", "IFEval": "ifeval", "BBH": "bbh", "MATH Lvl 5": "math_lvl_5", "GPQA": "gpqa",
    "MUSR": "musr", "MMLU-PRO": "mmlu_pro",
}  # fmt: skip
"""Columns that are scores, without the signs that the site puts behind them (`Average ⬆️`)."""
_MODEL_LINK = re.compile(r">([^<>]+)</a>")
_HELM_RELEASE = re.compile(r"releases/(v[\d.]+)")
MMLU_PRO_ITEMS = 12_032
MMLU_PRO = (
    "Overall", "Biology", "Business", "Chemistry", "Computer Science", "Economics", "Engineering", "Health", "History",
    "Law", "Math", "Philosophy", "Physics", "Psychology", "Other",
)  # fmt: skip


def parse_open_llm(into: Collector) -> BoardSnapshot:
    """Read the Open LLM Leaderboard, retired in March 2025: its contents as Parquet, CSV or JSON, or its API's answer."""
    for item_no, (line, record) in enumerate(_open_llm_records(into)):
        try:
            into.keep(*_open_llm_rows(record, into, item_no, line))
        except RecordError as error:
            fields = {name: record.get(name) for name in ("eval_name", "fullname")}
            into.reject(item_no, error.reason, str(error), fields=fields, line_no=line)
    benchmarks = tuple(
        Benchmark(
            f"open_llm_{name}", f"{title} (Open LLM Leaderboard)", "accuracy", "percent", min_score=0, max_score=100
        )
        for title, name in OPEN_LLM.items()
    )
    return into.snapshot(into.observation(Traits(row_kind="run", primary_version="v2"), benchmarks))


def _open_llm_records(into: Collector) -> Iterator[tuple[int, dict[str, Any]]]:
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
        **{title: named[name] for title, name in OPEN_LLM.items() if named.get(name) is not None},
    }


def _open_llm_rows(record: Mapping[str, Any], into: Collector, item_no: int, line: int) -> list[dict[str, Any]]:
    shown = str(record.get("fullname") or record.get("Model") or "")
    name = text(match[1] if (match := _MODEL_LINK.search(shown)) else shown, "fullname")
    key = text(record.get("eval_name") or f"{name} {record.get('Precision') or ''}", "eval_name")
    scores, broken = numbers({title: record.get(title) for title in OPEN_LLM})
    if not scores:
        raise next(iter(broken.values()), None) or RecordError(NO_SCORE, f"none of {', '.join(OPEN_LLM)} has a value")
    into.reject_values(broken, item_no, line_no=line, model=name)
    return [
        {
            "benchmark_id": f"open_llm_{OPEN_LLM[title]}",
            "version_label": "v2",
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


def parse_mmlu_pro(into: Collector) -> BoardSnapshot:
    """Read MMLU-Pro's results CSV: shares overall and per subject. Self-reported rows count as the vendor's."""
    for item_no, (line, row) in enumerate(read_table(into, required=("Models", "Overall"))):
        try:
            into.keep(*_mmlu_pro_rows(row, into, item_no, line))
        except RecordError as error:
            into.reject(item_no, error.reason, str(error), fields={"Models": row["Models"]}, line_no=line)
    benchmark = Benchmark("mmlu_pro", "MMLU-Pro", "accuracy", "percent", min_score=0, max_score=100)
    return into.snapshot(into.observation(Traits(row_kind="entry", primary_version="overall"), (benchmark,)))


def _mmlu_pro_rows(row: Mapping[str, str], into: Collector, item_no: int, line: int) -> list[dict[str, Any]]:
    name = text(row["Models"], "Models")
    is_claim = row.get("Data Source", "").strip().lower() == "self-reported"
    shares, broken = numbers({title: row.get(title) for title in MMLU_PRO}, most=1)
    if not shares:
        raise next(iter(broken.values()), RecordError(NO_SCORE, "it has no score"))
    into.reject_values(broken, item_no, line_no=line, model=name)
    return [
        {
            "benchmark_id": "mmlu_pro",
            "version_label": title.lower(),
            "source_row_key": name,
            "raw_model": name,
            "score": 100 * share,
            "score_text": row[title],
            "n_items": MMLU_PRO_ITEMS if title == "Overall" else None,
            "measured_by": "vendor" if is_claim else "independent",
            "as_of": into.as_of,
            "source_locator": f"/{name}/{title}",
        }
        for title, share in shares.items()
    ]


def parse_helm(into: Collector) -> BoardSnapshot:
    """Read a HELM group table (`groups/<group>.json`): one version per release and column, option `release` or the URL."""
    found = _HELM_RELEASE.search(into.file.url or "") or _HELM_RELEASE.search(into.file.landing_path)
    release = found[1] if found else str(into.board.options.get("release", "unknown"))
    name = str(into.board.options.get("benchmark", into.board.board))
    benchmark = Benchmark(name, f"HELM {name}", "accuracy", "percent", min_score=0, max_score=100)
    for table in _helm_tables(into)[:1]:  # the first table holds the scores; others hold efficiency and the like
        header = [str(_cell(cell) or "") for cell in table.get("header", [])]
        rows = [[_cell(cell) for cell in cells] if isinstance(cells, list) else [] for cells in table["rows"]]
        columns = _helm_scores(header, rows, into)
        for item_no, values in enumerate(rows):
            try:
                into.keep(*_helm_rows((name, release), columns, item_no, values, into))
            except RecordError as error:
                into.reject(item_no, error.reason, str(error), fields={"model": str(values[:1])})
    first = next((row["version_label"] for row in into.rows), None)
    return into.snapshot(into.observation(Traits(row_kind="entry", primary_version=first), (benchmark,)))


def _cell(cell: object) -> Any:  # noqa: ANN401 - a value of parsed JSON
    return cell.get("value") if isinstance(cell, dict) else cell


def _helm_tables(into: Collector) -> list[dict[str, Any]]:
    document = read_json(into)
    if document is None:
        return []
    tables = document if isinstance(document, list) else [document]
    if not tables or not all(isinstance(table, dict) and isinstance(table.get("rows"), list) for table in tables):
        wrong_shape(into, "expected tables with header and rows")
        return []
    return tables


def _helm_scores(header: list[str], rows: list[list[Any]], into: Collector) -> dict[int, str]:
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


def _helm_rows(
    table: tuple[str, str], columns: Mapping[int, str], item_no: int, values: list[Any], into: Collector
) -> list[dict[str, Any]]:
    name, release = table
    model = text(values[0] if values else None, "model")
    stated, broken = numbers({title: values[place] for place, title in columns.items() if len(values) > place}, most=1)
    if not stated:
        raise next(iter(broken.values()), RecordError(NO_SCORE, "no column has a value"))
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
