"""The page as data: every section of the report, worded and rounded, ready for the template.

What is read is in `collect.py`, each section's words in a module of its own, HTML only in `render.py` and `templates/`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from pipelines.config.allocation import ATTRIBUTION
from pipelines.finops import format as fmt
from pipelines.finops.queries import CUTS, Cut
from pipelines.finops.report import bills, coverage, evidence, projection, routing, spend, watch
from pipelines.finops.report.charts import Chart, history_table, spend_chart, stacks
from pipelines.finops.report.collect import ReportData, first_day
from pipelines.finops.report.context import Failure, ReportContext
from pipelines.finops.report.incomplete import IncompleteSection, Sections, incomplete_section
from pipelines.finops.report.moved import NAMES, MovedSection, moved_section, spend_by, spent_on
from pipelines.finops.report.plan import PlanSection, plan_section
from pipelines.finops.report.tables import KeyFigure, Link, Table
from pipelines.finops.report.waste import waste_table
from pipelines.finops.span import Kind

_NOT_MADE = "This could not be made; the reason is at the top of the page."


@dataclass(frozen=True)
class Page:
    """Everything that the template shows. A section that the days give nothing for is None, or a table without rows and words."""

    day: date
    kind: Kind
    title: str
    links: Sequence[Link]
    is_sample: bool
    headline: str
    incomplete: IncompleteSection | None
    key_figures: Sequence[KeyFigure]
    spend_chart: Chart | None
    history: Table
    cuts: Sequence[spend.CutSection]
    moved: MovedSection | None
    bills: Table
    unpriced: Table
    waste: Table
    plan: PlanSection | None
    models: Table | None = None
    openness: str = ""
    reported: str = ""
    differences: Table | None = None
    coverage: Table | None = None
    policies: Table | None = None
    routing: routing.RoutingSection | None = None
    drift: evidence.DriftSection | None = None
    watch: watch.WatchSection | None = None
    evidence: EvidenceSection | None = None
    mark: str = ""


@dataclass(frozen=True)
class EvidenceSection:
    """What the figures of a day rest on: feeds, lines of files, records set aside, checks."""

    feeds: Table
    accounting: Table
    files: Table
    quarantine: Table
    checks: str
    checks_open: Table
    checks_passed: Table


def build_page(data: ReportData, context: ReportContext) -> tuple[Page, list[Failure]]:
    """Word and round everything that was collected; and the sections that failed, which stand empty in the page."""
    sections = Sections()

    def table(name: str, make: Callable[[], Table]) -> Table:
        return sections.made(name, make, lacking(name))

    totals = sections.made("figures of the day", lambda: spend.day_totals(data), spend.NO_TOTALS)
    no_days: tuple[Chart | None, Table] = (None, lacking("spend by day"))
    chart, history = sections.made("spend by day", lambda: _spend_by_day(data), no_days)
    projected, saving = sections.made(
        "projected saving",
        lambda: (routing.routing_section(data), projection.saving_figure(data)),
        (_NO_ROUTING, KeyFigure("Projected saving", fmt.NONE, ["could not be read"])),
    )
    checks_open, checks_passed = evidence.checks_tables(context.checks)
    page = Page(
        day=data.day,
        kind="day",
        links=context.links,
        mark=context.mark,
        title=f"Model spend on {fmt.long_day(data.day)}",
        is_sample=context.is_sample,
        headline=spend.headline(data.day, totals, context.incomplete),
        incomplete=None,
        key_figures=sections.made(
            "key figures", lambda: spend.key_figures(data, totals, replace(saving, definition="projected")), []
        ),
        spend_chart=chart,
        history=history,
        models=table("spend by model", lambda: spend.models_table(data)),
        openness=sections.made("open models", lambda: spend.openness_sentence(data, totals), ""),
        reported=sections.made(
            "costs that gateways logged", lambda: spend.reported_sentence(data) if totals.requests else "", ""
        ),
        differences=table("logged costs that differ", lambda: spend.differences_table(data)),
        cuts=[
            *(_cut(data, cut, sections) for cut in CUTS),
            *(dimension_cut(data, name, table) for name in ("provider", "cost_centre")),
        ],
        moved=sections.made("what moved", lambda: moved_section(data), None),
        plan=sections.made("budgets, forecast and anomalies", lambda: plan_section(data), None),
        waste=table("what could have cost less", lambda: waste_table(data)),
        bills=table("bills", lambda: bills.bills_table(data)),
        coverage=table("what is priced", lambda: coverage.coverage_table(data)),
        unpriced=table("what has no price", lambda: coverage.unpriced_table(data)),
        routing=projected,
        drift=sections.made(
            "changes on leaderboards",
            lambda: evidence.drift_section(watch.exposed(data, context.routing)),
            evidence.DriftSection([], [], 0, ""),
        ),
        watch=sections.made(
            "gap and silent change",
            lambda: watch.watch_section(data, context.routing),
            watch.nothing_watched(_NOT_MADE),
        ),
        evidence=EvidenceSection(
            feeds=table("feeds", lambda: evidence.feeds_table(data, context.feeds)),
            accounting=table("accounting of lines", lambda: evidence.accounting_table(data)),
            files=table("accounting by file", lambda: evidence.files_table(data)),
            quarantine=table("records set aside", lambda: evidence.quarantine_table(data)),
            checks=evidence.checks_sentence(context.checks),
            checks_open=checks_open,
            checks_passed=checks_passed,
        ),
    )
    return replace(page, incomplete=incomplete_section(context.incomplete, sections.failures)), sections.failures


def _cut(data: ReportData, cut: Cut, sections: Sections) -> spend.CutSection:
    name = f"spend by {cut.column}"
    made = sections.made(name, lambda: spend.cut_table(data, cut), lacking(name))
    sentence = sections.made(f"requests that name no {cut.column}", lambda: spend.unattributed_sentence(data, cut), "")
    return spend.CutSection(f"by-{cut.column}", cut.id.capitalize(), f"By {cut.column}", sentence, made)


def dimension_cut(
    data: ReportData, dimension: str, table: Callable[[str, Callable[[], Table]], Table]
) -> spend.CutSection:
    """The section of spend by a dimension, compared with the earlier days."""
    title = NAMES[dimension]
    made = table(f"spend by {title.lower()}", lambda: spend_by(data, dimension))
    sentence = ""
    if dimension in ATTRIBUTION and made.rows:
        sentence = spend.named_sentence(spent_on(data, dimension), "dimension_value", title.lower())
    return spend.CutSection(f"by-{dimension.replace('_', '-')}", f"{title}s", f"By {title.lower()}", sentence, made)


def _spend_by_day(data: ReportData) -> tuple[Chart | None, Table]:
    found = stacks(data["history"], first_day(data.day), data.day)
    return spend_chart(found), history_table(found, data.sql["history"])


def lacking(name: str) -> Table:
    """A table in the place of one that could not be made."""
    return Table("", name, [], [], empty=_NOT_MADE)


_NO_ROUTING = routing.RoutingSection(lacking("policies"))
