"""When requests come: tokens by hour of the last days, for the duty cycle that hardware would have and for what it can serve.

Hours without a request count as hours: hardware that is paid for does not stop. The rows are those of mart.hourly_demand.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

import polars as pl

_HOURS = 24
_SECONDS = 3600


@dataclass(frozen=True)
class Demand:
    """Tokens that come in, on average and in the busiest hour."""

    what: str
    """Whose requests: `deployment` or `all_traffic`."""
    days: int
    tokens_per_day: float
    peak_tokens_per_second: float
    by_hour: tuple[float, ...] = field(default=(), compare=False, repr=False)
    """Tokens of every hour that had some."""

    @property
    def duty_cycle(self) -> float:
        """Mean over busiest hour: 1 where every hour is alike."""
        return self.tokens_per_day / (_HOURS * _SECONDS) / self.peak_tokens_per_second

    def served_share(self, tokens_per_second: float, part: float = 1.0) -> float:
        """The share of a part of the demand that can be served, hour by hour, at no more than so many tokens a second."""
        wanted = [tokens * part for tokens in self.by_hour]
        whole = sum(wanted)
        return sum(min(tokens, tokens_per_second * _SECONDS) for tokens in wanted) / whole if whole else 1.0


def demand(hourly: pl.DataFrame, day: date, window_days: int, what: str, *, counts_input: bool = True) -> Demand | None:
    """The demand of the loaded days among the `window_days` that end with `day`; None if there is none.

    Without `counts_input` only output counts, for hardware whose measurement states no input. A day without any row is not loaded and does not
    count; on a loaded day every hour does.
    """
    first = day - timedelta(days=window_days - 1)
    return demand_of(hourly.filter(pl.col("event_date").is_between(first, day)), what, counts_input=counts_input)


def demand_of(hourly: pl.DataFrame, what: str, *, counts_input: bool) -> Demand | None:
    """The demand of all days of `hourly`; None if there is none."""
    hours = hourly.group_by("event_date", "hour").agg(
        tokens=pl.sum("output_tokens") + (pl.sum("input_tokens") if counts_input else 0)
    )
    by_hour = hours.sort("event_date", "hour")["tokens"].cast(pl.Float64).to_list()
    if not sum(by_hour):
        return None
    days = hourly["event_date"].n_unique()
    return Demand(what, days, sum(by_hour) / days, max(by_hour) / _SECONDS, tuple(by_hour))
