"""Format `lmarena`: the arena's ratings as the catalog's JSON, as the data set's Parquet, or as one of the CSVs of old.

The catalog is `{category: {model: {rating, rating_q975, rating_q025}}}`; the data set (`<arena>/latest-*.parquet`,
`full-*.parquet`, or rows of it as JSON) has a row per model, category and day of publication; the CSVs write their
interval as `+5/-6`. Each category is fitted and anchored by itself, so it is a version of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time
from typing import Any

from pipelines.benchmarks.collector import Collector
from pipelines.benchmarks.fields import (
    EntryError,
    day,
    first_of,
    half_widths,
    license_weights,
    number,
    shown_name,
    votes,
)
from pipelines.benchmarks.formats._tables import read_json, read_parquet, read_table, wrong_shape
from pipelines.benchmarks.observation import Benchmark, BoardSnapshot, Observation, Traits

TRAITS = Traits(row_kind="rating", primary_version="full")

MODEL = ("model_name", "model", "key", "name")
RATING = ("rating", "arena_score", "arena_elo_rating", "arena_elo", "elo", "score")
LOW = ("rating_q025", "rating_lower", "score_ci_lower", "lower")
HIGH = ("rating_q975", "rating_upper", "score_ci_upper", "upper")
AROUND = ("95_pct_ci", "95_ci", "ci95", "ci_95", "ci")
VOTES = ("vote_count", "votes", "num_battles", "observation_count")
PUBLISHED = ("leaderboard_publish_date", "date", "last_updated")
"""Names of the columns over the years, as `_plain` writes them, the newest first."""
OPTIONS = ("benchmark", "display_name", "primary")
_SAID_AGAIN = 0.25
"""Of the rows of a history, the least that are of a model with a row of another day: in one of two days it is nearly half."""


def parse(into: Collector) -> BoardSnapshot:
    """Read one export. Options: `benchmark` (id, default the board's name), `primary` (category, default full or overall)."""
    options = into.board.options
    benchmark = Benchmark(
        benchmark_id=str(options.get("benchmark", into.board.board)),
        display_name=str(options.get("display_name", f"LMArena {into.board.board}")),
        metric_kind="elo",
        unit="elo",
    )
    days: dict[date | None, Collector] = {}
    for item_no, (line, fields, category, entry) in enumerate(_entries(into)):
        try:
            published = day(first_of(entry, PUBLISHED), "publish date")
            part = days.setdefault(published, Collector(into.file, into.board, whole=into))
            part.keep(_row(benchmark.benchmark_id, category, entry, published or into.as_of))
        except EntryError as error:
            into.reject(item_no, error.reason, str(error), fields=fields, line_no=line)
    is_history = _is_history(into) or _says_again(days.values())
    observations = [
        _observation(part, benchmark, published, into, is_history=is_history)
        for published, part in sorted(days.items(), key=lambda item: str(item[0]))
    ]
    return into.snapshot(*(observations or [into.observation(_traits(into), (benchmark,))]))


def _observation(
    part: Collector, benchmark: Benchmark, published: date | None, into: Collector, *, is_history: bool
) -> Observation:
    """The ratings of one day of publication: of the export's own day where it states none, or where it states just one.

    Of a history, such as the data set's, every day is an observation of its own, as if it had been landed on that day.
    """
    is_history = is_history and len({row["as_of"] for row in part.rows}) == 1 and published is not None
    at = datetime.combine(published, time(), UTC) if is_history and published else into.file.observed_at
    return part.observation(_traits(part), (benchmark,), observed_at=at)


def _says_again(parts: Iterable[Collector]) -> bool:
    """Whether models have ratings of several days in one category: a model that an export lists twice makes no history of it."""
    keys = [{(row["version_label"], row["source_row_key"]) for row in part.rows} for part in parts]
    rows = sum(map(len, keys))
    return rows - len(set().union(*keys)) > _SAID_AGAIN * rows


def _is_history(into: Collector) -> bool:
    return bool(re.search(r"full|all_?time|history", into.file.path.name + (into.file.url or "")))


def _traits(part: Collector) -> Traits:
    found = {row["version_label"] for row in part.rows}
    default = "overall" if "overall" in found else str(TRAITS.primary_version)
    return Traits(row_kind="rating", primary_version=str(part.board.options.get("primary", default)))


_Entry = tuple[int, dict[str, Any], str, dict[str, Any]]
"""Line, what to show of a broken one, category, and the entry under plain names."""


def _entries(into: Collector) -> Iterator[_Entry]:
    suffix = into.file.content_suffix
    if suffix in (".csv", ".tsv"):
        table = read_table(into, delimiter="\t" if suffix == ".tsv" else ",")
        yield from _records(table)
        return
    if suffix == ".parquet":
        yield from _records((1, record) for record in read_parquet(into))
        return
    document = read_json(into)
    if isinstance(document, dict) and isinstance(document.get("rows"), list):
        stated = _stated_for_all(document)
        rows = [item.get("row", item) if isinstance(item, dict) else item for item in document["rows"]]
        document = [{**stated, **row} if isinstance(row, dict) else row for row in rows]
    if isinstance(document, list) and any(isinstance(record, dict) for record in document):
        yield from _records((1, record) for record in document)
    elif isinstance(document, dict):
        yield from _catalog(document)
    elif document is not None:
        detail = f"expected an object of categories or a list of rows, found {type(document).__name__}"
        wrong_shape(into, detail)


def _stated_for_all(document: Mapping[str, Any]) -> dict[str, Any]:
    """The day of publication that stands once, next to the rows; none where it is no day."""
    meta = document.get("meta")
    try:
        stated = day(first_of(meta, PUBLISHED), "publish date") if isinstance(meta, dict) else None
    except EntryError:
        stated = None
    return {} if stated is None else {PUBLISHED[-1]: stated}


def _records(records: Iterable[tuple[int, Any]]) -> Iterator[_Entry]:
    for line, record in records:
        entry = {_plain(name): value for name, value in record.items()} if isinstance(record, Mapping) else {}
        shown = {
            name: entry.get(name)
            for name in ("model_name", "model", "category", "rating", "arena_score")
            if name in entry
        }
        yield line, shown, str(entry.get("category") or "overall"), entry


def _catalog(document: Mapping[str, Any]) -> Iterator[_Entry]:
    for category, models in document.items():
        pairs = models.items() if isinstance(models, dict) else [("", models)]
        for model, entry in pairs:
            shown = {"category": category, "model": model, "entry": entry}
            yield 1, shown, category, {**entry, "model_name": model} if isinstance(entry, dict) else {}


def _plain(name: str) -> str:
    """A column's name without case, brackets and punctuation: `95% CI` is 95_ci, `Arena Score` is arena_score."""
    return re.sub(r"[^a-z0-9]+", "_", str(name).lower()).strip("_")


def _row(benchmark_id: str, category: str, entry: dict[str, Any], as_of: date) -> dict[str, Any]:
    if not entry:
        raise EntryError("wrong_shape", "expected a model with rating and bounds")
    shown = first_of(entry, RATING)
    rating = number(shown, "rating")
    low, high = (
        None if first_of(entry, names) is None else number(first_of(entry, names), names[0]) for names in (LOW, HIGH)
    )
    around = half_widths(first_of(entry, AROUND), "95_pct_ci") if low is None or high is None else None
    if around is not None:
        low, high = rating - around[0], rating + around[1]
    if low is not None and high is not None and low > high:
        raise EntryError("identity_broken", f"the lower bound {low} is above the upper one {high}")
    has_bounds = low is not None and high is not None
    name = shown_name(first_of(entry, MODEL), "model")
    return {
        "benchmark_id": benchmark_id,
        "version_label": category,
        "source_row_key": name,
        "raw_model": name,
        "score": rating,
        "score_text": str(shown),
        "ci_low": low if has_bounds else None,
        "ci_high": high if has_bounds else None,
        "ci_level": 0.95 if has_bounds else None,
        "ci_method": "reported" if has_bounds else "none",
        "votes": votes(first_of(entry, VOTES), "votes"),
        "measured_by": "independent",
        "as_of": as_of,
        "source_locator": f"/{category}/{name}",
        "weights": license_weights(entry.get("license")),
    }
