"""Texts to instants, whole numbers and exact decimals: what converts, what does not, and nothing in between."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.records.conversions import TimeRule, to_booleans, to_decimals, to_instants, to_integers

T = datetime(2026, 2, 13, 10, 20, 30, 123456, tzinfo=UTC)


def instants(texts: list[str | None], **rule: object) -> list[datetime | None]:
    return to_instants(pl.Series("at", texts, dtype=pl.String), TimeRule(**rule)).to_list()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-02-13T10:20:30.123456Z", T),
        ("2026-02-13 10:20:30.123456", T),
        ("2026-02-13 10:20:30.1234569", T),  # seven digits, as Azure writes: cut, not rounded
        ("2026-02-13T10:20:30.123456789Z", T),
        ("2026-02-13T10:20:30,123456Z", T),
        ("2026-02-13T12:20:30.123456+02:00", T),
        ("2026-02-13T12:20:30.123456+0200", T),
        ("2026-02-13 04:50:30.123456-05:30", T),
        ("2026-02-13 10:20:30.123456+00", T),
        ("2026-02-13 10:20:30.123456 UTC", T),
        ("2026-02-13T10:20:30Z", T.replace(microsecond=0)),
        ("2026-02-13T10:20", T.replace(second=0, microsecond=0)),
        ("2026-02-13", datetime(2026, 2, 13, tzinfo=UTC)),
        ("2026-02-30T10:20:30Z", None),
        ("2026-02-13T25:20:30Z", None),
        ("13.02.2026", None),
        ("yesterday", None),
        ("2026-02-13T10:20:30.123456Z and more", None),
    ],
)
def test_iso_texts(text: str, expected: datetime | None) -> None:
    assert instants([text]) == [expected]
    # The way of the first text must not decide about the others.
    assert instants(["2025-01-01T00:00:00.5+01:00", text])[1] == expected
    assert instants(["2025-01-01 00:00:00", text])[1] == expected


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("epoch_s", "1770978030.123456"), ("epoch_ms", "1770978030123.456"), ("epoch_us", "1770978030123456"),
        ("epoch_ns", "1770978030123456000"), ("epoch", "1770978030.123456"), ("epoch", "1770978030123.456"),
        ("epoch", "1770978030123456"), ("epoch", "1770978030123456789"), ("epoch_s", "1.770978030123456e9"),
    ],
)  # fmt: skip
def test_counts_since_1970_are_exact_to_the_microsecond(kind: str, text: str) -> None:
    """Counter-example: 1770978030.123456 through a float and back ends one microsecond off for some instants."""
    assert instants([text], kind=kind) == [T]


def test_iso_and_counts_in_one_column_and_counts_from_another_origin() -> None:
    assert instants(["1770978030", "2026-02-13T10:20:30Z"], epoch="epoch") == [T.replace(microsecond=0)] * 2
    origin = datetime(2026, 2, 13, tzinfo=timezone(timedelta(hours=1)))
    assert instants(["1500"], kind="epoch_ms", origin=origin) == [datetime(2026, 2, 12, 23, 0, 1, 500000, tzinfo=UTC)]


def test_local_times_of_a_zone_with_summer_time() -> None:
    summer, winter, twice, never = (
        "2026-07-01 12:00:00",
        "2026-01-01 12:00:00",
        "2026-10-25 02:30:00",
        "2026-03-29 02:30:00",
    )
    assert instants([summer, winter, twice, never], zone="Europe/Berlin") == [
        datetime(2026, 7, 1, 10, tzinfo=UTC),
        datetime(2026, 1, 1, 11, tzinfo=UTC),
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        None,
    ]


@settings(max_examples=100, deadline=None)
@given(st.datetimes(datetime(2015, 1, 1), datetime(2099, 1, 1)), st.integers(-14 * 60, 14 * 60))  # noqa: DTZ001
def test_every_instant_survives_every_spelling(local: datetime, minutes: int) -> None:
    instant = local.replace(tzinfo=UTC)
    shifted = instant.astimezone(timezone(timedelta(minutes=minutes)))
    micros = (instant - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert instants([instant.isoformat(), shifted.isoformat(), local.isoformat(sep=" ")]) == [instant] * 3
    assert instants([str(micros), f"{Decimal(micros) / 10**6}"], kind="epoch") == [instant] * 2


def test_whole_numbers() -> None:
    texts = pl.Series(
        ["12", "12.0", "-3", "+4", "5.7", "1e3", "", "x", None, "9223372036854775807", "9223372036854775808"]
    )
    assert to_integers(texts).to_list() == [12, 12, -3, 4, None, 1000, None, None, None, 2**63 - 1, None]


def test_booleans() -> None:
    assert to_booleans(pl.Series(["true", "False", "1", "0", "maybe", None])).to_list() == [
        True,
        False,
        True,
        False,
        None,
        None,
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.00022500000000000002", "0.000225000000000000"),
        ("1e-05", "0.00001"),
        ("0.1", "0.1"),
        ("12345678901234567.123456789012345678", "12345678901234567.123456789012345678"),
        ("-0.000000000000000001", "-0.000000000000000001"),
        ("0.0000000000000000005", "0"),  # half to even
        ("0.0000000000000000015", "0.000000000000000002"),
        ("1e30", None),
        ("NaN", None),
        ("1,5", None),
    ],
)
def test_decimals_are_exact(text: str, expected: str | None) -> None:
    [found] = to_decimals(pl.Series([text])).to_list()
    assert found == (None if expected is None else Decimal(expected))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.decimals(-(10**12), 10**12, places=18), max_size=5))
def test_every_decimal_with_18_places_survives(values: list[Decimal]) -> None:
    assert to_decimals(pl.Series([f"{value:f}" for value in values], dtype=pl.String)).to_list() == values
