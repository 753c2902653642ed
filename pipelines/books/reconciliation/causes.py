"""Why a bill differs from what is computed: steps from one amount to the other, each with its cause.

Each step leads from one exact level to the next, rounded to 18 decimals, so the causes add up to the difference to the last
decimal. A step whose facts a bill does not give leads nowhere, and its amount stays for a later one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext

from pipelines.warehouse.tables.mart_reconciliation import CAUSES

_LATE = ("missing_requests", "tokens", "unexplained")
"""What a bill that is not complete yet lacks for no other reason than time."""
_OF_OTHER_DAYS = ("missing_requests", "tokens", "tool_fee", "unexplained")
"""What a bill may hold more than is computed for no other reason than that days of its period are not loaded."""
_DIGITS = Context(prec=80)
_LAST = Decimal("1E-18")
ZERO = Decimal(0)


@dataclass(frozen=True)
class Part:
    """One meter of one tier: what we counted and computed, and what the bill counted.

    `unpriced_quantity` is the part of `quantity` without a cost. `list_rate` is the published price of a unit, for usage of
    which we computed none.
    """

    meter: str
    tier: str
    quantity: Decimal = ZERO
    unpriced_quantity: Decimal = ZERO
    usd: Decimal = ZERO
    list_usd: Decimal = ZERO
    billed_quantity: Decimal = ZERO
    list_rate: Decimal | None = None


@dataclass(frozen=True)
class Item:
    """What is compared. Amounts are USD; a count that the bill does not give is None.

    `billed_usd` is what the lines of usage come to, at the exchange rate of their day; `billed_at_our_rate` the same at the
    rate that our prices were converted at. `billed_list_usd` is before discounts, at our rate. `requests` are those of the
    model in the period, on whatever meter. `is_whole` is False where days of the period are not loaded. `rounding_usd` is the most that the rounded lines of the bill may be off.
    `charged` holds what the bill charges apart from usage, by cause.
    """

    parts: Sequence[Part] = ()
    requests: int = 0
    is_billed: bool = True
    is_model_billed: bool = True
    is_fee: bool = False
    is_counted: bool = False
    is_settled: bool = True
    is_whole: bool = True
    billed_usd: Decimal = ZERO
    billed_at_our_rate: Decimal = ZERO
    billed_list_usd: Decimal | None = None
    billed_requests: int | None = None
    rounding_usd: Decimal = ZERO
    charged: dict[str, Decimal] = field(default_factory=dict)

    @property
    def computed_usd(self) -> Decimal:
        """What is computed, of requests that have a price."""
        return sum((part.usd for part in self.parts), ZERO)


class _Steps:
    """The level that has been reached, and what each cause added."""

    def __init__(self, level: Decimal) -> None:
        self.level = level
        self.found = dict.fromkeys(CAUSES, ZERO)

    def to(self, cause: str, level: Decimal) -> None:
        exact = level.quantize(_LAST, rounding=ROUND_HALF_EVEN)
        self.found[cause] += exact - self.level
        self.level = exact


def causes_of(item: Item) -> dict[str, Decimal]:
    """The amount of each cause; together they are what is billed less what is computed, exactly."""
    with localcontext(_DIGITS):
        steps = _Steps(item.computed_usd)
        if item.is_fee:
            steps.to("tool_fee", item.billed_at_our_rate)
        elif item.is_billed and item.requests and item.parts:
            _compare(item, steps)
        else:
            is_tokens = item.requests and item.is_model_billed
            steps.to("tokens" if is_tokens else "missing_requests", item.billed_at_our_rate)
        steps.to("currency", item.billed_usd)
        for cause, usd in item.charged.items():
            steps.to(cause, steps.level + usd)
        if not item.is_settled:
            for cause in _LATE:
                if steps.found[cause] < 0:
                    steps.found["timing"] += steps.found[cause]
                    steps.found[cause] = ZERO
        if not item.is_whole:
            for cause in _OF_OTHER_DAYS:
                if steps.found[cause] > 0:
                    steps.found["days_not_loaded"] += steps.found[cause]
                    steps.found[cause] = ZERO
        return steps.found


def _compare(item: Item, steps: _Steps) -> None:
    """Usage that both sides have, up to what is billed at our exchange rate."""
    steps.to("price", sum((_all_at_priced_rate(part) for part in item.parts), ZERO))
    if item.billed_requests is not None:
        steps.to("missing_requests", steps.level * item.billed_requests / item.requests)
    expected_list = sum((part.list_usd for part in item.parts), ZERO)
    if item.is_counted:
        plain = _by_meter(item.parts)
        steps.to("tokens", sum((_cost(part, plain, own_tier=False)[0] for part in item.parts), ZERO))
        costs = [_cost(part, plain, own_tier=True) for part in item.parts]
        steps.to("tier", sum((cost for cost, _ in costs), ZERO))
        expected_list = sum((cost for _, cost in costs), ZERO)
    before = item.billed_list_usd
    gap = item.billed_at_our_rate - steps.level if before is None else before - expected_list
    steps.to(_cause_of_gap(item, gap), steps.level + gap)
    if before is not None:
        steps.to("discount", item.billed_at_our_rate)


def _cause_of_gap(item: Item, gap: Decimal) -> str:
    if abs(gap) <= item.rounding_usd:
        return "rounding"
    return "price" if item.is_counted else "unexplained"


def _all_at_priced_rate(part: Part) -> Decimal:
    priced = part.quantity - part.unpriced_quantity
    if part.unpriced_quantity and priced:
        return part.usd * part.quantity / priced
    return part.usd


def _by_meter(parts: Sequence[Part]) -> dict[str, tuple[Decimal, Decimal]]:
    """Meter to what a unit costs on average over our tiers, contracted and list."""
    found: dict[str, tuple[Decimal, Decimal]] = {}
    for meter in {part.meter for part in parts}:
        own = [part for part in parts if part.meter == meter]
        priced = sum((part.quantity - part.unpriced_quantity for part in own), ZERO)
        if priced:
            usd, before = (sum(amounts, ZERO) for amounts in ([p.usd for p in own], [p.list_usd for p in own]))
            found[meter] = (usd / priced, before / priced)
    return found


def _cost(part: Part, plain: dict[str, tuple[Decimal, Decimal]], *, own_tier: bool) -> tuple[Decimal, Decimal]:
    """What the billed quantity costs at our rates, contracted and list: of its own tier, or the average over tiers."""
    priced = part.quantity - part.unpriced_quantity
    rates = plain.get(part.meter)
    if own_tier and priced:
        rates = (part.usd / priced, part.list_usd / priced)
    elif part.list_rate is not None and (own_tier or rates is None):
        rates = (part.list_rate, part.list_rate)
    return (ZERO, ZERO) if rates is None else (part.billed_quantity * rates[0], part.billed_quantity * rates[1])
