"""Exchange rates: from published files and fx.yaml to `core.fx_rate`, and prices in other currencies to USD by day.

The ledger keeps prices as found; they are converted where rate cards and histories are made. A currency without a rate
makes its prices unusable, never zero. Declarations are in `pipelines.config.fx`.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any, NamedTuple

import polars as pl

from pipelines.config.fx import FxConfig, FxFeed
from pipelines.ids import id_bytes
from pipelines.instants import midnight
from pipelines.landing import LandedFile, read_bytes
from pipelines.outside import ANY_FAILURE, worded
from pipelines.prices.feed_snapshot import BEGINNING, PriceFeedError, as_amount, per_million
from pipelines.prices.ledger import believed
from pipelines.warehouse.tables.core_prices import FX_RATE

PARSER_VERSION = "ecb-2"
_EXACT = Context(prec=76, rounding=ROUND_HALF_EVEN)
_STEP = Decimal(1).scaleb(-18)
_TIME = pl.Datetime("us", "UTC")
_LARGEST_MEMBER = 64 * 1024**2
_SHOWN = 30
"""Characters of a value that is no rate."""
_NO_RATE = ("N/A", "", "-")
_FIRST_DAY = date(1970, 1, 1)
_AHEAD = timedelta(days=7)
"""A rate is published for a day that has come, or comes within a week (over holidays)."""
_WORTH = (Decimal("1e-9"), Decimal("1e7"))
"""USD for one unit of anything that prices are stated in: the smallest currency of 2026 is at 1e-6, an ounce of gold at 1e4."""


@dataclass(frozen=True)
class FxQuote:
    """What one unit of `currency` was worth in USD on `day`, by one line of a file."""

    day: date
    currency: str
    usd_per_unit: Decimal
    rate_as_found: str
    source_locator: str


@dataclass(frozen=True)
class FxSnapshot:
    """The rates that one landed file states."""

    feed: FxFeed
    snapshot_id: bytes
    observed_at: datetime
    lines: int
    quotes: tuple[FxQuote, ...]
    refused: tuple[str, ...] = ()
    """Values that are no rate, each with its place and what is accepted; the others count."""


class _Rate(NamedTuple):
    precedence: int
    steps: str
    valid_from: datetime
    valid_to: datetime | None
    usd_per_unit: Decimal
    fx_rate_id: bytes

    def holds(self, at: datetime) -> bool:
        return self.valid_from <= at and (self.valid_to is None or self.valid_to > at)


_RATE = _Rate._fields


def read_fx(file: LandedFile, feed: FxFeed) -> FxSnapshot:
    """The rates of a CSV file in the layout of the European Central Bank, history or one day.

    A value that is no rate costs itself, a day that is none its line: both are named in `refused`. Raises PriceFeedError with
    the file, the line and what is accepted where the file as a whole can't be read, or holds no rate at all.
    """
    place = f"{file.landing_path} (feed {feed.feed}, format {feed.format})"
    refused: list[str] = []
    try:
        latest = (file.observed_at + _AHEAD).date()
        lines, quotes = _ecb(_unzipped(read_bytes(file)).decode("utf-8-sig"), feed.base, latest, refused)
    except ANY_FAILURE as error:
        raise PriceFeedError(f"{place}: {worded(error)}") from error
    if not quotes:
        raise PriceFeedError(f"{place}: holds no rate ({lines} lines{'; ' if refused else ''}{'; '.join(refused[:5])})")
    problems = tuple(f"{place}: {value}" for value in refused)
    return FxSnapshot(feed, file.snapshot_id, file.observed_at, lines, tuple(quotes), problems)


def _unzipped(content: bytes) -> bytes:
    """The one CSV file of a ZIP archive; anything else as it is."""
    if not content.startswith(b"PK\x03\x04"):
        return content
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            (member,) = (info for info in archive.infolist() if info.filename.lower().endswith(".csv"))
            if member.file_size > _LARGEST_MEMBER:
                raise PriceFeedError(f"{member.filename} unpacks to more than {_LARGEST_MEMBER:,} bytes")
            return archive.read(member)
    except PriceFeedError:
        raise
    # A damaged member is a zlib.error or an EOFError, one behind a password a RuntimeError.
    except (ValueError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise PriceFeedError(f"expected a ZIP archive of one CSV file: {worded(error)}") from error


def build_fx_rates(config: FxConfig, snapshots: Sequence[FxSnapshot], currencies: set[str]) -> pl.DataFrame:
    """Rows of `core.fx_rate` for `currencies`: the rates of fx.yaml and of every file, in any order of `snapshots`.

    Where a later file gives a day another rate, the earlier one is superseded at that observation.
    """
    rows: list[dict[str, Any]] = [
        {
            "currency": rate.currency,
            "feed": "fx.yaml",
            "precedence": 0,
            "steps": "day",
            "usd_per_unit": _EXACT.quantize(rate.usd_per_unit, _STEP),
            "rate_as_found": f"{rate.usd_per_unit} USD{f' ({rate.note})' if rate.note else ''}",
            "valid_from": midnight(rate.valid_from),
            "valid_to": rate.valid_to and midnight(rate.valid_to),
            "recorded_at": BEGINNING,
            "source_locator": f"rates[{number}]",
        }
        for number, rate in enumerate(config.rates)
        if rate.currency in currencies
    ]
    for position, feed in enumerate(config.feeds, start=1):
        own = sorted(
            (s for s in snapshots if s.feed.feed == feed.feed), key=lambda item: (item.observed_at, item.snapshot_id)
        )
        rows += _believed_quotes(feed, own, position, currencies, config.since)
    for row in rows:
        parts = (row["feed"], row["currency"], row["valid_from"], row["usd_per_unit"], row["recorded_at"])
        row["fx_rate_id"] = id_bytes("fx", *map(str, parts))
    return pl.DataFrame(rows, schema=FX_RATE.polars_schema).sort("currency", "valid_from", "precedence", "recorded_at")


def in_usd(prices: pl.DataFrame, fx_rates: pl.DataFrame, *, known_at: datetime | None = None) -> pl.DataFrame:
    """Rows of core.price with prices in other currencies converted, and the columns fx_rate_id and needs_rate.

    A row in another currency becomes one row for each exchange rate that holds inside its period, from the start of
    that rate to its end: `usd_per_million` is the price as found per million units times USD per unit, rounded once,
    half-even, to 12 decimals. Where no rate holds, `usd_per_million` stays null and needs_rate (Boolean) is true.
    `known_at` takes the exchange rates believed then (None: now). Rows in USD stay as they are.
    """
    rates = fx_periods(fx_rates, set(prices["pricing_currency"]), known_at=known_at)
    split = _split(prices, rates).with_columns(pl.col("fx_rate_id").is_null().alias("needs_rate"))
    usd = _in_dollars(split.filter(pl.col("pricing_currency") != "USD"))
    own = split.filter(pl.col("pricing_currency") == "USD").with_columns(pl.lit(value=False).alias("needs_rate"))
    columns = [*prices.columns, "fx_rate_id", "needs_rate"]
    return pl.concat([own.select(columns), usd.select(columns)])


def fx_periods(fx_rates: pl.DataFrame, currencies: set[str], *, known_at: datetime | None = None) -> pl.DataFrame:
    """Every stretch of time of each currency but USD with the rate that holds in it, or none: no gap, no overlap.

    Columns: pricing_currency, fx_from, fx_to (null: open), usd_per_unit and fx_rate_id (both null where none holds).
    """
    known = believed(fx_rates, known_at)
    rows: list[tuple[str, datetime, datetime | None, Decimal | None, bytes | None]] = []
    for currency in sorted(currencies - {"USD"}):
        found = [_Rate(*row) for row in known.filter(pl.col("currency") == currency).select(_RATE).iter_rows()]
        rates = [rate for rate in found if rate.steps == "day"] + _monthly([r for r in found if r.steps == "month"])
        rates.sort(key=lambda rate: (rate.precedence, -rate.valid_from.timestamp()))
        rows += [(currency, *stretch) for stretch in _stretches(rates)]
    schema = {
        "pricing_currency": pl.String(),
        "fx_from": _TIME,
        "fx_to": _TIME,
        "usd_per_unit": FX_RATE.column("usd_per_unit").polars_type,
        "fx_rate_id": pl.Binary(),
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def split_by_need(prices: pl.DataFrame, periods: pl.DataFrame) -> pl.DataFrame:
    """Prices with needs_rate, split only where a rate begins or ceases to be known: to choose by, before `exchange`."""
    needs = pl.col("fx_rate_id").is_null()
    runs = (
        periods.sort("pricing_currency", "fx_from")
        .with_columns(needs.alias("needs_rate"))
        .with_columns(pl.struct("pricing_currency", "needs_rate").rle_id().alias("run"))
        .group_by("run", maintain_order=True)
        .agg(pl.col("pricing_currency", "needs_rate", "fx_from").first(), pl.col("fx_to").last())
        .drop("run")
    )
    return _split(prices, runs).with_columns(pl.col("needs_rate").fill_null(value=False))


def exchange(chosen: pl.DataFrame, periods: pl.DataFrame) -> pl.DataFrame:
    """Chosen prices (cell, valid_from, valid_to, needs_rate and the price as found) with usd_per_million and fx_rate_id.

    A cell with a price in another currency is split, with all its prices, wherever an exchange rate of it changes.
    """
    foreign = (pl.col("pricing_currency") != "USD") & ~pl.col("needs_rate")
    of_cell = chosen.filter(foreign).select("cell", "valid_from", "valid_to", "pricing_currency").unique()
    cell_ends = of_cell.select("cell", pl.col("valid_to").alias("cell_to")).unique()
    starts = _split(of_cell, periods).select("cell", pl.col("valid_from").alias("start")).unique().sort("cell", "start")
    pieces = (
        starts.with_columns(pl.col("start").shift(-1).over("cell").alias("end"))
        .join(cell_ends, on="cell")
        .select("cell", "start", pl.coalesce("end", "cell_to").alias("end"))
    )
    split = chosen.join(pieces, on="cell", how="left").with_columns(
        pl.coalesce("start", "valid_from").alias("valid_from"),
        pl.when(pl.col("start").is_null()).then("valid_to").otherwise("end").alias("valid_to"),
    )
    known = periods.filter(pl.col("fx_rate_id").is_not_null()).drop("fx_to").sort("fx_from")
    paid = split.filter(foreign).sort("valid_from")
    paid = paid.join_asof(
        known, left_on="valid_from", right_on="fx_from", by="pricing_currency", check_sortedness=False
    ).select(*split.columns, "usd_per_unit", "fx_rate_id")
    rest = split.filter(~foreign).with_columns(pl.lit(None, pl.Binary).alias("fx_rate_id"))
    return pl.concat([rest, _in_dollars(paid).select(rest.columns)]).sort("cell", "valid_from", "meter")


def _split(rows: pl.DataFrame, periods: pl.DataFrame) -> pl.DataFrame:
    """Each row for each period of its currency that it overlaps, narrowed to it; USD rows stay as they are."""
    return (
        rows.join(periods, on="pricing_currency", how="left")
        .with_columns(
            pl.max_horizontal("valid_from", "fx_from").alias("valid_from"),
            pl.min_horizontal("valid_to", "fx_to").alias("valid_to"),
        )
        .filter(pl.col("valid_to").is_null() | (pl.col("valid_from") < pl.col("valid_to")))
        .drop("fx_from", "fx_to")
    )


def _in_dollars(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with `usd_per_million` from the price as found and usd_per_unit."""
    key = ["unit_price", "pricing_quantity", "usd_per_unit"]
    amounts = rows.select(key).unique()
    usd = [None if row[2] is None else per_million(*row) for row in amounts.iter_rows()]
    converted = amounts.with_columns(pl.Series("usd_per_million", usd, dtype=pl.Decimal(38, 12)))
    return rows.drop("usd_per_million").join(converted, on=key, how="left", nulls_equal=True)


def _monthly(daily: Sequence[_Rate]) -> list[_Rate]:
    """The rates used month by month: the latest that holds as the month begins, else the first inside it."""
    months: list[_Rate] = []
    for precedence in {rate.precedence for rate in daily}:
        own = sorted((rate for rate in daily if rate.precedence == precedence), key=lambda rate: rate.valid_from)
        first = _month(own[0].valid_from)
        while first < max(rate.valid_to or rate.valid_from for rate in own[-1:]):
            following = _month(first + timedelta(days=31))
            at_start = [rate for rate in own if rate.holds(first)]
            inside = [rate for rate in own if first <= rate.valid_from < following]
            if at_start or inside:
                rate = at_start[-1] if at_start else inside[0]
                months.append(rate._replace(valid_from=max(first, rate.valid_from), valid_to=following))
            first = following
    return months


def _month(at: datetime) -> datetime:
    return at.replace(day=1)


def _stretches(
    preferred: Sequence[_Rate],
) -> Iterator[tuple[datetime, datetime | None, Decimal | None, bytes | None]]:
    """From one change to the next: the first of `preferred` that holds, or None and None if none does."""
    ends = {rate.valid_to for rate in preferred if rate.valid_to is not None}
    edges = sorted({BEGINNING, *ends, *(rate.valid_from for rate in preferred)})
    found = [next((rate for rate in preferred if rate.holds(edge)), None) for edge in edges]
    changes = [n for n in range(len(edges)) if n == 0 or found[n] is not found[n - 1]]
    for n, following in zip(changes, [*changes[1:], None], strict=True):
        rate, end = found[n], None if following is None else edges[following]
        yield edges[n], end, rate and rate.usd_per_unit, rate and rate.fx_rate_id


def _believed_quotes(
    feed: FxFeed, snapshots: Sequence[FxSnapshot], position: int, currencies: set[str], since: date
) -> list[dict[str, Any]]:
    """One row per rate that a feed gave a currency on a day; `snapshots` in the order of observation."""
    newest: dict[tuple[str, date], dict[str, Any]] = {}
    rows: list[dict[str, Any]] = []
    for snapshot in snapshots:
        for quote in snapshot.quotes:
            former = newest.get((quote.currency, quote.day))
            if quote.currency not in currencies or quote.day < since:
                continue
            if former is not None and former["usd_per_unit"] == quote.usd_per_unit:
                continue
            if former is not None:
                former["superseded_at"] = snapshot.observed_at
            start = midnight(quote.day)
            row = {
                "currency": quote.currency,
                "feed": feed.feed,
                "precedence": position,
                "steps": feed.steps,
                "usd_per_unit": quote.usd_per_unit,
                "rate_as_found": quote.rate_as_found,
                "valid_from": start,
                "valid_to": start + timedelta(days=feed.holds_days),
                "recorded_at": snapshot.observed_at,
                "snapshot_id": snapshot.snapshot_id,
                "source_locator": quote.source_locator,
            }
            newest[quote.currency, quote.day] = row
            rows.append(row)
    # Of two files observed at the same instant the one with the greater id counts, because nothing says which was later.
    return [row for row in rows if row.get("superseded_at") != row["recorded_at"]]


def _ecb(text: str, base: str, latest: date, refused: list[str]) -> tuple[int, list[FxQuote]]:
    reader = csv.reader(io.StringIO(text), strict=True)
    header = [cell.strip() for cell in next(reader, [])]
    if header[:1] != ["Date"] or (base != "USD" and "USD" not in header):
        raise PriceFeedError("line 1: expected the columns Date, USD and one per currency")
    quotes: list[FxQuote] = []
    lines = 0
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        lines += 1
        place = f"line {reader.line_num}"
        row = dict(zip(header, (cell.strip() for cell in cells), strict=False))
        day = _day(row.get("Date", ""))
        if day is None or not _FIRST_DAY <= day <= latest:
            accepted = f"a day such as 2026-08-21 or 21 August 2026, from {_FIRST_DAY} to {latest}"
            refused.append(f"{place}: expected {accepted}, found {_shown(row.get('Date', ''))}")
            continue
        quotes += _quotes_of(day, _amounts(row, base, place, refused), base, place, refused)
    return lines, quotes


def _amounts(row: Mapping[str, str], base: str, place: str, refused: list[str]) -> dict[str, Decimal]:
    """What one unit of the base is worth in each currency of a row."""
    amounts = {base: Decimal(1)}
    for name, value in row.items():
        if _is_quoted(name, value) and name != base:
            if amount := as_amount(value):
                amounts[name] = amount
            else:
                refused.append(f"{place}, {name}: expected an amount above zero, found {_shown(value)}")
    return amounts


def _quotes_of(
    day: date, amounts: Mapping[str, Decimal], base: str, place: str, refused: list[str]
) -> Iterator[FxQuote]:
    """The worth in USD of each currency of a row; nothing where the row has no dollars."""
    dollars = amounts.get("USD")
    if dollars is None:
        return
    for currency, amount in amounts.items():
        if currency == "USD":
            continue
        worth = _EXACT.quantize(_EXACT.divide(dollars, amount), _STEP)
        if not _WORTH[0] <= worth <= _WORTH[1]:
            refused.append(f"{place}, {currency}: no currency is worth {worth.normalize():g} USD")
            continue
        found = f"{dollars} USD and {amount} {currency} for 1 {base}"
        yield FxQuote(day, currency, worth, found, f"{place}, {currency}")


def _shown(value: str) -> str:
    return repr(value if len(value) <= _SHOWN else f"{value[:_SHOWN]} …")


def _is_quoted(name: str, value: str) -> bool:
    return re.fullmatch("[A-Z]{3}", name) is not None and value not in _NO_RATE


def _day(text: str) -> date | None:
    for layout in ("%Y-%m-%d", "%d %B %Y"):
        try:
            return datetime.strptime(text, layout).replace(tzinfo=UTC).date()
        except ValueError:
            continue
    return None
