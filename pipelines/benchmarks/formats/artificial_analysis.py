"""Format `artificial_analysis`: the API's JSON (`{data: [{slug, name, evaluations}]}`, or under `models`) or a CSV with one column each.

The payload names no version of its composite indices, so a re-weighting shows only in the numbers: each index
lists the evaluations that it is made of. A CSV may hold several days; each `observed_date` is an observation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from pipelines.benchmarks.collector import Collector
from pipelines.benchmarks.fields import (
    EntryError,
    first_of,
    instant,
    is_blank,
    money,
    number,
    numbers,
    shown_name,
    text,
    weights,
)
from pipelines.benchmarks.formats._tables import only, read_json, read_table, wrong_shape
from pipelines.benchmarks.observation import Benchmark, BoardSnapshot, Observation, Traits

TRAITS = Traits(row_kind="entry", primary_version="intelligence_index")
_SHARES = {
    "gpqa": 198, "hle": None, "scicode": None, "ifbench": None, "aa_lcr": None, "tau2": None, "tau2_bench": None,
    "terminal_bench_hard": None, "terminalbench_hard": None, "critpt": None, "mmlu_pro": 12_032, "livecodebench": None,
    "math_500": 500, "aime": 30, "aime_25": 30, "lcr": None, "apex_agents": None, "mmmu_pro": None,
    "aa_omniscience_accuracy": None, "aa_omniscience_non_hallucination": None,
}  # fmt: skip
"""Evaluations written as shares, with the number of items where it is published."""

_CODING = ("aa_terminal_bench_hard", "aa_terminalbench_hard", "aa_scicode")
_AGENTIC = ("aa_tau2_bench", "aa_tau2", "aa_terminal_bench_hard", "aa_gdpval_aa_normalized", "aa_apex_agents")
_INDICES = {
    "artificial_analysis_coding_index": _CODING,
    "artificial_analysis_agentic_index": _AGENTIC,
    "artificial_analysis_math_index": ("aa_aime", "aa_aime_25", "aa_math_500"),
    "artificial_analysis_intelligence_index": (
        *_CODING, *_AGENTIC, "aa_aa_lcr", "aa_lcr", "aa_aa_omniscience", "aa_ifbench", "aa_hle", "aa_gpqa", "aa_critpt",
        "aa_mmlu_pro", "aa_livecodebench", "aa_aime_25",
    ),
}  # fmt: skip
"""Composite indices and the evaluations that went into one version of them or another."""

_POINTS = ("aa_omniscience",)
_RATINGS = ("gdpval_aa_normalized",)
"""Normalised Elo ratings: re-estimated with every export."""

EVALUATIONS = (*_INDICES, *_SHARES, *_POINTS, *_RATINGS)
"""What is read of a CSV, whose other columns are prices and speeds; of the API's JSON, all that is below `evaluations`."""


_SHARE_OF_SHARES = 0.9
"""Records of a new evaluation that must be shares of one; what is none among them is set aside alone."""
_LABELS = {evaluation.removeprefix("artificial_analysis_") for evaluation in EVALUATIONS}


def parse(into: Collector) -> BoardSnapshot:
    """Read one export of either shape."""
    records: list[tuple[int, int, Any, str | None]]
    if into.file.content_suffix == ".json":
        records = [(item_no, 1, record, None) for item_no, record in enumerate(_records(into))]
    else:
        table = read_table(into, required=("slug", "name"), known=EVALUATIONS)
        records = [(item_no, line, row, row.get("fetched_at")) for item_no, (line, row) in enumerate(table)]
    shares = {**_SHARES, **dict.fromkeys(_other_shares([record for _, _, record, _ in records], into))}
    by_instant: dict[datetime, Collector] = {}
    for item_no, line, record, fetched_at in records:
        try:
            at = into.file.observed_at if not fetched_at else _instant(fetched_at)
            part = by_instant.setdefault(at, Collector(into.file, into.board, whole=into))
            rows = list(_rows(record, at, shares, into, item_no))
            part.keep(*rows)
        except EntryError as error:
            fields = only(record, ["slug", "name", "fetched_at"]) if isinstance(record, dict) else {"item": record}
            into.reject(item_no, error.reason, str(error), fields=fields, line_no=line)
    observations = tuple(_observation(part, at) for at, part in sorted(by_instant.items()))
    if not observations:
        observations = (into.observation(TRAITS, ()),)
    return into.snapshot(*observations)


def _records(into: Collector) -> list[Any]:
    document = read_json(into)
    if document is None:
        return []
    lists = [document.get(name) for name in ("data", "models")] if isinstance(document, dict) else [document]
    records = next((item for item in lists if isinstance(item, list)), None)
    if records is None:
        wrong_shape(into, "expected an object with data or models (a list of models)")
        return []
    return [_flat(record) for record in records]


def _flat(record: object) -> object:
    """An API record as one flat mapping: slug, name and evaluations."""
    if not isinstance(record, dict):
        return record
    evaluations = record.get("evaluations")
    named = evaluations if isinstance(evaluations, dict) else {}
    known = {f"artificial_analysis_{name}": value for name, value in named.items() if name.endswith("_index")}
    return {**record, **known, **named}


def _other_shares(records: Iterable[object], into: Collector) -> list[str]:
    """Evaluations of the API that are not known here and are shares: new ones come several times a year.

    One that is no share in more than one record of ten is points or a rating of nobody knows what, and is set aside by its name.
    """
    found: dict[str, list[bool]] = {}
    for record in records:
        evaluations = record.get("evaluations") if isinstance(record, dict) else None
        for name, value in evaluations.items() if isinstance(evaluations, dict) else ():
            if not is_blank(value) and name not in EVALUATIONS and f"artificial_analysis_{name}" not in EVALUATIONS:
                is_share = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1
                found.setdefault(name, []).append(is_share and not name.endswith("_index"))
    shares = sorted(name for name, flags in found.items() if sum(flags) >= _SHARE_OF_SHARES * len(flags))
    for place, name in enumerate(sorted(found.keys() - set(shares))):
        detail = f"evaluation {name!r} is no share from 0 to 1, so its numbers are no scores"
        into.reject(place, "not_a_share", detail, fields={"evaluation": name}, severity="info")
    return shares


def _instant(value: str) -> datetime:
    try:
        return instant(value)
    except ValueError:
        raise EntryError("not_a_date", f"fetched_at is {value!r}: accepted is an ISO 8601 instant") from None


def _rows(
    record: object, at: datetime, shares: Mapping[str, int | None], into: Collector, item_no: int
) -> Iterator[dict[str, Any]]:
    if not isinstance(record, Mapping):
        raise EntryError("wrong_shape", f"expected a model with slug and name, found {type(record).__name__}")
    slug, name = text(record.get("slug"), "slug"), shown_name(record.get("name"), "name")
    cost = money(record.get("intelligence_index_cost_total"), "intelligence_index_cost_total")
    cells = {evaluation: record.get(evaluation) for evaluation in dict.fromkeys((*EVALUATIONS, *shares))}
    as_shares, broken = numbers({name: cells[name] for name in cells if name in shares}, most=1)
    others, also_broken = numbers({name: cells[name] for name in cells if name not in shares})
    scores, broken = as_shares | others, broken | also_broken
    into.reject_values(broken, item_no, slug=slug, name=name)
    for evaluation, score in scores.items():
        shown = str(cells[evaluation])
        is_share = evaluation in shares or evaluation in _RATINGS
        is_index = evaluation == "artificial_analysis_intelligence_index"
        yield {
            "benchmark_id": _benchmark_id(evaluation),
            "version_label": evaluation.removeprefix("artificial_analysis_"),
            "source_row_key": slug,
            "raw_model": name,
            "score": _percent(shown, evaluation) if is_share else score,
            "score_text": shown,
            "n_items": _SHARES.get(evaluation),
            "run_cost_usd": cost if is_index else None,
            "run_input_tokens": _tokens(record.get("ii_inputTokens")) if is_index else None,
            "run_output_tokens": _tokens(record.get("ii_outputTokens")) if is_index else None,
            "measured_by": "independent",
            "as_of": at.date(),
            "source_locator": f"/{slug}/{evaluation}",
            "weights": weights(first_of(record, ("is_open_weights", "open_weights"))),
        }


def _observation(part: Collector, at: datetime) -> Observation:
    used = {row["benchmark_id"] for row in part.rows}
    others = sorted({row["version_label"] for row in part.rows if row["version_label"] not in _LABELS})
    benchmarks = tuple(item for name in (*EVALUATIONS, *others) if (item := _benchmark(name)).benchmark_id in used)
    return part.observation(TRAITS, benchmarks, observed_at=at)


def _benchmark(evaluation: str) -> Benchmark:
    title = evaluation.removeprefix("artificial_analysis_").replace("_", " ")
    if evaluation in _INDICES:
        return Benchmark(
            _benchmark_id(evaluation),
            f"Artificial Analysis {title}",
            "index",
            "points",
            components=_INDICES[evaluation],
        )
    named = f"{title} (Artificial Analysis)"
    if evaluation in _RATINGS:
        return Benchmark(_benchmark_id(evaluation), named, "index", "percent", row_kind="rating")
    if evaluation in _POINTS:
        return Benchmark(_benchmark_id(evaluation), named, "index", "points")
    return Benchmark(_benchmark_id(evaluation), named, "accuracy", "percent", min_score=0, max_score=100)


def _benchmark_id(evaluation: str) -> str:
    return "aa_" + evaluation.removeprefix("artificial_analysis_")


def _percent(shown: str, name: str) -> float:
    number(shown, name)
    try:
        return float(Decimal(shown) * 100)
    except InvalidOperation:
        raise EntryError("not_a_number", f"{name} is {shown!r}, not a number") from None


def _tokens(value: object) -> int | None:
    return None if is_blank(value) else int(number(value, "tokens"))
