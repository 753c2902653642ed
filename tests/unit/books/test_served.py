"""Served against asked, by hand: `fast` costs 0.20 and 0.50 USD per million tokens of input and output, `large` 1.25 and 2.50.

Those are the prices of grok-4-1-fast-reasoning and of grok-4.3, which xAI serves in its place since 15 May 2026.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from pipelines.books.served import NAMES, is_worth_asking, served_changes
from pipelines.config.calendars import Calendars
from pipelines.config.models import ModelsConfig, Redirect
from pipelines.models import resolve_requests
from pipelines.prices import build_ledger, build_rate_card, rate
from pipelines.prices.restatement import changed_requests, rerate, restatement_lines
from pipelines.warehouse.tables.core import REQUEST
from pipelines.warehouse.tables.core_prices import FX_RATE
from tests.unit.prices.feeds import FEED, day, price, registry_of, snapshot
from tests.unit.prices.requests_frame import requests_frame
from tests.warehouse import rows as warehouse_rows

PRICES = snapshot(
    "2026-01-10",
    *(
        price(usd, meter, raw_model=model)
        for model, usds in {
            "fast": ("0.20", "0.50"),
            "large": ("1.25", "2.50"),
            "fast-20260101": ("0.20", "0.75"),
        }.items()
        for meter, usd in zip(("input_uncached", "output_text"), usds, strict=True)
    ),
)
REDIRECT = Redirect(provider="acme", name="fast", model="large", from_date=date(2026, 5, 15), source="a change log")
SINCE, BEFORE = datetime(2026, 5, 15, tzinfo=UTC), datetime(2026, 5, 14, 23, 59, tzinfo=UTC)
LEDGER = build_ledger(FEED, [PRICES], registry_of([PRICES]))
CARD = build_rate_card(LEDGER, [FEED])
MILLION = {"input_uncached": 1_000_000, "output_text": 1_000_000}


def booked(*calls: tuple[datetime, str, str | None], redirects: tuple[Redirect, ...] = ()) -> pl.DataFrame:
    """Rows of core.request for calls of a million tokens in and out: when, the model asked for and the one that answered."""
    plain = warehouse_rows.requests(len(calls), day=SINCE.date())
    counted = requests_frame({"provider_id": "acme", "event_at": at, **MILLION} for at, *_ in calls)
    logged = plain.with_columns(
        *(counted[name] for name in counted.columns if name != "model_id"),
        pl.Series("request_model", [asked for _, asked, _ in calls]),
        pl.Series("response_model", [answered for *_, answered in calls], dtype=pl.String),
        event_date=counted["event_at"].dt.date(),
    )
    registry = registry_of([PRICES], ModelsConfig(redirects=redirects))
    return rate(resolve_requests(logged, registry), CARD).select(REQUEST.polars_schema.names())


def changes(requests: pl.DataFrame) -> list[dict[str, Any]]:
    calls = requests.with_columns(
        asked_name=pl.coalesce("request_model", "response_model"), served_usd="effective_cost_usd"
    )
    return served_changes(calls, registry_of([PRICES]), CARD, Calendars()).to_dicts()


def test_an_answer_of_another_model_is_an_event_with_its_money() -> None:
    (row,) = changes(booked((SINCE, "fast", "large"), (SINCE, "fast", "large"), (SINCE, "fast", "fast")))
    assert (row["asked_model_id"], row["served_model_id"], row["known_from"]) == ("fast", "large", "answer")
    assert (row["requests"], row["uncompared_requests"]) == (2, 0)
    assert (row["served_cost_usd"], row["asked_cost_usd"]) == (Decimal("7.5"), Decimal("1.4"))
    assert row["difference_usd"] == Decimal("6.1")


@pytest.mark.parametrize(("asked", "answered", "rows"), [("fast", "fast-20260101", 1), ("large", "large-20260101", 0)])
def test_a_snapshot_of_the_asked_model_counts_where_it_costs_something_else(
    asked: str, answered: str, rows: int
) -> None:
    assert len(changes(booked((SINCE, asked, answered)))) == rows


def test_a_redirected_name_is_the_model_that_answers_from_its_day_on() -> None:
    calls = ((BEFORE, "fast", "fast"), (SINCE, "fast", "fast"), (SINCE, "fast", "fast-20260101"))
    found = booked(*calls, redirects=(REDIRECT,))
    assert found["model_id"].to_list() == ["fast", "large", "fast-20260101"]
    assert found["effective_cost_usd"].to_list() == [Decimal("0.70"), Decimal("3.75"), Decimal("0.95")]
    redirected = [row for row in changes(found) if row["known_from"] == "models.yaml"]
    assert [(row["served_model_id"], row["difference_usd"]) for row in redirected] == [("large", Decimal("3.05"))]


def test_what_was_booked_at_the_old_model_is_restated() -> None:
    before = booked((BEFORE, "fast", "fast"), (SINCE, "fast", "fast"))
    after = rerate(before, CARD, registry_of([PRICES], ModelsConfig(redirects=(REDIRECT,))))
    lines = restatement_lines(
        changed_requests(before, after), LEDGER, [FEED], CARD, fx_rates=FX_RATE.empty(), known_at=day("2026-06-01")
    )
    assert lines["delta_usd"].sum() == Decimal("3.05")
    assert set(lines["reason"]) == {"model_resolved"}
    assert lines["event_date"].unique().to_list() == [SINCE.date()]


@pytest.mark.parametrize(
    ("call", "redirects", "worth"),
    [
        ((SINCE, "fast", "large"), (), True),
        ((SINCE, "fast", "fast"), (), False),
        ((SINCE, "fast", None), (), False),
        ((SINCE, "fast", "fast"), (REDIRECT,), True),
    ],
)
def test_a_day_is_only_asked_where_names_differ_or_a_name_was_redirected(
    call: tuple[datetime, str, str | None], redirects: tuple[Redirect, ...], worth: bool
) -> None:
    plain = (SINCE, "fast-20260101", "fast-20260101")
    to = {item.model for item in redirects}
    assert is_worth_asking(booked(plain, call, redirects=redirects).select(NAMES), to) is worth
    assert not is_worth_asking(booked(plain).select(NAMES).clear(), to)
