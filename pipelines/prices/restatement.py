"""Two ratings of the same requests compared: who moved, by how much, and because of which row of the price ledger.

A pure function of booked rows, ledger and rate cards; which days are restated and what is written is
`pipelines.daily.rerate`. Where a booked cost came from is found by `booked.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, localcontext
from typing import Any, NamedTuple

import polars as pl

from pipelines.config.commitments import Discount
from pipelines.config.sources import PriceFeed
from pipelines.meters import FEE_METERS, TOKEN_METERS
from pipelines.models import Registry, resolve_requests
from pipelines.prices.booked import DECIDED, Basis, card_bases, former_cards
from pipelines.prices.meters import fee_quantity
from pipelines.prices.rating import rate
from pipelines.prices.wording import amount_text, day_text
from pipelines.warehouse.tables.core import REQUEST
from pipelines.warehouse.tables.mart_prices import COST_RESTATEMENT

_MONEY = pl.Decimal(38, 18)
_METERS = {meter.name: pl.col(meter.tokens_column).cast(pl.Int64) for meter in TOKEN_METERS} | {
    fee.name: fee_quantity(fee) for fee in FEE_METERS
}
_KEY = (
    "event_date",
    "provider_id",
    "provider_id_before",
    "model_id",
    "model_id_before",
    "meter",
    "reason",
    "price_id_before",
    "price_id_after",
    "usd_per_million_before",
    "usd_per_million_after",
)
_AMOUNTS = ("cost_before_usd", "cost_after_usd", "delta_usd", "list_delta_usd")
_PRICE_FACTS = ("feed", "snapshot_id")
_ZERO = Decimal(0)


def rerate(
    booked: pl.DataFrame,
    rate_card: pl.DataFrame,
    registry: Registry,
    *,
    calendars: Mapping[str, frozenset[date]] | None = None,
) -> pl.DataFrame:
    """`booked` (rows of core.request) resolved and rated again: same rows, same order, same columns."""
    resolved = resolve_requests(booked, registry)
    # The log's own seller can no longer be distinguished from an inferred one, so the same model may be found by another method.
    is_same = resolved["model_id"].eq_missing(booked["model_id"])
    method = pl.when(is_same).then(booked["resolution_method"]).otherwise(resolved["resolution_method"])
    resolved = resolved.with_columns(method.alias("resolution_method"))
    return rate(resolved, rate_card, calendars=calendars).select(REQUEST.polars_schema.names())


def changed_requests(booked: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """The rows of `booked` that `after`, the same requests in the same order, decides differently in any way.

    Rows of core.request with one more column `<name>_after` for each of `booked.DECIDED`.
    """
    both = pl.concat([booked, after.select(pl.col(DECIDED).name.suffix("_after"))], how="horizontal")
    return both.filter(pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_after")) for name in DECIDED))


def restatement_lines(
    changed: pl.DataFrame,
    prices: pl.DataFrame,
    feeds: Sequence[PriceFeed],
    rate_card: pl.DataFrame,
    *,
    fx_rates: pl.DataFrame,
    known_at: datetime,
    discounts: Sequence[Discount] = (),
) -> pl.DataFrame:
    """Why the cost of `changed` (from `changed_requests`) moves, meter by meter.

    `rate_card` are the cards of the new rating, known at `known_at`; `prices` and `fx_rates` are the whole ledger. The frame has the
    columns of mart.cost_restatement but line_id, restatement_id, is_closed and applied_at, sorted by key. The sum of
    delta_usd is, to the last decimal, the effective cost after less that before, unknown costs counted as 0; that of
    list_delta_usd the same for list cost. What can't be explained by meter (a booked card that the ledger no longer
    gives, a list price in place of a contract, another reason without a cost) is a line with an empty meter.
    """
    groups = _groups(changed)
    wanted = groups.select("rate_id", "provider_id", "model_id", "last_event_at")
    before = card_bases(former_cards(prices, feeds, fx_rates, wanted, discounts))
    used = rate_card.join(groups.select(pl.col("rate_id_after").alias("rate_id")), on="rate_id", how="semi")
    after = card_bases(used)
    by_id = {row["price_id"]: row for row in prices.iter_rows(named=True)}
    with localcontext(prec=76):  # the default of 28 digits would round large sums
        moves = [
            move
            for group in groups.iter_rows(named=True)
            for move in _moves(group, before.get(group["rate_id"]), after.get(group["rate_id_after"]))
        ]
        rows = [_row(move, by_id, known_at) for move in moves]
    return _summed(rows, by_id, known_at)


def _groups(changed: pl.DataFrame) -> pl.DataFrame:
    """Requests that moved alike, added up: one row per day, name, model, seller, card and reason before and after."""
    money = [f"{kind}_cost_usd{when}" for kind in ("list", "effective") for when in ("", "_after")]
    label = pl.coalesce("response_model", "request_model", pl.lit("(no name logged)"))
    keys = [
        f"{name}{when}"
        for name in ("provider_id", "model_id", "region", "rate_id", "unpriced_reason")
        for when in ("", "_after")
    ]
    return (
        changed.with_columns(label.alias("label"), *(count.alias(f"q_{meter}") for meter, count in _METERS.items()))
        .group_by("event_date", "label", *keys)
        .agg(
            pl.len().cast(pl.Int64).alias("requests"),
            pl.col("event_at").max().alias("last_event_at"),
            pl.col(money).sum(),
            *(pl.col(f"q_{meter}").sum() for meter in _METERS),
            *((pl.col(f"q_{meter}") > 0).sum().cast(pl.Int64).alias(f"n_{meter}") for meter in _METERS),
        )
    )


class _Price(NamedTuple):
    """USD per million units of one meter, and the row of core.price it comes from."""

    usd_per_million: Decimal
    price_id: bytes


@dataclass(frozen=True)
class _Move:
    """A part of a group's cost that moved: one meter's, or what is left of the whole (meter empty)."""

    group: Mapping[str, Any]
    meter: str
    requests: int
    cost_before: Decimal | None
    cost_after: Decimal | None
    list_delta: Decimal
    price_before: _Price | None
    price_after: _Price | None
    known_at_before: datetime | None
    is_other_contract: bool


def _moves(group: Mapping[str, Any], before: Basis | None, after: Basis | None) -> Iterator[_Move]:
    """The meters of a group that moved, then the rest, so that the group's whole difference is explained."""
    rest_before, rest_after = group["effective_cost_usd"], group["effective_cost_usd_after"]
    rest_list = group["list_cost_usd_after"] - group["list_cost_usd"]
    old_contract, new_contract = (basis.contract_id if basis else "" for basis in (before, after))
    has_contract, is_other = bool(old_contract or new_contract), old_contract != new_contract
    known_at = before.known_at if before else None
    explained = 0
    is_explained_by_meter = (before is not None) == (group["rate_id"] is not None)
    for meter in _METERS if is_explained_by_meter else ():
        parts = [_part(group[f"q_{meter}"], basis, meter) for basis in (before, after)]
        (old, old_price), (new, new_price) = parts
        rest_before, rest_after = rest_before - (old or _ZERO), rest_after - (new or _ZERO)
        if old == new:
            continue
        moved = _ZERO if has_contract else (new or _ZERO) - (old or _ZERO)
        rest_list, explained = rest_list - moved, explained + 1
        yield _Move(group, meter, group[f"n_{meter}"], old, new, moved, old_price, new_price, known_at, is_other)
    if not explained or rest_before != rest_after or rest_list:
        was, will = _is_known(group, ""), _is_known(group, "_after")
        costs = (rest_before if was else None, rest_after if will else None)
        yield _Move(group, "", group["requests"], *costs, rest_list, None, None, known_at, is_other)


def _part(quantity: int, basis: Basis | None, meter: str) -> tuple[Decimal | None, _Price | None]:
    """Cost and price of one meter; both None if nothing is counted or nothing is priced."""
    if basis is None or not quantity or meter not in basis.rates:
        return None, None
    price = _Price(*basis.rates[meter])
    return (price.usd_per_million * quantity).scaleb(-6), price


def _is_known(group: Mapping[str, Any], when: str) -> bool:
    return group[f"unpriced_reason{when}"] is None


def _row(move: _Move, by_id: Mapping[bytes, Mapping[str, Any]], known_at: datetime) -> dict[str, Any]:
    group = move.group
    names = {
        f"model_id{when}": group[source] or f"unresolved: {group['label']}"
        for when, source in (("", "model_id_after"), ("_before", "model_id"))
    }
    sellers = {
        f"provider_id{when}": group[source] or "unknown"
        for when, source in (("", "provider_id_after"), ("_before", "provider_id"))
    }
    prices = (("before", move.price_before), ("after", move.price_after))
    before, after = (by_id[price.price_id] if price else None for _, price in prices)
    return {
        "event_date": group["event_date"],
        **names,
        **sellers,
        "meter": move.meter,
        "reason": _reason(move, before, after, known_at),
        "requests": move.requests,
        "cost_before_usd": move.cost_before,
        "cost_after_usd": move.cost_after,
        "delta_usd": (move.cost_after or _ZERO) - (move.cost_before or _ZERO),
        "list_delta_usd": move.list_delta,
        **{f"price_id_{when}": price.price_id if price else None for when, price in prices},
        **{f"usd_per_million_{when}": price.usd_per_million if price else None for when, price in prices},
        "known_at_before": move.known_at_before,
    }


def _reason(move: _Move, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, known_at: datetime) -> str:
    """The first that holds, of those in docs/rerate.md."""
    group = move.group
    if any(group[name] != group[f"{name}_after"] for name in ("provider_id", "model_id", "region")):
        return "model_resolved"
    is_same = before is not None and after is not None and _found(before) == _found(after)
    if is_same or group["unpriced_reason"] == "no_exchange_rate":
        return "discount" if is_same and move.is_other_contract else "exchange_rate"
    if before is not None and before["recorded_at"] > known_at:
        return "known_later"
    if before is not None and before["superseded_at"] is not None and before["superseded_at"] <= known_at:
        return str(before["supersede_reason"])
    if after is not None and (move.known_at_before is None or after["recorded_at"] > move.known_at_before):
        return "new_price"
    return "other"


def _found(price: Mapping[str, Any]) -> tuple[Any, ...]:
    """The price as its seller states it, before any exchange."""
    return price["unit_price"], price["pricing_currency"], price["pricing_quantity"]


def _summed(rows: list[dict[str, Any]], by_id: Mapping[bytes, Mapping[str, Any]], known_at: datetime) -> pl.DataFrame:
    """Rows of one key added up, with what the ledger says of both prices and the sentence."""
    given = {name: dtype for name, dtype in COST_RESTATEMENT.polars_schema.items() if rows and name in rows[0]}
    frame = pl.DataFrame(rows, schema=given or {name: COST_RESTATEMENT.polars_schema[name] for name in _KEY})
    if frame.is_empty():
        return COST_RESTATEMENT.empty().drop("line_id", "restatement_id", "is_closed", "applied_at")
    lines = frame.group_by(_KEY).agg(
        pl.col("requests").sum(),
        *(pl.when(pl.col(name).count() > 0).then(pl.col(name).sum().cast(_MONEY)).alias(name) for name in _AMOUNTS),
        pl.col("known_at_before").max(),
    )
    lines = lines.with_columns(pl.lit(known_at).cast(pl.Datetime("us", "UTC")).alias("known_at_after"))
    for when in ("before", "after"):
        facts = [by_id.get(price_id, {}) for price_id in lines[f"price_id_{when}"]]
        lines = lines.with_columns(
            pl.Series(
                f"{fact}_{when}",
                [row.get(fact) for row in facts],
                dtype=COST_RESTATEMENT.column(f"{fact}_{when}").polars_type,
            )
            for fact in _PRICE_FACTS
        )
    lines = lines.sort(_KEY)
    sentences = [_sentence(row, by_id) for row in lines.iter_rows(named=True)]
    schema = COST_RESTATEMENT.polars_schema
    return lines.with_columns(pl.Series("explanation", sentences, dtype=pl.String)).select(
        name for name in schema if name not in {"line_id", "restatement_id", "is_closed", "applied_at"}
    )


def _sentence(line: Mapping[str, Any], by_id: Mapping[bytes, Mapping[str, Any]]) -> str:
    """`14 February 2026: 3 requests to acme m cost 1 USD less for input_uncached (3 to 2 USD): price 3 to 2 ...`."""
    requests = f"{line['requests']:,} request{'' if line['requests'] == 1 else 's'}"
    part = f" for {line['meter']}" if line["meter"] else ""
    before, after, delta = line["cost_before_usd"], line["cost_after_usd"], line["delta_usd"]
    if before is None and after is None:
        moved = f"have no cost{part}, for another reason than before"
    elif before is None:
        moved = f"have a cost now, {amount_text(after)} USD{part}"
    elif after is None:
        moved = f"have no cost any more{part}, {amount_text(before)} USD before"
    elif delta == 0:
        moved = f"cost the same{part}"
    else:
        moved = f"cost {amount_text(abs(delta))} USD {'more' if delta > 0 else 'less'}{part} ({amount_text(before)} to {amount_text(after)})"
    return f"{day_text(line['event_date'])}: {requests} to {line['provider_id']} {line['model_id']} {moved}: {_because(line, by_id)}"


def _because(line: Mapping[str, Any], by_id: Mapping[bytes, Mapping[str, Any]]) -> str:
    old, new = by_id.get(line["price_id_before"], {}), by_id.get(line["price_id_after"], {})
    rates = (line["usd_per_million_before"], line["usd_per_million_after"])
    prices = " to ".join(amount_text(usd) for usd in rates if usd is not None)
    moved = f"{prices} USD per million" if prices else "the cost as a whole"
    match line["reason"]:
        case "model_resolved":
            was = f"{line['provider_id_before']} {line['model_id_before']}"
            why = f", booked as {was}, known as {line['provider_id']} {line['model_id']}"
        case "known_later":
            why = f"; {old['feed']} first said so on {day_text(old['recorded_at'])}"
        case "changed" | "corrected" | "retracted":
            why = f", {line['reason']} by {old['feed']} on {day_text(old['superseded_at'])}"
        case "source_removed":
            why = f"; {old['feed']} no longer names it since {day_text(old['superseded_at'])}"
        case "discount":
            why = "; commitments.yaml has another discount on the same list price"
        case "exchange_rate":
            why = "; the exchange rate of the day is another one, or was not known"
        case "new_price":
            why = f", which {new['feed']} first said on {day_text(new['recorded_at'])}" if new else ", unknown before"
        case _:
            why = "; the order of the feeds or the way of rating is another one than when it was booked"
    return moved + why
