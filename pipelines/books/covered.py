"""What commitments covered of the charges: a part of its own next to what is left to pay, and the rows that commitments have themselves.

FOCUS files and statements are made of both, so that they come to the same for everybody. Amounts are those of the ledger
(`pipelines.books.commitments`), shared out within the model and attribution that it names; they add up to it exactly.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Context, Decimal
from fractions import Fraction
from typing import Any

import polars as pl

from pipelines.books.allocation import ALLOCATED, allocate, split
from pipelines.config.allocation import ATTRIBUTION, UNATTRIBUTED
from pipelines.ids import id_bytes
from pipelines.warehouse.tables.mart_charges import COSTS, REST
from pipelines.warehouse.tables.mart_commitments import CREDIT, FREE_TIER, MINIMUM, PROVISIONED, USED

_MONEY = pl.Decimal(38, 18)
_EXACT = Context(prec=76)
_DIGITS = 18
ZERO = Decimal(0)
QUANTITIES = ("ConsumedQuantity", "PricingQuantity")
"""Quantities of a charge as FOCUS has them: in units, and in the units that are priced (millions of tokens)."""

OF_USAGE = ("price_id", "list_usd_per_million", "contracted_usd_per_million", "quantity")
"""What a charge has that is quantity times unit price."""

COVERED = pl.Schema(
    {
        "charge_category": pl.String(),
        "commitment_id": pl.String(),
        "commitment_kind": pl.String(),
        "commitment_discount_status": pl.String(),
        "commitment_discount_quantity": _MONEY,
        "commitment_discount_unit": pl.String(),
        "covered_usd": _MONEY,
        "commitment_usd": _MONEY,
    }
)
"""What `covered` says of each row: FOCUS ChargeCategory of a commitment's own rows, the commitment, what it covered and what it cost."""

PURCHASE, CREDITED, USAGE, ADJUSTMENT = "Purchase", "Credit", "Usage", "Adjustment"
_GROUP = ("event_date", "provider_id", "model_id", *ATTRIBUTION)
_IN_TURN = {PROVISIONED: 0, FREE_TIER: 1, CREDIT: 2}
_Row = dict[str, Any]


def with_quantities(charges: pl.DataFrame) -> pl.DataFrame:
    """`charges` with QUANTITIES."""
    quantity = pl.col("quantity").cast(_MONEY)
    priced = pl.when(pl.col("unit") == "token").then(quantity / 1_000_000).otherwise(quantity).cast(_MONEY)
    return charges.with_columns(ConsumedQuantity=quantity, PricingQuantity=priced)


def covered(parts: pl.DataFrame, commitments: pl.DataFrame, shares: pl.DataFrame) -> pl.DataFrame:
    """`parts` with COVERED, those that a commitment covered split from the rest, and the commitments' own rows behind them.

    `parts` are charges with QUANTITIES, passed on by `pipelines.books.allocation`; `commitments` are rows of core.booked_commitment of the same
    month, passed on by the same `shares`. The costs of all rows are those of the charges less what is covered, and what the commitments cost:
    effective as it was used, billed as the seller bills it.
    """
    plain = parts.with_columns(pl.lit(None, kind).alias(name) for name, kind in COVERED.items())
    if commitments.is_empty():
        return plain
    taken: dict[tuple[Any, ...], list[_Row]] = {}
    own: list[_Row] = []
    for row in commitments.iter_rows(named=True):
        if _is_split_from_charges(row):
            taken.setdefault(tuple(row[name] for name in _GROUP), []).append(row)
        else:
            own.append(row)
    keys = pl.DataFrame([*taken], schema={name: plain.schema[name] for name in _GROUP}, orient="row")
    is_open = pl.col("charge_class").is_null()
    touched = plain.filter(is_open).join(keys, on=_GROUP, how="semi", maintain_order="left")
    groups: dict[tuple[Any, ...], list[_Row]] = {key: [] for key in taken}
    for row in touched.iter_rows(named=True):
        groups[tuple(row[name] for name in _GROUP)].append(row)
    found: list[_Row] = []
    for key, rows in groups.items():
        for take in sorted(taken[key], key=lambda item: _IN_TURN[item["kind"]]):
            made = _cover(rows, take)
            if made is None:
                own.append(take)
            else:
                found += made
        found += [row for row in rows if _is_something(row)]
    kept = pl.concat(
        [plain.filter(~is_open), plain.filter(is_open).join(keys, on=_GROUP, how="anti", maintain_order="left")]
    )
    made_of = [kept, pl.DataFrame(found, schema=plain.schema, orient="row")]
    bought = _purchases(commitments.iter_rows(named=True), plain.schema)
    return pl.concat([*made_of, *_own_rows(own, bought, plain.schema, shares)])


def _is_split_from_charges(row: Mapping[str, Any]) -> bool:
    """Whether the row is covered usage. A correction says what is different, of charges that are in another month's file."""
    is_used = row["commitment_discount_status"] == USED and row["kind"] in _IN_TURN and row["charge_class"] is None
    return is_used and row["covered_usd"] is not None and not _is_granted(row)


def _is_granted(row: Mapping[str, Any]) -> bool:
    return row["kind"] == CREDIT and bool(row["amount_usd"]) and not row["effective_cost_usd"]


def _is_something(row: Mapping[str, Any]) -> bool:
    """Whether anything of a charge is left: one that is wholly covered is gone."""
    return row["PricingQuantity"] is None or any(row[name] for name in (*COSTS, "PricingQuantity", "unpriced_reason"))


@dataclass(frozen=True)
class _Share:
    """Of one charge: what is covered, and the quantity and prices of it."""

    row: _Row
    usd: Decimal
    is_usage: bool


def _cover(rows: list[_Row], take: Mapping[str, Any]) -> list[_Row] | None:
    """Take what the commitment covered off `rows`, the charges of a model and attribution; the covered parts. None if they can't hold it."""
    eligible = [row for row in rows if _may_cover(take, row)]
    billed = [row["billed_cost_usd"] or ZERO for row in eligible]
    total = sum(billed, ZERO)
    if not eligible or not (0 <= take["covered_usd"] <= total):
        return None
    part = Fraction(take["covered_usd"]) / Fraction(total) if total else Fraction(1)
    amounts = split(take["covered_usd"], billed) if total else [ZERO] * len(billed)
    shares = [_Share(row, usd, _is_usage(row)) for row, usd in zip(eligible, amounts, strict=True)]
    usage = [share for share in shares if share.is_usage]
    weights = _weights(usage)
    if not any(weights):
        return None
    costs = split(take["effective_cost_usd"], weights)
    measured = take["commitment_discount_quantity"]
    quantities = [None] * len(usage) if measured is None else split(measured, weights)
    for share in shares:
        if share.usd and not share.is_usage:
            _mark_covered(share)
    return [
        _split_off(share, part, take, cost, quantity)
        for share, cost, quantity in zip(usage, costs, quantities, strict=True)
        if share.row["ConsumedQuantity"] or cost or share.usd
    ]


def _may_cover(take: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    """Credits pay for anything, all else for tokens and what no single rate explains."""
    return bool(take["kind"] == CREDIT or row["unit"] == "token" or row["meter"] == REST)


def _weights(usage: list[_Share]) -> list[Decimal]:
    """What the cost of the commitment is shared out by: what was covered, or the units used where nothing has a price."""
    weights = [max(share.usd, ZERO) for share in usage]
    return weights if any(weights) else [share.row["ConsumedQuantity"] for share in usage]


def _mark_covered(share: _Share) -> None:
    """Note on a charge without a quantity what is covered of it: it is not split."""
    _reduce(share.row, {"billed_cost_usd": share.usd, "effective_cost_usd": share.usd})
    share.row.update({"covered_usd": (share.row["covered_usd"] or ZERO) + share.usd, "commitment_usd": ZERO})


def _is_usage(row: Mapping[str, Any]) -> bool:
    return all(row[name] is not None for name in OF_USAGE)


def _split_off(share: _Share, part: Fraction, take: Mapping[str, Any], cost: Decimal, quantity: Decimal | None) -> _Row:
    """The covered part of a charge, which is taken off it. The quantity has as many digits as its product with the unit prices can hold."""
    row = share.row
    per_unit = 1 if row["unit"] == "token" else 1_000_000
    prices = [Decimal(row[name]) / per_unit for name in ("list_usd_per_million", "contracted_usd_per_million")]
    if part == 1:
        off = {name: row[name] for name in (*COSTS[:2], *QUANTITIES)}
    else:
        digits = _DIGITS - max(_decimals(price) for price in prices)
        priced = _down(Fraction(row["PricingQuantity"]) * part, digits)
        consumed = priced * 1_000_000 if row["unit"] == "token" else priced
        off = {
            "list_cost_usd": _EXACT.multiply(priced, prices[0]),
            "contracted_cost_usd": _EXACT.multiply(priced, prices[1]),
            "ConsumedQuantity": consumed,
            "PricingQuantity": priced,
        }
    _reduce(row, off | {"billed_cost_usd": share.usd, "effective_cost_usd": share.usd})
    return row | off | {
        "billed_cost_usd": ZERO,
        "effective_cost_usd": cost,
        "commitment_id": take["commitment_id"],
        "commitment_kind": take["kind"],
        "commitment_discount_status": USED,
        "commitment_discount_quantity": quantity,
        "commitment_discount_unit": take["commitment_discount_unit"],
        "covered_usd": share.usd,
        "commitment_usd": cost,
    }  # fmt: skip


def _reduce(row: _Row, off: Mapping[str, Decimal]) -> None:
    for name, usd in off.items():
        row[name] = _EXACT.subtract(row[name], usd)


def _decimals(value: Decimal) -> int:
    return max(0, -int(value.normalize(_EXACT).as_tuple().exponent))


def _down(value: Fraction, digits: int) -> Decimal:
    """`value` rounded down to `digits` decimals."""
    whole = _EXACT.divide(Decimal(value.numerator), Decimal(value.denominator))
    return whole.quantize(Decimal(1).scaleb(-digits), ROUND_DOWN, _EXACT)


def _own_rows(
    rows: Sequence[_Row], bought: Iterable[_Row], schema: pl.Schema, shares: pl.DataFrame
) -> list[pl.DataFrame]:
    """The rows of commitments that are no part of a charge: purchases, what nobody used, credits that were granted, corrections."""
    made = [(row, found) for row in rows if (found := _of_commitment(schema, row)) is not None]
    used = [found for row, found in made if row["commitment_discount_status"] == USED]
    others = [(row, found) for row, found in made if row["commitment_discount_status"] != USED]
    amounts = (*COSTS, "commitment_discount_quantity", "covered_usd", "commitment_usd")
    frame = pl.DataFrame(used, schema=schema, orient="row").drop(ALLOCATED.names())
    return [
        allocate(frame, shares, amounts).select(schema.names()),
        pl.DataFrame([*_passed_on(others), *bought], schema=schema, orient="row"),
    ]


def _purchases(rows: Iterable[_Row], schema: pl.Schema) -> Iterator[_Row]:
    """What the seller bills for each commitment and day."""
    bought: dict[tuple[Any, ...], _Row] = {}
    for row in rows:
        if row["billed_cost_usd"]:
            key = (row["event_date"], row["commitment_id"], row["charge_class"])
            nobodys = row | dict.fromkeys(ATTRIBUTION, "") | {"model_id": "", "commitment_discount_status": ""}
            whole = bought.setdefault(
                key, _own(schema, nobodys, PURCHASE, billed=ZERO) | {"commitment_discount_quantity": ZERO}
            )
            for cost in (*COSTS[:2], "billed_cost_usd"):
                whole[cost] += row["billed_cost_usd"]
            whole["commitment_discount_quantity"] += row["commitment_discount_quantity"] or ZERO
    yield from (row for row in bought.values() if row["billed_cost_usd"])


def _of_commitment(schema: pl.Schema, row: _Row) -> _Row | None:
    """The row that a row of the ledger is, apart from what its purchase is billed at; None if it is none."""
    covered_usd, cost = row["covered_usd"] or ZERO, row["effective_cost_usd"]
    if row["kind"] == MINIMUM and row["commitment_discount_status"] == USED:
        return None  # it is paid as usage
    if not covered_usd and not cost:
        return None
    if _is_granted(row):
        credited = _own(schema, row, CREDITED, billed=-covered_usd, effective=-covered_usd)
        return credited | dict.fromkeys(COSTS, -covered_usd)
    is_usage = row["commitment_discount_status"] and (row["charge_class"] is not None or not covered_usd)
    return _own(schema, row, USAGE if is_usage else ADJUSTMENT, billed=-covered_usd, effective=cost - covered_usd)


def _own(schema: pl.Schema, row: _Row, category: str, *, billed: Decimal, effective: Decimal = ZERO) -> _Row:
    names = ("event_date", "charge_class", "provider_id", "model_id", "commitment_id", "commitment_discount_quantity",
             "commitment_discount_unit")  # fmt: skip
    attribution = {name: row[name] or UNATTRIBUTED for name in ATTRIBUTION}
    parts = (category, *(str(row[name]) for name in (*names[:5], "commitment_discount_status", *ATTRIBUTION)))
    return dict.fromkeys(schema) | dict.fromkeys(COSTS, ZERO) | {name: row[name] for name in names} | attribution | {
        "charge_id": id_bytes("commitment", *parts),
        "contract_id": "",
        "region": "",
        "billed_cost_usd": billed,
        "effective_cost_usd": effective,
        "charge_category": category,
        "commitment_kind": row["kind"],
        "commitment_discount_status": row["commitment_discount_status"] or None,
        "covered_usd": ZERO if category == PURCHASE else row["covered_usd"] or ZERO,
        "commitment_usd": ZERO if category == PURCHASE else row["effective_cost_usd"],
    }  # fmt: skip


def _passed_on(rows: Sequence[tuple[_Row, _Row]]) -> Iterator[_Row]:
    """What nobody used with who pays for it, where a rule of the commitment says so: nobody's cost, in a part for each receiver."""
    groups: dict[tuple[Any, ...], list[tuple[_Row, _Row]]] = {}
    for row, found in rows:
        key = (row["event_date"], row["commitment_id"], row["charge_class"], row["allocated_method_id"])
        groups.setdefault(key, []).append((row, found))
    for (*_, method), group in groups.items():
        if not method:
            yield from (found for _, found in group)
            continue
        by, to = method.split(" ")[2::2]
        weights = [abs(row["effective_cost_usd"]) for row, _ in group]
        rule = json.dumps({"by": by, "to": to, "when": {}})
        origin = group[0][1]["charge_id"]
        for (row, found), share in zip(group, split(Decimal(1), weights), strict=True):
            said = {
                "allocated_method_id": method,
                "allocated_to": to,
                "receiver": row[to],
                "share": share,
                "rule": rule,
            }
            yield found | said | {to: UNATTRIBUTED, "charge_id": origin}
