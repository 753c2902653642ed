"""What made a day dearer than the same weekday of the weeks before: one session, a price, the cache, a team, or simply more of it.

Everything is a difference of two sums in USD, of the day and of the reference per day. The first of the causes below that explains
half of the excess is the driver; a team, model ... must also hold more of the excess than it holds of the spend.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import polars as pl

from pipelines.planning.series import FIELD_OF

DIMENSIONS = ("team", "project", "application", "model", "seller")
_COLUMN = {**FIELD_OF, "application": "application"}
_HALF = 0.5
_CONCENTRATED = 1.25
"""How much more of the excess than of the spend before has to be in one value."""
_TOKENS = ("provider_id", "model_id", "service_tier")


@dataclass(frozen=True)
class Driver:
    """What most of an excess comes from: a kind of `DRIVERS` (mart_planning.py), which one, and its part of the excess."""

    kind: str
    value: str | None
    usd: float


def driver(charges: pl.DataFrame, callers: pl.DataFrame, scope: str, excess: float) -> Driver | None:
    """The driver of `excess`, of one series on one day.

    `charges`: is_day, seller, model, service_tier, meter, unit, team, project, application, quantity, usd; sums of the day and, per day, of the
    reference. `callers`: kind (session, user), value, usd and reference_usd of the dearest ones of the day.
    """
    if excess <= 0 or charges.is_empty():
        return None
    least = _HALF * excess
    causes = [*_callers(callers, least), *_effects(charges, least), *_dimensions(charges, scope, least)]
    if causes:
        return causes[0]
    usd, before = (_sum(charges.filter(pl.col("is_day") == day), "usd") for day in (True, False))
    calls, calls_before = (_requests(charges, is_day=day) for day in (True, False))
    more = (calls - calls_before) * before / calls_before if calls_before else usd
    return Driver("volume", None, more) if more >= least else Driver("size", None, usd - before - more)


def _callers(callers: pl.DataFrame, least: float) -> Sequence[Driver]:
    found = [
        Driver(row["kind"], row["value"], float(row["usd"] - row["reference_usd"]))
        for row in callers.sort("kind", "usd", "value", descending=[False, True, False]).iter_rows(named=True)
    ]
    return [one for one in found if one.usd >= least]


def _effects(charges: pl.DataFrame, least: float) -> Sequence[Driver]:
    """Dearer units, and prompts that were read from the cache before."""
    by = [*_TOKENS, "meter"]
    sums = charges.group_by(*by, "is_day").agg(pl.col("quantity", "usd").sum().cast(pl.Float64))
    both = sums.filter("is_day").join(sums.filter(~pl.col("is_day")), on=by, suffix="_before")
    both = both.filter((pl.col("quantity") > 0) & (pl.col("quantity_before") > 0))
    rate = pl.col("usd") / pl.col("quantity")
    before = pl.col("usd_before") / pl.col("quantity_before")
    dearer = _sum(both.select(usd=(rate - before) * pl.col("quantity")), "usd")
    lost = sum(_cache_loss(group) for _, group in both.group_by(_TOKENS))
    return [one for one in (Driver("price", None, dearer), Driver("cache", None, lost)) if one.usd >= least]


def _cache_loss(both: pl.DataFrame) -> float:
    """What the tokens of one model cost more that were read from the cache before and are plain input now."""
    rows = {row["meter"]: row for row in both.iter_rows(named=True)}
    plain, read = rows.get("input_uncached"), rows.get("input_cache_read")
    if plain is None or read is None:
        return 0.0
    share, share_before = (read[q] / (read[q] + plain[q]) for q in ("quantity", "quantity_before"))
    saved = plain["usd_before"] / plain["quantity_before"] - read["usd_before"] / read["quantity_before"]
    return float((share_before - share) * (read["quantity"] + plain["quantity"]) * saved)


def _dimensions(charges: pl.DataFrame, scope: str, least: float) -> Sequence[Driver]:
    """Values that hold half of the excess, and more of it than they held of the spend, the most concentrated first."""
    whole = _sum(charges.filter("is_day"), "usd") - _sum(charges.filter(~pl.col("is_day")), "usd")
    spent = _sum(charges.filter(~pl.col("is_day")), "usd")
    found = []
    for order, name in enumerate(DIMENSIONS):
        if name == scope:
            continue
        signed = pl.when("is_day").then(pl.col("usd")).otherwise(-pl.col("usd")).cast(pl.Float64)
        sums = charges.group_by(_COLUMN[name]).agg(
            signed.sum().alias("more"), pl.col("usd").filter(~pl.col("is_day")).sum().cast(pl.Float64).alias("before")
        )
        for value, more, before in sums.iter_rows():
            of_excess, of_spend = more / whole if whole else 0.0, before / spent if spent else 0.0
            if more >= least and of_excess >= _CONCENTRATED * of_spend:
                found.append((of_spend, order, Driver(name, value, more)))
    return [one for _, _, one in sorted(found, key=lambda item: item[:2])]


def _requests(charges: pl.DataFrame, *, is_day: bool) -> float:
    return _sum(charges.filter((pl.col("is_day") == is_day) & (pl.col("meter") == "request")), "quantity")


def _sum(frame: pl.DataFrame, column: str) -> float:
    return float(frame[column].sum() or 0)


def explained(key: tuple[str, str], day: date, usd: float, expected: float, cause: Driver | None) -> str:
    """The event in one plain sentence."""
    scope, value = key
    who = "everything" if scope == "total" else f"{scope.replace('_', ' ')} {value}"
    text = f"{who}: {usd:,.2f} USD on {day} where {expected:,.2f} were expected"
    if cause is None:
        return f"{text}."
    words = {
        "price": "dearer prices make",
        "cache": "prompts that the cache no longer served make",
        "volume": "more requests make",
        "size": "larger requests make",
    }
    subject = words.get(cause.kind, driven_by(cause.kind, cause.value))
    return f"{text}; {subject} {cause.usd:,.2f} of the difference."


def driven_by(kind: str, value: str | None) -> str:
    """The part of an explanation that names who drove an event."""
    return f"{kind} {value} makes"


def as_decimal(usd: float) -> Decimal:
    """An amount of an event, to the sixth decimal."""
    return Decimal(f"{usd:.6f}")
