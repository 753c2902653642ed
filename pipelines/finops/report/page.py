"""The page as data: every section of the report, worded and rounded, ready for the template.

What is read is in `collect.py`, each section's words in a module of its own, HTML only in `render.py` and `templates/`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pipelines.finops import format as fmt
from pipelines.finops.report import coverage, evidence, projection, spend, watch
from pipelines.finops.report.charts import Chart, history_table, projection_chart, spend_chart, stacks
from pipelines.finops.report.collect import ReportData
from pipelines.finops.report.context import ReportContext
from pipelines.finops.report.tables import KeyFigure, Table


@dataclass(frozen=True)
class Page:
    """Everything that the template shows."""

    day: date
    title: str
    is_sample: bool
    headline: str
    key_figures: Sequence[KeyFigure]
    spend_chart: Chart | None
    history: Table
    models: Table
    openness: str
    reported: str
    differences: Table
    teams: Table
    unattributed: str
    coverage: Table
    unpriced: Table
    projections: projection.ProjectionSection
    projection_chart: Chart | None
    drift: evidence.DriftSection
    watch: watch.WatchSection
    feeds: Table
    accounting: Table
    files: Table
    quarantine: Table
    checks: str
    checks_open: Table
    checks_passed: Table


def build_page(data: ReportData, context: ReportContext) -> Page:
    """Word and round everything that was collected."""
    totals = spend.day_totals(data)
    found = stacks(data)
    projections = projection.projection_section(data)
    checks_open, checks_passed = evidence.checks_tables(context.checks)
    return Page(
        day=data.day,
        title=f"Model spend on {fmt.long_day(data.day)}",
        is_sample=context.is_sample,
        headline=spend.headline(data.day, totals),
        key_figures=spend.key_figures(data, totals, projection.saving_figure(data)),
        spend_chart=spend_chart(found),
        history=history_table(found, data.sql["history"]),
        models=spend.models_table(data, totals),
        openness=spend.openness_sentence(data, totals),
        reported=spend.reported_sentence(data) if totals.requests else "",
        differences=spend.differences_table(data),
        teams=spend.teams_table(data, totals),
        unattributed=spend.unattributed_sentence(data, totals),
        coverage=coverage.coverage_table(data),
        unpriced=coverage.unpriced_table(data),
        projections=projections,
        projection_chart=projection_chart([(item.title, item.bars) for item in projections.items]),
        drift=evidence.drift_section(watch.exposed(data, context.routing)),
        watch=watch.watch_section(data, context.routing),
        feeds=evidence.feeds_table(data, context.feeds),
        accounting=evidence.accounting_table(data),
        files=evidence.files_table(data),
        quarantine=evidence.quarantine_table(data),
        checks=evidence.checks_sentence(context.checks),
        checks_open=checks_open,
        checks_passed=checks_passed,
    )
