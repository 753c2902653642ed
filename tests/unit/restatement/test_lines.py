"""What a restatement says, on cases worked by hand: three requests and a corrected price, and every reason there is."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from pipelines.config.commitments import Discount
from pipelines.config.sources import PriceFeed
from pipelines.models import Registry
from pipelines.prices import (
    FeedSnapshot,
    build_ledger,
    build_rate_card,
    changed_requests,
    keep_booked,
    rerate,
    restatement_lines,
)
from pipelines.prices.feed_snapshot import BEGINNING
from pipelines.warehouse.tables.core import REQUEST
from pipelines.warehouse.tables.core_prices import FX_RATE
from tests.unit.prices.feeds import DATED, FEED, day, price, registry_of, snapshot

_NEUTRAL: dict[str, Any] = {
    "text": "",
    "integer": 0,
    "bigint": 0,
    "boolean": False,
    "double precision": 0.0,
}
AT = datetime(2026, 2, 14, 12, tzinfo=UTC)


def logged(number: int, **values: Any) -> dict[str, Any]:
    """A request to m at acme as the log has it, not yet resolved or rated."""
    row = {c.name: None if c.nullable else _NEUTRAL.get(c.type) for c in REQUEST.columns}
    row |= {"request_uid": number.to_bytes(16, "big"), "snapshot_id": b"s" * 16, "event_at": AT, "source": "log"}
    row |= {"provider_id": "acme", "request_model": "m", "operation": "chat", "status": "ok", "is_billable": True}
    row |= {"service_tier": "standard", "usage_basis": "reported", "resolution_method": "unresolved"} | values
    return row | {"event_date": row["event_at"].date()}


class Books:
    """Feeds, what they are known to say at an instant, and requests booked on it."""

    def __init__(
        self,
        *snapshots: FeedSnapshot,
        feeds: tuple[PriceFeed, ...] = (FEED, DATED),
        fx_rates: pl.DataFrame | None = None,
    ) -> None:
        self.snapshots, self.feeds = snapshots, feeds
        self.fx_rates = FX_RATE.empty() if fx_rates is None else fx_rates
        self.all_names = registry_of(snapshots)
        by_feed = [[s for s in snapshots if s.feed == feed.feed] for feed in feeds]
        ledgers = [build_ledger(feed, found, self.all_names) for feed, found in zip(feeds, by_feed, strict=True)]
        self.prices = pl.concat(ledgers)

    def registry(self, at: str) -> Registry:
        return registry_of([s for s in self.snapshots if s.observed_at <= day(at)])

    def card(self, at: str) -> pl.DataFrame:
        return build_rate_card(self.prices, self.feeds, known_at=day(at), fx_rates=self.fx_rates)

    def book(self, at: str, *requests: dict[str, Any]) -> pl.DataFrame:
        frame = pl.DataFrame(list(requests), schema=REQUEST.polars_schema)
        return rerate(frame, self.card(at), self.registry(at))

    def restate(self, booked: pl.DataFrame, at: str) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The rows as known at `at`, and the lines."""
        card = self.card(at)
        after = rerate(booked, card, self.registry(at))
        lines = restatement_lines(
            changed_requests(booked, after), self.prices, self.feeds, card, fx_rates=self.fx_rates, known_at=day(at)
        )
        for name, column in (("effective_cost_usd", "delta_usd"), ("list_cost_usd", "list_delta_usd")):
            moved = Decimal(after[name].sum()) - Decimal(booked[name].sum())
            assert Decimal(lines[column].sum()) == moved
        return after, lines


DATED_BEFORE = {"valid_from": BEGINNING, "date_basis": "unknown"}
CORRECTED = Books(
    snapshot("2026-02-01", price("3", **DATED_BEFORE), price("15", "output_text", **DATED_BEFORE), feed=DATED),
    snapshot("2026-03-01", price("2.5", **DATED_BEFORE), price("15", "output_text", **DATED_BEFORE), feed=DATED),
)


def test_a_discount_that_was_agreed_later_moves_the_cost_and_not_the_list_price() -> None:
    """12 % of 1,000 tokens at 3 USD a million is 0.00036 USD."""
    booked = CORRECTED.book("2026-02-15", logged(0, input_uncached_tokens=1000, output_text_tokens=0))
    discounts = (Discount(discount="agreed", provider_id="acme", percent=Decimal(12), from_date=date(2026, 1, 1)),)
    prices, at = CORRECTED.prices, day("2026-02-15")
    card = build_rate_card(prices, CORRECTED.feeds, known_at=at, discounts=discounts)
    changed = changed_requests(booked, rerate(booked, card, CORRECTED.registry("2026-02-15")))
    no_rates = CORRECTED.fx_rates
    lines = restatement_lines(
        changed, prices, CORRECTED.feeds, card, fx_rates=no_rates, known_at=at, discounts=discounts
    )
    assert lines.select("meter", "reason", "delta_usd", "list_delta_usd").rows() == [
        ("input_uncached", "discount", Decimal("-0.00036"), Decimal(0))
    ]


def test_three_requests_and_a_corrected_price_by_hand() -> None:
    """Input 3 to 2.5 USD per million, output unmoved.

    Tokens in 1000, 200, 7 = 1207: before 0.003621, after 0.0030175, 0.0006035 less. The fourth has no input.
    """
    tokens = [(1000, 10), (200, 0), (7, 1), (0, 50)]
    requests = [logged(n, input_uncached_tokens=i, output_text_tokens=o) for n, (i, o) in enumerate(tokens)]
    booked = CORRECTED.book("2026-02-15", *requests)
    after, lines = CORRECTED.restate(booked, "2026-03-02")
    assert Decimal(booked["effective_cost_usd"].sum()) == Decimal("0.004536")
    assert Decimal(after["effective_cost_usd"].sum()) == Decimal("0.0039325")
    (line,) = lines.to_dicts()
    assert (line["meter"], line["requests"], line["reason"]) == ("input_uncached", 3, "corrected")
    assert (line["cost_before_usd"], line["cost_after_usd"]) == (Decimal("0.003621"), Decimal("0.0030175"))
    assert line["delta_usd"] == line["list_delta_usd"] == Decimal("-0.0006035")
    assert (line["usd_per_million_before"], line["usd_per_million_after"]) == (Decimal(3), Decimal("2.5"))
    assert line["explanation"] == (
        "14 February 2026: 3 requests to acme m cost 0.0006035 USD less for input_uncached (0.003621 to 0.0030175): "
        "3 to 2.5 USD per million, corrected by dated on 1 March 2026"
    )


LATER = {"valid_from": day("2026-02-10"), "date_basis": "documented"}
CHANGES: list[tuple[str, Books, str, str, Decimal | None, Decimal | None]] = [
    (
        "changed",
        Books(snapshot("2026-02-01", price("3")), snapshot("2026-02-13", price("2"))),
        "2026-02-01",
        "2026-03-01",
        Decimal("0.003"),
        Decimal("0.002"),
    ),
    (
        "corrected",
        Books(
            snapshot("2026-02-01", price("3", **LATER), feed=DATED),
            snapshot("2026-03-01", price("4", **LATER), feed=DATED),
        ),
        "2026-02-15",
        "2026-03-01",
        Decimal("0.003"),
        Decimal("0.004"),
    ),
    (
        "retracted",
        Books(
            snapshot("2026-02-01", price("3", **LATER), feed=DATED),
            snapshot("2026-02-05", price("8", valid_from=BEGINNING, date_basis="unknown"), feed=DATED),
        ),
        "2026-02-01",
        "2026-03-01",
        Decimal("0.003"),
        Decimal("0.008"),
    ),
    (
        "source_removed",
        Books(
            snapshot("2026-02-01", price("3"), price("1", raw_model="n")),
            snapshot("2026-02-13", price("1", raw_model="n")),
        ),
        "2026-02-01",
        "2026-03-01",
        Decimal("0.003"),
        None,
    ),
    (
        "new_price",
        Books(
            snapshot("2026-02-01", price("3")),
            snapshot("2026-03-01", price("2", **LATER), feed=DATED),
        ),
        "2026-02-15",
        "2026-03-01",
        Decimal("0.003"),
        Decimal("0.002"),
    ),
    (
        "known_later",
        Books(
            snapshot("2026-02-01", price("3")),
            snapshot("2026-03-01", price("2", **LATER), feed=DATED),
        ),
        "2026-03-01",
        "2026-02-15",
        Decimal("0.002"),
        Decimal("0.003"),
    ),
    (
        "model_resolved",
        Books(
            snapshot("2026-02-01", price("3", raw_model="n")),
            snapshot("2026-02-10", price("3", raw_model="n"), price("1", **LATER)),
        ),
        "2026-02-01",
        "2026-03-01",
        None,
        Decimal("0.001"),
    ),
]


@pytest.mark.parametrize(
    ("reason", "books", "then", "now", "before", "after"), CHANGES, ids=lambda v: v if isinstance(v, str) else ""
)
def test_every_reason(
    reason: str, books: Books, then: str, now: str, before: Decimal | None, after: Decimal | None
) -> None:
    """A thousand tokens of input, before and after, and why."""
    booked = books.book(then, logged(1, input_uncached_tokens=1000))
    _, lines = books.restate(booked, now)
    (line,) = lines.to_dicts()
    assert (line["reason"], line["cost_before_usd"], line["cost_after_usd"]) == (reason, before, after)
    assert line["delta_usd"] == (after or 0) - (before or 0)
    assert (line["price_id_before"] is None) == (before is None)
    assert (line["price_id_after"] is None) == (after is None)
    feeds = dict(zip(books.prices["price_id"], books.prices["feed"], strict=True))
    for when in ("before", "after"):
        assert line[f"feed_{when}"] == feeds.get(line[f"price_id_{when}"])
    assert line["known_at_after"] == day(now)
    assert line["explanation"].startswith("14 February 2026: 1 request to ")


def yuan(*rates: tuple[str, str, str | None]) -> pl.DataFrame:
    """USD per yuan, recorded and superseded when."""
    rows = [
        {
            "fx_rate_id": bytes([n]) * 16,
            "currency": "CNY",
            "feed": "bank",
            "precedence": 1,
            "usd_per_unit": Decimal(usd),
            "rate_as_found": usd,
            "steps": "day",
            "valid_from": day("2026-01-01"),
            "recorded_at": day(recorded),
            "superseded_at": day(superseded) if superseded else None,
            "source_locator": f"line {n}",
        }
        for n, (usd, recorded, superseded) in enumerate(rates)
    ]
    return pl.DataFrame(rows, schema=FX_RATE.polars_schema)


@pytest.mark.parametrize(
    ("fx_rates", "before", "usd_before"),
    [
        (yuan(("0.14", "2026-02-01", "2026-02-20"), ("0.15", "2026-02-20", None)), Decimal("0.00028"), Decimal("0.28")),
        (yuan(("0.15", "2026-02-20", None)), None, None),
    ],
    ids=["corrected", "unknown before"],
)
def test_an_exchange_rate_that_is_another_one(
    fx_rates: pl.DataFrame, before: Decimal | None, usd_before: Decimal | None
) -> None:
    """2 yuan per million: 0.28 USD at 0.14, 0.30 at 0.15; a thousand tokens."""
    stated = price("2", pricing_currency="CNY", valid_from=BEGINNING, date_basis="unknown")
    books = Books(snapshot("2026-02-01", stated, feed=DATED), fx_rates=fx_rates)
    booked = books.book("2026-02-15", logged(1, input_uncached_tokens=1000))
    (line,) = books.restate(booked, "2026-03-01")[1].to_dicts()
    assert (line["reason"], line["cost_before_usd"], line["cost_after_usd"]) == (
        "exchange_rate",
        before,
        Decimal("0.0003"),
    )
    assert (line["usd_per_million_before"], line["usd_per_million_after"]) == (usd_before, Decimal("0.3"))


def test_a_contract_and_a_list_price_that_move_apart() -> None:
    """The list price moves from 3 to 4; the contract stays at 2, so that only list cost moves."""
    granted = price("2", valid_from=BEGINNING, date_basis="documented", contract_id="acme-2026")
    books = Books(
        snapshot("2026-02-01", price("3", **LATER), granted, feed=DATED),
        snapshot("2026-03-01", price("4", **LATER), granted, feed=DATED),
    )
    booked = books.book("2026-02-15", logged(1, input_uncached_tokens=1000))
    assert booked.row(0, named=True)["effective_cost_usd"] == Decimal("0.002")
    (line,) = books.restate(booked, "2026-03-01")[1].to_dicts()
    assert (line["meter"], line["delta_usd"], line["list_delta_usd"]) == ("", Decimal(0), Decimal("0.001"))


def test_a_contract_that_moves_leaves_list_cost_alone() -> None:
    """Contract 2 to 1, list 3 throughout: a thousand tokens are a thousandth of a dollar less, list cost is the same."""
    one, other = (
        price(usd, valid_from=BEGINNING, date_basis="documented", contract_id="acme-2026") for usd in ("2", "1")
    )
    books = Books(
        snapshot("2026-02-01", price("3", **LATER), one, feed=DATED),
        snapshot("2026-03-01", price("3", **LATER), other, feed=DATED),
    )
    booked = books.book("2026-02-15", logged(1, input_uncached_tokens=1000))
    (line,) = books.restate(booked, "2026-03-01")[1].to_dicts()
    assert (line["meter"], line["delta_usd"], line["list_delta_usd"]) == ("input_uncached", Decimal("-0.001"), 0)


def test_a_cost_whose_card_no_ledger_gives_is_reported_as_a_whole() -> None:
    """Booked at 1 USD by a feed that is gone from sources.yaml: the sum holds, the meter is unknown."""
    books = Books(snapshot("2026-02-01", price("3")))
    booked = books.book("2026-02-15", logged(1, input_uncached_tokens=1000)).with_columns(
        pl.lit(b"x" * 16).alias("rate_id"),
        pl.lit(1).cast(pl.Decimal(38, 18)).alias("effective_cost_usd"),
        pl.lit(1).cast(pl.Decimal(38, 18)).alias("list_cost_usd"),
    )
    (line,) = books.restate(booked, "2026-02-15")[1].to_dicts()
    assert (line["meter"], line["reason"], line["price_id_before"]) == ("", "other", None)
    assert (line["cost_before_usd"], line["cost_after_usd"]) == (Decimal(1), Decimal("0.003"))


def test_the_price_before_is_the_row_that_was_believed_at_the_time() -> None:
    """A price that a later file closed keeps its rate_id, yet what priced the request is the row as it stood, open."""
    books = Books(snapshot("2026-02-01", price("3")), snapshot("2026-02-13", price("2")))
    booked = books.book("2026-02-01", logged(1, input_uncached_tokens=1000))
    (line,) = books.restate(booked, "2026-03-01")[1].to_dicts()
    (row,) = books.prices.filter(pl.col("price_id") == line["price_id_before"]).to_dicts()
    assert (row["valid_to"], row["superseded_at"]) == (None, day("2026-02-13"))
    assert line["known_at_before"] == day("2026-02-01")


def test_another_reason_without_a_cost_is_reported() -> None:
    books = Books(
        snapshot("2026-02-01", price("3", raw_model="n")),
        snapshot(
            "2026-02-10", price("3", raw_model="n"), price("1", valid_from=day("2026-02-20"), date_basis="announced")
        ),
    )
    booked = books.book("2026-02-01", logged(1, input_uncached_tokens=1000))
    after, lines = books.restate(booked, "2026-03-01")
    assert (booked["unpriced_reason"][0], after["unpriced_reason"][0]) == ("model_unresolved", "no_price_at_time")
    (line,) = lines.to_dicts()
    assert (line["meter"], line["cost_before_usd"], line["cost_after_usd"], line["delta_usd"]) == ("", None, None, 0)


def test_as_known_then_gives_back_what_was_booked_then() -> None:
    booked = CORRECTED.book("2026-02-15", logged(1, input_uncached_tokens=1000))
    now, _ = CORRECTED.restate(booked, "2026-03-02")
    again, lines = CORRECTED.restate(now, "2026-02-15")
    assert again.equals(booked)
    assert not now.equals(booked)
    assert lines["reason"].to_list() == ["known_later"]


def test_the_order_of_requests_decides_nothing() -> None:
    requests = [logged(n, input_uncached_tokens=n * 31, output_text_tokens=n % 3) for n in range(1, 40)]
    books = CHANGES[0][1]
    one, other = (
        books.restate(books.book("2026-02-01", *rows), "2026-03-01")[1] for rows in (requests, requests[::-1])
    )
    assert one.equals(other)
    assert one.height == 1


def test_nothing_differs_where_nothing_was_learnt() -> None:
    booked = CORRECTED.book("2026-02-15", logged(1, input_uncached_tokens=1000), logged(2, request_model="unknown"))
    after, lines = CORRECTED.restate(booked, "2026-02-16")
    assert after.equals(booked)
    assert lines.is_empty()


@pytest.mark.slow
def test_large_sums_keep_every_digit() -> None:
    """50,001 requests of 2,000,000,001 tokens, a trillionth of a dollar below 1000 USD per million: thirty digits.

    100002000050001 tokens at 1000 are 100002000050.001; a trillionth per million of them is 0.000100002000050001.
    """
    dear, less = price("999.999999999999", **LATER), price("999.999999999998", **LATER)
    books = Books(snapshot("2026-02-01", dear, feed=DATED), snapshot("2026-03-01", less, feed=DATED))
    booked = books.book("2026-02-15", logged(1, input_uncached_tokens=2_000_000_001))
    (line,) = books.restate(pl.concat([booked] * 50_001), "2026-03-01")[1].to_dicts()
    assert line["cost_before_usd"] == Decimal("100002000050.000899997999949999")
    assert line["delta_usd"] == Decimal("-0.000100002000050001")


def test_closed_books_keep_the_decision_and_rate_only_what_is_new() -> None:
    first, second = logged(1, input_uncached_tokens=1000), logged(2, input_uncached_tokens=1000)
    booked = CORRECTED.book("2026-02-15", first)
    now = CORRECTED.book("2026-03-02", first | {"team": "now attributed"}, second)
    kept = keep_booked(now, booked)
    assert kept["effective_cost_usd"].to_list() == [Decimal("0.003"), Decimal("0.0025")]
    assert kept["rate_id"].to_list() == [booked["rate_id"][0], now["rate_id"][1]]
    assert kept["team"].to_list() == ["now attributed", None]
    assert kept.schema == REQUEST.polars_schema


def test_another_usage_of_the_same_request_is_not_what_was_booked() -> None:
    booked = CORRECTED.book("2026-02-15", logged(1, input_uncached_tokens=1000))
    now = CORRECTED.book("2026-03-02", logged(1, input_uncached_tokens=2000))
    assert keep_booked(now, booked)["effective_cost_usd"].to_list() == [Decimal("0.005")]
