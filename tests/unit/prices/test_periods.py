"""What one file says of one thing twice: never two prices at once, and never a silent choice."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.config.sources import PriceFeed
from pipelines.prices import build_ledger, parse_feed
from pipelines.prices.feed_snapshot import FeedSnapshot, PriceFeedError
from tests.unit.prices.feeds import registry_of
from tests.unit.prices.landed import landed_bytes


def read(folder: Path, kind: str, content: object, suffix: str = "json") -> tuple[PriceFeed, FeedSnapshot]:
    feed = PriceFeed(feed="f", format=kind)
    text = content if isinstance(content, str) else json.dumps(content)
    return feed, parse_feed(landed_bytes(folder, "f", f"2026-10-01T00-00-00Z.{suffix}", text.encode()), feed)


def periods(folder: Path, *history: tuple[str | None, str | None, Any]) -> list[tuple[str, str, str]]:
    """The input prices that the ledger believes, from files of llm-prices with this history."""
    entries = [
        {"id": "m", "vendor": "openai", "name": "M", "input": price, "from_date": start, "to_date": end}
        for start, end, price in history
    ]
    feed, found = read(folder, "llm_prices", {"prices": entries})
    rows = build_ledger(feed, [found], registry_of([found])).filter(pl.col("superseded_at").is_null())
    days = [
        [str(value.date()) if value else "" for value in rows[name].to_list()] for name in ("valid_from", "valid_to")
    ]
    return sorted(zip(*days, [f"{price:f}".rstrip("0").rstrip(".") for price in rows["unit_price"]], strict=True))


def test_a_period_that_was_not_closed_ends_where_the_next_begins(tmp_path: Path) -> None:
    assert periods(tmp_path, ("2026-01-01", None, 1), ("2026-06-01", None, 3)) == [
        ("2026-01-01", "2026-06-01", "1"), ("2026-06-01", "", "3"),
    ]  # fmt: skip


def test_a_promotion_inside_a_period_gives_way_to_it_again(tmp_path: Path) -> None:
    assert periods(tmp_path, (None, None, 2), ("2026-06-01", "2026-07-01", 1)) == [
        (str(date.min), "2026-06-01", "2"), ("2026-06-01", "2026-07-01", "1"), ("2026-07-01", "", "2"),
    ]  # fmt: skip


def test_two_amounts_of_one_thing_are_named(tmp_path: Path) -> None:
    models = [{"id": f"a/m{n}", "pricing": {"prompt": "0.000001", "completion": "0.000002"}} for n in range(2, 12)]
    again = {"id": "a/m4", "pricing": {"prompt": "0.000009", "completion": "0.000002"}}
    _, found = read(tmp_path, "openrouter_models", {"data": [*models, again]})
    (problem,) = found.not_understood
    assert problem == (
        "a/m4: input_uncached is 'prompt: 0.000001' at /data/2/pricing/prompt and 'prompt: 0.000009' at "
        "/data/10/pricing/prompt; one of them counts"
    )


@pytest.mark.parametrize("second", ["3,,", "1,2026-06-01,2026-07-01"])
def test_a_sheet_that_states_two_prices_at_once_is_not_used(tmp_path: Path, second: str) -> None:
    head = "provider,model,meter,price,valid_from,valid_to\nopenai,m,input_uncached,2,,\n"
    with pytest.raises(PriceFeedError, match="line 3: another price for what line 2 states at the same time"):
        read(tmp_path, "price_sheet", f"{head}openai,m,input_uncached,{second}\n", "csv")
    feed, found = read(tmp_path, "price_sheet", f"{head}openai,m,input_uncached,2,2026-06-01,2026-07-01\n", "csv")
    assert build_ledger(feed, [found], registry_of([found]))["unit_price"].unique().to_list() == [2]


def test_a_price_of_llm_prices_under_a_new_name_is_named(tmp_path: Path) -> None:
    """`input_cache_write` would otherwise have cost as input without a word; facts that are no amounts are none."""
    entry = {
        "id": "m",
        "vendor": "openai",
        "name": "M",
        "input": 1,
        "output": 2,
        "input_cache_write": 1.25,
        "family": "gpt",
    }
    _, found = read(tmp_path, "llm_prices", {"prices": [entry]})
    assert found.not_understood == ("m: input_cache_write: not understood: 1.25",)


def test_of_two_amounts_the_first_counts_wherever_the_list_begins(tmp_path: Path) -> None:
    """`/data/10` is before `/data/9` as text: one more line in front of both changed which of them counts."""
    twice = [{"id": "a/m", "pricing": {"prompt": usd, "completion": "0.000002"}} for usd in ("0.000001", "0.000009")]
    for others in range(7, 12):
        models = [{"id": f"a/n{n}", "pricing": {"prompt": "1e-6", "completion": "2e-6"}} for n in range(others)]
        feed, found = read(tmp_path, "openrouter_models", {"data": [*models, *twice]})
        rows = build_ledger(feed, [found], registry_of([found])).filter(meter="input_uncached")
        assert rows.filter(pl.col("source_locator").str.contains(f"/{others}/|/{others + 1}/"))[
            "unit_price"
        ].to_list() == [Decimal("0.000001")]
