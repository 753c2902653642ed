"""The calendar leads to the pages that are there, and shows every day that is loaded."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

from selectolax.lexbor import LexborHTMLParser as HTMLParser

from pipelines.finops.report.day_calendar import DaySpend, write_calendar


def test_a_day_whose_page_was_removed_is_shown_without_a_link(tmp_path: Path) -> None:
    days = {date(2026, 2, day): DaySpend(10, 0, Decimal(day)) for day in (13, 14)}
    (tmp_path / "2026-02-14").mkdir()
    (tmp_path / "2026-02-14" / "index.html").touch()
    page = HTMLParser(write_calendar(days, tmp_path, is_sample=False).read_text(encoding="utf-8"))
    cells = [cell for cell in page.css("table.month td") if "USD" in cell.text() or "$" in cell.text()]
    assert [cell.text(strip=True) for cell in cells] == ["13$13.00", "14$14.00"]
    assert [link.attributes["href"] for cell in cells for link in cell.css("a")] == ["2026-02-14/index.html"]
