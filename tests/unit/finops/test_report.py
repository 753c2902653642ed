"""The report on small books: totals by hand, and days without data. The page itself is in `test_report_page.py`."""

from __future__ import annotations

import html
import shlex
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from selectolax.lexbor import LexborHTMLParser as HTMLParser

from pipelines.config.models import Deployment, Provider
from pipelines.config.sources import RequestSource
from pipelines.finops.queries import CUTS
from pipelines.finops.report import CheckLine, Failure, FeedLine, Incomplete, ReportError, StaleTable
from pipelines.ids import id_bytes
from pipelines.warehouse.read import read_frame
from pipelines.warehouse.tables.mart import SPEND_TABLES
from tests.unit.finops import books
from tests.unit.finops.pages import amount, rows_of, words

Page = Callable[..., HTMLParser]
Connection = psycopg.Connection[Any]


def test_the_day_in_one_sentence_and_its_figures(connection: Connection, page: Page) -> None:
    yesterday = books.request(9, "model-a", "4.00", books.DAY - timedelta(days=1))
    week_before = books.request(9, "model-a", "1.00", books.DAY - timedelta(days=7))
    last_month = books.request(9, "model-a", "100", books.DAY - timedelta(days=28))
    books.write(connection, [*books.small_day(), yesterday, week_before, last_month])
    shown = page()
    assert words(shown, ".headline") == (
        "On 28 February 2026 your applications made 5 requests to 3 models for $2.01; 80.0 % of them are priced."
    )
    figures = words(shown, ".figures")
    # 2.014 against 4.00 and 1.00; the month without the day in January: 2.014 + 4 + 1
    assert "−49.6 % on the day before ($4.00)" in figures
    assert "+101.4 % on the Saturday before ($1.00)" in figures
    assert "Month to date $7.01 3 of 28 days of February 2026" in figures
    assert "Tokens 5,500 5,000 in, 500 out" in figures
    assert "Priced 80.0 % 4 requests, free ones included" in figures
    assert "Unpriced requests 1 its cost is missing from every sum" in figures
    assert "Projected saving – no policy could be projected" in figures


def test_rows_add_up_to_their_totals(connection: Connection, page: Page) -> None:
    books.write(connection, books.small_day())
    shown = page()
    models, teams = rows_of(shown, "models"), rows_of(shown, "teams")
    assert sum(amount(row[1]) for row in models) == amount(rows_of(shown, "models", "tfoot")[0][1]) == Decimal("2.0140")
    assert amount(rows_of(shown, "teams", "tfoot")[0][1]) == Decimal("2.01")
    # one amount by model is below a cent, so that table shows four decimals and no cost reads as zero
    assert [(row[0], row[1]) for row in models] == [
        ("model-a", "1.0050"),
        ("model-b", "1.0050"),
        ("model-c", "0.0040"),
        ("unresolved: orion-7b", "–"),
    ]
    assert [row[0] for row in teams] == ["search", "unattributed", "support"]
    for column in (5, 6, 7, 8):
        assert sum(amount(row[column]) for row in models) == amount(rows_of(shown, "models", "tfoot")[0][column])
    assert "1 request (20.0 %) name no team" in words(shown, "#by-team")


def test_every_amount_is_rounded_as_a_query_would_round_it(connection: Connection, page: Page) -> None:
    books.write(
        connection, [books.request(n, f"model-{n}", "0.335") for n in range(3)]
    )  # the halves of both are rounded up
    shown = page()
    asked = connection.execute("select round(0.335, 2)::text, round(3 * 0.335, 2)::text").fetchone()
    assert asked == ("0.34", "1.01")
    assert [row[1] for row in rows_of(shown, "models")] == ["0.34", "0.34", "0.34"]
    assert rows_of(shown, "models", "tfoot")[0][1] == "1.01"


def test_unit_cost_and_what_gateways_reported(connection: Connection, page: Page) -> None:
    books.write(connection, books.small_day())
    rows = {row[0]: row for row in rows_of(page(), "models")}
    assert rows["model-b"][9] == "913.64"  # 1.005 over 1,100 tokens, per million
    assert rows["unresolved: orion-7b"][9] == "–"
    assert rows["model-a"][11] == "−0.0050"  # 1.000 logged, 1.005 ours, on one request
    assert rows["model-c"][11] == "–"
    text = words(page(), "#by-model")
    assert (
        "cost of their own for 2 priced requests: $2.01, against $2.01 here (−0.0050 USD); 1 request differs." in text
    )
    assert "Open models served 20.0 % of the requests and took 49.9 % of the spend." in text


def test_why_logged_costs_differ(connection: Connection, page: Page) -> None:
    """100,000 tokens at 3 USD per million here, at 4 at the reseller: the log states 0.4."""
    card = {
        "model_id": "model-a",
        "service_tier": "standard",
        "valid_from": datetime(2026, 1, 1, tzinfo=UTC),
        "context_counts": "input",
    }
    own = {**card, "provider_id": "openai", "rate_id": id_bytes("own"), "input_uncached_usd_per_mtok": Decimal(3)}
    other = {**card, "provider_id": "reseller", "rate_id": id_bytes("other"), "input_uncached_usd_per_mtok": Decimal(4)}
    books.add(connection, "core.rate_card", own, other)
    call = {"rate_id": id_bytes("own"), "input_uncached_tokens": 100_000, "output_text_tokens": 0}
    books.write(connection, [
        books.request(1, "model-a", "0.3", reported_cost_usd=Decimal("0.4"), **call),
        books.request(2, "model-a", "0.3", reported_cost_usd=Decimal("0.31"), **call),
        books.request(3, "model-a", "0.3", reported_cost_usd=Decimal("0.3"), **call),
    ])  # fmt: skip
    assert rows_of(page(), "differences") == [
        ["model-a", "openai", "the price of reseller", "1", "0.40", "0.30", "+0.10"],
        ["model-a", "openai", "unknown: no price that is known gives it", "1", "0.31", "0.30", "+0.01"],
    ]


def test_what_is_not_priced_comes_with_the_line_that_would_change_it(connection: Connection, page: Page) -> None:
    unpriced = [
        books.request(
            11, "model-x", None, provider_id="acme", unpriced_reason="no_price", reported_cost_usd=Decimal("0.9")
        ),
        books.request(12, None, None, unpriced_reason="model_unresolved", provider_id="groq"),
        books.request(13, "model-a", None, provider_id=None, unpriced_reason="provider_unknown"),
        *(
            books.request(20 + n, "model-a", None, unpriced_reason=reason)
            for n, reason in enumerate(("no_price_at_time", "no_rate_for_meter", "usage_missing"))
        ),
    ]
    books.write(connection, [*books.small_day(), *unpriced])
    shown = page()
    row = next(row for row in rows_of(shown, "models") if row[0] == "model-x")
    assert row[10] == "0.90"  # what the log says was paid, in a column of its own
    assert rows_of(shown, "coverage")[0][:2] == ["priced", "4"]
    assert sum(int(row[1]) for row in rows_of(shown, "coverage")) == 11
    lines = {}
    for row in shown.css("#unpriced tbody tr"):
        code = row.css_first("code")
        lines[row.css_first("th").text(deep=False).strip()] = yaml.safe_load(code.text())[0] if code else None
    # each line is one that the configuration accepts
    assert Deployment.model_validate(lines["orion-7b"] | {"model": "m"}).name == "orion-7b"
    assert Provider.model_validate(lines["model-x"] | {"id": "acme-cloud"}).aliases == ("acme",)
    assert RequestSource.model_validate({**lines["(no name logged)"], "format": "otel_genai"}).defaults == {
        "request_model": "MODEL_ID"
    }
    assert len(rows_of(shown, "unpriced")) == 7
    # By spend at risk: 0.9 was logged; the others' 1,100 tokens at the day's 2.014 / 3,300 USD per token are 0.6713.
    at_risk = [(row[0].split()[0], row[4]) for row in rows_of(shown, "unpriced")]
    assert at_risk[0] == ("model-x", "0.90")
    assert {risk for _, risk in at_risk[1:]} == {"0.67"}


def test_drift_is_reported_in_words_first(connection: Connection, page: Page) -> None:
    books.full(connection)
    old = {
        "event_date": books.DAY - timedelta(days=5),
        "board": "lmarena",
        "benchmark_version_id": "full#0",
        "drift_class": "new",
        "severity": "info",
        "explanation": "Sixty are new.",
        "n_models": 60,
        "event_id": books.id_bytes("e"),
    }
    gone = {
        **old,
        "event_date": books.DAY - timedelta(days=30),
        "explanation": "Too old.",
        "event_id": books.id_bytes("f"),
    }
    books.add(connection, "mart.benchmark_drift", old, gone)
    text = words(page(), "#quality")
    assert (
        text.index("m fell beyond noise.")
        < text.index("before 70.0")
        < text.index("In the 29 days before")
        < text.index("Sixty are new.")
    )
    assert "after 60.5 change beyond the board's common shift −9.5 q < 0.001" in text
    assert "Too old." not in text


def test_lines_of_files_add_up(connection: Connection, page: Page) -> None:
    books.write(connection, books.small_day())
    only_broken = books.snapshot(
        books.OLD_FILE,
        landing_path="requests/gateway/2026-02-28/b.jsonl",
        lines=3,
        valid=0,
        quarantined=3,
        event_dates=[],
    )
    elsewhere = books.snapshot(
        books.id_bytes("other"), landing_path="c.jsonl", event_dates=[books.DAY - timedelta(days=1)]
    )
    books.add(connection, "raw.snapshot", books.snapshot(), only_broken, elsewhere)
    books.add(connection, "raw.duplicate", {"event_date": books.DAY, "snapshot_id": books.FILE, "rule": "same_record"})
    for number in range(2):
        books.add(
            connection,
            "raw.quarantine",
            {
                "snapshot_id": books.FILE,
                "line_no": number,
                "reason": "not_json",
                "severity": "error",
                "detail": f"line {number}",
            },
        )
    shown = page()
    # two files of 8 and 3 lines: 5 loaded, 1 duplicate, none of another day, 5 quarantined
    assert rows_of(shown, "accounting", "tfoot")[0] == ["Total", "2", "11", "5", "1", "0", "5"]
    assert rows_of(shown, "files")[0] == ["requests/gateway/2026-02-28/a.jsonl", "8", "5", "1", "0", "2"]
    assert rows_of(shown, "quarantine") == [["not_json", "gateway", "should have loaded", "2", "line 0"]]


def test_feeds_and_checks_as_they_were_reported(connection: Connection, page: Page) -> None:
    books.write(connection, books.small_day())
    kept = books.snapshot(kind="prices", source="litellm_map", observed_at=datetime(2026, 2, 26, tzinfo=UTC))
    books.add(connection, "raw.snapshot", kept)
    feeds = [
        FeedLine("litellm_map", "prices", None, True, "failed: timed out"),
        FeedLine("openrouter", "prices", None, None, "never fetched"),
    ]
    checks = [
        CheckLine("a", True, "warning"),
        CheckLine("b", None, "warning"),
        CheckLine("c", False, "blocking", "3 rows"),
    ]
    shown = page(feeds=feeds, checks=checks)
    assert rows_of(shown, "feeds") == [
        ["litellm_map", "prices", "2026-02-26 00:00", "3 days", "1", "stale"],
        ["openrouter", "prices", "–", "never read", "0", "never fetched"],
    ]
    assert "failed: timed out" in words(HTMLParser(str(page(feeds=feeds).html)), "#feeds small")
    assert [row[:2] for row in rows_of(shown, "checks")] == [["c", "failed"], ["b", "not evaluable"]]
    assert [row[:2] for row in rows_of(shown, "passed")] == [["a", "passed"]]
    assert "1 of 3 checks passed, 1 failed, 1 could not be evaluated." in words(shown, "#tested")
    assert "made without checks" in words(page(), "#tested")


def test_a_day_without_data_reads_well(connection: Connection, page: Page) -> None:
    books.write(connection, [])
    shown = page()
    text = words(shown, "body")
    assert "No requests are loaded for 28 February 2026." in text
    assert "no spend known for the day before" in text
    for sentence in (
        "Nothing was spent in these days",
        "No requests on this day.",
        "there is nothing to price",
        "No projection for this day",
        "No leaderboard reported a change on this day.",
        "No price feed or leaderboard has been read yet",
        "No request file touches this day.",
        "Nothing was set aside.",
    ):
        assert sentence in text
    assert not shown.css("table")
    named = {f"#{node.attributes['id']}" for node in shown.css("[id]")}
    assert {str(link.attributes["href"]) for link in shown.css('a[href^="#"]')} <= named
    assert not shown.css("figure")
    assert "None" not in text
    assert "nan" not in text.lower().split()


def test_a_day_on_which_nothing_is_priced(connection: Connection, page: Page) -> None:
    books.write(connection, [books.request(1, "model-a", None)])
    shown = page()
    assert "none of them could be priced" in words(shown, ".headline")
    assert rows_of(shown, "models", "tfoot")[0][1:3] == ["–", "–"]


def test_the_chart_keeps_days_without_data_and_sums_the_rest(connection: Connection, page: Page) -> None:
    first = books.DAY - timedelta(days=3)
    requests = [books.request(n, f"model-{n}", f"{10 - n}.10", first) for n in range(9)]
    books.write(connection, [*requests, *books.small_day()])
    shown = page()
    days = rows_of(shown, "history")
    assert [row[0] for row in days] == ["2026-02-28", "2026-02-27", "2026-02-26", "2026-02-25"]
    assert days[1][1:] == ["–"] * (len(days[1]) - 1)
    for row in days:
        assert sum(amount(cell) for cell in row[4:]) == amount(row[3])
    names = [" ".join(node.text().split()) for node in shown.css("#spend .legend li")]
    # the six largest by name, and together the rest: 4.10 + 3.10 + 2.10 of the first day, 2.014 of the last
    assert names[0] == "model-0 $10.10"
    assert names[-1] == "all other models $11.31"
    assert len(names) == 7


def test_every_shown_query_gives_the_shown_rows(connection: Connection, page: Page) -> None:
    books.full(connection)
    shown = page()
    expected = {"models", *(cut.id for cut in CUTS), "coverage", "unpriced", "feeds", "quarantine"}
    seen = set()
    for details in shown.css("details.sql"):
        command = shlex.split(html.unescape(details.css_first("pre").text()))
        assert command[:2] == ["modelmeter", "sql"]
        found = read_frame(connection, command[2])
        before = details.prev
        while before is not None and before.tag != "div":
            before = before.prev
        table = before.css_first("table") if before is not None else None
        if table is not None and table.attributes["id"] in expected:
            assert len(table.css("tbody tr")) == found.height
            seen.add(table.attributes["id"])
    assert seen == expected


def test_a_table_that_is_gone_costs_its_own_sections_and_is_named_on_top(connection: Connection, page: Page) -> None:
    books.write(connection, books.small_day())
    whole = page()
    connection.execute("drop table mart.routing_projection, mart.benchmark_drift cascade")
    made_at = datetime(2026, 2, 27, 6, 2, tzinfo=UTC)
    stated = Incomplete(
        [Failure("routing_projection", "RuntimeError at pipelines.routing.projection:48 (project)")],
        [StaleTable("mart.routing_projection", None), StaleTable("mart.daily_model_spend", made_at)],
    )
    shown = page(incomplete=stated)
    failures = words(shown, "#failures")
    assert "routing_projection RuntimeError at pipelines.routing.projection:48 (project)" in failures
    assert (
        "section “projected saving” the warehouse could not be asked for it: psycopg.errors.UndefinedTable" in failures
    )
    assert "section “changes on leaderboards”" in failures
    assert rows_of(shown, "stale") == [
        ["mart.routing_projection", "never made"],
        ["mart.daily_model_spend", "2026-02-27 06:02"],
    ]
    assert "These are the figures of an earlier run" in words(shown, ".headline")
    for table in ("models", "teams", "coverage", "feeds", "accounting"):
        assert rows_of(shown, table) == rows_of(whole, table)
    assert not whole.css("#incomplete")


def test_spend_that_cant_be_read_costs_no_leaderboard(connection: Connection, page: Page) -> None:
    """Events are reported without what they touch, because nobody knows it then."""
    books.write(connection, books.small_day())
    connection.execute("alter table mart.daily_model_spend drop column provider_id cascade")
    failures = words(page(incomplete=Incomplete([Failure("dbt_models", "no")])), "#failures")
    assert "section “spend by model”" in failures
    assert "section “spend by day”" in failures
    assert "leaderboards" not in failures
    assert "gap and silent change" not in failures


def test_without_any_mart_a_failed_run_has_a_page_and_the_command_says_what_to_do(
    connection: Connection, page: Page
) -> None:
    connection.execute(f"drop table if exists {', '.join(table.qualified for table in SPEND_TABLES)} cascade")
    with pytest.raises(ReportError, match="run `modelmeter daily --date 2026-02-28` first"):
        page()
    stated = Incomplete([Failure("core_request", "no")], [StaleTable("mart.daily_model_spend", None)])
    shown = page(incomplete=stated)
    assert words(shown, ".headline") == (
        "What was spent on 28 February 2026 is not known yet: the run failed before it was computed."
    )
    assert "section “spend by model”" in words(shown, "#failures")


def test_a_section_that_fails_in_a_good_run_is_an_error_with_the_page_written(
    connection: Connection, page: Page, tmp_path: Path
) -> None:
    books.write(connection, books.small_day())
    connection.execute("drop table mart.benchmark_gap cascade")
    with pytest.raises(ReportError, match="is written, and incomplete: section “gap and silent change”"):
        page()
    assert "$2.01" in (tmp_path / "reports" / str(books.DAY) / "index.html").read_text(encoding="utf-8")
