"""Hand-worked costs of prices that end at a number of tokens, count other tokens, or hold only with or without reasoning."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from pipelines.config.fx import FxConfig
from pipelines.prices import (
    build_fx_rates,
    build_ledger,
    build_rate_card,
    price_changes,
    price_conflicts,
    price_lookup,
    rate,
)
from pipelines.prices.feed_snapshot import PriceFeedError
from pipelines.prices.feeds import FORMATS
from tests.unit.prices.feeds import DATED, FEED, price, registry_of, snapshot
from tests.unit.prices.requests_frame import requests_frame
from tests.unit.prices.test_rating import NOON, always, call, card_of, costs, one

MILLION = 1_000_000


def test_a_price_with_an_upper_bound_leaves_longer_prompts_to_the_next_feed() -> None:
    """The page: 5 below 272,000 tokens; the map behind it: 6, and 10 above 272,000. At 272,000 the map's 6 holds."""
    long = {"context_from_tokens": 272_000, "context_bound": "gt"}
    card = card_of(always("5", context_to_tokens=272_000), others=(always("6"), always("10", **long)))
    calls = [call(input_uncached=tokens) for tokens in (1_000, 271_999, 272_000, 272_001)]
    assert costs(card, *calls) == [Decimal(usd) for usd in ("0.005", "1.359995", "1.632", "2.72001")]
    standard = card.filter(pl.col("service_tier") == "standard")
    assert standard.select("context_from_tokens", "context_to_tokens").rows() == [
        (0, 272_000), (272_000, 272_001), (272_001, None),
    ]  # fmt: skip


def test_above_an_upper_bound_that_no_feed_goes_beyond_there_is_no_price() -> None:
    card = card_of(always("5", context_to_tokens=100))
    assert one(card, input_uncached=99)["list_cost_usd"] == Decimal("0.000495")
    assert one(card, input_uncached=100)["unpriced_reason"] == "no_price_at_time"
    only_output = card_of(always("5", context_to_tokens=100), always("9", "output_text"))
    assert one(only_output, input_uncached=100)["unpriced_reason"] == "no_rate_for_meter"


def test_of_one_feed_the_nearer_upper_bound_goes_first() -> None:
    card = card_of(always("5"), always("4", context_to_tokens=100), always("3", context_to_tokens=50))
    calls = [call(input_uncached=tokens) for tokens in (49, 50, 99, 100)]
    assert costs(card, *calls) == [Decimal(usd) for usd in ("0.000147", "0.0002", "0.000396", "0.0005")]


@pytest.mark.parametrize(
    ("counts", "usage", "is_long"),
    [
        ("input", {"input_uncached": 40, "input_cache_read": 61}, True),
        ("input", {"input_uncached": 40, "input_cache_read": 60, "output_text": 900}, False),
        ("input_uncached", {"input_uncached": 100, "input_cache_read": 900, "output_text": 900}, False),
        ("input_uncached", {"input_uncached": 60, "input_cache_write_5m": 41}, True),
        ("output", {"input_uncached": 900, "output_text": 100}, False),
        ("output", {"input_uncached": 10, "output_text": 50, "output_reasoning": 51}, True),
        ("input_output", {"input_uncached": 60, "output_text": 40}, False),
        ("input_output", {"input_uncached": 60, "input_cache_read": 1, "output_text": 40}, True),
    ],
)
def test_what_counts_towards_the_bound_is_said_by_the_price(counts: str, usage: dict[str, int], is_long: bool) -> None:
    """Every token costs 1, and 2 above 100 tokens of those that count."""
    long = {"context_from_tokens": 100, "context_bound": "gt", "context_counts": counts}
    card = card_of(always("1"), always("2", **long), always("1", "output_text"), always("2", "output_text", **long))
    assert costs(card, call(**usage)) == [Decimal(sum(usage.values()) * (2 if is_long else 1)) / MILLION]
    assert set(card["context_counts"]) == {counts}


def test_the_feed_that_goes_first_says_what_counts() -> None:
    """The other's tier by the whole prompt takes no part, its price without bounds does."""
    uncached = {"context_from_tokens": 100, "context_bound": "gt", "context_counts": "input_uncached"}
    whole = {"context_from_tokens": 100, "context_bound": "gt"}
    others = (always("7"), always("9", **whole), always("3", "output_text"), always("4", "output_text", **whole))
    card = card_of(always("1"), always("2", **uncached), others=others)
    calls = [call(input_uncached=fresh, input_cache_read=1_000, output_text=1) for fresh in (100, 101)]
    assert costs(card, *calls) == [Decimal("0.001103"), Decimal("0.002205")]
    turned = tuple(feed.model_copy(update={"precedence": 50 - feed.precedence}) for feed in (DATED, FEED))
    card = card_of(always("1"), always("2", **uncached), others=others, feeds=turned)
    assert costs(card, *calls) == [Decimal("0.009904"), Decimal("0.009913")]


def test_a_measure_holds_as_long_as_its_prices() -> None:
    """Until February the whole prompt counts, from then on uncached tokens."""
    february = datetime(2026, 2, 1, tzinfo=UTC)
    bound = {"context_from_tokens": 100, "context_bound": "gt"}
    card = card_of(
        always("1"),
        always("2", **bound, valid_to=february),
        always("4", **bound, context_counts="input_uncached", valid_from=february),
    )
    usage = {"input_uncached": 100, "input_cache_read": 900}
    january = datetime(2026, 1, 15, tzinfo=UTC)
    assert costs(card, call(**usage, event_at=january), call(**usage)) == [Decimal("0.002"), Decimal("0.001")]
    assert costs(card, call(input_uncached=101)) == [Decimal("0.000404")]


def test_thinking_has_its_own_price_of_the_whole_answer() -> None:
    """Aliyun's qwen-plus: 2 for the answer without thinking, 8 for thoughts and answer with it, 0.8 for input.

    1,000 in and 500 out: 800 + 1,000; with 300 of thoughts: 800 + 8 times 800.
    """
    card = card_of(
        always("0.8"),
        always("2", "output_text", reasoning_mode="non_thinking"),
        always("8", "output_text", reasoning_mode="thinking"),
    )
    plain, thinking = (call(input_uncached=1_000, output_text=500, output_reasoning=n) for n in (0, 300))
    assert costs(card, plain, thinking) == [Decimal("0.0018"), Decimal("0.0072")]
    priced = rate(requests_frame([thinking]), card)
    row = card.filter(pl.col("rate_id") == priced["rate_id"][0]).row(0, named=True)
    assert row["reasoning_mode"] == "thinking"
    assert json.loads(row["fallbacks"])["output_reasoning"] == "output_text"


def test_a_feed_that_is_believed_on_a_price_is_believed_on_thinking() -> None:
    modes = (
        always("2", "output_text", reasoning_mode="non_thinking"), always("8", "output_text", reasoning_mode="thinking"),
    )  # fmt: skip
    thinking = call(output_text=500, output_reasoning=500)
    assert costs(card_of(always("3", "output_text"), others=modes), thinking) == [Decimal("0.003")]
    assert costs(card_of(*modes, others=(always("3", "output_text"),)), thinking) == [Decimal("0.008")]


def test_prices_say_their_bounds_and_modes_where_people_read_them() -> None:
    """The page's price below 272,000 goes from 5 to 4 on 1 March; the map says 6 for any prompt."""
    march = datetime(2026, 3, 1, tzinfo=UTC)
    bound = {"context_to_tokens": 272_000, "date_basis": "documented"}
    page = [price("5", valid_from=datetime(2026, 1, 1, tzinfo=UTC), valid_to=march, **bound)]
    page.append(price("4", valid_from=march, **bound))
    other = [always("6"), always("9", "output_text", reasoning_mode="thinking")]
    snapshots = [snapshot("2026-01-01", *page, feed=DATED), snapshot("2026-01-01", *other, feed=FEED)]
    registry = registry_of(snapshots)
    ledger = pl.concat(
        build_ledger(feed, [item], registry) for feed, item in zip((DATED, FEED), snapshots, strict=True)
    )
    changes = price_changes(ledger)
    assert changes["summary"].item() == (
        "input_uncached (below 272,000 prompt tokens) 5 to 4 USD per million tokens (-20.0 %) from 1 March 2026, "
        "announced 1 January 2026"
    )
    conflict = price_conflicts(ledger, (DATED, FEED), at=NOON).row(0, named=True)
    assert (conflict["meter"], conflict["usd_lowest"], conflict["usd_highest"]) == ("input_uncached", 5, 6)
    # Both are in use: one up to the bound, the other beyond it.
    found = price_lookup("m", registry, ledger, (DATED, FEED), at=NOON)
    assert found.select("meter", "feed", "is_used").rows() == [
        ("input_uncached", "dated", True), ("input_uncached", "list", True), ("output_text", "list", True),
    ]  # fmt: skip


def sheet(text: str) -> list[Any]:
    return FORMATS["price_sheet"].read(text.encode(), {}).prices


def test_a_price_sheet_can_say_all_of_it() -> None:
    head = "provider,model,meter,price,context_from_tokens,context_to_tokens,context_counts,reasoning_mode\n"
    found = sheet(head + "acme,m,output_text,4,,272000,input_uncached,thinking\nacme,m,output_text,4,,,,\n")
    conditions = [(p.context_from_tokens, p.context_to_tokens, p.context_counts, p.reasoning_mode) for p in found]
    assert conditions == [(0, 272_000, "input_uncached", "thinking"), (0, None, "input", "")]


@pytest.mark.parametrize(
    ("line", "reported"),
    [
        ("100,100,,", "context_to_tokens 100 is not above context_from_tokens 100"),
        (",1.5,,", "context_to_tokens: expected a whole number of tokens, found '1.5'"),
        (",,cached,", "context_counts: found 'cached', accepted are input, input_uncached, output, input_output"),
        (",,,slowly", "reasoning_mode: found 'slowly', accepted are , thinking, non_thinking"),
    ],
)
def test_mistakes_in_a_sheet_are_reported_by_line(line: str, reported: str) -> None:
    head = "provider,model,meter,price,context_from_tokens,context_to_tokens,context_counts,reasoning_mode\n"
    with pytest.raises(PriceFeedError, match=f"line 2: {reported}"):
        sheet(f"{head}acme,m,output_text,4,{line}\n")


def test_conditions_that_few_prices_have_leave_the_ids_of_all_others() -> None:
    """Ids computed before the columns were there: a request keeps leading to its card, a restatement to its price."""
    item = snapshot("2026-01-01", price("3"))
    ledger = build_ledger(FEED, [item], registry_of([item]))
    assert ledger["sku_id"][0].hex() == "b8e556deb8eddeae72c70aae2414f3b5"
    card = build_rate_card(ledger, [FEED])
    standard = card.filter(pl.col("service_tier") == "standard")
    assert standard["rate_id"][0].hex() == "900db193877796c256eab725add588f4"


def test_a_look_up_states_a_price_in_yuan_in_dollars_of_the_day() -> None:
    """8 yuan at 0.14 in February and 0.15 from March on; without a rate it has none, and it began when it began."""
    item = snapshot("2026-01-01", price("8", pricing_currency="CNY"))
    registry = registry_of([item])
    ledger = build_ledger(FEED, [item], registry)
    stated = [
        {"currency": "CNY", "usd_per_unit": usd, "valid_from": since}
        for usd, since in (("0.14", "2026-02-01"), ("0.15", "2026-03-01"))
    ]
    rates = build_fx_rates(FxConfig.model_validate({"rates": stated}), [], {"CNY"})
    for at, usd in (("2026-01-15", None), ("2026-02-14", Decimal("1.12")), ("2026-03-14", Decimal("1.2"))):
        found = price_lookup("m", registry, ledger, (FEED,), at=datetime.fromisoformat(f"{at}T00:00Z"), fx_rates=rates)
        assert found.select("usd_per_million", "valid_from").rows() == [(usd, datetime(2026, 1, 1, tzinfo=UTC))]
