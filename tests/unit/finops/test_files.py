"""The month as workbook and PDF, read by other programs: the same totals, nothing that runs, no heading left alone."""

from __future__ import annotations

import io
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from openpyxl import load_workbook
from pypdf import PdfReader

from pipelines.finops.report import ReportContext, Span, build_report
from pipelines.finops.report.collect import collect
from pipelines.finops.report.excel_file import workbook
from pipelines.finops.report.page import Page
from pipelines.finops.report.pdf_file import pdf_of
from pipelines.finops.report.span_page import build_span_page
from tests.unit.finops import books

Connection = psycopg.Connection[Any]
MONTH = Span.of_month(books.DAY)
FORMULA = '=HYPERLINK("http://evil","x")'
TITLES = ("By seller", "By model", "By team", "By project", "By cost centre")


def month_page(connection: Connection) -> Page:
    return build_span_page(collect(connection, MONTH), ReportContext(is_sample=True))[0]


def test_cells_are_typed_and_totals_are_formulas_with_their_value(connection: Connection) -> None:
    books.write(connection, [*books.small_day(), books.request(9, "model-a", "1234.5", team=FORMULA)])
    content = workbook(collect(connection, MONTH))
    assert content == workbook(collect(connection, MONTH)), "the same rows give the same bytes"
    formulas, values = (load_workbook(io.BytesIO(content), data_only=only) for only in (False, True))
    for title in TITLES:
        heads = [cell.value for cell in formulas[title][3]]
        at = heads.index("Cost, USD") + 1
        last = formulas[title].max_row
        assert formulas[title].cell(last, 1).value == "Total"
        assert formulas[title].cell(last, at).value == f"=SUM(B4:B{last - 1})"
        cells = [values[title].cell(row, at).value for row in range(4, last)]
        assert {type(cell) for cell in cells if cell is not None} <= {int, float}
        total = values[title].cell(last, at).value
        assert total == pytest.approx(sum(cell or 0 for cell in cells)) == pytest.approx(float(Decimal("1236.514")))
    names = [formulas["By team"].cell(row, 1) for row in range(4, formulas["By team"].max_row)]
    assert (FORMULA, "s") in [(cell.value, cell.data_type) for cell in names], "a name is text, not a formula"
    assert isinstance(values["By day"]["A4"].value, datetime)
    assert {sheet.title for sheet in formulas} >= {*TITLES, "Bills", "Not priced", "Waste", "Queries"}
    texts = [cell for sheet in formulas for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]
    assert all(str(cell.value).startswith("=SUM(") for cell in texts)


@pytest.mark.slow
def test_the_pdf_has_the_totals_of_the_page_and_numbers_its_pages(connection: Connection) -> None:
    rows = [books.request(n, f"model-{n}", "1.25", team=f"team {n}", project=f"project {n}") for n in range(20)]
    books.write(connection, [*rows, books.request(99, "model-\u6f22", "10.25", team="Z\u00fcrich")])
    page = month_page(connection)
    content = pdf_of(page)
    assert content == pdf_of(page)
    pages = [sheet.extract_text() for sheet in PdfReader(io.BytesIO(content)).pages]
    text = " ".join("\n".join(pages).split())
    assert "$35.25" in text
    assert page.spend_chart is not None
    (drawn,) = [image for sheet in PdfReader(io.BytesIO(content)).pages for image in sheet.images]
    assert drawn.image is not None
    assert drawn.image.width / drawn.image.height == pytest.approx(920 / 300, rel=0.05)
    for entry in page.spend_chart.legend:
        assert entry.name.replace("\u6f22", "[U+6F22]") in text
        assert entry.amount in text
    for cut in page.cuts:
        assert cut.table.foot[1].text == "35.25"
        assert cut.title in text
    assert text.count("Total 35.25") >= len(page.cuts), "each table has its total"
    assert "Z\u00fcrich" in text
    assert "model-[U+6F22]" in text
    for number, sheet in enumerate(pages, start=1):
        assert f"Page {number} of {len(pages)}" in sheet
        lines = [line for line in sheet.splitlines() if line.strip()]
        body = [line for line in lines if "Page " not in line and line != page.title]
        assert body[-1] not in {cut.title for cut in page.cuts}, "a heading is never the last line of a page"


@pytest.mark.slow
def test_a_pdf_is_made_again_only_where_its_page_changed(connection: Connection, tmp_path: Path) -> None:
    books.write(connection, books.small_day())
    context = ReportContext(is_sample=True)
    build_report(connection, MONTH, tmp_path, context=context)
    (path,) = tmp_path.glob("*/*.pdf")
    first, made = path.read_bytes(), path.stat().st_ino
    build_report(connection, MONTH, tmp_path, context=context)
    assert (path.stat().st_ino, path.read_bytes()) == (made, first), "it was left as it lay"
    path.write_bytes(b"%PDF-1.3 of another page")
    build_report(connection, MONTH, tmp_path, context=context)
    assert path.read_bytes() == first
    build_report(connection, MONTH, tmp_path, context=ReportContext())
    assert "Synthetic" not in "".join(sheet.extract_text() for sheet in PdfReader(path).pages)


def test_without_a_font_signs_stay_readable(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    books.full(connection)
    monkeypatch.setattr("pipelines.finops.report.pdf_file._FONTS", ())
    text = "".join(sheet.extract_text() for sheet in PdfReader(io.BytesIO(pdf_of(month_page(connection)))).pages)
    assert "$6.01" in text
    assert "[U+" not in text
