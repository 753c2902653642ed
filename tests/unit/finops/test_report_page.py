"""The report as a page: names that are attacks, what it is made of, sound HTML, and how it is written."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from selectolax.lexbor import LexborHTMLParser as HTMLParser

from pipelines.finops.queries import CUTS
from pipelines.finops.report import CheckLine, FeedLine, ReportContext, ReportError, Span, build_report
from pipelines.finops.report.tables import Link
from tests.unit.finops import books
from tests.unit.finops.pages import rows_of, words

Page = Callable[..., HTMLParser]
Connection = psycopg.Connection[Any]

ATTACKS = (
    "<script>document.title='owned'</script>",
    '"><img src=x onerror="document.title=1">',
    "'; drop table core.request; --",
    "{{ 7 * 7 }}</table></style>",
)


@pytest.mark.parametrize("attack", ATTACKS)
def test_names_are_text_whatever_they_hold(connection: Connection, page: Page, attack: str) -> None:
    requests = [
        books.request(1, attack, "1.00", team=attack, provider_id=attack),
        books.request(2, None, None, request_model=attack, source=attack, unpriced_reason="model_unresolved"),
    ]
    books.write(connection, requests)
    books.add(connection, "raw.snapshot", books.snapshot(source=attack, format=attack, landing_path=attack))
    books.add(
        connection,
        "raw.quarantine",
        {"snapshot_id": books.FILE, "reason": attack, "severity": "error", "detail": attack},
    )
    books.add(
        connection,
        "mart.routing_projection",
        *(books.projection(a, "1", "1", "0.5", policy=attack) for a in ("cheap", "total")),
    )
    books.add(
        connection,
        "mart.benchmark_drift",
        {
            "event_date": books.DAY,
            "board": attack,
            "drift_class": attack,
            "severity": "info",
            "explanation": attack,
            "benchmark_version_id": attack,
            "n_models": 2,
        },
    )
    month = {"month": books.DAY.replace(day=1), "through": books.DAY, "days": 2}
    row = {k: v for k, v in books.projection("total", "1", "1", "0.5", policy=attack).items() if k != "event_date"}
    books.add(connection, "mart.routing_month", {**month, **row})
    run = {
        "event_date": books.DAY,
        "policy": attack,
        "baseline": attack,
        "rank": 1,
        "measure": "loop",
        "model_id": attack,
    }
    books.add(
        connection,
        "mart.routing_measure_next",
        {**run, "against_model_id": attack, "width_now": 1, "width_known": 0, "narrows_by": 1, "pairs_basis": attack},
    )
    shown = page(
        checks=[CheckLine(attack, False, attack, attack)], feeds=[FeedLine(attack, attack, None, True, attack)]
    )
    plain = page()
    assert len(shown.css("script")) == 1
    assert not shown.css("img")
    assert not [node for node in shown.css("*") for name in node.attributes if name.startswith("on")]
    assert shown.html is not None
    assert plain.html is not None
    for table in ("models", "teams", "feeds", "checks"):
        assert attack in [row[0] for row in rows_of(shown, table)]
    assert shown.css_first("nav") is not None
    assert shown.css_first("footer") is not None  # no name closed an element
    assert "49</table>" not in shown.html
    assert yaml.safe_load(shown.css_first("#unpriced code").text())[0]["name"] == attack


def test_the_page_stands_alone(connection: Connection, page: Page) -> None:
    books.write(connection, books.small_day())
    shown = page(links=[Link("Calendar", "../index.html"), Link("February 2026", "../2026-02/index.html")])
    assert len(shown.css("nav.pages a")) == 2
    for node in shown.css("*"):
        for name in ("src", "href", "xlink:href", "data", "action", "poster", "srcset"):
            value = node.attributes.get(name)
            around = node.tag == "a" and value in {"../index.html", "../2026-02/index.html"}
            assert value is None or value.startswith("#") or around, f"{node.tag} {name}={value}"
    text = shown.html or ""
    style = shown.css_first("style").text()
    assert "@import" not in style
    assert "url(" not in style
    policy = shown.css_first("meta[http-equiv=Content-Security-Policy]").attributes["content"]
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    # the only addresses are the names of SVG's own language
    assert set(re.findall(r"https?://[^\s\"'<]+", text)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }


def test_html_is_sound_and_tables_say_what_they_are(connection: Connection, page: Page) -> None:
    books.full(connection)
    checks = [CheckLine("spend_agrees", True, "blocking", "books add up"), CheckLine("fresh", False, "warning")]
    shown = page(is_sample=True, checks=checks)
    text = shown.html or ""
    tables = shown.css("table")
    assert {table.attributes["id"] for table in tables} >= {
        "history",
        "models",
        *(cut.id for cut in CUTS),
        "coverage",
        "unpriced",
        "feeds",
        "accounting",
        "files",
        "quarantine",
        "checks",
        "passed",
    }
    for table in tables:
        caption = table.css_first("caption")
        assert caption is not None
        assert caption.text().strip()
        heads = table.css("thead th")
        assert all(head.attributes.get("scope") == "col" for head in heads)
        for row in table.css("tbody tr, tfoot tr"):
            assert len(row.css("th, td")) == len(heads)
            assert row.css_first("th").attributes.get("scope") == "row"
    ids = re.findall(r'\sid="([^"]*)"', text)
    assert len(ids) == len(set(ids)), sorted(name for name in ids if ids.count(name) > 1)
    targets = [node.attributes["href"] for node in shown.css("a[href]")]
    assert targets
    assert all((target or "")[1:] in ids for target in targets)
    labels = [node.attributes.get("aria-labelledby") for node in shown.css("[aria-labelledby]")]
    assert all(label in ids for label in labels)
    assert shown.css_first("html").attributes["lang"] == "en"
    for figure in shown.css("figure [role=img]"):
        assert len(figure.attributes["aria-label"] or "") > 40
        assert figure.css_first("svg") is not None
    assert len(shown.css("h1")) == 1
    assert "Synthetic sample." in words(shown, ".banner")
    assert not page(is_sample=False).css(".banner")


def test_same_books_same_bytes_and_the_file_is_replaced_whole(connection: Connection, tmp_path: Path) -> None:
    books.full(connection)
    context = ReportContext(is_sample=True)
    path = build_report(connection, Span.of_day(books.DAY), tmp_path, context=context)
    first = path.read_bytes()
    assert build_report(connection, Span.of_day(books.DAY), tmp_path, context=context).read_bytes() == first
    assert path == tmp_path / "2026-02-28" / "index.html"
    assert [entry.name for entry in path.parent.iterdir()] == ["index.html"]


def test_without_marts_it_says_what_to_run(connection: Connection, tmp_path: Path) -> None:
    with pytest.raises(
        ReportError, match=r"no mart.daily_model_spend, .* run `modelmeter daily --date 2026-02-28` first"
    ):
        build_report(connection, Span.of_day(books.DAY), tmp_path, context=ReportContext())
    assert not list(tmp_path.iterdir())
