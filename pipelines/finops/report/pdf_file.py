"""A month or quarter as a PDF: the chart and the tables of its page on A4, with page numbers.

The texts are those of the page, so every figure is the same. A letter that the font lacks stands as its code point, [U+6F22]; the
page shows it as it is.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.finops.report.charts import Chart
from pipelines.finops.report.page import Page
from pipelines.finops.report.pdf_table import PdfColumn, PdfTable
from pipelines.finops.report.tables import Cell, Table

if TYPE_CHECKING:
    from fpdf import FPDF
    from fpdf.fonts import CoreFont, TTFFont

_FONTS = (
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
    "/usr/share/fonts/dejavu-sans-fonts/DejaVuSans.ttf",
    "/usr/share/fonts/TTF/DejaVuSans.ttf",
    "/usr/share/fonts/truetype/noto/NotoSans-Regular.ttf",
    "/System/Library/Fonts/Supplemental/Arial Unicode.ttf",
    "/Library/Fonts/Arial Unicode.ttf",
    "C:/Windows/Fonts/arial.ttf",
)
_PLAIN = {
    "\u2212": "-",
    "\u2013": "-",
    "\u2014": "-",
    "\u2018": "'",
    "\u2019": "'",
    "\u201c": '"',
    "\u201d": '"',
    "\u202f": " ",
}
"""How signs of our own are written in the built-in font."""
_FAMILY = "page"
_MARGIN = 12
_ROWS = 60
"""Rows of a table; its total is that of all rows."""
_LETTERS = 600
"""Letters of a cell."""
_VARIABLE = re.compile(r"var\(--([a-z0-9-]+)\)")
_COLOUR = re.compile(r"--([a-z0-9-]+): (#[0-9a-f]{3,6});")
_VIEW = re.compile(r'viewBox="0 0 ([0-9.]+) ([0-9.]+)"')
_KEPT_TOGETHER = 40
"""Millimetres that a heading and the first rows of its table need: with less left, they begin a new page."""


def is_pdf_of(content: bytes, page: Page) -> bool:
    """Whether `pdf_of` made `content` of this very page, with this font and this code."""
    return _mark(page).encode() in content


def _mark(page: Page) -> str:
    """What a PDF is made of, as a hash: the page, the fonts, and the code."""
    fonts = [(str(path), path.stat().st_size) for path in _found_fonts()]
    return hashlib.sha256(repr((page, fonts, _code_hash())).encode()).hexdigest()


@cache
def _code_hash() -> str:
    files = resources.files("pipelines.finops.report")
    sources = [files / "pdf_file.py", files / "pdf_table.py", files / "templates" / "report.css"]
    versions = [version(package) for package in ("fpdf2", "vl-convert-python")]
    return hashlib.sha256(b"\0".join([source.read_bytes() for source in sources]) + repr(versions).encode()).hexdigest()


def pdf_of(page: Page) -> bytes:
    """The PDF of a page of a month or quarter. The same page and font give the same bytes."""
    from fpdf import FPDF

    class Numbered(FPDF):
        """A document with the number of each page below it."""

        def footer(self) -> None:
            self.set_y(-10)
            self.set_font(_FAMILY, size=7.5)
            self.cell(0, 5, shown(page.title))
            self.set_x(_MARGIN)
            self.cell(0, 5, f"Page {self.page_no()} of {{nb}}", align="R")

    pdf = Numbered(orientation="landscape", format="A4")
    shown = _font(pdf)
    pdf.set_creation_date(datetime(page.day.year, page.day.month, page.day.day, tzinfo=UTC))
    pdf.set_title(page.title)
    pdf.set_keywords(_mark(page))
    pdf.set_margin(_MARGIN)
    pdf.set_auto_page_break(True, margin=14)
    pdf.add_page()
    _line(pdf, shown(page.title), 20)
    if page.is_sample:
        _line(pdf, "Synthetic sample: these numbers are invented.", 10)
    if page.incomplete:
        _line(pdf, shown(f"This page is incomplete: {page.incomplete.sentence}"), 10)
    _line(pdf, shown(page.headline), 11)
    for figure in page.key_figures:
        notes = "; ".join(note for note in figure.notes if note)
        _line(pdf, shown(f"{figure.label}: {figure.value}" + (f" ({notes})" if notes else "")), 9)
    if page.spend_chart is not None:
        _chart(pdf, page.spend_chart, shown)
    for title, tables in _sections(page):
        _heading(pdf, shown(title), 13, _KEPT_TOGETHER)
        for table in tables:
            _table(pdf, table, shown)
    return bytes(pdf.output())


def _sections(page: Page) -> list[tuple[str, Sequence[Table]]]:
    moved = [("What moved, and why", [page.moved.compared, *page.moved.movers])] if page.moved else []
    return [
        *((cut.title, [cut.table]) for cut in page.cuts),
        *moved,
        *([("Budgets, forecast and anomalies", page.plan.tables)] if page.plan else []),
        ("By day", [page.history]),
        ("Computed, logged and billed", [page.bills]),
        ("What has no price", [page.unpriced]),
        ("What could have cost less", [page.waste]),
    ]


def _font(pdf: FPDF) -> Callable[[str], str]:
    """Set the font, and say how a text is written in it."""
    fonts = _found_fonts()
    if not fonts:
        for style in ("", "B"):
            pdf.fonts[_FAMILY + style] = _built_in(pdf, style)
        return lambda text: "".join(
            _PLAIN.get(letter, letter if _is_latin(letter) else _code(letter)) for letter in text
        )
    for style, path in zip(("", "B"), fonts, strict=True):
        pdf.add_font(_FAMILY, style, path)
    has = getattr(pdf.fonts[_FAMILY], "cmap", {})
    return lambda text: "".join(
        letter if ord(letter) in has else _PLAIN.get(letter) or _code(letter) for letter in text
    )


def _found_fonts() -> tuple[Path, ...]:
    """The plain and the bold font of this machine; none where it has no font that is known."""
    found = next((path for path in _FONTS if Path(path).is_file()), None)
    if found is None:
        return ()
    bold = Path(found.replace("Sans.ttf", "Sans-Bold.ttf").replace("-Regular", "-Bold"))
    return Path(found), bold if bold.is_file() else Path(found)


def _built_in(pdf: FPDF, style: str) -> CoreFont | TTFFont:
    pdf.set_font("helvetica", style)
    return pdf.fonts[f"helvetica{style}"]


def _is_latin(letter: str) -> bool:
    return (letter.isprintable() and ord(letter) < 256) or letter == "\u00a0"


def _code(letter: str) -> str:
    return f"[U+{ord(letter):04X}]"


def _line(pdf: FPDF, text: str, size: float, style: str = "") -> None:
    pdf.set_font(_FAMILY, style, size)
    pdf.multi_cell(0, size * 0.5, text, new_x="LMARGIN", new_y="NEXT")
    pdf.ln(1)


def _heading(pdf: FPDF, text: str, size: float, needed: float) -> None:
    """A heading, on a new page where too little room is left below it."""
    if pdf.will_page_break(needed):
        pdf.add_page()
    else:
        pdf.ln(3)
    _line(pdf, text, size, "B")


def _chart(pdf: FPDF, chart: Chart, shown: Callable[[str], str]) -> None:
    """The chart of the page in the colours of paper, at the width of the sheet, and its legend."""
    import vl_convert

    colours = _colours()
    svg = _VARIABLE.sub(lambda found: colours[found[1]], chart.wide)
    wide, high = _VIEW.search(svg).groups()  # type: ignore[union-attr]
    sized = svg.replace("<svg ", f'<svg width="{wide}" height="{high}" ', 1)
    width = pdf.w - 2 * _MARGIN
    _heading(pdf, "Spend by day, USD", 13, width * float(high) / float(wide) + 20)
    pdf.image(io.BytesIO(vl_convert.svg_to_png(sized, scale=2)), w=width, alt_text=shown(chart.description))
    pdf.ln(2)
    pdf.set_font(_FAMILY, "", 8)
    for entry in chart.legend:
        text = shown(f"{entry.name}  {entry.amount}")
        if pdf.get_x() + pdf.get_string_width(text) + 12 > pdf.w - _MARGIN:
            pdf.ln(5)
        pdf.set_fill_color(colours[entry.colour.removeprefix("var(--").removesuffix(")")])
        pdf.rect(pdf.get_x(), pdf.get_y() + 1, 2.6, 2.6, style="F")
        pdf.set_x(pdf.get_x() + 4)
        pdf.cell(pdf.get_string_width(text) + 6, 5, text)
    pdf.ln(6)


def _colours() -> dict[str, str]:
    """The colours of the style sheet by light, which are those of paper."""
    light = (resources.files("pipelines.finops.report") / "templates" / "report.css").read_text(encoding="utf-8")
    return dict(_COLOUR.findall(light[: light.index("}")]))


def _table(pdf: FPDF, table: Table, shown: Callable[[str], str]) -> None:
    if not table.rows:
        _line(pdf, shown(table.empty), 9)
        return
    if pdf.will_page_break(_KEPT_TOGETHER - 12):
        pdf.add_page()
    _line(pdf, shown(table.caption), 8)
    pdf.set_font(_FAMILY, size=7)
    rows = [[_short(shown(_words(cell))) for cell in row] for row in table.rows[:_ROWS]]
    grid = PdfTable(
        pdf,
        [
            PdfColumn(
                shown(f"{column.title}, {column.unit}" if column.unit else column.title),
                share=12 if column.is_number else 22,
                is_right=column.is_number,
                longest=max((word for row in rows for word in row[number].split()), key=len, default=""),
            )
            for number, column in enumerate(table.columns)
        ],
    )
    for row in rows:
        grid.row(row)
    if len(table.rows) > _ROWS:
        more = f"{len(table.rows) - _ROWS} more, on the page and in the workbook"
        grid.row([more, *[""] * (len(table.columns) - 1)])
    if table.foot:
        grid.row([_short(shown(cell.text)) for cell in table.foot], is_bold=True)
    pdf.ln(2)


def _short(text: str) -> str:
    return text[:_LETTERS]


def _words(cell: Cell) -> str:
    return f"{cell.text} ({cell.note})" if cell.note else cell.text
