"""The sections on what the numbers rest on: leaderboard drift, price feeds, the accounting of files, and checks.

Spend is in `spend.py`, projections are in `projection.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from pipelines.finops import format as fmt
from pipelines.finops.report.collect import ReportData
from pipelines.finops.report.context import CheckLine, FeedLine
from pipelines.finops.report.tables import Cell, Table, count_cell, number_column, text_cell, text_column
from pipelines.instants import end_of

_SEVERITIES = {"error": "error", "warn": "warning", "info": "note"}
_CLASSES = {
    "new": "new entry",
    "removed": "entry removed",
    "renamed": "renamed",
    "revised": "revised by its source",
    "rounding": "rounding",
    "scale_rebase": "new scale",
    "index_version": "new index version",
    "contradiction": "contradiction",
    "missing_outcomes": "outcomes missing",
    "coverage_gate": "export not whole",
    "drift": "drift",
    "slow_drift": "slow drift",
}
_EVENTS_SHOWN = 60


@dataclass(frozen=True)
class DriftEvent:
    """One event: the sentence first, the numbers after."""

    date: str
    severity: str
    kind: str
    explanation: str
    numbers: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class DriftSection:
    """The events of the day, those of the thirty days up to it, and how many of the latter are not listed."""

    today: Sequence[DriftEvent]
    earlier: Sequence[DriftEvent]
    not_listed: int
    sql: str


def drift_section(data: ReportData) -> DriftSection:
    """Events of the day in full; of the earlier ones the sixty newest."""
    frame = data["drift"]
    today = frame.filter(pl.col("event_date") == data.day)
    earlier = frame.filter(pl.col("event_date") < data.day)
    return DriftSection(
        [_event(row) for row in today.iter_rows(named=True)],
        [_event(row) for row in earlier.head(_EVENTS_SHOWN).iter_rows(named=True)],
        max(0, earlier.height - _EVENTS_SHOWN),
        data.sql["drift"],
    )


def _event(row: dict[str, Any]) -> DriftEvent:
    numbers = [
        ("board", row["benchmark_version_id"] or row["board"]),
        ("before", _number(row["score_before"])),
        ("after", _number(row["score_after"])),
        ("change beyond the board's common shift", _number(row["delta_adjusted"], plus=True)),
        ("smallest change that would show", _number(row["min_detectable"])),
        ("z", _number(row["z"])),
        ("q", _q_value(row["q_value"])),
        ("models", fmt.count(row["n_models"]) if row["n_models"] > 1 else ""),
    ]
    return DriftEvent(
        fmt.short_day(row["event_date"]),
        _SEVERITIES[row["severity"]],
        _CLASSES.get(row["drift_class"], row["drift_class"]),
        row["explanation"],
        [(name, value) for name, value in numbers if value],
    )


def _number(value: float | None, *, plus: bool = False) -> str:
    if value is None:
        return ""
    return f"{value:{'+' if plus else ''}.1f}".replace("-", "\N{MINUS SIGN}")


def _q_value(value: float | None) -> str:
    return "" if value is None else "< 0.001" if value < 0.001 else f"{value:.3f}"


def feeds_table(data: ReportData, feeds: Sequence[FeedLine]) -> Table:
    """Each price feed and leaderboard: its newest snapshot, how old it was when the day ended, and whether it is stale."""
    day_end = end_of(data.day)
    declared = {(feed.kind, feed.name): feed for feed in feeds}
    held = {(row["kind"], row["source"]): row for row in data["feeds"].iter_rows(named=True)}
    rows = []
    for kind, name in [*held, *(key for key in declared if key not in held)]:
        row, feed = held.get((kind, name)), declared.get((kind, name))
        observed = row["observed_at"] if row else feed.observed_at if feed else None
        rows.append(
            [
                text_cell(name),
                text_cell(kind),
                Cell(fmt.instant(observed)),
                _age_cell(observed, day_end),
                count_cell(row["snapshots"] if row else 0),
                _feed_state(feed),
            ]
        )
    return Table(
        "feeds",
        "Price feeds and leaderboards in use",
        [
            text_column("Feed"),
            text_column("Kind"),
            text_column("Newest snapshot, UTC"),
            number_column("Age when the day ended"),
            number_column("Snapshots held"),
            text_column("State at this run"),
        ],
        rows,
        empty="No price feed or leaderboard has been read yet, so nothing can be priced.",
        sql=data.sql["feeds"],
    )


def _age_cell(observed: datetime | None, day_end: datetime) -> Cell:
    if observed is None:
        return Cell("never read")
    hours = (day_end - observed).total_seconds() / 3600
    return Cell(fmt.age(hours) if hours >= 0 else "read after the day", f"{hours:.1f}")


def _feed_state(feed: FeedLine | None) -> Cell:
    if feed is None:
        return Cell("no url: read as landed")
    if feed.is_stale is None:
        return Cell(feed.outcome or "not known")
    return Cell("stale" if feed.is_stale else "fresh", note=feed.outcome, tone="bad" if feed.is_stale else "good")


_ACCOUNT = ("lines", "loaded", "duplicates", "other_days", "quarantined")


def accounting_table(data: ReportData) -> Table:
    """What became of the lines of every file that touches the day, by source."""
    by_source = (
        data["files"]
        .group_by("source", "format", maintain_order=True)
        .agg(pl.len().cast(pl.Int64).alias("files"), *(pl.col(name).sum() for name in _ACCOUNT))
    )
    names = ("files", *_ACCOUNT)
    rows = [
        [text_cell(row["source"], note=row["format"]), *(count_cell(row[name]) for name in names)]
        for row in by_source.iter_rows(named=True)
    ]
    foot = [Cell("Total"), *(count_cell(int(by_source[name].sum())) for name in names)]
    return Table(
        "accounting",
        f"What became of the lines of the files that touch {fmt.long_day(data.day)}",
        [text_column("Source"), number_column("Files"), *_ACCOUNT_COLUMNS],
        rows,
        foot,
        "No request file touches this day.",
        data.sql["files"],
    )


def files_table(data: ReportData) -> Table:
    """The same, file by file."""
    rows = [
        [text_cell(row["landing_path"]), *(count_cell(row[name]) for name in _ACCOUNT)]
        for row in data["files"].iter_rows(named=True)
    ]
    return Table("files", "The same, file by file", [text_column("File in the landing zone"), *_ACCOUNT_COLUMNS], rows)


_ACCOUNT_COLUMNS = (
    number_column("Lines"),
    number_column("Loaded on this day"),
    number_column("Duplicates"),
    number_column("Of other days"),
    number_column("Quarantined"),
)


def quarantine_table(data: ReportData) -> Table:
    """Records set aside, by source and reason, each with one example."""
    rows = [
        [
            text_cell(row["reason"]),
            text_cell(row["source"]),
            text_cell("should have loaded" if row["severity"] == "error" else "is no request"),
            count_cell(row["records"]),
            Cell(row["example_detail"], note=row["example_place"]),
        ]
        for row in data["quarantine"].iter_rows(named=True)
    ]
    return Table(
        "quarantine",
        "Records set aside, and why",
        [
            text_column("Reason"),
            text_column("Source"),
            text_column("Meaning"),
            number_column("Records"),
            text_column("An example, and where it is"),
        ],
        rows,
        empty="Nothing was set aside.",
        sql=data.sql["quarantine"],
    )


_CHECK_STATES = {False: ("failed", "bad"), None: ("not evaluable", "warn"), True: ("passed", "good")}


def checks_sentence(checks: Sequence[CheckLine]) -> str:
    """How many checks passed, failed and could not be evaluated."""
    if not checks:
        return "This report was made without checks; Dagster shows the checks of the daily run at each table."
    passed, failed = sum(c.passed is True for c in checks), sum(c.passed is False for c in checks)
    unknown = len(checks) - passed - failed
    text = f"{fmt.count(passed)} of {fmt.plural(len(checks), 'check')} passed"
    if failed:
        text += f", {fmt.count(failed)} failed"
    return f"{text}, {fmt.count(unknown)} could not be evaluated." if unknown else f"{text}."


def checks_tables(checks: Sequence[CheckLine]) -> tuple[Table, Table]:
    """What needs a look, failed checks before those of which nobody can say; and the passed ones."""
    open_checks = sorted((check for check in checks if not check.passed), key=lambda check: check.passed is None)
    return (
        _checks_table("checks", "Checks that need attention", open_checks),
        _checks_table("passed", "Passed checks", [check for check in checks if check.passed]),
    )


def _checks_table(table_id: str, caption: str, checks: Sequence[CheckLine]) -> Table:
    rows = []
    for check in checks:
        state, tone = _CHECK_STATES[check.passed]
        rows.append([text_cell(check.name), Cell(state, tone=tone), text_cell(check.severity), text_cell(check.detail)])
    return Table(
        table_id,
        caption,
        [
            text_column("Check"),
            text_column("Result"),
            text_column("Severity"),
            text_column("What is checked, or was found"),
        ],
        rows,
    )
