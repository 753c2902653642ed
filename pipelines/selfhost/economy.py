"""The arithmetic of self-hosting: what a token costs at our arrivals, and from which volume on that pays.

    replicas               = ceil(busiest hour x headroom / tokens/s of a replica)
    served                 = sum over hours of min(tokens of the hour, tokens/s of all replicas x 3,600 / headroom) / tokens of all hours
    allocation USD/Mtok    = USD/day of all replicas / tokens served a day
    usage USD/Mtok         = USD/day of one replica / (tokens/s x 86,400)
    break-even tokens/day  = USD/day of one replica / API USD per token
    reachable              : break-even <= tokens/s x 86,400 x duty cycle / headroom

The last line is what one replica can serve of arrivals like ours; a second replica doubles both sides, so what one can't reach no number can.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pipelines.selfhost.demand import Demand

_DAY_SECONDS = 86_400
_MILLION = 1_000_000
_MONEY = Decimal(10) ** -18
RATE = Decimal(10) ** -12
"""To what a price per token is rounded."""


@dataclass(frozen=True)
class Replica:
    """One replica: what it costs a day, what it serves, and how much more than the busiest hour it must be able to serve."""

    usd_per_day: Decimal
    tokens_per_second: float
    headroom: Decimal

    @property
    def tokens_per_day(self) -> float:
        """What it serves in a day at full load."""
        return self.tokens_per_second * _DAY_SECONDS


def economy(
    replica: Replica, arrivals: Demand | None, api_usd_per_mtok: Decimal | None, *, replicas: int | None
) -> dict[str, Any]:
    """Columns of mart.selfhost_breakeven that follow. `replicas` are those that are paid for; None: as many as are needed."""
    row: dict[str, Any] = {"usage_usd_per_mtok": _per_mtok(replica.usd_per_day, replica.tokens_per_day)}
    if replicas is None and arrivals is not None:
        replicas = math.ceil(arrivals.peak_tokens_per_second * float(replica.headroom) / replica.tokens_per_second)
    if replicas is not None:
        row |= {"replicas": replicas, "fixed_usd_per_day": (replica.usd_per_day * replicas).quantize(_MONEY)}
    if replicas is not None and arrivals is not None:
        share = arrivals.served_share(replica.tokens_per_second * replicas / float(replica.headroom))
        row |= {
            "utilisation": arrivals.tokens_per_day / (replica.tokens_per_day * replicas),
            "served_share": share,
            "allocation_usd_per_mtok": _per_mtok(replica.usd_per_day * replicas, arrivals.tokens_per_day * share),
        }
    if api_usd_per_mtok is not None:
        row |= _against(replica, arrivals, api_usd_per_mtok, replicas)
    return row


def _against(
    replica: Replica, arrivals: Demand | None, api_usd_per_mtok: Decimal, replicas: int | None
) -> dict[str, Any]:
    volume = float(replica.usd_per_day / api_usd_per_mtok * _MILLION)
    if arrivals is None or replicas is None:
        return {"break_even_tokens_per_day": volume}
    share = arrivals.served_share(replica.tokens_per_second * replicas / float(replica.headroom))
    at_api = Decimal(str(arrivals.tokens_per_day * share)) * api_usd_per_mtok / _MILLION
    return {
        "break_even_tokens_per_day": volume,
        "is_reachable": volume <= replica.tokens_per_day * arrivals.duty_cycle / float(replica.headroom),
        "saving_usd_per_day": (at_api - replica.usd_per_day * replicas).quantize(_MONEY),
    }


def _per_mtok(usd: Decimal, tokens: float) -> Decimal:
    return (usd * _MILLION / Decimal(str(tokens))).quantize(RATE)
