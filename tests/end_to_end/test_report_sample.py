"""The report of a real run on the sample, held against the counts that the sample's generator kept of what it made."""

from __future__ import annotations

import base64
import csv
import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from openpyxl import load_workbook
from pypdf import PdfReader
from selectolax.lexbor import LexborHTMLParser, LexborNode

from pipelines.books.focus.export import export_month
from pipelines.books.periods import book, book_commitments
from pipelines.books.statement import statement_lines
from pipelines.finops import format as fmt
from pipelines.finops.queries import CUTS
from pipelines.finops.summary import day_summary
from pipelines.sample import SampleSummary
from pipelines.settings import Settings
from pipelines.warehouse.database import Database
from pipelines.warehouse.open import open_database
from pipelines.warehouse.read import read_frame
from tests.assets.conftest import SmallSample
from tests.end_to_end.installation import Finished


@dataclass
class Report:
    """The page of the sample's second day, the warehouse behind it and what the generator made."""

    day: date
    page: LexborHTMLParser
    database: Database
    made: SampleSummary
    home: Path
    out: str

    def query(self, sql: str) -> pl.DataFrame:
        with self.database.connect(read_only=True) as connection:
            return read_frame(connection, sql)

    def cells(self, table: str, part: str = "tbody") -> list[list[str]]:
        return [[_text(cell) for cell in row.css("th, td")] for row in self.page.css(f"#{table} > {part} > tr")]


def _text(node: LexborNode) -> str:
    """The text of a cell without its small print."""
    return "".join(child.text() for child in node.iter(include_text=True) if child.tag != "small").strip()


def _number(text: str) -> Decimal:
    return Decimal(text.replace(",", "").replace("–", "0"))


@pytest.fixture(scope="module")
def report(undisturbed: Finished, small_sample: SmallSample) -> Iterator[Report]:
    day = small_sample.days[1]
    page = LexborHTMLParser((undisturbed.home / "reports" / str(day) / "index.html").read_text(encoding="utf-8"))
    with open_database(Settings(home=undisturbed.home)) as database:
        yield Report(day, page, database, small_sample.summary, undisturbed.home, undisturbed.out)


def test_requests_and_tokens_are_those_that_were_made(report: Report) -> None:
    sources = report.made.sources.values()
    requests = sum(source.requests_by_date[str(report.day)] for source in sources)
    tokens_in = sum(source.input_tokens_by_date[str(report.day)] for source in sources)
    tokens_out = sum(source.output_tokens_by_date[str(report.day)] for source in sources)
    heads = [head.text() for head in report.page.css("#models thead th")]
    shown = {head.split(",")[0]: cell for head, cell in zip(heads, report.cells("models", "tfoot")[0], strict=True)}
    assert shown["Requests"] == f"{requests:,}"
    assert shown["Tokens in"] == f"{tokens_in:,}"
    assert shown["Tokens out"] == f"{tokens_out:,}"
    assert f"made {requests:,} requests to" in report.page.css_first(".headline").text()


def test_every_shown_amount_is_what_a_query_rounds_to(report: Report) -> None:
    spent = f"from core.request where event_date = '{report.day}' and effective_cost_usd is not null"
    whole = report.query(f"select round(sum(effective_cost_usd), 2)::text as usd {spent}")["usd"].to_list()
    parts = {"models": "provider_id, model_id", **{cut.id: cut.column for cut in CUTS}}
    for table, grain in parts.items():
        asked = report.query(f"select round(sum(effective_cost_usd), 2)::text as usd {spent} group by {grain}")
        shown = sorted(cells[1] for cells in report.cells(table) if cells[1] != "–")
        assert shown == sorted(asked["usd"].to_list())
        assert report.cells(table, "tfoot")[0][1] == whole[0]


def test_the_unknown_model_comes_with_the_line_that_names_it(report: Report) -> None:
    lines = [code.text() for code in report.page.css("#unpriced code")]
    assert any(line.startswith("- {provider: vllm, name: orion-7b-chat, model: ") for line in lines)


def test_lines_of_the_files_are_all_accounted_for(report: Report) -> None:
    for row in [*report.cells("accounting"), *report.cells("accounting", "tfoot")]:
        lines, loaded, duplicates, other_days, quarantined = (_number(cell) for cell in row[2:])
        assert lines == loaded + duplicates + other_days + quarantined
        assert other_days >= 0
    with report.database.connect(read_only=True) as connection:
        summary = day_summary(connection, report.day, report.day.fromordinal(report.day.toordinal() + 1))
    foot = [_number(cell) for cell in report.cells("accounting", "tfoot")[0][2:]]
    assert foot == [
        summary.lines,
        summary.loaded,
        summary.duplicates,
        summary.other_days,
        sum(summary.quarantined.values()),
    ]


def test_the_same_total_stands_everywhere(report: Report, tmp_path: Path) -> None:
    """The month of the run, which holds its one day: terminal, pages, workbook, PDF, explorer, statement and FOCUS, against SQL."""
    month = report.day.replace(day=1)
    asked = report.query("select sum(effective_cost_usd)::numeric(38, 18) as usd from mart.daily_charge")["usd"][0]
    total = Decimal(asked)
    shown = f"{round(total, 2):,}"
    assert total > 0
    assert shown in report.out
    assert report.cells("models", "tfoot")[0][1] == shown
    folder = report.home / "reports" / f"{month:%Y-%m}"
    page = LexborHTMLParser((folder / "index.html").read_text(encoding="utf-8"))
    for table in ("spend-provider", "spend-model", "spend-team", "spend-project", "spend-cost_centre"):
        assert page.css(f"#{table} tfoot td")[0].text().strip() == shown
    assert f"${shown}" in page.css_first(".headline").text()
    (pdf,) = folder.glob("*.pdf")
    assert "".join(sheet.extract_text() for sheet in PdfReader(pdf).pages).count(shown) >= 6
    (excel,) = folder.glob("*.xlsx")
    for sheet in load_workbook(excel, data_only=True).worksheets[:6]:
        at = [cell.value for cell in sheet[3]].index("Cost, USD") + 1
        assert round(Decimal(repr(sheet.cell(sheet.max_row, at).value)), 9) == round(total, 9)
    packed = json.loads(
        LexborHTMLParser((report.home / "reports" / "explore.html").read_text()).css_first("#charges").text()
    )
    assert unpacked_cost(packed) == total
    with report.database.connect(read_only=True) as connection:
        assert fmt.total(book(connection, month)["effective_cost_usd"]) == total, "the statement"
        _, (focus, _) = export_month(connection, month, "1.4", tmp_path, {})
        sums = (
            "mart.chargeback",
            "mart.daily_team_spend",
            "mart.daily_end_user_spend",
            "mart.daily_tag_spend",
            "core.request",
        )
        for table in sums:
            assert connection.execute(f"select sum(effective_cost_usd) from {table}".encode()).fetchone() == (total,), (
                table
            )
        paid = statement_lines(book(connection, month), book_commitments(connection, month), ("team",))["payable_usd"]
    lines = [*csv.DictReader(focus.read_text(encoding="utf-8").splitlines())]
    used = [line for line in lines if line["ChargeCategory"] in ("Usage", "Adjustment")]
    assert fmt.total(Decimal(line["ContractedCost"]) for line in used) == total
    assert fmt.total(Decimal(line["EffectiveCost"]) for line in lines) == fmt.total(paid), (
        "a credit and a GPU are in it"
    )


def test_every_link_of_every_page_leads_somewhere(report: Report) -> None:
    """To a file that the run wrote, and there to an element of that name."""
    pages = sorted((report.home / "reports").rglob("*.html"))
    names = {path.resolve(): re.findall(r'\bid="([^"]+)"', path.read_text(encoding="utf-8")) for path in pages}
    made = {f"{report.day}/index.html", "index.html", "explore.html"}
    assert made <= {str(path.relative_to(report.home / "reports")) for path in pages}
    days = [path.parent.name for path in pages if re.fullmatch(r"\d{4}-\d\d-\d\d", path.parent.name)]
    further = len(days) - 1  # another test may have run a day of its own in the same home
    assert len(pages) - further == 5, "a day, its month and quarter, the calendar and the explorer"
    followed = 0
    for path in pages:
        for link in LexborHTMLParser(path.read_text(encoding="utf-8")).css("a[href]"):
            file, _, name = str(link.attributes["href"]).partition("#")
            target = (path.parent / file).resolve() if file else path.resolve()
            assert target.is_file(), f"{path.name}: {file}"
            assert not name or name in names[target], f"{path}: #{name}"
            followed += 1
    assert followed > 40


def unpacked_cost(packed: dict[str, Any]) -> Decimal:
    """What the explorer's bytes cost, by another reader than its script."""
    content = iter(gzip.decompress(base64.b64decode(packed["bytes"])))

    def number() -> int:
        value, shift = 0, 0
        while (byte := next(content)) > 127:
            value, shift = value | (byte & 127) << shift, shift + 7
        return value | byte << shift

    columns = {name: [number() for _ in range(packed["series"])] for name in [*packed["names"], "rate", "size"]}
    _days = [number() for _ in range(packed["entries"])]
    units = [number() for _ in range(packed["entries"])]
    assert next(content, None) is None
    at = sum_of = 0
    for rate, size in zip(columns["rate"], columns["size"], strict=True):
        text = packed["rates"][rate]
        each = 0 if text == "unknown" else int(text.removeprefix("d"))
        sum_of += each * sum(-(unit + 1) // 2 if unit % 2 else unit // 2 for unit in units[at : at + size])
        at += size
    with localcontext(prec=60):
        return Decimal(sum_of) / 10**18
