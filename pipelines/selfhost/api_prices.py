"""The cheapest seller of a model on a day, at one mix of input and output, without cache: what self-hosting is held against.

Rate cards are made in `pipelines.prices`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import polars as pl

from pipelines.instants import end_of


@dataclass(frozen=True)
class ApiPrice:
    """A seller's price of a million tokens of the mix, and since when it holds."""

    provider_id: str
    usd_per_mtok: Decimal
    valid_from: datetime


def list_cards(rate_card: pl.DataFrame, day: date) -> pl.DataFrame:
    """The cards that hold at the end of a UTC day for anybody: standard tier, no region, hour, contract or mode, short prompts.

    Cards with a price of zero are left out: nobody sells at that.
    """
    end = end_of(day)
    plain = [pl.col(name) == "" for name in ("region", "time_window", "contract_id", "reasoning_mode")]
    return rate_card.filter(
        pl.col("valid_from") < end,
        pl.col("valid_to").is_null() | (pl.col("valid_to") >= end),
        pl.col("service_tier") == "standard",
        pl.col("context_from_tokens") == 0,
        *plain,
        pl.col("input_uncached_usd_per_mtok").is_not_null(),
        pl.col("output_text_usd_per_mtok") > 0,
    )


def cheapest_api(rate_card: pl.DataFrame, model_id: str, day: date, input_per_output: float) -> ApiPrice | None:
    """The cheapest seller for `input_per_output` tokens of input to one of output; None if nobody's price is known."""
    ratio = Decimal(str(input_per_output))
    found = [
        ApiPrice(row["provider_id"], _mixed(row, ratio), row["valid_from"])
        for row in list_cards(rate_card.filter(pl.col("model_id") == model_id), day).iter_rows(named=True)
    ]
    return min(found, key=lambda item: (item.usd_per_mtok, item.provider_id), default=None)


def _mixed(row: dict[str, Decimal], ratio: Decimal) -> Decimal:
    return (row["input_uncached_usd_per_mtok"] * ratio + row["output_text_usd_per_mtok"]) / (ratio + 1)
