"""Amounts of a policy: shared out among its arms so that they add up to the last decimal.

Central amounts are exact sums with every assumption at its middle. A projection is the median of all simulated
worlds (ADR 14), because the outcome at the middle of the inputs is not the middle of the outcomes. Amounts are Decimal in a context of 76 digits, which `projection.py` sets.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from pipelines.routing.draws import DECIMALS, Floats, middle

SMALLEST = Decimal(1).scaleb(-18)
_CERTAIN = 1e-9
"""If draws are no further apart than this, the amount is certain and the exact one counts."""
Parts = list[tuple[Decimal | None, Decimal | None]]


def total_of(parts: list[Decimal | None]) -> Decimal | None:
    """The sum, None if a part is not known."""
    known = [part for part in parts if part is not None]
    return sum(known, Decimal(0)) if len(known) == len(parts) else None


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


def at_the_middle(
    whole: Decimal | None, central: Parts, gains: Sequence[Floats | None], together: Floats | None
) -> Parts:
    """Each arm's baseline and projected cost, from its central amounts: all together save the median of the worlds.

    `gains` is what each arm adds to the saving in each world, `together` their sum, as shares of the baseline `whole`. Medians of arms do
    not add up to that of their sum. So all arms stand at one level of their own draws: the one at which they add up (the quantile
    principle of Dhaene et al. 2012, "Optimal capital allocation principles"). What is certain keeps its exact amount.
    """
    if not whole:
        return central
    drawn = {
        place: gain
        for place, ((base, cost), gain) in enumerate(zip(central, gains, strict=True))
        if base is not None and cost is not None and gain is not None and np.ptp(gain) > _CERTAIN
    }
    if not drawn:
        return central
    found, known = list(central), [base - cost for base, cost in central if base is not None and cost is not None]
    if together is None or len(known) < len(central):
        saved = {place: _times(whole, middle(gain)) for place, gain in drawn.items()}
    else:
        certain = sum((saving for place, saving in enumerate(known) if place not in drawn), Decimal(0))
        rest = _times(whole, middle(together)) - certain
        saved = dict(zip(drawn, _at_one_level(list(drawn.values()), rest, whole), strict=True))
    for place, saving in saved.items():
        base = central[place][0]
        found[place] = (base, None if base is None else base - saving)
    return found


def _at_one_level(gains: Sequence[Floats], target: Decimal, whole: Decimal) -> list[Decimal]:
    """Quantiles of the arms' gains at the level at which they add up to `target`, in USD."""
    ordered = np.sort(np.stack(gains), axis=1)
    places = np.arange(ordered.shape[1])
    level = np.interp(float(target / whole), ordered.sum(axis=0), places)
    savings = [_times(whole, round(float(np.interp(level, places, of_arm)), DECIMALS)) for of_arm in ordered]
    largest = max(range(len(savings)), key=lambda place: abs(savings[place]))
    savings[largest] += target - sum(savings, Decimal(0))
    return savings


def _times(whole: Decimal, share: float) -> Decimal:
    return (whole * Decimal(repr(share))).quantize(SMALLEST)
