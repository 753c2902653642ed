"""The section on what the models are worth: the gap between open and closed ones, and silent changes in the own log.

Leaderboard events are in `evidence.py`; here they only get the routes and the spend that they touch. The figures are
those of mart.benchmark_gap (`pipelines.benchmarks`) and mart.request_drift (`pipelines.behaviour`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from pipelines.benchmarks import REPORT_BOARD
from pipelines.config.routing import RoutingConfig
from pipelines.finops import format as fmt
from pipelines.finops.report.charts import Chart, gap_chart
from pipelines.finops.report.collect import ReportData
from pipelines.finops.report.tables import Cell, Table, count_cell, number_column, text_cell, text_column
from pipelines.routing.exposure import with_exposure

_CHARTS = 3
_UNITS = {"elo": "Elo", "percent": "percentage points"}


@dataclass(frozen=True)
class GapSeries:
    """One benchmark's gap over time: its meaning in plain words, and its chart."""

    title: str
    sentence: str
    chart: Chart


@dataclass(frozen=True)
class WatchSection:
    """Gap and silent change."""

    gaps: Sequence[GapSeries]
    gap_table: Table
    silent: str
    silent_table: Table


def nothing_watched(why: str) -> WatchSection:
    """The section where it could not be made."""
    return WatchSection(
        [], Table("gaps", "Gap", [], [], empty=why), "", Table("silent", "Silent changes", [], [], empty=why)
    )


def watch_section(data: ReportData, routing: RoutingConfig) -> WatchSection:
    """Gaps as known now, up to the day; comparisons of the log of the day."""
    return WatchSection(_gaps(data), _gap_table(data), _silent_sentence(data), _silent_table(data, routing))


def exposed(data: ReportData, routing: RoutingConfig) -> ReportData:
    """The same data, the leaderboard events with the routes and the spend that they touch."""
    return replace(data, frames={**data.frames, "drift": _with_exposure(data, "drift", routing)})


def _with_exposure(data: ReportData, name: str, routing: RoutingConfig) -> pl.DataFrame:
    """Events with what they touch; without it where the spend could not be read, for then nobody knows."""
    return data[name] if "history" in data.unread else with_exposure(data[name], routing, data["history"])


def _gaps(data: ReportData) -> list[GapSeries]:
    """The series with most days, one per board, each as long as its scale holds; the landscape report's own always."""
    series = data["gap_series"]
    counted = (
        series.group_by("board", "benchmark_version_id")
        .agg(pl.len().alias("days"), pl.col("stands_for_board").first())
        .filter(pl.col("days") > 1)
        .sort("days", "stands_for_board", "benchmark_version_id", descending=[True, True, False])
        .unique("board", keep="first", maintain_order=True)
        .sort(pl.col("board") != REPORT_BOARD.board, maintain_order=True)
    )
    found = []
    for version in counted["benchmark_version_id"].head(_CHARTS):
        rows = series.filter(pl.col("benchmark_version_id") == version).sort("event_date").to_dicts()
        unit = _unit(rows[-1]["unit"])
        points = [(row["event_date"], row["gap"], row["gap_low"], row["gap_high"]) for row in rows]
        description = (
            f"Line: closed less open on {version}, from {fmt.signed(points[0][1])} {unit} on {points[0][0]} to "
            f"{fmt.signed(points[-1][1])} on {points[-1][0]}; the band is the 95 % interval. Above zero closed models lead."
        )
        found.append(GapSeries(_name(rows[-1]), gap_sentence(rows[-1], rows[0]), gap_chart(points, unit, description)))
    return found


def gap_sentence(now: dict[str, Any], first: dict[str, Any]) -> str:
    """The gap in plain words: who leads, by how much, whether that is more than noise, and how it was before."""
    unit, gap = _unit(now["unit"]), now["gap"]
    best = f"The best closed model, {now['best_closed_model']}, {_versus(gap, unit)} {now['best_open_model']}, the best open one"
    if now["gap_low"] is None:
        noise = "how much of that is noise is not known, because the source states no uncertainty"
    elif now["gap_low"] <= 0 <= now["gap_high"]:
        noise = f"with {fmt.signed(now['gap_low'])} to {fmt.signed(now['gap_high'])} possible at 95 %, that is no proven difference"
    else:
        noise = f"between {fmt.signed(now['gap_low'])} and {fmt.signed(now['gap_high'])} at 95 %"
    before = f" On {fmt.long_day(first['event_date'])} the gap was {fmt.signed(first['gap'])}."
    return f"{best}; {noise}.{before}{_lag(now)}{_release_lag(now)}"


def _versus(gap: float, unit: str) -> str:
    if round(gap, 1) == 0:
        return "is level with"
    return f"is {abs(gap):.1f} {unit} {'ahead of' if gap > 0 else 'behind'}"


def _lag(row: dict[str, Any]) -> str:
    if row["lag_days"] is None or row["lag_days"] == 0:
        return ""
    least = "at least " if row["lag_is_minimum"] else ""
    return f" A closed model first had what the open one has now {least}{fmt.plural(row['lag_days'], 'day')} before."


def _release_lag(row: dict[str, Any]) -> str:
    days = row["release_lag_days"]
    if days is None:
        return ""
    order = "after" if days >= 0 else "before"
    return f" The open model was released {fmt.plural(abs(days), 'day')} {order} the first closed one as good."


def _gap_table(data: ReportData) -> Table:
    rows = [
        [
            text_cell(_name(row), note=f"as of {row['event_date']}"),
            _signed(row["gap"]),
            text_cell(
                "" if row["gap_low"] is None else f"{fmt.signed(row['gap_low'])} to {fmt.signed(row['gap_high'])}",
                note=_basis(row),
            ),
            _signed(row["gap_adjusted"]),
            _signed(row["min_detectable"], plus=False),
            text_cell(_unit(row["unit"])),
            text_cell(row["best_closed_model"], note=f"{row['best_closed_score']:.1f}"),
            text_cell(row["best_open_model"], note=f"{row['best_open_score']:.1f}{_ranks(row)}"),
            _undecided(row),
        ]
        for row in data["gap"].iter_rows(named=True)
    ]
    columns = [
        text_column("Benchmark"),
        number_column("Closed less open"),
        text_column("95 % interval"),
        number_column("Less the luck of the best"),
        number_column("Smallest gap that would show"),
        text_column("Unit"),
        text_column("Best closed"),
        text_column("Best open"),
        text_column("On neither side"),
    ]
    empty = "No benchmark lists both an open and a closed model yet."
    return Table(
        "gap", "Open and closed models, benchmark by benchmark", columns, rows, empty=empty, sql=data.sql["gap"]
    )


def _undecided(row: dict[str, Any]) -> Cell:
    """The entries that nobody states to be open or closed, and the line of models.yaml that decides the first."""
    if row["undecided"] is None:
        return text_cell("")
    listed = json.loads(row["undecided"])
    names = ", ".join(f"{item['rank']}. {item['model']}" for item in listed[:3])
    more = row["n_unknown"] - len(listed[:3])
    listing = f"{names} and {fmt.count(more)} more" if more > 0 else names
    return text_cell(listing, note=f"models.yaml, models: {listed[0]['models_yaml']}")


def _basis(row: dict[str, Any]) -> str:
    """What the interval rests on, where it is more than two scores."""
    return "" if row["paired_items"] is None else f"on the same {fmt.plural(row['paired_items'], 'item')}"


def _ranks(row: dict[str, Any]) -> str:
    low, high = row["best_open_rank_from"], row["best_open_rank_to"]
    return "" if low is None else f", rank {low}" if low == high else f", rank {low} to {high}"


def _silent_sentence(data: ReportData) -> str:
    row = data["silent_counts"].row(0, named=True)
    if not row["comparisons"]:
        return (
            "No served model could be compared with its past. That takes 30 requests on the day and 60 of the same "
            "kind in the 28 days before."
        )
    is_one = row["alarms"] == 1
    found = f"{fmt.count(row['alarms'])} {'is' if is_one else 'are'}" if row["alarms"] else "none is"
    return (
        f"Compared with the 28 days before, like requests with like: {fmt.plural(row['comparisons'], 'comparison')} of "
        f"{fmt.plural(row['models'], 'model')} on this day, {found} more than noise."
    )


def _silent_table(data: ReportData, routing: RoutingConfig) -> Table:
    alarms = _with_exposure(data, "silent", routing)
    rows = [
        [
            text_cell(row["model_id"], note=row["provider_id"]),
            text_cell(row["use_case"]),
            text_cell(row["metric"]),
            text_cell(row["explanation"]),
            Cell("" if row["effect"] is None else fmt.signed(row["effect"], 3)),
            Cell("" if row["min_detectable"] is None else f"{row['min_detectable']:.3f}"),
            count_cell(row["n_day"]),
        ]
        for row in alarms.iter_rows(named=True)
    ]
    columns = [
        text_column("Model"),
        text_column("Use case"),
        text_column("Measure"),
        text_column("What was found"),
        number_column("Effect"),
        number_column("Smallest effect that would show"),
        number_column("Requests"),
    ]
    return Table("silent", "Served models that changed", columns, rows, sql=data.sql["silent"])


def _signed(value: float | None, *, plus: bool = True) -> Cell:
    return Cell("") if value is None else Cell(fmt.signed(value, plus=plus), f"{value}")


def _name(row: dict[str, Any]) -> str:
    """Benchmark and version as people name them, with the scale epoch where it has moved."""
    epoch = f", scale {row['scale_epoch'] + 1}" if row["scale_epoch"] else ""
    version = "" if row["version_label"] in {"", "1"} else f", {row['version_label']}"
    return f"{row['display_name']}{version}{epoch}"


def _unit(unit: str) -> str:
    return _UNITS.get(unit, unit)
