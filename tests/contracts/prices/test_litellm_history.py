"""The 20 dated LiteLLM maps replayed: order does not matter, no overlap, and changes checked against the files."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from decimal import Decimal

import polars as pl
import pytest

from pipelines.config import load_config
from pipelines.models import Registry, build_registry
from pipelines.prices import FeedSnapshot, build_ledger, build_rate_card, feed_names, rate
from tests.contracts.prices.conftest import LITELLM
from tests.unit.prices.ledger_checks import assert_sound
from tests.unit.prices.requests_frame import requests_frame


def _day(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, tzinfo=UTC)


@pytest.fixture(scope="module")
def registry(litellm_snapshots: list[FeedSnapshot]) -> Registry:
    return build_registry(load_config(None).models, feed_names(litellm_snapshots))


@pytest.fixture(scope="module")
def ledger(litellm_snapshots: list[FeedSnapshot], registry: Registry) -> pl.DataFrame:
    return build_ledger(LITELLM, litellm_snapshots, registry)


@pytest.mark.parametrize("seed", [None, 1, 2])
@pytest.mark.slow
def test_any_order_of_snapshots_gives_the_same_ledger(
    litellm_snapshots: list[FeedSnapshot], registry: Registry, ledger: pl.DataFrame, seed: int | None
) -> None:
    other = list(reversed(litellm_snapshots))
    if seed is not None:
        random.Random(seed).shuffle(other)
    names = build_registry(load_config(None).models, feed_names(other))
    assert build_ledger(LITELLM, other, names).equals(ledger)


def test_the_ledger_is_sound(ledger: pl.DataFrame) -> None:
    assert_sound(ledger)
    reasons = dict(ledger["supersede_reason"].drop_nulls().value_counts().iter_rows())
    # 16 of the closings: opus-4.6 lost four prices of long prompts, and with them that of an hour's cache, those in fast mode, in
    # the US, and in both. A change and two closings are of cached input of Fireworks, which costs half of input.
    # Five changes are of claude-3-5-haiku-20241022: the map followed a cut of four prices, and mended its cache read a month later.
    # Ten changes and 66 closings less than the maps state are of models of Vertex AI that are charged by the character.
    assert reasons == {"changed": 340, "source_removed": 903}


def test_a_ledger_that_misses_a_snapshot_differs(
    litellm_snapshots: list[FeedSnapshot], registry: Registry, ledger: pl.DataFrame
) -> None:
    assert not build_ledger(LITELLM, litellm_snapshots[:-1], registry).equals(ledger)


@pytest.mark.parametrize(
    ("provider", "model", "meter", "steps"),
    [
        # Read from the files: output_cost_per_token of deepseek-chat, and of deepseek/deepseek-chat from January to
        # August 2025, when only that name stands there. In September the map says 1.1 under one and 1.7 under the other.
        (
            "deepseek",
            "deepseek-chat",
            "output_text",
            [("0.28", _day(2024, 11, 28), _day(2025, 2, 27)), ("1.1", _day(2025, 2, 27), _day(2025, 9, 28)),
             ("1.7", _day(2025, 9, 28), _day(2026, 1, 29)), ("0.42", _day(2026, 1, 29), None)],
        ),
        # o3, input_cost_per_token: 1e-05 until the map of May 2025, 2e-06 from that of June.
        ("openai", "o3", "input_uncached", [("10", _day(2025, 4, 30), _day(2025, 6, 28)), ("2", _day(2025, 6, 28), None)]),
    ],
)  # fmt: skip
def test_price_changes_as_the_files_state_them(
    ledger: pl.DataFrame, provider: str, model: str, meter: str, steps: list[tuple[str, datetime, datetime | None]]
) -> None:
    believed = ledger.filter(
        pl.col("provider_id") == provider,
        pl.col("model_id") == model,
        pl.col("meter") == meter,
        pl.col("service_tier") == "standard",
        pl.col("context_from_tokens") == 0,
        pl.col("superseded_at").is_null(),
    ).sort("valid_from")
    found = list(believed.select("usd_per_million", "valid_from", "valid_to").iter_rows())
    assert found == [(Decimal(usd), start, end) for usd, start, end in steps]


def test_a_model_that_left_the_map_is_closed_and_not_priced_at_zero(ledger: pl.DataFrame) -> None:
    """text-davinci-003 stood in the map of December 2023 only."""
    gone = ledger.filter(pl.col("model_id") == "text-davinci-003", pl.col("meter") == "input_uncached").sort(
        "recorded_at"
    )
    assert gone["supersede_reason"].to_list() == ["source_removed", None]
    assert gone["valid_to"].to_list() == [None, _day(2024, 11, 28)]
    assert gone["usd_per_million"].unique().to_list() == [Decimal(2)]
    card = build_rate_card(ledger, [LITELLM])
    calls = [
        {"provider_id": "openai", "model_id": "text-davinci-003", "input_uncached": 1_000_000, "event_at": at}
        for at in (_day(2023, 12, 13), _day(2024, 6, 1), _day(2024, 11, 28))
    ]
    rated = rate(requests_frame(calls), card)
    assert rated["list_cost_usd"].to_list() == [None, Decimal(2), None]
    assert rated["unpriced_reason"].to_list() == ["no_price_at_time", None, "no_price_at_time"]


def test_what_was_known_then_and_what_is_known_now(ledger: pl.DataFrame) -> None:
    """On 1 June 2025 o3 still seemed to cost 10; the map of 28 June says 2 from then on, and never rewrites May."""
    call = {"provider_id": "openai", "model_id": "o3", "input_uncached": 1_000_000, "event_at": _day(2025, 7, 1)}
    then = rate(requests_frame([call]), build_rate_card(ledger, [LITELLM], known_at=_day(2025, 6, 1)))
    now = rate(requests_frame([call]), build_rate_card(ledger, [LITELLM]))
    assert then["list_cost_usd"].to_list() == [Decimal(10)]
    assert now["list_cost_usd"].to_list() == [Decimal(2)]
