"""Bedrock's regional and global prices: what a log names is charged as genai-prices' calculator charges it."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest
from genai_prices import Usage, calc_price

from pipelines.models import Registry, resolve_requests
from pipelines.prices import FeedSnapshot, build_ledger, build_rate_card, rate
from tests.contracts.prices.conftest import GENAI
from tests.unit.prices.requests_frame import requests_frame

NOON = datetime(2026, 2, 14, 12, tzinfo=UTC)
NAMES = [
    f"{before}anthropic.claude-{name}"
    for before in ("", "us.", "eu.", "global.", "arn:aws:bedrock:us-east-1:1:inference-profile/global.")
    for name in ("sonnet-4-5-20250929-v1:0", "haiku-4-5-20251001-v1:0", "opus-4-5-20251101-v1:0")
]


@pytest.fixture(scope="module")
def card(genai_snapshot: FeedSnapshot, genai_registry: Registry) -> pl.DataFrame:
    return build_rate_card(build_ledger(GENAI, [genai_snapshot], genai_registry), (GENAI,))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("region", ["us-east-1", "eu-north-1"])
@pytest.mark.slow
def test_the_name_decides_wherever_the_call_was_made(
    name: str, region: str, card: pl.DataFrame, genai_registry: Registry
) -> None:
    usage = {"input_uncached": 123_457, "input_cache_read": 8_191, "output_text": 2_003}
    calls = requests_frame([{"provider_id": "aws", "region": region, "event_at": NOON, **usage}])
    named = calls.with_columns(request_model=pl.lit(name), response_model=pl.lit(None, pl.String))
    found = rate(resolve_requests(named, genai_registry), card).row(0, named=True)
    expected = calc_price(
        Usage(input_tokens=123_457 + 8_191, cache_read_tokens=8_191, output_tokens=2_003),
        model_ref=name,
        provider_id="aws",
        genai_request_timestamp=NOON,
    )
    assert found["unpriced_reason"] is None
    assert found["list_cost_usd"] == expected.total_price
