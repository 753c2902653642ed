"""Rounding as SQL does it, and numbers that never say more than they know."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from pipelines.finops import format as fmt


def test_sums_keep_every_digit() -> None:
    big, small = Decimal(12345678901234567890), Decimal("0.000000000000000001")
    assert fmt.total([big, small, None]) == Decimal("12345678901234567890.000000000000000001")
    assert fmt.less(big, small) == Decimal("12345678901234567889.999999999999999999")
    assert fmt.total([None]) is None
    assert fmt.less(None, small) is None


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("1234567.005", "$1,234,567.01"),  # half away from zero
        ("-0.125", "−$0.13"),
        ("-0.25", "−$0.25"),
        ("0", "$0.00"),
        ("0.01", "$0.01"),
        ("0.0099", "$0.0099"),
        ("0.00009", "$0.000090"),
        ("-0.001", "−$0.0010"),
    ],
)
def test_money(value: str, shown: str) -> None:
    assert fmt.dollars(Decimal(value)) == shown


def test_amounts_below_a_cent_show_in_tables() -> None:
    assert fmt.decimals_for([Decimal("12.5"), None, Decimal(0)]) == 2
    assert fmt.decimals_for([Decimal("12.5"), Decimal("0.004")]) == 4
    assert fmt.decimals_for([Decimal("-0.00004")]) == 6
    assert fmt.decimals_for([]) == 2


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1.0, "100.0 %"),
        (0.99999, "99.9 %"),
        (0.9996, "99.9 %"),
        (0.0, "0.0 %"),
        (0.0001, "< 0.1 %"),
        (0.123, "12.3 %"),
        (-0.5, "−50.0 %"),
        (12.5, "1,250.0 %"),
        (None, "–"),
    ],
)
def test_percent_is_never_whole_where_it_is_not(value: float | None, shown: str) -> None:
    assert fmt.percent(value).replace("\N{NO-BREAK SPACE}", " ") == shown


def test_signs_where_asked_for() -> None:
    assert fmt.percent(0.25, plus=True).startswith("+25.0")
    assert fmt.money(Decimal("0.5"), plus=True) == "+0.50"
    assert fmt.money(Decimal(0), plus=True) == "0.00"


def test_words() -> None:
    assert fmt.long_day(date(2026, 2, 28)) == "28 February 2026"
    assert fmt.short_day(date(2026, 12, 1)) == "1 Dec"
    assert fmt.weekday(date(2026, 2, 28)) == "Saturday"
    assert fmt.plural(1, "policy", "policies") == "1 policy"
    assert fmt.plural(1200, "policy", "policies") == "1,200 policies"
    assert fmt.large(54_435_542).split("\N{NO-BREAK SPACE}") == ["54.4", "million"]
    assert fmt.large(999_999) == "999,999"
    assert fmt.instant(datetime(2026, 2, 28, 6, tzinfo=UTC)) == "2026-02-28 06:00"
    assert fmt.age(36) == "36 hours"
    assert fmt.age(75) == "3 days"
    assert fmt.share(1, 0) is None
    assert fmt.share(1, 4) == Decimal("0.25")
