"""Shared cost passed on: a day's charges to what each team, project or cost centre pays, equal to the last digit.

Rules are `pipelines.config.allocation`. Everything is exact: amounts are whole numbers of 1e-18 while they are shared
out, and what division leaves goes to the largest remainders. Each charge is split by itself, so that chargeback, statements and
FOCUS files, which sum the parts in their own ways, come to the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any

import polars as pl

from pipelines.config.allocation import FIELDS, UNATTRIBUTED, Allocation, AllocationRule
from pipelines.config.patterns import regex_of
from pipelines.warehouse.tables.core_books import BOOKED_SHARE
from pipelines.warehouse.tables.mart_charges import CHARGEBACK, COSTS

SHARES = pl.Schema({name: kind for name, kind in BOOKED_SHARE.polars_schema.items() if name != "period"})
"""Who shares the cost by which rule on which day: rows of core.booked_share without a month."""

ALLOCATED = pl.Schema(
    {
        "allocated_method_id": pl.String(),
        "allocated_to": pl.String(),
        "receiver": pl.String(),
        "share": pl.Decimal(38, 18),
        "weight": pl.Decimal(38, 18),
        "rule": pl.String(),
        "not_allocated_reason": pl.String(),
    }
)
"""What `allocate` says of each part: the rule, the field that it fills and with whom, its share and the weight that it follows from."""

_EXACT = Context(prec=76)
_DIGITS = 18
_Row = Mapping[str, Any]


def charge_back(charges: pl.DataFrame, allocation: Allocation) -> pl.DataFrame:
    """Rows of mart.chargeback from charges; each cost sums to the same per day.

    `charges` have an event_date, FIELDS, the costs, tokens and unpriced_requests. A rule without receivers on a day leaves the cost
    where it is, and the row names why.
    """
    parts = passed_on(allocate(charges, shares_of(charges, allocation)))
    if parts.is_empty():
        return CHARGEBACK.empty()
    described = parts.unique(("rule", "share")).select(
        "rule",
        "share",
        allocated_method_details=pl.struct("rule", "share").map_elements(_details, return_dtype=pl.String),
    )
    sums = [
        pl.when(pl.col(cost).is_not_null().any())
        .then(pl.col(cost).sum())
        .cast(CHARGEBACK.polars_schema[cost])
        .alias(cost)
        for cost in COSTS
    ]
    return (
        parts.join(described, on=("rule", "share"), how="left", nulls_equal=True)
        .group_by(CHARGEBACK.primary_key)
        .agg(
            pl.col("allocated_method_details", "not_allocated_reason").first(), *sums, pl.col("unpriced_requests").sum()
        )
        .select(CHARGEBACK.polars_schema.names())
        .sort(CHARGEBACK.primary_key)
    )


def shares_of(charges: pl.DataFrame, allocation: Allocation) -> pl.DataFrame:
    """SHARES of the rules on each day of `charges`: receivers are those with charges that no rule matches. A rule that finds
    nobody is there too, without a receiver."""
    rows: list[dict[str, Any]] = []
    rules = allocation.rules
    if not rules:
        return pl.DataFrame(schema=SHARES)
    sums = charges.group_by("event_date", *FIELDS).agg(pl.col("effective_cost_usd", "tokens").sum())
    for (day,), group in sums.sort("event_date", *FIELDS).group_by("event_date", maintain_order=True):
        own = [row for row in group.rows(named=True) if not any(_matches(rule.when, row) for rule in rules)]
        for place, rule in enumerate(rules):
            known = {"event_date": day, "place": place, "allocated_method_id": rule.name, "rule": _as_json(rule)}
            receivers = _receivers(rule, own) or {"": 0}
            rows += [known | {"receiver": name, "weight": Decimal(weight)} for name, weight in receivers.items()]
    return pl.DataFrame(rows, schema=SHARES, orient="row")


def allocate(charges: pl.DataFrame, shares: pl.DataFrame, amounts: Sequence[str] = COSTS) -> pl.DataFrame:
    """`charges` with the columns ALLOCATED, those that a rule of SHARES takes split into a part for each receiver.

    The parts of a charge add up to it in each of `amounts`. A charge goes by the first rule of its day that it matches. What has no known cost stays
    whole.
    """
    untouched = [pl.lit(None, kind).alias(name) for name, kind in ALLOCATED.items()]
    if shares.is_empty():
        return charges.with_columns(untouched)
    kinds = charges.select("event_date", *FIELDS).unique(maintain_order=True)
    rules = _rules_of(shares)
    found = [
        next((place for place, rule in enumerate(rules.get(row["event_date"], ())) if _matches(rule.when, row)), None)
        for row in kinds.rows(named=True)
    ]
    placed = charges.join(
        kinds.with_columns(pl.Series("place", found, pl.Int64)),
        on=["event_date", *FIELDS],
        how="left",
        maintain_order="left",
    )
    is_taken = pl.col("place").is_not_null() & pl.any_horizontal(pl.col(*COSTS).is_not_null())
    kept = placed.filter(~is_taken).drop("place").with_columns(untouched)
    parts = [
        part
        for row in placed.filter(is_taken).rows(named=True)
        for part in _parts(row, rules[row["event_date"]][row["place"]], amounts)
    ]
    return pl.concat([kept, pl.DataFrame(parts, schema=kept.schema, orient="row")])


def passed_on(parts: pl.DataFrame) -> pl.DataFrame:
    """The parts of `allocate` with the receiver in the field that the rule fills, and `allocated_resource`: who had the cost before."""
    had = pl.coalesce(pl.when(pl.col("allocated_to") == field).then(field) for field in FIELDS)
    is_passed_on = pl.col("receiver").is_not_null()
    return parts.with_columns(
        allocated_method_id=pl.col("allocated_method_id").fill_null(""), allocated_resource=had.fill_null("")
    ).with_columns(
        pl.when(is_passed_on & (pl.col("allocated_to") == field)).then("receiver").otherwise(field).alias(field)
        for field in FIELDS
    )


def split(amount: Decimal, weights: Sequence[Decimal | int]) -> list[Decimal]:
    """`amount` in proportion to `weights` (their sum above 0), each with 18 decimals; together the amount exactly.

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


@dataclass(frozen=True)
class _Rule:
    """A rule on one day. Without receivers it takes a charge and leaves it where it is."""

    name: str
    text: str
    to: str
    when: Mapping[str, str]
    receivers: tuple[str, ...]
    weights: tuple[Decimal, ...]


def _rules_of(shares: pl.DataFrame) -> dict[Any, list[_Rule]]:
    found: dict[Any, list[_Rule]] = {}
    ordered = shares.sort("event_date", "place", "receiver")
    for (day, _, name, text), group in ordered.group_by(
        "event_date", "place", "allocated_method_id", "rule", maintain_order=True
    ):
        stated = json.loads(str(text))
        named = group.filter(pl.col("receiver") != "")
        receivers, weights = tuple(named["receiver"].to_list()), tuple(named["weight"].to_list())
        found.setdefault(day, []).append(_Rule(str(name), str(text), stated["to"], stated["when"], receivers, weights))
    return found


def _matches(when: Mapping[str, str], row: _Row) -> bool:
    return all(re.fullmatch(regex_of(pattern), str(row[field])) for field, pattern in when.items())


def _receivers(rule: AllocationRule, own: Sequence[_Row]) -> dict[str, Decimal | int]:
    """Who shares the cost by `rule`, by name, with weights above 0."""
    weights: dict[str, Decimal | int] = {}
    if rule.by == "weights":
        weights = dict(rule.weights)
    for row in own if rule.by != "weights" else ():
        name = row[rule.to]
        if name == UNATTRIBUTED:
            continue
        if rule.by == "even":
            weights[name] = 1
        else:
            amount = row["tokens"] if rule.by == "tokens" else row["effective_cost_usd"]
            weights[name] = _EXACT.add(Decimal(weights.get(name, 0)), Decimal(amount or 0))
    return {name: weight for name, weight in sorted(weights.items()) if weight > 0}


def _parts(row: dict[str, Any], rule: _Rule, amounts: Sequence[str]) -> Iterator[dict[str, Any]]:
    """A charge as one part per receiver; whole, with the reason, where there is none."""
    del row["place"]
    said = {"allocated_method_id": rule.name, "allocated_to": rule.to, "rule": rule.text}
    if not rule.receivers:
        nobody = {"receiver": None, "share": None, "weight": None, "not_allocated_reason": "no_receivers"}
        yield row | said | nobody
        return
    splits = {
        amount: split(amount, rule.weights) for amount in {row[name] for name in amounts} - {None}
    }  # often one for all costs
    shares = split(Decimal(1), rule.weights)
    for place, (name, weight) in enumerate(zip(rule.receivers, rule.weights, strict=True)):
        own = {amount: None if row[amount] is None else splits[row[amount]][place] for amount in amounts}
        yield (
            row
            | said
            | own
            | {"receiver": name, "share": shares[place], "weight": weight, "not_allocated_reason": None}
        )


def _as_json(rule: AllocationRule) -> str:
    """The rule as it was applied, so that a row can be understood after the rule has changed."""
    found: dict[str, Any] = {"by": rule.by, "to": rule.to, "when": dict(sorted(rule.when.items()))}
    if rule.weights:
        found["weights"] = {name: str(weight) for name, weight in sorted(rule.weights.items())}
    return json.dumps(found, sort_keys=True, ensure_ascii=False)


def _details(part: Mapping[str, Any]) -> str | None:
    if part["rule"] is None:
        return None
    found = json.loads(part["rule"])
    if part["share"] is not None:
        found["share"] = f"{part['share'].normalize():f}"
    return json.dumps(found, sort_keys=True, ensure_ascii=False)
