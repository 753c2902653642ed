"""Exact amounts of a policy: shared out among its arms so that they add up to the last decimal.

Amounts are Decimal in a context of 76 digits, which `projection.py` sets.
"""

from __future__ import annotations

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


def _shared_out(whole: Decimal, shares: list[Decimal]) -> list[Decimal]:
    """share x whole per arm, rounded to 18 decimals; the last takes the rest, so that the parts add up to the whole."""
    parts = [(share * whole).quantize(SMALLEST) for share in shares[:-1]]
    return [*parts, whole - sum(parts, Decimal(0))]


def arm_costs(base: Decimal | None, costs: list[Decimal | None], shares: list[Decimal]) -> Parts:
    """Baseline and projected cost of each arm.

    An arm's saving is rounded, its projected cost is its part of the baseline less the saving: so an arm that costs what
    the baseline costs saves exactly 0, whatever the shares, and all amounts add up to the last decimal.
    """
    if base is None:
        alone = [None if c is None else (s * c).quantize(SMALLEST) for s, c in zip(shares, costs, strict=True)]
        return [(None, cost) for cost in alone]
    parts = _shared_out(base, shares)
    savings = [None if c is None else (s * (base - c)).quantize(SMALLEST) for s, c in zip(shares, costs, strict=True)]
    return [(part, None if s is None else part - s) for part, s in zip(parts, savings, strict=True)]
