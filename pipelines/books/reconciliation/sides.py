"""What stands on both sides of one item, and what of it the steps of `causes.py` need."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pipelines.books.reconciliation.causes import ZERO, Item, Part
from pipelines.books.reconciliation.words import is_token_meter
from pipelines.warehouse.tables.mart_reconciliation import ALL

Row = dict[str, Any]
Rates = Mapping[tuple[str, str, str, str], Decimal]
"""Published USD for a unit by seller, model, tier and meter."""
_STANDARD = "standard"
_SUMS = ("quantity", "unpriced_quantity", "usd", "list_usd")


@dataclass(frozen=True)
class About:
    """Where an item stands."""

    seller: str
    model: str
    is_settled: bool
    is_whole: bool
    rates: Rates


class Side:
    """What stands on both sides of one item."""

    def __init__(
        self,
        charges: list[Row] | None = None,
        lines: list[Row] | None = None,
        usage: list[Row] | None = None,
        *,
        cause: str | None = None,
        requests: int | None = None,
        counts: list[Row] | None = None,
    ) -> None:
        self.charges = [] if charges is None else charges
        self.lines = [] if lines is None else lines
        self.usage = [] if usage is None else usage
        self.cause = cause
        self.requests = requests_in(self.charges) if requests is None else requests
        self.counts = self.usage if counts is None else counts

    @property
    def usd(self) -> Decimal:
        """What is computed, zero where nothing has a price."""
        return total(charge["usd"] for charge in self.charges) or ZERO

    def computed(self) -> Decimal | None:
        """What is computed; None if nothing has a price."""
        return total(charge["usd"] for charge in self.charges)

    def billed(self) -> Decimal | None:
        """What the lines come to in USD; None if a line is in a currency without a rate."""
        if any(line["usd_per_unit"] is None for line in self.lines):
            return None
        return sum((_usd(line["amount"], line["usd_per_unit"]) for line in self.lines), ZERO)

    def billed_quantity(self, meter: str) -> Decimal | None:
        """Units of the meter that the bill counts; the requests where that is the meter."""
        if meter == "request":
            return total(count["request_count"] for count in self.counts)
        if self.lines and all(line["units"] is not None for line in self.lines):
            return total(line["units"] for line in self.lines)
        return total(units for count in self.usage for units in count["counts"].values())

    def item(self, about: About, meter: str) -> Item:
        """The item as `causes_of` takes it; every line must have an exchange rate."""
        billed = self.billed() or ZERO
        if self.cause is not None:
            return Item(is_settled=about.is_settled, charged={self.cause: billed})
        counted = self.billed_quantities(meter)
        ours = _our_rates(self.charges)
        rates: list[Decimal] = [ours.get(line["currency"]) or line["usd_per_unit"] for line in self.lines]
        at_ours = [_usd(line["amount"], rate) for line, rate in zip(self.lines, rates, strict=True)]
        is_listed = all(line["list_amount"] is not None for line in self.lines)
        before = [_usd(line["list_amount"], rate) for line, rate in zip(self.lines, rates, strict=True) if is_listed]
        return Item(
            parts=self._parts(about, meter, counted or {}),
            requests=self.requests,
            is_billed=bool(self.lines),
            is_model_billed=bool(self.lines or self.counts),
            is_fee=meter not in (ALL, "request") and not is_token_meter(meter),
            is_counted=counted is not None,
            is_settled=about.is_settled,
            is_whole=about.is_whole,
            billed_usd=billed,
            billed_at_our_rate=sum(at_ours, ZERO),
            billed_list_usd=sum(before, ZERO) if is_listed else None,
            billed_requests=self._billed_requests(),
            rounding_usd=sum((_half_unit(line) for line in self.lines), ZERO),
        )

    def _billed_requests(self) -> int | None:
        found = total(count["request_count"] for count in self.counts)
        return None if found is None else int(found)

    def billed_quantities(self, meter: str) -> dict[tuple[str, str], Decimal] | None:
        """Meter and tier to the units that the bill counts; None if it does not count them all."""
        found: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
        if meter != ALL and self.lines and all(line["units"] is not None for line in self.lines):
            for line in self.lines:
                found[(meter, line["service_tier"] or "")] += line["units"]
            return dict(found)
        for count in self.usage:
            for name, units in count["counts"].items():
                found[(meter if meter != ALL else name, count["service_tier"] or "")] += units
        return dict(found) if found else None

    def _parts(self, about: About, meter: str, counted: dict[tuple[str, str], Decimal]) -> tuple[Part, ...]:
        has_tiers = any(tier for _, tier in counted)
        sums: dict[tuple[str, str], dict[str, Decimal]] = defaultdict(lambda: dict.fromkeys(_SUMS, ZERO))
        for charge in self.charges:
            key = (meter if meter != ALL else charge["meter"], charge["service_tier"] if has_tiers else "")
            for name in _SUMS:
                sums[key][name] += charge[name] or ZERO
        billed: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
        for (name, tier), units in counted.items():
            billed[(name, (tier or _STANDARD) if has_tiers else "")] += units
        return tuple(
            Part(
                name,
                tier,
                sums[(name, tier)]["quantity"],
                sums[(name, tier)]["unpriced_quantity"],
                sums[(name, tier)]["usd"],
                sums[(name, tier)]["list_usd"],
                billed.get((name, tier), ZERO),
                about.rates.get((about.seller, about.model, tier or _STANDARD, name)),
            )
            for name, tier in sorted({*sums, *billed})
        )


def is_fee_line(line: Row) -> bool:
    """Whether the line charges a fee that we count too."""
    return line["known_meter"] is not None and not is_token_meter(line["known_meter"])


def requests_in(charges: Iterable[Row]) -> int:
    """The calls that are charged, or would be if they had a price."""
    return sum(int(charge["quantity"] or 0) for charge in charges if charge["meter"] == "request")


def counted_units(charge: Row, meter: str) -> Decimal | None:
    """The quantity of a charge in an item: all meters together are counted in tokens."""
    quantity: Decimal | None = charge["quantity"]
    return quantity if meter != ALL or is_token_meter(charge["meter"]) else None


def _our_rates(charges: Iterable[Row]) -> dict[str, Decimal]:
    """Currency to the USD for a unit that our prices in it were converted at: of several days, what all of the cost was on average."""
    usd: dict[str, Decimal] = defaultdict(lambda: ZERO)
    units: dict[str, Decimal] = defaultdict(lambda: ZERO)
    known: dict[str, Decimal] = {}
    for charge in charges:
        if charge["usd_per_currency"]:
            name = charge["pricing_currency"]
            known[name] = charge["usd_per_currency"]
            usd[name] += charge["usd"] or ZERO
            units[name] += (charge["usd"] or ZERO) / charge["usd_per_currency"]
    return {name: usd[name] / units[name] if units[name] else rate for name, rate in known.items()}


def _half_unit(line: Row) -> Decimal:
    """Half a unit of the last digit that the line's amount is written with, in USD."""
    if not line["amount_text"]:
        return ZERO
    written = Decimal(line["amount_text"])
    exponent = written.as_tuple().exponent
    cents = Decimal("0.01") if line["amount"] * 100 == written and written else Decimal(1)
    return _usd(cents * Decimal(5).scaleb(int(exponent) - 1), line["usd_per_unit"])


def _usd(amount: Decimal, usd_per_unit: Decimal) -> Decimal:
    return (amount * usd_per_unit).quantize(Decimal("1E-18"))


def total(values: Iterable[Decimal | None]) -> Decimal | None:
    """The sum of what is known; None if nothing is."""
    known = [value for value in values if value is not None]
    return sum(known, ZERO) if known else None
