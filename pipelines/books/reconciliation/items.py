"""Charges and lines of bills next to each other: which of them are compared, and what is known of each side.

Compared is what a bill tells apart. Lines name a model and a meter: each meter is compared, and ours are summed up to the more
general meter that the bill names. Lines name models without a meter that is known: models are compared. Lines name no
model: the seller is. A line that is longer than a day makes its month the period; otherwise it is the day.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from pipelines.books.reconciliation.causes import CAUSES, ZERO, Item, Part, causes_of
from pipelines.books.reconciliation.words import category_of, is_token_meter, meter_of, nearest, units_in
from pipelines.config.reconciliation import Reconciliation
from pipelines.warehouse.tables.mart_reconciliation import ALL, RECONCILIATION

Row = dict[str, Any]
Period = tuple[date, int]
"""First day and number of days."""
_STANDARD = "standard"


@dataclass(frozen=True)
class Bills:
    """What bills say. `lines` are amounts, `usage` counts, `exported` the day of each seller's newest export, `rates` the
    published USD for a unit by seller, model, tier and meter."""

    lines: pl.DataFrame
    usage: pl.DataFrame
    exported: Mapping[str, date]
    rates: Mapping[tuple[str, str, str, str], Decimal]


def reconcile(charges: pl.DataFrame, bills: Bills, rules: Reconciliation) -> pl.DataFrame:
    """Rows of mart.reconciliation for every charge and every line of a bill."""
    sellers = set(bills.lines["provider_id"].to_list())
    lines = [_understood(row) for row in bills.lines.iter_rows(named=True)]
    monthly = {
        (line["provider_id"], _month(line["event_date"])[0])
        for line in lines
        if line["days"] > 1 and line["category"] == "usage"
    }
    books: dict[tuple[str, Period], _Period] = {}

    def book(seller: str, day: date, days: int = 1) -> _Period:
        month = _month(day)
        period = month if (seller, month[0]) in monthly else (day, days)
        return books.setdefault((seller, period), _Period(seller, period, bills, rules))

    for line in lines:
        book(line["provider_id"], line["event_date"], line["days"]).lines.append(line)
    ours = charges.filter(pl.col("provider_id").is_in(sorted(sellers)))
    for charge in ours.iter_rows(named=True):
        book(charge["provider_id"], charge["event_date"]).charges.append(charge)
    for count in bills.usage.filter(pl.col("provider_id").is_in(sorted(sellers))).iter_rows(named=True):
        book(count["provider_id"], count["event_date"]).usage.append(count)
    covered = _covered(books)
    found = [row for key in sorted(books) for row in books[key].rows(covered)]
    billed = pl.DataFrame(found, schema=RECONCILIATION.polars_schema, orient="row")
    return pl.concat([billed, _without_bill(charges.filter(~pl.col("provider_id").is_in(sorted(sellers))))])


def _understood(line: Row) -> Row:
    """The line with its category, our meter where its words are known, and its quantity in single units."""
    category = category_of(line["charge_category"], line["line_item"])
    meter = meter_of(line["meter"]) or meter_of(line["line_item"])
    units = units_in(line["quantity"], line["quantity_unit"])
    return {**line, "category": category, "known_meter": meter, "units": units, "model_id": line["model_id"] or ALL}


def _month(day: date) -> Period:
    first = day.replace(day=1)
    return first, ((first + timedelta(days=31)).replace(day=1) - first).days


def _covered(books: Mapping[tuple[str, Period], _Period]) -> dict[str, tuple[date, date]]:
    """Seller to the first day that its bills hold and the day after the last."""
    ends: dict[str, list[Period]] = defaultdict(list)
    for (seller, period), book in books.items():
        if any(line["category"] == "usage" for line in book.lines):
            ends[seller].append(period)
    return {
        seller: (min(day for day, _ in found), max(day + timedelta(days=days) for day, days in found))
        for seller, found in ends.items()
    }


def _without_bill(charges: pl.DataFrame) -> pl.DataFrame:
    """Sellers of whom no bill was ever landed: by day and model, with that as the reason."""
    known: dict[str, pl.Expr] = {
        "period_days": pl.lit(1),
        "meter": pl.lit(ALL),
        "computed_quantity": pl.col("token_quantity"),
        "computed_usd": pl.col("usd"),
        "logged_usd": pl.col("logged_usd"),
        "charges": pl.col("charges"),
        "bill_lines": pl.lit(0),
        "is_settled": pl.lit(value=False),
        "reason": pl.lit("no_bill"),
        "line_ids": pl.lit("[]"),
    }
    tokens = pl.col("quantity").filter(pl.col("meter").map_elements(is_token_meter, return_dtype=pl.Boolean)).sum()
    sums = [_sum_or_null(name) for name in ("usd", "logged_usd")]
    rows = charges.group_by("event_date", "provider_id", "model_id").agg(
        tokens.alias("token_quantity"), *sums, pl.col("charges").sum()
    )
    rows = rows.sort("event_date", "provider_id", "model_id").with_columns(**known)
    return rows.select(
        (pl.col(name) if name in rows.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in RECONCILIATION.polars_schema.items()
    )


def _sum_or_null(name: str) -> pl.Expr:
    return pl.when(pl.col(name).is_not_null().any()).then(pl.col(name).sum())


class _Period:
    """Everything of one seller in one period."""

    def __init__(self, seller: str, period: Period, bills: Bills, rules: Reconciliation) -> None:
        self.seller = seller
        self.first, self.days = period
        self.bills = bills
        self.charges: list[Row] = []
        self.lines: list[Row] = []
        self.usage: list[Row] = []
        self.end = self.first + timedelta(days=self.days)
        exported = bills.exported.get(seller)
        self.is_settled = exported is not None and self.end + timedelta(days=rules.lag_of(seller)) <= exported

    def rows(self, covered: Mapping[str, tuple[date, date]]) -> Iterator[Row]:
        """Every item of the period."""
        usage = [line for line in self.lines if line["category"] == "usage"]
        yield from self._beyond_usage()
        if usage:
            yield from self._compared(usage)
            return
        reason = self._why_not_billed(covered)
        for model, charges in sorted(_grouped(self.charges, "model_id").items()):
            yield self._row(model, ALL, _Side(charges), reason)

    def _why_not_billed(self, covered: Mapping[str, tuple[date, date]]) -> str:
        first, end = covered.get(self.seller, (date.max, date.max))
        if self.first >= end:
            return "bill_lags"
        return "before_first_bill" if self.end <= first else "not_on_bill"

    def _beyond_usage(self) -> Iterator[Row]:
        """Tax, credits, commitments and adjustments: what a bill charges and no request has used."""
        beyond = [line for line in self.lines if line["category"] != "usage"]
        for (model, category), lines in sorted(_grouped(beyond, "model_id", "category").items()):
            yield self._row(model, category, _Side([], lines, cause=category), None)

    def _compared(self, lines: list[Row]) -> Iterator[Row]:
        charges, usage = self.charges, self.usage
        fees = {line["known_meter"] for line in lines if line["model_id"] == ALL} - {None}
        if not any(line["model_id"] for line in lines) and not all(_is_fee(line) for line in lines):
            charges, usage = ([{**row, "model_id": ALL} for row in rows] for rows in (charges, usage))
            yield self._row(ALL, ALL, _Side(charges, lines, usage), None)
            return
        # A fee that the bill gives for all models together is compared for all of them.
        charges = [
            {**row, "model_id": ALL} if row["meter"] in fees and not is_token_meter(row["meter"]) else row
            for row in charges
        ]
        of_model = [_grouped(rows, "model_id") for rows in (charges, lines, usage)]
        for model in sorted({*of_model[0], *of_model[1]}):
            yield from self._model(model, *(rows.get(model, []) for rows in of_model))

    def _model(self, model: str, charges: list[Row], lines: list[Row], usage: list[Row]) -> Iterator[Row]:
        named = {line["known_meter"] for line in lines}
        has_rest = any(charge["meter"] == "rest" and charge["usd"] for charge in charges)
        if not lines or (model != ALL and (None in named or has_rest)):
            reason = "not_on_bill" if not lines else None
            yield self._row(model, ALL, _Side(charges, lines, usage), reason)
            return
        of_meter: dict[str, _Side] = defaultdict(lambda: _Side(requests=_requests(charges), counts=usage))
        for charge in charges:
            if charge["meter"] != "rest":
                of_meter[nearest(charge["meter"], named)].charges.append(charge)
        for line in lines:
            of_meter[line["known_meter"] or line["meter"] or line["line_item"] or "(no words)"].lines.append(line)
        for count in usage:
            for meter in (name for name in count["counts"] if nearest(name, named) in of_meter):
                of_meter[nearest(meter, named)].usage.append({**count, "counts": {meter: count["counts"][meter]}})
        for meter, side in sorted(of_meter.items()):
            yield self._row(model, meter, side, None if side.lines or not side.usd else "not_on_bill")

    def _row(self, model: str, meter: str, side: _Side, reason: str | None) -> Row:
        computed, billed = side.computed(), side.billed()
        is_compared = reason in (None, "not_on_bill") and billed is not None
        causes: dict[str, Decimal | None] = dict.fromkeys(CAUSES)
        if is_compared:
            causes.update(causes_of(side.item(self, model, meter)))
        elif reason is None:
            reason = "currency_without_rate"
        if reason is None and not side.charges and side.cause is None:
            reason = "no_requests"
        currencies = {line["currency"] for line in side.lines}
        amounts = [line["amount"] for line in side.lines]
        return {
            "event_date": self.first,
            "period_days": self.days,
            "provider_id": self.seller,
            "model_id": model,
            "meter": meter,
            "computed_quantity": _total(_counted(charge, meter) for charge in side.charges),
            "billed_quantity": side.billed_quantity(meter),
            "computed_usd": computed,
            "logged_usd": _total(charge["logged_usd"] for charge in side.charges),
            "billed_usd": billed if side.lines else None,
            "billed_amount": _total(amounts) if len(currencies) == 1 else None,
            "currency": next(iter(currencies)) if len(currencies) == 1 else None,
            "difference_usd": (billed or ZERO) - (computed or ZERO) if is_compared else None,
            **{f"{cause}_usd": usd for cause, usd in causes.items()},
            "charges": sum(charge["charges"] for charge in side.charges),
            "bill_lines": len(side.lines),
            "line_ids": json.dumps(sorted(line["line_id"] for line in side.lines)),
            "is_settled": self.is_settled,
            "reason": reason,
        }


class _Side:
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
        self.requests = _requests(self.charges) if requests is None else requests
        self.counts = self.usage if counts is None else counts

    @property
    def usd(self) -> Decimal:
        return _total(charge["usd"] for charge in self.charges) or ZERO

    def computed(self) -> Decimal | None:
        return _total(charge["usd"] for charge in self.charges)

    def billed(self) -> Decimal | None:
        """What the lines come to in USD; None where a line is in a currency without a rate."""
        if any(line["usd_per_unit"] is None for line in self.lines):
            return None
        return sum((_usd(line["amount"], line["usd_per_unit"]) for line in self.lines), ZERO)

    def billed_quantity(self, meter: str) -> Decimal | None:
        """Units of the meter that the bill counts; the requests where that is the meter."""
        if meter == "request":
            return _total(count["request_count"] for count in self.counts)
        if self.lines and all(line["units"] is not None for line in self.lines):
            return _total(line["units"] for line in self.lines)
        return _total(units for count in self.usage for units in count["counts"].values())

    def item(self, period: _Period, model: str, meter: str) -> Item:
        billed = self.billed() or ZERO
        if self.cause is not None:
            return Item(is_settled=period.is_settled, charged={self.cause: billed})
        counted = self.billed_quantities(meter)
        ours = _our_rates(self.charges)
        at_ours = sum((_usd(line["amount"], ours.get(line["currency"], line["usd_per_unit"])) for line in self.lines), ZERO)
        before = [line["list_amount"] for line in self.lines]
        rates = (ours.get(line["currency"], line["usd_per_unit"]) for line in self.lines)
        return Item(
            parts=self._parts(period, model, meter, counted or {}),
            requests=self.requests,
            is_billed=bool(self.lines),
            is_model_billed=bool(self.lines or self.counts),
            is_fee=meter not in (ALL, "request") and not is_token_meter(meter),
            is_counted=counted is not None,
            is_settled=period.is_settled,
            billed_usd=billed,
            billed_at_our_rate=at_ours,
            billed_list_usd=sum((_usd(a, r) for a, r in zip(before, rates, strict=True)), ZERO) if None not in before else None,
            billed_requests=self._billed_requests(),
            rounding_usd=sum((_half_unit(line) for line in self.lines), ZERO),
        )  # fmt: skip

    def _billed_requests(self) -> int | None:
        found = _total(count["request_count"] for count in self.counts)
        return None if found is None else int(found)

    def billed_quantities(self, meter: str) -> dict[tuple[str, str], Decimal] | None:
        """Meter and tier to the units that the bill counts; None where it does not count them all."""
        found: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
        if meter != ALL and self.lines and all(line["units"] is not None for line in self.lines):
            for line in self.lines:
                found[(meter, line["service_tier"] or "")] += line["units"]
            return dict(found)
        for count in self.usage:
            for name, units in count["counts"].items():
                found[(meter if meter != ALL else name, count["service_tier"] or "")] += units
        return dict(found) if found else None

    def _parts(
        self, period: _Period, model: str, meter: str, counted: dict[tuple[str, str], Decimal]
    ) -> tuple[Part, ...]:
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
                period.bills.rates.get((period.seller, model, tier or _STANDARD, name)),
            )
            for name, tier in sorted({*sums, *billed})
        )


_SUMS = ("quantity", "unpriced_quantity", "usd", "list_usd")


def _is_fee(line: Row) -> bool:
    return line["known_meter"] is None or not is_token_meter(line["known_meter"])


def _requests(charges: Iterable[Row]) -> int:
    return sum(int(charge["quantity"] or 0) for charge in charges if charge["meter"] == "request")


def _counted(charge: Row, meter: str) -> Decimal | None:
    """The quantity of a charge in an item: all meters together are counted in tokens."""
    quantity: Decimal | None = charge["quantity"]
    return quantity if meter != ALL or is_token_meter(charge["meter"]) else None


def _our_rates(charges: Iterable[Row]) -> dict[str, Decimal]:
    """Currency to the USD for a unit that our prices in it were converted at."""
    return {charge["pricing_currency"]: charge["usd_per_currency"] for charge in charges if charge["usd_per_currency"]}


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


def _total(values: Iterable[Any]) -> Any:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _grouped(rows: Iterable[Row], *names: str) -> dict[Any, list[Row]]:
    found: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        found[row[names[0]] if len(names) == 1 else tuple(row[name] for name in names)].append(row)
    return found
