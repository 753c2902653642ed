"""What made a day dearer: each cause alone, by hand."""

from __future__ import annotations

import polars as pl
import pytest

from pipelines.planning.drivers import Driver, driver

NOBODY = pl.DataFrame(schema={"kind": pl.String, "value": pl.String, "usd": pl.Float64, "reference_usd": pl.Float64})


def line(meter: str, quantity: float, usd: float, *, is_day: bool, **who: str) -> dict[str, object]:
    blank = {
        "provider_id": "openai",
        "model_id": "m",
        "service_tier": "standard",
        "team": "a",
        "project": "p",
        "application": "x",
    }
    return {"is_day": is_day, **blank, **who, "meter": meter, "quantity": quantity, "usd": usd}


def day(
    calls: float, plain: tuple[float, float], read: tuple[float, float] = (0, 0), *, is_day: bool, **who: str
) -> list[dict[str, object]]:
    """Calls, and (tokens, USD) of plain and cached input."""
    return [
        line("request", calls, 0, is_day=is_day, **who),
        line("input_uncached", *plain, is_day=is_day, **who),
        line("input_cache_read", *read, is_day=is_day, **who),
    ]


def found(
    before: list[dict[str, object]],
    after: list[dict[str, object]],
    callers: pl.DataFrame = NOBODY,
    scope: str = "total",
) -> Driver | None:
    rows = pl.DataFrame([*before, *after], infer_schema_length=None)
    usd = rows.with_columns(pl.col("usd").cast(pl.Float64), pl.col("quantity").cast(pl.Float64))
    excess = usd.filter("is_day")["usd"].sum() - usd.filter(~pl.col("is_day"))["usd"].sum()
    return driver(usd, callers, scope, excess)


BEFORE = day(100, (1000, 10.0), (1000, 1.0), is_day=False)


def test_twice_the_requests_are_volume() -> None:
    assert found(BEFORE, day(200, (2000, 20.0), (2000, 2.0), is_day=True)) == Driver("volume", None, 11.0)


def test_the_same_requests_with_more_tokens_are_size() -> None:
    assert found(BEFORE, day(100, (2000, 20.0), (2000, 2.0), is_day=True)) == Driver("size", None, 11.0)


def test_the_same_tokens_at_twice_the_price_are_the_price() -> None:
    assert found(BEFORE, day(100, (1000, 20.0), (1000, 2.0), is_day=True)) == Driver("price", None, 11.0)


def test_tokens_that_the_cache_no_longer_serves_are_the_cache() -> None:
    """900 of the 1,000 cached tokens are plain now: 900 times (0.01 - 0.001)."""
    cause = found(BEFORE, day(100, (1900, 19.0), (100, 0.1), is_day=True))
    assert cause is not None
    assert (cause.kind, cause.usd) == ("cache", pytest.approx(8.1))


def test_one_session_comes_first() -> None:
    callers = pl.DataFrame([("user", "u", 12.0, 4.0), ("session", "s", 9.0, 0.0)], schema=NOBODY.schema, orient="row")
    assert found(BEFORE, day(200, (2000, 20.0), (2000, 2.0), is_day=True), callers) == Driver("session", "s", 9.0)
    regular = callers.with_columns(reference_usd=pl.lit(8.9))
    assert found(BEFORE, day(200, (2000, 20.0), (2000, 2.0), is_day=True), regular) == Driver("volume", None, 11.0)


def test_a_team_that_makes_the_excess_is_named_but_not_the_only_one_there_is() -> None:
    other = day(100, (1000, 10.0), (1000, 1.0), is_day=False, team="b")
    after = [
        *day(200, (2000, 20.0), (2000, 2.0), is_day=True),
        *day(100, (1000, 10.0), (1000, 1.0), is_day=True, team="b"),
    ]
    assert found([*BEFORE, *other], after) == Driver("team", "a", 11.0)
    assert found([*BEFORE, *other], after, scope="team") == Driver("volume", None, 5.5 * 2)
