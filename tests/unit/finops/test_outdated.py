"""Pages that are written again because a day that they rest on has changed since."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

from pipelines.finops.report.outdated import DayHashes, mark_of, outdated
from pipelines.finops.report.render import render, write_page
from pipelines.finops.span import Span

FIRST = date(2026, 1, 1)
DAYS = {FIRST + timedelta(days=number): "a" for number in range(120)}
"""Every day from January to April, as it was when the pages were written."""
SHOWN: dict[str, Any] = {"title": "a page", "is_sample": True, "newest": None, "months": [], "quarters": []}
LAST = date(2026, 4, 30)


def written(reports: Path, *spans: Span, mark: bool = True) -> None:
    for span in spans:
        text = render("calendar.html", mark=mark_of(span, DayHashes(DAYS)) if mark else "", **SHOWN)
        write_page(text, reports / span.slug / "index.html")


def found(reports: Path, changed: date, after: date | None = None) -> list[str]:
    return [span.slug for span in outdated(reports, DayHashes(DAYS | {changed: "b"}), after or changed)]


def test_later_pages_that_show_a_changed_day_and_no_others(tmp_path: Path) -> None:
    days = [Span.of_day(day) for day in DAYS]
    wholes = [Span.of_month(date(2026, 4, 30)), Span.of_quarter(date(2026, 4, 30)), Span.of_month(date(2026, 3, 31))]
    written(tmp_path, *days, *wholes)
    assert found(tmp_path, LAST, FIRST) != [], "the newest day itself, looked at from an earlier one"
    assert list(outdated(tmp_path, DayHashes(DAYS), FIRST)) == [], "nothing has changed"
    changed = date(2026, 3, 20)
    again = found(tmp_path, changed)
    of_days = [slug for slug in again if len(slug) == len("2026-03-20")]
    assert of_days == [str(changed + timedelta(days=number)) for number in range(1, 30)], "its quarter and thirty days"
    assert {*again} - {*of_days} == {"2026-03", "2026-04"}, "what holds it and what is compared with it"
    quiet = {day: hash_ for day, hash_ in DAYS.items() if day != date(2026, 3, 25)}
    write_page(
        render("calendar.html", mark=mark_of(Span.of_day(date(2026, 3, 25)), DayHashes(quiet)), **SHOWN),
        tmp_path / "2026-03-25" / "index.html",
    )
    assert Span.of_day(date(2026, 3, 25)) in outdated(tmp_path, DayHashes(quiet | {changed: "b"}), changed), (
        "a day without requests too"
    )
    first_of_quarter = found(tmp_path, FIRST)
    assert [slug for slug in first_of_quarter if slug in ("2026-03-31", "2026-04-01")] == ["2026-03-31"]
    assert "2026-Q2" in first_of_quarter, "compared with as many days of the quarter before"


def test_a_page_that_is_not_there_or_bears_no_mark_is_left(tmp_path: Path) -> None:
    """One of a run that failed bears none: what it left undone stands on it."""
    written(tmp_path, Span.of_day(date(2026, 3, 22)), mark=False)
    assert found(tmp_path, date(2026, 3, 20)) == []


def test_a_page_with_a_budget_of_a_year_rests_on_the_whole_year(tmp_path: Path) -> None:
    """A late line of 5 January changes what was spent of the year's budget by the end of April, in another quarter."""
    before = DayHashes(DAYS, dict.fromkeys(DAYS, "spent 100"))
    for span in (Span.of_day(LAST), Span.of_month(LAST)):
        write_page(render("calendar.html", mark=mark_of(span, before), **SHOWN), tmp_path / span.slug / "index.html")
    changed = date(2026, 1, 5)
    days = DAYS | {changed: "b"}
    now = DayHashes(days, before.of_year | {day: "spent 101" for day in DAYS if day >= changed})
    assert list(outdated(tmp_path, DayHashes(days, before.of_year), changed)) == []
    assert [span.slug for span in outdated(tmp_path, now, changed)] == ["2026-04-30", "2026-04"]
    assert mark_of(Span.of_day(LAST), DayHashes(DAYS)) == mark_of(Span.of_day(LAST), DayHashes(DAYS, {FIRST: "x"}))
