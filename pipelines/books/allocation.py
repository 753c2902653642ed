"""Shared cost passed on: sums of a day's charges to what each team, project or cost centre pays, equal to the last digit.

Rules are `pipelines.config.allocation`. Everything is exact: amounts are whole numbers of 1e-18 USD while they are shared
out, and what division leaves goes to the largest remainders.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Context, Decimal
from typing import Any

import polars as pl

from pipelines.config.allocation import FIELDS, Allocation, AllocationRule
from pipelines.config.patterns import regex_of
from pipelines.warehouse.tables.mart_charges import CHARGEBACK, COSTS

NOBODY = "unattributed"
"""The value of a field of attribution that nobody filled; it receives no shared cost."""

_EXACT = Context(prec=76)
_DIGITS = 18
_Row = Mapping[str, Any]


def charge_back(spend: pl.DataFrame, allocation: Allocation) -> pl.DataFrame:
    """Rows of mart.chargeback from sums of charges; each cost sums to the same per day.

    `spend` has one row per event_date and FIELDS, with the costs, tokens and unpriced_requests. A rule without receivers on
    a day leaves the cost where it is, and the row names why.
    """
    rows: list[dict[str, Any]] = []
    for _, day in spend.sort("event_date").group_by("event_date", maintain_order=True):
        rows += _day(day.rows(named=True), allocation)
    if not rows:
        return CHARGEBACK.empty()
    frame = pl.DataFrame(rows, schema=CHARGEBACK.polars_schema, orient="row")
    return _summed(frame).sort(CHARGEBACK.primary_key)


def split(amount: Decimal, weights: Sequence[Decimal | int]) -> list[Decimal]:
    """`amount` in proportion to `weights` (none below 0, their sum above it), each with 18 decimals; together the amount exactly.

    Weights have at most 18 decimals. Each gets its share rounded down; the units that are left go one by one to the largest
    remainders, of equal ones to the first.
    """
    units, whole = _units(amount), [_units(weight) for weight in weights]
    total, sign = sum(whole), -1 if units < 0 else 1
    shares = [divmod(abs(units) * weight, total) for weight in whole]
    floors = [floor for floor, _ in shares]
    left = abs(units) - sum(floors)
    for place in sorted(range(len(shares)), key=lambda i: -shares[i][1])[:left]:
        floors[place] += 1
    return [Decimal(sign * floor).scaleb(-_DIGITS, _EXACT) for floor in floors]


def _units(value: Decimal | int) -> int:
    """A number as a whole number of its 18th decimals."""
    return value * 10**_DIGITS if isinstance(value, int) else int(value.scaleb(_DIGITS, _EXACT))


def _day(rows: Sequence[_Row], allocation: Allocation) -> Iterator[dict[str, Any]]:
    found = [(row, next((rule for rule in allocation.rules if _matches(rule, row)), None)) for row in rows]
    own = [row for row, rule in found if rule is None]
    receivers = {rule.name: _receivers(rule, own) for rule in allocation.rules}
    for row, rule in found:
        if rule is None:
            yield _kept(row)
        elif not receivers[rule.name]:
            yield _kept(row) | {
                "allocated_method_id": rule.name,
                "allocated_resource": str(row[rule.to]),
                "allocated_method_details": _details(rule, None),
                "not_allocated_reason": "no_receivers",
            }
        else:
            yield from _passed_on(row, rule, receivers[rule.name])


def _matches(rule: AllocationRule, row: _Row) -> bool:
    return all(re.fullmatch(regex_of(pattern), str(row[field]), re.DOTALL) for field, pattern in rule.when.items())


def _receivers(rule: AllocationRule, own: Sequence[_Row]) -> dict[str, Decimal | int]:
    """Who shares the cost by `rule`, by name, with weights above 0."""
    weights: dict[str, Decimal | int] = {}
    if rule.by == "weights":
        weights = dict(rule.weights)
    for row in own if rule.by != "weights" else ():
        name = row[rule.to]
        if name == NOBODY:
            continue
        if rule.by == "even":
            weights[name] = 1
        else:
            amount = row["tokens"] if rule.by == "tokens" else row["effective_cost_usd"]
            weights[name] = _EXACT.add(Decimal(weights.get(name, 0)), Decimal(amount or 0))
    return {name: weight for name, weight in sorted(weights.items()) if weight > 0}


def _passed_on(row: _Row, rule: AllocationRule, receivers: Mapping[str, Decimal | int]) -> Iterator[dict[str, Any]]:
    """One row per receiver, and what can't be passed on: requests whose cost nobody knows."""
    weights = list(receivers.values())
    splits = {
        amount: split(amount, weights) for amount in {row[cost] for cost in COSTS} - {None}
    }  # often one for all costs
    shares = {cost: splits.get(row[cost]) for cost in COSTS}
    if any(share is not None for share in shares.values()):
        parts = split(Decimal(1), weights)
        for place, name in enumerate(receivers):
            yield {
                **_kept(row),
                rule.to: name,
                **{cost: None if share is None else share[place] for cost, share in shares.items()},
                "unpriced_requests": 0,
                "allocated_method_id": rule.name,
                "allocated_resource": str(row[rule.to]),
                "allocated_method_details": _details(rule, parts[place]),
            }
    if row["unpriced_requests"]:
        yield {**_kept(row), **dict.fromkeys(COSTS)}


def _kept(row: _Row) -> dict[str, Any]:
    """The row as it is, of cost that nobody passes on."""
    return {
        "event_date": row["event_date"],
        **{field: row[field] for field in FIELDS},
        "allocated_method_id": "",
        "allocated_resource": "",
        "allocated_method_details": None,
        "not_allocated_reason": None,
        **{cost: row[cost] for cost in COSTS},
        "unpriced_requests": row["unpriced_requests"],
    }


def _details(rule: AllocationRule, share: Decimal | None) -> str:
    """The rule as it was applied, so that a row can be understood after the rule has changed."""
    found: dict[str, Any] = {"by": rule.by, "to": rule.to, "when": dict(sorted(rule.when.items()))}
    if rule.weights:
        found["weights"] = {name: str(weight) for name, weight in sorted(rule.weights.items())}
    if share is not None:
        found["share"] = f"{share.normalize():f}"
    return json.dumps(found, sort_keys=True, ensure_ascii=False)


def _summed(frame: pl.DataFrame) -> pl.DataFrame:
    """Rows of one key together: what two shared rows pass on to one receiver is one row."""
    sums = [
        pl.when(pl.col(cost).is_not_null().any())
        .then(pl.col(cost).sum())
        .cast(CHARGEBACK.polars_schema[cost])
        .alias(cost)
        for cost in COSTS
    ]
    return (
        frame.group_by(CHARGEBACK.primary_key, maintain_order=True)
        .agg(
            pl.col("allocated_method_details", "not_allocated_reason").first(), *sums, pl.col("unpriced_requests").sum()
        )
        .select(CHARGEBACK.polars_schema.names())
    )
