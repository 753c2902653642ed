"""When requests come: tokens by hour of the last days, for the duty cycle that hardware would have.

Hours without a request count as hours: hardware that is paid for does not stop. The rows are those of mart.hourly_demand.
"""

from __future__ import annotations

from dataclasses import dataclass
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

    @property
    def duty_cycle(self) -> float:
        """Mean over busiest hour: 1 where every hour is alike."""
        return self.tokens_per_day / (_HOURS * _SECONDS) / self.peak_tokens_per_second


def demand(hourly: pl.DataFrame, day: date, window_days: int, what: str, *, counts_input: bool = True) -> Demand | None:
    """The demand of the loaded days among the `window_days` that end with `day`; None where there is none.

    Without `counts_input` only output counts, for hardware whose measurement states no input. A day without any row is not loaded and does not count; on a loaded day every hour does.
    """
    first = day - timedelta(days=window_days - 1)
    rows = hourly.filter(pl.col("event_date").is_between(first, day))
    hours = rows.group_by("event_date", "hour").agg(
        tokens=pl.sum("output_tokens") + (pl.sum("input_tokens") if counts_input else 0)
    )
    total = hours["tokens"].sum()
    if not total:
        return None
    days = rows["event_date"].n_unique()
    busiest = hours.sort("tokens")["tokens"][-1]
    return Demand(what, days, float(total) / days, busiest / _SECONDS)
