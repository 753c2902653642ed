"""Hand-worked costs: every condition that picks a rate, every reason for having none, and exactness."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.config.sources import PriceFeed
from pipelines.meters import TOKEN_METERS
from pipelines.prices import build_ledger, build_rate_card, rate
from pipelines.prices.feed_snapshot import BEGINNING, Price
from pipelines.warehouse.tables.core_prices import RATE_CARD
from tests.unit.prices.feeds import DATED, FEED, day, price, registry_of, snapshot
from tests.unit.prices.requests_frame import requests_frame

NOON = datetime(2026, 2, 14, 12, tzinfo=UTC)


def always(usd: str, meter: str = "input_uncached", **other: Any) -> Price:
    return price(usd, meter, **{"valid_from": BEGINNING, "date_basis": "unknown"} | other)


def card_of(
    *prices: Price, others: tuple[Price, ...] = (), feeds: tuple[PriceFeed, ...] = (DATED, FEED)
) -> pl.DataFrame:
    """Rate card of `prices` in the feed that wins (precedence 20) and `others` in the one that loses (30)."""
    snapshots = [snapshot("2026-01-01", *prices, feed=DATED), snapshot("2026-01-01", *others, feed=FEED)]
    registry = registry_of(snapshots)
    ledgers = [build_ledger(feed, [item], registry) for feed, item in zip((DATED, FEED), snapshots, strict=True)]
    card = build_rate_card(pl.concat(ledgers), feeds)
    assert card.schema == RATE_CARD.polars_schema
    assert card["rate_id"].n_unique() == card.height
    return card


def call(**values: Any) -> dict[str, Any]:
    return {"provider_id": "acme", "model_id": "m", "event_at": NOON, **values}


def costs(card: pl.DataFrame, *calls: dict[str, Any]) -> list[Decimal | None]:
    return rate(requests_frame(calls), card)["list_cost_usd"].to_list()


def one(card: pl.DataFrame, **values: Any) -> dict[str, Any]:
    return rate(requests_frame([call(**values)]), card).row(0, named=True)


def test_a_call_worked_by_hand() -> None:
    """1,000 fresh + 9,000 cached + 2,000 written for an hour + 500 out + 1,500 reasoned, one search at 10 per 1,000:

    1000*3 + 9000*0.3 + 2000*6 + 500*15 + 1500*15 = 3000 + 2700 + 12000 + 7500 + 22500 = 47700 USD per million tokens,
    which is 0.0477 USD; the search adds 0.01 and the fee per call 0.002.
    """
    card = card_of(
        always("3"),
        always("0.3", "input_cache_read"),
        always("6", "input_cache_write_1h"),
        always("15", "output_text"),
        always("10", "web_search", unit="search", pricing_quantity=1_000),
        always("2", "request", unit="request", pricing_quantity=1_000),
    )
    result = one(
        card, input_uncached=1000, input_cache_read=9000, input_cache_write_1h=2000, output_text=500,
        output_reasoning=1500, web_search_count=1,
    )  # fmt: skip
    assert result["list_cost_usd"] == result["contracted_cost_usd"] == result["effective_cost_usd"] == Decimal("0.0597")
    row = card.filter(pl.col("rate_id") == result["rate_id"]).row(0, named=True)
    assert json.loads(row["fallbacks"])["output_reasoning"] == "output_text"
    assert "input_cache_read" not in json.loads(row["fallbacks"])
    assert sorted(json.loads(row["price_ids"])) == sorted(
        ["input_uncached", "input_cache_read", "input_cache_write_1h", "output_text", "web_search", "request"]
    )


def test_a_long_prompt_reprices_the_whole_request_above_an_exclusive_bound() -> None:
    long = {"context_from_tokens": 200_000, "context_bound": "gt"}
    card = card_of(always("3"), always("6", **long), always("15", "output_text"), always("22.5", "output_text", **long))
    at, above = (call(input_uncached=tokens, output_text=1000) for tokens in (200_000, 200_001))
    assert costs(card, at, above) == [Decimal("0.615"), Decimal("1.222506")]


def test_an_inclusive_bound_applies_from_the_bound_on() -> None:
    card = card_of(always("3"), always("6", context_from_tokens=200_000, context_bound="gte"))
    assert costs(card, call(input_uncached=199_999), call(input_uncached=200_000)) == [
        Decimal("0.599997"),
        Decimal("1.2"),
    ]


def test_cached_and_audio_tokens_count_towards_the_prompt_size() -> None:
    card = card_of(always("1"), always("2", context_from_tokens=100, context_bound="gt"))
    mixed = call(input_uncached=40, input_cache_read=30, input_audio=31)
    assert costs(card, mixed) == [Decimal("0.000202")]


def test_a_tier_overlays_the_standard_price_meter_by_meter() -> None:
    batch = {"service_tier": "batch"}
    card = card_of(always("4"), always("2", **batch), always("20", "output_text"))
    assert costs(card, call(input_uncached=1_000_000, output_text=1_000_000, **batch)) == [Decimal(22)]
    assert "service_tier" not in json.loads(_card(card, **batch)["fallbacks"])


def test_a_tier_that_nobody_prices_costs_nothing_known_and_never_the_standard_price() -> None:
    card = card_of(always("4"), always("9", service_tier="ultrafast"))
    assert set(card["service_tier"]) == {"standard", "ultrafast"}
    calls = [call(input_uncached=1_000_000, service_tier=tier) for tier in ("standard", "ultrafast", "flex", "scale")]
    rated = rate(requests_frame(calls), card)
    assert rated["list_cost_usd"].to_list() == [4, 9, None, None]
    assert rated["unpriced_reason"].to_list() == [None, None, "no_price_for_tier", "no_price_for_tier"]


def test_the_price_of_a_tier_replaces_the_long_prompt_price_too() -> None:
    card = card_of(
        always("4"), always("8", context_from_tokens=100, context_bound="gt"), always("2", service_tier="batch")
    )
    assert costs(card, call(input_uncached=1000, service_tier="batch")) == [Decimal("0.002")]


def test_a_region_goes_before_the_general_price_and_only_where_it_is_known() -> None:
    card = card_of(always("10"), always("11", region="eu"), always("50", "output_text"))
    calls = [call(input_uncached=1_000_000, output_text=1, region=region) for region in ("eu", "us", "")]
    assert costs(card, *calls) == [Decimal("11.00005"), Decimal("10.00005"), Decimal("10.00005")]


def test_a_regional_price_holds_in_every_known_region_but_for_a_global_profile() -> None:
    card = card_of(always("3", region="global"), always("3.3", region="regional"), always("3.6", region="us-gov"))
    regions = ("us-east-1", "eu", "regional", "us-gov", "global", "")
    found = rate(requests_frame(call(input_uncached=1_000_000, region=region) for region in regions), card)
    assert found["list_cost_usd"].to_list() == [*(Decimal(usd) for usd in ("3.3", "3.3", "3.3", "3.6", "3")), None]
    assert found["unpriced_reason"].to_list()[-1] == "no_price_at_time", "where it ran decides, and is not known"


def test_hours_of_the_day_are_utc_half_open_and_may_span_midnight() -> None:
    card = card_of(always("2"), always("1", time_window="16:30-00:30"))
    clocks = ("16:29", "16:30", "23:59", "00:00", "00:29", "00:30")
    calls = [call(input_uncached=1_000_000, event_at=day(f"2026-02-14T{clock}:59")) for clock in clocks]
    assert costs(card, *calls) == [Decimal(usd) for usd in (2, 1, 1, 1, 1, 2)]


def test_a_window_inside_the_day_ends_before_its_end() -> None:
    card = card_of(always("2"), always("1", time_window="01:00-04:00"), always("3", time_window="06:00-10:00"))
    clocks = ("00:59", "01:00", "03:59", "04:00", "06:00", "10:00")
    calls = [call(input_uncached=1_000_000, event_at=day(f"2026-02-14T{clock}:30")) for clock in clocks]
    assert costs(card, *calls) == [Decimal(usd) for usd in (2, 1, 1, 2, 3, 2)]


def test_the_tier_decides_before_the_region() -> None:
    """Half the price in a batch weighs more than a tenth more in a region: a batch in the region is still a batch."""
    card = card_of(always("10"), always("11", region="eu"), always("5", service_tier="batch"))
    assert costs(card, call(input_uncached=1_000_000, region="eu", service_tier="batch")) == [Decimal(5)]


def test_a_price_holds_from_its_start_and_not_at_its_end() -> None:
    march = day("2026-03-01")
    card = card_of(always("3", valid_to=march), price("2.5", valid_from=march, date_basis="documented"))
    calls = [call(input_uncached=1_000_000, event_at=march + timedelta(microseconds=step)) for step in (-1, 0)]
    assert costs(card, *calls) == [Decimal(3), Decimal("2.5")]


def test_the_feed_with_the_lower_precedence_wins_for_each_meter() -> None:
    others = (always("99"), always("7", "output_text"), always("0.5", "input_cache_read"))
    card = card_of(always("3"), others=others)
    assert costs(card, call(input_uncached=1_000_000, output_text=1_000_000, input_cache_read=1_000_000)) == [
        Decimal("10.5")
    ]
    reversed_feeds = (DATED.model_copy(update={"precedence": 50}), FEED)
    assert costs(card_of(always("3"), others=others, feeds=reversed_feeds), call(input_uncached=1_000_000)) == [
        Decimal(99)
    ]


def test_another_feed_stands_in_while_the_winner_has_no_price_at_that_time() -> None:
    card = card_of(price("3", valid_from=day("2026-02-01"), date_basis="documented"), others=(always("9"),))
    calls = [call(input_uncached=1_000_000, event_at=day(at)) for at in ("2026-01-31", "2026-02-01")]
    assert costs(card, *calls) == [Decimal(9), Decimal(3)]


def test_a_contract_lowers_the_contracted_cost_and_leaves_the_list_cost() -> None:
    card = card_of(always("10"), always("50", "output_text"), always("6", contract_id="acme-2026"))
    result = one(card, input_uncached=1_000_000, output_text=100_000)
    assert (result["list_cost_usd"], result["contracted_cost_usd"], result["effective_cost_usd"]) == (15, 11, 11)
    assert card.filter(pl.col("rate_id") == result["rate_id"])["contract_id"].to_list() == ["acme-2026"]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"usage_basis": "missing"}, "usage_missing"),
        ({"usage_basis": "partial"}, "usage_missing"),
        ({"model_id": None}, "model_unresolved"),
        ({"provider_id": None}, "provider_unknown"),
        ({"provider_id": "elsewhere"}, "no_price"),
        ({"model_id": "unheard-of"}, "no_price"),
        ({"event_at": day("2025-12-31")}, "no_price_at_time"),
        ({"output_text": 1}, "no_rate_for_meter"),
        ({"web_search_count": 1}, "no_rate_for_meter"),
        ({"input_cache_read": 5}, None),
    ],
)
def test_what_cant_be_priced_is_null_with_a_reason(values: dict[str, Any], reason: str | None) -> None:
    card = card_of(others=(price("3"),))
    result = one(card, **{"input_uncached": 10} | values)
    assert result["unpriced_reason"] == reason
    for column in ("rate_id", "list_cost_usd", "contracted_cost_usd", "effective_cost_usd"):
        assert (result[column] is None) == (reason is not None)


def test_a_free_call_costs_zero_without_a_rate_even_where_nothing_is_known_of_it() -> None:
    result = one(card_of(always("3")), is_billable=False, usage_basis="missing", model_id=None)
    assert (result["list_cost_usd"], result["effective_cost_usd"]) == (0, 0)
    assert (result["rate_id"], result["unpriced_reason"]) == (None, None)


def test_a_price_in_another_currency_prices_nothing() -> None:
    result = one(card_of(always("8", pricing_currency="CNY")), input_uncached=1)
    assert (result["rate_id"], result["list_cost_usd"], result["unpriced_reason"]) == (None, None, "no_exchange_rate")


def test_rating_keeps_rows_and_order_and_takes_no_request_at_all() -> None:
    card = card_of(always("3"))
    calls = [call(input_uncached=n, model_id=("m", "x")[n % 2]) for n in range(50)]
    frame = requests_frame(calls)
    rated = rate(frame, card)
    assert rated.select(frame.columns).equals(frame)
    assert rate(frame.clear(), card).height == 0
    assert set(rate(frame, RATE_CARD.empty())["unpriced_reason"]) == {"no_price"}


def test_rates_with_twelve_decimals_are_exact() -> None:
    card = card_of(always("0.000000000001"), always("999999.999999999999", "output_text"))
    assert costs(card, call(input_uncached=1), call(output_text=2_000_000_000)) == [
        Decimal("0.000000000000000001"),
        Decimal("1999999999.999999998"),
    ]


def test_a_rate_keeps_its_id_when_its_period_ends() -> None:
    """So that requests rated before a price change still lead to the row that priced them."""
    snapshots = [snapshot("2026-01-10", price("3")), snapshot("2026-03-01", price("4"))]
    registry = registry_of(snapshots)
    before = build_rate_card(build_ledger(FEED, snapshots[:1], registry), [FEED])
    after = build_rate_card(build_ledger(FEED, snapshots, registry), [FEED])
    assert set(before["rate_id"]) < set(after["rate_id"])


COUNTS = st.integers(min_value=0, max_value=2_000_000_000)


@settings(max_examples=60, deadline=None)
@given(tokens=st.lists(COUNTS, min_size=len(TOKEN_METERS), max_size=len(TOKEN_METERS)))
@pytest.mark.slow
def test_cost_adds_up_over_buckets(tokens: list[int]) -> None:
    buckets = {meter.name: count for meter, count in zip(TOKEN_METERS, tokens, strict=True)}
    together, *apart = costs(_EVERY_METER, call(**buckets), *(call(**{name: count}) for name, count in buckets.items()))
    assert together == sum(filter(None, apart), Decimal(0))
    rates = [Decimal(f"{index}.{index:012d}") for index in range(1, len(TOKEN_METERS) + 1)]
    assert together == sum((r * count for r, count in zip(rates, tokens, strict=True)), Decimal(0)) / 1_000_000


_EVERY_METER = card_of(
    *(always(f"{index}.{index:012d}", meter.name) for index, meter in enumerate(TOKEN_METERS, start=1))
)


def _card(card: pl.DataFrame, **conditions: str) -> dict[str, Any]:
    return card.filter(*(pl.col(name) == value for name, value in conditions.items())).row(0, named=True)


def test_a_marginal_rate_holds_for_the_tokens_above_its_bound() -> None:
    """Worked by hand: 250,000 at 3 up to 100,000, at 2 up to 200,000 and at 1 beyond: 0.3 + 0.2 + 0.05 USD."""
    part = {"context_scope": "marginal", "context_bound": "gt"}
    card = card_of(
        always("3"), always("2", context_from_tokens=100_000, **part), always("1", context_from_tokens=200_000, **part)
    )
    counts = (0, 100_000, 100_001, 200_000, 250_000)
    assert costs(card, *(call(input_uncached=count) for count in counts)) == [
        Decimal(usd) for usd in ("0", "0.3", "0.300002", "0.5", "0.55")
    ]


def test_a_marginal_bound_that_is_inclusive_begins_with_its_own_token() -> None:
    card = card_of(always("3"), always("2", context_from_tokens=100, context_scope="marginal", context_bound="gte"))
    # Token 100 is the first at 2: 99 at 3 and 1 at 2.
    assert costs(card, call(input_uncached=100)) == [Decimal("0.000299")]


def test_a_marginal_rate_counts_its_own_meter_and_leaves_the_prompt_size_alone() -> None:
    card = card_of(
        always("3"),
        always("1", context_from_tokens=100, context_scope="marginal", context_bound="gt"),
        always("0.5", "input_cache_read"),
        always("10", "output_text"),
    )
    # 1,000 cached tokens are no part of the 100: 50 * 3 + 1000 * 0.5 + 200 * 10.
    mixed = call(input_uncached=50, input_cache_read=1000, output_text=200)
    assert costs(card, mixed) == [Decimal("0.00265")]
    assert card.filter(pl.col("service_tier") == "standard")["context_to_tokens"].to_list() == [None]


def test_a_marginal_rate_of_a_feed_that_does_not_decide_the_price_is_not_used() -> None:
    other = always("1", context_from_tokens=100, context_scope="marginal", context_bound="gt")
    card = card_of(always("3"), others=(always("4"), other))
    assert costs(card, call(input_uncached=1_000)) == [Decimal("0.003")]
    assert set(card["marginal"]) == {"{}"}


def test_a_marginal_rate_of_a_batch_replaces_that_of_the_list() -> None:
    part = {"context_scope": "marginal", "context_bound": "gt", "context_from_tokens": 100}
    batch = {"service_tier": "batch"}
    card = card_of(always("4"), always("2", **part), always("2", **batch), always("1", **part, **batch))
    assert costs(card, call(input_uncached=300), call(input_uncached=300, **batch)) == [
        Decimal("0.0008"), Decimal("0.0004"),
    ]  # fmt: skip


def test_a_request_costs_at_least_the_minimum() -> None:
    card = card_of(always("3"), always("0.01", "minimum_charge", unit="request", pricing_quantity=1))
    assert costs(card, call(input_uncached=1), call(input_uncached=4_000), call(input_uncached=3_333)) == [
        Decimal("0.01"), Decimal("0.012"), Decimal("0.01"),
    ]  # fmt: skip
    assert costs(card, call(input_uncached=1, is_billable=False)) == [Decimal(0)]


def test_plain_cards_keep_the_ids_that_requests_were_booked_by() -> None:
    """Tiers and minimums came later: an id that changed with them would tear every booked request from its card."""
    card = card_of(always("3"), always("15", "output_text"))
    assert card.filter(service_tier="standard")["rate_id"].item().hex() == "1a0faa290f90a79f56cd4d26b9235b7b"


SHANGHAI = "mon-fri 09:00-12:00 Asia/Shanghai except cn"


@pytest.mark.parametrize(
    ("window", "at", "is_inside"),
    [
        ("mon-fri 01:00-04:00", "2026-11-02T01:00:00", True),  # a Monday
        ("mon-fri 01:00-04:00", "2026-11-06T03:59:59", True),
        ("mon-fri 01:00-04:00", "2026-11-07T02:00:00", False),  # a Saturday
        ("mon-fri 01:00-04:00 except cn", "2026-10-01T02:00:00", False),  # the national holiday, a Thursday
        ("mon-fri 01:00-04:00 except cn", "2026-10-08T02:00:00", True),
        ("mon-fri 01:00-04:00 except cn", "2026-10-10T02:00:00", False),  # a Saturday worked in exchange
        (SHANGHAI, "2026-11-02T01:00:00", True),
        (SHANGHAI, "2026-11-02T04:00:00", False),
        ("09:00-12:00 America/New_York", "2026-07-01T13:00:00", True),  # summer time: UTC-4
        ("09:00-12:00 America/New_York", "2026-12-01T13:00:00", False),  # winter time: UTC-5
        ("09:00-12:00 America/New_York", "2026-12-01T14:00:00", True),
        ("fri 22:00-02:00", "2026-11-07T01:30:00", True),  # Saturday morning belongs to Friday's window
        ("fri 22:00-02:00", "2026-11-06T01:30:00", False),
        ("sat,sun 00:00-00:00", "2026-11-08T23:59:59", True),
        ("sat,sun 00:00-00:00", "2026-11-09T00:00:00", False),
    ],
)
def test_windows_of_weekdays_zones_and_holidays(window: str, at: str, is_inside: bool) -> None:
    card = card_of(always("2"), always("1", time_window=window))
    expected = Decimal(1) if is_inside else Decimal(2)
    assert costs(card, call(input_uncached=1_000_000, event_at=day(at))) == [expected]


def test_a_calendar_that_no_one_declares_is_named() -> None:
    card = card_of(always("2"), always("1", time_window="mon-fri 01:00-04:00 except fr"))
    with pytest.raises(ValueError, match=r"no calendar 'fr' is declared; known are cn"):
        costs(card, call(input_uncached=1))
    requests = requests_frame([call(input_uncached=1_000_000, event_at=day("2026-07-14T02:00:00"))])
    rated = rate(requests, card, calendars={"fr": frozenset({day("2026-07-14").date()})})
    assert rated["list_cost_usd"].to_list() == [Decimal(2)]


def test_a_preference_turns_the_order_of_feeds_for_one_meter_of_one_model() -> None:
    """The feed with precedence 30 is believed on the output of m alone, which its entry raises to 5."""
    prefer = (
        {"provider": "acme", "model": "m", "meter": "output_text", "precedence": 5},
        {"provider": "acme", "precedence": 99},
    )
    other = PriceFeed.model_validate(FEED.model_dump() | {"prefer": prefer})
    mine, theirs = (always("1"), always("2", "output_text")), (always("10"), always("20", "output_text"))
    card = card_of(*mine, others=theirs, feeds=(DATED, other))
    assert costs(card, call(input_uncached=1_000_000, output_text=1_000_000)) == [Decimal(21)]
    assert costs(card_of(*mine, others=theirs), call(input_uncached=1_000_000, output_text=1_000_000)) == [Decimal(3)]


def test_a_preference_for_everything_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="provider, model or meter is needed"):
        PriceFeed.model_validate({"feed": "f", "format": "page", "prefer": [{"precedence": 1}]})


def test_a_feed_that_is_believed_on_a_price_is_believed_on_its_hours() -> None:
    """The first feed knows that peaks are on weekdays; the second says every day: on a Saturday the first is right."""
    mine = (always("1"), always("2", time_window="mon-fri 01:00-04:00"))
    theirs = (always("1.1"), always("2.2", time_window="01:00-04:00"))
    monday, saturday = (call(input_uncached=1_000_000, event_at=day(f"2026-11-{at}T02:00:00")) for at in ("02", "07"))
    assert costs(card_of(*mine, others=theirs), monday, saturday) == [Decimal(2), Decimal(1)]
    # One that goes before may add hours to a price of the whole day that comes from another.
    night = always("0.5", time_window="01:00-04:00")
    assert costs(card_of(night, others=theirs), monday, saturday) == [Decimal("0.5"), Decimal("0.5")]


@pytest.mark.parametrize(
    ("stated", "asked"),
    [
        ({"service_tier": "batch"}, {"service_tier": "batch"}),
        ({"region": "eu"}, {"region": "eu"}),
        ({"context_from_tokens": 100}, {"input_uncached": 1_000}),
        ({"time_window": "11:00-13:00"}, {}),
        ({"contract_id": "acme-2026"}, {}),
    ],
)
def test_a_price_that_repeats_the_answer_s_goes_with_it(stated: dict[str, Any], asked: dict[str, Any]) -> None:
    """Thinking is listed at 10 as the answer is: where the answer costs 5, thinking does; where thinking has a price of its own, it stays."""
    listed = (always("1"), always("10", "output_text"), always("5", "output_text", **stated))
    calls = {"output_text": 1_000_000, "output_reasoning": 1_000_000, **asked}
    cost = "contracted_cost_usd" if "contract_id" in stated else "list_cost_usd"
    usd = Decimal(asked.get("input_uncached", 0)) / 1_000_000
    assert one(card_of(*listed, always("10", "output_reasoning")), **calls)[cost] == 10 + usd
    assert one(card_of(*listed, always("20", "output_reasoning")), **calls)[cost] == 25 + usd


def test_a_list_behind_that_repeats_the_answer_s_price_says_nothing_of_thinking() -> None:
    listed = (always("1"), always("12", "output_text"))
    for thinking, cost in (("10", 24), ("8", 20)):
        behind = (always("10", "output_text"), always(thinking, "output_reasoning"))
        card = card_of(*listed, others=behind)
        assert one(card, output_text=1_000_000, output_reasoning=1_000_000)["list_cost_usd"] == cost


def test_images_listed_as_text_go_with_a_batch_of_text() -> None:
    card = card_of(
        always("2"), always("2", "input_image"), always("4", "output_text"), always("1", service_tier="batch"),
        always("2", "output_text", service_tier="batch"),
    )  # fmt: skip
    assert one(card, service_tier="batch", input_uncached=1_000_000, input_image=1_000_000)["list_cost_usd"] == 2
