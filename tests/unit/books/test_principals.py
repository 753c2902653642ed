"""A charge by the users and keys that made it: each has what it used, and the parts are the charge."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from pipelines.books.focus.principals import by_principal
from pipelines.meters import PRICED_METERS

D = Decimal
GRAIN: dict[str, Any] = {
    "event_date": date(2026, 2, 1), "provider_id": "acme", "model_id": "m", "service_tier": "standard", "region": "", "team": "search",
    "project": "p", "cost_centre": "4711", "environment": "prod", "application": "chat", "rate_id": b"1", "unpriced_reason": None,
}  # fmt: skip
SCHEMA: dict[str, Any] = dict.fromkeys(GRAIN, pl.String) | {"event_date": pl.Date, "rate_id": pl.Binary}
MONEY = pl.Decimal(38, 18)


def charge(meter: str, usd: str, quantity: int | None, **more: Any) -> dict[str, Any]:
    return {**GRAIN, "meter": meter, "usd": D(usd), "quantity": None if quantity is None else D(quantity), **more}


def user(name: str, key: str, **counts: int) -> dict[str, Any]:
    return {**GRAIN, "principal": name, "credential": key, **{meter.name: 0 for meter in PRICED_METERS}, **counts}


def test_each_has_what_it_used_and_the_rest_goes_by_calls() -> None:
    """Ada wrote 1,000 of 1,500 tokens in one of three calls. A charge without calls in the log stays whole."""
    charges = pl.DataFrame(
        [
            charge("input_uncached", "0.0045", 1500),
            charge("rest", "-1", None),
            charge("input_uncached", "9", 5, rate_id=b"gone"),
        ],
        schema={**SCHEMA, "meter": pl.String, "usd": MONEY, "quantity": MONEY},
    )
    used = pl.DataFrame(
        [user("ada", "k1", input_uncached=1000, request=1), user("", "k1", input_uncached=500, request=2)],
        schema={
            **SCHEMA,
            "principal": pl.String,
            "credential": pl.String,
            **{meter.name: pl.Int64 for meter in PRICED_METERS},
        },
    )
    found = by_principal(charges, used, ("usd", "quantity"))
    assert found.select("principal", "credential", "usd", "quantity").rows() == [
        ("ada", "k1", D("0.003"), D(1000)),
        (None, "k1", D("0.0015"), D(500)),
        ("ada", "k1", D("-0.333333333333333333"), None),
        (None, "k1", D("-0.666666666666666667"), None),
        (None, None, D(9), D(5)),
    ]
    assert found["usd"].sum() == charges["usd"].sum()


def test_without_being_asked_nothing_is_split() -> None:
    charges = pl.DataFrame(
        [charge("rest", "1", None)], schema={**SCHEMA, "meter": pl.String, "usd": MONEY, "quantity": MONEY}
    )
    assert by_principal(charges, None, ("usd",)).select("principal", "credential", "usd").rows() == [(None, None, D(1))]
