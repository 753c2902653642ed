"""Why cost moved: a case worked by hand, random charges against exact fractions, and months that are closed."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import groupby
from typing import Any

import psycopg
import pytest
from selectolax.lexbor import LexborHTMLParser as HTMLParser

from pipelines.finops.report import Span
from pipelines.finops.report.collect import collect
from pipelines.finops.report.moved import moved_section
from pipelines.finops.span import Earlier, spans_around
from pipelines.finops.span_queries import PARTS
from pipelines.ids import id_bytes
from tests.unit.finops import books
from tests.unit.finops.pages import rows_of, words

Page = Callable[..., HTMLParser]
Connection = psycopg.Connection[Any]
DAY, WEEK_BEFORE = books.DAY, books.DAY - timedelta(days=7)


def charges(day: date, model: str, requests: int, tokens: int, usd: str, **more: Any) -> list[dict[str, Any]]:
    """The two charges of a model on a day: its requests, which cost nothing, and its tokens."""
    each = {"event_date": day, "provider_id": "s", "model_id": model, "openness": "closed", "team": "search", **more}
    costs = {f"{kind}_cost_usd": Decimal(usd) for kind in ("list", "contracted", "effective", "billed")}
    key = f"{each}"
    return [
        {**each, **dict.fromkeys(costs, Decimal(0)), "meter": "request", "quantity": requests, "charge_id": id_bytes("r", key)},
        {**each, **costs, "meter": "input_uncached", "quantity": tokens, "charge_id": id_bytes("t", key)},
    ]  # fmt: skip


def test_a_change_worked_by_hand(connection: Connection, page: Page) -> None:
    """20 requests of two kept models cost 40 and became 40, so volume is 40. At the old cost of a request they would be 60: mix
    is -20. Model a's requests are 10 % longer (3) and its tokens 20 % dearer (6.60). A new model costs 5, one of 7 is gone."""
    books.write(connection, [])
    rows = [
        *charges(WEEK_BEFORE, "a", 10, 1000, "10"), *charges(WEEK_BEFORE, "b", 10, 1000, "30"), *charges(WEEK_BEFORE, "old", 5, 100, "7"),
        *charges(DAY, "a", 30, 3300, "39.6"), *charges(DAY, "b", 10, 1000, "30"), *charges(DAY, "new", 2, 100, "5"),
    ]  # fmt: skip
    books.add(connection, "mart.daily_charge", *rows)
    shown = page()
    parts = ["+40.00", "−20.00", "+3.00", "+6.60", "+5.00", "−7.00"]
    assert rows_of(shown, "compared") == [["the Saturday before", "47.00", "74.60", "+27.60", *parts]]
    assert rows_of(shown, "moved-team") == [["search", "47.00", "74.60", "+27.60", *parts]]
    moved = {row[0]: row[3:] for row in rows_of(shown, "moved-model")}
    assert moved["a"] == ["+29.60", "+20.00", "–", "+3.00", "+6.60", "–", "–"]
    assert moved["old"] == ["−7.00", "–", "–", "–", "–", "–", "−7.00"]
    assert "b" not in moved
    assert "$27.60 (58.7 %) more than the Saturday before: more requests (+$40.00)" in words(shown, "#moved")
    assert rows_of(shown, "spend-provider") == [
        ["s", "74.60", "100.0 %", "47.00", "+27.60", "+58.7 %", "42", "0", "4,400", "0"]
    ]


def test_each_earlier_day_that_has_charges_is_compared(connection: Connection) -> None:
    """Only the day before is loaded: the comparison with the weekday before has the sums of now, that with the day before both."""
    books.write(connection, [])
    books.add(connection, "mart.daily_charge", *charges(DAY, "a", 2, 100, "5"))
    assert collect(connection, Span.of_day(DAY))["movement_1"].is_empty(), "nothing to compare with is not asked for"
    books.add(connection, "mart.daily_charge", *charges(DAY - timedelta(days=1), "a", 1, 100, "3"))
    found = collect(connection, Span.of_day(DAY))
    costs = [
        found[name].filter(dimension="all").select("cost_usd", "cost_then_usd").row(0)
        for name in ("movement_0", "movement_1")
    ]
    assert costs == [(Decimal(5), None), (Decimal(5), Decimal(3))]


def test_a_month_that_is_loaded_in_part_is_compared_by_name(connection: Connection) -> None:
    """Of January only the 30th and 31st are loaded, one of them without a request: the name says so, and February has all its days."""
    books.write(connection, [])
    january, quiet = date(2026, 1, 30), date(2026, 1, 31)
    days = [date(2026, 2, number) for number in range(1, 29)]
    books.add(connection, "mart.daily_charge", *charges(january, "a", 1, 100, "3"), *charges(DAY, "a", 2, 100, "5"))
    shown = collect(connection, Span.of_month(DAY))
    assert [earlier.name for earlier in shown.earlier] == ["January 2026", "February 2025"], "no day is summed yet"
    series = [{"event_date": day, "scope": "total", "requests": 1} for day in [january, *days]]
    books.add(connection, "mart.spend_series", *series)
    books.add(connection, "raw.quiet_day", {"event_date": quiet})
    shown = collect(connection, Span.of_month(DAY))
    assert shown.earlier[0].name == "January 2026 (2 of 31 days loaded)"
    section = moved_section(shown)
    assert section is not None
    assert "more than January 2026 (2 of 31 days loaded): more requests" in section.sentence
    march = [{"event_date": date(2026, 3, number), "scope": "total", "requests": 1} for number in range(1, 32)]
    books.add(connection, "mart.spend_series", *march)
    assert collect(connection, Span.of_month(date(2026, 3, 31))).earlier[0].name == "February 2026"


def test_the_parts_add_up_to_the_last_decimal(connection: Connection) -> None:
    """Random charges; every part against the same formula in fractions, which round nothing."""
    draw = random.Random(7)
    rows = []
    for day in (WEEK_BEFORE, DAY):
        for model in "abcd":
            for team in ("x", "y"):
                if draw.random() < 0.8:
                    usd = f"{draw.randrange(1, 10**9)}e-{draw.randrange(3, 18)}"
                    rows += charges(day, model, draw.randrange(1, 99), draw.randrange(1, 10**6), usd, team=team)
    books.write(connection, [])
    books.add(connection, "mart.daily_charge", *rows)
    found = collect(connection, Span.of_day(DAY))["movement_0"].filter(dimension="team").to_dicts()
    assert len(found) == 2
    for row in found:
        assert sum((row[f"{part}_usd"] for part in PARTS), Decimal(0)) == row["change_usd"]
        expected = by_fractions([one for one in rows if one["team"] == row["dimension_value"]])
        for part in PARTS:
            assert abs(Fraction(row[f"{part}_usd"]) - expected[part]) < Fraction(1, 10**15), part


def by_fractions(rows: list[dict[str, Any]]) -> dict[str, Fraction]:
    """The parts of the change between the two days, from what each model used and cost."""

    def of(day: date) -> dict[str, tuple[int, int, Fraction]]:
        own = [row for row in rows if row["event_date"] == day]
        models = groupby(own, key=lambda row: str(row["model_id"]))
        both = {name: list(pair) for name, pair in models}
        return {name: (pair[0]["quantity"], pair[1]["quantity"], Fraction(pair[1]["effective_cost_usd"])) for name, pair in both.items()}  # fmt: skip

    then, now = of(WEEK_BEFORE), of(DAY)
    kept = then.keys() & now.keys()
    cost_then = sum(then[name][2] for name in kept)
    growth = Fraction(sum(now[n][0] for n in kept), sum(then[n][0] for n in kept)) if kept else Fraction(0)
    same = sum((then[n][2] * now[n][0] / then[n][0] for n in kept), Fraction(0))
    at_old_prices = sum((then[n][2] * now[n][1] / then[n][1] for n in kept), Fraction(0))
    return {
        "volume": cost_then * growth - cost_then,
        "mix": same - cost_then * growth,
        "use": at_old_prices - same,
        "price": sum((now[n][2] for n in kept), Fraction(0)) - at_old_prices,
        "new": sum((now[n][2] for n in now.keys() - kept), Fraction(0)),
        "ended": -sum((then[n][2] for n in then.keys() - kept), Fraction(0)),
    }


@pytest.mark.slow
def test_a_closed_month_shows_what_was_booked(connection: Connection, page: Page) -> None:
    month = date(2026, 2, 1)
    books.write(connection, [])
    booked = [{**row, "period": month} for row in charges(DAY, "a", 10, 1000, "10")]
    corrected = {
        **booked[1],
        "charge_class": "Correction",
        "event_date": date(2026, 1, 5),
        "effective_cost_usd": Decimal("0.25"),
    }
    books.add(connection, "core.booked_charge", *booked, corrected)
    act = {"period": month, "acted_at": datetime(2026, 3, 2, tzinfo=UTC), "act": "close"}
    books.add(connection, "core.period_act", act)
    books.add(connection, "mart.daily_charge", *charges(DAY, "a", 11, 1100, "11"))
    shown = page(Span.of_month(DAY))
    figures = words(shown, ".figures")
    assert "Spend of February 2026 $10.00" in figures
    assert "Corrections booked here $0.25" in figures
    assert "Known since it was closed +$1.00" in figures
    assert "The month is closed" in words(shown, ".headline")
    assert rows_of(shown, "spend-model", "tfoot")[0][1] == "10.00"
    assert rows_of(shown, "history")[0][3] == "10.00"
    books.add(connection, "core.period_act", {**act, "acted_at": datetime(2026, 3, 3, tzinfo=UTC), "act": "reopen"})
    assert "Spend of February 2026 $11.00" in words(page(Span.of_month(DAY)), ".figures")


@pytest.mark.slow
def test_a_month_page_has_its_own_sections(connection: Connection, page: Page) -> None:
    books.full(connection)
    for shown in (page(), page(Span.of_month(DAY))):
        ids = {node.attributes["id"] for node in shown.css("[id]")}
        targets = [node.attributes["href"] or "" for node in shown.css(".figures a")]
        assert len(targets) >= 10, "every figure leads to its definition and its query"
        assert {target.removeprefix("#") for target in targets} <= ids
    assert words(shown, ".headline") == "In February 2026 your applications made 6 requests for $6.01."
    # The unresolved call has 1,100 tokens, and the average token costs 6.014 / 5,500.
    assert rows_of(shown, "unpriced")[0][-1] == "1.20"
    assert rows_of(shown, "spend-team")[0][:2] == ["search", "5.01"]
    assert rows_of(shown, "spend-team", "tfoot")[0][1] == "6.01"
    assert "unresolved: orion-7b" in words(shown, "#unpriced")


def test_a_computed_amount_says_how_many_requests_it_is_without(connection: Connection, page: Page) -> None:
    """Of vllm only a free call has a known cost: 0.00 alone would read as if all were free."""
    books.write(connection, books.small_day())
    row = {"event_date": DAY, "provider_id": "vllm", "computed_usd": Decimal(0)}
    books.add(connection, "mart.reconciliation", row)
    assert "vllm without 1 unpriced request 0.00" in words(page(Span.of_month(DAY)), "#bills")


def test_what_days_are_compared_with() -> None:
    march = Span.of_month(date(2026, 3, 30))
    assert list(march.earlier) == [
        Earlier("February 2026", date(2026, 2, 1), date(2026, 3, 1)),  # has no 30th day
        Earlier("March 2025 up to 30 Mar", date(2025, 3, 1), date(2025, 3, 31)),
    ]
    assert Span.of_month(date(2026, 2, 28)).earlier[0] == Earlier("January 2026", date(2026, 1, 1), date(2026, 2, 1))
    assert Span.of_month(date(2026, 1, 9)).earlier[0].first == date(2025, 12, 1)
    quarter = Span.of_quarter(date(2026, 5, 10))
    assert (quarter.slug, quarter.first, quarter.whole_end) == ("2026-Q2", date(2026, 4, 1), date(2026, 7, 1))
    assert quarter.earlier[0] == Earlier("the first quarter of 2026 up to 9 Feb", date(2026, 1, 1), date(2026, 2, 10))
    loaded = [date(2026, 1, 5), date(2026, 3, 30)]
    assert [(span.slug, span.last) for span in spans_around([date(2026, 1, 4)], loaded)] == [
        ("2026-01", date(2026, 1, 5)),
        ("2026-Q1", date(2026, 3, 30)),
    ]
    assert spans_around([date(2025, 1, 4)], loaded) == []
