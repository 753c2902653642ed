"""Schema of `fx.yaml`: what other currencies are worth in USD on each day, by published rates and by your own.

Only declarations live here; reading the files and converting prices is `pipelines.prices.exchange`.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal

from pydantic import Field, field_validator, model_validator

from pipelines.config.declaration import Declaration
from pipelines.config.fetched import Fetched
from pipelines.config.mistakes import KeyMistake, refuse_twice

_CURRENCY = r"^[A-Z]{3}$"


class FxFeed(Fetched):
    """Published rates: CSV files under `prices/<feed>/` of the landing zone, or a ZIP archive of one; `url` fetches them.

    `ecb` is the layout of the European Central Bank: a column Date and one per currency, each the number of units that
    one unit of `base` bought that day. A rate holds from the day it is for until the next one, but for no more than
    `holds_days` days, which has to span weekends and holidays. With `steps: month` the rate at the start of a month
    is used for all of it (or the first one in it), as books are usually kept. With `steps: day` each day has its own
    rate, which takes a rate card for each.
    """

    feed: str = Field(pattern=r"^[a-z0-9][a-z0-9_.-]*$")
    format: Literal["ecb"] = "ecb"
    stale_after_hours: float = Field(default=24 * 6, gt=0)
    base: str = Field(default="EUR", pattern=_CURRENCY)
    holds_days: int = Field(default=7, ge=1)
    steps: Literal["day", "month"] = "month"


class FxRate(Declaration):
    """A rate of your own: USD for one unit of `currency`, from a UTC day up to but not including `valid_to`."""

    currency: str = Field(pattern=_CURRENCY)
    usd_per_unit: Decimal = Field(ge=Decimal("1e-9"), le=Decimal("1e7"), allow_inf_nan=False)
    valid_from: date
    valid_to: date | None = None
    note: str = ""

    @field_validator("usd_per_unit", mode="before")
    @classmethod
    def _as_written(cls, value: object) -> object:
        return str(value) if isinstance(value, float) else value

    @model_validator(mode="after")
    def _makes_sense(self) -> FxRate:
        if self.currency == "USD":
            raise KeyMistake(("currency",), "found 'USD', which is what the others are converted to; remove this rate")
        if self.valid_to is not None and self.valid_to <= self.valid_from:
            raise KeyMistake(
                ("valid_to",), f"found {self.valid_to}, accepted is a day after valid_from ({self.valid_from})"
            )
        return self


class FxConfig(Declaration):
    """The whole of `fx.yaml`. Your own rates take precedence over feeds, and feeds over later feeds. No rate before `since` is kept."""

    since: date = date(2023, 1, 1)
    feeds: tuple[FxFeed, ...] = ()
    rates: tuple[FxRate, ...] = ()

    @model_validator(mode="after")
    def _is_unambiguous(self) -> FxConfig:
        starts = [(rate.currency, rate.valid_from) for rate in self.rates]
        for number, (currency, start) in enumerate(starts):
            if (currency, start) in starts[:number]:
                raise KeyMistake(("rates", number), f"{currency} is given twice from {start}; once is accepted")
        refuse_twice("feeds", [feed.feed for feed in self.feeds], within="feed")
        return self
