"""Format `arena_daily`: one scrape of one arena, `{meta: {leaderboard, last_updated ...}, models: [...]}`.

Scores are whole Elo points with a symmetric interval and votes. The page shows only the top of its list, now more and
now less of it, so a model that is not listed is not gone unless it would have been among those shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
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
    stated_score,
    votes,
)
from pipelines.benchmarks.formats._tables import read_json, wrong_shape
from pipelines.benchmarks.observation import Benchmark, BoardSnapshot, Traits

MODEL = ("model", "model_name", "name")
SCORE = ("score", "rating", "arena_score", "elo")
LOW = ("rating_lower", "ci_lower", "lower", "low")
HIGH = ("rating_upper", "ci_upper", "upper", "high")


def parse(into: Collector) -> BoardSnapshot:
    """Read one scrape. The arena (`meta.leaderboard`) is the scope: one folder may hold several arenas."""
    document = read_json(into)
    if _lists_files(document):
        into.valid += 1
        return into.snapshot()
    meta, entries = _parts(document, into)
    arena = str(meta.get("leaderboard") or "")
    benchmark_id = str(into.board.options.get("benchmark") or f"arena_{arena}".rstrip("_"))
    benchmark = Benchmark(benchmark_id, f"Arena {arena}".strip(), "elo", "elo")
    as_of = _stated_day(meta.get("last_updated")) or into.as_of
    for item_no, entry in enumerate(entries):
        try:
            into.keep(_row(benchmark_id, arena or "overall", entry, item_no, as_of))
        except EntryError as error:
            fields = entry if isinstance(entry, dict) else {"item": entry}
            into.reject(item_no, error.reason, str(error), fields=fields)
    traits = Traits(row_kind="rating", primary_version=arena or "overall", is_window=True)
    return into.snapshot(into.observation(traits, (benchmark,), scope=arena))


def _lists_files(document: object) -> bool:
    """Whether it is the list of a day's files, which asserts no score: it says of each arena how many models it has, and names none."""
    arenas = document.get("leaderboards") if isinstance(document, dict) and "models" not in document else None
    return isinstance(arenas, dict) and all(
        isinstance(arena, dict) and not any(isinstance(value, (dict, list)) for value in arena.values())
        for arena in arenas.values()
    )


def _parts(document: object, into: Collector) -> tuple[dict[str, Any], list[Any]]:
    if document is None:
        return {}, []
    meta = document.get("meta") if isinstance(document, dict) else None
    models = document.get("models") if isinstance(document, dict) else None
    if not isinstance(meta, dict) or not isinstance(models, list):
        wrong_shape(into, "expected an object with meta (an object) and models (a list)")
        return {}, []
    return meta, models


def _row(benchmark_id: str, arena: str, entry: object, item_no: int, as_of: date) -> dict[str, Any]:
    if not isinstance(entry, dict):
        raise EntryError("wrong_shape", f"expected an object with model and score, found {type(entry).__name__}")
    shown, _, after_sign = str(stated_score(entry, SCORE) or "").partition("±")
    score = number(shown, "score")
    low, high = _bounds(entry, score, after_sign)
    name = shown_name(first_of(entry, MODEL), "model")
    return {
        "benchmark_id": benchmark_id,
        "version_label": arena,
        "source_row_key": name,
        "raw_model": name,
        "score": score,
        "score_text": shown.strip(),
        "ci_low": low,
        "ci_high": high,
        "ci_level": None if low is None else 0.95,
        "ci_method": "none" if low is None else "reported",
        "votes": votes(entry.get("votes"), "votes"),
        "measured_by": "independent",
        "as_of": as_of,
        "source_locator": f"/models/{item_no}",
        "weights": license_weights(entry.get("license")),
    }


def _bounds(entry: Mapping[str, Any], score: float, after_sign: str) -> tuple[float, float] | tuple[None, None]:
    """The interval of a rating: its ends, how far it reaches, or what stands behind `±` next to the score."""
    stated = entry.get("ci")
    ends = stated if isinstance(stated, Mapping) else entry
    low, high = (first_of(ends, names) for names in (LOW, HIGH))
    if low is not None and high is not None:
        return number(low, LOW[0]), number(high, HIGH[0])
    around = half_widths(after_sign or (None if ends is stated else stated), "ci")
    return (None, None) if around is None else (score - around[0], score + around[1])


def _stated_day(value: object) -> date | None:
    """The day of the page; None if it did not say."""
    try:
        return day(value, "last_updated")
    except EntryError:
        return None
