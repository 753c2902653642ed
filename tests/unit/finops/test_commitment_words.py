"""How a commitment stands, in words: each sentence with its figures, and none where there is nothing to say."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from pipelines.config.commitments import Discount
from pipelines.finops.commitments import discount_sentences, sentence

DAY = date(2026, 2, 20)
D = Decimal
NOTHING: dict[str, Any] = dict.fromkeys(
    (
        "utilisation", "month_saving_usd", "month_unused_usd", "month_purchased_usd", "balance_usd", "unused_usd", "runs_out_on", "expires_on",
        "expiring_usd", "break_even_utilisation", "units_that_pay", "overage_usd", "reason",
    )
)  # fmt: skip


def words(kind: str, **known: Any) -> str:
    return sentence({**NOTHING, "event_date": DAY, "kind": kind, **known}).replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("known", "said"),
    [
        ({}, "nothing used yet"),
        ({"utilisation": D("0.25"), "balance_usd": D("7.5")}, "25.0 % used; 7.50 USD left"),
        ({"balance_usd": D(0), "runs_out_on": DAY}, "0.00 USD left; ran out on 2026-02-20"),
        ({"balance_usd": D(3), "runs_out_on": date(2026, 2, 21)}, "3.00 USD left; runs out on 2026-02-21"),
        ({"balance_usd": D(0), "unused_usd": D("6.4")}, "0.00 USD left; 6.40 USD expired unused"),
        (
            {"balance_usd": D(9), "expiring_usd": D("4.25"), "expires_on": date(2026, 3, 1)},
            "9.00 USD left; 4.25 USD will expire on 2026-03-01",
        ),
        (
            {"balance_usd": D(9), "reason": "1 day of it is not loaded"},
            "9.00 USD left; not complete: 1 day of it is not loaded",
        ),
    ],
)
def test_a_credit(known: dict[str, Any], said: str) -> None:
    assert words("credit", **known) == said


def test_the_other_kinds() -> None:
    throughput = {
        "utilisation": D("0.5"), "month_unused_usd": D("1.2"), "month_purchased_usd": D("2.4"), "break_even_utilisation": D("0.8"), "units_that_pay": 3,
        "overage_usd": D("0.1"),
    }  # fmt: skip
    assert words("provisioned", **throughput) == (
        "50.0 % used; 1.20 of 2.40 USD were idle this month; pays from a use of 80.0 %; the last 28 days would have paid for 3 units; "
        "0.10 USD of the day went beyond it"
    )
    assert words("free_tier", month_saving_usd=D("1.5")) == "1.50 USD of usage were free this month"
    assert words("minimum_spend", balance_usd=D(40)) == "40.00 USD of the month's minimum are left"


def test_a_discount() -> None:
    plain = {"discount": "d", "provider_id": "openai", "percent": "7.50", "from_date": "2026-01-01"}
    bound = {"models": ["gpt-4*", "o3"], "applies_to": "tokens", "to_date": "2027-01-01"}
    assert discount_sentences([Discount.model_validate(plain), Discount.model_validate(plain | bound)]) == [
        "d: 7.5 % off everything at openai from 2026-01-01",
        "d: 7.5 % off tokens of gpt-4*, o3 at openai from 2026-01-01 up to 2027-01-01",
    ]
