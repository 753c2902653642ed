"""The last lines of a run: right numbers, in 80 columns, whatever the names hold and however far the run came."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
from rich.console import Console

from pipelines.finops.summary import DaySummary, day_summary, render_summary
from tests.unit.finops import books

Connection = psycopg.Connection[Any]
NEXT_DAY = books.DAY + timedelta(days=1)


def shown(summary: DaySummary, **changes: Any) -> list[str]:
    console = Console(file=io.StringIO(), width=80, highlight=False, color_system=None)
    stated = {
        "report_path": Path("/reports/2026-02-28/index.html"),
        "checks_passed": 29,
        "checks_total": 30,
        "next_steps": ["make ui"],
    }
    render_summary(console, summary, **(stated | changes))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def fill(connection: Connection) -> None:
    books.write(connection, [*books.small_day(), *(books.request(50 + n, f"model-{n}", "0.30") for n in range(9))])
    books.add(connection, "raw.snapshot", books.snapshot(lines=20, valid=17, quarantined=3))
    books.add(connection, "raw.duplicate", {"event_date": books.DAY, "snapshot_id": books.FILE, "rule": "same_record"})
    for number, reason in enumerate(["not_json", "not_json", "negative_tokens"]):
        books.add(
            connection,
            "raw.quarantine",
            {"snapshot_id": books.FILE, "line_no": number, "reason": reason, "severity": "error"},
        )
    books.add(
        connection,
        "mart.routing_projection",
        *(books.projection(arm, "1", "2.00", "0.50") for arm in ("cheap", "total")),
    )
    books.add(connection, "mart.routing_projection", books.projection("total", "1", "2.00", None, policy="unknown"))
    for number, severity in enumerate(["warn", "info", "info"]):
        books.add(
            connection,
            "mart.benchmark_drift",
            {"event_id": books.id_bytes(str(number)), "event_date": books.DAY, "severity": severity},
        )


def test_numbers_by_hand(connection: Connection) -> None:
    fill(connection)
    summary = day_summary(connection, books.DAY, NEXT_DAY)
    assert (summary.lines, summary.loaded, summary.duplicates, summary.other_days) == (20, 14, 1, 2)
    assert summary.quarantined == {"not_json": 2, "negative_tokens": 1}
    assert summary.lines == summary.loaded + summary.duplicates + summary.other_days + sum(summary.quarantined.values())
    assert summary.priced == 13
    assert summary.spend_usd == Decimal("4.714")  # 2.014 and nine times 0.30
    assert summary.models[0].model_id == "model-a"
    assert (summary.models[0].requests, summary.models[0].spend_usd) == (2, Decimal("1.005"))
    assert [(s.policy, s.saving_usd) for s in summary.savings] == [("hybrid", Decimal("1.50")), ("unknown", None)]
    assert summary.drift_events == {"warn": 1, "info": 2}
    day_before = day_summary(connection, books.DAY - timedelta(days=1), books.DAY)
    assert (day_before.lines, day_before.loaded, day_before.spend_usd, day_before.models) == (0, 0, None, [])


def test_a_range_sums_its_days_and_one_unprojected_day_leaves_the_saving_open(connection: Connection) -> None:
    books.write(connection, [*books.small_day(), books.request(1, "model-a", "4.00", NEXT_DAY)])
    both_days = {"event_dates": [books.DAY, NEXT_DAY]}
    books.add(connection, "raw.snapshot", books.snapshot(**both_days))
    books.add(
        connection,
        "mart.routing_projection",
        books.projection("total", "1", "2.00", "0.50"),
        books.projection("total", "1", "4.00", None, event_date=NEXT_DAY),
    )
    summary = day_summary(connection, books.DAY, NEXT_DAY + timedelta(days=1))
    assert summary.lines == 8  # the file that touches both days counts once
    assert summary.spend_usd == Decimal("6.014")
    assert [(s.baseline_usd, s.saving_usd) for s in summary.savings] == [(Decimal("6.00"), None)]
    assert shown(summary)[1] == "28 February 2026 to 1 March 2026"


def test_it_reads_in_80_columns_and_amounts_stand_under_each_other(connection: Connection) -> None:
    fill(connection)
    lines = shown(day_summary(connection, books.DAY, NEXT_DAY))
    assert max(len(line.rstrip()) for line in lines) <= 80
    text = "\n".join(line.rstrip() for line in lines)
    assert "not_json 2, negative_tokens 1" in text
    assert "29 of 30" in text
    assert "1 warn, 2 info" in text
    assert "/reports/2026-02-28/index.html" in text
    start = next(n for n, line in enumerate(lines) if line.startswith("spend by model"))
    end = next(n for n, line in enumerate(lines) if line.startswith("total"))
    table = [line.rstrip() for line in lines[start + 1 : end + 1]]
    assert len({len(line) for line in table}) == 1
    amounts = [Decimal(line.split()[-1]) for line in table]
    assert amounts[:2] == [Decimal("1.01"), Decimal("1.01")]  # 1.005 each: every amount is rounded for itself
    assert amounts[-1] == Decimal("4.71")
    assert sum(int(line.split()[-2]) for line in table[:-1]) == 14
    assert "5 other models" in table[-2]


def test_names_are_printed_as_they_are(connection: Connection) -> None:
    books.write(connection, [books.request(1, "[bold red]x[/] [link=http://e]", "1")])
    lines = shown(day_summary(connection, books.DAY, NEXT_DAY))
    assert any(line.startswith("[bold red]x[/] [link=http://e]") for line in lines)


def test_what_is_only_logged_and_what_is_no_request_stand_apart(connection: Connection) -> None:
    """The log says 0.36 USD for a call that no feed prices: in no sum, and said."""
    logged = books.request(1, "model-x", None, reported_cost_usd=Decimal("0.36"))
    priced = books.request(2, "model-x", "0.09", reported_cost_usd=Decimal("0.10"))
    books.write(connection, [logged, priced])
    books.add(connection, "raw.snapshot", books.snapshot(lines=5, valid=2, quarantined=3))
    for number, (reason, severity) in enumerate(
        [("not_a_request", "info"), ("not_a_request", "info"), ("not_json", "error")]
    ):
        books.add(
            connection,
            "raw.quarantine",
            {"snapshot_id": books.FILE, "line_no": number, "reason": reason, "severity": severity},
        )
    summary = day_summary(connection, books.DAY, NEXT_DAY)
    assert (summary.spend_usd, summary.logged_only_usd) == (Decimal("0.09"), Decimal("0.36"))
    assert (summary.quarantined, summary.no_requests) == ({"not_json": 1}, {"not_a_request": 2})
    lines = [" ".join(line.split()) for line in shown(summary)]
    assert "priced 50.0 % 1 without a price, logged only 0.36 USD" in lines
    assert "quarantined 1 not_json 1" in lines
    assert "no requests 2 not_a_request 2" in lines


def test_a_run_that_never_built_the_marts(connection: Connection) -> None:
    summary = day_summary(connection, books.DAY, NEXT_DAY)
    assert not summary.has_marts
    assert summary.spend_usd is None
    lines = shown(summary, report_path=None, checks_passed=0, checks_total=0, next_steps=[])
    assert not any(line.startswith(("spend", "report", "next")) for line in lines)


def test_json_keeps_every_digit(connection: Connection) -> None:
    fill(connection)
    facts = json.loads(json.dumps(day_summary(connection, books.DAY, NEXT_DAY).as_dict()))
    assert facts["spend_usd"] == "4.714000000000000000"
    assert (facts["from_date"], facts["to_date"], facts["last_day"]) == ("2026-02-28", "2026-03-01", "2026-02-28")
    assert facts["savings"][1]["saving_usd"] is None


def test_the_heading_speaks_of_an_interval_only_where_one_is_known(connection: Connection) -> None:
    fill(connection)
    summary = day_summary(connection, books.DAY, NEXT_DAY)
    without = [replace(saving, low_95=None, high_95=None) for saving in summary.savings]
    known = [replace(saving, low_95=0.5, high_95=0.8) for saving in summary.savings]
    headings = [
        next(line for line in shown(replace(summary, savings=tuple(savings))) if "of baseline" in line)
        for savings in (without, known)
    ]
    assert ["(95 %)" in heading for heading in headings] == [False, True]


def test_only_the_headline_is_shown_where_there_is_one(connection: Connection) -> None:
    fill(connection)
    headline = books.projection("total", "1", "2.00", "1.00", policy="first", is_headline=True)
    connection.execute("update mart.routing_projection set is_headline = false")
    books.add(connection, "mart.routing_projection", headline)
    text = "\n".join(shown(day_summary(connection, books.DAY, NEXT_DAY)))
    assert "first against actual cost" in text
    assert "hybrid against" not in text
    assert "2 other policies: modelmeter route NAME" in text


def test_budgets_the_end_of_the_month_and_what_is_open_are_said(connection: Connection) -> None:
    fill(connection)
    period = {"period": "month", "period_from": books.DAY.replace(day=1), "period_to": NEXT_DAY}
    usd = {"forecast_usd": Decimal("120.5"), "low_95_usd": Decimal(110), "high_95_usd": Decimal(140)}
    books.add(connection, "mart.spend_forecast", {"scope": "total", **period, **usd})
    budget = {"currency": "USD", "owner": "jo", **period}
    books.add(
        connection,
        "mart.budget_status",
        {"budget_id": "search", "state": "will_cross", "crosses_on": NEXT_DAY, "crosses_from": books.DAY, **budget},
        {"budget_id": "all", "state": "within", **budget},
    )
    events = [("a", Decimal(5), None), ("b", Decimal(7), None), ("c", Decimal(9), books.DAY)]
    for value, excess, ended in events:
        event = {"scope": "team", "scope_value": value, "opened_on": books.DAY, "ended_on": ended}
        books.add(
            connection, "mart.spend_anomaly", {**event, "excess_usd": excess, "explanation": f"team {value}: dear."}
        )
    text = " ".join(" ".join(shown(day_summary(connection, books.DAY, NEXT_DAY))).split())
    assert "month ends at 120.50 USD; 110.00 to 140.00 at 95 %" in text
    assert "budgets 2 search will be crossed on 1 Mar, 28 Feb at the earliest" in text
    assert "anomalies 2 7.00 USD so far: team b: dear. And 1 other." in text
