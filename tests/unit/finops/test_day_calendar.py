"""The calendar leads to the pages that are there, and shows every day that is loaded."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

from selectolax.lexbor import LexborHTMLParser as HTMLParser

from pipelines.finops.report.day_calendar import DaySpend, links, write_calendar
from pipelines.finops.span import Span


def test_a_day_whose_page_was_removed_is_shown_without_a_link(tmp_path: Path) -> None:
    days = {date(2026, 2, day): DaySpend(10, 0, Decimal(day)) for day in (13, 14)}
    (tmp_path / "2026-02-14").mkdir()
    (tmp_path / "2026-02-14" / "index.html").touch()
    page = HTMLParser(write_calendar(days, tmp_path, is_sample=False).read_text(encoding="utf-8"))
    cells = [cell for cell in page.css("table.month td") if "USD" in cell.text() or "$" in cell.text()]
    assert [cell.text(strip=True) for cell in cells] == ["13$13.00", "14$14.00"]
    assert [link.attributes["href"] for cell in cells for link in cell.css("a")] == ["2026-02-14/index.html"]


DAYS = [date(2025, 12, 30), date(2026, 2, 13), date(2026, 2, 15)]


def led_to(span: Span) -> dict[str, str]:
    return {link.text: link.href for link in links(span, DAYS)}


def test_a_day_leads_to_the_loaded_days_around_it_and_to_what_holds_it() -> None:
    assert led_to(Span.of_day(date(2026, 2, 13))) == {
        "Calendar": "../index.html",
        "Previous day": "../2025-12-30/index.html",
        "Next day": "../2026-02-15/index.html",
        "February 2026": "../2026-02/index.html",
        "The first quarter of 2026": "../2026-Q1/index.html",
        "Explorer": "../explore.html",
    }


def test_the_newest_day_leads_to_the_calendar_and_the_oldest_to_none_before() -> None:
    newest, oldest = led_to(Span.of_day(date(2026, 2, 15))), led_to(Span.of_day(date(2025, 12, 30)))
    assert (newest["Previous day"], newest["Next day"]) == ("../2026-02-13/index.html", "../index.html#2026-02")
    assert oldest["Next day"] == "../2026-02-13/index.html"
    assert "Previous day" not in oldest
    assert led_to(Span.of_quarter(date(2026, 2, 15)))["Next quarter"] == "../index.html#2026-02", (
        "its first month has no day in the calendar"
    )


def test_a_day_without_requests_leads_to_no_month_or_quarter_that_has_no_page() -> None:
    assert set(led_to(Span.of_day(date(2026, 1, 1)))) == {
        "Calendar",
        "Previous day",
        "Next day",
        "The first quarter of 2026",
        "Explorer",
    }
    assert set(led_to(Span.of_day(date(2026, 4, 1)))) == {"Calendar", "Previous day", "Next day", "Explorer"}


def test_a_month_and_a_quarter_lead_to_those_around_them_and_to_their_files() -> None:
    month, quarter = led_to(Span.of_month(date(2026, 2, 1))), led_to(Span.of_quarter(date(2025, 12, 30)))
    assert (month["Previous month"], month["Excel"]) == ("../2025-12/index.html", "model-spend-2026-02.xlsx")
    assert (quarter["Next quarter"], quarter["PDF"]) == ("../2026-Q1/index.html", "model-spend-2025-Q4.pdf")
