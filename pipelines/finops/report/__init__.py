"""The FinOps report: one self-contained HTML page per day, month and quarter, from the marts.

`build_report` reads (`collect.py`), words (`page.py` and the sections) and writes (`render.py`). When it runs and with
which day is decided by `pipelines.daily` and `assets`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg

from pipelines.finops.report.collect import ReportData, ReportError, collect, require_marts
from pipelines.finops.report.context import CheckLine, Failure, FeedLine, Incomplete, ReportContext, StaleTable
from pipelines.finops.report.excel_file import workbook
from pipelines.finops.report.incomplete import Sections
from pipelines.finops.report.page import Page, build_page
from pipelines.finops.report.pdf_file import is_pdf_of, pdf_of
from pipelines.finops.report.render import render_page, write_file, write_page
from pipelines.finops.report.span_page import build_span_page
from pipelines.finops.span import FILES, Span

__all__ = [
    "CheckLine",
    "Failure",
    "FeedLine",
    "Incomplete",
    "ReportContext",
    "ReportError",
    "Span",
    "StaleTable",
    "build_report",
]


def build_report(connection: psycopg.Connection[Any], span: Span, out_dir: Path, *, context: ReportContext) -> Path:
    """Write `out_dir/<day, month or quarter>/index.html`, and return its path.

    Reads in the connection's transaction; the page of days without data states that there is none.
    The file is replaced whole and depends on nothing but the tables and `context`: the same books give the same
    bytes. What fails costs its own section, which the page names on top.

    Raises ReportError where the marts have never been built and there is no failed run (`context.incomplete`) to report, and,
    once the page is written, where a section of it is missing.
    """
    if context.incomplete is None:
        require_marts(connection, span.last)
    build = build_page if span.kind == "day" else build_span_page
    data = collect(connection, span)
    page, failures = build(data, context)
    folder = out_dir / span.slug
    path = write_page(render_page(page), folder / "index.html")
    if span.kind != "day":
        failures = [*failures, *_files(data, page, folder)]
    if failures and context.incomplete is None:
        named = "; ".join(f"{failure.what}: {failure.reason}" for failure in failures)
        raise ReportError(f"{path} is written, and incomplete: {named}")
    return path


def _files(data: ReportData, page: Page, folder: Path) -> list[Failure]:
    """The same days as a workbook and as a PDF, in the folder of the page; and those that could not be made.

    A PDF of the very same page is left as it lies: to make one takes half the time of a report.
    """
    sections = Sections()
    path = folder / f"{FILES}-{data.span.slug}.pdf"

    def pdf() -> bytes | None:
        return None if path.is_file() and is_pdf_of(path.read_bytes(), page) else pdf_of(page)

    for name, file, make in (("workbook", path.with_suffix(".xlsx"), lambda: workbook(data)), ("PDF", path, pdf)):
        content = sections.made(name, make, None)
        if content is not None:
            write_file(content, file)
    return sections.failures
