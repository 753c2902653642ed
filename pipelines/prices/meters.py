"""Meters that price feeds name beyond those of a request: kept in the ledger, never rated from token buckets.

The meters that requests are rated by are in `pipelines.meters`.
"""

from __future__ import annotations

import json
from decimal import Decimal

import polars as pl

from pipelines.meters import FEE_METERS, PRICED_METERS, TOKEN_METERS, FeeMeter

LEDGER_UNITS: dict[str, str] = {
    **{meter.name: "token" for meter in TOKEN_METERS},
    **{fee.name: fee.unit for fee in FEE_METERS},
    "input_audio_cache_write": "token",
    "output_citation": "token",
    "output_video": "token",
    "audio_second": "second",
    "input_second": "second",
    "output_second": "second",
    "input_audio_second": "second",
    "input_video_second": "second",
    "output_video_second": "second",
    "input_character": "character",
    "output_character": "character",
    "input_image_item": "image",
    "output_image_item": "image",
    "input_pixel": "pixel",
    "output_pixel": "pixel",
    "storage_search": "search",
    "social_search": "search",
    "web_search_low": "search",
    "web_search_high": "search",
    "input_message": "request",
    "code_execution": "request",
    "code_interpreter_session": "session",
    "cache_storage": "token_hour",
    "minimum_charge": "request",
}
"""Every meter that may stand in core.price, with its unit."""

RATED_METERS: tuple[str, ...] = tuple(meter.name for meter in PRICED_METERS)
"""The meters that a rate card has a rate for, in the order of its columns."""

MINIMUM_CHARGE = "minimum_charge"
"""The least that a request costs. A floor and no rate: it is never added to what the meters come to."""


def marginal_rates(text: str) -> dict[str, list[tuple[int, Decimal]]]:
    """Column `marginal` of core.rate_card by meter: the bounds in order, and the rate of the tokens above each."""
    found: dict[str, list[tuple[int, Decimal]]] = {}
    for key, rate in json.loads(text, parse_float=Decimal, parse_int=Decimal).items():
        meter, _, above = key.partition(">")
        found.setdefault(meter, []).append((int(above), rate))
    return {meter: sorted(rates) for meter, rates in found.items()}


def fee_quantity(fee: FeeMeter) -> pl.Expr:
    """The quantity of a fee meter (Int64) for rows of core.request."""
    if fee.count is None:
        return pl.lit(1, pl.Int64)
    count = pl.col(fee.count.column).cast(pl.Int64)
    return pl.min_horizontal(count, 1) if fee.once else count
