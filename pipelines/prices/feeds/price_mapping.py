"""Format `price_mapping`: any list of prices, described in `sources.yaml` instead of in code.

For sellers' and gateways' lists without a format of their own (Vercel, Together, Portkey, Helicone): JSON, JSON lines, CSV, TSV or
Parquet, one record per model. A provider's page is `page.py`, a company's own contract `price_sheet.py`.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import takewhile
from typing import Any

import polars as pl
from pydantic import Field, ValidationError, model_validator

from pipelines.config.declaration import Declaration
from pipelines.config.fetched import FETCH_OPTIONS
from pipelines.config.mistakes import Key, dotted, explained
from pipelines.config.sources import VERDICT_OPTIONS
from pipelines.outside import worded
from pipelines.pages.texts import plain
from pipelines.prices.feed_snapshot import Parsed, Price, PriceFeedError, as_amount, why_no_price
from pipelines.prices.feeds._numbers import bound_of, feed_json
from pipelines.prices.meters import LEDGER_UNITS
from pipelines.prices.pages.layout import Column
from pipelines.records.oriented import records_of, says

VERSION = "3"

OF_KEY = "@key"
"""As `model_field`: the key under which the record stands, where the list is an object."""
_SIGNS = {"$": "USD", "¥": "CNY", "￥": "CNY", "€": "EUR", "£": "GBP"}
_PRICED = re.compile(r"(?i)pric|cost|rate|usd|input|output|cache|prompt|completion|token")
_NO_PRICE = re.compile(r"(?i)max|limit|window|context|length|modalit|version|date|count|type")


class Steps(Column):
    """A list of prices by prompt size: what they are the price of, and the fields of its members that hold price and first size."""

    price: str = "cost"
    first: str = "min"


class PriceMapping(Declaration):
    """Options of a `price_mapping` feed. Fields of nested JSON are named with dots (`pricing.input`).

    `columns` says of each field what it is the price of and for how many units (`per`: 1, 1000, 1000000), and `steps` of each list of
    prices by prompt size. `cents` says that amounts are hundredths of `currency`. `when` takes only records whose fields have these values.
    """

    model_field: str
    columns: dict[str, Column] = Field(min_length=1)
    steps: dict[str, Steps] = Field(default_factory=dict)
    provider: str = ""
    provider_field: str = ""
    records: str = ""
    """Where the list lies in a JSON document, with dots; empty where the document is the list."""
    when: dict[str, str] = Field(default_factory=dict)
    currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$")
    cents: bool = False
    delimiter: str = Field(default=",", pattern=r"^.$")
    zero_is_free: bool = False
    """Whether a record with nothing but zeros is free; else it has no price."""

    @model_validator(mode="after")
    def _names_a_seller(self) -> PriceMapping:
        if bool(self.provider) == bool(self.provider_field):
            raise ValueError(
                "exactly one of `provider` (a seller) and `provider_field` (a field that names it) is needed"
            )
        return self


def option_mistakes(options: Mapping[str, Any]) -> list[tuple[Key, str]]:
    """What is wrong in the options: key and problem of each mistake."""
    try:
        PriceMapping.model_validate(_own(options))
    except ValidationError as error:
        return explained(PriceMapping, error.errors(include_url=False))
    return []


def read(content: bytes, options: Mapping[str, Any]) -> Parsed:
    """Every price that the declaration finds. Raises PriceFeedError."""
    if mistakes := option_mistakes(options):
        raise PriceFeedError("\n".join(f"{dotted(('options', *key))}: {problem}" for key, problem in mistakes))
    declared = PriceMapping.model_validate(_own(options))
    problems: set[str] = set()
    prices: list[Price] = []
    lines = rejected = 0
    for place, record in _records(declared, content, problems):
        lines += 1
        if not isinstance(record, Mapping):
            problems.add(f"{place}: expected a record, found {type(record).__name__}")
            rejected += 1
        elif all(says(_field(record, name), value) for name, value in declared.when.items()):
            found = list(_prices(declared, record, place, problems))
            if any(price.unit_price for price in found) or declared.zero_is_free:
                prices += found
            elif found:
                problems.add(f"{found[0].raw_model}: only zeros")
    return Parsed(prices, lines, rejected, frozenset(problems))


def _own(options: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in options.items() if key not in (*FETCH_OPTIONS, *VERDICT_OPTIONS)}


def _prices(declared: PriceMapping, record: Mapping[str, Any], place: str, problems: set[str]) -> Iterator[Price]:
    model, seller = _field(record, declared.model_field), declared.provider or _field(record, declared.provider_field)
    if not isinstance(model, str) or not model.strip() or not isinstance(seller, str) or not seller.strip():
        problems.add(f"{place}: no {'model' if seller else 'seller'} is named")
        return
    problems |= _not_declared(declared, record, model)
    for name, column, value in _stated(declared, record, model, problems):
        if value is None or value == "":
            continue
        amount = _amount(declared, value)
        if amount is None:
            problems.add(f"{model}: {name}: {why_no_price(value)}")
            continue
        for meter in (column.meter, *column.also):
            yield Price(
                provider=seller.strip(),
                raw_model=model.strip(),
                meter=meter,
                unit=LEDGER_UNITS[meter],
                unit_price=amount / 100 if declared.cents else amount,
                pricing_quantity=column.per,
                source_locator=f"{place}/{name}",
                extracted_text=f"{name}: {value}",
                service_tier=column.service_tier,
                context_from_tokens=column.context_from_tokens,
                context_bound=column.context_bound,
                reasoning_mode=column.reasoning_mode,
                pricing_currency=declared.currency,
            )


def _stated(
    declared: PriceMapping, record: Mapping[str, Any], model: str, problems: set[str]
) -> Iterator[tuple[str, Column, Any]]:
    """Each declared field with what it is the price of; of a list by prompt size each member, from its first size on."""
    for name, column in declared.columns.items():
        yield name, column, _field(record, name)
    for name, steps in declared.steps.items():
        members = _field(record, name)
        if not isinstance(members, list):
            if members not in (None, ""):
                problems.add(f"{model}: {name}: not understood: {str(members)[:60]}")
            continue
        for place, member in enumerate(members):
            first = _first_size(steps, member, place)
            if first is None:
                problems.add(f"{model}: {name}.{place}: not understood: {str(member)[:60]}")
            elif first:  # the price of the smallest prompts is a column's
                yield (
                    f"{name}.{place}.{steps.price}",
                    steps.model_copy(update={"context_from_tokens": first}),
                    member[steps.price],
                )


def _first_size(steps: Steps, member: object, place: int) -> int | None:
    """The size from which the price of a member holds; None if it states none, or no price. The first member may leave out that it is zero."""
    if not isinstance(member, Mapping) or steps.price not in member:
        return None
    return bound_of(member.get(steps.first, None if place else 0))


def _amount(declared: PriceMapping, value: object) -> Decimal | None:
    """The amount of a field; a text may carry the sign of the declared currency, and no other."""
    if isinstance(value, str):
        value = plain(value)
        if value[:1] in _SIGNS:
            value = value[1:] if _SIGNS[value[0]] == declared.currency else ""
    return as_amount(Decimal(str(value)) if isinstance(value, float) else value)


def _not_declared(declared: PriceMapping, record: Mapping[str, Any], model: str) -> set[str]:
    """The fields next to declared ones that look like prices: what a list adds one day must not be lost without a word."""
    known = {*declared.columns, *declared.steps, *declared.when}
    parents = [name.split(".")[:-1] for name in declared.columns]
    shared = [parts[0] for parts in takewhile(lambda parts: len({*parts}) == 1, zip(*parents, strict=False))]
    found: set[str] = set()
    for parent in {".".join(parts) for parts in (shared, *parents)}:
        holder = _field(record, parent) if parent else record
        for whole, value in _below(holder, parent) if isinstance(holder, Mapping) else ():
            last = whole.rpartition(".")[2]
            is_priced = (parent or _PRICED.search(whole)) and not _NO_PRICE.search(last)
            if is_priced and whole not in known and _holds_amount(declared, value):
                found.add(f"{model}: {whole}: not understood: {str(value)[:60]}")
    return found


def _below(holder: Mapping[str, Any], before: str) -> Iterator[tuple[str, Any]]:
    """The fields below an object by their dotted names; below the record itself only its own."""
    for name, value in holder.items():
        whole = f"{before}.{name}" if before else str(name)
        if before and isinstance(value, Mapping):
            yield from _below(value, whole)
        else:
            yield whole, value


def _holds_amount(declared: PriceMapping, value: object) -> bool:
    """Whether a field states an amount, or is a list of objects that do."""
    if isinstance(value, list):
        return any(_amount(declared, part) for item in value if isinstance(item, Mapping) for part in item.values())
    return bool(_amount(declared, value))


def _field(record: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - a value of parsed JSON
    """The value under a dotted name; a name that is a key as it stands wins."""
    if name in record:
        return record[name]
    value: Any = record
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _records(declared: PriceMapping, content: bytes, problems: set[str]) -> Iterator[tuple[str, Any]]:
    start = content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if content[:4] == b"PAR1":
        try:
            yield from (
                (f"row {n}", row) for n, row in enumerate(pl.read_parquet(io.BytesIO(content)).iter_rows(named=True), 1)
            )
        except (pl.exceptions.PolarsError, OSError) as error:
            raise PriceFeedError(f"not Parquet: {worded(error)}") from error
    elif start in (b"{", b"["):
        yield from _of_json(declared, content, problems)
    else:
        yield from _of_table(declared, content)


def _of_json(declared: PriceMapping, content: bytes, problems: set[str]) -> Iterator[tuple[str, Any]]:
    try:
        whole = feed_json(content, problems)
    except PriceFeedError:
        lines = [line for line in content.splitlines() if line.strip()]
        if len(lines) < 2:
            raise
        yield from ((f"line {number}", feed_json(line, problems)) for number, line in enumerate(lines, start=1))
        return
    held = _field(whole, declared.records) if declared.records and isinstance(whole, Mapping) else whole
    records = records_of(held, declared.model_field, declared.columns)
    if records is None:
        at = declared.records or "the top"
        raise PriceFeedError(
            f"expected a list of records at {at} (or an object of them by model, with `model_field: '{OF_KEY}'`)"
        )
    for number, record in enumerate(records):
        name = record.get(OF_KEY, number) if isinstance(record, Mapping) else number
        yield f"/{declared.records}/{name}".replace("//", "/"), record


def _of_table(declared: PriceMapping, content: bytes) -> Iterator[tuple[str, Any]]:
    try:
        rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=declared.delimiter)
        header = [name.strip() for name in next(rows, [])]
        missing = [name for name in (declared.model_field, *declared.columns) if name not in header]
        if missing or len(set(header)) < len(header):
            raise PriceFeedError(
                f"the header lacks {', '.join(missing) or 'names of its own'}: found {', '.join(header[:12]) or 'nothing'}"
            )
        for number, row in enumerate(rows, start=2):
            if row and len(row) != len(header):
                raise PriceFeedError(f"line {number}: {len(row)} fields where the header has {len(header)}")
            if row:
                yield f"line {number}", dict(zip(header, row, strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise PriceFeedError(f"neither JSON nor a table: {worded(error)}") from error
