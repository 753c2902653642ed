"""A month or quarter as an Excel workbook: numbers as numbers, totals as formulas, names as text and nothing else.

The rows are those of the page (`collect.py`). A cell holds a double, so an amount has some fifteen digits; every digit is
in the warehouse, and the query stands on the last sheet.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl

from pipelines.finops import format as fmt
from pipelines.finops.report.collect import ReportData, movement_name
from pipelines.finops.report.coverage import REASONS
from pipelines.finops.report.moved import NAMES, PART_TITLES, main_comparison, whole
from pipelines.finops.span_queries import DIMENSIONS, PARTS

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.worksheet import Worksheet

_LONGEST = 32_000
"""Letters that a cell may hold, with some to spare."""
_USD, _COUNT = '#,##0.00_ ;[Red]-#,##0.00_ ;"-"??', "#,##0"


@dataclass(frozen=True)
class _Column:
    title: str
    name: str
    format: str = ""
    width: int = 16


def _text(title: str, name: str, width: int = 34) -> _Column:
    return _Column(title, name, "", width)


def _usd(title: str, name: str) -> _Column:
    return _Column(f"{title}, USD", name, _USD)


def _count(title: str, name: str) -> _Column:
    return _Column(title, name, _COUNT)


_SPEND = (
    _usd("Cost", "cost_usd"),
    _usd("Before", "cost_then_usd"),
    _usd("Change", "change_usd"),
    *(_usd(title, f"{part}_usd") for part, title in PART_TITLES.items()),
    _usd("Expected on bills", "billed_cost_usd"),
    _usd("List price", "list_cost_usd"),
    _count("Requests", "requests"),
    _count("Without a price", "unpriced_requests"),
    _count("Tokens in", "input_tokens"),
    _count("Tokens out", "output_tokens"),
)
_BILLS = (
    _text("Seller", "provider_id"), _usd("Computed", "all_computed_usd"), _usd("Logged by gateways", "logged_usd"),
    _usd("Computed where billed", "computed_usd"), _usd("Billed", "billed_usd"), _usd("Billed less computed", "difference_usd"),
)  # fmt: skip
_UNKNOWN = (
    _text("Model", "model_id"), _text("Seller", "provider_id", 18), _text("Why", "reason", 44), _count("Requests", "requests"),
    _count("Tokens", "tokens"), _usd("Logged", "logged_cost_usd"), _usd("May cost", "at_risk_usd"),
)  # fmt: skip
_WASTE = (
    _text("Finding", "finding"), _count("Requests", "requests"), _usd("Their cost", "cost_usd"), _usd("Could have saved", "saving_usd"),
)  # fmt: skip


def workbook(data: ReportData) -> bytes:
    """The workbook of the days of `data`. The same rows give the same bytes."""
    import xlsxwriter

    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"title": f"Model spend in {data.span.name}", "created": datetime.combine(data.day, time())})
    sheets = _Sheets(book)
    main = main_comparison(data)
    number, against = (main[0], f"Before is {main[1].name}. ") if main else (0, "")
    moved = data[movement_name(number)]
    head = f"Model spend in {data.span.name}, up to {data.day}, effective cost in USD. {against}"
    for dimension in DIMENSIONS:
        rows = moved.filter(pl.col("dimension") == dimension)
        columns = (_text(NAMES[dimension], "dimension_value"), *_SPEND)
        # A shift between two rows is in the parts of the whole and of neither row, so these columns have no sum.
        sheets.add(f"By {NAMES[dimension].lower()}", head, columns, rows, unsummed=[f"{part}_usd" for part in PARTS], whole=whole(data, number))  # fmt: skip
    days = (
        data["days"]
        .group_by("event_date")
        .agg(pl.col("requests", "priced_requests", "effective_cost_usd").sum())
        .sort("event_date")
    )
    sheets.add(
        "By day", f"Model spend in {data.span.name} by UTC day",
        (_Column("Day", "event_date", "yyyy-mm-dd", 12), _count("Requests", "requests"), _count("Priced", "priced_requests"), _usd("Cost", "effective_cost_usd")),
        days,
    )  # fmt: skip
    sheets.add("Bills", f"Computed, logged and billed in {data.span.name}", _BILLS, data["bills"])
    unknown = data["unknown"].with_columns(pl.col("reason").replace_strict(REASONS, default=pl.col("reason")))
    sheets.add("Not priced", "What has no price, and what it may cost", _UNKNOWN, unknown)
    sheets.add("Waste", "Requests that could have cost less", _WASTE, data["waste"])
    names = {
        "Spend": movement_name(number),
        "Days": "days",
        "Bills": "bills",
        "Not priced": "unknown",
        "Waste": "waste",
    }
    sheets.queries({title: data.sql[name] for title, name in names.items()})
    book.close()
    return content.getvalue()


class _Sheets:
    """Writes the sheets of a book, all in the same form: a title, headings, rows, and a row of totals."""

    def __init__(self, book: Workbook) -> None:
        self.book = book
        self.bold = book.add_format({"bold": True})
        self.head = book.add_format({"bold": True, "text_wrap": True, "bottom": 1, "valign": "bottom"})
        self.foot = {name: book.add_format({"bold": True, "top": 1, "num_format": name}) for name in (_USD, _COUNT)}
        self.cell = {name: book.add_format({"num_format": name}) for name in (_USD, _COUNT, "yyyy-mm-dd")}
        self.wrapped = book.add_format({"text_wrap": True, "valign": "top"})

    def add(
        self,
        title: str,
        head: str,
        columns: Sequence[_Column],
        frame: pl.DataFrame,
        *,
        unsummed: Iterable[str] = (),
        whole: dict[str, Any] | None = None,
    ) -> None:
        """A sheet of rows. A column of `unsummed` has the figure of the `whole` in the place of a sum."""
        sheet = self.book.add_worksheet(title)
        sheet.write_string(0, 0, head, self.bold)
        for at, column in enumerate(columns):
            sheet.write_string(2, at, column.title, self.head)
            sheet.set_column(at, at, column.width)
        for line, row in enumerate(frame.iter_rows(named=True), start=3):
            for at, column in enumerate(columns):
                self._write(sheet, line, at, row[column.name], column.format)
        self._totals(sheet, columns, frame, set(unsummed), whole or {})
        sheet.freeze_panes(3, 1)
        if frame.height:
            sheet.autofilter(2, 0, 2 + frame.height, len(columns) - 1)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(2)
        sheet.set_footer("&L&A&RPage &P of &N")

    def queries(self, texts: dict[str, str]) -> None:
        """The last sheet: the query behind each of the others."""
        sheet = self.book.add_worksheet("Queries")
        sheet.set_column(0, 0, 14)
        sheet.set_column(1, 1, 120)
        sheet.write_string(
            0, 0, "The queries behind these rows, for `modelmeter sql`; they give every digit", self.bold
        )
        for line, (title, text) in enumerate(texts.items(), start=2):
            sheet.write_string(line, 0, title, self.bold)
            sheet.write_string(line, 1, text[:_LONGEST], self.wrapped)

    def _write(self, sheet: Worksheet, line: int, at: int, value: object, form: str) -> None:
        if isinstance(value, date):
            sheet.write_datetime(line, at, datetime.combine(value, time()), self.cell[form])
        elif isinstance(value, (int, Decimal)):
            sheet.write_number(line, at, float(value), self.cell[form])
        elif value is not None:
            sheet.write_string(line, at, str(value)[:_LONGEST])

    def _totals(
        self,
        sheet: Worksheet,
        columns: Sequence[_Column],
        frame: pl.DataFrame,
        unsummed: set[str],
        whole: dict[str, Any],
    ) -> None:
        from xlsxwriter.utility import xl_rowcol_to_cell

        line = 3 + frame.height
        sheet.write_string(line, 0, "Total", self.bold)
        for at, column in enumerate(columns):
            if column.format not in self.foot or not frame.height:
                continue
            if column.name in unsummed:
                self._foot(sheet, line, at, whole.get(column.name), column.format)
                continue
            first, last = xl_rowcol_to_cell(3, at), xl_rowcol_to_cell(line - 1, at)
            total = float(fmt.total(map(_decimal, frame[column.name])) or 0)
            sheet.write_formula(line, at, f"=SUM({first}:{last})", self.foot[column.format], total)

    def _foot(self, sheet: Worksheet, line: int, at: int, value: Decimal | None, form: str) -> None:
        if value is not None:
            sheet.write_number(line, at, float(value), self.foot[form])


def _decimal(value: int | Decimal | None) -> Decimal | None:
    return None if value is None else Decimal(value)
