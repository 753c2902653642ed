"""Which dated names are the undated model: equal prices say so, one different price anywhere says no."""

from __future__ import annotations

import random

import pytest

from pipelines.config import load_config
from pipelines.config.models import ModelsConfig
from pipelines.models import build_registry
from pipelines.prices import FeedSnapshot, dated_aliases, feed_names
from pipelines.prices.feed_snapshot import Price
from tests.unit.prices.feeds import FEED, price, snapshot

CONFIG = ModelsConfig()


def both(undated: str, dated: str, *more: Price, provider: str = "acme") -> list[Price]:
    return [
        price(undated, raw_model="m-1", provider=provider),
        price(dated, raw_model="m-1-2026-01-31", provider=provider),
        *more,
    ]


def twins(*snapshots: FeedSnapshot) -> list[tuple[str, str, str]]:
    found = dated_aliases(snapshots, CONFIG).rows()
    assert dated_aliases(snapshots[::-1], CONFIG).rows() == found
    return found


SAME = [("m-1-20260131", "m-1", "list")]


def test_equal_prices_make_one_model() -> None:
    assert twins(snapshot("2026-02-01", *both("3", "3"))) == SAME
    assert twins(snapshot("2026-02-01", *both("3", "2.5"))) == []
    assert twins() == []


@pytest.mark.parametrize(
    "contradiction",
    [
        snapshot("2026-01-01", *both("3", "2")),
        snapshot("2026-03-01", *both("3", "2")),
        snapshot("2026-02-01", *both("3", "2", provider="elsewhere"), feed=FEED.model_copy(update={"feed": "other"})),
    ],
)
def test_one_different_price_at_any_time_at_any_seller_keeps_them_apart(contradiction: FeedSnapshot) -> None:
    same = snapshot("2026-02-02", *both("3", "3"))
    assert twins(same) == SAME
    assert twins(same, contradiction) == []


def test_a_price_that_only_one_of_them_states_is_no_contradiction_and_no_proof() -> None:
    partly = snapshot("2026-02-01", *both("3", "3", price("15", "output_text", raw_model="m-1")))
    assert twins(partly) == []
    assert twins(partly, snapshot("2026-03-01", *both("3", "3"))) == SAME


def test_prices_of_two_sellers_regions_or_snapshots_are_not_compared() -> None:
    undated, dated = both("3", "3")
    assert twins(snapshot("2026-02-01", undated, dated._replace(provider="elsewhere"))) == []
    assert twins(snapshot("2026-02-01", undated), snapshot("2026-02-02", dated)) == []
    assert twins(snapshot("2026-02-01", undated, dated._replace(raw_model="us-east-1/m-1-2026-01-31"))) == []


def test_fees_do_not_count() -> None:
    search = price("30", "web_search", unit="search", raw_model="m-1")
    other = price("25", "web_search", unit="search", raw_model="m-1-2026-01-31")
    assert twins(snapshot("2026-02-01", *both("3", "3", search, other))) == SAME


def test_the_registry_lets_them_meet_and_a_declaration_wins() -> None:
    snapshots = [snapshot("2026-02-01", *both("3", "3"))]
    names = feed_names(snapshots)
    registry = build_registry(CONFIG, names, dated_aliases(snapshots, CONFIG))
    assert set(registry.models) == {"m-1"}
    found = registry.resolve("", "m-1-2026-01-31")
    assert (found.model_id, found.method, found.confidence, found.decided_by) == ("m-1", "date_suffix", 0.95, "list")
    assert set(build_registry(CONFIG, names).models) == {"m-1", "m-1-2026-01-31"}
    own = ModelsConfig.model_validate({"models": [{"id": "m-1-2026-01-31", "display_name": "January"}]})
    assert set(build_registry(own, names, dated_aliases(snapshots, own)).models) == {"m-1", "m-1-2026-01-31"}


@pytest.mark.slow
def test_the_real_maps(litellm_snapshots: list[FeedSnapshot], genai_snapshot: FeedSnapshot) -> None:
    config = load_config(None).models
    snapshots = [*litellm_snapshots, genai_snapshot]
    found = dated_aliases(snapshots, config)
    random.Random(1).shuffle(snapshots)
    assert dated_aliases(snapshots, config).equals(found)
    registry = build_registry(config, feed_names(snapshots), found)
    for raw, model in [
        ("gpt-5.2-2025-12-11", "gpt-5.2"),
        ("gpt-4o-mini-2024-07-18", "gpt-4o-mini"),
        ("o1-2024-12-17", "o1"),
        ("o3-2025-04-16", "o3"),  # declared: Azure's entry was never brought down to the new price
        ("gpt-4o-2024-05-13", "gpt-4o-2024-05-13"),  # 5 and 15 dollars, gpt-4o 2.50 and 10
        ("gpt-4o-2024-11-20", "gpt-4o-2024-11-20"),  # Azure charges a tenth more
        ("o1-mini-2024-09-12", "o1-mini-2024-09-12"),
        ("claude-3-5-sonnet-20240620", "claude-3-5-sonnet-20240620"),  # declared a model of its own
    ]:
        assert registry.resolve("", raw).model_id == model
    openness = {name: registry.models[name].openness for name in registry.models}
    assert openness["kimi-k2-instruct-0905"] == openness["glm-4.6"] == openness["qwen3-coder"] == "open_weight"
    assert openness["qwen3-max"] == openness["grok-4"] == openness["mistral-medium-2505"] == "closed"
    assert openness["glm-4.5-x"] == openness["glm-5-turbo"] == "unknown"
