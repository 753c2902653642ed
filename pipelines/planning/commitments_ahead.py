"""What commitments add to a period, or take off it: their cost less the usage that they pay for, so far and as foreseen.

Forecasts are pay-as-you-go, as the charges are. What a period costs in all is its forecast and this. Declarations say when a
commitment ends, so that its end is known ahead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from pipelines.config.commitments import Commitment, Commitments, MinimumSpend, PrepaidCredit
from pipelines.planning.known_ahead import Key, Known
from pipelines.planning.spans import span_of

TOTAL: Key = ("total", "")


@dataclass(frozen=True)
class Standing:
    """A commitment at the end of a day, by its last 28 days: cost less what it covered, and what was used of it, per day."""

    net_per_day: Decimal | None
    used_per_day: Decimal | None
    balance_usd: Decimal | None
    expiring_usd: Decimal | None


def commitment_effects(
    commitments: Commitments,
    day: date,
    to_date: date,
    so_far: Mapping[str, Decimal | None],
    standing: Mapping[str, Standing],
) -> dict[Key, Decimal | None]:
    """USD by series (total and sellers) in a period that ends before `to_date`; None if a part is not known.

    `so_far` is the cost less what was covered on its days up to `day`, by seller; `standing` is by commitment.
    """
    found: dict[Key, Decimal | None] = {}
    for item in commitments.declared:
        seller: Key = ("seller", item.provider_id)
        if seller not in found:
            found[seller] = so_far.get(item.provider_id, Decimal(0))
        before, ahead = found[seller], _ahead(item, day, to_date, standing.get(item.commitment))
        found[seller] = None if before is None or ahead is None else before + ahead
    if found:
        parts = list(found.values())
        known = [part for part in parts if part is not None]
        found[TOTAL] = sum(known, Decimal(0)) if len(known) == len(parts) else None
    return found


def _ahead(item: Commitment, day: date, to_date: date, standing: Standing | None) -> Decimal | None:
    days = [each for each in _days(day + timedelta(days=1), to_date) if item.runs_on(each)]
    if not days:
        return Decimal(0)
    if standing is None:
        return None
    if isinstance(item, PrepaidCredit) and item.granted:
        return -min(standing.balance_usd or Decimal(0), (standing.used_per_day or Decimal(0)) * len(days))
    if isinstance(item, PrepaidCredit):
        ends = item.to_date is not None and item.to_date <= to_date
        return (standing.expiring_usd or Decimal(0)) if ends else Decimal(0)
    if isinstance(item, MinimumSpend):
        return _shortfall(item, days, day, standing)
    return None if standing.net_per_day is None else standing.net_per_day * len(days)


def _shortfall(item: MinimumSpend, days: Sequence[date], day: date, standing: Standing) -> Decimal | None:
    """What falls short of the minimum at the ends of the months ahead, at the pace of the last days."""
    if standing.used_per_day is None or standing.balance_usd is None:
        return None
    total = Decimal(0)
    for first in dict.fromkeys(each.replace(day=1) for each in days):
        month_from, month_to = span_of("month", first)
        if days[-1] < month_to - timedelta(days=1):
            continue  # the month ends beyond the period
        is_now = month_from <= day < month_to
        left = standing.balance_usd if is_now else item.usd_per_month
        days_left = (month_to - max(month_from, day + timedelta(days=1))).days
        total += max(left - standing.used_per_day * days_left, Decimal(0))
    return total


def ends_ahead(commitments: Commitments, day: date, standing: Mapping[str, Standing]) -> list[Known]:
    """The ends of commitments that lie ahead, with what of a credit expires unused."""
    found = []
    for item in commitments.declared:
        if item.to_date is not None and day < item.to_date:
            at = standing.get(item.commitment)
            is_paid = isinstance(item, PrepaidCredit) and not item.granted
            usd = at.expiring_usd if at is not None and is_paid else None
            keys = frozenset({TOTAL, ("seller", item.provider_id)})
            found.append(Known(keys, item.to_date, "commitment", f"commitment {item.commitment} ends", usd))
    return found


def _days(first: date, to_date: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((to_date - first).days)]
