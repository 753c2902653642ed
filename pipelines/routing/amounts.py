"""Exact amounts of a policy: shared out among its arms so that they add up to the last decimal.

Amounts are Decimal in a context of 76 digits, which `projection.py` sets.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

SMALLEST = Decimal(1).scaleb(-18)
Parts = list[tuple[Decimal | None, Decimal | None]]


def total_of(parts: list[Decimal | None]) -> Decimal | None:
    """The sum, None where a part is not known."""
    known = [part for part in parts if part is not None]
    return sum(known, Decimal(0)) if len(known) == len(parts) else None


def mean_of(weights: list[float], values: list[float | None]) -> float | None:
    """The weighted sum, None where a value is not known."""
    known = [weight * value for weight, value in zip(weights, values, strict=True) if value is not None]
    return sum(known) if len(known) == len(values) else None


def parted(whole: Decimal, parts: Sequence[Decimal]) -> list[Decimal]:
    """Parts rounded to 18 decimals; the last takes the rest, so that they add up to the whole."""
    rounded = [part.quantize(SMALLEST) for part in parts[:-1]]
    return [*rounded, whole - sum(rounded, Decimal(0))]


def arm_costs(whole: Decimal | None, bases: Sequence[Decimal | None], costs: Sequence[Decimal | None]) -> Parts:
    """Baseline and projected cost of each arm, from their exact values; the baselines add up to `whole`.

    An arm's saving is rounded, its projected cost is its part of the baseline less the saving: so an arm that costs what
    its part of the baseline costs saves exactly 0, and all amounts add up to the last decimal.
    """
    known = [base for base in bases if base is not None]
    if whole is None or len(known) < len(bases):
        return [(None, None if cost is None else cost.quantize(SMALLEST)) for cost in costs]
    savings = [None if c is None else (b - c).quantize(SMALLEST) for b, c in zip(known, costs, strict=True)]
    amounts = zip(parted(whole, known), savings, strict=True)
    return [(part, None if saving is None else part - saving) for part, saving in amounts]
