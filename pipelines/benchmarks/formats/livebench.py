"""Format `livebench`: `table_<release>.csv`, one row per model and one column per task, 0 to 100.

A release is a benchmark version with questions of its own; cells are edited inside a release now and then. The site
computes its averages from `categories_<release>.json`: with option `categories` they are computed here too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pipelines.benchmarks.collector import Collector
from pipelines.benchmarks.fields import NO_SCORE, EntryError, is_blank, numbers, shown_name
from pipelines.benchmarks.formats._tables import only, read_table
from pipelines.benchmarks.observation import Benchmark, BoardSnapshot, Traits

_RELEASE = re.compile(r"(?:table|categories)_(\d{4})_(\d{2})_(\d{2})")
_NO_TASK = re.compile(r"(?i)#?|rank(?:ing)?|index|no\.?|place|position|unnamed: \d+")
"""Columns that count rows: a rank that moves is no model that does."""
OPTIONS = ("release", "categories")


def parse(into: Collector) -> BoardSnapshot:
    """Read one table. The release is in the file's name or address, or option `release`.

    Option `categories`: {category: [task, ...]}; each gives a version `<release>/<category>` (mean of its tasks), and
    `<release>/average` is the mean of the categories, both only for models with every task.
    """
    name = into.file.path.name
    if (into.file.content_suffix == ".json" and _RELEASE.search(name)) or name.startswith("cost_"):
        into.valid += 1  # a categories file or a list of costs: it asserts no score
        return into.snapshot()
    release = _release(into)
    if release is None:
        detail = "it names no release: name it table_YYYY_MM_DD.csv, or set option release in sources.yaml"
        into.reject(0, "unknown_release", detail, fields={"landing_path": into.file.landing_path})
        return into.snapshot(into.observation(Traits(row_kind="entry"), ()))
    benchmark = Benchmark("livebench", "LiveBench", "accuracy", "percent", min_score=0, max_score=100)
    table = list(read_table(into, required=("model",)))
    tasks = _tasks([row for _, row in table], into)
    for item_no, (line, row) in enumerate(table):
        try:
            model = shown_name(row["model"], "model")
            scores, broken = numbers({task: row[task] for task in tasks}, most=100)
            if not scores:
                raise next(iter(broken.values()), EntryError(NO_SCORE, "it has no score"))
            into.reject_values(broken, item_no, line_no=line, model=model)
            into.keep(*_rows(release, model, scores, row, into))
        except EntryError as error:
            fields = only(row, ["model"])
            into.reject(item_no, error.reason, str(error), fields=fields, line_no=line)
    traits = Traits(row_kind="entry", primary_version=f"{release}/average")
    return into.snapshot(into.observation(traits, (benchmark,), scope=release))


def _release(into: Collector) -> str | None:
    for name in (into.file.path.name, into.file.url or ""):
        if match := _RELEASE.search(name):
            return "-".join(match.groups())
    release = into.board.options.get("release")
    return None if release is None else str(release)


def _tasks(rows: list[dict[str, str]], into: Collector) -> list[str]:
    """Columns that hold scores. One that holds none at all, such as an organisation, is set aside by its name."""
    found = []
    for column in [name for name in (rows[0] if rows else {}) if name != "model" and not _NO_TASK.fullmatch(name)]:
        stated = {str(place): row[column] for place, row in enumerate(rows) if not is_blank(row[column])}
        if not stated or numbers(stated)[0]:
            found.append(column)
        else:
            into.reject(
                0, "not_a_score", f"column {column!r} holds no number", fields={"column": column}, severity="info"
            )
    return found


def _rows(
    release: str, name: str, scores: Mapping[str, float], row: Mapping[str, str], into: Collector
) -> list[dict[str, Any]]:
    stated = {task: (score, row[task]) for task, score in scores.items()}
    return [
        {
            "benchmark_id": "livebench",
            "version_label": f"{release}/{task}",
            "source_row_key": name,
            "raw_model": name,
            "score": score,
            "score_text": shown,
            "measured_by": "independent",
            "as_of": into.as_of,
            "source_locator": f"/{name}/{task}",
        }
        for task, (score, shown) in (stated | _averages(scores, into.board.options.get("categories") or {})).items()
    ]


def _averages(scores: Mapping[str, float], categories: Mapping[str, list[str]]) -> dict[str, tuple[float, str]]:
    if not categories or any(task not in scores for tasks in categories.values() for task in tasks):
        return {}
    means = {name: sum(scores[task] for task in tasks) / len(tasks) for name, tasks in categories.items()}
    means["average"] = sum(means.values()) / len(means)
    return {name: (mean, f"{mean:.3f}") for name, mean in means.items()}
