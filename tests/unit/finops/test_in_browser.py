"""The page in a real Chromium: its one script runs under its own policy, tables sort, and nothing is wider than a phone."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pypdf import PdfReader

from pipelines.finops.queries import CUTS
from pipelines.finops.report import CheckLine, FeedLine, ReportContext
from pipelines.finops.report.collect import ReportData
from pipelines.finops.report.page import build_page
from pipelines.finops.report.render import render_page, write_page
from pipelines.finops.span import Span

DAY = date(2026, 2, 28)
COSTS = {"zeta": "9.50", "alpha": "10.25", "mid": "100.00", "none": None}


@pytest.fixture(scope="module")
def browser(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Chromium with the page of four models open at the width of a phone."""
    path = write_page(
        render_page(build_page(page_data(), context())[0]), tmp_path_factory.mktemp("page") / "index.html"
    )
    chromium.open(str(path), width=360, height=740)
    return chromium


def context() -> ReportContext:
    long = "a_very_long_name_without_any_space_in_it" * 3
    return ReportContext(True, [CheckLine(long, False, "blocking", long)], [FeedLine(long, "prices", None, True, long)])


def page_data() -> ReportData:
    """Frames of a page with four models, without a database."""
    spend = pl.Decimal(38, 18)
    cost = pl.Series("effective_cost_usd", [None if c is None else Decimal(c) for c in COSTS.values()], dtype=spend)
    names = list(COSTS)
    counts = {
        "requests": [7, 30, 200, 1], "priced_requests": [7, 30, 200, 0], "unpriced_requests": [0, 0, 0, 1],
        "input_tokens": [70, 300, 2000, 10], "output_tokens": [7, 30, 200, 1],
    }  # fmt: skip
    costs = {"list_cost_usd": cost, "effective_cost_usd": cost, "logged_only_cost_usd": cost}
    nothing = pl.DataFrame()
    frames = {
        "models": pl.DataFrame({"provider_id": ["p"] * 4, "model_id": names, "openness": ["closed"] * 4, **counts, **costs}),
        **{
            cut.id: pl.DataFrame({cut.column: names, **counts, "effective_cost_usd": cost, "logged_only_cost_usd": cost})
            for cut in CUTS
        },
        "history": pl.DataFrame({"event_date": [DAY] * 4, "provider_id": ["p"] * 4, "model_id": names, "requests": counts["requests"], "priced_requests": counts["priced_requests"], "effective_cost_usd": cost}),
        "month": pl.DataFrame({"days": [1], "requests": [238], "unpriced_requests": [1], "effective_cost_usd": pl.Series([Decimal("119.75")], dtype=spend)}),
        "reported": nothing,
        "differing": nothing,
        "cards": nothing,
        "coverage": pl.DataFrame({"reason": ["priced", "no_price"], "requests": [237, 1], "tokens": [2607, 11], "request_share": [0.996, 0.004], "token_share": [0.996, 0.004]}),
        "unpriced": pl.DataFrame({"reason": ["no_price"], "source": ["s"], "raw_name": ["n" * 120], "model_id": ["none"], "provider_id": ["p"], "requests": [1], "tokens": [11],
                                  "reported_cost_usd": pl.Series([None], dtype=spend), "at_risk_usd": pl.Series([Decimal("0.25")], dtype=spend)}),
        "projection": pl.DataFrame(schema=dict.fromkeys(("policy", "baseline", "arm", "saving_usd"), pl.String)),
        "drift": pl.DataFrame(schema={"event_date": pl.Date, "drift_class": pl.String, "model_id": pl.String}),
        **watched(),
        "feeds": pl.DataFrame({"kind": ["prices"], "source": ["f"], "snapshots": [1], "observed_at": [datetime(2026, 2, 27, tzinfo=UTC)]}),
        "files": pl.DataFrame(schema=dict.fromkeys(("source", "format", "landing_path"), pl.String) | dict.fromkeys(("lines", "loaded", "duplicates", "quarantined", "other_days"), pl.Int64)),
        "quarantine": nothing,
    }  # fmt: skip
    return ReportData(Span.of_day(DAY), frames, dict.fromkeys(frames, "select 1"))


def watched() -> dict[str, pl.DataFrame]:
    """Gap and silent changes, with a gap that has a chart and names that do not break."""
    shown = {"board": "b", "benchmark_version_id": "b@v#0", "display_name": "n" * 90, "unit": "percent", "version_label": "v", "scale_epoch": 0,
             "best_open_model": "o" * 90, "best_closed_model": "c" * 90, "lag_days": 7, "lag_is_minimum": True, "release_lag_days": 46, "paired_items": 500, "min_detectable": 8.5, "gap_low": -1.0, "gap_high": 9.0}  # fmt: skip
    series = [
        {**shown, "event_date": date(2026, 2, day), "gap": float(day), "stands_for_board": True} for day in (1, 8)
    ]
    table = {
        **series[1],
        "gap_adjusted": 7.0,
        "best_open_score": 60.0,
        "best_closed_score": 68.0,
        "best_open_rank_from": 2,
        "best_open_rank_to": 4,
        "n_unknown": 12,
        "undecided": json.dumps(
            [{"rank": 1, "model": "u" * 60, "score": 70, "models_yaml": "{" + "u" * 60 + ": closed}"}]
        ),
    }
    alarm = {
        "event_date": DAY,
        "provider_id": "p",
        "model_id": "m",
        "use_case": "u" * 90,
        "metric": "output_tokens",
        "n_day": 30,
        "effect": -0.2,
        "min_detectable": 0.1,
        "z": -4.0,
        "q_value": 0.01,
        "is_alarm": True,
        "explanation": "Shorter.",
    }
    return {
        "gap": pl.DataFrame([table]),
        "gap_series": pl.DataFrame(series),
        "silent": pl.DataFrame([alarm]),
        "silent_counts": pl.DataFrame({"comparisons": [5], "alarms": [1], "models": [1]}),
    }


def click(browser: Any, column: int) -> tuple[list[str], list[str | None]]:
    """Click a heading of the table of models; its names in their new order, and aria-sort of each heading."""
    browser.evaluate(f"document.querySelectorAll('#models thead th')[{column}].querySelector('button').click()")
    names = browser.evaluate("[...document.querySelectorAll('#models tbody th')].map(e => e.textContent.trim())")
    states = browser.evaluate(
        "[...document.querySelectorAll('#models thead th')].map(e => e.getAttribute('aria-sort'))"
    )
    return names, states


def test_numbers_sort_as_numbers_and_missing_ones_stay_last(browser: Any) -> None:
    assert click(browser, 1)[0] == ["mid", "alpha", "zeta", "none"]  # 100 > 10.25 > 9.5: as text 9.5 would be first
    names, states = click(browser, 1)
    assert names == ["zeta", "alpha", "mid", "none"]
    assert [n for n, state in enumerate(states) if state] == [1]
    assert states[1] == "ascending"
    total = browser.evaluate("document.querySelector('#models tfoot th').textContent.trim()")
    assert total == "Total"


def test_words_sort_as_words_and_again_the_other_way(browser: Any) -> None:
    names, states = click(browser, 0)
    assert names == ["alpha", "mid", "none", "zeta"]
    assert states[0] == "ascending"
    names, states = click(browser, 0)
    assert names == ["zeta", "none", "mid", "alpha"]
    assert states[0] == "descending"
    assert not any(states[1:])


def test_headings_are_reached_and_used_by_keyboard(browser: Any) -> None:
    browser.evaluate("document.querySelectorAll('#teams thead th button')[1].focus()")
    focused = "document.activeElement.closest('table').id + ' ' + document.activeElement.tagName"
    assert browser.evaluate(focused) == "teams BUTTON"
    assert browser.evaluate("[...document.querySelectorAll('th button')].every(b => b.tabIndex === 0)") is True


@pytest.mark.parametrize("width", [360, 390, 768, 1280])
def test_the_page_is_never_wider_than_its_window(browser: Any, width: int) -> None:
    browser.resize(width, 740)
    assert browser.evaluate("document.documentElement.scrollWidth") == width
    visible = "['.wide', '.narrow'].filter(name => getComputedStyle(document.querySelector(name)).display !== 'none')"
    assert browser.evaluate(visible) == [".narrow" if width <= 760 else ".wide"]


def test_text_stands_out_from_paper_in_light_and_dark(browser: Any) -> None:
    names = ("ink", "muted", "accent", "good", "warn", "bad")
    for scheme in ("dark", "light"):
        browser.emulate(dark=scheme == "dark")
        read = "(name => getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim())"
        papers = [luminance(browser.evaluate(f"{read}('{paper}')")) for paper in ("paper", "wash")]
        for name in names:
            text = luminance(browser.evaluate(f"{read}('{name}')"))
            for paper in papers:
                contrast = (max(text, paper) + 0.05) / (min(text, paper) + 0.05)
                assert contrast >= 4.5, f"{name} in {scheme}: {contrast:.2f}"  # WCAG 2.2, 1.4.3
    assert luminance("#fff") == pytest.approx(1)
    assert luminance("#000000") == 0


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    digits = colour.lstrip("#")
    digits = "".join(2 * digit for digit in digits) if len(digits) == 3 else digits
    parts = [int(digits[n : n + 2], 16) / 255 for n in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_it_prints_on_a4_without_cutting(browser: Any, tmp_path: Path) -> None:
    browser.print(tmp_path / "page.pdf")
    content = (tmp_path / "page.pdf").read_bytes()
    assert content.startswith(b"%PDF")
    assert b"/MediaBox [0 0 594" in content or b"/MediaBox [0 0 595" in content  # 210 mm
    browser.resize(703, 900)  # 186 mm between the margins of an A4 page, at 96 pixels an inch
    browser.emulate(paper=True)
    try:
        wide = browser.evaluate(
            "[...document.querySelectorAll('table')].filter(t => t.scrollWidth > 704).map(t => t.id)"
        )
        assert wide == []
    finally:
        browser.emulate()


@pytest.mark.slow
def test_headings_stand_on_each_printed_page(browser: Any, tmp_path: Path) -> None:
    """Of a table over several pages; while its headings held buttons only the first page had them."""
    browser.evaluate(
        "for (let n = 0; n < 60; n++) document.querySelector('#models tbody').append(document.querySelector('#models tbody tr').cloneNode(true))"
    )
    try:
        browser.print(tmp_path / "page.pdf")
        texts = [sheet.extract_text() for sheet in PdfReader(tmp_path / "page.pdf").pages]
        assert sum("Openness" in text for text in texts) >= 2
    finally:
        browser.evaluate("document.querySelectorAll('#models tbody tr:nth-child(n+5)').forEach((row) => row.remove())")
