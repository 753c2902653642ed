"""Charges and lines of bills next to each other: which of them are compared, and what is known of each side.

A bill is compared by what it distinguishes. Lines name a model and a meter: each meter is compared, and ours are summed up to the more
general meter that the bill names. Lines name models without a meter that is known: models are compared. Lines name no
model: the seller is. A line that is longer than a day makes its month the period, or its own days where it reaches into another month;
otherwise it is the day.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Context, Decimal, localcontext
from typing import Any

import polars as pl

from pipelines.books.reconciliation.causes import ZERO, causes_of
from pipelines.books.reconciliation.sides import About, Rates, Row, Side, counted_units, is_fee_line, requests_in, total
from pipelines.books.reconciliation.words import as_we_count, category_of, is_token_meter, meter_of, nearest, units_in
from pipelines.config.reconciliation import Reconciliation
from pipelines.meters import METERS_BY_NAME
from pipelines.warehouse.tables.mart_reconciliation import ALL, CAUSES, RECONCILIATION

Period = tuple[date, int]
"""First day and number of days."""


@dataclass(frozen=True)
class Bills:
    """What bills hold.

    `lines` are amounts, `usage` counts by day, seller, model and tier, `exported` the day of each seller's newest export,
    `rates` what sellers publish; `loaded` are the days of which everything is known.
    """

    lines: pl.DataFrame
    usage: Sequence[Row]
    exported: Mapping[str, date]
    rates: Rates
    loaded: frozenset[date]


def reconcile(charges: pl.DataFrame, bills: Bills, rules: Reconciliation) -> pl.DataFrame:
    """Rows of mart.reconciliation for every charge and every line of a bill."""
    with localcontext(Context(prec=80)):
        return _reconciled(charges, bills, rules)


def _reconciled(charges: pl.DataFrame, bills: Bills, rules: Reconciliation) -> pl.DataFrame:
    sellers = set(bills.lines["provider_id"].to_list())
    lines = [_understood(row) for row in bills.lines.iter_rows(named=True)]
    longer = _longer_periods(lines)
    books: dict[tuple[str, Period], _Period] = {}

    def book(seller: str, day: date, days: int = 1) -> _Period:
        period = next((each for each in longer.get(seller, ()) if each[0] <= day < _end(each)), (day, days))
        return books.setdefault((seller, period), _Period(seller, period, bills, rules))

    for line in lines:
        book(line["provider_id"], line["event_date"], line["days"]).lines.append(line)
    ours = charges.filter(pl.col("provider_id").is_in(sorted(sellers)))
    for charge in ours.iter_rows(named=True):
        book(charge["provider_id"], charge["event_date"]).charges.append(charge)
    for count in bills.usage:
        if count["provider_id"] in sellers:
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


def _longer_periods(lines: Iterable[Row]) -> Mapping[str, list[Period]]:
    """Periods of the sellers whose usage is billed by more than a day; those that overlap are one."""
    found: dict[str, list[Period]] = defaultdict(list)
    for line in lines:
        own, month = (line["event_date"], line["days"]), _month(line["event_date"])
        if line["days"] > 1 and line["category"] == "usage":
            found[line["provider_id"]].append(month if _end(own) <= _end(month) else own)
    return {seller: _joined(periods) for seller, periods in found.items()}


def _joined(periods: Iterable[Period]) -> list[Period]:
    joined: list[Period] = []
    for first, days in sorted(periods):
        if joined and first < _end(joined[-1]):
            before = joined[-1]
            joined[-1] = (before[0], (max(_end(before), _end((first, days))) - before[0]).days)
        else:
            joined.append((first, days))
    return joined


def _end(period: Period) -> date:
    """The first day after it."""
    return period[0] + timedelta(days=period[1])


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
        "days_missing": pl.lit(0),
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
    tokens = pl.col("quantity").filter(pl.col("meter").is_in(METERS_BY_NAME)).sum()
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
        self.missing = sum(self.first + timedelta(days=day) not in bills.loaded for day in range(self.days))
        self.is_settled = exported is not None and self.end + timedelta(days=rules.lag_of(seller)) <= exported

    def rows(self, covered: Mapping[str, tuple[date, date]]) -> Iterator[Row]:
        """Every item of the period."""
        usage = [line for line in self.lines if line["category"] == "usage"]
        yield from self._beyond_usage()
        if usage and self.missing < self.days:
            yield from self._compared(usage)
            return
        if usage:
            for model, lines in sorted(_grouped(usage, "model_id").items()):
                yield self._row(model, ALL, Side([], lines), "not_loaded")
            return
        reason = self._why_not_billed(covered)
        for model, charges in sorted(_grouped(self.charges, "model_id").items()):
            yield self._row(model, ALL, Side(charges), reason)

    def _why_not_billed(self, covered: Mapping[str, tuple[date, date]]) -> str:
        first, end = covered.get(self.seller, (date.max, date.max))
        if self.first >= end:
            return "bill_lags"
        return "before_first_bill" if self.end <= first else "not_on_bill"

    def _beyond_usage(self) -> Iterator[Row]:
        """Tax, credits, commitments and adjustments: what a bill charges and no request has used."""
        beyond = [line for line in self.lines if line["category"] != "usage"]
        for (model, category), lines in sorted(_grouped(beyond, "model_id", "category").items()):
            yield self._row(model, category, Side([], lines, cause=category), None)

    def _compared(self, lines: list[Row]) -> Iterator[Row]:
        charges, usage = self.charges, self.usage
        fees = {line["known_meter"] for line in lines if line["model_id"] == ALL} - {None}
        if not any(line["model_id"] for line in lines) and not all(is_fee_line(line) for line in lines):
            charges, usage = ([{**row, "model_id": ALL} for row in rows] for rows in (charges, usage))
            yield self._row(ALL, ALL, Side(charges, lines, usage), None)
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
            yield self._row(model, ALL, Side(charges, lines, usage), reason)
            return
        for meter, side in sorted(_by_meter(charges, lines, usage).items()):
            yield self._row(model, meter, side, None if side.lines or not side.usd else "not_on_bill")

    def _row(self, model: str, meter: str, side: Side, reason: str | None) -> Row:
        computed, billed = side.computed(), side.billed()
        is_compared = reason in (None, "not_on_bill") and billed is not None
        causes: dict[str, Decimal | None] = dict.fromkeys(CAUSES)
        if is_compared:
            causes.update(
                causes_of(
                    side.item(About(self.seller, model, self.is_settled, not self.missing, self.bills.rates), meter)
                )
            )
        elif reason is None:
            reason = "currency_without_rate"
        if reason is None and not side.charges and side.cause is None:
            reason = "no_requests"
        currencies = {line["currency"] for line in side.lines}
        amounts = [line["amount"] for line in side.lines]
        return {
            "event_date": self.first,
            "period_days": self.days,
            "days_missing": self.missing,
            "provider_id": self.seller,
            "model_id": model,
            "meter": meter,
            "computed_quantity": total(counted_units(charge, meter) for charge in side.charges),
            "billed_quantity": side.billed_quantity(meter),
            "computed_usd": computed,
            "logged_usd": total(charge["logged_usd"] for charge in side.charges),
            "billed_usd": billed if side.lines else None,
            "billed_amount": total(amounts) if len(currencies) == 1 else None,
            "currency": next(iter(currencies)) if len(currencies) == 1 else None,
            "difference_usd": (billed or ZERO) - (computed or ZERO) if is_compared else None,
            **{f"{cause}_usd": usd for cause, usd in causes.items()},
            "charges": sum(charge["charges"] for charge in side.charges),
            "bill_lines": len(side.lines),
            "line_ids": json.dumps(sorted(line["line_id"] for line in side.lines)),
            "is_settled": self.is_settled,
            "reason": reason,
        }


def _by_meter(charges: list[Row], lines: list[Row], usage: list[Row]) -> dict[str, Side]:
    """Both sides of a model, by the meter that the bill names: what it counts as one is compared as one."""
    known = {line["known_meter"] for line in lines} - {None}
    general = as_we_count(known, {charge["meter"] for charge in charges})
    lines = [{**line, "known_meter": general.get(line["known_meter"], line["known_meter"])} for line in lines]
    named = {line["known_meter"] for line in lines}
    of_meter: dict[str, Side] = defaultdict(lambda: Side(requests=requests_in(charges), counts=usage))
    for charge in charges:
        if charge["meter"] != "rest":
            of_meter[nearest(charge["meter"], named)].charges.append(charge)
    for line in lines:
        of_meter[line["known_meter"] or line["meter"] or line["line_item"] or "(no words)"].lines.append(line)
    for count in usage:
        for meter in (name for name in count["counts"] if nearest(name, named) in of_meter):
            of_meter[nearest(meter, named)].usage.append({**count, "counts": {meter: count["counts"][meter]}})
    return of_meter


def _grouped(rows: Iterable[Row], *names: str) -> dict[Any, list[Row]]:
    found: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        found[row[names[0]] if len(names) == 1 else tuple(row[name] for name in names)].append(row)
    return found
