"""The report's section on routing: what policies would have saved, worked by hand on small books."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from selectolax.lexbor import LexborHTMLParser as HTMLParser

from pipelines.finops.report import routing_charts
from pipelines.finops.report.routing import _model_cell
from tests.unit.finops import books
from tests.unit.finops.pages import amount, rows_of, words

Page = Callable[..., HTMLParser]
Connection = psycopg.Connection[Any]


def test_projection_rounds_rows_and_names_every_assumption(connection: Connection, page: Page) -> None:
    books.full(connection)
    shown = page()
    table = "projection-hybrid-actual"
    rows, foot = rows_of(shown, table), rows_of(shown, table, "tfoot")[0]
    for column in (4, 5, 6):
        assert sum(amount(row[column]) for row in rows) == amount(foot[column])
    for row in [*rows, foot]:
        assert amount(row[4]) - amount(row[5]) == amount(row[6])
    assert foot[4:7] == ["2.01", "0.35", "1.66"]
    text = words(shown, "#routing")
    assert (
        "did cost $2.01; under the policy $0.35, at the middle of all simulated worlds. It would have saved $1.66 (82.6 %)"
        in text
    )
    assert "E: an assumption, nothing measured. Not a measurement." in text
    for assumption in ("rho = 1: the same tokens", "Retries 0", "cheap: lost: no cache"):
        assert assumption in text
    assert "$1.66" in words(shown, ".figures")


def test_the_headline_has_a_waterfall_and_the_frontier_names_models_in_the_legend_only(
    connection: Connection, page: Page
) -> None:
    books.write(connection, books.small_day())
    steps = {
        "baseline": "2.00",
        "price": "-1.80",
        "cache": "0.30",
        "tokens": "0",
        "router_fee": "0.05",
        "projected": "0.55",
    }
    headline = [
        books.projection(
            arm, "1", "2.00", "0.55", is_headline=True, waterfall=json.dumps(steps) if arm == "total" else None
        )
        for arm in ("cheap", "total")
    ]
    other = [
        books.projection(arm, "1", "2.00", "1.00", policy="other", is_headline=False) for arm in ("cheap", "total")
    ]
    books.add(connection, "mart.routing_projection", *headline, *other)
    alone = [
        ("deepseek/cheap", 0.20, 0.50, True),
        ("openai/strong", 2.00, 0.90, True),
        ("acme/neither", 1.90, 0.40, False),
    ]
    mixed = [("frontier-01", 0.65, 0.60, True), ("frontier-02", 1.10, 0.70, True)]
    books.add(
        connection,
        "mart.routing_frontier",
        *(
            {"event_date": books.DAY, "point": point, "is_single": "/" in point, "is_on_hull": hull, "benchmark_version_id": "b@v#0",
             "quality": quality, "quality_retained": quality, "cost_usd": cost, "saving_share": 0.5, "shares": "{}"}
            for point, cost, quality, hull in (*alone, *mixed)
        ),
    )  # fmt: skip
    shown = page()
    assert [row[:3] for row in rows_of(shown, "policies")] == [
        ["hybrid", "1.45", "72.5 %"],
        ["other", "1.00", "50.0 %"],
    ]
    waterfall, frontier = shown.css("#routing figure")
    labels = [text.text() for text in waterfall.css(".wide svg text")]
    assert [label for label in labels if "$" in label] == ["$2.00", "−$1.80", "+$0.30", "+$0.05", "$0.55"]
    assert [label for label in labels if "$" not in label] == [
        "Baseline",
        "Prices",
        "Caches lost",
        "Router fee",
        "Projected",
    ]
    assert [item.text(strip=True) for item in frontier.css("li")] == [
        "1 openai/strong$2.00", "2 deepseek/cheap$0.20", "3 acme/neither$1.90"
    ]  # fmt: skip
    drawn = "".join(text.text() for text in frontier.css("svg text"))
    assert "deepseek" not in drawn
    assert "other, against what the traffic did cost" in [
        node.text() for node in shown.css("#routing > details > summary")
    ]
    line = frontier.css_first(".wide svg path[stroke-width='2']")
    assert line is not None
    assert line.attributes["d"].count("L") == 3, "the line joins both models on the hull and both mixtures"  # type: ignore[union-attr]


def test_a_number_goes_below_its_point_where_it_would_cover_another_models() -> None:
    """Two models 2 % of the axis apart, as GPT-5.2 and Gemini 3 Pro stood: the second one's number lay on the first one's point."""
    far, near = (routing_charts.FrontierPoint(cost, 0.8, "x", is_on_hull=False) for cost in (5.0, 19.8))
    best = routing_charts.FrontierPoint(20.0, 0.81, "y", is_on_hull=True)
    heights = [routing_charts.frontier_chart([best, other, routing_charts.FrontierPoint(1.0, 0.2, "z", is_on_hull=True)])
               for other in (far, near)]  # fmt: skip
    below = [_height(chart.wide, "2") - _height(chart.wide, "1") for chart in heights]
    assert below[1] == pytest.approx(below[0] + 18)


def _height(svg: str, number: str) -> float:
    """Of a number in the drawing, in pixels from its top."""
    (shown,) = [node for node in HTMLParser(svg).css("text") if node.text() == number]
    return float(str(shown.attributes["transform"]).rstrip(")").split(",")[1])


def test_a_frontier_without_figures_is_a_table_with_reasons_and_no_chart(connection: Connection, page: Page) -> None:
    """Prompts too long for every candidate, say: what real logs had first."""
    books.write(connection, books.small_day())
    books.add(
        connection,
        "mart.routing_projection",
        *(books.projection(arm, "1", "2.00", "0.55", is_headline=True) for arm in ("cheap", "total")),
    )
    point = {"event_date": books.DAY, "point": "openai/strong", "is_single": True, "is_on_hull": False, "shares": "{}",
             "not_eligible_reason": "no prompt fits"}  # fmt: skip
    books.add(connection, "mart.routing_frontier", point)
    shown = page()
    assert [row[0] for row in rows_of(shown, "routing-frontier")] == ["openai/strong"]
    assert "The cheapest way to each quality" in words(shown, "#routing")
    assert not [figure for figure in shown.css("#routing figure") if "quality" in figure.text().lower()]


def test_methods_stand_in_the_row_of_their_policy_with_the_month_and_what_to_measure_next(
    connection: Connection, page: Page
) -> None:
    books.write(connection, books.small_day())
    method = {"provider_id": "anthropic", "model_id": "dear-model", "is_headline": False}
    single = {
        **method, "method": "best_single_cheap", "model_id": "few-tokens", "saving_share_low_95": 0.4, "saving_share_high_95": 0.7,
        "quality_retained": 0.97,
    }  # fmt: skip
    rows = [
        books.projection("total", "1", "2.00", "0.55", is_headline=True),
        books.projection("same_tokens_dearest", "1", "2.00", "0.50", method="same_tokens_dearest", **method),
        books.projection("best_single_cheap", "1", "2.00", "0.76", **single),
        books.projection("total", "1", "2.00", "1.00", policy="a_first_by_name", is_headline=False),
    ]
    books.add(connection, "mart.routing_projection", *rows)
    month = {"month": books.DAY.replace(day=1), "through": books.DAY, "days": 9}
    later = {**month, "through": books.DAY + timedelta(days=1)}
    day_rows = [{name: value for name, value in row.items() if name != "event_date"} for row in rows]
    books.add(connection, "mart.routing_month", *({**month, **row} for row in day_rows))
    run = {
        "event_date": books.DAY, "policy": "hybrid", "baseline": "actual", "rank": 1, "measure": "loop", "model_id": "cheap",
        "against_model_id": "dear-model", "width_now": 0.9, "width_known": 0.5, "narrows_by": 0.4, "pairs_needed": 72,
        "pairs_basis": "by hand", "cost_usd": Decimal("1.50"),
    }  # fmt: skip
    small = {**run, "rank": 2, "model_id": "other", "narrows_by": 0.001}
    books.add(connection, "mart.routing_measure_next", run, small)
    shown = page()
    expected = [["hybrid", "1.45", "few-tokens", "dear-model"], ["a_first_by_name", "1.00", "–", "–"]]
    for table in ("policies", "policies-month"):
        assert "few-tokens saves 62.0 % (40 to 70); quality 97.0 %" in words(shown, f"#{table}")
        assert "dear-model saves 75.0 %" in words(shown, f"#{table}")
        assert [[*row[:2], *row[-2:]] for row in rows_of(shown, table)] == expected
    assert "The 9 loaded days of" in words(shown, "#policies-month caption")
    assert [row[1:] for row in rows_of(shown, "measure-next")] == [
        ["tokens of an agent's tasks of cheap", "40", "72", "1.50"]
    ]
    with connection.transaction(force_rollback=True):
        connection.execute("update mart.routing_month set through = %s", [later["through"]])
        assert rows_of(page(), "policies-month") == [], "a month up to a later day is not this day's"


def test_a_policy_that_costs_more_or_can_not_be_projected_says_so(connection: Connection, page: Page) -> None:
    books.write(connection, books.small_day())
    more = [books.projection(arm, "1", "2.00", "3.00", policy="dear") for arm in ("cheap", "total")]
    reason = "no price for m; x is closed; y is closed; z is closed"
    none = [
        books.projection(arm, "1", "2.00", None, policy="unknown", not_projected_reason=reason)
        for arm in ("cheap", "total")
    ]
    books.add(connection, "mart.routing_projection", *more, *none)
    text = words(page(), "#routing")
    assert "It would have cost more by $1.00 (50.0 %)." in text
    assert "Not projected: no price for m; x is closed; y is closed; z is closed." in text
    assert "no price for m; x is closed; and 2 more, in the query" in words(page(), "#policies")
    found = page()
    assert "Projected saving −$1.00 −50.0 % with policy dear" in words(found, ".figures")
    assert "−$" not in found.text(), "browsers end a line between the two signs"


def test_each_bar_of_the_waterfall_begins_where_the_one_before_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """2.00 less 1.80 is 0.20, and 0.30 is 0.50, and 0.05 is 0.55; the ends stand on zero."""
    drawn: list[dict[str, Any]] = []
    monkeypatch.setattr(routing_charts, "to_svg", lambda chart, _size: drawn.append(chart) or "")
    amounts = {"Baseline": "2.00", "Prices": "-1.80", "Caches": "0.30", "Fee": "0.05", "Projected": "0.55"}
    routing_charts.waterfall_chart({name: Decimal(usd) for name, usd in amounts.items()}, "title")
    assert len(drawn) == 2
    for chart in drawn:
        rows = chart["data"]["values"]
        assert [(row["from"], row["to"]) for row in rows] == [(0, 2), (0.2, 2), (0.2, 0.5), (0.5, 0.55), (0, 0.55)]


def test_what_moved_a_projection_and_what_is_known_of_it_stand_on_the_page(connection: Connection, page: Page) -> None:
    books.full(connection)
    move = {
        "event_date": books.DAY, "policy": "hybrid", "baseline": "actual", "event": "silent_change", "provider_id": "openai",
        "model_id": "gpt-5.2", "saving_share_before": 0.8, "saving_share_after": 0.9, "saving_usd_before": Decimal("1.60"),
        "saving_usd_after": Decimal("1.80"), "quality_retained_before": 0.9, "quality_retained_after": 0.9,
        "explanation": "Answers are longer.", "not_computed_reason": "what it does to quality",
    }  # fmt: skip
    books.add(connection, "mart.routing_move", move)
    shadow = {
        "measure": "output", "model_id": "deepseek-v3.2", "against_model_id": "gpt-5.2", "judge": "", "estimate": 1.25, "low_95": 1.1,
        "high_95": 1.4, "pairs": 200, "sessions": 150, "method": "ratio of totals",
    }  # fmt: skip
    books.add(connection, "mart.shadow_evidence", shadow)
    claim = {
        "claim": "saving_90_8_2", "as_of": books.DAY, "report": "r", "about": "saving of 90/8/2", "report_lines": "1", "claimed": "85", "unit": "%",
        "formula": "hybrid_saving", "formula_text": "f", "inputs": "[]",
    }  # fmt: skip
    verdicts = {"cited": ("90.5", "holds"), "today": ("83.4", "fails")}
    books.add(
        connection,
        "mart.claims_audit",
        *(
            {**claim, "date_basis": basis, "value_text": value, "verdict": verdict}
            for basis, (value, verdict) in verdicts.items()
        ),
    )
    shown = page()
    assert "Answers are longer. Not computed: what it does to quality." in words(shown, "#routing-moves")
    assert "90.5 %" in words(shown, "#claims")
    (row,) = rows_of(shown, "routing-moves")
    assert row[2:] == ["1.60", "1.80", "90.0 %", "90.0 %"]
    assert row[0] == "model behaves otherwise gpt-5.2"
    (measured,) = rows_of(shown, "measured")
    assert measured[1:] == ["1.25", "1.1 to 1.4", "200", "150"]
    (claimed,) = rows_of(shown, "claims")
    assert claimed[1:] == ["85 %", "holds", "fails"]


def test_a_method_on_a_day_that_costs_nothing_has_no_share_and_one_that_loses_says_so() -> None:
    """A day of embeddings alone: its page was written without the section."""
    bounds = {"saving_share_low_95": None, "saving_share_high_95": None}
    row = {"model_id": "m", "saving_usd": Decimal(0), "saving_share": None, "quality_retained": None, **bounds}
    assert _model_cell(row).note == "the traffic costs nothing"
    loses = row | {
        "saving_usd": Decimal(-1),
        "saving_share": -0.25,
        "saving_share_low_95": -0.5,
        "saving_share_high_95": 0.1,
    }
    assert _model_cell(loses).note.startswith("costs 25.0")
    assert "more (saving " in _model_cell(loses).note
