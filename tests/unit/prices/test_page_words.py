"""Words and marks next to a model's name on a price page: dates in several wordings, sizes, footnotes."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from pipelines.config.sources import PriceFeed
from pipelines.prices import build_ledger, parse_feed
from pipelines.prices.feeds import FORMATS
from pipelines.prices.pages.texts import heading
from tests.unit.prices.feeds import registry_of
from tests.unit.prices.landed import landed_bytes

PAGE = """
## Model pricing
| Model{mark} | Base Input Tokens{mark} | 5m Cache Writes | 1h Cache Writes | Cache Hits & Refreshes | Output Tokens{mark} |
|---|---|---|---|---|---|
| {name} | $2 / MTok | $2.50 / MTok | $4 / MTok | $0.20 / MTok | $10 / MTok |

## Batch processing
| Model | Batch input | Batch output |
|---|---|---|
| Claude Haiku 9 | $1 / MTok | $5 / MTok |

## Web search tool
Web search costs $10 per 1,000 searches.
"""
END_OF_YEAR = datetime(2027, 1, 1, tzinfo=UTC)


def spans(name: str, mark: str = "") -> set[tuple[str, datetime | None, datetime | None, int]]:
    """Name, start, end and bound of the input prices of the first table."""
    found = FORMATS["page"].read(PAGE.format(name=name, mark=mark).encode(), {"layout": "anthropic"}).prices
    return {
        (price.raw_model, price.valid_from, price.valid_to, price.context_from_tokens)
        for price in found
        if price.meter == "input_uncached" and price.service_tier == "standard"
    }


@pytest.mark.parametrize(
    "words",
    [
        "(introductory pricing through December 31, 2026)", "(promotional price until Dec 31, 2026)", "(until 2026-12-31)",
        "(valid through Dec. 31, 2026)", "ending December 31, 2026",
    ],
)  # fmt: skip
def test_a_price_ends_with_the_day_that_its_name_says(words: str) -> None:
    assert spans(f"Claude Haiku 9 {words}") == {("Claude Haiku 9", None, END_OF_YEAR, 0)}


@pytest.mark.parametrize(
    "words", ["starting January 1, 2027", "(from January 1, 2027)", "(effective on Jan 1, 2027)", "(as of 2027-01-01)"]
)
def test_a_price_begins_with_the_day_that_its_name_says(words: str) -> None:
    assert spans(f"Claude Haiku 9 {words}") == {("Claude Haiku 9", END_OF_YEAR, None, 0)}


@pytest.mark.parametrize(
    "words", ["(> 200K)", "(above 0.2M tokens)", "[over 200,000 input tokens]", "(prompts > 200K)"]
)
def test_a_size_in_brackets_is_a_bound(words: str) -> None:
    assert spans(f"Claude Haiku 9 {words}") == {("Claude Haiku 9", None, None, 200_000)}


@pytest.mark.parametrize("words", ["(until 31/12/2026)", "(long context)", "(batch)", "(US-only)", "– fast mode"])
def test_a_day_or_a_size_that_is_not_understood_is_no_part_of_the_model_s_price(words: str) -> None:
    assert {name for name, *_ in spans(f"Claude Haiku 9 {words}")} == {f"Claude Haiku 9 {words}"}


@pytest.mark.parametrize("mark", ["¹", "*", " †", "<sup>2</sup>", " [1]", "¹²"])
def test_marks_of_footnotes_belong_to_no_name(mark: str) -> None:
    assert spans(f"Claude Haiku 9{mark} ([deprecated](/docs/old))", mark) == {("Claude Haiku 9", None, None, 0)}
    assert spans(f"Claude Haiku 9 (new){mark}", mark) == {("Claude Haiku 9", None, None, 0)}


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("1. GPT-4o", "GPT-4o"), ("4.1. Prices", "Prices"), ("🔥GPT", "GPT"), ("• Models", "Models"), ("- Models", "Models"),
        ("🔥 2) Models ¶", "Models"), ("4.1 mini", "4.1 mini"), ("o3", "o3"), ("2.5 Flash", "2.5 Flash"), ("$5 plan", "$5 plan"),
        ("@cf/meta/llama-3", "@cf/meta/llama-3"), ("~moonshotai/kimi", "~moonshotai/kimi"), ("/v1", "/v1"), ("3.", "3."),
    ],
)  # fmt: skip
def test_a_heading_is_read_without_its_sign_and_its_number_and_a_model_keeps_both(written: str, words: str) -> None:
    assert heading(written) == words


def test_a_promotion_next_to_the_plain_price_gives_way_to_it(tmp_path: Path) -> None:
    """Seen in November and, unchanged, in January: 2 USD up to the end of the year, 3 from then on."""
    plain = "| Claude Haiku 9 | $3 / MTok | $3.75 / MTok | $6 / MTok | $0.30 / MTok | $15 / MTok |\n\n## Batch"
    page = PAGE.format(name="Claude Haiku 9 (through December 31, 2026)", mark="").replace("\n## Batch", plain)
    feed = PriceFeed(feed="p", format="page", options={"layout": "anthropic"})
    for days in (("2026-11-01",), ("2026-11-01", "2027-01-15")):
        found = [parse_feed(landed_bytes(tmp_path, "p", f"{day}T00-00-00Z.md", page.encode()), feed) for day in days]
        assert [snapshot.not_understood for snapshot in found] == [()] * len(days)
        rows = build_ledger(feed, found, registry_of(found)).filter(
            pl.col("superseded_at").is_null(), meter="input_uncached", service_tier="standard"
        )
        assert rows.sort("valid_from").select("unit_price", "valid_from", "valid_to").rows() == [
            (2, datetime(2026, 11, 1, tzinfo=UTC), END_OF_YEAR), (3, END_OF_YEAR, None),
        ]  # fmt: skip
