"""Fixtures of the price contracts: the packaged genai-prices data and the dated LiteLLM maps, parsed once."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.config import load_config
from pipelines.config.sources import PriceFeed
from pipelines.models import Registry, build_registry
from pipelines.prices import FeedSnapshot, feed_names, packaged_genai_prices, parse_feed
from tests.unit.prices.landed import landed_bytes, landed_file

GENAI = PriceFeed(feed="genai_prices", format="genai_prices", precedence=20)
LITELLM = PriceFeed(feed="litellm_map", format="litellm_map", precedence=30)


@pytest.fixture(scope="session")
def genai_snapshot(tmp_path_factory: pytest.TempPathFactory) -> FeedSnapshot:
    folder = tmp_path_factory.mktemp("genai")
    return parse_feed(landed_bytes(folder, "genai_prices", "2026-11-20.json", packaged_genai_prices()), GENAI)


@pytest.fixture(scope="session")
def litellm_snapshots(shared_data: Path) -> list[FeedSnapshot]:
    files = sorted((shared_data / "prices" / "litellm_map").glob("*.json.gz"))
    assert len(files) == 20
    return [parse_feed(landed_file(path, "litellm_map"), LITELLM) for path in files]


@pytest.fixture(scope="session")
def genai_registry(genai_snapshot: FeedSnapshot) -> Registry:
    return build_registry(load_config(None).models, feed_names([genai_snapshot]))
