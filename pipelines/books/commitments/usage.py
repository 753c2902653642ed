"""The usage of one day that commitments serve and pay, and the rows that are made of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import lcm
from typing import Any

from pipelines.books.allocation import split
from pipelines.config.allocation import ATTRIBUTION, UNATTRIBUTED
from pipelines.config.commitments import Commitment, UnusedRule
from pipelines.warehouse.tables.mart_commitments import UNUSED, USED

WINDOW_DAYS = 28
"""Days, up to the one that is looked at, whose pace and arrivals count."""
ZERO = Decimal(0)


@dataclass
class Use:
    """What one model and attribution used on the day."""

    provider_id: str
    model_id: str
    attribution: tuple[str, ...]
    """Values of ATTRIBUTION."""
    input_tokens: int
    output_tokens: int
    token_usd: Decimal
    """Pay-as-you-go cost of the tokens."""
    open_usd: Decimal
    """Cost that nothing paid ahead has covered yet, fees for tools among it."""
    unpriced_requests: int
    open_token_usd: Decimal = field(init=False)
    """The part of open_usd for tokens."""

    def __post_init__(self) -> None:
        self.open_token_usd = self.token_usd

    def tokens(self, output_weight: Decimal) -> Fraction:
        """Tokens, those of output weighted."""
        return self.input_tokens + self.output_tokens * Fraction(output_weight)


@dataclass(frozen=True)
class Arrival:
    """Tokens of one model in one hour."""

    provider_id: str
    model_id: str
    hour: int
    input_tokens: int
    output_tokens: int


@dataclass
class Day:
    """The usage of one day; `is_loaded` is False where no requests of the day are known."""

    day: date
    is_loaded: bool
    uses: list[Use] = field(default_factory=list)
    arrivals: list[Arrival] = field(default_factory=list)
    throughput_usd: dict[str, Decimal] = field(default_factory=dict)
    """Price of the day's provisioned throughput by seller."""

    def of_seller(self, seller: str) -> list[Use]:
        """The uses of one seller."""
        return [use for use in self.uses if use.provider_id == seller]


@dataclass(frozen=True)
class Standing:
    """Rows of a day and commitment: its row of mart.commitment_day, and those of mart.commitment_usage."""

    row: dict[str, Any]
    usage: list[dict[str, Any]]


def proportional(amount: Decimal, weights: Sequence[Fraction]) -> list[Decimal]:
    """`amount` in proportion to `weights` (none below 0, their sum above it); together the amount exactly."""
    whole = lcm(*(weight.denominator for weight in weights))
    return split(amount, [int(weight * whole) for weight in weights])


def used_rows(
    item: Commitment, kind: str, uses: Sequence[Use], parts: Sequence[Decimal], covered: Sequence[Decimal | None]
) -> list[dict[str, Any]]:
    """What each of `uses` used, as `parts` of the purchase; `covered` is the cost that each row replaces."""
    rows = []
    for use, part, replaced in zip(uses, parts, covered, strict=True):
        if part or replaced:
            row = usage_row(item, kind, USED, part)
            row.update(zip(ATTRIBUTION, use.attribution, strict=True), model_id=use.model_id, covered_usd=replaced)
            rows.append(row)
    return rows


def unused_rows(item: Commitment, kind: str, amount: Decimal, uses: Sequence[Use]) -> list[dict[str, Any]]:
    """The part that nobody used, where there is one: shared out by the rule of the commitment among `uses`, else a row of nobody."""
    if not amount:
        return []
    receivers = _receivers(item.unused, uses) if item.unused else {}
    if not item.unused or not receivers:
        return [usage_row(item, kind, UNUSED, amount)]
    how = f"unused by {item.unused.by} to {item.unused.to}"
    parts = proportional(amount, list(receivers.values()))
    return [
        usage_row(item, kind, UNUSED, part) | {item.unused.to: name, "allocated_method_id": how}
        for name, part in zip(receivers, parts, strict=True)
        if part
    ]


def _receivers(rule: UnusedRule, uses: Sequence[Use]) -> dict[str, Fraction]:
    """Who pays for what was not used, by name, with weights above 0."""
    if rule.by == "weights":
        return {name: Fraction(weight) for name, weight in sorted(rule.weights.items()) if weight}
    found: dict[str, Fraction] = {}
    place = ATTRIBUTION.index(rule.to)
    for use in uses:
        weight = {
            "even": Fraction(1),
            "tokens": use.tokens(Decimal(1)),
            "spend": max(Fraction(use.token_usd), Fraction(0)),
        }[rule.by]
        name = use.attribution[place]
        if name != UNATTRIBUTED and weight:
            found[name] = Fraction(1) if rule.by == "even" else found.get(name, Fraction(0)) + weight
    return dict(sorted(found.items()))


def usage_row(item: Commitment, kind: str, status: str, amount: Decimal) -> dict[str, Any]:
    """A row of mart.commitment_usage of nobody."""
    return {
        "commitment_id": item.commitment,
        "kind": kind,
        "provider_id": item.provider_id,
        "commitment_discount_status": status,
        "model_id": "",
        **dict.fromkeys(ATTRIBUTION, ""),
        "amount_usd": amount,
        "effective_cost_usd": amount,
        "covered_usd": ZERO,
        "allocated_method_id": "",
    }


def reasons(*found: str | None) -> str | None:
    """Those that are known, in one text; None if none is."""
    return "; ".join(filter(None, found)) or None


def not_loaded(days: int, of: str) -> str | None:
    """What is missing of a credit or month; None if no day is."""
    if not days:
        return None
    return f"1 day of {of} is not loaded" if days == 1 else f"{days} days of {of} are not loaded"


def unpriced(uses: Sequence[Use]) -> str | None:
    """The reason why cost is not known whole, or None."""
    requests = sum(use.unpriced_requests for use in uses)
    return f"{requests} requests have no price, see their unpriced_reason in mart.daily_charge" if requests else None
