"""The ledger of commitments: every day in order, so that balances follow from what was used before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import localcontext

import polars as pl

from pipelines.books.commitments.credits import SellerCredits, in_order
from pipelines.books.commitments.free_tiers import Allowance
from pipelines.books.commitments.hardware import OwnHardware
from pipelines.books.commitments.invoiced import bought, invoiced
from pipelines.books.commitments.minimums import Minimum
from pipelines.books.commitments.provisioned import Throughput
from pipelines.books.commitments.usage import ZERO, Arrival, Day, Standing, Use
from pipelines.config.allocation import ATTRIBUTION
from pipelines.config.commitments import Commitment, Commitments
from pipelines.warehouse.tables.mart_commitments import (
    COMMITMENT_DAY,
    COMMITMENT_USAGE,
    CREDIT,
    FREE_TIER,
    MINIMUM,
    PROVISIONED,
)

_DIGITS = 76
"""Enough for every sum and product of two amounts of 38 digits."""


@dataclass(frozen=True)
class Ledger:
    """Rows of mart.commitment_usage and mart.commitment_day."""

    usage: pl.DataFrame
    days: pl.DataFrame


def commitment_ledger(
    commitments: Commitments,
    charges: pl.DataFrame,
    hours: pl.DataFrame,
    loaded: Collection[date],
    hardware: Sequence[OwnHardware] = (),
) -> Ledger:
    """All rows from the first loaded day to the last, and the purchase of each credit on the day on which it was bought, even before.

    `charges` has one row per event_date, provider_id, model_id and ATTRIBUTION with input_tokens, output_tokens, token_usd,
    billed_usd (null where nothing is known) and unpriced_requests. `hours` are rows of mart.hourly_demand. `hardware` of one's own is paid before
    anything else.
    """
    usage, days = [], []
    with localcontext() as context:
        context.prec = _DIGITS
        for today, item, kind, standing in _standings(commitments, hardware, _days(charges, hours, loaded)):
            key = {"event_date": today, "commitment_id": item.commitment, "kind": kind, "provider_id": item.provider_id}
            days.append({**key, **standing.row})
            usage += [{"event_date": today, **row} for row in invoiced(item, kind, standing.usage)]
    if loaded:
        usage += [bought(item) for item in commitments.credits if not item.granted and item.from_date <= max(loaded)]
    return Ledger(
        pl.DataFrame(usage, schema=COMMITMENT_USAGE.polars_schema).sort(COMMITMENT_USAGE.primary_key),
        pl.DataFrame(days, schema=COMMITMENT_DAY.polars_schema).sort(COMMITMENT_DAY.primary_key),
    )


def _standings(
    commitments: Commitments, hardware: Sequence[OwnHardware], days: Iterator[Day]
) -> Iterator[tuple[date, Commitment, str, Standing]]:
    in_turn: list[tuple[str, OwnHardware | Throughput | Allowance | Minimum]] = [
        *((PROVISIONED, own) for own in hardware),
        *((PROVISIONED, Throughput(item)) for item in commitments.provisioned),
        *((FREE_TIER, Allowance(item)) for item in commitments.free_tiers),
        *((MINIMUM, Minimum(item)) for item in commitments.minimum_spend),
    ]
    prepaid = in_order(commitments.credits)
    by_name = {item.commitment: item for item in prepaid}
    sellers = [
        SellerCredits(seller, [item for item in prepaid if item.provider_id == seller])
        for seller in sorted({item.provider_id for item in prepaid})
    ]
    for today in days:
        for kind, one in in_turn:
            if one.item.runs_on(today.day):
                yield today.day, one.item, kind, one.stand(today)
        for seller in sellers:
            for name, standing in seller.stand(today).items():
                yield today.day, by_name[name], CREDIT, standing


def _days(charges: pl.DataFrame, hours: pl.DataFrame, loaded: Collection[date]) -> Iterator[Day]:
    """Every calendar day from the first loaded to the last."""
    uses, arrivals = defaultdict(list), defaultdict(list)
    for row in charges.iter_rows(named=True):
        uses[row["event_date"]].append(
            Use(
                row["provider_id"],
                row["model_id"],
                tuple(row[name] for name in ATTRIBUTION),
                row["input_tokens"],
                row["output_tokens"],
                row["token_usd"] or ZERO,
                row["billed_usd"] or ZERO,
                row["unpriced_requests"],
            )
        )
    for row in hours.iter_rows(named=True):
        found = Arrival(row["provider_id"], row["model_id"], row["hour"], row["input_tokens"], row["output_tokens"])
        arrivals[row["event_date"]].append(found)
    for ordinal in range(min(loaded).toordinal(), max(loaded).toordinal() + 1) if loaded else ():
        day = date.fromordinal(ordinal)
        yield Day(day, day in loaded, uses[day], arrivals[day])
